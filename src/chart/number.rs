//! Numbers as a reader expects them: thousands separators, k/M/bn suffixes, a true minus sign.

#![expect(clippy::disallowed_methods, reason = "a label, not a result")]

/// Grouped in thousands with a fixed number of decimals: `−12,345.60`.
pub(super) fn grouped(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "–".to_owned()
        } else if value > 0.0 {
            "∞".to_owned()
        } else {
            "−∞".to_owned()
        };
    }
    let plain = format!("{:.decimals$}", value.abs());
    let (whole, rest) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
    let mut out = String::with_capacity(plain.len() + whole.len() / 3 + 3);
    if value < 0.0 && plain.bytes().any(|b| b.is_ascii_digit() && b != b'0') {
        out.push('−');
    }
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out.push_str(rest);
    out
}

/// Divisor and suffix for numbers up to this magnitude.
fn suffix(magnitude: f64) -> (f64, &'static str) {
    match magnitude.abs() {
        m if m >= 1e12 => (1e12, " tn"),
        m if m >= 1e9 => (1e9, " bn"),
        m if m >= 1e6 => (1e6, " M"),
        m if m >= 1e4 => (1e3, " k"),
        _ => (1.0, ""),
    }
}

/// Three significant digits and a suffix: `12.3 M`.
pub fn compact(value: f64) -> String {
    if !value.is_finite() {
        return grouped(value, 0);
    }
    let (divisor, mut word) = suffix(value);
    let mut scaled = value / divisor;
    // 999,999 rounds to 1,000 k, which is written 1.00 M.
    if !word.is_empty() && scaled.abs() >= 999.5 && divisor < 1e12 {
        let (larger, larger_word) = suffix(divisor * 1e3);
        scaled = value / larger;
        word = larger_word;
    }
    let decimals = match scaled.abs() {
        m if m == 0.0 || m >= 99.95 => 0,
        m if m >= 9.995 => 1,
        _ => 2,
    };
    format!("{}{word}", grouped(scaled, decimals))
}

/// A price with at least four significant digits, and no decimals from a thousand on.
pub(super) fn price_label(value: f64) -> String {
    let decimals = if value == 0.0 || !value.is_finite() {
        0
    } else {
        (3.0 - value.abs().log10().floor()).clamp(0.0, 9.0) as usize
    };
    grouped(value, decimals)
}

/// A share as a percentage: `−3.4 %`.
pub(super) fn percent(share: f64, decimals: usize) -> String {
    format!("{} %", grouped(100.0 * share, decimals))
}

/// Fewest decimals that write every multiple of a step exactly.
pub(super) fn decimals_of(step: f64) -> usize {
    (0..9)
        .find(|&d| {
            let scaled = step * 10f64.powi(d);
            (scaled - scaled.round()).abs() < 1e-6 * scaled.abs().max(1e-9)
        })
        .map_or(9, |d| d as usize)
}

/// The labels of an axis's ticks, all with the same suffix and decimals.
pub(super) fn tick_labels(values: &[f64], step: f64, suffixed: bool) -> Vec<String> {
    let largest = values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    let (divisor, word) = if suffixed { suffix(largest) } else { (1.0, "") };
    let decimals = decimals_of(step / divisor);
    values
        .iter()
        .map(|&v| {
            if v == 0.0 {
                "0".to_owned()
            } else {
                format!("{}{word}", grouped(v / divisor, decimals))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(1_234_567.891, 2), "1,234,567.89");
        assert_eq!(grouped(-1_000.0, 0), "−1,000");
        assert_eq!(grouped(999.0, 0), "999");
        assert_eq!(grouped(-0.001, 2), "0.00");
        assert_eq!(grouped(f64::NAN, 2), "–");
        assert_eq!(grouped(f64::NEG_INFINITY, 2), "−∞");
    }

    #[test]
    fn suffixes_keep_three_digits() {
        assert_eq!(compact(0.0), "0");
        assert_eq!(compact(8_400.0), "8,400");
        assert_eq!(compact(12_345_678.0), "12.3 M");
        assert_eq!(compact(-4_560_000_000.0), "−4.56 bn");
        assert_eq!(compact(999_999.0), "1.00 M");
        assert_eq!(compact(0.034), "0.03");
        assert_eq!(compact(f64::INFINITY), "∞");
    }

    #[test]
    fn prices_have_four_digits() {
        assert_eq!(price_label(113_711.4), "113,711");
        assert_eq!(price_label(12.3456), "12.35");
        assert_eq!(price_label(0.218_76), "0.2188");
        assert_eq!(price_label(0.0), "0");
    }

    #[test]
    fn percentages_carry_the_sign() {
        assert_eq!(percent(-0.0342, 1), "−3.4 %");
        assert_eq!(percent(0.2, 0), "20 %");
    }

    #[test]
    fn ticks_share_a_suffix() {
        assert_eq!(
            tick_labels(&[0.0, 5e5, 1e6, 1.5e6], 5e5, true),
            ["0", "0.5 M", "1.0 M", "1.5 M"]
        );
        assert_eq!(
            tick_labels(&[112_500.0, 115_000.0], 2_500.0, false),
            ["112,500", "115,000"]
        );
        assert_eq!(decimals_of(0.025), 3);
        assert_eq!(decimals_of(20.0), 0);
    }
}
