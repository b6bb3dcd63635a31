//! The order book on one tape, beside a textbook book and beside the least that a ladder can be.
//!
//! Two million operations: 60 % limit orders around a mid that walks at random, 25 % cancels of a
//! random earlier order, 15 % market orders. Every book gets the same tape in the same process;
//! the lines `ratio to …`, for a sparse and for a dense book, come from the medians of interleaved runs.

use criterion::{Criterion, Throughput};
use deleverage::market::{
    Book, BookSettings, Conditions, Contract, Frame, Order, OrderId, Venue, book::Depth,
};
use deleverage::unit::{AccountId, Lots, Side, Span, Ticks};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hint::black_box;
use std::time::{Duration, Instant};

const OPERATIONS: usize = 2_000_000;
const CEILING: u32 = 1 << 17;

#[derive(Clone, Copy)]
enum Operation {
    Limit { side: Side, price: u32, lots: u32 },
    Cancel { which: u32 },
    Market { side: Side, lots: u32 },
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

/// How far from the mid limit orders stand, and how large market orders are: the second decides
/// how many orders come to rest.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    ticks: u64,
    market_lots: u64,
}

const KINDS: [Kind; 2] = [
    // A few orders a tick over thousands of ticks, as on a venue with a fine tick.
    Kind {
        name: "sparse",
        ticks: 2_000,
        market_lots: 330,
    },
    // Hundreds of orders a tick, far more than the caches hold.
    Kind {
        name: "dense",
        ticks: 200,
        market_lots: 250,
    },
];

fn tape(kind: Kind) -> Vec<Operation> {
    let mut dice = Dice(1);
    let mut mid = CEILING / 2;
    let mut limits = 0;
    (0..OPERATIONS)
        .map(|_| {
            // A tick either way every ten operations.
            match dice.roll(20) {
                0 => mid += 1,
                1 => mid -= 1,
                _ => {}
            }
            match dice.roll(100) {
                0..60 => {
                    let side = dice.side();
                    // Mostly close to the mid, thinning out with distance; one in 50 crosses.
                    let away = dice.roll(kind.ticks).min(dice.roll(kind.ticks)) as u32;
                    let crosses = dice.roll(50) == 0;
                    let price = if (side == Side::Buy) != crosses {
                        mid - 1 - away
                    } else {
                        mid + 1 + away
                    };
                    limits += 1;
                    Operation::Limit {
                        side,
                        price,
                        lots: 1 + dice.roll(100) as u32,
                    }
                }
                60..85 if limits > 0 => Operation::Cancel {
                    which: dice.roll(limits) as u32,
                },
                _ => Operation::Market {
                    side: dice.side(),
                    lots: 1 + dice.roll(kind.market_lots) as u32,
                },
            }
        })
        .collect()
}

/// Ours, without ambient depth, a step every thousand operations.
fn ours(tape: &[Operation], ambient: Depth) -> (i64, Book) {
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
    let mut book = Book::new(&settings, &frame);
    let nobody = OrderId {
        slot: 0,
        generation: 0,
    };
    let mut ids = Vec::with_capacity(tape.len());
    let mut fills = Vec::new();
    let mut traded = 0;
    for (place, operation) in tape.iter().enumerate() {
        let owner = AccountId(AccountId::SYSTEM + place as u32);
        if place % 1_000 == 0 {
            fills.clear();
            let conditions = Conditions {
                step: (place / 1_000) as u32,
                anchor: frame.start,
                depth: 1.0,
            };
            book.open(&conditions, &mut fills);
        }
        match *operation {
            Operation::Limit { side, price, lots } => {
                let order =
                    Order::limit(owner, side, Lots(i64::from(lots)), Ticks(i64::from(price)));
                let done = book.submit(&order, &mut fills);
                traded += done.filled.0;
                ids.push(done.resting.unwrap_or(nobody));
            }
            Operation::Cancel { which } => {
                book.cancel(ids[which as usize]);
            }
            Operation::Market { side, lots } => {
                let order = Order::market(owner, side, Lots(i64::from(lots)));
                traded += book.submit(&order, &mut fills).filled.0;
            }
        }
    }
    (traded, book)
}

/// A textbook book: sorted maps of queues, and where each order is by its id.
#[derive(Default)]
struct Textbook {
    sides: [BTreeMap<u32, VecDeque<Queued>>; 2],
    places: HashMap<u64, (Side, u32)>,
    trades: Vec<(AccountId, AccountId, u32, i64)>,
}

struct Queued {
    id: u64,
    owner: AccountId,
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
    ) -> i64 {
        let mut left = lots;
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
                self.trades.push((owner, front.owner, price, traded));
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
        if let (Some(limit), true) = (limit, left > 0) {
            let queue = self.sides[side.index()].entry(limit).or_default();
            queue.push_back(Queued {
                id,
                owner,
                lots: left,
            });
            self.places.insert(id, (side, limit));
        }
        lots - left
    }

    fn cancel(&mut self, id: u64) {
        let Some((side, price)) = self.places.remove(&id) else {
            return;
        };
        let book = &mut self.sides[side.index()];
        if let Some(queue) = book.get_mut(&price) {
            // Ids grow along a queue.
            if let Ok(place) = queue.binary_search_by_key(&id, |order| order.id) {
                queue.remove(place);
            }
            if queue.is_empty() {
                book.remove(&price);
            }
        }
    }
}

fn textbook(tape: &[Operation]) -> i64 {
    let mut book = Textbook::default();
    let mut next = 0;
    let mut traded = 0;
    for (place, operation) in tape.iter().enumerate() {
        let owner = AccountId(AccountId::SYSTEM + place as u32);
        if place % 1_000 == 0 {
            book.trades.clear();
        }
        match *operation {
            Operation::Limit { side, price, lots } => {
                traded += book.submit(next, owner, side, i64::from(lots), Some(price));
                next += 1;
            }
            Operation::Cancel { which } => book.cancel(u64::from(which)),
            Operation::Market { side, lots } => {
                traded += book.submit(u64::MAX, owner, side, i64::from(lots), None);
            }
        }
    }
    traded
}

/// The least that a ladder can be: quantity by tick on each side, and what each order was. No owners,
/// no queues, no trades: a cancel takes what is still there at the price.
fn bare(tape: &[Operation]) -> i64 {
    let mut bids = vec![0i64; CEILING as usize];
    let mut asks = vec![0i64; CEILING as usize];
    let (mut bid, mut ask) = (0usize, CEILING as usize - 1);
    let mut orders: Vec<(u32, i32)> = Vec::with_capacity(tape.len());
    let mut traded = 0;
    let buy = |asks: &mut [i64], ask: &mut usize, limit: usize, mut left: i64| {
        while left > 0 && *ask <= limit && *ask < CEILING as usize - 1 {
            let lots = left.min(asks[*ask]);
            asks[*ask] -= lots;
            left -= lots;
            if asks[*ask] == 0 {
                *ask += 1;
            }
        }
        left
    };
    let sell = |bids: &mut [i64], bid: &mut usize, limit: usize, mut left: i64| {
        while left > 0 && *bid >= limit && *bid > 0 {
            let lots = left.min(bids[*bid]);
            bids[*bid] -= lots;
            left -= lots;
            if bids[*bid] == 0 {
                *bid -= 1;
            }
        }
        left
    };
    for operation in tape {
        match *operation {
            Operation::Limit { side, price, lots } => {
                let (at, lots) = (price as usize, i64::from(lots));
                let left = if side == Side::Buy {
                    let left = buy(&mut asks, &mut ask, at, lots);
                    bids[at] += left;
                    if left > 0 {
                        bid = bid.max(at);
                    }
                    orders.push((price, left as i32));
                    left
                } else {
                    let left = sell(&mut bids, &mut bid, at, lots);
                    asks[at] += left;
                    if left > 0 {
                        ask = ask.min(at);
                    }
                    orders.push((price, -(left as i32)));
                    left
                };
                traded += lots - left;
            }
            Operation::Cancel { which } => {
                let (price, lots) = std::mem::take(&mut orders[which as usize]);
                let levels = if lots > 0 { &mut bids } else { &mut asks };
                let level = &mut levels[price as usize];
                *level -= i64::from(lots.abs()).min(*level);
            }
            Operation::Market { side, lots } => {
                let lots = i64::from(lots);
                let left = match side {
                    Side::Buy => buy(&mut asks, &mut ask, CEILING as usize, lots),
                    Side::Sell => sell(&mut bids, &mut bid, 0, lots),
                };
                traded += lots - left;
            }
        }
    }
    traded
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn timed(run: impl FnOnce() -> i64) -> (f64, i64) {
    let start = Instant::now();
    let traded = black_box(run());
    (start.elapsed().as_secs_f64(), traded)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn ratios(kind: Kind, tape: &[Operation]) {
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    let mut traded = [0; 3];
    for _ in 0..7 {
        let runs = [
            timed(|| ours(tape, Depth::None {}).0),
            timed(|| textbook(tape)),
            timed(|| bare(tape)),
        ];
        for (place, (seconds, lots)) in runs.into_iter().enumerate() {
            times[place].push(seconds);
            traded[place] = lots;
        }
    }
    assert_eq!(traded[0], traded[1], "the same tape trades the same");
    let [ours, textbook, bare] = times.map(median);
    let (_, book) = self::ours(tape, Depth::None {});
    let resting = [(Side::Sell, 1), (Side::Buy, i64::from(CEILING) - 1)]
        .map(|(side, end)| book.depth(side, Ticks(end)).0);
    println!(
        "{} tape: traded {traded:?} lots, {resting:?} lots rest at the end",
        kind.name
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
    println!("ratio to BTreeMap: {:.2}", textbook / ours);
    println!("ratio to bare ladder: {:.2}", bare / ours);
}

fn main() {
    for kind in KINDS {
        ratios(kind, &tape(kind));
    }
    let tape = tape(KINDS[0]);
    let mut criterion = Criterion::default()
        .configure_from_args()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    let mut group = criterion.benchmark_group("tape");
    group.throughput(Throughput::Elements(OPERATIONS as u64));
    group.bench_function("ours", |b| b.iter(|| ours(&tape, Depth::None {}).0));
    group.bench_function("ours_with_ambient", |b| {
        b.iter(|| ours(&tape, Depth::Flat { lots_per_tick: 5.0 }).0);
    });
    group.bench_function("textbook", |b| b.iter(|| textbook(&tape)));
    group.bench_function("bare_ladder", |b| b.iter(|| bare(&tape)));
    group.finish();

    let mut group = criterion.benchmark_group("call");
    let (_, mut book) = ours(&tape[..500_000], Depth::Flat { lots_per_tick: 5.0 });
    let centre = f64::from(CEILING / 2);
    let mut fills = Vec::new();
    let mut step = 1_000;
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
