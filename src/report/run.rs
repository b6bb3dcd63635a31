//! The page of a run.

use super::page::{Block, Cell, Head, Page, Section, Table};
use super::{ReportError, figures, metrics, settings, unmodelled};
use crate::measure::ExpectSettings;
use crate::measure::Unit;
use crate::output::exhibit::Source;
use crate::output::human;
use crate::output::manifest::Status;
use serde_json::Value;

/// Puts it together.
pub(super) fn page(source: &Source) -> Result<Page, ReportError> {
    let manifest = &source.manifest;
    let scenario = &manifest.scenario;
    let run = source.run.as_ref();
    let currency = run.map_or("USD", |run| run.currency.as_str());
    let markets: Vec<String> = manifest
        .model
        .markets
        .iter()
        .map(|m| m.market.clone())
        .collect();
    let summary = metrics::read(source.path())?;
    let exhibits = source.exhibits()?;
    let paid = |name: &str| name.starts_with("waterfall");

    let mut short = Section::new("short", "In short")
        .with(Block::Cards(metrics::cards(&summary, &markets, currency)));
    let expected = expectations(scenario, &summary, currency);
    short.blocks.extend(expected.map(Block::Table));

    let charts = Section::new("charts", "What happened")
        .with_all(figures::figures(&exhibits, |name| !paid(name))?)
        .with_all(figures::others(source, &exhibits));
    let losses = Section::new("losses", "Who paid")
        .with_all(metrics::waterfall(&summary, currency).map(Block::Table))
        .with_all(figures::figures(&exhibits, paid)?);
    let calls = Section::new("calls", "Margin calls")
        .with_all(metrics::fates(&summary, currency).map(Block::Table));

    Ok(Page {
        of: "Run".into(),
        title: scenario["title"]
            .as_str()
            .unwrap_or(&manifest.name)
            .to_owned(),
        lead: lead(source),
        warning: match manifest.status {
            Status::Complete => None,
            Status::Interrupted { steps_done } => Some(format!(
                "The run was interrupted after step {steps_done} of {}: everything here is of that part.",
                manifest.model.steps
            )),
        },
        sections: vec![
            short,
            Section::new("asked", "What was asked")
                .with_all(settings::blocks(scenario, &manifest.model)),
            charts,
            losses,
            calls,
            Section::new("numbers", "Every number")
                .with_all(metrics::tables(&summary, &markets, currency)),
            Section::new("not-modelled", "What is not modelled")
                .with(Block::List(unmodelled::points())),
            again(source),
        ],
        version: manifest.version.clone(),
    })
}

fn lead(source: &Source) -> String {
    let manifest = &source.manifest;
    let model = &manifest.model;
    let laws: Vec<String> = model
        .markets
        .iter()
        .map(|m| format!("{} {} κ={} τ={}", m.market, m.impact_law, m.kappa, m.tau))
        .collect();
    let mut parts = vec![format!(
        "{} steps of {} s",
        human::number(f64::from(model.steps), Unit::Count, ""),
        model.dt
    )];
    if let Some(accounts) = settings::accounts(&manifest.scenario) {
        let accounts = human::number(accounts as f64, Unit::Count, "");
        parts.push(format!("{accounts} accounts in cohorts"));
    }
    parts.push(laws.join(", "));
    parts.push(format!("seed {}", manifest.seed));
    if manifest.replicate > 0 {
        parts.push(format!("replicate {}", manifest.replicate));
    }
    parts.push(
        if manifest.twin {
            "beside its twin"
        } else {
            "without a twin"
        }
        .to_owned(),
    );
    parts.join(" · ")
}

/// What the scenario says must come out, and what did.
fn expectations(
    scenario: &Value,
    summary: &crate::measure::Summary,
    currency: &str,
) -> Option<Table> {
    let expected: Vec<ExpectSettings> =
        serde_json::from_value(scenario.get("expect")?.clone()).ok()?;
    let mut rows = Vec::new();
    for expect in &expected {
        let known = summary.named(&expect.metric).next().is_some();
        if expect.needs_twin() && !known {
            let cells = [expect.to_string(), "no twin".into(), "not checked".into()];
            rows.push(cells.map(Cell::words).into());
            continue;
        }
        for outcome in expect.check(summary) {
            let unit = crate::measure::catalogue::definition(&outcome.expectation.metric)
                .map_or(Unit::Ratio, |definition| definition.unit);
            let verdict = if outcome.ok { "met" } else { "not met" };
            let tone = if outcome.ok { "good" } else { "bad" };
            rows.push(vec![
                Cell::words(outcome.expectation.to_string()),
                Cell::number(metrics::shown(outcome.found, unit, currency), outcome.found),
                Cell::words(verdict).tone(Some(tone)),
            ]);
        }
    }
    (!rows.is_empty()).then(|| Table {
        caption: "What the scenario expects".into(),
        head: vec![
            Head::words("Expected"),
            Head::numbers("Found"),
            Head::words("Verdict"),
        ],
        rows,
        sortable: true,
        ..Table::default()
    })
}

fn again(source: &Source) -> Section {
    let manifest = &source.manifest;
    let twin = if manifest.twin { " --twin" } else { "" };
    Section::new("again", "How to make it again")
        .with(Block::Text(
            "The manifest holds the scenario with every default resolved. In the directory of the results:".into(),
        ))
        .with(Block::Code(format!(
            "deleverage run manifest.json{twin} --out again"
        )))
        .with_all(files(source))
}

/// What the directory's files are, and the scenario: for every kind of page.
pub(super) fn files(source: &Source) -> Vec<Block> {
    let manifest = &source.manifest;
    let row = |file: &crate::output::manifest::FileEntry| {
        vec![
            Cell::words(&file.name),
            Cell::number(
                human::number(file.bytes as f64, Unit::Count, ""),
                Some(file.bytes as f64),
            ),
            Cell::line(&file.sha256[..file.sha256.len().min(16)]).hint(&file.sha256),
        ]
    };
    vec![
        Block::Text(format!(
            "deleverage {}, scenario {} (SHA-256 {}).",
            manifest.version, manifest.name, manifest.scenario_sha256
        )),
        Block::Table(Table {
            caption: "Files".into(),
            head: vec![
                Head::words("File"),
                Head::numbers("Bytes"),
                Head::numbers("SHA-256 begins"),
            ],
            rows: manifest.files.iter().map(row).collect(),
            sortable: true,
            ..Table::default()
        }),
        Block::Fold {
            title: "The resolved scenario".into(),
            text: serde_json::to_string_pretty(&manifest.scenario).unwrap_or_default(),
        },
    ]
}
