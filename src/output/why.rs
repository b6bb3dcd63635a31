//! The charts of a run's genealogy: which columns go on which chart.

use super::manifest::Provenance;
use super::pictures::Picture;
use crate::cascade::reproduction::{Window, calibrate, warnings, windows};
use crate::cascade::{Genealogy, Liquidation, Outer, tail};
use crate::chart::{
    self, CalibrationData, ChartError, FamilyData, LawData, Look, Member, Options, PhaseData,
    TailData, WaitingData,
};
use crate::experiment::Finished;
use crate::measure::Recorded;
use crate::unit::Side;

/// Seconds over which the phase plane's rates are taken.
const RATES: f64 = 60.0;

/// Draws every chart of a run's genealogy; none where there is none.
///
/// # Errors
///
/// What keeps a chart from being drawn.
pub fn draw(
    finished: &Finished,
    provenance: &Provenance,
    title: &str,
    currency: &str,
) -> Result<Vec<Picture>, ChartError> {
    let run = &finished.run;
    let start = provenance.start.map(|start| start.as_second());
    let options = |subtitle: &str| Options {
        subtitle: Some(format!("{title} · {subtitle}")),
        ..Options::default()
    };
    let seed = format!("seed {}", provenance.seed);
    let several = run.frame.markets.len() > 1;
    let named = |kind: &str, market: usize| {
        if several {
            format!("{kind}-{}", run.frame.markets[market].name)
        } else {
            kind.to_owned()
        }
    };
    let mut pictures = Vec::new();
    for (place, market) in run.frame.markets.iter().enumerate() {
        let about = options(&format!("{}, {seed}", market.name));
        pictures.push(Picture {
            name: named("phase", place),
            chart: chart::phase(&phase(run, place, start, currency), &about)?,
        });
        if finished
            .looks
            .get(place)
            .is_some_and(|looks| !looks.is_empty())
        {
            pictures.push(Picture {
                name: named("waiting", place),
                chart: chart::waiting(&waiting(finished, place, start, currency), &about)?,
            });
        }
    }
    let Some(genealogy) = &finished.genealogy else {
        return Ok(pictures);
    };
    let windows = windows(run, genealogy);
    for (place, market) in run.frame.markets.iter().enumerate() {
        let about = options(&format!("{}, {seed}", market.name));
        let own: Vec<Window> = windows
            .iter()
            .filter(|window| window.market == place)
            .copied()
            .collect();
        pictures.push(Picture {
            name: named("calibration", place),
            chart: chart::calibration(&calibration(run, genealogy, place, &own), &about)?,
        });
    }
    let largest = largest_cascade(run, genealogy, start, currency);
    pictures.push(Picture {
        name: "cascade".to_owned(),
        chart: chart::family(&largest, &options(&seed))?,
    });
    pictures.push(Picture {
        name: "tail".to_owned(),
        chart: chart::tail(&sizes(genealogy), &options(&seed))?,
    });
    Ok(pictures)
}

fn notional(run: &Recorded, node: &Liquidation) -> f64 {
    node.notional.as_f64() * run.frame.quantum()
}

fn largest_cascade(
    run: &Recorded,
    genealogy: &Genealogy,
    start: Option<i64>,
    currency: &str,
) -> FamilyData {
    let Some(tree) = genealogy.largest() else {
        return FamilyData {
            currency: currency.to_owned(),
            start,
            ..FamilyData::default()
        };
    };
    let mut place = vec![None; genealogy.len()];
    let mut members: Vec<Member> = Vec::new();
    for node in genealogy
        .liquidations()
        .filter(|node| node.root == tree.root)
    {
        place[node.number as usize] = Some(members.len());
        let market = &run.frame.markets[node.market.index()].name;
        let side = if node.side == Side::Sell {
            "long"
        } else {
            "short"
        };
        let size = chart::compact(notional(run, node));
        members.push(Member {
            time: run.frame.seconds(node.step),
            parent: node.parent.and_then(|parent| place[parent as usize]),
            notional: notional(run, node),
            long: node.side == Side::Sell,
            label: format!("{market} {side} {size}"),
        });
    }
    FamilyData {
        currency: currency.to_owned(),
        start,
        first: words(tree.first).to_owned(),
        members,
    }
}

/// A cause as a person says it.
pub const fn words(outer: Outer) -> &'static str {
    match outer {
        Outer::Reference => "the outside price",
        Outer::Oracle => "the oracle",
        Outer::Organic => "traders' own orders",
        Outer::Quotes => "quotes that left",
        Outer::Backstop => "the backstop",
        Outer::Keepers => "keepers",
        Outer::Rule => "the margin rule",
        Outer::Collateral => "its collateral",
        Outer::Funding => "funding",
        Outer::Withdrawal => "a withdrawal",
        Outer::Own => "its own trade",
    }
}

fn sizes(genealogy: &Genealogy) -> TailData {
    let sizes: Vec<u32> = genealogy.trees.iter().map(|tree| tree.size).collect();
    let (size, share): (Vec<f64>, Vec<f64>) = tail::ccdf(&sizes)
        .into_iter()
        .map(|(size, share)| (f64::from(size), share))
        .unzip();
    let most = sizes.iter().copied().max().unwrap_or(1);
    let mut laws = Vec::new();
    if let Some(fit) = tail::power_tail(&sizes) {
        let from = f64::from(fit.count) / sizes.len() as f64;
        let base = f64::from(fit.least) - 0.5;
        let sizes = [f64::from(fit.least), 1.5 * f64::from(most)];
        laws.push(LawData {
            name: format!(
                "power law {:.2} ± {:.2}, p = {:.2}",
                fit.exponent, fit.error, fit.p
            ),
            size: sizes.to_vec(),
            share: sizes
                .iter()
                .map(|size| from * crate::math::ops::pow((size - 0.5) / base, 1.0 - fit.exponent))
                .collect(),
        });
    }
    if let Some((r, test)) = tail::test_borel(&sizes) {
        let mut left = 1.0;
        let shares: Vec<(f64, f64)> = (1..=most.min(100_000))
            .map(|n| {
                let point = (f64::from(n), left);
                left -= tail::borel(n, r);
                point
            })
            .filter(|point| point.1 > 1e-9)
            .collect();
        let (size, share) = shares.into_iter().unzip();
        laws.push(LawData {
            name: format!("branching, R = {r:.2}, p = {:.2}", test.p),
            size,
            share,
        });
    }
    TailData { size, share, laws }
}

fn calibration(
    run: &Recorded,
    genealogy: &Genealogy,
    market: usize,
    windows: &[Window],
) -> CalibrationData {
    let means = calibrate(windows.iter())
        .into_iter()
        .filter_map(|class| {
            // Both regimes together, by what was liquidated in each; a regime without windows has no mean.
            let inside = windows
                .iter()
                .filter(|w| w.foreseen >= class.range[0] && w.foreseen < class.range[1]);
            let lots: f64 = inside.clone().map(|w| w.lots).sum();
            let mean = |of: &dyn Fn(&Window) -> f64| {
                inside.clone().map(|w| w.lots * of(w)).sum::<f64>() / lots
            };
            (lots > 0.0).then(|| (mean(&|w| w.foreseen), mean(&|w| w.realised)))
        })
        .collect();
    let found = warnings(run, genealogy, market);
    let lead = found
        .leads
        .get(found.leads.len() / 2)
        .map_or_else(String::new, |lead| format!(", median lead {lead:.0} s"));
    CalibrationData {
        market: run.frame.markets[market].name.clone(),
        foreseen: windows.iter().map(|w| w.foreseen).collect(),
        realised: windows.iter().map(|w| w.realised).collect(),
        weight: windows.iter().map(|w| w.lots).collect(),
        stressed: windows.iter().map(|w| w.stressed).collect(),
        means,
        note: format!(
            "warnings R ≥ 1: {}, of which false alarms {}\ncascades of ten or more: {}, of which warned of {}{lead}",
            found.warnings,
            found.false_alarms,
            found.cascades,
            found.cascades - found.missed
        ),
    }
}

fn phase(run: &Recorded, market: usize, start: Option<i64>, currency: &str) -> PhaseData {
    let frame = &run.frame.markets[market];
    let scale = frame.grid.scale();
    let rows = run.series.market(market);
    let steps = run.series.steps();
    let length = (RATES / run.frame.dt / f64::from(run.every))
        .round()
        .max(1.0) as usize;
    let seconds = length as f64 * run.frame.dt * f64::from(run.every);
    let mut data = PhaseData {
        market: frame.name.clone(),
        currency: currency.to_owned(),
        start,
        window: seconds,
        ..PhaseData::default()
    };
    // A quarter of the window apart, so that the path is smooth and not drawn sixty times over.
    let apart = (length / 4).max(1);
    for last in (length..rows.len()).step_by(apart) {
        let first = last - length;
        let liquidated: f64 = rows[first + 1..=last]
            .iter()
            .map(|row| scale.amount(row.forced_sold_value) + scale.amount(row.forced_bought_value))
            .sum();
        data.time.push(run.frame.seconds(steps[last]));
        data.velocity
            .push((rows[last].mid / rows[first].mid - 1.0) * 60.0 / seconds);
        data.rate.push(liquidated * 60.0 / seconds);
    }
    data
}

fn waiting(finished: &Finished, market: usize, start: Option<i64>, currency: &str) -> WaitingData {
    let run = &finished.run;
    let frame = &run.frame.markets[market];
    let scale = frame.grid.scale();
    let rows = run.series.market(market);
    let looks = finished.looks[market]
        .iter()
        .map(|shot| {
            let mark = shot.mid * scale.tick;
            let mut cells = Vec::new();
            let (mut at, mut sells, mut buys) = (0.0, 0.0, 0.0);
            for rung in &shot.rungs {
                let [long, short] =
                    [rung.forced_sells, rung.forced_buys].map(|lots| scale.quantity(lots));
                let (low, high) = (mark * (1.0 - rung.distance), mark * (1.0 - at));
                cells.push([low, high, (long - sells).max(0.0) * 0.5 * (low + high)]);
                let (low, high) = (mark * (1.0 + at), mark * (1.0 + rung.distance));
                cells.push([low, high, (short - buys).max(0.0) * 0.5 * (low + high)]);
                (at, sells, buys) = (rung.distance, long, short);
            }
            Look {
                time: f64::from(shot.step) * run.frame.dt,
                cells,
            }
        })
        .collect();
    WaitingData {
        market: frame.name.clone(),
        currency: currency.to_owned(),
        start,
        time: run
            .series
            .steps()
            .iter()
            .map(|step| run.frame.seconds(*step))
            .collect(),
        mark: rows.iter().map(|row| scale.price(row.mark)).collect(),
        looks,
    }
}
