//! Stress, value at risk, and index futures.

use engine::instrument::Exercise;
use engine::pricing::curve::Curve;
use engine::pricing::future::{FutureCarry, FuturePosition, fair_value};
use engine::risk::book::{Contract, RiskBook, RiskLine, Scenario, Underlier, Workspace};
use engine::risk::normal_var::{LognormalPosition, NormalFactors, lognormal, parametric};
use engine::risk::{stress, var};
use engine::time::Date;

use super::rates::bond_terms;
use super::{Case, Checks, Fields, Result};

/// The family `index_futures`, in units of the position's notional.
pub(super) fn index_futures(case: &Case<'_>, checks: &mut Checks) -> Result {
    let input = case.input;
    let expiry: i64 = input.get("days")?;
    let mut dividends = Vec::new();
    for dividend in input.list("dividends")? {
        let days: i64 = dividend.get("days")?;
        // Compared in days: their quotients could round differently.
        if days <= expiry {
            dividends.push((days as f64 / 365.0, dividend.get("amount")?));
        }
    }
    let (spot, rate, div_yield) = (input.get("spot")?, input.get("rate")?, input.get("div_yield")?);
    let value =
        fair_value(&FutureCarry { spot, rate, div_yield, time: input.get("t")?, dividends: &dividends });
    let (contracts, multiplier) = (input.get("contracts")?, input.get("multiplier")?);
    let position = FuturePosition { contracts, multiplier, trade_price: input.get("trade_price")? };
    for (name, actual) in [
        ("fair_price", value.price),
        ("basis", value.basis),
        ("delta_per_contract", value.delta * multiplier),
        ("position_delta", position.delta(&value)),
        ("rho_per_contract", value.rho * multiplier),
        ("position_dv01", position.rate_gain_per_bp(&value)),
        ("pnl_to_fair", position.pnl_to(value.price)),
    ] {
        checks.scaled(name, actual, case.expected.get(name)?, spot * multiplier * contracts, 1e-12, 1e-15);
    }
    Ok(())
}

/// Adds a position of a stress case with its own underlier.
fn add_line(position: Fields<'_>, book: &mut RiskBook) -> Result {
    let optional = |name: &str| position.0[name].as_f64().unwrap_or(0.0);
    let units = || -> Result<f64> { Ok(position.get::<f64>("qty")? * position.get::<f64>("multiplier")?) };
    let (quantity, contract) = match position.get("kind")? {
        "equity" => (position.get("qty")?, Contract::Equity),
        "option" => {
            let contract = Contract::Option {
                right: position.get("type")?,
                exercise: Exercise::European,
                strike: position.get("strike")?,
                days: position.get("days")?,
                vol: position.get("vol")?,
            };
            (units()?, contract)
        }
        "index_future" => {
            let (days, trade_price) = (position.get("days")?, position.get("trade_price")?);
            (units()?, Contract::Future { days, trade_price })
        }
        "bond" => {
            let (terms, coupon_rate) = bond_terms(position)?;
            let (settlement, annual_yield) = (position.get("settlement_date")?, position.get("yield")?);
            let contract = Contract::Bond { terms, coupon_rate, settlement, annual_yield };
            (position.get::<f64>("face")? / 100.0, contract)
        }
        other => return Err(format!("unknown kind of position {other:?}").into()),
    };
    let (spot, rate, div_yield) = (optional("spot"), optional("rate"), optional("div_yield"));
    book.underliers.push(Underlier { spot, rate, div_yield });
    book.lines.push(RiskLine { quantity, underlier: book.underliers.len() - 1, contract });
    Ok(())
}

/// The family `stress`; P&L in units of the portfolio's gross value.
pub(super) fn stress(case: &Case<'_>, checks: &mut Checks) -> Result {
    let curve = Curve::flat(Date::from_days(0), 0.0);
    let mut book = RiskBook { underliers: Vec::new(), curve, lines: Vec::new() };
    for position in case.input.list("positions")? {
        add_line(position, &mut book)?;
    }
    let expected = case.expected;
    let (mut base, mut workspace) = (vec![0.0; book.lines.len()], Workspace::default());
    book.values(&Scenario::default(), &mut workspace, &mut base)?;
    let expected_base: Vec<f64> = expected.get("base_values")?;
    let gross: f64 = expected_base.iter().map(|value| value.abs()).sum();
    let mut compare = |[each, total]: [&'static str; 2], actual: &[f64], expected: &[f64], sum: f64| {
        checks.holds("positions", actual.len() == expected.len());
        for (actual, expected) in actual.iter().zip(expected) {
            checks.scaled(each, *actual, *expected, gross, 1e-10, 1e-13);
        }
        checks.scaled(total, actual.iter().sum(), sum, gross, 1e-10, 1e-13);
    };
    compare(["base", "base total"], &base, &expected_base, expected.get("base_total")?);
    for outcome in expected.list("scenarios")? {
        let name: &str = outcome.get("scenario")?;
        let moves = case.header.list("scenarios")?.find(|scenario| scenario.0["name"] == name);
        let moves = moves.ok_or_else(|| format!("malformed: no scenario {name:?}"))?;
        let size = |field: &str| moves.0[field].as_f64().unwrap_or(0.0);
        let scenario = Scenario {
            spot: size("spot_pct") / 100.0,
            vol: size("vol_pts") / 100.0,
            rate: size("rate_bp") * 1e-4,
            days: moves.get::<Option<i32>>("days")?.unwrap_or(0),
        };
        let mut profit = vec![0.0; base.len()];
        stress::profit(&book, &base, &scenario, &mut workspace, &mut profit)?;
        let expected_profit: Vec<f64> = outcome.get("pnl")?;
        compare(["pnl", "pnl total"], &profit, &expected_profit, outcome.get("total_pnl")?);
    }
    Ok(())
}

/// The family `var_es`.
pub(super) fn var_es(case: &Case<'_>, checks: &mut Checks) -> Result {
    let (input, expected) = (case.input, case.expected);
    let confidence = input.get("confidence_bp")?;
    let (var, shortfall) = (expected.get("var")?, expected.get("es")?);
    match input.get("method")? {
        "historical" => {
            let mut pnl: Vec<f64> = input.get("pnl")?;
            let risk = var::historical(&mut pnl, confidence)?;
            let scale = pnl.iter().fold(0.0_f64, |scale, pnl| scale.max(pnl.abs()));
            checks.scaled("historical var", risk.var, var, scale, 1e-12, 1e-14);
            checks.scaled("historical es", risk.expected_shortfall, shortfall, scale, 1e-12, 1e-14);
            checks.scaled("var_linear", risk.var_linear, expected.get("var_linear")?, scale, 1e-12, 1e-14);
            checks.holds("tail_count", risk.tail_count == expected.get::<usize>("tail_count")?);
        }
        "parametric" => {
            let (exposures, means): (Vec<f64>, Vec<f64>) =
                (input.get("exposures")?, input.get("mean_daily")?);
            let covariance = input.get::<Vec<Vec<f64>>>("covariance_daily")?.concat();
            let horizon = input.get("horizon_days")?;
            let factors =
                NormalFactors { exposures: &exposures, means: &means, covariance: &covariance, horizon };
            let mut components = vec![0.0; exposures.len()];
            let risk = parametric(&factors, confidence, &mut components)?;
            let sigma = expected.get("sigma")?;
            checks.scaled("sigma", risk.sigma, sigma, sigma, 1e-7, 1e-14);
            checks.scaled("parametric var", risk.var, var, sigma, 1e-7, 1e-14);
            checks.scaled("parametric es", risk.expected_shortfall, shortfall, sigma, 1e-7, 1e-14);
            for (actual, expected) in components.iter().zip(expected.get::<Vec<f64>>("component_var")?) {
                checks.scaled("component_var", *actual, expected, sigma, 1e-7, 1e-14);
            }
        }
        "lognormal" => {
            let position = LognormalPosition {
                value: input.get("value")?,
                long: input.get::<&str>("side")? == "long",
                drift: input.get("mu")?,
                volatility: input.get("sigma")?,
                horizon: input.get("horizon")?,
            };
            let risk = lognormal(&position, confidence)?;
            checks.scaled("lognormal var", risk.var, var, position.value, 1e-7, 1e-14);
            checks.scaled("lognormal es", risk.expected_shortfall, shortfall, position.value, 1e-7, 1e-14);
            let error = expected.get("mc_stderr_sqrt_n")?;
            checks.relative("mc_stderr_sqrt_n", risk.simulation_error, error, 1e-7, 1e-14);
        }
        other => return Err(format!("unknown method {other:?}").into()),
    }
    Ok(())
}
