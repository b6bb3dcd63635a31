//! What is compared: a scenario under a name, and how one becomes another's variant.

use crate::liquidation::policy::PolicySettings;
use crate::margin::MarginSettings;
use crate::scenario::{Problems, Scenario};

/// A scenario with the name under which it is compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// What is run.
    pub scenario: Scenario,
}

impl Variant {
    /// A scenario as it is.
    pub fn new(name: impl Into<String>, scenario: Scenario) -> Self {
        Self {
            name: name.into(),
            scenario,
        }
    }

    /// A scenario under another margin rule: bases and adjustments are the rule's, in every market. Thresholds and
    /// grace are the rule's where it says other than the defaults, else the scenario's; reducing only is asked for
    /// where either does. A rule of a user's own gives way.
    pub fn ruled(name: impl Into<String>, scenario: &Scenario, rule: &MarginSettings) -> Self {
        let mut scenario = scenario.clone().without_rules();
        let before = std::mem::replace(&mut scenario.margin, rule.clone());
        let usual = MarginSettings::default();
        let after = &mut scenario.margin;
        // A rule for one market that doesn't trade here has nothing to say.
        after
            .market
            .retain(|market, _| scenario.markets.contains(market));
        if after.warn == usual.warn && after.call == usual.call {
            (after.warn, after.call) = (before.warn, before.call);
        }
        if after.grace == usual.grace {
            after.grace = before.grace;
        }
        after.reduce_only |= before.reduce_only;
        if after.cross == usual.cross {
            after.cross = before.cross;
        }
        Self::new(name, scenario)
    }

    /// A scenario whose positions are closed by another policy.
    pub fn policed(name: impl Into<String>, scenario: &Scenario, policy: PolicySettings) -> Self {
        let mut scenario = scenario.clone();
        scenario.liquidation.policy = policy;
        scenario.liquidation.market.clear();
        scenario.liquidation.supply_keepers();
        Self::new(name, scenario)
    }

    /// A scenario with some settings changed, each as `path=value`.
    ///
    /// # Errors
    ///
    /// All [`Problems`] of the scenario as it would be.
    pub fn patched(
        name: impl Into<String>,
        scenario: &Scenario,
        patches: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, Problems> {
        Ok(Self::new(name, scenario.patched(patches)?))
    }
}
