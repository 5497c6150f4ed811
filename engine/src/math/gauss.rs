//! Branchless tails of the normal distribution: Mills' ratio by one rational function on the
//! half line, and from it the complementary error functions and the distribution function.

use core::f64::consts::SQRT_2;

use super::elementary::{exp_sum, polynomial};

/// 1 / √(2π)
pub(crate) const INVERSE_ROOT_TWO_PI: f64 = 0.398_942_280_401_432_7;
/// √(2/π)
const ROOT_TWO_OVER_PI: f64 = 0.797_884_560_802_865_4;

/// Interpolates Mills' ratio at 22 Chebyshev points in (y − 4) / (y + 4); relative error
/// 2.2e-17 on the half line. All coefficients are positive, so nothing cancels. Computed for
/// this project.
const MILLS_NUMERATOR: [f64; 11] = [
    1_451_444.431_111_425_6,
    2_499_061.985_582_191_5,
    2_124_982.652_489_747,
    1_156_736.246_225_577_5,
    442_852.364_040_142_86,
    124_144.761_222_578_7,
    25_793.233_161_042_903,
    3_930.323_590_091_473,
    422.477_295_947_434_75,
    29.187_123_382_816_13,
    1.0,
];
const MILLS_DENOMINATOR: [f64; 12] = [
    1_158_085.102_447_104_6,
    2_917_981.198_123_734_4,
    3_444_660.445_867_852_3,
    2_520_398.854_135_845,
    1_273_312.251_581_810_2,
    467_810.641_977_223_9,
    128_016.710_579_844_51,
    26_213.710_456_788_765,
    3_959.510_713_476_024,
    423.477_295_947_427_14,
    29.187_123_382_816_143,
    1.0,
];

/// Returns Mills' ratio (1 − Φ(y)) / φ(y) for y ≥ 0, within four units in the last place.
#[inline(always)]
pub fn mills_ratio(y: f64) -> f64 {
    // Beyond this the ratio is 1/y to the last place, and powers would overflow.
    let y = if y > 1e24 { 1e24 } else { y };
    polynomial(&MILLS_NUMERATOR, y) / polynomial(&MILLS_DENOMINATOR, y)
}

/// Returns x² / 2 as a rounded square and the exact rest.
#[inline(always)]
fn half_square(x: f64) -> (f64, f64) {
    let high = f64::from_bits(x.to_bits() & 0xffff_ffff_f800_0000);
    (0.5 * high * high, 0.5 * (x - high) * (x + high))
}

/// Returns the standard normal density φ(x).
#[inline(always)]
pub fn normal_pdf(x: f64) -> f64 {
    INVERSE_ROOT_TWO_PI * exp_minus_half_square(x)
}

/// Returns e^(−x²/2).
#[inline(always)]
pub(crate) fn exp_minus_half_square(x: f64) -> f64 {
    let x = if x > 1e3 { 1e3 } else { x };
    let x = if x < -1e3 { -1e3 } else { x };
    let (square, rest) = half_square(x);
    exp_sum(-square, -rest)
}

/// Returns the probability that a standard normal variable is at most `x`, with small relative
/// error in the lower tail down to the smallest doubles.
#[inline(always)]
pub fn normal_cdf(x: f64) -> f64 {
    let tail = normal_pdf(x) * mills_ratio(x.abs());
    if x > 0.0 { 1.0 - tail } else { tail }
}

/// Returns the complementary error function erfc(x) = 2/√π ∫ₓ^∞ e^(−u²) du.
#[inline(always)]
pub fn erfc(x: f64) -> f64 {
    let bounded = if x.abs() > 30.0 { 30.0 } else { x.abs() };
    let high = f64::from_bits(bounded.to_bits() & 0xffff_ffff_f800_0000);
    let rest = (bounded - high) * (bounded + high);
    let tail = exp_sum(-high * high, -rest) * (ROOT_TWO_OVER_PI * mills_ratio(bounded * SQRT_2));
    let tail = if x.is_nan() { x } else { tail };
    if x < 0.0 { 2.0 - tail } else { tail }
}

/// Returns the scaled complementary error function e^(x²) erfc(x); infinite below
/// about −26.6.
#[inline(always)]
pub fn erfcx(x: f64) -> f64 {
    let scaled = ROOT_TWO_OVER_PI * mills_ratio(x.abs() * SQRT_2);
    let bounded = if x < -30.0 { -30.0 } else { x };
    let high = f64::from_bits(bounded.to_bits() & 0xffff_ffff_f800_0000);
    let rest = (bounded - high) * (bounded + high);
    let below = 2.0 * exp_sum(high * high, rest) - scaled;
    if x < 0.0 { below } else { scaled }
}

/// Returns Φ of each number of a block.
pub fn normal_cdf_block(x: &super::Block) -> super::Block {
    let mut result = [0.0; super::LANES];
    for (out, x) in result.iter_mut().zip(x) {
        *out = normal_cdf(*x);
    }
    result
}

#[cfg(test)]
mod tests {
    use core::f64::consts::FRAC_1_SQRT_2;

    use super::*;
    use crate::math::ulps;

    #[test]
    fn reference_values_agree_to_the_last_places() {
        // x, Mills' ratio, erfc(x), Φ(−x), φ(x), from 60-digit arithmetic.
        for (x, mills, complement, tail, density) in [
            (0.0, 1.253_314_137_315_500_3, 1.0, 0.5, 0.398_942_280_401_432_7),
            (
                0.25,
                1.037_824_575_853_726_8,
                0.723_673_609_831_763_1,
                0.401_293_674_317_076_3,
                0.386_668_116_802_849_2,
            ),
            (
                1.0,
                0.655_679_542_418_798_4,
                0.157_299_207_050_285_13,
                0.158_655_253_931_457_05,
                0.241_970_724_519_143_34,
            ),
            (
                3.5,
                0.266_567_768_968_223_76,
                7.430_983_723_414_128e-7,
                2.326_290_790_355_250_4e-4,
                8.726_826_950_457_6e-4,
            ),
            (
                8.0,
                0.123_131_963_257_932_3,
                1.122_429_717_298_292_6e-29,
                6.220_960_574_271_784e-16,
                5.052_271_083_536_892e-15,
            ),
            (
                26.0,
                0.038_404_893_342_102_13,
                5.663_192_408_856_143e-296,
                2.476_063_315_503_389_2e-149,
                6.447_259_971_397_852e-148,
            ),
        ] {
            let worst = [
                ulps(mills_ratio(x), mills),
                ulps(erfc(x), complement),
                ulps(normal_cdf(-x), tail),
                ulps(normal_pdf(x), density),
                ulps(erfcx(x), ROOT_TWO_OVER_PI * mills_ratio(x * SQRT_2)),
            ];
            assert!(worst.iter().all(|ulps| *ulps <= 5.0), "{x}: {worst:?} ulps");
        }
    }

    #[test]
    fn the_tails_agree_with_libm() {
        for step in 0..60_000_i32 {
            let x = (f64::from(step) - 10_000.0) * 5e-4;
            let error = ulps(erfc(x), libm::erfc(x));
            assert!(error <= 8.0, "erfc({x}) is {error} ulps off");
            let other = 0.5 * libm::erfc(x * FRAC_1_SQRT_2);
            // Rounding x/√2 costs libm's route up to 2x² units.
            assert!(ulps(normal_cdf(-x), other) <= 8.0 + 2.0 * x * x, "cdf({x})");
            let product = exp_sum(-x * x, 0.0) * erfcx(x);
            assert!(ulps(product, libm::erfc(x)) <= 9.0 + 2.0 * x * x, "erfcx({x})");
        }
    }

    #[test]
    fn a_block_equals_its_numbers() {
        let x = [-40.0, -8.0, -1.0, 0.0, 0.5, 3.0, 40.0, f64::NAN];
        let block = normal_cdf_block(&x);
        for (one, x) in block.iter().zip(x) {
            assert!(*one == normal_cdf(x) || x.is_nan());
        }
        assert_eq!(block[6], 1.0);
        assert!(block[7].is_nan());
    }

    #[test]
    fn limits_are_exact() {
        assert_eq!([erfc(40.0), erfc(-40.0)], [0.0, 2.0]);
        assert_eq!(erfcx(-40.0), f64::INFINITY);
        assert_eq!([normal_cdf(f64::NEG_INFINITY), normal_cdf(f64::INFINITY)], [0.0, 1.0]);
        assert!(erfc(f64::NAN).is_nan() && erfcx(f64::NAN).is_nan() && normal_pdf(f64::NAN).is_nan());
    }
}
