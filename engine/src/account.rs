//! An account: cash, what open orders hold of it, positions and live orders.
//!
//! The browser keeps the same value for its own account, so a preview reads
//! what the venue reads. Does not know books or prices.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, InstrumentId, OrderId, Seq};
use crate::instrument::Instrument;
use crate::money::{Lots, Money, Ticks, div_half_even};
use crate::order::{Order, Side};
use crate::position::Position;

/// The most live orders that one account may have.
pub const MAX_OPEN_ORDERS: u32 = 500;

/// The most money that one order may exchange, so that no sum over an account's
/// orders can overflow: a five-hundredth of what an `i64` holds, and a margin.
pub const MAX_NOTIONAL: Money = Money(i64::MAX / 2_000);

/// An account of the venue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Derived from venue and user.
    pub id: AccountId,
    /// All cash, the reserved part included.
    pub cash: Money,
    /// The part of the cash that open orders hold.
    pub reserved: Money,
    /// Whether it may borrow cash and sell what it does not hold. No account
    /// may until margin is computed.
    pub margin_allowed: bool,
    /// Every position that was ever held; flat ones keep their P&L.
    pub positions: BTreeMap<InstrumentId, Position>,
    /// Live orders.
    pub open: BTreeMap<OrderId, Order>,
    /// The newest number of its events.
    pub account_seq: u64,
    /// The last sequence number that touched it.
    pub rev: Seq,
    /// The sequence number that opened it.
    pub opened: Seq,
}

impl Account {
    /// An account that `seq` opens with `cash`.
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

    /// Cash that open orders do not hold.
    pub fn buying_power(&self) -> Money {
        self.cash - self.reserved
    }

    /// The position in `instrument`, empty when there never was one.
    pub fn position(&self, instrument: InstrumentId) -> Position {
        self.positions.get(&instrument).copied().unwrap_or_default()
    }

    /// Its live orders in `instrument` on `side`.
    pub fn open_on(&self, instrument: InstrumentId, side: Side) -> impl Iterator<Item = &Order> {
        self.open.values().filter(move |order| order.instrument == instrument && order.side == side)
    }

    /// Lots that it could still sell: its position less what open sell orders
    /// have promised.
    pub fn sellable(&self, instrument: InstrumentId) -> Lots {
        let promised: Lots = self.open_on(instrument, Side::Sell).map(Order::leaves).sum();
        self.position(instrument).lots - promised
    }

    /// Its own resting lots by price on `side` of `instrument`'s book.
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

/// The fee on an order that has exchanged `notional` in all: a function of the
/// cumulative amount, so fills never round on their own.
pub fn fee_on(instrument: &Instrument, notional: Money) -> Money {
    let scaled = i128::from(notional.0) * i128::from(instrument.fee_rate_e9);
    // The rate is at most a tenth, so the quotient is smaller than its origin.
    Money(div_half_even(scaled, 1_000_000_000) as i64)
}

/// Cash that `leaves` lots of a resting order hold: for a buy the worst it can
/// cost on any day (accrued interest at its highest) with the fee that this
/// would add to what `notional` has already been charged; for a sell nothing.
/// `None` on overflow.
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

/// What a live order holds of its account's cash.
pub fn reserved_by(instrument: &Instrument, order: &Order) -> Money {
    match order.price.limit() {
        // Accepting the order computed the same for more lots: it fits.
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
    fn the_fee_of_parts_is_the_fee_of_the_whole() {
        let equity = equity();
        // 1 bp of 10,000.00 is 1.00; a third of it is never charged thrice rounded.
        assert_eq!(fee_on(&equity, Money::from_units(10_000)), Money::from_units(1));
        let parts = [3_333_333_333, 6_666_666_666, 10_000_000_000];
        let mut charged = Money::ZERO;
        for cumulative in parts {
            charged += fee_on(&equity, Money(cumulative)) - charged;
        }
        assert_eq!(charged, Money::from_units(1));
    }

    #[test]
    fn a_bid_holds_price_worst_accrued_and_fee() {
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
