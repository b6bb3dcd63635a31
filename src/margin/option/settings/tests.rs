//! Rules of venues against published examples, hand computation and each other.

use super::super::testing::{Place, rules};
use super::super::{Asked, Board, Book, OptionLeg, ScanTable};
use super::*;
use crate::margin::Leg;
use crate::market::option::{Right, SeriesId, black76};
use crate::unit::{Cash, Lots, MarketId};
use proptest::prelude::*;

/// McMillan, "Options as a Strategic Investment", ch. 34: the risk arrays of one S&P 500 future and of one December 410 call, in
/// the order of SPAN's sixteen scenarios.
const FUTURE: [i64; 16] = [
    0, 0, 3_330, 3_330, -3_330, -3_330, 6_670, 6_670, -6_670, -6_670, 10_000, 10_000, -10_000,
    -10_000, 7_000, -7_000,
];
const CALL: [i64; 16] = [
    460, -610, 2_640, 1_730, -1_270, -2_340, 5_210, 4_540, -2_540, -3_430, 8_060, 7_640, -3_380,
    -3_990, 3_130, -1_500,
];

fn span() -> SpanSettings {
    SpanSettings {
        range: 20.0 / 413.76,
        volatility: 0.02809,
        short_minimum: 0.0,
        calendar: 0.0,
        initial: 1.0,
        ..SpanSettings::default()
    }
}

#[test]
fn spans_worked_example_from_its_risk_arrays() {
    let place = Place::new(413.76).listed(&[(410, Right::Call, 21.71, 0.1662)]);
    // The arrays already count extremes at their share.
    let mut settings = span();
    settings.extreme_share = 1.0;
    let rule = ScanRule::new(vec![settings.part()], None);
    let alone = |only: Option<usize>, perp: i64, contracts: i64| {
        let keep = |array: &[i64; 16]| -> Vec<i64> {
            let kept = |(place, gain): (usize, &i64)| match only {
                Some(one) if one != place => 0,
                _ => gain * ScanTable::UNIT,
            };
            array.iter().enumerate().map(kept).collect()
        };
        let table = ScanTable::of_rows(16, keep(&CALL), keep(&FUTURE));
        let leg = Leg {
            market: MarketId(0),
            quantity: Lots(perp),
            notional: Cash::ZERO,
            alone: Cash::ZERO,
        };
        let option = OptionLeg {
            series: SeriesId(0),
            contracts,
        };
        let board = Board {
            markets: &[place.state],
            series: &place.series,
        };
        let book = Book {
            perps: &[leg],
            options: &[option],
        };
        rule.requirement(&board, &table, &book, Asked::Maintenance)
            .0
    };
    // The future alone 10,000, the call alone 3,990, the covered write 6,620; its extreme fall 5,500.
    assert_eq!(alone(None, 1, 0), 10_000);
    assert_eq!(alone(None, 0, 1), 3_990);
    assert_eq!(alone(None, 1, -1), 6_620);
    assert_eq!(alone(Some(15), 1, -1), 5_500);
}

/// The book states no price, time or volatility. A future at 413.76, 21.7 days, 16.6 % and ±2.8 points reproduce the fourteen
/// ordinary rows of the call to 15 dollars or so (they are rounded to ten), and the extreme fall to 23. The extreme rise doesn't
/// fit: 40 points up the call gains 35, of which 35 % are 6,130 dollars; the book's 3,130 looks like a misprint of that.
#[test]
fn spans_worked_example_from_blacks_formula() {
    // One contract is 500 units: contracts here are on one.
    let place = Place::new(413.76).listed(&[(410, Right::Call, 21.71, 0.1662)]);
    let rule = ScanRule::new(vec![span().part()], None);
    let mut table = ScanTable::default();
    let board = Board {
        markets: &[place.state],
        series: &place.series,
    };
    rule.tabulate(&board, &mut table);
    let dollars = |gain: i64| 500.0 * gain as f64 / (1e6 * ScanTable::UNIT as f64);
    for (place, (gain, expected)) in table
        .series(SeriesId(0))
        .iter()
        .zip(CALL)
        .enumerate()
        .take(14)
    {
        let found = dollars(*gain);
        assert!(
            (found - expected as f64).abs() < 18.0,
            "scenario {place}: {found} {expected}"
        );
    }
    let extreme = 0.35 * dollars(table.series(SeriesId(0))[15]);
    assert!((extreme + 1_500.0).abs() < 25.0, "{extreme}");
    let covered = place.asked(&rule, &[1], &[(0, -1)], Asked::Maintenance);
    assert!(
        (500.0 * covered as f64 / 1e6 - 6_620.0).abs() < 20.0,
        "{covered}"
    );
    let rise = 0.35 * dollars(table.series(SeriesId(0))[14]);
    assert!((rise - 6_130.0).abs() < 15.0, "{rise}");
}

fn deribit(edition: DeribitEdition) -> Box<dyn OptionMargin> {
    let rule = RuleSettings::Deribit(DeribitSettings {
        edition,
        ..DeribitSettings::default()
    });
    OptionMarginSettings::of(rule).build(&[("BTC", 1e-6)])
}

/// The venue's own answer (`private/pme/simulate`, February 2026) for a short inverse perpetual of 0.999487053 ETH: worst case
/// 0.152464127, roll shock 0.004997435, initial 0.157461562, maintenance 0.125969250, all in ETH.
#[test]
fn deribits_answer_for_a_perpetual() {
    // Cents to the tick, billionths of a coin to the quantum.
    let place = Place::inverse(194_949, 0.999_487_053e9);
    let rule = RuleSettings::Deribit(DeribitSettings {
        edition: DeribitEdition::Eth2026,
        ..DeribitSettings::default()
    });
    let rule = OptionMarginSettings::of(rule).build(&[("ETH", 1e-9)]);
    assert_eq!(place.asked(&*rule, &[-1], &[], Asked::Initial), 157_461_563);
    assert_eq!(
        place.asked(&*rule, &[-1], &[], Asked::Maintenance),
        125_969_251
    );
    // The same in a linear contract: 18.5 % of the price, and 0.8 of that to keep.
    let place = Place::new(1_000.0);
    let rule = deribit(DeribitEdition::Eth2026);
    assert_eq!(place.asked(&*rule, &[-1], &[], Asked::Initial), 185_000_000);
    assert_eq!(
        place.asked(&*rule, &[-1], &[], Asked::Maintenance),
        148_000_000
    );
}

#[test]
fn deribits_grid_by_hand() {
    let spot = 100_000.0;
    let place = Place::new(spot).listed(&[
        (100_000, Right::Call, 30.0, 0.6),
        (100_000, Right::Put, 30.0, 0.6),
        (150_000, Right::Call, 7.5, 0.8),
    ]);
    let years = 30.0 / 365.0;
    let rule = deribit(DeribitEdition::Btc2024);
    let near = |found: i64, expected: f64| {
        assert!(
            (found as f64 / 1e6 - expected).abs() < 1e-3 + 1e-9 * expected,
            "{found} {expected}"
        );
    };
    let call = |move_of: f64, volatility: f64| {
        black76(spot * (1.0 + move_of), spot, years, volatility, Right::Call)
    };
    let put = |move_of: f64, volatility: f64| {
        black76(spot * (1.0 + move_of), spot, years, volatility, Right::Put)
    };
    let delta = crate::market::option::greeks(spot, spot, years, 0.6, Right::Call).delta;
    // Short ten calls: the worst is up 16 % with volatility up by half. A hundredth of the delta is the roll.
    let short = 10.0 * (call(0.16, 0.9) - call(0.0, 0.6)) + 0.01 * 10.0 * delta * spot;
    near(place.asked(&*rule, &[], &[(0, -10)], Asked::Initial), short);
    near(
        place.asked(&*rule, &[], &[(0, -10)], Asked::Maintenance),
        0.8 * short,
    );
    // Long ten calls: down 16 %, volatility down by a quarter.
    let long = 10.0 * (call(0.0, 0.6) - call(-0.16, 0.45)) + 0.01 * 10.0 * delta * spot;
    near(place.asked(&*rule, &[], &[(0, 10)], Asked::Initial), long);
    // A short straddle: the worse of the two ends; its delta is small and positive for the seller of a put.
    let ends = [-0.16, 0.16].map(|x| call(x, 0.9) + put(x, 0.9) - call(0.0, 0.6) - put(0.0, 0.6));
    let straddle = ends[0].max(ends[1]) + 0.01 * (2.0 * delta - 1.0) * spot;
    near(
        place.asked(&*rule, &[], &[(0, -1), (1, -1)], Asked::Initial),
        straddle,
    );
    // A call bought and a future sold is a put: it is asked what the put is, and the roll of two expiries.
    let synthetic = 10.0 * (put(0.0, 0.6) - put(0.16, 0.45)) + 0.01 * spot * (10.0 * delta + 10.0);
    near(
        place.asked(&*rule, &[-10], &[(0, 10)], Asked::Initial),
        synthetic,
    );
    // Far calls, sold by the ten thousand: five times up, of which 0.16/5 counts, less the dampener of (5/0.16 − 1) · 100,000.
    let week = 7.5 / 365.0;
    let far = |move_of: f64, volatility: f64| {
        black76(
            spot * (1.0 + move_of),
            150_000.0,
            week,
            volatility,
            Right::Call,
        )
    };
    let up = 0.8 * (1.0 + 0.5 * crate::math::ops::pow(4.0, 0.3));
    let grid = 1e4 * (far(0.16, up) - far(0.0, 0.8));
    let tail = 1e4 * (far(5.0, up) - far(0.0, 0.8)) * 0.032 - (5.0 / 0.16 - 1.0) * 1e5;
    assert!(tail > grid, "{tail} {grid}");
    let roll = 0.01
        * 1e4
        * spot
        * crate::market::option::greeks(spot, 150_000.0, week, 0.8, Right::Call).delta;
    near(
        place.asked(&*rule, &[], &[(2, -10_000)], Asked::Initial),
        tail + roll,
    );
    // The legacy pages: a hundredth of a coin for options sold net of those bought at the strike; 10 bought, 20 sold make 10.
    let legacy = deribit(DeribitEdition::Legacy10);
    let worst = (-4..=4)
        .flat_map(|bucket| [0.98, 0.6, 0.22].map(|v| (0.025 * f64::from(bucket), v)))
        .map(|(x, v)| {
            20.0 * put(x, v) - 10.0 * call(x, v) - 20.0 * put(0.0, 0.6) + 10.0 * call(0.0, 0.6)
        })
        .fold(0.0, f64::max);
    let asked = place.asked(&*legacy, &[], &[(0, 10), (1, -20)], Asked::Maintenance);
    near(asked, worst + 10.0 * 0.01 * spot);
}

#[test]
fn derives_thirty_three_scenarios_and_their_dampening() {
    let part = DeriveSettings::default().part();
    assert_eq!(part.scenarios.len(), 33);
    let damped: Vec<f64> = part.scenarios[23..31]
        .iter()
        .map(|one| one.share.as_f64())
        .collect();
    for (found, expected) in damped
        .iter()
        .zip([0.21, 0.42, 0.2772, 0.1386, 0.0693, 0.0462, 0.03465, 0.02772])
    {
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }
    let prices: Vec<f64> = part
        .scenarios
        .iter()
        .map(|one| 1.0 + one.price)
        .take(2)
        .collect();
    assert!((prices[0] - 0.82).abs() < 1e-12 && (prices[1] - 0.865).abs() < 1e-12);
    // A perpetual of 1,000: 18 % · 0.8 and 3 % to keep; 18 % and 4 % to open.
    let rule = OptionMarginSettings::of(RuleSettings::Derive(DeriveSettings::default()))
        .build(&[("BTC", 1e-6)]);
    let place = Place::new(1_000.0);
    assert_eq!(
        place.asked(&*rule, &[1], &[], Asked::Maintenance),
        174_000_000
    );
    assert_eq!(place.asked(&*rule, &[1], &[], Asked::Initial), 220_000_000);
}

/// OKX's tables before and after 6 January 2025, on what they are about: a perpetual, and options sold far out.
#[test]
fn okx_lowered_its_shocks() {
    let place = Place::new(1_000.0).listed(&[(1_300, Right::Call, 1.0, 0.5)]);
    let asked = |class, before, perps: &[i64], legs: &[(u16, i64)]| {
        let rule = RuleSettings::Okx(OkxSettings {
            class,
            before,
            ..OkxSettings::default()
        });
        let rule = OptionMarginSettings::of(rule).build(&[("BTC", 1e-6)]);
        place.asked(&*rule, perps, legs, Asked::Maintenance) / 1_000_000
    };
    for (class, before, after) in [
        (OkxClass::Major, 150, 120),
        (OkxClass::Middle, 200, 180),
        (OkxClass::Other, 250, 250),
    ] {
        assert_eq!(asked(class, true, &[1], &[]), before);
        assert_eq!(asked(class, false, &[-1], &[]), after);
    }
    // Sold options that no shock reaches: 0.5 % of 100 · 1,000 is 500, in the first tier.
    assert_eq!(asked(OkxClass::Major, false, &[], &[(0, -100)]), 500);
    // 0.5 % of 10,000 · 1,000 is 50,000: twice before, once since; and of 99,000 contracts 495,000, ten times and twice.
    assert_eq!(asked(OkxClass::Major, true, &[], &[(0, -10_000)]), 100_000);
    assert_eq!(asked(OkxClass::Major, false, &[], &[(0, -10_000)]), 50_000);
    assert_eq!(
        asked(OkxClass::Major, true, &[], &[(0, -99_000)]),
        4_950_000
    );
    assert_eq!(asked(OkxClass::Major, false, &[], &[(0, -99_000)]), 990_000);
}

#[test]
fn a_widened_scan_asks_more_and_offsets_ask_less() {
    let mut place = Place::new(1_000.0);
    let rule = deribit(DeribitEdition::Legacy10);
    assert_eq!(
        place.asked(&*rule, &[1], &[], Asked::Maintenance),
        100_000_000
    );
    place.state.widening = 1.5;
    assert_eq!(
        place.asked(&*rule, &[1], &[], Asked::Maintenance),
        150_000_000
    );
    // Two markets that move together: a spread is asked the difference.
    let settings = OptionMarginSettings {
        offsets: Some(vec![vec![1.0, 1.0], vec![1.0, 1.0]]),
        ..OptionMarginSettings::of(RuleSettings::Okx(OkxSettings::default()))
    };
    assert_eq!(settings.problems(&["BTC", "ETH"]), []);
    let rule = settings.build(&[("BTC", 1e-6), ("ETH", 1e-6)]);
    let state = Place::new(1_000.0).state;
    let board = Board {
        markets: &[state, state],
        series: &[],
    };
    let leg = |market, quantity| Leg {
        market: MarketId(market),
        quantity: Lots(quantity),
        notional: Cash::ZERO,
        alone: Cash::ZERO,
    };
    let mut table = ScanTable::default();
    rule.tabulate(&board, &mut table);
    let asked = |perps: &[Leg]| {
        let book = Book {
            perps,
            options: &[],
        };
        rule.requirement(&board, &table, &book, Asked::Maintenance)
            .0
    };
    assert_eq!(asked(&[leg(0, 3)]), 360_000_000);
    assert_eq!(asked(&[leg(0, 3), leg(1, -2)]), 120_000_000);
    assert_eq!(asked(&[leg(0, 3), leg(1, 2)]), 600_000_000);
}

#[test]
fn settings_that_make_no_rule_are_refused_all_at_once() {
    let text = r#"
        offsets = [[1, 2], [2, 1]]
        [rule.span]
        range = 0
        initial = 0.5
        [market.ETH.deribit]
        volatility = { short_power = 0.9 }
        [market.XRP.sensitivities]
        vega = -1
    "#;
    let settings: OptionMarginSettings = toml::from_str(text).unwrap();
    let keys: Vec<String> = settings
        .problems(&["BTC", "ETH"])
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    for key in [
        "rule.span.range",
        "rule.span.initial",
        "market.ETH.deribit.volatility.short_power",
        "market.XRP",
        "market.XRP.sensitivities.vega",
        "offsets",
    ] {
        assert!(keys.iter().any(|found| found == key), "{key} in {keys:?}");
    }
    let good: OptionMarginSettings =
        toml::from_str("rule.deribit = { edition = \"eth2026\" }").unwrap();
    assert_eq!(good.problems(&["ETH"]), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_book_is_asked_no_more_than_its_parts(
        strikes in prop::collection::vec((60i64..160, any::<bool>(), 1.0f64..200.0, 0.3f64..1.5), 6),
        contracts in prop::collection::vec(-20i64..20, 6),
        perp in -30i64..30,
        split in 0usize..=6,
    ) {
        let listed: Vec<_> = strikes
            .iter()
            .map(|&(strike, put, days, volatility)| {
                (1_000 * strike, if put { Right::Put } else { Right::Call }, days, volatility)
            })
            .collect();
        let place = Place::new(100_000.0).listed(&listed);
        let legs: Vec<(u16, i64)> = (0..).zip(contracts).filter(|leg| leg.1 != 0).collect();
        let (left, right) = legs.split_at(split.min(legs.len()));
        // A dampener is given once to each account, a tier grows with its size, and a calendar counts pairs: without those three.
        let quiet = [
            RuleSettings::Span(SpanSettings { calendar: 0.0, ..SpanSettings::default() }),
            RuleSettings::Deribit(DeribitSettings { dampener: Some(0.0), ..DeribitSettings::default() }),
            RuleSettings::Derive(DeriveSettings::default()),
            RuleSettings::Okx(OkxSettings { minimum: 0.0, ..OkxSettings::default() }),
            RuleSettings::Sensitivities(SensitivitySettings::default()),
            RuleSettings::DeribitStandard(StandardSettings::default()),
        ];
        for rule in quiet {
            let name = rule.name();
            let rule = OptionMarginSettings::of(rule).build(&[("BTC", 1e-6)]);
            for asked in [Asked::Initial, Asked::Maintenance] {
                let whole = place.asked(&*rule, &[perp], &legs, asked);
                let parts = place.asked(&*rule, &[perp], left, asked) + place.asked(&*rule, &[], right, asked);
                prop_assert!(0 <= whole && whole <= parts + 8, "{name}: {whole} {parts}");
            }
        }
        for (name, rule) in rules() {
            let initial = place.asked(&*rule, &[perp], &legs, Asked::Initial);
            prop_assert!(initial >= place.asked(&*rule, &[perp], &legs, Asked::Maintenance), "{name}");
        }
    }
}
