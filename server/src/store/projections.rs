//! Projections of the journal: accounts, orders, trades, positions, ledger.
//!
//! Only the sequencer's commit writes them. The gateway reads an account's orders
//! and fills; `verify` reads every row and compares it with the journal. Does not
//! know the rules that made the rows.

use engine::id::{AccountId, InstrumentId, OrderId, QuoteId, Seq, TradeId, VenueId};
use engine::money::{Lots, Money, Ticks};
use engine::order::{ClientOrderId, Order, OrderStatus, Price, Side, TakenQuote, TimeInForce};
use engine::time::VenueTime;
use engine::venue::{Asset, Fill, Party, Posting};
use uuid::Uuid;

use super::journal::{signed, unsigned};
use super::{Store, StoreError, on_backend};

/// Filter for an account's orders, newest first.
#[derive(Clone, Debug, Default)]
pub struct OrderFilter {
    /// Statuses, at most two; empty for all.
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
    ) -> Result<Vec<(Seq, Order)>, StoreError> {
        let first = filter.statuses.first().map(|status| status.as_str());
        let second = filter.statuses.get(1).map(|status| status.as_str()).or(first);
        let before = filter.before.map_or(Ok(i64::MAX), |seq| signed(seq.0))?;
        let rows: Vec<StoredOrder> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT order_id, instrument_id, client_order_id, side, qty, filled_qty, limit_price, status,
                        time_in_force, notional, fee, seq, created_at, updated_at, quote_id, dealer
                 FROM orders
                 WHERE venue_id = $1 AND account_id = $2 AND seq < $3
                   AND ($4 IS NULL OR status = $4 OR status = $5)
                   AND ($6 IS NULL OR client_order_id = $6)
                   AND ($7 IS NULL OR instrument_id = $7)
                   AND created_at >= $8 AND created_at < $9
                 ORDER BY seq DESC LIMIT $10",
            )
            .bind(venue.0)
            .bind(account.0)
            .bind(before)
            .bind(first)
            .bind(second)
            .bind(&filter.client_order_id)
            .bind(filter.instrument.map(|id| id.0))
            .bind(filter.from.map_or(i64::MIN, |time| time.0))
            .bind(filter.to.map_or(i64::MAX, |time| time.0))
            .bind(i64::from(filter.limit))
            .fetch_all(&backend.main_readers)
            .await?
        });
        rows.into_iter().map(|row| Ok((Seq(unsigned(row.seq)?), row.order()?))).collect()
    }

    /// One order of an account; `None` for another account's.
    pub async fn order_of(
        &self,
        venue: VenueId,
        account: AccountId,
        order: OrderId,
    ) -> Result<Option<Order>, StoreError> {
        let row: Option<StoredOrder> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT order_id, instrument_id, client_order_id, side, qty, filled_qty, limit_price, status,
                        time_in_force, notional, fee, seq, created_at, updated_at, quote_id, dealer
                 FROM orders WHERE venue_id = $1 AND order_id = $2 AND account_id = $3",
            )
            .bind(venue.0)
            .bind(order.0)
            .bind(account.0)
            .fetch_optional(&backend.main_readers)
            .await?
        });
        row.map(StoredOrder::order).transpose()
    }

    /// An account's fills with the account's numbers of the events, newest first.
    pub async fn fills_of(
        &self,
        venue: VenueId,
        account: AccountId,
        filter: &FillFilter,
    ) -> Result<Vec<(u64, Fill)>, StoreError> {
        let before = filter.before.map_or(Ok(i64::MAX), signed)?;
        let rows: Vec<StoredFill> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT trade_id, order_id, instrument_id, side, qty_filled, price, notional, fee, maker,
                        against_house, account_seq, timestamp
                 FROM trades
                 WHERE venue_id = $1 AND account_id = $2 AND account_seq < $3
                   AND ($4 IS NULL OR instrument_id = $4)
                   AND timestamp >= $5 AND timestamp < $6
                 ORDER BY account_seq DESC LIMIT $7",
            )
            .bind(venue.0)
            .bind(account.0)
            .bind(before)
            .bind(filter.instrument.map(|id| id.0))
            .bind(filter.from.map_or(i64::MIN, |time| time.0))
            .bind(filter.to.map_or(i64::MAX, |time| time.0))
            .bind(i64::from(filter.limit))
            .fetch_all(&backend.main_readers)
            .await?
        });
        rows.into_iter().map(|row| Ok((unsigned(row.account_seq)?, row.fill()?))).collect()
    }

    /// Orders of all accounts that can still trade.
    pub async fn live_orders(&self, venue: VenueId) -> Result<Vec<OrderId>, StoreError> {
        let ids: Vec<Uuid> = on_backend!(self, |backend| {
            sqlx::query_scalar(
                "SELECT order_id FROM orders WHERE venue_id = $1 AND status IN ('OPEN', 'PARTIAL')",
            )
            .bind(venue.0)
            .fetch_all(&backend.main_readers)
            .await?
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
        type Columns = (Uuid, Uuid, String, i64, i64, i64, i64, i64, String, Option<i64>);
        let after = signed(after.0)?;
        let rows: Vec<Columns> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT order_id, account_id, client_order_id, seq, qty, filled_qty, notional, fee, status,
                        limit_price
                 FROM orders WHERE venue_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
            )
            .bind(venue.0)
            .bind(after)
            .bind(i64::from(max))
            .fetch_all(&backend.main_readers)
            .await?
        });
        rows.into_iter()
            .map(|(order, account, client_order_id, seq, quantity, filled, notional, fee, status, limit)| {
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
}

impl StoredOrder {
    fn order(self) -> Result<Order, StoreError> {
        let id = OrderId(self.order_id);
        let corrupt = |column: &str| StoreError::Corrupt(format!("order {id} has an unreadable {column}"));
        let statuses = [OrderStatus::Open, OrderStatus::Partial, OrderStatus::Filled, OrderStatus::Cancelled];
        Ok(Order {
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
            status: statuses
                .into_iter()
                .find(|status| status.as_str() == self.status)
                .ok_or_else(|| corrupt("status"))?,
            created_at: VenueTime(self.created_at),
            updated_at: VenueTime(self.updated_at),
        })
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
