//! Read-only queries of the gateway.
//!
//! Compiled for each backend. Does not know who asks.

use engine::id::{AccountId, InstrumentId, OrderId, QuoteId, Seq, TradeId, VenueId};
use engine::money::{Lots, Money, Ticks};
use engine::order::{ClientOrderId, Order, OrderStatus, Price, Side, TakenQuote, TimeInForce};
use engine::time::VenueTime;
use engine::venue::Fill;
use sqlx::Row as _;

use super::journal::{signed, unsigned};
use super::{Backend, Db};
use crate::store::StoreError;
use crate::store::api::reads::{FillFilter, OrderFilter};

type DbRow = <Db as sqlx::Database>::Row;

impl Backend {
    pub(in crate::store) async fn orders_of(
        &self,
        venue: VenueId,
        account: AccountId,
        filter: &OrderFilter,
    ) -> Result<Vec<(Seq, Order)>, StoreError> {
        let first = filter.statuses.first().map(|status| status.as_str());
        let second = filter.statuses.get(1).map(|status| status.as_str()).or(first);
        let rows = sqlx::query::<Db>(
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
        .bind(filter.before.map_or(Ok(i64::MAX), |seq| signed(seq.0))?)
        .bind(first)
        .bind(second)
        .bind(&filter.client_order_id)
        .bind(filter.instrument.map(|id| id.0))
        .bind(filter.from.map_or(i64::MIN, |time| time.0))
        .bind(filter.to.map_or(i64::MAX, |time| time.0))
        .bind(i64::from(filter.limit))
        .fetch_all(&self.main_readers)
        .await?;
        rows.iter().map(|row| Ok((Seq(unsigned(row.try_get("seq")?)?), order(row)?))).collect()
    }

    pub(in crate::store) async fn order_of(
        &self,
        venue: VenueId,
        account: AccountId,
        id: OrderId,
    ) -> Result<Option<Order>, StoreError> {
        let row = sqlx::query::<Db>(
            "SELECT order_id, instrument_id, client_order_id, side, qty, filled_qty, limit_price, status,
                    time_in_force, notional, fee, created_at, updated_at, quote_id, dealer
             FROM orders WHERE venue_id = $1 AND order_id = $2 AND account_id = $3",
        )
        .bind(venue.0)
        .bind(id.0)
        .bind(account.0)
        .fetch_optional(&self.main_readers)
        .await?;
        row.as_ref().map(order).transpose()
    }

    pub(in crate::store) async fn fills_of(
        &self,
        venue: VenueId,
        account: AccountId,
        filter: &FillFilter,
    ) -> Result<Vec<(u64, Fill)>, StoreError> {
        let rows = sqlx::query::<Db>(
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
        .bind(filter.before.map_or(Ok(i64::MAX), signed)?)
        .bind(filter.instrument.map(|id| id.0))
        .bind(filter.from.map_or(i64::MIN, |time| time.0))
        .bind(filter.to.map_or(i64::MAX, |time| time.0))
        .bind(i64::from(filter.limit))
        .fetch_all(&self.main_readers)
        .await?;
        rows.iter().map(|row| Ok((unsigned(row.try_get("account_seq")?)?, fill(row)?))).collect()
    }
}

fn order(row: &DbRow) -> Result<Order, StoreError> {
    let id = OrderId(row.try_get("order_id")?);
    let corrupt = |what: &str| StoreError::Corrupt(format!("order {id} has an unreadable {what}"));
    let name: String = row.try_get("client_order_id")?;
    let tif: String = row.try_get("time_in_force")?;
    let status: String = row.try_get("status")?;
    let limit: Option<i64> = row.try_get("limit_price")?;
    Ok(Order {
        id,
        client_order_id: ClientOrderId::parse(&name).map_err(|_| corrupt("client_order_id"))?,
        instrument: InstrumentId(row.try_get("instrument_id")?),
        side: side(row)?,
        price: price(row, limit.map(Ticks))?.ok_or_else(|| corrupt("dealer"))?,
        time_in_force: TimeInForce::from_word(&tif).ok_or_else(|| corrupt("time_in_force"))?,
        quantity: Lots(row.try_get("qty")?),
        filled: Lots(row.try_get("filled_qty")?),
        notional: Money(row.try_get("notional")?),
        fee: Money(row.try_get("fee")?),
        status: [OrderStatus::Open, OrderStatus::Partial, OrderStatus::Filled, OrderStatus::Cancelled]
            .into_iter()
            .find(|known| known.as_str() == status)
            .ok_or_else(|| corrupt("status"))?,
        created_at: VenueTime(row.try_get("created_at")?),
        updated_at: VenueTime(row.try_get("updated_at")?),
    })
}

/// Market, limit, or the quote that was taken; `None` for a dealer that cannot
/// be.
fn price(row: &DbRow, limit: Option<Ticks>) -> Result<Option<Price>, StoreError> {
    let (quote, dealer): (Option<uuid::Uuid>, Option<i64>) =
        (row.try_get("quote_id")?, row.try_get("dealer")?);
    Ok(match (limit, quote) {
        (None, _) => Some(Price::Market),
        (Some(price), None) => Some(Price::Limit(price)),
        (Some(price), Some(quote)) => dealer
            .and_then(|dealer| u8::try_from(dealer).ok())
            .map(|dealer| Price::Quote(TakenQuote { quote: QuoteId(quote), dealer, price })),
    })
}

fn fill(row: &DbRow) -> Result<Fill, StoreError> {
    Ok(Fill {
        trade: TradeId(row.try_get("trade_id")?),
        order: OrderId(row.try_get("order_id")?),
        instrument: InstrumentId(row.try_get("instrument_id")?),
        side: side(row)?,
        price: Ticks(row.try_get("price")?),
        lots: Lots(row.try_get("qty_filled")?),
        notional: Money(row.try_get("notional")?),
        fee: Money(row.try_get("fee")?),
        maker: row.try_get("maker")?,
        against_house: row.try_get("against_house")?,
        time: VenueTime(row.try_get("timestamp")?),
    })
}

fn side(row: &DbRow) -> Result<Side, StoreError> {
    match row.try_get::<String, _>("side")?.as_str() {
        "BUY" => Ok(Side::Buy),
        "SELL" => Ok(Side::Sell),
        other => Err(StoreError::Corrupt(format!("there is no side {other}"))),
    }
}
