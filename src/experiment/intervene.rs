//! Attribution against intervention: what a liquidation is said to have brought about, and what was missing without it.
//!
//! For each of the largest liquidations the world is copied as it was before the step in which it began, and run on
//! with that liquidation's forced orders executed off-book at the mark: they move no price. What others lost by liquidation less
//! in that world than in the run is its true effect. It is set beside what the genealogy attributes to it: the notional
//! of its descendants, each by the share that leads back to it.
//!
//! # Invariants
//!
//! - `a_fork_goes_on_as_its_world`.
//!
//! # Limits
//!
//! The intervention answers for one liquidation at a time. Two that would each have been enough to bring a third about have no
//! effect one by one, though attribution divides the third between them; and whom the outside price would have reached later
//! anyway is counted by attribution alone.

use super::run::RunError;
use crate::cascade::{Genealogy, Liquidation};
use crate::engine::{Event, EventKind, Observer, StepRow, World};
use crate::measure::Recorded;
use crate::scenario::{Mode, Problems, Scenario};
use crate::unit::AccountId;
use rayon::iter::{IntoParallelRefMutIterator, ParallelIterator};

/// One liquidation, left to itself and shielded.
#[derive(Clone, Debug, PartialEq)]
pub struct Intervened {
    /// The liquidation.
    pub liquidation: Liquidation,
    /// Notional that the genealogy says it brought about, quanta.
    pub attributed: f64,
    /// Value of others' forced trades that did not happen without it, quanta; negative where there was more.
    pub effect: f64,
    /// How many liquidations fewer there were without it.
    pub fewer: i64,
}

/// How well attribution and intervention agree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Spearman's rank correlation; nothing where one side is constant or there are fewer than three.
    pub rank: Option<f64>,
    /// Mean of |attributed − effect|, quanta.
    pub error: f64,
    /// That over the mean of |effect|; nothing where no effect was found.
    pub relative: Option<f64>,
}

/// Value of forced trades and beginnings of liquidations, one account's aside.
struct Forced {
    aside: AccountId,
    value: i128,
    begun: i64,
}

impl Forced {
    const fn beside(aside: AccountId) -> Self {
        Self {
            aside,
            value: 0,
            begun: 0,
        }
    }
}

impl Observer for Forced {
    fn step(&mut self, _: &StepRow<'_>) {}
    fn event(&mut self, event: &Event) {
        if event.account == Some(self.aside) {
            return;
        }
        match event.kind {
            EventKind::ForcedTrade => self.value += i128::from(event.amount.0),
            EventKind::LiquidationBegan => self.begun += 1,
            _ => {}
        }
    }
}

/// Shields each of the `count` largest liquidations of a scenario's run in turn; largest first.
///
/// # Errors
///
/// [`RunError`]: a problem of the scenario's files, or a breached invariant.
pub fn intervene(
    scenario: &Scenario,
    recorded: &Recorded,
    genealogy: &Genealogy,
    count: usize,
) -> Result<Vec<Intervened>, RunError> {
    let mut largest: Vec<&Liquidation> = genealogy.liquidations().collect();
    largest.sort_by(|a, b| b.notional.cmp(&a.notional).then(a.number.cmp(&b.number)));
    largest.truncate(count);
    let brought = genealogy.brought_about();
    let prepared = scenario.prepare()?;
    let (setup, _) = prepared
        .setup(scenario.replicate, Mode::Run)
        .map_err(|problems| RunError::from(Problems::from(problems)))?;
    let mut world = World::new(setup);
    let mut order: Vec<usize> = (0..largest.len()).collect();
    order.sort_by_key(|place| (largest[*place].step, *place));
    let mut found: Vec<Option<Intervened>> = vec![None; largest.len()];
    let mut waiting: Vec<(usize, World)> = Vec::new();
    // Worlds are large: as many at a time as there are threads.
    let most = rayon::current_num_threads().max(1);
    for place in order {
        while world.now() < largest[place].step {
            world.step(&mut ())?;
        }
        let mut shielded = world.fork();
        shielded.shield(largest[place].account);
        waiting.push((place, shielded));
        if waiting.len() == most {
            finish(&mut waiting, recorded, &largest, &brought, &mut found)?;
        }
    }
    finish(&mut waiting, recorded, &largest, &brought, &mut found)?;
    Ok(found.into_iter().flatten().collect())
}

fn finish(
    waiting: &mut Vec<(usize, World)>,
    recorded: &Recorded,
    largest: &[&Liquidation],
    brought: &[f64],
    found: &mut [Option<Intervened>],
) -> Result<(), RunError> {
    let done: Vec<Result<(usize, i128, i64), RunError>> = waiting
        .par_iter_mut()
        .map(|(place, shielded)| {
            let Liquidation { account, step, .. } = largest[*place];
            let mut with = Forced::beside(*account);
            let from = recorded.events.partition_point(|event| event.step < *step);
            for event in &recorded.events[from..] {
                with.event(event);
            }
            let mut without = Forced::beside(*account);
            shielded.run(&mut without, |_| true)?;
            Ok((
                *place,
                with.value - without.value,
                with.begun - without.begun,
            ))
        })
        .collect();
    waiting.clear();
    for done in done {
        let (place, effect, fewer) = done?;
        let liquidation = largest[place];
        found[place] = Some(Intervened {
            liquidation: liquidation.clone(),
            attributed: brought[liquidation.number as usize],
            effect: effect as f64,
            fewer,
        });
    }
    Ok(())
}

/// How well attribution and intervention agree over some liquidations.
pub fn agreement(found: &[Intervened]) -> Option<Agreement> {
    if found.is_empty() {
        return None;
    }
    let count = found.len() as f64;
    let error = found
        .iter()
        .map(|one| (one.attributed - one.effect).abs())
        .sum::<f64>()
        / count;
    let size = found.iter().map(|one| one.effect.abs()).sum::<f64>() / count;
    let ranks = |of: &dyn Fn(&Intervened) -> f64| -> Vec<f64> {
        let values: Vec<f64> = found.iter().map(of).collect();
        values
            .iter()
            .map(|value| {
                let below = values.iter().filter(|other| *other < value).count() as f64;
                let equal = values.iter().filter(|other| *other == value).count() as f64;
                below + (equal - 1.0) / 2.0
            })
            .collect()
    };
    let (a, b) = (ranks(&|one| one.attributed), ranks(&|one| one.effect));
    let middle = (count - 1.0) / 2.0;
    let product = |a: &[f64], b: &[f64]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| (a - middle) * (b - middle))
            .sum()
    };
    let spread = (product(&a, &a) * product(&b, &b)).sqrt();
    Some(Agreement {
        rank: (found.len() > 2 && spread > 0.0).then(|| product(&a, &b) / spread),
        error,
        relative: (size > 0.0).then(|| error / size),
    })
}
