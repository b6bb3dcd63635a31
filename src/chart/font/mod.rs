//! The embedded letters: subsets of DejaVu Sans (Latin-1, Greek, arrows, mathematical signs).
//!
//! The same two files measure text while a chart is laid out and paint it when a PNG is made, so
//! neither depends on the machine's fonts. A browser that lacks DejaVu Sans falls back to Verdana,
//! which has nearly its widths, and then to any sans-serif.
//!
//! # Reference
//! DejaVu 2.37; licence in `LICENSE.txt` beside the files.

use super::ChartError;
use super::theme;
use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// What the embedded files call themselves.
#[cfg(feature = "raster")]
pub(super) const EMBEDDED_FAMILY: &str = "DejaVu Sans";
pub(super) const REGULAR: &[u8] = include_bytes!("DejaVuSans.subset.ttf");
pub(super) const BOLD: &[u8] = include_bytes!("DejaVuSans-Bold.subset.ttf");

static REGISTERED: Once = Once::new();
static USABLE: AtomicBool = AtomicBool::new(false);

/// Registers the fonts with the drawing library, the first time that it is called.
pub(super) fn register() -> Result<(), ChartError> {
    REGISTERED.call_once(|| {
        let usable = register_font(theme::FONT_FAMILY, FontStyle::Normal, REGULAR).is_ok()
            && register_font(theme::FONT_FAMILY, FontStyle::Bold, BOLD).is_ok();
        USABLE.store(usable, Ordering::SeqCst);
    });
    if USABLE.load(Ordering::SeqCst) {
        Ok(())
    } else {
        Err(ChartError::Font)
    }
}

/// The drawing library writes `font-size` as its own size divided by this.
const SIZE_PER_EM: f64 = 1.24;
/// Height from DejaVu's descender to its ascender in em: what the measuring side calls size.
const HEIGHT_PER_EM: f64 = 2_384.0 / 2_048.0;

/// A font of so many pixels to the em.
pub(super) fn of_size(em: f64, bold: bool) -> FontDesc<'static> {
    let style = if bold {
        FontStyle::Bold
    } else {
        FontStyle::Normal
    };
    FontDesc::new(
        FontFamily::Name(theme::FONT_FAMILY),
        em * SIZE_PER_EM,
        style,
    )
}

/// Width of a text in pixels.
pub(super) fn width(text: &str, em: f64, bold: bool) -> f64 {
    // Measured large, because the library rounds to whole pixels.
    const ENLARGED: f64 = 16.0;
    let Ok(((left, _), (right, _))) = of_size(em * ENLARGED, bold).layout_box(text) else {
        return 0.62 * em * text.chars().count() as f64;
    };
    // A font asked for at size s is measured with a height of s but drawn with an em of s / 1.24.
    f64::from(right - left) / ENLARGED * HEIGHT_PER_EM / SIZE_PER_EM
}

/// The longest beginning of a text that fits a width, with an ellipsis where something was cut.
pub(super) fn fitted(text: &str, em: f64, bold: bool, room: f64) -> String {
    if width(text, em, bold) <= room {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    let cut = |kept: usize| {
        let start: String = letters[..kept].iter().collect();
        format!("{}…", start.trim_end())
    };
    // Halving: the least count that's too long is one above the answer.
    let (mut fits, mut too_long) = (0, letters.len());
    while too_long - fits > 1 {
        let middle = fits + (too_long - fits) / 2;
        if width(&cut(middle), em, bold) <= room {
            fits = middle;
        } else {
            too_long = middle;
        }
    }
    if fits == 0 { String::new() } else { cut(fits) }
}

/// A text in at most so many lines, broken between words; the last is cut to the room.
pub(super) fn wrapped(text: &str, em: f64, bold: bool, room: f64, lines: usize) -> Vec<String> {
    let mut done: Vec<String> = Vec::new();
    let mut rest: Vec<&str> = text.split(' ').collect();
    while done.len() + 1 < lines {
        let fits = |count: &usize| width(&rest[..*count].join(" "), em, bold) <= room;
        let Some(count) = (1..=rest.len()).rev().find(fits) else {
            break;
        };
        if count == rest.len() {
            break;
        }
        done.push(rest.drain(..count).collect::<Vec<_>>().join(" "));
    }
    done.push(fitted(&rest.join(" "), em, bold, room));
    done
}

/// Rules that give a page the letters that its drawings were laid out with.
pub fn font_face() -> String {
    use base64::Engine as _;
    let rule = |weight: u32, file: &[u8]| {
        let letters = base64::engine::general_purpose::STANDARD.encode(file);
        format!(
            "@font-face {{ font-family: \"DejaVu Sans\"; font-weight: {weight}; src: url(data:font/ttf;base64,{letters}) format(\"truetype\"); }}\n"
        )
    };
    rule(400, REGULAR) + &rule(700, BOLD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_face() {
        register().expect("embedded fonts");
        // A digit of DejaVu Sans is 1303 of 2048 units wide; of the bold face 1425.
        assert!((width("0000000000", 10.0, false) - 63.6).abs() < 0.3);
        assert!((width("0000000000", 10.0, true) - 69.6).abs() < 0.3);
    }

    #[test]
    fn words_go_on_to_the_next_line() {
        register().expect("embedded fonts");
        let lines = wrapped("would a small move finance itself", 16.0, true, 190.0, 2);
        assert_eq!(lines, ["would a small move", "finance itself"]);
        let lines = wrapped("would a small move finance itself", 16.0, true, 110.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].ends_with('…'));
        assert_eq!(wrapped("short", 16.0, true, 190.0, 2), ["short"]);
    }

    #[test]
    fn long_texts_are_cut_to_the_room() {
        register().expect("embedded fonts");
        assert_eq!(fitted("short", 12.0, false, 100.0), "short");
        let cut = fitted("a title that nobody can print in full", 12.0, false, 100.0);
        assert!(cut.ends_with('…') && width(&cut, 12.0, false) <= 100.0);
        assert_eq!(fitted("anything", 12.0, false, 1.0), "");
    }
}
