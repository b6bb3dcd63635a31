//! How many replicates are enough: until an interval is narrow enough.

use super::judge::Pairs;
use super::run::Compared;
use crate::math::bootstrap::{Interval, quantile_interval};
use crate::measure::{Definition, Scope, catalogue};
use std::fmt;
use std::str::FromStr;

/// Which number of a metric over the replicates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Which {
    /// The mean; in a comparison, that of the differences within the replicates, adjusted for severity where one is drawn.
    Mean,
    /// A quantile; in a comparison, what it is more than the baseline's.
    Quantile(f64),
}

/// Run until the interval of a number is no wider than this: in a comparison under every variant against the baseline, in
/// an ensemble of the number itself; for a market's metric in every market, unless one is named.
#[derive(Clone, Debug, PartialEq)]
pub struct Until {
    /// The metric.
    pub definition: &'static Definition,
    /// The market, where one is named.
    pub market: Option<String>,
    /// Which number of it.
    pub which: Which,
    /// The width.
    pub width: f64,
}

/// Replicates before the first look: an interval of fewer says little of itself.
const FIRST: u64 = 16;

impl Until {
    /// How many replicates there are at the next look, after so many: a quarter more, at least 16 more.
    pub fn next(&self, done: u64) -> u64 {
        done + FIRST.max(done / 4)
    }

    /// The widest of the intervals; nothing where one is open or can't be told.
    pub fn widest(&self, compared: &Compared) -> Option<f64> {
        let keys = compared.measured();
        let control = compared.control();
        let mut widest = None;
        for (definition, market) in keys {
            if definition != self.definition || self.market.is_some() && market != self.market {
                continue;
            }
            let values = |variant| compared.values(variant, definition, market.as_deref());
            let alone = compared.variants.len() == 1;
            for variant in usize::from(!alone)..compared.variants.len() {
                let width = if alone {
                    let found: Vec<f64> = values(0).into_iter().flatten().collect();
                    self.of_one(compared, &found)
                } else {
                    let pairs = Pairs::of(&values(0), &values(variant), control.as_deref());
                    self.of_pairs(compared, &pairs)
                }
                .width()?;
                widest = Some(width.max(widest.unwrap_or(0.0)));
            }
        }
        widest
    }

    pub(super) fn is_met(&self, compared: &Compared) -> bool {
        self.widest(compared)
            .is_some_and(|width| width <= self.width)
    }

    fn of_one(&self, compared: &Compared, values: &[f64]) -> Interval {
        let bootstrap = compared.bootstrap();
        match self.which {
            Which::Mean => bootstrap.mean(values),
            Which::Quantile(p) => {
                let mut sorted = values.to_vec();
                sorted.sort_unstable_by(f64::total_cmp);
                quantile_interval(&sorted, p, bootstrap.confidence())
            }
        }
    }

    fn of_pairs(&self, compared: &Compared, pairs: &Pairs) -> Interval {
        let bootstrap = compared.bootstrap();
        match self.which {
            Which::Mean => pairs.mean(&bootstrap).0.interval,
            Which::Quantile(p) => pairs.quantiles(&bootstrap, [p])[0],
        }
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ci={}", self.definition.name)?;
        match self.which {
            Which::Mean => {}
            Which::Quantile(p) => write!(f, ".p{}", 100.0 * p)?,
        }
        if let Some(market) = &self.market {
            write!(f, "@{market}")?;
        }
        write!(f, ":{}", self.width)
    }
}

impl FromStr for Until {
    type Err = String;

    /// `ci=METRIC:WIDTH`, `ci=METRIC.p95:WIDTH`, `ci=METRIC@MARKET:WIDTH`.
    fn from_str(text: &str) -> Result<Self, String> {
        let form = || format!("expected ci=METRIC:WIDTH, found {text}");
        let (what, width) = text
            .strip_prefix("ci=")
            .and_then(|rest| rest.rsplit_once(':'))
            .ok_or_else(form)?;
        let width: f64 = width.trim().parse().map_err(|_| form())?;
        if !(width > 0.0 && width.is_finite()) {
            return Err(format!(
                "expected a width greater than 0 in {text}, found {width}"
            ));
        }
        let (what, market) = match what.split_once('@') {
            Some((what, market)) => (what, Some(market.to_owned())),
            None => (what, None),
        };
        let (name, which) = match what.split_once('.') {
            None | Some((_, "mean")) => (what.trim_end_matches(".mean"), Which::Mean),
            Some((name, "median")) => (name, Which::Quantile(0.5)),
            Some((name, quantile)) => {
                let p = quantile
                    .strip_prefix('p')
                    .and_then(|digits| digits.parse::<f64>().ok())
                    .filter(|p| *p > 0.0 && *p < 100.0)
                    .ok_or_else(|| {
                        format!("expected mean, median or a quantile such as p95 after {name}., found {quantile}")
                    })?;
                (name, Which::Quantile(p / 100.0))
            }
        };
        let definition =
            catalogue::definition(name).ok_or_else(|| format!("no metric is called {name}"))?;
        if market.is_some() && definition.scope == Scope::World {
            return Err(format!("{name} is not measured for each market"));
        }
        Ok(Self {
            definition,
            market,
            which,
            width,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_narrow_is_read_and_told() {
        for text in [
            "ci=drawdown:0.01",
            "ci=bad_debt.p95:1000",
            "ci=drawdown.p50@BTC:0.02",
        ] {
            assert_eq!(text.parse::<Until>().unwrap().to_string(), text);
        }
        let median: Until = "ci=drawdown.median:0.1".parse().unwrap();
        assert_eq!(median.which, Which::Quantile(0.5));
        for (text, told) in [
            ("drawdown:0.01", "expected ci="),
            ("ci=drawdown", "expected ci="),
            ("ci=drawdwn:1", "no metric"),
            ("ci=drawdown.p0:1", "p95"),
            ("ci=drawdown:-1", "greater than 0"),
            ("ci=bad_debt@BTC:1", "not measured for each market"),
        ] {
            let error = text.parse::<Until>().unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn looks_come_at_numbers_of_replicates() {
        let until: Until = "ci=drawdown:0.01".parse().unwrap();
        let mut looks = vec![until.next(0)];
        for _ in 0..5 {
            looks.push(until.next(looks[looks.len() - 1]));
        }
        assert_eq!(looks, [16, 32, 48, 64, 80, 100]);
    }
}
