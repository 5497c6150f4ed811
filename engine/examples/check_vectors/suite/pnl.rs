//! Average-cost accounting by the venue's own position, in units so small
//! that every number of a case is whole.

use engine::decimal::Decimal;
use engine::money::{Lots, Money};
use engine::position::{Basis, Position};
use serde_json::Value;

use super::Check;
use super::read::{list, number, text};

/// Decimal text as a whole number of `10^-scale`.
fn units(of: &Value, name: &str, scale: u8) -> Result<i64, String> {
    let decimal = Decimal::parse(text(of, name)?).map_err(|error| format!("{name}: {error}"))?;
    let units = decimal.in_units_of(Decimal::new(1, scale));
    units.ok_or_else(|| format!("{name}: {decimal} is no whole number of 1e-{scale}"))
}

/// Digits after the point that a field needs over all steps.
fn digits<'a>(values: impl Iterator<Item = &'a Value>) -> Result<u8, String> {
    let mut most = 0;
    for value in values {
        let text = value.as_str().ok_or("malformed: a number that is no text")?;
        most = most.max(Decimal::parse(text).map_err(|error| error.to_string())?.scale);
    }
    Ok(most)
}

/// The scales of a case: of quantities, and of money.
struct Units {
    quantity: u8,
    price: u8,
    money: u8,
}

impl Units {
    /// Money for `lots` at `price`, both in their units; exact.
    fn notional(&self, lots: i64, price: i64, multiplier: i64, multiplier_scale: u8) -> Option<Money> {
        let scale = self.quantity + self.price + multiplier_scale;
        let product = i128::from(lots) * i128::from(price) * i128::from(multiplier);
        let product = product.checked_mul(10_i128.checked_pow(u32::from(self.money.checked_sub(scale)?))?)?;
        i64::try_from(product).ok().map(Money)
    }
}

/// A whole number of `10^-scale` as a double, rounded once.
fn real(units: i128, scale: u8) -> f64 {
    // Whole and broken parts are exact below 2^53; their sum rounds once more
    // at most in the last place.
    let one = 10_i128.pow(u32::from(scale));
    (units / one) as f64 + (units % one) as f64 / one as f64
}

/// The family `pnl`.
pub(super) fn pnl(case: &Value, _: &Value) -> Result<Vec<Check>, String> {
    let steps = list(case, "steps")?;
    let field = |name: &'static str| steps.iter().map(move |step| &step[name]);
    let quantity = digits(field("qty"))?;
    let price = digits(field("price").chain(field("mark")))?;
    let multiplier_scale = digits(std::iter::once(&case["multiplier"]))?;
    let money = digits(field("fee"))?.max(quantity + price + multiplier_scale);
    let scales = Units { quantity, price, money };
    let multiplier = units(case, "multiplier", multiplier_scale)?;
    let fits = |money: Option<Money>| money.ok_or("an amount does not fit the venue's money");

    let mut position = Position::default();
    let (mut turnover, mut checks, mut rows) = (0.0, Vec::new(), Vec::new());
    for step in steps {
        let lots = units(step, "qty", quantity)?;
        let side = match text(step, "side")? {
            "buy" => 1,
            "sell" => -1,
            other => return Err(format!("malformed: {other:?} is neither buy nor sell")),
        };
        let paid = fits(scales.notional(lots, units(step, "price", price)?, multiplier, multiplier_scale))?;
        position.fill(Lots(side * lots), paid, Money(units(step, "fee", money)?));
        turnover += real(i128::from(paid.0.abs()), money);

        let mark = units(step, "mark", price)?;
        let value = fits(scales.notional(position.lots.0, mark, multiplier, multiplier_scale))?;
        let cash = position.trade_cash - position.fees;
        checks.push(Check::holds("position", position.lots.0 == units(step, "position", quantity)?));
        checks.push(Check::holds("cash", cash.0 == units(step, "cash", money)?));
        checks.push(Check::holds("fees", position.fees.0 == units(step, "fees", money)?));
        checks.push(average(step, &position, &scales, real(i128::from(multiplier), multiplier_scale))?);

        // At the basis's own precision, a trillionth of a money unit.
        let exact = |money: Money| Basis::from_money(money).0;
        let (trade_cash, basis) = (exact(position.trade_cash), position.basis.0);
        rows.push(("realized", trade_cash + basis, number(step, "realized")?));
        rows.push(("unrealized", exact(value) - basis, number(step, "unrealized")?));
        let identity = position.realized_pnl() + position.unrealized_pnl(value) - position.fees;
        checks.push(Check::holds("identity", identity == cash + value));
    }
    for (name, got, expected) in rows {
        let got = real(got, money + 12);
        checks.push(Check::scaled(name, got, expected, turnover, 1e-12, 2e-15));
    }
    Ok(checks)
}

fn average(step: &Value, position: &Position, scales: &Units, multiplier: f64) -> Result<Check, String> {
    if step["avg_cost"].is_null() {
        return Ok(Check::holds("flat has no avg_cost", position.average_cost().is_none()));
    }
    let basis = real(position.basis.0, scales.money + 12);
    let got = basis / (real(i128::from(position.lots.0), scales.quantity) * multiplier);
    Ok(Check::relative("avg_cost", got, number(step, "avg_cost")?, 1e-12, 2e-15))
}
