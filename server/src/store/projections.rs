//! Projections of the journal: accounts, orders, trades, positions, ledger.
//!
//! Only the sequencer's commit writes them. The gateway reads an account's orders
//! and fills; `verify` reads every row and compares it with the journal. Does not
//! know the rules that made the rows.

use engine::id::{AccountId, InstrumentId, OrderId, QuoteId, Seq, TradeId, VenueId};
use engine::money::{Lots, Money, Ticks};
use engine::order::{
    CancelReason, ClientOrderId, Order, OrderRecord, OrderStatus, Price, Side, TakenQuote, TimeInForce,
};
use engine::time::VenueTime;
use engine::venue::{Asset, Fill, Party, Posting};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::copying::Schema;
use super::journal::{signed, unsigned};
use super::time_search::NumberedTable;
use super::{Store, StoreError, on_backend};

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

/// Reason of orders that were cancelled before reasons were stored.
pub const UNKNOWN_REASON: &str = "UNKNOWN";

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
    /// [`engine::order::CancelReason::as_str`], or [`UNKNOWN_REASON`].
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
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

    use std::path::Path;

    use sqlx::Row as _;

    use super::*;
    use crate::store::Role;

    const VENUE: VenueId = VenueId(Uuid::from_u128(1));
    const ACCOUNT: AccountId = AccountId(Uuid::from_u128(2));
    const OTHER: AccountId = AccountId(Uuid::from_u128(3));
    const COMMON: InstrumentId = InstrumentId(Uuid::from_u128(4));
    const RARE: InstrumentId = InstrumentId(Uuid::from_u128(5));

    /// Orders, of which the account has two of three.
    const ORDERS_COUNT: i64 = 6_000;

    /// A store of each backend, and the server of the second.
    async fn stores(folder: &Path) -> (Vec<Store>, testbed::Postgres) {
        let server = testbed::Postgres::start(&["fsync=off"]).unwrap();
        let stores = vec![
            Store::open_sqlite(folder).await.unwrap(),
            Store::open_postgres(&server.url("postgres"), Role::Owner).await.unwrap(),
        ];
        for store in &stores {
            fill(store).await;
        }
        (stores, server)
    }

    /// Orders and fills in all states, several of them at the same time.
    async fn fill(store: &Store) {
        // Ids are numbers in 16 bytes.
        let (id, generate) = match store {
            Store::Sqlite(_) => (
                "CAST(printf('%016d', {}) AS BLOB)",
                format!(
                    "WITH RECURSIVE numbers (n) AS (
                         SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ORDERS_COUNT}
                     )"
                ),
            ),
            Store::Postgres(_) => (
                "lpad({}::text, 32, '0')::uuid",
                format!("WITH numbers AS (SELECT n FROM generate_series(1, {ORDERS_COUNT}) AS n)"),
            ),
        };
        let id = |number: &str| id.replace("{}", number);
        let order = id("(10000000 + n)");
        on_backend!(store, |backend| {
            let run = async |sql: String, ids: &[Uuid]| {
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for id in ids {
                    query = query.bind(*id);
                }
                query.execute(&backend.main).await.unwrap();
            };
            let seed = "'0123456789abcdef0123456789abcdef'";
            let bytes = match store {
                Store::Sqlite(_) => format!("CAST({seed} AS BLOB)"),
                Store::Postgres(_) => format!("{seed}::bytea"),
            };
            let venue = format!(
                "INSERT INTO venues VALUES ($1, 'main', '{{}}', {bytes}, {bytes}, {bytes}, NULL, NULL, 0)"
            );
            run(venue, &[VENUE.0]).await;
            for (instrument, symbol) in [(COMMON, "ACME"), (RARE, "RARE")] {
                let sql = format!(
                    "INSERT INTO instruments VALUES ($1, $2, '{symbol}', 'x', 'EQUITY', '0.01', '1', 1, 'USD', NULL,
                                                     NULL, '{{}}')"
                );
                run(sql, &[VENUE.0, instrument.0]).await;
            }
            for account in [ACCOUNT, OTHER] {
                let sql = "INSERT INTO accounts VALUES ($1, $2, NULL, 0, 0, 'USD', FALSE, 1, 1, 0)";
                run(sql.to_owned(), &[VENUE.0, account.0]).await;
            }
            let status = "CASE WHEN n % 97 = 0 THEN 'OPEN' WHEN n % 89 = 0 THEN 'PARTIAL'
                               WHEN n % 5 = 0 THEN 'FILLED' ELSE 'CANCELLED' END";
            let columns = format!(
                "$1, {order}, CASE WHEN n % 3 = 0 THEN $3 ELSE $2 END, CASE WHEN n % 211 = 0 THEN $5 ELSE $4 END"
            );
            let sql = format!(
                "{generate}
                 INSERT INTO orders SELECT {columns}, 'c-' || n, 'BUY', 'LIMIT', 10,
                     CASE {status} WHEN 'FILLED' THEN 10 WHEN 'PARTIAL' THEN 4 ELSE 0 END, 9990, {status}, 'GTC', 0, 0,
                     2 * n, n / 7 * 1000, 0, NULL, NULL, CASE {status} WHEN 'CANCELLED' THEN 'REQUESTED' END
                 FROM numbers"
            );
            let ids = [VENUE.0, ACCOUNT.0, OTHER.0, COMMON.0, RARE.0];
            run(sql, &ids).await;
            let columns = columns.replacen("$1, ", &format!("$1, {order}, "), 1);
            let sql = format!(
                "{generate}
                 INSERT INTO trades SELECT {columns}, 'BUY', 4, 9990, 0, 0, FALSE, FALSE, 2 * n, n, n / 7 * 1000
                 FROM numbers"
            );
            run(sql, &ids).await;
            // SQLite plans without statistics, as in a venue's files.
            if matches!(store, Store::Postgres(_)) {
                run("ANALYZE".to_owned(), &[]).await;
            }
        });
    }

    /// Every combination of the filters, with the whole page.
    fn filters() -> Vec<OrderFilter> {
        let mut filters = Vec::new();
        let live = vec![OrderStatus::Open, OrderStatus::Partial];
        let times = [None, Some(VenueTime(300_000)), Some(VenueTime(500_500)), Some(VenueTime(i64::MAX))];
        for statuses in [vec![], live, vec![OrderStatus::Partial], vec![OrderStatus::Filled]] {
            for client_order_id in [None, Some("c-970"), Some("c-3"), Some("nope")] {
                for instrument in [None, Some(RARE), Some(InstrumentId(Uuid::from_u128(99)))] {
                    for (from, to) in times.iter().flat_map(|from| times.map(|to| (*from, to))) {
                        for before in [None, Some(Seq(4_001))] {
                            filters.push(OrderFilter {
                                statuses: statuses.clone(),
                                client_order_id: client_order_id.map(str::to_owned),
                                instrument,
                                from,
                                to,
                                before,
                                limit: 25,
                            });
                        }
                    }
                }
            }
        }
        filters
    }

    #[tokio::test]
    async fn every_combination_of_filters_finds_the_same_orders_and_fills_as_a_walk_over_all() {
        let folder = tempfile::tempdir().unwrap();
        let (stores, _server) = stores(folder.path()).await;
        for store in &stores {
            let whole = OrderFilter { limit: 1_000_000, ..OrderFilter::default() };
            let all = store.orders_of(VENUE, ACCOUNT, &whole).await.unwrap();
            assert_eq!(all.len(), 4_000);
            assert!(all.windows(2).all(|pair| pair[0].0 > pair[1].0), "newest first");
            let fills = FillFilter { limit: 1_000_000, ..FillFilter::default() };
            let all_fills = store.fills_of(VENUE, ACCOUNT, &fills).await.unwrap();
            assert_eq!(all_fills.len(), 4_000);
            for filter in filters() {
                let is_wanted = |(seq, OrderRecord { order, .. }): &&(Seq, OrderRecord)| {
                    (filter.statuses.is_empty() || filter.statuses.contains(&order.status))
                        && filter
                            .client_order_id
                            .as_deref()
                            .is_none_or(|id| order.client_order_id.as_str() == id)
                        && filter.instrument.is_none_or(|id| order.instrument == id)
                        && filter.from.is_none_or(|from| order.created_at >= from)
                        && filter.to.is_none_or(|to| order.created_at < to)
                        && filter.before.is_none_or(|before| *seq < before)
                };
                let wanted: Vec<_> = all.iter().filter(is_wanted).take(25).cloned().collect();
                let found = store.orders_of(VENUE, ACCOUNT, &filter).await.unwrap();
                assert_eq!(found, wanted, "{filter:?}");

                let OrderFilter { instrument, from, to, before, limit, .. } = filter;
                let filter = FillFilter { instrument, from, to, before: before.map(|seq| seq.0), limit };
                let is_wanted = |(number, fill): &&(u64, Fill)| {
                    instrument.is_none_or(|id| fill.instrument == id)
                        && from.is_none_or(|from| fill.time >= from)
                        && to.is_none_or(|to| fill.time < to)
                        && filter.before.is_none_or(|before| *number < before)
                };
                let wanted: Vec<_> = all_fills.iter().filter(is_wanted).take(25).cloned().collect();
                assert_eq!(store.fills_of(VENUE, ACCOUNT, &filter).await.unwrap(), wanted, "{filter:?}");
            }
            let mut live = store.live_orders(VENUE).await.unwrap();
            live.sort();
            live.dedup();
            // 6,000 / 97 + 6,000 / 89 − 6,000 / (97 × 89)
            assert_eq!(live.len(), 61 + 67);
        }
    }

    /// The plan of a statement with these parameters, in one line.
    async fn plan(store: &Store, sql: &str, ids: &[Uuid], numbers: &[i64], last: Option<Last>) -> String {
        let (explain, column) = match store {
            Store::Sqlite(_) => ("EXPLAIN QUERY PLAN", 3),
            Store::Postgres(_) => ("EXPLAIN", 0),
        };
        let lines: Vec<String> = on_backend!(store, |backend| {
            let mut query = sqlx::query(AssertSqlSafe(format!("{explain} {sql}")));
            for id in ids {
                query = query.bind(*id);
            }
            for number in numbers {
                query = query.bind(*number);
            }
            query = match last {
                Some(Last::Id(id)) => query.bind(id),
                Some(Last::Text(text)) => query.bind(text),
                None => query,
            };
            let rows = query.fetch_all(&backend.main_readers).await.unwrap();
            rows.iter().map(|row| row.get(column)).collect()
        });
        lines.join("; ")
    }

    /// The last parameter.
    #[derive(Clone, Copy)]
    enum Last {
        Id(Uuid),
        Text(&'static str),
    }

    #[tokio::test]
    async fn every_filter_has_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let (stores, _server) = stores(folder.path()).await;
        for store in &stores {
            let is_sqlite = matches!(store, Store::Sqlite(_));
            let unique = |number: u8, name: &'static str| match is_sqlite {
                true => format!("sqlite_autoindex_orders_{number}"),
                false => name.to_owned(),
            };
            let all = OrderFilter::default();
            let live = vec![OrderStatus::Open, OrderStatus::Partial];
            let (by_status, by_instrument) =
                ("orders_by_status".to_owned(), "orders_by_instrument".to_owned());
            let by_id = unique(2, "orders_account_id_client_order_id_venue_id_key");
            let rare = Some(Last::Id(RARE.0));
            let client_order_id = Some("nope".to_owned());
            for (filter, last, index) in [
                (all.clone(), None, &by_status),
                (OrderFilter { statuses: live.clone(), ..all.clone() }, None, &by_status),
                (OrderFilter { statuses: vec![OrderStatus::Filled], ..all.clone() }, None, &by_status),
                (OrderFilter { instrument: Some(RARE), ..all.clone() }, rare, &by_instrument),
                (OrderFilter { statuses: live, instrument: Some(RARE), ..all.clone() }, rare, &by_instrument),
                (OrderFilter { client_order_id, ..all.clone() }, Some(Last::Text("nope")), &by_id),
            ] {
                let (ids, numbers) = ([VENUE.0, ACCOUNT.0], [-i64::MAX, 0, 100]);
                let found = plan(store, &orders_sql(&filter), &ids, &numbers, last).await;
                assert!(found.contains(index.as_str()), "{filter:?}: {found}");
                for walk in ["SCAN orders", "Seq Scan", &unique(3, "orders_seq_venue_id_key")] {
                    assert!(!found.contains(walk), "{filter:?}: {found}");
                }
            }
            let found = plan(store, &ORDERS.time_from_sql("$2"), &[VENUE.0], &[5_000], None).await;
            assert!(found.contains(&unique(3, "orders_seq_venue_id_key")), "{found}");

            let by_number = match is_sqlite {
                true => "sqlite_autoindex_trades_2",
                false => "trades_venue_id_account_id_account_seq_key",
            };
            let all = FillFilter::default();
            for (filter, last, index, numbers) in [
                (all.clone(), None, by_number, [0, i64::MAX, 100]),
                (
                    FillFilter { instrument: Some(RARE), ..all },
                    rare,
                    "trades_by_instrument",
                    [-i64::MAX, 0, 100],
                ),
            ] {
                let ids = [VENUE.0, ACCOUNT.0];
                let found = plan(store, &fills_sql(&filter), &ids, &numbers, last).await;
                assert!(found.contains(index) && !found.contains("TEMP B-TREE"), "{filter:?}: {found}");
            }
            let found = plan(store, LIVE_ORDERS, &[VENUE.0], &[], None).await;
            assert!(found.contains("orders_by_status") || !is_sqlite, "{found}");
            let key = [VENUE.0, ACCOUNT.0];
            let found = plan(store, &TRADES.time_from_sql("$3"), &key, &[3_000], None).await;
            assert!(found.contains(by_number), "{found}");
        }
    }
}
