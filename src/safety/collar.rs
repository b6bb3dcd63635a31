//! Price collar: nothing trades outside a band; standing at the band for a while pauses trade.
//!
//! The band is `centre · (1 ± width)`. An order that would trade beyond it trades up to it and drops or
//! rests the rest: the collar defers a fall rather than absorb it. With a limit state, a market in which orders were
//! cut back in every step for that long is paused, and reopens with a call auction.
//!
//! # Reference
//!
//! Limit-up/limit-down (US NMS plan): bands of 5, 10 or 20 % around the mean of five minutes, a limit state of 15 s,
//! then a pause of five minutes. Deribit bandwidth: 1.5 % around the mark of the BTC perpetual. OKX price limits.

use crate::market::Order;
use crate::market::order::Standing;
use crate::math::estimate::Ewma;
use crate::unit::{Side, Span, Ticks};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the collar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CollarSettings {
    /// Half the width of the band, relative, e.g. 0.05.
    pub width: f64,
    /// What the band is around.
    #[serde(default)]
    pub around: Centre,
    /// How long orders are cut back before trade is paused; never unless said.
    #[serde(default = "never")]
    pub limit_state: Span,
    /// How long a pause lasts.
    #[serde(default = "five_minutes")]
    pub pause: Span,
}

/// The centre of a band.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Centre {
    /// The index.
    #[default]
    Index,
    /// The mark.
    Mark,
    /// The venue's own average midpoint.
    Average {
        /// Half-life of the average.
        half_life: Span,
    },
}

const fn never() -> Span {
    Span::NEVER
}
fn five_minutes() -> Span {
    Span::seconds(300.0)
}

impl CollarSettings {
    /// What is wrong with the settings: (key, sentence).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if !(self.width.is_finite() && self.width > 0.0 && self.width < 1.0) {
            problems.push((
                "width".to_owned(),
                format!("must lie between 0 and 1, found {}", self.width),
            ));
        }
        for (key, span) in [("limit_state", self.limit_state), ("pause", self.pause)] {
            if span <= Span::ZERO {
                problems.push((key.to_owned(), "must be longer than 0".to_owned()));
            }
        }
        problems
    }
}

/// The collar of one market.
#[derive(Clone, Debug)]
pub struct Collar {
    width: f64,
    around: Centre,
    limit_state: u32,
    pause: u32,
    average: Ewma,
    band: [Ticks; 2],
    /// Steps in a row in which orders were cut back, and whether one was in this step.
    standing: u32,
    cut: bool,
}

impl Collar {
    /// The collar of a market whose price starts at `price`, with steps of `dt` seconds.
    pub fn new(settings: &CollarSettings, price: f64, dt: f64) -> Self {
        let half_life = match settings.around {
            Centre::Average { half_life } => half_life.as_seconds(),
            Centre::Index | Centre::Mark => 0.0,
        };
        let mut collar = Self {
            width: settings.width,
            around: settings.around,
            limit_state: settings.limit_state.steps(dt).max(1),
            pause: settings.pause.steps(dt).max(1),
            average: Ewma::starting_at(half_life, price),
            band: [Ticks::ZERO; 2],
            standing: 0,
            cut: false,
        };
        collar.centre(price);
        collar
    }

    fn centre(&mut self, price: f64) {
        let low = (price * (1.0 - self.width)).ceil() as i64;
        let high = (price * (1.0 + self.width)).floor() as i64;
        self.band = [Ticks(low.max(1)), Ticks(high.max(1))];
    }

    /// Lays the band of a step.
    pub fn lay(&mut self, index: f64, mark: f64, mid: f64, dt: f64) {
        let centre = match self.around {
            Centre::Index => index,
            Centre::Mark => mark,
            Centre::Average { .. } => {
                self.average.see(mid, dt);
                self.average.mean()
            }
        };
        self.centre(centre);
    }

    /// The lowest and the highest price at which anything trades.
    pub const fn band(&self) -> [Ticks; 2] {
        self.band
    }

    /// The order as the band allows it.
    #[must_use]
    pub fn cut(&self, order: &Order) -> Order {
        let limit = match (order.side, order.limit) {
            (Side::Sell, limit) => limit.unwrap_or(Ticks(1)).max(self.band[0]),
            (Side::Buy, limit) => limit.unwrap_or(Ticks::MAX).min(self.band[1]),
        };
        // A passive order beyond the far band is left as it is: it can't trade there.
        Order {
            limit: Some(limit),
            standing: if order.limit.is_none() {
                Standing::Immediate
            } else {
                order.standing
            },
            ..*order
        }
    }

    /// Is told that an order was left unfilled for the band's sake.
    pub const fn held(&mut self) {
        self.cut = true;
    }

    /// The step is over; for how many steps trade is paused, where the limit state has lasted long enough.
    pub const fn close(&mut self) -> Option<u32> {
        self.standing = if self.cut { self.standing + 1 } else { 0 };
        self.cut = false;
        if self.standing >= self.limit_state {
            self.standing = 0;
            Some(self.pause)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::{AccountId, Lots};

    fn collar(limit_state: Span) -> Collar {
        let settings = CollarSettings {
            width: 0.05,
            around: Centre::Index,
            limit_state,
            pause: Span::seconds(60.0),
        };
        let mut collar = Collar::new(&settings, 1_000.0, 1.0);
        collar.lay(1_000.0, 0.0, 0.0, 1.0);
        collar
    }

    #[test]
    fn orders_trade_up_to_the_band_and_no_further() {
        let collar = collar(Span::NEVER);
        assert_eq!(collar.band(), [Ticks(950), Ticks(1_050)]);
        let id = AccountId(9);
        let sold = collar.cut(&Order::market(id, Side::Sell, Lots(3)));
        assert_eq!(sold, Order::immediate(id, Side::Sell, Lots(3), Ticks(950)));
        let bought = collar.cut(&Order::limit(id, Side::Buy, Lots(3), Ticks(2_000)));
        assert_eq!(bought, Order::limit(id, Side::Buy, Lots(3), Ticks(1_050)));
        // Within the band, or passive beyond it, nothing changes.
        for limit in [940, 990] {
            let passive = Order::limit(id, Side::Buy, Lots(1), Ticks(limit));
            assert_eq!(collar.cut(&passive), passive);
        }
    }

    #[test]
    fn a_limit_state_that_lasts_pauses_trade() {
        let mut collar = collar(Span::seconds(3.0));
        let mut steps = |cuts: &[bool]| -> Vec<Option<u32>> {
            cuts.iter()
                .map(|cut| {
                    if *cut {
                        collar.held();
                    }
                    collar.close()
                })
                .collect()
        };
        assert_eq!(
            steps(&[true, true, false, true, true, true, true]),
            [None, None, None, None, None, Some(60), None]
        );
    }
}
