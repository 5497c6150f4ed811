//! American options on a spot with a continuous dividend yield, and on futures: price,
//! Greeks and critical price.
//!
//! The European option of [`super::european`] plus the early exercise premium, from the
//! exercise boundary of Andersen, Lake and Offengenden (2016). Calls are valued as the
//! put on the strike in units of the spot (McDonald and Schroder's symmetry, 1998).
//! Where the drift dominates the volatility the option is effectively perpetual and has
//! a closed form. Units as in `european`.

mod boundary;
mod perpetual;
mod premium;
mod rule;

use self::boundary::{Boundary, Dynamics, SolverLimits};
use self::perpetual::Perpetual;
use self::premium::{Premium, parameter_slopes, premium};
use self::rule::{QuadratureRule, gauss_legendre};
use super::PricingError;
use super::european::{self, SpotMarket, Vanilla};
use crate::instrument::OptionRight;
use crate::math::{exp, ln};

/// Below this ratio of rate to variance only the precise rule resolves the boundary.
const STEEP_RATE_RATIO: f64 = 0.02;

/// Precision of a valuation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// To 1e-9 of spot plus strike (2e-11 on the reference cases).
    High,
    /// For live marking, in about 7 µs and within 5e-5 of spot plus strike; falls back to
    /// [`Self::High`] where a coarse boundary is worse.
    Fast,
}

/// Value and spot sensitivities of an American option.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AmericanValuation {
    /// Value today.
    pub price: f64,
    /// Price less the European option's.
    pub early_exercise_premium: f64,
    /// Spot at which exercise becomes optimal today; `None` if never.
    pub critical_price: Option<f64>,
    /// ∂V/∂S; ±1 where immediate exercise is optimal.
    pub delta: f64,
    /// ∂²V/∂S²
    pub gamma: f64,
    /// −∂V/∂t per year
    pub theta: f64,
}

/// Sensitivities to volatility and rates.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sensitivities {
    /// ∂V/∂σ per 1.00
    pub vega: f64,
    /// ∂V/∂r per 1.00
    pub rho: f64,
    /// ∂V/∂q per 1.00
    pub dividend_rho: f64,
}

/// Valuer of American options, with a reusable workspace for the boundary.
#[derive(Debug)]
pub struct Valuer {
    boundary: Boundary,
    points: Vec<(f64, f64)>,
    limits: SolverLimits,
    /// Inputs of the current boundary.
    solved: Option<Dynamics>,
    steps: u32,
    precision: Precision,
    /// For options that a coarse boundary does not resolve, created on first use.
    precise: Option<Box<Valuer>>,
}

impl Valuer {
    /// Creates a valuer; allocates, and builds tables for the first of each precision.
    pub fn new(precision: Precision) -> Self {
        let (rule, points, limits) = match precision {
            Precision::High => {
                (QuadratureRule::precise(), 60, SolverLimits { max_steps: 40, tolerance: 1e-8 })
            }
            Precision::Fast => (QuadratureRule::fast(), 8, SolverLimits { max_steps: 8, tolerance: 1e-3 }),
        };
        Self {
            boundary: Boundary::new(rule),
            points: gauss_legendre(points),
            limits,
            solved: None,
            steps: 0,
            precision,
            precise: None,
        }
    }

    /// Values an option on a spot. Rates and yields may be negative; a put with a negative
    /// rate not above its yield is never exercised early, nor is a call with a negative
    /// yield not above its rate.
    ///
    /// # Errors
    /// [`PricingError::InvalidInput`] as for European options;
    /// [`PricingError::TwoBoundaries`] for a put with yield < rate < 0 and a
    /// call with rate < yield < 0.
    pub fn value(&mut self, terms: &Vanilla, market: &SpotMarket) -> Result<AmericanValuation, PricingError> {
        let european = european::value(terms, market)?;
        let SpotMarket { spot, rate, div_yield, vol } = *market;
        let (strike, years) = (terms.strike, terms.years);
        let (own, other, level) = put_side(terms, market);
        let mut value = AmericanValuation {
            price: european.price,
            early_exercise_premium: 0.0,
            critical_price: None,
            delta: european.delta,
            gamma: european.gamma,
            theta: european.theta,
        };
        if own <= 0.0 && (own <= other || years == 0.0) {
            return Ok(value);
        }
        if own < 0.0 {
            return Err(PricingError::TwoBoundaries);
        }
        if is_certain(terms, market) {
            let waiting = best_wait(terms, market);
            value.critical_price = Some(waiting.critical);
            if waiting.price > value.price {
                value.early_exercise_premium = waiting.price - value.price;
                value.price = waiting.price;
                (value.delta, value.gamma, value.theta) = (waiting.delta, waiting.gamma, 0.0);
            }
            return Ok(value);
        }
        // At small rates the boundary is too curved for few nodes.
        if self.precision == Precision::Fast && own < STEEP_RATE_RATIO * vol * vol {
            let precise = self.precise.get_or_insert_with(|| Box::new(Self::new(Precision::High)));
            return precise.value(terms, market);
        }
        let dynamics = Dynamics { rate: own, div_yield: other, vol, years };
        let perpetual = Perpetual::of(&dynamics);
        let log_critical = match &perpetual {
            Some(perpetual) => perpetual.log_boundary(),
            None => {
                self.solve(&dynamics);
                self.boundary.log_now()
            }
        };
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
        let Premium { value: extra, slope, curvature } = match &perpetual {
            Some(perpetual) => {
                (value.price, value.delta, value.gamma) = (0.0, 0.0, 0.0);
                perpetual.value(level)
            }
            None => premium(&self.boundary, &dynamics, level, &self.points),
        };
        let (more, delta, gamma) = match terms.right {
            OptionRight::Put => (strike * extra, slope, curvature / strike),
            // C = S e(K/S)
            OptionRight::Call => (spot * extra, extra - level * slope, level * level * curvature / spot),
        };
        value.early_exercise_premium = value.price + more - european.price;
        value.price = european.price;
        value.delta += delta;
        value.gamma += gamma;
        // The value is at least that of immediate exercise.
        let least = intrinsic - european.price;
        value.early_exercise_premium = value.early_exercise_premium.max(least).max(0.0);
        value.price += value.early_exercise_premium;
        // The Black-Scholes equation holds in the continuation region.
        value.theta = rate * value.price
            - (rate - div_yield) * spot * value.delta
            - 0.5 * vol * vol * spot * spot * value.gamma;
        Ok(value)
    }

    /// Returns the number of Newton steps of the last boundary.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    fn solve(&mut self, dynamics: &Dynamics) {
        if self.solved != Some(*dynamics) {
            self.steps = self.boundary.solve(dynamics, self.limits);
            self.solved = Some(*dynamics);
        }
    }

    /// Computes vega and rhos: the European's plus the premium's, by differentiating its
    /// integral and the boundary's equations analytically.
    ///
    /// # Errors
    /// As [`Valuer::value`].
    pub fn sensitivities(
        &mut self,
        terms: &Vanilla,
        market: &SpotMarket,
    ) -> Result<Sensitivities, PricingError> {
        let now = self.value(terms, market)?;
        let european = european::value(terms, market)?;
        let mut sum =
            Sensitivities { vega: european.vega, rho: european.rho, dividend_rho: european.dividend_rho };
        if now.early_exercise_premium == 0.0 {
            return Ok(sum);
        }
        if is_certain(terms, market) {
            let BestWait { rho, dividend_rho, .. } = best_wait(terms, market);
            return Ok(Sensitivities { vega: 0.0, rho, dividend_rho });
        }
        let sign = european::sign(terms.right);
        if now.critical_price.is_some_and(|critical| sign * (market.spot - critical) >= 0.0) {
            // Exercised at once: only the spot matters.
            return Ok(Sensitivities::default());
        }
        let (own, other, level) = put_side(terms, market);
        let dynamics = Dynamics { rate: own, div_yield: other, vol: market.vol, years: terms.years };
        let [by_vol, by_own, by_other] = if let Some(perpetual) = Perpetual::of(&dynamics) {
            sum = Sensitivities::default();
            perpetual.parameter_slopes(level)
        } else {
            self.boundary.differentiate(&dynamics);
            parameter_slopes(&self.boundary, &dynamics, level, &self.points)
        };
        let (unit, by_rate, by_yield) = match terms.right {
            OptionRight::Put => (terms.strike, by_own, by_other),
            OptionRight::Call => (market.spot, by_other, by_own),
        };
        sum.vega += unit * by_vol;
        sum.rho += unit * by_rate;
        sum.dividend_rho += unit * by_yield;
        Ok(sum)
    }
}

/// Returns the option as a put on one unit of strike: the rates earned by strike and
/// underlier, and the spot.
fn put_side(terms: &Vanilla, market: &SpotMarket) -> (f64, f64, f64) {
    match terms.right {
        OptionRight::Put => (market.rate, market.div_yield, market.spot / terms.strike),
        OptionRight::Call => (market.div_yield, market.rate, terms.strike / market.spot),
    }
}

/// Returns true if there is no uncertainty, at expiry or without volatility.
fn is_certain(terms: &Vanilla, market: &SpotMarket) -> bool {
    let deviation = market.vol * terms.years.sqrt();
    deviation.is_nan() || deviation <= MIN_DEVIATION
}

/// Deviation σ√t below which there is no uncertainty.
const MIN_DEVIATION: f64 = 1e-8;

/// Exercise at the optimal time under certainty.
struct BestWait {
    price: f64,
    critical: f64,
    delta: f64,
    gamma: f64,
    rho: f64,
    dividend_rho: f64,
}

/// Maximizes ±(S e^(−qt) − K e^(−rt)) over t: at once, or when S e^((r−q)t) has reached
/// K r/q.
fn best_wait(terms: &Vanilla, market: &SpotMarket) -> BestWait {
    let SpotMarket { spot, rate, div_yield, .. } = *market;
    let (strike, sign) = (terms.strike, european::sign(terms.right));
    let (own, other, _) = put_side(terms, market);
    let drifts = terms.years > 0.0 && other > own && own > 0.0;
    let critical = if drifts { strike * rate / div_yield } else { strike };
    let wait = if drifts { ln(critical / spot) / (rate - div_yield) } else { 0.0 };
    let wait = wait.clamp(0.0, terms.years);
    let (asset, cash) = (spot * exp(-div_yield * wait), strike * exp(-rate * wait));
    let inner = wait > 0.0 && wait < terms.years;
    BestWait {
        price: sign * (asset - cash),
        critical,
        delta: sign * asset / spot,
        gamma: if inner { div_yield * asset / (spot * spot * (rate - div_yield).abs()) } else { 0.0 },
        rho: sign * wait * cash,
        dividend_rho: -sign * wait * asset,
    }
}
