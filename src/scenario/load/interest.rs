//! Open interest of options: `account,expiry,strike,type,qty`, with that header.
//!
//! `qty` is in contracts. Of a named account it is signed, + long and − short; without a name it is how many there are, whoever has
//! them, and above zero. `expiry` is a length of time after the start or a date, `type` is `call` or `put`.

use super::{Findings, LoadError, columns, count, quoted, read_text, rows};
use crate::market::option::Right;
use crate::path::Moment;
use std::path::Path;

const EXPECTED: &str = "account,expiry,strike,type,qty";

/// One line of open interest.
#[derive(Clone, Debug, PartialEq)]
pub struct InterestRow {
    /// The line on which it stands.
    pub line: u64,
    /// The account, as its owner names it; nobody in particular where left empty.
    pub account: Option<String>,
    /// When the options expire.
    pub expiry: Moment,
    /// The strike, in settlement currency.
    pub strike: f64,
    /// Call or put.
    pub right: Right,
    /// Contracts.
    pub quantity: f64,
}

/// Reads a file of open interest, in the order of the file.
///
/// # Errors
///
/// [`LoadError`], with all lines that are wrong.
pub fn load(path: &Path) -> Result<Vec<InterestRow>, LoadError> {
    let text = read_text(path)?;
    let rows = rows(path, &text)?;
    let empty = LoadError::Empty {
        path: path.to_owned(),
        expected: "open interest (account,expiry,strike,type,qty)",
    };
    let Some(((_, header), rows)) = rows.split_first() else {
        return Err(empty);
    };
    let wanted: [&[&str]; 5] = [
        &["account"],
        &["expiry"],
        &["strike"],
        &["type", "right"],
        &["qty", "quantity"],
    ];
    let places = columns(path, header, wanted, EXPECTED)?;
    if rows.is_empty() {
        return Err(empty);
    }
    let mut findings = Findings::default();
    let mut found = Vec::with_capacity(rows.len());
    for (line, row) in rows {
        let line = *line;
        let needed = places.iter().max().map_or(0, |last| last + 1);
        if row.len() < needed {
            findings.add(
                line,
                count(row.len() as u64, "field"),
                format!("{needed} ({EXPECTED})"),
                Some("leave a field empty rather than out".into()),
            );
            continue;
        }
        let [account, expiry, strike, right, quantity] = places.map(|place| &row[place]);
        let when = Moment::parse(expiry);
        if when.is_none() {
            findings.add(
                line,
                format!("expiry {}", quoted(expiry)),
                "a date and time such as 2020-03-27T08:00:00Z, or a length such as 14d",
                None,
            );
        }
        let number = |text: &str| text.parse().ok().filter(|n: &f64| n.is_finite());
        let at = number(strike).filter(|strike| *strike > 0.0);
        if at.is_none() {
            findings.add(
                line,
                format!("strike {}", quoted(strike)),
                "a price above 0",
                None,
            );
        }
        let kind = match right.to_ascii_lowercase().as_str() {
            "call" | "c" => Some(Right::Call),
            "put" | "p" => Some(Right::Put),
            _ => None,
        };
        if kind.is_none() {
            findings.add(line, format!("type {}", quoted(right)), "call or put", None);
        }
        let named = !account.is_empty();
        let size = number(quantity).filter(|n| *n > 0.0 || (named && *n < 0.0));
        if size.is_none() {
            let expected = if named {
                "a number other than 0, + long and - short"
            } else {
                "a number above 0: open interest of nobody in particular has no side"
            };
            findings.add(line, format!("qty {}", quoted(quantity)), expected, None);
        }
        if let (Some(expiry), Some(strike), Some(right), Some(quantity)) = (when, at, kind, size) {
            found.push(InterestRow {
                line,
                account: named.then(|| account.to_owned()),
                expiry,
                strike,
                right,
                quantity,
            });
        }
    }
    findings.check(path)?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::testing::file;
    use super::*;
    use crate::unit::Span;

    #[test]
    fn accounts_and_nobody_in_particular() {
        let (_dir, path) = file(
            "oi.csv",
            b"account,expiry,strike,type,qty\n7,14d,9000,put,-12\n,2020-03-27T08:00:00Z,10000,C,250.5\n",
        );
        let rows = load(&path).unwrap();
        assert_eq!(
            rows[0],
            InterestRow {
                line: 2,
                account: Some("7".to_owned()),
                expiry: Moment::After(Span::seconds(14.0 * 86_400.0)),
                strike: 9_000.0,
                right: Right::Put,
                quantity: -12.0,
            }
        );
        assert_eq!(
            (rows[1].account.as_deref(), rows[1].right),
            (None, Right::Call)
        );
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let (_dir, path) = file(
            "oi.csv",
            b"account,expiry,strike,type,qty\n7,soon,0,straddle,0\n,14d,9000,put,-1\n7,14d\n",
        );
        let said = load(&path).unwrap_err().to_string();
        for part in [
            "6 problems",
            "expiry \"soon\"",
            "strike",
            "call or put",
            "line 3",
            "line 4",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}
