//! What a run is measured against: its markets, its clock, and how it stood before the first step.

use super::settings::MeasureSettings;
use crate::engine::Setup;
use crate::margin::CrossSettings;
use crate::margin::option::OptionMarginSettings;
use crate::market::Contract;
use crate::math::Draws;
use crate::unit::{AccountId, Cash, Grid, Lots, MarketId};

/// One market before the first step.
#[derive(Clone, Debug, PartialEq)]
pub struct MarketFrame {
    /// Its name.
    pub name: String,
    /// What its integers mean.
    pub grid: Grid,
    /// What positions in it are worth.
    pub contract: Contract,
    /// Whether what is held here is collateral.
    pub spot: bool,
    /// The price at the start, in ticks.
    pub start: f64,
    /// Open interest at the start.
    pub open_interest: Lots,
    /// The parts of its margin rule; none where the rule doesn't tell them apart.
    pub parts: Vec<&'static str>,
}

/// A world before the first step.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Seconds a step.
    pub dt: f64,
    /// Its random numbers: whoever measures draws from them too, so that runs of other seeds draw anew.
    pub draws: Draws,
    /// How many steps are meant to be run.
    pub steps: u32,
    /// The markets.
    pub markets: Vec<MarketFrame>,
    /// Names of the cohorts.
    pub cohorts: Vec<String>,
    /// How many accounts traders have.
    pub accounts: u32,
    /// Balance of the insurance fund.
    pub fund: Cash,
    /// How calls and liquidations are judged.
    pub measure: MeasureSettings,
    /// How the positions of a cross account are margined together.
    pub cross: CrossSettings,
    /// The same in stress, where correlation changes in falls.
    pub cross_in_stress: Option<CrossSettings>,
    /// What accounts with options are asked, calm and in stress.
    pub option_margin: Option<[OptionMarginSettings; 2]>,
    /// Whether there are fail-safes or faults.
    pub guarded: bool,
}

impl Frame {
    /// The frame of a world that is ready to run, judged as by default.
    pub fn of(setup: &Setup) -> Self {
        let ledger = &setup.ledger;
        Self {
            dt: setup.dt,
            draws: setup.draws,
            steps: setup.steps,
            markets: setup
                .markets
                .iter()
                .zip(0..)
                .map(|(market, place)| MarketFrame {
                    name: market.name.clone(),
                    grid: market.grid,
                    contract: market.contract,
                    spot: market.spot,
                    start: market.path.first().copied().unwrap_or(f64::NAN),
                    open_interest: ledger.open_interest(MarketId(place)),
                    parts: market.rule.parts(),
                })
                .collect(),
            cohorts: setup
                .cohorts
                .iter()
                .map(|cohort| cohort.name.clone())
                .collect(),
            accounts: ledger.traders().count() as u32,
            fund: ledger.account(AccountId::FUND).cash,
            measure: MeasureSettings::default(),
            cross: CrossSettings::Sum,
            cross_in_stress: setup.stress.as_ref().map(|_| CrossSettings::Sum),
            option_margin: None,
            guarded: !setup.safety.is_empty(),
        }
    }

    /// The frame with calls and liquidations judged in another way.
    #[must_use]
    pub const fn judged(mut self, measure: MeasureSettings) -> Self {
        self.measure = measure;
        self
    }

    /// The frame with cross accounts margined in another way than by adding up, calm and in stress.
    #[must_use]
    pub fn margined(mut self, [cross, in_stress]: [CrossSettings; 2]) -> Self {
        self.cross = cross;
        self.cross_in_stress = self.cross_in_stress.map(|_| in_stress);
        self
    }

    /// The frame with accounts with options asked so, calm and in stress.
    #[must_use]
    pub fn optioned(mut self, asked: Option<[OptionMarginSettings; 2]>) -> Self {
        self.option_margin = asked;
        self
    }

    /// How they are in a step that is, or isn't, in stress.
    pub fn cross_in(&self, stressed: bool) -> &CrossSettings {
        let in_stress = self.cross_in_stress.as_ref().filter(|_| stressed);
        in_stress.unwrap_or(&self.cross)
    }

    /// How many steps an account is thought to be left alone.
    pub fn horizon(&self) -> u32 {
        self.measure.horizon(self.steps, self.dt)
    }
    /// Within how many steps a called account must fall short for its call to have been right.
    pub fn call_horizon(&self) -> u32 {
        self.measure.call_horizon(self.steps, self.dt)
    }

    /// Value of one quantum in settlement currency; all markets settle in the same.
    pub fn quantum(&self) -> f64 {
        self.markets
            .first()
            .map_or(f64::NAN, |market| market.grid.scale().quantum)
    }

    /// Seconds from the start to the end of a step.
    pub fn seconds(&self, step: u32) -> f64 {
        (f64::from(step) + 1.0) * self.dt
    }
}
