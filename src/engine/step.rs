//! One step: nine phases in a fixed order, the same everywhere.
//!
//! 1. **Environment**: the reference price moves, depth and its centre with it.
//! 2. **Marks**: index and mark are published.
//! 3. **Accruals**: funding falls due.
//! 4. **Risk parameters**: estimators update, the margin rule sets this step's rates.
//! 5. **Surveillance**: accounts against their thresholds.
//! 6. **Decisions**: traders answer and place orders; the liquidation engine releases its own.
//! 7. **Matching**: orders meet the book, in a seeded random order shifted by latency.
//! 8. **Settlement**: the waterfall pays what accounts leave unpaid.
//! 9. **Observation**: series and events are handed out; nothing observed changes anything.
//!
//! Fail-safes look in between: faults begin and end before 1, markets reopen in it, bands are laid after 2, breakers look at
//! the price after every 7, the kill switch at the fund before 9.
//!
//! Consequence: a trader sees the marks of this step but no order of it; a forced order released in
//! a step trades against the depth of that step; the price that it makes is margin's only in the
//! next round or step. Phases 5 to 8 form a round; [`super::Rounds`] says how many there are.

use super::event::EventKind;
use super::observer::Observer;
use super::setup::Rounds;
use super::world::{EngineFault, World};
use crate::unit::{Cash, Lots, Ticks};

impl World {
    /// One step.
    ///
    /// # Errors
    ///
    /// [`EngineFault`] where the ledger breaches an invariant.
    pub fn step(&mut self, observer: &mut impl Observer) -> Result<(), EngineFault> {
        self.step_inspected(observer, |_| {})
    }

    /// One step, during which `inspect` sees the world after each surveillance: when every account's
    /// state and the trigger index are up to date with the marks and rates.
    ///
    /// # Errors
    ///
    /// [`EngineFault`] where the ledger breaches an invariant.
    pub fn step_inspected(
        &mut self,
        observer: &mut impl Observer,
        mut inspect: impl FnMut(&Self),
    ) -> Result<(), EngineFault> {
        self.open_session();
        self.environment();
        self.publish_marks();
        self.lay_collars();
        self.accrue();
        self.set_risk_parameters();
        let mut round = 0;
        loop {
            self.trace_check(round == 0);
            self.survey();
            inspect(self);
            if round == 0 {
                self.decide();
            }
            self.release_forced();
            let forced = self.match_orders();
            self.guard_prices();
            self.settle();
            round += 1;
            match self.rounds {
                Rounds::Fixed(rounds) if round >= rounds => break,
                Rounds::UntilQuiet { .. } if forced == 0 => break,
                Rounds::UntilQuiet { limit } if round >= limit => {
                    self.emit(
                        EventKind::RoundsExhausted,
                        None,
                        None,
                        Lots(i64::from(round)),
                        Ticks::ZERO,
                        Cash::ZERO,
                    );
                    break;
                }
                _ => self.remark(),
            }
        }
        self.tend_fund();
        self.close_guards();
        self.trace_quotes();
        self.observe(round, observer);
        let checked = if self.audit_every_step {
            self.ledger.audit().map(|_| ())
        } else {
            self.ledger.check()
        };
        checked.map_err(|breach| self.fault("settlement", breach))?;
        self.step += 1;
        Ok(())
    }
}
