//! Calls and liquidations as stories: what each began with, and how it ended.
//!
//! Read from the events alone. A call ends as *cured by the trader* where money was paid in or a position
//! made smaller since, *cured by the market* where neither was, *liquidated*, *bankrupt* where nothing
//! was left when liquidation began, or *open* at the end of the run. What a called account itself closes for
//! less than it owed counts as bankrupt too.

use super::counterfactual::Position;
use crate::engine::{Event, EventKind};
use crate::unit::{AccountId, Cash};
use std::collections::BTreeMap;
use std::ops::Range;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The trader paid in or held less.
    CuredByTrader,
    /// The price came back, or the requirement fell.
    CuredByMarket,
    /// Liquidation began, and something was left.
    Liquidated,
    /// Liquidation began with less than nothing.
    Bankrupt,
    /// None of it by the end of the run.
    Open,
}

/// How a liquidation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The account met its requirement again, or was closed and owed nothing.
    Paid,
    /// Too late: a deficit was left, for the waterfall or for whom it was deleveraged against.
    Deficit,
    /// Not by the end of the run.
    Open,
}

/// An account as it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Whose.
    pub account: AccountId,
    /// In which step.
    pub step: u32,
    /// Its equity.
    pub equity: Cash,
    positions: Range<usize>,
}

/// A margin call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Who was called, and how they stood.
    pub at: Snapshot,
    /// How it ended.
    pub fate: Fate,
}

/// A liquidation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Liquidation {
    /// Who was liquidated, and how they stood.
    pub at: Snapshot,
    /// Steps since the warning that announced it; a warning announces one liquidation.
    pub warned: Option<u32>,
    /// Steps since the call that announced it; a call announces one liquidation.
    pub called: Option<u32>,
    /// Steps since the call that was in force, announced or not: one that survived a liquidation stands.
    pub standing: Option<u32>,
    /// How it ended.
    pub end: End,
}

/// All calls and liquidations of a run, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The calls.
    pub calls: Vec<Call>,
    /// The liquidations.
    pub liquidations: Vec<Liquidation>,
    positions: Vec<Position>,
}

/// What is open for one account.
#[derive(Default)]
struct Dossier {
    warned: Option<u32>,
    /// The call that awaits its fate.
    call: Option<usize>,
    /// Step of the call in force.
    called: Option<u32>,
    topped_up: bool,
    liquidation: Option<usize>,
}

impl History {
    /// Reads the events of a run.
    pub fn of(events: &[Event]) -> Self {
        let mut history = Self::default();
        let mut dossiers: BTreeMap<AccountId, Dossier> = BTreeMap::new();
        for (place, event) in events.iter().enumerate() {
            if let Some(account) = event.account
                && concerns(event.kind)
            {
                let dossier = dossiers.entry(account).or_default();
                history.read(dossier, account, event, &events[place + 1..]);
            }
        }
        history
    }

    /// What an account held at a snapshot.
    pub fn positions(&self, snapshot: &Snapshot) -> &[Position] {
        &self.positions[snapshot.positions.clone()]
    }

    fn read(&mut self, open: &mut Dossier, account: AccountId, event: &Event, rest: &[Event]) {
        match event.kind {
            EventKind::Warned => open.warned = Some(event.step),
            EventKind::Called => {
                open.call = Some(self.calls.len());
                open.called = Some(event.step);
                open.topped_up = false;
                let at = self.snapshot(account, event, rest);
                self.calls.push(Call {
                    at,
                    fate: Fate::Open,
                });
            }
            EventKind::ToppedUp | EventKind::MarginMoved => open.topped_up = true,
            EventKind::CallCured => {
                open.called = None;
                if let Some(call) = open.call.take() {
                    let trader = open.topped_up || self.holds_less(call, event, rest);
                    self.calls[call].fate = if trader {
                        Fate::CuredByTrader
                    } else {
                        Fate::CuredByMarket
                    };
                }
            }
            EventKind::LiquidationBegan => {
                let at = self.snapshot(account, event, rest);
                let called = open.call.take().map(|call| {
                    self.calls[call].fate = if event.amount < Cash::ZERO {
                        Fate::Bankrupt
                    } else {
                        Fate::Liquidated
                    };
                    event.step - self.calls[call].at.step
                });
                open.liquidation = Some(self.liquidations.len());
                self.liquidations.push(Liquidation {
                    at,
                    warned: open.warned.take().map(|step| event.step - step),
                    called,
                    standing: open.called.map(|step| event.step - step),
                    end: End::Open,
                });
            }
            EventKind::LiquidationEnded => self.end(open.liquidation.take(), End::Paid),
            EventKind::DeficitDeleveraged => self.end(open.liquidation, End::Deficit),
            EventKind::Closed => {
                let owed = event.amount < Cash::ZERO;
                let end = if owed { End::Deficit } else { End::Paid };
                self.end(open.liquidation.take(), end);
                open.called = None;
                if let Some(call) = open.call.take() {
                    self.calls[call].fate = if owed {
                        Fate::Bankrupt
                    } else {
                        Fate::CuredByTrader
                    };
                }
            }
            _ => {}
        }
    }

    /// A deficit stays one, whatever comes after.
    fn end(&mut self, liquidation: Option<usize>, end: End) {
        if let Some(place) = liquidation
            && self.liquidations[place].end != End::Deficit
        {
            self.liquidations[place].end = end;
        }
    }

    fn snapshot(&mut self, account: AccountId, event: &Event, rest: &[Event]) -> Snapshot {
        let first = self.positions.len();
        self.positions.extend(held(event, rest));
        Snapshot {
            account,
            step: event.step,
            equity: event.amount,
            positions: first..self.positions.len(),
        }
    }

    /// Whether some position of a call is smaller, or has turned, by a later event.
    fn holds_less(&self, call: usize, event: &Event, rest: &[Event]) -> bool {
        self.positions(&self.calls[call].at).iter().any(|then| {
            let now = held(event, rest)
                .find(|now| now.market == then.market)
                .map_or(0, |now| now.quantity.0);
            now.abs() < then.quantity.0.abs() || now.signum() != then.quantity.0.signum()
        })
    }
}

const fn concerns(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Warned
            | EventKind::Called
            | EventKind::ToppedUp
            | EventKind::MarginMoved
            | EventKind::CallCured
            | EventKind::LiquidationBegan
            | EventKind::LiquidationEnded
            | EventKind::DeficitDeleveraged
            | EventKind::Closed
    )
}

/// What an account held at an event that tells its equity: an isolated one says it itself, a cross
/// one in the events after it.
fn held<'a>(event: &'a Event, rest: &'a [Event]) -> impl Iterator<Item = Position> + use<'a> {
    let account = event.account;
    let own = event.market.is_some().then_some(event);
    let others = rest
        .iter()
        .take_while(move |next| next.kind == EventKind::Held && next.account == account);
    own.into_iter()
        .chain(others.filter(|_| event.market.is_none()))
        .filter(|event| !event.quantity.is_zero())
        .filter_map(|event| {
            Some(Position {
                market: event.market?,
                quantity: event.quantity,
                mark: event.price,
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::{Lots, MarketId, Ticks};

    fn event(step: u32, kind: EventKind, account: u32, quantity: i64, amount: i64) -> Event {
        Event {
            step,
            kind,
            account: Some(AccountId(account)),
            market: Some(MarketId(0)),
            quantity: Lots(quantity),
            price: Ticks(100),
            amount: Cash(amount),
        }
    }

    fn cross(mut event: Event) -> Event {
        event.market = None;
        event.quantity = Lots::ZERO;
        event
    }

    fn fates(events: &[Event]) -> Vec<Fate> {
        History::of(events).calls.iter().map(|c| c.fate).collect()
    }

    #[test]
    fn every_call_has_the_fate_worked_out_by_hand() {
        use EventKind as K;
        let events = [
            event(1, K::Called, 5, 10, 60),
            event(1, K::Called, 6, 10, 60),
            event(1, K::Called, 7, 10, 60),
            event(1, K::Called, 8, -10, 60),
            event(1, K::Called, 9, 10, 60),
            event(1, K::Called, 10, 10, 60),
            event(2, K::ToppedUp, 5, 0, 30),
            event(3, K::CallCured, 5, 10, 90),
            event(3, K::CallCured, 6, 10, 90),
            event(3, K::CallCured, 7, 6, 60),
            event(4, K::LiquidationBegan, 8, -10, 0),
            event(4, K::LiquidationBegan, 9, 10, -1),
            // A second call of 5, closed by its own order: what was paid in before doesn't count.
            event(5, K::Called, 5, 10, 60),
            event(6, K::CallCured, 5, 0, 55),
        ];
        use Fate::*;
        assert_eq!(
            fates(&events),
            [
                CuredByTrader,
                CuredByMarket,
                CuredByTrader,
                Liquidated,
                Bankrupt,
                Open,
                CuredByTrader
            ]
        );
    }

    #[test]
    fn a_cross_account_tells_its_positions_one_by_one() {
        use EventKind as K;
        let mut second = event(1, K::Held, 5, -4, 400);
        second.market = Some(MarketId(1));
        let called = [
            cross(event(1, K::Called, 5, 0, 60)),
            event(1, K::Held, 5, 10, 1_000),
            second,
            event(1, K::Held, 6, 99, 1),
        ];
        let history = History::of(&called);
        let held = history.positions(&history.calls[0].at);
        assert_eq!(
            held.iter().map(|p| p.quantity.0).collect::<Vec<_>>(),
            [10, -4]
        );
        let cured = |first: i64, second: i64| {
            let mut other = event(3, K::Held, 5, second, 0);
            other.market = Some(MarketId(1));
            let mut events = called[..3].to_vec();
            events.extend([
                cross(event(3, K::CallCured, 5, 0, 90)),
                event(3, K::Held, 5, first, 0),
                other,
            ]);
            fates(&events)[0]
        };
        assert_eq!(cured(10, -4), Fate::CuredByMarket);
        assert_eq!(cured(12, -4), Fate::CuredByMarket);
        assert_eq!(cured(10, -3), Fate::CuredByTrader);
        assert_eq!(cured(10, 4), Fate::CuredByTrader);
    }

    #[test]
    fn liquidations_know_what_announced_them_and_how_they_ended() {
        use EventKind as K;
        let events = [
            event(1, K::Warned, 5, 10, 70),
            event(3, K::Called, 5, 10, 60),
            event(7, K::LiquidationBegan, 5, 10, 40),
            event(8, K::LiquidationEnded, 5, 5, 45),
            event(9, K::LiquidationBegan, 5, 5, 20),
            event(10, K::Closed, 5, 0, -3),
            event(9, K::LiquidationBegan, 6, 5, 20),
            event(9, K::DeficitDeleveraged, 6, 0, 7),
            event(9, K::Closed, 6, 0, 0),
            event(9, K::LiquidationBegan, 7, 5, 20),
            event(9, K::LiquidationBegan, 8, 5, 20),
            event(9, K::Closed, 8, 0, 2),
        ];
        let found: Vec<_> = History::of(&events)
            .liquidations
            .iter()
            .map(|l| (l.warned, l.called, l.standing, l.end))
            .collect();
        assert_eq!(
            found,
            [
                (Some(6), Some(4), Some(4), End::Paid),
                (None, None, Some(6), End::Deficit),
                (None, None, None, End::Deficit),
                (None, None, None, End::Open),
                (None, None, None, End::Paid),
            ]
        );
    }
}
