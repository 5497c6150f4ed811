//! Stress grids, value at risk, and average-cost accounting.

use engine::instrument::{Exercise, OptionRight};
use engine::pricing::curve::Curve;
use engine::risk::book::{Contract, RiskBook, RiskLine, Scenario, Underlier, Workspace};
use engine::risk::normal_var::{LognormalPosition, NormalFactors, lognormal, parametric};
use engine::risk::{stress, var};
use engine::time::Date;
use serde_json::Value;

use super::Check;
use super::read::{date, list, number, numbers, parsed, text, whole};

/// One position of a stress case, with an underlier of its own.
fn line(position: &Value, book: &mut RiskBook) -> Result<(), String> {
    let optional = |name: &str| position[name].as_f64().unwrap_or(0.0);
    let days = |name| i32::try_from(whole(position, name)?).map_err(|error| error.to_string());
    let (quantity, contract) = match text(position, "kind")? {
        "equity" => (number(position, "qty")?, Contract::Equity),
        "option" => {
            let contract = Contract::Option {
                right: match text(position, "type")? {
                    "call" => OptionRight::Call,
                    "put" => OptionRight::Put,
                    other => return Err(format!("malformed: {other:?} is neither call nor put")),
                },
                exercise: Exercise::European,
                strike: number(position, "strike")?,
                days: days("days")?,
                vol: number(position, "vol")?,
            };
            (number(position, "qty")? * number(position, "multiplier")?, contract)
        }
        "index_future" => {
            let contract =
                Contract::Future { days: days("days")?, trade_price: number(position, "trade_price")? };
            (number(position, "qty")? * number(position, "multiplier")?, contract)
        }
        "bond" => {
            let (terms, coupon_rate) = super::bonds::terms(position)?;
            let settlement = date(position, "settlement_date")?;
            let annual_yield = number(position, "yield")?;
            let contract = Contract::Bond { terms, coupon_rate, settlement, annual_yield };
            (number(position, "face")? / 100.0, contract)
        }
        other => return Err(format!("unknown kind of position {other:?}")),
    };
    let underlier =
        Underlier { spot: optional("spot"), rate: optional("rate"), div_yield: optional("div_yield") };
    book.underliers.push(underlier);
    book.lines.push(RiskLine { quantity, underlier: book.underliers.len() - 1, contract });
    Ok(())
}

/// The family `stress`; P&L in units of the portfolio's gross value.
pub(super) fn stress(case: &Value, header: &Value) -> Result<Vec<Check>, String> {
    let mut book =
        RiskBook { underliers: Vec::new(), curve: Curve::flat(Date::from_days(0), 0.0), lines: Vec::new() };
    for position in list(case, "positions")? {
        line(position, &mut book)?;
    }
    let error = |error: engine::risk::book::RiskError| error.to_string();
    let expected = &case["expected"];
    let (mut base, mut workspace) = (vec![0.0; book.lines.len()], Workspace::default());
    book.values(&Scenario::default(), &mut workspace, &mut base).map_err(error)?;
    let known_base = numbers(expected, "base_values")?;
    let gross: f64 = known_base.iter().map(|value| value.abs()).sum();
    let scaled = |quantity, got, expected| Check::scaled(quantity, got, expected, gross, 1e-10, 1e-13);

    let mut checks: Vec<Check> =
        base.iter().zip(&known_base).map(|(got, expected)| scaled("base", *got, *expected)).collect();
    checks.push(scaled("base total", base.iter().sum(), number(expected, "base_total")?));
    checks.push(Check::holds("positions", base.len() == known_base.len()));
    for outcome in list(expected, "scenarios")? {
        let name = text(outcome, "scenario")?;
        let known = list(header, "scenarios")?.iter().find(|scenario| scenario["name"] == name);
        let known = known.ok_or_else(|| format!("malformed: no scenario {name:?}"))?;
        let size = |field: &str| known[field].as_f64().unwrap_or(0.0);
        let scenario = Scenario {
            spot: size("spot_pct") / 100.0,
            vol: size("vol_pts") / 100.0,
            rate: size("rate_bp") * 1e-4,
            days: i32::try_from(known["days"].as_i64().unwrap_or(0)).map_err(|error| error.to_string())?,
        };
        let mut profit = vec![0.0; base.len()];
        stress::profit(&book, &base, &scenario, &mut workspace, &mut profit).map_err(error)?;
        let known_profit = numbers(outcome, "pnl")?;
        checks.push(Check::holds("positions", profit.len() == known_profit.len()));
        for (got, expected) in profit.iter().zip(known_profit) {
            checks.push(scaled("pnl", *got, expected));
        }
        checks.push(scaled("pnl total", profit.iter().sum(), number(outcome, "total_pnl")?));
    }
    Ok(checks)
}

/// The family `var_es`.
pub(super) fn var_es(case: &Value, _: &Value) -> Result<Vec<Check>, String> {
    let confidence: u32 = parsed(case, "confidence_bp")?;
    let expected = &case["expected"];
    let known = |name| number(expected, name);
    match text(case, "method")? {
        "historical" => {
            let mut pnl = numbers(case, "pnl")?;
            let risk = var::historical(&mut pnl, confidence).map_err(|error| error.to_string())?;
            let scale = pnl.iter().fold(0.0_f64, |scale, pnl| scale.max(pnl.abs()));
            let check = |quantity, got, expected| Check::scaled(quantity, got, expected, scale, 1e-12, 1e-14);
            Ok(vec![
                check("historical var", risk.var, known("var")?),
                check("historical es", risk.expected_shortfall, known("es")?),
                check("var_linear", risk.var_linear, known("var_linear")?),
                Check::holds("tail_count", risk.tail_count as i64 == whole(expected, "tail_count")?),
            ])
        }
        "parametric" => {
            let (exposures, means) = (numbers(case, "exposures")?, numbers(case, "mean_daily")?);
            let rows: Vec<Vec<f64>> = parsed(case, "covariance_daily")?;
            let factors = NormalFactors {
                exposures: &exposures,
                means: &means,
                covariance: &rows.concat(),
                horizon: number(case, "horizon_days")?,
            };
            let mut components = vec![0.0; exposures.len()];
            let risk =
                parametric(&factors, confidence, &mut components).map_err(|error| error.to_string())?;
            let sigma = known("sigma")?;
            let check = |quantity, got, expected| Check::scaled(quantity, got, expected, sigma, 1e-7, 1e-14);
            let mut checks = vec![
                check("sigma", risk.sigma, sigma),
                check("parametric var", risk.var, known("var")?),
                check("parametric es", risk.expected_shortfall, known("es")?),
            ];
            for (got, expected) in components.iter().zip(numbers(expected, "component_var")?) {
                checks.push(check("component_var", *got, expected));
            }
            Ok(checks)
        }
        "lognormal" => {
            let position = LognormalPosition {
                value: number(case, "value")?,
                long: text(case, "side")? == "long",
                drift: number(case, "mu")?,
                volatility: number(case, "sigma")?,
                horizon: number(case, "horizon")?,
            };
            let risk = lognormal(&position, confidence).map_err(|error| error.to_string())?;
            let check =
                |quantity, got, expected| Check::scaled(quantity, got, expected, position.value, 1e-7, 1e-14);
            let error = known("mc_stderr_sqrt_n")?;
            Ok(vec![
                check("lognormal var", risk.var, known("var")?),
                check("lognormal es", risk.expected_shortfall, known("es")?),
                Check::relative("mc_stderr_sqrt_n", risk.simulation_error, error, 1e-7, 1e-14),
            ])
        }
        other => Err(format!("unknown method {other:?}")),
    }
}
