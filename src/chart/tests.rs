//! What every chart must hold: names of series, axis titles, and no text beyond the sheet.

#![expect(clippy::disallowed_methods, reason = "something wavy to draw")]

use super::*;

/// One text of an SVG, in pixels.
struct Word {
    text: String,
    left: f64,
    right: f64,
    y: f64,
    em: f64,
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let key = format!(" {name}=\"");
    let from = tag.find(&key)? + key.len();
    let until = from + tag[from..].find('"')?;
    Some(tag[from..until].to_owned())
}

fn number(tag: &str, name: &str) -> f64 {
    attribute(tag, name)
        .and_then(|v| v.parse().ok())
        .unwrap_or_else(|| panic!("no {name} in {tag}"))
}

fn words(svg: &str) -> Vec<Word> {
    svg.split("<text")
        .skip(1)
        .map(|rest| {
            let (tag, rest) = rest.split_once('>').expect("closed tag");
            let text = rest.split("</text>").next().expect("content").trim();
            let text = &text
                .replace("&apos;", "'")
                .replace("&quot;", "\"")
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&");
            let em = number(tag, "font-size") / canvas::FINE;
            let bold = tag.contains("font-weight=\"bold\"");
            let width = font::width(text, em, bold);
            let x = number(tag, "x") / canvas::FINE;
            let left = match attribute(tag, "text-anchor").as_deref() {
                Some("start") => x,
                Some("middle") => x - 0.5 * width,
                _ => x - width,
            };
            Word {
                text: text.to_owned(),
                left,
                right: left + width,
                y: number(tag, "y") / canvas::FINE,
                em,
            }
        })
        .collect()
}

/// Checks the promises of the module for one chart.
fn check(chart: &Chart) {
    let words = words(&chart.svg);
    assert!(!words.is_empty());
    for w in &words {
        assert!(
            w.left >= 0.0 && w.right <= f64::from(chart.width),
            "`{}` runs from {} to {}",
            w.text,
            w.left,
            w.right
        );
        assert!(
            w.y - 0.5 * w.em >= 0.0 && w.y + 0.5 * w.em <= f64::from(chart.height),
            "`{}` stands at {}",
            w.text,
            w.y
        );
        assert!(w.em >= 12.0, "`{}` is {} px", w.text, w.em);
    }
    for (i, a) in words.iter().enumerate() {
        for b in &words[i + 1..] {
            let apart_x = (a.left - b.right).max(b.left - a.right);
            let apart_y = (a.y - b.y).abs() - 0.38 * (a.em + b.em);
            assert!(
                apart_x > 0.0 || apart_y > 0.0,
                "`{}` and `{}` overlap",
                a.text,
                b.text
            );
        }
    }
    assert!(!chart.svg.contains("NaN"));
    assert_eq!(
        chart.svg.matches("<g ").count(),
        chart.svg.matches("</g>").count()
    );
}

fn names(chart: &Chart, class: &str) -> Vec<String> {
    chart
        .svg
        .split("<g ")
        .filter(|g| g.starts_with(&format!("class=\"{class}\"")))
        .filter_map(|g| attribute(g, "data-name"))
        .collect()
}

fn has_text(chart: &Chart, text: &str) -> bool {
    words(&chart.svg).iter().any(|w| w.text == text)
}

fn ramp(n: usize, from: f64, to: f64) -> Vec<f64> {
    (0..n)
        .map(|i| from + (to - from) * i as f64 / (n.max(2) - 1) as f64)
        .collect()
}

fn prices(n: usize, y: &dyn Fn(f64) -> f64) -> PriceData {
    let time = ramp(n, 0.0, 3_600.0);
    let column: Vec<f64> = time.iter().map(|&t| y(t)).collect();
    PriceData {
        market: "BTC-USDT".into(),
        currency: "USDT".into(),
        start: None,
        index: column.clone(),
        mark: column.clone(),
        last: column.clone(),
        liquidations: Liquidations {
            long: column.iter().map(|v| v * 10.0).collect(),
            short: vec![0.0; n],
            time: time.clone(),
        },
        time,
    }
}

fn ratios(n: usize, y: &dyn Fn(f64) -> f64) -> ReproductionData {
    let time = ramp(n, 0.0, 3_600.0);
    let column: Vec<f64> = time.iter().map(|&t| y(t)).collect();
    ReproductionData {
        market: "BTC-USDT".into(),
        start: Some(1_760_128_800),
        moves: [0.01, 0.02, 0.05]
            .map(|size| Move {
                size,
                down: column.clone(),
                up: column.iter().map(|v| 0.5 * v).collect(),
            })
            .to_vec(),
        time,
    }
}

fn depth(n: usize, y: &dyn Fn(f64) -> f64) -> LadderData {
    let distance = ramp(n, 0.0, 0.2);
    let side = LadderSide {
        depth: distance.iter().map(|d| 1e9 * d).collect(),
        forced: distance.iter().map(|&d| y(d * 18_000.0)).collect(),
        distance,
    };
    LadderData {
        market: "BTC-USDT".into(),
        currency: "USDT".into(),
        reach: 0.2,
        down: side.clone(),
        up: side,
    }
}

fn losses(n: usize, y: &dyn Fn(f64) -> f64) -> WaterfallData {
    let time = ramp(n, 0.0, 3_600.0);
    let column: Vec<f64> = time.iter().map(|&t| y(t)).collect();
    WaterfallData {
        name: "Venue".into(),
        currency: "USDT".into(),
        start: None,
        fund: column.clone(),
        deleveraged: column.clone(),
        socialised: column,
        uncovered: vec![0.0; n],
        time,
    }
}

fn pair(n: usize, y: &dyn Fn(f64) -> f64) -> TwinData {
    let time = ramp(n, 0.0, 3_600.0);
    TwinData {
        market: "BTC-USDT".into(),
        currency: "USDT".into(),
        start: None,
        last: time.iter().map(|&t| y(t)).collect(),
        twin: time.iter().map(|&t| 1.01 * y(t)).collect(),
        time,
    }
}

fn covered(n: usize, y: &dyn Fn(f64) -> f64) -> CoverageData {
    let time = ramp(n, 0.0, 3_600.0);
    let column: Vec<f64> = time.iter().map(|&t| y(t)).collect();
    CoverageData {
        market: "BTC-USDT".into(),
        rule: "ewma-var".into(),
        horizon: "1d".into(),
        start: None,
        margin: column.iter().map(|v| 0.8 * v).collect(),
        long: column.clone(),
        short: column.iter().map(|v| -v).collect(),
        light: Some(LightData {
            windows: 250,
            expected: 2.5,
            red: 10.0,
            long: column.clone(),
            short: column,
        }),
        time,
    }
}

fn all(n: usize, y: &dyn Fn(f64) -> f64, options: &Options) -> Vec<Chart> {
    [
        price(&prices(n, y), options),
        reproduction(&ratios(n, y), options),
        ladder(&depth(n, y), options),
        waterfall(&losses(n, y), options),
        twin(&pair(n, y), options),
        coverage(&covered(n, y), options),
    ]
    .into_iter()
    .map(|chart| chart.expect("draws"))
    .collect()
}

#[test]
fn every_text_lies_on_the_sheet_whatever_the_data() {
    let shapes: [(&str, &dyn Fn(f64) -> f64); 9] = [
        ("falling", &|t| 121_500.0 - 3.0 * t),
        ("wave", &|t| 100.0 + 20.0 * (t / 300.0).sin()),
        ("constant", &|_| 100.0),
        ("zero", &|_| 0.0),
        ("undefined", &|_| f64::NAN),
        ("holes", &|t| {
            if ((t / 400.0) as u64).is_multiple_of(2) {
                50.0
            } else {
                f64::NAN
            }
        }),
        ("infinite", &|t| {
            if t > 1_800.0 { f64::INFINITY } else { 0.2 }
        }),
        ("huge", &|t| 1e15 * (1.0 + t)),
        ("tiny", &|t| 1e-7 * (1.0 + t)),
    ];
    let wide = Options::default();
    let small = Options {
        width: 700,
        height: 480,
        subtitle: Some("subtitle ".repeat(30)),
        title: Some("A very long title ".repeat(8)),
    };
    // As wide as a telephone.
    let narrow = Options {
        width: 360,
        height: 420,
        ..small.clone()
    };
    for (name, shape) in shapes {
        for n in [0, 1, 2, 90] {
            for options in [&wide, &small, &narrow] {
                // Sixteen digits on both sides leave nothing of a narrow sheet.
                if options.width < 400 && name == "huge" {
                    continue;
                }
                all(n, shape, options).iter().for_each(check);
            }
        }
    }
}

#[test]
fn series_carry_their_names() {
    let charts = all(100, &|t| 100.0 + t, &Options::default());
    assert_eq!(
        names(&charts[0], "series"),
        [
            "last",
            "index",
            "mark",
            "long liquidations",
            "short liquidations"
        ]
    );
    assert_eq!(
        names(&charts[1], "series"),
        [
            "R down 1 %",
            "R down 2 %",
            "R down 5 %",
            "R up 1 %",
            "R up 2 %",
            "R up 5 %"
        ]
    );
    assert_eq!(
        names(&charts[2], "series"),
        ["bid depth", "forced sells", "ask depth", "forced buys"]
    );
    assert_eq!(
        names(&charts[3], "series"),
        ["fund", "deleveraged", "socialised"]
    );
    assert_eq!(names(&charts[4], "series"), ["twin", "last"]);
    assert_eq!(names(&charts[4], "area"), ["gap"]);
    assert_eq!(
        names(&charts[5], "series"),
        [
            "moves",
            "margin",
            "margin of falls",
            "breaches, long",
            "breaches, short",
            "breaches counted, long",
            "breaches counted, short"
        ]
    );
}

#[test]
fn axes_carry_units() {
    let charts = all(100, &|t| 100.0 + t, &Options::default());
    for (chart, text) in [
        (0, "Price (USDT)"),
        (0, "Liquidated notional per 30 s (USDT)"),
        (0, "Elapsed time (h:mm)"),
        (1, "Time (HH:MM UTC), 10 Oct 2025"),
        (2, "Below mid: cumulative notional (USDT)"),
        (2, "Distance from mid (%)"),
        (3, "Insurance fund balance (USDT)"),
        (4, "Mid price (USDT)"),
        (5, "Move within 1d and margin (%)"),
        (5, "Breaches in the last 250 windows"),
    ] {
        assert!(has_text(&charts[chart], text), "no `{text}`");
    }
}

#[test]
fn untouched_layers_say_none() {
    let chart = waterfall(&losses(50, &|_| 0.0), &Options::default()).expect("draws");
    let none = words(&chart.svg)
        .iter()
        .filter(|w| w.text == "none")
        .count();
    assert_eq!(none, 4);
    assert!(names(&chart, "series").is_empty());
}

#[test]
fn ladder_marks_the_crossing_or_says_there_is_none() {
    // Depth is 10⁹·d; forced is 3.4·10⁷ from the start, crossed until 3.4 %: excess ends there.
    let mut data = depth(401, &|_| 0.0);
    data.down.forced = data
        .down
        .distance
        .iter()
        .map(|&d| if d < 0.0339 { 0.0 } else { 2e8 })
        .collect();
    let chart = ladder(&data, &Options::default()).expect("draws");
    assert!(has_text(&chart, "−3.4 %: forced sells exceed depth"));
    assert!(has_text(&chart, "no crossing within 20 %"));
}

#[test]
fn breaches_are_counted_by_side_and_need_no_light() {
    let mut data = covered(4, &|_| 0.1);
    data.light = None;
    data.short = vec![0.0, 0.2, 0.3, 0.0];
    let chart = coverage(&data, &Options::default()).expect("draws");
    check(&chart);
    assert!(has_text(&chart, "breach, long (4)") && has_text(&chart, "breach, short (2)"));
    data.long.pop();
    let uneven = coverage(&data, &Options::default());
    assert!(matches!(
        uneven,
        Err(ChartError::Uneven { column: "long", .. })
    ));
}

#[test]
fn a_hundred_thousand_points_stay_small() {
    let zigzag = |t: f64| 100.0 + (t * 977.0).sin();
    for chart in all(100_000, &zigzag, &Options::default()) {
        assert!(chart.svg.len() < 400_000, "{} bytes", chart.svg.len());
    }
}

#[test]
fn titles_are_replaced_and_escaped() {
    let options = Options {
        title: Some("A & B <\"quoted\">".into()),
        subtitle: Some("sub".into()),
        ..Options::default()
    };
    let chart = twin(&pair(10, &|t| t + 1.0), &options).expect("draws");
    assert!(
        chart
            .svg
            .contains("<title>A &amp; B &lt;&quot;quoted&quot;&gt;</title>")
    );
    assert_eq!(names(&chart, "subtitle"), ["subtitle"]);
}

#[test]
fn uneven_columns_and_absurd_sizes_are_refused() {
    let mut data = pair(10, &|t| t);
    data.twin.pop();
    assert!(matches!(
        twin(&data, &Options::default()),
        Err(ChartError::Uneven {
            column: "twin",
            expected: 10,
            found: 9
        })
    ));
    let options = Options {
        width: 100,
        ..Options::default()
    };
    assert!(matches!(
        twin(&pair(10, &|t| t), &options),
        Err(ChartError::Size { width: 100, .. })
    ));
}

#[cfg(feature = "raster")]
#[test]
fn the_png_has_the_size_of_the_svg_and_letters_in_it() {
    let options = Options {
        width: 640,
        height: 400,
        ..Options::default()
    };
    let chart = twin(&pair(1, &|_| f64::NAN), &options).expect("draws");
    let png = chart.png().expect("paints");
    assert_eq!(&png[1..4], b"PNG");
    assert_eq!(png[16..24], [0, 0, 2, 128, 0, 0, 1, 144]);
    // Without a font the letters vanish without an error.
    let cut = chart.svg.find("<text").expect("has text");
    let mut silent = chart.clone();
    silent.svg = chart.svg[..cut]
        .rsplit_once("<g ")
        .map(|(before, _)| format!("{before}</g></svg>"))
        .expect("a layer");
    assert!(silent.png().expect("paints").len() + 1_000 < png.len());
}

#[test]
fn cells_and_levels_are_drawn() {
    let names = |from: u32, to: u32| (from..to).map(|k| k.to_string()).collect::<Vec<_>>();
    let values: Vec<f64> = (0..35).map(|place| f64::from(place % 7) / 6.0).collect();
    let data = HeatData {
        name: "runs that run away".to_owned(),
        share: true,
        x_name: "depth".to_owned(),
        x: names(10, 17),
        y_name: "leverage".to_owned(),
        y: names(1, 6),
        values: values.clone(),
        levels: vec![
            LevelData {
                name: "half of the runs".to_owned(),
                values: values.clone(),
                level: 0.5,
                theory: false,
            },
            LevelData {
                name: "R = 1".to_owned(),
                values,
                level: 0.25,
                theory: true,
            },
        ],
    };
    for (width, height) in [(360, 420), (640, 400), (1200, 720)] {
        let options = Options {
            width,
            height,
            ..Options::default()
        };
        let chart = heat(&data, &options).unwrap();
        check(&chart);
        for part in ["half of the runs", "R = 1", "scale of colours"] {
            assert!(
                chart.svg.contains(&format!("data-name=\"{part}\"")),
                "{part}"
            );
        }
        let words: Vec<String> = words(&chart.svg)
            .into_iter()
            .map(|word| word.text)
            .collect();
        for word in ["depth", "leverage", "16", "5", "100 %"] {
            assert!(words.iter().any(|found| found == word), "{word}: {words:?}");
        }
    }
    let hole = HeatData {
        values: vec![f64::NAN; 35],
        levels: Vec::new(),
        ..data.clone()
    };
    assert!(
        heat(&hole, &Options::default())
            .unwrap()
            .svg
            .contains("no points")
    );
    let uneven = HeatData {
        values: vec![0.0; 3],
        ..data
    };
    assert!(matches!(
        heat(&uneven, &Options::default()),
        Err(ChartError::Uneven { .. })
    ));
}

#[test]
fn a_curve_has_its_band_whatever_the_setting() {
    let data = CurveData {
        name: "drawdown".to_owned(),
        share: true,
        x_name: "leverage".to_owned(),
        labels: ["2", "8", "4"].map(str::to_owned).to_vec(),
        x: vec![2.0, 8.0, 4.0],
        log: true,
        middle_name: "median".to_owned(),
        middle: vec![0.1, 0.5, 0.2],
        band_name: "5 % to 95 %".to_owned(),
        low: vec![0.05, 0.4, 0.1],
        high: vec![0.2, f64::NAN, 0.3],
    };
    let word = CurveData {
        x_name: "rule".to_owned(),
        labels: ["fixed", "fhs", "ewma"].map(str::to_owned).to_vec(),
        x: vec![f64::NAN; 3],
        log: false,
        ..data.clone()
    };
    let one = CurveData {
        labels: vec!["3".to_owned()],
        x: vec![3.0],
        middle: vec![0.1],
        low: vec![0.1],
        high: vec![0.1],
        ..data.clone()
    };
    for data in [&data, &word, &one] {
        let chart = curve(data, &Options::default()).unwrap();
        check(&chart);
        assert!(chart.svg.contains("data-name=\"median\""));
    }
    assert!(
        curve(&word, &Options::default())
            .unwrap()
            .svg
            .contains("ewma")
    );
}

#[test]
fn charts_of_a_genealogy_say_what_they_show() {
    let member = |k: usize| Member {
        time: 10.0 * k as f64,
        parent: k.checked_sub(1).map(|k| k / 2),
        notional: 1e6 / (k + 1) as f64,
        long: !k.is_multiple_of(3),
        label: format!("BTC long {k} M"),
    };
    for count in [0, 1, 2, 40, 900] {
        let chart = family(
            &FamilyData {
                currency: "USD".into(),
                start: Some(1_760_128_200),
                first: "the outside price".into(),
                members: (0..count).map(member).collect(),
            },
            &Options::default(),
        )
        .unwrap();
        check(&chart);
    }
    for count in [0, 1, 30] {
        let size: Vec<f64> = (1..=count).map(f64::from).collect();
        let share: Vec<f64> = size.iter().map(|n| n.powi(-2)).collect();
        let law = LawData {
            name: "power law 3.00 ± 0.10, p = 0.40".into(),
            size: size.clone(),
            share: share.clone(),
        };
        let laws = vec![
            law.clone(),
            LawData {
                name: "branching, R = 0.50, p = 0.00".into(),
                ..law
            },
        ];
        check(&tail(&TailData { size, share, laws }, &Options::default()).unwrap());
    }
    for count in [0, 1, 30] {
        let column = ramp(count, 0.02, 3.0);
        let data = CalibrationData {
            market: "BTC".into(),
            foreseen: column.clone(),
            realised: column.iter().rev().copied().collect(),
            weight: column.iter().map(|v| v + 1.0).collect(),
            stressed: (0..count).map(|k| k % 2 == 0).collect(),
            means: vec![(0.1, 0.2), (1.0, 0.8)],
            note: "warnings: 3\ncascades: 2".into(),
        };
        check(&calibration(&data, &Options::default()).unwrap());
    }
    for count in [0, 1, 60] {
        let time = ramp(count, 0.0, 3_600.0);
        let data = PhaseData {
            market: "BTC".into(),
            currency: "USD".into(),
            start: Some(1_760_128_200),
            window: 60.0,
            velocity: time.iter().map(|t| 0.02 * (t / 300.0).sin()).collect(),
            rate: time.iter().map(|t| 1e7 * (t / 300.0).cos().abs()).collect(),
            time,
        };
        check(&phase(&data, &Options::default()).unwrap());
    }
    for count in [0, 1, 60] {
        let time = ramp(count, 0.0, 3_600.0);
        let mark: Vec<f64> = time.iter().map(|t| 100_000.0 - t).collect();
        let looks = time
            .iter()
            .zip(&mark)
            .map(|(time, mark)| Look {
                time: *time,
                cells: (0..20)
                    .map(|k| 0.005 * f64::from(k))
                    .map(|d| [mark * (1.0 - d - 0.005), mark * (1.0 - d), 1e6 * d])
                    .collect(),
            })
            .collect();
        let data = WaitingData {
            market: "BTC".into(),
            currency: "USD".into(),
            start: None,
            time,
            mark,
            looks,
        };
        let chart = waiting(&data, &Options::default()).unwrap();
        check(&chart);
        assert!(count < 2 || has_text(&chart, "notional per 1 %"));
    }
}

#[test]
fn variants_stand_between_what_they_ask_and_what_they_lose() {
    let measure = |name: &str, factor: f64| MeasureData {
        name: name.to_owned(),
        value: vec![factor, 1.2 * factor, f64::NAN, 4.0 * factor],
        low: vec![0.9 * factor, f64::NAN, f64::NAN, 3.5 * factor],
        high: vec![1.1 * factor, f64::NAN, f64::NAN, f64::NAN],
    };
    let data = FrontierData {
        names: ["scenario", "a variant with a long name", "none", "far"]
            .map(str::to_owned)
            .to_vec(),
        across: measure("asked", 2.5),
        panels: vec![measure("lost", 1e6), measure("premature", 40.0)],
        dominated: vec![false, true, false, true],
    };
    let effect = |value: f64, leaning| EffectData {
        value,
        low: value - 0.1,
        high: if value > 2.0 { f64::NAN } else { value + 0.2 },
        leaning,
    };
    let rows = vec![
        effect(0.02, Leaning::Unclear),
        effect(-0.7, Leaning::Better),
        effect(33.0, Leaning::Worse),
        effect(f64::NAN, Leaning::Neither),
    ];
    let plot = ForestData {
        baseline: "scenario".to_owned(),
        rows: (0..4).map(|row| format!("metric {row}")).collect(),
        variants: vec!["one".to_owned(), "other".to_owned()],
        effects: vec![rows.clone(), rows],
    };
    for (width, height) in [(640, 400), (1200, 720)] {
        let options = Options {
            width,
            height,
            ..Options::default()
        };
        let chart = frontier(&data, &options).unwrap();
        check(&chart);
        let found: Vec<String> = words(&chart.svg).into_iter().map(|w| w.text).collect();
        for name in ["scenario", "far", "lost", "premature", "asked"] {
            assert!(found.iter().any(|word| word == name), "{name}: {found:?}");
        }
        assert!(!found.iter().any(|word| word == "none"));
        let chart = forest(&plot, &options).unwrap();
        check(&chart);
        let found: Vec<String> = words(&chart.svg).into_iter().map(|w| w.text).collect();
        for name in ["metric 3", "one", "other", "better", "can't tell", "0"] {
            assert!(found.iter().any(|word| word == name), "{name}: {found:?}");
        }
        check(&frontier(&FrontierData::default(), &options).unwrap());
        check(&forest(&ForestData::default(), &options).unwrap());
    }
    let uneven = FrontierData {
        dominated: Vec::new(),
        ..data
    };
    assert!(matches!(
        frontier(&uneven, &Options::default()),
        Err(ChartError::Uneven { .. })
    ));
}

#[test]
fn theory_is_a_line_and_what_came_out_are_points() {
    let data = AgainstData {
        legend: ["theory", "got"].map(str::to_owned),
        name: "Fall by reproduction number".to_owned(),
        x_name: "R".to_owned(),
        y_name: "amplification".to_owned(),
        log: [false, true],
        curve_x: ramp(50, 0.0, 0.9),
        curve_y: ramp(50, 1.0, 10.0),
        point_x: vec![0.5, 0.8],
        point_y: vec![2.0, f64::NAN],
    };
    let both = AgainstData {
        log: [true, true],
        curve_x: ramp(50, 1.0, 1_000.0),
        ..data.clone()
    };
    for data in [&data, &both, &AgainstData::default()] {
        check(&against(data, &Options::default()).unwrap());
    }
    let chart = against(&data, &Options::default()).unwrap();
    assert_eq!(names(&chart, "dots"), ["got"]);
    let short = AgainstData {
        curve_y: Vec::new(),
        ..data
    };
    assert!(matches!(
        against(&short, &Options::default()),
        Err(ChartError::Uneven {
            column: "curve_y",
            ..
        })
    ));
}

/// Writes a chart to a directory named by the environment, to be looked at.
fn show(chart: &Chart, name: &str) {
    if let Ok(directory) = std::env::var("DELEVERAGE_SHOW") {
        std::fs::write(format!("{directory}/{name}.svg"), &chart.svg).unwrap();
        #[cfg(feature = "raster")]
        std::fs::write(format!("{directory}/{name}.png"), chart.png().unwrap()).unwrap();
    }
}

#[test]
fn lines_carry_their_names_and_marks() {
    let x = ramp(61, 0.7, 1.3);
    let smile = |level: f64, turn: f64| -> Vec<f64> {
        x.iter()
            .map(|k| level + turn * (k - 1.05) * (k - 1.05))
            .collect()
    };
    let named = |name: &str, values: Vec<f64>| NamedLine {
        name: name.to_owned(),
        values,
    };
    let data = LinesData {
        name: "Implied volatility".to_owned(),
        share: true,
        x_name: "strike over forward".to_owned(),
        x_share: true,
        lines: vec![
            named("1 d", smile(0.75, 3.5)),
            named("7 d", smile(0.66, 1.8)),
            named("30 d", smile(0.6, 0.9)),
            named("90 d", smile(0.58, 0.45)),
        ],
        marks: vec![(1.0, "forward".to_owned()), (9.0, "beyond".to_owned())],
        x: x.clone(),
    };
    let chart = lines(&data, &Options::default()).unwrap();
    check(&chart);
    show(&chart, "lines");
    assert_eq!(names(&chart, "series"), ["1 d", "7 d", "30 d", "90 d"]);
    assert!(has_text(&chart, "forward") && !has_text(&chart, "beyond"));
    assert!(has_text(&chart, "Implied volatility (%)"));
    let empty = LinesData {
        lines: vec![named("none", vec![f64::NAN; 61])],
        ..data.clone()
    };
    assert!(
        lines(&empty, &Options::default())
            .unwrap()
            .svg
            .contains("no points")
    );
    check(&lines(&LinesData::default(), &Options::default()).unwrap());
    let uneven = LinesData {
        lines: vec![named("short", vec![0.0; 3])],
        ..data
    };
    assert!(matches!(
        lines(&uneven, &Options::default()),
        Err(ChartError::Uneven { .. })
    ));
}

#[test]
fn a_gamma_profile_shares_its_prices_with_the_path() {
    let price = ramp(41, 80_000.0, 120_000.0);
    let gamma_at = |p: &f64| {
        let bump = |center: f64, size: f64| {
            size * (-((p - center) / 4_000.0) * ((p - center) / 4_000.0)).exp()
        };
        bump(108_000.0, 80.0) - bump(92_000.0, 120.0)
    };
    let time = ramp(200, 0.0, 7_200.0);
    let data = GammaData {
        market: "BTC-USDT".to_owned(),
        unit: "BTC per 1 %".to_owned(),
        gamma: price.iter().map(gamma_at).collect(),
        price,
        path: time
            .iter()
            .map(|t| 108_000.0 - 2.2 * t + 900.0 * (t / 500.0).sin())
            .collect(),
        time,
        start: None,
    };
    let chart = gamma(&data, &Options::default()).unwrap();
    check(&chart);
    show(&chart, "gamma");
    assert_eq!(names(&chart, "series"), ["price"]);
    assert_eq!(names(&chart, "bars"), ["gamma by price"]);
    let flat = GammaData {
        gamma: vec![0.0; 41],
        ..data.clone()
    };
    assert!(
        gamma(&flat, &Options::default())
            .unwrap()
            .svg
            .contains("no gamma")
    );
    check(&gamma(&GammaData::default(), &Options::default()).unwrap());
    let one = GammaData {
        price: vec![100.0],
        gamma: vec![-1.0],
        time: vec![0.0],
        path: vec![101.0],
        ..data
    };
    check(&gamma(&one, &Options::default()).unwrap());
}

/// The charts of a genealogy, of a few liquidations.
fn of_a_genealogy(options: &Options) -> Vec<Chart> {
    let member = |place: usize| Member {
        time: 10.0 * place as f64,
        parent: (place > 0).then(|| (place - 1) / 2),
        notional: 1e6 / (1.0 + place as f64),
        long: !place.is_multiple_of(3),
        label: format!("BTC long {place}"),
    };
    let family_data = FamilyData {
        currency: "USD".into(),
        start: Some(0),
        first: "the outside price".into(),
        members: (0..9).map(member).collect(),
    };
    let tail_data = TailData {
        size: vec![1.0, 2.0, 5.0, 40.0],
        share: vec![1.0, 0.4, 0.2, 0.05],
        laws: vec![LawData {
            name: "power law 1.5 ± 0.1, p = 0.40".into(),
            size: vec![1.0, 60.0],
            share: vec![1.0, 0.02],
        }],
    };
    let calibration_data = CalibrationData {
        market: "BTC".into(),
        foreseen: vec![0.1, 0.5, 1.4],
        realised: vec![0.0, 0.6, 1.1],
        weight: vec![1.0, 4.0, 2.0],
        stressed: vec![false, true, true],
        means: vec![(0.1, 0.05), (1.4, 1.1)],
        note: "warnings R ≥ 1: 1, of which false alarms 0".into(),
    };
    let n = 30;
    let phase_data = PhaseData {
        market: "BTC".into(),
        currency: "USD".into(),
        start: Some(0),
        window: 60.0,
        time: (0..n).map(|k| 15.0 * f64::from(k)).collect(),
        velocity: (0..n)
            .map(|k| -0.002 * (f64::from(k) / 5.0).sin())
            .collect(),
        rate: (0..n)
            .map(|k| 1e6 * (1.0 - (f64::from(k) / 5.0).cos()))
            .collect(),
    };
    let waiting_data = WaitingData {
        market: "BTC".into(),
        currency: "USD".into(),
        start: Some(0),
        time: (0..=20).map(|k| 60.0 * f64::from(k)).collect(),
        mark: (0..=20).map(|k| 100.0 - f64::from(k) / 2.0).collect(),
        looks: (0..5)
            .map(|k| Look {
                time: 240.0 * f64::from(k),
                cells: (0..8)
                    .map(|c| {
                        let low = 88.0 + 2.0 * f64::from(c);
                        [low, low + 2.0, f64::from((c + k) % 3)]
                    })
                    .collect(),
            })
            .collect(),
    };
    [
        family(&family_data, options),
        tail(&tail_data, options),
        calibration(&calibration_data, options),
        phase(&phase_data, options),
        waiting(&waiting_data, options),
    ]
    .into_iter()
    .map(|chart| chart.expect("draws"))
    .inspect(check)
    .collect()
}

/// The five of a genealogy, on a wide sheet and on a narrow one: every text lies on it, and each tells what its marks are.
#[test]
fn charts_of_a_genealogy_keep_to_the_sheet() {
    for (width, height) in [(1_200, 720), (360, 440)] {
        let options = Options {
            width,
            height,
            subtitle: Some("a subtitle".into()),
            ..Options::default()
        };
        let charts = of_a_genealogy(&options);
        let marks = |chart: &Chart| chart.svg.matches("<g class=\"marks\"").count();
        assert_eq!(
            charts.iter().map(marks).collect::<Vec<_>>(),
            [1, 1, 1, 1, 0]
        );
        assert!(names(&charts[4], "cells") == ["waiting"]);
    }
}

/// Neighbours of one shade are one tile, and of a tile no more is written than its outline.
#[test]
fn a_map_of_many_cells_stays_small() {
    let looks = (0..144)
        .map(|k| Look {
            time: 50.0 * f64::from(k),
            cells: (0..160)
                .map(|c| {
                    let low = 60.0 + f64::from(c) / 2.0;
                    [low, low + 0.5, f64::from((7 * c + 13 * k) % 101)]
                })
                .collect(),
        })
        .collect();
    let data = WaitingData {
        market: "BTC".into(),
        currency: "USD".into(),
        start: None,
        time: vec![0.0, 7_200.0],
        mark: vec![100.0, 90.0],
        looks,
    };
    for (width, most) in [(1_200, 400_000), (360, 140_000)] {
        let options = Options {
            width,
            ..Options::default()
        };
        let svg = waiting(&data, &options).expect("draws").svg;
        let cells = names(
            &Chart {
                svg: svg.clone(),
                width,
                height: 720,
            },
            "cells",
        );
        assert_eq!(cells, ["waiting"]);
        assert!(svg.len() < most, "{} at {width}", svg.len());
        assert!(svg.matches("<path ").count() <= 33);
    }
}

/// A chart that was kept is shown in any size, under its own headline or another.
#[test]
fn a_finished_chart_is_scaled_and_named_anew() {
    let chart = waterfall(&losses(50, &|t| t), &Options::default()).expect("draws");
    let sheet = |title: Option<&str>| Options {
        width: 600,
        height: 360,
        title: title.map(str::to_owned),
        ..Options::default()
    };
    let same = Chart::scaled(chart.svg.clone(), &sheet(None)).expect("scales");
    assert!(
        same.svg
            .starts_with("<svg width=\"600\" height=\"360\" viewBox=\"0 0 4800 2880\"")
    );
    let named = Chart::scaled(chart.svg, &sheet(Some("A < B"))).expect("scales");
    assert!(words(&named.svg).iter().any(|word| word.text == "A < B"));
    assert!(Chart::scaled("<html>".to_owned(), &sheet(None)).is_err());
}

/// What a drawing is made of: its layers by class and name, and how many marks of which kind are in each.
fn structure(chart: &Chart) -> String {
    const MARKS: [&str; 7] = [
        "polyline", "line", "polygon", "rect", "circle", "text", "path",
    ];
    let mut out = String::new();
    for layer in chart.svg.split("<g class=").skip(1) {
        let layer = layer.split("</g>").next().unwrap_or_default();
        let class = layer.split('"').nth(1).unwrap_or_default();
        let name = attribute(layer, "data-name").unwrap_or_default();
        let marks = MARKS
            .iter()
            .map(|mark| (mark, layer.matches(&format!("<{mark} ")).count()))
            .filter(|(_, count)| *count > 0)
            .map(|(mark, count)| format!(" {count} {mark}"));
        out += &format!(
            "  {class} `{name}`:{}\n",
            marks.collect::<Vec<_>>().join(",")
        );
    }
    let texts: Vec<String> = words(&chart.svg)
        .into_iter()
        .map(|word| word.text)
        .collect();
    out + &format!("  says: {}\n", texts.join(" | "))
}

#[test]
fn the_structure_of_every_chart_is_as_it_was() {
    let sheet = |width, height| Options {
        width,
        height,
        subtitle: Some("a subtitle".into()),
        ..Options::default()
    };
    let mut found = String::new();
    for (width, height) in [(1_200, 720), (360, 440)] {
        let shape = |t: f64| 100.0 + 20.0 * (t / 300.0).sin();
        for chart in all(90, &shape, &sheet(width, height)) {
            let title = attribute(&chart.svg, "aria-label").unwrap_or_default();
            found += &format!("{title}, {width} x {height}\n{}\n", structure(&chart));
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/chart/structure.txt");
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    if found != golden {
        let draft = std::env::temp_dir().join("deleverage-chart-structure.txt");
        std::fs::write(&draft, &found).expect("a place for drafts");
        panic!(
            "the structure of charts changed; if it should have, look at them and copy {} to {path}",
            draft.display()
        );
    }
}

#[test]
fn a_frame_tells_which_numbers_a_place_stands_for() {
    let chart = twin(&pair(2, &|t| 100.0 + t / 36.0), &Options::default()).expect("draws");
    let (_, frame) = chart
        .svg
        .split_once("<g class=\"panel\"")
        .expect("has a frame");
    let numbers = |name| -> Vec<f64> {
        let text = attribute(frame, name).expect("an attribute");
        text.split(' ')
            .filter_map(|word| word.parse().ok())
            .collect()
    };
    let (room, x, y) = (numbers("data-room"), numbers("data-x"), numbers("data-y"));
    let (_, series) = chart
        .svg
        .split_once("data-name=\"last\"")
        .expect("has the series");
    let points = attribute(series, "points").expect("a line");
    let (px, py) = points
        .split(' ')
        .find_map(|pair| pair.split_once(','))
        .expect("a point");
    let (px, py): (f64, f64) = (px.parse().expect("x"), py.parse().expect("y"));
    let time = x[0] + (px - room[0]) / (room[2] - room[0]) * (x[1] - x[0]);
    let price = y[0] + (room[3] - py) / (room[3] - room[1]) * (y[1] - y[0]);
    assert!(time.abs() < 4.0, "{time}");
    assert!((price - 100.0).abs() < 0.3, "{price}");
    assert_eq!(
        attribute(&chart.svg, "data-clock").as_deref(),
        Some("elapsed")
    );
}
