//! The reproduction number R_w(t): would a move of size w force enough orders to make itself again.
//!
//! # Units
//! R is forced quantity within a move over book quantity that the move needs: a pure ratio. It's 0
//! where nothing would be forced and infinite where the book is empty.

use super::canvas::{Canvas, Finish};
use super::layout;
use super::panel::{EndLabel, Line, Panel, Room};
use super::scale::{Scale, Tick, extent};
use super::{Chart, ChartError, Options, number, same_length, theme};
use plotters::style::RGBColor;

/// R over time for several sizes of move.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReproductionData {
    /// The market's name.
    pub market: String,
    /// When the run starts, in seconds since 1970 UTC.
    pub start: Option<i64>,
    /// Seconds since the start.
    pub time: Vec<f64>,
    /// One entry per size of move, smallest first.
    pub moves: Vec<Move>,
}

/// R over time for one size of move.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Move {
    /// Size of the move as a share of the price: 0.01 is one per cent.
    pub size: f64,
    /// R of a fall: forced sells over bids.
    pub down: Vec<f64>,
    /// R of a rise: forced buys over asks.
    pub up: Vec<f64>,
}

/// Beyond this a linear axis would flatten the neighbourhood of 1.
const LOG_BEYOND: f64 = 5.0;
/// The floor of a logarithmic axis; less counts as nothing.
const FLOOR: f64 = 0.01;

/// Draws R of falls above and R of rises below, with the same scale and the line at 1.
pub fn reproduction(data: &ReproductionData, options: &Options) -> Result<Chart, ChartError> {
    for entry in &data.moves {
        same_length("down", entry.down.len(), data.time.len())?;
        same_length("up", entry.up.len(), data.time.len())?;
    }
    let mut canvas = options.sheet()?;
    canvas.clock(data.start);
    let own_title = format!("{}: would a small move finance itself?", data.market);
    let title = options.title_or(&own_title);
    let top = layout::headline(&mut canvas, title, options.subtitle.as_deref())?;

    let x = layout::time_scale(&data.time);
    let rows = layout::stack(canvas.width, top, canvas.height, &[0.5, 0.5]);
    let (y, y_ticks) = ratio_scale(data, rows[0].1 - rows[0].0);
    let count = data.moves.len();
    let sides = [
        (
            "Falls: R = forced sells ÷ bids within w of mid (ratio)",
            "down",
            theme::DOWNWARD,
            data.moves.iter().map(|m| &m.down).collect::<Vec<_>>(),
        ),
        (
            "Rises: R = forced buys ÷ asks within w of mid (ratio)",
            "up",
            theme::UPWARD,
            data.moves.iter().map(|m| &m.up).collect::<Vec<_>>(),
        ),
    ];
    let labels: Vec<Vec<EndLabel>> = sides
        .iter()
        .map(|(_, _, ramp, columns)| {
            (0..count)
                .map(|i| {
                    let mut label =
                        end_label(data.moves[i].size, columns[i], shade(ramp, i, count));
                    if layout::is_narrow(canvas.width) {
                        label.text = move_words(data.moves[i].size);
                    }
                    label
                })
                .collect()
        })
        .collect();
    let left = layout::tick_room(&y_ticks);
    let right = canvas.width - layout::label_room(labels.iter().flatten().map(|l| l.text.as_str()));
    let (x_ticks, x_title) = layout::time_ticks(x, data.start, right - left);

    for (s, (heading, side, ramp, columns)) in sides.iter().enumerate() {
        let (top, bottom) = rows[s];
        let room = Room {
            left,
            right,
            top,
            bottom,
        };
        let panel = Panel { room, x, y };
        let below = (s == 1).then_some(x_title.as_str());
        panel.axes(&mut canvas, heading, &[], &x_ticks, &y_ticks, below)?;
        shade_above_one(&mut canvas, &panel)?;
        let names: Vec<String> = (0..count)
            .map(|i| format!("R {side} {}", move_words(data.moves[i].size)))
            .collect();
        let lines: Vec<Line<'_>> = (0..count)
            .map(|i| Line {
                name: &names[i],
                x: &data.time,
                y: columns[i],
                color: shade(ramp, i, count),
                weight: theme::THIN_LINE,
                finish: Finish::Plain,
            })
            .collect();
        for line in &lines {
            panel.line(&mut canvas, line)?;
        }
        let note = "R = 1: above, a move finances itself";
        let dashes = Finish::Dashed(theme::DASHES);
        panel.level(&mut canvas, 1.0, note, dashes, &lines)?;
        panel.end_labels(&mut canvas, &labels[s])?;
        if columns.iter().all(|c| c.iter().all(|v| v.is_nan())) {
            panel.say(&mut canvas, "not measured")?;
        }
    }
    Ok(Chart::of(canvas, options, title))
}

fn shade_above_one(canvas: &mut Canvas, panel: &Panel) -> Result<(), ChartError> {
    canvas.layer("region", "above one", Finish::Plain, |pen| {
        let corner = (panel.room.left, panel.room.top);
        let opposite = (panel.room.right, panel.py(1.0));
        pen.rectangle(corner, opposite, theme::FORCED, theme::FAINT)
    })
}

/// A move's size with as many decimals as it needs.
fn move_words(size: f64) -> String {
    number::percent(size, number::decimals_of(100.0 * size).min(2))
}

fn end_label(size: f64, column: &[f64], color: RGBColor) -> EndLabel {
    let value = layout::last_defined(column);
    let peak = column
        .iter()
        .copied()
        .filter(|v| !v.is_nan())
        .fold(0.0, f64::max);
    EndLabel {
        text: format!("w = {}: peak {}", move_words(size), number::compact(peak)),
        value,
        color,
    }
}

/// One scale for both directions; always shows 1.
fn ratio_scale(data: &ReproductionData, height: f64) -> (Scale, Vec<Tick>) {
    let columns = || {
        data.moves
            .iter()
            .flat_map(|m| [m.down.as_slice(), m.up.as_slice()])
    };
    let most = extent(columns()).map_or(0.0, |(_, high)| high);
    let endless = columns().flatten().any(|v| *v == f64::INFINITY);
    let wanted = layout::lines_for(height, 38.0);
    if most <= LOG_BEYOND && !endless {
        let scale = Scale::from_zero(most.max(1.25));
        return (scale, scale.ticks(wanted, false));
    }
    // Infinity gets a strip of its own above the largest number.
    let high = 1.3 * most.max(10.0) * if endless { 3.0 } else { 1.0 };
    let scale = Scale::Log { low: FLOOR, high };
    let mut ticks = scale.ticks(wanted, false);
    if endless {
        ticks.retain(|tick| tick.value <= high / 2.0);
        ticks.push(Tick {
            value: high,
            label: "∞".to_owned(),
        });
    }
    for tick in &mut ticks {
        if tick.value <= FLOOR * 1.001 {
            tick.label = format!("≤ {}", tick.label);
        }
    }
    (scale, ticks)
}

/// The colour of one of several ordered lines.
fn shade(ramp: &[RGBColor; 3], place: usize, count: usize) -> RGBColor {
    let at = if count < 2 {
        1.0
    } else {
        2.0 * place as f64 / (count - 1) as f64
    };
    let from = (at.floor() as usize).min(1);
    let share = at - from as f64;
    let (a, b) = (ramp[from], ramp[from + 1]);
    let mix = |a: u8, b: u8| (f64::from(a) + share * (f64::from(b) - f64::from(a))).round() as u8;
    RGBColor(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(down: &[f64]) -> ReproductionData {
        ReproductionData {
            time: (0..down.len()).map(|i| i as f64).collect(),
            moves: vec![Move {
                size: 0.01,
                down: down.to_vec(),
                up: vec![0.0; down.len()],
            }],
            ..ReproductionData::default()
        }
    }

    #[test]
    fn small_ratios_have_a_linear_axis_that_shows_one() {
        let (scale, ticks) = ratio_scale(&data(&[0.0, 0.3]), 200.0);
        assert!(matches!(scale, Scale::Linear { low: 0.0, .. }));
        assert!(ticks.iter().any(|t| t.value == 1.0));
    }

    #[test]
    fn large_ratios_have_a_logarithmic_axis_with_a_floor() {
        let (scale, ticks) = ratio_scale(&data(&[0.0, 0.3, 40.0]), 200.0);
        assert!(matches!(scale, Scale::Log { .. }));
        assert_eq!(ticks[0].label, "≤ 0.01");
        assert!(ticks.iter().any(|t| t.value == 1.0));
    }

    #[test]
    fn an_empty_book_is_marked_as_infinite() {
        let (_, ticks) = ratio_scale(&data(&[0.2, f64::INFINITY]), 200.0);
        assert_eq!(ticks.last().map(|t| t.label.as_str()), Some("∞"));
    }

    #[test]
    fn shades_run_from_light_to_dark() {
        let ramp = &theme::DOWNWARD;
        assert_eq!(shade(ramp, 0, 1), ramp[1]);
        assert_eq!([0, 1, 2].map(|i| shade(ramp, i, 3)), *ramp);
        assert_eq!(shade(ramp, 4, 5), ramp[2]);
    }
}
