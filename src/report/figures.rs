//! Charts on a page: each drawn for wide screens and for narrow ones, or taken as it lies in the directory.

use super::ReportError;
use super::page::Block;
use crate::chart::Options;
use crate::output::exhibit::{Exhibit, Source};
use serde::Serialize;
use std::fs;

/// A chart with its caption.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Figure {
    /// The chart's name.
    pub name: String,
    /// What it shows.
    pub caption: String,
    /// The drawing.
    pub wide: String,
    /// The same for narrow screens; where there is none, the wide one is pushed aside with a finger.
    pub narrow: Option<String>,
}

const WIDE: (u32, u32) = (1_000, 580);
const NARROW: (u32, u32) = (360, 420);

/// Draws the charts whose names are wanted, in the order of the directory.
pub(super) fn figures(
    exhibits: &[Exhibit<'_>],
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Block>, ReportError> {
    let picked = exhibits.iter().filter(|exhibit| wanted(&exhibit.name));
    picked
        .map(|exhibit| Ok(Block::Figure(figure(exhibit)?)))
        .collect()
}

fn figure(exhibit: &Exhibit<'_>) -> Result<Figure, ReportError> {
    let draw = |(width, height)| {
        exhibit.draw(&Options {
            width,
            height,
            ..Options::default()
        })
    };
    Ok(Figure {
        name: exhibit.name.clone(),
        caption: exhibit.caption.clone(),
        wide: draw(WIDE)?.svg,
        narrow: Some(draw(NARROW)?.svg),
    })
}

/// Drawings of the directory that nobody here knows how to draw: they are shown as they are.
pub(super) fn others(source: &Source, exhibits: &[Exhibit<'_>]) -> Vec<Block> {
    let unknown = source
        .drawn()
        .filter(|name| exhibits.iter().all(|exhibit| exhibit.name != *name));
    unknown
        .filter_map(|name| {
            let file = source.path().join(format!("charts/{name}.svg"));
            let svg = fs::read_to_string(file).ok()?;
            Some(Block::Figure(Figure {
                name: name.to_owned(),
                caption: title(&svg).unwrap_or_else(|| name.replace(['-', '_'], " ")),
                wide: inlined(&svg, name)?,
                narrow: None,
            }))
        })
        .collect()
}

/// What a drawing says of itself.
fn title(svg: &str) -> Option<String> {
    let (_, rest) = svg.split_once("<title>")?;
    let (title, _) = rest.split_once("</title>")?;
    // It is escaped again on the page.
    Some(
        title
            .replace("&quot;", "\"")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&"),
    )
}

/// A drawing from a file, without what belongs to a file alone, and with names of its own for what it refers to. One that brings a
/// script along is no drawing.
fn inlined(svg: &str, name: &str) -> Option<String> {
    let from = svg.find("<svg")?;
    let svg = &svg[from..];
    if svg.contains("<script") || svg.contains("<foreignObject") {
        return None;
    }
    Some(
        svg.replace(" id=\"", &format!(" id=\"{name}-"))
            .replace("url(#", &format!("url(#{name}-"))
            .replace("href=\"#", &format!("href=\"#{name}-")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_within_drawings_do_not_clash() {
        let svg = "<?xml version=\"1.0\"?><svg><title>A &amp; B</title><g id=\"a\"/><use href=\"#a\"/><path clip-path=\"url(#a)\"/></svg>";
        assert_eq!(
            inlined(svg, "tree").as_deref(),
            Some(
                "<svg><title>A &amp; B</title><g id=\"tree-a\"/><use href=\"#tree-a\"/><path clip-path=\"url(#tree-a)\"/></svg>"
            )
        );
        assert_eq!(title(svg).as_deref(), Some("A & B"));
        assert_eq!(inlined("<svg><script/></svg>", "x"), None);
        assert_eq!(inlined("no drawing", "x"), None);
    }
}
