//! Moments of the generators, correlation, keys, and the settings' messages.

use super::*;
use crate::math::estimate::Moments;
use crate::math::linear::correlation_factor;
use crate::unit::Span;

fn grid(dt: f64, steps: u32) -> TimeGrid {
    TimeGrid {
        start_ms: 0,
        dt,
        steps,
    }
}

fn read(json: &str) -> PathSettings {
    serde_json::from_str(json).unwrap()
}

fn generators(paths: &[&str]) -> Vec<Box<dyn PricePath>> {
    let generator = |json: &&str| read(json).generator(None).unwrap();
    paths.iter().map(generator).collect()
}

/// Sources that start at 100, without shocks.
fn sources(generators: &[Box<dyn PricePath>]) -> Vec<Source<'_>> {
    generators
        .iter()
        .map(|generator| Source {
            start: 100.0,
            generator: generator.as_ref(),
            shocks: Vec::new(),
            severity: 1.0,
        })
        .collect()
}

/// A correlation of `rho` between any two.
fn alike(markets: usize, rho: f64) -> Matrix {
    let entry = |i: usize, j: usize| if i == j { 1.0 } else { rho };
    let row = |i| (0..markets).map(|j| entry(i, j)).collect();
    (0..markets).map(row).collect()
}

fn lay(grid: &TimeGrid, paths: &[&str], rho: f64, draws: &Draws) -> Paths {
    let factor = correlation_factor(&alike(paths.len(), rho), paths.len()).unwrap();
    let generators = generators(paths);
    Paths::lay(grid, &sources(&generators), &factor, draws).unwrap()
}

/// Two or more markets whose correlation rises in falls.
fn stressed(grid: &TimeGrid, paths: &[&str], rho: f64, json: &str, draws: &Draws) -> Paths {
    let calm = alike(paths.len(), rho);
    let settings: StressSettings = serde_json::from_str(json).unwrap();
    assert!(settings.problems(paths.len()).is_empty());
    let stress = settings.ready(&calm, grid).unwrap();
    let factor = correlation_factor(&calm, paths.len()).unwrap();
    let generators = generators(paths);
    Paths::lay_under(grid, &sources(&generators), &factor, Some(&stress), draws).unwrap()
}

#[test]
fn correlation_in_falls_and_in_calm_is_what_is_set() {
    // Four days of seconds: an hour in calm and in stress has a standard error of 0.01 or less.
    let grid = grid(1.0, 345_600);
    let rule = r#"{"fall": 0.02, "window": "1h", "hold": "30m", "weight": 0.8}"#;
    let draws = Draws::new(4, 0);
    let paths = stressed(&grid, &[GBM, GBM, MERTON], 0.3, rule, &draws);
    let series = |market| returns(paths.series(MarketId(market)));
    let (a, b) = (series(0), series(1));
    let apart = |state: bool| {
        let chosen = |x: &[f64]| -> Vec<f64> {
            let both = x.iter().zip(paths.stressed());
            both.filter(|(_, is)| **is == state)
                .map(|(x, _)| *x)
                .collect()
        };
        let (a, b) = (chosen(&a), chosen(&b));
        assert!(a.len() > 20_000, "{}", a.len());
        crate::math::series::correlation(&a, &b)
    };
    assert!((apart(false) - 0.3).abs() < 0.01, "{}", apart(false));
    // A fifth of what is calm and four fifths of one.
    assert!((apart(true) - 0.86).abs() < 0.01, "{}", apart(true));
}

#[test]
fn without_stress_paths_are_the_same_bytes() {
    let grid = grid(1.0, 2_000);
    let draws = Draws::new(8, 1);
    let usual = lay(&grid, &[MERTON, GARCH, GBM], 0.6, &draws);
    let never = r#"{"fall": 0.9}"#;
    let none = stressed(&grid, &[MERTON, GARCH, GBM], 0.6, never, &draws);
    let nothing = r#"{"fall": 0.0001, "weight": 0}"#;
    let alike = stressed(&grid, &[MERTON, GARCH, GBM], 0.6, nothing, &draws);
    assert!(alike.stressed().iter().any(|stressed| *stressed));
    let some = r#"{"fall": 0.0001}"#;
    let some = stressed(&grid, &[MERTON, GARCH, GBM], 0.6, some, &draws);
    for market in (0..3).map(MarketId) {
        assert_eq!(usual.series(market), none.series(market));
        assert_eq!(usual.series(market), alike.series(market));
        // The first market knows of no correlation.
        assert_eq!(usual.series(market) == some.series(market), market.0 == 0);
    }
}

#[test]
fn a_step_is_stressed_by_what_came_before() {
    let settings: StressSettings =
        serde_json::from_str(r#"{"fall": 0.1, "window": "3s", "hold": "2s"}"#).unwrap();
    let calm = vec![vec![1.0, 0.2], vec![0.2, 1.0]];
    let stress = settings.ready(&calm, &grid(1.0, 12)).unwrap();
    let prices = [
        100.0, 100.0, 90.0, 100.0, 100.0, 100.0, 96.0, 93.0, 91.0, 89.0, 88.0, 88.0, 88.0,
    ];
    let states = stress.states(&prices);
    // At 90 for the first time in step 2: the move after it, and two more; again from 89, by the 100 of no more than three steps before.
    let expected = [0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(
        states.iter().map(|is| i32::from(*is)).collect::<Vec<_>>(),
        expected
    );
    for end in 2..prices.len() {
        assert_eq!(stress.states(&prices[..end]), states[..end - 1]);
    }
    let slow = StressSettings {
        window: Span::seconds(4.0),
        ..settings
    };
    let states = slow.ready(&calm, &grid(1.0, 12)).unwrap().states(&prices);
    assert_eq!(states[9..], [true, true, true]);
}

#[test]
fn a_mix_is_a_correlation_matrix() {
    let draws = Draws::new(11, 0);
    for trial in 0..300 {
        let mut s = draws.stream(Purpose::Custom, trial, 0);
        let markets = 2 + s.below(5) as usize;
        // Correlations of random loadings on two factors.
        let mut random = || -> Matrix {
            let loadings: Vec<[f64; 2]> = (0..markets)
                .map(|_| {
                    let (a, b) = (s.normal(), s.normal());
                    let size = (a * a + b * b).sqrt();
                    [a / size, b / size]
                })
                .collect();
            let entry = |i: usize, j: usize| {
                let [a, b] = [loadings[i], loadings[j]];
                if i == j {
                    1.0
                } else {
                    (a[0] * b[0] + a[1] * b[1]).clamp(-1.0, 1.0)
                }
            };
            (0..markets)
                .map(|i| (0..markets).map(|j| entry(i, j)).collect())
                .collect()
        };
        let (calm, other) = (random(), random());
        for matrix in [None, Some(other)] {
            for weight in [0.0, 0.3, 0.9, 1.0] {
                let settings = StressSettings {
                    fall: 0.1,
                    window: Span::seconds(60.0),
                    hold: Span::ZERO,
                    weight,
                    matrix: matrix.clone(),
                };
                let mixed = settings.mixed(&calm);
                assert!(correlation_factor(&mixed, markets).is_ok(), "{mixed:?}");
            }
        }
    }
}

#[test]
fn settings_of_stress_that_cannot_be_run_are_told() {
    let told = |json: &str, markets| -> Vec<String> {
        let settings: StressSettings = serde_json::from_str(json).unwrap();
        let problems = settings.problems(markets);
        problems.into_iter().map(|problem| problem.field).collect()
    };
    assert_eq!(told(r#"{"fall": 0.05}"#, 2), [""; 0]);
    assert_eq!(
        told(r#"{"fall": 0, "weight": 1.5}"#, 1),
        ["weight", "fall", "fall"]
    );
    assert_eq!(
        told(r#"{"fall": 0.05, "matrix": [[1, 2], [2, 1]]}"#, 2),
        ["matrix"]
    );
}

fn returns(series: &[f64]) -> Vec<f64> {
    series
        .windows(2)
        .map(|pair| ops::ln(pair[1] / pair[0]))
        .collect()
}

/// Volatility per year and drift per year of the log returns.
fn annual(series: &[f64], grid: &TimeGrid) -> (f64, f64) {
    let mut moments = Moments::default();
    for r in returns(series) {
        moments.see(r);
    }
    (
        (moments.variance() / grid.years()).sqrt(),
        moments.mean() / grid.years(),
    )
}

const GBM: &str = r#"{"gbm": {"drift": 0.1, "volatility": 0.8}}"#;
const GARCH: &str = r#"{"garch": {"alpha": 0.1, "beta": 0.85, "volatility": 0.8, "period": "1h"}}"#;
const MERTON: &str =
    r#"{"merton": {"volatility": 0.5, "jump_rate": 4, "jump_mean": -0.02, "jump_sigma": 0.01}}"#;

#[test]
fn gbm_has_the_volatility_and_drift_of_its_settings() {
    // 40 years of days: the standard error of the volatility is 0.0047, of the log drift 0.126.
    let grid = grid(86_400.0, 14_600);
    let paths = lay(&grid, &[GBM], 0.0, &Draws::new(3, 0));
    let (volatility, drift) = annual(paths.series(MarketId(0)), &grid);
    assert!((volatility - 0.8).abs() < 0.015, "{volatility}");
    assert!((drift - (0.1 - 0.32)).abs() < 0.4, "{drift}");
}

#[test]
fn merton_jumps_as_often_and_as_far_as_said_and_keeps_its_mean() {
    // Minutes over 500 days: 2,000 jumps expected, standard error 45; the diffusion moves 0.0007 a
    // minute, so a fall of more than 0.0035 is a jump.
    let grid = grid(60.0, 720_000);
    let paths = lay(&grid, &[MERTON], 0.0, &Draws::new(5, 0));
    let jumps: Vec<_> = returns(paths.series(MarketId(0)))
        .into_iter()
        .filter(|r| r.abs() > 0.0035)
        .collect();
    let count = jumps.len() as f64;
    // 4.9 % of the jumps, N(-0.02, 0.01²) above -0.0035, are too small to be seen.
    assert!((count - 1_902.0).abs() < 150.0, "{count}");
    let mean = jumps.iter().sum::<f64>() / count;
    assert!((mean + 0.021).abs() < 0.001, "{mean}");

    // E[S_t] = S_0: the mean over 4,000 replicates of one day.
    let day = self::grid(3_600.0, 24);
    let mean = (0..4_000)
        .map(|replicate| lay(&day, &[MERTON], 0.0, &Draws::new(5, replicate)))
        .map(|paths| paths.price(MarketId(0), 24))
        .sum::<f64>()
        / 4_000.0;
    assert!((mean - 100.0).abs() < 0.4, "{mean}");
}

#[test]
fn garch_has_its_long_run_volatility_and_clusters() {
    let grid = grid(1_200.0, 3 * 60_000);
    let paths = lay(&grid, &[GARCH], 0.0, &Draws::new(9, 0));
    let series = paths.series(MarketId(0));
    let (volatility, _) = annual(series, &grid);
    assert!((volatility - 0.8).abs() < 0.03, "{volatility}");
    let hourly: Vec<_> = series.iter().step_by(3).copied().collect();
    let squared: Vec<_> = returns(&hourly).iter().map(|r| r * r).collect();
    let mean = squared.iter().sum::<f64>() / squared.len() as f64;
    let product = |lag: usize| -> f64 {
        squared
            .iter()
            .zip(&squared[lag..])
            .map(|(a, b)| (a - mean) * (b - mean))
            .sum()
    };
    // Theory: α (1 − αβ − β²) / (1 − 2αβ − β²) = 0.179.
    let clustering = product(1) / product(0);
    assert!((clustering - 0.179).abs() < 0.06, "{clustering}");
}

#[test]
fn a_bridge_is_pinned_and_has_the_variance_of_a_bridge() {
    let grid = grid(60.0, 60);
    let json = r#"{"waypoints": {"points": [["10m", 95], [2400, 90.5]], "volatility": 1.0}}"#;
    assert_eq!(read(json).problems(&grid, 100.0, None), []);
    let mut middle = Moments::default();
    for replicate in 0..4_000 {
        let paths = lay(&grid, &[json], 0.0, &Draws::new(2, replicate));
        assert_eq!(paths.price(MarketId(0), 0), 100.0);
        assert_eq!(paths.price(MarketId(0), 10), 95.0);
        assert_eq!(paths.price(MarketId(0), 40), 90.5);
        middle.see(ops::ln(paths.price(MarketId(0), 25)));
    }
    let variance = grid.years() * 15.0 * 15.0 / 30.0;
    assert!((middle.variance() / variance - 1.0).abs() < 0.09);
    let line = 0.5 * (ops::ln(95.0) + ops::ln(90.5));
    assert!((middle.mean() - line).abs() < 4.0 * (variance / 4_000.0).sqrt());

    let straight = r#"{"waypoints": {"points": [["20m", 81]], "volatility": 0}}"#;
    let paths = lay(&grid, &[straight], 0.0, &Draws::new(2, 0));
    assert!((paths.price(MarketId(0), 10) - 90.0).abs() < 1e-9);
    assert!((paths.price(MarketId(0), 60) - 81.0).abs() < 1e-9);
}

#[test]
fn diffusions_are_correlated_whatever_the_generator() {
    let grid = grid(3_600.0, 20_000);
    let calm =
        r#"{"merton": {"volatility": 0.8, "jump_rate": 0, "jump_mean": 0, "jump_sigma": 0}}"#;
    let bridge = r#"{"waypoints": {"points": [["20000h", 100]], "volatility": 0.8}}"#;
    let paths = lay(&grid, &[GBM, GARCH, calm, bridge], 0.7, &Draws::new(4, 0));
    let all: Vec<_> = (0..4).map(|m| returns(paths.series(MarketId(m)))).collect();
    for (i, a) in all.iter().enumerate() {
        for b in &all[..i] {
            let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(p, q)| p * q).sum::<f64>();
            let rho = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
            assert!((rho - 0.7).abs() < 0.03, "{rho}");
        }
    }
}

#[test]
fn a_market_added_last_changes_no_other() {
    let grid = grid(1.0, 200);
    let draws = Draws::new(8, 1);
    let alone = lay(&grid, &[MERTON], 0.6, &draws);
    let two = lay(&grid, &[MERTON, GBM], 0.6, &draws);
    assert_eq!(alone.series(MarketId(0)), two.series(MarketId(0)));
}

#[test]
fn a_step_depends_on_its_key_alone() {
    let draws = Draws::new(8, 1);
    let short = lay(&grid(1.0, 50), &[MERTON, GARCH], 0.6, &draws);
    let long = lay(&grid(1.0, 90), &[MERTON, GARCH], 0.6, &draws);
    for market in [MarketId(0), MarketId(1)] {
        assert_eq!(short.series(market), &long.series(market)[..51]);
        assert_eq!(short.price(market, 90), short.price(market, 50));
    }
    assert_ne!(
        short.series(MarketId(0)),
        lay(&grid(1.0, 50), &[MERTON, GARCH], 0.6, &Draws::new(8, 2)).series(MarketId(0))
    );
}

#[test]
fn shocks_ramp_in_log_price_and_recover_by_half_lives() {
    let grid = grid(10.0, 60);
    let settings: ShockSettings = serde_json::from_str(
        r#"{"at": 100, "size": -0.19, "duration": "100s",
            "recovery": {"after": "50s", "share": 0.5, "half_life": "30s"}}"#,
    )
    .unwrap();
    assert_eq!(settings.problems(&grid, &["BTC"]), []);
    assert!(settings.concerns("BTC"));
    let shock = settings.shock(&grid);
    for (seconds, factor) in [(90.0, 1.0), (100.0, 1.0), (150.0, 0.9), (200.0, 0.81)] {
        assert!((shock.factor(seconds) - factor).abs() < 1e-12, "{seconds}");
    }
    assert!((shock.factor(249.0) - 0.81).abs() < 1e-12);
    // A half-life after 250 s half of half of the log move is back.
    let log_share = ops::ln(shock.factor(280.0)) / ops::ln(0.81);
    assert!((log_share - 0.75).abs() < 1e-12);

    let generator = constant::Constant {};
    let sudden = ShockSettings {
        duration: Span::ZERO,
        recovery: None,
        ..settings
    };
    let paths = Paths::lay(
        &grid,
        &[Source {
            start: 100.0,
            generator: &generator,
            shocks: vec![sudden.shock(&grid), sudden.shock(&grid)],
            severity: 1.0,
        }],
        &vec![vec![1.0]],
        &Draws::new(1, 0),
    )
    .unwrap();
    assert_eq!(paths.price(MarketId(0), 9), 100.0);
    assert!((paths.price(MarketId(0), 10) - 65.61).abs() < 1e-9);
    let (low, high) = paths.range(MarketId(0));
    assert!((low - 65.61).abs() < 1e-9 && high == 100.0);
}

fn day() -> Bars {
    let minute = |i: i64| Bar {
        open_ms: i * 60_000,
        open: 100.0 + i as f64,
        high: 100.0 + i as f64,
        low: 100.0 + i as f64,
        close: 100.0 + i as f64,
        volume: 1.0,
    };
    Bars::new((0..10).chain(15..20).map(minute).collect(), 60_000).unwrap()
}

#[test]
fn a_replay_scales_log_moves_by_the_exogenous_share() {
    let bars = Arc::new(day());
    let grid = TimeGrid {
        start_ms: 120_000,
        dt: 60.0,
        steps: 15,
    };
    for (share, expected) in [(1.0, 50.0 * 109.0 / 102.0), (0.0, 50.0)] {
        let settings = read(&format!(
            r#"{{"replay": {{"file": "x.csv", "exogenous_share": {share}}}}}"#
        ));
        assert_eq!(settings.problems(&grid, 50.0, Some(&bars)), []);
        assert_eq!(settings.natural_start(&grid, Some(&bars)), Some(102.0));
        let generator = settings.generator(Some(bars.clone())).unwrap();
        let source = Source {
            start: 50.0,
            generator: generator.as_ref(),
            shocks: Vec::new(),
            severity: 1.0,
        };
        let paths = Paths::lay(&grid, &[source], &vec![vec![1.0]], &Draws::new(1, 0)).unwrap();
        assert_eq!(paths.price(MarketId(0), 0), 50.0);
        // Step 10 lies in the gap: held at the last close.
        assert!((paths.price(MarketId(0), 10) - expected).abs() < 1e-9);
    }
    assert!(
        read(r#"{"replay": {"file": "x"}}"#)
            .generator(None)
            .is_none()
    );
}

#[test]
fn a_replay_says_what_is_missing() {
    let bars = day();
    let grid = TimeGrid {
        start_ms: 0,
        dt: 60.0,
        steps: 20,
    };
    let replay = |json: &str| match read(json) {
        PathSettings::Replay(settings) => settings,
        other => panic!("{other:?}"),
    };
    let hold = replay(r#"{"replay": {"file": "x.csv"}}"#);
    assert_eq!(
        hold.notes(&grid, &bars),
        [
            "x.csv: 5 missing bars from 1970-01-01 00:10 to 1970-01-01 00:14 UTC: the price stays at the last close",
            "x.csv: steps of 60 s may skip the highs and lows of bars of 60 s"
        ]
    );
    let refuse = replay(r#"{"replay": {"file": "x.csv", "gaps": "refuse"}}"#);
    assert_eq!(
        refuse.problems(&grid, Some(&bars))[0].to_string(),
        "gaps: x.csv lacks 5 bars from 1970-01-01 00:10 to 1970-01-01 00:14 UTC within the run; use gaps = \"hold\" or \"bridge\", or run another stretch"
    );
    let late = TimeGrid {
        start_ms: 600_000,
        ..grid
    };
    assert_eq!(
        hold.problems(&late, Some(&bars))[0].to_string(),
        "file: x.csv covers 1970-01-01 00:00 to 1970-01-01 00:20 UTC, and the run needs 1970-01-01 00:10 to 1970-01-01 00:30: move the start, shorten the run, or use a longer file"
    );
}

#[test]
fn every_wrong_setting_is_named() {
    let grid = grid(60.0, 60);
    let said = |json: &str| -> Vec<String> {
        read(json)
            .problems(&grid, 100.0, None)
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(
        said(r#"{"gbm": {"volatility": -0.5}}"#),
        ["volatility: found -0.5, expected a number of 0 or more"]
    );
    assert_eq!(
        said(
            r#"{"merton": {"volatility": -1, "jump_rate": -2, "jump_mean": 0, "jump_sigma": -3}}"#
        )
        .len(),
        3
    );
    assert_eq!(
        said(r#"{"garch": {"alpha": 0.2, "beta": 0.9, "volatility": 1, "period": "90s"}}"#),
        [
            "alpha: alpha + beta is 1.1, expected less than 1: otherwise there is no long-run volatility",
            "period: found 90s, expected a whole number of steps of 1m"
        ]
    );
    assert_eq!(
        said(r#"{"waypoints": {"points": [], "volatility": 0}}"#),
        ["points: found none, expected at least one [time, price]"]
    );
    assert_eq!(
        said(
            r#"{"waypoints": {"points": [[0, 99], ["5m", -1], ["5m", 3], ["1969-12-31 23:00:00", 3]], "volatility": 0}}"#
        ),
        [
            "points[0]: found 99 at step 0, expected the start price 100",
            "points[1]: found price -1, expected a number above 0",
            "points[2]: 5m isn't at least one step of 60 s after 5m; expected times in increasing order",
            "points[3]: 1969-12-31 23:00 lies before the start of the run (1970-01-01 00:00) or is no finite time; expected a time within the run"
        ]
    );
    assert_eq!(
        said(r#"{"replay": {"file": "", "exogenous_share": 1.5}}"#),
        [
            "file: found nothing, expected a path",
            "exogenous_share: found 1.5, expected a number from 0 to 1"
        ]
    );
    let nan = gbm::Gbm {
        drift: f64::NAN,
        volatility: f64::NAN,
    };
    assert_eq!(nan.problems().len(), 2);

    let shock: ShockSettings = serde_json::from_str(
        r#"{"market": "BTX", "at": "2h", "size": -1, "duration": "never", "recovery": {"share": 2, "half_life": 0}}"#,
    )
    .unwrap();
    let said: Vec<_> = shock
        .problems(&grid, &["BTC", "ETH"])
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        said,
        [
            "market: found \"BTX\", expected one of BTC, ETH",
            "at: 2h lies outside the run, which lasts 1h",
            "size: found -1, expected a number above -1 (-0.1 is a fall of 10 %)",
            "duration: found never, expected a finite time",
            "recovery.share: found 2, expected a number from 0 to 1"
        ]
    );
}

#[test]
fn unknown_settings_are_refused_and_settings_survive_the_round_trip() {
    assert!(
        serde_json::from_str::<PathSettings>(r#"{"gbm": {"volatility": 1, "vol": 2}}"#).is_err()
    );
    assert!(serde_json::from_str::<PathSettings>(r#"{"constant": {"x": 1}}"#).is_err());
    for json in [GBM, GARCH, MERTON, r#"{"constant": {}}"#] {
        let settings = read(json);
        assert_eq!(read(&serde_json::to_string(&settings).unwrap()), settings);
    }
    let schema = serde_json::to_string(&schemars::schema_for!(PathSettings)).unwrap();
    assert!(schema.contains("jump_rate") && schema.contains("Jumps expected per day"));
}

#[test]
fn settings_read_from_toml_as_documented() {
    #[derive(Deserialize)]
    struct Scenario {
        path: PathSettings,
        shocks: Vec<ShockSettings>,
    }
    let scenario: Scenario = toml::from_str(
        r#"
        path = { waypoints = { points = [["20:50:00", 117000], [4500, 113000.5], ["2025-10-10T22:00:00Z", 112000]], volatility = 1 } }
        shocks = [{ at = "21:20:00", size = -0.1, duration = "90s", recovery = { share = 0.5, half_life = "10m" } }]
        "#,
    )
    .unwrap();
    // 2025-10-10 20:30 UTC.
    let grid = TimeGrid {
        start_ms: 1_760_128_200_000,
        dt: 1.0,
        steps: 7_200,
    };
    assert_eq!(scenario.path.problems(&grid, 118_000.0, None), []);
    assert_eq!(scenario.shocks[0].problems(&grid, &[]), []);
    assert_eq!(scenario.shocks[0].at.offset(grid.start_ms), 3_000.0);
    let PathSettings::Waypoints(waypoints) = &scenario.path else {
        panic!("{:?}", scenario.path)
    };
    let offsets: Vec<_> = waypoints
        .points
        .iter()
        .map(|(moment, _)| moment.offset(grid.start_ms))
        .collect();
    assert_eq!(offsets, [1_200.0, 4_500.0, 5_400.0]);
}

#[test]
fn a_path_that_leaves_the_numbers_is_an_error() {
    let grid = grid(86_400.0, 4_000);
    let generator = gbm::Gbm {
        drift: 1e4,
        volatility: 0.0,
    };
    let source = Source {
        start: 1.0,
        generator: &generator,
        shocks: Vec::new(),
        severity: 1.0,
    };
    let error = Paths::lay(&grid, &[source], &vec![vec![1.0]], &Draws::new(1, 0)).unwrap_err();
    assert_eq!(error.step, 26);
    assert!(
        error
            .to_string()
            .starts_with("the reference price of market 0 is inf at step 26")
    );
}

#[test]
fn a_severity_stretches_log_moves_and_keeps_their_times() {
    let grid = grid(1.0, 100);
    let generator =
        read(r#"{"waypoints": {"points": [["40s", 80.0], ["100s", 90.0]], "volatility": 0.5}}"#)
            .generator(None)
            .unwrap();
    let shock = ShockSettings {
        market: None,
        at: Moment::After(Span::seconds(70.0)),
        size: -0.1,
        duration: Span::ZERO,
        recovery: None,
    };
    let lay = |severity| {
        let source = Source {
            start: 100.0,
            generator: generator.as_ref(),
            shocks: vec![shock.shock(&grid)],
            severity,
        };
        Paths::lay(&grid, &[source], &vec![vec![1.0]], &Draws::new(3, 0)).unwrap()
    };
    let (usual, severe, none) = (lay(1.0), lay(1.5), lay(0.0));
    for step in 0..=100 {
        let moved = |paths: &Paths| ops::ln(paths.price(MarketId(0), step) / 100.0);
        assert!((moved(&severe) - 1.5 * moved(&usual)).abs() < 1e-12);
        assert_eq!(none.price(MarketId(0), step), 100.0);
    }
    assert!((severe.price(MarketId(0), 40) - 100.0 * ops::pow(0.8, 1.5)).abs() < 1e-9);
    assert!((severe.price(MarketId(0), 100) - 100.0 * ops::pow(0.81, 1.5)).abs() < 1e-9);
}
