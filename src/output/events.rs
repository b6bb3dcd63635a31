//! The table of events: the record from which every account's story can be told.
//!
//! Quantities, prices and amounts stand twice: to read, and as the ledger's exact integers.

use super::factor::Factors;
use super::manifest::Provenance;
use super::table::{Cell, Column, ColumnInfo, Kind, Table};
use super::when::{self, Dated, When};
use crate::engine::{Event, EventKind};
use crate::measure::Recorded;
use crate::unit::Rate;

/// One event as its columns see it.
pub struct EventView<'a> {
    when: When,
    event: &'a Event,
    carries: Carries,
    account_name: Option<&'a str>,
    market: Option<(&'a str, Factors)>,
    money: Option<Factors>,
}

/// Which fields of an event mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Carries {
    quantity: bool,
    price: bool,
    amount: bool,
    rate: bool,
    count: bool,
}

const fn carries(kind: EventKind) -> Carries {
    use EventKind as K;
    Carries {
        quantity: matches!(
            kind,
            K::Warned
                | K::Called
                | K::CallCured
                | K::Held
                | K::LiquidationBegan
                | K::Deleveraged
                | K::ForcedTrade
                | K::AutoDeleveraged
                | K::OrderWithdrawn
                | K::TakenOver
                | K::Seized
                | K::AuctionBegan
                | K::AuctionRestarted
                | K::AuctionEnded
                | K::KeeperBid
                | K::Absorbed
                | K::Refused
                | K::Reopened
                | K::Throttled
                | K::DeleveragingPaused
        ),
        price: matches!(
            kind,
            K::Warned
                | K::Called
                | K::CallCured
                | K::Held
                | K::Stopped
                | K::LiquidationBegan
                | K::ForcedTrade
                | K::AutoDeleveraged
                | K::TakenOver
                | K::Seized
                | K::AuctionBegan
                | K::AuctionRestarted
                | K::AuctionEnded
                | K::Absorbed
                | K::Halted
                | K::Reopened
                | K::Throttled
                | K::PrintRejected
                | K::LiquidationSuspended
                | K::LiquidationResumed
                | K::DeleveragingPaused
        ),
        amount: !matches!(
            kind,
            K::Deleveraged
                | K::OrderWithdrawn
                | K::Stopped
                | K::FundingPaid
                | K::Refused
                | K::RoundsExhausted
                | K::Halted
                | K::Reopened
                | K::Throttled
                | K::PrintRejected
                | K::LiquidationSuspended
                | K::LiquidationResumed
                | K::DeleveragingPaused
                | K::FaultBegan
                | K::FaultEnded
        ),
        rate: matches!(kind, K::FundingPaid),
        count: matches!(
            kind,
            K::RoundsExhausted | K::Halted | K::FaultBegan | K::FaultEnded
        ),
    }
}

impl EventView<'_> {
    fn quantity(&self) -> Option<i64> {
        // What a cross account holds is told by position, in events of their own.
        (self.carries.quantity && self.market.is_some()).then_some(self.event.quantity.0)
    }
    fn price(&self) -> Option<i64> {
        // A cross account's liquidation has no one market, and so no one price.
        (self.carries.price && self.market.is_some()).then_some(self.event.price.0)
    }
    fn amount(&self) -> Option<i64> {
        self.carries.amount.then_some(self.event.amount.0)
    }
}

fn integer(value: Option<i64>) -> Cell<'static> {
    value.map_or(Cell::Absent, Cell::Integer)
}
fn real(value: Option<f64>) -> Cell<'static> {
    value.map_or(Cell::Absent, Cell::Real)
}

impl Dated for EventView<'_> {
    fn when(&self) -> When {
        self.when
    }
}

fn columns<'a>(dated: bool, with_names: bool) -> Vec<Column<EventView<'a>>> {
    use Kind::{Integer, Real, Text};
    type V<'a> = EventView<'a>;
    let first = vec![
        Column::new("kind", Text, "name", "What happened.", |v: &V<'a>| {
            Cell::Text(v.event.kind.name())
        }),
        Column::new(
            "account",
            Integer,
            "id",
            "To which account, where it concerns one.",
            |v: &V<'a>| integer(v.event.account.map(|id| id.0.into())),
        )
        .optional(),
    ];
    let name = with_names.then(|| {
        Column::new(
            "account_name",
            Text,
            "name",
            "The account's name in the positions file.",
            |v: &V<'a>| v.account_name.map_or(Cell::Absent, Cell::Text),
        )
        .optional()
    });
    let rest = vec![
        Column::new(
            "market",
            Text,
            "name",
            "In which market, where it concerns one.",
            |v: &V<'a>| v.market.map_or(Cell::Absent, |(name, _)| Cell::Text(name)),
        )
        .optional(),
        Column::new(
            "quantity",
            Real,
            "base",
            "Signed quantity: + bought or held long, - sold or held short.",
            |v: &V<'a>| {
                real(
                    v.quantity()
                        .zip(v.market)
                        .map(|(lots, (_, factors))| factors.lot.of(lots as f64)),
                )
            },
        )
        .optional(),
        Column::new(
            "price",
            Real,
            "settlement_currency",
            "Price: the mark, or the worst price of the trade.",
            |v: &V<'a>| {
                real(
                    v.price()
                        .zip(v.market)
                        .map(|(ticks, (_, factors))| factors.tick.of(ticks as f64)),
                )
            },
        )
        .optional(),
        Column::new(
            "amount",
            Real,
            "settlement_currency",
            "Money: equity, value or payment, by kind.",
            |v: &V<'a>| {
                real(
                    v.amount()
                        .zip(v.money)
                        .map(|(quanta, factors)| factors.quantum.of(quanta as f64)),
                )
            },
        )
        .optional(),
        Column::new(
            "rate",
            Real,
            "share",
            "Funding rate per period.",
            |v: &V<'a>| real(v.carries.rate.then(|| Rate(v.event.amount.0).as_f64())),
        )
        .optional(),
        Column::new(
            "count",
            Integer,
            "count",
            "Rounds of a check cut off, steps of a halt, or a fault's place in the list.",
            |v: &V<'a>| integer(v.carries.count.then_some(v.event.quantity.0)),
        )
        .optional(),
        Column::new(
            "quantity_lots",
            Integer,
            "lots",
            "Quantity, exact.",
            |v: &V<'a>| integer(v.quantity()),
        )
        .optional(),
        Column::new(
            "price_ticks",
            Integer,
            "ticks",
            "Price, exact.",
            |v: &V<'a>| integer(v.price()),
        )
        .optional(),
        Column::new(
            "amount_quanta",
            Integer,
            "quanta",
            "Amount, exact.",
            |v: &V<'a>| integer(v.amount()),
        )
        .optional(),
    ];
    when::columns(dated, when::END_OF_STEP)
        .into_iter()
        .chain(first)
        .chain(name)
        .chain(rest)
        .collect()
}

/// The columns as text.
pub fn info() -> Vec<ColumnInfo> {
    columns(true, true).iter().map(Column::info).collect()
}

/// The events of a run; with a column `time` where the scenario says when it starts, and
/// `account_name` where accounts have names.
pub fn table<'a>(run: &'a Recorded, provenance: &'a Provenance) -> Table<'a, EventView<'a>> {
    let markets: Vec<(&str, Factors)> = run
        .frame
        .markets
        .iter()
        .map(|market| (market.name.as_str(), Factors::new(&market.grid)))
        .collect();
    let start = provenance.start;
    let names = &provenance.account_names;
    Table {
        columns: columns(start.is_some(), !names.is_empty()),
        rows: run.events.len(),
        row: Box::new(move |place| {
            let event = &run.events[place];
            let seconds = run.frame.seconds(event.step);
            EventView {
                when: When::new(start, seconds, event.step),
                event,
                carries: carries(event.kind),
                account_name: event
                    .account
                    .and_then(|id| names.get(&id))
                    .map(String::as_str),
                market: event.market.and_then(|id| markets.get(id.index()).copied()),
                money: markets.first().map(|(_, factors)| *factors),
            }
        }),
    }
}
