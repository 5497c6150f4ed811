//! Orders and fills of an account, page by page, as the gateway reads them.
//!
//! Does not know how they are shown.

use engine::id::{AccountId, InstrumentId, OrderId, QuoteId, Seq, TradeId, VenueId};
use engine::money::{Lots, Money, Ticks};
use engine::order::{
    CancelReason, ClientOrderId, Order, OrderRecord, OrderStatus, Price, Side, TakenQuote, TimeInForce,
};
use engine::time::VenueTime;
use engine::venue::Fill;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::UNKNOWN_REASON;
use crate::store::copying::Schema;
use crate::store::journal::unsigned;
use crate::store::time_search::NumberedTable;
use crate::store::{Store, StoreError, on_backend};

/// Orders of all accounts in the order of their acceptance.
const ORDERS: NumberedTable = NumberedTable {
    schema: Schema::Main,
    name: "orders",
    number: "seq",
    time: "created_at",
    key: &["venue_id"],
};

/// Fills of an account in the order of its events.
const TRADES: NumberedTable = NumberedTable {
    schema: Schema::Main,
    name: "trades",
    number: "account_seq",
    time: "timestamp",
    key: &["venue_id", "account_id"],
};

/// Every status of an order.
const STATUSES: [OrderStatus; 4] =
    [OrderStatus::Open, OrderStatus::Partial, OrderStatus::Filled, OrderStatus::Cancelled];

/// Orders of a venue that can still trade. Goes from account to account, because only
/// an account's orders have an index on the status; an account's id is of one venue.
const LIVE_ORDERS: &str = "
    SELECT orders.order_id FROM accounts CROSS JOIN orders
    WHERE accounts.venue_id = $1 AND orders.account_id = accounts.account_id
      AND orders.status IN ('OPEN', 'PARTIAL')";

/// Filter for an account's orders, newest first.
#[derive(Clone, Debug, Default)]
pub struct OrderFilter {
    /// Statuses; empty for all.
    pub statuses: Vec<OrderStatus>,
    /// The client's id of a single order.
    pub client_order_id: Option<String>,
    /// Instrument.
    pub instrument: Option<InstrumentId>,
    /// Earliest time of acceptance, inclusive.
    pub from: Option<VenueTime>,
    /// Latest time of acceptance, exclusive.
    pub to: Option<VenueTime>,
    /// Only orders accepted before this entry, where the previous page ended.
    pub before: Option<Seq>,
    /// Maximum number of rows.
    pub limit: u32,
}

/// Filter for an account's fills, newest first.
#[derive(Clone, Debug, Default)]
pub struct FillFilter {
    /// Instrument.
    pub instrument: Option<InstrumentId>,
    /// Earliest time, inclusive.
    pub from: Option<VenueTime>,
    /// Latest time, exclusive.
    pub to: Option<VenueTime>,
    /// Only fills before this event of the account, where the previous page ended.
    pub before: Option<u64>,
    /// Maximum number of rows.
    pub limit: u32,
}

impl Store {
    /// An account's orders with the entries that accepted them, newest first.
    pub async fn orders_of(
        &self,
        venue: VenueId,
        account: AccountId,
        filter: &OrderFilter,
    ) -> Result<Vec<(Seq, OrderRecord)>, StoreError> {
        let OrderFilter { from, to, before, .. } = *filter;
        let before = before.map(|seq| seq.0);
        let (after, before) = self.number_bounds(ORDERS, &[venue.0], from, to, before).await?;
        let rows: Vec<StoredOrder> = on_backend!(self, |backend| {
            let mut query = sqlx::query_as(AssertSqlSafe(orders_sql(filter)))
                .bind(venue.0)
                .bind(account.0)
                .bind(-before)
                .bind(-after)
                .bind(i64::from(filter.limit));
            if let Some(client_order_id) = &filter.client_order_id {
                query = query.bind(client_order_id);
            }
            if let Some(instrument) = filter.instrument {
                query = query.bind(instrument.0);
            }
            query.fetch_all(&backend.main_readers).await?
        });
        rows.into_iter().map(|row| Ok((Seq(unsigned(row.seq)?), row.record()?))).collect()
    }

    /// One order of an account; `None` for another account's.
    pub async fn order_of(
        &self,
        venue: VenueId,
        account: AccountId,
        order: OrderId,
    ) -> Result<Option<OrderRecord>, StoreError> {
        let row: Option<StoredOrder> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT order_id, instrument_id, client_order_id, side, qty, filled_qty, limit_price, status,
                        time_in_force, notional, fee, seq, created_at, updated_at, quote_id, dealer, cancel_reason
                 FROM orders WHERE venue_id = $1 AND order_id = $2 AND account_id = $3",
            )
            .bind(venue.0)
            .bind(order.0)
            .bind(account.0)
            .fetch_optional(&backend.main_readers)
            .await?
        });
        row.map(StoredOrder::record).transpose()
    }

    /// An account's fills with the account's numbers of the events, newest first.
    pub async fn fills_of(
        &self,
        venue: VenueId,
        account: AccountId,
        filter: &FillFilter,
    ) -> Result<Vec<(u64, Fill)>, StoreError> {
        let FillFilter { from, to, before, .. } = *filter;
        let key = [venue.0, account.0];
        let (after, before) = self.number_bounds(TRADES, &key, from, to, before).await?;
        let (low, high) = if filter.instrument.is_some() { (-before, -after) } else { (after, before) };
        let rows: Vec<StoredFill> = on_backend!(self, |backend| {
            let mut query = sqlx::query_as(AssertSqlSafe(fills_sql(filter)))
                .bind(venue.0)
                .bind(account.0)
                .bind(low)
                .bind(high)
                .bind(i64::from(filter.limit));
            if let Some(instrument) = filter.instrument {
                query = query.bind(instrument.0);
            }
            query.fetch_all(&backend.main_readers).await?
        });
        rows.into_iter().map(|row| Ok((unsigned(row.account_seq)?, row.fill()?))).collect()
    }

    /// Orders of all accounts that can still trade.
    pub async fn live_orders(&self, venue: VenueId) -> Result<Vec<OrderId>, StoreError> {
        let ids: Vec<Uuid> = on_backend!(self, |backend| {
            sqlx::query_scalar(LIVE_ORDERS).bind(venue.0).fetch_all(&backend.main_readers).await?
        });
        Ok(ids.into_iter().map(OrderId).collect())
    }
}

/// SQL of the orders of `filter`: venue, account, bounds of the negative entries and the
/// maximum number of rows are its first parameters, then the id and the instrument, if
/// set.
///
/// Reads each status as a run of an index, in order and no more than a page of it, and
/// merges the runs. An id is one row of the index that makes it unique.
fn orders_sql(filter: &OrderFilter) -> String {
    let mut parameters = 5;
    let mut condition = |column: &str, is_set: bool| {
        parameters += i32::from(is_set);
        if is_set { format!(" AND {column} = ${parameters}") } else { String::new() }
    };
    let by_id = filter.client_order_id.is_some();
    let id = condition("client_order_id", by_id);
    let instrument = condition("instrument_id", filter.instrument.is_some());
    let select = |status: &str| {
        format!(
            "SELECT order_id, instrument_id, client_order_id, side, qty, filled_qty, limit_price, status,
                    time_in_force, notional, fee, seq, created_at, updated_at, quote_id, dealer, cancel_reason,
                    -seq AS position
             FROM orders
             WHERE venue_id = $1 AND account_id = $2{id}{instrument}{status} AND -seq > $3 AND -seq < $4
             ORDER BY position LIMIT $5"
        )
    };
    let wanted = if filter.statuses.is_empty() { &STATUSES[..] } else { &filter.statuses };
    let words: Vec<_> = wanted.iter().map(|status| format!("'{}'", status.as_str())).collect();
    if by_id {
        return select(&format!(" AND status IN ({})", words.join(", ")));
    }
    let run = |word: &String| format!("SELECT * FROM ({}) AS run", select(&format!(" AND status = {word}")));
    let runs: Vec<_> = words.iter().map(run).collect();
    format!("{} ORDER BY position LIMIT $5", runs.join(" UNION ALL "))
}

/// SQL of the fills of `filter`: venue, account, bounds of the numbers and the maximum
/// number of rows are its parameters; if an instrument is set, the bounds are of the
/// negative numbers, and the instrument is the last one.
fn fills_sql(filter: &FillFilter) -> String {
    let (instrument, number, order) = match filter.instrument {
        Some(_) => (" AND instrument_id = $6", "-account_seq", "-account_seq"),
        None => ("", "account_seq", "account_seq DESC"),
    };
    format!(
        "SELECT trade_id, order_id, instrument_id, side, qty_filled, price, notional, fee, maker,
                against_house, account_seq, timestamp
         FROM trades
         WHERE venue_id = $1 AND account_id = $2{instrument} AND {number} > $3 AND {number} < $4
         ORDER BY {order} LIMIT $5"
    )
}

/// A stored row of `orders`.
#[derive(sqlx::FromRow)]
struct StoredOrder {
    order_id: Uuid,
    instrument_id: Uuid,
    client_order_id: String,
    side: String,
    qty: i64,
    filled_qty: i64,
    limit_price: Option<i64>,
    status: String,
    time_in_force: String,
    notional: i64,
    fee: i64,
    seq: i64,
    created_at: i64,
    updated_at: i64,
    quote_id: Option<Uuid>,
    dealer: Option<i64>,
    cancel_reason: Option<String>,
}

impl StoredOrder {
    fn record(self) -> Result<OrderRecord, StoreError> {
        let id = OrderId(self.order_id);
        let corrupt = |column: &str| StoreError::Corrupt(format!("order {id} has an unreadable {column}"));
        let cancel_reason = match self.cancel_reason.as_deref() {
            None | Some(UNKNOWN_REASON) => None,
            Some(word) => Some(CancelReason::from_word(word).ok_or_else(|| corrupt("cancel_reason"))?),
        };
        let order = Order {
            id,
            client_order_id: ClientOrderId::parse(&self.client_order_id)
                .map_err(|_| corrupt("client_order_id"))?,
            instrument: InstrumentId(self.instrument_id),
            side: side(&self.side)?,
            price: self.price().ok_or_else(|| corrupt("dealer"))?,
            time_in_force: TimeInForce::from_word(&self.time_in_force)
                .ok_or_else(|| corrupt("time_in_force"))?,
            quantity: Lots(self.qty),
            filled: Lots(self.filled_qty),
            notional: Money(self.notional),
            fee: Money(self.fee),
            status: STATUSES
                .into_iter()
                .find(|status| status.as_str() == self.status)
                .ok_or_else(|| corrupt("status"))?,
            created_at: VenueTime(self.created_at),
            updated_at: VenueTime(self.updated_at),
        };
        Ok(OrderRecord { order, cancel_reason })
    }

    /// Market, limit, or the accepted quote; `None` if the dealer is out of range.
    fn price(&self) -> Option<Price> {
        match (self.limit_price.map(Ticks), self.quote_id) {
            (None, _) => Some(Price::Market),
            (Some(price), None) => Some(Price::Limit(price)),
            (Some(price), Some(quote)) => {
                let dealer = u8::try_from(self.dealer?).ok()?;
                Some(Price::Quote(TakenQuote { quote: QuoteId(quote), dealer, price }))
            }
        }
    }
}

/// A stored row of `trades`.
#[derive(sqlx::FromRow)]
struct StoredFill {
    trade_id: Uuid,
    order_id: Uuid,
    instrument_id: Uuid,
    side: String,
    qty_filled: i64,
    price: i64,
    notional: i64,
    fee: i64,
    maker: bool,
    against_house: bool,
    account_seq: i64,
    timestamp: i64,
}

impl StoredFill {
    fn fill(self) -> Result<Fill, StoreError> {
        Ok(Fill {
            trade: TradeId(self.trade_id),
            order: OrderId(self.order_id),
            instrument: InstrumentId(self.instrument_id),
            side: side(&self.side)?,
            price: Ticks(self.price),
            lots: Lots(self.qty_filled),
            notional: Money(self.notional),
            fee: Money(self.fee),
            maker: self.maker,
            against_house: self.against_house,
            time: VenueTime(self.timestamp),
        })
    }
}

fn side(text: &str) -> Result<Side, StoreError> {
    match text {
        "BUY" => Ok(Side::Buy),
        "SELL" => Ok(Side::Sell),
        other => Err(StoreError::Corrupt(format!("there is no side {other}"))),
    }
}

#[cfg(test)]
mod tests;
