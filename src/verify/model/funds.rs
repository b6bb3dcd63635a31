//! Leveraged value investors: a model of its own, because its market clears at one price.
//!
//! A noise trader's cash follows `ln ξ' = ρ ln ξ + σ χ + (1 − ρ) ln(V N)`. Fund h sees the mispricing m = V − p and holds
//! `min(β_h m, λ) · W_h / p` where m > 0, nothing otherwise; its wealth is what it held at the new price, plus cash. The
//! price clears `ξ + Σ D_h p = N p`. Investors move money by the fund's record, and a fund below a tenth of its start is
//! closed and comes back after 100 steps. With an adaptive limit lenders lower λ as prices vary:
//! `λ(t) = max(1, λ / (1 + κ s²))`, s² the variance of the last ten prices.
//!
//! In a step: (1) ξ; (2) the root nearest to the last price, upwards where demand exceeds supply there and downwards
//! otherwise, in strides of 0.001, then by bisection; (3) holdings; (4) records; (5) default; (6) flows of money; (7)
//! default once more. Records start at the benchmark.
//!
//! A few funds with a high limit make crises rarer and worse; an adaptive limit lowers defaults at low leverage and raises
//! them at high.
//!
//! # Reference
//!
//! Thurner, S., Farmer, J. D. and Geanakoplos, J. (2012), "Leverage causes fat tails and clustered volatility",
//! Quantitative Finance 12, with V = 1, N = 1000, ρ = 0.99, σ = 0.035, a = 0.1, b = 0.15, r_b = 0.005, W₀ = 2, ten funds
//! of β = 5, 10, … 50; the sign of the adaptive limit: Poledna, S., Thurner, S., Farmer, J. D. and Geanakoplos, J. (2014),
//! "Leverage-induced systemic risk under Basle II and other credit risk policies", Journal of Banking and Finance 42. The
//! bands are those of an independent implementation with this order of operations (four seeds of 500,000 steps; of the
//! autocorrelation it tells no scatter, and 0.005 is taken), not
//! numbers printed in the papers, which give none; there κ and the window are not certain either.

use crate::experiment::RunError;
use crate::math::series::{autocorrelation, hill, kurtosis};
use crate::math::{Draws, Purpose, Stream, ops};
use crate::verify::line::{Found, Plot, Tolerance};
use crate::verify::{Budget, Family, Ground};
use rayon::prelude::*;

/// The model's own numbers.
pub const FAMILY: Family = Family {
    name: "leveraged-funds",
    title: "Leveraged value investors: golden path, tails by the leverage limit",
    source: "Thurner, Farmer and Geanakoplos 2012",
    ground: Ground::Model,
    run,
};

/// The adaptive limit.
pub const ADAPTIVE: Family = Family {
    name: "adaptive-limit",
    title: "Lenders who answer volatility: fewer defaults at low leverage, more at high",
    source: "Poledna, Thurner, Farmer and Geanakoplos 2014",
    ground: Ground::Model,
    run: adaptive,
};

const FUNDS: usize = 10;
const VALUE: f64 = 1.0;
const SUPPLY: f64 = 1_000.0;
const START: f64 = 2.0;
const LEAST: f64 = 0.2;
const BENCHMARK: f64 = 0.005;
const RETURNS: u32 = 100;
const WINDOW: usize = 10;
const SEED: u64 = 11;

#[derive(Clone, Copy)]
struct Fund {
    beta: f64,
    held: f64,
    cash: f64,
    wealth: f64,
    record: f64,
    /// Steps until it comes back; nothing while it is there.
    out: u32,
}

/// The market.
struct Market {
    funds: [Fund; FUNDS],
    price: f64,
    limit: f64,
    /// κ of the adaptive limit, and the last prices.
    adapts: f64,
    seen: [f64; WINDOW],
    steps: usize,
    defaults: u32,
    flows: bool,
}

impl Market {
    fn new(limit: f64, adapts: f64, flows: bool) -> Self {
        let fund = |k: usize| Fund {
            beta: 5.0 * (k as f64 + 1.0),
            held: 0.0,
            cash: START,
            wealth: START,
            record: BENCHMARK,
            out: 0,
        };
        Self {
            funds: std::array::from_fn(fund),
            price: VALUE,
            limit,
            adapts,
            seen: [VALUE; WINDOW],
            steps: 0,
            defaults: 0,
            flows,
        }
    }

    /// What is demanded beyond the supply, in money.
    fn excess(&self, price: f64, xi: f64, limit: f64) -> f64 {
        let mispricing = VALUE - price;
        let mut total = xi - SUPPLY * price;
        if mispricing > 0.0 {
            for fund in self.funds.iter().filter(|fund| fund.out == 0) {
                let wealth = fund.held * price + fund.cash;
                if wealth > 0.0 {
                    total += (fund.beta * mispricing).min(limit) * wealth;
                }
            }
        }
        total
    }

    fn clear(&self, xi: f64, limit: f64) -> f64 {
        let from = self.price;
        let up = self.excess(from, xi, limit) > 0.0;
        let stride = if up { 1e-3 } else { -1e-3 };
        let (mut near, mut far) = (from, from + stride);
        while (self.excess(far, xi, limit) > 0.0) == up && far > 1e-3 {
            near = far;
            far += stride;
        }
        for _ in 0..46 {
            let middle = f64::midpoint(near, far);
            if (self.excess(middle, xi, limit) > 0.0) == up {
                near = middle;
            } else {
                far = middle;
            }
        }
        f64::midpoint(near, far)
    }

    fn limit_now(&self) -> f64 {
        if self.adapts == 0.0 || self.steps < WINDOW {
            return self.limit;
        }
        let n = WINDOW as f64;
        let mean = self.seen.iter().sum::<f64>() / n;
        let variance: f64 = self
            .seen
            .iter()
            .map(|p| (p - mean) * (p - mean))
            .sum::<f64>()
            / n;
        (self.limit / (1.0 + self.adapts * variance)).max(1.0)
    }

    fn step(&mut self, xi: f64) {
        let limit = self.limit_now();
        let before = self.price;
        let price = self.clear(xi, limit);
        self.price = price;
        self.seen[self.steps % WINDOW] = price;
        self.steps += 1;
        let mispricing = VALUE - price;
        for fund in &mut self.funds {
            if fund.out > 0 {
                fund.out -= 1;
                if fund.out == 0 {
                    *fund = Fund {
                        held: 0.0,
                        cash: START,
                        wealth: START,
                        record: BENCHMARK,
                        ..*fund
                    };
                }
                continue;
            }
            let earned = fund.held * (price - before) / fund.wealth;
            let wealth = fund.held * price + fund.cash;
            let demanded = if mispricing > 0.0 {
                (fund.beta * mispricing).min(limit) * wealth.max(0.0)
            } else {
                0.0
            };
            fund.held = demanded / price;
            fund.cash = wealth - demanded;
            fund.wealth = wealth;
            if !self.flows {
                continue;
            }
            fund.record = 0.9 * fund.record + 0.1 * earned;
            let mut gone = fund.wealth < LEAST;
            if !gone {
                let flow = (0.15 * (fund.record - BENCHMARK)).max(-1.0) * fund.wealth;
                fund.cash += flow;
                fund.wealth += flow;
                gone = fund.wealth < LEAST;
            }
            if gone {
                fund.out = RETURNS;
                self.defaults += 1;
            }
        }
    }
}

/// The noise trader.
struct Noise {
    log: f64,
    draws: Stream,
}

impl Noise {
    fn new(seed: u64) -> Self {
        Self {
            log: ops::ln(VALUE * SUPPLY),
            draws: Draws::new(SEED, seed).stream(Purpose::Custom, 0, 0),
        }
    }
    fn next(&mut self) -> f64 {
        self.log = 0.99 * self.log + 0.035 * self.draws.normal() + 0.01 * ops::ln(VALUE * SUPPLY);
        ops::exp(self.log)
    }
}

/// What a long run measures.
#[derive(Clone, Copy, Default)]
struct Measured {
    kurtosis: f64,
    under: f64,
    hill: [f64; 2],
    clustering: f64,
    /// A hundred thousand steps.
    defaults: f64,
}

/// Tail index from the largest share of the positive values.
fn tail(sample: &[f64], share: f64) -> f64 {
    let positive = sample.iter().filter(|v| **v > 0.0).count();
    hill(sample, (positive as f64 * share) as usize).unwrap_or(f64::NAN)
}

fn simulate(limit: f64, adapts: f64, seed: u64, steps: usize) -> Measured {
    let mut market = Market::new(limit, adapts, true);
    let mut noise = Noise::new(seed);
    for _ in 0..20_000 {
        market.step(noise.next());
    }
    market.defaults = 0;
    let (mut all, mut under) = (Vec::with_capacity(steps), Vec::new());
    for _ in 0..steps {
        let before = market.price;
        market.step(noise.next());
        let r = ops::ln(market.price / before);
        all.push(r);
        if before < VALUE {
            under.push(r);
        }
    }
    let sizes: Vec<f64> = all.iter().map(|r| r.abs()).collect();
    let losses: Vec<f64> = under.iter().map(|r| -r).collect();
    Measured {
        kurtosis: kurtosis(&all),
        under: kurtosis(&under),
        hill: [tail(&losses, 0.05), tail(&losses, 0.1)],
        clustering: autocorrelation(&sizes, 1)[0],
        defaults: f64::from(market.defaults) * 1e5 / steps as f64,
    }
}

fn run(budget: &Budget) -> Result<Found, RunError> {
    let mut found = Found::default();
    golden(&mut found);
    let (seeds, steps) = (budget.of(4, 1), budget.of(500_000, 40_000));
    let limits = [1.0, 3.0, 5.0, 10.0];
    let runs: Vec<(f64, u64)> = limits
        .iter()
        .flat_map(|limit| (1..=seeds as u64).map(|seed| (*limit, seed)))
        .collect();
    let measured: Vec<Measured> = runs
        .par_iter()
        .map(|(limit, seed)| simulate(*limit, 0.0, *seed, steps))
        .collect();
    // Mean and standard deviation over seeds of 500,000 steps; of defaults and of kurtosis below value, too.
    let bands = [
        (1.0, 3.48, 0.04, [5.21, 4.13], 0.04, 0.042, 4.2, 1.1),
        (3.0, 6.48, 0.08, [3.38, 2.66], 0.04, 0.173, 57.0, 7.0),
        (5.0, 22.4, 1.8, [2.83, 2.42], 0.04, 0.184, 385.0, 21.0),
        (10.0, 79.0, 6.0, [2.48, 2.17], 0.02, 0.220, 558.0, 24.0),
    ];
    // The error of fewer and shorter runs, in those of the source.
    let wider = (500_000.0 / steps as f64 / seeds as f64 * 4.0)
        .sqrt()
        .max(1.0);
    let mut plot = Plot {
        name: "Kurtosis of returns below value, by the leverage limit".to_owned(),
        x_name: "leverage limit".to_owned(),
        y_name: "kurtosis".to_owned(),
        log: [false, true],
        ..Plot::default()
    };
    for ((limit, under, sd, hill, hill_sd, clustering, defaults, defaults_sd), runs) in
        bands.into_iter().zip(measured.chunks(seeds))
    {
        let n = runs.len() as f64;
        let mean = |of: fn(&Measured) -> f64| runs.iter().map(of).sum::<f64>() / n;
        let note = format!(
            "{seeds} × {steps} steps, band of four standard deviations between seeds{}",
            if wider > 1.0 {
                format!(", × {wider:.1} for the shorter runs")
            } else {
                String::new()
            }
        );
        let mut line = |what: &str, expected: f64, got: f64, band: f64| {
            found
                .line(
                    format!("λ {limit}: {what}"),
                    expected,
                    got,
                    Tolerance::Within(4.0 * band * wider),
                )
                .note(&note);
        };
        let kurtosis = mean(|m| m.under);
        // A few crises decide it: a short run says nothing.
        if !budget.quick {
            line("kurtosis of returns below value", under, kurtosis, sd);
        }
        line(
            "tail index of losses, top 5 %",
            hill[0],
            mean(|m| m.hill[0]),
            hill_sd,
        );
        line(
            "tail index of losses, top 10 %",
            hill[1],
            mean(|m| m.hill[1]),
            hill_sd,
        );
        line(
            "autocorrelation of |r|, lag 1",
            clustering,
            mean(|m| m.clustering),
            0.005,
        );
        line(
            "defaults a 100,000 steps",
            defaults,
            mean(|m| m.defaults),
            defaults_sd,
        );
        plot.expected.push([limit, under]);
        plot.got.push([limit, kurtosis]);
    }
    let calm = mean_of(&measured[..seeds], |m| m.kurtosis);
    let levered = mean_of(&measured[3 * seeds..], |m| m.kurtosis);
    found.line(
        "kurtosis at λ 10 over that at λ 1: leverage fattens the tails",
        2.0,
        levered / calm,
        Tolerance::AtLeast,
    );
    found.plot = Some(plot);
    Ok(found)
}

fn mean_of(runs: &[Measured], of: fn(&Measured) -> f64) -> f64 {
    runs.iter().map(of).sum::<f64>() / runs.len() as f64
}

/// Fresh funds under six given amounts of the noise trader's cash.
fn golden(found: &mut Found) {
    let amounts = [950.0, 900.0, 850.0, 900.0, 1_000.0, 1_050.0];
    for (limit, prices) in [
        (
            10.0,
            [
                0.967_741_935,
                0.934_586_009,
                0.898_829_078,
                0.935_536_429,
                1.0,
                1.05,
            ],
        ),
        (
            1.0,
            [
                0.965_217_391,
                0.917_735_489,
                0.867_627_631,
                0.917_763_903,
                1.0,
                1.05,
            ],
        ),
    ] {
        let mut market = Market::new(limit, 0.0, false);
        for (step, (xi, expected)) in amounts.iter().zip(prices).enumerate() {
            market.step(*xi);
            found.line(
                format!("λ {limit}, given cash: price of step {}", step + 1),
                expected,
                market.price,
                Tolerance::Within(1e-8),
            );
            if limit == 10.0 && step == 2 {
                for (k, wealth) in [(0, 1.964_059), (4, 1.823_062), (9, 1.653_039)] {
                    found.line(
                        format!("λ 10, step 3: wealth of the fund of β {}", 5 * (k + 1)),
                        wealth,
                        market.funds[k].wealth,
                        Tolerance::Within(1e-6),
                    );
                }
                let last = &market.funds[9];
                found.line(
                    "λ 10, step 3: leverage of the fund of β 50",
                    5.058_546,
                    last.held * market.price / last.wealth,
                    Tolerance::Within(1e-6),
                );
            }
        }
    }
}

fn adaptive(budget: &Budget) -> Result<Found, RunError> {
    let mut found = Found::default();
    let steps = budget.of(400_000, 100_000);
    let seeds = [31, 32, 33];
    // Limit, the κ that it is compared with, and the changes in defaults that the source got.
    let cases = [
        (5.0, 1_000.0, [-276.0, -219.0, -242.0]),
        (10.0, 100.0, [53.0, 49.0, 45.0]),
        (15.0, 1_000.0, [116.0, 97.0, 117.0]),
        (20.0, 1_000.0, [87.0, 106.0, 100.0]),
    ];
    let cases = &cases[..budget.of(4, 1)];
    let pairs: Vec<(f64, f64, u64)> = cases
        .iter()
        .flat_map(|(limit, adapts, _)| seeds.map(|seed| (*limit, *adapts, seed)))
        .collect();
    let changes: Vec<f64> = pairs
        .par_iter()
        .map(|(limit, adapts, seed)| {
            let without = simulate(*limit, 0.0, *seed, steps).defaults;
            simulate(*limit, *adapts, *seed, steps).defaults - without
        })
        .collect();
    let mut plot = Plot {
        name: "Change in defaults a 100,000 steps where lenders answer volatility".to_owned(),
        x_name: "leverage limit".to_owned(),
        y_name: "change in defaults".to_owned(),
        ..Plot::default()
    };
    for ((limit, adapts, source), got) in cases.iter().zip(changes.chunks(seeds.len())) {
        let mean = source.iter().sum::<f64>() / 3.0;
        plot.expected.push([*limit, mean]);
        for (seed, got) in seeds.iter().zip(got) {
            let tolerance = if mean < 0.0 {
                Tolerance::AtMost
            } else {
                Tolerance::AtLeast
            };
            found
                .line(
                    format!("λ {limit}, κ 0 → {adapts}, seed {seed}: change in defaults"),
                    0.0,
                    *got,
                    tolerance,
                )
                .note(format!(
                    "a sign, on the same noise; the source's three seeds: {mean:.0} on average; {steps} steps"
                ));
            plot.got.push([*limit, *got]);
        }
    }
    found.plot = Some(plot);
    Ok(found)
}
