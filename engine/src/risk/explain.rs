//! P&L attribution to moves of the market, with a residual.
//!
//! The parts are model estimates rounded to money, the residual is the rest of the total,
//! so they sum exactly. Knows no trades: both books have the same lines.

use super::book::{Contract, RiskBook, RiskError, Scenario, Underlier, Workspace};
use super::greeks;
use crate::money::{Money, UNITS_PER_CURRENCY, round_half_even};
use crate::pricing::bond::BondFlows;

/// A P&L by source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Explained {
    /// Delta before × spot moves.
    pub delta: Money,
    /// Gamma × half of the squared spot moves.
    pub gamma: Money,
    /// Vega × volatility moves.
    pub vega: Money,
    /// Theta of options × time.
    pub theta: Money,
    /// Passage of time for futures, bonds and swaps in an unchanged market: accrual, payments
    /// and roll-down.
    pub carry_and_roll: Money,
    /// Moves of rates, yields and the curve.
    pub curve: Money,
    /// Unexplained rest.
    pub residual: Money,
    /// Value after less value before, payments included.
    pub total: Money,
}

/// Parts before rounding.
#[derive(Default)]
struct UnroundedParts {
    delta: f64,
    gamma: f64,
    vega: f64,
    theta: f64,
    carry_and_roll: f64,
    curve: f64,
    total: f64,
}

/// Explains the move from `before` to `after` over `days` calendar days.
///
/// `after` is the book of `before` at the same date (expiries and settlement unchanged) in
/// the new market: its spots, rates, volatilities, yields and curve. The passage of time is
/// `days`.
///
/// # Errors
/// [`RiskError::Length`] for books that differ in more than their market, or amounts that
/// do not fit money; [`RiskError::Pricing`].
pub fn explain(before: &RiskBook, after: &RiskBook, days: i32) -> Result<Explained, RiskError> {
    if before.lines.len() != after.lines.len() || before.underliers.len() != after.underliers.len() {
        return Err(RiskError::Length);
    }
    let (mut parts, mut workspace) = (UnroundedParts::default(), Workspace::default());
    for at in 0..before.lines.len() {
        add_line((before, after), days, at, &mut workspace, &mut parts)?;
    }
    let money =
        |value: f64| round_half_even(value * UNITS_PER_CURRENCY as f64).map(Money).ok_or(RiskError::Length);
    let mut explained = Explained {
        delta: money(parts.delta)?,
        gamma: money(parts.gamma)?,
        vega: money(parts.vega)?,
        theta: money(parts.theta)?,
        carry_and_roll: money(parts.carry_and_roll)?,
        curve: money(parts.curve)?,
        residual: Money::ZERO,
        total: money(parts.total)?,
    };
    explained.residual = explained.total - explained.explained();
    Ok(explained)
}

impl Explained {
    /// Returns the sum of all parts but the residual.
    pub fn explained(&self) -> Money {
        self.delta + self.gamma + self.vega + self.theta + self.carry_and_roll + self.curve
    }
}

fn add_line(
    (before, after): (&RiskBook, &RiskBook),
    days: i32,
    at: usize,
    workspace: &mut Workspace,
    parts: &mut UnroundedParts,
) -> Result<(), RiskError> {
    let (old, new) = (&before.lines[at], &after.lines[at]);
    if old.quantity != new.quantity || old.underlier != new.underlier {
        return Err(RiskError::Length);
    }
    let still = Scenario::default();
    let passed = Scenario { days, ..still };
    let start = before.line_value(at, &still, workspace)?;
    parts.total += after.line_value(at, &passed, workspace)? - start;

    let greeks = greeks::of_line(before, at, workspace)?;
    let moved = |of: fn(&Underlier) -> f64| -> Result<f64, RiskError> {
        Ok(of(&after.underlier(new, at)?) - of(&before.underlier(old, at)?))
    };
    match (&old.contract, &new.contract) {
        (Contract::Equity, Contract::Equity) => parts.delta += greeks.delta * moved(|u| u.spot)?,
        (Contract::Option { vol, .. }, Contract::Option { vol: new_vol, .. }) => {
            let spot = moved(|u| u.spot)?;
            parts.delta += greeks.delta * spot;
            parts.gamma += 0.5 * greeks.gamma * spot * spot;
            parts.vega += greeks.vega * (new_vol - vol);
            parts.theta += greeks.theta * f64::from(days) / 365.0;
            parts.curve += greeks.rho * moved(|u| u.rate)? + greeks.dividend_rho * moved(|u| u.div_yield)?;
        }
        (Contract::Future { .. }, Contract::Future { .. }) => {
            parts.delta += greeks.delta * moved(|u| u.spot)?;
            parts.carry_and_roll += before.line_value(at, &passed, workspace)? - start;
            parts.curve += greeks.rho * moved(|u| u.rate)? + greeks.dividend_rho * moved(|u| u.div_yield)?;
        }
        (
            Contract::Bond { terms, coupon_rate, settlement, annual_yield },
            Contract::Bond { annual_yield: new_yield, .. },
        ) => {
            parts.carry_and_roll += before.line_value(at, &passed, workspace)? - start;
            let value = BondFlows::with_coupon(terms, *coupon_rate, *settlement)
                .and_then(|flows| flows.value(*annual_yield))
                .map_err(|error| RiskError::Pricing { line: at, error })?;
            let change = new_yield - annual_yield;
            let relative = change * (0.5 * value.convexity * change - value.modified);
            parts.curve += old.quantity * value.dirty * relative;
        }
        (Contract::Flows { .. }, Contract::Flows { .. }) => {
            parts.carry_and_roll += before.line_value(at, &passed, workspace)? - start;
            parts.curve += after.line_value(at, &still, workspace)? - start;
        }
        _ => return Err(RiskError::Length),
    }
    Ok(())
}
