//! European options: Black-Scholes-Merton on a spot with a continuous dividend
//! yield, and Black-76 on a future.
//!
//! No exercise before expiry. [`batch`] values many options at once.
//!
//! A vega is per 1.00 of volatility, a rho per 1.00 of rate, theta and charm are per year
//! of passing time. Rates compound continuously.

pub mod batch;
mod kernel;

use super::PricingError;
use crate::instrument::OptionRight;
use crate::math::LANES;
use kernel::{Lane, greeks};

/// Terms of a vanilla option, relative to the valuation date.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vanilla {
    /// Call or put.
    pub right: OptionRight,
    /// Strike in the underlier's price unit.
    pub strike: f64,
    /// Years to expiry, ACT/365F.
    pub years: f64,
}

/// Market of an option on a spot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpotMarket {
    /// Price of the underlier.
    pub spot: f64,
    /// Continuously compounded, 0.05 is 5 %.
    pub rate: f64,
    /// Continuously compounded.
    pub div_yield: f64,
    /// Per square root of a year, 0.2 is 20 %.
    pub vol: f64,
}

/// Market of an option on a future.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FutureMarket {
    /// Price of the future.
    pub future: f64,
    /// Continuously compounded, to the option's expiry.
    pub rate: f64,
    /// Per square root of a year.
    pub vol: f64,
}

/// Value and Greeks of an option, per unit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OptionValuation {
    /// Value today.
    pub price: f64,
    /// ∂V/∂S
    pub delta: f64,
    /// ∂²V/∂S²
    pub gamma: f64,
    /// ∂V/∂σ per 1.00 of volatility
    pub vega: f64,
    /// −∂V/∂t per year, negative for most options.
    pub theta: f64,
    /// ∂V/∂r per 1.00
    pub rho: f64,
    /// ∂V/∂q per 1.00
    pub dividend_rho: f64,
    /// ∂²V/∂S∂σ
    pub vanna: f64,
    /// ∂²V/∂σ²
    pub volga: f64,
    /// −∂delta/∂t, per year
    pub charm: f64,
}

/// Value and Greeks of a Black-76 option on a future.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FutureOptionValuation {
    /// Value today.
    pub price: f64,
    /// ∂V/∂F
    pub delta: f64,
    /// ∂²V/∂F²
    pub gamma: f64,
    /// ∂V/∂σ per 1.00 of volatility
    pub vega: f64,
    /// −∂V/∂t at a fixed futures price, per year
    pub theta: f64,
    /// ∂V/∂r at a fixed futures price: −t·V
    pub rho: f64,
    /// ∂²V/∂F∂σ
    pub vanna: f64,
    /// ∂²V/∂σ²
    pub volga: f64,
    /// −∂delta/∂t at a fixed futures price, per year
    pub charm: f64,
}

/// Returns +1 for a call, −1 for a put.
pub(crate) fn sign(right: OptionRight) -> f64 {
    match right {
        OptionRight::Call => 1.0,
        OptionRight::Put => -1.0,
    }
}

/// Values an option by Black, Scholes and Merton's formula.
///
/// The error is a few times that of rounding the inputs, also in the far wings. At expiry
/// and without volatility: the discounted intrinsic value and its derivatives, at the kink
/// those of the out-of-the-money side.
///
/// # Errors
/// [`PricingError::InvalidInput`] unless spot and strike are positive, years
/// and volatility not negative, and all of them finite.
pub fn value(terms: &Vanilla, market: &SpotMarket) -> Result<OptionValuation, PricingError> {
    let lane = Lane {
        sign: sign(terms.right),
        spot: market.spot,
        strike: terms.strike,
        years: terms.years,
        rate: market.rate,
        div_yield: market.div_yield,
        vol: market.vol,
    };
    lane.check()?;
    Ok(greeks(&lane))
}

/// Values an option on a future by Black's formula of 1976.
///
/// # Errors
/// As [`value`].
pub fn value_on_future(
    terms: &Vanilla,
    market: &FutureMarket,
) -> Result<FutureOptionValuation, PricingError> {
    let &FutureMarket { future, rate, vol } = market;
    // A future is a spot whose yield is the rate.
    let value = value(terms, &SpotMarket { spot: future, rate, div_yield: rate, vol })?;
    Ok(FutureOptionValuation {
        price: value.price,
        delta: value.delta,
        gamma: value.gamma,
        vega: value.vega,
        theta: value.theta,
        rho: -terms.years * value.price,
        vanna: value.vanna,
        volga: value.volga,
        charm: value.charm,
    })
}

const _: () = assert!(LANES == 8, "the batch's tail is padded to blocks of eight");
