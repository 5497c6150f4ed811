//! The projections as rows, for those who compare them with the journal.
//!
//! Written by the sequencer's commit alone; the SQL is in
//! `store/projections.rs` and `store/audit.rs`. Does not know the rules that
//! made the rows.

use engine::id::{AccountId, InstrumentId, OrderId, Seq, VenueId};
use engine::money::Money;
use engine::venue::{Asset, Party, Posting};

use super::error::StoreError;
use crate::store::{Store, on_backend};

/// A row of `accounts`, as far as the journal determines it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// Whose.
    pub account: AccountId,
    /// All cash.
    pub cash: Money,
    /// The part that open orders hold.
    pub reserved: Money,
    /// The newest number of the account's events.
    pub account_seq: u64,
    /// The last entry that touched it.
    pub seq: Seq,
}

/// A row of `orders`, as far as it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// Which.
    pub order: OrderId,
    /// Whose.
    pub account: AccountId,
    /// The client's name for it.
    pub client_order_id: String,
    /// The entry that accepted it.
    pub seq: Seq,
    /// Asked for, in lots.
    pub quantity: i64,
    /// The limit, in ticks.
    pub limit: Option<i64>,
    /// Filled, in lots.
    pub filled: i64,
    /// Exchanged, without fees.
    pub notional: Money,
    /// Fees.
    pub fee: Money,
    /// [`engine::order::OrderStatus::as_str`].
    pub status: String,
}

/// A row of `positions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PositionRow {
    /// Whose.
    pub account: AccountId,
    /// Of what.
    pub instrument: InstrumentId,
    /// Lots, long positive.
    pub lots: i64,
    /// Money received minus paid, without fees.
    pub trade_cash: Money,
    /// Fees.
    pub fees: Money,
    /// Rounded for showing.
    pub basis: Money,
}

/// A row of `trades`, as far as it is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TradeRow {
    /// The entry.
    pub seq: Seq,
    /// Whose side.
    pub account: AccountId,
    /// The account's number of the event.
    pub account_seq: u64,
    /// The match.
    pub trade: engine::id::TradeId,
    /// The order.
    pub order: OrderId,
    /// Lots.
    pub lots: i64,
    /// Ticks.
    pub price: i64,
    /// Exchanged.
    pub notional: Money,
    /// Fee.
    pub fee: Money,
}

/// A row of `ledger`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// The entry.
    pub seq: Seq,
    /// Its place in the entry.
    pub index: u64,
    /// The posting.
    pub posting: Posting,
}

/// Party and account of a posting, as the ledger's columns hold them.
pub(crate) fn party_columns(party: Party) -> (&'static str, Option<uuid::Uuid>) {
    match party {
        Party::Account(account) => ("ACCOUNT", Some(account.0)),
        Party::House => ("HOUSE", None),
        Party::Fees => ("FEES", None),
    }
}

/// The instrument of a posting, as the ledger's column holds it.
pub(crate) fn asset_column(asset: Asset) -> Option<uuid::Uuid> {
    match asset {
        Asset::Cash => None,
        Asset::Instrument(instrument) => Some(instrument.0),
    }
}

impl Store {
    /// Every account, by id.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn account_rows(&self, venue: VenueId) -> Result<Vec<AccountRow>, StoreError> {
        on_backend!(self, backend => backend.account_rows(venue).await)
    }

    /// At most `max` orders accepted after `after`, in order.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn order_rows(
        &self,
        venue: VenueId,
        after: Seq,
        max: u32,
    ) -> Result<Vec<OrderRow>, StoreError> {
        on_backend!(self, backend => backend.order_rows(venue, after, max).await)
    }

    /// Every position, by account and instrument.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn position_rows(&self, venue: VenueId) -> Result<Vec<PositionRow>, StoreError> {
        on_backend!(self, backend => backend.position_rows(venue).await)
    }

    /// Trades of the entries after `after` up to `through`, by entry, account
    /// and the account's own number.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn trade_rows(
        &self,
        venue: VenueId,
        after: Seq,
        through: Seq,
    ) -> Result<Vec<TradeRow>, StoreError> {
        on_backend!(self, backend => backend.trade_rows(venue, after, through).await)
    }

    /// Postings of the entries after `after` up to `through`, in order.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn ledger_rows(
        &self,
        venue: VenueId,
        after: Seq,
        through: Seq,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        on_backend!(self, backend => backend.ledger_rows(venue, after, through).await)
    }

    /// How many trades and postings there are, whatever they hang on.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn projection_counts(&self, venue: VenueId) -> Result<(u64, u64), StoreError> {
        on_backend!(self, backend => backend.projection_counts(venue).await)
    }
}
