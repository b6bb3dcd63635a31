//! How closely markets moved together: correlations of their mids' log returns, apart in calm and in stress.

use crate::engine::MarketRow;
use crate::math::ops;

/// Sums over every step, from which correlations are made; nothing where there is one market.
#[derive(Clone, Debug, PartialEq)]
pub struct Comoments {
    last: Vec<f64>,
    returns: Vec<f64>,
    /// Calm and in stress.
    states: [Sums; 2],
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Sums {
    steps: u32,
    sums: Vec<f64>,
    /// Row by row.
    products: Vec<f64>,
}

impl Comoments {
    /// Nothing seen yet of markets that start at these mids.
    pub fn new(starts: Vec<f64>) -> Self {
        let markets = if starts.len() > 1 { starts.len() } else { 0 };
        let none = Sums {
            steps: 0,
            sums: vec![0.0; markets],
            products: vec![0.0; markets * markets],
        };
        Self {
            returns: vec![0.0; markets],
            last: starts,
            states: [none.clone(), none],
        }
    }

    /// Sees the end of a step.
    pub fn see(&mut self, markets: &[MarketRow], stressed: bool) {
        if self.returns.is_empty() {
            return;
        }
        for ((change, last), row) in self.returns.iter_mut().zip(&mut self.last).zip(markets) {
            let known = row.mid > 0.0 && row.mid.is_finite() && *last > 0.0;
            *change = if known { ops::ln(row.mid / *last) } else { 0.0 };
            if known {
                *last = row.mid;
            }
        }
        let state = &mut self.states[usize::from(stressed)];
        state.steps += 1;
        for (sum, x) in state.sums.iter_mut().zip(&self.returns) {
            *sum += x;
        }
        let mut products = state.products.iter_mut();
        for x in &self.returns {
            for (product, y) in products.by_ref().zip(&self.returns) {
                *product += x * y;
            }
        }
    }

    /// A market's correlation with the others, averaged over them: calm, or in stress. Nothing where too few steps were in the state, or
    /// a market stood still.
    pub fn of(&self, market: usize, stressed: bool) -> Option<f64> {
        let state = &self.states[usize::from(stressed)];
        let markets = state.sums.len();
        if markets < 2 || state.steps < 3 {
            return None;
        }
        let covariance = |a: usize, b: usize| {
            let n = f64::from(state.steps);
            state.products[a * markets + b] / n - state.sums[a] / n * (state.sums[b] / n)
        };
        let others = (0..markets).filter(|other| *other != market);
        let found: Option<Vec<f64>> = others
            .map(|other| {
                let both = covariance(market, market) * covariance(other, other);
                (both > 0.0).then(|| covariance(market, other) / both.sqrt())
            })
            .collect();
        found.map(|found| found.iter().sum::<f64>() / (markets - 1) as f64)
    }

    /// Share of steps in stress.
    pub fn stressed(&self) -> Option<f64> {
        let [calm, stressed] = self.states.each_ref().map(|state| f64::from(state.steps));
        (calm + stressed > 0.0).then(|| stressed / (calm + stressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(mids: [f64; 2]) -> [MarketRow; 2] {
        mids.map(|mid| MarketRow {
            mid,
            ..MarketRow::default()
        })
    }

    #[test]
    fn states_are_measured_apart_and_one_market_has_no_correlation() {
        let mut sums = Comoments::new(vec![100.0, 100.0]);
        let (mut a, mut b) = (100.0, 100.0);
        for step in 0..400u32 {
            let up = f64::from(1 + step % 3) * if step % 2 == 0 { 1.0 } else { -1.0 };
            let stressed = step >= 200;
            // In calm the second follows every other pair of steps, in stress always.
            let follows = stressed || step / 2 % 2 == 0;
            a *= 1.0 + 0.001 * up;
            b *= 1.0 + 0.002 * up * if follows { 1.0 } else { -1.0 };
            sums.see(&rows([a, b]), stressed);
        }
        assert!(sums.of(0, false).unwrap().abs() < 0.1);
        assert!(sums.of(1, true).unwrap() > 0.999);
        assert_eq!(sums.stressed(), Some(0.5));
        let mut alone = Comoments::new(vec![100.0]);
        for step in 0..10 {
            alone.see(&rows([100.0 + f64::from(step), 1.0])[..1], false);
        }
        assert_eq!(alone.of(0, false), None);
    }
}
