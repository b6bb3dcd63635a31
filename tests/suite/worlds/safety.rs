//! Fail-safes and faults.

use super::*;
use deleverage::math::Stream;
use deleverage::safety::breaker::LevelSettings;
use deleverage::safety::collar::Centre;
use deleverage::safety::{
    AdlPauseSettings, BreakerSettings, CollarSettings, FaultKind, Faults, KillSettings,
    OracleGuardSettings, Outage, SafetySettings, SafetySetup, ThrottleSettings,
};
use deleverage::unit::{Cash, Lots, Span};

/// Fail-safes and faults, each in some of the worlds; none of either in a third of them.
pub(super) fn safety(s: &mut Stream, markets: u16) -> SafetySetup {
    if s.chance(0.33) {
        return SafetySetup::default();
    }
    let seconds = |s: &mut Stream, low, high| Span::seconds(whole(s, low, high) as f64);
    let guards = SafetySettings {
        circuit_breaker: s.chance(0.4).then(|| BreakerSettings {
            window: seconds(s, 1, 10),
            levels: vec![LevelSettings {
                size: between(s, 0.005, 0.05),
                halt: seconds(s, 1, 10),
            }],
            auction: s.chance(0.7),
        }),
        collar: s.chance(0.4).then(|| CollarSettings {
            width: between(s, 0.005, 0.05),
            around: pick(
                s,
                vec![
                    Centre::Index,
                    Centre::Mark,
                    Centre::Average {
                        half_life: Span::seconds(10.0),
                    },
                ],
            ),
            limit_state: seconds(s, 1, 5),
            pause: seconds(s, 1, 5),
        }),
        throttle: s.chance(0.3).then(|| ThrottleSettings {
            share_of_depth: between(s, 0.01, 1.0),
        }),
        oracle_guard: s.chance(0.4).then(|| OracleGuardSettings {
            stale_after: seconds(s, 1, 5),
            deviation: s.chance(0.5).then_some(0.03),
            half_life: Span::seconds(10.0),
            from_book: s.chance(0.5).then_some(0.05),
            confirmations: whole(s, 0, 3) as u32,
        }),
        adl_pause: s.chance(0.3).then(|| AdlPauseSettings {
            share_of_open_interest: between(s, 0.01, 0.2),
            window: seconds(s, 1, 10),
            pause: seconds(s, 1, 10),
        }),
        kill_switch: s.chance(0.1).then_some(KillSettings {
            fund_lost: Some(0.9),
            bad_debt: None,
        }),
        ..SafetySettings::default()
    };
    let outages = (0..whole(s, 0, 4) as u32)
        .map(|fault| {
            let delay = seconds(s, 0, 5);
            let [half, liquidation] = [s.chance(0.5), s.chance(0.5)];
            let share = if half { 0.5 } else { 1.0 };
            let error = pick(s, vec![-0.5, -0.05, 0.3]);
            let kind = pick(
                s,
                vec![
                    FaultKind::OracleFrozen {},
                    FaultKind::OracleDelayed { delay },
                    FaultKind::OraclePrint { error },
                    FaultKind::TradersCutOff {},
                    FaultKind::VenueHalted { stale_index: delay },
                    FaultKind::LiquidationHalted {},
                    FaultKind::Congestion {
                        latency: delay,
                        liquidation,
                        gas: if half { 1.0 } else { 6.0 },
                    },
                    FaultKind::AnswersDelayed { delay },
                    FaultKind::MakersWithdrawn { share },
                    FaultKind::FundEmptied { share },
                    FaultKind::FeedGap {},
                ],
            );
            let kind = match kind {
                FaultKind::FeedGap {} if liquidation => FaultKind::KeepersOffline { share },
                kind => kind,
            };
            let from = whole(s, 0, i64::from(STEPS)) as u32;
            Outage {
                fault,
                kind,
                market: s.chance(0.5).then(|| s.below(markets.into()) as usize),
                from,
                to: from + whole(s, 1, 15) as u32,
            }
        })
        .collect();
    SafetySetup {
        guards,
        open_interest_caps: (0..markets)
            .map(|_| s.chance(0.2).then(|| Lots(whole(s, 1, 100_000))))
            .collect(),
        most_bad_debt: s.chance(0.1).then_some(Cash(1_000_000)),
        faults: Faults::new(outages, markets.into(), 1.0),
    }
}
