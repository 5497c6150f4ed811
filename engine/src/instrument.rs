//! Instruments: terms of all five asset classes and the fixed units in which an
//! instrument is priced, sized and settled.
//!
//! Contracts only: no market data, no valuation model. The only amounts computed
//! here are those that settlement needs.

use serde::{Deserialize, Serialize};

use crate::decimal::{Decimal, pow10};
use crate::id::{InstrumentId, VenueId};
use crate::money::{Lots, MONEY_SCALE, Money, Ticks};
use crate::order::Reject;
use crate::time::Date;

mod bond;

pub(crate) use bond::days_30_360;
pub use bond::{BondTerms, CouponPeriod, DayCount};

/// A rate, volatility, yield or fraction in units of 1e-9 (5 % is 50,000,000).
pub type E9 = i64;

/// Maximum length of an instrument's name, in bytes.
pub const NAME_MAX_BYTES: usize = 8 * 1024;

/// Contract of an instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Terms {
    /// Shares; one lot is `lot_size` shares.
    Equity,
    /// A vanilla option on another instrument of the venue.
    Option(OptionTerms),
    /// A cash-settled future on another instrument of the venue.
    Future(FutureTerms),
    /// A fixed-coupon bullet bond, priced clean per 100 of face.
    Bond(BondTerms),
    /// A standard-coupon fungible interest-rate swap.
    Swap(SwapTerms),
}

/// Terms of a vanilla option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OptionTerms {
    /// Delivered instrument, or the one whose level settles the option.
    pub underlier: InstrumentId,
    /// Call or put.
    pub right: OptionRight,
    /// When it may be exercised.
    pub exercise: Exercise,
    /// Strike in the underlier's price unit.
    pub strike: Decimal,
    /// Last day of the option.
    pub expiry: Date,
    /// Units of the underlier per contract.
    pub multiplier: i64,
}

/// Call or put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum OptionRight {
    /// The right to buy.
    #[serde(alias = "call", alias = "Call", alias = "C", alias = "c")]
    Call,
    /// The right to sell.
    #[serde(alias = "put", alias = "Put", alias = "P", alias = "p")]
    Put,
}

/// Exercise style: European for index options, American for single-stock options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum Exercise {
    /// At expiry only.
    European,
    /// On any day up to expiry.
    American,
}

/// Terms of a cash-settled future.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FutureTerms {
    /// Instrument whose level settles the future.
    pub underlier: InstrumentId,
    /// Last day of variation.
    pub expiry: Date,
    /// Money per price point and contract.
    pub multiplier: i64,
}

/// Terms of a standard-coupon interest-rate swap; a long position receives fixed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SwapTerms {
    /// Start of the first period.
    pub start: Date,
    /// End of the last period.
    pub maturity: Date,
    /// Standard fixed rate, in 1e-9.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub fixed_rate_e9: E9,
    /// Fixed payments per year.
    pub fixed_frequency: u8,
    /// Floating payments per year.
    pub float_frequency: u8,
    /// Day count of the fixed leg.
    pub fixed_day_count: DayCount,
    /// Notional of one lot, in whole currency units.
    pub notional_per_lot: i64,
}

impl Terms {
    /// Returns the asset class.
    pub fn kind(&self) -> InstrumentKind {
        match self {
            Self::Equity => InstrumentKind::Equity,
            Self::Option(_) => InstrumentKind::Option,
            Self::Future(_) => InstrumentKind::Future,
            Self::Bond(_) => InstrumentKind::Bond,
            Self::Swap(_) => InstrumentKind::Swap,
        }
    }

    /// Returns the last trading day, if there is one.
    pub fn maturity(&self) -> Option<Date> {
        match self {
            Self::Equity => None,
            Self::Option(terms) => Some(terms.expiry),
            Self::Future(terms) => Some(terms.expiry),
            Self::Bond(terms) => Some(terms.maturity),
            Self::Swap(terms) => Some(terms.maturity),
        }
    }

    /// Returns the underlier, if there is one.
    pub fn underlier(&self) -> Option<InstrumentId> {
        match self {
            Self::Option(terms) => Some(terms.underlier),
            Self::Future(terms) => Some(terms.underlier),
            Self::Equity | Self::Bond(_) | Self::Swap(_) => None,
        }
    }
}

/// Asset class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum InstrumentKind {
    /// Shares.
    Equity,
    /// Options.
    Option,
    /// Futures.
    Future,
    /// Bonds.
    Bond,
    /// Interest-rate swaps.
    Swap,
}

impl InstrumentKind {
    /// Name on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equity => "EQUITY",
            Self::Option => "OPTION",
            Self::Future => "FUTURE",
            Self::Bond => "BOND",
            Self::Swap => "SWAP",
        }
    }
}

/// A listed instrument with its fixed units.
///
/// Only [`Instrument::list`] makes one: its tick value is a whole number of
/// [`Money`] units, so `ticks × lots × tick_value` is exact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// UUIDv5 of (venue, symbol).
    pub id: InstrumentId,
    /// Short name, unique in the venue.
    pub symbol: String,
    /// Long name, displayed as text and never as markup.
    pub name: String,
    /// Contract terms.
    pub terms: Terms,
    /// Price step in price units (bond: points per 100 of face).
    pub tick_size: Decimal,
    /// Quantity step in units (shares, contracts, face).
    pub lot_size: Decimal,
    /// Gain of one lot when the price rises by one tick.
    pub tick_value: Money,
    /// Fee as a fraction of an order's cumulative notional, in 1e-9.
    pub fee_rate_e9: E9,
    /// Maximum distance of an order's price from the mark, in basis points.
    pub collar_bps: u32,
    /// Names of the dealers that quote it; empty for an instrument with an order
    /// book.
    pub dealers: Vec<String>,
}

/// Configuration of an instrument, unchecked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstrumentSpec {
    /// Short name, unique in the venue.
    pub symbol: String,
    /// Long name.
    pub name: String,
    /// Contract terms.
    pub terms: Terms,
    /// Price step.
    pub tick_size: Decimal,
    /// Quantity step.
    pub lot_size: Decimal,
    /// Fee as a fraction of notional, in 1e-9.
    pub fee_rate_e9: E9,
    /// Maximum distance of an order's price from the mark, in basis points.
    pub collar_bps: u32,
}

/// Reason why a configured instrument is not listed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListingError {
    /// Empty, too long, or with characters other than `A-Z 0-9 . - _`.
    #[error("invalid_symbol: {0:?}")]
    InvalidSymbol(String),
    /// Tick size that is not positive, or no whole number of money units per lot.
    #[error("invalid_tick: {0}")]
    InvalidTick(Decimal),
    /// Lot size that is not positive.
    #[error("invalid_lot: {0}")]
    InvalidLot(Decimal),
    /// A field beyond its limits.
    #[error("out_of_range: {0}")]
    OutOfRange(&'static str),
    /// Maturity on or before the day of listing, or before the issue.
    #[error("invalid_maturity: {0}")]
    InvalidMaturity(Date),
    /// An underlier that the venue does not list.
    #[error("unknown_underlier: {0}")]
    UnknownUnderlier(InstrumentId),
    /// An underlier that derives from the instrument itself.
    #[error("cyclic_underlier: {0}")]
    CyclicUnderlier(InstrumentId),
    /// A name that is too long.
    #[error("too_large: {0}")]
    TooLarge(&'static str),
    /// A symbol that is listed twice.
    #[error("duplicate_symbol: {0}")]
    DuplicateSymbol(String),
    /// A feed cadence of zero, or faster than 50 Hz.
    #[error("invalid_cadence: {0}")]
    InvalidCadence(String),
}

impl Instrument {
    /// Checks a configuration and derives the instrument's units.
    ///
    /// # Errors
    /// [`ListingError`] for the first invalid field.
    pub fn list(venue: VenueId, spec: InstrumentSpec, listed_on: Date) -> Result<Self, ListingError> {
        let symbol_ok = (1..=24).contains(&spec.symbol.len())
            && spec
                .symbol
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b".-_".contains(&b));
        if !symbol_ok {
            return Err(ListingError::InvalidSymbol(spec.symbol));
        }
        if spec.name.len() > NAME_MAX_BYTES {
            return Err(ListingError::TooLarge("name"));
        }
        if spec.lot_size.mantissa <= 0 {
            return Err(ListingError::InvalidLot(spec.lot_size));
        }
        let tick_value = tick_value(&spec).ok_or(ListingError::InvalidTick(spec.tick_size))?;
        if !(0..=100_000_000).contains(&spec.fee_rate_e9) {
            return Err(ListingError::OutOfRange("fee_rate_e9: 0 to 100000000 (10 %)"));
        }
        if !(1..10_000).contains(&spec.collar_bps) {
            return Err(ListingError::OutOfRange("collar_bps: 1 to 9999"));
        }
        if let Some(maturity) = spec.terms.maturity()
            && maturity <= listed_on
        {
            return Err(ListingError::InvalidMaturity(maturity));
        }
        if let Terms::Bond(terms) = &spec.terms {
            terms.check(listed_on)?;
        }
        let id = InstrumentId::derive(venue, &spec.symbol);
        if spec.terms.underlier() == Some(id) {
            return Err(ListingError::CyclicUnderlier(id));
        }
        Ok(Self {
            id,
            symbol: spec.symbol,
            name: spec.name,
            terms: spec.terms,
            tick_size: spec.tick_size,
            lot_size: spec.lot_size,
            tick_value,
            fee_rate_e9: spec.fee_rate_e9,
            collar_bps: spec.collar_bps,
            dealers: Vec::new(),
        })
    }

    /// Returns true if dealers quote it (over the counter) and it has no order book.
    pub fn is_dealt(&self) -> bool {
        !self.dealers.is_empty()
    }

    /// Returns the name of dealer number `index`.
    pub fn dealer(&self, index: u8) -> Option<&str> {
        self.dealers.get(usize::from(index)).map(String::as_str)
    }

    /// Returns the asset class.
    pub fn kind(&self) -> InstrumentKind {
        self.terms.kind()
    }

    /// Converts a price to a decimal with the tick size's decimals.
    pub fn price(&self, ticks: Ticks) -> Decimal {
        self.tick_size.times(ticks.0).unwrap_or(Decimal::new(i64::MAX, 0))
    }

    /// Converts a quantity to a decimal in units.
    pub fn quantity(&self, lots: Lots) -> Decimal {
        self.lot_size.times(lots.0).unwrap_or(Decimal::new(i64::MAX, 0))
    }

    /// Parses a price.
    ///
    /// # Errors
    /// `invalid_price` unless it is a positive number of ticks that fits, `tick_size`
    /// between two ticks.
    pub fn parse_price(&self, text: &str) -> Result<Ticks, Reject> {
        let price = Decimal::parse(text).map_err(|_| Reject::InvalidPrice)?;
        if price.mantissa <= 0 || price.exceeds(i64::MAX, self.tick_size) {
            return Err(Reject::InvalidPrice);
        }
        price.in_units_of(self.tick_size).map(Ticks).ok_or(Reject::TickSize { tick_size: self.tick_size })
    }

    /// Parses a quantity in units.
    ///
    /// # Errors
    /// `invalid_quantity` unless it is a positive whole number of units that fits,
    /// `lot_size` unless it is a whole number of lots.
    pub fn parse_quantity(&self, text: &str) -> Result<Lots, Reject> {
        let quantity = Decimal::parse(text).map_err(|_| Reject::InvalidQuantity)?;
        // A fraction of the lot's unit is an invalid quantity; a whole number of
        // units between two lots breaks the lot size.
        if quantity.mantissa <= 0 || quantity.scale > self.lot_size.scale {
            return Err(Reject::InvalidQuantity);
        }
        let lots = quantity.in_units_of(self.lot_size).ok_or(Reject::LotSize { lot_size: self.lot_size })?;
        if lots > MAX_LOTS.0 {
            return Err(Reject::InvalidQuantity);
        }
        Ok(Lots(lots))
    }

    /// Returns the accrued interest per lot for settlement on `date`, rounded
    /// half-even; zero except for bonds.
    pub fn accrued_per_lot(&self, date: Date) -> Money {
        match &self.terms {
            Terms::Bond(terms) => terms.accrued(self.face_per_lot(), date),
            _ => Money::ZERO,
        }
    }

    /// Returns an upper bound of [`Instrument::accrued_per_lot`] on all dates.
    pub fn max_accrued_per_lot(&self) -> Money {
        match &self.terms {
            Terms::Bond(terms) => terms.max_accrued(self.face_per_lot()),
            _ => Money::ZERO,
        }
    }

    /// Returns the money exchanged or marked per lot at `price` on `date`: ticks × tick
    /// value, plus accrued interest. `None` on overflow.
    pub fn money_per_lot(&self, price: Ticks, date: Date) -> Option<Money> {
        let clean = self.tick_value.0.checked_mul(price.0).map(Money)?;
        clean.checked_add(self.accrued_per_lot(date))
    }

    /// Returns the lowest and highest price of an order at this mark, both inclusive
    /// and at least one tick.
    pub fn collar(&self, mark: Ticks) -> (Ticks, Ticks) {
        let width = (i128::from(mark.0) * i128::from(self.collar_bps) / 10_000) as i64;
        let width = width.max(1);
        (Ticks((mark.0 - width).max(1)), Ticks(mark.0.saturating_add(width)))
    }

    /// Returns the face value of one lot of a bond: its lot size is an amount of face.
    pub(crate) fn face_per_lot(&self) -> Money {
        Money::from_decimal(self.lot_size).unwrap_or(Money::ZERO)
    }
}

/// Maximum lots of an order.
pub const MAX_LOTS: Lots = Lots(1_000_000_000_000);

/// Returns the money per tick and lot: tick × lot × multiplier, a hundredth of it for
/// bonds (priced per 100 of face). `None` unless a positive whole number of units.
fn tick_value(spec: &InstrumentSpec) -> Option<Money> {
    if spec.tick_size.mantissa <= 0 {
        return None;
    }
    let (multiplier, divisor) = match &spec.terms {
        Terms::Equity => (1, 1),
        Terms::Option(terms) => (terms.multiplier, 1),
        Terms::Future(terms) => (terms.multiplier, 1),
        Terms::Bond(_) => (1, 100),
        Terms::Swap(terms) => (terms.notional_per_lot, 100),
    };
    let numerator = i128::from(spec.tick_size.mantissa)
        .checked_mul(i128::from(spec.lot_size.mantissa))?
        .checked_mul(i128::from(multiplier))?
        .checked_mul(pow10(MONEY_SCALE))?;
    let denominator =
        pow10(spec.tick_size.scale).checked_mul(pow10(spec.lot_size.scale))?.checked_mul(divisor)?;
    (numerator > 0 && numerator % denominator == 0)
        .then(|| i64::try_from(numerator / denominator).ok().map(Money))
        .flatten()
}

#[cfg(test)]
pub(crate) mod fixtures {
    use super::*;

    /// Shares of ACME: tick 0.01, lot 1, fee 1 bp, collar 10 %.
    pub(crate) fn equity() -> Instrument {
        let spec = InstrumentSpec {
            symbol: "ACME".into(),
            name: "Acme Industries".into(),
            terms: Terms::Equity,
            tick_size: Decimal::new(1, 2),
            lot_size: Decimal::new(1, 0),
            fee_rate_e9: 100_000,
            collar_bps: 1_000,
        };
        Instrument::list(VenueId::from_name("test"), spec, date("2026-01-05")).unwrap()
    }

    /// Five per cent semi-annual to 2036-02-15: tick 0.01, lot 1,000 of face.
    pub(crate) fn bond() -> Instrument {
        let spec = InstrumentSpec {
            symbol: "GOV-5-2036".into(),
            name: "Government 5 % 2036".into(),
            terms: Terms::Bond(BondTerms {
                issue: date("2026-01-02"),
                maturity: date("2036-02-15"),
                coupon_e9: 50_000_000,
                frequency: 2,
                day_count: DayCount::ActActIcma,
            }),
            tick_size: Decimal::new(1, 2),
            lot_size: Decimal::new(1_000, 0),
            fee_rate_e9: 20_000,
            collar_bps: 500,
        };
        Instrument::list(VenueId::from_name("test"), spec, date("2026-01-05")).unwrap()
    }

    pub(crate) fn date(text: &str) -> Date {
        text.parse().unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::fixtures::{bond, equity};
    use super::*;

    fn spec() -> InstrumentSpec {
        let listed = equity();
        InstrumentSpec {
            symbol: listed.symbol,
            name: listed.name,
            terms: listed.terms,
            tick_size: listed.tick_size,
            lot_size: listed.lot_size,
            fee_rate_e9: listed.fee_rate_e9,
            collar_bps: listed.collar_bps,
        }
    }

    fn list(change: impl FnOnce(&mut InstrumentSpec)) -> Result<Instrument, ListingError> {
        let mut spec = spec();
        change(&mut spec);
        Instrument::list(VenueId::from_name("test"), spec, "2026-01-05".parse().unwrap())
    }

    #[test]
    fn tick_values_are_exact() {
        assert_eq!(equity().tick_value, Money(10_000)); // 0.01 × 1 share
        assert_eq!(bond().tick_value, Money(100_000)); // 0.01 / 100 × 1,000 face
    }

    #[test]
    fn invalid_listings_are_refused_by_name() {
        assert!(matches!(list(|s| s.tick_size = Decimal::new(0, 0)), Err(ListingError::InvalidTick(_))));
        assert!(matches!(list(|s| s.tick_size = Decimal::new(-1, 2)), Err(ListingError::InvalidTick(_))));
        // A tenth of a money unit per tick is not exact.
        assert!(matches!(list(|s| s.tick_size = Decimal::new(1, 7)), Err(ListingError::InvalidTick(_))));
        assert!(matches!(list(|s| s.lot_size = Decimal::new(0, 0)), Err(ListingError::InvalidLot(_))));
        assert!(matches!(list(|s| s.symbol = "no spaces".into()), Err(ListingError::InvalidSymbol(_))));
        assert!(matches!(list(|s| s.collar_bps = 0), Err(ListingError::OutOfRange(_))));
        let own = InstrumentId::derive(VenueId::from_name("test"), "ACME");
        let expired = FutureTerms { underlier: own, expiry: "2026-01-05".parse().unwrap(), multiplier: 50 };
        assert!(matches!(
            list(|s| s.terms = Terms::Future(expired.clone())),
            Err(ListingError::InvalidMaturity(_))
        ));
        let cyclic = FutureTerms { expiry: "2026-06-19".parse().unwrap(), ..expired };
        assert!(matches!(list(|s| s.terms = Terms::Future(cyclic)), Err(ListingError::CyclicUnderlier(_))));
    }

    #[test]
    fn quantities_and_prices_are_parsed_exactly_or_refused_by_name() {
        let (equity, bond) = (equity(), bond());
        assert_eq!(equity.parse_quantity("100"), Ok(Lots(100)));
        assert_eq!(bond.parse_quantity("25000"), Ok(Lots(25)));
        assert_eq!(bond.parse_quantity("25500"), Err(Reject::LotSize { lot_size: bond.lot_size }));
        for text in ["0", "-1", "1.5", "1e309", "NaN", "9223372036854775807", ""] {
            assert_eq!(equity.parse_quantity(text), Err(Reject::InvalidQuantity), "{text}");
        }
        assert_eq!(equity.parse_price("100.05"), Ok(Ticks(10_005)));
        assert_eq!(equity.parse_price("100.005"), Err(Reject::TickSize { tick_size: equity.tick_size }));
        for text in ["0", "-1", "x", "1000000000000000000", "92233720368547758.08"] {
            assert_eq!(equity.parse_price(text), Err(Reject::InvalidPrice), "{text}");
        }
    }

    #[test]
    fn the_collar_is_symmetric_around_the_mark() {
        // 10 % of 100.00
        assert_eq!(equity().collar(Ticks(10_000)), (Ticks(9_000), Ticks(11_000)));
        assert_eq!(equity().collar(Ticks(1)), (Ticks(1), Ticks(2)));
    }
}
