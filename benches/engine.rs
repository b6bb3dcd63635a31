//! The engine at scale, as ratios measured in one process.
//!
//! - **Quiet step**: the mark moves in every step, by up to 0.01 %, but no account's threshold lies
//!   within that; one step with 1,000,000 accounts against one with 1,000.
//! - **Surveillance**: the trigger index with the exact check of its candidates, against a full scan
//!   of every account's exact equity and requirement.
//! - **Closing**: 20 steps of −0.5 % over longs whose thresholds are spread over a fall of a quarter, each
//!   closed by a forced market order into a deep book, settled and reported to an observer.
//! - **Portfolios**: a quiet step of 10,000 accounts with eight options each.
//! - **Flagship**: steps per second of two hours of it.
//! - **Bytes** that the ledger and the index take per account.
//!
//! Times are medians of runs that alternate between the sizes compared. `cargo bench --bench engine -- portfolios` runs one part: `quiet`,
//! `surveillance`, `closing`, `portfolios`, `flagship` or `calls`.

use criterion::Criterion;
use deleverage::account::trigger::Measure;
use deleverage::account::{State, TriggerIndex, Valuation};
use deleverage::engine::{Setup, World};
use deleverage::experiment::run::Run;
use deleverage::margin::Standing;
use deleverage::scenario::{Mode, Scenario};
use deleverage::unit::{AccountId, Lots, MarketId, Ticks};
use std::hint::black_box;
use std::time::{Duration, Instant};

const MARKET: MarketId = MarketId(0);
const START: f64 = 100_000.0;
const FLAGSHIP: &str = "configs/october-2025.toml";

const IMPACT: &str = "impact = { law.linear.ticks_per_lot = 0.0001, resilience = \"60s\" }";
const BOOK: &str = "book = { spread_bps = 1, resilience = \"60s\", \
    depth.curve = { points = [[10, 40], [50, 150], [100, 300], [500, 900]], reach_bps = 5000 } }";
/// A level holds more than a step sells, so that what is timed is the closing and not the walk.
const DEEP: &str = "book = { spread_bps = 1, resilience = \"1s\", depth.flat.lots_per_tick = 1e9 }";

/// A venue's brackets: sizes above the first one's cap are watched by class of size.
const BRACKETS: &str = "base.tiered = { brackets = [
    { cap = 50_000, initial = 0.02, maintenance = 0.01 },
    { cap = 500_000, initial = 0.03, maintenance = 0.015 },
    { cap = 5_000_000, initial = 0.04, maintenance = 0.02 },
    { initial = 0.1, maintenance = 0.05 } ] }";
const ONE_RATE: &str = "base.fixed = { maintenance = 0.005, initial = 0.01 }";

/// One market without noise, whose mark is the outside price, and one cohort of isolated holders.
fn setup(venue: &str, margin: &str, cohort: &str, path: Vec<f64>) -> Setup {
    let text = format!(
        r#"
        name = "bench"
        length = "{steps}s"
        [market.M]
        tick = 1
        lot = 0.001
        price = {START}
        path = {{ constant = {{}} }}
        mark = {{ index = {{}} }}
        venue.{venue}
        [margin]
        {margin}
        [liquidation]
        policy = {{ market_close = {{}} }}
        fee = 0.001
        insurance_fund = 1_000_000
        [cohort.holders]
        {cohort}
        "#,
        steps = path.len() - 1,
    );
    let scenario = Scenario::parse(text).unwrap_or_else(|problems| panic!("{problems}"));
    let (mut setup, _) = scenario
        .setup(0, Mode::Run)
        .unwrap_or_else(|problems| panic!("{problems}"));
    setup.markets[0].path = path;
    setup
}

/// Longs and shorts, lognormal in size, none beyond 20×: nobody's threshold is within 2 %.
fn crowd(count: usize, venue: &str, path: Vec<f64>) -> World {
    let cohort = format!(
        "count = {count}\ncapital.lognormal = {{ median = 2000, sigma = 1.5 }}\n\
         leverage.inverse_uniform = {{ min = 1.5, max = 20 }}\nlong_share = 0.6"
    );
    World::new(setup(venue, BRACKETS, &cohort, path))
}

/// A price that moves in every step and stays within 0.01 % of the start.
fn quiet(steps: usize) -> Vec<f64> {
    (0..=steps)
        .map(|step| START * (1.0 + ((step * 7_919) % 101) as f64 * 2e-6 - 1e-4))
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn seconds(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn advance(world: &mut World, steps: u32) {
    for _ in 0..steps {
        world.step(&mut ()).expect("the ledger is sound");
    }
}

fn line(what: &str, found: String, target: &str, met: Option<bool>) {
    let verdict = met.map_or("", |met| if met { "met" } else { "MISSED" });
    println!("{what:<58} {found:>16}   {target:<10} {verdict}");
}

fn quiet_steps(name: &str, venue: &str) -> f64 {
    const BATCH: u32 = 500;
    const BATCHES: usize = 11;
    let steps = BATCH as usize * (BATCHES + 1);
    let mut worlds = [1_000, 1_000_000].map(|count| crowd(count, venue, quiet(steps)));
    let mut times = [Vec::new(), Vec::new()];
    for world in &mut worlds {
        advance(world, BATCH);
    }
    for _ in 0..BATCHES {
        for (world, times) in worlds.iter_mut().zip(&mut times) {
            times.push(seconds(|| advance(world, BATCH)) / f64::from(BATCH));
        }
    }
    let [few, many] = times.map(median);
    assert!(worlds.iter().all(|world| world.totals().liquidations == 0));
    line(
        &format!("quiet step, {name}, 1,000 accounts"),
        format!("{:.2} µs", few * 1e6),
        "",
        None,
    );
    line(
        &format!("quiet step, {name}, 1,000,000 accounts"),
        format!("{:.2} µs", many * 1e6),
        "",
        None,
    );
    let ratio = many / few;
    line(
        &format!("quiet step, {name}, 1,000,000 over 1,000"),
        format!("{ratio:.2} x"),
        "< 5 x",
        Some(ratio < 5.0),
    );
    (worlds[1].ledger().bytes() + worlds[1].index().bytes()) as f64 / 1e6
}

/// How many accounts are below their requirement at a mark: the plain way.
fn scan(world: &World, mark: Ticks) -> usize {
    world
        .ledger()
        .traders()
        .filter(|id| !world.ledger().is_flat(*id) && breached(world, *id, mark))
        .count()
}

fn breached(world: &World, id: AccountId, mark: Ticks) -> bool {
    let ledger = world.ledger();
    let at = Valuation {
        marks: &[mark],
        funding: world.funding_indices(),
    };
    let mut required = deleverage::unit::Cash::ZERO;
    for (market, slot) in ledger.places(id) {
        let quantity = ledger.slot(slot).quantity;
        let notional = ledger.contract(market).notional(quantity, mark);
        required += world.schedule(market).maintenance(notional);
    }
    world.thresholds().standing(ledger.equity(id, at), required) >= Standing::Breach
}

/// How many accounts a move of the mark took below their requirement: by index.
fn watch(
    world: &World,
    index: &mut TriggerIndex,
    mark: Ticks,
    out: &mut Vec<deleverage::account::SlotId>,
) -> usize {
    let (ratios, levels) = world.thresholds().ratios();
    let measure = Measure {
        mark: mark.as_f64(),
        funding: 0.0,
        ratios,
        levels,
        moved: false,
    };
    let quanta = world.ledger().contract(MARKET).slope();
    let schedule = world.schedule(MARKET);
    out.clear();
    index.crossed(
        MARKET,
        &measure,
        |size: Lots| schedule.effective(size.as_f64().abs() * measure.mark * quanta),
        out,
    );
    out.iter()
        .filter(|slot| breached(world, world.ledger().owner(**slot), mark))
        .count()
}

fn surveillance(world: &World) {
    let at = |share: f64| Ticks((START * share) as i64);
    let scanned: Vec<f64> = (0..7)
        .map(|round| {
            seconds(|| {
                black_box(scan(world, at(0.9 + 1e-4 * f64::from(round))));
            })
        })
        .collect();
    let scanned = median(scanned);
    line(
        "surveillance, full scan of 1,000,000 accounts",
        format!("{:.2} ms", scanned * 1e3),
        "",
        None,
    );
    let cases = [
        ("no threshold near", 1.0, 1e-4, Some(100.0)),
        (
            "an ordinary second, -0.01 % among thresholds",
            0.9,
            1e-4,
            Some(100.0),
        ),
        ("-0.5 % among thresholds", 0.9, 5e-3, None),
    ];
    for (name, from, fall, target) in cases {
        let mut index = world.index().clone();
        let mut out = Vec::new();
        watch(world, &mut index, at(from), &mut out);
        let mut times = Vec::new();
        let mut checked = 0;
        let steps = 15;
        for step in 1..=steps {
            let (before, mark) = (
                at(from - fall * f64::from(step - 1)),
                at(from - fall * f64::from(step)),
            );
            let mut found = 0;
            times.push(seconds(|| found = watch(world, &mut index, mark, &mut out)));
            checked += out.len();
            if step == steps {
                let new = scan(world, mark) as i64 - scan(world, before) as i64;
                assert!(found as i64 >= new, "the index found {found} of {new}");
            }
        }
        let ratio = scanned / median(times);
        line(
            &format!("surveillance by index, {name}"),
            format!("{ratio:.0} x faster"),
            if target.is_some() { "> 100 x" } else { "" },
            target.map(|target| ratio > target),
        );
        if target.is_none() {
            println!(
                "    ({} candidates a step, each measured exactly)",
                checked / steps as usize
            );
        }
    }
}

fn closing() {
    const STEPS: usize = 20;
    let mut path = vec![START; 2];
    path.extend((1..=STEPS).map(|step| START * (1.0 - 0.005 * step as f64)));
    let counts = [50_000, 200_000, 800_000];
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    let mut closed = [0; 3];
    for _ in 0..5 {
        for (k, count) in counts.into_iter().enumerate() {
            let cohort = format!(
                "count = {count}\ncapital.lognormal = {{ median = 2000, sigma = 1.0 }}\n\
                 leverage.inverse_uniform = {{ min = 4.1, max = 90 }}\nlong_share = 1.0"
            );
            let mut world = World::new(setup(DEEP, ONE_RATE, &cohort, path.clone()));
            advance(&mut world, 1);
            times[k].push(seconds(|| advance(&mut world, STEPS as u32)));
            closed[k] = world
                .ledger()
                .traders()
                .filter(|id| world.ledger().account(*id).state == State::Closed)
                .count();
        }
    }
    let times = times.map(median);
    let per: Vec<f64> = times
        .iter()
        .zip(closed)
        .map(|(time, closed)| time / closed as f64)
        .collect();
    for k in 0..3 {
        line(
            &format!("closing, {} of {} positions", closed[k], counts[k]),
            format!("{:.4} s", times[k]),
            if k == 1 { "< 0.1 s" } else { "" },
            (k == 1).then_some(times[k] < 0.1),
        );
        println!("    ({:.0} ns a close)", per[k] * 1e9);
    }
    let worst = per.iter().copied().fold(0.0, f64::max);
    let best = per.iter().copied().fold(f64::INFINITY, f64::min);
    line(
        "closing, dearest over cheapest of the three, per close",
        format!("{:.2} x", worst / best),
        "< 1.5 x",
        Some(worst / best < 1.5),
    );
}

/// Portfolios of eight options and a position, all far from their requirement: a step in which the mark moves within 0.01 %.
fn portfolios() {
    const COUNT: u32 = 10_000;
    const BATCH: u32 = 50;
    let mut legs = String::new();
    for (moneyness, right, contracts) in [
        (0.8, "put", 1),
        (0.9, "put", -1),
        (0.95, "put", 1),
        (1.0, "put", -1),
        (1.0, "call", 1),
        (1.05, "call", -1),
        (1.1, "call", 1),
        (1.2, "call", -1),
    ] {
        legs += &format!(
            "{{ market = \"M\", expiry = \"30d\", moneyness = {moneyness}, right = \"{right}\", contracts = {contracts} }},"
        );
    }
    let cohort = |options: &str| {
        format!("count = {COUNT}\ncapital = 100000\nleverage = 0.5\nmode = \"cross\"\n{options}")
    };
    let listed = format!(
        "options = [{legs}]\n[options.market.M]\nsurface.shape.flat.volatility = 0.6\n\
         [options.margin]\nrule.deribit = {{}}"
    );
    let steps = BATCH as usize * 9;
    let mut worlds = ["", &listed]
        .map(|options| World::new(setup(IMPACT, ONE_RATE, &cohort(options), quiet(steps))));
    let mut times = [Vec::new(), Vec::new()];
    for world in &mut worlds {
        advance(world, BATCH);
    }
    for _ in 0..8 {
        for (world, times) in worlds.iter_mut().zip(&mut times) {
            times.push(seconds(|| advance(world, BATCH)) / f64::from(BATCH));
        }
    }
    let [without, with] = times.map(median);
    line(
        "quiet step, 10,000 cross accounts without options",
        format!("{:.2} µs", without * 1e6),
        "",
        None,
    );
    line(
        "quiet step, 10,000 portfolios of 8 options",
        format!("{:.2} µs", with * 1e6),
        "< 1 ms",
        Some(with < 1e-3),
    );
}

/// Median over pairs of the time that something takes with a feature over that without.
fn ratio(mut time: impl FnMut(bool) -> f64) -> f64 {
    const PAIRS: usize = 15;
    let mut ratios: Vec<f64> = (0..PAIRS)
        .map(|_| {
            let without = time(false);
            time(true) / without
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios[PAIRS / 2]
}

fn flagship() {
    let scenario = Scenario::load(FLAGSHIP).unwrap_or_else(|problems| panic!("{problems}"));
    let (setup, _) = scenario
        .setup(scenario.replicate, Mode::Run)
        .unwrap_or_else(|problems| panic!("{problems}"));
    let steps = setup.steps;
    let mut world = World::new(setup);
    let alone = seconds(|| advance(&mut world, steps));
    line(
        &format!(
            "{FLAGSHIP}, {steps} steps, {} liquidations",
            world.totals().liquidations
        ),
        format!("{:.0} steps/s", f64::from(steps) / alone),
        "",
        None,
    );
    let whole = seconds(|| {
        black_box(Run::new(&scenario).twin(true).finish().expect("it runs"));
    });
    line(
        "the same from file to summary, with its twin",
        format!("{whole:.2} s"),
        "< 15 s",
        Some(whole < 15.0),
    );
    // In pairs that alternate, so that a machine's mood is in neither; the median of their ratios.
    let genealogy = ratio(|genealogy| {
        let mut scenario = scenario.clone();
        scenario.measure.genealogy = genealogy;
        seconds(|| {
            black_box(Run::new(&scenario).finish().expect("it runs"));
        })
    });
    // The engine's part alone: what is written down while it steps, nothing made of it.
    let trace = ratio(|trace| {
        let (setup, _) = scenario
            .setup(scenario.replicate, Mode::Run)
            .unwrap_or_else(|problems| panic!("{problems}"));
        let mut world = World::new(setup);
        if trace {
            world.trace_causes();
        }
        seconds(|| advance(&mut world, steps))
    });
    line(
        "steps of a world that traces causes, over one that doesn't",
        format!("{trace:.3}"),
        "",
        None,
    );
    line(
        "a run with its genealogy, over one without",
        format!("{genealogy:.3}"),
        "< 1.15",
        Some(genealogy < 1.15),
    );
}

fn calls(world: &World) {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    let mut group = criterion.benchmark_group("a_million_accounts");
    let low = Ticks((0.95 * START) as i64);
    group.bench_function("full_scan", |b| b.iter(|| scan(world, black_box(low))));
    group.bench_function("forced_within_5_percent", |b| {
        b.iter(|| world.forced_at(MARKET, true, black_box(low)));
    });
    group.bench_function("reproduction_5_percent", |b| {
        b.iter(|| world.reproduction(MARKET, true, black_box(0.05)));
    });
    group.bench_function("build_index", |b| {
        b.iter(|| TriggerIndex::build(world.ledger(), &[Lots(10)]));
    });
    group.finish();
    criterion.final_summary();
}

/// Whether a part was asked for: by name after `--`, or none was named.
fn asked(name: &str) -> bool {
    let mut names = std::env::args().skip(1).filter(|arg| !arg.starts_with('-'));
    let first = names.next();
    first.is_none_or(|first| first == name || names.any(|other| other == name))
}

fn main() {
    if asked("quiet") {
        quiet_steps("closed-form impact", IMPACT);
        let bytes = quiet_steps("book", BOOK);
        line(
            "bytes an account, ledger and index, at 1,000,000",
            format!("{bytes:.1}"),
            "<= 128",
            Some(bytes <= 128.0),
        );
    }
    if asked("closing") {
        closing();
    }
    if asked("portfolios") {
        portfolios();
    }
    if asked("flagship") && std::path::Path::new(FLAGSHIP).exists() {
        flagship();
    }
    if asked("surveillance") || asked("calls") {
        let world = crowd(1_000_000, IMPACT, quiet(1));
        if asked("surveillance") {
            surveillance(&world);
        }
        if asked("calls") {
            calls(&world);
        }
    }
}
