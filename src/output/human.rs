//! Numbers for people: `$1.23bn`, `4.5 %`, `12,345`, `1 h 05 min`.

use crate::measure::Unit;

/// A number in its unit. `currency` is the settlement currency's name; dollars and dollar
/// stablecoins get their sign.
pub fn number(value: f64, unit: Unit, currency: &str) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "-".to_owned()
        } else {
            format!("{}∞", if value < 0.0 { "-" } else { "" })
        };
    }
    match unit {
        Unit::Currency => money(value, currency),
        Unit::Share => format!("{} %", digits(value * 100.0)),
        Unit::Ratio => format!("{}×", digits(value)),
        Unit::Count | Unit::Quanta => thousands(value),
        Unit::Seconds => duration(value),
        Unit::BasisPoints => format!("{} bp", digits(value)),
    }
}

/// An amount of money with three digits or so.
fn money(value: f64, currency: &str) -> String {
    let dollars = matches!(currency, "USD" | "USDC" | "USDT" | "$" | "USDe" | "USDH");
    let sign = if value < 0.0 { "-" } else { "" };
    let size = value.abs();
    let (scaled, suffix) = match size {
        s if s >= 999.5e6 => (s / 1e9, "bn"),
        s if s >= 999.5e3 => (s / 1e6, "m"),
        s if s >= 9_999.5 => (s / 1e3, "k"),
        s => (s, ""),
    };
    let text = if suffix.is_empty() && size >= 1_000.0 || size == 0.0 {
        thousands(scaled)
    } else {
        digits(scaled)
    };
    if dollars {
        format!("{sign}${text}{suffix}")
    } else {
        format!("{sign}{text}{suffix} {currency}")
    }
}

/// Three digits or so, at most three after the point.
fn digits(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 999.5 => thousands(value),
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        size if size >= 0.995 => format!("{value:.2}"),
        size if size >= 0.0005 => format!("{value:.3}"),
        _ => format!("{value:.0e}"),
    }
}

/// A number in full, with so many places after the point.
pub fn figures(value: f64, places: usize) -> String {
    let text = format!("{value:.places$}");
    match text.split_once('.') {
        Some((whole, part)) => format!("{}.{part}", thousands(whole.parse().unwrap_or(value))),
        None => thousands(value),
    }
}

/// Whole numbers with a comma between thousands.
fn thousands(value: f64) -> String {
    let plain = format!("{:.0}", value.abs());
    let mut text = String::new();
    if value < 0.0 && plain != "0" {
        text.push('-');
    }
    for (place, digit) in plain.chars().enumerate() {
        if place > 0 && (plain.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A length of time in its two largest units.
fn duration(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{} s", digits(seconds));
    }
    let whole = seconds.round() as u64;
    let (large, small, names) = match whole {
        s if s < 3_600 => (s / 60, s % 60, ("min", "s")),
        s if s < 86_400 => (s / 3_600, s % 3_600 / 60, ("h", "min")),
        s => (s / 86_400, s % 86_400 / 3_600, ("d", "h")),
    };
    format!("{large} {} {small:02} {}", names.0, names.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        let cases = [
            (1.234e9, Unit::Currency, "$1.23bn"),
            (-45_678.0, Unit::Currency, "-$45.7k"),
            (9_876.4, Unit::Currency, "$9,876"),
            (0.0, Unit::Currency, "$0"),
            (12.5, Unit::Currency, "$12.5"),
            (123.456e9, Unit::Currency, "$123bn"),
            (0.045, Unit::Share, "4.50 %"),
            (0.142, Unit::Share, "14.2 %"),
            (1.0, Unit::Share, "100 %"),
            (12_345.0, Unit::Count, "12,345"),
            (1_234_567.0, Unit::Count, "1,234,567"),
            (0.0, Unit::Quanta, "0"),
            (1.0, Unit::Ratio, "1.00×"),
            (f64::INFINITY, Unit::Ratio, "∞"),
            (12.0, Unit::Seconds, "12.0 s"),
            (3_900.0, Unit::Seconds, "1 h 05 min"),
            (75.0, Unit::Seconds, "1 min 15 s"),
            (12.34, Unit::BasisPoints, "12.3 bp"),
        ];
        for (value, unit, text) in cases {
            assert_eq!(number(value, unit, "USDC"), text);
        }
        assert_eq!(number(2e6, Unit::Currency, "EUR"), "2.00m EUR");
    }
}
