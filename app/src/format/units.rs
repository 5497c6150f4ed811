//! Units of an instrument: ticks and lots as prices and quantities.
//!
//! Knows no market; units never change.

use engine::decimal::Decimal;
use engine::instrument::{Instrument, InstrumentKind};
use engine::money::{Lots, MONEY_SCALE, Money, Ticks, div_half_even};

use crate::format;

/// The units in which an instrument is priced and sized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Units {
    kind: InstrumentKind,
    tick_size: Decimal,
    lot_size: Decimal,
}

impl Units {
    /// The units of `instrument`.
    pub fn of(instrument: &Instrument) -> Self {
        Self { kind: instrument.kind(), tick_size: instrument.tick_size, lot_size: instrument.lot_size }
    }

    /// Name of the unit of quantity.
    pub const fn counted(self) -> &'static str {
        match self.kind {
            InstrumentKind::Equity => "shares",
            InstrumentKind::Option | InstrumentKind::Future => "contracts",
            InstrumentKind::Bond => "face",
            InstrumentKind::Swap => "notional",
        }
    }

    /// Returns true for a bond, whose price is clean.
    pub fn is_bond(self) -> bool {
        self.kind == InstrumentKind::Bond
    }

    /// Quantity that a price is for, if not one unit.
    pub const fn priced_per(self) -> Option<&'static str> {
        match self.kind {
            InstrumentKind::Bond | InstrumentKind::Swap => Some("per 100"),
            InstrumentKind::Equity | InstrumentKind::Option | InstrumentKind::Future => None,
        }
    }

    /// A price as exact decimal.
    pub fn price_of(self, ticks: Ticks) -> Decimal {
        self.tick_size.times(ticks.0).unwrap_or(Decimal::new(i64::MAX, 0))
    }

    /// A price for display.
    pub fn price(self, ticks: Ticks) -> String {
        format::decimal(self.price_of(ticks))
    }

    /// A price for an input field: no separators, a plain minus.
    pub fn price_field(self, ticks: Ticks) -> String {
        self.price_of(ticks).to_string()
    }

    /// Money for `lots` as a price, with two more decimals than the tick size; `None`
    /// without lots.
    pub fn price_of_money(self, money: Money, lots: Lots) -> Option<Decimal> {
        let quantity = self.quantity_of(lots);
        let per = if self.priced_per().is_some() { 100 } else { 1 };
        let scale = self.tick_size.scale + 2;
        // money × 1e-6 × per / (quantity × 1e-scale of its own), in 1e-scale.
        let power = |exponent: u8| 10_i128.pow(u32::from(exponent));
        let numerator = i128::from(money.0) * per * power(scale) * power(quantity.scale);
        let denominator = i128::from(quantity.mantissa) * power(MONEY_SCALE);
        (denominator != 0).then(|| {
            let rounded = div_half_even(numerator * denominator.signum(), denominator.abs());
            Decimal::new(i64::try_from(rounded).unwrap_or(i64::MAX), scale)
        })
    }

    /// A quantity as exact decimal in units.
    pub fn quantity_of(self, lots: Lots) -> Decimal {
        self.lot_size.times(lots.0).unwrap_or(Decimal::new(i64::MAX, 0))
    }

    /// The lots of a quantity; `None` unless it is a whole number of them.
    pub fn lots_of(self, quantity: Decimal) -> Option<Lots> {
        quantity.in_units_of(self.lot_size).map(Lots)
    }

    /// A quantity in units for display.
    pub fn quantity(self, lots: Lots) -> String {
        format::decimal(self.quantity_of(lots))
    }

    /// A quantity in units in few characters.
    pub fn short_quantity(self, lots: Lots) -> String {
        format::short(self.quantity_of(lots))
    }

    /// Average price of fills with two more decimals than the tick size; `None`
    /// without fills.
    pub fn average(self, fills: &[engine::book::PriceLevel]) -> Option<Decimal> {
        let lots: i128 = fills.iter().map(|fill| i128::from(fill.lots.0)).sum();
        let ticks: i128 = fills.iter().map(|fill| i128::from(fill.price.0) * i128::from(fill.lots.0)).sum();
        (lots > 0).then(|| {
            let hundredths = div_half_even(ticks * 100, lots);
            let mantissa = i64::try_from(hundredths).unwrap_or(i64::MAX);
            let scaled = Decimal::new(self.tick_size.mantissa, self.tick_size.scale + 2);
            scaled.times(mantissa).unwrap_or(scaled)
        })
    }
}

/// Words for a kind of instrument, to be searched.
pub const fn kind_words(kind: InstrumentKind) -> &'static str {
    match kind {
        InstrumentKind::Equity => "share, stock, equity",
        InstrumentKind::Option => "option",
        InstrumentKind::Future => "future",
        InstrumentKind::Bond => "bond",
        InstrumentKind::Swap => "swap",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::book::PriceLevel;

    #[test]
    fn an_average_price_has_two_more_decimals() {
        let units = Units {
            kind: InstrumentKind::Equity,
            tick_size: Decimal::new(1, 2),
            lot_size: Decimal::new(1, 0),
        };
        let fills = [
            PriceLevel { price: Ticks(10_005), lots: Lots(60) },
            PriceLevel { price: Ticks(10_010), lots: Lots(40) },
        ];
        // (60 × 100.05 + 40 × 100.10) / 100 = 100.07
        assert_eq!(units.average(&fills).unwrap().to_string(), "100.0700");
        assert_eq!(units.average(&[]), None);
        assert_eq!(units.price(Ticks(123_456)), "1,234.56");
        assert_eq!(units.price_field(Ticks(123_456)), "1234.56");
    }

    #[test]
    fn money_for_lots_is_a_price() {
        let share = Units {
            kind: InstrumentKind::Equity,
            tick_size: Decimal::new(1, 2),
            lot_size: Decimal::new(1, 0),
        };
        // 1,000 / 3
        let third = share.price_of_money(Money::from_units(1_000), Lots(3)).unwrap();
        assert_eq!(third.to_string(), "333.3333");
        assert_eq!(share.price_of_money(Money::from_units(1), Lots(0)), None);
        let bond = Units { kind: InstrumentKind::Bond, lot_size: Decimal::new(1_000, 0), ..share };
        // 14.572011 for 1,000 of face is 1.4572 for 100; short or long.
        for (money, lots) in [(14_572_011, 1), (-145_720_110, -10)] {
            assert_eq!(bond.price_of_money(Money(money), Lots(lots)).unwrap().to_string(), "1.4572");
        }
    }
}
