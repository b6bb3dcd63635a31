//! Options on the engine: hedgers in the loop with their market, the profit of a hedged option, settlement, and conservation.
//!
//! # Reference
//!
//! Frey, R. and Stremme, A. (1997): hedgers who are short gamma multiply a move by 1 / (1 − κ n Γ), those who are long by
//! 1 / (1 + κ n Γ), κ the price's move per unit traded. Black–Scholes at the money, 50 %, thirty days: Γ = 0.0277594198.

use crate::support::run_with as run;
use deleverage::engine::{EventKind, World};
use deleverage::market::option::{Right, SeriesId, greeks};
use deleverage::math::{Draws, Purpose};
use deleverage::scenario::{Mode, Scenario};
use deleverage::unit::{Cash, MarketId};
use std::fmt::Write as _;

const GAMMA: f64 = 0.027_759_419_8;

/// A market of linear impact that forgets nothing: κ ticks a lot, prices of 100.00000 in ticks of 10⁻⁵, lots of a thousandth.
fn loop_scenario(contracts: f64, impact: f64, steps: u32) -> String {
    format!(
        "length = \"{steps}s\"\nseed = 4\nquantum = 0.00000001\n\
         [market.X]\ntick = 0.00001\nlot = 0.001\nprice = 100\npath.constant = {{}}\nmark.mid = {{}}\n\
         venue.impact = {{ law.linear.ticks_per_lot = {impact}, resilience = \"never\" }}\n\
         [margin]\nbase.fixed = {{ maintenance = 0.0001, initial = 0.0001 }}\n\
         [options.market.X]\nsurface.shape.flat.volatility = 0.5\n\
         [cohort.dealers]\ncount = 1\ncapital = 10_000_000\nmode = \"cross\"\n\
         strategy.delta_hedger = {{ every = \"1ms\" }}\n\
         options = [{{ market = \"X\", expiry = \"30d\", strike = 100, right = \"call\", contracts = {contracts} }}]\n"
    )
}

/// Moves the outside price by N(0, s) draws, each held for `hold` steps so that the loop comes to rest; the market's moves
/// and the outside's, one a block.
fn blocks(contracts: f64, kappa: f64, count: u32, hold: u32) -> (Vec<f64>, Vec<f64>) {
    // κ per unit of the base and unit of price: 1 ticks_per_lot = 1e-5 / 1e-3.
    let text = loop_scenario(contracts, kappa * 100.0, count * hold);
    let scenario = Scenario::parse(text).unwrap_or_else(|problems| panic!("{problems}"));
    let (mut setup, _) = scenario.setup(0, Mode::Run).unwrap();
    let draws = Draws::new(9, 0);
    let start = setup.markets[0].path[0];
    let mut price = start;
    let mut path = vec![start];
    let mut outside = Vec::new();
    for block in 0..count {
        // 0.2 % of the price would leave gamma; 0.01 % leaves it where it is.
        let draw = draws.stream(Purpose::Custom, block, 0).normal();
        let step = (0.01 * draw * 1e5).round();
        price += step;
        outside.push(step);
        path.extend(std::iter::repeat_n(price, hold as usize));
    }
    setup.markets[0].path = path;
    // Time all but stands still, so that nothing decays.
    setup.dt = 1e-3;
    let mut world = World::new(setup);
    let (mut moves, mut last) = (Vec::new(), start);
    for step in 1..=count * hold {
        world.step(&mut ()).unwrap();
        if step % hold == 0 {
            let mid = world.venue(MarketId(0)).mid();
            moves.push(mid - last);
            last = mid;
        }
    }
    world.audit().unwrap();
    (moves, outside)
}

fn spread(moves: &[f64]) -> f64 {
    (moves.iter().map(|m| m * m).sum::<f64>() / moves.len() as f64).sqrt()
}

#[test]
fn short_gamma_multiplies_volatility_and_long_gamma_divides_it() {
    for (contracts, amplified) in [
        (-1_000.0, 1.384_264),
        (1_000.0, 0.782_721),
        (-2_000.0, 2.248_143),
    ] {
        let (moves, outside) = blocks(contracts, 0.01, 120, 60);
        let found = spread(&moves) / spread(&outside);
        assert!(
            (found / amplified - 1.0).abs() < 0.01,
            "{contracts} contracts: {found}, expected {amplified}"
        );
        let closed = 1.0 / (1.0 + 0.01 * contracts * GAMMA);
        assert!((closed / amplified - 1.0).abs() < 1e-5);
    }
}

/// A hedged short call of thirty days in a market that nobody moves: profit at settlement, and Σ ½ Γ S² (σ_i² − σ_r²) dt along
/// the path, of a thousand contracts on a unit.
fn hedged(steps: u32, implied: f64, realised: f64, replicate: u64) -> (f64, f64) {
    const CONTRACTS: f64 = 1_000.0;
    let dt = 30.0 * 86_400.0 / f64::from(steps);
    let text = format!(
        "length = \"30d\"\nstep = \"{dt}s\"\nseed = 12\nquantum = 0.00000001\n\
         [market.X]\ntick = 0.00001\nlot = 0.001\nprice = 100\npath.gbm.volatility = {realised}\nmark.index = {{}}\n\
         funding = {{ interest = 0 }}\n\
         venue.impact = {{ law.linear.ticks_per_lot = 0, resilience = \"1s\" }}\n\
         [margin]\nbase.fixed = {{ maintenance = 0.0001, initial = 0.0001 }}\n\
         [options.market.X]\nsurface.shape.flat.volatility = {implied}\naverage = \"0s\"\n\
         [cohort.dealers]\ncount = 1\ncapital = 10_000_000\nmode = \"cross\"\n\
         strategy.delta_hedger = {{ every = \"1s\" }}\n\
         options = [{{ market = \"X\", expiry = \"30d\", strike = 100, right = \"call\", contracts = -{CONTRACTS} }}]\n"
    );
    let scenario = Scenario::parse(text).unwrap_or_else(|problems| panic!("{problems}"));
    let (setup, _) = scenario.setup(replicate, Mode::Run).unwrap();
    let dealer = setup.ledger.traders().next().unwrap();
    let prices: Vec<f64> = setup.markets[0].path.iter().map(|p| p * 1e-5).collect();
    let mut world = World::new(setup);
    world.run(&mut (), |_| true).unwrap();
    assert!(world.ledger().options().open_interest(SeriesId(0)) == 0);
    let profit = world.equity(dealer) as f64 * 1e-8 - 10_000_000.0;
    let year = 365.0 * 86_400.0;
    let expected: f64 = (0..steps)
        .map(|step| {
            let left = f64::from(steps - step) * dt / year;
            let s = prices[step as usize];
            let gamma = greeks(s, 100.0, left, implied, Right::Call).gamma;
            0.5 * gamma * s * s * (implied * implied - realised * realised) * dt / year
        })
        .sum();
    (profit, expected * CONTRACTS)
}

#[test]
fn a_hedged_option_earns_implied_less_realised_variance() {
    for realised in [0.3, 0.8] {
        let runs: Vec<(f64, f64)> = (0..150).map(|r| hedged(240, 0.5, realised, r)).collect();
        let mean = |of: fn(&(f64, f64)) -> f64| runs.iter().map(of).sum::<f64>() / 150.0;
        let (profit, expected) = (mean(|r| r.0), mean(|r| r.1));
        assert!(
            (profit / expected - 1.0).abs() < 0.05,
            "realised {realised}: {profit}, expected {expected}"
        );
    }
}

#[test]
fn the_error_of_a_hedge_shrinks_with_the_root_of_its_number() {
    let spread = |steps: u32| {
        let profits: Vec<f64> = (0..300).map(|r| hedged(steps, 0.5, 0.5, r).0).collect();
        let mean = profits.iter().sum::<f64>() / 300.0;
        (profits.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / 299.0).sqrt()
    };
    let (few, many) = (spread(30), spread(120));
    assert!((few / many - 2.0).abs() < 0.3, "{few} and {many}");
    // √(π/4) · vega · σ / √N (Derman and Kamal): of a thousand contracts.
    let vega = greeks(100.0, 100.0, 30.0 / 365.0, 0.5, Right::Call).vega;
    let closed = 1_000.0 * (std::f64::consts::PI / 4.0).sqrt() * vega * 0.5 / f64::sqrt(120.0);
    assert!((many / closed - 1.0).abs() < 0.2, "{many} and {closed}");
}

/// Portfolios of eight legs in a market at rest.
fn portfolios(count: u32, rule: &str) -> World {
    let mut legs = String::new();
    for (moneyness, right, contracts) in [
        (0.8, "put", 1),
        (0.9, "put", -1),
        (0.95, "put", 1),
        (1.0, "put", -1),
        (1.0, "call", 1),
        (1.05, "call", -1),
        (1.1, "call", 1),
        (1.2, "call", -1),
    ] {
        let _ = writeln!(
            legs,
            "  {{ market = \"X\", expiry = \"30d\", moneyness = {moneyness}, right = \"{right}\", contracts = {contracts} }},"
        );
    }
    let text = format!(
        "length = \"100s\"\n[market.X]\ntick = 0.01\nlot = 0.01\nprice = 1000\npath.gbm.volatility = 0.05\nmark.index = {{}}\n\
         venue.impact = {{ law.linear.ticks_per_lot = 0, resilience = \"1s\" }}\n\
         [margin]\nbase.fixed = {{ maintenance = 0.01, initial = 0.02 }}\n\
         [options.market.X]\nsurface.shape.flat.volatility = 0.6\n[options.margin]\nrule.{rule} = {{}}\n\
         [cohort.portfolios]\ncount = {count}\ncapital = 1000\nleverage = 0.5\nmode = \"cross\"\noptions = [\n{legs}]\n"
    );
    let scenario = Scenario::parse(text).unwrap_or_else(|problems| panic!("{problems}"));
    World::new(scenario.setup(0, Mode::Run).unwrap().0)
}

#[test]
fn portfolios_at_rest_are_not_looked_at() {
    for rule in ["span", "deribit", "derive"] {
        let mut world = portfolios(50, rule);
        for _ in 0..10 {
            world.step(&mut ()).unwrap();
        }
        assert_eq!(world.option_accounts_to_visit(), 0, "{rule}");
    }
}

#[test]
fn a_portfolio_in_liquidation_keeps_its_hedge_to_the_last() {
    // Long a unit and ten puts: the position is what is hedged, so options go first where the puts are worth something.
    let text = "length = \"40s\"\n[market.X]\ntick = 0.01\nlot = 0.01\nprice = 1000\npath.constant = {}\nmark.index = {}\n\
         venue.impact = { law.linear.ticks_per_lot = 0, resilience = \"1s\" }\n\
         [[shock]]\nat = \"5s\"\nsize = -0.2\nduration = \"1s\"\n\
         [margin]\nbase.fixed = { maintenance = 0.01, initial = 0.02 }\n\
         [liquidation]\npolicy = { market_close = {} }\ninsurance_fund = 100_000\n\
         [options]\nspread = { share = 0.1 }\nliquidation = { share = 0.5, every = \"1s\" }\n\
         [options.market.X]\nsurface.shape.flat.volatility = 0.6\n\
         [cohort.naked]\ncount = 20\ncapital = 600\nleverage = 0\nmode = \"cross\"\n\
         strategy.delta_hedger = { every = \"1h\" }\n\
         options = [{ market = \"X\", expiry = \"30d\", strike = 900, right = \"put\", contracts = -10 }]\n";
    let finished = run(text, None);
    let kinds: Vec<EventKind> = finished
        .run
        .events
        .iter()
        .filter(|event| {
            event.account.is_some_and(|id| {
                id == finished
                    .run
                    .events
                    .iter()
                    .find_map(|e| {
                        (e.kind == EventKind::LiquidationBegan)
                            .then_some(e.account)
                            .flatten()
                    })
                    .unwrap()
            })
        })
        .map(|event| event.kind)
        .collect();
    let began = kinds
        .iter()
        .position(|kind| *kind == EventKind::LiquidationBegan)
        .unwrap();
    assert!(
        kinds[began..].contains(&EventKind::OptionsTransferred),
        "{kinds:?}"
    );
    assert!(kinds.contains(&EventKind::Closed), "{kinds:?}");
    assert_eq!(finished.summary.value("conservation", None), Some(0.0));
    assert!(finished.run.tally.world.option_cost > Cash::ZERO);
}
