//! What happened, in order: one small record per event.

use crate::unit::{AccountId, Cash, Lots, MarketId, Ticks};
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// An account reached the warning ratio; amount: its equity, and of an isolated account quantity: what it
    /// holds, price: the mark. So for all kinds up to [`EventKind::LiquidationBegan`] that tell an equity.
    Warned,
    /// An account was called for margin; amount: its equity.
    Called,
    /// A called account's margin ratio fell below the call ratio again, or it closed all it held; amount: its
    /// equity.
    CallCured,
    /// A position of the cross account that the event before this one called, found cured or began to liquidate;
    /// quantity: what it holds, price: the mark, amount: its value.
    Held,
    /// A trader paid money in; amount: how much.
    ToppedUp,
    /// An owner moved margin from a cross account to this isolated one; amount: how much.
    MarginMoved,
    /// A trader took money out; amount: how much.
    Withdrawn,
    /// A trader was refused a withdrawal, for nothing was free beyond the initial requirement; amount: the equity.
    WithdrawalRefused,
    /// A resting order that would have made a position larger was withdrawn, its owner standing below the initial
    /// requirement; quantity: what was left of it.
    OrderWithdrawn,
    /// A trader sent an order to reduce or close under stress; quantity: how much.
    Deleveraged,
    /// A stop-loss was triggered; price: the mark.
    Stopped,
    /// Liquidation began; amount: the account's equity.
    LiquidationBegan,
    /// A forced order traded; quantity, worst price, amount: value.
    ForcedTrade,
    /// An account in liquidation met its requirement again; amount: its equity.
    LiquidationEnded,
    /// An account was closed by liquidation; amount: its cash before the waterfall.
    Closed,
    /// The insurance fund paid a deficit; amount: how much.
    FundPaid,
    /// Collateral or fees went to the insurance fund; amount: how much.
    FundReceived,
    /// A bankrupt position was closed against a profitable one; account: the profitable one,
    /// quantity: its signed change, price and amount: of the close.
    AutoDeleveraged,
    /// Auto-deleveraging closed a bankrupt account's deficit away; amount: how much.
    DeficitDeleveraged,
    /// Profits paid a deficit; amount: how much.
    Socialised,
    /// A deficit that nobody paid stays on the account; amount: how much.
    Uncovered,
    /// Funding fell due; amount: rate per period in 10⁻⁹, account: none.
    FundingPaid,
    /// An order was refused for want of initial margin; quantity: of the order.
    Refused,
    /// The margin check was cut off by its round limit.
    RoundsExhausted,
    /// Trade is halted; quantity: for so many steps, price: the midpoint.
    Halted,
    /// Trade goes on; quantity: what the auction traded between orders that waited, price: at which.
    Reopened,
    /// The throttle kept forced orders back; quantity: how much.
    Throttled,
    /// The oracle guard held back a print; price: the print.
    PrintRejected,
    /// Liquidation waits for a price that can be believed; price: the mark.
    LiquidationSuspended,
    /// Liquidation goes on; price: the mark.
    LiquidationResumed,
    /// Auto-deleveraging rests; quantity: the last that was closed.
    DeleveragingPaused,
    /// The kill switch stopped everything; amount: bad debt so far.
    Killed,
    /// A fault began; quantity: its place in the scenario's list.
    FaultBegan,
    /// A fault ended; quantity: its place in the scenario's list.
    FaultEnded,
    /// The backstop took a position over; account: whose it was, quantity: its signed change, price and amount: of
    /// the hand-over.
    TakenOver,
    /// The backstop has lost its limit and takes nothing more over; amount: its equity.
    BackstopStopped,
    /// The venue added money to the insurance fund; amount: how much.
    FundToppedUp,
    /// A keeper took a position over, or a part of it; account: whose it was, quantity: its signed change, price and amount: of
    /// what it paid.
    Seized,
    /// An auction began; account: whose position is sold, quantity: how much of it, price: the mark, amount: what is to be raised.
    AuctionBegan,
    /// An auction began anew, for nobody had taken it; as [`EventKind::AuctionBegan`].
    AuctionRestarted,
    /// An auction ended with a sale; quantity: the last that was sold, price: the mark, amount: what it raised in all.
    AuctionEnded,
    /// A keeper bid; account: the keeper, quantity: for how much, amount: what it pays.
    KeeperBid,
    /// The reserves took a position over; account: whose it was, quantity: its signed change, price and amount: of what was
    /// credited.
    Absorbed,
    /// A keeper has lost everything and takes no more part; amount: its equity.
    KeeperFailed,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 44] = [
        Self::Warned,
        Self::Called,
        Self::CallCured,
        Self::Held,
        Self::ToppedUp,
        Self::MarginMoved,
        Self::Withdrawn,
        Self::WithdrawalRefused,
        Self::OrderWithdrawn,
        Self::Deleveraged,
        Self::Stopped,
        Self::LiquidationBegan,
        Self::ForcedTrade,
        Self::LiquidationEnded,
        Self::Closed,
        Self::FundPaid,
        Self::FundReceived,
        Self::AutoDeleveraged,
        Self::DeficitDeleveraged,
        Self::Socialised,
        Self::Uncovered,
        Self::FundingPaid,
        Self::Refused,
        Self::RoundsExhausted,
        Self::Halted,
        Self::Reopened,
        Self::Throttled,
        Self::PrintRejected,
        Self::LiquidationSuspended,
        Self::LiquidationResumed,
        Self::DeleveragingPaused,
        Self::Killed,
        Self::FaultBegan,
        Self::FaultEnded,
        Self::TakenOver,
        Self::BackstopStopped,
        Self::FundToppedUp,
        Self::Seized,
        Self::AuctionBegan,
        Self::AuctionRestarted,
        Self::AuctionEnded,
        Self::KeeperBid,
        Self::Absorbed,
        Self::KeeperFailed,
    ];
    /// The kind's name in the output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warned => "warned",
            Self::Called => "called",
            Self::CallCured => "call_cured",
            Self::Held => "held",
            Self::ToppedUp => "topped_up",
            Self::MarginMoved => "margin_moved",
            Self::Withdrawn => "withdrawn",
            Self::WithdrawalRefused => "withdrawal_refused",
            Self::OrderWithdrawn => "order_withdrawn",
            Self::Deleveraged => "deleveraged",
            Self::Stopped => "stopped",
            Self::LiquidationBegan => "liquidation_began",
            Self::ForcedTrade => "forced_trade",
            Self::LiquidationEnded => "liquidation_ended",
            Self::Closed => "closed",
            Self::FundPaid => "fund_paid",
            Self::FundReceived => "fund_received",
            Self::AutoDeleveraged => "auto_deleveraged",
            Self::DeficitDeleveraged => "deficit_deleveraged",
            Self::Socialised => "socialised",
            Self::Uncovered => "uncovered",
            Self::FundingPaid => "funding_paid",
            Self::Refused => "refused",
            Self::RoundsExhausted => "rounds_exhausted",
            Self::Halted => "halted",
            Self::Reopened => "reopened",
            Self::Throttled => "throttled",
            Self::PrintRejected => "print_rejected",
            Self::LiquidationSuspended => "liquidation_suspended",
            Self::LiquidationResumed => "liquidation_resumed",
            Self::DeleveragingPaused => "deleveraging_paused",
            Self::Killed => "killed",
            Self::FaultBegan => "fault_began",
            Self::FaultEnded => "fault_ended",
            Self::TakenOver => "taken_over",
            Self::BackstopStopped => "backstop_stopped",
            Self::FundToppedUp => "fund_topped_up",
            Self::Seized => "seized",
            Self::AuctionBegan => "auction_began",
            Self::AuctionRestarted => "auction_restarted",
            Self::AuctionEnded => "auction_ended",
            Self::KeeperBid => "keeper_bid",
            Self::Absorbed => "absorbed",
            Self::KeeperFailed => "keeper_failed",
        }
    }
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The step, from 0.
    pub step: u32,
    /// What happened.
    pub kind: EventKind,
    /// To whom, where it concerns one.
    pub account: Option<AccountId>,
    /// Where, where it concerns one market.
    pub market: Option<MarketId>,
    /// Signed quantity: + bought, − sold.
    pub quantity: Lots,
    /// Price, where there is one.
    pub price: Ticks,
    /// Money; each kind says what.
    pub amount: Cash,
}
