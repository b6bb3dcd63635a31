//! What happened on venues, as shipped scenarios, and what another rule would have made of it.

use deleverage::experiment::{Finished, Run};
use deleverage::scenario::Document;
use std::path::Path;

/// A shipped scenario with settings changed.
fn run(name: &str, patches: &[&str]) -> Finished {
    let file = format!("{}/configs/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let mut document = Document::open(Path::new(&file)).unwrap();
    for patch in patches {
        document.patch(patch);
    }
    let scenario = document
        .read()
        .unwrap_or_else(|problems| panic!("{problems}"));
    Run::new(&scenario).audit_every_step(true).finish().unwrap()
}

fn metric(finished: &Finished, name: &str) -> f64 {
    finished.summary.value(name, None).unwrap()
}

#[test]
fn a_step_of_brackets_liquidates_on_a_standing_price_and_one_with_notice_does_not() {
    let began = |finished: &Finished| {
        let rows = finished.run.series.world();
        rows.iter().position(|row| row.liquidations > 0)
    };
    let at_once = run("hive-step", &[]);
    // The step of five seconds that begins an hour after the start.
    assert_eq!(began(&at_once), Some(720));
    assert!(metric(&at_once, "liquidations") > 100.0);
    let announced = run("hive-step", &["margin.adjust.0.scheduled.notice=12h"]);
    assert_eq!(began(&announced), None);
}

#[test]
fn an_edit_of_tiers_liquidates_small_positions_and_spares_large_ones() {
    let began = |finished: &Finished| {
        let rows = finished.run.series.world();
        rows.iter().position(|row| row.liquidations > 0)
    };
    let edited = run("okx-edit", &[]);
    assert_eq!(began(&edited), Some(720));
    let liquidated = edited.run.events.iter();
    let sizes: Vec<i64> = liquidated
        .filter(|event| event.kind == deleverage::engine::EventKind::LiquidationBegan)
        .map(|event| event.quantity.0.abs())
        .collect();
    assert!(sizes.len() >= 50);
    // 65,000 contracts were the old first tier: whoever held more had to hold more.
    let small = sizes.iter().filter(|lots| **lots <= 65_000).count();
    assert!(small * 10 >= sizes.len() * 9, "{small} of {}", sizes.len());
    assert_eq!(
        began(&run("okx-edit", &["margin.adjust.0.scheduled.notice=12h"])),
        None
    );
}

#[test]
fn what_the_vault_may_lose_decides_who_pays() {
    let limit = |share: f64| {
        let patch = format!("liquidation.backstop.loss_limit={share}");
        run("jelly", &[&patch])
    };
    let (before, after) = (limit(1.0), limit(0.1));
    // Without a limit the vault bears the rise, with one the winners are closed.
    assert_eq!(metric(&before, "adl_notional"), 0.0);
    assert!(metric(&after, "adl_notional") > 1e6);
    let lost = |finished: &Finished| 20e6 - metric(finished, "backstop_equity");
    assert!(lost(&before) > 5e6, "{}", lost(&before));
    assert!((1e6..3e6).contains(&lost(&after)), "{}", lost(&after));
}

#[test]
fn gas_that_keeps_keepers_away_makes_auctions_for_nothing() {
    let dear = run("march-2020-maker", &[]);
    assert_eq!(metric(&dear, "conservation"), 0.0);
    let share = metric(&dear, "zero_bid_share");
    assert!((0.2..0.5).contains(&share), "{share}");
    assert!(metric(&dear, "zero_bid_notional") > 1e6);
    // The same delays at the usual price: everybody bids.
    let cheap = run("march-2020-maker", &["fault.0.kind.congestion.gas=1"]);
    assert!(metric(&cheap, "zero_bid_share") < 0.02);
    assert!(metric(&cheap, "bad_debt") < 0.5 * metric(&dear, "bad_debt"));
    // Under falling auctions nobody who is alone names the price.
    let falling = run("march-2020-maker", &["liquidation.policy=dutch_auction"]);
    assert_eq!(metric(&falling, "zero_bid_share"), 0.0);
    assert!(metric(&falling, "bad_debt") < 0.5 * metric(&dear, "bad_debt"));
}
