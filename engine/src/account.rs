//! Accounts: cash, reservations of open orders, positions and live orders.
//!
//! The browser holds the same value for its own account, so that a preview reads
//! the venue's inputs. Does not know books or prices.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, InstrumentId, OrderId, Seq};
use crate::instrument::Instrument;
use crate::money::{Lots, Money, Ticks, div_half_even};
use crate::order::{Order, Side};
use crate::position::Position;

/// Maximum number of live orders per account.
pub const MAX_OPEN_ORDERS: u32 = 500;

/// Maximum money that one order may exchange, so that no sum over an account's
/// orders overflows: a five-hundredth of `i64::MAX`, with a margin.
pub const MAX_NOTIONAL: Money = Money(i64::MAX / 2_000);

/// An account of the venue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Derived from venue and user.
    pub id: AccountId,
    /// Cash, reserved part included.
    pub cash: Money,
    /// Part of the cash reserved by open orders.
    pub reserved: Money,
    /// True if it may borrow cash and sell short. Always false: orders do not
    /// compute margin yet.
    pub margin_allowed: bool,
    /// All positions ever held; flat ones keep their P&L.
    pub positions: BTreeMap<InstrumentId, Position>,
    /// Live orders.
    pub open: BTreeMap<OrderId, Order>,
    /// Number of its last event.
    pub account_seq: u64,
    /// The last sequence number that changed it.
    pub rev: Seq,
    /// The sequence number that opened or last reset it.
    pub opened: Seq,
}

impl Account {
    /// Creates an account opened by `seq` with `cash`.
    pub fn new(id: AccountId, cash: Money, seq: Seq) -> Self {
        Self {
            id,
            cash,
            reserved: Money::ZERO,
            margin_allowed: false,
            positions: BTreeMap::new(),
            open: BTreeMap::new(),
            account_seq: 0,
            rev: seq,
            opened: seq,
        }
    }

    /// Returns the cash that open orders do not reserve.
    pub fn buying_power(&self) -> Money {
        self.cash - self.reserved
    }

    /// Returns the position in `instrument`, empty if there never was one.
    pub fn position(&self, instrument: InstrumentId) -> Position {
        self.positions.get(&instrument).copied().unwrap_or_default()
    }

    /// Returns its live orders in `instrument` on `side`.
    pub fn open_on(&self, instrument: InstrumentId, side: Side) -> impl Iterator<Item = &Order> {
        self.open.values().filter(move |order| order.instrument == instrument && order.side == side)
    }

    /// Returns the lots that it can still sell: its position less open sell orders.
    pub fn sellable(&self, instrument: InstrumentId) -> Lots {
        let offered: Lots = self.open_on(instrument, Side::Sell).map(Order::leaves).sum();
        self.position(instrument).lots - offered
    }

    /// Returns its own resting lots by price on `side` of `instrument`'s book.
    pub fn resting_at(&self, instrument: InstrumentId, side: Side) -> BTreeMap<Ticks, Lots> {
        let mut levels = BTreeMap::new();
        for order in self.open_on(instrument, side) {
            if let Some(price) = order.price.limit() {
                *levels.entry(price).or_insert(Lots::ZERO) += order.leaves();
            }
        }
        levels
    }
}

/// Returns the fee of an order that has exchanged `notional` in total: a function
/// of the cumulative amount, so that fills are not rounded individually.
pub fn fee_on(instrument: &Instrument, notional: Money) -> Money {
    let scaled = i128::from(notional.0) * i128::from(instrument.fee_rate_e9);
    // The rate is at most a tenth, so the quotient fits.
    Money(div_half_even(scaled, 1_000_000_000) as i64)
}

/// Returns the cash reserved by `leaves` lots of a resting order: for a buy the
/// maximum cost on any day (highest accrued interest) with the increase of the fee
/// on `notional` exchanged so far; for a sell nothing. `None` on overflow.
pub fn reserve(
    instrument: &Instrument,
    side: Side,
    limit: Ticks,
    leaves: Lots,
    notional: Money,
) -> Option<Money> {
    if side == Side::Sell || leaves == Lots::ZERO {
        return Some(Money::ZERO);
    }
    let clean = instrument.tick_value.0.checked_mul(limit.0).map(Money)?;
    let worst = clean.checked_add(instrument.max_accrued_per_lot())?.times(leaves)?;
    let fee = fee_on(instrument, notional.checked_add(worst)?) - fee_on(instrument, notional);
    worst.checked_add(fee)
}

/// Returns the cash reserved by a live order.
pub fn reserved_by(instrument: &Instrument, order: &Order) -> Money {
    match order.price.limit() {
        // The same was computed for more lots on acceptance, so it fits.
        Some(limit) => {
            reserve(instrument, order.side, limit, order.leaves(), order.notional).unwrap_or(MAX_NOTIONAL)
        }
        None => Money::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::fixtures::{bond, equity};

    #[test]
    fn fees_of_partial_fills_sum_to_the_fee_of_the_whole() {
        let equity = equity();
        // 1 bp of 10,000.00 is 1.00; thirds of it are not rounded individually.
        assert_eq!(fee_on(&equity, Money::from_units(10_000)), Money::from_units(1));
        let parts = [3_333_333_333, 6_666_666_666, 10_000_000_000];
        let mut charged = Money::ZERO;
        for cumulative in parts {
            charged += fee_on(&equity, Money(cumulative)) - charged;
        }
        assert_eq!(charged, Money::from_units(1));
    }

    #[test]
    fn a_bid_reserves_price_maximum_accrued_and_fee() {
        // 100 × 100.00 + 1 bp of it
        let held = reserve(&equity(), Side::Buy, Ticks(10_000), Lots(100), Money::ZERO);
        assert_eq!(held, Some(Money::from_units(10_001)));
        // 10 lots of 1,000 face: 990.00 clean + a whole coupon of 25.00 each,
        // 10,150.00, and 0.2 bp of that is 0.203
        let held = reserve(&bond(), Side::Buy, Ticks(9_900), Lots(10), Money::ZERO);
        assert_eq!(held, Some(Money(10_150_203_000)));
        assert_eq!(reserve(&bond(), Side::Sell, Ticks(9_900), Lots(10), Money::ZERO), Some(Money::ZERO));
        assert_eq!(reserve(&equity(), Side::Buy, Ticks(i64::MAX), Lots(2), Money::ZERO), None);
    }
}
