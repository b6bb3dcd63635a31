//! Intervals that a sample gives for its own mean, its quantiles, and what two samples that belong together differ by.
//!
//! - Of a quantile: between two order statistics, whatever the distribution is. Where no order statistic lies far enough out,
//!   the interval is open on that side: the largest of 64 values says nothing of how far the 99 % quantile may lie above it.
//! - Of a mean: Efron's bootstrap, corrected for bias and skewness (BCa), because what is measured here has tails that make
//!   a symmetric interval too short on one side.
//! - Of a mean beside which something is known: the same, of the mean less what that explains (control variates).
//! - Of differences of quantiles: percentiles of the same bootstrap.
//!
//! Resamples are keyed: the same seed gives the same interval, on any number of threads, and whatever else is resampled.
//!
//! # Invariants
//!
//! - `an_interval_of_equal_values_is_that_value`
//! - `intervals_cover_what_they_say`
//! - `controls_narrow_and_still_cover`
//!
//! # Reference
//!
//! Efron, B. (1987), "Better bootstrap confidence intervals", JASA 82(397), equations 2.3 and 6.6. David, H. A., Nagaraja,
//! H. N. (2003), "Order statistics", 3rd ed., section 7.1. Glasserman, P. (2003), "Monte Carlo methods in financial engineering",
//! section 4.1 (control variates).

use super::draws::{Draws, Purpose};
use super::ops;
use super::quantile::quantile;

/// From where to where; nothing on a side where the sample is too small to say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

impl Interval {
    /// Between two numbers.
    pub const fn closed(low: f64, high: f64) -> Self {
        Self {
            low: Some(low),
            high: Some(high),
        }
    }
    /// How wide it is, where it ends on both sides.
    pub fn width(&self) -> Option<f64> {
        Some(self.high? - self.low?)
    }
    /// Whether all of it lies above zero.
    pub fn is_above_zero(&self) -> bool {
        self.low.is_some_and(|low| low > 0.0)
    }
    /// Whether all of it lies below zero.
    pub fn is_below_zero(&self) -> bool {
        self.high.is_some_and(|high| high < 0.0)
    }
}

/// The interval of quantile `p` between order statistics of a sample in ascending order: each end is missed with a
/// probability of at most half of what `confidence` leaves.
pub fn quantile_interval(sorted: &[f64], p: f64, confidence: f64) -> Interval {
    let n = sorted.len();
    if n == 0 {
        return Interval::default();
    }
    let tail = 0.5 * (1.0 - confidence);
    // How many values lie below the quantile is binomial: from the first to the last count that isn't in a tail.
    let (odds, none) = (ops::ln(p / (1.0 - p)), n as f64 * ops::ln(1.0 - p));
    let (mut log, mut fewer) = (none, 0.0);
    let (mut first, mut last) = (0, None);
    for count in 0..=n {
        // `fewer` is P(fewer than `count`): how likely the value of that rank, counted from 1, lies above the quantile.
        if fewer <= tail {
            first = count;
        }
        if fewer >= 1.0 - tail && last.is_none() {
            last = Some(count);
        }
        fewer += ops::exp(log);
        log += ops::ln((n - count) as f64 / (count + 1) as f64) + odds;
    }
    Interval {
        low: (first > 0).then(|| sorted[first - 1]),
        high: last.map(|rank| sorted[rank - 1]),
    }
}

/// A mean less what controls explain.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Controlled {
    /// It.
    pub value: f64,
    /// Its interval; open where there are fewer than two values.
    pub interval: Interval,
    /// Standard deviation of what the controls leave unexplained; none of fewer than four values.
    pub deviation: Option<f64>,
}

/// Draws samples from samples.
#[derive(Clone, Copy, Debug)]
pub struct Bootstrap {
    draws: Draws,
    resamples: u32,
    confidence: f64,
}

impl Bootstrap {
    /// So many resamples of a seed, for intervals of a confidence such as 0.95.
    pub fn new(seed: u64, resamples: u32, confidence: f64) -> Self {
        Self {
            draws: Draws::new(seed, 0),
            resamples,
            confidence,
        }
    }

    /// The confidence of the intervals.
    pub const fn confidence(&self) -> f64 {
        self.confidence
    }

    /// Shows how often each of `n` values is drawn, resample by resample. Side 0 and side 1 are independent.
    fn each(&self, n: usize, side: u32, mut see: impl FnMut(&[u32])) {
        let mut counts = vec![0; n];
        for resample in 0..self.resamples {
            counts.fill(0);
            let mut stream = self.draws.stream(Purpose::Bootstrap, side, resample);
            for _ in 0..n {
                counts[stream.below(n as u64) as usize] += 1;
            }
            see(&counts);
        }
    }

    fn percentiles(&self, mut found: Vec<f64>, low: f64, high: f64) -> Interval {
        found.sort_unstable_by(f64::total_cmp);
        Interval {
            low: quantile(&found, low),
            high: quantile(&found, high),
        }
    }

    /// BCa interval of the mean; open where there are fewer than two values.
    pub fn mean(&self, values: &[f64]) -> Interval {
        let n = values.len();
        if n < 2 {
            return Interval::default();
        }
        let mean = values.iter().sum::<f64>() / n as f64;
        let mut found = Vec::with_capacity(self.resamples as usize);
        self.each(n, 0, |counts| found.push(weighted(values, counts)));
        self.corrected(mean, found, values.iter().map(|value| value - mean))
    }

    /// Mean of the values less what two controls explain of it, with its BCa interval: each control's mean is known to be 0, so
    /// that what the sample's is, times how the values go with it, is chance. Unbiased but for a part of order 1/n.
    ///
    /// Slopes are taken anew in every resample, so that the interval is as wide as not knowing them makes it.
    pub fn controlled(&self, values: &[f64], controls: &[[f64; 2]]) -> Controlled {
        let n = values.len().min(controls.len());
        let (values, controls) = (&values[..n], &controls[..n]);
        let size = n as f64;
        let mean = values.iter().sum::<f64>() / size;
        let at = [0, 1].map(|k| controls.iter().map(|own| own[k]).sum::<f64>() / size);
        // Around the means, so that sums of squares keep their digits.
        let all: Vec<(f64, [f64; 2])> = values
            .iter()
            .zip(controls)
            .map(|(value, own)| (value - mean, [own[0] - at[0], own[1] - at[1]]))
            .collect();
        let of = |counts: Option<&[u32]>| {
            let mut sums = Sums::default();
            for (place, (value, own)) in all.iter().enumerate() {
                let times = counts.map_or(1.0, |counts| f64::from(counts[place]));
                sums.add(times, *value, *own);
            }
            let slopes = sums.slopes(size);
            let off = [0, 1].map(|k| slopes[k] * (at[k] + sums.x[k] / size));
            (mean + sums.y / size - off[0] - off[1], slopes, sums)
        };
        let (value, slopes, sums) = of(None);
        let left: Vec<f64> = all
            .iter()
            .map(|(value, own)| value - slopes[0] * own[0] - slopes[1] * own[1])
            .collect();
        let squares: f64 = left.iter().map(|left| left * left).sum();
        let interval = if n < 2 {
            Interval::default()
        } else {
            let mut found = Vec::with_capacity(self.resamples as usize);
            self.each(n, 0, |counts| found.push(of(Some(counts)).0));
            // How much each value moves the result, which is a plane's height where the controls are 0.
            let lever = Sums {
                xy: at.map(|at| size * at),
                y: 0.0,
                ..sums
            }
            .slopes(size);
            let moved = left.iter().zip(&all);
            let moved =
                moved.map(|(left, (_, own))| left * (1.0 - lever[0] * own[0] - lever[1] * own[1]));
            self.corrected(value, found, moved)
        };
        Controlled {
            value,
            interval,
            deviation: (n > 3).then(|| (squares / (size - 3.0)).sqrt()),
        }
    }

    /// BCa interval from resampled estimates and from how much each value moves the estimate.
    fn corrected(
        &self,
        estimate: f64,
        found: Vec<f64>,
        influences: impl Iterator<Item = f64>,
    ) -> Interval {
        let tail = 0.5 * (1.0 - self.confidence);
        // Bias: where the estimate lies among the resampled ones; ties count half.
        let count = |holds: &dyn Fn(f64) -> bool| found.iter().filter(|v| holds(**v)).count();
        let below = count(&|v| v < estimate) as f64 + 0.5 * count(&|v| v == estimate) as f64;
        let share = below / found.len() as f64;
        let (mut squares, mut cubes) = (0.0, 0.0);
        for off in influences {
            squares += off * off;
            cubes += off * off * off;
        }
        if squares <= 0.0 {
            return Interval::closed(estimate, estimate);
        }
        let edge = 0.5 / found.len() as f64;
        let bias = ops::normal_quantile(share.clamp(edge, 1.0 - edge));
        let skew = cubes / (6.0 * squares * squares.sqrt());
        let place = |p: f64| {
            let z = bias + ops::normal_quantile(p);
            ops::normal_cdf(bias + z / (1.0 - skew * z))
        };
        let (low, high) = (place(tail), place(1.0 - tail));
        self.percentiles(found, low, high)
    }

    /// Interval of the difference of two means whose samples have nothing to do with each other.
    pub fn unpaired(&self, from: &[f64], to: &[f64]) -> Interval {
        if from.len() < 2 || to.len() < 2 {
            return Interval::default();
        }
        let mut found = Vec::with_capacity(self.resamples as usize);
        self.each(from.len(), 0, |counts| found.push(-weighted(from, counts)));
        let mut at = 0;
        self.each(to.len(), 1, |counts| {
            found[at] += weighted(to, counts);
            at += 1;
        });
        let tail = 0.5 * (1.0 - self.confidence);
        self.percentiles(found, tail, 1.0 - tail)
    }

    /// Intervals of what quantiles of `to` are more than those of `from`, where the two are pairs and drawn as such.
    pub fn quantile_changes<const N: usize>(
        &self,
        from: &[f64],
        to: &[f64],
        quantiles: [f64; N],
    ) -> [Interval; N] {
        let n = from.len().min(to.len());
        if n < 2 {
            return [Interval::default(); N];
        }
        let (one, other) = (ordered(&from[..n]), ordered(&to[..n]));
        let mut found = [(); N].map(|()| Vec::with_capacity(self.resamples as usize));
        self.each(n, 0, |counts| {
            for (at, p) in quantiles.into_iter().enumerate() {
                let change =
                    drawn_quantile(to, &other, counts, p) - drawn_quantile(from, &one, counts, p);
                found[at].push(change);
            }
        });
        let tail = 0.5 * (1.0 - self.confidence);
        found.map(|found| self.percentiles(found, tail, 1.0 - tail))
    }
}

/// Sums of values and of two controls, and of their products.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    y: f64,
    x: [f64; 2],
    /// Squares of the first, products, squares of the second.
    xx: [f64; 3],
    xy: [f64; 2],
}

impl Sums {
    fn add(&mut self, times: f64, value: f64, own: [f64; 2]) {
        let [first, second] = own;
        self.y += times * value;
        self.x[0] += times * first;
        self.x[1] += times * second;
        self.xx[0] += times * first * first;
        self.xx[1] += times * first * second;
        self.xx[2] += times * second * second;
        self.xy[0] += times * first * value;
        self.xy[1] += times * second * value;
    }

    /// Slopes of the plane of least squares; 0 along a control that has one value only, or goes along with the other.
    fn slopes(&self, size: f64) -> [f64; 2] {
        let [first, second] = self.x;
        let squares = self.xx[0] - first * first / size;
        let shared = self.xx[1] - first * second / size;
        let others = self.xx[2] - second * second / size;
        let along = [0, 1].map(|k| self.xy[k] - self.x[k] * self.y / size);
        let common = if squares > SPREAD * self.xx[0] {
            shared / squares
        } else {
            0.0
        };
        // What is left of the second without the first.
        let own = others - common * shared;
        let steep = if own > SPREAD * self.xx[2] {
            (along[1] - common * along[0]) / own
        } else {
            0.0
        };
        let slope = if squares > SPREAD * self.xx[0] {
            (along[0] - steep * shared) / squares
        } else {
            0.0
        };
        [slope, steep]
    }
}

/// Share of a sum of squares below which a spread is rounding.
const SPREAD: f64 = 1e-9;

/// Mean of the values drawn so often.
fn weighted(values: &[f64], counts: &[u32]) -> f64 {
    let mut sum = 0.0;
    for (value, count) in values.iter().zip(counts) {
        sum += value * f64::from(*count);
    }
    sum / values.len() as f64
}

/// Places of the values in ascending order.
fn ordered(values: &[f64]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    order.sort_by(|a, b| values[*a as usize].total_cmp(&values[*b as usize]));
    order
}

/// Quantile of the values drawn so often, as [`quantile`] has it, without sorting anew.
fn drawn_quantile(values: &[f64], order: &[u32], counts: &[u32], p: f64) -> f64 {
    let place = p * (values.len() - 1) as f64;
    let below = place.floor();
    let (first, mut seen) = (below as u64, 0);
    let mut low = None;
    for at in order {
        seen += u64::from(counts[*at as usize]);
        let value = values[*at as usize];
        if low.is_none() && seen > first {
            low = Some(value);
        }
        if let Some(low) = low
            && seen > first + 1
        {
            return low + (place - below) * (value - low);
        }
    }
    low.unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_of_equal_values_is_that_value() {
        let bootstrap = Bootstrap::new(1, 200, 0.95);
        let same = [3.0; 20];
        assert_eq!(bootstrap.mean(&same), Interval::closed(3.0, 3.0));
        assert_eq!(bootstrap.unpaired(&same, &same), Interval::closed(0.0, 0.0));
        assert_eq!(
            bootstrap.quantile_changes(&same, &same, [0.5, 0.95]),
            [Interval::closed(0.0, 0.0); 2]
        );
        assert_eq!(bootstrap.mean(&[1.0]), Interval::default());
    }

    #[test]
    fn quantile_intervals_are_those_of_the_binomial_table() {
        // n = 10: the median lies between the 2nd and the 9th with 97.9 %, between the 3rd and the 8th with 89.1 %.
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(
            quantile_interval(&ten, 0.5, 0.95),
            Interval::closed(2.0, 9.0)
        );
        assert_eq!(
            quantile_interval(&ten, 0.5, 0.89),
            Interval::closed(3.0, 8.0)
        );
        // 0.95⁷² is just below 2.5 %, 0.95⁷¹ just above: the largest of 72 bounds the 95 % quantile.
        for (n, ends) in [(71, false), (72, true)] {
            let sample: Vec<f64> = (1..=n).map(f64::from).collect();
            let found = quantile_interval(&sample, 0.95, 0.95);
            assert_eq!(found.high.is_some(), ends, "{n}: {found:?}");
            assert!(found.low.is_some());
            let mirrored: Vec<f64> = sample.iter().rev().map(|v| -v).collect();
            assert_eq!(
                quantile_interval(&mirrored, 0.05, 0.95).low.is_some(),
                ends,
                "{n}"
            );
        }
        assert_eq!(quantile_interval(&[], 0.5, 0.95), Interval::default());
        assert_eq!(quantile_interval(&[1.0], 0.5, 0.95), Interval::default());
    }

    #[test]
    fn intervals_cover_what_they_say() {
        // Samples of 40 exponential numbers: mean 1, median ln 2. Of 400 intervals at 90 % about 350 hold the mean (a sample so small
        // and so skewed bounds it a little too often from above), and at least 360 the median.
        let (mut means, mut medians, mut paired) = (0, 0, 0);
        for trial in 0..400 {
            let mut stream = Draws::new(7, trial).stream(Purpose::Custom, 0, 0);
            let mut sample: Vec<f64> = (0..40).map(|_| stream.exponential()).collect();
            let shifted: Vec<f64> = sample.iter().map(|v| v + 0.5).collect();
            let bootstrap = Bootstrap::new(trial, 400, 0.9);
            let holds = |interval: Interval, value: f64| {
                let (low, high) = (interval.low.unwrap(), interval.high.unwrap());
                usize::from((low..=high).contains(&value))
            };
            means += holds(bootstrap.mean(&sample), 1.0);
            // A shift of every value moves every quantile by as much, in every resample.
            for interval in bootstrap.quantile_changes(&sample, &shifted, [0.5, 0.9]) {
                paired += usize::from((interval.low.unwrap() - 0.5).abs() < 1e-12);
            }
            sample.sort_unstable_by(f64::total_cmp);
            medians += holds(quantile_interval(&sample, 0.5, 0.9), std::f64::consts::LN_2);
        }
        assert!((328..=372).contains(&means), "{means} of 400");
        assert!((350..=385).contains(&medians), "{medians} of 400");
        assert_eq!(paired, 800);
    }

    #[test]
    fn controls_narrow_and_still_cover() {
        // A step of 1 where the first control is above 0, and a little noise: no plane is right, and the mean is 1/2. With the
        // control uniform over ±1/2 the best line explains 3/16 of a variance of 0.26; the square explains nothing.
        let (mut held, mut plain, mut controlled) = (0, 0.0, 0.0);
        for trial in 0..400 {
            let mut stream = Draws::new(11, trial).stream(Purpose::Custom, 0, 0);
            let (values, controls): (Vec<f64>, Vec<[f64; 2]>) = (0..40)
                .map(|_| {
                    let x = stream.uniform() - 0.5;
                    let step = f64::from(u8::from(x > 0.0));
                    (step + 0.1 * stream.normal(), [x, x * x - 1.0 / 12.0])
                })
                .unzip();
            let bootstrap = Bootstrap::new(trial, 400, 0.9);
            let found = bootstrap.controlled(&values, &controls);
            let (low, high) = (found.interval.low.unwrap(), found.interval.high.unwrap());
            held += usize::from((low..=high).contains(&0.5));
            plain += bootstrap.mean(&values).width().unwrap();
            controlled += high - low;
        }
        // 360 ± 6 are said; of 40 values an interval is a little short.
        assert!((340..=376).contains(&held), "{held} of 400");
        // √(0.26 / 0.0725) = 1.89, less what slopes cost of which a sample of 40 tells little.
        let gain = plain / controlled;
        assert!((1.65..1.89).contains(&gain), "{gain}");
    }

    #[test]
    fn controls_take_out_what_goes_with_them_and_no_more() {
        let bootstrap = Bootstrap::new(5, 400, 0.95);
        let terms: [f64; 7] = [-2.0, -1.0, 0.0, 1.0, 3.0, 5.0, 6.0];
        let controls = terms.map(|x| [x, x * x]);
        let plane: Vec<f64> = terms.iter().map(|x| 7.0 + 0.5 * x - 0.3 * x * x).collect();
        let found = bootstrap.controlled(&plane, &controls);
        assert!((found.value - 7.0).abs() < 1e-9, "{found:?}");
        assert!(found.interval.width().unwrap() < 1e-9, "{found:?}");
        assert!(found.deviation.unwrap() < 1e-9, "{found:?}");
        // Controls that don't move explain nothing; one that goes along with the other no more than that one.
        let found = bootstrap.controlled(&plane, &[[1.0, 2.0]; 7]);
        let (own, as_it_is) = (found.interval, bootstrap.mean(&plane));
        assert!((own.low.unwrap() - as_it_is.low.unwrap()).abs() < 1e-9);
        assert!((own.high.unwrap() - as_it_is.high.unwrap()).abs() < 1e-9);
        let line: Vec<f64> = terms.iter().map(|x| 7.0 + 0.5 * x).collect();
        for along in [0.0, 3.0] {
            let found = bootstrap.controlled(&line, &terms.map(|x| [x, along * x]));
            assert!((found.value - 7.0).abs() < 1e-9, "{found:?}");
        }
        let found = bootstrap.controlled(&line, &terms.map(|x| [1.0, x]));
        assert!((found.value - 7.0).abs() < 1e-9, "{found:?}");
        let same = bootstrap.controlled(&[3.0; 7], &controls);
        assert_eq!(same.interval, Interval::closed(3.0, 3.0));
        let one = bootstrap.controlled(&[3.0], &[[1.0, 1.0]]);
        assert_eq!((one.interval, one.deviation), (Interval::default(), None));
    }

    #[test]
    fn unpaired_intervals_are_wider_by_what_pairs_share() {
        let mut stream = Draws::new(9, 0).stream(Purpose::Custom, 0, 0);
        let from: Vec<f64> = (0..60).map(|_| stream.normal()).collect();
        let to: Vec<f64> = from.iter().map(|v| v + 0.1 * stream.normal()).collect();
        let differences: Vec<f64> = from.iter().zip(&to).map(|(f, t)| t - f).collect();
        let bootstrap = Bootstrap::new(2, 2_000, 0.95);
        let paired = bootstrap.mean(&differences).width().unwrap();
        let unpaired = bootstrap.unpaired(&from, &to).width().unwrap();
        // √2 / 0.1, give or take.
        assert!((8.0..22.0).contains(&(unpaired / paired)));
    }

    #[test]
    fn a_drawn_quantile_is_that_of_the_values_written_out() {
        let values = [5.0, 1.0, 9.0, 4.0, 7.0];
        let counts = [2, 0, 1, 2, 0];
        let order = ordered(&values);
        let written = [4.0, 4.0, 5.0, 5.0, 9.0];
        for p in [0.0, 0.1, 0.5, 0.6, 0.9, 1.0] {
            let found = drawn_quantile(&values, &order, &counts, p);
            assert_eq!(Some(found), quantile(&written, p), "{p}");
        }
    }
}
