//! A run small enough to work out by hand: two markets, five steps of ten seconds.

use deleverage::engine::{
    Event, EventKind, KeeperRow, MarketRow, Observer, Reach, StepRow, WorldRow,
};
use deleverage::margin::{Level, Schedule};
use deleverage::market::Contract;
use deleverage::math::Draws;
use deleverage::measure::{Frame, MarketFrame, MeasureSettings, Recorded, Recorder};
use deleverage::unit::{AccountId, Cash, Grid, Lots, MarketId, Rate, Span, Ticks};

/// A tick of 0.1, a lot of 0.01, a quantum of 10⁻⁶: one lot gains 1,000 quanta a tick.
pub fn grid() -> Grid {
    let d = |text: &str| text.parse().unwrap();
    Grid::new(d("0.1"), d("0.01"), d("0.000001")).unwrap()
}

pub fn frame() -> Frame {
    let market = |name: &str| MarketFrame {
        spot: false,
        name: name.into(),
        grid: grid(),
        contract: Contract::linear(grid().quanta_per_tick_lot().unwrap()),
        start: 1_000.0,
        open_interest: Lots(400),
        parts: vec!["fixed", "volatility"],
    };
    Frame {
        dt: 10.0,
        draws: Draws::new(0, 0),
        steps: 5,
        markets: vec![market("BTC"), market("ETH")],
        cohorts: Vec::new(),
        accounts: 8,
        fund: Cash(50_000_000),
        cross: Default::default(),
        cross_in_stress: None,
        option_margin: None,
        measure: MeasureSettings {
            horizon: Some(Span::seconds(10.0)),
            call_horizon: Some(Span::seconds(20.0)),
            notice: Span::seconds(20.0),
            genealogy: true,
        },
        guarded: false,
    }
}

fn reach(forced: i64, depth: i64) -> Reach {
    Reach {
        forced: Lots(forced),
        depth: Lots(depth),
    }
}

fn btc(step: usize) -> MarketRow {
    let mid = [1_000.0, 1_100.0, 880.0, 989.0, 990.0][step];
    MarketRow {
        reference: [1_000.0, 1_100.0, 1_000.0, 1_000.0, 950.0][step],
        anchor: mid,
        index: mid,
        mark: Ticks([1_000, 1_100, 900, 989, 990][step]),
        last: Ticks([1_000, 1_105, 880, 980, 990][step]),
        mid,
        bid: (step != 2).then_some(Ticks(mid as i64 - 1)),
        ask: Some(Ticks(mid as i64 + 1)),
        bid_depth: Lots([200, 180, 20, 100, 210][step]),
        ask_depth: Lots([200, 200, 150, 160, 170][step]),
        volume: Lots([10, 20, 100, 50, 20][step]),
        forced_sold: Lots([0, 0, 60, 0, 0][step]),
        forced_bought: Lots([0, 0, 0, 20, 0][step]),
        forced_sold_value: Cash([0, 0, 54_000_000, 0, 0][step]),
        forced_bought_value: Cash([0, 0, 0, 19_000_000, 0][step]),
        deferred: Lots([0, 0, 7, 0, 0][step]),
        halted: step == 2,
        open_interest: Lots(400 - 20 * step as i64),
        maintenance: Rate::from_f64([0.02, 0.02, 0.04, 0.04, 0.03][step]),
        initial: Rate::from_f64([0.04, 0.04, 0.06, 0.06, 0.05][step]),
        base_maintenance: Rate::from_f64(0.02),
        funding_rate: 1e-6,
        funding_index: 0,
        volatility: 0.001,
        liquidity: 1.0,
        down: [
            [0.5, 1.0, 2.5, 0.1, f64::NAN][step],
            [0.2, 0.4, 1.5, 0.1, 0.0][step],
            0.3,
        ],
        up: [0.25, 0.5, 0.75],
        down_reach: [
            reach(
                [500, 1_000, 2_500, 100, 0][step],
                [1_000, 1_000, 1_000, 1_000, 0][step],
            ),
            reach([200, 400, 1_500, 100, 0][step], 1_000),
            reach(300, 1_000),
        ],
        up_reach: [reach(250, 1_000), reach(500, 1_000), reach(750, 1_000)],
        ..MarketRow::default()
    }
}

fn level(maintenance: f64) -> Level {
    Level {
        initial: Rate::from_f64(maintenance + 0.02),
        maintenance: Rate::from_f64(maintenance),
        large: Rate::from_f64(maintenance),
    }
}

fn eth(step: usize) -> MarketRow {
    MarketRow {
        reference: 1_000.0,
        mid: 1_000.0,
        mark: Ticks(1_000),
        last: Ticks(1_000),
        bid_depth: Lots(10),
        ask_depth: Lots(0),
        volume: Lots(i64::from(step == 0)),
        initial: Rate::from_f64(0.1),
        ..MarketRow::default()
    }
}

fn world(step: usize) -> WorldRow {
    WorldRow {
        fund: Cash([50_000_000, 55_000_000, 30_000_000, 20_000_000, 60_000_000][step]),
        bad_debt: Cash([0, 0, 7_000_000, 9_500_000, 9_500_000][step]),
        fund_paid: Cash([0, 0, 7_000_000, 8_000_000, 8_000_000][step]),
        deleveraged: Cash([0, 0, 0, 3_000_000, 3_000_000][step]),
        deleveraged_deficit: Cash([0, 0, 0, 500_000, 500_000][step]),
        backstop: Cash([0, 0, 2_000_000, 1_500_000, 1_500_000][step]),
        backstop_paid: Cash(0),
        taken_over: Cash([0, 0, 6_000_000, 6_000_000, 6_000_000][step]),
        deleveraged_cost: Cash([0, 0, 0, 700_000, 700_000][step]),
        deleveraged_excess: Cash([0, 0, 0, 200_000, 200_000][step]),
        forced_cost: Cash([0, 0, 1_250_000, 1_750_000, 1_750_000][step]),
        fund_received: Cash([0, 0, 540_000, 730_000, 730_000][step]),
        socialised: Cash(0),
        uncovered: Cash([0, 0, 0, 1_000_000, 1_000_000][step]),
        keepers: KeeperRow::default(),
        liquidating: 1,
        liquidations: [0, 0, 2, 3, 3][step],
        rounds: [1, 1, 4, 2, 1][step],
        option_cost: Cash(0),
        option_initial: Cash(0),
        stressed: false,
    }
}

fn event(step: u32, kind: EventKind, account: Option<u32>) -> Event {
    Event {
        step,
        kind,
        account: account.map(AccountId),
        market: Some(MarketId(0)),
        quantity: Lots(-60),
        price: Ticks(905),
        amount: Cash(54_000_001),
    }
}

fn events() -> Vec<Event> {
    use EventKind as K;
    let mut cross = event(3, K::LiquidationBegan, Some(6));
    cross.market = None;
    cross.price = Ticks(0);
    let mut funding = event(4, K::FundingPaid, None);
    funding.amount = Cash(12_500);
    vec![
        event(0, K::Warned, Some(5)),
        event(1, K::Warned, Some(6)),
        event(1, K::Called, Some(6)),
        event(2, K::LiquidationBegan, Some(5)),
        event(2, K::ForcedTrade, Some(5)),
        event(2, K::LiquidationBegan, Some(7)),
        event(2, K::RoundsExhausted, None),
        cross,
        event(3, K::LiquidationBegan, Some(5)),
        event(3, K::AutoDeleveraged, Some(9)),
        event(3, K::CallCured, Some(6)),
        event(4, K::Refused, Some(8)),
        funding,
    ]
}

fn rates(recorder: &mut Recorder, step: u32, markets: &[MarketRow]) {
    for (row, market) in markets.iter().zip(0..) {
        let schedule = Schedule::flat(row.initial, row.maintenance);
        recorder.rates(step, MarketId(market), &schedule);
    }
}

/// The run, with one row kept of every `every` steps.
pub fn run(every: u32) -> Recorded {
    let mut recorder = Recorder::new(frame(), every);
    let events = events();
    for step in 0..5 {
        for event in events.iter().filter(|event| event.step == step) {
            recorder.event(event);
        }
        let place = step as usize;
        let markets = [btc(place), eth(place)];
        rates(&mut recorder, step, &markets);
        recorder.step(&StepRow {
            step,
            markets: &markets,
            world: &world(place),
            parts: &[
                vec![level(0.02), level(btc(place).maintenance.as_f64())],
                Vec::new(),
            ],
        });
    }
    recorder.finish(0)
}

/// A twin that fell half as far, without bad debt.
pub fn twin() -> Recorded {
    let mut recorder = Recorder::new(frame(), 1);
    for step in 0..5 {
        let place = step as usize;
        let mut market = btc(place);
        market.mid = [1_000.0, 1_100.0, 990.0, 1_000.0, 1_000.0][place];
        let markets = [market, eth(place)];
        rates(&mut recorder, step, &markets);
        recorder.step(&StepRow {
            step,
            markets: &markets,
            world: &WorldRow::default(),
            parts: &[],
        });
    }
    recorder.finish(0)
}
