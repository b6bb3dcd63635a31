//! Tables, manifest and the directory of a run.

use crate::sample;
use deleverage::engine::Rounds;
use deleverage::measure::{Comparison, ExpectSettings, evaluate, twin};
use deleverage::output::directory::read_manifest;
use deleverage::output::terminal::{self, Style};
use deleverage::output::{
    Directory, Format, Manifest, MarketModel, ModelSettings, OutputError, Provenance, Status,
    events, manifest, steps, table,
};
use deleverage::unit::{AccountId, Span};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

fn scenario() -> Value {
    json!({"zeta": 1, "name": "sample", "capital": "1000.50", "kappa": 0.1})
}

fn provenance(seed: u64) -> Provenance {
    let mut provenance = Provenance::new("sample", &scenario(), seed, 0);
    provenance.start = Some("2025-10-10T20:30:00Z".parse().unwrap());
    provenance
        .account_names
        .insert(AccountId(5), "0xabc, \"whale\"".into());
    provenance
}

fn model() -> ModelSettings {
    ModelSettings {
        dt: 10.0,
        steps: 5,
        rounds: Rounds::UntilQuiet { limit: 8 },
        markets: vec![MarketModel {
            market: "BTC".into(),
            impact_law: "book".into(),
            kappa: 0.3,
            tau: Span::seconds(600.0),
        }],
    }
}

fn write(
    path: &Path,
    provenance: &Provenance,
    format: Format,
    force: bool,
) -> Result<Manifest, OutputError> {
    let run = sample::run(1);
    let mut directory = Directory::create(path, provenance, force)?;
    table::save(&run, None, provenance, format, &mut directory)?;
    directory.write_json("summary.json", &evaluate(&run))?;
    directory.write("charts/price.svg", |out| {
        std::io::Write::write_all(out, b"<svg/>")
    })?;
    directory.finish(Manifest::new(
        provenance,
        scenario(),
        model(),
        Status::Complete,
    ))
}

fn csv(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> Vec<Vec<String>> {
    let mut bytes = Vec::new();
    write(&mut bytes).unwrap();
    csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(bytes.as_slice())
        .records()
        .map(|record| record.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

#[test]
fn csv_says_what_the_run_said() {
    let (run, provenance) = (sample::run(1), provenance(7));
    let rows = csv(|out| steps::table(&run, &provenance).write_csv(out));
    let at = |row: usize, name: &str| {
        let column = rows[0].iter().position(|found| found == name).unwrap();
        rows[row][column].as_str()
    };
    assert_eq!(rows.len(), 11);
    assert_eq!(rows[0].len(), steps::info().len());
    assert_eq!(at(1, "time"), "2025-10-10T20:30:10Z");
    // The third step's BTC.
    for (name, text) in [
        ("time", "2025-10-10T20:30:30Z"),
        ("seconds", "30.0"),
        ("step", "2"),
        ("market", "BTC"),
        ("mark_price", "90.0"),
        ("last_price", "88.0"),
        ("bid_price", ""),
        ("ask_price", "88.1"),
        ("bid_depth", "0.2"),
        ("forced_sold_notional", "54.0"),
        ("maintenance_rate", "0.04"),
        ("fund", "30.0"),
        ("rounds", "4"),
        ("reproduction_down_2pct", "1.5"),
    ] {
        assert_eq!(at(5, name), text, "{name}");
    }
    assert_eq!(at(9, "reproduction_down_1pct"), "NaN");

    let rows = csv(|out| events::table(&run, &provenance).write_csv(out));
    let at = |row: usize, name: &str| {
        let column = rows[0].iter().position(|found| found == name).unwrap();
        rows[row][column].as_str()
    };
    for (name, text) in [
        ("kind", "forced_trade"),
        ("account", "5"),
        ("account_name", "0xabc, \"whale\""),
        ("quantity", "-0.6"),
        ("price", "90.5"),
        ("amount", "54.000001"),
        ("amount_quanta", "54000001"),
        ("quantity_lots", "-60"),
        ("rate", ""),
    ] {
        assert_eq!(at(5, name), text, "{name}");
    }
    // A cross account's liquidation has no one market and no one price, but an equity.
    assert_eq!(
        (at(8, "market"), at(8, "price"), at(8, "price_ticks")),
        ("", "", "")
    );
    assert_eq!(at(8, "amount"), "54.000001");
    // Funding is a rate, not money.
    assert_eq!(
        (at(13, "rate"), at(13, "amount"), at(13, "account")),
        ("1.25e-5", "", "")
    );

    let mut nameless = Provenance::new("sample", &scenario(), 7, 0);
    nameless.start = None;
    let header = &csv(|out| events::table(&run, &nameless).write_csv(out))[0];
    assert!(!header.contains(&"time".to_owned()) && !header.contains(&"account_name".to_owned()));
}

#[cfg(feature = "parquet")]
mod parquet_tables {
    use super::*;
    use parquet::basic::{Compression, LogicalType};
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    fn text(field: &Field) -> String {
        match field {
            Field::Null => String::new(),
            Field::Str(text) => text.clone(),
            Field::Long(number) => number.to_string(),
            Field::Double(number) => format!("{number:?}"),
            Field::TimestampMicros(micros) => jiff::Timestamp::from_microsecond(*micros)
                .unwrap()
                .to_string(),
            other => panic!("unexpected {other:?}"),
        }
    }

    fn file(bytes: &[u8]) -> fs::File {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, bytes).unwrap();
        file
    }

    fn parquet(bytes: &[u8]) -> Vec<Vec<String>> {
        let reader = SerializedFileReader::new(file(bytes)).unwrap();
        let schema = reader.metadata().file_metadata().schema();
        let mut rows = vec![
            schema
                .get_fields()
                .iter()
                .map(|f| f.name().to_owned())
                .collect(),
        ];
        for row in reader.get_row_iter(None).unwrap() {
            rows.push(
                row.unwrap()
                    .get_column_iter()
                    .map(|(_, field)| text(field))
                    .collect(),
            );
        }
        rows
    }

    #[test]
    fn csv_and_parquet_hold_the_same_values() {
        let (run, provenance) = (sample::run(1), provenance(7));
        let mut bytes = Vec::new();
        steps::table(&run, &provenance)
            .write_parquet(&[], &mut bytes)
            .unwrap();
        assert_eq!(
            parquet(&bytes),
            csv(|out| steps::table(&run, &provenance).write_csv(out))
        );
        let mut bytes = Vec::new();
        events::table(&run, &provenance)
            .write_parquet(&[], &mut bytes)
            .unwrap();
        assert_eq!(
            parquet(&bytes),
            csv(|out| events::table(&run, &provenance).write_csv(out))
        );
    }

    #[test]
    fn a_parquet_file_says_where_it_comes_from_and_what_its_columns_are_in() {
        let (run, provenance) = (sample::run(1), provenance(7));
        let mut bytes = Vec::new();
        steps::table(&run, &provenance)
            .write_parquet(&table::metadata(&run, &provenance), &mut bytes)
            .unwrap();
        let reader = SerializedFileReader::new(file(&bytes)).unwrap();
        let about = reader.metadata().file_metadata();
        let pairs = about.key_value_metadata().unwrap();
        for (key, value) in [
            ("deleverage.version", env!("CARGO_PKG_VERSION")),
            ("deleverage.seed", "7"),
            ("deleverage.scenario_sha256", &provenance.scenario_sha256),
            ("deleverage.market.BTC.tick", "0.1"),
            ("deleverage.market.ETH.lot", "0.01"),
            ("unit.mark_price", "settlement_currency"),
            ("unit.volume", "base"),
        ] {
            let found = pairs
                .iter()
                .find(|pair| pair.key == key)
                .and_then(|pair| pair.value.as_deref());
            assert_eq!(found, Some(value), "{key}");
        }
        let time = &about.schema().get_fields()[0];
        assert!(matches!(
            time.get_basic_info().logical_type_ref(),
            Some(LogicalType::Timestamp(_))
        ));
        let group = reader.metadata().row_group(0);
        assert!(
            group
                .columns()
                .iter()
                .all(|column| matches!(column.compression(), Compression::ZSTD(_)))
        );
        let market = group
            .columns()
            .iter()
            .find(|c| c.column_path().string() == "market")
            .unwrap();
        assert!(market.dictionary_page_offset().is_some());
    }
}

#[test]
fn a_rerun_writes_the_same_bytes_over_the_same_run() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("deep/sample-7");
    let first = write(&path, &provenance(7), Format::default(), false).unwrap();
    let before = fs::read(path.join("manifest.json")).unwrap();
    let second = write(&path, &provenance(7), Format::default(), false).unwrap();
    assert_eq!(first, second);
    assert_eq!(before, fs::read(path.join("manifest.json")).unwrap());
    assert_eq!(first.files.len(), 5);
    for file in &first.files {
        let bytes = fs::read(path.join(&file.name)).unwrap();
        assert_eq!(
            (file.bytes, &file.sha256),
            (bytes.len() as u64, &manifest::sha256(&bytes))
        );
    }
    // In the other format, the files of the first one go.
    let third = write(&path, &provenance(7), Format::Csv, false).unwrap();
    let mut names: Vec<String> = fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "charts",
            "events.csv",
            "manifest.json",
            "margin.csv",
            "steps.csv",
            "summary.json"
        ]
    );
    assert_eq!(read_manifest(&path.join("manifest.json")).unwrap(), third);
}

#[test]
fn another_run_is_refused() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path();
    write(path, &provenance(7), Format::Csv, false).unwrap();
    let before = fs::read(path.join("steps.csv")).unwrap();
    let refused = write(path, &provenance(8), Format::Csv, false).unwrap_err();
    assert!(matches!(refused, OutputError::OtherRun { seed: 7, .. }));
    assert!(
        refused
            .to_string()
            .contains("already holds a run of sample (seed 7")
            && refused.to_string().contains("--force")
    );
    assert_eq!(before, fs::read(path.join("steps.csv")).unwrap());
    assert_eq!(
        write(path, &provenance(8), Format::Csv, true).unwrap().seed,
        8
    );
}

#[test]
fn a_directory_with_other_things_is_refused_and_never_cleared() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("home");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("thesis.tex"), "years of work").unwrap();
    let refused = write(&path, &provenance(7), Format::Csv, false).unwrap_err();
    assert!(refused.to_string().contains("thesis.tex"), "{refused}");
    write(&path, &provenance(7), Format::Csv, true).unwrap();
    assert!(path.join("thesis.tex").exists());

    // A forged manifest must not reach files outside.
    let outside = temporary.path().join("outside.txt");
    fs::write(&outside, "mine").unwrap();
    let file = path.join("manifest.json");
    let forged = fs::read_to_string(&file)
        .unwrap()
        .replace("\"steps.csv\"", "\"../outside.txt\"");
    assert!(forged.contains("../outside.txt"));
    fs::write(&file, forged).unwrap();
    write(&path, &provenance(7), Format::Csv, false).unwrap();
    assert!(outside.exists());

    fs::write(&file, "{}").unwrap();
    let refused = write(&path, &provenance(7), Format::Csv, false).unwrap_err();
    assert!(matches!(refused, OutputError::NotAManifest { .. }));
}

#[test]
fn a_place_that_cannot_be_written_to_is_named() {
    let temporary = tempfile::tempdir().unwrap();
    let file = temporary.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = Directory::create(&file.join("run"), &provenance(7), false).unwrap_err();
    let text = refused.to_string();
    assert!(
        text.starts_with("could not create directory") && text.contains("run"),
        "{text}"
    );
}

#[test]
fn files_appear_whole() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path();
    write(path, &provenance(7), Format::Csv, false).unwrap();
    let before = fs::read(path.join("summary.json")).unwrap();
    let mut directory = Directory::create(path, &provenance(7), false).unwrap();
    assert!(path.join("manifest.json").exists());
    let error = directory
        .write("summary.json", |out| {
            std::io::Write::write_all(out, b"half")?;
            Err(std::io::Error::other("disk full"))
        })
        .unwrap_err();
    assert!(
        error.to_string().contains("could not write") && error.to_string().contains("disk full")
    );
    assert_eq!(before, fs::read(path.join("summary.json")).unwrap());
    assert!(!path.join("manifest.json").exists());
    assert!(fs::read_dir(path).unwrap().all(|entry| {
        !entry
            .unwrap()
            .file_name()
            .to_string_lossy()
            .ends_with(".tmp")
    }));
}

#[test]
fn the_manifest_holds_what_a_rerun_needs() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path();
    let directory = Directory::create(path, &provenance(7), false).unwrap();
    let status = Status::Interrupted { steps_done: 3 };
    directory
        .finish(Manifest::new(&provenance(7), scenario(), model(), status))
        .unwrap();
    let read = read_manifest(&path.join("manifest.json")).unwrap();
    assert_eq!((read.status, &read.model), (status, &model()));
    assert_eq!(read.scenario, scenario());
    assert_eq!(
        Provenance::new("sample", &read.scenario, 7, 0).scenario_sha256,
        read.scenario_sha256
    );
    assert_eq!(read.units["steps"]["volume"], "base");
    let raw: Value =
        serde_json::from_str(&fs::read_to_string(path.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(raw["status"], json!({"interrupted": {"steps_done": 3}}));
    assert_eq!(raw["model"]["markets"][0]["tau"], "10m");
}

#[test]
fn the_summary_file_has_units_and_says_infinity_and_nothing() {
    let (run, twin_run) = (sample::run(1), sample::twin());
    let mut summary = evaluate(&run);
    summary.extend(twin::compare(&summary, &run, &twin_run, None));
    let json = serde_json::to_value(&summary).unwrap();
    let find = |name: &str, market: Value| {
        json.as_array()
            .unwrap()
            .iter()
            .find(|m| m["name"] == name && m["market"] == market)
            .unwrap()
            .clone()
    };
    assert_eq!(
        find("bad_debt", Value::Null),
        json!({"name": "bad_debt", "market": null, "value": 9.5, "unit": "settlement_currency", "direction": "lower_is_better"})
    );
    assert_eq!(find("amplification_bad_debt", Value::Null)["value"], "inf");
    assert_eq!(
        find("recovery_half_life", "ETH".into())["value"],
        Value::Null
    );
}

#[test]
fn the_table_is_aligned_plain_and_narrow() {
    let (run, twin_run) = (sample::run(1), sample::twin());
    let mut summary = evaluate(&run);
    summary.extend(twin::compare(&summary, &run, &twin_run, None));
    let mut style = Style {
        colour: false,
        currency: "USDC".into(),
    };
    let text = terminal::summary(&summary, &style);
    assert!(
        text.lines()
            .all(|line| line.chars().count() <= 80 && !line.ends_with(' ')),
        "{text}"
    );
    for line in [
        "Price                                 BTC          ETH",
        "  drawdown, mid                    20.0 %          0 %",
        "  recovery half-life               20.0 s            -",
        // Who bore the bad debt, in figures that add up.
        "  paid by the fund                                8.00       84.2 %",
        "  deficit borne by ADL                            0.50       5.26 %",
        "  uncovered                                       1.00       10.5 %",
        "  bad debt                                        9.50        100 %",
        "  bad debt                              ∞",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "no line {line:?} in\n{text}"
        );
    }
    assert!(!text.contains('\u{1b}'));
    let expect = ExpectSettings {
        metric: "drawdown".into(),
        market: None,
        is: Comparison::AtLeast,
        value: 0.1,
    };
    let outcomes = expect.check(&summary);
    assert_eq!(
        terminal::expectations(&outcomes, &style),
        "ok      drawdown of BTC >= 0.1: 20.0 %\nFAILED  drawdown of ETH >= 0.1: 0 %\n"
    );
    style.colour = true;
    assert!(terminal::summary(&summary, &style).contains("\u{1b}[1mPrice\u{1b}[0m"));
}
