//! The one rule by which an order is accepted or refused and by which its
//! immediate effect is computed: the same function in the browser's preview and
//! in the venue.
//!
//! Reads totals per price level and the account, never the queue: priority
//! within a level does not change what an incoming order pays.

use super::{Order, OrderDecision, Price, Reject, SelfTradePrevention, Side, Ticket, TimeInForce};
use crate::account::{Account, MAX_NOTIONAL, MAX_OPEN_ORDERS, fee_on, reserve, reserved_by};
use crate::book::PriceLevel;
use crate::id::{OrderId, Seq};
use crate::instrument::Instrument;
use crate::money::{Lots, Money, Ticks};
use crate::time::Date;

/// Trading status of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum InstrumentStatus {
    /// No mark yet, or no tick since the last one was lost.
    #[default]
    Halted,
    /// Orders are accepted.
    Trading,
    /// Matured; final.
    Expired,
}

/// Inputs of `check` besides the account and the book.
#[derive(Clone, Copy, Debug)]
pub struct Conditions<'a> {
    /// The traded instrument.
    pub instrument: &'a Instrument,
    /// Its trading status.
    pub status: InstrumentStatus,
    /// Its mark (bond: clean), the centre of the price collar.
    pub mark: Ticks,
    /// The entry that set the mark.
    pub mark_rev: Seq,
    /// Settlement date.
    pub date: Date,
    /// The entry that last changed the settlement date.
    pub date_rev: Seq,
    /// The entry that last changed the book.
    pub book_rev: Seq,
}

impl Conditions<'_> {
    /// Returns the basis of a decision on these conditions and `account`.
    pub fn basis(&self, account: &Account) -> super::DecisionBasis {
        super::DecisionBasis {
            book_rev: self.book_rev,
            inputs_rev: account.rev.max(self.mark_rev).max(self.date_rev),
        }
    }

    /// Refuses an instrument that does not trade now.
    pub(super) fn require_trading(&self) -> Result<(), Reject> {
        match self.status {
            InstrumentStatus::Trading => Ok(()),
            InstrumentStatus::Halted => Err(Reject::Halted),
            InstrumentStatus::Expired => Err(Reject::Expired),
        }
    }

    /// Returns the limit of a limit order inside the collar, or the collar itself.
    pub(super) fn effective_limit(&self, ticket: &Ticket) -> Result<Ticks, Reject> {
        let (low, high) = self.instrument.collar(self.mark);
        match (ticket.price, ticket.side) {
            (Price::Limit(price), _) if price < low || price > high => Err(Reject::PriceCollar {
                low: self.instrument.price(low),
                high: self.instrument.price(high),
            }),
            (Price::Limit(price), _) => Ok(price),
            (Price::Market, Side::Buy) => Ok(high),
            (Price::Market, Side::Sell) => Ok(low),
            // A quote is taken by a command of its own.
            (Price::Quote(_), _) => Err(Reject::InvalidType),
        }
    }
}

/// An order that may be matched: only [`check`],
/// [`check_amend`](super::check_amend) and [`check_take`](super::check_take)
/// make one.
#[derive(Clone, Debug)]
pub struct CheckedOrder {
    limit: Ticks,
    decided: OrderDecision,
}

impl CheckedOrder {
    /// Returns the worst price it may trade at: its limit, or the collar.
    pub fn limit(&self) -> Ticks {
        self.limit
    }

    /// Returns the account's resting orders to cancel before it is matched.
    pub fn cancel_first(&self) -> &[OrderId] {
        &self.decided.cancelled
    }

    /// Returns its immediate effect, computed from totals per level alone.
    pub fn decided(&self) -> &OrderDecision {
        &self.decided
    }

    /// Returns true if nothing of it trades or rests: it never meets the book.
    pub(crate) fn is_killed(&self) -> bool {
        self.decided.filled == Lots::ZERO && self.decided.resting == Lots::ZERO
    }
}

/// Decides whether `ticket` is accepted and computes its immediate effect.
///
/// `opposite` is the other side of the book, best level first, with everything
/// that rests there, the account's own orders included.
///
/// # Errors
/// The first rule that the order breaks, by name. Nothing is changed either way.
pub fn check(
    conditions: &Conditions<'_>,
    account: &Account,
    opposite: impl IntoIterator<Item = impl Into<PriceLevel>>,
    ticket: &Ticket,
) -> Result<CheckedOrder, Reject> {
    if conditions.instrument.is_dealt() {
        return Err(Reject::NoOrderBook);
    }
    conditions.require_trading()?;
    let limit = conditions.effective_limit(ticket)?;
    decide(conditions, account, opposite, ticket, limit, None)
}

/// [`check`] for an order limited at `limit`; `live` is the order that it
/// amends, which `account` does not list as open.
pub(super) fn decide(
    conditions: &Conditions<'_>,
    account: &Account,
    opposite: impl IntoIterator<Item = impl Into<PriceLevel>>,
    ticket: &Ticket,
    limit: Ticks,
    live: Option<&Order>,
) -> Result<CheckedOrder, Reject> {
    let (instrument, side) = (conditions.instrument, ticket.side);
    bounded_notional(instrument, limit, ticket.quantity, live)?;

    let own: Vec<(Ticks, &Order)> = account
        .open_on(instrument.id, side.opposite())
        .filter_map(|order| Some((order.price.limit()?, order)))
        .collect();
    let mut left = ticket.quantity;
    let mut fills: Vec<PriceLevel> = Vec::new();
    let mut cancelled: Vec<OrderId> = Vec::new();
    // A level is reached while quantity is left: own orders on it are cancelled,
    // those behind the last reached level stay.
    for level in opposite {
        let PriceLevel { price, lots: total } = level.into();
        if left == Lots::ZERO || !side.reaches(limit, price) {
            break;
        }
        let mut others = total;
        for (_, order) in own.iter().filter(|(own_price, _)| *own_price == price) {
            cancelled.push(order.id);
            others -= order.leaves();
        }
        let lots = left.min(others);
        if lots > Lots::ZERO {
            fills.push(PriceLevel { price, lots });
            left -= lots;
        }
    }
    if !cancelled.is_empty() && ticket.self_trade_prevention == SelfTradePrevention::Reject {
        return Err(Reject::SelfTrade);
    }
    if ticket.time_in_force == TimeInForce::Fok && left > Lots::ZERO {
        // Killed: it does nothing, so the account's own orders stay.
        left = ticket.quantity;
        fills.clear();
        cancelled.clear();
    }
    let rests = ticket.time_in_force.rests();
    let (resting, expired) = if rests { (left, Lots::ZERO) } else { (Lots::ZERO, left) };
    if resting > Lots::ZERO && account.open.len() - cancelled.len() >= MAX_OPEN_ORDERS as usize {
        return Err(Reject::TooManyOrders { limit: MAX_OPEN_ORDERS });
    }
    let planned = OrderDecision { fills, cancelled, resting, expired, ..OrderDecision::default() };
    fund(conditions, account, ticket, limit, planned, live)
}

/// Refuses an order that at its worst would exchange more than the venue
/// accounts for.
pub(super) fn bounded_notional(
    instrument: &Instrument,
    limit: Ticks,
    quantity: Lots,
    live: Option<&Order>,
) -> Result<(), Reject> {
    let exchanged = live.map_or(Money::ZERO, |order| order.notional);
    let worst = reserve(instrument, Side::Buy, limit, quantity, exchanged)
        .and_then(|worst| worst.checked_add(exchanged));
    match worst {
        Some(worst) if worst <= MAX_NOTIONAL => Ok(()),
        _ => Err(Reject::NotionalLimit),
    }
}

/// Completes a decision that has its fills, cancels, resting and expired lots:
/// sums what the fills exchange and refuses what the account cannot cover.
pub(super) fn fund(
    conditions: &Conditions<'_>,
    account: &Account,
    ticket: &Ticket,
    limit: Ticks,
    planned: OrderDecision,
    live: Option<&Order>,
) -> Result<CheckedOrder, Reject> {
    let (instrument, side) = (conditions.instrument, ticket.side);
    let (notional_before, fee_before) =
        live.map_or((Money::ZERO, Money::ZERO), |order| (order.notional, order.fee));
    let released: Money = planned
        .cancelled
        .iter()
        .filter_map(|id| account.open.get(id))
        .map(|order| reserved_by(instrument, order))
        .sum();
    let mut position = account.position(instrument.id);
    let (mut filled, mut exchanged, mut charged) = (Lots::ZERO, notional_before, fee_before);
    for fill in &planned.fills {
        let money = instrument
            .money_per_lot(fill.price, conditions.date)
            .and_then(|per_lot| per_lot.times(fill.lots))
            .ok_or(Reject::NotionalLimit)?;
        exchanged += money;
        let added = fee_on(instrument, exchanged) - charged;
        charged += added;
        filled += fill.lots;
        position.fill(Lots(side.sign() * fill.lots.0), money, added);
    }
    let (notional, fee) = (exchanged - notional_before, charged - fee_before);
    let held = reserve(instrument, side, limit, planned.resting, exchanged).ok_or(Reject::NotionalLimit)?;
    match side {
        Side::Buy => {
            let required = notional + fee + held;
            let available = account.buying_power() + released;
            if required > available {
                return Err(Reject::InsufficientCash { required, available });
            }
        }
        Side::Sell => {
            let available = account.sellable(instrument.id).max(Lots::ZERO);
            if ticket.quantity > available {
                return Err(Reject::short_of(instrument, ticket.quantity, available));
            }
        }
    }
    let decided = OrderDecision {
        filled,
        notional,
        fee,
        cash: account.cash - Money(side.sign() * notional.0) - fee,
        reserved: account.reserved - released + held,
        position: position.lots,
        basis: position.basis,
        realized_pnl: position.realized_pnl(),
        ..planned
    };
    Ok(CheckedOrder { limit, decided })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::AccountId;
    use crate::instrument::fixtures::{bond, date, equity};
    use crate::order::ClientOrderId;

    fn conditions(instrument: &Instrument) -> Conditions<'_> {
        Conditions {
            instrument,
            status: InstrumentStatus::Trading,
            mark: Ticks(10_000),
            mark_rev: Seq(2),
            date: date("2026-01-05"),
            date_rev: Seq(1),
            book_rev: Seq(2),
        }
    }

    fn account(cash: i64) -> Account {
        Account::new(AccountId(uuid::Uuid::from_u128(1)), Money::from_units(cash), Seq(3))
    }

    fn ticket(instrument: &Instrument, side: Side, price: Price, lots: i64) -> Ticket {
        Ticket {
            instrument: instrument.id,
            side,
            price,
            quantity: Lots(lots),
            time_in_force: match price {
                Price::Market => TimeInForce::Ioc,
                _ => TimeInForce::Gtc,
            },
            client_order_id: ClientOrderId::parse("c-1").unwrap(),
            valid_until: None,
            self_trade_prevention: SelfTradePrevention::CancelResting,
        }
    }

    const ASKS: [(Ticks, Lots); 2] = [(Ticks(10_005), Lots(60)), (Ticks(10_010), Lots(500))];
    const NO_BIDS: [PriceLevel; 0] = [];

    #[test]
    fn a_market_buy_walks_the_book_and_pays_a_fee_on_the_sum() {
        let equity = equity();
        let buy = ticket(&equity, Side::Buy, Price::Market, 100);
        let decided = check(&conditions(&equity), &account(1_000_000), ASKS, &buy).unwrap().decided;
        // 60 × 100.05 + 40 × 100.10 = 6,003 + 4,004 = 10,007; 1 bp = 1.0007
        assert_eq!(decided.notional, Money::from_units(10_007));
        assert_eq!(decided.fee, Money(1_000_700));
        // 1,000,000 − 10,007 − 1.0007 = 989,991.9993
        assert_eq!(decided.cash, Money(989_991_999_300));
        assert_eq!((decided.filled, decided.position, decided.expired), (Lots(100), Lots(100), Lots(0)));
    }

    #[test]
    fn a_limit_buy_holds_cash_for_what_rests() {
        let equity = equity();
        let buy = ticket(&equity, Side::Buy, Price::Limit(Ticks(10_005)), 100);
        let decided = check(&conditions(&equity), &account(1_000_000), ASKS, &buy).unwrap().decided;
        assert_eq!((decided.filled, decided.resting), (Lots(60), Lots(40)));
        // 40 × 100.05 = 4,002; its fee on top of 6,003's: 0.4002
        assert_eq!(decided.reserved, Money(4_002_400_200));
    }

    #[test]
    fn a_fill_or_kill_fills_whole_or_does_nothing() {
        let equity = equity();
        let mut buy = ticket(&equity, Side::Buy, Price::Limit(Ticks(10_005)), 60);
        buy.time_in_force = TimeInForce::Fok;
        let whole = check(&conditions(&equity), &account(1_000_000), ASKS, &buy).unwrap().decided;
        assert_eq!((whole.filled, whole.expired), (Lots(60), Lots(0)));
        buy.quantity = Lots(61);
        let killed = check(&conditions(&equity), &account(1_000_000), ASKS, &buy).unwrap().decided;
        assert_eq!((killed.filled, killed.expired, killed.fee), (Lots(0), Lots(61), Money::ZERO));
        assert_eq!((killed.cash, killed.reserved), (Money::from_units(1_000_000), Money::ZERO));
    }

    #[test]
    fn a_bond_costs_clean_and_accrued() {
        let bond = bond();
        let buy = ticket(&bond, Side::Buy, Price::Market, 10);
        let asks = [(Ticks(9_950), Lots(10))];
        let decided = check(&conditions(&bond), &account(1_000_000), asks, &buy).unwrap().decided;
        // Three days into the short first period, 3 of 184: 1,000 × 2.5 % × 3 / 184
        // = 0.407609 a lot; 10 × (995.00 + 0.407609) = 9,954.07609
        assert_eq!(decided.notional, Money(9_954_076_090));
    }

    #[test]
    fn what_the_account_cannot_cover_is_refused_with_the_amounts() {
        let equity = equity();
        let buy = ticket(&equity, Side::Buy, Price::Market, 100);
        let refused = check(&conditions(&equity), &account(10_000), ASKS, &buy).unwrap_err();
        let expected = Reject::InsufficientCash {
            required: Money(10_008_000_700), // 10,007 + 1.0007
            available: Money::from_units(10_000),
        };
        assert_eq!(refused, expected);
        let sell = ticket(&equity, Side::Sell, Price::Market, 1);
        let refused = check(&conditions(&equity), &account(10_000), NO_BIDS, &sell).unwrap_err();
        assert_eq!(refused.code(), "insufficient_position");
    }

    #[test]
    fn prices_outside_the_collar_and_huge_orders_are_refused() {
        let equity = equity();
        for price in [8_999, 11_001] {
            let buy = ticket(&equity, Side::Buy, Price::Limit(Ticks(price)), 1);
            let refused = check(&conditions(&equity), &account(1_000), NO_BIDS, &buy).unwrap_err();
            assert_eq!(refused.code(), "price_collar");
        }
        let huge = ticket(&equity, Side::Buy, Price::Market, crate::instrument::MAX_LOTS.0);
        let refused = check(&conditions(&equity), &account(1_000), NO_BIDS, &huge).unwrap_err();
        assert_eq!(refused, Reject::NotionalLimit);
        let halted = Conditions { status: InstrumentStatus::Halted, ..conditions(&equity) };
        let buy = ticket(&equity, Side::Buy, Price::Market, 1);
        assert_eq!(check(&halted, &account(1_000), NO_BIDS, &buy).unwrap_err(), Reject::Halted);
    }
}
