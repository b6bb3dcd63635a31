//! Left alone: what would have become of an account along a recorded path, had it kept what it held.
//!
//! From the step at hand on, equity and requirement are computed in every step from the path's marks,
//! funding and rates, in the ledger's integers, until the question is answered or the horizon ends. A path that is shorter
//! answers nothing, whatever it begins with.
//! The path may be the run's own (*frozen*: what not liquidating would have changed is left out) or that
//! of its twin, whose forced orders move nothing (*re-simulated*).
//!
//! Whole blocks of steps are passed over where their extreme marks and their lowest rates leave no
//! doubt, so an account costs about as many looks as its path has blocks.
//!
//! # Invariants
//!
//! - `blocks_change_no_answer`: with or without passing over blocks every answer is the same.
//! - Equity is exact up to the rounding of funding, a quantum a position.

use super::block::{self, BLOCK, Block};
use super::frame::{Frame, MarketFrame};
use super::optioned::{OptionTrack, Optioned};
use super::recorder::Recorded;
use super::track::Track;
use crate::margin::option::{Asked, OptionLeg};
use crate::margin::{Leg, PortfolioRule, Schedule};
use crate::market::Contract;
use crate::market::funding::due;
use crate::unit::{Cash, Lots, MarketId, Ticks};

/// A position as it was held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Its market.
    pub market: MarketId,
    /// Signed quantity: + long, − short.
    pub quantity: Lots,
    /// The mark at which the account's equity was taken.
    pub mark: Ticks,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Does it meet its requirement at some time, and its equity never fall below zero?
    Survives,
    /// Does it fall short of its requirement?
    Breaches,
}

/// What the path answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It does, within the horizon.
    Yes,
    /// It does not.
    No,
    /// The path ends before the horizon.
    Undecided,
}

/// The path of a world, ready to be asked.
pub struct Path<'a> {
    lanes: Vec<Lane<'a>>,
    steps: usize,
    blocks: bool,
    /// What accounts with several positions are asked for all of them together, calm and in stress.
    portfolio: [Option<Box<dyn PortfolioRule>>; 2],
    stressed: &'a [bool],
    options: Option<Optioned<'a>>,
}

/// One market's part of a path.
struct Lane<'a> {
    contract: Contract,
    spot: bool,
    track: &'a Track,
    /// Place of the rates in force, by step.
    in_force: Vec<u32>,
    blocks: Vec<Block>,
}

impl<'a> Path<'a> {
    /// The path of the markets of a frame; `None` where a market's rates were not recorded.
    pub fn new(frame: &'a Frame, tracks: &'a [Track]) -> Option<Self> {
        Self::with(frame, tracks, &[], None)
    }

    /// The path of a run, its stress and its options with it.
    pub fn of(frame: &'a Frame, run: &'a Recorded) -> Option<Self> {
        Self::with(frame, &run.tracks, &run.stressed, run.options.as_ref())
    }

    fn with(
        frame: &'a Frame,
        tracks: &'a [Track],
        stressed: &'a [bool],
        options: Option<&'a OptionTrack>,
    ) -> Option<Self> {
        let lanes: Option<Vec<Lane<'a>>> = frame
            .markets
            .iter()
            .zip(tracks)
            .map(|(market, track)| Lane::new(market, track))
            .collect();
        let lanes = lanes?;
        let steps = lanes.iter().map(|lane| lane.track.marks.len()).min()?;
        Some(Self {
            lanes,
            steps,
            blocks: true,
            portfolio: [false, true].map(|stressed| frame.cross_in(stressed).build()),
            stressed,
            options: Optioned::new(frame, options, tracks, stressed),
        })
    }

    /// Asks along the path, from the end of a step on, for so many steps more; undecided where it has fewer.
    pub fn ask(
        &self,
        question: Question,
        equity: Cash,
        positions: &[Position],
        from: u32,
        horizon: u32,
    ) -> Answer {
        self.ask_with(question, equity, (positions, &[]), from, horizon)
    }

    /// Asks the same of an account with options. Its equity is followed in every step, its requirement once a minute.
    pub fn ask_with(
        &self,
        question: Question,
        equity: Cash,
        (positions, options): (&[Position], &[OptionLeg]),
        from: u32,
        horizon: u32,
    ) -> Answer {
        let from = from as usize;
        let end = from.saturating_add(horizon as usize);
        // Also where an answer shows before the path ends: else the bad ends alone would be counted.
        if end >= self.steps
            || positions
                .iter()
                .any(|p| p.market.index() >= self.lanes.len())
        {
            return Answer::Undecided;
        }
        let account = Account {
            path: self,
            equity: i128::from(equity.0),
            positions,
            options,
            from,
        };
        let mut step = from;
        let mut recovered = false;
        while step <= end {
            let last = (step / BLOCK * BLOCK + BLOCK - 1).min(end);
            if !(self.blocks && account.passes(question, step / BLOCK, recovered)) {
                for step in step..=last {
                    // What has met its requirement once needs no second look at it.
                    if recovered {
                        if account.equity(step) < 0 {
                            return Answer::No;
                        }
                        continue;
                    }
                    let Some((equity, required)) = account.measure(step) else {
                        if question == Question::Survives && account.equity(step) < 0 {
                            return Answer::No;
                        }
                        continue;
                    };
                    match question {
                        Question::Survives if equity < 0 => return Answer::No,
                        Question::Survives => recovered = equity >= required,
                        Question::Breaches if equity < required => return Answer::Yes,
                        Question::Breaches => {}
                    }
                }
            }
            step = last + 1;
        }
        if recovered { Answer::Yes } else { Answer::No }
    }
}

impl<'a> Lane<'a> {
    fn new(market: &MarketFrame, track: &'a Track) -> Option<Self> {
        track.schedules.first().filter(|(from, _)| *from == 0)?;
        let in_force = block::in_force(&track.schedules, 0..track.marks.len() as u32);
        let blocks = block::blocks(&track.schedules, &track.marks, &track.funding, &in_force);
        Some(Self {
            contract: market.contract,
            spot: market.spot,
            track,
            in_force,
            blocks,
        })
    }

    fn schedule(&self, place: u32) -> &Schedule {
        &self.track.schedules[place as usize].1
    }

    /// What a position has gained since it was told of.
    fn gain(&self, held: &Position, mark: Ticks) -> i128 {
        self.contract.wide(held.quantity, mark) - self.contract.wide(held.quantity, held.mark)
    }

    fn notional(&self, quantity: Lots, mark: Ticks) -> Cash {
        Cash::clamped(self.contract.wide(quantity, mark)).abs()
    }
}

/// An account on a path.
struct Account<'a> {
    path: &'a Path<'a>,
    equity: i128,
    positions: &'a [Position],
    options: &'a [OptionLeg],
    from: usize,
}

impl Account<'_> {
    /// The rule that its positions are margined by together, where there is one; a lone position has none.
    fn together(&self, step: usize) -> Option<&dyn PortfolioRule> {
        let stressed = self.path.stressed.get(step) == Some(&true);
        let rule = self.path.portfolio[usize::from(stressed)].as_deref();
        rule.filter(|_| self.positions.len() > 1)
    }

    /// The options' part of the path, of an account that holds any.
    fn optioned(&self) -> Option<&Optioned<'_>> {
        self.path
            .options
            .as_ref()
            .filter(|_| !self.options.is_empty())
    }

    /// Equity in a step.
    fn equity(&self, step: usize) -> i128 {
        let mut equity = self.equity;
        for held in self.positions {
            let lane = &self.path.lanes[held.market.index()];
            let moved = lane.track.funding[step] - lane.track.funding[self.from];
            equity += lane.gain(held, lane.track.marks[step]) - due(held.quantity, moved);
        }
        if let Some(options) = self.optioned() {
            let worth = |step| options.track.worth(step, self.options);
            equity += worth(step) - worth(self.from);
        }
        equity
    }

    /// Equity and requirement in a step; nothing in a step in which an account with options isn't looked at.
    fn measure(&self, step: usize) -> Option<(i128, i128)> {
        let equity = self.equity(step);
        let mut required = 0i128;
        let optioned = self.optioned();
        if optioned.is_some_and(|options| !(step - self.from).is_multiple_of(options.every)) {
            return None;
        }
        let mut legs = Vec::new();
        let together = self.together(step);
        for held in self.positions {
            let lane = &self.path.lanes[held.market.index()];
            let mark = lane.track.marks[step];
            let schedule = lane.schedule(lane.in_force[step]);
            let notional = lane.notional(held.quantity, mark);
            let alone = schedule.maintenance(notional);
            if optioned.is_none() && (together.is_none() || lane.spot) {
                required += i128::from(alone.0);
            } else {
                legs.push(Leg {
                    market: held.market,
                    quantity: held.quantity,
                    notional,
                    alone,
                });
            }
        }
        if let Some(options) = optioned {
            let asked = options.requirement(step, &legs, self.options, Asked::Maintenance);
            return Some((equity, i128::from(asked.0)));
        }
        if let Some(rule) = together {
            required += i128::from(rule.requirement(&legs).0);
        }
        Some((equity, required))
    }

    /// Whether no step of a block can change anything.
    fn passes(&self, question: Question, block: usize, recovered: bool) -> bool {
        if self.together(block * BLOCK).is_some() || self.optioned().is_some() {
            return false;
        }
        let [worst, best] = self.equities(block);
        match question {
            Question::Survives => {
                let below = |asked| best < asked;
                worst >= 0
                    && (recovered || self.requirements(block, Bound::Least).is_some_and(below))
            }
            Question::Breaches => {
                let asked = self.requirements(block, Bound::Most);
                asked.is_some_and(|asked| worst >= asked)
            }
        }
    }

    /// The least and the most that equity can be within a block.
    fn equities(&self, block: usize) -> [i128; 2] {
        let (mut worst, mut best) = (self.equity, self.equity);
        for held in self.positions {
            let lane = &self.path.lanes[held.market.index()];
            let Block { marks, funding, .. } = &lane.blocks[block];
            let start = lane.contract.wide(held.quantity, held.mark);
            let gains = marks.map(|mark| lane.contract.wide(held.quantity, mark) - start);
            let since = lane.track.funding[self.from];
            let dues = funding.map(|index| due(held.quantity, index - since));
            worst += gains[0].min(gains[1]) - dues[0].max(dues[1]);
            best += gains[0].max(gains[1]) - dues[0].min(dues[1]);
        }
        [worst, best]
    }

    /// A bound of what can be asked within a block; nothing where its schedules have none.
    fn requirements(&self, block: usize, bound: Bound) -> Option<i128> {
        let mut asked = 0i128;
        for held in self.positions {
            let lane = &self.path.lanes[held.market.index()];
            let bounds = &lane.blocks[block];
            let [least, most] = bounds.rates?.map(|place| lane.schedule(place));
            let [a, b] = bounds.marks.map(|mark| lane.notional(held.quantity, mark));
            let rounding = i128::from(block::rounding(least, most));
            // Requirements never fall with size.
            asked += match bound {
                Bound::Least => i128::from(least.maintenance(a.min(b)).0) - rounding,
                Bound::Most => i128::from(most.maintenance(a.max(b)).0) + rounding,
            };
        }
        Some(asked)
    }
}

/// Which bound of a requirement.
#[derive(Clone, Copy)]
enum Bound {
    Least,
    Most,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::margin::option::{Listed, MarketState, OptionMarginSettings};
    use crate::market::option::{Right, Series, SeriesId, Settlement};
    use crate::math::{Draws, Purpose};
    use crate::measure::MarketFrame;
    use crate::unit::{AccountId, Grid, Rate};

    fn frame(markets: usize) -> Frame {
        let grid = Grid::new(1.into(), 1.into(), 1.into()).unwrap();
        Frame {
            dt: 1.0,
            draws: Draws::new(0, 0),
            steps: 400,
            markets: (0..markets)
                .map(|place| MarketFrame {
                    name: format!("M{place}"),
                    grid,
                    contract: Contract::linear(1),
                    spot: false,
                    start: 100.0,
                    open_interest: Lots(10),
                    parts: Vec::new(),
                })
                .collect(),
            cohorts: Vec::new(),
            accounts: 1,
            fund: Cash::ZERO,
            measure: Default::default(),
            cross: Default::default(),
            cross_in_stress: None,
            option_margin: None,
            guarded: false,
        }
    }

    fn track(marks: &[i64], maintenance: f64) -> Track {
        let rate = Rate::from_f64(maintenance);
        Track {
            marks: marks.iter().copied().map(Ticks).collect(),
            funding: vec![0; marks.len()],
            schedules: vec![(0, Schedule::flat(rate, rate))],
        }
    }

    fn long(quantity: i64) -> [Position; 1] {
        [Position {
            market: MarketId(0),
            quantity: Lots(quantity),
            mark: Ticks(100),
        }]
    }

    /// Ten lots long at 100 with an equity of 40 against 5 %: breached below 101.05…, bankrupt below 96.
    #[test]
    fn an_account_left_alone_survives_goes_bankrupt_or_stays_short() {
        let frame = frame(1);
        let ask = |marks: &[i64], horizon| {
            let tracks = [track(marks, 0.05)];
            let path = Path::new(&frame, &tracks).unwrap();
            path.ask(Question::Survives, Cash(40), &long(10), 0, horizon)
        };
        // At 101: 50 against 51. At 102: 60 against 51.
        assert_eq!(ask(&[100, 101, 99, 102, 80], 3), Answer::Yes);
        assert_eq!(ask(&[100, 101, 99, 102, 80], 4), Answer::No);
        // At 96 nothing is left, which isn't less than nothing.
        assert_eq!(ask(&[100, 96, 95, 102], 3), Answer::No);
        assert_eq!(ask(&[100, 96, 96, 102], 3), Answer::Yes);
        // Decided by the horizon, and undecided where the path is shorter.
        assert_eq!(ask(&[100, 99, 99, 99, 102], 3), Answer::No);
        assert_eq!(ask(&[100, 99, 99, 99], 3), Answer::No);
        assert_eq!(ask(&[100, 99, 99, 102], 4), Answer::Undecided);
        assert_eq!(ask(&[100, 99, 99, 80], 4), Answer::Undecided);
        assert_eq!(ask(&[], 4), Answer::Undecided);
    }

    /// Ten lots long at 100 with an equity of 150, and ten puts at 100 that expire after the path: what the fall takes, they give.
    #[test]
    fn options_count_for_what_they_are_worth_along_the_path() {
        let series = Series {
            market: MarketId(0),
            expiry: 400.0,
            strike: Ticks(100),
            right: Right::Put,
            settlement: Settlement::Linear,
            multiplier: Lots(1),
        };
        let rule = serde_json::from_str::<OptionMarginSettings>(r#"{"rule": {"deribit": {}}}"#);
        let rule = rule.unwrap();
        let frame = frame(1).optioned(Some([rule.clone(), rule]));
        let marks = [100, 80, 80, 80, 80];
        let mut options = OptionTrack::default();
        for (step, mark) in marks.into_iter().enumerate() {
            let contract = Contract::linear(1);
            let now = frame.seconds(step as u32);
            let listed = Listed::at(series, &contract, now, mark as f64, 0.5);
            let state = MarketState {
                contract,
                spot: mark as f64,
                widening: 1.0,
            };
            options.see(&[listed], &[true], &[state]);
        }
        let legs = [OptionLeg {
            series: SeriesId(0),
            contracts: 10,
        }];
        options.hold(0, AccountId(7), &legs);
        assert_eq!(options.held(0, AccountId(7)), legs);
        assert!(options.held(0, AccountId(8)).is_empty());
        assert!(options.held(1, AccountId(7)).is_empty());
        let tracks = [track(&marks, 0.05)];
        let path = Path::with(&frame, &tracks, &[], Some(&options)).unwrap();
        let ask = |equity, legs: &[OptionLeg], question| {
            path.ask_with(question, Cash(equity), (&long(10), legs), 0, 3)
        };
        assert_eq!(ask(150, &[], Question::Survives), Answer::No);
        assert_eq!(ask(150, &legs, Question::Survives), Answer::Yes);
        // Sold, they lose what the position loses.
        let sold = legs.map(|leg| OptionLeg {
            contracts: -10,
            ..leg
        });
        assert_eq!(ask(350, &[], Question::Survives), Answer::Yes);
        assert_eq!(ask(350, &sold, Question::Survives), Answer::No);
        // With hardly any equity even the hedged account is short of what it is asked.
        assert_eq!(ask(0, &legs, Question::Breaches), Answer::Yes);
    }

    #[test]
    fn rates_and_funding_of_the_path_count() {
        let frame = frame(1);
        let mut one = track(&[100; 5], 0.05);
        // From step 2 on 4 % are enough: 40 against 40.
        let low = Rate::from_f64(0.04);
        one.schedules.push((2, Schedule::flat(low, low)));
        let ask = |track: &Track, horizon| {
            let tracks = std::slice::from_ref(track);
            let path = Path::new(&frame, tracks).unwrap();
            path.ask(Question::Survives, Cash(40), &long(10), 0, horizon)
        };
        assert_eq!(ask(&one, 1), Answer::No);
        assert_eq!(ask(&one, 2), Answer::Yes);
        // A ten-millionth of a quantum of funding a lot rounds up to a whole one.
        one.funding[2..].fill(1);
        assert_eq!(ask(&one, 2), Answer::No);
        one.funding[3..].fill(-1_000_000);
        assert_eq!(ask(&one, 3), Answer::Yes);
        one.funding[2] = 5_000_000;
        assert_eq!(ask(&one, 4), Answer::No);
    }

    #[test]
    fn a_call_is_right_where_a_breach_follows() {
        let frame = frame(1);
        let ask = |marks: &[i64], horizon| {
            let tracks = [track(marks, 0.05)];
            let path = Path::new(&frame, &tracks).unwrap();
            path.ask(Question::Breaches, Cash(52), &long(10), 0, horizon)
        };
        // At 99: 42 against 50; at 100: 52 against 50.
        assert_eq!(ask(&[100, 105, 99], 2), Answer::Yes);
        assert_eq!(ask(&[100, 105, 99], 1), Answer::No);
        assert_eq!(ask(&[100, 105, 100], 5), Answer::Undecided);
    }

    #[test]
    fn blocks_change_no_answer() {
        let frame = frame(2);
        let draws = Draws::new(3, 0);
        let mut found = [0; 3];
        for trial in 0..400 {
            let mut s = draws.stream(Purpose::Custom, trial, 0);
            let tracks: Vec<Track> = (0..2)
                .map(|_| {
                    let mut price = 10_000.0;
                    let marks: Vec<i64> = (0..400)
                        .map(|_| {
                            price *= 1.0 + 0.002 * s.normal();
                            price as i64
                        })
                        .collect();
                    let mut track = track(&marks, 0.02);
                    let tiers = |scale: f64| {
                        Schedule::from_rates([0.01, 0.03].map(|rate| {
                            let rate = Rate::from_f64(rate * scale);
                            (Cash(3_000_000), rate, rate)
                        }))
                    };
                    track.schedules[0].1 = tiers(1.0);
                    for change in 1..1 + s.below(5) as u32 {
                        let scale = 0.8 + 0.5 * s.uniform();
                        track.schedules.push((change * 70, tiers(scale)));
                    }
                    for step in 1..400 {
                        let paid = s.below(400) as i64 - 200;
                        let paid = if step % 50 == 0 { paid * 100_000 } else { 0 };
                        track.funding[step] = track.funding[step - 1] + paid;
                    }
                    track
                })
                .collect();
            let mut path = Path::new(&frame, &tracks).unwrap();
            let from = s.below(300) as u32;
            let positions: Vec<Position> = (0..1 + s.below(2) as u16)
                .map(|market| Position {
                    market: MarketId(market),
                    quantity: Lots(s.below(1_000) as i64 - 500),
                    mark: tracks[usize::from(market)].marks[from as usize],
                })
                .collect();
            let equity = Cash(s.below(100_000) as i64);
            for question in [Question::Survives, Question::Breaches] {
                for horizon in [5, 90, 180] {
                    path.blocks = true;
                    let quick = path.ask(question, equity, &positions, from, horizon);
                    path.blocks = false;
                    let slow = path.ask(question, equity, &positions, from, horizon);
                    assert_eq!(quick, slow, "trial {trial}, {question:?}, {horizon}");
                    found[quick as usize] += 1;
                }
            }
        }
        assert!(found.iter().all(|count| *count > 50), "{found:?}");
    }
}
