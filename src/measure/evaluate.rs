//! From a recorded run to its metrics.

use super::calls::Fate;
use super::catalogue as m;
use super::metric::{Definition, Metric};
use super::procyclicality::{largest_rise, peak_to_trough};
use super::quality::{Quality, leads};
use super::recorder::Recorded;
use super::summary::Summary;
use crate::engine::EventKind;
use crate::unit::{Cash, Lots, span};

/// Every metric of a run, without those that need a twin ([`super::twin::compare`]).
pub fn evaluate(run: &Recorded) -> Summary {
    let mut metrics = Vec::with_capacity(m::DEFINITIONS.len());
    for market in 0..run.frame.markets.len() {
        of_market(run, market, &mut metrics);
    }
    of_world(run, &mut metrics);
    Summary::new(metrics)
}

impl Recorded {
    /// Largest fall of a market's mid.
    pub fn drawdown(&self, market: usize) -> f64 {
        self.tally.markets[market].mid.depth()
    }
    /// Realised volatility of a market's mid, annualised; nothing before the first step.
    pub fn volatility(&self, market: usize) -> Option<f64> {
        let seconds = f64::from(self.tally.steps) * self.frame.dt;
        (seconds > 0.0).then(|| (self.tally.markets[market].squares / seconds * span::YEAR).sqrt())
    }
    /// Value of what was sold and bought by force in a market, in settlement currency.
    pub fn liquidated(&self, market: usize) -> f64 {
        self.money(self.tally.markets[market].forced_value.iter().sum())
    }
    /// Value of what was sold and bought by force in all markets, in settlement currency.
    pub fn liquidated_total(&self) -> f64 {
        (0..self.frame.markets.len())
            .map(|market| self.liquidated(market))
            .sum()
    }
    /// Deficits of bankrupt accounts, whoever bore them, in settlement currency.
    pub fn bad_debt(&self) -> f64 {
        self.money(i128::from(self.tally.world.bad_debt.0))
    }
    fn money(&self, quanta: i128) -> f64 {
        quanta as f64 * self.frame.quantum()
    }
}

fn share(part: i128, whole: i128) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn of_market(run: &Recorded, place: usize, metrics: &mut Vec<Metric>) {
    let frame = &run.frame.markets[place];
    let tally = &run.tally.markets[place];
    let steps = f64::from(run.tally.steps);
    let mean = |sum: f64| (steps > 0.0).then(|| sum / steps);
    let trough = |side: usize| {
        let first: Lots = tally.first_depth?[side];
        share(tally.least_depth[side].0.into(), first.0.into())
    };
    let forced: i128 = tally.forced.iter().sum();
    let mut add = |definition: &'static Definition, value: Option<f64>| {
        metrics.push(Metric::new(definition, Some(&frame.name), value));
    };
    add(&m::DRAWDOWN, Some(run.drawdown(place)));
    add(&m::MARK_DRAWDOWN, Some(tally.mark.depth()));
    add(&m::RUN_UP, Some(tally.run_up));
    add(&m::REFERENCE_DRAWDOWN, Some(tally.reference.depth()));
    add(&m::OVERSHOOT_DOWN, Some(tally.overshoot_down));
    add(&m::OVERSHOOT_UP, Some(tally.overshoot_up));
    add(&m::RECOVERY_HALF_LIFE, tally.mid.half_life());
    add(&m::VOLATILITY, run.volatility(place));

    add(&m::CORRELATION_CALM, run.tally.together.of(place, false));
    add(&m::CORRELATION_STRESS, run.tally.together.of(place, true));

    add(&m::BID_DEPTH_TROUGH, trough(0));
    add(&m::ASK_DEPTH_TROUGH, trough(1));
    add(&m::SPREAD_PEAK, tally.spread.map(|spread| spread * 1e4));
    add(&m::TRADED_NOTIONAL, Some(run.money(tally.traded)));

    add(&m::LIQUIDATED_NOTIONAL, Some(run.liquidated(place)));
    add(&m::LIQUIDATED_LONGS, Some(run.money(tally.forced_value[0])));
    add(
        &m::LIQUIDATED_SHORTS,
        Some(run.money(tally.forced_value[1])),
    );
    add(
        &m::LIQUIDATED_SHARE,
        share(forced, frame.open_interest.0.into()),
    );
    let hedged: i128 = tally.hedged.iter().sum();
    add(&m::HEDGE_SHARE, share(hedged, tally.volume));
    let [gap, delta] = tally.hedge_gap;
    let optioned = delta > 0.0;
    add(&m::HEDGE_GAP, optioned.then(|| gap / delta));
    let called = optioned && hedged > 0;
    add(&m::VANNA_SHARE, called.then(|| tally.vanna / hedged as f64));
    let scale = frame.grid.scale();
    let gained = scale.tick * scale.lot * tally.vega;
    add(&m::VEGA_GAIN, optioned.then_some(gained));
    add(&m::FORCED_SHARE, share(forced, tally.volume));

    let [down, up] = tally.hedge;
    add(&m::HEDGE_DOWN_1, Some(down[0]));
    add(&m::HEDGE_DOWN_5, Some(down[2]));
    add(&m::HEDGE_UP_1, Some(up[0]));
    add(&m::HEDGE_UP_5, Some(up[2]));

    for (definition, peak) in [&m::DOWN_PEAK_1, &m::DOWN_PEAK_2, &m::DOWN_PEAK_5]
        .into_iter()
        .zip(tally.down)
        .chain(
            [&m::UP_PEAK_1, &m::UP_PEAK_2, &m::UP_PEAK_5]
                .into_iter()
                .zip(tally.up),
        )
    {
        add(definition, Some(peak));
    }
    add(&m::DOWN_FIRST, tally.first_spiral[0]);
    add(&m::UP_FIRST, tally.first_spiral[1]);
    for (place, definition) in [&m::DOWN_START_1, &m::DOWN_START_2, &m::DOWN_START_5]
        .into_iter()
        .enumerate()
    {
        add(definition, tally.first_down.map(|first| first[place]));
    }

    let initial = mean(tally.initial);
    add(&m::MAINTENANCE_MEAN, mean(tally.maintenance));
    add(
        &m::MAINTENANCE_PEAK,
        mean(tally.maintenance).map(|_| tally.maintenance_peak),
    );
    add(&m::INITIAL_MEAN, initial);
    add(
        &m::LEVERAGE_OFFERED,
        initial.filter(|rate| *rate > 0.0).map(|rate| 1.0 / rate),
    );
    let rates = run.tracks[place].maintenance();
    let rise = |seconds: f64| largest_rise(&rates, (seconds / run.frame.dt).round() as usize);
    add(&m::PEAK_TO_TROUGH, peak_to_trough(&rates));
    add(&m::RISE_HOUR, rise(3_600.0));
    add(&m::RISE_DAY, rise(86_400.0));
    add(&m::RISE_WEEK, rise(5.0 * 86_400.0));
}

fn of_world(run: &Recorded, metrics: &mut Vec<Metric>) {
    let world = &run.tally.world;
    let count = |kind: EventKind| {
        let found = run.events.iter().filter(|event| event.kind == kind).count();
        Some(found as f64)
    };
    let money = |amount: crate::unit::Cash| Some(run.money(amount.0.into()));
    let paid = |kind: EventKind| {
        let found = run.events.iter().filter(|event| event.kind == kind);
        let quanta = found.map(|event| i128::from(event.amount.0)).sum();
        Some(run.money(quanta))
    };
    let traded: i128 = run.tally.markets.iter().map(|market| market.traded).sum();
    let quality = Quality::of(run);
    let mut add = |definition: &'static Definition, value: Option<f64>| {
        metrics.push(Metric::new(definition, None, value));
    };
    let stressed = run.tally.together.stressed();
    let changes = run.frame.cross_in_stress.is_some();
    add(&m::STRESSED_SHARE, stressed.filter(|_| changes));
    add(&m::LIQUIDATIONS, Some(f64::from(world.liquidations)));
    add(
        &m::LIQUIDATED_ACCOUNTS,
        share(quality.accounts() as i128, run.frame.accounts.into()),
    );
    add(&m::LIQUIDATED_TOTAL, Some(run.liquidated_total()));
    let sold: Vec<i128> = run
        .frame
        .markets
        .iter()
        .zip(&run.tally.markets)
        .filter(|(market, _)| market.spot)
        .map(|(_, tally)| tally.forced_value[0])
        .collect();
    add(
        &m::COLLATERAL_SOLD,
        (!sold.is_empty()).then(|| run.money(sold.iter().sum())),
    );
    add(&m::TRADED_TOTAL, Some(run.money(traded)));

    let optioned = run.options.is_some() && run.tally.steps > 0;
    let [first, sum] = run.tally.option_initial;
    let mean = sum / f64::from(run.tally.steps.max(1));
    for (definition, quanta) in [
        (&m::OPTION_MARGIN_START, first),
        (&m::OPTION_MARGIN_MEAN, mean),
    ] {
        add(definition, optioned.then(|| quanta * run.frame.quantum()));
    }

    add(&m::BAD_DEBT, Some(run.bad_debt()));
    add(&m::FUND_PAID, money(world.fund_paid));
    add(&m::FUND_RECEIVED, money(world.fund_received));
    add(&m::FUND_DRAWDOWN, money(run.tally.fund_drawdown));
    add(&m::FORCED_COST, money(world.forced_cost));
    add(&m::BACKSTOP_PAID, money(world.backstop_paid));
    add(&m::BACKSTOP_NOTIONAL, money(world.taken_over));
    add(&m::BACKSTOP_EQUITY, money(world.backstop));
    add(&m::ADL_NOTIONAL, money(world.deleveraged));
    add(&m::ADL_DEFICIT, money(world.deleveraged_deficit));
    add(&m::ADL_COST, money(world.deleveraged_cost));
    add(&m::ADL_OVERSHOOT, money(world.deleveraged_excess));
    add(&m::ADL_COUNT, count(EventKind::AutoDeleveraged));
    add(&m::SOCIALISED, money(world.socialised));
    add(&m::UNCOVERED, money(world.uncovered));

    of_keepers(run, &mut add);

    add(&m::WARNINGS, count(EventKind::Warned));
    add(&m::CALLS, count(EventKind::Called));
    add(&m::CURED_CALLS, count(EventKind::CallCured));
    of_calls(run, &quality, &mut add);
    add(&m::TOPPED_UP, paid(EventKind::ToppedUp));
    add(&m::MARGIN_MOVED, paid(EventKind::MarginMoved));
    add(&m::WITHDRAWN, paid(EventKind::Withdrawn));
    add(&m::WITHDRAWALS_REFUSED, count(EventKind::WithdrawalRefused));
    add(&m::ORDERS_WITHDRAWN, count(EventKind::OrderWithdrawn));
    add(&m::STOPS, count(EventKind::Stopped));
    add(&m::REFUSED, count(EventKind::Refused));

    metrics.extend(super::safety::metrics(run));
    let mut add = |definition: &'static Definition, value: Option<f64>| {
        metrics.push(Metric::new(definition, None, value));
    };
    add(&m::ROUNDS_EXHAUSTED, count(EventKind::RoundsExhausted));
    add(&m::CONSERVATION, Some(run.gap.unsigned_abs() as f64));
}

/// What keepers did; without a value where there are none.
fn of_keepers(run: &Recorded, add: &mut impl FnMut(&'static Definition, Option<f64>)) {
    let row = &run.tally.world.keepers;
    let there = row.capital > Cash::ZERO;
    let auctioned = there && row.auctions > 0;
    let ended = f64::from(row.auctions_ended);
    let money = |amount: Cash| run.money(amount.0.into());
    let count = |number: u32| f64::from(number);
    let over = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
    let mut all = |condition: bool, values: &[(&'static Definition, Option<f64>)]| {
        for (definition, value) in values {
            add(definition, value.filter(|_| condition));
        }
    };
    all(
        there,
        &[
            (&m::SEIZED, Some(money(row.seized))),
            (&m::KEEPER_BONUS, Some(money(row.bonus))),
            (&m::KEEPER_PROFIT, Some(money(row.equity - row.capital))),
            (&m::KEEPER_COST, Some(money(row.spent))),
            (&m::KEEPER_TRANSACTIONS, Some(count(row.sent))),
            (&m::KEEPER_REVERTED, Some(count(row.reverted))),
            (
                &m::KEEPER_USED,
                over(row.used_peak.as_f64(), row.capital.as_f64()),
            ),
            (&m::KEEPERS_FAILED, Some(count(row.failed))),
        ],
    );
    all(
        auctioned,
        &[
            (&m::AUCTIONS, Some(count(row.auctions))),
            (&m::AUCTIONS_RESTARTED, Some(count(row.auctions_again))),
            (&m::AUCTIONS_OPEN, Some(count(row.auctions_open))),
            (
                &m::AUCTION_TIME,
                over(row.auction_steps as f64 * run.frame.dt, ended),
            ),
            (
                &m::ZERO_BID_SHARE,
                over(count(row.auctions_for_nothing), ended),
            ),
            (&m::ZERO_BID_NOTIONAL, Some(money(row.sold_for_nothing))),
        ],
    );
    let absorbed = there && row.absorbed > Cash::ZERO;
    all(
        absorbed,
        &[
            (&m::ABSORBED, Some(money(row.absorbed))),
            (&m::RESERVES, Some(money(row.reserves))),
        ],
    );
    all(
        there,
        &[
            (
                &m::TOXIC_SHARE,
                over(row.toxic_peak.as_f64(), row.debt.as_f64()),
            ),
            (&m::UNSOLD_DEBT, Some(money(row.stranded))),
        ],
    );
}

fn of_calls(
    run: &Recorded,
    quality: &Quality<'_>,
    add: &mut impl FnMut(&'static Definition, Option<f64>),
) {
    for (definition, fate) in [
        (&m::CURED_BY_TRADER, Fate::CuredByTrader),
        (&m::CURED_BY_MARKET, Fate::CuredByMarket),
        (&m::CALLS_LIQUIDATED, Fate::Liquidated),
        (&m::CALLS_BANKRUPT, Fate::Bankrupt),
        (&m::CALLS_OPEN, Fate::Open),
    ] {
        add(definition, Some(quality.fates(fate) as f64));
    }
    let liquidations = quality.history.liquidations.iter();
    let warned = leads(liquidations.clone().filter_map(|l| l.warned), run.frame.dt);
    let called = leads(liquidations.filter_map(|l| l.called), run.frame.dt);
    for (definition, value) in [&m::LEAD_TIME_P5, &m::LEAD_TIME_MEDIAN, &m::LEAD_TIME_P95]
        .into_iter()
        .zip(warned)
        .chain(
            [&m::CALL_LEAD_P5, &m::CALL_LEAD_MEDIAN, &m::CALL_LEAD_P95]
                .into_iter()
                .zip(called),
        )
    {
        add(definition, value);
    }
    let (precision, undecided) = quality.precision();
    add(&m::CALL_PRECISION, precision);
    add(&m::CALL_UNDECIDED, undecided);
    add(&m::CALL_RECALL, quality.recall());
    add(&m::CALLED_OVER_EQUITY, quality.called_over_equity());

    let found = quality.prematurity(run);
    let premature = found.map(|found| found.premature.count as f64);
    add(&m::PREMATURE_SHARE, found.and_then(|found| found.share()));
    add(&m::PREMATURE_COUNT, premature);
    add(
        &m::PREMATURE_UNDECIDED,
        found.and_then(|found| found.undecided()),
    );
    let (late, paid) = quality.lateness();
    add(&m::LATE_SHARE, late.share_beside(paid));
    add(&m::LATE_COUNT, Some(late.count as f64));
}
