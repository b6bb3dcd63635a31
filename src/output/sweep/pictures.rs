//! The charts of a sweep: a curve with its band over one setting, a heat map over two.

use super::record::{MetricName, PointFile};
use super::store::{Store, StoreError};
use crate::chart::{self, ChartError, CurveData, HeatData, LevelData, Options};
use crate::experiment::sweep::plan::Layout;
use crate::experiment::sweep::{Axis, Design, Plan, Values};
use crate::math::ops;
use crate::math::quantile::quantile;
use crate::measure::expect::Comparison;
use crate::measure::{Definition, Scope, Unit, catalogue};
use crate::output::pictures::Picture;
use std::str::FromStr;

/// Comparisons as they stand in the names of files.
const COMPARISONS: [(Comparison, &str); 6] = [
    (Comparison::Less, "below"),
    (Comparison::AtMost, "at-most"),
    (Comparison::Equal, "equal"),
    (Comparison::NotEqual, "not"),
    (Comparison::AtLeast, "at-least"),
    (Comparison::More, "above"),
];

/// What is drawn: a metric's median over the replicates, or in which share of them it meets a condition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown {
    definition: &'static Definition,
    condition: Option<(Comparison, f64)>,
}

impl Shown {
    /// A metric's median.
    pub const fn metric(definition: &'static Definition) -> Self {
        Self {
            definition,
            condition: None,
        }
    }

    /// What it says, of a market where it is measured for each.
    pub fn label(&self, market: Option<&str>) -> String {
        let label = match market {
            Some(market) if self.definition.scope == Scope::Market => {
                format!("{market} {}", self.definition.label)
            }
            _ => self.definition.label.to_owned(),
        };
        match self.condition {
            Some((comparison, value)) => {
                format!("runs with {label} {} {value}", comparison.symbol())
            }
            None => label,
        }
    }

    /// Name of its file.
    pub fn file(&self) -> String {
        match self.condition {
            Some((comparison, value)) => {
                let words = COMPARISONS.iter().find(|(of, _)| *of == comparison);
                let word = words.map_or("", |(_, word)| word);
                format!("{}-{word}-{value}", self.definition.name)
            }
            None => self.definition.name.to_owned(),
        }
    }

    /// What a file of this name shows.
    pub fn of_file(name: &str) -> Option<Self> {
        COMPARISONS
            .iter()
            .find_map(|(comparison, word)| {
                let (metric, value) = name.split_once(&format!("-{word}-"))?;
                Some(Self {
                    definition: catalogue::definition(metric)?,
                    condition: Some((*comparison, value.parse().ok()?)),
                })
            })
            .or_else(|| catalogue::definition(name).map(Self::metric))
    }

    /// Whether it is the share of runs that meet a condition.
    pub const fn is_condition(&self) -> bool {
        self.condition.is_some()
    }

    /// What is measured.
    pub const fn definition(&self) -> &'static Definition {
        self.definition
    }

    /// Lower edge, middle and upper edge at a point; undefined where there is nothing.
    fn at(&self, point: &PointFile, market: Option<&str>) -> [f64; 3] {
        let values = values(point, self.definition, market);
        let Some((comparison, value)) = self.condition else {
            let mut finite: Vec<f64> = values
                .into_iter()
                .flatten()
                .filter(|v| v.is_finite())
                .collect();
            finite.sort_unstable_by(f64::total_cmp);
            return [0.05, 0.5, 0.95].map(|p| quantile(&finite, p).unwrap_or(f64::NAN));
        };
        let n = values.len() as f64;
        let met = values
            .iter()
            .flatten()
            .filter(|found| comparison.holds(**found, value));
        let share = met.count() as f64 / n;
        let two = 2.0 * (share * (1.0 - share) / n).sqrt();
        [(share - two).max(0.0), share, (share + two).min(1.0)]
    }
}

impl FromStr for Shown {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const ALL: [Comparison; 6] = [
            Comparison::AtLeast,
            Comparison::AtMost,
            Comparison::Equal,
            Comparison::NotEqual,
            Comparison::More,
            Comparison::Less,
        ];
        let split = ALL.into_iter().find_map(|comparison| {
            let (name, value) = text.split_once(comparison.symbol())?;
            Some((name, comparison, value))
        });
        let (name, condition) = match split {
            Some((name, comparison, value)) => {
                let value: f64 = value.trim().parse().map_err(|_| {
                    format!(
                        "expected a number after {}, found {value}",
                        comparison.symbol()
                    )
                })?;
                (name, Some((comparison, value)))
            }
            None => (text, None),
        };
        let definition = catalogue::definition(name.trim())
            .ok_or_else(|| format!("no metric is called {}", name.trim()))?;
        Ok(Self {
            definition,
            condition,
        })
    }
}

/// The first market, for which metrics are shown that are measured for each.
pub fn market(store: &Store) -> Option<&str> {
    let markets = &store.plan().model.markets;
    markets.first().map(|market| market.market.as_str())
}

/// A metric in every run of a point, of the first market where it is measured for each.
fn values(point: &PointFile, definition: &Definition, market: Option<&str>) -> Vec<Option<f64>> {
    let market = market.filter(|_| definition.scope == Scope::Market);
    let place = point
        .metrics
        .iter()
        .position(|MetricName(name, of)| name == definition.name && of.as_deref() == market);
    point
        .runs
        .iter()
        .map(|run| place.and_then(|place| run[place].0))
        .collect()
}

/// Whether charts can be drawn of a plan: of every combination of one or two settings.
pub fn can_draw(plan: &Plan) -> bool {
    plan.design == Design::Grid && plan.axes.len() <= 2
}

/// What is read from the points for one chart.
struct Field {
    shown: Shown,
    edges: [Vec<f64>; 3],
}

/// What is read from a sweep's points for its charts.
pub struct Fields<'a> {
    store: &'a Store,
    fields: Vec<Field>,
    before: Vec<f64>,
}

impl<'a> Fields<'a> {
    /// Reads what is asked for from the points that were run; nothing where the plan has more than two settings or no grid.
    ///
    /// # Errors
    ///
    /// What keeps a point from being read.
    pub fn read(
        store: &'a Store,
        layout: &Layout<'_>,
        done: &[u64],
        wanted: &[Shown],
    ) -> Result<Self, StoreError> {
        let plan = &store.plan().sweep;
        let wanted = if can_draw(plan) { wanted } else { &[] };
        // With more than two settings there is nothing to fill, however many points there are.
        let n = if wanted.is_empty() {
            0
        } else {
            plan.points as usize
        };
        let market = market(store);
        let mut fields: Vec<Field> = wanted
            .iter()
            .map(|shown| Field {
                shown: *shown,
                edges: [vec![f64::NAN; n], vec![f64::NAN; n], vec![f64::NAN; n]],
            })
            .collect();
        let mut before = vec![f64::NAN; n];
        for point in done.iter().take(n) {
            let read = store.read(*point, layout)?;
            let place = *point as usize;
            for field in &mut fields {
                let found = field.shown.at(&read, market);
                for (edge, value) in field.edges.iter_mut().zip(found) {
                    edge[place] = value;
                }
            }
            before[place] = reproduction(&read, market, Line::Start);
        }
        // What no run has, such as a comparison without twins, has no chart.
        fields.retain(|field| field.edges[1].iter().any(|value| value.is_finite()));
        Ok(Self {
            store,
            fields,
            before,
        })
    }

    /// What there is to draw.
    pub fn shown(&self) -> impl Iterator<Item = Shown> + '_ {
        self.fields.iter().map(|field| field.shown)
    }

    /// Draws one of them; the subtitle is the sweep's.
    ///
    /// # Errors
    ///
    /// What keeps it from being drawn.
    pub fn draw(&self, place: usize, options: &Options) -> Result<chart::Chart, ChartError> {
        let plan = &self.store.plan().sweep;
        let market = market(self.store);
        match (self.fields.get(place), plan.axes.as_slice()) {
            (Some(field), [x]) => curve(plan, x, field, market, self.store, options),
            (Some(field), [y, x]) => {
                heat(plan, x, y, field, &self.before, market, self.store, options)
            }
            _ => Err(ChartError::Drawing(
                "a sweep of one or two settings".to_owned(),
            )),
        }
    }
}

/// Draws what is asked for.
///
/// # Errors
///
/// What keeps a point from being read.
pub fn draw(
    store: &Store,
    layout: &Layout<'_>,
    done: &[u64],
    wanted: &[Shown],
) -> Result<Result<Vec<Picture>, ChartError>, StoreError> {
    let fields = Fields::read(store, layout, done, wanted)?;
    Ok(fields
        .shown()
        .enumerate()
        .map(|(place, shown)| {
            Ok(Picture {
                name: shown.file(),
                chart: fields.draw(place, &Options::default())?,
            })
        })
        .collect())
}

/// Which reproduction number a line is drawn of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Before anything happens: the largest of those for a move of 1, 2 and 5 % down at the end of the first step. A prediction.
    Start,
    /// The highest of the run for a move of 1 % down: what came to pass.
    Peak,
}

/// Logarithm of the median over the runs of the reproduction number: the line R = 1 is where it is 0.
fn reproduction(point: &PointFile, market: Option<&str>, line: Line) -> f64 {
    let of: &[&Definition] = match line {
        Line::Start => &[
            &catalogue::DOWN_START_1,
            &catalogue::DOWN_START_2,
            &catalogue::DOWN_START_5,
        ],
        Line::Peak => &[&catalogue::DOWN_PEAK_1],
    };
    let mut largest: Vec<Option<f64>> = vec![None; point.runs.len()];
    for definition in of {
        for (most, found) in largest.iter_mut().zip(values(point, definition, market)) {
            *most = found.map(|r| most.map_or(r, |most| most.max(r))).or(*most);
        }
    }
    let mut values: Vec<f64> = largest.into_iter().flatten().collect();
    values.sort_unstable_by(f64::total_cmp);
    // Far from the line it doesn't matter how far.
    quantile(&values, 0.5).map_or(f64::NAN, |median| ops::ln(median.clamp(1e-3, 1e3)))
}

fn subtitle(plan: &Plan, store: &Store) -> String {
    format!(
        "{}, {} {} a point, seed {}",
        store.plan().name,
        plan.replicates,
        if plan.replicates == 1 { "run" } else { "runs" },
        plan.seed
    )
}

fn labels(axis: &Axis) -> Vec<String> {
    (0..axis.count().unwrap_or(0))
        .map(|place| {
            let value = axis.value(place);
            // Twelve digits are more than fit below a cell.
            match value.parse::<f64>() {
                Ok(number) if value.len() > 7 => format!("{number:.4}")
                    .trim_end_matches('0')
                    .trim_end_matches('.')
                    .to_owned(),
                _ => value,
            }
        })
        .collect()
}

fn is_share(shown: &Shown) -> bool {
    shown.condition.is_some() || shown.definition.unit == Unit::Share
}

fn curve(
    plan: &Plan,
    axis: &Axis,
    field: &Field,
    market: Option<&str>,
    store: &Store,
    options: &Options,
) -> Result<chart::Chart, ChartError> {
    let count = axis.count().unwrap_or(0);
    let number = |place: u64| match axis.is_numeric() {
        true => axis.value(place).parse().unwrap_or(f64::NAN),
        false => f64::NAN,
    };
    let [low, middle, high] = field.edges.clone();
    let (middle_name, band_name) = match field.shown.condition {
        Some(_) => ("share of runs", "± 2 standard errors"),
        None => ("median", "5 % to 95 % of runs"),
    };
    chart::curve(
        &CurveData {
            name: field.shown.label(market),
            share: is_share(&field.shown),
            x_name: axis.path.clone(),
            labels: labels(axis),
            x: (0..count).map(number).collect(),
            log: matches!(&axis.values, Values::Range(range) if range.log),
            middle_name: middle_name.to_owned(),
            middle,
            band_name: band_name.to_owned(),
            low,
            high,
        },
        &Options {
            subtitle: Some(subtitle(plan, store)),
            ..options.clone()
        },
    )
}

#[expect(
    clippy::too_many_arguments,
    reason = "two settings, what is drawn over them, and how"
)]
fn heat(
    plan: &Plan,
    x: &Axis,
    y: &Axis,
    field: &Field,
    before: &[f64],
    market: Option<&str>,
    store: &Store,
    options: &Options,
) -> Result<chart::Chart, ChartError> {
    let mut levels = vec![LevelData {
        name: "R = 1 at the start".to_owned(),
        values: before.to_vec(),
        level: 0.0,
        theory: true,
    }];
    if field.shown.condition.is_some() {
        levels.push(LevelData {
            name: "half of the runs".to_owned(),
            values: field.edges[1].clone(),
            level: 0.5,
            theory: false,
        });
    }
    chart::heat(
        &HeatData {
            name: field.shown.label(market),
            share: is_share(&field.shown),
            x_name: x.path.clone(),
            x: labels(x),
            y_name: y.path.clone(),
            y: labels(y),
            values: field.edges[1].clone(),
            levels,
        },
        &Options {
            subtitle: Some(format!(
                "{}; dashed: R at the start is 1, for a move of 1, 2 or 5 % down",
                subtitle(plan, store)
            )),
            ..options.clone()
        },
    )
}

/// On how many points more than half of the runs meet a condition just where R is at least 1, and out of how many; nothing
/// where no condition is asked for.
///
/// # Errors
///
/// A point can't be read.
pub fn agreement(
    store: &Store,
    layout: &Layout<'_>,
    done: &[u64],
    shown: &Shown,
    line: Line,
) -> Result<Option<(usize, usize)>, StoreError> {
    if shown.condition.is_none() {
        return Ok(None);
    }
    let market = market(store);
    let (mut agree, mut all) = (0, 0);
    for point in done {
        let read = store.read(*point, layout)?;
        let (found, r) = (
            shown.at(&read, market)[1],
            reproduction(&read, market, line),
        );
        if !found.is_nan() && !r.is_nan() {
            all += 1;
            agree += usize::from((found > 0.5) == (r >= 0.0));
        }
    }
    Ok(Some((agree, all)))
}

/// What is drawn where nothing is asked for: what the terminal shows.
pub fn usual() -> Vec<Shown> {
    super::terminal::SHOWN
        .iter()
        .map(|definition| Shown::metric(definition))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_says_what_it_shows() {
        for text in [
            "drawdown",
            "endogenous_share>=0.5",
            "bad_debt<1000",
            "conservation==0",
        ] {
            let shown: Shown = text.parse().unwrap();
            assert_eq!(Shown::of_file(&shown.file()), Some(shown), "{text}");
        }
        assert_eq!(Shown::of_file("frontier"), None);
    }
}
