//! Attribution against intervention: what a liquidation is said to have brought about, and what was missing without it.
//!
//! For each of the largest liquidations the world is copied as it was before the step in which it began, and run on
//! with that account's forced orders executed off-book at the mark: they move no price. What is missing then of others' liquidations
//! in its own market and direction, each account once with its notional as its liquidation first begins, is its true effect. It is
//! set beside what the genealogy attributes to it over the same time: the same notional of its descendants, each by the share
//! that leads back to it.
//!
//! A fall that goes on reaches most accounts sooner or later. What one liquidation does is to reach them earlier, so the effect is
//! counted where most is missing, within [`HORIZON`] of its beginning; what is still missing at the end of that is told beside it. Longer
//! horizons answer another question: where R ≥ 1, a fall that is delayed a little is delayed by all that feeds on itself, every one of
//! many liquidations is needed for it, and their effects add up to more than there is. And a market
//! is chaotic: after a while anything at all changes who is liquidated. So every world is run in [`PAIRS`] pairs, each with another
//! *placebo* shielded in both of its worlds: a liquidation of the same time whose notional is below [`SMALL`] of that in question. The effect is
//! the mean over pairs; the spread between pairs is the noise that an effect has to stand out from. Taken where it is largest, an effect of
//! nothing but noise would come out as a little more than nothing: which is why the floor is told with it.
//!
//! # Invariants
//!
//! - `a_fork_goes_on_as_its_world`.
//!
//! # Limits
//!
//! The intervention answers for one account at a time. Two that would each have been enough to bring a third about have no
//! effect one by one, though attribution divides the third between them. Positions that are deleveraged against a bankrupt account
//! never begin a liquidation, so neither side counts them.

use super::run::RunError;
use crate::cascade::graph::weigh;
use crate::cascade::{Genealogy, Liquidation, WHOLE};
use crate::engine::{Event, Observer, StepRow, TraceRow, World};
use crate::measure::{Frame, Recorded};
use crate::scenario::{Mode, Problems, Scenario};
use crate::unit::{AccountId, MarketId, Side};
use rayon::iter::{IntoParallelRefMutIterator, ParallelIterator};
use std::collections::BTreeSet;

/// Seconds within which a consequence counts, at least [`LEAST_STEPS`] steps.
pub const HORIZON: f64 = 30.0;
/// The fewest steps within which a consequence counts.
pub const LEAST_STEPS: u32 = 15;
/// How many pairs of worlds there are for each liquidation.
pub const PAIRS: usize = 5;
/// The most that a placebo's notional is of that of the liquidation in question.
pub const SMALL: f64 = 0.001;

/// One liquidation, left to itself and shielded.
#[derive(Clone, Debug, PartialEq)]
pub struct Intervened {
    /// The liquidation.
    pub liquidation: Liquidation,
    /// Notional that the genealogy says it brought about within the horizon, in its market and direction; quanta.
    pub attributed: f64,
    /// Notional of others' liquidations that was missing without it where most was, mean over the pairs; quanta.
    pub effect: f64,
    /// Standard deviation of that between pairs; nothing where there is one pair.
    pub noise: Option<f64>,
    /// What was still missing at the end of the horizon; negative where there was more.
    pub left: f64,
    /// How many liquidations were missing where most was.
    pub fewer: f64,
    /// How many pairs of worlds that is of.
    pub pairs: u32,
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
    /// The noise floor: mean standard error of an effect, quanta; nothing where there was no placebo.
    pub floor: Option<f64>,
    /// How many effects are more than two of their own standard errors.
    pub clear: u32,
}

/// What is counted in a world: beginnings of others' liquidations in one market and direction.
#[derive(Clone, Copy)]
struct Counted {
    market: MarketId,
    side: Side,
    aside: [AccountId; 2],
}

impl Counted {
    fn has(&self, market: MarketId, side: Side, account: AccountId) -> bool {
        market == self.market && side == self.side && !self.aside.contains(&account)
    }
}

/// Notional and number of liquidations begun, step by step from the beginning.
type Curve = Vec<[f64; 2]>;

/// Watches a world.
struct Watch<'a> {
    frame: &'a Frame,
    counted: Counted,
    seen: BTreeSet<AccountId>,
    sum: [f64; 2],
    curve: Curve,
}

impl Observer for Watch<'_> {
    fn step(&mut self, _: &StepRow<'_>) {
        self.curve.push(self.sum);
    }
    fn event(&mut self, _: &Event) {}
    fn causes(&mut self, trace: &TraceRow<'_>) {
        for breach in trace.breaches {
            let mark = |market: MarketId| {
                let mut checks = trace.checks.iter();
                let here = checks.find(|c| c.check == breach.check && c.market == market);
                here.map_or(crate::unit::Ticks::ZERO, |check| check.mark)
            };
            let legs = &trace.legs[breach.legs.0 as usize..breach.legs.1 as usize];
            let (market, held, notional) = weigh(self.frame, legs, mark);
            let side = if held.0 > 0 { Side::Sell } else { Side::Buy };
            if self.counted.has(market, side, breach.account) && self.seen.insert(breach.account) {
                self.sum[0] += notional.as_f64();
                self.sum[1] += 1.0;
            }
        }
    }
}

/// A world to be run: of which liquidation and pair, whether the liquidation is shielded in it, and what it came to.
struct Job {
    place: usize,
    pair: usize,
    shielded: bool,
    world: World,
    counted: Counted,
    curve: Curve,
}

/// Shields each of the `count` largest liquidations of a scenario's run in turn, consequences counting within some seconds
/// ([`HORIZON`]); largest first.
///
/// # Errors
///
/// [`RunError`]: a problem of the scenario's files, or a breached invariant.
pub fn intervene(
    scenario: &Scenario,
    recorded: &Recorded,
    genealogy: &Genealogy,
    count: usize,
    seconds: f64,
) -> Result<Vec<Intervened>, RunError> {
    let all: Vec<&Liquidation> = genealogy.liquidations().collect();
    let mut largest = all.clone();
    largest.sort_by(|a, b| b.notional.cmp(&a.notional).then(a.number.cmp(&b.number)));
    largest.truncate(count);
    let frame = &recorded.frame;
    let horizon = ((seconds / frame.dt).round() as u32).max(LEAST_STEPS);
    let prepared = scenario.prepare()?;
    let (setup, _) = prepared
        .setup(scenario.replicate, Mode::Run)
        .map_err(|problems| RunError::from(Problems::from(problems)))?;
    let mut world = World::new(setup);
    let mut order: Vec<usize> = (0..largest.len()).collect();
    order.sort_by_key(|place| (largest[*place].step, *place));
    // By liquidation and pair: the curve with it, and without.
    let mut curves: Vec<Vec<[Curve; 2]>> = vec![Vec::new(); largest.len()];
    let mut waiting: Vec<Job> = Vec::new();
    // Worlds are large: as many at a time as there are threads.
    let most = rayon::current_num_threads().max(1);
    for place in order {
        let one = largest[place];
        while world.now() < one.step {
            world.step(&mut ())?;
        }
        let mut pairs = vec![one.account];
        pairs.extend(placebos(&all, one, horizon));
        for (pair, placebo) in pairs.into_iter().enumerate() {
            let counted = Counted {
                market: one.market,
                side: one.side,
                aside: [one.account, placebo],
            };
            curves[place].push([Curve::new(), Curve::new()]);
            for shielded in [false, true] {
                if pair == 0 && !shielded {
                    // The run itself.
                    curves[place][0][0] = as_it_was(&all, one.step, horizon, counted);
                    continue;
                }
                let mut fork = world.fork();
                fork.trace_causes();
                if pair > 0 {
                    fork.shield(placebo);
                }
                if shielded {
                    fork.shield(one.account);
                }
                waiting.push(Job {
                    place,
                    pair,
                    shielded,
                    world: fork,
                    counted,
                    curve: Curve::new(),
                });
                if waiting.len() == most {
                    finish(&mut waiting, frame, horizon, &mut curves)?;
                }
            }
        }
    }
    finish(&mut waiting, frame, horizon, &mut curves)?;
    let found = largest.iter().zip(curves).map(|(one, curves)| {
        let attributed = attributed(&all, one, horizon);
        weighed(one, attributed, &curves)
    });
    Ok(found.collect())
}

/// Owners of the smallest liquidations that began soon after another, in the order of their beginning.
fn placebos(all: &[&Liquidation], one: &Liquidation, horizon: u32) -> Vec<AccountId> {
    let small = SMALL * one.notional.as_f64();
    let mut found: Vec<AccountId> = Vec::new();
    let from = all.partition_point(|other| other.step < one.step);
    for other in all[from..]
        .iter()
        .take_while(|other| other.step <= one.step + horizon / 4)
    {
        if found.len() + 1 == PAIRS {
            break;
        }
        if other.account != one.account
            && other.notional.as_f64() <= small
            && !found.contains(&other.account)
        {
            found.push(other.account);
        }
    }
    found
}

/// The curve of the run itself.
fn as_it_was(all: &[&Liquidation], step: u32, horizon: u32, counted: Counted) -> Curve {
    let mut curve = vec![[0.0; 2]; horizon as usize];
    let mut seen = BTreeSet::new();
    let from = all.partition_point(|other| other.step < step);
    for other in all[from..]
        .iter()
        .take_while(|other| other.step < step + horizon)
        .filter(|other| counted.has(other.market, other.side, other.account))
        .filter(|other| seen.insert(other.account))
    {
        let at = &mut curve[(other.step - step) as usize];
        at[0] += other.notional.as_f64();
        at[1] += 1.0;
    }
    let mut sum = [0.0; 2];
    for at in &mut curve {
        sum = [sum[0] + at[0], sum[1] + at[1]];
        *at = sum;
    }
    curve
}

/// What the genealogy says that an account's liquidations from this one on brought about: its later ones are shielded with it.
fn attributed(all: &[&Liquidation], one: &Liquidation, horizon: u32) -> f64 {
    let first = one.number as usize;
    let mut leads = vec![1.0];
    let mut sum = 0.0;
    let from = all.partition_point(|other| other.step < one.step);
    let mut seen: BTreeSet<AccountId> = all[from..first].iter().map(|o| o.account).collect();
    for other in all[first + 1..]
        .iter()
        .take_while(|other| other.step < one.step + horizon)
    {
        if other.account == one.account {
            leads.push(1.0);
            continue;
        }
        let mut lead = 0.0;
        for (parent, share) in &other.shares.parents {
            if let Some(place) = (*parent as usize).checked_sub(first) {
                lead += f64::from(*share) / f64::from(WHOLE) * leads[place];
            }
        }
        leads.push(lead);
        let counts = other.market == one.market && other.side == one.side;
        if counts && seen.insert(other.account) {
            sum += lead * other.notional.as_f64();
        }
    }
    sum
}

fn finish(
    waiting: &mut Vec<Job>,
    frame: &Frame,
    horizon: u32,
    curves: &mut [Vec<[Curve; 2]>],
) -> Result<(), RunError> {
    waiting
        .par_iter_mut()
        .map(|job| {
            let mut watch = Watch {
                frame,
                counted: job.counted,
                seen: BTreeSet::new(),
                sum: [0.0; 2],
                curve: Curve::with_capacity(horizon as usize),
            };
            let mut left = horizon;
            job.world.run(&mut watch, |_| {
                left -= 1;
                left > 0
            })?;
            job.curve = watch.curve;
            Ok(())
        })
        .collect::<Result<Vec<()>, RunError>>()?;
    for job in waiting.drain(..) {
        curves[job.place][job.pair][usize::from(job.shielded)] = job.curve;
    }
    Ok(())
}

/// The effect over all pairs.
fn weighed(one: &Liquidation, attributed: f64, curves: &[[Curve; 2]]) -> Intervened {
    let pairs = curves.len() as f64;
    let steps = curves
        .iter()
        .flatten()
        .map(Vec::len)
        .min()
        .unwrap_or_default();
    let missing = |pair: &[Curve; 2], step: usize, of: usize| pair[0][step][of] - pair[1][step][of];
    let mean = |step: usize, of: usize| {
        let sum: f64 = curves.iter().map(|pair| missing(pair, step, of)).sum();
        sum / pairs
    };
    let mut most = 0;
    for step in 1..steps {
        if mean(step, 0) > mean(most, 0) {
            most = step;
        }
    }
    if steps == 0 {
        return Intervened {
            liquidation: one.clone(),
            attributed,
            effect: 0.0,
            noise: None,
            left: 0.0,
            fewer: 0.0,
            pairs: 0,
        };
    }
    let effect = mean(most, 0);
    let squares: f64 = curves
        .iter()
        .map(|pair| missing(pair, most, 0) - effect)
        .map(|off| off * off)
        .sum();
    Intervened {
        liquidation: one.clone(),
        attributed,
        effect,
        noise: (curves.len() > 1).then(|| (squares / (pairs - 1.0)).sqrt()),
        left: mean(steps - 1, 0),
        fewer: mean(most, 1),
        pairs: curves.len() as u32,
    }
}

impl Intervened {
    /// Standard error of the effect; nothing where there is one pair.
    pub fn error(&self) -> Option<f64> {
        self.noise.map(|noise| noise / f64::from(self.pairs).sqrt())
    }
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
    let errors: Vec<f64> = found.iter().filter_map(Intervened::error).collect();
    let floor = errors.iter().sum::<f64>() / errors.len() as f64;
    let clear = found
        .iter()
        .filter(|one| one.effect > 2.0 * one.error().unwrap_or(0.0))
        .count();
    Some(Agreement {
        rank: (found.len() > 2 && spread > 0.0).then(|| product(&a, &b) / spread),
        error,
        relative: (size > 0.0).then(|| error / size),
        floor: (!errors.is_empty()).then_some(floor),
        clear: clear as u32,
    })
}
