//! Branchless kernel of one implied volatility: normal form, guess, one step.
//!
//! In units of the nearer leg A of the out-of-the-money option (C the farther, k = ln(C/A)
//! ≥ 0, s = σ√t, c = V/A in (0, 1)):
//! c = Φ(d₁) − eᵏ Φ(d₂), d = −k/s ± s/2.

use super::ImpliedVolError;
use crate::math::{INVERSE_ROOT_TWO_PI, exp, inverse_normal_cdf, ln_normal, mills_ratio, polynomial};

/// Iteration limit, above that of any price.
pub(super) const MAX_STEPS: u32 = 40;
/// Step size, in the scale of the method's order, whose fourth power is below rounding.
pub(super) const FULL_TOLERANCE: f64 = 1e-4;
/// Step size that leaves an error of about 1e-10.
pub(super) const MARKING_TOLERANCE: f64 = 2e-3;

/// √(2π) ÷ … : w / y(w), where y is Bachelier's moneyness in deviations and w
/// the distance from the money in prices, for y up to 1; within 8e-6.
const NEAR_NUMERATOR: [f64; 4] = [2.506_647_341, 2.987_341_605, 8.545_497_183e-1, 4.742_414_982e-2];
const NEAR_DENOMINATOR: [f64; 4] = [1.0, 6.920_312_737e-1, 7.318_828_793e-2, 2.516_550_110e-4];
/// y in √(ln w) for y from 1 to 39; within 9e-6.
const FAR_NUMERATOR: [f64; 5] =
    [-4.694_606_432e-1, 1.707_884_386, -1.320_605_475, 4.383_878_558e-1, 1.180_240_671e-1];
const FAR_DENOMINATOR: [f64; 4] = [1.0, -4.566_513_485e-1, 3.140_219_458e-1, 8.343_170_107e-2];
/// s / g in g² at the money, where g = √(2π) erf(s / √8); within 9e-7 for s up
/// to 3.6.
const AT_MONEY_NUMERATOR: [f64; 4] = [1.000_000_831, -2.726_811_187e-1, 2.051_930_964e-2, -3.129_876_015e-4];
const AT_MONEY_DENOMINATOR: [f64; 4] = [1.0, -3.143_409_752e-1, 2.996_126_315e-2, -8.040_462_003e-4];
const AT_MONEY_MAX: f64 = 5.4;
/// w at y = 1.
const NEAR_MAX: f64 = 12.0;
/// Moneyness from which [`NormalForm::far_guess`] is the better guess.
const FAR_MIN_MONEYNESS: f64 = 3.0;

/// A price with the inputs of its option.
#[derive(Clone, Copy)]
pub(super) struct InverseProblem {
    pub(super) call: bool,
    /// Discounted underlier, or the forward of an undiscounted price.
    pub(super) asset: f64,
    /// Discounted strike.
    pub(super) cash: f64,
    pub(super) years: f64,
    pub(super) price: f64,
}

/// Normal form of a problem.
#[derive(Clone, Copy)]
pub(super) struct NormalForm {
    pub(super) moneyness: f64,
    /// c, or 1 − c if that is smaller.
    pub(super) target: f64,
    /// True if `target` is 1 − c.
    pub(super) upper: bool,
    pub(super) guess: f64,
}

impl InverseProblem {
    /// Returns the reason why there is no volatility, if there is none.
    #[inline(always)]
    pub(super) fn refusal(&self) -> Option<ImpliedVolError> {
        let Self { call, asset, cash, years, price } = *self;
        let positive = |x: f64| x >= f64::MIN_POSITIVE && x.is_finite();
        if !(positive(asset) && positive(cash) && positive(years) && !price.is_nan()) {
            return Some(ImpliedVolError::Invalid);
        }
        let (over, most) = if call { (asset - cash, asset) } else { (cash - asset, cash) };
        if price < over || price < 0.0 {
            Some(ImpliedVolError::BelowIntrinsic)
        } else if price >= most {
            Some(ImpliedVolError::AboveMaximum)
        } else {
            None
        }
    }

    /// Returns true if [`InverseProblem::refusal`] is `None`; branchless.
    #[inline(always)]
    pub(super) fn is_admissible(&self) -> bool {
        let Self { call, asset, cash, years, price } = *self;
        let positive = |x: f64| (f64::MIN_POSITIVE..=f64::MAX).contains(&x);
        let (over, most) = if call { (asset - cash, asset) } else { (cash - asset, cash) };
        positive(asset) & positive(cash) & positive(years) & (price >= over) & (price >= 0.0) & (price < most)
    }

    /// Returns the normal form with a first guess; undefined for a refused problem.
    #[inline(always)]
    pub(super) fn start(&self) -> NormalForm {
        let Self { call, asset, cash, price, .. } = *self;
        let (near, far) = if asset <= cash { (asset, cash) } else { (cash, asset) };
        let intrinsic = if call { asset - cash } else { cash - asset };
        let value = price - if intrinsic > 0.0 { intrinsic } else { 0.0 };
        let c = value / near;
        let upper = c > 0.5;
        let target = if upper { (near - value) / near } else { c };
        let moneyness = ln_normal(far / near);

        // Bachelier's volatility first: w needs no logarithm and has a fitted inverse.
        let tiny = if value > 1e-290 { value } else { 1e-290 };
        let w = (far - near) / tiny;
        let close = if w < NEAR_MAX { w } else { NEAR_MAX };
        let per_w = polynomial(&NEAR_NUMERATOR, close) / polynomial(&NEAR_DENOMINATOR, close);
        let log_w = ln_normal(if w > NEAR_MAX { w } else { NEAR_MAX });
        let root = log_w.sqrt();
        let y = polynomial(&FAR_NUMERATOR, root) / polynomial(&FAR_DENOMINATOR, root);
        // k / (C/A − 1) is 1 at the money.
        let apart = far - near;
        let slope = if apart > 0.0 { moneyness * near / apart } else { 1.0 };
        let bachelier = if w < NEAR_MAX { c * slope * per_w } else { moneyness / y };
        // Lognormal volatility of the same price; the dependence on k is Hagan and
        // Woodward's expansion ("Equivalent Black volatilities", 1999).
        let u = bachelier * bachelier;
        let u = if u < AT_MONEY_MAX { u } else { AT_MONEY_MAX };
        let s = bachelier * polynomial(&AT_MONEY_NUMERATOR, u) / polynomial(&AT_MONEY_DENOMINATOR, u);
        let product = s * moneyness;
        let guess = s / (1.0 + product * product * (1.0 / 2880.0));
        NormalForm { moneyness, target, upper, guess }
    }
}

impl NormalForm {
    /// Returns true if the strike is too far for the guess of [`InverseProblem::start`], an
    /// expansion around the money.
    #[inline(always)]
    pub(super) fn is_far(&self) -> bool {
        self.moneyness > FAR_MIN_MONEYNESS
    }

    /// Returns the guess for a far strike: the second leg is small, so c ≈ Φ(d₁), and d₁ =
    /// s/2 − k/s gives s; within 10 % from k = 3 on, more precise for larger k.
    #[inline(never)]
    pub(super) fn far_guess(&self) -> f64 {
        let d1 = inverse_normal_cdf(self.target);
        let d1 = if self.upper { -d1 } else { d1 };
        let root = (d1 * d1 + 2.0 * self.moneyness).sqrt();
        if d1 > 0.0 { root + d1 } else { 2.0 * self.moneyness / (root - d1) }
    }

    /// Takes a step from deviation `s`; returns the next deviation and the step size.
    #[inline(always)]
    pub(super) fn step(&self, s: f64) -> (f64, f64) {
        let k = self.moneyness;
        let inverse = 1.0 / s;
        let h = -k * inverse;
        let half = 0.5 * s;
        let (d1, d2) = (h + half, h - half);
        let density = INVERSE_ROOT_TWO_PI * exp(-0.5 * (d1 * d1));
        let (m1, m2) = (mills_ratio(d1.abs()), mills_ratio(-d2));
        let inner = d1 > 0.0;
        let part = density * if inner { m1 + m2 } else { m1 - m2 };
        let value = if inner == self.upper { part } else { 1.0 - part };
        let value = if value > 1e-300 { value } else { 1e-300 };

        // g = ln(value / target); b its slope's b'/value, ratios of
        // derivatives as in Jäckel's §5.
        let slope = if self.upper { -density } else { density } / value;
        let newton = -ln_normal(value / self.target) / slope;
        let second = d1 * d2 * inverse;
        let hs = h * inverse;
        let third = second * second - 3.0 * (hs * hs) - 0.25;
        let gamma = second - slope;
        let delta = third - 3.0 * slope * second + 2.0 * (slope * slope);
        let change =
            newton * (1.0 + 0.5 * newton * gamma) / (1.0 + newton * (gamma + newton * delta * (1.0 / 6.0)));
        let next = s + change;
        let next = if next > half { next } else { half };
        let next = if next < 2.0 * s { next } else { 2.0 * s };
        let size = change.abs() * (inverse + gamma.abs());
        // Without time value the deviation is zero.
        let none = self.target <= 0.0;
        (if none { 0.0 } else { next }, if none { 0.0 } else { size })
    }
}
