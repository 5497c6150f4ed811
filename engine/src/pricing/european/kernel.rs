//! Branchless formula for one option.
//!
//! The out-of-the-money option is valued and parity gives the other. With A the asset's and
//! C the cash's discounted leg (mirrored for puts),
//! D = −|ln(A/C)|/s ± s/2, s = σ√t and m = A φ(D₁) = C φ(D₂), both legs are m
//! times Mills' ratios: V = m (M(−D₁) − M(−D₂)). An error in D then moves both
//! legs alike, as rounding of the inputs does, so precision is kept in the wings. (After P.
//! Jäckel, "Let's Be Rational", 2015, §6; a single rational function for the ratio replaces
//! his four regions.)

use super::OptionValuation;
use crate::math::{INVERSE_ROOT_TWO_PI, exp_bounded, ln_normal, mills_ratio};
use crate::pricing::PricingError;

/// Minimum deviation, which keeps divisions finite.
const MIN_DEVIATION: f64 = 1e-60;
/// Limit of the distances in deviations; beyond it everything underflows.
const MAX_DEVIATIONS: f64 = 1e4;

/// Inputs of one option.
#[derive(Clone, Copy)]
pub(super) struct Lane {
    /// +1 call, −1 put.
    pub(super) sign: f64,
    pub(super) spot: f64,
    pub(super) strike: f64,
    pub(super) years: f64,
    pub(super) rate: f64,
    pub(super) div_yield: f64,
    pub(super) vol: f64,
}

impl Lane {
    pub(super) fn check(&self) -> Result<(), PricingError> {
        let positive = |x: f64| x >= f64::MIN_POSITIVE && x.is_finite();
        let not_negative = |x: f64| x >= 0.0 && x.is_finite();
        let valid = positive(self.spot)
            && positive(self.strike)
            && not_negative(self.years)
            && not_negative(self.vol)
            && self.rate.is_finite()
            && self.div_yield.is_finite();
        if valid { Ok(()) } else { Err(PricingError::InvalidInput) }
    }
}

/// Components of price and Greeks.
#[derive(Clone, Copy)]
pub(super) struct OptionParts {
    pub(super) price: f64,
    /// S e^(−qt) Φ(d₁) of a call, −S e^(−qt) Φ(−d₁) of a put.
    pub(super) asset: f64,
    /// K e^(−rt) Φ(d₂) of a call, −K e^(−rt) Φ(−d₂) of a put.
    pub(super) cash: f64,
    /// S e^(−qt) φ(d₁)
    pub(super) density: f64,
    pub(super) d1: f64,
    pub(super) d2: f64,
    pub(super) root_years: f64,
    /// 1/(σ√t), finite at expiry.
    pub(super) per_deviation: f64,
}

/// Distances from the money in deviations: arguments of the exponential and of both Mills'
/// ratios.
#[derive(Clone, Copy)]
pub(super) struct Distances {
    /// ln(A/C); a call is out of the money unless it is positive.
    pub(super) moneyness: f64,
    /// D₁, which may have either sign, and D₂, which is not positive.
    pub(super) d1: f64,
    pub(super) d2: f64,
    pub(super) deviation: f64,
    pub(super) root_years: f64,
    /// 1/(σ√t), finite at expiry.
    pub(super) per_deviation: f64,
}

/// Returns the distances of an option with log-moneyness `moneyness`.
#[inline(always)]
pub(super) fn distances(moneyness: f64, years: f64, vol: f64) -> Distances {
    let root_years = years.sqrt();
    let deviation = vol * root_years;
    let live = deviation > MIN_DEVIATION;
    let per_deviation = 1.0 / if live { deviation } else { MIN_DEVIATION };
    let h = -moneyness.abs() * per_deviation;
    let h = if h > -MAX_DEVIATIONS { h } else { -MAX_DEVIATIONS };
    let half = 0.5 * deviation;
    Distances { moneyness, d1: h + half, d2: h - half, deviation, root_years, per_deviation }
}

/// Returns φ(D₁).
#[inline(always)]
pub(super) fn density(d1: f64) -> f64 {
    INVERSE_ROOT_TWO_PI * exp_bounded(-0.5 * (d1 * d1))
}

/// Returns the components from discounted legs, `asset` = S e^(−qt) and `cash` = K e^(−rt),
/// the density at D₁ and the Mills' ratios of |D₁| and −D₂.
#[inline(always)]
pub(super) fn parts(
    sign: f64,
    (asset, cash): (f64, f64),
    distances: &Distances,
    density: f64,
    (mills1, mills2): (f64, f64),
) -> OptionParts {
    let Distances { moneyness, d1, d2, deviation, root_years, per_deviation } = *distances;
    let (below, live) = (moneyness <= 0.0, deviation > MIN_DEVIATION);
    let (near, far) = if below { (asset, cash) } else { (cash, asset) };
    let density = if live { near * density } else { 0.0 };

    // Legs of the out-of-the-money option and their complements.
    let tail1 = density * mills1;
    let tail2 = density * mills2;
    let inner = (d1 > 0.0) & live;
    let inside = near - tail1;
    let (leg1, rest1) = if inner { (inside, tail1) } else { (tail1, inside) };
    let rest2 = far - tail2;
    let value = leg1 - tail2;
    // Rounding may make a tiny value negative.
    let value = if value > 0.0 { value } else { 0.0 };

    let intrinsic = sign * (asset - cash);
    let intrinsic = if intrinsic > 0.0 { intrinsic } else { 0.0 };
    // Below the money a call is out (leg1, leg2) and a put in (rest1, rest2); above it
    // the legs are swapped.
    let is_out = (sign > 0.0) == below;
    let (first, second) = if is_out { (leg1, tail2) } else { (rest1, rest2) };
    let (asset_leg, cash_leg) = if below { (first, second) } else { (second, first) };
    OptionParts {
        price: value + if is_out { 0.0 } else { intrinsic },
        asset: sign * asset_leg,
        cash: sign * cash_leg,
        density,
        d1: if below { d1 } else { -d2 },
        d2: if below { d2 } else { -d1 },
        root_years,
        per_deviation,
    }
}

/// Discounts the legs and returns the components.
#[inline(always)]
fn components(lane: &Lane) -> OptionParts {
    let Lane { sign, spot, strike, years, rate, div_yield, vol } = *lane;
    let asset = spot * exp_bounded(-div_yield * years);
    let cash = strike * exp_bounded(-rate * years);
    let moneyness = ln_normal(spot / strike) + (rate - div_yield) * years;
    let distances = distances(moneyness, years, vol);
    let ratios = (mills_ratio(distances.d1.abs()), mills_ratio(-distances.d2));
    parts(sign, (asset, cash), &distances, density(distances.d1), ratios)
}

/// Returns −∂V/∂t per year; σ/√t is σ²/(σ√t).
#[inline(always)]
pub(super) fn theta(lane: &Lane, parts: &OptionParts) -> f64 {
    let decay = 0.5 * parts.density * (lane.vol * lane.vol) * parts.per_deviation;
    lane.div_yield * parts.asset - lane.rate * parts.cash - decay
}

/// Returns value and all Greeks of one option.
#[inline(always)]
pub(super) fn greeks(lane: &Lane) -> OptionValuation {
    let parts = components(lane);
    let OptionParts { price, asset, cash, density, d1, d2, root_years, per_deviation } = parts;
    let per_spot = density / lane.spot;
    let vol = if lane.vol > MIN_DEVIATION { lane.vol } else { MIN_DEVIATION };
    let years = if lane.years > MIN_DEVIATION { lane.years } else { MIN_DEVIATION };
    let delta = asset / lane.spot;
    let vega = density * root_years;
    let drift = (lane.rate - lane.div_yield) * per_deviation - 0.5 * d2 / years;
    OptionValuation {
        price,
        delta,
        gamma: per_spot / lane.spot * per_deviation,
        vega,
        theta: theta(lane, &parts),
        rho: lane.years * cash,
        dividend_rho: -lane.years * asset,
        vanna: -per_spot * (d2 / vol),
        volga: vega * (d1 * d2 / vol),
        charm: lane.div_yield * delta - per_spot * drift,
    }
}
