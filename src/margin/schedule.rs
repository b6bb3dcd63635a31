//! This step's rates of one market, as plain data.
//!
//! Brackets by notional N: the requirement in bracket k is `m_k · N − a_k`, where the deduction
//! (the venues' "maintenance amount") makes neighbouring brackets meet:
//! `a_k = a_{k−1} + floor_k · (m_k − m_{k−1})`. What grows with size in another way is in
//! [`Growth`]. Requirements are integer arithmetic, rounded up.
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

use super::growth::Growth;
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

/// What a schedule asks in a few numbers, by which the parts of a rule are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// Initial rate of the smallest positions.
    pub initial: Rate,
    /// Maintenance rate of the smallest positions.
    pub maintenance: Rate,
    /// Maintenance rate of a large position: as large as the thinner side of the book within 1 % of the mid, as the rule
    /// first saw it. That of the smallest where it saw no book.
    pub large: Rate,
}

/// The rates of one market in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    brackets: Vec<Bracket>,
    initial: Growth,
    maintenance: Growth,
    limit: Cash,
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
            initial: Growth::default(),
            maintenance: Growth::default(),
            limit: Cash::MAX,
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

    /// Copies another schedule, without allocating where its brackets fit.
    pub fn copy_from(&mut self, other: &Self) {
        self.brackets.clone_from(&other.brackets);
        self.initial = other.initial;
        self.maintenance = other.maintenance;
        self.limit = other.limit;
    }

    /// The notional to which a position may be built up; what is larger already may stay.
    pub const fn limit(&self) -> Cash {
        self.limit
    }
    /// Lowers the limit, or leaves it where it is lower.
    pub fn limit_to(&mut self, notional: Cash) {
        self.limit = self.limit.min(notional);
    }

    /// Makes this one rate for every size.
    pub fn set_flat(&mut self, initial: Rate, maintenance: Rate) {
        self.brackets.truncate(1);
        (self.initial, self.maintenance) = (Growth::default(), Growth::default());
        self.map_rates(|_, _| (initial, maintenance));
    }

    /// What the initial and the maintenance requirement add to the brackets as a position grows.
    pub const fn growth(&self) -> (&Growth, &Growth) {
        (&self.initial, &self.maintenance)
    }
    /// As [`Schedule::growth`], to change it.
    pub const fn growth_mut(&mut self) -> (&mut Growth, &mut Growth) {
        (&mut self.initial, &mut self.maintenance)
    }

    /// Maintenance rate of the smallest positions: the level by which adjustments judge a schedule.
    pub fn level(&self) -> Rate {
        let growth = &self.maintenance;
        self.brackets[0]
            .maintenance
            .max(growth.constant)
            .min(growth.cap)
    }
    /// Initial rate of the smallest positions.
    pub fn initial_level(&self) -> Rate {
        let growth = &self.initial;
        self.brackets[0]
            .initial
            .max(growth.constant)
            .min(growth.cap)
    }

    /// All of them at once, with the notional of a large position.
    pub fn levels(&self, large: f64) -> Level {
        Level {
            initial: self.initial_level(),
            maintenance: self.level(),
            large: Rate::from_f64(self.effective(large)),
        }
    }

    /// Multiplies initial and maintenance requirements of every size; no rate exceeds one.
    pub fn scale(&mut self, initial: f64, maintenance: f64) {
        if initial != 1.0 || maintenance != 1.0 {
            self.map_rates(|im, mm| (scaled(im, initial), scaled(mm, maintenance)));
            self.initial.scale(initial);
            self.maintenance.scale(maintenance);
        }
    }

    /// Maps every bracket's rates, `(initial, maintenance)`, and closes the deductions again.
    pub fn map_rates(&mut self, mut map: impl FnMut(Rate, Rate) -> (Rate, Rate)) {
        for bracket in &mut self.brackets {
            (bracket.initial, bracket.maintenance) = map(bracket.initial, bracket.maintenance);
        }
        self.close();
    }

    /// Adds a rate to what every size is asked, up to one; a least rate that grows with size stays.
    pub fn raise(&mut self, more: Rate) {
        let raised = |rate: Rate| Rate(rate.0.saturating_add(more.0).min(Rate::ONE.0));
        self.map_rates(|initial, maintenance| (raised(initial), raised(maintenance)));
        for growth in [&mut self.initial, &mut self.maintenance] {
            if growth.root > 0 || growth.constant > Rate::ZERO {
                growth.constant = raised(growth.constant);
            }
        }
    }

    /// Sets the caps of all brackets by their place, and closes the deductions again. Caps must rise.
    pub fn set_caps(&mut self, cap: impl Fn(usize) -> Cash) {
        for (place, bracket) in self.brackets.iter_mut().enumerate() {
            bracket.cap = cap(place);
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
        let asked =
            (bracket.maintenance.mul_up(notional) - bracket.maintenance_deduction).max(Cash::ZERO);
        self.maintenance.requirement(notional, asked)
    }

    /// Initial requirement of a notional.
    #[inline]
    pub fn initial(&self, notional: Cash) -> Cash {
        let bracket = self.bracket(notional);
        let asked = (bracket.initial.mul_up(notional) - bracket.initial_deduction).max(Cash::ZERO);
        self.initial.requirement(notional, asked)
    }

    /// Effective maintenance rate of a notional, as a float: requirement over notional.
    #[inline]
    pub fn effective(&self, notional: f64) -> f64 {
        let bracket = self.wide_bracket(notional);
        let rate = if notional > 0.0 {
            bracket.maintenance.as_f64() - bracket.maintenance_deduction.as_f64() / notional
        } else {
            bracket.maintenance.as_f64()
        };
        self.maintenance.effective(notional, rate)
    }

    #[inline]
    fn wide_bracket(&self, notional: f64) -> &Bracket {
        self.brackets
            .iter()
            .find(|bracket| notional <= bracket.cap.as_f64())
            .unwrap_or(&self.brackets[self.brackets.len() - 1])
    }

    /// A bound on the maintenance that one more quantum of notional costs, for sizes up to a notional.
    pub fn marginal(&self, notional: f64) -> f64 {
        let rate = self.wide_bracket(notional).maintenance.as_f64();
        self.maintenance.marginal(notional, rate)
    }

    /// Whether this schedule asks for more maintenance, at some size, than `headroom` times what another asks.
    /// It may say so of one that doesn't, never the reverse.
    pub fn outgrows(&self, other: &Self, headroom: f64) -> bool {
        self.brackets.len() != other.brackets.len()
            || self.maintenance.outgrows(&other.maintenance, headroom)
            || self.brackets.iter().zip(&other.brackets).any(|(new, old)| {
                old.cap != new.cap || new.maintenance.as_f64() > headroom * old.maintenance.as_f64()
            })
    }

    /// Whether this schedule asks for at least as much maintenance as another at every size, to a quantum a bracket.
    /// It may deny it of one that does, never the reverse.
    pub fn covers(&self, other: &Self) -> bool {
        if !self.maintenance.covers(&other.maintenance) {
            return false;
        }
        // A requirement is the sum of the marginal rates up to its size: it is enough to compare these, bracket by bracket.
        let (mut mine, mut others) = (self.brackets.iter(), other.brackets.iter());
        let (mut ours, mut theirs) = (mine.next(), others.next());
        while let (Some(a), Some(b)) = (ours, theirs) {
            if a.maintenance < b.maintenance {
                return false;
            }
            if a.cap <= b.cap {
                ours = mine.next();
            }
            if b.cap <= a.cap {
                theirs = others.next();
            }
        }
        true
    }

    /// The notional up to which every position pays the same maintenance rate; zero where the rate grows
    /// from the first quantum on.
    pub fn first_cap(&self) -> Cash {
        self.within(0.0)
    }

    /// The notional up to which maintenance rates stay within `1 + more` of the smallest position's.
    pub fn within(&self, more: f64) -> Cash {
        let level = self.level().as_f64();
        let flat = self.maintenance.flat_until(level, more);
        if flat == f64::INFINITY {
            return self.brackets[0].cap;
        }
        Cash((self.brackets[0].cap.as_f64().min(flat) * (1.0 - 1e-12)) as i64)
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

/// A rate times a factor, never above one.
fn scaled(rate: Rate, factor: f64) -> Rate {
    Rate(((rate.0 as f64 * factor) as i64).min(Rate::ONE.0))
}

#[cfg(test)]
mod tests {
    use super::super::growth::{per_quantum, per_root_quantum};
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

    #[test]
    fn the_first_cap_ends_where_the_rate_begins_to_grow() {
        let mut schedule = Schedule::flat(pct(10.0), pct(5.0));
        assert!(schedule.first_cap() > usd(9_000_000_000));
        // 0.8 · 5 % + k √N reaches 5 % at a million.
        let (_, growth) = schedule.growth_mut();
        growth.constant = pct(4.0);
        growth.root = per_root_quantum(0.01, 1e12);
        let off = schedule.first_cap().as_f64() / 1e12 - 1.0;
        assert!(off.abs() < 1e-9, "{off}");
        schedule.growth_mut().1.slope = per_quantum(0.01, 1e12);
        assert_eq!(schedule.first_cap(), Cash::ZERO);
        assert!(schedule.within(0.01) > Cash::ZERO);
    }

    #[test]
    fn a_marginal_rate_bounds_what_a_larger_position_costs() {
        let mut schedule = Schedule::from_rates([
            (usd(1_000), pct(2.0), pct(1.0)),
            (usd(5_000), pct(5.0), pct(2.5)),
        ]);
        let (_, growth) = schedule.growth_mut();
        growth.constant = pct(0.8);
        growth.root = per_root_quantum(0.02, 4e9);
        growth.least = per_quantum(0.03, 8e9);
        growth.slope = per_quantum(0.01, 9e9);
        for step in 1..400 {
            let n = usd(step * 50);
            let bound = schedule.marginal(2.0 * n.as_f64()) * n.as_f64();
            let more = schedule.maintenance(n + n) - schedule.maintenance(n);
            assert!(more.as_f64() <= bound + 4.0, "{n:?}");
        }
    }

    #[test]
    fn what_has_not_outgrown_another_asks_no_more_than_the_headroom() {
        let mut old = Schedule::flat(pct(4.0), pct(2.0));
        old.growth_mut().1.slope = per_quantum(0.01, 1e12);
        let mut new = old.clone();
        new.scale(1.04, 1.04);
        assert!(!new.outgrows(&old, 1.05));
        for n in [1i64, 1_000, 1_000_000, 10_000_000_000] {
            let (now, then) = (new.effective(n as f64), old.effective(n as f64));
            assert!(now <= 1.05 * then);
        }
        new.growth_mut().1.least = 1;
        assert!(new.outgrows(&old, 1.05));
    }

    #[test]
    fn what_covers_another_asks_no_less_at_any_size() {
        let draws = crate::math::Draws::new(5, 0);
        let mut covered = 0;
        for trial in 0..2_000 {
            let mut s = draws.stream(crate::math::Purpose::Custom, trial, 0);
            let [a, b] = [(); 2].map(|()| {
                let mut rate = 0.0;
                let mut cap = 0;
                let brackets: Vec<(Cash, Rate, Rate)> = (0..1 + s.below(3))
                    .map(|_| {
                        rate += s.uniform();
                        cap += 1 + s.below(5_000) as i64;
                        (Cash(cap), pct(rate), pct(rate))
                    })
                    .collect();
                let mut schedule = Schedule::from_rates(brackets);
                if s.below(4) == 0 {
                    schedule.growth_mut().1.slope = per_quantum(0.01 * s.uniform(), 1e4);
                }
                schedule
            });
            if a.covers(&b) {
                covered += 1;
                for n in (0..20_000).step_by(97).map(Cash) {
                    assert!(
                        a.maintenance(n).0 + 4 >= b.maintenance(n).0,
                        "{trial} {n:?}"
                    );
                }
            }
        }
        assert!((200..1_800).contains(&covered), "{covered}");
    }
}
