//! This step's rates of one market, as plain data.
//!
//! Brackets by notional N: the requirement in bracket k is `m_k · N − a_k`, where the deduction
//! (the venues' "maintenance amount") makes neighbouring brackets meet:
//! `a_k = a_{k−1} + floor_k · (m_k − m_{k−1})`. Requirements are integer arithmetic, rounded up.
//!
//! # Units
//!
//! Notionals, deductions and requirements in quanta; rates as [`Rate`].
//!
//! # Invariants
//!
//! - `requirements_are_continuous`: at a bracket's edge both sides ask the same, to a quantum.
//! - `the_effective_rate_never_falls_with_size`: what the trigger index relies on.
//!
//! # Reference
//!
//! Binance USD-M leverage and margin brackets (as of 2024-10-24), Bybit margin parameters,
//! Hyperliquid margin tiers: the same recursion in all three.

use crate::unit::{Cash, Rate};

/// One bracket of notional.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bracket {
    /// Largest notional of this bracket; [`Cash::MAX`] in the last one.
    pub cap: Cash,
    /// Initial margin rate.
    pub initial: Rate,
    /// Maintenance margin rate.
    pub maintenance: Rate,
    /// What is taken off the initial requirement.
    pub initial_deduction: Cash,
    /// What is taken off the maintenance requirement.
    pub maintenance_deduction: Cash,
}

/// The rates of one market in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    brackets: Vec<Bracket>,
}

impl Schedule {
    /// A schedule from brackets in ascending order; deductions are computed by the recursion, and
    /// the last bracket's cap is opened to infinity.
    ///
    /// # Panics
    ///
    /// Without any bracket; settings are checked before they come here.
    pub fn from_rates(rates: impl IntoIterator<Item = (Cash, Rate, Rate)>) -> Self {
        let mut schedule = Self {
            brackets: rates
                .into_iter()
                .map(|(cap, initial, maintenance)| Bracket {
                    cap,
                    initial,
                    maintenance,
                    initial_deduction: Cash::ZERO,
                    maintenance_deduction: Cash::ZERO,
                })
                .collect(),
        };
        assert!(!schedule.brackets.is_empty(), "a schedule has a bracket");
        schedule.close();
        schedule
    }

    /// One rate for every size.
    pub fn flat(initial: Rate, maintenance: Rate) -> Self {
        Self::from_rates([(Cash::MAX, initial, maintenance)])
    }

    /// The brackets, smallest first.
    pub fn brackets(&self) -> &[Bracket] {
        &self.brackets
    }

    /// Copies another schedule's brackets without allocating where they fit.
    pub fn copy_from(&mut self, other: &Self) {
        self.brackets.clone_from(&other.brackets);
    }

    /// Maps every bracket's rates, `(initial, maintenance)`, and closes the deductions again.
    pub fn map_rates(&mut self, mut map: impl FnMut(Rate, Rate) -> (Rate, Rate)) {
        for bracket in &mut self.brackets {
            (bracket.initial, bracket.maintenance) = map(bracket.initial, bracket.maintenance);
        }
        self.close();
    }

    #[inline]
    fn bracket(&self, notional: Cash) -> &Bracket {
        self.brackets
            .iter()
            .find(|bracket| notional <= bracket.cap)
            .unwrap_or(&self.brackets[self.brackets.len() - 1])
    }

    /// Maintenance requirement of a notional.
    #[inline]
    pub fn maintenance(&self, notional: Cash) -> Cash {
        let bracket = self.bracket(notional);
        (bracket.maintenance.mul_up(notional) - bracket.maintenance_deduction).max(Cash::ZERO)
    }

    /// Initial requirement of a notional.
    #[inline]
    pub fn initial(&self, notional: Cash) -> Cash {
        let bracket = self.bracket(notional);
        (bracket.initial.mul_up(notional) - bracket.initial_deduction).max(Cash::ZERO)
    }

    /// Effective maintenance rate of a notional, as a float: requirement over notional.
    #[inline]
    pub fn effective(&self, notional: f64) -> f64 {
        let bracket = self
            .brackets
            .iter()
            .find(|bracket| notional <= bracket.cap.as_f64())
            .unwrap_or(&self.brackets[self.brackets.len() - 1]);
        if notional <= 0.0 {
            return bracket.maintenance.as_f64();
        }
        bracket.maintenance.as_f64() - bracket.maintenance_deduction.as_f64() / notional
    }

    /// The notional up to which every position pays the first bracket's rate.
    pub fn first_cap(&self) -> Cash {
        self.brackets[0].cap
    }

    fn close(&mut self) {
        let last = self.brackets.len() - 1;
        self.brackets[last].cap = Cash::MAX;
        for k in 1..self.brackets.len() {
            let (lower, rest) = self.brackets.split_at_mut(k);
            let (below, here) = (&lower[k - 1], &mut rest[0]);
            let step = |from: Rate, to: Rate, deduction: Cash| {
                let rise = Rate(to.0 - from.0);
                // Down where the rate rises and up where it falls: never more than the edge asks.
                deduction
                    + if rise.0 >= 0 {
                        rise.mul_down(below.cap)
                    } else {
                        -Rate(-rise.0).mul_up(below.cap)
                    }
            };
            here.initial_deduction = step(below.initial, here.initial, below.initial_deduction);
            here.maintenance_deduction = step(
                below.maintenance,
                here.maintenance,
                below.maintenance_deduction,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(whole: i64) -> Cash {
        Cash(whole * 1_000_000)
    }
    fn pct(percent: f64) -> Rate {
        Rate::from_f64(percent / 100.0)
    }

    #[test]
    fn deductions_reproduce_the_published_column_of_binance_btcusdt() {
        // Cap, rate, published "maintenance amount", as of 2024-10-24.
        let published: [(i64, f64, i64); 12] = [
            (50_000, 0.40, 0),
            (600_000, 0.50, 50),
            (3_000_000, 0.65, 950),
            (12_000_000, 1.0, 11_450),
            (70_000_000, 2.0, 131_450),
            (100_000_000, 2.5, 481_450),
            (230_000_000, 5.0, 2_981_450),
            (480_000_000, 10.0, 14_481_450),
            (600_000_000, 12.5, 26_481_450),
            (800_000_000, 15.0, 41_481_450),
            (1_200_000_000, 25.0, 121_481_450),
            (1_800_000_000, 50.0, 421_481_450),
        ];
        let schedule =
            Schedule::from_rates(published.map(|(cap, rate, _)| (usd(cap), pct(rate), pct(rate))));
        for (bracket, (cap, _, amount)) in schedule.brackets().iter().zip(published) {
            assert_eq!(
                bracket.maintenance_deduction,
                usd(amount),
                "bracket up to {cap}"
            );
        }
    }

    #[test]
    fn deductions_reproduce_the_published_column_of_bybit_btcusdt() {
        let published: [(i64, f64, i64); 20] = [
            (2_000_000, 0.50, 0),
            (2_600_000, 0.56, 1_200),
            (3_200_000, 0.63, 3_020),
            (3_800_000, 0.67, 4_300),
            (4_400_000, 0.71, 5_820),
            (5_000_000, 0.77, 8_460),
            (5_600_000, 0.91, 15_460),
            (8_500_000, 1.0, 20_500),
            (10_000_000, 1.3, 46_000),
            (14_000_000, 1.5, 66_000),
            (20_000_000, 1.6, 80_000),
            (28_000_000, 2.0, 160_000),
            (38_000_000, 2.5, 300_000),
            (50_000_000, 2.9, 452_000),
            (55_000_000, 3.0, 502_000),
            (60_000_000, 3.5, 777_000),
            (65_000_000, 3.6, 837_000),
            (70_000_000, 3.8, 967_000),
            (75_000_000, 4.0, 1_107_000),
            (80_000_000, 4.5, 1_482_000),
        ];
        let schedule =
            Schedule::from_rates(published.map(|(cap, rate, _)| (usd(cap), pct(rate), pct(rate))));
        for (bracket, (cap, _, amount)) in schedule.brackets().iter().zip(published) {
            assert_eq!(
                bracket.maintenance_deduction,
                usd(amount),
                "bracket up to {cap}"
            );
        }
    }

    #[test]
    fn requirements_are_continuous() {
        let schedule = Schedule::from_rates([
            (usd(1_000), pct(2.0), pct(1.0)),
            (usd(5_000), pct(5.0), pct(2.5)),
            (usd(9_000), pct(20.0), pct(10.0)),
        ]);
        for cap in [usd(1_000), usd(5_000)] {
            let step = schedule.maintenance(cap + Cash(1)) - schedule.maintenance(cap);
            assert!((0..=1).contains(&step.0));
            let step = schedule.initial(cap + Cash(1)) - schedule.initial(cap);
            assert!((0..=1).contains(&step.0));
        }
    }

    #[test]
    fn the_effective_rate_never_falls_with_size() {
        let schedule = Schedule::from_rates([
            (usd(1_000), pct(2.0), pct(1.0)),
            (usd(5_000), pct(5.0), pct(2.5)),
            (usd(9_000), pct(20.0), pct(10.0)),
        ]);
        let mut before = 0.0;
        for step in 1..2_000 {
            let rate = schedule.effective(usd(step * 10).as_f64());
            assert!(rate >= before - 1e-12);
            before = rate;
        }
    }
}
