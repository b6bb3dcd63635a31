//! Elementary functions with the same bits on every platform.
//!
//! IEEE 754 fixes `+ − × ÷ √`; everything else differs in the last bit between system libraries
//! (up to a tenth of the arguments of `exp`), and a cascade amplifies a last bit. So every other
//! function goes through the portable `libm` crate, here.

/// eˣ.
#[inline]
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}
/// 2ˣ.
#[inline]
pub fn exp2(x: f64) -> f64 {
    libm::exp2(x)
}
/// Natural logarithm.
#[inline]
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}
/// xʸ.
#[inline]
pub fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}
/// ln of the gamma function.
#[inline]
pub fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}
/// Complementary error function, `2/√π ∫ₓ^∞ e^(−t²) dt`.
#[inline]
pub fn erfc(x: f64) -> f64 {
    libm::erfc(x)
}
/// Probability that a standard normal draw is at most `x`; its relative accuracy holds far into the left tail.
#[inline]
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}
/// Density of the standard normal distribution.
#[inline]
pub fn normal_density(x: f64) -> f64 {
    const PEAK: f64 = 0.398_942_280_401_432_7;
    PEAK * exp(-0.5 * x * x)
}
/// The share that is left after `elapsed` when half is lost every `half_life` (same unit of time).
/// A half-life of zero leaves nothing, an infinite one everything.
#[inline]
pub fn halved(elapsed: f64, half_life: f64) -> f64 {
    if half_life <= 0.0 {
        0.0
    } else if half_life == f64::INFINITY {
        1.0
    } else {
        exp2(-elapsed / half_life)
    }
}

/// Quantile of the standard normal distribution for a probability in (0, 1).
///
/// # Reference
///
/// Wichura, M. J. (1988), "Algorithm AS 241: The percentage points of the normal distribution",
/// Applied Statistics 37, routine PPND16; relative accuracy about 10⁻¹⁶.
pub fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 8] = [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ];
    const B: [f64; 8] = [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_545,
    ];
    const C: [f64; 8] = [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ];
    const D: [f64; 8] = [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ];
    const E: [f64; 8] = [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ];
    const F: [f64; 8] = [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ];
    fn ratio(numerator: &[f64; 8], denominator: &[f64; 8], x: f64) -> f64 {
        let horner = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, term| sum * x + term);
        horner(numerator) / horner(denominator)
    }
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&A, &B, 0.180_625 - q * q);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = (-ln(tail)).sqrt();
    let magnitude = if r <= 5.0 {
        ratio(&C, &D, r - 1.6)
    } else {
        ratio(&E, &F, r - 5.0)
    };
    if q < 0.0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_quantiles_agree_with_the_published_table() {
        for (p, z) in [
            (0.5, 0.0),
            (0.99, 2.326_347_874_040_841),
            (0.995, 2.575_829_303_548_901),
            (0.025, -1.959_963_984_540_054),
            (1e-9, -5.997_807_015_007_686),
        ] {
            assert!((normal_quantile(p) - z).abs() < 1e-12, "p = {p}");
        }
    }

    #[test]
    fn normal_probabilities_are_the_inverse_of_quantiles() {
        for (x, p) in [
            (0.0, 0.5),
            (-2.326_347_874_040_841, 0.01),
            (-5.997_807_015_007_686, 1e-9),
            // Q(20), to twelve digits (Abramowitz and Stegun, table 26.2).
            (-20.0, 2.753_624_118_606e-89),
        ] {
            let found = normal_cdf(x);
            assert!((found / p - 1.0).abs() < 1e-11, "{x}: {found}");
        }
        assert!((normal_density(1.0) - 0.241_970_724_519_143_37).abs() < 1e-16);
    }

    #[test]
    fn a_half_life_halves() {
        assert_eq!(halved(30.0, 30.0), 0.5);
        assert_eq!(halved(1.0, f64::INFINITY), 1.0);
        assert_eq!(halved(1.0, 0.0), 0.0);
    }
}
