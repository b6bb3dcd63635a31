//! A cascade as a family tree: liquidations from left to right in time, each joined to the one that brought it about.
//!
//! Of a tree with more members than a sheet can show, the largest are drawn with all their forebears. Time goes as far as the tree
//! itself: where a last hundredth of its notional takes longer than all that came before, it is told and not drawn. Siblings stand one below the
//! other, a parent in the middle of its children; a dot's area is its notional.

use super::canvas::{Anchor, Canvas, Finish};
use super::layout;
use super::panel::{Panel, Room};
use super::scale::Scale;
use super::{Chart, ChartError, Options, clock, font, number, theme};

/// A tree of liquidations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FamilyData {
    /// Name of the currency.
    pub currency: String,
    /// When the run starts, in seconds since 1970 UTC.
    pub start: Option<i64>,
    /// What began it.
    pub first: String,
    /// Its members in the order of time, every parent before its children.
    pub members: Vec<Member>,
}

/// One liquidation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Member {
    /// Seconds since the start.
    pub time: f64,
    /// Place of its parent.
    pub parent: Option<usize>,
    /// Notional.
    pub notional: f64,
    /// Whether a long was sold.
    pub long: bool,
    /// Whose and what: shown beside the largest.
    pub label: String,
}

/// Most members that are drawn.
const MOST: usize = 260;
/// How many of them have labels.
const NAMED: usize = 7;
/// Share of a tree's notional that may come too late to be drawn.
const LATE: f64 = 0.01;
/// Radius of the largest dot.
const LARGEST: f64 = 15.0;

/// Draws a tree.
pub fn family(data: &FamilyData, options: &Options) -> Result<Chart, ChartError> {
    let mut canvas = options.sheet()?;
    let size = data.members.len();
    let own_title = match size {
        0 => "The largest cascade: none".to_owned(),
        1 => "The largest cascade: a single liquidation".to_owned(),
        _ => format!(
            "The largest cascade: {} liquidations from one",
            number::grouped(size as f64, 0)
        ),
    };
    let title = options.title_or(&own_title);
    let top = layout::headline(&mut canvas, title, options.subtitle.as_deref())?;
    let end = end(&data.members);
    let early = data.members.iter().take_while(|member| member.time <= end);
    let drawn = chosen(&data.members[..early.count()]);
    let time: Vec<f64> = drawn.iter().map(|at| data.members[*at].time).collect();
    let x = match super::scale::extent([time.as_slice()]) {
        Some((low, high)) if high > low => {
            let air = 0.02 * (high - low);
            Scale::Linear {
                low: low - air,
                high: high + air,
            }
        }
        _ => layout::time_scale(&time),
    };
    let (top, bottom) = layout::stack(canvas.width, top, canvas.height, &[1.0])[0];
    let room = Room {
        left: 2.0 * theme::MARGIN,
        right: canvas.width - 2.0 * theme::MARGIN,
        top: top + LARGEST,
        bottom: bottom - LARGEST,
    };
    let (rows, high) = rows(&data.members, &drawn);
    let panel = Panel {
        room,
        x,
        y: Scale::Linear {
            low: 0.0,
            high: high.max(1.0),
        },
    };
    let (x_ticks, x_title) = layout::time_ticks(x, data.start, room.width());
    let late: Vec<&Member> = data.members.iter().filter(|m| m.time > end).collect();
    let mut heading = format!("Area: notional ({})", data.currency);
    if drawn.len() + late.len() < size {
        heading = format!(
            "The {} largest with their forebears · area: notional ({})",
            number::grouped(drawn.len() as f64, 0),
            data.currency
        );
    }
    if let Some(last) = late.last() {
        let sum: f64 = late.iter().map(|member| member.notional).sum();
        heading += &format!(
            " · {} later, {} in all, the last {:.0} min after the first",
            number::grouped(late.len() as f64, 0),
            super::compact(sum),
            (last.time - data.members[0].time) / 60.0
        );
    }
    let legend = [
        ("shorts", theme::SHORT_LIQUIDATION),
        ("longs", theme::LONG_LIQUIDATION),
    ];
    panel.axes(
        &mut canvas,
        &heading,
        &legend,
        &x_ticks,
        &[],
        Some(&x_title),
    )?;
    if drawn.is_empty() {
        panel.say(&mut canvas, "no liquidations")?;
        return Ok(Chart::of(canvas, options, title));
    }
    let mut place = vec![usize::MAX; size];
    for (row, at) in drawn.iter().enumerate() {
        place[*at] = row;
    }
    let at = |row: usize| (panel.px(time[row]), panel.py(high - rows[row]));
    canvas.layer("edges", "brought about", Finish::Plain, |pen| {
        for (row, member) in drawn.iter().enumerate() {
            if let Some(parent) = data.members[*member].parent {
                let (from, to) = (at(place[parent]), at(row));
                pen.line(&bend(from, to), theme::AXIS, theme::HAIRLINE)?;
            }
        }
        Ok(())
    })?;
    let most = drawn
        .iter()
        .map(|member| data.members[*member].notional)
        .fold(0.0, f64::max);
    let radius = |notional: f64| (LARGEST * (notional / most.max(1e-300)).sqrt()).max(1.6);
    for (name, long, color) in [
        ("longs", true, theme::LONG_LIQUIDATION),
        ("shorts", false, theme::SHORT_LIQUIDATION),
    ] {
        canvas.layer("dots", name, Finish::Plain, |pen| {
            for (row, member) in drawn.iter().enumerate() {
                let member = &data.members[*member];
                if member.long == long {
                    pen.dot(at(row), radius(member.notional) + 0.8, theme::BACKGROUND)?;
                    pen.dot(at(row), radius(member.notional), color)?;
                }
            }
            Ok(())
        })?;
    }
    canvas.marks(drawn.iter().enumerate().map(|(row, member)| {
        let member = &data.members[*member];
        let when = clock::moment(data.start, member.time);
        (at(row), format!("{} · {when}", member.label))
    }));
    labels(&mut canvas, data, &drawn, &panel, at, radius)?;
    Ok(Chart::of(canvas, options, title))
}

/// The last moment that is drawn.
fn end(members: &[Member]) -> f64 {
    let (Some(first), Some(last)) = (members.first(), members.last()) else {
        return 0.0;
    };
    let all: f64 = members.iter().map(|member| member.notional).sum();
    let mut sum = 0.0;
    let early = members.iter().find(|member| {
        sum += member.notional;
        sum >= (1.0 - LATE) * all
    });
    let end = early.unwrap_or(last).time;
    if last.time - end > end - first.time {
        end
    } else {
        last.time
    }
}

/// The largest members and all their forebears, parents first.
fn chosen(members: &[Member]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by(|a, b| {
        let size = |at: &usize| members[*at].notional;
        size(b).total_cmp(&size(a)).then(a.cmp(b))
    });
    let mut taken = vec![false; members.len()];
    let mut count = 0;
    for at in order {
        let mut line = Vec::new();
        let mut next = Some(at);
        while let Some(member) = next.filter(|member| !taken[*member]) {
            line.push(member);
            next = members[member].parent;
        }
        if count + line.len() > MOST {
            break;
        }
        count += line.len();
        for member in line {
            taken[member] = true;
        }
    }
    (0..members.len()).filter(|at| taken[*at]).collect()
}

/// Each drawn member's row: leaves one below the other, parents amid their children; and the last row.
fn rows(members: &[Member], drawn: &[usize]) -> (Vec<f64>, f64) {
    let mut place = vec![usize::MAX; members.len()];
    for (row, at) in drawn.iter().enumerate() {
        place[*at] = row;
    }
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); drawn.len()];
    let mut roots = Vec::new();
    for (row, at) in drawn.iter().enumerate() {
        match members[*at].parent {
            Some(parent) => children[place[parent]].push(row),
            None => roots.push(row),
        }
    }
    let mut rows = vec![0.0; drawn.len()];
    let mut next = 0.0;
    // Depth first without recursion: a member is placed when its last child is.
    let mut open: Vec<(usize, usize)> = roots.iter().rev().map(|root| (*root, 0)).collect();
    while let Some((member, child)) = open.pop() {
        if let Some(next) = children[member].get(child) {
            open.push((member, child + 1));
            open.push((*next, 0));
        } else if children[member].is_empty() {
            rows[member] = next;
            next += 1.0;
        } else {
            let (first, last) = (children[member][0], children[member][child - 1]);
            rows[member] = 0.5 * (rows[first] + rows[last]);
        }
    }
    (rows, (next - 1.0).max(0.0))
}

/// A line that leaves and arrives level.
fn bend(from: (f64, f64), to: (f64, f64)) -> Vec<(f64, f64)> {
    const PARTS: u32 = 12;
    (0..=PARTS)
        .map(|k| {
            let t = f64::from(k) / f64::from(PARTS);
            let rise = t * t * (3.0 - 2.0 * t);
            (
                from.0 + t * (to.0 - from.0),
                from.1 + rise * (to.1 - from.1),
            )
        })
        .collect()
}

fn labels(
    canvas: &mut Canvas,
    data: &FamilyData,
    drawn: &[usize],
    panel: &Panel,
    at: impl Fn(usize) -> (f64, f64),
    radius: impl Fn(f64) -> f64,
) -> Result<(), ChartError> {
    let mut order: Vec<usize> = (0..drawn.len()).collect();
    order.sort_by(|a, b| {
        let size = |row: &usize| data.members[drawn[*row]].notional;
        size(b).total_cmp(&size(a)).then(a.cmp(b))
    });
    let mut wanted: Vec<(usize, String)> = Vec::new();
    if let Some(first) = drawn.first() {
        let member = &data.members[*first];
        wanted.push((0, format!("{}, begun by {}", member.label, data.first)));
    }
    wanted.extend(
        order
            .iter()
            .filter(|row| **row != 0)
            .take(NAMED)
            .map(|row| (*row, data.members[drawn[*row]].label.clone())),
    );
    let mut boxes: Vec<[f64; 4]> = Vec::new();
    canvas.layer("note", "largest", Finish::Rimmed, |pen| {
        for (row, text) in &wanted {
            let (x, y) = at(*row);
            let width = font::width(text, theme::LABEL, false);
            let away = radius(data.members[drawn[*row]].notional) + 6.0;
            let right = x + away + width < panel.room.right;
            let (left, anchor, from) = if right {
                (x + away, Anchor::Start, x + away)
            } else {
                (x - away - width, Anchor::End, x - away)
            };
            let found = [
                left,
                y - theme::LABEL * 0.7,
                left + width,
                y + theme::LABEL * 0.7,
            ];
            let free = boxes.iter().all(|other| {
                found[0] > other[2]
                    || found[2] < other[0]
                    || found[1] > other[3]
                    || found[3] < other[1]
            });
            if free && left > 0.0 {
                boxes.push(found);
                pen.text(text, (from, y), anchor, theme::LABEL, false, theme::INK)?;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(parent: Option<usize>, notional: f64) -> Member {
        Member {
            parent,
            notional,
            ..Member::default()
        }
    }

    #[test]
    fn parents_stand_amid_their_children() {
        let members = [
            member(None, 1.0),
            member(Some(0), 1.0),
            member(Some(0), 1.0),
            member(Some(1), 1.0),
            member(Some(1), 1.0),
        ];
        let (rows, last) = rows(&members, &[0, 1, 2, 3, 4]);
        assert_eq!(rows, [1.25, 0.5, 2.0, 0.0, 1.0]);
        assert_eq!(last, 2.0);
    }

    #[test]
    fn a_few_that_are_late_stretch_nothing() {
        let at = |time: f64, notional: f64| Member {
            time,
            notional,
            ..Member::default()
        };
        let mut members: Vec<Member> = (0..50).map(|k| at(f64::from(k), 10.0)).collect();
        assert_eq!(end(&members), 49.0);
        members.push(at(3_000.0, 1.0));
        assert_eq!(end(&members), 49.0);
        // One that counts is drawn wherever it is.
        members.push(at(4_000.0, 100.0));
        assert_eq!(end(&members), 4_000.0);
        assert_eq!(end(&[]), 0.0);
    }

    #[test]
    fn the_largest_bring_their_forebears() {
        let mut members = vec![
            member(None, 0.0),
            member(Some(0), 0.0),
            member(Some(1), 9.0),
        ];
        members.extend((0..1_000).map(|_| member(Some(0), 1.0)));
        let drawn = chosen(&members);
        assert_eq!(drawn.len(), MOST);
        assert_eq!(drawn[..3], [0, 1, 2]);
    }
}
