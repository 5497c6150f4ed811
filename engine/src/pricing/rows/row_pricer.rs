//! Dispatch of rows to pricing models.

use std::collections::BTreeMap;

use super::{ContractKind, ContractRow, CurveRow, PayReceive, Results, RowError};
use crate::instrument::{BondTerms, DayCount};
use crate::pricing::american::{Precision, Valuer};
use crate::pricing::bond::BondFlows;
use crate::pricing::curve::{Bootstrap, Curve, CurveInstrument, Interpolation};
use crate::pricing::european::{self, FutureMarket, SpotMarket, Vanilla};
use crate::pricing::future::{self, FuturePosition, fair_value};
use crate::pricing::implied_vol::{self, implied_vol};
use crate::pricing::swap::{Leg, SwapContract};

/// Pricer of rows; holds their curves and the solver of American options.
#[derive(Debug, Default)]
pub struct RowPricer {
    curves: BTreeMap<String, Curve>,
    american: Option<Valuer>,
}

/// Returns a required column.
fn need<T>(value: Option<T>, name: &'static str) -> Result<T, RowError> {
    value.ok_or(RowError::Missing(name))
}

impl ContractRow {
    fn years(&self) -> Result<f64, RowError> {
        match (self.t, self.days) {
            (Some(years), _) => Ok(years),
            (None, Some(days)) => Ok(days / 365.0),
            (None, None) => Err(RowError::Missing("days")),
        }
    }

    fn vanilla(&self) -> Result<Vanilla, RowError> {
        Ok(Vanilla {
            right: need(self.right, "type")?,
            strike: need(self.strike, "strike")?,
            years: self.years()?,
        })
    }

    fn spot_market(&self, vol: f64) -> Result<SpotMarket, RowError> {
        Ok(SpotMarket {
            spot: need(self.spot, "spot")?,
            rate: need(self.rate, "rate")?,
            div_yield: self.div_yield.unwrap_or(0.0),
            vol,
        })
    }
}

impl RowPricer {
    /// Builds a curve under a name for rows.
    ///
    /// # Errors
    /// [`RowError::Curve`].
    pub fn add_curve(&mut self, name: &str, row: &CurveRow) -> Result<(), RowError> {
        let interpolation = row.interpolation.unwrap_or(Interpolation::LoglinearDf);
        let curve = if row.nodes.is_empty() {
            let frequency = row.swap_fixed_frequency.unwrap_or(1);
            let (mut instruments, mut rates) = (Vec::new(), Vec::new());
            for deposit in &row.deposits {
                instruments.push(CurveInstrument::Deposit { months: deposit.tenor_months });
                rates.push(deposit.rate);
            }
            for swap in &row.swaps {
                let months = swap.tenor_years.checked_mul(12).ok_or(RowError::OutOfRange("tenor_years"))?;
                instruments.push(CurveInstrument::Swap { months, frequency });
                rates.push(swap.rate);
            }
            Bootstrap::new(row.reference_date, interpolation, &instruments)?.curve(&rates)?
        } else {
            let nodes: Vec<_> = row.nodes.iter().map(|node| (node.date, node.df)).collect();
            Curve::through(row.reference_date, interpolation, &nodes)?
        };
        self.curves.insert(name.to_owned(), curve);
        Ok(())
    }

    /// Prices `row`: values and sensitivities; results that are not finite are left out.
    ///
    /// # Errors
    /// [`RowError`].
    pub fn price(&mut self, row: &ContractRow) -> Result<Results, RowError> {
        let mut results = match row.kind {
            ContractKind::European => european_row(row)?,
            ContractKind::American => self.american(row)?,
            ContractKind::Black76 => black76(row)?,
            ContractKind::Future => future_row(row)?,
            ContractKind::Bond => self.bond(row)?,
            ContractKind::Swap => self.swap(row)?,
        };
        if let Some(quantity) = row.quantity {
            let by = quantity * row.multiplier.unwrap_or(1.0);
            let unit = ["pv", "dirty", "price"].iter().find_map(|name| results.get(name)).copied();
            let unit = if row.kind == ContractKind::Bond { unit.map(|dirty| dirty / 100.0) } else { unit };
            if let Some(unit) = unit {
                results.insert("position_value", unit * by);
            }
        }
        results.retain(|_, value| value.is_finite());
        Ok(results)
    }

    fn american(&mut self, row: &ContractRow) -> Result<Results, RowError> {
        let (terms, vol) = (row.vanilla()?, need(row.vol, "vol")?);
        // A future is a spot whose yield is the rate.
        let market = match row.futures {
            Some(spot) => {
                let rate = need(row.rate, "rate")?;
                SpotMarket { spot, rate, div_yield: rate, vol }
            }
            None => row.spot_market(vol)?,
        };
        let valuer = self.american.get_or_insert_with(|| Valuer::new(Precision::High));
        let value = valuer.value(&terms, &market)?;
        let moved = valuer.sensitivities(&terms, &market)?;
        let on_future = row.futures.is_some();
        let mut results = Results::from([
            ("price", value.price),
            ("delta", value.delta),
            ("gamma", value.gamma),
            ("theta", value.theta),
            ("vega", moved.vega),
            ("rho", if on_future { moved.rho + moved.dividend_rho } else { moved.rho }),
            ("early_exercise_premium", value.early_exercise_premium),
        ]);
        if !on_future {
            results.insert("dividend_rho", moved.dividend_rho);
        }
        if let Some(critical) = value.critical_price {
            results.insert("critical_price", critical);
        }
        Ok(results)
    }

    fn bond(&self, row: &ContractRow) -> Result<Results, RowError> {
        let terms = BondTerms {
            issue: need(row.issue_date, "issue_date")?,
            maturity: need(row.maturity_date, "maturity_date")?,
            coupon_e9: 0, // replaced by the row's double
            frequency: need(row.frequency, "frequency")?,
            day_count: need(row.day_count, "day_count")?,
        };
        let settlement = need(row.settlement_date, "settlement_date")?;
        let coupon_rate = need(row.coupon_rate, "coupon_rate")?;
        if ![1, 2, 4, 12].contains(&terms.frequency) {
            return Err(RowError::OutOfRange("frequency"));
        }
        if terms.issue >= terms.maturity {
            return Err(RowError::OutOfRange("maturity_date"));
        }
        let flows = BondFlows::with_coupon(&terms, coupon_rate, settlement)?;
        let curve = match &row.curve {
            Some(name) => Some(self.curve(name)?),
            None => None,
        };
        if curve.is_some_and(|curve| curve.reference() != settlement) {
            return Err(RowError::OutOfRange("settlement_date"));
        }
        let on_curve = flows.cash_flows(&terms, settlement);
        let annual_yield = match (row.annual_yield, row.clean, curve) {
            (Some(annual_yield), _, _) => annual_yield,
            (None, Some(clean), _) => flows.yield_from_clean(clean)?,
            (None, None, Some(curve)) => {
                flows.yield_from_clean(on_curve.present_value(curve) - flows.accrued())?
            }
            (None, None, None) => return Err(RowError::Missing("yield")),
        };
        let value = flows.value(annual_yield)?;
        let mut results = Results::from([
            ("clean", value.clean),
            ("dirty", value.dirty),
            ("accrued", value.accrued),
            ("yield", annual_yield),
            ("macaulay", value.macaulay),
            ("modified", value.modified),
            ("convexity", value.convexity),
            ("dv01", value.dv01),
        ]);
        if let Some(curve) = curve {
            results.insert("curve_dv01", on_curve.dv01(curve));
            if let Some(spread) = on_curve.z_spread(curve, value.dirty) {
                results.insert("z_spread", spread);
            }
        }
        Ok(results)
    }

    fn swap(&self, row: &ContractRow) -> Result<Results, RowError> {
        let leg = |rate, frequency, day_count| Leg { rate, frequency, day_count };
        let contract = SwapContract {
            notional: need(row.notional, "notional")?,
            receives_fixed: need(row.pay_receive, "pay_receive")? == PayReceive::ReceiveFixed,
            start: need(row.start_date, "start_date")?,
            end: need(row.end_date, "end_date")?,
            fixed: leg(
                need(row.fixed_rate, "fixed_rate")?,
                need(row.fixed_frequency, "fixed_frequency")?,
                need(row.fixed_day_count, "fixed_day_count")?,
            ),
            floating: leg(
                row.float_spread.unwrap_or(0.0),
                need(row.float_frequency, "float_frequency")?,
                row.float_day_count.unwrap_or(DayCount::Act360),
            ),
        };
        let flat;
        let curve = match &row.curve {
            Some(name) => self.curve(name)?,
            None => {
                let today = need(row.valuation_date, "curve")?;
                flat = Curve::flat(today, need(row.rate, "rate")?);
                &flat
            }
        };
        let flows = contract.flows(curve.reference(), row.current_fixing)?;
        let value = flows.value(curve);
        Ok(Results::from([
            ("pv", value.pv),
            ("par_rate", value.par_rate),
            ("annuity", value.annuity),
            ("fixed_leg_pv", value.fixed_leg_pv),
            ("float_leg_pv", value.float_leg_pv),
            ("dv01", flows.net().dv01(curve)),
        ]))
    }

    fn curve(&self, name: &str) -> Result<&Curve, RowError> {
        self.curves.get(name).ok_or_else(|| RowError::UnknownCurve(name.to_owned()))
    }
}

fn european_row(row: &ContractRow) -> Result<Results, RowError> {
    let terms = row.vanilla()?;
    let (vol, implied) = match (row.vol, row.price) {
        (Some(vol), _) => (vol, None),
        (None, Some(price)) => {
            let SpotMarket { spot, rate, div_yield, .. } = row.spot_market(0.0)?;
            let vol = implied_vol(&terms, &implied_vol::SpotCarry { spot, rate, div_yield }, price)?;
            (vol, Some(vol))
        }
        (None, None) => return Err(RowError::Missing("vol")),
    };
    let value = european::value(&terms, &row.spot_market(vol)?)?;
    let mut results = Results::from([
        ("price", value.price),
        ("delta", value.delta),
        ("gamma", value.gamma),
        ("vega", value.vega),
        ("theta", value.theta),
        ("rho", value.rho),
        ("dividend_rho", value.dividend_rho),
        ("vanna", value.vanna),
        ("volga", value.volga),
        ("charm", value.charm),
    ]);
    results.extend(implied.map(|vol| ("implied_vol", vol)));
    Ok(results)
}

fn black76(row: &ContractRow) -> Result<Results, RowError> {
    let market = FutureMarket {
        future: need(row.futures, "futures")?,
        rate: need(row.rate, "rate")?,
        vol: need(row.vol, "vol")?,
    };
    let value = european::value_on_future(&row.vanilla()?, &market)?;
    Ok(Results::from([
        ("price", value.price),
        ("delta", value.delta),
        ("gamma", value.gamma),
        ("vega", value.vega),
        ("theta", value.theta),
        ("rho", value.rho),
        ("vanna", value.vanna),
        ("volga", value.volga),
        ("charm", value.charm),
    ]))
}

/// Parses `days:points`, separated by semicolons, to years and points.
fn dividends(text: &str) -> Result<Vec<(f64, f64)>, RowError> {
    let number =
        |text: &str| text.trim().parse().ok().filter(|number: &f64| *number >= 0.0 && number.is_finite());
    let each = |part: &str| {
        let (days, points) = part.split_once(':')?;
        Some((number(days)? / 365.0, number(points)?))
    };
    let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| each(part).ok_or(RowError::OutOfRange("dividends"))).collect()
}

fn future_row(row: &ContractRow) -> Result<Results, RowError> {
    let dividends = row.dividends.as_deref().map_or_else(|| Ok(Vec::new()), dividends)?;
    let carry = future::FutureCarry {
        spot: need(row.spot, "spot")?,
        rate: need(row.rate, "rate")?,
        div_yield: row.div_yield.unwrap_or(0.0),
        time: row.years()?,
        dividends: &dividends,
    };
    if !(carry.spot > 0.0 && carry.spot.is_finite()) {
        return Err(RowError::OutOfRange("spot"));
    }
    if !(carry.time >= 0.0 && carry.time.is_finite()) {
        return Err(RowError::OutOfRange(if row.t.is_some() { "t" } else { "days" }));
    }
    let value = fair_value(&carry);
    let mut results = Results::from([
        ("price", value.price),
        ("basis", value.basis),
        ("delta", value.delta),
        ("rho", value.rho),
    ]);
    if let Some(contracts) = row.quantity {
        let multiplier = row.multiplier.unwrap_or(1.0);
        let position =
            FuturePosition { contracts, multiplier, trade_price: row.trade_price.unwrap_or(value.price) };
        results.insert("position_dv01", position.rate_gain_per_bp(&value));
        if row.trade_price.is_some() {
            results.insert("pnl_to_fair", position.pnl_to(value.price));
        }
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(json: &str) -> Result<Results, RowError> {
        RowPricer::default().price(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn every_kind_has_its_results() {
        let option = r#""type":"call","strike":100,"days":365,"rate":0.05,"vol":0.2"#;
        let european = price(&format!(r#"{{"kind":"european","spot":100,{option},"quantity":2}}"#)).unwrap();
        // Black and Scholes: 10.4506 for these numbers.
        assert!((european["price"] - 10.450_583_572_185_6).abs() < 1e-12);
        assert!((european["position_value"] - 2.0 * european["price"]).abs() < 1e-13);
        // A call without dividends is not exercised early.
        let american = price(&format!(r#"{{"kind":"american","spot":100,{option}}}"#)).unwrap();
        assert!((american["price"] - european["price"]).abs() < 1e-12);
        let black = price(&format!(r#"{{"kind":"black76","futures":100,{option}}}"#)).unwrap();
        assert!(black["price"] < european["price"]);
        // Early exercise of an option on a future has value; there is only one rate.
        let future = price(&format!(r#"{{"kind":"american","futures":100,{option}}}"#)).unwrap();
        assert!(future["price"] > black["price"] && !future.contains_key("dividend_rho"));
        assert!(future["rho"] < 0.0 && future["rho"] > black["rho"]);
        let future = price(r#"{"kind":"future","spot":100,"days":365,"rate":0.05}"#).unwrap();
        assert!((future["basis"] - 100.0 * libm::expm1(0.05)).abs() < 1e-12);
        let row = r#"{"kind":"future","spot":100,"days":365,"rate":0.05,"dividends":"73:2; 365:1;400:9"}"#;
        // (100 − 2 e^(−0.05 × 0.2)) e^0.05 − 1: the third dividend is after expiry.
        let fair = (100.0 - 2.0 * libm::exp(-0.01)) * libm::exp(0.05) - 1.0;
        assert!((price(row).unwrap()["price"] - fair).abs() < 1e-12);
        let bond = r#""kind":"bond","issue_date":"2025-01-15","maturity_date":"2030-01-15",
            "settlement_date":"2026-01-15","coupon_rate":0.05,"frequency":1,"day_count":"30/360""#;
        // At a yield equal to the coupon a bond is at par.
        let bond = price(&format!(r#"{{{bond},"yield":0.05}}"#)).unwrap();
        assert!((bond["clean"] - 100.0).abs() < 1e-12);
        let swap = r#"{"kind":"swap","notional":1000000,"pay_receive":"pay_fixed","rate":0.03,
            "start_date":"2026-01-15","end_date":"2031-01-15","valuation_date":"2026-01-15",
            "fixed_rate":0.0,"fixed_frequency":1,"fixed_day_count":"30/360","float_frequency":4}"#;
        let swap = price(swap).unwrap();
        assert!((swap["pv"] - 1e6 * (1.0 - libm::exp(-0.03 * 1826.0 / 365.0))).abs() < 1e-6);
        assert!(swap["dv01"] < 0.0);
    }

    #[test]
    fn a_price_instead_of_a_volatility_is_inverted() {
        let row =
            r#"{"kind":"european","spot":100,"type":"put","strike":90,"t":0.5,"rate":0.02,"price":3.1}"#;
        let results = price(row).unwrap();
        assert!((results["price"] - 3.1).abs() < 1e-13, "{results:?}");
        assert!(results["implied_vol"] > 0.1);
        assert!(results.keys().all(|name| super::super::RESULTS.contains(name)));
    }

    #[test]
    fn errors_name_the_column() {
        let refused = price(r#"{"kind":"european","spot":100}"#).unwrap_err();
        assert_eq!(refused, RowError::Missing("type"));
        let refused = price(r#"{"kind":"swap"}"#).unwrap_err();
        assert_eq!(refused, RowError::Missing("notional"));
        let row = r#"{"kind":"european","spot":-1,"type":"put","strike":90,"t":0.5,"rate":0,"vol":0.2}"#;
        assert_eq!(price(row).unwrap_err().to_string(), "an input is no admissible number");
        let row = r#"{"kind":"future","spot":100,"days":365,"rate":0.05,"dividends":"73"}"#;
        assert_eq!(price(row).unwrap_err(), RowError::OutOfRange("dividends"));
        assert!(serde_json::from_str::<ContractRow>(r#"{"kind":"european","spto":1}"#).is_err());
    }

    #[test]
    fn rows_use_named_curves() {
        let mut pricer = RowPricer::default();
        let curve = r#"{"reference_date":"2026-01-15","deposits":[{"tenor_months":12,"rate":0.03}],
            "swaps":[{"tenor_years":5,"rate":0.035}]}"#;
        pricer.add_curve("usd", &serde_json::from_str(curve).unwrap()).unwrap();
        let row = r#"{"kind":"swap","curve":"usd","notional":1000000,"pay_receive":"receive_fixed",
            "start_date":"2026-01-15","end_date":"2031-01-15","fixed_rate":0.035,"fixed_frequency":1,
            "fixed_day_count":"ACT/ACT ICMA","float_frequency":2}"#;
        let row: ContractRow = serde_json::from_str(row).unwrap();
        assert!(pricer.price(&row).unwrap()["pv"].abs() < 1e-8);
        let unknown = ContractRow { curve: Some("eur".to_owned()), ..row };
        assert_eq!(pricer.price(&unknown), Err(RowError::UnknownCurve("eur".to_owned())));
    }
}
