//! Every problem of a typed scenario, at once: part by part, then what parts make together.

use super::build::Prepared;
use super::problem::{Problem, listed, nearest};
use super::settings::{ContractSettings, KindSettings, MarketSettings, Scenario, VenueSettings};
use super::tree::join;
use crate::margin::CrossSettings;
use crate::margin::base::BaseSettings;
use crate::math::linear::correlation_factor;
use crate::math::sample::Sampled;
use crate::measure::DEFINITIONS;
use crate::path::{Moment, PathSettings};
use crate::trader::{CohortSettings, ResponseSettings};
use crate::unit::Span;
use crate::unit::grid::GridError;
use rust_decimal::Decimal;

/// The cohort that holds the accounts of a positions file.
pub(super) const POSITIONS: &str = "positions";

/// What is wrong within each part. `names` are the markets that trade, also those that could not be
/// read.
pub(super) fn parts(scenario: &Scenario, names: &[String]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut nested = |prefix: &str, list: Vec<(String, String)>| {
        problems.extend(
            list.into_iter()
                .map(|(key, text)| Problem::new(join(prefix, &key), text)),
        );
    };
    for (name, market) in &scenario.market {
        nested(&format!("market.{name}"), market_parts(scenario, market));
    }
    nested("margin", scenario.margin.problems());
    nested("liquidation", scenario.liquidation.problems(names));
    nested("measure", scenario.measure.problems());
    nested("ensemble", scenario.ensemble.problems());
    nested("safety", scenario.safety.problems());
    for (name, cohort) in &scenario.cohort {
        nested(&format!("cohort.{name}"), cohort.problems(names));
        nested(
            &format!("cohort.{name}"),
            collateral_parts(scenario, cohort, names),
        );
    }
    if let Some(options) = &scenario.options {
        nested("options", options.problems(names, &scenario.cohort));
    }
    nested("", super::option::cohort_problems(scenario));
    nested("", position_parts(scenario));
    let mut unknown = Vec::new();
    let mut add = |key: &str, text: String| problems.push(Problem::new(key, text));
    let dt = scenario.dt();
    if !(dt > 0.0 && dt.is_finite()) {
        add(
            "step",
            format!("must be longer than 0, found {}", scenario.step),
        );
    } else if scenario.steps().is_none() {
        add(
            "length",
            format!(
                "must be a whole number of steps of {}, at most {}; found {}",
                scenario.step,
                super::MOST_STEPS,
                scenario.length
            ),
        );
    }
    if !matches!(scenario.start, None | Some(Moment::Utc(_))) {
        add(
            "start",
            "must be a date and time, such as 2025-10-10T20:30:00Z".to_owned(),
        );
    }
    if scenario.quantum <= Decimal::ZERO {
        add(
            "quantum",
            format!("must be greater than 0, found {}", scenario.quantum),
        );
    }
    if scenario.rounds.limit() == 0 {
        add("rounds", "must allow at least one round".to_owned());
    }
    if let Some(matrix) = &scenario.correlation
        && let Err(error) = correlation_factor(matrix, names.len())
    {
        add("correlation", error.to_string());
    }
    if let Some(stress) = &scenario.stress_correlation {
        for problem in stress.problems(names.len()) {
            add(
                &format!("stress_correlation.{}", problem.field),
                problem.message,
            );
        }
    }
    if scenario.margin.cross == CrossSettings::Path
        && scenario.correlation.is_none()
        && scenario.stress_correlation.is_none()
    {
        add(
            "margin.cross",
            "found \"path\", but the outside prices are independent: give `correlation`, or leave it out".to_owned(),
        );
    }
    if let Err(error) = scenario.margin.cross.check(names.len()) {
        add("margin.cross.correlation", error.to_string());
    }
    let borrowed: Vec<&str> = names.iter().map(String::as_str).collect();
    if let Some(grid) = scenario.grid() {
        for (place, shock) in scenario.shock.iter().enumerate() {
            for problem in shock.problems(&grid, &borrowed) {
                add(
                    &format!("shock[{place}].{}", problem.field),
                    problem.message,
                );
            }
        }
    }
    if let Some(grid) = scenario.grid() {
        for (place, fault) in scenario.fault.iter().enumerate() {
            for (key, text) in fault.problems(&grid, &borrowed) {
                add(&format!("fault[{place}].{key}"), text);
            }
        }
    }
    for name in scenario.safety.open_interest_cap.keys() {
        if !names.contains(name) {
            unknown.push((format!("safety.open_interest_cap.{name}"), name));
        }
    }
    for name in scenario.margin.market.keys() {
        if !names.contains(name) {
            unknown.push((format!("margin.market.{name}"), name));
        }
    }
    for name in scenario.rules.names() {
        if !names.contains(name) {
            unknown.push(("margin".to_owned(), name));
        }
    }
    for (place, expect) in scenario.expect.iter().enumerate() {
        problems.extend(expect.problems(names).into_iter().map(|(key, text)| {
            let metrics = DEFINITIONS.iter().map(|definition| definition.name);
            let help = match key.as_str() {
                "metric" => nearest(&expect.metric, metrics),
                _ => None,
            };
            Problem::new(format!("expect[{place}].{key}"), text).help(help)
        }));
    }
    problems.extend(
        unknown
            .into_iter()
            .map(|(key, name)| no_market(key, name, &borrowed)),
    );
    problems
}

fn no_market(key: String, name: &str, names: &[&str]) -> Problem {
    Problem::new(
        key,
        format!("no market `{name}`; the scenario has {}", listed(names)),
    )
    .help(nearest(name, names.iter().copied()))
}

fn market_parts(scenario: &Scenario, market: &MarketSettings) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    if scenario.quantum > Decimal::ZERO
        && let Err(error) = market.grid(scenario.quantum)
    {
        let key = match &error {
            GridError::NotPositive { what, .. } if *what == "lot size" => "lot",
            _ => "tick",
        };
        problems.push((key.to_owned(), error.to_string()));
    }
    if let Some(price) = market.price
        && !(price.is_finite() && price > 0.0)
    {
        problems.push((
            "price".to_owned(),
            format!("must be greater than 0, found {price}"),
        ));
    }
    for (key, fee) in [
        ("taker_fee", market.taker_fee),
        ("maker_fee", market.maker_fee),
    ] {
        if fee.abs() >= Decimal::ONE {
            problems.push((
                key.to_owned(),
                format!("must lie between -1 and 1, found {fee}"),
            ));
        }
    }
    let (venue, sentences) = match &market.venue {
        VenueSettings::Book(book) => ("venue.book", book.problems()),
        VenueSettings::Impact(impact) => ("venue.impact", impact.problems()),
    };
    for sentence in sentences {
        // The sentence begins with its key.
        let (key, text) = sentence.split_once(' ').unwrap_or(("", &sentence));
        problems.push((
            format!("{venue}.{}", key.trim_end_matches(':')),
            text.to_owned(),
        ));
    }
    if let KindSettings::Spot(haircut) = &market.kind {
        let found = haircut.problems().into_iter();
        problems.extend(found.map(|(key, text)| (format!("kind.spot.{key}"), text)));
        if market.funding.interval != Span::NEVER {
            let text = "must be \"never\": what is held as collateral pays no funding";
            problems.push(("funding.interval".to_owned(), text.to_owned()));
        }
        if market.contract == ContractSettings::Inverse {
            let text = "must be linear: an asset is worth its quantity times its price";
            problems.push(("contract".to_owned(), text.to_owned()));
        }
    }
    let mut nested = |prefix: &str, list: Vec<(String, String)>| {
        problems.extend(
            list.into_iter()
                .map(|(key, text)| (format!("{prefix}.{key}"), text)),
        );
    };
    nested("anchor", market.anchor.problems());
    nested("flight", market.flight.problems());
    nested("oracle", market.oracle.problems());
    nested("mark", market.mark.problems());
    nested("funding", market.funding.problems());
    if let Some(grid) = scenario.grid() {
        let start = market
            .price
            .or_else(|| market.path.natural_start(&grid, None))
            .unwrap_or(1.0);
        let found = market.path.problems(&grid, start, None);
        let found = found.into_iter().map(|one| (one.field, one.message));
        nested(&path_key(&market.path), found.collect());
    }
    problems
}

/// What is wrong with how a positions file's owners answer, and with cohorts that answer as only they can.
fn position_parts(scenario: &Scenario) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    if let Some(response) = &scenario.positions_response {
        let found = response.problems().into_iter();
        problems.extend(found.map(|(key, text)| (format!("positions_response.{key}"), text)));
        if scenario.positions.is_none() {
            let text =
                "is for the accounts of a positions file, and there is none; add `positions = …`";
            problems.push(("positions_response".to_owned(), text.to_owned()));
        }
        if matches!(response, ResponseSettings::StopLoss { .. }) {
            let text =
                "is drawn with a cohort's members: expected an answer to a warning or a call";
            problems.push(("positions_response.stop_loss".to_owned(), text.to_owned()));
        }
    }
    for (name, cohort) in &scenario.cohort {
        if matches!(cohort.response, ResponseSettings::MoveMargin { .. }) {
            problems.push((
                format!("cohort.{name}.response.move_margin"),
                "needs owners with isolated and cross accounts, which only a positions file has: expected `positions_response`, or top_up".to_owned(),
            ));
        }
    }
    problems
}

/// What is wrong with what a cohort holds as collateral, or trades of it.
fn collateral_parts(
    scenario: &Scenario,
    cohort: &CohortSettings,
    names: &[String],
) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    let spot = |name: &str| {
        let market = scenario.market.get(name);
        market.is_some_and(|market| market.kind.is_spot())
    };
    let assets: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| spot(name))
        .collect();
    for (name, share) in &cohort.collateral {
        let key = format!("collateral.{name}");
        if !spot(name) {
            let known = if assets.is_empty() {
                "the scenario has none".to_owned()
            } else {
                format!("expected {}", listed(&assets))
            };
            let text = format!(
                "no market of collateral (`kind.spot`): {known}; what no share is named for is the settlement currency"
            );
            problems.push((key, text));
        } else if !(share.is_finite() && *share >= 0.0) {
            problems.push((key, format!("a share must not be negative, found {share}")));
        }
    }
    let sum: f64 = cohort.collateral.values().sum();
    if sum > 1.0 + 1e-9 {
        problems.push((
            "collateral".to_owned(),
            format!("shares must add up to at most 1, found {sum}"),
        ));
    }
    if !cohort.collateral.is_empty() && cohort.mode == crate::trader::Mode::Isolated {
        problems.push((
            "collateral".to_owned(),
            "belongs to a cross account: an isolated position is backed by the settlement currency alone; expected mode = \"cross\"".to_owned(),
        ));
    }
    for name in cohort.markets.keys().filter(|name| spot(name)) {
        if cohort.leverage != Sampled::Fixed(0.0) {
            problems.push((
                format!("markets.{name}"),
                format!("is collateral, which nobody begins to hold on margin; expected `collateral = {{ {name} = … }}`, or leverage = 0 for members who trade it"),
            ));
        }
    }
    problems
}

/// The key of a market's path.
pub(super) fn path_key(path: &PathSettings) -> String {
    let kind = match path {
        PathSettings::Constant(_) => "constant",
        PathSettings::Gbm(_) => "gbm",
        PathSettings::Merton(_) => "merton",
        PathSettings::Garch(_) => "garch",
        PathSettings::Waypoints(_) => "waypoints",
        PathSettings::Replay(_) => "replay",
    };
    format!("path.{kind}")
}

/// What is wrong with the parts together.
pub(super) fn whole(scenario: &Scenario) -> Vec<Problem> {
    let mut problems = Vec::new();
    if scenario.markets.is_empty() {
        problems.push(
            Problem::new("market", "a scenario needs at least one market").help(Some(
                "add a [market.NAME] section, or extend a preset".into(),
            )),
        );
    }
    let grid = scenario.grid();
    if !scenario.markets.is_empty() && scenario.traded().all(|(_, market)| market.kind.is_spot()) {
        problems.push(Problem::new(
            "market",
            "a scenario needs at least one market that isn't collateral",
        ));
    }
    problems.extend(settlement(scenario));
    for (name, market) in scenario.traded() {
        let spot = market.kind.is_spot();
        if spot
            && scenario
                .margin
                .market
                .get(name)
                .is_some_and(|own| own.base.is_some())
        {
            problems.push(
                Problem::new(
                    format!("margin.market.{name}.base"),
                    "belongs to no market of collateral: its haircut is its rate",
                )
                .help(Some(format!("state it in market.{name}.kind.spot"))),
            );
        }
        let own = spot || scenario.rules.names().any(|rule| rule == name);
        if !own && scenario.margin.rule_of(name).is_none() {
            problems.push(
                Problem::new(format!("margin.market.{name}.base"), "is missing: the market has no margin rule")
                    .help(Some(format!(
                        "add `base = {{ fixed = {{ maintenance = 0.02, initial = 0.04 }} }}` to [margin] or to [margin.market.{name}]"
                    ))),
            );
        }
        if let Some((base, _)) = scenario.margin.rule_of(name)
            && let Some(problem) = bonus_problem(scenario, name, market, base)
        {
            problems.push(problem);
        }
        let starts = matches!(market.path, PathSettings::Replay(_))
            || grid.is_some_and(|grid| market.path.natural_start(&grid, None).is_some());
        if market.price.is_none() && !starts {
            problems.push(
                Problem::new(
                    format!("market.{name}.price"),
                    "is missing: this path doesn't say at which price it starts",
                )
                .help(Some("add `price = …`, the price at the start".into())),
            );
        }
    }
    if scenario.positions.is_some() && scenario.cohort.contains_key(POSITIONS) {
        problems.push(Problem::new(
            format!("cohort.{POSITIONS}"),
            "this name belongs to the accounts of the positions file; give the cohort another",
        ));
    }
    let accounts: u64 = scenario
        .cohort
        .values()
        .map(|cohort| u64::from(cohort.count))
        .sum();
    if accounts > super::MOST_ACCOUNTS {
        problems.push(Problem::new(
            "cohort",
            format!(
                "{accounts} accounts are too many, expected at most {}",
                super::MOST_ACCOUNTS
            ),
        ));
    }
    problems
}

/// A world has one settlement currency.
fn settlement(scenario: &Scenario) -> Vec<Problem> {
    let mut problems = Vec::new();
    let Some((first, of_first)) = scenario.traded().next() else {
        return problems;
    };
    for (name, market) in scenario.traded().skip(1) {
        let stated = [&of_first.settlement, &market.settlement];
        if let [Some(one), Some(other)] = stated {
            if one != other {
                problems.push(
                    Problem::new(
                        format!("market.{name}.settlement"),
                        format!("found {other}, but {first} settles in {one}: a world has one settlement currency"),
                    )
                    .help(Some("run them as two scenarios".into())),
                );
            }
        } else if of_first.contract != market.contract {
            problems.push(
                Problem::new(
                    format!("market.{name}.contract"),
                    format!("{first} and {name} are not of the same contract, and an inverse one settles in its coin: a world has one settlement currency"),
                )
                .help(Some(
                    "name it in both markets (`settlement = …`) if it is the same, else run them as two scenarios".into(),
                )),
            );
        }
    }
    problems
}

/// A bonus that a market's threshold can't bear: at the threshold already a liquidation would worsen what is left.
fn bonus_problem(
    scenario: &Scenario,
    name: &str,
    market: &MarketSettings,
    base: &BaseSettings,
) -> Option<Problem> {
    let policy = scenario.liquidation.policy_of(name);
    let at = if scenario.liquidation.market.contains_key(name) {
        format!("liquidation.market.{name}.policy")
    } else {
        "liquidation.policy".to_owned()
    };
    let (key, bonus) = policy.stated_bonus()?;
    let grid = market.grid(scenario.quantum).ok()?;
    let threshold = Decimal::ONE - Decimal::new(base.schedule(&grid).level().0, 9);
    let product = threshold * (Decimal::ONE + bonus);
    (product >= Decimal::ONE).then(|| {
        Problem::new(
            format!("{at}.{}.{key}", policy.name()),
            format!(
                "leaves no room in {name}: its liquidation threshold of {} times 1 + a bonus of {} is {}, expected less than 1, or every liquidation leaves a worse account than it found",
                threshold.normalize(),
                bonus.round_dp(6).normalize(),
                product.round_dp(6).normalize()
            ),
        )
        .help(Some(format!(
            "choose a bonus below {}, or a higher maintenance rate; left out, it is half of what the threshold allows",
            (Decimal::ONE / threshold - Decimal::ONE).round_dp(6).normalize()
        )))
    })
}

/// What only shows when the named files are read and the world is built.
pub(super) fn files(scenario: &Scenario) -> Result<(), Vec<Problem>> {
    Prepared::new(scenario)?
        .setup(scenario.replicate, super::Mode::Run)
        .map(|_| ())
}
