//! American options on a spot with a continuous dividend yield, and on
//! futures: price, Greeks and the price at which exercise pays.
//!
//! The European option of [`super::european`] plus the premium for early
//! exercise, from the exercise boundary of Andersen, Lake and Offengenden
//! (2016). Calls are valued as the put on the strike in units of the spot
//! (McDonald and Schroder's symmetry, 1998). Where an underlier outgrows its
//! own noise the option is as good as endless and has a closed form. Units as
//! in `european`.

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

/// Rates below this part of the variance make a boundary that only the precise
/// rule describes.
const STEEP_RATE_RATIO: f64 = 0.02;

/// How an option is valued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// To 1e-9 of spot plus strike (2e-11 on the reference cases).
    High,
    /// For live marking, in some 7 µs and within 5e-5 of spot plus strike;
    /// where a coarse boundary would miss that, it is [`Self::High`].
    Fast,
}

/// An American option's value and how it moves with its inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AmericanValuation {
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

/// What moves with volatility and rates.
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
    limits: SolverLimits,
    /// Whose boundary is held.
    solved: Option<Dynamics>,
    steps: u32,
    precision: Precision,
    /// For those options that a coarse boundary does not describe; made when
    /// the first of them comes.
    precise: Option<Box<Valuer>>,
}

impl Valuer {
    /// A valuer; allocates, and makes tables at the first of each precision.
    pub fn new(precision: Precision) -> Self {
        let (rule, points, limits) = match precision {
            Precision::High => (QuadratureRule::precise(), 60, SolverLimits { steps: 40, enough: 1e-8 }),
            Precision::Fast => (QuadratureRule::fast(), 8, SolverLimits { steps: 8, enough: 1e-3 }),
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

    /// Values an option on a spot. Rates and yields may be negative; a put
    /// whose rate is, and is not above its yield, is never exercised early, and
    /// neither is a call whose yield is, and is not above its rate.
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
        // Where waiting costs next to nothing the boundary bends too sharply
        // for few nodes.
        if self.precision == Precision::Fast && own < STEEP_RATE_RATIO * vol * vol {
            let precise = self.precise.get_or_insert_with(|| Box::new(Self::new(Precision::High)));
            return precise.value(terms, market);
        }
        let dynamics = Dynamics { rate: own, div_yield: other, vol, years };
        let endless = Perpetual::of(&dynamics);
        let log_critical = match &endless {
            Some(endless) => endless.log_boundary(),
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
        let Premium { value: extra, slope, curvature } = match &endless {
            Some(endless) => {
                (value.price, value.delta, value.gamma) = (0.0, 0.0, 0.0);
                endless.value(level)
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
            self.steps = self.boundary.solve(dynamics, self.limits);
            self.solved = Some(*dynamics);
        }
    }

    /// Vega and rhos: the European's, and the premium's by differentiating its
    /// integral and the boundary's equations. No difference is taken.
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
            // Exercised at once: nothing but the spot matters.
            return Ok(Sensitivities::default());
        }
        let (own, other, level) = put_side(terms, market);
        let dynamics = Dynamics { rate: own, div_yield: other, vol: market.vol, years: terms.years };
        let [by_vol, by_own, by_other] = if let Some(endless) = Perpetual::of(&dynamics) {
            sum = Sensitivities::default();
            endless.parameter_slopes(level)
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

/// The option as a put on one unit of strike: what its strike and what its
/// underlier earn, and its spot.
fn put_side(terms: &Vanilla, market: &SpotMarket) -> (f64, f64, f64) {
    match terms.right {
        OptionRight::Put => (market.rate, market.div_yield, market.spot / terms.strike),
        OptionRight::Call => (market.div_yield, market.rate, terms.strike / market.spot),
    }
}

/// Whether the option is at expiry, or nothing moves: exercise is decided by
/// arithmetic.
fn is_certain(terms: &Vanilla, market: &SpotMarket) -> bool {
    let deviation = market.vol * terms.years.sqrt();
    deviation.is_nan() || deviation <= MIN_DEVIATION
}

/// σ√t that counts as no uncertainty.
const MIN_DEVIATION: f64 = 1e-8;

/// Exercise before expiry at the time that is best when the future is known.
struct BestWait {
    price: f64,
    critical: f64,
    delta: f64,
    gamma: f64,
    rho: f64,
    dividend_rho: f64,
}

/// The most that ±(S e^(−qt) − K e^(−rt)) is worth, where exercise may pay at
/// all: at once, or when S e^((r−q)t) has come to K r/q.
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
