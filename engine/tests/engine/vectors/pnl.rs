//! Average-cost accounting by the venue's position, in units in which every number of a
//! case is an integer.

use engine::decimal::Decimal;
use engine::money::{Lots, Money};
use engine::position::{Basis, Position};

use super::{Case, Checks, Fields, Result};

/// Parses decimal text as an integer number of `10^-scale`.
fn units(of: Fields<'_>, name: &str, scale: u8) -> Result<i64> {
    let decimal: Decimal = Decimal::parse(of.get(name)?)?;
    let units = decimal.in_units_of(Decimal::new(1, scale));
    units.ok_or_else(|| format!("{name}: {decimal} is no whole number of 1e-{scale}").into())
}

/// Returns the decimals that the fields need over all steps.
fn decimals(steps: &[Fields<'_>], fields: &[&str]) -> Result<u8> {
    let mut most = 0;
    for step in steps {
        for field in fields {
            most = most.max(Decimal::parse(step.get(field)?)?.scale);
        }
    }
    Ok(most)
}

/// Decimals of a case's quantities, prices, multiplier and money.
struct Scales {
    quantity: u8,
    price: u8,
    multiplier: u8,
    money: u8,
}

impl Scales {
    /// Returns the exact money of `lots` at `price`.
    fn notional(&self, lots: i64, price: i64, multiplier: i64) -> Result<Money> {
        let scale = self.quantity + self.price + self.multiplier;
        let factor = self.money.checked_sub(scale).and_then(|digits| 10_i128.checked_pow(digits.into()));
        let product = i128::from(lots) * i128::from(price) * i128::from(multiplier);
        let money = factor.and_then(|factor| product.checked_mul(factor)).map(i64::try_from);
        money.and_then(std::result::Result::ok).map(Money).ok_or("an amount does not fit money".into())
    }
}

/// Converts an integer number of `10^-scale` to a double.
fn real(units: i128, scale: u8) -> f64 {
    // Integer and fractional parts are exact below 2^53; their sum is rounded once.
    let one = 10_i128.pow(u32::from(scale));
    (units / one) as f64 + (units % one) as f64 / one as f64
}

/// The family `pnl`.
pub(super) fn pnl(case: &Case<'_>, checks: &mut Checks) -> Result {
    let steps: Vec<Fields<'_>> = case.input.list("steps")?.collect();
    let (quantity, price) = (decimals(&steps, &["qty"])?, decimals(&steps, &["price", "mark"])?);
    let multiplier_scale = decimals(&[case.input], &["multiplier"])?;
    let money = decimals(&steps, &["fee"])?.max(quantity + price + multiplier_scale);
    let scales = Scales { quantity, price, multiplier: multiplier_scale, money };
    let multiplier = units(case.input, "multiplier", multiplier_scale)?;

    let mut position = Position::default();
    let (mut turnover, mut rows) = (0.0, Vec::new());
    for step in steps {
        let lots = units(step, "qty", quantity)?;
        let sign = match step.get("side")? {
            "buy" => 1,
            "sell" => -1,
            other => return Err(format!("malformed: {other:?} is neither buy nor sell").into()),
        };
        let paid = scales.notional(lots, units(step, "price", price)?, multiplier)?;
        position.fill(Lots(sign * lots), paid, Money(units(step, "fee", money)?));
        turnover += real(i128::from(paid.0.abs()), money);

        let value = scales.notional(position.lots.0, units(step, "mark", price)?, multiplier)?;
        let cash = position.trade_cash - position.fees;
        checks.holds("position", position.lots.0 == units(step, "position", quantity)?);
        checks.holds("cash", cash.0 == units(step, "cash", money)?);
        checks.holds("fees", position.fees.0 == units(step, "fees", money)?);
        match step.get("avg_cost")? {
            None => checks.holds("flat has no avg_cost", position.average_cost().is_none()),
            Some(expected) => {
                let size = real(position.lots.0.into(), quantity) * real(multiplier.into(), multiplier_scale);
                let average = real(position.basis.0, money + 12) / size;
                checks.relative("avg_cost", average, expected, 1e-12, 2e-15);
            }
        }
        // At the basis's own precision, 1e-12 of a money unit.
        let exact = |money: Money| Basis::from_money(money).0;
        rows.push(("realized", exact(position.trade_cash) + position.basis.0, step.get("realized")?));
        rows.push(("unrealized", exact(value) - position.basis.0, step.get("unrealized")?));
        let pnl = position.realized_pnl() + position.unrealized_pnl(value) - position.fees;
        checks.holds("identity", pnl == cash + value);
    }
    for (name, actual, expected) in rows {
        checks.scaled(name, real(actual, money + 12), expected, turnover, 1e-12, 2e-15);
    }
    Ok(())
}
