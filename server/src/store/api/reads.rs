//! Read-only queries of the gateway.
//!
//! Rows and the store's methods; the SQL is in `store/reads.rs`. Does not know
//! which backend answers.

use engine::id::{AccountId, InstrumentId, OrderId, Seq, VenueId};
use engine::order::{Order, OrderStatus};
use engine::time::VenueTime;
use engine::venue::Fill;

use crate::store::{Store, StoreError, on_backend};

/// Which of an account's orders are wanted, newest first.
#[derive(Clone, Debug, Default)]
pub struct OrderFilter {
    /// Only with one of these statuses; all when empty. At most two.
    pub statuses: Vec<OrderStatus>,
    /// Only the one that its client named so.
    pub client_order_id: Option<String>,
    /// Only of this instrument.
    pub instrument: Option<InstrumentId>,
    /// Accepted at or after.
    pub from: Option<VenueTime>,
    /// Accepted before.
    pub to: Option<VenueTime>,
    /// Only accepted before this entry: where the last page ended.
    pub before: Option<Seq>,
    /// At most so many rows.
    pub limit: u32,
}

/// Which of an account's fills are wanted, newest first.
#[derive(Clone, Debug, Default)]
pub struct FillFilter {
    /// Only of this instrument.
    pub instrument: Option<InstrumentId>,
    /// At or after.
    pub from: Option<VenueTime>,
    /// Before.
    pub to: Option<VenueTime>,
    /// Only before this event of the account: where the last page ended.
    pub before: Option<u64>,
    /// At most so many rows.
    pub limit: u32,
}

impl Store {
    /// An account's orders with the entries that accepted them, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn orders_of(
        &self,
        venue: VenueId,
        account: AccountId,
        filter: &OrderFilter,
    ) -> Result<Vec<(Seq, Order)>, StoreError> {
        on_backend!(self, backend => backend.orders_of(venue, account, filter).await)
    }

    /// One order of an account; another account's is not there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn order_of(
        &self,
        venue: VenueId,
        account: AccountId,
        order: OrderId,
    ) -> Result<Option<Order>, StoreError> {
        on_backend!(self, backend => backend.order_of(venue, account, order).await)
    }

    /// An account's fills with its own numbers for them, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fills_of(
        &self,
        venue: VenueId,
        account: AccountId,
        filter: &FillFilter,
    ) -> Result<Vec<(u64, Fill)>, StoreError> {
        on_backend!(self, backend => backend.fills_of(venue, account, filter).await)
    }
}
