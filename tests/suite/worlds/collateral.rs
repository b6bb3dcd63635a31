//! Owners who move margin, and what of collateral doesn't count.

use super::*;
use deleverage::account::Ledger;
use deleverage::engine::CohortSetup;
use deleverage::margin::{HaircutSettings, HaircutTier, MarginSettings, RuleSettings};
use deleverage::math::Stream;
use deleverage::trader::response::{ResponseSettings, Signal};
use deleverage::unit::{AccountId, Grid, Span};

/// Owners with an isolated and a cross account, who move margin from one to the other.
pub(super) fn owners(
    s: &mut Stream,
    cohorts: &mut [CohortSetup],
    ledger: &Ledger,
) -> Vec<(AccountId, AccountId)> {
    let cross: Vec<AccountId> = ledger
        .traders()
        .filter(|id| ledger.account(*id).isolated().is_none())
        .collect();
    let mut siblings = Vec::new();
    for cohort in cohorts {
        let isolated = ledger.account(cohort.members.first).isolated().is_some();
        if isolated && !cross.is_empty() && s.chance(0.5) {
            cohort.response = ResponseSettings::MoveMargin {
                probability: 0.9,
                delay: Span::seconds(1.0),
                target: 0.5,
                on: Signal::Warning,
            };
            let members = cohort.members.iter();
            siblings.extend(members.map(|id| (id, pick(s, cross.clone()))));
        }
    }
    siblings
}

/// What of collateral doesn't count: by brackets, or all alike, sometimes more of it in a volatile market.
pub(super) fn haircut(
    s: &mut Stream,
    margin: &MarginSettings,
    market: &str,
    grid: &Grid,
) -> Box<dyn deleverage::margin::MarginRule> {
    let d = |text: &str| text.parse().unwrap();
    let settings = if s.chance(0.5) {
        HaircutSettings {
            haircut: pick(s, vec![d("0"), d("0.1"), d("0.5")]),
            ..HaircutSettings::default()
        }
    } else {
        let tier = |cap: Option<i64>, haircut: &str| HaircutTier {
            cap: cap.map(Into::into),
            haircut: d(haircut),
        };
        HaircutSettings {
            brackets: vec![
                tier(Some(200_000), "0"),
                tier(Some(1_000_000), "0.1"),
                tier(None, "1"),
            ],
            ..HaircutSettings::default()
        }
    };
    let mut margin = margin.clone();
    if s.chance(0.3) {
        let adjust = toml::from_str(
            "volatility = { fast = \"3s\", slow = \"60s\", initial = 20.0, floor = 0.5, cap = 2.0 }",
        );
        let rule = RuleSettings {
            adjust: Some(vec![adjust.unwrap()]),
            ..RuleSettings::default()
        };
        margin.market.insert(market.to_owned(), rule);
    }
    margin.build_haircut(market, settings.schedule(grid), grid)
}
