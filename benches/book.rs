//! The order book on one tape, beside a textbook book and beside the least that a ladder can be.
//!
//! # The tape
//!
//! Two million operations laid down before the clock starts: 60 % limit orders, 25 % cancels, 15 % market
//! orders. The mid walks a tick either way every ten operations, which is some 450 ticks by the end.
//! Limit orders of 1 to 100 lots stand up to `ticks` from it, thinning out linearly; one in 50
//! crosses. Four cancels in five name a living order, each as likely as any other; the fifth comes too
//! late and names one of those that went last. A market order asks for a uniform share of the other side,
//! `1 / share` of it on average, as takers size their orders by what is there: so what rests is
//! stationary.
//!
//! # The books
//!
//! - `ours`: [`Book`] without ambient depth, through the same trait as in a run.
//! - `textbook`: a sorted map of queues on each side, a hash map from id to price, a list of trades
//!   returned by every order.
//! - `bare ladder`: quantity by tick, and nothing else: no owners, no queues, no record of trades, no
//!   values, no stale handles told from living ones, no self-trade, no ambient depth. Whose quantity
//!   trades isn't known, so a cancel takes what the order was when it came, or what is left at its
//!   price; so what it trades is near what the others trade, not the same. The bound.
//!
//! One driver runs them all and keeps their handles as traders do, in a flat table of places that are
//! used again once an order is gone: a handle for every order that ever was costs each of the books some
//! ten nanoseconds an operation in cache misses, which no book can help. The driver reads one array of
//! operations and does nothing else between two calls, because what it costs is added to every book and
//! hides by how much they differ. The lines `ratio to …` are medians over the rounds of the ratio
//! within a round, in which the books run one after the other: a machine that is busy for a while
//! slows both halves of a ratio.

use criterion::{Criterion, Throughput};
use deleverage::market::{
    Book, BookSettings, Conditions, Contract, Fill, Frame, Order, OrderId, Venue, book::Depth,
};
use deleverage::unit::{AccountId, Lots, Side, Span, Ticks};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hint::black_box;
use std::time::{Duration, Instant};

const OPERATIONS: usize = 2_000_000;
/// Operations in a step.
const STEP: usize = 1_000;
const CEILING: u32 = 1 << 17;
const ROUNDS: usize = 9;
/// How many places of orders that are gone wait before they are used again.
const STALE: usize = 256;

#[derive(Clone, Copy)]
enum Kind {
    Limit,
    Cancel,
    Market,
}

#[derive(Clone, Copy)]
struct Operation {
    kind: Kind,
    side: Side,
    price: u32,
    lots: u32,
    /// Where a limit order's handle goes, or which one a cancel names.
    place: u32,
}

struct Tape {
    operations: Vec<Operation>,
    /// How many places there are.
    room: usize,
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(z ^ (z >> 31)) * u128::from(sides)) >> 64) as u64
    }
    fn side(&mut self) -> Side {
        if self.roll(2) == 0 {
            Side::Buy
        } else {
            Side::Sell
        }
    }
}

/// How far from the mid limit orders stand, and how much of the other side a market order may
/// take: the second decides how many orders come to rest.
#[derive(Clone, Copy)]
struct Market {
    name: &'static str,
    ticks: u64,
    share: u64,
}

const MARKETS: [Market; 2] = [
    // A handful of orders a tick over hundreds of ticks.
    Market {
        name: "balanced",
        ticks: 400,
        share: 500,
    },
    // Some forty orders a tick.
    Market {
        name: "deep",
        ticks: 200,
        share: 4_000,
    },
];

impl Tape {
    /// Lays a tape while a textbook book runs along, so that it is known who is still alive.
    fn new(market: Market) -> Self {
        let mut tape = Self {
            operations: Vec::with_capacity(OPERATIONS),
            room: 0,
        };
        let mut dice = Dice(1);
        let mut book = Textbook::default();
        let mut living: Vec<u64> = Vec::new();
        let mut places: HashMap<u64, u32> = HashMap::new();
        let mut gone: VecDeque<u32> = VecDeque::new();
        let mut mid = CEILING / 2;
        let mut limits = 0u64;
        for _ in 0..OPERATIONS {
            match dice.roll(20) {
                0 => mid += 1,
                1 => mid -= 1,
                _ => {}
            }
            let side = dice.side();
            let what = dice.roll(100);
            if what < 60 || living.is_empty() {
                let away = dice.roll(market.ticks).min(dice.roll(market.ticks)) as u32;
                let crosses = dice.roll(50) == 0;
                let price = if (side == Side::Buy) != crosses {
                    mid - 1 - away
                } else {
                    mid + 1 + away
                };
                let lots = 1 + dice.roll(100) as u32;
                let place = if gone.len() > STALE {
                    gone.pop_front().unwrap_or_default()
                } else {
                    tape.room += 1;
                    tape.room as u32 - 1
                };
                let trades = book.submit(limits, AccountId(9), side, i64::from(lots), Some(price));
                places.insert(limits, place);
                let done = trades.iter().map(|trade| trade.order).chain([limits]);
                for id in done.filter(|id| !book.places.contains_key(id)) {
                    gone.extend(places.remove(&id));
                }
                living.push(limits);
                limits += 1;
                tape.push(Kind::Limit, side, price, lots, place);
            } else if what < 85 {
                let place = if dice.roll(5) == 0 && !gone.is_empty() {
                    gone[dice.roll(gone.len() as u64) as usize]
                } else {
                    let id = loop {
                        let place = dice.roll(living.len() as u64) as usize;
                        let id = living.swap_remove(place);
                        if living.is_empty() || book.places.contains_key(&id) {
                            break id;
                        }
                    };
                    book.cancel(id);
                    let place = places.remove(&id).unwrap_or_default();
                    gone.push_back(place);
                    place
                };
                tape.push(Kind::Cancel, side, 0, 0, place);
            } else {
                let there = book.resting[side.opposite().index()] as u64;
                let lots = 1 + dice.roll(1 + 2 * there / market.share) as u32;
                let trades = book.submit(u64::MAX, AccountId(9), side, i64::from(lots), None);
                for trade in trades {
                    if !book.places.contains_key(&trade.order) {
                        gone.extend(places.remove(&trade.order));
                    }
                }
                tape.push(Kind::Market, side, 0, lots, 0);
            }
        }
        tape
    }

    fn push(&mut self, kind: Kind, side: Side, price: u32, lots: u32, place: u32) {
        self.operations.push(Operation {
            kind,
            side,
            price,
            lots,
            place,
        });
    }
}

/// What the driver asks of a book.
trait Matcher {
    type Handle: Copy + Default;
    /// A step begins.
    fn step(&mut self, step: u32);
    /// How much traded, and the handle on what rests.
    fn limit(&mut self, owner: AccountId, side: Side, price: u32, lots: i64)
    -> (i64, Self::Handle);
    fn market(&mut self, owner: AccountId, side: Side, lots: i64) -> i64;
    fn cancel(&mut self, handle: &mut Self::Handle);
}

/// Runs a tape. Nothing in the loop but the calls: what the driver costs, it costs all the books, and
/// hides by how much they differ.
#[inline(never)]
fn drive<M: Matcher>(book: &mut M, handles: &mut [M::Handle], tape: &Tape) -> i64 {
    let mut traded = 0;
    let mut owner = AccountId(AccountId::SYSTEM);
    for (step, operations) in (0..).zip(tape.operations.chunks(STEP)) {
        book.step(step);
        for &Operation {
            kind,
            side,
            price,
            lots,
            place,
        } in operations
        {
            owner.0 += 1;
            let lots = i64::from(lots);
            match kind {
                Kind::Limit => {
                    let (filled, handle) = book.limit(owner, side, price, lots);
                    traded += filled;
                    handles[place as usize] = handle;
                }
                Kind::Cancel => book.cancel(&mut handles[place as usize]),
                Kind::Market => traded += book.market(owner, side, lots),
            }
        }
    }
    traded
}

/// A book, and where its trades are listed until the next step.
struct Ours {
    book: Book,
    fills: Vec<Fill>,
}

impl Ours {
    fn new(ambient: Depth) -> Self {
        let settings = BookSettings {
            spread_bps: 0.0,
            depth: ambient,
            resilience: Span::seconds(30.0),
        };
        let frame = Frame {
            contract: Contract::linear(100),
            ceiling: Ticks(i64::from(CEILING)),
            lot: 1.0,
            dt: 1.0,
            start: f64::from(CEILING / 2),
        };
        Self {
            book: Book::new(&settings, &frame),
            fills: Vec::new(),
        }
    }
}

impl Matcher for Ours {
    type Handle = Option<OrderId>;
    fn step(&mut self, step: u32) {
        self.fills.clear();
        let conditions = Conditions {
            step,
            anchor: f64::from(CEILING / 2),
            depth: 1.0,
        };
        self.book.open(&conditions, &mut self.fills);
    }
    fn limit(
        &mut self,
        owner: AccountId,
        side: Side,
        price: u32,
        lots: i64,
    ) -> (i64, Option<OrderId>) {
        let order = Order::limit(owner, side, Lots(lots), Ticks(i64::from(price)));
        let done = self.book.submit(&order, &mut self.fills);
        (done.filled.0, done.resting)
    }
    fn market(&mut self, owner: AccountId, side: Side, lots: i64) -> i64 {
        let order = Order::market(owner, side, Lots(lots));
        self.book.submit(&order, &mut self.fills).filled.0
    }
    fn cancel(&mut self, handle: &mut Option<OrderId>) {
        if let Some(id) = handle {
            self.book.cancel(*id);
        }
    }
}

/// Sorted maps of queues, and where each order is by its id.
#[derive(Default)]
struct Textbook {
    sides: [BTreeMap<u32, VecDeque<Queued>>; 2],
    places: HashMap<u64, (Side, u32)>,
    /// Lots that rest on each side.
    resting: [i64; 2],
    next: u64,
}

struct Queued {
    id: u64,
    owner: AccountId,
    lots: i64,
}

struct Trade {
    taker: AccountId,
    maker: AccountId,
    /// The maker's order.
    order: u64,
    price: u32,
    lots: i64,
}

impl Textbook {
    fn submit(
        &mut self,
        id: u64,
        owner: AccountId,
        side: Side,
        lots: i64,
        limit: Option<u32>,
    ) -> Vec<Trade> {
        let mut left = lots;
        let mut trades = Vec::new();
        let book = &mut self.sides[side.opposite().index()];
        while left > 0 {
            let best = match side {
                Side::Buy => book.first_entry(),
                Side::Sell => book.last_entry(),
            };
            let Some(mut level) = best else { break };
            let price = *level.key();
            match (limit, side) {
                (Some(limit), Side::Buy) if price > limit => break,
                (Some(limit), Side::Sell) if price < limit => break,
                _ => {}
            }
            let queue = level.get_mut();
            while let Some(front) = queue.front_mut() {
                let traded = left.min(front.lots);
                trades.push(Trade {
                    taker: owner,
                    maker: front.owner,
                    order: front.id,
                    price,
                    lots: traded,
                });
                left -= traded;
                front.lots -= traded;
                if front.lots > 0 {
                    break;
                }
                self.places.remove(&front.id);
                queue.pop_front();
                if left == 0 {
                    break;
                }
            }
            if queue.is_empty() {
                level.remove();
            }
        }
        self.resting[side.opposite().index()] -= lots - left;
        if let (Some(limit), true) = (limit, left > 0) {
            let queue = self.sides[side.index()].entry(limit).or_default();
            queue.push_back(Queued {
                id,
                owner,
                lots: left,
            });
            self.places.insert(id, (side, limit));
            self.resting[side.index()] += left;
        }
        trades
    }

    fn cancel(&mut self, id: u64) {
        let Some((side, price)) = self.places.remove(&id) else {
            return;
        };
        let book = &mut self.sides[side.index()];
        if let Some(queue) = book.get_mut(&price) {
            if let Some(place) = queue.iter().position(|order| order.id == id)
                && let Some(order) = queue.remove(place)
            {
                self.resting[side.index()] -= order.lots;
            }
            if queue.is_empty() {
                book.remove(&price);
            }
        }
    }
}

/// What the trades of an order add up to.
fn traded(trades: &[Trade]) -> i64 {
    trades
        .iter()
        .map(|trade| {
            black_box((trade.taker, trade.maker, trade.order, trade.price));
            trade.lots
        })
        .sum()
}

impl Matcher for Textbook {
    type Handle = u64;
    fn step(&mut self, _step: u32) {}
    fn limit(&mut self, owner: AccountId, side: Side, price: u32, lots: i64) -> (i64, u64) {
        let id = self.next;
        self.next += 1;
        (traded(&self.submit(id, owner, side, lots, Some(price))), id)
    }
    fn market(&mut self, owner: AccountId, side: Side, lots: i64) -> i64 {
        traded(&self.submit(u64::MAX, owner, side, lots, None))
    }
    fn cancel(&mut self, id: &mut u64) {
        Textbook::cancel(self, *id);
    }
}

/// The least that a ladder can be: quantity by tick. The handle is what the order was, a price and
/// lots, where a bid's are positive.
struct Bare {
    bids: Vec<i64>,
    asks: Vec<i64>,
    bid: usize,
    ask: usize,
}

impl Bare {
    fn new() -> Self {
        Self {
            bids: vec![0; CEILING as usize],
            asks: vec![0; CEILING as usize],
            bid: 0,
            ask: CEILING as usize - 1,
        }
    }
    fn buy(&mut self, limit: usize, mut left: i64) -> i64 {
        while left > 0 && self.ask <= limit && self.ask < CEILING as usize - 1 {
            let level = &mut self.asks[self.ask];
            let lots = left.min(*level);
            *level -= lots;
            left -= lots;
            if *level == 0 {
                self.ask += 1;
            }
        }
        left
    }
    fn sell(&mut self, limit: usize, mut left: i64) -> i64 {
        while left > 0 && self.bid >= limit && self.bid > 0 {
            let level = &mut self.bids[self.bid];
            let lots = left.min(*level);
            *level -= lots;
            left -= lots;
            if *level == 0 {
                self.bid -= 1;
            }
        }
        left
    }
}

impl Matcher for Bare {
    type Handle = (u32, i32);
    fn step(&mut self, _step: u32) {}
    fn limit(&mut self, _owner: AccountId, side: Side, price: u32, lots: i64) -> (i64, (u32, i32)) {
        let at = price as usize;
        if side == Side::Buy {
            let left = self.buy(at, lots);
            self.bids[at] += left;
            if left > 0 {
                self.bid = self.bid.max(at);
            }
            (lots - left, (price, left as i32))
        } else {
            let left = self.sell(at, lots);
            self.asks[at] += left;
            if left > 0 {
                self.ask = self.ask.min(at);
            }
            (lots - left, (price, -(left as i32)))
        }
    }
    fn market(&mut self, _owner: AccountId, side: Side, lots: i64) -> i64 {
        lots - match side {
            Side::Buy => self.buy(CEILING as usize, lots),
            Side::Sell => self.sell(0, lots),
        }
    }
    fn cancel(&mut self, handle: &mut (u32, i32)) {
        let (price, lots) = std::mem::take(handle);
        let levels = if lots > 0 {
            &mut self.bids
        } else {
            &mut self.asks
        };
        let level = &mut levels[price as usize];
        *level -= i64::from(lots.abs()).min(*level);
    }
}

/// Seconds and lots of one run; making the book isn't on the clock.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn timed<M: Matcher>(mut book: M, tape: &Tape) -> (f64, i64) {
    let mut handles = vec![M::Handle::default(); tape.room];
    let start = Instant::now();
    let traded = black_box(drive(&mut book, &mut handles, tape));
    (start.elapsed().as_secs_f64(), traded)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn ratios(market: Market, tape: &Tape) {
    let mut times: [Vec<f64>; 3] = Default::default();
    let mut traded = [0; 3];
    // The first round warms up.
    for round in 0..=ROUNDS {
        let runs = [
            timed(Ours::new(Depth::None {}), tape),
            timed(Textbook::default(), tape),
            timed(Bare::new(), tape),
        ];
        for (place, (seconds, lots)) in runs.into_iter().enumerate() {
            if round > 0 {
                times[place].push(seconds);
            }
            traded[place] = lots;
        }
    }
    assert_eq!(traded[0], traded[1], "the same tape trades the same");
    let [to_textbook, to_bare] = [1, 2].map(|other| {
        let pairs = times[other].iter().zip(&times[0]);
        median(pairs.map(|(other, ours)| other / ours).collect())
    });
    let [ours, textbook, bare] = times.map(median);
    let mut end = Textbook::default();
    drive(&mut end, &mut vec![0; tape.room], tape);
    let levels: usize = end.sides.iter().map(BTreeMap::len).sum();
    println!(
        "{} tape: {} lots traded ({} in the bare ladder); at the end {} orders of {} lots rest on {levels} ticks",
        market.name,
        traded[0],
        traded[2],
        end.places.len(),
        end.resting.iter().sum::<i64>()
    );
    for (name, seconds) in [
        ("ours", ours),
        ("BTreeMap", textbook),
        ("bare ladder", bare),
    ] {
        println!(
            "{name}: {:.1} ns an operation, {:.1} M/s",
            seconds / OPERATIONS as f64 * 1e9,
            OPERATIONS as f64 / seconds / 1e6
        );
    }
    println!("ratio to BTreeMap: {to_textbook:.2}");
    println!("ratio to bare ladder: {to_bare:.2}");
}

fn main() {
    for market in MARKETS {
        ratios(market, &Tape::new(market));
    }
    let tape = Tape::new(MARKETS[0]);
    let mut criterion = Criterion::default()
        .configure_from_args()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    let mut group = criterion.benchmark_group("tape");
    group.throughput(Throughput::Elements(OPERATIONS as u64));
    group.bench_function("ours", |b| {
        b.iter(|| timed(Ours::new(Depth::None {}), &tape).1);
    });
    group.bench_function("ours_with_ambient", |b| {
        b.iter(|| {
            let ambient = Depth::Flat { lots_per_tick: 5.0 };
            timed(Ours::new(ambient), &tape).1
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("call");
    let mut ours = Ours::new(Depth::Flat { lots_per_tick: 5.0 });
    drive(&mut ours, &mut vec![None; tape.room], &tape);
    let book = &mut ours.book;
    let centre = f64::from(CEILING / 2);
    let mut fills = Vec::new();
    let mut step = 1 + (OPERATIONS / STEP) as u32;
    group.bench_function("open", |b| {
        b.iter(|| {
            step += 1;
            fills.clear();
            let conditions = Conditions {
                step,
                anchor: centre + f64::from(step % 16),
                depth: 1.0,
            };
            book.open(black_box(&conditions), &mut fills);
        });
    });
    group.bench_function("depth_200_ticks", |b| {
        b.iter(|| book.depth(Side::Sell, black_box(Ticks(i64::from(CEILING / 2 - 200)))));
    });
    group.bench_function("sweep_2000_ambient_levels", |b| {
        b.iter(|| {
            step += 1_000;
            fills.clear();
            let conditions = Conditions {
                step,
                anchor: centre,
                depth: 1.0,
            };
            book.open(&conditions, &mut fills);
            let order = Order::market(AccountId(9), Side::Sell, Lots(10_000));
            book.submit(black_box(&order), &mut fills).filled
        });
    });
    group.finish();
    criterion.final_summary();
}
