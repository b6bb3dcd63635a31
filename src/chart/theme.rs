//! The look of every chart: colours by meaning, sizes, line weights.
//!
//! Colours descend from Okabe and Ito's set, which the common kinds of colour blindness keep apart;
//! the lighter ones are darkened until a thin line shows on white paper. They also differ in
//! lightness, and the companions of a main line are dashed, so that a grey print stays readable.
//! A colour means the same thing on every chart.
//!
//! # Reference
//! Okabe, Ito (2008), Color Universal Design.

use plotters::style::RGBColor;

/// Liquidations of long positions: forced sells.
pub const LONG_LIQUIDATION: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
/// Liquidations of short positions: forced buys.
pub const SHORT_LIQUIDATION: RGBColor = RGBColor(0x00, 0x72, 0xB2);
/// Index price.
pub const INDEX: RGBColor = RGBColor(0x85, 0x85, 0x85);
/// Mark price.
pub const MARK: RGBColor = RGBColor(0xA8, 0x3C, 0x86);
/// Last traded price.
pub const LAST: RGBColor = RGBColor(0x1A, 0x1A, 0x1A);
/// What a position must hold: the main line where no price is drawn.
pub const REQUIREMENT: RGBColor = RGBColor(0x1A, 0x1A, 0x1A);
/// Forced orders, whichever side.
pub const FORCED: RGBColor = RGBColor(0x99, 0x34, 0x0B);
/// What the market can absorb.
pub const DEPTH: RGBColor = RGBColor(0x00, 0x9E, 0x73);
/// The run without feedback.
pub const TWIN: RGBColor = RGBColor(0xC4, 0x7F, 0x00);
/// The insurance fund.
pub const FUND: RGBColor = RGBColor(0x2F, 0x6F, 0x5E);
/// Positions closed against their will to cover another's loss.
pub const DELEVERAGED: RGBColor = RGBColor(0x5B, 0x6C, 0x8F);
/// Losses spread over the winners.
pub const SOCIALISED: RGBColor = RGBColor(0x7B, 0x4B, 0x94);
/// Losses that nobody has paid.
pub const UNCOVERED: RGBColor = RGBColor(0x99, 0x34, 0x0B);

/// Moves of rising size downwards, light to dark.
pub const DOWNWARD: [RGBColor; 3] = [
    RGBColor(0xEC, 0x8A, 0x3D),
    LONG_LIQUIDATION,
    RGBColor(0x7A, 0x2F, 0x00),
];
/// Moves of rising size upwards, light to dark.
pub const UPWARD: [RGBColor; 3] = [
    RGBColor(0x56, 0xA5, 0xD8),
    SHORT_LIQUIDATION,
    RGBColor(0x00, 0x37, 0x5C),
];

/// The shade of the gap between a run and its twin, as it looks on paper.
pub const GAP: RGBColor = RGBColor(0xEF, 0xDE, 0xD8);

/// The colour of one of several variants; the first is the baseline.
pub const fn variant(place: usize) -> RGBColor {
    const VARIANTS: [RGBColor; 6] = [LAST, LONG_LIQUIDATION, SHORT_LIQUIDATION, DEPTH, MARK, TWIN];
    VARIANTS[place % VARIANTS.len()]
}

/// Paper.
pub const BACKGROUND: RGBColor = RGBColor(0xFF, 0xFF, 0xFF);
/// Titles.
pub const INK: RGBColor = RGBColor(0x1F, 0x23, 0x28);
/// Subtitles, tick labels, notes.
pub const QUIET: RGBColor = RGBColor(0x5F, 0x66, 0x6D);
/// Gridlines.
pub const GRID: RGBColor = RGBColor(0xE4, 0xE6, 0xE9);
/// Axis and zero lines.
pub const AXIS: RGBColor = RGBColor(0x9A, 0xA1, 0xA8);

/// Opacity of a filled area under or between lines.
pub const FILL: f64 = 0.16;
/// Opacity of a region that only says "beyond here".
pub const FAINT: f64 = 0.07;

/// Families in order of preference; the first is embedded.
pub const FONT_FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";
/// Size of the chart's title in pixels to the em.
pub const TITLE: f64 = 20.0;
/// The same on a narrow sheet.
pub const NARROW_TITLE: f64 = 16.0;
/// Size of the line below the title.
pub const SUBTITLE: f64 = 13.5;
/// Size of a panel's title.
pub const PANEL_TITLE: f64 = 13.5;
/// Size of tick labels, line labels and notes.
pub const LABEL: f64 = 12.5;

/// Weight of a main line in pixels.
pub const MAIN_LINE: f64 = 1.75;
/// Weight of a companion line.
pub const THIN_LINE: f64 = 1.25;
/// Weight of gridlines.
pub const HAIRLINE: f64 = 0.75;
/// Dashes of companion lines, in pixels on and off.
pub const DASHES: (f64, f64) = (6.0, 3.5);
/// Dots of reference lines, in pixels on and off.
pub const DOTS: (f64, f64) = (2.0, 3.0);

/// Distance from the picture's edge to anything drawn.
pub const MARGIN: f64 = 18.0;

/// Red, green and blue.
pub type Rgb = (u8, u8, u8);

/// Each colour, and what stands for it on a dark page: as far from dark paper as the first is from white, of the same hue.
///
/// Cells and scales of a heat map keep theirs: they are compared with each other, not with the paper.
pub const DARK: &[(Rgb, Rgb)] = &[
    pair(BACKGROUND, 0x16_1A_1F),
    pair(INK, 0xE6_E9_EC),
    pair(QUIET, 0xA3_AB_B3),
    pair(GRID, 0x2A_30_37),
    pair(AXIS, 0x5F_68_71),
    pair(LAST, 0xE6_E9_EC),
    pair(INDEX, 0x9A_A0_A6),
    pair(MARK, 0xE0_7C_BD),
    pair(LONG_LIQUIDATION, 0xF0_8A_3C),
    pair(SHORT_LIQUIDATION, 0x56_B4_E9),
    pair(FORCED, 0xE8_75_4A),
    pair(DEPTH, 0x3C_C4_9A),
    pair(TWIN, 0xE0_A3_3A),
    pair(FUND, 0x6C_BF_A8),
    pair(DELEVERAGED, 0x9D_B0_D8),
    pair(SOCIALISED, 0xC0_93_DB),
    pair(DOWNWARD[0], 0xF7_BE_90),
    pair(DOWNWARD[2], 0xC8_5A_1E),
    pair(UPWARD[0], 0x9C_D2_F5),
    pair(UPWARD[2], 0x2F_86_BF),
    pair(GAP, 0x45_2B_22),
];

const fn pair(light: RGBColor, dark: u32) -> (Rgb, Rgb) {
    (
        (light.0, light.1, light.2),
        ((dark >> 16) as u8, (dark >> 8) as u8, dark as u8),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, after the Web Content Accessibility Guidelines.
    fn luminance((r, g, b): Rgb) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 {
                c / 12.92
            } else {
                crate::math::ops::pow((c + 0.055) / 1.055, 2.4)
            }
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }
    fn contrast(one: Rgb, other: Rgb) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn colours_stand_out_from_either_paper() {
        let (white, black) = DARK[0];
        let faint = [GRID, GAP, BACKGROUND, AXIS, DOWNWARD[0], UPWARD[0]].map(|c| (c.0, c.1, c.2));
        for (light, dark) in DARK {
            if !faint.contains(light) {
                assert!(contrast(*light, white) >= 3.0, "{light:?} on white");
                assert!(contrast(*dark, black) >= 3.0, "{dark:?} on dark paper");
            }
        }
        for text in [INK, QUIET] {
            let text = (text.0, text.1, text.2);
            let dark = DARK.iter().find(|(light, _)| *light == text).unwrap().1;
            assert!(contrast(text, white) >= 4.5 && contrast(dark, black) >= 4.5);
        }
    }

    #[test]
    fn no_colour_stands_for_two() {
        for (place, (light, _)) in DARK.iter().enumerate() {
            assert!(
                DARK[..place].iter().all(|(before, _)| before != light),
                "{light:?}"
            );
        }
    }
}
