//! The table of steps: a row for each kept step and market.
//!
//! Prices and money are in settlement currency, quantities in units of the base. What the ledger
//! holds as integers is recovered exactly by `round(value / size)` with the tick, lot and quantum
//! of the metadata, up to 2⁵³ units. Columns of the whole world are repeated for each market.

use super::factor::Factors;
use super::manifest::Provenance;
use super::table::{Cell, Column, ColumnInfo, Kind, Table};
use super::when::{self, Dated, When};
use crate::engine::{MarketRow, WorldRow};
use crate::measure::Recorded;
use crate::unit::Cash;

/// One row as its columns see it.
pub struct StepView<'a> {
    when: When,
    market: &'a str,
    factors: Factors,
    row: &'a MarketRow,
    world: &'a WorldRow,
}

const CURRENCY: &str = "settlement_currency";

impl Dated for StepView<'_> {
    fn when(&self) -> When {
        self.when
    }
}

fn columns<'a>(dated: bool) -> Vec<Column<StepView<'a>>> {
    use Kind::{Integer, Real, Text};
    type V<'a> = StepView<'a>;
    fn money(view: &V<'_>, cash: Cash) -> Cell<'static> {
        Cell::Real(view.factors.amount(cash))
    }
    fn price(view: &V<'_>, ticks: f64) -> Cell<'static> {
        Cell::Real(view.factors.tick.of(ticks))
    }
    let rest: Vec<Column<V<'a>>> = vec![
        Column::new("market", Text, "name", "The market.", |v| {
            Cell::Text(v.market)
        }),
        Column::new(
            "reference_price",
            Real,
            CURRENCY,
            "Reference price of the outside world.",
            |v| price(v, v.row.reference),
        ),
        Column::new(
            "anchor_price",
            Real,
            CURRENCY,
            "Where liquidity providers centre their quotes.",
            |v| price(v, v.row.anchor),
        ),
        Column::new("index_price", Real, CURRENCY, "The index in force.", |v| {
            price(v, v.row.index)
        }),
        Column::new(
            "mark_price",
            Real,
            CURRENCY,
            "The mark that margin saw.",
            |v| price(v, v.row.mark.as_f64()),
        ),
        Column::new("last_price", Real, CURRENCY, "The last trade.", |v| {
            price(v, v.row.last.as_f64())
        }),
        Column::new(
            "mid_price",
            Real,
            CURRENCY,
            "Midpoint of the venue's quote.",
            |v| price(v, v.row.mid),
        ),
        Column::new("bid_price", Real, CURRENCY, "Best bid.", |v: &V<'a>| {
            v.row.bid.map_or(Cell::Absent, |bid| price(v, bid.as_f64()))
        })
        .optional(),
        Column::new("ask_price", Real, CURRENCY, "Best ask.", |v: &V<'a>| {
            v.row.ask.map_or(Cell::Absent, |ask| price(v, ask.as_f64()))
        })
        .optional(),
        Column::new(
            "bid_depth",
            Real,
            "base",
            "Bid quantity within 1 % of the mid.",
            |v| Cell::Real(v.factors.quantity(v.row.bid_depth)),
        ),
        Column::new(
            "ask_depth",
            Real,
            "base",
            "Ask quantity within 1 % of the mid.",
            |v| Cell::Real(v.factors.quantity(v.row.ask_depth)),
        ),
        Column::new(
            "volume",
            Real,
            "base",
            "Quantity traded since the row before.",
            |v| Cell::Real(v.factors.quantity(v.row.volume)),
        ),
        Column::new(
            "forced_sold",
            Real,
            "base",
            "Quantity sold by force (longs liquidated) since the row before.",
            |v| Cell::Real(v.factors.quantity(v.row.forced_sold)),
        ),
        Column::new(
            "forced_bought",
            Real,
            "base",
            "Quantity bought by force (shorts liquidated) since the row before.",
            |v| Cell::Real(v.factors.quantity(v.row.forced_bought)),
        ),
        Column::new(
            "forced_sold_notional",
            Real,
            CURRENCY,
            "Value of what was sold by force since the row before.",
            |v| money(v, v.row.forced_sold_value),
        ),
        Column::new(
            "forced_bought_notional",
            Real,
            CURRENCY,
            "Value of what was bought by force since the row before.",
            |v| money(v, v.row.forced_bought_value),
        ),
        Column::new(
            "deferred",
            Real,
            "base",
            "Forced quantity that a halt or the throttle kept back; the most since the row before.",
            |v| Cell::Real(v.factors.quantity(v.row.deferred)),
        ),
        Column::new(
            "halted",
            Integer,
            "count",
            "1 where trade was halted since the row before, else 0.",
            |v| Cell::Integer(v.row.halted.into()),
        ),
        Column::new(
            "open_interest",
            Real,
            "base",
            "Open interest, one side.",
            |v| Cell::Real(v.factors.quantity(v.row.open_interest)),
        ),
        Column::new(
            "maintenance_rate",
            Real,
            "share",
            "Maintenance rate of the smallest positions.",
            |v| Cell::Real(v.row.maintenance.as_f64()),
        ),
        Column::new(
            "initial_rate",
            Real,
            "share",
            "Initial rate of the smallest positions.",
            |v| Cell::Real(v.row.initial.as_f64()),
        ),
        Column::new(
            "base_maintenance_rate",
            Real,
            "share",
            "Maintenance rate of the smallest positions before any adjustment.",
            |v| Cell::Real(v.row.base_maintenance.as_f64()),
        ),
        Column::new(
            "funding_rate",
            Real,
            "share",
            "Funding rate of the last payment, per period.",
            |v| Cell::Real(v.row.funding_rate),
        ),
        Column::new(
            "volatility",
            Real,
            "per square root of a second",
            "Volatility that liquidity providers see.",
            |v| Cell::Real(v.row.volatility),
        ),
        Column::new(
            "liquidity",
            Real,
            "ratio",
            "Factor on the ambient depth.",
            |v| Cell::Real(v.row.liquidity),
        ),
        Column::new(
            "reproduction_down_1pct",
            Real,
            "ratio",
            "Reproduction number for a move of 1 % down.",
            |v| Cell::Real(v.row.down[0]),
        ),
        Column::new(
            "reproduction_down_2pct",
            Real,
            "ratio",
            "Reproduction number for a move of 2 % down.",
            |v| Cell::Real(v.row.down[1]),
        ),
        Column::new(
            "reproduction_down_5pct",
            Real,
            "ratio",
            "Reproduction number for a move of 5 % down.",
            |v| Cell::Real(v.row.down[2]),
        ),
        Column::new(
            "reproduction_up_1pct",
            Real,
            "ratio",
            "Reproduction number for a move of 1 % up.",
            |v| Cell::Real(v.row.up[0]),
        ),
        Column::new(
            "reproduction_up_2pct",
            Real,
            "ratio",
            "Reproduction number for a move of 2 % up.",
            |v| Cell::Real(v.row.up[1]),
        ),
        Column::new(
            "reproduction_up_5pct",
            Real,
            "ratio",
            "Reproduction number for a move of 5 % up.",
            |v| Cell::Real(v.row.up[2]),
        ),
        Column::new(
            "hedge_sold",
            Real,
            "base",
            "Quantity sold by cohorts that hedge since the row before.",
            |v| Cell::Real(v.factors.quantity(v.row.hedge_sold)),
        ),
        Column::new(
            "hedge_bought",
            Real,
            "base",
            "Quantity bought by cohorts that hedge since the row before.",
            |v| Cell::Real(v.factors.quantity(v.row.hedge_bought)),
        ),
        Column::new(
            "hedge_down_1pct",
            Real,
            "ratio",
            "Share that hedgers would add to a move of 1 % down; negative where they would damp it.",
            |v| Cell::Real(v.row.hedge_down[0]),
        ),
        Column::new(
            "hedge_down_5pct",
            Real,
            "ratio",
            "Share that hedgers would add to a move of 5 % down.",
            |v| Cell::Real(v.row.hedge_down[2]),
        ),
        Column::new(
            "hedge_up_1pct",
            Real,
            "ratio",
            "Share that hedgers would add to a move of 1 % up.",
            |v| Cell::Real(v.row.hedge_up[0]),
        ),
        Column::new(
            "hedge_up_5pct",
            Real,
            "ratio",
            "Share that hedgers would add to a move of 5 % up.",
            |v| Cell::Real(v.row.hedge_up[2]),
        ),
        Column::new(
            "option_interest",
            Real,
            "count",
            "Contracts of options that are held long.",
            |v| Cell::Real(v.row.options.open_interest as f64),
        ),
        Column::new(
            "hedgers_gamma",
            Real,
            "base",
            "Change of hedgers' options' delta for a rise of 1 %; negative where they are short gamma.",
            |v| {
                Cell::Real(
                    v.factors
                        .lot
                        .of(v.row.options.gamma * 0.01 * v.row.mark.as_f64()),
                )
            },
        ),
        Column::new(
            "hedgers_delta",
            Real,
            "base",
            "Delta of hedgers' options.",
            |v| Cell::Real(v.factors.lot.of(v.row.options.delta)),
        ),
        Column::new(
            "hedgers_vega",
            Real,
            CURRENCY,
            "What hedgers' options gain as volatility rises by one point.",
            |v| {
                Cell::Real(
                    v.factors
                        .tick
                        .of(v.factors.lot.of(0.01 * v.row.options.vega)),
                )
            },
        ),
        Column::new(
            "hedge_gap",
            Real,
            "base",
            "What hedgers are off: their options' delta and their positions.",
            |v| Cell::Real(v.factors.lot.of(v.row.options.gap)),
        ),
        Column::new(
            "vanna_flow",
            Real,
            "base",
            "Change of hedgers' options' delta by the change of volatility, since the row before.",
            |v| Cell::Real(v.factors.lot.of(v.row.options.vanna_flow)),
        ),
        Column::new(
            "vega_flow",
            Real,
            CURRENCY,
            "Change of hedgers' options' worth by the change of volatility, since the row before.",
            |v| Cell::Real(v.factors.tick.of(v.factors.lot.of(v.row.options.vega_flow))),
        ),
        Column::new(
            "implied_volatility",
            Real,
            "share",
            "Implied volatility of the strike nearest to the mark in the expiry that comes next; 0 without options.",
            |v| Cell::Real(v.row.options.volatility),
        ),
        Column::new(
            "stressed",
            Integer,
            "count",
            "World: 1 where correlation is that of stress, else 0.",
            |v| Cell::Integer(v.world.stressed.into()),
        ),
        Column::new(
            "fund",
            Real,
            CURRENCY,
            "World: balance of the insurance fund.",
            |v| money(v, v.world.fund),
        ),
        Column::new(
            "bad_debt",
            Real,
            CURRENCY,
            "World: deficits of bankrupt accounts since the start.",
            |v| money(v, v.world.bad_debt),
        ),
        Column::new(
            "fund_paid",
            Real,
            CURRENCY,
            "World: paid by the insurance fund since the start.",
            |v| money(v, v.world.fund_paid),
        ),
        Column::new(
            "backstop",
            Real,
            CURRENCY,
            "World: equity of the backstop.",
            |v| money(v, v.world.backstop),
        ),
        Column::new(
            "backstop_paid",
            Real,
            CURRENCY,
            "World: deficits taken over by the backstop since the start.",
            |v| money(v, v.world.backstop_paid),
        ),
        Column::new(
            "adl_notional",
            Real,
            CURRENCY,
            "World: closed by auto-deleveraging since the start.",
            |v| money(v, v.world.deleveraged),
        ),
        Column::new(
            "adl_deficit",
            Real,
            CURRENCY,
            "World: deficits closed away by auto-deleveraging since the start.",
            |v| money(v, v.world.deleveraged_deficit),
        ),
        Column::new(
            "socialised",
            Real,
            CURRENCY,
            "World: taken from winners since the start.",
            |v| money(v, v.world.socialised),
        ),
        Column::new(
            "uncovered",
            Real,
            CURRENCY,
            "World: deficits that nobody paid, since the start.",
            |v| money(v, v.world.uncovered),
        ),
        Column::new(
            "keepers",
            Real,
            CURRENCY,
            "World: equity of all keepers.",
            |v| money(v, v.world.keepers.equity),
        ),
        Column::new(
            "seized",
            Real,
            CURRENCY,
            "World: value of what keepers took over since the start.",
            |v| money(v, v.world.keepers.seized),
        ),
        Column::new(
            "liquidating",
            Integer,
            "count",
            "World: accounts in liquidation now.",
            |v| Cell::Integer(v.world.liquidating.into()),
        ),
        Column::new(
            "liquidations",
            Integer,
            "count",
            "World: liquidations begun since the start.",
            |v| Cell::Integer(v.world.liquidations.into()),
        ),
        Column::new(
            "rounds",
            Integer,
            "count",
            "World: rounds of the step; the most since the row before.",
            |v| Cell::Integer(v.world.rounds.into()),
        ),
    ];
    let first = when::columns(dated, when::END_OF_STEP);
    first.into_iter().chain(rest).collect()
}

/// The columns as text.
pub fn info() -> Vec<ColumnInfo> {
    columns(true).iter().map(Column::info).collect()
}

/// The steps of a run; with a column `time` where the scenario says when it starts.
pub fn table<'a>(run: &'a Recorded, provenance: &Provenance) -> Table<'a, StepView<'a>> {
    let markets = run.frame.markets.len();
    let factors: Vec<Factors> = run
        .frame
        .markets
        .iter()
        .map(|market| Factors::new(&market.grid))
        .collect();
    let start = provenance.start;
    Table {
        columns: columns(start.is_some()),
        rows: run.series.len() * markets,
        row: Box::new(move |place| {
            let (kept, market) = (place / markets, place % markets);
            let step = run.series.steps()[kept];
            StepView {
                when: When::new(start, run.frame.seconds(step), step),
                market: &run.frame.markets[market].name,
                factors: factors[market],
                row: &run.series.market(market)[kept],
                world: &run.series.world()[kept],
            }
        }),
    }
}
