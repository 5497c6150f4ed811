//! The newest orders and fills, closed ones too, and how previews compared with
//! the venue's answers.
//!
//! For display only: what the account may do is decided by the account.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use engine::id::{OrderId, TradeId};
use engine::order::{CancelReason, Order, OrderRecord, OrderStatus, Preview};
use engine::venue::{Fill, OrderReply};
use protocol::rest::Page;

/// Most fills, besides those that the user has asked for.
const FILLS_CAPACITY: usize = 200;

/// Most orders, besides those that the user has asked for; live ones are never
/// removed.
const ORDERS_CAPACITY: usize = 300;

/// Rows that the server has beyond those held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Older {
    /// None: all are held.
    #[default]
    None,
    /// Those after this position; after none, all, because rows were dropped.
    After(Option<String>),
}

impl Older {
    /// Rows after a page with this `next_cursor`.
    fn than(next_cursor: Option<String>) -> Self {
        next_cursor.map_or(Self::None, |cursor| Self::After(Some(cursor)))
    }
}

/// The account's recent orders and fills.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderHistory {
    orders: BTreeMap<OrderId, Order>,
    /// Order of arrival: orders of one step have equal times.
    arrivals: BTreeMap<OrderId, i64>,
    fills: Vec<Fill>,
    /// Reasons of cancels.
    reasons: BTreeMap<OrderId, CancelReason>,
    /// Orders that are not held.
    pub older_orders: Older,
    /// Fills that are not held.
    pub older_fills: Older,
    /// Rows that the user has asked for.
    asked_orders: usize,
    asked_fills: usize,
}

impl OrderHistory {
    /// A history of what the server read, both newest first.
    pub fn new(orders: Page<OrderRecord>, fills: Page<Fill>) -> Self {
        let arrivals = orders.items.iter().rev().zip(0..);
        Self {
            arrivals: arrivals.map(|(record, arrival)| (record.order.id, arrival)).collect(),
            older_orders: Older::than(orders.next_cursor),
            reasons: reasons(&orders.items),
            orders: orders.items.into_iter().map(|record| (record.order.id, record.order)).collect(),
            older_fills: Older::than(fills.next_cursor),
            fills: fills.items,
            ..Self::default()
        }
    }

    /// An order in its newest state.
    pub fn order(&self, id: OrderId) -> Option<&Order> {
        self.orders.get(&id)
    }

    /// Records the reason of an order's cancel.
    pub fn set_reason(&mut self, id: OrderId, reason: CancelReason) {
        self.reasons.insert(id, reason);
    }

    /// Reason of an order's cancel; `None` if it is not cancelled, or was before the
    /// venue stored reasons.
    pub fn cancel_reason(&self, order: &Order) -> Option<CancelReason> {
        let is_cancelled = order.status == OrderStatus::Cancelled;
        self.reasons.get(&order.id).copied().filter(|_| is_cancelled)
    }

    /// The orders' ids, newest first.
    pub fn newest_orders(&self) -> Vec<OrderId> {
        let mut orders: Vec<&Order> = self.orders.values().collect();
        orders.sort_by_key(|order| Reverse((order.created_at, self.arrivals.get(&order.id), order.id)));
        orders.into_iter().map(|order| order.id).collect()
    }

    /// The fills, newest first.
    pub fn fills(&self) -> &[Fill] {
        &self.fills
    }

    /// Adds an order, or replaces its state.
    pub fn set_order(&mut self, order: Order) {
        let next = self.arrivals.values().max().map_or(0, |arrival| arrival + 1);
        self.arrivals.entry(order.id).or_insert(next);
        self.orders.insert(order.id, order);
        if self.orders.len() > ORDERS_CAPACITY + self.asked_orders {
            let closed = self.orders.values().filter(|order| !order.status.is_live());
            if let Some(oldest) = closed.min_by_key(|order| order.created_at).map(|order| order.id) {
                self.orders.remove(&oldest);
                self.arrivals.remove(&oldest);
                self.reasons.remove(&oldest);
                self.older_orders = Older::After(None);
            }
        }
    }

    /// Takes over orders where they are newer. Returns the new and changed ones.
    pub fn merge_live<'a>(&mut self, orders: impl IntoIterator<Item = &'a Order>) -> BTreeSet<OrderId> {
        let mut changed = BTreeSet::new();
        for order in orders {
            let is_older = |present: &Order| {
                present.status.is_live() && present != order && present.updated_at <= order.updated_at
            };
            if self.orders.get(&order.id).is_none_or(is_older) {
                changed.insert(order.id);
                self.set_order(order.clone());
            }
        }
        changed
    }

    /// Adds a fill. Returns false for a repeat.
    pub fn add_fill(&mut self, fill: Fill) -> bool {
        if self.fills.iter().any(|present| fill_key(present) == fill_key(&fill)) {
            return false;
        }
        self.fills.insert(0, fill);
        if self.fills.len() > FILLS_CAPACITY + self.asked_fills {
            self.fills.pop();
            self.older_fills = Older::After(None);
        }
        true
    }

    /// Adds a page of older orders that the user has asked for. Returns the new
    /// ones.
    pub fn add_older_orders(&mut self, page: Page<OrderRecord>) -> BTreeSet<OrderId> {
        let mut added = BTreeSet::new();
        self.reasons.extend(reasons(&page.items));
        for OrderRecord { order, .. } in page.items {
            if !self.orders.contains_key(&order.id) {
                let first = self.arrivals.values().min().map_or(0, |arrival| arrival - 1);
                self.arrivals.insert(order.id, first);
                added.insert(order.id);
                self.orders.insert(order.id, order);
            }
        }
        self.asked_orders += added.len();
        self.older_orders = Older::than(page.next_cursor);
        added
    }

    /// Adds a page of older fills that the user has asked for. Returns the number
    /// of new ones.
    pub fn add_older_fills(&mut self, page: Page<Fill>) -> usize {
        let held: BTreeSet<_> = self.fills.iter().map(fill_key).collect();
        let before = self.fills.len();
        self.fills.extend(page.items.into_iter().filter(|fill| !held.contains(&fill_key(fill))));
        // A trade's id begins with the number of its entry.
        self.fills.sort_by_key(|fill| Reverse((fill.time, fill.trade)));
        let added = self.fills.len() - before;
        self.asked_fills += added;
        self.older_fills = Older::than(page.next_cursor);
        added
    }

    /// Takes over what the server read again, newest first. Returns the new and
    /// changed orders; what executions have changed since is newer and stays.
    pub fn merge(&mut self, orders: Page<OrderRecord>, fills: Page<Fill>) -> BTreeSet<OrderId> {
        // Between a page that reaches no row held and those rows there may be others.
        if orders.next_cursor.is_some()
            && orders.items.last().is_some_and(|last| self.order(last.order.id).is_none())
        {
            self.older_orders = Older::After(None);
        }
        let is_held = |last: &Fill| self.fills.iter().any(|fill| fill_key(fill) == fill_key(last));
        if fills.next_cursor.is_some() && !fills.items.last().is_some_and(is_held) {
            self.older_fills = Older::After(None);
        }
        self.reasons.extend(reasons(&orders.items));
        let changed = self.merge_live(orders.items.iter().rev().map(|record| &record.order));
        for fill in fills.items.into_iter().rev() {
            self.add_fill(fill);
        }
        self.fills.sort_by_key(|fill| Reverse((fill.time, fill.trade)));
        changed
    }
}

fn reasons(records: &[OrderRecord]) -> BTreeMap<OrderId, CancelReason> {
    records.iter().filter_map(|record| Some((record.order.id, record.cancel_reason?))).collect()
}

/// Answers compared with the previews shown just before the orders were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreviewStats {
    /// Answers on the preview's own basis.
    pub compared: u32,
    /// Of the compared ones, those that decided differently: always zero.
    pub different: u32,
    /// Answers on another basis: the market moved in between.
    pub other_basis: u32,
    /// Of the compared ones, those that filled something.
    pub with_fills: u32,
}

impl PreviewStats {
    /// Counts an answer. Returns true if it decided differently on the same
    /// basis.
    pub fn compare(&mut self, preview: &Preview, reply: &OrderReply) -> bool {
        if reply.basis != preview.basis {
            self.other_basis += 1;
            return false;
        }
        let is_different = reply.decided.bytes() != preview.decided.bytes();
        self.compared += 1;
        self.with_fills += u32::from(!reply.decided.fills.is_empty());
        self.different += u32::from(is_different);
        is_different
    }
}

/// Identifies a fill: both sides of a match share the trade's id.
pub fn fill_key(fill: &Fill) -> (TradeId, OrderId) {
    (fill.trade, fill.order)
}

#[cfg(test)]
mod tests {
    use engine::id::{InstrumentId, Seq, VenueId};
    use engine::money::{Lots, Money, Ticks};
    use engine::order::{ClientOrderId, Price, Side, TimeInForce};
    use engine::time::VenueTime;

    use super::*;

    fn order(id: &str, created_at: i64) -> Order {
        Order {
            id: id.parse().unwrap(),
            client_order_id: ClientOrderId::parse(id).unwrap(),
            instrument: InstrumentId(VenueId::from_name("test").0),
            side: Side::Buy,
            price: Price::Market,
            time_in_force: TimeInForce::Ioc,
            quantity: Lots(1),
            filled: Lots(1),
            notional: Money::ZERO,
            fee: Money::ZERO,
            status: OrderStatus::Filled,
            created_at: VenueTime(created_at),
            updated_at: VenueTime(created_at),
        }
    }

    #[test]
    fn orders_of_one_step_stay_in_the_order_of_their_acceptance() {
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|digit| digit.repeat(8) + "-0000-4000-8000-000000000000");
        // Read newest first: c, then a, then an older b; d arrives later.
        let record = |order| OrderRecord { order, cancel_reason: None };
        let items = vec![order(&c, 2), order(&a, 2), order(&b, 1)].into_iter().map(record).collect();
        let none = Page { items: vec![], next_cursor: None };
        let mut history = OrderHistory::new(Page { items, next_cursor: None }, none);
        history.set_order(order(&d, 2));
        history.set_order(order(&a, 2));
        let ids: Vec<String> = history.newest_orders().iter().map(ToString::to_string).collect();
        assert_eq!(ids, [d, c, a, b]);
    }

    #[test]
    fn the_reason_of_a_cancel_is_stored_with_the_order_or_seen() {
        let ids = ["a", "b", "c"].map(|digit| digit.repeat(8) + "-0000-4000-8000-000000000000");
        let [stored, seen, old] =
            ids.each_ref().map(|id| Order { status: OrderStatus::Cancelled, ..order(id, 1) });
        let record = |order: &Order, cancel_reason| OrderRecord { order: order.clone(), cancel_reason };
        let page = |items| Page { items, next_cursor: None };
        let first = page(vec![record(&stored, Some(CancelReason::EndOfDay))]);
        let mut history = OrderHistory::new(first, Page { items: vec![], next_cursor: None });
        history.set_reason(seen.id, CancelReason::SelfTrade);
        history.set_order(seen.clone());
        history.add_older_orders(page(vec![record(&old, None)]));
        assert_eq!(history.cancel_reason(&stored), Some(CancelReason::EndOfDay));
        assert_eq!(history.cancel_reason(&seen), Some(CancelReason::SelfTrade));
        assert_eq!(history.cancel_reason(&old), None);
        // What was read again is known too, and an order that lives has none.
        let again = page(vec![record(&old, Some(CancelReason::Requested))]);
        history.merge(again, Page { items: vec![], next_cursor: None });
        assert_eq!(history.cancel_reason(&old), Some(CancelReason::Requested));
        let live = Order { status: OrderStatus::Open, ..old };
        assert_eq!(history.cancel_reason(&live), None);
    }

    fn fill(number: u64) -> Fill {
        Fill {
            trade: TradeId::derive(VenueId::from_name("test"), Seq(number), 0),
            order: OrderId::derive(VenueId::from_name("test"), Seq(number)),
            instrument: InstrumentId(VenueId::from_name("test").0),
            side: Side::Buy,
            price: Ticks(1),
            lots: Lots(1),
            notional: Money::ZERO,
            fee: Money::ZERO,
            maker: false,
            against_house: true,
            time: VenueTime(number.cast_signed()),
        }
    }

    /// A page of the fills with these numbers.
    fn page(numbers: std::ops::RangeInclusive<u64>, next: Option<&str>) -> Page<Fill> {
        Page { items: numbers.rev().map(fill).collect(), next_cursor: next.map(str::to_owned) }
    }

    fn numbers(history: &OrderHistory) -> Vec<i64> {
        history.fills().iter().map(|fill| fill.time.0).collect()
    }

    #[test]
    fn older_fills_follow_the_newest_until_there_are_none() {
        let none = Page { items: vec![], next_cursor: None };
        let mut history = OrderHistory::new(none, page(101..=200, Some("after 101")));
        assert_eq!(history.older_fills, Older::After(Some("after 101".to_owned())));
        assert_eq!(history.add_older_fills(page(1..=100, None)), 100);
        assert_eq!(history.older_fills, Older::None);
        assert_eq!(numbers(&history), (1..=200).rev().collect::<Vec<_>>());
        // What was asked for makes room for as many new ones.
        (201..=300).for_each(|number| assert!(history.add_fill(fill(number))));
        assert_eq!((history.fills().len(), &history.older_fills), (300, &Older::None));
        // Beyond, the oldest go, and can be read again from the start.
        assert!(history.add_fill(fill(301)));
        assert_eq!((history.fills().len(), &history.older_fills), (300, &Older::After(None)));
        assert_eq!(history.add_older_fills(page(202..=301, Some("after 202"))), 0);
        assert_eq!(history.add_older_fills(page(1..=201, None)), 1);
        assert_eq!(numbers(&history), (1..=301).rev().collect::<Vec<_>>());
    }
}
