//! What a scenario says of a market's surface.

use super::arbitrage::{self, Arbitrage};
use super::dynamics::{Follow, Response, Stickiness};
use super::fit::{self, Quote};
use super::grid::{Axis, Points};
use super::svi::{Ssvi, Svi};
use super::{Shape, Slice, Smile, Surface};
use crate::math::ops;
use crate::unit::Span;
use crate::unit::span::YEAR;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Implied volatility by strike and expiry, and how it moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SurfaceSettings {
    /// The surface at the start.
    pub shape: ShapeSettings,
    /// What keeps its volatility when the price moves: `"delta"` or `"strike"`.
    #[serde(default)]
    pub sticky: Stickiness,
    /// How the level responds to the price; not at all where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Response>,
    /// How implied volatility follows realised; not at all where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow: Option<Follow>,
}

/// The shape of a surface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ShapeSettings {
    /// One volatility for all.
    Flat(FlatSettings),
    /// SVI, one slice an expiry.
    Svi(Vec<SviSettings>),
    /// SSVI: three numbers and the volatilities at the money.
    Ssvi(SsviSettings),
    /// A table by expiry and strike, moneyness or delta.
    Grid(GridSettings),
}

/// One volatility for all.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlatSettings {
    /// Per year.
    pub volatility: f64,
}

/// SVI of one expiry.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SviSettings {
    /// Time to expiry.
    pub expiry: Span,
    /// Level of total variance.
    pub a: f64,
    /// Slope of the wings together; 0 or more.
    pub b: f64,
    /// Turn: between −1 and 1; negative where low strikes are dearer.
    pub rho: f64,
    /// Log-moneyness of the turning point.
    #[serde(default)]
    pub m: f64,
    /// Width of the turn; positive.
    pub sigma: f64,
}

impl SviSettings {
    const fn svi(&self) -> Svi {
        Svi {
            a: self.a,
            b: self.b,
            rho: self.rho,
            m: self.m,
            sigma: self.sigma,
        }
    }
}

/// SSVI.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SsviSettings {
    /// Turn: between −1 and 1; negative where low strikes are dearer.
    pub rho: f64,
    /// Steepness of the smile.
    pub eta: f64,
    /// How it fades with variance: 0 to 1.
    #[serde(default = "half")]
    pub gamma: f64,
    /// Volatilities at the money, `[["7d", 0.7], ["30d", 0.6]]`.
    pub term: Vec<(Span, f64)>,
}

const fn half() -> f64 {
    0.5
}

/// A table of volatilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GridSettings {
    /// What the first number of a point is: `"strike"`, `"moneyness"` or `"delta"` (of the call).
    #[serde(default)]
    pub by: Axis,
    /// The expiries.
    pub rows: Vec<RowSettings>,
    /// Whether an SVI slice is fitted to each row and taken in its place.
    #[serde(default)]
    pub fit: bool,
}

/// One expiry of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowSettings {
    /// Time to expiry.
    pub expiry: Span,
    /// Points, `[[90000, 0.68], [100000, 0.6]]`.
    pub points: Vec<[f64; 2]>,
}

type Found = Vec<(String, String)>;

fn volatility(key: String, found: f64, out: &mut Found) {
    if !(found > 0.0 && found <= 20.0) {
        out.push((
            key,
            format!("found {found}, expected a volatility per year between 0 and 20 (0.6 is 60 %)"),
        ));
    }
}

impl ShapeSettings {
    /// The setting's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Flat(_) => "flat",
            Self::Svi(_) => "svi",
            Self::Ssvi(_) => "ssvi",
            Self::Grid(_) => "grid",
        }
    }

    /// The expiries in the order of the file, each with the key of its row.
    fn expiries(&self) -> Vec<(String, Span)> {
        let keyed = |list: Vec<Span>, key: &dyn Fn(usize) -> String| {
            list.into_iter()
                .enumerate()
                .map(|(at, span)| (key(at), span))
                .collect()
        };
        match self {
            Self::Flat(_) => Vec::new(),
            Self::Svi(slices) => keyed(slices.iter().map(|slice| slice.expiry).collect(), &|at| {
                format!("[{at}]")
            }),
            Self::Ssvi(ssvi) => keyed(ssvi.term.iter().map(|term| term.0).collect(), &|at| {
                format!("term[{at}]")
            }),
            Self::Grid(grid) => keyed(grid.rows.iter().map(|row| row.expiry).collect(), &|at| {
                format!("rows[{at}]")
            }),
        }
    }

    /// What is wrong with single numbers.
    fn numbers(&self) -> Found {
        let mut out = Vec::new();
        match self {
            Self::Flat(flat) => volatility("volatility".to_owned(), flat.volatility, &mut out),
            Self::Svi(slices) => {
                for (at, slice) in slices.iter().enumerate() {
                    let nested = slice.svi().problems().into_iter();
                    out.extend(nested.map(|(key, text)| (format!("[{at}].{key}"), text)));
                }
            }
            Self::Ssvi(ssvi) => {
                if !(-1.0 < ssvi.rho && ssvi.rho < 1.0) {
                    out.push((
                        "rho".to_owned(),
                        format!("found {}, expected a number between -1 and 1", ssvi.rho),
                    ));
                }
                if !(ssvi.eta > 0.0 && ssvi.eta.is_finite()) {
                    out.push((
                        "eta".to_owned(),
                        format!("found {}, expected a number greater than 0", ssvi.eta),
                    ));
                }
                if !(0.0..=1.0).contains(&ssvi.gamma) {
                    out.push((
                        "gamma".to_owned(),
                        format!("found {}, expected a number from 0 to 1", ssvi.gamma),
                    ));
                }
                for (at, term) in ssvi.term.iter().enumerate() {
                    volatility(format!("term[{at}]"), term.1, &mut out);
                }
            }
            Self::Grid(grid) => {
                for (at, row) in grid.rows.iter().enumerate() {
                    let few = if grid.fit { fit::FEWEST } else { 1 };
                    if row.points.len() < few {
                        let found = row.points.len();
                        out.push((
                            format!("rows[{at}].points"),
                            format!("found {found} points, expected at least {few}"),
                        ));
                    }
                    for (place, point) in row.points.iter().enumerate() {
                        let key = format!("rows[{at}].points[{place}]");
                        let wrong = match grid.by {
                            Axis::Delta => !(point[0] > 0.0 && point[0] < 1.0),
                            Axis::Strike | Axis::Moneyness => {
                                !(point[0] > 0.0 && point[0].is_finite())
                            }
                        };
                        if wrong {
                            let expected = match grid.by {
                                Axis::Delta => {
                                    "the delta of a call, between 0 and 1 (a put of -0.25 is the call of 0.75)"
                                }
                                Axis::Strike => "a strike greater than 0",
                                Axis::Moneyness => "a strike over the forward, greater than 0",
                            };
                            out.push((
                                key.clone(),
                                format!("found {}, expected {expected}", point[0]),
                            ));
                        }
                        if row.points[..place].iter().any(|other| other[0] == point[0]) {
                            out.push((
                                key.clone(),
                                format!("{} stands twice in its expiry", point[0]),
                            ));
                        }
                        volatility(key, point[1], &mut out);
                    }
                }
            }
        }
        out
    }

    /// The shape, for a price in settlement currency.
    fn shape(&self, price: f64) -> Shape {
        let years = |span: Span| span.as_seconds() / YEAR;
        let slices = match self {
            Self::Flat(flat) => return Shape::flat(flat.volatility),
            Self::Svi(slices) => slices
                .iter()
                .map(|slice| Slice {
                    years: years(slice.expiry),
                    smile: Smile::Svi(slice.svi()),
                })
                .collect(),
            Self::Ssvi(ssvi) => {
                let surface = Ssvi {
                    rho: ssvi.rho,
                    eta: ssvi.eta,
                    gamma: ssvi.gamma,
                };
                let slice = |&(expiry, volatility): &(Span, f64)| Slice {
                    years: years(expiry),
                    smile: Smile::Svi(surface.slice(volatility * volatility * years(expiry))),
                };
                ssvi.term.iter().map(slice).collect()
            }
            Self::Grid(grid) => grid
                .rows
                .iter()
                .map(|row| {
                    let years = years(row.expiry);
                    let points = Points::new(grid.by, &row.points, years, price);
                    let smile = match grid.fit {
                        true => fitted(&points).map_or(Smile::Grid(points), Smile::Svi),
                        false => Smile::Grid(points),
                    };
                    Slice { years, smile }
                })
                .collect(),
        };
        Shape::new(slices)
    }
}

/// The slice nearest to the points, by their vega.
fn fitted(points: &Points) -> Option<Svi> {
    let quotes: Vec<Quote> = points
        .points()
        .iter()
        .map(|&(k, variance)| {
            let s = variance.sqrt();
            Quote {
                k,
                variance,
                weight: ops::normal_density(-k / s + 0.5 * s),
            }
        })
        .collect();
    fit::fit(&quotes).map(|(svi, _)| svi)
}

impl SurfaceSettings {
    /// What is wrong with the settings in a market that starts at this price in settlement currency: (key within the surface,
    /// sentence). Arbitrages are named by strike and expiry.
    pub fn problems(&self, price: f64) -> Vec<(String, String)> {
        let name = format!("shape.{}", self.shape.name());
        let under = |key: &str| match key.is_empty() || key.starts_with('[') {
            true => format!("{name}{key}"),
            false => format!("{name}.{key}"),
        };
        let mut out = Vec::new();
        for (key, text) in self.shape.numbers() {
            out.push((under(&key), text));
        }
        let expiries = self.shape.expiries();
        if expiries.is_empty() && !matches!(self.shape, ShapeSettings::Flat(_)) {
            out.push((under(""), "expected at least one expiry".to_owned()));
        }
        for (at, (key, expiry)) in expiries.iter().enumerate() {
            if !(*expiry > Span::ZERO && *expiry < Span::NEVER) {
                out.push((
                    under(key),
                    format!("found an expiry of {expiry}, expected a time such as \"7d\""),
                ));
            } else if at > 0 && expiries[at - 1].1 >= *expiry {
                let before = expiries[at - 1].1;
                out.push((
                    under(key),
                    format!(
                        "an expiry of {expiry} after one of {before}: put expiries in rising order"
                    ),
                ));
            }
        }
        if out.is_empty() {
            for found in arbitrage::find(&self.shape.shape(price)) {
                let (Arbitrage::Butterfly { slice, k } | Arbitrage::Calendar { slice, k }) = found;
                let (key, expiry) = &expiries[slice];
                let strike = price * ops::exp(k);
                let text = match found {
                    Arbitrage::Butterfly { .. } => format!(
                        "a butterfly around the strike {strike:.6} of the expiry {expiry} would cost less than nothing: prices must be convex in the strike"
                    ),
                    Arbitrage::Calendar { .. } => format!(
                        "total variance at the strike {strike:.6} falls between the expiries {} and {expiry}: the later option would cost less",
                        expiries[slice - 1].1
                    ),
                };
                out.push((under(key), text));
            }
        }
        let nested = |prefix: &str, list: Found| {
            let prefix = prefix.to_owned();
            list.into_iter()
                .map(move |(key, text)| (format!("{prefix}.{key}"), text))
        };
        out.extend(
            self.response
                .iter()
                .flat_map(|part| nested("response", part.problems())),
        );
        out.extend(
            self.follow
                .iter()
                .flat_map(|part| nested("follow", part.problems())),
        );
        out
    }

    /// The surface of a market that starts at `price` in settlement currency and `start` in ticks. The settings must have no problems.
    pub fn build(&self, price: f64, start: f64) -> Surface {
        Surface::new(
            self.shape.shape(price),
            start,
            self.sticky,
            self.response,
            self.follow,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> SurfaceSettings {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_surface_reads_as_written() {
        let grid = read(
            r#"
            sticky = "strike"
            response = { beta = 1.2, half_life = "6h" }
            follow = { usual = 0.5 }
            [shape.grid]
            rows = [
                { expiry = "7d", points = [[90000, 0.7], [100000, 0.6], [110000, 0.62]] },
                { expiry = "30d", points = [[90000, 0.68], [100000, 0.6], [110000, 0.61]] },
            ]
            "#,
        );
        assert_eq!(grid.problems(100_000.0), []);
        let surface = grid.build(100_000.0, 1_000_000.0);
        let week = 7.0 / 365.0;
        assert!((surface.volatility(week, 900_000.0, 1_000_000.0) - 0.7).abs() < 1e-12);
        let ssvi =
            read("shape.ssvi = { rho = -0.4, eta = 0.9, term = [[\"7d\", 0.7], [\"90d\", 0.6]] }");
        assert_eq!(ssvi.problems(1.0), []);
        assert!((ssvi.build(1.0, 1.0).at_the_money(week, 1.0) - 0.7).abs() < 1e-12);
        let svi = read(
            "shape.svi = [{ expiry = \"30d\", a = 0.01, b = 0.08, rho = -0.3, m = 0, sigma = 0.2 }]",
        );
        assert_eq!(svi.problems(1.0), []);
    }

    #[test]
    fn a_fitted_table_is_svi() {
        let svi = Svi {
            a: 0.01,
            b: 0.06,
            rho: -0.3,
            m: 0.0,
            sigma: 0.1,
        };
        let years = 30.0 / 365.0;
        let points: Vec<String> = (-5..=5)
            .map(|place| {
                let k = 0.08 * f64::from(place);
                format!("[{}, {}]", ops::exp(k), (svi.variance(k) / years).sqrt())
            })
            .collect();
        let text = format!(
            "shape.grid = {{ by = \"moneyness\", fit = true, rows = [{{ expiry = \"30d\", points = [{}] }}] }}",
            points.join(", ")
        );
        let settings = read(&text);
        assert_eq!(settings.problems(100.0), []);
        let surface = settings.build(100.0, 100.0);
        assert!(matches!(surface.shape().slices()[0].smile, Smile::Svi(_)));
        let expected = (svi.variance(0.2) / years).sqrt();
        let found = surface.volatility(years, 100.0 * ops::exp(0.2), 100.0);
        assert!((found - expected).abs() < 1e-3, "{found} {expected}");
    }

    #[test]
    fn arbitrage_is_named_by_strike_and_expiry() {
        let butterfly = read(
            "shape.grid.rows = [{ expiry = \"90d\", points = [[80, 0.5], [90, 0.75], [100, 0.5], [110, 0.5]] }]",
        );
        let [(key, text)] = &butterfly.problems(100.0)[..] else {
            panic!("{:?}", butterfly.problems(100.0))
        };
        assert_eq!(key, "shape.grid.rows[0]");
        assert!(
            text.contains("strike 90.000000") && text.contains("expiry 90d"),
            "{text}"
        );
        let calendar =
            read("shape.ssvi = { rho = -0.4, eta = 0.9, term = [[\"7d\", 1.5], [\"14d\", 0.5]] }");
        let [(key, text)] = &calendar.problems(100.0)[..] else {
            panic!("{:?}", calendar.problems(100.0))
        };
        assert_eq!(key, "shape.ssvi.term[1]");
        assert!(text.contains("between the expiries 7d and 14d"), "{text}");
    }

    #[test]
    fn numbers_that_make_no_surface_are_refused_all_at_once() {
        let wrong = read(
            r#"
            response = { beta = 1, tenor = "0s" }
            follow = { usual = 0, share = 2 }
            [shape.grid]
            by = "delta"
            rows = [
                { expiry = "30d", points = [[1.5, 0.6], [0.5, -0.6], [0.5, 0.6]] },
                { expiry = "7d", points = [] },
            ]
            "#,
        );
        let keys: Vec<String> = wrong
            .problems(100.0)
            .into_iter()
            .map(|(key, _)| key)
            .collect();
        for key in [
            "shape.grid.rows[0].points[0]",
            "shape.grid.rows[0].points[1]",
            "shape.grid.rows[0].points[2]",
            "shape.grid.rows[1].points",
            "shape.grid.rows[1]",
            "response.tenor",
            "follow.usual",
            "follow.share",
        ] {
            assert!(keys.iter().any(|found| found == key), "{key} in {keys:?}");
        }
    }
}
