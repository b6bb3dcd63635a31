//! A run against its twin: the same world, in which forced orders move no price.
//!
//! Draws are keyed, never ordered, so the two differ only through feedback; their ratio is what
//! liquidations did to the market. Where rates moved, the same world with rates that don't tells apart what
//! the rates did: the margin spiral proper, and what is left, the loss spiral.

use super::catalogue as m;
use super::metric::Metric;
use super::quality::Quality;
use super::recorder::Recorded;
use super::summary::Summary;

/// The metrics of the comparison: by market, then for the world. `alone` is what the run alone measured; `frozen` is the same
/// world with rates that stay those of the first step; where none is given no rate moved, and it would be the run itself.
pub fn compare(
    alone: &Summary,
    run: &Recorded,
    twin: &Recorded,
    frozen: Option<&Recorded>,
) -> Vec<Metric> {
    let mut metrics = Vec::new();
    for (market, frame) in run.frame.markets.iter().enumerate() {
        let name = Some(frame.name.as_str());
        let fall = (run.drawdown(market), twin.drawdown(market));
        let endogenous = endogenous_share(fall.0, fall.1);
        let spiral = frozen.map_or(0.0, |frozen| {
            endogenous_share(fall.0, frozen.drawdown(market))
        });
        let volatility = run.volatility(market).zip(twin.volatility(market));
        metrics.extend([
            Metric::new(
                &m::AMPLIFICATION_DRAWDOWN,
                name,
                Some(amplification(fall.0, fall.1)),
            ),
            Metric::new(
                &m::AMPLIFICATION_VOLATILITY,
                name,
                volatility.map(|(run, twin)| amplification(run, twin)),
            ),
            Metric::new(
                &m::AMPLIFICATION_LIQUIDATED,
                name,
                Some(amplification(
                    run.liquidated(market),
                    twin.liquidated(market),
                )),
            ),
            Metric::new(&m::ENDOGENOUS_SHARE, name, Some(endogenous)),
            Metric::new(&m::SPIRAL_SHARE, name, Some(spiral)),
            Metric::new(&m::LOSS_SHARE, name, Some(endogenous - spiral)),
        ]);
    }
    let premature = Quality::of(run).prematurity(twin);
    let share = premature.and_then(|found| found.share());
    let own = alone.value(m::PREMATURE_SHARE.name, None);
    metrics.extend([
        Metric::new(&m::PREMATURE_TWIN, None, share),
        Metric::new(
            &m::PREMATURE_ENDOGENOUS,
            None,
            share.zip(own).map(|(twin, own)| twin - own),
        ),
        Metric::new(
            &m::PREMATURE_TWIN_UNDECIDED,
            None,
            premature.and_then(|found| found.undecided()),
        ),
    ]);
    metrics.push(Metric::new(
        &m::AMPLIFICATION_BAD_DEBT,
        None,
        Some(amplification(run.bad_debt(), twin.bad_debt())),
    ));
    metrics.push(Metric::new(
        &m::AMPLIFICATION_LIQUIDATED_TOTAL,
        None,
        Some(amplification(
            run.liquidated_total(),
            twin.liquidated_total(),
        )),
    ));
    metrics
}

/// Run over twin; exactly 1 where both are zero, infinite where only the twin's is.
pub fn amplification(run: f64, twin: f64) -> f64 {
    if twin != 0.0 {
        run / twin
    } else if run == 0.0 {
        1.0
    } else {
        f64::INFINITY
    }
}

/// 1 − twin / run; 0 where there was no fall. Negative where the twin fell further.
pub fn endogenous_share(run: f64, twin: f64) -> f64 {
    if run > 0.0 { 1.0 - twin / run } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_over_nothing_is_exactly_one() {
        assert_eq!(amplification(0.0, 0.0), 1.0);
        assert_eq!(amplification(0.1, 0.0), f64::INFINITY);
        assert_eq!(
            amplification(0.3, 0.1 + 0.2 - 0.15),
            0.3 / (0.1 + 0.2 - 0.15)
        );
        assert_eq!(amplification(0.037, 0.037), 1.0);
        assert_eq!(endogenous_share(0.0, 0.0), 0.0);
        assert_eq!(endogenous_share(0.2, 0.05), 0.75);
    }
}
