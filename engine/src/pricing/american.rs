//! American options on a spot with a continuous dividend yield, and on
//! futures: price, Greeks and the price at which exercise pays.
//!
//! The European option of [`super::european`] plus the premium for early
//! exercise, from the exercise boundary of Andersen, Lake and Offengenden
//! (2016). Calls are valued as the put on the strike in units of the spot
//! (McDonald and Schroder's symmetry, 1998). Units as in `european`.

mod boundary;
mod premium;
mod rule;

use self::boundary::{Boundary, Dynamics, Patience};
use self::premium::{Premium, premium};
use self::rule::{Rule, gauss_legendre};
use super::PricingError;
use super::european::{self, SpotMarket, Vanilla};
use crate::instrument::OptionRight;
use crate::math::exp;

/// How an option is valued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// To 1e-9 of spot plus strike (2e-11 on the reference cases).
    High,
    /// For live marking, in some 5 µs: over 3,000 random options the worst
    /// error was 2e-5 of spot plus strike, 99 of 100 were within 4e-6.
    Fast,
}

/// An American option's value and how it moves with its inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Valuation {
    /// Value today.
    pub price: f64,
    /// What the right to exercise early adds: price minus the European's.
    pub early_exercise_premium: f64,
    /// The spot at which exercise becomes optimal today; `None`: never.
    pub critical_price: Option<f64>,
    /// ∂V/∂S; ±1 where the option should be exercised at once.
    pub delta: f64,
    /// ∂²V/∂S²
    pub gamma: f64,
    /// −∂V/∂t per year
    pub theta: f64,
}

/// What moves with volatility and rates, each found by valuing again.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sensitivities {
    /// ∂V/∂σ per 1.00
    pub vega: f64,
    /// ∂V/∂r per 1.00
    pub rho: f64,
    /// ∂V/∂q per 1.00
    pub dividend_rho: f64,
}

/// Values American options: room for a boundary, made once and used for any
/// number of them.
#[derive(Debug)]
pub struct Valuer {
    boundary: Boundary,
    points: Vec<(f64, f64)>,
    patience: Patience,
    /// Whose boundary is held.
    solved: Option<Dynamics>,
    steps: u32,
}

impl Valuer {
    /// A valuer; allocates, and makes tables at the first of each precision.
    pub fn new(precision: Precision) -> Self {
        let (rule, points, patience) = match precision {
            Precision::High => (Rule::precise(), 60, Patience { steps: 40, enough: 1e-8 }),
            Precision::Fast => (Rule::fast(), 8, Patience { steps: 8, enough: 1e-3 }),
        };
        Self {
            boundary: Boundary::new(rule),
            points: gauss_legendre(points),
            patience,
            solved: None,
            steps: 0,
        }
    }

    /// Values an option on a spot.
    ///
    /// # Errors
    /// [`PricingError::InvalidInput`] as for European options, and for
    /// negative rates and yields.
    pub fn value(&mut self, terms: &Vanilla, market: &SpotMarket) -> Result<Valuation, PricingError> {
        let european = european::value(terms, market)?;
        if market.rate < 0.0 || market.div_yield < 0.0 {
            return Err(PricingError::InvalidInput);
        }
        let SpotMarket { spot, rate, div_yield, vol } = *market;
        let (strike, years) = (terms.strike, terms.years);
        // The put's side: (rate, yield), spot per strike, units of value.
        let (own, other, level) = match terms.right {
            OptionRight::Put => (rate, div_yield, spot / strike),
            OptionRight::Call => (div_yield, rate, strike / spot),
        };
        let mut value = Valuation {
            price: european.price,
            early_exercise_premium: 0.0,
            critical_price: None,
            delta: european.delta,
            gamma: european.gamma,
            theta: european.theta,
        };
        if own == 0.0 {
            return Ok(value);
        }
        let deviation = vol * years.sqrt();
        if deviation.is_nan() || deviation <= 1e-8 {
            return Ok(Self::without_time(terms, market, value));
        }
        let dynamics = Dynamics { rate: own, div_yield: other, vol, years };
        self.solve(&dynamics);
        let log_critical = self.boundary.log_now();
        let critical = match terms.right {
            OptionRight::Put => strike * exp(log_critical),
            OptionRight::Call => strike * exp(-log_critical),
        };
        value.critical_price = Some(critical);
        let (exercise, intrinsic, sign) = match terms.right {
            OptionRight::Put => (spot <= critical, strike - spot, -1.0),
            OptionRight::Call => (spot >= critical, spot - strike, 1.0),
        };
        if exercise {
            value.early_exercise_premium = intrinsic - european.price;
            value.price = intrinsic;
            (value.delta, value.gamma, value.theta) = (sign, 0.0, 0.0);
            return Ok(value);
        }
        let Premium { value: extra, slope, curvature } =
            premium(&self.boundary, &dynamics, level, &self.points);
        match terms.right {
            OptionRight::Put => {
                value.early_exercise_premium = strike * extra;
                value.delta += slope;
                value.gamma += curvature / strike;
            }
            OptionRight::Call => {
                // C = S e(K/S)
                value.early_exercise_premium = spot * extra;
                value.delta += extra - level * slope;
                value.gamma += level * level * curvature / spot;
            }
        }
        // The right to exercise now is worth what exercise brings.
        let least = intrinsic - european.price;
        value.early_exercise_premium = value.early_exercise_premium.max(least).max(0.0);
        value.price += value.early_exercise_premium;
        // Black and Scholes's equation holds where the option lives on.
        value.theta = rate * value.price
            - (rate - div_yield) * spot * value.delta
            - 0.5 * vol * vol * spot * spot * value.gamma;
        Ok(value)
    }

    /// How many steps of the fixed point the last boundary took.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    fn solve(&mut self, dynamics: &Dynamics) {
        if self.solved != Some(*dynamics) {
            self.steps = self.boundary.solve(dynamics, self.patience, false);
            self.solved = Some(*dynamics);
        }
    }

    /// At expiry, or when nothing moves: exercise is decided by arithmetic.
    fn without_time(terms: &Vanilla, market: &SpotMarket, mut value: Valuation) -> Valuation {
        let SpotMarket { spot, rate, div_yield, .. } = *market;
        let strike = terms.strike;
        let (intrinsic, sign) = match terms.right {
            OptionRight::Put => (strike - spot, -1.0),
            OptionRight::Call => (spot - strike, 1.0),
        };
        let ratio = rate / div_yield;
        value.critical_price = Some(match terms.right {
            OptionRight::Put => strike * if terms.years > 0.0 && ratio < 1.0 { ratio } else { 1.0 },
            OptionRight::Call => strike * if terms.years > 0.0 && ratio > 1.0 { ratio } else { 1.0 },
        });
        if intrinsic > value.price {
            value.early_exercise_premium = intrinsic - value.price;
            value.price = intrinsic;
            (value.delta, value.gamma, value.theta) = (sign, 0.0, 0.0);
        }
        value
    }

    /// Vega and rhos: the European's exactly, the premium's by differences of
    /// fourth order between whole solutions.
    ///
    /// # Errors
    /// As [`Valuer::value`].
    pub fn sensitivities(
        &mut self,
        terms: &Vanilla,
        market: &SpotMarket,
    ) -> Result<Sensitivities, PricingError> {
        let now = self.value(terms, market)?;
        if now.gamma == 0.0 && now.early_exercise_premium > 0.0 {
            // Exercised at once: nothing but the spot matters.
            return Ok(Sensitivities::default());
        }
        let european = european::value(terms, market)?;
        let mut sum =
            Sensitivities { vega: european.vega, rho: european.rho, dividend_rho: european.dividend_rho };
        if now.early_exercise_premium > 0.0 {
            let SpotMarket { rate, div_yield, vol, .. } = *market;
            let (own, other) = match terms.right {
                OptionRight::Put => (rate, div_yield),
                OptionRight::Call => (div_yield, rate),
            };
            // How fast the premium turns with rates: the boundary at expiry
            // moves with own/other, seen through the deviation to expiry.
            let step = RATE_STEP * own * (vol * terms.years.sqrt()).min(1.0);
            // It stands still from own = other on: differences stay on a side.
            let aside = (own - other).abs() < 2.0 * step;
            let one_sided = |direction: f64| if aside { direction } else { 0.0 };
            let (put, call) = (one_sided(1.0), one_sided(-1.0));
            let (to_rate, to_yield) = if terms.right == OptionRight::Put { (put, call) } else { (call, put) };
            sum.vega +=
                self.slope(terms, market, (vol, VOL_STEP * vol, 0.0), |market, at| market.vol = at)?;
            sum.rho += self.slope(terms, market, (rate, step, to_rate), |market, at| market.rate = at)?;
            sum.dividend_rho +=
                self.slope(terms, market, (div_yield, step, to_yield), |market, at| market.div_yield = at)?;
        }
        Ok(sum)
    }

    /// The premium's derivative where an input is `at`, by steps; to one side
    /// if `direction` is not 0, or if the other side is out of bounds.
    fn slope(
        &mut self,
        terms: &Vanilla,
        market: &SpotMarket,
        (at, step, direction): (f64, f64, f64),
        set: impl Fn(&mut SpotMarket, f64),
    ) -> Result<f64, PricingError> {
        let mut premium = |to: f64| {
            let mut moved = *market;
            set(&mut moved, at + to);
            self.value(terms, &moved).map(|value| value.early_exercise_premium)
        };
        if direction == 0.0 && at >= 2.0 * step {
            let near = premium(step)? - premium(-step)?;
            let far = premium(2.0 * step)? - premium(-2.0 * step)?;
            return Ok((8.0 * near - far) / (12.0 * step));
        }
        let h = if direction < 0.0 { -step } else { step };
        let sum = 48.0 * premium(h)? - 36.0 * premium(2.0 * h)? + 16.0 * premium(3.0 * h)?
            - 3.0 * premium(4.0 * h)?
            - 25.0 * premium(0.0)?;
        Ok(sum / (12.0 * h))
    }
}

/// Steps of the differences, relative.
const VOL_STEP: f64 = 0.005;
const RATE_STEP: f64 = 0.03;
