//! Inverse of the standard normal distribution function.

/// Returns the `x` below which a standard normal variable is with probability `p`.
///
/// Algorithm AS 241 (PPND16) of M. J. Wichura, *Applied Statistics* 37 (1988):
/// three rational approximations, about 1e-16 in relative error. `p` of 0 and 1
/// give the infinities, invalid probabilities NaN.
pub fn inverse_normal_cdf(p: f64) -> f64 {
    let q = p - 0.5;
    if libm::fabs(q) <= 0.425 {
        return q * ratio(0.180_625 - q * q, &CENTRE_RATIO);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail <= 0.0 {
        return if tail == 0.0 { q * f64::INFINITY } else { f64::NAN };
    }
    let r = libm::sqrt(-libm::log(tail));
    let x = if r <= 5.0 { ratio(r - 1.6, &TAIL_RATIO) } else { ratio(r - 5.0, &FAR_TAIL_RATIO) };
    if q < 0.0 { -x } else { x }
}

/// Coefficients of numerator and denominator, by rising power.
struct Rational {
    numerator: [f64; 8],
    denominator: [f64; 8],
}

/// Returns the quotient of both polynomials at `x`, by Horner's rule.
fn ratio(x: f64, of: &Rational) -> f64 {
    let at = |coefficients: &[f64; 8]| coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c);
    at(&of.numerator) / at(&of.denominator)
}

/// For probabilities between 0.075 and 0.925.
const CENTRE_RATIO: Rational = Rational {
    numerator: [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    denominator: [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_854e3,
    ],
};

/// For tails down to e^-25.
const TAIL_RATIO: Rational = Rational {
    numerator: [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    denominator: [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
};

/// For tails beyond e^-25.
const FAR_TAIL_RATIO: Rational = Rational {
    numerator: [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    denominator: [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::normal_cdf;

    #[test]
    fn the_inverse_is_accurate_in_the_centre_and_the_tails() {
        // Correctly rounded, from 50-digit arithmetic.
        for (p, x) in [
            (1e-300, -37.0470962993612),
            (1e-20, -9.262340089798407),
            (1e-11, -6.706023155495136),
            (1e-5, -4.264890793922825),
            (0.01, -2.326347874040841),
            (0.07, -1.4757910281791706),
            (0.3, -0.5244005127080408),
            (0.5, 0.0),
            (0.6, 0.2533471031357997),
            (0.925, 1.4395314709384561),
            (0.975, 1.9599639845400538),
            (0.999999, 4.753424308817087),
        ] {
            let error = libm::fabs(inverse_normal_cdf(p) - x);
            assert!(error <= 6e-16 * libm::fabs(x), "{p}: off by {error:e}");
        }
    }

    #[test]
    fn the_inverse_inverts_the_distribution() {
        for step in 1..1_000 {
            let p = f64::from(step) / 1_000.0;
            let back = normal_cdf(inverse_normal_cdf(p));
            assert!(libm::fabs(back - p) < 4e-16, "{p} came back as {back}");
        }
    }

    #[test]
    fn invalid_probabilities_do_not_panic() {
        assert_eq!(inverse_normal_cdf(0.0), f64::NEG_INFINITY);
        assert_eq!(inverse_normal_cdf(1.0), f64::INFINITY);
        for p in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(inverse_normal_cdf(p).is_nan(), "{p}");
        }
    }
}
