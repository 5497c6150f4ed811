//! The formula itself for one option, without a branch.
//!
//! The out-of-the-money option is valued and parity gives the other. With
//! A the asset's and C the cash's discounted leg (mirrored for puts),
//! D = −|ln(A/C)|/s ± s/2, s = σ√t and m = A φ(D₁) = C φ(D₂), both legs are m
//! times Mills' ratios: V = m (M(−D₁) − M(−D₂)). An error in D then moves both
//! legs alike, as the inputs' own rounding does, and nothing is lost in the
//! wings. (The idea is Jäckel's, "Let's Be Rational", 2015, §6; the single
//! rational function for the ratio makes his four regions one.)

use super::Valuation;
use crate::math::{INVERSE_ROOT_TWO_PI, exp, ln_normal, mills_ratio};
use crate::pricing::PricingError;

/// No deviation counts as none below this; it keeps divisions finite.
const LEAST_DEVIATION: f64 = 1e-60;
/// Standard deviations beyond which everything has long underflowed.
const FARTHEST: f64 = 1e10;

/// One option's numbers.
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

/// What price and all Greeks are made of.
#[derive(Clone, Copy)]
pub(super) struct Parts {
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
    /// σ√t, never quite 0.
    pub(super) deviation: f64,
}

/// The parts from discounted legs: `asset` = S e^(−qt), `cash` = K e^(−rt) and
/// `moneyness`, the logarithm of their quotient.
#[inline(always)]
pub(super) fn parts(sign: f64, asset: f64, cash: f64, moneyness: f64, years: f64, vol: f64) -> Parts {
    let root_years = years.sqrt();
    let deviation = vol * root_years;
    let live = deviation >= LEAST_DEVIATION;
    let deviation = if live { deviation } else { LEAST_DEVIATION };

    let below = moneyness <= 0.0;
    let (near, far) = if below { (asset, cash) } else { (cash, asset) };
    let h = -moneyness.abs() / deviation;
    let h = if live && h > -FARTHEST { h } else { -FARTHEST };
    let half = 0.5 * deviation;
    let (d1, d2) = (h + half, h - half);
    let density = near * (INVERSE_ROOT_TWO_PI * exp(-0.5 * (d1 * d1)));
    let (m1, m2) = (mills_ratio(d1.abs()), mills_ratio(-d2));

    // Legs of the out-of-the-money option, and what they leave of the whole.
    let tail = density * m1;
    let inner = d1 > 0.0;
    let leg1 = if inner { near - tail } else { tail };
    let rest1 = if inner { tail } else { near - tail };
    let leg2 = density * m2;
    let rest2 = far - leg2;
    let out = if inner { near - density * (m1 + m2) } else { density * (m1 - m2) };
    // Rounding may leave less than nothing of what is nearly nothing.
    let out = if out < 0.0 { 0.0 } else { out };

    let call = sign > 0.0;
    let intrinsic = if call { asset - cash } else { cash - asset };
    let is_out = call == below;
    let price = if is_out { out } else { out + if intrinsic > 0.0 { intrinsic } else { 0.0 } };
    // Below the money a call is out (leg1, leg2) and a put in (rest1, rest2);
    // above it the legs trade places.
    let first = if is_out { leg1 } else { rest1 };
    let second = if is_out { leg2 } else { rest2 };
    let asset_leg = if below { first } else { second };
    let cash_leg = if below { second } else { first };
    Parts {
        price,
        asset: if call { asset_leg } else { -asset_leg },
        cash: if call { cash_leg } else { -cash_leg },
        density,
        d1: if below { d1 } else { -d2 },
        d2: if below { d2 } else { -d1 },
        root_years,
        deviation,
    }
}

/// Discounts the legs and takes the option apart.
#[inline(always)]
pub(super) fn take_apart(lane: &Lane) -> Parts {
    let Lane { sign, spot, strike, years, rate, div_yield, vol } = *lane;
    let asset = spot * exp(-div_yield * years);
    let cash = strike * exp(-rate * years);
    let moneyness = ln_normal(spot / strike) + (rate - div_yield) * years;
    parts(sign, asset, cash, moneyness, years, vol)
}

/// −∂V/∂t per year.
#[inline(always)]
pub(super) fn theta(lane: &Lane, parts: &Parts) -> f64 {
    let root = if parts.root_years > LEAST_DEVIATION { parts.root_years } else { LEAST_DEVIATION };
    lane.div_yield * parts.asset - lane.rate * parts.cash - 0.5 * parts.density * lane.vol / root
}

/// Everything there is to know of one option.
#[inline(always)]
pub(super) fn greeks(lane: &Lane) -> Valuation {
    let parts = take_apart(lane);
    let Parts { price, asset, cash, density, d1, d2, root_years, deviation } = parts;
    let per_spot = density / lane.spot;
    let vol = if lane.vol > LEAST_DEVIATION { lane.vol } else { LEAST_DEVIATION };
    let years = if lane.years > LEAST_DEVIATION { lane.years } else { LEAST_DEVIATION };
    let delta = asset / lane.spot;
    let vega = density * root_years;
    let drift = (lane.rate - lane.div_yield) / deviation - 0.5 * d2 / years;
    Valuation {
        price,
        delta,
        gamma: per_spot / (lane.spot * deviation),
        vega,
        theta: theta(lane, &parts),
        rho: lane.years * cash,
        dividend_rho: -lane.years * asset,
        vanna: -per_spot * (d2 / vol),
        volga: vega * (d1 * d2 / vol),
        charm: lane.div_yield * delta - per_spot * drift,
    }
}
