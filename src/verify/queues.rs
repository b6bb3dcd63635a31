//! Two queues at neighbouring prices: which is used up first.
//!
//! Orders of one lot arrive at each of the best prices at a rate λ, market orders take from each at a rate μ, and each
//! order is withdrawn at a rate θ: birth rate λ, death rate μ + n θ. The probability that the next move of the mid is
//! upwards, by what stands at the bid and at the ask, solves a linear system; the same events on the engine's order book
//! must have the same frequencies.
//!
//! # Reference
//!
//! Cont, R., Stoikov, S. and Talreja, R. (2010), "A stochastic model for order book dynamics", Operations Research 58, at a
//! spread of one tick with λ = 1.85, μ = 0.94, θ = 0.71. The table is the linear system's solution.

use super::line::{Found, Plot, Tolerance};
use super::{Budget, Family, Ground};
use crate::experiment::RunError;
use crate::market::book::Depth;
use crate::market::{Book, BookSettings, Contract, Frame, Order, OrderId, Venue};
use crate::math::{Draws, Purpose, Stream};
use crate::unit::{AccountId, Lots, Side, Span, Ticks};
use rayon::prelude::*;

/// Cont, Stoikov and Talreja.
pub const FAMILY: Family = Family {
    name: "queues",
    title: "Which of two queues is used up first: P(next move is up | bid, ask)",
    source: "Cont, Stoikov and Talreja 2010",
    ground: Ground::Book,
    run,
};

const LAMBDA: f64 = 1.85;
const MU: f64 = 0.94;
const THETA: f64 = 0.71;
/// Queues longer than this are as good as never used up.
const LONGEST: usize = 60;
const TABLE: [[f64; 5]; 3] = [
    [0.5, 0.335_2, 0.259_0, 0.215_8, 0.187_8],
    [0.664_8, 0.5, 0.406_9, 0.347_9, 0.307_2],
    [0.741_0, 0.593_1, 0.5, 0.436_6, 0.390_6],
];

/// A book without ambient depth, of prices up to a ceiling.
pub(super) fn empty_book(ceiling: i64) -> Book {
    let settings = BookSettings {
        spread_bps: 0.0,
        depth: Depth::None {},
        resilience: Span::NEVER,
    };
    Book::new(
        &settings,
        &Frame {
            contract: Contract::linear(1),
            ceiling: Ticks(ceiling),
            lot: 1.0,
            dt: 1.0,
            start: ceiling as f64 / 2.0,
        },
    )
}

/// P(up) by bid and ask, by sweeps of Gauss and Seidel.
fn solve() -> Vec<Vec<f64>> {
    let mut p = vec![vec![0.5; LONGEST + 2]; LONGEST + 2];
    p[0].fill(0.0);
    for row in &mut p[1..] {
        row[0] = 1.0;
    }
    loop {
        let mut change = 0.0_f64;
        for bid in 1..=LONGEST {
            for ask in 1..=LONGEST {
                let (less_bid, less_ask) = (MU + bid as f64 * THETA, MU + ask as f64 * THETA);
                let all = 2.0 * LAMBDA + less_bid + less_ask;
                // Beyond the longest queue: as with the longest.
                let (more_bid, more_ask) = ((bid + 1).min(LONGEST), (ask + 1).min(LONGEST));
                let found = (LAMBDA * (p[more_bid][ask] + p[bid][more_ask])
                    + less_bid * p[bid - 1][ask]
                    + less_ask * p[bid][ask - 1])
                    / all;
                change = change.max((found - p[bid][ask]).abs());
                p[bid][ask] = found;
            }
        }
        if change < 1e-13 {
            return p;
        }
    }
}

/// One race on the book: whether the ask is used up first.
fn race(book: &mut Book, bid: usize, ask: usize, draws: &mut Stream) -> bool {
    let prices = [Ticks(50), Ticks(51)];
    let mut queues: [Vec<OrderId>; 2] = [Vec::new(), Vec::new()];
    let mut fills = Vec::new();
    // Market orders come from one account, limit orders from another, so that none meets its own.
    let (makers, takers) = (AccountId(100), AccountId(101));
    let rest = |book: &mut Book, queue: &mut Vec<OrderId>, side: Side| {
        let price = prices[side.index()];
        let order = Order::limit(makers, side, Lots(1), price);
        queue.extend(book.submit(&order, &mut Vec::new()).resting);
    };
    for (side, count) in [(Side::Buy, bid), (Side::Sell, ask)] {
        for _ in 0..count {
            rest(book, &mut queues[side.index()], side);
        }
    }
    let up = loop {
        let [bids, asks] = [0, 1].map(|side: usize| queues[side].len() as f64);
        if bids == 0.0 || asks == 0.0 {
            break asks == 0.0;
        }
        let rates = [LAMBDA, LAMBDA, MU, MU, THETA * bids, THETA * asks];
        let mut u = draws.uniform() * rates.iter().sum::<f64>();
        let event = rates.iter().position(|rate| {
            u -= rate;
            u < 0.0
        });
        let (what, side) = match event.unwrap_or(0) {
            k @ 0..=1 => (0, k),
            k @ 2..=3 => (1, k - 2),
            k => (2, k - 4),
        };
        let maker = if side == 0 { Side::Buy } else { Side::Sell };
        match what {
            0 => rest(book, &mut queues[side], maker),
            1 => {
                // First come, first served: the oldest order is gone.
                fills.clear();
                book.submit(
                    &Order::market(takers, maker.opposite(), Lots(1)),
                    &mut fills,
                );
                queues[side].remove(0);
            }
            _ => {
                let place = draws.below(queues[side].len() as u64) as usize;
                let gone = queues[side].remove(place);
                book.cancel(gone);
            }
        }
        // What the book shows is what the queues hold.
        let quote = book.quote();
        if quote.bid.is_none() || quote.ask.is_none() {
            break quote.ask.is_none();
        }
    };
    for order in queues.into_iter().flatten() {
        book.cancel(order);
    }
    up
}

fn run(budget: &Budget) -> Result<Found, RunError> {
    let mut found = Found::default();
    let solved = solve();
    let mut plot = Plot {
        name: "P(next move is up) with one lot at the bid, by the lots at the ask".to_owned(),
        x_name: "lots at the ask".to_owned(),
        y_name: "probability".to_owned(),
        ..Plot::default()
    };
    for (bid, row) in TABLE.iter().enumerate() {
        for (ask, expected) in row.iter().enumerate() {
            found.line(
                format!("bid {}, ask {}: P(up), linear system", bid + 1, ask + 1),
                *expected,
                solved[bid + 1][ask + 1],
                Tolerance::Within(1e-4),
            );
        }
    }
    let runs = budget.of(200_000, 4_000);
    let cells = [(1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (2, 3), (3, 5)];
    let shares: Vec<f64> = cells
        .par_iter()
        .map(|(bid, ask)| {
            let mut book = empty_book(100);
            let entity = (10 * bid + ask) as u32;
            let ups = (0..runs).filter(|run| {
                let mut draws = Draws::new(18, 0).stream(Purpose::Custom, entity, *run as u32);
                race(&mut book, *bid, *ask, &mut draws)
            });
            ups.count() as f64 / runs as f64
        })
        .collect();
    for ((bid, ask), got) in cells.iter().zip(shares) {
        let expected = solved[*bid][*ask];
        let error = (expected * (1.0 - expected) / runs as f64).sqrt();
        found
            .line(
                format!("bid {bid}, ask {ask}: P(up), on the book"),
                expected,
                got,
                Tolerance::Within(4.0 * error),
            )
            .note(format!("{runs} races, band of four standard errors"));
        if *bid == 1 {
            plot.expected.push([*ask as f64, expected]);
            plot.got.push([*ask as f64, got]);
        }
    }
    found.plot = Some(plot);
    Ok(found)
}
