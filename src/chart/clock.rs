//! The time axis: `HH:MM` in UTC where the run has a date, elapsed time where it has none.
//!
//! # Units
//! Seconds since the start of the run; the start in seconds since 1970-01-01T00:00Z.

use super::number;
use super::scale::{Tick, multiples, round_step};

const DAY: f64 = 86_400.0;
/// Distances between ticks that people find round.
const STEPS: [f64; 20] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0,
    10_800.0, 21_600.0, 43_200.0, DAY, 172_800.0, 604_800.0,
];

/// The least round length of time that is not below the raw one.
pub(super) fn round_span(raw: f64) -> f64 {
    if raw < 1.0 {
        return round_step(raw);
    }
    STEPS
        .into_iter()
        .find(|&step| step >= raw * (1.0 - 1e-9))
        .unwrap_or_else(|| round_step(raw / DAY).ceil() * DAY)
}

/// A length of time in words: `5 min`.
pub(super) fn span_words(seconds: f64) -> String {
    for (word, factor) in [("d", DAY), ("h", 3_600.0), ("min", 60.0)] {
        if seconds >= factor && seconds % factor == 0.0 {
            return format!("{} {word}", number::grouped(seconds / factor, 0));
        }
    }
    format!(
        "{} s",
        number::grouped(seconds, number::decimals_of(seconds))
    )
}

/// Ticks of a time axis and its title.
pub(super) fn axis(low: f64, high: f64, start: Option<i64>, wanted: usize) -> (Vec<Tick>, String) {
    let raw = (high - low) / wanted.max(1) as f64;
    let step = round_span(raw);
    match start {
        Some(start) if step > 14.0 * DAY => calendar(low, high, start, raw),
        Some(start) if step >= 1.0 => dated(low, high, start, step),
        _ => elapsed(low, high, step),
    }
}

fn elapsed(low: f64, high: f64, step: f64) -> (Vec<Tick>, String) {
    let unit = if step >= DAY {
        "days"
    } else if high >= 3_600.0 && step >= 60.0 {
        "h:mm"
    } else if high >= 3_600.0 && step >= 1.0 {
        "h:mm:ss"
    } else if high >= 60.0 && step >= 1.0 {
        "m:ss"
    } else {
        "s"
    };
    let label = |t: f64| {
        let sign = if t < 0.0 { "−" } else { "" };
        let whole = t.abs().round() as u64;
        let (h, m, s) = (whole / 3_600, whole / 60 % 60, whole % 60);
        match unit {
            "days" => number::grouped(t / DAY, 0),
            "h:mm" => format!("{sign}{h}:{m:02}"),
            "h:mm:ss" => format!("{sign}{h}:{m:02}:{s:02}"),
            "m:ss" => format!("{sign}{}:{s:02}", whole / 60),
            _ => number::grouped(t, number::decimals_of(step)),
        }
    };
    let ticks = multiples(low, high, step)
        .into_iter()
        .map(|value| Tick {
            label: label(value),
            value,
        })
        .collect();
    (ticks, format!("Elapsed time ({unit})"))
}

fn dated(low: f64, high: f64, start: i64, step: f64) -> (Vec<Tick>, String) {
    let origin = start as f64;
    let write = |seconds: f64, format: &str| {
        jiff::Timestamp::from_second(seconds.floor() as i64)
            .map_or_else(|_| "–".to_owned(), |t| t.strftime(format).to_string())
    };
    let ticks = multiples(origin + low, origin + high, step)
        .into_iter()
        .map(|at| {
            let midnight = at.rem_euclid(DAY) == 0.0;
            let label = if step >= DAY || (midnight && high - low > 0.5 * DAY) {
                write(at, "%-d %b")
            } else if step < 60.0 {
                write(at, "%H:%M:%S")
            } else {
                write(at, "%H:%M")
            };
            Tick {
                value: at - origin,
                label,
            }
        })
        .collect();
    let (first, last) = (origin + low, origin + high);
    let days = if (first / DAY).floor() == (last / DAY).floor() {
        write(first, "%-d %b %Y")
    } else {
        format!("{} – {}", write(first, "%-d %b"), write(last, "%-d %b %Y"))
    };
    let clock = if step >= DAY {
        "day"
    } else if step < 60.0 {
        "HH:MM:SS"
    } else {
        "HH:MM"
    };
    (ticks, format!("Time ({clock} UTC), {days}"))
}

/// Ticks at the beginnings of months or years, for histories.
fn calendar(low: f64, high: f64, start: i64, raw: f64) -> (Vec<Tick>, String) {
    let origin = start as f64;
    let moment = |seconds: f64| {
        jiff::Timestamp::from_second((origin + seconds).floor() as i64)
            .unwrap_or_default()
            .to_zoned(jiff::tz::TimeZone::UTC)
    };
    let raw = raw / (365.25 / 12.0 * DAY);
    let months = [1, 2, 3, 6, 12, 24, 60]
        .into_iter()
        .find(|months| f64::from(*months) >= 0.9 * raw)
        .unwrap_or(120);
    let (first, last) = (moment(low), moment(high));
    // Months since the year 0, at a multiple of the step.
    let begin = (i32::from(first.year()) * 12 + i32::from(first.month()) - 1).div_euclid(months);
    let ticks = (begin..)
        .map(|k| k * months)
        .take(200)
        .filter_map(|month| {
            let year = i16::try_from(month.div_euclid(12)).ok()?;
            let of_year = i8::try_from(month.rem_euclid(12) + 1).ok()?;
            let day = jiff::civil::Date::new(year, of_year, 1).ok()?;
            let at = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
            let format = if months % 12 == 0 { "%Y" } else { "%b %Y" };
            Some(Tick {
                value: at.timestamp().as_second() as f64 - origin,
                label: at.strftime(format).to_string(),
            })
        })
        .skip_while(|tick| tick.value < low)
        .take_while(|tick| tick.value <= high)
        .collect();
    let title = format!(
        "Time (UTC), {} – {}",
        first.strftime("%-d %b %Y"),
        last.strftime("%-d %b %Y")
    );
    (ticks, title)
}

/// A moment of a run to the second: the time of day where there is a start, else the time since.
pub(super) fn moment(start: Option<i64>, seconds: f64) -> String {
    let of_day = match start {
        Some(start) => (start + seconds.round() as i64).rem_euclid(86_400),
        None => seconds.round() as i64,
    };
    format!(
        "{:02}:{:02}:{:02}",
        of_day / 3_600,
        of_day / 60 % 60,
        of_day % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|t| t.label.as_str()).collect()
    }

    #[test]
    fn dated_runs_show_the_clock() {
        // 2025-10-10T20:50:00Z
        let (ticks, title) = axis(0.0, 3_600.0, Some(1_760_129_400), 6);
        assert_eq!(
            labels(&ticks),
            [
                "20:50", "21:00", "21:10", "21:20", "21:30", "21:40", "21:50"
            ]
        );
        assert_eq!(title, "Time (HH:MM UTC), 10 Oct 2025");
    }

    #[test]
    fn midnight_shows_the_day() {
        let (ticks, title) = axis(0.0, DAY, Some(1_760_129_400), 5);
        assert!(labels(&ticks).contains(&"11 Oct"));
        assert_eq!(title, "Time (HH:MM UTC), 10 Oct – 11 Oct 2025");
    }

    #[test]
    fn histories_show_months_or_years() {
        // From 2018-08-17 on, for seven and a half years, and for one.
        let (ticks, title) = axis(0.0, 2_738.0 * DAY, Some(1_534_464_000), 11);
        assert_eq!(
            labels(&ticks),
            [
                "2019", "2020", "2021", "2022", "2023", "2024", "2025", "2026"
            ]
        );
        assert_eq!(title, "Time (UTC), 17 Aug 2018 – 14 Feb 2026");
        let (ticks, _) = axis(0.0, 365.0 * DAY, Some(1_534_464_000), 6);
        assert_eq!(
            labels(&ticks),
            [
                "Sep 2018", "Nov 2018", "Jan 2019", "Mar 2019", "May 2019", "Jul 2019"
            ]
        );
    }

    #[test]
    fn undated_runs_show_elapsed_time() {
        let (ticks, title) = axis(0.0, 10_800.0, None, 6);
        assert_eq!(title, "Elapsed time (h:mm)");
        assert_eq!(labels(&ticks)[..2], ["0:00", "0:30"]);
        assert_eq!(axis(0.0, 120.0, None, 4).1, "Elapsed time (m:ss)");
        assert_eq!(labels(&axis(0.0, 2.0, None, 4).0)[1], "0.5");
        assert_eq!(axis(0.0, 30.0 * DAY, None, 6).1, "Elapsed time (days)");
    }

    #[test]
    fn years_out_of_range_do_not_panic() {
        let (ticks, _) = axis(0.0, 3_600.0, Some(i64::MAX), 6);
        assert!(ticks.len() < 300);
    }

    #[test]
    fn spans_have_words() {
        assert_eq!(span_words(300.0), "5 min");
        assert_eq!(span_words(0.5), "0.5 s");
        assert_eq!(round_span(70.0), 120.0);
        assert_eq!(round_span(1e7), 100.0 * DAY);
    }
}
