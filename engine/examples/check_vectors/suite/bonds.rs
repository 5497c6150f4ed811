//! Bonds: prices, sensitivities and schedules from a yield, and the yield back
//! from the clean price.

use engine::instrument::BondTerms;
use engine::pricing::bond::BondFlows;
use serde_json::Value;

use super::Check;
use super::read::{date, number, parsed, text, whole};

/// A bond's terms; the coupon is kept beside them as the double that it is.
pub(super) fn terms(case: &Value) -> Result<(BondTerms, f64), String> {
    let terms = BondTerms {
        issue: date(case, "issue_date")?,
        maturity: date(case, "maturity_date")?,
        coupon_e9: 0,
        frequency: parsed(case, "frequency")?,
        day_count: parsed(case, "day_count")?,
    };
    Ok((terms, number(case, "coupon_rate")?))
}

/// The family `bonds`, per 100 of face.
pub(super) fn bonds(case: &Value, _: &Value) -> Result<Vec<Check>, String> {
    let (terms, coupon_rate) = terms(case)?;
    let settlement = date(case, "settlement_date")?;
    let annual_yield = number(case, "yield")?;
    let expected = &case["expected"];
    let known = |name| number(expected, name);
    let error = |error: engine::pricing::PricingError| error.to_string();

    let flows = BondFlows::with_coupon(&terms, coupon_rate, settlement).map_err(error)?;
    let value = flows.value(annual_yield).map_err(error)?;
    let found = flows.yield_from_clean(known("clean")?).map_err(error)?;
    let period = terms.period(settlement).ok_or("no period")?;
    let previous = period.start.max(terms.issue).to_string();
    Ok(vec![
        Check::absolute("accrued", value.accrued, known("accrued")?, 1e-9, 1e-11),
        Check::absolute("clean", value.clean, known("clean")?, 1e-9, 1e-11),
        Check::absolute("dirty", value.dirty, known("dirty")?, 1e-9, 1e-11),
        Check::absolute("macaulay", value.macaulay, known("macaulay")?, 1e-8, 1e-12),
        Check::absolute("modified", value.modified, known("modified")?, 1e-8, 1e-12),
        Check::relative("convexity", value.convexity, known("convexity")?, 1e-8, 1e-12),
        Check::absolute("dv01", value.dv01, known("dv01")?, 1e-8, 1e-13),
        Check::absolute("yield", found, annual_yield, 1e-9, 1e-12),
        Check::holds("previous coupon", previous == text(expected, "previous_coupon_date")?),
        Check::holds("next coupon", period.end.to_string() == text(expected, "next_coupon_date")?),
        Check::holds(
            "remaining coupons",
            i64::from(period.periods_to_maturity) + 1 == whole(expected, "remaining_coupons")?,
        ),
    ])
}
