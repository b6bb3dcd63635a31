//! What a scenario starts from: the figures of a report's input table.

use crate::engine::World;
use crate::experiment::run::RunError;
use crate::measure::Frame;
use crate::scenario::{Mode, Problems, Scenario};
use crate::unit::MarketId;

/// A market before the first step, in settlement currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// The market.
    pub market: String,
    /// Its price.
    pub price: f64,
    /// Value of what is held long.
    pub open_interest: f64,
    /// Value of the bids within 1 % of the mid.
    pub bid_depth: f64,
    /// Value of the asks within 1 % of the mid.
    pub ask_depth: f64,
}

/// How far from the mid depth is counted.
const WITHIN: f64 = 0.01;

impl Start {
    /// Every market of a scenario, in its own replicate.
    ///
    /// # Errors
    ///
    /// Problems of the scenario's files, or of what is drawn.
    pub fn of(scenario: &Scenario) -> Result<Vec<Self>, RunError> {
        let prepared = scenario.prepare()?;
        let (setup, _) = prepared
            .setup(scenario.replicate, Mode::Run)
            .map_err(|problems| RunError::from(Problems::from(problems)))?;
        let frame = Frame::of(&setup);
        let world = World::new(setup);
        Ok(frame
            .markets
            .iter()
            .enumerate()
            .map(|(place, market)| {
                let id = MarketId(place as u16);
                let scale = market.grid.scale();
                let price = world.venue(id).mid() * scale.tick;
                let value = |lots| scale.quantity(lots) * price;
                let rungs = world.ladder(id, &[WITHIN]);
                let rung = |pick: fn(&crate::engine::Rung) -> crate::unit::Lots| {
                    rungs.first().map_or(0.0, |rung| value(pick(rung)))
                };
                Self {
                    market: market.name.clone(),
                    price,
                    open_interest: value(world.ledger().open_interest(id)),
                    bid_depth: rung(|rung| rung.bids),
                    ask_depth: rung(|rung| rung.asks),
                }
            })
            .collect())
    }
}
