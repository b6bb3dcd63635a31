//! Options on the engine: hedgers in the loop with their market, the profit of a hedged option, settlement, and conservation.
//!
//! # Reference
//!
//! Frey, R. and Stremme, A. (1997): hedgers who are short gamma multiply a move by 1 / (1 − κ n Γ), those who are long by
//! 1 / (1 + κ n Γ), κ the price's move per unit traded. Black–Scholes at the money, 50 %, thirty days: Γ = 0.0277594198.

use deleverage::engine::World;
use deleverage::math::{Draws, Purpose};
use deleverage::scenario::{Mode, Scenario};
use deleverage::unit::MarketId;

const GAMMA: f64 = 0.027_759_419_8;

/// A market of linear impact that forgets nothing: κ ticks a lot, prices of 100.00000 in ticks of 10⁻⁵, lots of a thousandth.
fn loop_scenario(contracts: f64, impact: f64, steps: u32) -> String {
    format!(
        "length = \"{steps}s\"\nseed = 4\n\
         [market.X]\ntick = 0.00001\nlot = 0.001\nprice = 100\npath.constant = {{}}\nmark.mid = {{}}\n\
         venue.impact = {{ law.linear.ticks_per_lot = {impact}, resilience = \"never\" }}\n\
         [margin]\nbase.fixed = {{ maintenance = 0.0001, initial = 0.0001 }}\n\
         [options.market.X]\nsurface.shape.flat.volatility = 0.5\n\
         [cohort.dealers]\ncount = 1\ncapital = 10_000_000\nmode = \"cross\"\n\
         strategy.delta_hedger = {{ every = \"1s\" }}\n\
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
    // Time stands still, so that nothing decays.
    setup.dt = 1e-6;
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
