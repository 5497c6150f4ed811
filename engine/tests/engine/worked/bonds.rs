//! Bonds: DV01, errors, round trips of yields, payments before the issue. The cases are
//! those of the reference vectors.

use engine::instrument::{BondTerms, DayCount};
use engine::money::{Lots, Money};
use engine::pricing::PricingError;
use engine::pricing::bond;
use engine::time::Date;
use serde_json::Value;

struct Case {
    id: String,
    terms: BondTerms,
    settlement: Date,
    annual_yield: f64,
    accrued: f64,
}

fn cases() -> Vec<Case> {
    let file: Value = serde_json::from_str(include_str!("../../vectors/bonds.json")).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(file["count"], cases.len());
    cases.iter().map(case).collect()
}

fn case(case: &Value) -> Case {
    let date = |field: &str| case[field].as_str().unwrap().parse::<Date>().unwrap();
    let coupon_rate = case["coupon_rate"].as_f64().unwrap();
    let coupon_e9 = (coupon_rate * 1e9).round() as i64;
    assert_eq!(coupon_e9 as f64 / 1e9, coupon_rate, "the coupon is exact");
    Case {
        id: case["id"].as_str().unwrap().to_owned(),
        terms: BondTerms {
            issue: date("issue_date"),
            maturity: date("maturity_date"),
            coupon_e9,
            frequency: case["frequency"].as_u64().unwrap() as u8,
            day_count: serde_json::from_value::<DayCount>(case["day_count"].clone()).unwrap(),
        },
        settlement: date("settlement_date"),
        annual_yield: case["yield"].as_f64().unwrap(),
        accrued: case["expected"]["accrued"].as_f64().unwrap(),
    }
}

#[test]
fn exact_accrued_interest_is_the_rounded_reference() {
    for case in cases() {
        // On 1,000 of face it is ten times that of 100, rounded to a millionth.
        let exact = case.terms.accrued(Money::from_units(1_000), case.settlement);
        let per_hundred = exact.0 as f64 / 1e6 / 10.0;
        assert!((per_hundred - case.accrued).abs() <= 0.51e-7, "{}", case.id);
    }
}

#[test]
fn the_analytic_dv01_matches_a_bump() {
    for case in cases() {
        let at = |shift: f64| {
            let bumped = case.annual_yield + shift;
            bond::value(&case.terms, bumped, case.settlement).unwrap()
        };
        let bump = at(-0.5e-4).dirty - at(0.5e-4).dirty;
        let analytic = at(0.0).dv01;
        let error = (bump - analytic).abs() / analytic;
        assert!(error < 2e-5, "{}: bump {bump}, analytic {analytic}", case.id);
    }
}

#[test]
fn dv01_is_rounded_to_money_once() {
    let case = &cases()[0];
    let value = bond::value(&case.terms, case.annual_yield, case.settlement).unwrap();
    let money = |lots| value.dv01_money(Money::from_units(1_000), Lots(lots));
    // 0.02572254556… per 100 of face × 10 × 7 lots = 1.800578, rounded once
    assert_eq!(case.id, "BD-000");
    assert_eq!(money(7), Some(Money(1_800_578)));
    assert_eq!(money(-7), Some(Money(-1_800_578)));
    assert_eq!(money(0), Some(Money::ZERO));
    assert_eq!(money(i64::MAX), None);
}

#[test]
fn impossible_inputs_are_errors() {
    let case = &cases()[0];
    let maturity = case.terms.maturity;
    assert_eq!(bond::value(&case.terms, 0.05, maturity), Err(PricingError::Matured));
    for annual_yield in [-2.0, -5.0, f64::NAN, f64::INFINITY] {
        let value = bond::value(&case.terms, annual_yield, case.settlement);
        assert_eq!(value, Err(PricingError::YieldOutOfRange), "{annual_yield}");
    }
    for clean in [0.0, -1.0, 1e300, 1e-300, f64::NAN, f64::INFINITY] {
        let found = bond::yield_from_clean(&case.terms, clean, case.settlement);
        assert_eq!(found, Err(PricingError::PriceOutOfRange), "{clean}");
    }
}

#[test]
fn the_yield_of_a_price_is_the_yield_that_gave_it() {
    for case in cases() {
        for percent in [-30, -5, 0, 1, 40, 99] {
            let annual_yield = f64::from(percent) / 100.0;
            let value = bond::value(&case.terms, annual_yield, case.settlement).unwrap();
            let found = bond::yield_from_clean(&case.terms, value.clean, case.settlement);
            // One part in 2^52 of the dirty price is this much yield.
            let noise = value.dirty.max(1.0) * 2e-16 / (value.dv01 * 1e4);
            let error = (found.unwrap() - annual_yield).abs();
            assert!(error < 1e-12 + 16.0 * noise, "{} at {percent} %: {error:e}", case.id);
        }
    }
}

#[test]
fn a_bond_pays_only_after_its_issue() {
    let date = |text: &str| text.parse::<Date>().unwrap();
    let terms = BondTerms {
        issue: date("2026-11-15"),
        maturity: date("2028-02-15"),
        coupon_e9: 60_000_000,
        frequency: 2,
        day_count: DayCount::ActActIcma,
    };
    let value = bond::value(&terms, 0.0, date("2026-01-05")).unwrap();
    assert_eq!(value.accrued, 0.0);
    // 92 of 184 days of 3 in February 2027, then 3, then 3 + 100; the coupon
    // dates of February and August 2026 pay nothing.
    assert_eq!(value.dirty, 1.5 + 3.0 + 103.0);
}
