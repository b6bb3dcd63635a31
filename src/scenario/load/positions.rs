//! Accounts and their positions: `account,market,qty,entry_price,collateral,mode`, with that header.
//!
//! `qty` is signed, + long and − short, in units of the base; `mode` is `isolated` or `cross`. An isolated
//! position has the collateral of its row. The cross positions of an account share one collateral,
//! which stands on the first of them; on the others it is empty or 0, so that it is never counted twice. An account may
//! have isolated and cross positions side by side, and one position a market.
//!
//! # Units
//!
//! Decimals, exactly as written; no grid is applied here.

use super::{Findings, LoadError, columns, quoted, read_text, rows};
use crate::unit::MarketId;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

const EXPECTED: &str = "account,market,qty,entry_price,collateral,mode";

/// What backs a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PositionMode {
    /// Collateral of its own.
    Isolated,
    /// The account's collateral, with all its other cross positions.
    Cross,
}

/// One position of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PositionRow {
    /// The line on which it stands.
    pub line: u64,
    /// The account, as its owner names it.
    pub account: String,
    /// The market, by its place in the scenario.
    pub market: MarketId,
    /// + long, − short, in units of the base; not zero.
    pub quantity: Decimal,
    /// The price at which it was entered; above zero.
    pub entry_price: Decimal,
    /// The position's (isolated) or the account's (cross, on its first row) collateral; zero on further cross rows.
    pub collateral: Decimal,
    /// What backs it.
    pub mode: PositionMode,
}

/// Reads a file of positions in these markets, in the order of the file.
///
/// # Errors
///
/// [`LoadError`], with all lines that are wrong.
pub fn load(path: &Path, markets: &[&str]) -> Result<Vec<PositionRow>, LoadError> {
    let text = read_text(path)?;
    let rows = rows(path, &text)?;
    let empty = LoadError::Empty {
        path: path.to_owned(),
        expected: "positions (account,market,qty,entry_price,collateral,mode)",
    };
    let Some(((_, header), rows)) = rows.split_first() else {
        return Err(empty);
    };
    let wanted: [&[&str]; 6] = [
        &["account"],
        &["market"],
        &["qty", "quantity"],
        &["entry_price"],
        &["collateral"],
        &["mode"],
    ];
    let places = columns(path, header, wanted, EXPECTED)?;
    if rows.is_empty() {
        return Err(empty);
    }
    let mut findings = Findings::default();
    let mut positions = Vec::with_capacity(rows.len());
    // Lines of the first row of each (account, market), and of each account's first cross row.
    let mut taken: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut backed: BTreeMap<&str, u64> = BTreeMap::new();
    for (line, row) in rows {
        let line = *line;
        let needed = places.iter().max().map_or(0, |last| last + 1);
        if row.len() < needed {
            findings.add(
                line,
                super::count(row.len() as u64, "field"),
                format!("{needed} ({EXPECTED})"),
                Some("leave a field empty rather than out".into()),
            );
            continue;
        }
        let [account, market, quantity, entry_price, collateral, mode] =
            places.map(|place| &row[place]);
        if account.is_empty() {
            findings.add(line, "account nothing", "a name or number", None);
        }
        let found_market = markets.iter().position(|name| *name == market);
        if found_market.is_none() {
            findings.add(
                line,
                format!("market {}", quoted(market)),
                format!("one of {}", markets.join(", ")),
                nearest(market, markets),
            );
        }
        if !account.is_empty()
            && let Some(first) = taken.insert((account, market), line)
        {
            taken.insert((account, market), first);
            findings.add(
                line,
                format!("a second position of account {account} in {market}"),
                format!("one a market (the first is on line {first})"),
                Some("add them up, or give them accounts of their own".into()),
            );
        }
        let mut number = |name: &str, field: &str, expected: &str, fits: fn(&Decimal) -> bool| {
            let read = decimal(field).filter(fits);
            if read.is_none() {
                findings.add(line, format!("{name} {}", quoted(field)), expected, None);
            }
            read
        };
        let quantity = number(
            "qty",
            quantity,
            "a number other than 0, + long and - short",
            |n| !n.is_zero(),
        );
        let entry_price = number("entry_price", entry_price, "a number above 0", |n| {
            *n > Decimal::ZERO
        });
        let mode = match mode {
            "isolated" => Some(PositionMode::Isolated),
            "cross" => Some(PositionMode::Cross),
            _ => {
                findings.add(
                    line,
                    format!("mode {}", quoted(mode)),
                    "isolated or cross",
                    nearest(mode, &["isolated", "cross"]),
                );
                None
            }
        };
        let further = match mode {
            Some(PositionMode::Cross) => match backed.get(account) {
                Some(first) => Some(*first),
                None => {
                    backed.insert(account, line);
                    None
                }
            },
            _ => None,
        };
        let read = if collateral.is_empty() && further.is_some() {
            Some(Decimal::ZERO)
        } else {
            decimal(collateral).filter(|n| *n >= Decimal::ZERO)
        };
        match (read, further) {
            (None, _) => findings.add(
                line,
                format!("collateral {}", quoted(collateral)),
                "a number of 0 or more",
                None,
            ),
            (Some(more), Some(first)) if !more.is_zero() => findings.add(
                line,
                format!("collateral {more} on a further cross position of account {account}"),
                format!("nothing or 0: cross positions share the collateral of line {first}"),
                Some(format!(
                    "state the account's whole collateral on line {first}, or make this position isolated"
                )),
            ),
            _ => {}
        }
        if let (Some(market), Some(quantity), Some(entry_price), Some(collateral), Some(mode)) =
            (found_market, quantity, entry_price, read, mode)
        {
            positions.push(PositionRow {
                line,
                account: account.to_owned(),
                market: MarketId(market as u16),
                quantity,
                entry_price,
                collateral,
                mode,
            });
        }
    }
    findings.check(path)?;
    Ok(positions)
}

/// A decimal, plain or with an exponent.
fn decimal(field: &str) -> Option<Decimal> {
    field
        .parse()
        .or_else(|_| Decimal::from_scientific(field))
        .ok()
}

/// The valid name that looks most like one that isn't.
fn nearest(found: &str, valid: &[&str]) -> Option<String> {
    let mut best: Option<(f64, &str)> = None;
    for name in valid {
        let alike = strsim::jaro_winkler(&found.to_lowercase(), &name.to_lowercase());
        if best.is_none_or(|(most, _)| alike > most) {
            best = Some((alike, name));
        }
    }
    best.filter(|(alike, _)| *alike > 0.7)
        .map(|(_, name)| format!("did you mean {name}?"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, gzipped};
    use super::*;

    const HEADER: &str = "account,market,qty,entry_price,collateral,mode\n";
    const MARKETS: [&str; 2] = ["BTC-PERP", "ETH-PERP"];

    fn read(rows: &str) -> Result<Vec<PositionRow>, String> {
        let (dir, path) = file("p.csv", format!("{HEADER}{rows}").as_bytes());
        load(&path, &MARKETS).map_err(|error| {
            error
                .to_string()
                .replace(&format!("{}/", dir.path().display()), "")
        })
    }

    #[test]
    fn positions_are_read_as_written() {
        let rows = "7,BTC-PERP,0.5,110000.5,5500,cross\n7,ETH-PERP,-3,4000,,cross\n\
                    8,ETH-PERP,1e-2,4000,4,isolated\n";
        let positions = read(rows).unwrap();
        assert_eq!(
            positions[0],
            PositionRow {
                line: 2,
                account: "7".into(),
                market: MarketId(0),
                quantity: "0.5".parse().unwrap(),
                entry_price: "110000.5".parse().unwrap(),
                collateral: Decimal::from(5500),
                mode: PositionMode::Cross,
            }
        );
        assert_eq!(positions[1].collateral, Decimal::ZERO);
        assert_eq!(positions[2].quantity, "0.01".parse().unwrap());
        let (_dir, path) = file("p.csv.gz", &gzipped(&format!("{HEADER}{rows}")));
        assert_eq!(load(&path, &MARKETS).unwrap(), positions);
    }

    #[test]
    fn every_wrong_line_is_named_at_once() {
        let said = read(
            "7,BTC-PREP,0.5,110000,5500,cross\n\
             8,ETH-PERP,0,-4000,-1,isolate\n\
             9,ETH-PERP,1,4000,100,cross\n\
             9,ETH-PERP,2,4000,0,cross\n\
             9,BTC-PERP,2,many,7,cross\n\
             ,DOGE,1,1,,isolated\n\
             9,BTC-PERP\n",
        )
        .unwrap_err();
        assert_eq!(
            said,
            "p.csv: 12 problems\n\
            \x20 line 2: found market \"BTC-PREP\", expected one of BTC-PERP, ETH-PERP; did you mean BTC-PERP?\n\
            \x20 line 3: found qty \"0\", expected a number other than 0, + long and - short\n\
            \x20 line 3: found entry_price \"-4000\", expected a number above 0\n\
            \x20 line 3: found mode \"isolate\", expected isolated or cross; did you mean isolated?\n\
            \x20 line 3: found collateral \"-1\", expected a number of 0 or more\n\
            \x20 line 5: found a second position of account 9 in ETH-PERP, expected one a market (the first is on line 4); add them up, or give them accounts of their own\n\
            \x20 line 6: found entry_price \"many\", expected a number above 0\n\
            \x20 line 6: found collateral 7 on a further cross position of account 9, expected nothing or 0: cross positions share the collateral of line 4; state the account's whole collateral on line 4, or make this position isolated\n\
            \x20 line 7: found account nothing, expected a name or number\n\
            \x20 line 7: found market \"DOGE\", expected one of BTC-PERP, ETH-PERP\n\
            \x20 line 7: found collateral nothing, expected a number of 0 or more\n\
            \x20 line 8: found 2 fields, expected 6 (account,market,qty,entry_price,collateral,mode); leave a field empty rather than out"
        );
    }

    #[test]
    fn a_header_is_required() {
        let (_dir, path) = file("p.csv", b"7,BTC-PERP,0.5,110000,5500,cross\n");
        let said = load(&path, &MARKETS).unwrap_err().to_string();
        assert!(
            said.ends_with("line 1: found the columns 7,BTC-PERP,0.5,110000,5500,cross, expected account,market,qty,entry_price,collateral,mode; missing: account, market, qty, entry_price, collateral, mode"),
            "{said}"
        );
        assert!(
            read("")
                .unwrap_err()
                .contains("holds no rows, expected positions")
        );
    }
}
