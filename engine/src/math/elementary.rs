//! Branchless exponential and natural logarithm in IEEE + − × ÷ only: loops over blocks
//! compile to vector instructions, bit-identical on every machine.
//!
//! Reductions are Cody and Waite's, the form of the logarithm is fdlibm's; the polynomials
//! are Chebyshev interpolants computed for this project.

/// Adding and subtracting it rounds to the nearest integer.
const ROUNDING_SHIFT: f64 = 6_755_399_441_055_744.0; // 3 × 2^51
/// Adding an integer to it puts the biased exponent into the mantissa.
const EXPONENT_SHIFT: f64 = 4_503_599_627_371_519.0; // 2^52 + 1023
const TWO_52_BITS: u64 = 0x4330_0000_0000_0000;

const LN2_HIGH: f64 = 0.693_147_180_136_293_2;
const LN2_LOW: f64 = 4.236_521_365_809_284e-10;

/// (eʳ − 1 − r) / r² on |r| ≤ ln 2 / 2, within 1.6e-17.
const EXP_COEFFICIENTS: [f64; 10] = [
    0.500_000_000_000_000_1,
    0.166_666_666_666_666_69,
    0.041_666_666_666_624_164,
    0.008_333_333_333_330_065,
    0.001_388_888_891_719_671_9,
    0.000_198_412_698_630_405_45,
    2.480_152_132_236_869_2e-5,
    2.755_726_848_031_002_4e-6,
    2.762_007_587_998_336_7e-7,
    2.510_037_583_256_123_4e-8,
];

/// (2 artanh(s) / s − 2) / s² in s², for s = f / (2 + f), within 5e-18.
const LN_COEFFICIENTS: [f64; 7] = [
    0.666_666_666_666_667,
    0.399_999_999_998_988_9,
    0.285_714_286_262_538_36,
    0.222_222_110_893_794_96,
    0.181_828_924_325_368_7,
    0.153_316_117_220_550_08,
    0.146_178_071_534_173_25,
];

/// Evaluates a polynomial's even and odd halves by Horner's rule in parallel, half the latency
/// of a single chain. Coefficients by rising power.
#[inline(always)]
pub(crate) fn polynomial<const N: usize>(coefficients: &[f64; N], x: f64) -> f64 {
    let square = x * x;
    let mut halves = [0.0, 0.0];
    halves[(N - 1) % 2] = coefficients[N - 1];
    halves[N % 2] = coefficients[N - 2];
    let mut power = N - 2;
    while power > 0 {
        power -= 1;
        halves[power % 2] = halves[power % 2] * square + coefficients[power];
    }
    halves[0] + halves[1] * x
}

/// Returns 2 to an integer between −1022 and 1023.
#[inline(always)]
fn power_of_two(k: f64) -> f64 {
    f64::from_bits((k + EXPONENT_SHIFT).to_bits() << 52)
}

/// Returns eˣ within 0.6 units in the last place; 0 and infinity beyond the range of doubles,
/// NaN for NaN.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    exp_sum(x, 0.0)
}

/// Returns e^(x + low), where `low` is a rounding error of the argument, small against `x`.
#[inline(always)]
pub(crate) fn exp_sum(x: f64, low: f64) -> f64 {
    let x = if x < -746.0 { -746.0 } else { x };
    let x = if x > 710.0 { 710.0 } else { x };
    let k = (x * core::f64::consts::LOG2_E + ROUNDING_SHIFT) - ROUNDING_SHIFT;
    let high = x - k * LN2_HIGH;
    let correction = k * LN2_LOW - low;
    let r = high - correction;
    let lost = (high - r) - correction;
    let mantissa = 1.0 + (r + (r * r * polynomial(&EXP_COEFFICIENTS, r) + lost));
    // In two steps, so that subnormal results are rounded once more.
    let half = (k * 0.5 + ROUNDING_SHIFT) - ROUNDING_SHIFT;
    mantissa * power_of_two(half) * power_of_two(k - half)
}

/// Returns eˣ for x between −708 and 709, e^−708 below, within 0.8 units in the last place;
/// fewer operations than [`exp`].
#[inline(always)]
pub(crate) fn exp_bounded(x: f64) -> f64 {
    let x = if x > -708.0 { x } else { -708.0 };
    let k = (x * core::f64::consts::LOG2_E + ROUNDING_SHIFT) - ROUNDING_SHIFT;
    let r = (x - k * LN2_HIGH) - k * LN2_LOW;
    (1.0 + (r + r * r * polynomial(&EXP_COEFFICIENTS, r))) * power_of_two(k)
}

/// Returns ln x within 0.9 units in the last place: −infinity for 0, NaN below it.
#[inline(always)]
pub fn ln(x: f64) -> f64 {
    let tiny = x < f64::MIN_POSITIVE;
    let scaled = if tiny { x * 18_014_398_509_481_984.0 } else { x };
    let core = ln_core(scaled, if tiny { -54.0 } else { 0.0 });
    let core = if x == f64::INFINITY { x } else { core };
    let core = if x == 0.0 { f64::NEG_INFINITY } else { core };
    if x >= 0.0 { core } else { f64::NAN }
}

/// Returns ln x for normal positive `x`; undefined (finite or NaN) for others.
#[inline(always)]
pub(crate) fn ln_normal(x: f64) -> f64 {
    ln_core(x, 0.0)
}

/// Returns ln(x · 2^shift), x normal.
#[inline(always)]
fn ln_core(x: f64, shift: f64) -> f64 {
    // x = 2^k · (1 + f) with 1 + f in [√½, √2).
    const ROOT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    let bits = x.to_bits();
    let above = bits.wrapping_sub(ROOT_HALF);
    let f = f64::from_bits(bits.wrapping_sub(above & 0xfff0_0000_0000_0000)) - 1.0;
    let biased = above.wrapping_add(0x3ff0_0000_0000_0000) >> 52;
    let k = f64::from_bits(biased | TWO_52_BITS) - EXPONENT_SHIFT + shift;
    let s = f / (2.0 + f);
    let z = s * s;
    let half = 0.5 * f * f;
    let rest = z * polynomial(&LN_COEFFICIENTS, z);
    k * LN2_HIGH - ((half - (s * (half + rest) + k * LN2_LOW)) - f)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::ulps;

    #[test]
    fn exp_and_ln_agree_with_libm_to_the_last_places() {
        let (mut worst_exp, mut worst_ln) = (0.0_f64, 0.0_f64);
        for step in 0..200_000_i32 {
            let x = (f64::from(step) - 100_000.0) * 0.00701;
            worst_exp = worst_exp.max(ulps(exp(x), libm::exp(x)));
            let y = libm::exp(x * 0.999);
            worst_ln = worst_ln.max(ulps(ln(y), libm::log(y)));
            let near_one = 1.0 + x * 1e-4;
            worst_ln = worst_ln.max(ulps(ln(near_one), libm::log(near_one)));
        }
        assert!(worst_exp <= 1.0 && worst_ln <= 1.0, "{worst_exp} {worst_ln}");
    }

    #[test]
    fn reference_values_are_rounded_correctly() {
        // From 50-digit arithmetic.
        for (x, e) in [
            (1.0, core::f64::consts::E),
            (-0.5, 0.606_530_659_712_633_4),
            (-37.25, 6.645_544_172_915_07e-17),
            (-644.0, 2.062_308_607_037_172_2e-280),
            (700.0, 1.014_232_054_735_004_5e304),
        ] {
            assert!(ulps(exp(x), e) <= 1.0, "exp({x}) = {:e}", exp(x));
            assert!((ln(e) - x).abs() <= 2e-16 * x.abs(), "ln({e:e}) = {}", ln(e));
        }
    }

    #[test]
    fn limits_of_the_range_are_exact() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!([exp(f64::INFINITY), exp(1e300), exp(709.79)], [f64::INFINITY; 3]);
        assert_eq!([exp(f64::NEG_INFINITY), exp(-1e300), exp(-746.0)], [0.0; 3]);
        assert_eq!(exp(-745.0), f64::from_bits(1));
        assert!(exp(f64::NAN).is_nan());
        assert_eq!(ln(1.0), 0.0);
        assert_eq!([ln(0.0), ln(f64::INFINITY)], [f64::NEG_INFINITY, f64::INFINITY]);
        assert!(ln(-1.0).is_nan() && ln(f64::NAN).is_nan());
        assert!((ln(f64::from_bits(1)) + 744.440_071_921_381_3).abs() < 1.2e-13);
    }
}
