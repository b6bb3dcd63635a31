//! How often cascades are how large: the share of trees at least so large, both axes logarithmic, with fitted laws.

use super::canvas::Finish;
use super::layout;
use super::panel::{Line, Panel, Room};
use super::scale::Scale;
use super::{Chart, ChartError, Options, same_length, theme};

/// Sizes and laws.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TailData {
    /// Sizes, ascending.
    pub size: Vec<f64>,
    /// Share of trees at least so large.
    pub share: Vec<f64>,
    /// Laws that were fitted.
    pub laws: Vec<LawData>,
}

/// One law.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LawData {
    /// What it is, with its numbers.
    pub name: String,
    /// Sizes.
    pub size: Vec<f64>,
    /// Share of trees at least so large.
    pub share: Vec<f64>,
}

/// Draws the sizes as dots and the laws as lines.
pub fn tail(data: &TailData, options: &Options) -> Result<Chart, ChartError> {
    same_length("share", data.share.len(), data.size.len())?;
    for law in &data.laws {
        same_length("law", law.share.len(), law.size.len())?;
    }
    let mut canvas = options.sheet()?;
    let title = options.title_or("How large cascades are");
    let top = layout::headline(&mut canvas, title, options.subtitle.as_deref())?;
    let (top, bottom) = layout::stack(canvas.width, top, canvas.height, &[1.0])[0];
    let most = data.size.iter().copied().fold(10.0, f64::max);
    let least = data.share.iter().copied().fold(0.1, f64::min);
    let x = Scale::Log {
        low: 0.9,
        high: 1.5 * most,
    };
    let y = Scale::Log {
        low: 0.6 * least,
        high: 1.2,
    };
    let x_ticks = x.ticks(8, false);
    let y_ticks = y.ticks(layout::lines_for(bottom - top, 60.0), false);
    let panel = Panel {
        room: Room {
            left: layout::tick_room(&y_ticks),
            right: canvas.width - 2.0 * theme::MARGIN,
            top,
            bottom,
        },
        x,
        y,
    };
    let colors = [theme::FORCED, theme::SHORT_LIQUIDATION];
    let legend: Vec<(&str, _)> = data
        .laws
        .iter()
        .zip(colors)
        .map(|(law, color)| {
            // What follows a comma has room on a wide sheet only.
            let short = law.name.split(',').next().filter(|_| options.is_narrow());
            (short.unwrap_or(&law.name), color)
        })
        .collect();
    panel.axes(
        &mut canvas,
        "Share of trees at least so large",
        &legend,
        &x_ticks,
        &y_ticks,
        Some("liquidations in a tree"),
    )?;
    if data.size.is_empty() {
        panel.say(&mut canvas, "no liquidations")?;
        return Ok(Chart::of(canvas, options, title));
    }
    for (k, (law, color)) in data.laws.iter().zip(colors).enumerate() {
        // What lies below the sheet is cut, not laid along its foot.
        let share: Vec<f64> = law
            .share
            .iter()
            .map(|share| {
                if *share < 0.6 * least {
                    f64::NAN
                } else {
                    *share
                }
            })
            .collect();
        let finish = if k == 0 {
            Finish::Plain
        } else {
            Finish::Dashed(theme::DASHES)
        };
        panel.line(
            &mut canvas,
            &Line {
                name: &law.name,
                x: &law.size,
                y: &share,
                color,
                weight: theme::MAIN_LINE,
                finish,
            },
        )?;
    }
    let dots = panel.points(&data.size, &data.share);
    canvas.marks(dots.iter().enumerate().map(|(k, at)| {
        let (size, share) = (data.size[k], 100.0 * data.share[k]);
        let text = format!("{share:.3} % of trees · have at least {size} liquidations");
        (*at, text)
    }));
    canvas.layer("dots", "trees", Finish::Plain, |pen| {
        dots.iter()
            .try_for_each(|at| pen.dot(*at, 3.0, theme::LAST))
    })?;
    Ok(Chart::of(canvas, options, title))
}
