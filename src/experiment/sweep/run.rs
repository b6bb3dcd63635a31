//! The runs of a sweep, on all threads.
//!
//! Every thread takes the next run in order (point by point, replicate by replicate), so that no more points are begun
//! than there are threads. Whoever ends a point's last run hands the point over to a thread of its own that keeps points:
//! it waits for the disk, and nobody waits for it but where sixteen points already do.

use super::plan::{Plan, Point};
use crate::experiment::run::{Progress, RunError, measure};
use crate::measure::Summary;
use crate::scenario::{Problems, Scenario};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// The most points that wait to be kept.
const WAITING: usize = 16;

/// A sweep to be made.
#[derive(Clone, Debug)]
pub struct Sweep<'a> {
    scenario: &'a Scenario,
    plan: &'a Plan,
    threads: usize,
    watch: Option<&'a Watch>,
}

/// How far a sweep is, and whether it shall stop: shared with whoever watches.
#[derive(Debug, Default)]
pub struct Watch {
    /// Runs done.
    pub runs: AtomicU64,
    /// Points that failed.
    pub failed: AtomicU64,
    /// Set its `stop` to end the sweep after the steps at hand: points that aren't whole are let go.
    pub progress: Progress,
}

/// What became of a point.
#[derive(Debug)]
pub enum Outcome {
    /// It was run.
    Done(PointRuns),
    /// A run of it failed; the sweep goes on.
    Failed(PointFailure),
}

/// A point that was run.
#[derive(Clone, Debug, PartialEq)]
pub struct PointRuns {
    /// The point.
    pub point: Point,
    /// Hash of the scenario that was run.
    pub scenario_sha256: String,
    /// What each replicate measured.
    pub runs: Vec<Summary>,
}

/// A point that failed.
#[derive(Debug)]
pub struct PointFailure {
    /// The point.
    pub point: Point,
    /// The first of its replicates that failed.
    pub replicate: u64,
    /// Why.
    pub source: RunError,
}

/// How a sweep ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Points that were handed over whole.
    pub done: u64,
    /// Points that failed.
    pub failed: u64,
    /// Whether it was stopped before the last point.
    pub stopped: bool,
    /// The most points that were in memory at once.
    pub in_flight: usize,
}

impl<'a> Sweep<'a> {
    /// Of a scenario over a plan, on as many threads as the machine gives this process.
    pub const fn new(scenario: &'a Scenario, plan: &'a Plan) -> Self {
        Self {
            scenario,
            plan,
            threads: 0,
            watch: None,
        }
    }
    /// On so many threads; 0 for as many as the machine gives.
    #[must_use]
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }
    /// Watched from another thread.
    #[must_use]
    pub const fn watched(mut self, watch: &'a Watch) -> Self {
        self.watch = Some(watch);
        self
    }

    /// The scenario of a point: what its runs are made from.
    ///
    /// # Errors
    ///
    /// All [`Problems`] of the settings.
    pub fn scenario(&self, point: &Point) -> Result<Scenario, Problems> {
        Ok(self
            .scenario
            .patched(point.patches())?
            .with_seed(point.seed))
    }

    /// Makes the runs of these points and hands each point to `keep` as soon as it is whole, from a thread of its own, in
    /// whichever order.
    ///
    /// # Errors
    ///
    /// The first that `keep` returns; the sweep then ends. Points that were whole by then are handed over all the same.
    pub fn run<E: Send>(
        self,
        points: &[u64],
        keep: impl Fn(Outcome) -> Result<(), E> + Send,
    ) -> Result<Ended, E> {
        let own = Watch::default();
        let crew = Crew {
            layout: self.plan.layout(),
            points,
            next: AtomicU64::new(0),
            slots: Mutex::default(),
            ended: Mutex::default(),
            error: Mutex::new(None),
            watch: self.watch.unwrap_or(&own),
            sweep: &self,
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .build();
        let (sender, whole) = sync_channel(WAITING);
        std::thread::scope(|scope| {
            let crew = &crew;
            scope.spawn(move || {
                for outcome in whole {
                    if let Err(error) = keep(outcome) {
                        locked(&crew.error).get_or_insert(error);
                    }
                }
            });
            // Each thread has its own round of work: a thread that waits for a twin takes up no second one.
            match pool {
                Ok(pool) => {
                    pool.broadcast(|_| crew.work(&sender));
                }
                // Where no threads can be had, the caller's own does.
                Err(_) => crew.work(&sender),
            }
            // Whoever keeps points ends when no more can come.
            drop(sender);
        });
        match crew
            .error
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
        {
            Some(error) => Err(error),
            None => Ok(crew
                .ended
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner)),
        }
    }
}

/// A point in flight.
struct Slot {
    point: Point,
    scenario: OnceLock<Result<(Scenario, String), Problems>>,
    state: Mutex<SlotState>,
}

struct SlotState {
    runs: Vec<Option<Summary>>,
    left: u64,
    failure: Option<(u64, RunError)>,
}

/// What the threads of a sweep share.
struct Crew<'a, E> {
    sweep: &'a Sweep<'a>,
    layout: super::plan::Layout<'a>,
    points: &'a [u64],
    next: AtomicU64,
    slots: Mutex<BTreeMap<u64, Arc<Slot>>>,
    ended: Mutex<Ended>,
    error: Mutex<Option<E>>,
    watch: &'a Watch,
}

/// A thread that panics ends the program's work anyway; what it held is not looked at again.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<E: Send> Crew<'_, E> {
    fn stopped(&self) -> bool {
        self.watch.progress.stop.load(Ordering::Relaxed)
    }

    /// One thread's work: the next run, until there is none.
    fn work(&self, keep: &SyncSender<Outcome>) {
        let replicates = self.sweep.plan.replicates;
        let total = self.points.len() as u64 * replicates;
        loop {
            if self.stopped() || locked(&self.error).is_some() {
                locked(&self.ended).stopped = true;
                return;
            }
            let task = self.next.fetch_add(1, Ordering::Relaxed);
            if task >= total {
                return;
            }
            let slot = self.slot(task / replicates);
            let whole = self.replicate(&slot, task % replicates);
            // What was stopped in mid-run is no result.
            if self.stopped() {
                locked(&self.ended).stopped = true;
                return;
            }
            self.watch.runs.fetch_add(1, Ordering::Relaxed);
            if whole {
                locked(&self.slots).remove(&(task / replicates));
                // Refused only where the thread that keeps points has panicked, which ends all.
                if keep.send(self.outcome(&slot)).is_err() {
                    return;
                }
            }
        }
    }

    fn slot(&self, place: u64) -> Arc<Slot> {
        let mut slots = locked(&self.slots);
        let slot = slots.entry(place).or_insert_with(|| {
            let replicates = self.sweep.plan.replicates;
            Arc::new(Slot {
                point: self.layout.point(self.points[place as usize]),
                scenario: OnceLock::new(),
                state: Mutex::new(SlotState {
                    runs: vec![None; replicates as usize],
                    left: replicates,
                    failure: None,
                }),
            })
        });
        let slot = Arc::clone(slot);
        let mut ended = locked(&self.ended);
        ended.in_flight = ended.in_flight.max(slots.len());
        slot
    }

    /// Makes one run; whether it was the point's last. After a failure the point's later replicates are left out: those before
    /// it are on their way, so that the first to fail is known whatever the threads do.
    fn replicate(&self, slot: &Slot, place: u64) -> bool {
        let plan = self.sweep.plan;
        let scenario = slot.scenario.get_or_init(|| {
            let scenario = self.sweep.scenario(&slot.point)?;
            let hash = scenario.hash();
            Ok((scenario, hash))
        });
        let lost = locked(&slot.state).failure.is_some();
        let found = match scenario {
            _ if lost => None,
            Ok((scenario, _)) => {
                let progress = Some(&self.watch.progress);
                Some(measure(
                    scenario,
                    plan.replicate + place,
                    plan.twin,
                    progress,
                ))
            }
            Err(problems) => Some(Err(RunError::Scenario(problems.clone()))),
        };
        let mut state = locked(&slot.state);
        let first = |place: u64| {
            let failure = state.failure.as_ref();
            failure.is_none_or(|(before, _)| place < *before)
        };
        match found {
            Some(Ok(summary)) => state.runs[place as usize] = Some(summary),
            Some(Err(error)) if first(place) => state.failure = Some((place, error)),
            Some(Err(_)) | None => {}
        }
        state.left -= 1;
        state.left == 0
    }

    fn outcome(&self, slot: &Slot) -> Outcome {
        let mut state = locked(&slot.state);
        let mut ended = locked(&self.ended);
        if let Some((place, source)) = state.failure.take() {
            ended.failed += 1;
            self.watch.failed.fetch_add(1, Ordering::Relaxed);
            return Outcome::Failed(PointFailure {
                point: slot.point.clone(),
                replicate: self.sweep.plan.replicate + place,
                source,
            });
        }
        ended.done += 1;
        let scenario = slot.scenario.get().and_then(|read| read.as_ref().ok());
        Outcome::Done(PointRuns {
            point: slot.point.clone(),
            scenario_sha256: scenario.map(|(_, hash)| hash.clone()).unwrap_or_default(),
            runs: state.runs.iter_mut().filter_map(Option::take).collect(),
        })
    }
}
