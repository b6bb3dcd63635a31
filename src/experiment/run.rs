//! One run of a scenario, alone or beside its twin: from the file to the measured cascade.
//!
//! The twin has the same seed and the same organic decisions, its forced orders are absorbed at the
//! mark without impact; the two run side by side on two threads, and each is sequential, so that
//! the number of threads changes nothing. Where the margin rule moved its rates, a third world follows in which
//! they stay those of the first step: what it falls less is the margin spiral's.

use crate::cascade::design::{Closable, closable_by_bracket};
use crate::cascade::{self, Genealogy};
use crate::engine::observer::MOVES;
use crate::engine::{Channel, EngineFault, Observer, OptionShot, Rung, Setup, StopReason, World};
use crate::measure::{
    self as measured, ExpectSettings, Foreseen, Frame, Outcome, Recorded, Recorder, Summary, Track,
};
use crate::scenario::{Mode, Opening, Problems, Scenario, in_mode};
use crate::unit::MarketId;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Distances from the mid at which depth and forced orders are compared, in steps of this size.
const RUNG: f64 = 0.0025;
/// How many of them.
const RUNGS: usize = 80;

/// A run to be made.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    scenario: &'a Scenario,
    twin: bool,
    audit_every_step: bool,
    looks: u32,
    progress: Option<&'a Progress>,
}

/// How far a run is, and whether it shall stop: shared with whoever watches.
#[derive(Debug, Default)]
pub struct Progress {
    /// Steps done.
    pub steps: AtomicU32,
    /// Liquidations begun.
    pub liquidations: AtomicU32,
    /// Set to make the run stop after the step at hand.
    pub stop: AtomicBool,
}

/// A run that has ended.
#[derive(Debug)]
pub struct Finished {
    /// The run as it was recorded.
    pub run: Recorded,
    /// Its twin, where one was asked for.
    pub twin: Option<Recorded>,
    /// The same without fail-safes, where a twin was asked for and there are any.
    pub unguarded: Option<Recorded>,
    /// Every metric.
    pub summary: Summary,
    /// What became of the scenario's expectations.
    pub outcomes: Vec<Outcome>,
    /// Expectations that were left unchecked because they need a twin.
    pub unchecked: Vec<ExpectSettings>,
    /// Why the run ended.
    pub reason: StopReason,
    /// Steps done.
    pub steps: u32,
    /// What the world's builder had to say.
    pub opening: Opening,
    /// Depth against forced orders, by market: at the start, and at the highest reproduction number.
    pub ladders: Vec<[LadderShot; 2]>,
    /// Depth against forced orders from time to time, by market, where looks were asked for.
    pub looks: Vec<Vec<Look>>,
    /// Options by market: after the first step, and where the mark was lowest if that was lower by a fiftieth; empty where there are none.
    pub options: Vec<Vec<OptionShot>>,
    /// Why every liquidation began, where the scenario asks for it.
    pub genealogy: Option<Genealogy>,
}

impl LadderShot {
    /// The channel that is closest to critical, if any answers at all.
    pub fn closest(&self) -> Option<(Channel, f64)> {
        self.channels
            .iter()
            .filter(|channel| channel.1 > 0.0)
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
            .copied()
    }
}

/// Depth against forced orders at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LadderShot {
    /// The step before which it was taken.
    pub step: u32,
    /// Midpoint, in ticks.
    pub mid: f64,
    /// One rung a distance.
    pub rungs: Vec<Rung>,
    /// The largest long position that the book could close without a deficit, by bracket of the market's rates.
    pub closable: Vec<Closable>,
    /// Forced quantity in each market (row) for a fall of 1 % in each (column), over the former's bids.
    pub matrix: Vec<Vec<f64>>,
    /// Each channel's reproduction number for a move of 1 %.
    pub channels: Vec<(Channel, f64)>,
}

/// What waited to be liquidated at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// The step before which it was taken.
    pub step: u32,
    /// The mark, in ticks.
    pub mark: f64,
    /// One rung a distance.
    pub rungs: Vec<Rung>,
}

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The scenario, or a file that it names, is wrong.
    #[error("{0}")]
    Scenario(Problems),
    /// The engine breached an invariant.
    #[error(transparent)]
    Engine(#[from] EngineFault),
}

impl From<Problems> for RunError {
    fn from(problems: Problems) -> Self {
        Self::Scenario(problems)
    }
}

impl<'a> Run<'a> {
    /// A run of a scenario, without a twin.
    pub const fn new(scenario: &'a Scenario) -> Self {
        Self {
            scenario,
            twin: false,
            audit_every_step: false,
            looks: 0,
            progress: None,
        }
    }
    /// With a twin beside it, or without.
    #[must_use]
    pub const fn twin(mut self, twin: bool) -> Self {
        self.twin = twin;
        self
    }
    /// With the whole ledger added up after every step, or only at the end.
    #[must_use]
    pub const fn audit_every_step(mut self, audit: bool) -> Self {
        self.audit_every_step = audit;
        self
    }
    /// With so many looks at what waits to be liquidated, spread over the run: for a picture of it.
    #[must_use]
    pub const fn looks(mut self, looks: u32) -> Self {
        self.looks = looks;
        self
    }
    /// Watched from another thread.
    #[must_use]
    pub const fn watched(mut self, progress: &'a Progress) -> Self {
        self.progress = Some(progress);
        self
    }

    fn frame(&self, setup: &Setup) -> Frame {
        Frame::of(setup)
            .judged(self.scenario.measure)
            .margined(self.scenario.crosses())
            .optioned(self.scenario.option_margins())
    }

    /// Makes the run.
    ///
    /// # Errors
    ///
    /// [`RunError`]: a problem of the scenario's files, or a breached invariant.
    pub fn finish(self) -> Result<Finished, RunError> {
        let prepared = self.scenario.prepare()?;
        let replicate = self.scenario.replicate;
        let (mut setup, opening) = prepared
            .setup(replicate, Mode::Run)
            .map_err(Problems::from)?;
        setup.audit_every_step = self.audit_every_step;
        // Worlds beside the run begin as it does: nobody is drawn again for them.
        let beside = self.twin.then(|| setup.clone());
        let stop = self.progress.map(|progress| &progress.stop);
        let stopped = || stop.is_some_and(|stop| stop.load(Ordering::Relaxed));
        let alone = || {
            let mut shots = Shots::new(setup.markets.len(), setup.dt);
            if let Some(every) = setup.steps.checked_div(self.looks) {
                shots.every = every.max(1);
            }
            let recorder = Recorder::new(self.frame(&setup), 1);
            let mut world = World::new(setup);
            if self.scenario.measure.genealogy {
                world.trace_causes();
            }
            shots.first(&world);
            let (recorded, reason) = record(&mut world, recorder, |world| {
                if let Some(progress) = self.progress {
                    progress.steps.store(world.now(), Ordering::Relaxed);
                    progress
                        .liquidations
                        .store(world.totals().liquidations, Ordering::Relaxed);
                }
                shots.see(world);
                !stopped()
            })?;
            Ok::<_, RunError>((recorded, reason, world.now(), shots))
        };
        let other = |setup: Setup| {
            let recorder = Recorder::new(self.frame(&setup), 1);
            let mut world = World::new(setup);
            record(&mut world, recorder, |_| !stopped()).map(|(recorded, _)| recorded)
        };
        let twin = beside.clone().map(|setup| in_mode(setup, Mode::Twin));
        let (run, twin) = rayon::join(alone, || twin.map(other).transpose());
        let (run, twin) = (run?, twin?);
        let (
            run,
            reason,
            steps,
            Shots {
                taken: ladders,
                looks,
                options,
                ..
            },
        ) = run;
        let (mut summary, genealogy) = rayon::join(
            || measured::evaluate(&run),
            || Genealogy::of(&run).map(|found| (cascade::metrics(&run, &found), found)),
        );
        let genealogy = genealogy.map(|(metrics, genealogy)| {
            summary.extend(metrics);
            genealogy
        });
        let closable = ladders
            .iter()
            .zip(&run.frame.markets)
            .map(|(shots, market)| {
                let scale = market.grid.scale();
                let worth = |shot: &LadderShot| {
                    let lots = shot.closable.first().map_or(f64::NAN, |first| first.lots);
                    lots * scale.lot * shot.mid * scale.tick
                };
                [worth(&shots[0]), worth(&shots[1])]
            });
        let closable: Vec<[f64; 2]> = closable.collect();
        let radius = (ladders.iter().flatten())
            .map(|shot| cascade::reproduction::spectral_radius(&shot.matrix))
            .filter(|radius| radius.is_finite())
            .reduce(f64::max);
        summary.extend(cascade::summary::design(&run, &closable, radius));
        if let Some((twin, setup)) = twin.as_ref().zip(beside.as_ref()) {
            let moved = run.tracks.iter().any(Track::moved);
            let frozen = (moved && !stopped())
                .then(|| other(in_mode(setup.clone(), Mode::FrozenRates)))
                .transpose()?;
            summary.extend(measured::twin::compare(
                &summary,
                &run,
                twin,
                frozen.as_ref(),
            ));
        }
        let guarded = beside.filter(|_| !self.scenario.safety.is_empty());
        let unguarded = guarded
            .map(|setup| other(in_mode(setup, Mode::Unguarded)))
            .transpose()?;
        if let Some(without) = &unguarded {
            summary.extend(measured::safety::compare(&run, without));
        }
        let (unchecked, checked): (Vec<_>, Vec<_>) = self
            .scenario
            .expect
            .iter()
            .cloned()
            .partition(|expect| expect.needs_twin() && twin.is_none());
        let outcomes = checked
            .iter()
            .flat_map(|expect| expect.check(&summary))
            .collect();
        Ok(Finished {
            run,
            twin,
            unguarded,
            summary,
            outcomes,
            unchecked,
            reason,
            steps,
            opening,
            ladders,
            looks,
            options,
            genealogy,
        })
    }
}

/// What one replicate of a scenario measures: one of the many runs of a comparison or a sweep. A run that was stopped is
/// shorter than it should be.
pub(super) fn measure(
    scenario: &Scenario,
    replicate: u64,
    twin: bool,
    progress: Option<&Progress>,
) -> Result<Summary, RunError> {
    let scenario = scenario.clone().with_replicate(replicate);
    let mut run = Run::new(&scenario).twin(twin);
    run.progress = progress;
    Ok(run.finish()?.summary)
}

fn record(
    world: &mut World,
    mut recorder: Recorder,
    go_on: impl FnMut(&World) -> bool,
) -> Result<(Recorded, StopReason), RunError> {
    fn observer(recorder: &mut Recorder) -> impl Observer {
        recorder
    }
    let reason = world.run(&mut observer(&mut recorder), go_on)?;
    // The run has audited the ledger: nothing is missing, or it would not have come this far.
    let gap = measured::gap(world.ledger()).map_err(|breach| EngineFault {
        seed: 0,
        replicate: 0,
        step: world.now(),
        phase: "audit",
        breach,
    })?;
    Ok((recorder.finish(gap), reason))
}

/// Ladders at the start and at the highest reproduction number so far.
struct Shots {
    taken: Vec<[LadderShot; 2]>,
    highest: Vec<f64>,
    foreseen: Vec<Foreseen>,
    distances: Vec<f64>,
    /// Steps between two looks; none where 0.
    every: u32,
    looks: Vec<Vec<Look>>,
    options: Vec<Vec<OptionShot>>,
}

impl Shots {
    fn new(markets: usize, dt: f64) -> Self {
        Self {
            taken: vec![[LadderShot::default(), LadderShot::default()]; markets],
            highest: vec![0.0; markets],
            foreseen: vec![Foreseen::new(dt); markets],
            every: 0,
            looks: vec![Vec::new(); markets],
            options: vec![Vec::new(); markets],
            distances: (1..=RUNGS).map(|k| k as f64 * RUNG).collect(),
        }
    }

    fn shoot(&self, world: &World, market: usize) -> LadderShot {
        let id = MarketId(market as u16);
        let rungs = world.ladder(id, &self.distances);
        let bids: Vec<(f64, f64)> = rungs
            .iter()
            .map(|rung| (rung.distance, rung.bids.as_f64()))
            .collect();
        LadderShot {
            step: world.now(),
            mid: world.venue(id).mid(),
            closable: closable_by_bracket(world.schedule(id), &bids),
            matrix: world.reproduction_matrix(MOVES[0]),
            channels: world.channels(id, MOVES[0]),
            rungs,
        }
    }

    fn first(&mut self, world: &World) {
        for market in 0..self.taken.len() {
            let shot = self.shoot(world, market);
            self.taken[market] = [shot.clone(), shot];
        }
    }

    /// Options after the first step, and wherever a mark is lower by a fiftieth than at the last look.
    fn see_options(&mut self, world: &World) {
        for (place, (shots, mark)) in (0..).zip(self.options.iter_mut().zip(world.marks())) {
            let mark = mark.as_f64();
            let first = world.now() == 1;
            if first || shots.last().is_some_and(|last| mark < 0.98 * last.mark) {
                let Some(shot) = world.option_shot(MarketId(place)) else {
                    continue;
                };
                shots.truncate(1);
                shots.push(shot);
            }
        }
    }

    fn see(&mut self, world: &World) {
        if !world.option_quotes().is_empty() {
            self.see_options(world);
        }
        for (foreseen, row) in self.foreseen.iter_mut().zip(world.rows()) {
            foreseen.see(row);
        }
        // A book that was just hit is no picture of the time around it, in any market of the matrix.
        let sound = self.foreseen.iter().zip(world.rows()).all(|(mean, row)| {
            [row.down_reach[0], row.up_reach[0]]
                .iter()
                .enumerate()
                .all(|(side, reach)| reach.depth.as_f64() >= 0.5 * mean.depth(side))
        });
        for market in 0..self.taken.len() {
            if self.every > 0 && world.now().is_multiple_of(self.every) {
                let id = MarketId(market as u16);
                self.looks[market].push(Look {
                    step: world.now(),
                    mark: world.marks()[market].as_f64(),
                    rungs: world.ladder(id, &self.distances),
                });
            }
            let now = self.foreseen[market].r(0)[0].max(self.foreseen[market].r(1)[0]);
            // A ladder costs about as much as a step, so not every last rise is worth one.
            if sound && now.is_finite() && now > 1.1 * self.highest[market] && now > 0.05 {
                self.highest[market] = now;
                self.taken[market][1] = self.shoot(world, market);
            }
        }
    }
}
