//! Orders and fills to look at: the newest of them, closed ones too.
//!
//! For showing alone: what the account may do is the account's business.

use std::collections::{BTreeMap, BTreeSet};

use engine::event::{FillFrame, OrderFrame};
use engine::id::{OrderId, TradeId};
use engine::time::VenueTime;

/// Fills that are kept.
const MAX_FILLS: usize = 200;

/// Orders that are kept, live ones always.
const MAX_ORDERS: usize = 300;

/// The account's recent history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    orders: BTreeMap<OrderId, OrderFrame>,
    fills: Vec<FillFrame>,
}

impl Log {
    /// A log of what the server read; both newest first.
    pub fn new(orders: Vec<OrderFrame>, fills: Vec<FillFrame>) -> Self {
        let orders = orders.into_iter().map(|order| (order.order_id, order)).collect();
        Self { orders, fills }
    }

    /// An order as it stands.
    pub fn order(&self, id: OrderId) -> Option<&OrderFrame> {
        self.orders.get(&id)
    }

    /// Newest first.
    pub fn newest_orders(&self) -> Vec<OrderId> {
        let mut ids: Vec<(VenueTime, OrderId)> =
            self.orders.values().map(|order| (order.created_at, order.order_id)).collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids.into_iter().map(|(_, id)| id).collect()
    }

    /// Newest first.
    pub fn fills(&self) -> &[FillFrame] {
        &self.fills
    }

    /// Takes an order's newest state.
    pub fn put(&mut self, order: OrderFrame) {
        self.orders.insert(order.order_id, order);
        if self.orders.len() > MAX_ORDERS {
            let closed = self.orders.values().filter(|order| !order.status.is_live());
            if let Some(oldest) = closed.min_by_key(|order| order.created_at).map(|o| o.order_id) {
                self.orders.remove(&oldest);
            }
        }
    }

    /// Takes the account's live orders where they are news; tells which were.
    pub fn take_live(&mut self, live: &[OrderFrame]) -> BTreeSet<OrderId> {
        let mut changed = BTreeSet::new();
        for order in live {
            let newer =
                |known: &OrderFrame| known.status.is_live() && known.filled_quantity != order.filled_quantity;
            if self.orders.get(&order.order_id).is_none_or(newer) {
                changed.insert(order.order_id);
                self.put(order.clone());
            }
        }
        changed
    }

    /// Takes a fill; whether it was new.
    pub fn filled(&mut self, fill: FillFrame) -> bool {
        if self.fills.iter().any(|known| key(known) == key(&fill)) {
            return false;
        }
        self.fills.insert(0, fill);
        self.fills.truncate(MAX_FILLS);
        true
    }

    /// Takes what the server read again, newest first; tells which orders are
    /// new or changed. What executions have said since is newer and stays.
    pub fn reread(&mut self, orders: Vec<OrderFrame>, fills: Vec<FillFrame>) -> BTreeSet<OrderId> {
        let mut changed = BTreeSet::new();
        for order in orders {
            let news = |known: &OrderFrame| {
                known.status.is_live() && *known != order && known.updated_at <= order.updated_at
            };
            if self.orders.get(&order.order_id).is_none_or(news) {
                changed.insert(order.order_id);
                self.put(order);
            }
        }
        for fill in fills.into_iter().rev() {
            self.filled(fill);
        }
        self.fills.sort_by_key(|fill| std::cmp::Reverse(fill.timestamp));
        changed
    }
}

/// One fill's name: both sides of a match share the trade's.
pub fn key(fill: &FillFrame) -> (TradeId, OrderId) {
    (fill.trade_id, fill.order_id)
}
