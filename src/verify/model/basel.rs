//! The Basel leverage cycle: a bank under value-at-risk and a fundamental fund. A deterministic map, a model of its own.
//!
//! State: perceived variance s², the fund's share w in the asset, the price p and the one before, the bank's share n of
//! the asset, and its debt L. With A = p n / w_B and E = A − L, the bank's target is λ = α (s² + s₀)^b:
//!
//! ```text
//! ΔB = τ θ (λ E − A),   k = τ η (Ē − E)
//! c_B = (1 − w_B) n p / w_B + k,   c_F = (1 − w)(1 − n) p / w − k
//! s²' = (1 − τδ) s² + τδ (ln(p / p₋₁) t / τ)²
//! w' = w + (w / p) τ ρ (μ − p)
//! p' = (w_B (c_B + ΔB) + w' c_F) / (1 − w_B n − (1 − n) w')
//! n' = w_B (n p' + c_B + ΔB) / p',   L' = L + ΔB
//! ```
//!
//! k carries the factor τ; without it the map diverges. A run has to start away from s² = 0, or the bank would own more
//! than all of the asset. A small bank leaves the price at μ; a large one makes it cycle: leverage builds up for a
//! decade while nothing moves, and collapses. The fixed point p = μ loses its stability at a leverage λ_c that doesn't
//! depend on b, because s² is of second order there. A neutral direction goes through every fixed point (any w is one),
//! so that stability is that of the other three eigenvalues of (w, p, n, L), by Jury's conditions.
//!
//! # Reference
//!
//! Aymanns, C., Caccioli, F., Farmer, J. D. and Tan, V. W. C. (2016), "Taming the Basel leverage cycle", Journal of
//! Financial Stability 27. Bands are those of an independent implementation, over three starts.

use crate::experiment::RunError;
use crate::math::ops;
use crate::verify::line::{Found, Plot, Tolerance};
use crate::verify::{Budget, Family, Ground};

/// The cycle.
pub const FAMILY: Family = Family {
    name: "basel-cycle",
    title: "The Basel leverage cycle: critical leverage, period, amplitude",
    source: "Aymanns, Caccioli, Farmer and Tan 2016",
    ground: Ground::Model,
    run,
};

const TAU: f64 = 0.1;
const MU: f64 = 25.0;
const BANK_SHARE: f64 = 0.3;
const ALPHA: f64 = 0.075;
const FLOOR: f64 = 1e-6;

#[derive(Clone, Copy)]
struct Bank {
    /// Equity that it aims at, Ē.
    equity: f64,
    /// Speed of its adjustment, θ.
    speed: f64,
    /// A leverage that doesn't answer volatility; that of value at risk where there is none.
    leverage: Option<f64>,
}

#[derive(Clone, Copy)]
struct State {
    variance: f64,
    fund: f64,
    price: f64,
    bank: f64,
    debt: f64,
    before: f64,
}

impl Bank {
    fn target(&self, variance: f64) -> f64 {
        self.leverage
            .unwrap_or_else(|| ALPHA / (variance + FLOOR).sqrt())
    }

    fn start(&self, variance: f64) -> State {
        let leverage = self.target(variance);
        State {
            variance,
            fund: 0.5,
            price: MU,
            bank: leverage * self.equity * BANK_SHARE / MU,
            debt: (leverage - 1.0) * self.equity,
            before: MU,
        }
    }

    fn step(&self, s: State) -> State {
        let State {
            variance,
            fund,
            price: p,
            bank: n,
            debt,
            before,
        } = s;
        let assets = p * n / BANK_SHARE;
        let equity = assets - debt;
        let lent = TAU * self.speed * (self.target(variance) * equity - assets);
        let paid_in = TAU * 10.0 * (self.equity - equity);
        let bank_cash = (1.0 - BANK_SHARE) * n * p / BANK_SHARE + paid_in;
        let fund_cash = (1.0 - fund) * (1.0 - n) * p / fund - paid_in;
        let moved = ops::ln(p / before);
        let forgets = TAU * 0.5;
        let fund_after = fund + fund / p * TAU * 0.1 * (MU - p);
        let price = (BANK_SHARE * (bank_cash + lent) + fund_after * fund_cash)
            / (1.0 - BANK_SHARE * n - (1.0 - n) * fund_after);
        State {
            variance: (1.0 - forgets) * variance + forgets * moved * moved,
            fund: fund_after,
            price,
            bank: BANK_SHARE * (n * price + bank_cash + lent) / price,
            debt: debt + lent,
            before: p,
        }
    }

    /// Whether the fixed point is stable, but for its neutral direction.
    fn stable(&self) -> bool {
        let fixed = self.start(0.0);
        let pack = |s: State| [s.fund, s.price, s.bank, s.debt];
        let at = pack(fixed);
        let mut jacobian = [[0.0; 4]; 4];
        for column in 0..4 {
            let size = 1e-6 * at[column].abs().max(1e-3);
            let shifted = |sign: f64| {
                let mut v = at;
                v[column] += sign * size;
                pack(self.step(State {
                    fund: v[0],
                    price: v[1],
                    bank: v[2],
                    debt: v[3],
                    ..fixed
                }))
            };
            let (up, down) = (shifted(1.0), shifted(-1.0));
            for row in 0..4 {
                jacobian[row][column] = (up[row] - down[row]) / (2.0 * size);
            }
        }
        // z⁴ + c₁ z³ + … over z − 1.
        let c = characteristic(&jacobian);
        let a = c[0] + 1.0;
        let b = c[1] + a;
        let last = c[2] + b;
        last.abs() < 1.0
            && 1.0 + a + b + last > 0.0
            && 1.0 - a + b - last > 0.0
            && 1.0 - last * last > (b - a * last).abs()
    }

    /// The leverage at which the fixed point loses its stability.
    fn critical(equity: f64, speed: f64) -> f64 {
        let bank = |leverage| Self {
            equity,
            speed,
            leverage: Some(leverage),
        };
        let (mut low, mut high) = (1.5, 60.0);
        for _ in 0..50 {
            let middle = f64::midpoint(low, high);
            if bank(middle).stable() {
                low = middle;
            } else {
                high = middle;
            }
        }
        f64::midpoint(low, high)
    }
}

/// Coefficients of the characteristic polynomial after the leading one, by Faddeev and LeVerrier.
fn characteristic(a: &[[f64; 4]; 4]) -> [f64; 4] {
    let mut m = [[0.0; 4]; 4];
    let mut c = [0.0; 4];
    let mut last = 1.0;
    for (k, coefficient) in c.iter_mut().enumerate() {
        // M ← A M + c I, c ← −tr(A M) / k.
        let mut next = [[0.0; 4]; 4];
        for i in 0..4 {
            for j in 0..4 {
                next[i][j] = (0..4).map(|l| a[i][l] * m[l][j]).sum::<f64>();
            }
            next[i][i] += last;
        }
        m = next;
        let trace: f64 = (0..4)
            .map(|i| (0..4).map(|l| a[i][l] * m[l][i]).sum::<f64>())
            .sum();
        last = -trace / (k as f64 + 1.0);
        *coefficient = last;
    }
    c
}

/// What a long run shows.
#[derive(Clone, Copy, Debug, Default)]
struct Cycle {
    mean: f64,
    least: f64,
    most: f64,
    sd: f64,
    leverage: f64,
    share: f64,
    period: f64,
    return_sd: f64,
    kurtosis: f64,
}

fn cycle(equity: f64, variance: f64, steps: usize, dropped: usize) -> (Cycle, Vec<f64>) {
    let bank = Bank {
        equity,
        speed: 10.0,
        leverage: None,
    };
    let mut state = bank.start(variance);
    for _ in 0..dropped {
        state = bank.step(state);
    }
    let mut prices = Vec::with_capacity(steps);
    let mut found = Cycle {
        least: f64::INFINITY,
        ..Cycle::default()
    };
    let n = steps as f64;
    for _ in 0..steps {
        state = bank.step(state);
        prices.push(state.price);
        found.mean += state.price / n;
        found.least = found.least.min(state.price);
        found.most = found.most.max(state.price);
        found.leverage += bank.target(state.variance) / n;
        found.share += state.bank / n;
    }
    let squares = prices.iter().map(|p| (p - found.mean) * (p - found.mean));
    found.sd = (squares.sum::<f64>() / n).sqrt();
    let (mut second, mut fourth) = (0.0, 0.0);
    for pair in prices.windows(2) {
        let r = ops::ln(pair[1] / pair[0]);
        second += r * r / n;
        fourth += r * r * r * r / n;
    }
    found.return_sd = second.sqrt();
    found.kurtosis = fourth / (second * second);
    // Falls of more than 30 % within a year, ten steps; those within three years of one another are one.
    let mut crashes: Vec<usize> = Vec::new();
    for at in 10..prices.len() {
        let fell = prices[at] < 0.7 * prices[at - 10];
        if fell && crashes.last().is_none_or(|last| at - last > 30) {
            crashes.push(at);
        }
    }
    if let (Some(first), Some(last)) = (crashes.first(), crashes.last()) {
        found.period = (last - first) as f64 * TAU / (crashes.len() as f64 - 1.0);
    }
    prices.truncate(1_000);
    (found, prices)
}

fn run(budget: &Budget) -> Result<Found, RunError> {
    let mut found = Found::default();
    for (equity, speed, expected) in [
        (2.27, 10.0, 8.635_3),
        (2.27, 5.0, 11.844_3),
        (2.27, 2.5, 16.401_8),
        (0.5, 10.0, 17.367_5),
        (0.5, 5.0, 24.211_4),
        (0.5, 2.5, 33.906_2),
    ] {
        found.line(
            format!("Ē {equity}, θ {speed}: critical leverage"),
            expected,
            Bank::critical(equity, speed),
            Tolerance::Within(1e-4),
        );
    }
    let (steps, dropped) = (budget.of(180_000, 60_000), 20_000);
    let (calm, _) = cycle(1e-5, 1e-3, 5_000, dropped);
    found.line("small bank: price", MU, calm.mean, Tolerance::Within(1e-6));
    found.line(
        "small bank: standard deviation of the price",
        0.0,
        calm.sd,
        Tolerance::Within(1e-6),
    );
    found.line(
        "small bank: target leverage",
        75.0,
        calm.leverage,
        Tolerance::Relative(1e-6),
    );
    for variance in [1e-4, 3e-4, 1e-3] {
        let (cycle, prices) = cycle(2.27, variance, steps, dropped);
        // Middle and half width of the source's bands over its three starts.
        for (what, low, high, got) in [
            ("years between crashes", 15.8, 16.0, cycle.period),
            ("mean price", 26.2, 26.5, cycle.mean),
            ("lowest price", 9.3, 10.7, cycle.least),
            ("highest price", 38.2, 39.1, cycle.most),
            ("standard deviation of the price", 5.5, 6.0, cycle.sd),
            ("mean target leverage", 5.7, 6.0, cycle.leverage),
            ("mean share of the bank", 0.125, 0.135, cycle.share),
            (
                "standard deviation of returns",
                0.045,
                0.051,
                cycle.return_sd,
            ),
            ("kurtosis of returns", 113.0, 119.0, cycle.kurtosis),
        ] {
            let middle = f64::midpoint(low, high);
            // As read, to the last digit shown; an extreme of a shorter run is looser.
            let width = if budget.quick { 2.0 } else { 1.0 } * (high - low);
            found
                .line(
                    format!("Ē 2.27, s² {variance}: {what}"),
                    middle,
                    got,
                    Tolerance::Within(width),
                )
                .note(format!("the source: {low} to {high}; twice that wide here"));
        }
        if variance == 1e-3 {
            let series = prices.iter().enumerate().skip(200).take(800);
            found.plot = Some(Plot {
                name: "Price under the Basel leverage cycle; the small bank's stays at 25"
                    .to_owned(),
                x_name: "years".to_owned(),
                y_name: "price".to_owned(),
                log: [false, false],
                expected: vec![[20.0, MU], [100.0, MU]],
                got: series.map(|(at, p)| [at as f64 * TAU, *p]).collect(),
            });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_characteristic_polynomial_of_a_diagonal_is_that_of_its_entries() {
        let mut a = [[0.0; 4]; 4];
        for (k, row) in a.iter_mut().enumerate() {
            row[k] = k as f64 + 1.0;
        }
        // (z − 1)(z − 2)(z − 3)(z − 4).
        for (found, expected) in characteristic(&a).iter().zip([-10.0, 35.0, -50.0, 24.0]) {
            assert!((found - expected).abs() < 1e-9);
        }
    }
}
