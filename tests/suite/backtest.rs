//! Margin rules against histories whose truth is known, and the command against a small file.

use assert_cmd::Command;
use deleverage::backtest::{
    self, Judgement, Kind, Loss, Named, Report, Requirement, Series, Settings, Side, run::margins,
};
use deleverage::margin::{Level, MarginRule, RiskView, Schedule};
use deleverage::math::estimate::Moments;
use deleverage::math::{Draws, Purpose, ops};
use deleverage::path::{Bar, Bars};
use deleverage::unit::{Rate, Span};
use statrs::distribution::{ContinuousCDF, StudentsT};

const HOUR: f64 = 3_600.0;
/// Small, so that a log return and a loss are the same.
const SIGMA: f64 = 0.002;
const SEEDS: u64 = 30;

/// A rule that knows the shape of the tail and learns its width from all that it has seen.
#[derive(Clone)]
struct Quantile {
    /// Standard deviations from the mean to the quantile.
    multiple: f64,
    last: Option<f64>,
    seen: Moments,
    trace: [Level; 1],
}

impl Quantile {
    fn of(multiple: f64) -> Box<dyn MarginRule> {
        Box::new(Self {
            multiple,
            last: None,
            seen: Moments::default(),
            trace: [Level::default()],
        })
    }
}

impl MarginRule for Quantile {
    fn schedule(&mut self, view: &RiskView, out: &mut Schedule) {
        if let Some(last) = self.last {
            self.seen.see(ops::ln(view.mark / last));
        }
        self.last = Some(view.mark);
        let margin = Rate::from_f64(self.multiple * self.seen.variance().sqrt());
        out.map_rates(|_, _| (margin, margin));
        self.trace = [out.levels(0.0)];
    }
    fn parts(&self) -> Vec<&'static str> {
        vec!["quantile"]
    }
    fn trace(&self) -> &[Level] {
        &self.trace
    }
}

fn history(returns: impl Iterator<Item = f64>) -> Series {
    let mut close = 100.0;
    let bars = returns
        .enumerate()
        .map(|(at, moved)| {
            let open = close;
            close *= ops::exp(moved);
            Bar {
                open_ms: at as i64 * 3_600_000,
                open,
                high: close.max(open),
                low: close.min(open),
                close,
                volume: 1.0,
            }
        })
        .collect();
    Series::new("simulated", &Bars::new(bars, 3_600_000).unwrap()).unwrap()
}

/// Returns of a standard deviation of [`SIGMA`], drawn through a quantile function of unit variance.
pub fn simulated(seed: u64, n: usize, quantile: &impl Fn(f64) -> f64) -> Series {
    let mut stream = Draws::new(seed, 0).stream(Purpose::Custom, 0, 0);
    history((0..n).map(|_| SIGMA * quantile(stream.uniform())))
}

fn judge(series: &Series, rules: Vec<(&str, Box<dyn MarginRule>)>) -> Report {
    let named = rules
        .into_iter()
        .map(|(name, rule)| Named {
            name: name.to_owned(),
            rule,
            shortfall: None,
        })
        .collect();
    backtest::run(series, named, &Settings::default()).unwrap()
}

/// Of how many seeds and sides each of two rules is rejected at 5 %: by count, and by count and
/// clustering together.
fn rejections(quantile: impl Fn(f64) -> f64, right: f64, wrong: f64) -> [[u32; 2]; 2] {
    let mut rejected = [[0; 2]; 2];
    for seed in 0..SEEDS {
        let series = simulated(seed, 11_000, &quantile);
        let report = judge(
            &series,
            vec![
                ("right", Quantile::of(right)),
                ("wrong", Quantile::of(wrong)),
            ],
        );
        for (rule, rejected) in report.rules.iter().zip(&mut rejected) {
            for side in Side::BOTH {
                let found = rule.whole(side).unwrap();
                let both = found.christoffersen.unwrap().conditional;
                rejected[0] += u32::from(found.kupiec.unwrap().rejects(0.05));
                rejected[1] += u32::from(both.rejects(0.05));
            }
        }
    }
    rejected
}

/// The 99 % quantile of Student's t with 5 degrees of freedom in standard deviations.
pub fn student() -> (StudentsT, f64, f64) {
    let student = StudentsT::new(0.0, 1.0, 5.0).unwrap();
    let deviation = (5.0f64 / 3.0).sqrt();
    let multiple = student.inverse_cdf(0.99) / deviation;
    (student, deviation, multiple)
}

#[test]
fn on_normal_returns_the_normal_quantile_stands_and_the_heavy_one_falls() {
    let (_, _, heavy) = student();
    let normal = ops::normal_quantile(0.99);
    let [right, wrong] = rejections(ops::normal_quantile, normal, heavy);
    let all = 2 * SEEDS as u32;
    assert!(right.iter().all(|count| *count <= 8), "{right:?} of {all}");
    assert!(
        wrong.iter().all(|count| *count >= all - 2),
        "{wrong:?} of {all}"
    );
}

#[test]
fn on_heavy_returns_the_heavy_quantile_stands_and_the_normal_one_falls() {
    let (student, deviation, heavy) = student();
    let normal = ops::normal_quantile(0.99);
    let draw = |u: f64| student.inverse_cdf(u) / deviation;
    let [right, wrong] = rejections(draw, heavy, normal);
    let all = 2 * SEEDS as u32;
    assert!(right.iter().all(|count| *count <= 8), "{right:?} of {all}");
    assert!(
        wrong.iter().all(|count| *count >= all - 6),
        "{wrong:?} of {all}"
    );
}

#[test]
fn a_margin_that_forgets_volatility_clusters_its_breaches() {
    // Calm and wild stretches of 2,000 bars by turns; the rule knows only their mixture.
    let mut stream = Draws::new(3, 0).stream(Purpose::Custom, 0, 0);
    let series = history((0..11_000).map(|at| {
        let wild = at / 2_000 % 2 == 1;
        SIGMA * stream.normal() * if wild { 2.0 } else { 0.5 }
    }));
    // Breached by an eighth of the wild bars: enough of them follow each other for the tests to see it.
    let report = judge(&series, vec![("mixture", Quantile::of(1.6))]);
    let rule = &report.rules[0];
    let long = rule.whole(Side::Long).unwrap();
    assert!(long.christoffersen.unwrap().independence.rejects(0.01));
    assert!(long.waits.unwrap().rejects(0.01));
    assert!(long.dynamic_quantile.unwrap().rejects(0.01));
    let rate = |part: &str| {
        let found = rule.judgement(Kind::Volatility, part, Side::Long);
        found.map(Judgement::rate).unwrap()
    };
    let (calm, volatile) = (rate("calm"), rate("volatile"));
    assert!(5.0 * calm < volatile, "{calm}, {volatile}");
}

#[test]
fn no_margin_knows_what_comes_after_it() {
    let series = simulated(1, 2_000, &ops::normal_quantile);
    let mut returns: Vec<f64> = series
        .bars()
        .iter()
        .map(|bar| ops::ln(bar.close / bar.open))
        .collect();
    returns[1_500..].iter_mut().for_each(|moved| *moved *= 9.0);
    let other = history(returns.into_iter());
    let lived = |series: &Series| margins(Quantile::of(2.0).as_mut(), series, Requirement::Initial);
    let (one, two) = (lived(&series), lived(&other));
    for at in 0..1_500 {
        assert!((one[at] - two[at]).abs() < 1e-8, "bar {at}");
    }
    assert!(two[1_600] > 1.5 * one[1_600]);
}

#[test]
fn windows_lie_side_by_side_and_the_shortfall_is_that_of_the_tail() {
    let series = simulated(2, 24 * 400, &ops::normal_quantile);
    let settings = Settings {
        confidence: 0.95,
        horizon: Span::seconds(24.0 * HOUR),
        warmup: Some(Span::seconds(1_000.0 * HOUR)),
        loss: Loss::Close,
        ..Settings::default()
    };
    let rule = Named {
        name: "day".to_owned(),
        rule: Quantile::of(ops::normal_quantile(0.95) * 24f64.sqrt()),
        shortfall: None,
    };
    let report = backtest::run(&series, vec![rule], &settings).unwrap();
    assert!(
        report
            .windows
            .begins
            .windows(2)
            .all(|pair| pair[1] - pair[0] == 24)
    );
    let midnight = |ms: &i64| ms % 86_400_000 == 0;
    assert!(report.windows.begins_ms.iter().all(midnight));
    assert!(report.windows.first >= 1_000 && report.windows.begins[0] >= report.windows.first);
    for side in Side::BOTH {
        let found = report.rules[0].whole(side).unwrap();
        assert!(!found.kupiec.unwrap().rejects(0.01), "{found:?}");
        assert!(found.z2.abs() < 0.6 && found.z2_p_value.unwrap() > 0.01);
    }
}

fn file(folder: &std::path::Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_command_writes_tables_charts_and_a_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let series = simulated(7, 6_000, &ops::normal_quantile);
    let mut text = "open_time,open,high,low,close,volume\n".to_owned();
    for bar in series.bars() {
        text += &format!(
            "{},{},{},{},{},{}\n",
            bar.open_ms + 1_600_000_000_000 / 3_600_000 * 3_600_000,
            bar.open,
            bar.high,
            bar.low,
            bar.close,
            bar.volume
        );
    }
    let prices = file(folder.path(), "sim.csv", &text);
    let fixed = "[base.fixed]\nmaintenance = 0.005\ninitial = 0.01\n";
    let rule = file(folder.path(), "fixed.toml", fixed);
    let out = folder.path().join("out");
    let command = |confidence: &str, rule: &std::path::Path| {
        let mut command = Command::cargo_bin("deleverage").unwrap();
        command
            .args([
                "backtest",
                "--format",
                "csv",
                "--confidence",
                confidence,
                "--out",
            ])
            .arg(&out)
            .arg(&prices)
            .arg("--rule")
            .arg(rule);
        command
    };
    let shown = command("0.99", &rule).assert().success();
    let shown = String::from_utf8(shown.get_output().stdout.clone()).unwrap();
    assert!(shown.contains("Long positions") && shown.contains("p of coverage (Kupiec)"));
    assert!(
        shown.lines().all(|line| line.starts_with("written")
            || line.starts_with("note")
            || line.chars().count() <= 80),
        "{shown}"
    );
    let margins = std::fs::read_to_string(out.join("margins.csv")).unwrap();
    assert_eq!(margins.lines().count(), 1 + 6_000 - 600 - 1);
    let judgements = std::fs::read_to_string(out.join("judgements.csv")).unwrap();
    assert!(
        judgements
            .lines()
            .any(|line| line.starts_with("sim,fixed,whole,whole,long,"))
    );
    assert!(out.join("charts/coverage-fixed.svg").exists());
    let manifest = std::fs::read_to_string(out.join("manifest.json")).unwrap();
    assert!(manifest.contains("\"breach_rate\"") && manifest.contains("\"horizon\": \"1h\""));
    // Another confidence is another backtest.
    command("0.95", &rule).assert().failure().code(2);
    let wrong = file(folder.path(), "wrong.toml", "[base.fixd]\n");
    let told = command("0.99", &wrong).assert().failure().code(2);
    let told = String::from_utf8(told.get_output().stderr.clone()).unwrap();
    assert!(
        told.contains("fixd") && told.contains("wrong.toml"),
        "{told}"
    );
    command("1.5", &rule).assert().failure().code(2);
}
