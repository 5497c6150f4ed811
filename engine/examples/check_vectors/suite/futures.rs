//! Index futures by cost of carry.

use engine::pricing::future::{FutureCarry, FuturePosition, fair_value};
use serde_json::Value;

use super::Check;
use super::read::{list, number, whole};

/// The family `index_futures`; everything in units of the position's notional.
pub(super) fn index_futures(case: &Value, _: &Value) -> Result<Vec<Check>, String> {
    let days = whole(case, "days")?;
    let mut dividends = Vec::new();
    for dividend in list(case, "dividends")? {
        let ahead = whole(dividend, "days")?;
        // Days decide what counts; their quotients might not.
        if ahead <= days {
            dividends.push((ahead as f64 / 365.0, number(dividend, "amount")?));
        }
    }
    let carry = FutureCarry {
        spot: number(case, "spot")?,
        rate: number(case, "rate")?,
        div_yield: number(case, "div_yield")?,
        time: number(case, "t")?,
        dividends: &dividends,
    };
    let position = FuturePosition {
        contracts: number(case, "contracts")?,
        multiplier: number(case, "multiplier")?,
        trade_price: number(case, "trade_price")?,
    };
    let value = fair_value(&carry);
    let scale = carry.spot * position.multiplier * position.contracts;
    let per_contract = position.multiplier;
    let got = [
        ("fair_price", value.price),
        ("basis", value.basis),
        ("delta_per_contract", value.delta * per_contract),
        ("position_delta", position.delta(&value)),
        ("rho_per_contract", value.rho * per_contract),
        ("position_dv01", position.rate_gain_per_bp(&value)),
        ("pnl_to_fair", position.pnl_to(value.price)),
    ];
    got.into_iter()
        .map(|(name, got)| {
            let expected = number(&case["expected"], name)?;
            Ok(Check::scaled(name, got, expected, scale, 1e-12, 1e-15))
        })
        .collect()
}
