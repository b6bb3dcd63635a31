//! The cascade graph: a node for every liquidation, an edge from each of its causes among the others.
//!
//! # Units
//!
//! Edge weights and shares are parts of 10⁹; quantities in lots, prices in ticks, money in quanta.
//!
//! # Invariants
//!
//! - `shares_sum_to_one` in every node, and so over the run: outer causes and n̂ add up to 1.
//! - `the_graph_has_the_ledgers_forced_volume`: lots and value of all nodes and the backstop are what the run sold and
//!   bought by force.
//! - A cause began before what it caused: the graph has no cycle.
//!
//! # Trees
//!
//! A liquidation has many causes; a tree wants one. It is drawn in proportion to the shares (a liquidation whose draw falls on an
//! outer cause begins a tree), which keeps the law of the trees' sizes: the strongest cause alone would make every mixed
//! liquidation a beginning. Draws are the run's own, keyed by number: the same run has the same trees, and another seed draws anew.
//!
//! # Reference
//!
//! Zhuang, Ogata, Vere-Jones (2002), "Stochastic declustering of space-time earthquake occurrences", JASA 97.

use super::attribution::{Attributed, attribute};
use super::cause::{Outer, Shares, WHOLE};
use crate::engine::{BreachLeg, EventKind};
use crate::math::{Draws, Purpose};
use crate::measure::{Frame, Recorded};
use crate::unit::{AccountId, Cash, Lots, MarketId, Side, Ticks};
use petgraph::graph::{DiGraph, NodeIndex};

/// One liquidation.
#[derive(Clone, Debug, PartialEq)]
pub struct Liquidation {
    /// Its number, in the order in which liquidations began.
    pub number: u32,
    /// Whose.
    pub account: AccountId,
    /// The step in which it began.
    pub step: u32,
    /// The step in which it crossed its threshold.
    pub crossed: u32,
    /// The market of its largest position.
    pub market: MarketId,
    /// What closing that position does.
    pub side: Side,
    /// That position's size.
    pub quantity: Lots,
    /// Value of all its positions at the marks of its beginning.
    pub notional: Cash,
    /// The mark at which it crossed its threshold, about.
    pub trigger: f64,
    /// The mark at which it began.
    pub mark: Ticks,
    /// Its equity then.
    pub equity: Cash,
    /// What its forced orders traded, by market: lots sold (+) and bought (−) and their value.
    pub forced: Vec<(MarketId, Lots, Cash)>,
    /// The deficit that it left.
    pub loss: Cash,
    /// Why it began.
    pub shares: Shares,
    /// The liquidation that it is drawn to, and its distance from its tree's first.
    pub parent: Option<u32>,
    /// The first of its tree.
    pub root: u32,
    /// Its generation, from 0.
    pub generation: u32,
}

impl Liquidation {
    /// Value of all that its forced orders traded.
    pub fn value(&self) -> Cash {
        self.forced.iter().map(|part| part.2).sum()
    }
}

/// One tree of liquidations.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    /// The number of its first liquidation.
    pub root: u32,
    /// How many it has.
    pub size: u32,
    /// Generations after the first.
    pub depth: u32,
    /// Notional of all its positions.
    pub notional: Cash,
    /// Steps from its first liquidation to its last.
    pub steps: u32,
    /// What the first was drawn to: the first cause of the tree.
    pub first: Outer,
}

/// A run's liquidations with their causes.
#[derive(Clone, Debug, Default)]
pub struct Genealogy {
    /// The graph; a node's index is its liquidation's number, an edge goes from cause to caused.
    pub graph: DiGraph<Liquidation, u32>,
    /// What the backstop sold (+) and bought (−) in the book, by market.
    pub backstop: Vec<(Lots, Cash)>,
    /// Trees, in the order of their first liquidations.
    pub trees: Vec<Tree>,
}

/// The market and quantity of the largest of an account's positions by value, and the value of all.
pub fn weigh(
    frame: &Frame,
    legs: &[BreachLeg],
    mark: impl Fn(MarketId) -> Ticks,
) -> (MarketId, Lots, Cash) {
    let worth = |leg: &BreachLeg| {
        let contract = &frame.markets[leg.market.index()].contract;
        Cash::clamped(contract.wide(leg.quantity, mark(leg.market)).abs())
    };
    let largest = legs
        .iter()
        .max_by(|a, b| worth(a).cmp(&worth(b)).then(b.market.cmp(&a.market)));
    (
        largest.map_or(MarketId(0), |leg| leg.market),
        largest.map_or(Lots::ZERO, |leg| leg.quantity),
        legs.iter().map(worth).sum(),
    )
}

impl Genealogy {
    /// The genealogy of a run; nothing where it was not traced.
    pub fn of(recorded: &Recorded) -> Option<Self> {
        let attributed = attribute(recorded)?;
        let trace = recorded.trace.as_ref()?;
        let edges = attributed.iter().map(|a| a.shares.parents.len()).sum();
        let mut graph = DiGraph::with_capacity(attributed.len(), edges);
        for (breach, found) in trace.breaches.iter().zip(attributed) {
            let mark = |market: MarketId| trace.check(market.index(), breach.check).mark;
            let (market, held, notional) = weigh(&recorded.frame, trace.legs(breach), mark);
            let Attributed {
                shares,
                crossed,
                trigger,
                ..
            } = found;
            graph.add_node(Liquidation {
                number: breach.liquidation,
                account: breach.account,
                step: trace.check(0, breach.check).step,
                crossed: trace.check(0, crossed).step,
                market,
                side: if held.0 > 0 { Side::Sell } else { Side::Buy },
                quantity: held.abs(),
                notional,
                trigger,
                mark: mark(market),
                equity: Cash::clamped(breach.equity),
                forced: Vec::new(),
                loss: Cash::ZERO,
                shares,
                parent: None,
                root: breach.liquidation,
                generation: 0,
            });
        }
        for child in graph.node_indices() {
            let parents = graph[child].shares.parents.clone();
            for (parent, share) in parents {
                graph.add_edge(NodeIndex::new(parent as usize), child, share);
            }
        }
        let mut genealogy = Self {
            graph,
            backstop: vec![(Lots::ZERO, Cash::ZERO); recorded.frame.markets.len()],
            trees: Vec::new(),
        };
        genealogy.take_in(recorded);
        genealogy.plant(&recorded.frame.draws);
        Some(genealogy)
    }

    /// Takes in what forced orders traded and what was left unpaid, from the run's events.
    fn take_in(&mut self, recorded: &Recorded) {
        let mut latest = vec![u32::MAX; 0];
        let mut begun = 0;
        for event in &recorded.events {
            let Some(account) = event.account else {
                continue;
            };
            if latest.len() <= account.index() {
                latest.resize(account.index() + 1, u32::MAX);
            }
            let number = latest[account.index()];
            match event.kind {
                EventKind::LiquidationBegan => {
                    latest[account.index()] = begun;
                    begun += 1;
                }
                EventKind::ForcedTrade => {
                    let Some(market) = event.market else { continue };
                    let sold = -event.quantity;
                    let Some(node) = self.graph.node_weight_mut(NodeIndex::new(number as usize))
                    else {
                        let (lots, value) = &mut self.backstop[market.index()];
                        *lots += sold;
                        *value += event.amount;
                        continue;
                    };
                    match node.forced.iter_mut().find(|part| part.0 == market) {
                        Some(part) => {
                            part.1 += sold;
                            part.2 += event.amount;
                        }
                        None => node.forced.push((market, sold, event.amount)),
                    }
                }
                EventKind::Closed | EventKind::DeficitDeleveraged => {
                    let deficit = match event.kind {
                        EventKind::Closed => (-event.amount).max(Cash::ZERO),
                        _ => event.amount,
                    };
                    if let Some(node) = self.graph.node_weight_mut(NodeIndex::new(number as usize))
                    {
                        node.loss += deficit;
                    }
                }
                _ => {}
            }
        }
    }

    /// Draws everyone's one parent, and gathers the trees.
    fn plant(&mut self, draws: &Draws) {
        let mut trees: Vec<Tree> = Vec::new();
        let mut tree_of: Vec<usize> = Vec::with_capacity(self.graph.node_count());
        for node in self.graph.node_indices() {
            let (number, shares) = (self.graph[node].number, &self.graph[node].shares);
            let mut left = draws
                .stream(Purpose::Custom, number, 0)
                .below(u64::from(WHOLE)) as u32;
            let mut drawn: Result<u32, Outer> = Err(Outer::Own);
            let outer = Outer::ALL
                .iter()
                .map(|outer| (Err(*outer), shares.outer[outer.place()]));
            let parents = shares.parents.iter().map(|parent| (Ok(parent.0), parent.1));
            for (cause, part) in outer.chain(parents) {
                drawn = cause;
                if left < part {
                    break;
                }
                left -= part;
            }
            match drawn {
                Ok(parent) => {
                    let (root, generation) = {
                        let parent = &self.graph[NodeIndex::new(parent as usize)];
                        (parent.root, parent.generation + 1)
                    };
                    let node = &mut self.graph[node];
                    (node.parent, node.root, node.generation) = (Some(parent), root, generation);
                    let place = tree_of[parent as usize];
                    tree_of.push(place);
                    let start = self.graph[NodeIndex::new(root as usize)].step;
                    let node = &self.graph[NodeIndex::new(number as usize)];
                    let tree = &mut trees[place];
                    tree.size += 1;
                    tree.depth = tree.depth.max(generation);
                    tree.notional += node.notional;
                    tree.steps = node.step - start;
                }
                Err(first) => {
                    tree_of.push(trees.len());
                    trees.push(Tree {
                        root: number,
                        size: 1,
                        depth: 0,
                        notional: self.graph[node].notional,
                        steps: 0,
                        first,
                    });
                }
            }
        }
        self.trees = trees;
    }

    /// Every liquidation, in the order in which they began.
    pub fn liquidations(&self) -> impl ExactSizeIterator<Item = &Liquidation> {
        self.graph.raw_nodes().iter().map(|node| &node.weight)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.graph.node_count()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.graph.node_count() == 0
    }

    /// The tree with the most liquidations; of several the first.
    pub fn largest(&self) -> Option<&Tree> {
        self.trees
            .iter()
            .max_by(|a, b| a.size.cmp(&b.size).then(b.root.cmp(&a.root)))
    }

    /// Lots sold and bought by force in a market: of all liquidations and the backstop.
    pub fn forced(&self, market: MarketId) -> (i128, Cash) {
        let (lots, value) = self.backstop[market.index()];
        let mut sum = (i128::from(lots.0), value);
        for node in self.liquidations() {
            for part in node.forced.iter().filter(|part| part.0 == market) {
                sum.0 += i128::from(part.1.0);
                sum.1 += part.2;
            }
        }
        sum
    }

    /// Value of forced trades that each liquidation brought about through others, in expectation: its descendants',
    /// each by the share of it that leads back here; quanta.
    pub fn brought_about(&self) -> Vec<f64> {
        let mut effect = vec![0.0; self.len()];
        // Children have larger numbers, so from the last to the first every child is done before its causes.
        for number in (0..self.len()).rev() {
            let node = &self.graph[NodeIndex::new(number)];
            let whole = node.value().as_f64() + effect[number];
            for (parent, share) in &node.shares.parents {
                effect[*parent as usize] += f64::from(*share) / f64::from(WHOLE) * whole;
            }
        }
        effect
    }
}
