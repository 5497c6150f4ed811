//! Index futures by cost of carry, with a dividend yield or discrete
//! dividends.
//!
//! Knows no quotes beyond its inputs; rates and yields are continuously
//! compounded, times are years of 365 days.

use crate::math::exp;

/// Inputs of a future's fair price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FutureCarry<'a> {
    /// The index, in points.
    pub spot: f64,
    /// Financing rate (0.05 is 5 %).
    pub rate: f64,
    /// Dividend yield.
    pub div_yield: f64,
    /// Years to expiry.
    pub time: f64,
    /// Dividends as (years from now, points); those after expiry are ignored.
    pub dividends: &'a [(f64, f64)],
}

/// Fair price of a future and its sensitivities, per unit of multiplier.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FairValue {
    /// `F = (S − Σ D_i e^(−r t_i)) · e^((r − q) t)`.
    pub price: f64,
    /// `F − S`.
    pub basis: f64,
    /// `∂F/∂S`.
    pub delta: f64,
    /// `∂F/∂r` per 1.00 of rate.
    pub rho: f64,
}

/// Returns the fair price of a future: `F = (S − Σ D_i e^(−r t_i)) · e^((r − q) t)`.
pub fn fair_value(carry: &FutureCarry<'_>) -> FairValue {
    let (mut dividends, mut moments) = (0.0, 0.0);
    for (time, amount) in carry.dividends.iter().filter(|(time, _)| *time <= carry.time) {
        let present = amount * exp(-carry.rate * time);
        dividends += present;
        moments += time * present;
    }
    let growth = exp((carry.rate - carry.div_yield) * carry.time);
    let price = (carry.spot - dividends) * growth;
    FairValue { price, basis: price - carry.spot, delta: growth, rho: carry.time * price + growth * moments }
}

/// A position in a future.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FuturePosition {
    /// Contracts, short negative.
    pub contracts: f64,
    /// Money per point and contract.
    pub multiplier: f64,
    /// Price at which it was opened.
    pub trade_price: f64,
}

impl FuturePosition {
    /// Returns the P&L at a futures price.
    pub fn pnl_to(&self, price: f64) -> f64 {
        (price - self.trade_price) * self.multiplier * self.contracts
    }

    /// Returns the equivalent units of the index.
    pub fn delta(&self, value: &FairValue) -> f64 {
        value.delta * self.multiplier * self.contracts
    }

    /// Returns the gain when the rate rises by one basis point, to first order.
    pub fn rate_gain_per_bp(&self, value: &FairValue) -> f64 {
        value.rho * self.multiplier * self.contracts * 1e-4
    }
}
