//! The table of a backtest: a column for each rule, as many abreast as the width allows.

use crate::backtest::report::RISES;
use crate::backtest::{Judgement, Kind, Report, RuleReport, Side};
use crate::measure::Unit;
use crate::measure::coverage::{Test, Zone};
use crate::output::human;
use crate::output::terminal::Style;
use crate::unit::Span;
use std::fmt::Write as _;

const LABEL: usize = 32;
const VALUE: usize = 16;

/// A p-value below this is marked.
const SIZE: f64 = 0.05;

/// One line: a label, and what it says of each rule.
struct Line<'a> {
    label: String,
    cell: Box<dyn Fn(&RuleReport) -> Entry + 'a>,
}

/// A cell, and whether it is a warning.
struct Entry {
    text: String,
    bad: bool,
}

impl From<String> for Entry {
    fn from(text: String) -> Self {
        Self { text, bad: false }
    }
}

/// A group of lines.
struct Section<'a> {
    title: String,
    lines: Vec<Line<'a>>,
}

impl<'a> Section<'a> {
    fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            lines: Vec::new(),
        }
    }
    fn line<E: Into<Entry>>(
        &mut self,
        label: impl Into<String>,
        cell: impl Fn(&RuleReport) -> E + 'a,
    ) {
        self.lines.push(Line {
            label: label.into(),
            cell: Box::new(move |rule| cell(rule).into()),
        });
    }
}

/// The table of one history, at most `width` columns wide and at least as wide as one rule needs.
pub fn table(report: &Report, width: usize, style: &Style) -> String {
    let mut text = heading(report, width, style);
    let abreast = (width.saturating_sub(LABEL) / VALUE).max(1);
    for rules in report.rules.chunks(abreast) {
        text.push('\n');
        let mut names = String::new();
        for rule in rules {
            let _ = write!(names, "{:>VALUE$}", short(&rule.rule));
        }
        put(&mut text, &" ".repeat(LABEL), &names);
        for section in sections(report) {
            text.push_str(&style.dress("1", &section.title));
            text.push('\n');
            for line in &section.lines {
                let cells: String = rules
                    .iter()
                    .map(|rule| {
                        let Entry { text, bad } = (line.cell)(rule);
                        let padding = " ".repeat(VALUE.saturating_sub(text.chars().count()));
                        let dressed = if bad { style.dress("31", &text) } else { text };
                        padding + &dressed
                    })
                    .collect();
                put(
                    &mut text,
                    &format!("  {:<w$}", line.label, w = LABEL - 2),
                    &cells,
                );
            }
        }
    }
    text.push_str("\n* rejected at 5 %");
    let normal: Vec<&str> = report
        .rules
        .iter()
        .filter(|rule| !rule.states_shortfall)
        .map(|rule| rule.rule.as_str())
        .collect();
    if !normal.is_empty() {
        let which = if normal.len() == report.rules.len() {
            String::new()
        } else {
            format!(" for {}", normal.join(", "))
        };
        let _ = write!(text, "; Z₂ takes a normal tail beyond the margin{which}");
    }
    text.push('\n');
    text
}

fn heading(report: &Report, width: usize, style: &Style) -> String {
    let settings = &report.settings;
    let count = |n: f64| human::number(n, Unit::Count, "");
    let mut text = style.dress("1", &report.market) + "\n";
    let mut words = format!(
        "{} margin against the loss over {}, {}; promised cover {} %. {} windows side by side from {} to {} UTC; {} overlapping ones.",
        settings.requirement.name(),
        settings.horizon,
        settings.loss.name(),
        percent(settings.confidence),
        count(report.windows.begins.len() as f64),
        day(&report.from),
        day(&report.to),
        count(report.rolling as f64),
    );
    if report.held > 0 {
        let _ = write!(
            words,
            " {} of {} bars are missing from the file: the price stands still there.",
            count(report.held as f64),
            count(report.bars as f64)
        );
    }
    text.push_str(&wrapped(&words, width));
    text
}

fn sections(report: &Report) -> Vec<Section<'_>> {
    let mut all = vec![margin()];
    for side in Side::BOTH {
        all.push(coverage(report, side));
    }
    all.push(procyclicality(report.bar));
    all.extend(parts(report));
    all
}

fn margin<'a>() -> Section<'a> {
    let mut section = Section::new("Margin");
    section.line("mean", |rule| share(rule.cycle.mean));
    section.line("least / greatest", |rule| {
        pair(rule.cycle.least, rule.cycle.greatest)
    });
    section
}

fn coverage(report: &Report, side: Side) -> Section<'_> {
    let expected = (1.0 - report.settings.confidence) * report.windows.begins.len() as f64;
    let title = match side {
        Side::Long => "Long positions",
        Side::Short => "Short positions",
    };
    let mut section = Section::new(title);
    let on = move |cell: fn(&Judgement) -> Entry| {
        move |rule: &RuleReport| rule.whole(side).map_or_else(none, cell)
    };
    section.line(
        format!("breaches ({expected:.1} expected)"),
        on(|j| j.breaches.to_string().into()),
    );
    section.line("breach rate", on(|j| share(j.rate()).into()));
    let rolling = report.rolling.max(1) as f64;
    section.line("  of overlapping windows", move |rule| {
        share(rule.rolling[side as usize] as f64 / rolling)
    });
    section.line("p of coverage (Kupiec)", on(|j| p_value(j.kupiec)));
    section.line(
        "p of independence",
        on(|j| p_value(j.christoffersen.map(|tests| tests.independence))),
    );
    section.line(
        "p of both (Christoffersen)",
        on(|j| p_value(j.christoffersen.map(|tests| tests.conditional))),
    );
    section.line("p of waits between breaches", on(|j| p_value(j.waits)));
    section.line("p of dynamic quantile", on(|j| p_value(j.dynamic_quantile)));
    section.line("traffic light", on(|j| zone(j.zone)));
    section.line(
        "  of 250: green/yellow/red",
        on(|j| {
            j.light.map_or_else(none, |light| {
                let [green, yellow, red] = light.shares.map(|share| 100.0 * share);
                format!("{green:.0}/{yellow:.0}/{red:.0} %").into()
            })
        }),
    );
    section.line("Z₂ of the shortfall", on(z2));
    section.line(
        "shortfall mean / worst",
        on(|j| match (j.shortfall, j.worst) {
            (Some(mean), Some(worst)) => pair(mean, worst).into(),
            _ => none(),
        }),
    );
    section.line(
        "pinball loss",
        on(|j| format!("{:.2} bp", 1e4 * j.pinball).into()),
    );
    section
}

fn procyclicality<'a>(bar: Span) -> Section<'a> {
    let mut section = Section::new("Procyclicality");
    section.line("peak to trough", |rule| {
        rule.cycle
            .peak_to_trough
            .map_or_else(dash, |ratio| human::number(ratio, Unit::Ratio, ""))
    });
    for (k, seconds) in RISES.into_iter().enumerate() {
        if seconds < bar.as_seconds() {
            continue;
        }
        let label = format!("largest rise in {}", Span::seconds(seconds));
        section.line(label, move |rule| {
            rule.cycle.rises[k].map_or_else(dash, share)
        });
    }
    section.line("sd of daily log change", |rule| {
        rule.cycle
            .variability
            .map_or_else(dash, |sd| format!("{sd:.3}"))
    });
    section
}

fn parts(report: &Report) -> Vec<Section<'_>> {
    let past = report.settings.volatility;
    let mut sections = Vec::new();
    for (kind, title) in [
        (
            Kind::Volatility,
            format!("Breach rate long / short by volatility of the past {past}"),
        ),
        (
            Kind::Forward,
            "Breach rate long / short, walking forward".to_owned(),
        ),
        (Kind::Named, "Breaches long / short in crashes".to_owned()),
    ] {
        let mut section = Section::new(title);
        for part in report.parts.iter().filter(|part| part.kind == kind) {
            let mut label = part.name.clone();
            if kind == Kind::Named {
                let windows = part.windows.len();
                let _ = write!(label, " ({windows} windows)");
            }
            section.line(label, move |rule| {
                let on = |side| rule.judgement(kind, &part.name, side);
                match (on(Side::Long), on(Side::Short)) {
                    (Some(long), Some(short)) if kind == Kind::Named => {
                        format!("{} / {}", long.breaches, short.breaches).into()
                    }
                    (Some(long), Some(short)) => both(long, short),
                    _ => none(),
                }
            });
        }
        if !section.lines.is_empty() {
            sections.push(section);
        }
    }
    sections
}

fn put(text: &mut String, label: &str, cells: &str) {
    text.push_str(format!("{label}{cells}").trim_end());
    text.push('\n');
}

/// A name that leaves a blank before it.
fn short(name: &str) -> String {
    if name.chars().count() < VALUE {
        return name.to_owned();
    }
    let kept: String = name.chars().take(VALUE - 2).collect();
    kept + "…"
}

fn day(moment: &str) -> &str {
    moment.split(' ').next().unwrap_or(moment)
}

fn dash() -> String {
    "-".to_owned()
}
fn none() -> Entry {
    dash().into()
}

fn share(value: f64) -> String {
    human::number(value, Unit::Share, "")
}

/// A percentage with as few digits as it needs.
fn percent(value: f64) -> String {
    let text = format!("{:.4}", 100.0 * value);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Two shares in one cell.
fn pair(one: f64, other: f64) -> String {
    let digits = |value: f64| if value < 0.1 { 2 } else { 1 };
    let (one_digits, other_digits) = (digits(one), digits(other));
    format!(
        "{:.one_digits$} / {:.other_digits$} %",
        100.0 * one,
        100.0 * other
    )
}

fn p_value(test: Option<Test>) -> Entry {
    test.map_or_else(none, |test| {
        marked(&probability(test.p_value), test.rejects(SIZE))
    })
}

fn probability(p: f64) -> String {
    if p < 0.0005 {
        "< 0.001".to_owned()
    } else {
        format!("{p:.3}")
    }
}

/// A blank stands where there is no mark, so that digits stay below digits.
fn marked(text: &str, bad: bool) -> Entry {
    let mark = if bad { '*' } else { ' ' };
    Entry {
        text: format!("{text}{mark}"),
        bad,
    }
}

fn zone(zone: Option<Zone>) -> Entry {
    zone.map_or_else(none, |zone| Entry {
        text: zone.name().to_owned(),
        bad: zone == Zone::Red,
    })
}

fn z2(judgement: &Judgement) -> Entry {
    let bad = judgement.z2_p_value.is_some_and(|p| p < SIZE);
    marked(&format!("{:.2}", judgement.z2), bad)
}

/// Rates of both sides, each with a star where coverage is rejected.
fn both(long: &Judgement, short: &Judgement) -> Entry {
    let one = |judgement: &Judgement| {
        let bad = judgement.kupiec.is_some_and(|test| test.rejects(SIZE));
        let mark = if bad { "*" } else { "" };
        (format!("{:.1}{mark}", 100.0 * judgement.rate()), bad)
    };
    let ((long, worse), (short, bad)) = (one(long), one(short));
    Entry {
        text: format!("{long} / {short} %"),
        bad: worse || bad,
    }
}

/// Words on lines of a width.
fn wrapped(words: &str, width: usize) -> String {
    let mut text = String::new();
    let mut room = 0;
    for word in words.split(' ') {
        let length = word.chars().count();
        if room > 0 && room + 1 + length > width {
            text.push('\n');
            room = 0;
        } else if room > 0 {
            text.push(' ');
            room += 1;
        }
        text.push_str(word);
        room += length;
    }
    text + "\n"
}
