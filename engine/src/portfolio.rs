//! Valuation of an account at the marks: NAV, P&L and first-order risk.
//!
//! Indicative: no decision of the venue depends on it. Does not know where marks
//! come from.

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::decimal::Decimal;
use crate::id::InstrumentId;
use crate::instrument::{E9, Instrument, InstrumentKind, Terms};
use crate::money::{Lots, Money, Ticks, div_half_even};
use crate::position::Position;
use crate::pricing;
use crate::time::Date;

/// An instrument with its mark.
#[derive(Clone, Copy, Debug)]
pub struct Marked<'a> {
    /// The instrument.
    pub instrument: &'a Instrument,
    /// Its mark (bond: clean).
    pub mark: Ticks,
}

/// Figures of an account. Money is exact except where a model is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Valuation {
    /// Cash, reserved part included.
    pub cash: Money,
    /// Part of the cash reserved by open orders.
    pub reserved: Money,
    /// Cash plus the value of all positions.
    pub nav: Money,
    /// Value of all positions at the marks (bond: dirty).
    pub market_value: Money,
    /// P&L of closed lots and payments, without fees.
    pub realized_pnl: Money,
    /// P&L of open lots.
    pub unrealized_pnl: Money,
    /// Fees paid.
    pub fees: Money,
    /// Money change of rates-sensitive positions when yields fall by one basis
    /// point, positive for a long bond (model: yield to maturity).
    pub dv01: Money,
    /// Delta by underlier.
    pub delta: Vec<DeltaExposure>,
    /// DV01 by instrument.
    pub dv01_by_instrument: Vec<Dv01Exposure>,
    /// Net and gross value by asset class.
    pub exposure: Vec<ClassExposure>,
    /// Gross value over NAV, in 1e-9; none when NAV is not positive.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>, required))]
    pub leverage_e9: Option<E9>,
    /// Largest position's share of the gross value, in 1e-9.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub concentration_e9: E9,
    /// All positions ever held, by instrument id.
    pub positions: Vec<PositionValue>,
}

/// Sensitivity to an underlier's price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeltaExposure {
    /// The underlier.
    pub underlier: InstrumentId,
    /// Units of the underlier.
    pub units: Decimal,
    /// Value of the units at the underlier's mark.
    pub notional: Money,
}

/// Sensitivity to an instrument's yield.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Dv01Exposure {
    /// The instrument.
    pub instrument: InstrumentId,
    /// Money for one basis point down.
    pub dv01: Money,
}

/// Value held in an asset class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClassExposure {
    /// The asset class.
    pub kind: InstrumentKind,
    /// Longs minus shorts.
    pub net: Money,
    /// Longs plus shorts.
    pub gross: Money,
}

/// A position at its mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PositionValue {
    /// The instrument.
    pub instrument: InstrumentId,
    /// Quantity in units, long positive.
    pub quantity: Decimal,
    /// Average cost as a price (bond: dirty), with two more decimals than the
    /// tick size; none when flat.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub average_cost: Option<Decimal>,
    /// The mark (bond: clean).
    pub mark: Decimal,
    /// Value at the mark (bond: dirty).
    pub value: Money,
    /// Accrued interest, included in the value.
    pub accrued: Money,
    /// Cost of the open lots.
    pub basis: Money,
    /// P&L of closed lots and payments, without fees.
    pub realized_pnl: Money,
    /// P&L of open lots.
    pub unrealized_pnl: Money,
    /// Fees paid.
    pub fees: Money,
    /// Bonds: yield to maturity at the mark, in 1e-9.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>, required))]
    pub yield_e9: Option<E9>,
    /// Bonds: money for one basis point down.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub dv01: Option<Money>,
}

/// Values `account` on `date` at the marks returned by `marked`; a position without
/// a mark is valued at its cost.
pub fn value<'m>(
    account: &Account,
    date: Date,
    marked: &impl Fn(InstrumentId) -> Option<Marked<'m>>,
) -> Valuation {
    let mut valuation = Valuation { cash: account.cash, reserved: account.reserved, ..Valuation::default() };
    let mut largest = Money::ZERO;
    for (id, position) in &account.positions {
        let Some(marked) = marked(*id) else {
            valuation.realized_pnl += position.realized_pnl();
            valuation.market_value += position.basis.to_money();
            valuation.fees += position.fees;
            continue;
        };
        let valued = position_value(&marked, position, date);
        valuation.market_value += valued.value;
        valuation.realized_pnl += valued.realized_pnl;
        valuation.unrealized_pnl += valued.unrealized_pnl;
        valuation.fees += valued.fees;
        if position.lots != Lots::ZERO {
            largest = largest.max(Money(valued.value.0.abs()));
            add_exposure(&mut valuation, &marked, position, &valued);
        }
        valuation.positions.push(valued);
    }
    valuation.nav = valuation.cash + valuation.market_value;
    let gross: Money = valuation.exposure.iter().map(|class| class.gross).sum();
    valuation.leverage_e9 = ratio_e9(gross, valuation.nav);
    valuation.concentration_e9 = ratio_e9(largest, gross).unwrap_or(0);
    valuation
}

fn position_value(marked: &Marked<'_>, position: &Position, date: Date) -> PositionValue {
    let Marked { instrument, mark } = *marked;
    let accrued_per_lot = instrument.accrued_per_lot(date);
    let times = |money: Money| money.times(position.lots).unwrap_or(position.basis.to_money());
    let value = instrument.money_per_lot(mark, date).map_or(position.basis.to_money(), times);
    let risk = bond_risk(instrument, mark, date);
    PositionValue {
        instrument: instrument.id,
        quantity: instrument.quantity(position.lots),
        average_cost: average_cost(instrument, position),
        mark: instrument.price(mark),
        value,
        accrued: times(accrued_per_lot),
        basis: position.basis.to_money(),
        realized_pnl: position.realized_pnl(),
        unrealized_pnl: position.unrealized_pnl(value),
        fees: position.fees,
        yield_e9: risk.map(|risk| risk.yield_e9),
        dv01: risk.and_then(|risk| risk.dv01(instrument, position.lots)),
    }
}

fn add_exposure(valuation: &mut Valuation, marked: &Marked<'_>, position: &Position, valued: &PositionValue) {
    let kind = marked.instrument.kind();
    let gross = Money(valued.value.0.abs());
    match valuation.exposure.iter_mut().find(|class| class.kind == kind) {
        Some(class) => {
            class.net += valued.value;
            class.gross += gross;
        }
        None => valuation.exposure.push(ClassExposure { kind, net: valued.value, gross }),
    }
    if kind == InstrumentKind::Equity {
        valuation.delta.push(DeltaExposure {
            underlier: marked.instrument.id,
            units: marked.instrument.quantity(position.lots),
            notional: valued.value,
        });
    }
    if let Some(dv01) = valued.dv01 {
        valuation.dv01 += dv01;
        valuation.dv01_by_instrument.push(Dv01Exposure { instrument: marked.instrument.id, dv01 });
    }
}

/// Returns `numerator / denominator` in 1e-9, half-even; `None` unless the
/// denominator is positive and the quotient fits.
fn ratio_e9(numerator: Money, denominator: Money) -> Option<E9> {
    (denominator > Money::ZERO)
        .then(|| {
            let scaled = i128::from(numerator.0) * 1_000_000_000;
            i64::try_from(div_half_even(scaled, i128::from(denominator.0))).ok()
        })
        .flatten()
}

/// Returns the average cost as a price, in hundredths of ticks.
fn average_cost(instrument: &Instrument, position: &Position) -> Option<Decimal> {
    let held = i128::from(position.lots.0);
    if held == 0 {
        return None;
    }
    // basis is in 1e-12 of money units: /(lots × tick value) gives ticks.
    let per_tick =
        held.abs().checked_mul(i128::from(instrument.tick_value.0))?.checked_mul(10_000_000_000)?;
    let hundredths = i64::try_from(div_half_even(position.basis.0 * held.signum(), per_tick)).ok()?;
    let scale = instrument.tick_size.scale + 2;
    Some(Decimal::new(instrument.tick_size.mantissa.checked_mul(hundredths)?, scale))
}

/// Yield and valuation of a bond at its mark.
#[derive(Clone, Copy, Debug)]
pub struct BondRisk {
    /// Yield to maturity, in 1e-9.
    pub yield_e9: E9,
    valuation: pricing::bond::BondValuation,
}

impl BondRisk {
    /// Returns the DV01 of `lots`, rounded half-even once.
    pub fn dv01(&self, instrument: &Instrument, lots: Lots) -> Option<Money> {
        self.valuation.dv01_money(instrument.face_per_lot(), lots)
    }
}

/// Returns yield and DV01 of a bond marked at `mark` clean; `None` for other
/// instruments and if no yield gives that price.
pub fn bond_risk(instrument: &Instrument, mark: Ticks, date: Date) -> Option<BondRisk> {
    let Terms::Bond(terms) = &instrument.terms else { return None };
    let flows = pricing::bond::BondFlows::of(terms, date).ok()?;
    let annual_yield = flows.yield_from_clean(instrument.price(mark).to_f64()).ok()?;
    Some(BondRisk {
        yield_e9: crate::money::round_half_even(annual_yield * 1e9)?,
        valuation: flows.value(annual_yield).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{AccountId, Seq};
    use crate::instrument::fixtures::{bond, date, equity};

    fn holding(fills: &[(&Instrument, i64, i64)]) -> Account {
        let mut account =
            Account::new(AccountId(uuid::Uuid::from_u128(1)), Money::from_units(1_000_000), Seq(1));
        for (instrument, lots, money) in fills {
            let position = account.positions.entry(instrument.id).or_default();
            position.fill(Lots(*lots), Money::from_units(*money), Money::ZERO);
            account.cash -= Money::from_units(*money);
        }
        account
    }

    #[test]
    fn an_equity_has_delta_and_no_dv01() {
        let equity = equity();
        let account = holding(&[(&equity, 100, 10_000)]);
        let mark = |id| (id == equity.id).then_some(Marked { instrument: &equity, mark: Ticks(10_500) });
        let valuation = value(&account, date("2026-01-05"), &mark);
        // 100 × (105 − 100) = 500; NAV = 990,000 + 10,500
        assert_eq!(valuation.unrealized_pnl, Money::from_units(500));
        assert_eq!(valuation.nav, Money::from_units(1_000_500));
        assert_eq!(valuation.delta.len(), 1);
        assert!(valuation.delta[0].units.same_value(Decimal::new(100, 0)));
        assert_eq!(valuation.delta[0].notional, Money::from_units(10_500));
        assert_eq!((valuation.dv01, valuation.concentration_e9), (Money::ZERO, 1_000_000_000));
        assert_eq!(valuation.positions[0].average_cost.unwrap().to_string(), "100.0000");
    }

    #[test]
    fn a_bond_has_accrued_yield_and_dv01_and_no_delta() {
        let bond = bond();
        let account = holding(&[(&bond, 100, 100_000)]);
        let settle = date("2026-01-05");
        let mark = |id| (id == bond.id).then_some(Marked { instrument: &bond, mark: Ticks(10_000) });
        let valuation = value(&account, settle, &mark);
        let valued = &valuation.positions[0];
        // 3 of 184 days: 1,000 × 2.5 % × 3/184 = 0.407609 a lot, 100 lots
        assert_eq!(valued.accrued, Money(40_760_900));
        assert_eq!(valuation.nav, Money::from_units(1_000_000) + valued.accrued);
        // At par the yield is the coupon, but for the short first period.
        let yield_e9 = valued.yield_e9.unwrap();
        assert!((49_900_000..=50_100_000).contains(&yield_e9), "{yield_e9}");
        // A ten-year 5 % bond at par loses about 0.078 per 100 and basis point:
        // 100,000 of face, about 78.
        let dv01 = valued.dv01.unwrap();
        assert!((Money::from_units(76)..Money::from_units(80)).contains(&dv01), "{dv01}");
        assert_eq!((valuation.dv01, valuation.delta.len()), (dv01, 0));
    }
}
