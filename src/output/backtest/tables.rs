//! The tables of a backtest, column by column.

use crate::backtest::{Judgement, Report, RuleReport, Side, Slice};
use crate::measure::coverage::Test;
use crate::output::directory::{Directory, OutputError};
use crate::output::table::{Cell, Column, Format, Kind, Table};
use std::collections::BTreeMap;

/// One rule in one part of a history on one side.
pub struct JudgementRow<'a> {
    report: &'a Report,
    rule: &'a RuleReport,
    slice: &'a Slice,
}

/// One rule at one bar's close.
pub struct MarginRow<'a> {
    report: &'a Report,
    rule: &'a RuleReport,
    at: usize,
}

fn real(value: Option<f64>) -> Cell<'static> {
    value.map_or(Cell::Absent, Cell::Real)
}

fn whole(value: u64) -> Cell<'static> {
    Cell::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

fn statistic(test: Option<Test>) -> Cell<'static> {
    real(test.map(|test| test.statistic))
}

fn p_value(test: Option<Test>) -> Cell<'static> {
    real(test.map(|test| test.p_value))
}

impl JudgementRow<'_> {
    fn judged(&self) -> &Judgement {
        &self.slice.judgement
    }
    fn independence(&self) -> Option<Test> {
        self.judged().christoffersen.map(|tests| tests.independence)
    }
    fn conditional(&self) -> Option<Test> {
        self.judged().christoffersen.map(|tests| tests.conditional)
    }
}

/// Judgements of several histories.
pub fn judgements(reports: &[Report]) -> Table<'_, JudgementRow<'_>> {
    let rows: Vec<(&Report, &RuleReport, &Slice)> = reports
        .iter()
        .flat_map(|report| {
            report.rules.iter().flat_map(move |rule| {
                let slices = rule.slices.iter();
                slices.map(move |slice| (report, rule, slice))
            })
        })
        .collect();
    Table {
        columns: judgement_columns(),
        rows: rows.len(),
        row: Box::new(move |at| {
            let (report, rule, slice) = rows[at];
            JudgementRow {
                report,
                rule,
                slice,
            }
        }),
    }
}

fn judgement_columns<'a>() -> Vec<Column<JudgementRow<'a>>> {
    use Kind::{Integer, Real, Text};
    let column = Column::new;
    vec![
        column("market", Text, "", "the price file", |r| {
            Cell::Text(&r.report.market)
        }),
        column("rule", Text, "", "the rule file", |r| {
            Cell::Text(&r.rule.rule)
        }),
        column(
            "kind",
            Text,
            "",
            "whole, volatility, named or forward",
            |r| Cell::Text(r.slice.kind.name()),
        ),
        column("part", Text, "", "name of the part of the history", |r| {
            Cell::Text(&r.slice.name)
        }),
        column("side", Text, "", "position that is exposed", |r| {
            Cell::Text(r.slice.side.name())
        }),
        column(
            "windows",
            Integer,
            "1",
            "windows that lie side by side",
            |r| whole(r.judged().windows),
        ),
        column(
            "breaches",
            Integer,
            "1",
            "windows whose loss exceeded the margin",
            |r| whole(r.judged().breaches),
        ),
        column("breach_rate", Real, "1", "breaches over windows", |r| {
            Cell::Real(r.judged().rate())
        }),
        column(
            "kupiec",
            Real,
            "1",
            "likelihood ratio of unconditional coverage, chi2(1)",
            |r| statistic(r.judged().kupiec),
        )
        .optional(),
        column("kupiec_p", Real, "1", "its p-value", |r| {
            p_value(r.judged().kupiec)
        })
        .optional(),
        column(
            "independence",
            Real,
            "1",
            "Christoffersen's likelihood ratio on T-1 transitions, chi2(1)",
            |r| statistic(r.independence()),
        )
        .optional(),
        column("independence_p", Real, "1", "its p-value", |r| {
            p_value(r.independence())
        })
        .optional(),
        column(
            "conditional",
            Real,
            "1",
            "sum of both ratios, chi2(2)",
            |r| statistic(r.conditional()),
        )
        .optional(),
        column("conditional_p", Real, "1", "its p-value", |r| {
            p_value(r.conditional())
        })
        .optional(),
        column(
            "waits",
            Real,
            "1",
            "time between failures, chi2(breaches)",
            |r| statistic(r.judged().waits),
        )
        .optional(),
        column("waits_p", Real, "1", "its p-value", |r| {
            p_value(r.judged().waits)
        })
        .optional(),
        column(
            "dynamic_quantile",
            Real,
            "1",
            "Engle and Manganelli's DQ",
            |r| statistic(r.judged().dynamic_quantile),
        )
        .optional(),
        column("dynamic_quantile_p", Real, "1", "its p-value", |r| {
            p_value(r.judged().dynamic_quantile)
        })
        .optional(),
        column("zone", Text, "", "traffic light of all windows", |r| {
            r.judged()
                .zone
                .map_or(Cell::Absent, |zone| Cell::Text(zone.name()))
        })
        .optional(),
        column(
            "green",
            Real,
            "1",
            "share of 250 consecutive windows in green",
            |r| real(r.judged().light.map(|light| light.shares[0])),
        )
        .optional(),
        column("yellow", Real, "1", "the same in yellow", |r| {
            real(r.judged().light.map(|light| light.shares[1]))
        })
        .optional(),
        column("red", Real, "1", "the same in red", |r| {
            real(r.judged().light.map(|light| light.shares[2]))
        })
        .optional(),
        column(
            "most_of_250",
            Integer,
            "1",
            "most breaches in 250 consecutive windows",
            |r| {
                r.judged()
                    .light
                    .map_or(Cell::Absent, |light| whole(light.most))
            },
        )
        .optional(),
        column(
            "add_on",
            Real,
            "1",
            "addition to the multiplier for the last 250 windows",
            |r| real(r.judged().light.and_then(|light| light.add_on)),
        )
        .optional(),
        column(
            "z2",
            Real,
            "1",
            "Acerbi and Szekely's second statistic",
            |r| Cell::Real(r.judged().z2),
        ),
        column(
            "z2_p",
            Real,
            "1",
            "share of simulated statistics at least as low",
            |r| real(r.judged().z2_p_value),
        )
        .optional(),
        column(
            "shortfall_from",
            Text,
            "",
            "rule, or normal_tail where the rule states none",
            |r| {
                Cell::Text(if r.rule.states_shortfall {
                    "rule"
                } else {
                    "normal_tail"
                })
            },
        ),
        column("pinball", Real, "notional", "mean pinball loss", |r| {
            Cell::Real(r.judged().pinball)
        }),
        column("margin", Real, "notional", "mean margin", |r| {
            Cell::Real(r.judged().margin)
        }),
        column(
            "shortfall",
            Real,
            "notional",
            "mean loss beyond the margin over breaches",
            |r| real(r.judged().shortfall),
        )
        .optional(),
        column(
            "worst",
            Real,
            "notional",
            "largest loss beyond the margin",
            |r| real(r.judged().worst),
        )
        .optional(),
    ]
}

/// Margins and losses of several histories, bar by bar from the first judged one on.
pub fn margins(reports: &[Report]) -> Table<'_, MarginRow<'_>> {
    let mut rows = 0;
    // Where each history's and rule's rows end.
    let ends: Vec<(usize, &Report, &RuleReport)> = reports
        .iter()
        .flat_map(|report| report.rules.iter().map(move |rule| (report, rule)))
        .map(|(report, rule)| {
            rows += report.rolling;
            (rows, report, rule)
        })
        .collect();
    Table {
        columns: margin_columns(),
        rows,
        row: Box::new(move |at| {
            let (end, report, rule) = ends[ends.partition_point(|(end, ..)| *end <= at)];
            MarginRow {
                report,
                rule,
                at: report.windows.first + report.rolling + at - end,
            }
        }),
    }
}

impl MarginRow<'_> {
    fn loss(&self, side: Side) -> f64 {
        match side {
            Side::Long => self.report.losses.long[self.at],
            Side::Short => self.report.losses.short[self.at],
        }
    }
    fn breached(&self, side: Side) -> i64 {
        i64::from(self.loss(side) > self.rule.rates[self.at])
    }
}

fn margin_columns<'a>() -> Vec<Column<MarginRow<'a>>> {
    use Kind::{Integer, Real, Text, Time};
    let column = Column::new;
    vec![
        column("market", Text, "", "the price file", |r| {
            Cell::Text(&r.report.market)
        }),
        column("rule", Text, "", "the rule file", |r| {
            Cell::Text(&r.rule.rule)
        }),
        column(
            "time",
            Time,
            "UTC",
            "close of the bar at which the margin stands",
            |r| Cell::Integer(r.report.closes_ms[r.at] * 1_000),
        ),
        column("margin", Real, "notional", "the margin", |r| {
            Cell::Real(r.rule.rates[r.at])
        }),
        column(
            "loss_long",
            Real,
            "notional",
            "loss of a long position over the horizon that follows",
            |r| Cell::Real(r.loss(Side::Long)),
        ),
        column(
            "loss_short",
            Real,
            "notional",
            "the same of a short position",
            |r| Cell::Real(r.loss(Side::Short)),
        ),
        column(
            "breach_long",
            Integer,
            "1",
            "1 where the long loss exceeds the margin",
            |r| Cell::Integer(r.breached(Side::Long)),
        ),
        column(
            "breach_short",
            Integer,
            "1",
            "1 where the short loss does",
            |r| Cell::Integer(r.breached(Side::Short)),
        ),
        column(
            "judged",
            Integer,
            "1",
            "1 where a window of the tests begins",
            |r| {
                let judged = r.report.windows.begins.binary_search(&r.at).is_ok();
                Cell::Integer(i64::from(judged))
            },
        ),
    ]
}

/// The unit of every column, for the manifest.
pub fn units() -> BTreeMap<String, BTreeMap<String, String>> {
    fn of<R>(columns: Vec<Column<R>>) -> BTreeMap<String, String> {
        columns
            .iter()
            .map(|column| (column.name.to_string(), column.unit.to_owned()))
            .collect()
    }
    BTreeMap::from([
        ("judgements".to_owned(), of(judgement_columns())),
        ("margins".to_owned(), of(margin_columns())),
    ])
}

/// Writes `judgements` and `margins`.
///
/// # Errors
///
/// The file and the operation that failed.
pub fn save(
    reports: &[Report],
    metadata: &[(String, String)],
    format: Format,
    directory: &mut Directory,
) -> Result<(), OutputError> {
    put(
        "judgements",
        &judgements(reports),
        metadata,
        format,
        directory,
    )?;
    put("margins", &margins(reports), metadata, format, directory)
}

#[cfg_attr(
    not(feature = "parquet"),
    allow(unused_variables, reason = "CSV leaves the metadata to the manifest")
)]
fn put<R>(
    name: &str,
    table: &Table<'_, R>,
    metadata: &[(String, String)],
    format: Format,
    directory: &mut Directory,
) -> Result<(), OutputError> {
    directory.write(
        &format!("{name}.{}", format.extension()),
        |out| match format {
            #[cfg(feature = "parquet")]
            Format::Parquet => table.write_parquet(metadata, out),
            Format::Csv => table.write_csv(out),
        },
    )
}
