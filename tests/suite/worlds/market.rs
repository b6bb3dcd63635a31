//! A market's outside prices, venue and mark.

use super::*;
use deleverage::market::book::settings::{BookSettings, Depth};
use deleverage::market::impact::{ImpactSettings, Law};
use deleverage::market::mark::MarkSettings;
use deleverage::market::{Book, Contract, Frame, Impact, Venue};
use deleverage::math::{Stream, ops};
use deleverage::unit::{Span, Ticks};

pub(super) fn path(s: &mut Stream) -> Vec<f64> {
    let wild = pick(s, vec![0.001, 0.01, 0.04]);
    let drift = pick(s, vec![0.0, -0.01, 0.008]);
    let mut price = START;
    (0..=STEPS)
        .map(|step| {
            if step > 0 {
                price *= ops::exp(drift + wild * s.normal());
            }
            price
        })
        .collect()
}

pub(super) fn venue(s: &mut Stream, contract: Contract, wish: Wish) -> Box<dyn Venue> {
    let frame = Frame {
        contract,
        ceiling: Ticks(400_000),
        lot: 1.0,
        dt: 1.0,
        start: START,
    };
    let impact = |law, per_spread: f64| -> Box<dyn Venue> {
        let settings = ImpactSettings {
            law,
            resilience: Span::seconds(5.0),
            spread_bps: per_spread,
        };
        Box::new(Impact::new(&settings, &frame))
    };
    if wish.no_impact {
        return impact(Law::Linear { ticks_per_lot: 0.0 }, 0.0);
    }
    match s.below(4) {
        0 => impact(
            Law::Linear {
                ticks_per_lot: between(s, 0.0, 2.0),
            },
            2.0,
        ),
        1 => impact(
            Law::SquareRoot {
                ticks_per_sqrt_lot: between(s, 0.0, 20.0),
                per_order: s.chance(0.5),
            },
            0.0,
        ),
        _ => {
            let settings = BookSettings {
                spread_bps: pick(s, vec![0.0, 5.0]),
                depth: Depth::Flat {
                    lots_per_tick: between(s, 0.05, 5.0),
                },
                resilience: pick(s, vec![Span::NEVER, Span::seconds(5.0)]),
            };
            Box::new(Book::new(&settings, &frame))
        }
    }
}

pub(super) fn mark(s: &mut Stream) -> MarkSettings {
    let half_life = Span::seconds(10.0);
    pick(
        s,
        vec![
            MarkSettings::Last {},
            MarkSettings::Mid {},
            MarkSettings::Index {},
            MarkSettings::Basis {
                half_life,
                clamp: 0.02,
            },
            MarkSettings::Median { half_life },
        ],
    )
}
