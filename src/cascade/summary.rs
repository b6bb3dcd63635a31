//! What a genealogy says in numbers: metrics of the catalogue.

use super::cause::{Outer, WHOLE};
use super::design::{critical_responsiveness, cures_needed, recovery_needed};
use super::graph::Genealogy;
use super::reproduction::{Window, warnings, windows};
use super::tail::power_tail;
use crate::measure::catalogue as m;
use crate::measure::{Definition, Metric, Recorded};
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// The branching ratio with its bounds: births over liquidations, and 95 % bounds as of a Poisson number of births
/// (Garwood 1936).
pub fn branching(genealogy: &Genealogy) -> Option<[f64; 3]> {
    let count = genealogy.len() as f64;
    if count == 0.0 {
        return None;
    }
    let births: f64 = genealogy
        .liquidations()
        .map(|node| f64::from(node.shares.forced()) / f64::from(WHOLE))
        .sum();
    let quantile =
        |p: f64, freedom: f64| ChiSquared::new(freedom).map_or(0.0, |law| law.inverse_cdf(p)) / 2.0;
    let low = if births > 0.0 {
        quantile(0.025, 2.0 * births)
    } else {
        0.0
    };
    let high = quantile(0.975, 2.0 * (births + 1.0));
    Some([births, low, high].map(|births| births / count))
}

/// Every metric of a run's genealogy.
pub fn metrics(recorded: &Recorded, genealogy: &Genealogy) -> Vec<Metric> {
    let mut metrics = Vec::new();
    of_markets(recorded, genealogy, &mut metrics);
    let mut add = |definition: &'static Definition, value: Option<f64>| {
        metrics.push(Metric::new(definition, None, value));
    };
    let count = genealogy.len() as f64;
    let quantum = recorded.frame.quantum();
    let some = |value: f64| (count > 0.0).then_some(value);
    let found = branching(genealogy);
    add(&m::BRANCHING, found.map(|found| found[0]));
    add(&m::BRANCHING_LOW, found.map(|found| found[1]));
    add(&m::BRANCHING_HIGH, found.map(|found| found[2]));
    let notional: f64 = genealogy
        .liquidations()
        .map(|node| node.notional.as_f64())
        .sum();
    let weighted = |share: &dyn Fn(&super::Liquidation) -> f64| {
        let sum: f64 = genealogy
            .liquidations()
            .map(|node| node.notional.as_f64() * share(node))
            .sum();
        (notional > 0.0).then(|| sum / notional)
    };
    let loss = weighted(&|node| f64::from(node.shares.forced()) / f64::from(WHOLE));
    for (definition, outer) in [
        (&m::CAUSE_REFERENCE, Outer::Reference),
        (&m::CAUSE_ORACLE, Outer::Oracle),
        (&m::CAUSE_ORGANIC, Outer::Organic),
        (&m::CAUSE_QUOTES, Outer::Quotes),
        (&m::CAUSE_BACKSTOP, Outer::Backstop),
        (&m::CAUSE_KEEPERS, Outer::Keepers),
        (&m::CAUSE_RULE, Outer::Rule),
        (&m::CAUSE_COLLATERAL, Outer::Collateral),
        (&m::CAUSE_FUNDING, Outer::Funding),
        (&m::CAUSE_WITHDRAWAL, Outer::Withdrawal),
        (&m::CAUSE_OWN, Outer::Own),
    ] {
        let sum: f64 = genealogy
            .liquidations()
            .map(|node| node.shares.share(outer))
            .sum();
        add(definition, some(sum / count));
    }
    add(&m::LOSS_SPIRAL, loss);
    add(
        &m::MARGIN_SPIRAL,
        weighted(&|node| node.shares.share(Outer::Rule)),
    );
    add(
        &m::COLLATERAL_SPIRAL,
        weighted(&|node| node.shares.share(Outer::Collateral)),
    );
    let largest = genealogy.largest();
    add(&m::CASCADE_TREES, Some(genealogy.trees.len() as f64));
    add(
        &m::CASCADE_LARGEST,
        largest.map(|tree| f64::from(tree.size)),
    );
    add(
        &m::CASCADE_LARGEST_NOTIONAL,
        largest.map(|tree| tree.notional.as_f64() * quantum),
    );
    add(
        &m::CASCADE_DURATION,
        largest.map(|tree| f64::from(tree.steps) * recorded.frame.dt),
    );
    let deepest = genealogy.trees.iter().map(|tree| tree.depth).max();
    add(&m::CASCADE_GENERATIONS, deepest.map(f64::from));
    let sizes: Vec<u32> = genealogy.trees.iter().map(|tree| tree.size).collect();
    let tail = power_tail(&sizes);
    add(&m::CASCADE_TAIL, tail.map(|tail| tail.exponent));
    add(&m::CASCADE_TAIL_P, tail.map(|tail| tail.p));
    metrics
}

/// What would have to hold for a spiral to stop. `closable` is s* of each market's smallest positions, at the start and at
/// the highest R, in settlement currency; `radius` the spectral radius over markets, where one is finite.
pub fn design(recorded: &Recorded, closable: &[[f64; 2]], radius: Option<f64>) -> Vec<Metric> {
    let mut metrics = Vec::new();
    for (place, market) in recorded.frame.markets.iter().enumerate() {
        let mut add = |definition: &'static Definition, value: Option<f64>| {
            metrics.push(Metric::new(definition, Some(&market.name), value));
        };
        let tally = &recorded.tally.markets[place];
        let maintenance = tally.maintenance / f64::from(recorded.tally.steps.max(1));
        let (start, worst) = (tally.first_down.map(|first| first[0]), tally.down[0]);
        let chi = |r| critical_responsiveness(r, maintenance);
        add(&m::CHI, start.and_then(chi));
        add(&m::CHI_WORST, chi(worst));
        add(&m::RECOVERY_NEEDED, recovery_needed(worst));
        add(&m::CURES_NEEDED, Some(cures_needed(worst)));
        let [start, worst] = closable.get(place).copied().unwrap_or([f64::NAN; 2]);
        add(&m::CLOSABLE_START, Some(start));
        add(&m::CLOSABLE_WORST, Some(worst));
    }
    metrics.push(Metric::new(&m::MATRIX_RADIUS, None, radius));
    metrics
}

/// Why a market has no χ* or no η*: a sentence for each that it has not.
pub fn undefined(recorded: &Recorded) -> Vec<String> {
    let mut reasons = Vec::new();
    for (place, market) in recorded.frame.markets.iter().enumerate() {
        let tally = &recorded.tally.markets[place];
        let start = tally.first_down.map_or(0.0, |first| first[0]);
        for (r, when) in [(start, "at the start"), (tally.down[0], "at the highest R")] {
            if r >= 1.0 {
                reasons.push(format!(
                    "{}: no χ* {when}, R = {r:.2}: a fall carries itself at unchanged margin",
                    market.name
                ));
            } else if r <= 0.0 {
                reasons.push(format!(
                    "{}: no χ* {when}, R = 0: a fall of 1 % forces nobody",
                    market.name
                ));
            }
        }
        if recovery_needed(tally.down[0]).is_none() {
            reasons.push(format!(
                "{}: no η*, R = {:.2}: beyond 4 no recovery between two checks is enough",
                market.name, tally.down[0]
            ));
        }
    }
    reasons
}

fn of_markets(recorded: &Recorded, genealogy: &Genealogy, metrics: &mut Vec<Metric>) {
    let windows = windows(recorded, genealogy);
    for (place, market) in recorded.frame.markets.iter().enumerate() {
        let mut add = |definition: &'static Definition, value: Option<f64>| {
            metrics.push(Metric::new(definition, Some(&market.name), value));
        };
        let own: Vec<&Window> = windows
            .iter()
            .filter(|window| window.market == place)
            .collect();
        let mean = |of: &dyn Fn(&Window) -> f64| {
            let told = || own.iter().filter(|window| of(window).is_finite());
            let lots: f64 = told().map(|window| window.lots).sum();
            let sum: f64 = told().map(|window| window.lots * of(window)).sum();
            (lots > 0.0).then(|| sum / lots)
        };
        let peak = own.iter().map(|window| window.realised).reduce(f64::max);
        add(&m::REALISED_MEAN, mean(&|window| window.realised));
        add(&m::FORESEEN_MEAN, mean(&|window| window.foreseen));
        add(&m::REALISED_PEAK, peak);
        let found = warnings(recorded, genealogy, place);
        let share = |part: u32, whole: u32| (whole > 0).then(|| f64::from(part) / f64::from(whole));
        add(&m::WARNINGS_GIVEN, Some(f64::from(found.warnings)));
        add(&m::FALSE_ALARMS, share(found.false_alarms, found.warnings));
        add(&m::CASCADES, Some(f64::from(found.cascades)));
        add(
            &m::CASCADES_WARNED,
            share(found.cascades - found.missed, found.cascades),
        );
        add(
            &m::WARNING_LEAD,
            found.leads.get(found.leads.len() / 2).copied(),
        );
    }
}
