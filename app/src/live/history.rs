//! The newest orders and fills, closed ones too, and how previews compared with
//! the venue's answers.
//!
//! For display only: what the account may do is decided by the account.

use engine::id::{OrderId, TradeId};
use engine::order::Preview;
use engine::time::VenueTime;
use protocol::frames::{FillFrame, OrderFrame};

use protocol::rest::PlacedOrder;

use super::maps::{Map, Set, sorted};

/// Fills that are kept.
const MAX_FILLS: usize = 200;

/// Orders that are kept, live ones always.
const MAX_ORDERS: usize = 300;

/// The account's recent history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    orders: Map<OrderId, OrderFrame>,
    /// The turn in which each order was heard of: orders of one step carry one
    /// time.
    turns: Map<OrderId, u64>,
    fills: Vec<FillFrame>,
}

impl History {
    /// A log of what the server read; both newest first.
    pub fn new(orders: Vec<OrderFrame>, fills: Vec<FillFrame>) -> Self {
        let turns = Map::of(orders.iter().rev().zip(0..).map(|(order, turn)| (order.order_id, turn)));
        let orders = Map::of(orders.into_iter().map(|order| (order.order_id, order)));
        Self { orders, turns, fills }
    }

    /// An order as it stands.
    pub fn order(&self, id: OrderId) -> Option<&OrderFrame> {
        self.orders.get(&id)
    }

    /// Newest first.
    pub fn newest_orders(&self) -> Vec<OrderId> {
        let turn = |order: &OrderFrame| self.turns.get(&order.order_id).copied();
        let ids: Vec<(VenueTime, Option<u64>, OrderId)> =
            self.orders.values().map(|order| (order.created_at, turn(order), order.order_id)).collect();
        sorted(ids, |a, b| b.cmp(a)).into_iter().map(|(_, _, id)| id).collect()
    }

    /// Newest first.
    pub fn fills(&self) -> &[FillFrame] {
        &self.fills
    }

    /// Takes an order's newest state.
    pub fn put(&mut self, order: OrderFrame) {
        let next = self.turns.values().max().map_or(0, |turn| turn + 1);
        self.turns.at(order.order_id, || next);
        self.orders.insert(order.order_id, order);
        if self.orders.pairs().len() > MAX_ORDERS {
            let closed = self.orders.values().filter(|order| !order.status.is_live());
            if let Some(oldest) = closed.min_by_key(|order| order.created_at).map(|o| o.order_id) {
                self.orders.remove(&oldest);
                self.turns.remove(&oldest);
            }
        }
    }

    /// Takes the account's live orders where they are news; tells which were.
    pub fn take_live(&mut self, live: &[OrderFrame]) -> Set<OrderId> {
        let mut changed = Set::default();
        for order in live {
            let older = |known: &OrderFrame| {
                known.status.is_live() && known != order && known.updated_at <= order.updated_at
            };
            if self.orders.get(&order.order_id).is_none_or(older) {
                changed.insert(order.order_id, ());
                self.put(order.clone());
            }
        }
        changed
    }

    /// Takes a fill; whether it was new.
    pub fn filled(&mut self, fill: FillFrame) -> bool {
        if self.fills.iter().any(|known| fill_key(known) == fill_key(&fill)) {
            return false;
        }
        self.fills.insert(0, fill);
        self.fills.truncate(MAX_FILLS);
        true
    }

    /// Takes what the server read again, newest first; tells which orders are
    /// new or changed. What executions have said since is newer and stays.
    pub fn reread(&mut self, orders: Vec<OrderFrame>, fills: Vec<FillFrame>) -> Set<OrderId> {
        let mut changed = Set::default();
        for order in orders.into_iter().rev() {
            let news = |known: &OrderFrame| {
                known.status.is_live() && *known != order && known.updated_at <= order.updated_at
            };
            if self.orders.get(&order.order_id).is_none_or(news) {
                changed.insert(order.order_id, ());
                self.put(order);
            }
        }
        for fill in fills.into_iter().rev() {
            self.filled(fill);
        }
        self.fills = sorted(std::mem::take(&mut self.fills), |a, b| b.timestamp.cmp(&a.timestamp));
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
    pub fn compare(&mut self, preview: &Preview, reply: &PlacedOrder) -> bool {
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

/// One fill's name: both sides of a match share the trade's.
pub fn fill_key(fill: &FillFrame) -> (TradeId, OrderId) {
    (fill.trade_id, fill.order_id)
}

#[cfg(test)]
mod tests {
    use engine::decimal::Decimal;
    use engine::id::InstrumentId;
    use engine::money::Money;
    use engine::order::{ClientOrderId, OrderStatus, OrderType, Side, TimeInForce};

    use super::*;

    fn order(id: &str, created_at: i64) -> OrderFrame {
        OrderFrame {
            order_id: id.parse().unwrap(),
            client_order_id: ClientOrderId::parse(id).unwrap(),
            instrument_id: InstrumentId(engine::id::VenueId::from_name("test").0),
            side: Side::Buy,
            order_type: OrderType::Market,
            limit_price: None,
            time_in_force: TimeInForce::Ioc,
            quantity: Decimal::new(1, 0),
            filled_quantity: Decimal::new(1, 0),
            leaves_quantity: Decimal::new(0, 0),
            notional: Money::ZERO,
            fee: Money::ZERO,
            status: OrderStatus::Filled,
            created_at: VenueTime(created_at),
            updated_at: VenueTime(created_at),
            dealer_id: None,
            quote_id: None,
        }
    }

    #[test]
    fn orders_of_one_step_stay_in_the_order_of_their_acceptance() {
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|digit| digit.repeat(8) + "-0000-4000-8000-000000000000");
        // Read newest first: c, then a, then an older b; d is heard of later.
        let mut log = History::new(vec![order(&c, 2), order(&a, 2), order(&b, 1)], Vec::new());
        log.put(order(&d, 2));
        log.put(order(&a, 2));
        let ids: Vec<String> = log.newest_orders().iter().map(ToString::to_string).collect();
        assert_eq!(ids, [d, c, a, b]);
    }
}
