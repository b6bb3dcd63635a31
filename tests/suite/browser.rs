//! The pages in a real browser: headless Chromium opens each kind, and a script beside the page looks at what is there.
//!
//! The script runs in a page around the report, so that the report is as it is written. Where no Chromium is installed the tests say
//! that they skip; `.ci/run` installs it.

use crate::support::{FALL, deleverage};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The browser, where there is one.
fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path)
        .flat_map(|folder| {
            ["chromium", "chromium-browser", "google-chrome"].map(|name| folder.join(name))
        })
        .find(|file| file.is_file());
    if found.is_none() {
        eprintln!("skipped: no Chromium on the PATH (apt-get install chromium)");
    }
    found
}

/// What the browser says: the document after its scripts, and what it wrote to its console.
struct Seen {
    document: String,
    log: String,
}

fn open(browser: &Path, page: &Path, more: &[&str]) -> Seen {
    let profile = tempfile::tempdir().unwrap();
    let mut child = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--enable-logging=stderr",
            "--virtual-time-budget=20000",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(more)
        .arg("--dump-dom")
        .arg(format!("file://{}", page.display()))
        .stdout(fs::File::create(profile.path().join("document")).unwrap())
        .stderr(fs::File::create(profile.path().join("log")).unwrap())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(120) {
            let _ = child.kill();
            panic!("the browser did not end within two minutes");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let read = |name: &str| {
        let bytes = fs::read(profile.path().join(name)).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Seen {
        document: read("document"),
        log: read("log"),
    }
}

/// Puts a page into a frame of each width, and looks at it there.
const PROBE: &str = r#"<!DOCTYPE html><meta charset="utf-8"><body><iframe id="frame" style="border:0"></iframe>
<script type="application/json" id="text">PAGE</script>
<script>
const out = { errors: [], widths: [], metrics: [] };
addEventListener('error', (e) => out.errors.push(String(e.message)));
const frame = document.getElementById('frame');
const text = JSON.parse(document.getElementById('text').textContent);
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
async function show(width) {
  frame.style.width = width + 'px';
  frame.style.height = '900px';
  await new Promise((done) => { frame.onload = done; frame.srcdoc = text; });
  frame.contentWindow.addEventListener('error', (e) => out.errors.push(String(e.message)));
  await sleep(50);
  return frame.contentDocument;
}
const visible = (element) => {
  const box = element.getBoundingClientRect();
  return box.width > 0 && box.height > 0;
};
async function look() {
  for (const width of [360, 390, 600, 768, 1024, 1280, 1600]) {
    const page = await show(width);
    const figures = [...page.querySelectorAll('figure')];
    out.widths.push({
      width,
      overflow: page.documentElement.scrollWidth - width,
      figures: figures.length,
      shown: figures.filter((f) => [...f.querySelectorAll('svg')].filter(visible).length === 1).length,
      // The smallest letters of the charts, in pixels of the screen.
      letters: Math.min(...figures.flatMap((f) => [...f.querySelectorAll('svg')].filter(visible).flatMap((svg) =>
        [...svg.querySelectorAll('text')].map((t) => parseFloat(t.getAttribute('font-size')) * svg.getScreenCTM().a)))),
    });
  }
  const page = await show(1280);
  for (const cell of page.querySelectorAll('[data-metric]')) {
    out.metrics.push({
      name: cell.dataset.metric, market: cell.dataset.market ?? null, of: cell.dataset.of ?? null,
      value: cell.dataset.value, text: cell.textContent.trim(),
    });
  }
  out.landmarks = ['header', 'nav', 'main', 'footer', 'h1'].map((name) => page.querySelectorAll(name).length);
  out.uncaptioned = [...page.querySelectorAll('table')].filter((t) => !t.caption).length;
  out.untitled = [...page.querySelectorAll('figure svg')].filter((s) => !s.querySelector('title')).length;
  out.twice = [...page.querySelectorAll('[id]')].map((e) => e.id).filter((id, i, all) => all.indexOf(id) !== i);
  out.outside = [...page.querySelectorAll('[src], link[href], a[href]')]
    .map((e) => e.getAttribute('src') ?? e.getAttribute('href')).filter((url) => !/^(#|data:)/.test(url));
  out.totals = [...page.querySelectorAll('tfoot')].map((foot) => {
    const number = (row) => Number(row.cells[1].textContent.replaceAll(',', ''));
    const rows = [...foot.parentElement.tBodies[0].rows];
    return { total: number(foot.rows[0]), sum: rows.reduce((sum, row) => sum + number(row), 0) };
  });
  // Sorting, by a head of numbers in the table with the most rows.
  const tables = [...page.querySelectorAll('table.sortable')];
  const table = tables.reduce((a, b) => (b.tBodies[0].rows.length > a.tBodies[0].rows.length ? b : a));
  const column = [...table.tHead.rows[0].cells].findIndex((h, i) => i > 0 && h.classList.contains('number'));
  const head = table.tHead.rows[0].cells[column];
  const order = () => [...table.tBodies[0].rows].map((row) => row.cells[column].dataset.value);
  out.sort = { before: order(), label: head.textContent };
  head.querySelector('button').click();
  out.sort.up = order();
  out.sort.upSaid = head.getAttribute('aria-sort');
  head.querySelector('button').click();
  out.sort.down = order();
  out.sort.downSaid = head.getAttribute('aria-sort');
  out.sort.others = [...table.tHead.rows[0].cells].filter((h) => h !== head).every((h) => h.getAttribute('aria-sort') === 'none');
  // Under the pointer and under the keys, every chart with panels tells its numbers.
  const view = frame.contentWindow;
  out.told = [];
  for (const figure of page.querySelectorAll('figure')) {
    const svg = [...figure.querySelectorAll('svg')].find(visible);
    if (figure.classList.contains('fixed') || !svg.querySelector('g.series, g.values, g.marks')) continue;
    const tip = figure.querySelector('.tip');
    svg.scrollIntoView();
    await sleep(20);
    const [left, top, right, bottom] = svg.querySelector('g.panel').dataset.room.split(' ').map(Number);
    const place = new view.DOMPoint(left + 0.6 * (right - left), (top + bottom) / 2).matrixTransform(svg.getScreenCTM());
    svg.dispatchEvent(new view.PointerEvent('pointermove', { clientX: place.x, clientY: place.y, bubbles: true }));
    const pointed = tip.hidden ? '' : tip.innerText;
    svg.dispatchEvent(new view.PointerEvent('pointerleave'));
    const gone = tip.hidden;
    svg.dispatchEvent(new view.KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
    const keyed = tip.hidden ? '' : tip.innerText;
    out.told.push({ chart: figure.id, pointed, gone, keyed });
  }
}
look().catch((error) => out.errors.push(String(error.stack))).finally(() => {
  frame.remove();
  document.getElementById('text').remove();
  const result = document.createElement('pre');
  result.id = 'result';
  result.textContent = JSON.stringify(out);
  document.body.append(result);
});
</script></body>"#;

/// What the probe found.
fn probe(browser: &Path, folder: &Path, report: &Path) -> Value {
    let page = fs::read_to_string(report).unwrap();
    let text = json!(page).to_string().replace('<', "\\u003c");
    let file = folder.join("probe.html");
    fs::write(&file, PROBE.replace("PAGE", &text)).unwrap();
    let seen = open(browser, &file, &["--window-size=1700,1000"]);
    let (_, rest) = seen
        .document
        .split_once("<pre id=\"result\">")
        .unwrap_or_else(|| panic!("no result: {}", seen.log));
    let found = rest.split("</pre>").next().unwrap();
    let found = found
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    serde_json::from_str(&found).unwrap()
}

/// What holds for the page of any kind.
fn sound(browser: &Path, folder: &Path, report: &Path) -> Value {
    let bare = open(browser, report, &["--window-size=1280,900"]);
    assert!(
        bare.document.contains("aria-sort=\"none\""),
        "the script did not run"
    );
    let said: Vec<&str> = bare
        .log
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .collect();
    assert!(said.is_empty(), "{said:#?}");

    let found = probe(browser, folder, report);
    assert_eq!(found["errors"], json!([]));
    for width in found["widths"].as_array().unwrap() {
        assert_eq!(width["overflow"], 0, "{width}");
        assert_eq!(width["figures"], width["shown"], "{width}");
        // None has no letters at all.
        assert!(
            width["letters"]
                .as_f64()
                .is_none_or(|letters| letters >= 10.0),
            "{width}"
        );
    }
    assert_eq!(found["landmarks"], json!([1, 1, 1, 1, 1]));
    assert_eq!(
        (&found["uncaptioned"], &found["untitled"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(
        (&found["twice"], &found["outside"]),
        (&json!([]), &json!([]))
    );

    let sort = &found["sort"];
    let numbers = |name: &str| -> Vec<f64> {
        let values = sort[name].as_array().unwrap().iter();
        values
            .filter_map(|value| value.as_str().unwrap().parse().ok())
            .collect()
    };
    let (before, up, down) = (numbers("before"), numbers("up"), numbers("down"));
    assert!(before.len() > 2, "{sort}");
    assert_eq!(up.len(), before.len());
    assert!(up.is_sorted(), "{up:?}");
    assert!(down.iter().rev().is_sorted(), "{down:?}");
    assert_ne!(up, down);
    assert_eq!(
        (&sort["upSaid"], &sort["downSaid"], &sort["others"]),
        (&json!("ascending"), &json!("descending"), &json!(true))
    );
    for told in found["told"].as_array().unwrap() {
        assert_eq!(told["gone"], true, "{told}");
        let words = |name: &str| told[name].as_str().unwrap().lines().count();
        assert!(words("pointed") > 1 && words("keyed") > 1, "{told}");
    }
    found
}

fn made(arguments: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("fall.toml"), FALL).unwrap();
    deleverage()
        .current_dir(&folder)
        .args(arguments)
        .args(["--out", "results", "-q"])
        .assert()
        .success();
    deleverage()
        .current_dir(&folder)
        .args(["report", "results"])
        .assert()
        .success();
    folder
}

/// A number on the page as the page's script reads it.
fn value(text: &str) -> f64 {
    text.replace("Infinity", "inf").parse().unwrap()
}

#[test]
fn the_page_of_a_run_shows_the_summary() {
    let Some(browser) = chromium() else {
        return;
    };
    let folder = made(&["run", "fall.toml", "--twin"]);
    let report = folder.path().join("results/report.html");
    let found = sound(&browser, folder.path(), &report);
    let summary: Value =
        serde_json::from_slice(&fs::read(folder.path().join("results/summary.json")).unwrap())
            .unwrap();
    let shown = found["metrics"].as_array().unwrap();
    let mut seen = 0;
    for metric in summary.as_array().unwrap() {
        let Some(number) = metric["value"].as_f64() else {
            continue;
        };
        let mut cells = shown
            .iter()
            .filter(|cell| cell["name"] == metric["name"] && cell["market"] == metric["market"])
            .peekable();
        assert!(cells.peek().is_some(), "{metric} is not on the page");
        for cell in cells {
            seen += 1;
            assert_eq!(
                value(cell["value"].as_str().unwrap()).to_bits(),
                number.to_bits(),
                "{cell}"
            );
            assert!(
                cell["text"]
                    .as_str()
                    .unwrap()
                    .chars()
                    .any(|c| c.is_ascii_digit()),
                "{cell}"
            );
        }
    }
    assert!(seen > 100, "{seen}");
    for total in found["totals"].as_array().unwrap() {
        assert!(
            (total["total"].as_f64().unwrap() - total["sum"].as_f64().unwrap()).abs() < 0.005,
            "{total}"
        );
    }
    // Every one of them, the tree among them, tells its numbers.
    assert_eq!(found["widths"][0]["figures"], 11 + 8);
    assert_eq!(found["told"].as_array().unwrap().len(), 11 + 8);
}

#[test]
fn the_page_of_a_sweep_shows_its_points() {
    let Some(browser) = chromium() else {
        return;
    };
    let folder = made(&[
        "sweep",
        "fall.toml",
        "--vary",
        "shock.0.size=-0.04,-0.06,-0.08",
        "--vary",
        "cohort.retail.count=200,400",
        "--replicates",
        "2",
        "--format",
        "csv",
    ]);
    let report = folder.path().join("results/report.html");
    let found = sound(&browser, folder.path(), &report);
    let mut table = csv::Reader::from_path(folder.path().join("results/sweep.csv")).unwrap();
    let head = table.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let at = |row: &csv::StringRecord, name: &str| {
        row[head.iter().position(|found| found == name).unwrap()].to_owned()
    };
    let mut seen = 0;
    for cell in found["metrics"].as_array().unwrap() {
        let Some(point) = cell["of"].as_str() else {
            continue;
        };
        let row = rows
            .iter()
            .find(|row| {
                at(row, "point") == point
                    && at(row, "metric") == cell["name"].as_str().unwrap()
                    && at(row, "market") == cell["market"].as_str().unwrap_or_default()
            })
            .unwrap_or_else(|| panic!("no row for {cell}"));
        seen += 1;
        assert_eq!(
            value(cell["value"].as_str().unwrap()),
            value(&at(row, "median")),
            "{cell}"
        );
    }
    assert_eq!(seen, 6 * 4);
    assert_eq!(found["told"].as_array().unwrap().len(), 4);
}

#[test]
fn the_page_of_a_comparison_shows_its_table() {
    let Some(browser) = chromium() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("fall.toml"), FALL).unwrap();
    for (name, maintenance) in [("low", 0.02), ("high", 0.05)] {
        let rule = format!(
            "base.fixed = {{ maintenance = {maintenance}, initial = {} }}\n",
            2.0 * maintenance
        );
        fs::write(folder.path().join(format!("{name}.toml")), rule).unwrap();
    }
    let typed = [
        "compare",
        "fall.toml",
        "--rule",
        "low.toml",
        "--rule",
        "high.toml",
        "--replicates",
        "4",
        "--format",
        "csv",
        "--out",
        "results",
        "-q",
    ];
    deleverage()
        .current_dir(&folder)
        .args(typed)
        .assert()
        .success();
    deleverage()
        .current_dir(&folder)
        .args(["report", "results"])
        .assert()
        .success();
    let report = folder.path().join("results/report.html");
    let found = sound(&browser, folder.path(), &report);
    let mut table = csv::Reader::from_path(folder.path().join("results/comparison.csv")).unwrap();
    let head = table.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let at = |row: &csv::StringRecord, name: &str| {
        row[head.iter().position(|found| found == name).unwrap()].to_owned()
    };
    let mut seen = 0;
    for cell in found["metrics"].as_array().unwrap() {
        let Some(variant) = cell["of"].as_str() else {
            continue;
        };
        let row = rows
            .iter()
            .find(|row| {
                at(row, "variant") == variant
                    && at(row, "metric") == cell["name"].as_str().unwrap()
                    && at(row, "market") == cell["market"].as_str().unwrap_or_default()
            })
            .unwrap_or_else(|| panic!("no row for {cell}"));
        seen += 1;
        assert_eq!(
            value(cell["value"].as_str().unwrap()),
            value(&at(row, "mean")),
            "{cell}"
        );
    }
    assert!(seen >= 10, "{seen}");
}
