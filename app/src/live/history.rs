//! The newest orders and fills, closed ones too, and how previews compared with
//! the venue's answers.
//!
//! For display only: what the account may do is decided by the account.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use engine::id::{OrderId, TradeId};
use engine::order::{Order, Preview};
use engine::venue::{Fill, OrderReply};

/// Most fills.
const FILLS_CAPACITY: usize = 200;

/// Most orders; live ones are never removed.
const ORDERS_CAPACITY: usize = 300;

/// The account's recent orders and fills.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderHistory {
    orders: BTreeMap<OrderId, Order>,
    /// Order of arrival: orders of one step have equal times.
    arrivals: BTreeMap<OrderId, u64>,
    fills: Vec<Fill>,
}

impl OrderHistory {
    /// A history of what the server read, both newest first.
    pub fn new(orders: Vec<Order>, fills: Vec<Fill>) -> Self {
        let arrivals = orders.iter().rev().zip(0..).map(|(order, arrival)| (order.id, arrival)).collect();
        let orders = orders.into_iter().map(|order| (order.id, order)).collect();
        Self { orders, arrivals, fills }
    }

    /// An order in its newest state.
    pub fn order(&self, id: OrderId) -> Option<&Order> {
        self.orders.get(&id)
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
        if self.orders.len() > ORDERS_CAPACITY {
            let closed = self.orders.values().filter(|order| !order.status.is_live());
            if let Some(oldest) = closed.min_by_key(|order| order.created_at).map(|order| order.id) {
                self.orders.remove(&oldest);
                self.arrivals.remove(&oldest);
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
        self.fills.truncate(FILLS_CAPACITY);
        true
    }

    /// Takes over what the server read again, newest first. Returns the new and
    /// changed orders; what executions have changed since is newer and stays.
    pub fn merge(&mut self, orders: &[Order], fills: Vec<Fill>) -> BTreeSet<OrderId> {
        let changed = self.merge_live(orders.iter().rev());
        for fill in fills.into_iter().rev() {
            self.add_fill(fill);
        }
        self.fills.sort_by_key(|fill| Reverse(fill.time));
        changed
    }
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
    use engine::id::{InstrumentId, VenueId};
    use engine::money::{Lots, Money};
    use engine::order::{ClientOrderId, OrderStatus, Price, Side, TimeInForce};
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
        let mut history = OrderHistory::new(vec![order(&c, 2), order(&a, 2), order(&b, 1)], Vec::new());
        history.set_order(order(&d, 2));
        history.set_order(order(&a, 2));
        let ids: Vec<String> = history.newest_orders().iter().map(ToString::to_string).collect();
        assert_eq!(ids, [d, c, a, b]);
    }
}
