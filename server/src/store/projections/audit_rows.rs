//! Every row of the projections, as `verify` compares them with the journal.
//!
//! Does not know what the rows should be.

use engine::id::{AccountId, InstrumentId, OrderId, Seq, TradeId, VenueId};
use engine::money::Money;
use engine::venue::{Asset, Party, Posting};
use uuid::Uuid;

use crate::store::journal::{signed, unsigned};
use crate::store::{Store, StoreError, on_backend};

/// A row of `accounts`: the columns that the journal determines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// Id of the account.
    pub account: AccountId,
    /// Cash, including the reserved part.
    pub cash: Money,
    /// Part of the cash that open orders reserve.
    pub reserved: Money,
    /// Number of the account's newest event.
    pub account_seq: u64,
    /// Last entry that changed the account.
    pub seq: Seq,
}

/// A row of `orders`: the columns that change, and its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// Id of the order.
    pub order: OrderId,
    /// Account of the order.
    pub account: AccountId,
    /// The client's id of the order.
    pub client_order_id: String,
    /// Entry that accepted it.
    pub seq: Seq,
    /// Quantity, in lots.
    pub quantity: i64,
    /// Limit, in ticks.
    pub limit: Option<i64>,
    /// Filled quantity, in lots.
    pub filled: i64,
    /// Money exchanged, without fees.
    pub notional: Money,
    /// Fees.
    pub fee: Money,
    /// [`engine::order::OrderStatus::as_str`].
    pub status: String,
    /// [`engine::order::CancelReason::as_str`], or [`super::UNKNOWN_REASON`].
    pub cancel_reason: Option<String>,
}

/// A row of `positions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PositionRow {
    /// Account of the position.
    pub account: AccountId,
    /// Instrument of the position.
    pub instrument: InstrumentId,
    /// Lots, long positive.
    pub lots: i64,
    /// Money received minus money paid, without fees.
    pub trade_cash: Money,
    /// Fees.
    pub fees: Money,
    /// Cost of the open lots, rounded for display.
    pub basis: Money,
}

/// A row of `trades`: the columns that are compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FillRow {
    /// Entry of the match.
    pub seq: Seq,
    /// Account of this side.
    pub account: AccountId,
    /// The account's number of the event.
    pub account_seq: u64,
    /// Id of the match.
    pub trade: TradeId,
    /// Filled order.
    pub order: OrderId,
    /// Filled quantity, in lots.
    pub lots: i64,
    /// Price, in ticks.
    pub price: i64,
    /// Money exchanged.
    pub notional: Money,
    /// Fee.
    pub fee: Money,
}

/// A row of `ledger`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// Entry of the posting.
    pub seq: Seq,
    /// Index of the posting in the entry.
    pub index: u64,
    /// The posting.
    pub posting: Posting,
}

impl Store {
    /// All accounts, by id.
    pub async fn account_rows(&self, venue: VenueId) -> Result<Vec<AccountRow>, StoreError> {
        let rows: Vec<(Uuid, i64, i64, i64, i64)> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT account_id, cash_balance, reserved, account_seq, seq
                 FROM accounts WHERE venue_id = $1 ORDER BY account_id",
            )
            .bind(venue.0)
            .fetch_all(&backend.main_readers)
            .await?
        });
        rows.into_iter()
            .map(|(account, cash, reserved, account_seq, seq)| {
                Ok(AccountRow {
                    account: AccountId(account),
                    cash: Money(cash),
                    reserved: Money(reserved),
                    account_seq: unsigned(account_seq)?,
                    seq: Seq(unsigned(seq)?),
                })
            })
            .collect()
    }

    /// At most `max` orders accepted after `after`, in order.
    pub async fn order_rows(
        &self,
        venue: VenueId,
        after: Seq,
        max: u32,
    ) -> Result<Vec<OrderRow>, StoreError> {
        type Columns = (Uuid, Uuid, String, i64, i64, i64, i64, i64, String, Option<i64>, Option<String>);
        let after = signed(after.0)?;
        let rows: Vec<Columns> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT order_id, account_id, client_order_id, seq, qty, filled_qty, notional, fee, status,
                        limit_price, cancel_reason
                 FROM orders WHERE venue_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
            )
            .bind(venue.0)
            .bind(after)
            .bind(i64::from(max))
            .fetch_all(&backend.main_readers)
            .await?
        });
        rows.into_iter()
            .map(|columns| {
                let (order, account, client_order_id, seq, quantity, filled, notional, fee, ..) = columns;
                let (.., status, limit, cancel_reason) = columns;
                Ok(OrderRow {
                    order: OrderId(order),
                    account: AccountId(account),
                    client_order_id,
                    seq: Seq(unsigned(seq)?),
                    quantity,
                    limit,
                    filled,
                    notional: Money(notional),
                    fee: Money(fee),
                    status,
                    cancel_reason,
                })
            })
            .collect()
    }

    /// All positions, by account and instrument.
    pub async fn position_rows(&self, venue: VenueId) -> Result<Vec<PositionRow>, StoreError> {
        let rows: Vec<(Uuid, Uuid, i64, i64, i64, i64)> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT account_id, instrument_id, qty, trade_cash, fees, basis
                 FROM positions WHERE venue_id = $1 ORDER BY account_id, instrument_id",
            )
            .bind(venue.0)
            .fetch_all(&backend.main_readers)
            .await?
        });
        let row = |(account, instrument, lots, trade_cash, fees, basis)| PositionRow {
            account: AccountId(account),
            instrument: InstrumentId(instrument),
            lots,
            trade_cash: Money(trade_cash),
            fees: Money(fees),
            basis: Money(basis),
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Trades of the entries after `after` up to `through`, by entry, account and the
    /// account's number of the event.
    pub async fn fill_rows(
        &self,
        venue: VenueId,
        after: Seq,
        through: Seq,
    ) -> Result<Vec<FillRow>, StoreError> {
        type Columns = (i64, Uuid, i64, Uuid, Uuid, i64, i64, i64, i64);
        let (after, through) = (signed(after.0)?, signed(through.0)?);
        let rows: Vec<Columns> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT seq, account_id, account_seq, trade_id, order_id, qty_filled, price, notional, fee
                 FROM trades WHERE venue_id = $1 AND seq > $2 AND seq <= $3
                 ORDER BY seq, account_id, account_seq",
            )
            .bind(venue.0)
            .bind(after)
            .bind(through)
            .fetch_all(&backend.main_readers)
            .await?
        });
        rows.into_iter()
            .map(|(seq, account, account_seq, trade, order, lots, price, notional, fee)| {
                Ok(FillRow {
                    seq: Seq(unsigned(seq)?),
                    account: AccountId(account),
                    account_seq: unsigned(account_seq)?,
                    trade: TradeId(trade),
                    order: OrderId(order),
                    lots,
                    price,
                    notional: Money(notional),
                    fee: Money(fee),
                })
            })
            .collect()
    }

    /// Postings of the entries after `after` up to `through`, in order.
    pub async fn ledger_rows(
        &self,
        venue: VenueId,
        after: Seq,
        through: Seq,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        type Columns = (i64, i64, String, Option<Uuid>, Option<Uuid>, i64);
        let (after, through) = (signed(after.0)?, signed(through.0)?);
        let rows: Vec<Columns> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT seq, posting, party, account_id, instrument_id, amount
                 FROM ledger WHERE venue_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq, posting",
            )
            .bind(venue.0)
            .bind(after)
            .bind(through)
            .fetch_all(&backend.main_readers)
            .await?
        });
        rows.into_iter()
            .map(|(seq, index, party, account, instrument, amount)| {
                let party = match (party.as_str(), account) {
                    ("ACCOUNT", Some(account)) => Party::Account(AccountId(account)),
                    ("HOUSE", None) => Party::House,
                    ("FEES", None) => Party::Fees,
                    _ => return Err(StoreError::Corrupt(format!("a posting of party {party:?}"))),
                };
                let asset = instrument.map_or(Asset::Cash, |id| Asset::Instrument(InstrumentId(id)));
                let posting = Posting { party, asset, amount };
                Ok(LedgerRow { seq: Seq(unsigned(seq)?), index: unsigned(index)?, posting })
            })
            .collect()
    }

    /// Number of trades and number of postings, whichever entries they belong to.
    pub async fn projection_counts(&self, venue: VenueId) -> Result<(u64, u64), StoreError> {
        let (trades, postings): (i64, i64) = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT (SELECT count(*) FROM trades WHERE venue_id = $1),
                        (SELECT count(*) FROM ledger WHERE venue_id = $1)",
            )
            .bind(venue.0)
            .fetch_one(&backend.main_readers)
            .await?
        });
        Ok((unsigned(trades)?, unsigned(postings)?))
    }
}
