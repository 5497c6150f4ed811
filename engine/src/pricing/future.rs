//! Index futures by cost of carry, with a dividend yield or discrete
//! dividends.
//!
//! Knows no quotes beyond its inputs; rates and yields are continuously
//! compounded, times are years of 365 days.

use crate::math::exp;

/// What a future's fair price depends on.
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
    /// Dividends as (years from now, points); those after expiry do not count.
    pub dividends: &'a [(f64, f64)],
}

/// A future's fair price and what moves it, for one point of multiplier.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FairValue {
    /// `F = (S − Σ D_i e^(−r t_i)) · e^((r − q) t)`.
    pub price: f64,
    /// `F − S`.
    pub basis: f64,
    /// `∂F/∂S`.
    pub delta: f64,
    /// `∂F/∂r` for a rate of 1.00 more.
    pub rho: f64,
}

/// The fair price of a future: `F = (S − Σ D_i e^(−r t_i)) · e^((r − q) t)`.
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

/// A position of `contracts` (short negative) with `multiplier` money a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FuturePosition {
    /// Contracts, long positive.
    pub contracts: f64,
    /// Money a point and contract.
    pub multiplier: f64,
    /// The price at which it was entered.
    pub trade_price: f64,
}

impl FuturePosition {
    /// Gain when the future trades at its fair price.
    pub fn pnl_to(&self, price: f64) -> f64 {
        (price - self.trade_price) * self.multiplier * self.contracts
    }

    /// Units of the index that move like the position.
    pub fn delta(&self, value: &FairValue) -> f64 {
        value.delta * self.multiplier * self.contracts
    }

    /// Gain from one basis point more of rate, to first order.
    pub fn rate_gain_per_bp(&self, value: &FairValue) -> f64 {
        value.rho * self.multiplier * self.contracts * 1e-4
    }
}
