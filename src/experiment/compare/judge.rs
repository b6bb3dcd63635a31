//! From runs to numbers: means, quantiles, paired differences, their intervals, and a verdict for each metric.
//!
//! Means are given beside medians and tail quantiles, because sizes of positions have tails so fat that means don't settle.
//! A verdict is on the mean of the differences within the replicates: that is what repeated crashes cost. What the typical
//! crash does is a verdict of its own, by how many replicates went which way, whatever their size.
//!
//! # Adjusted for severity
//!
//! Where replicates draw their severities, those drawn are by chance milder or harsher than their distribution, and mean
//! differences with them. By how much is known, so that it is taken out: d̄ - b₁ ḡ₁ - b₂ ḡ₂, with g₁ how far each severity's
//! grade (its place in the distribution, from 0 to 1) lies from 1/2, g₂ the square of that less its mean, and b the slopes of
//! differences over both (control variates). Grades have known means whatever the distribution is, and no tails; two terms,
//! because what a rule changes fades out towards severe crashes, or sets in with them. Where both explain less than estimating
//! their slopes costs, a factor √((n - 2) / (n - 4)) of the interval, nothing is adjusted. The mean as it is, and its interval, stand
//! beside it ([`Change::plain`]). Means, medians and quantiles of the variants themselves are as they are.
//!
//! # Units
//!
//! Those of the metric.
//!
//! # Reference
//!
//! How many replicates would tell: n = ((z₁₋α⸝₂ + z₀.₈) s / d)², for a mean difference d of deviation s to be told from none
//! four times out of five (Chow, Shao and Wang (2008), "Sample size calculations in clinical research", section 3.2). Control
//! variates beside common random numbers: Law, A. M. (2015), "Simulation modeling and analysis", 5th ed., sections 11.2 and 11.4;
//! Lavenberg, S. S., Welch, P. D. (1981), Management Science 27(3), for what a slope that is estimated costs.

use super::risk::{FrontierPoint, Recommendation, Risk, Role};
use super::run::Compared;
use super::variant::Variant;
use crate::experiment::moments;
use crate::math::bootstrap::{Bootstrap, Controlled, Interval, quantile_interval};
use crate::math::ops;
use crate::math::quantile::quantile;
use crate::measure::{Definition, Direction};
use rayon::prelude::*;

/// How many resamples an interval is made of.
pub const RESAMPLES: u32 = 2_000;
/// Confidence of every interval.
pub const CONFIDENCE: f64 = 0.95;
/// Fewest pairs that are adjusted: two slopes cost 8 % of them.
const CONTROLLED: usize = 16;
/// How likely a difference shall be told by as many replicates as are called enough.
const POWER: f64 = 0.8;
/// The quantiles that are given of a metric.
pub const QUANTILES: [f64; 5] = [0.01, 0.05, 0.5, 0.95, 0.99];
/// The quantiles whose differences are given.
pub const CHANGES: [f64; 2] = [0.95, 0.99];

/// A number, and where it may lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Its interval.
    pub interval: Interval,
}

/// Everything that a comparison says.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Every metric, for each market where it is measured for each.
    pub rows: Vec<Row>,
    /// The numbers of risk reports, by variant.
    pub risks: Vec<Risk>,
    /// What each variant costs and what it buys.
    pub frontier: Vec<FrontierPoint>,
    /// What each variant is to the baseline.
    pub roles: Vec<Role>,
    /// What is recommended, where there is something to choose from.
    pub recommendation: Option<Recommendation>,
}

/// One metric under every variant.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What is measured.
    pub definition: &'static Definition,
    /// Its market, where it is measured for each.
    pub market: Option<String>,
    /// By variant; the first is the baseline.
    pub cells: Vec<Cell>,
}

/// One metric of one variant, over the replicates in which it has a finite value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// How many.
    pub count: usize,
    /// Mean.
    pub mean: Option<Estimate>,
    /// Standard deviation; none of fewer than two.
    pub deviation: Option<f64>,
    /// The [`QUANTILES`]; the third is the median.
    pub quantiles: [Option<Estimate>; 5],
    /// Difference to the baseline; nothing for the baseline itself.
    pub change: Option<Change>,
}

/// A variant less the baseline, over the replicates in which both have a finite value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// How many.
    pub count: usize,
    /// Mean of the differences, adjusted for severity where severities are drawn and that narrows it.
    pub mean: f64,
    /// Its interval.
    pub interval: Interval,
    /// Mean of the differences as they are, and its interval, where that is another.
    pub plain: Option<Estimate>,
    /// What the interval of the differences as they are would be with different draws under each variant.
    pub unpaired: Interval,
    /// Standard deviation of the differences; none of fewer than two.
    pub deviation: Option<f64>,
    /// Median of the differences, and its interval.
    pub median: Estimate,
    /// The [`CHANGES`]: quantile under the variant less that under the baseline.
    pub quantiles: [Estimate; 2],
    /// Replicates in which the variant has less.
    pub lower: usize,
    /// Replicates in which it has more.
    pub higher: usize,
    /// What the mean says.
    pub verdict: Verdict,
    /// What the median says: the typical crash.
    pub typical: Verdict,
    /// About how many replicates it would take to tell a mean difference of this size from none; nothing where there is none.
    pub needed: Option<u64>,
}

/// What a difference says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Better than the baseline.
    Better,
    /// Worse than the baseline.
    Worse,
    /// More than under the baseline, of what is neither better nor worse.
    Higher,
    /// Less than under the baseline, of what is neither better nor worse.
    Lower,
    /// The same in every replicate.
    Same,
    /// There is a difference, but so few replicates can't tell which way.
    Unclear,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 6] = [
        Self::Better,
        Self::Worse,
        Self::Higher,
        Self::Lower,
        Self::Same,
        Self::Unclear,
    ];

    /// Its name in the output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Higher => "higher",
            Self::Lower => "lower",
            Self::Same => "same",
            Self::Unclear => "unclear",
        }
    }

    /// Whether replicates can tell.
    pub const fn is_clear(self) -> bool {
        !matches!(self, Self::Unclear)
    }

    fn of(interval: &Interval, same: bool, direction: Direction) -> Self {
        let up = match (same, interval.is_above_zero(), interval.is_below_zero()) {
            (true, ..) => return Self::Same,
            (_, true, _) => true,
            (_, _, true) => false,
            _ => return Self::Unclear,
        };
        match direction {
            Direction::Neutral if up => Self::Higher,
            Direction::Neutral => Self::Lower,
            Direction::Higher if up => Self::Better,
            Direction::Lower if !up => Self::Better,
            _ => Self::Worse,
        }
    }
}

impl Change {
    /// Whether the replicates can tell which way the mean differs, or that nothing does.
    pub const fn is_clear(&self) -> bool {
        self.verdict.is_clear()
    }

    /// How many times wider than that of the differences as they are the interval would be without common random numbers.
    pub fn pairing(&self) -> Option<f64> {
        let interval = self.plain.map_or(self.interval, |plain| plain.interval);
        self.narrower_than_unpaired(interval)
    }

    /// How many times wider than the mean's interval it would be without common random numbers, and unadjusted.
    pub fn narrowing(&self) -> Option<f64> {
        self.narrower_than_unpaired(self.interval)
    }

    fn narrower_than_unpaired(&self, interval: Interval) -> Option<f64> {
        let width = interval.width().filter(|width| *width > 0.0)?;
        Some(self.unpaired.width()? / width)
    }
}

impl Cell {
    /// The median.
    pub const fn median(&self) -> Option<Estimate> {
        self.quantiles[2]
    }
    /// The 95 % quantile.
    pub const fn p95(&self) -> Option<Estimate> {
        self.quantiles[3]
    }
    /// The 99 % quantile.
    pub const fn p99(&self) -> Option<Estimate> {
        self.quantiles[4]
    }
}

impl Judged {
    /// One metric under every variant, for each market where it is measured for each.
    pub fn of<'a>(&'a self, definition: &'a Definition) -> impl Iterator<Item = &'a Row> {
        self.rows
            .iter()
            .filter(move |row| row.definition.name == definition.name)
    }

    /// One metric under every variant.
    pub fn row(&self, definition: &Definition, market: Option<&str>) -> Option<&Row> {
        self.rows
            .iter()
            .find(|row| row.definition.name == definition.name && row.market.as_deref() == market)
    }

    /// One metric of one variant.
    pub fn cell(
        &self,
        definition: &Definition,
        market: Option<&str>,
        variant: usize,
    ) -> Option<&Cell> {
        self.row(definition, market)?.cells.get(variant)
    }

    /// How often each verdict was given of a variant's means: in the order of [`Verdict::ALL`].
    pub fn verdicts(&self, variant: usize) -> [usize; 6] {
        Verdict::ALL.map(|verdict| {
            let changes = self
                .rows
                .iter()
                .filter_map(|row| row.cells[variant].change.as_ref());
            changes.filter(|change| change.verdict == verdict).count()
        })
    }
}

impl Compared {
    /// Where the intervals' draws come from: the baseline's seed.
    pub(super) fn bootstrap(&self) -> Bootstrap {
        let seed = self.variants.first().map_or(0, |v| v.scenario.seed);
        Bootstrap::new(seed, RESAMPLES, CONFIDENCE)
    }

    /// What is known of each replicate's severity, where it is drawn, and is the same under every variant.
    pub(super) fn control(&self) -> Option<Vec<[f64; 2]>> {
        let (first, others) = self.variants.split_first()?;
        let replicates = || (self.first..).take(self.replicates());
        let severities = |variant: &Variant| -> Vec<f64> {
            replicates().map(|r| variant.scenario.severity(r)).collect()
        };
        let own = severities(first);
        if others.iter().any(|variant| severities(variant) != own) {
            return None;
        }
        replicates()
            .map(|r| first.scenario.severity_terms(r))
            .collect()
    }

    /// Everything that the runs say, with the baseline's insurance fund as what losses may be.
    pub fn judge(&self) -> Judged {
        self.judge_within(None)
    }

    /// The same with a loss of one's own that a recommended variant must keep to.
    pub fn judge_within(&self, tolerance: Option<f64>) -> Judged {
        let bootstrap = self.bootstrap();
        let control = self.control();
        let rows: Vec<Row> = self
            .measured()
            .into_par_iter()
            .map(|(definition, market)| {
                let values: Vec<Vec<Option<f64>>> = (0..self.variants.len())
                    .map(|variant| self.values(variant, definition, market.as_deref()))
                    .collect();
                let cells = values.iter().enumerate().map(|(variant, own)| {
                    let mut cell = cell(own, &bootstrap);
                    if variant > 0 {
                        let pairs = Pairs::of(&values[0], own, control.as_deref());
                        cell.change = change(&pairs, definition.direction, &bootstrap);
                    }
                    cell
                });
                Row {
                    cells: cells.collect(),
                    definition,
                    market,
                }
            })
            .collect();
        let mut judged = Judged {
            rows,
            risks: Vec::new(),
            frontier: Vec::new(),
            roles: Vec::new(),
            recommendation: None,
        };
        super::risk::fill(self, &mut judged, &bootstrap, tolerance);
        judged
    }
}

/// A sample in numbers.
pub(super) fn cell(values: &[Option<f64>], bootstrap: &Bootstrap) -> Cell {
    let found: Vec<f64> = values.iter().copied().flatten().collect();
    let mut sorted = found.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let spread = moments(&found);
    Cell {
        count: found.len(),
        mean: (!found.is_empty()).then(|| Estimate {
            value: spread.mean(),
            interval: bootstrap.mean(&found),
        }),
        deviation: (found.len() > 1).then(|| spread.variance().sqrt()),
        quantiles: QUANTILES.map(|p| {
            Some(Estimate {
                value: quantile(&sorted, p)?,
                interval: quantile_interval(&sorted, p, bootstrap.confidence()),
            })
        }),
        change: None,
    }
}

/// A metric under the baseline and under a variant, in the replicates in which both have it.
pub(super) struct Pairs {
    from: Vec<f64>,
    to: Vec<f64>,
    /// What is known of their severities, where it is used.
    control: Option<Vec<[f64; 2]>>,
}

impl Pairs {
    pub(super) fn of(
        baseline: &[Option<f64>],
        variant: &[Option<f64>],
        control: Option<&[[f64; 2]]>,
    ) -> Self {
        let both = || baseline.iter().zip(variant).enumerate();
        let known = |(place, (from, to)): (usize, (&Option<f64>, &Option<f64>))| {
            Some((place, ((*from)?, (*to)?)))
        };
        let (places, (from, to)): (Vec<usize>, (Vec<f64>, Vec<f64>)) =
            both().filter_map(known).unzip();
        let control = control
            .filter(|_| places.len() >= CONTROLLED)
            .map(|all| places.iter().map(|place| all[*place]).collect());
        Self { from, to, control }
    }

    fn differences(&self) -> Vec<f64> {
        let pairs = self.from.iter().zip(&self.to);
        pairs.map(|(from, to)| to - from).collect()
    }

    /// Mean of the differences, adjusted where severities are known and explain more than their slopes cost; and then as it is.
    pub(super) fn mean(&self, bootstrap: &Bootstrap) -> (Controlled, Option<Estimate>) {
        let differences = self.differences();
        let spread = moments(&differences);
        let plain = Controlled {
            value: spread.mean(),
            interval: bootstrap.mean(&differences),
            deviation: (differences.len() > 1).then(|| spread.variance().sqrt()),
        };
        let adjusted = self.control.as_ref().and_then(|control| {
            let found = bootstrap.controlled(&differences, control);
            let n = differences.len() as f64;
            let cost = ((n - 2.0) / (n - 4.0)).sqrt();
            (cost * found.deviation? < plain.deviation?).then_some(found)
        });
        match adjusted {
            Some(adjusted) => {
                let Controlled {
                    value, interval, ..
                } = plain;
                (adjusted, Some(Estimate { value, interval }))
            }
            None => (plain, None),
        }
    }

    /// Intervals of what quantiles are more than the baseline's.
    pub(super) fn quantiles<const N: usize>(
        &self,
        bootstrap: &Bootstrap,
        quantiles: [f64; N],
    ) -> [Interval; N] {
        bootstrap.quantile_changes(&self.from, &self.to, quantiles)
    }
}

fn change(pairs: &Pairs, direction: Direction, bootstrap: &Bootstrap) -> Option<Change> {
    let Pairs { from, to, .. } = pairs;
    let differences = pairs.differences();
    let mut sorted = differences.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let spread = moments(&differences);
    let median = Estimate {
        value: quantile(&sorted, 0.5)?,
        interval: quantile_interval(&sorted, 0.5, bootstrap.confidence()),
    };
    let several = differences.len() > 1;
    let deviation = several.then(|| spread.variance().sqrt());
    let (found, plain) = pairs.mean(bootstrap);
    let ends = |values: &[f64]| {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        CHANGES.map(|p| quantile(&sorted, p).unwrap_or(f64::NAN))
    };
    let (before, after) = (ends(from), ends(to));
    let intervals = pairs.quantiles(bootstrap, CHANGES);
    // One replicate says nothing of others, even where it shows no difference.
    let same = several && sorted.iter().all(|d| *d == 0.0);
    Some(Change {
        count: differences.len(),
        mean: found.value,
        interval: found.interval,
        plain,
        unpaired: bootstrap.unpaired(from, to),
        deviation,
        median,
        quantiles: std::array::from_fn(|at| Estimate {
            value: after[at] - before[at],
            interval: intervals[at],
        }),
        lower: differences.iter().filter(|d| **d < 0.0).count(),
        higher: differences.iter().filter(|d| **d > 0.0).count(),
        verdict: Verdict::of(&found.interval, same, direction),
        typical: Verdict::of(&median.interval, same, direction),
        needed: found
            .deviation
            .and_then(|deviation| enough(found.value, deviation)),
    })
}

/// How many replicates tell a mean difference of such a deviation from none.
fn enough(mean: f64, deviation: f64) -> Option<u64> {
    if mean == 0.0 || deviation == 0.0 {
        return None;
    }
    let z = ops::normal_quantile(0.5 * (1.0 + CONFIDENCE)) + ops::normal_quantile(POWER);
    let root = z * deviation / mean;
    let count = (root * root).ceil();
    (count < 1e12).then_some((count as u64).max(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Metric, Summary, catalogue as m};
    use crate::scenario::Scenario;

    fn scenario() -> Scenario {
        let text = "length = \"1m\"\nextends = \"binance-usdm\"\nmarkets = [\"BTC\"]\n[market.BTC]\nprice = 100000\npath.constant = {}\nvenue.book = { depth.flat.lots_per_tick = 10, resilience = \"30s\" }";
        Scenario::parse(text).unwrap()
    }

    fn compared(values: &[&[Option<f64>]]) -> Compared {
        let summary = |value: &Option<f64>| {
            Some(Summary::new(vec![Metric::new(
                &m::DRAWDOWN,
                Some("BTC"),
                *value,
            )]))
        };
        Compared {
            variants: (0..values.len())
                .map(|v| Variant::new(format!("v{v}"), scenario()))
                .collect(),
            first: 0,
            runs: values
                .iter()
                .map(|runs| runs.iter().map(summary).collect())
                .collect(),
            failures: Vec::new(),
            twin: true,
            stopped: false,
            until: None,
        }
    }

    #[test]
    fn differences_are_taken_within_replicates() {
        let found = compared(&[
            &[Some(0.1), Some(0.2), Some(0.6), None, Some(0.5)],
            &[Some(0.2), Some(0.4), Some(0.7), Some(0.9), None],
        ]);
        let judged = found.judge();
        let cells = &judged.row(&m::DRAWDOWN, Some("BTC")).unwrap().cells;
        assert_eq!(cells.len(), 2);
        assert_eq!((cells[0].count, cells[0].change), (4, None));
        assert!((cells[0].median().unwrap().value - 0.35).abs() < 1e-12);
        assert!((cells[1].mean.unwrap().value - 0.55).abs() < 1e-12);
        let change = cells[1].change.unwrap();
        // Differences 0.1, 0.2, 0.1: variance 1/300.
        assert_eq!((change.count, change.lower, change.higher), (3, 0, 3));
        assert!((change.mean - 0.4 / 3.0).abs() < 1e-12);
        assert!((change.median.value - 0.1).abs() < 1e-12);
        assert!((change.deviation.unwrap() - (1.0f64 / 300.0).sqrt()).abs() < 1e-12);
        assert_eq!(change.verdict, Verdict::Worse);
        // Three of three is no more than one in four by chance.
        assert_eq!(change.typical, Verdict::Unclear);
        assert!(change.pairing().unwrap() > 2.0);
        // (2.8016 · 0.05774 / 0.13333)² = 1.47.
        assert_eq!(change.needed, Some(2));
    }

    /// Falls that grow with severity, under the variant twice as fast, and a little of their own.
    fn severe(count: u64, scenarios: [&str; 2]) -> Compared {
        severely(count, scenarios, [0.1, 0.2])
    }

    fn severely(count: u64, scenarios: [&str; 2], steep: [f64; 2]) -> Compared {
        let scenarios =
            scenarios.map(|severity| scenario().set("ensemble.severity", severity).unwrap());
        let fall = |variant: usize, replicate: u64| {
            let own = if replicate.is_multiple_of(2) {
                0.002
            } else {
                -0.002
            };
            Some(steep[variant] * scenarios[variant].severity(replicate) + own * variant as f64)
        };
        let values: Vec<Vec<Option<f64>>> = (0..2)
            .map(|variant| {
                (0..count)
                    .map(|replicate| fall(variant, replicate))
                    .collect()
            })
            .collect();
        let mut found = compared(&[&values[0], &values[1]]);
        for (variant, scenario) in found.variants.iter_mut().zip(scenarios) {
            variant.scenario = scenario;
        }
        found
    }

    #[test]
    fn mean_differences_are_adjusted_for_severity() {
        let drawn = "{ lognormal = { median = 1, sigma = 0.3 } }";
        let change = |found: &Compared| {
            let judged = found.judge();
            let cell = judged.cell(&m::DRAWDOWN, Some("BTC"), 1).unwrap();
            cell.change.unwrap()
        };
        let found = change(&severe(32, [drawn, drawn]));
        let plain = found.plain.unwrap();
        // 0.1 of the mean severity e^0.045; but for the first replicate, which has severity 1.
        let mean = 0.1 * (ops::exp(0.045) * 31.0 + 1.0) / 32.0;
        let off = (found.mean - mean).abs();
        assert!(off < 0.002 && off < (plain.value - mean).abs(), "{found:?}");
        let pairing = found.pairing().unwrap();
        assert!(found.narrowing().unwrap() > 3.0 * pairing, "{found:?}");
        // Only with as many pairs as give slopes, where severities are drawn, are the same, and explain something.
        for found in [
            severely(32, [drawn, drawn], [0.1, 0.1]),
            severe(15, [drawn, drawn]),
            severe(32, ["1.2", "1.2"]),
            severe(32, [drawn, "{ lognormal = { median = 1, sigma = 0.2 } }"]),
        ] {
            let found = change(&found);
            assert_eq!(found.plain, None);
            assert_eq!(found.pairing(), found.narrowing());
        }
    }

    #[test]
    fn one_replicate_has_no_interval_and_is_never_clear() {
        let judged = compared(&[&[Some(0.1)], &[Some(0.1)], &[None]]).judge();
        let cells = &judged.row(&m::DRAWDOWN, Some("BTC")).unwrap().cells;
        let change = cells[1].change.unwrap();
        assert_eq!((change.count, change.deviation), (1, None));
        assert_eq!(change.interval, Interval::default());
        assert!(!change.is_clear());
        assert_eq!((cells[2].count, cells[2].change), (0, None));
    }

    #[test]
    fn a_verdict_keeps_to_the_metric_s_direction() {
        let up = Interval::closed(0.1, 0.3);
        let down = Interval::closed(-0.3, -0.1);
        let both = Interval::closed(-0.1, 0.1);
        for (direction, above, below) in [
            (Direction::Lower, Verdict::Worse, Verdict::Better),
            (Direction::Higher, Verdict::Better, Verdict::Worse),
            (Direction::Neutral, Verdict::Higher, Verdict::Lower),
        ] {
            assert_eq!(Verdict::of(&up, false, direction), above);
            assert_eq!(Verdict::of(&down, false, direction), below);
            assert_eq!(Verdict::of(&both, false, direction), Verdict::Unclear);
            assert_eq!(Verdict::of(&both, true, direction), Verdict::Same);
        }
    }

    #[test]
    fn enough_replicates_tell_four_times_out_of_five() {
        use crate::math::{Draws, Purpose};
        let (mean, deviation) = (0.3, 1.0);
        let n = enough(mean, deviation).unwrap();
        assert_eq!(n, 88);
        let told = (0..300).filter(|trial| {
            let mut stream = Draws::new(4, *trial).stream(Purpose::Custom, 0, 0);
            let sample: Vec<f64> = (0..n).map(|_| mean + deviation * stream.normal()).collect();
            let interval = Bootstrap::new(*trial, 300, CONFIDENCE).mean(&sample);
            interval.is_above_zero()
        });
        let told = told.count();
        assert!((215..=270).contains(&told), "{told} of 300");
        assert_eq!(enough(0.0, 1.0), None);
    }
}
