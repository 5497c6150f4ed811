//! The projections read back, for comparison with the journal's fold.
//!
//! Compiled for each backend. Does not know what the rows should say.

use engine::id::{AccountId, InstrumentId, OrderId, Seq, TradeId, VenueId};
use engine::money::Money;
use engine::venue::{Asset, Party, Posting};
use sqlx::Row as _;

use super::journal::{signed, unsigned};
use super::{Backend, Db};
use crate::store::api::error::StoreError;
use crate::store::api::projections::{AccountRow, LedgerRow, OrderRow, PositionRow, TradeRow};

impl Backend {
    pub(in crate::store) async fn account_rows(&self, venue: VenueId) -> Result<Vec<AccountRow>, StoreError> {
        let rows = sqlx::query::<Db>(
            "SELECT account_id, cash_balance, reserved, account_seq, seq
             FROM accounts WHERE venue_id = $1 ORDER BY account_id",
        )
        .bind(venue.0)
        .fetch_all(&self.main_readers)
        .await?;
        let read = |row: &<Db as sqlx::Database>::Row| {
            Ok(AccountRow {
                account: AccountId(row.try_get(0)?),
                cash: Money(row.try_get(1)?),
                reserved: Money(row.try_get(2)?),
                account_seq: unsigned(row.try_get(3)?)?,
                seq: Seq(unsigned(row.try_get(4)?)?),
            })
        };
        rows.iter().map(read).collect()
    }

    pub(in crate::store) async fn order_rows(
        &self,
        venue: VenueId,
        after: Seq,
        max: u32,
    ) -> Result<Vec<OrderRow>, StoreError> {
        let rows = sqlx::query::<Db>(
            "SELECT order_id, account_id, client_order_id, seq, qty, filled_qty, notional, fee, status, limit_price
             FROM orders WHERE venue_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        )
        .bind(venue.0)
        .bind(signed(after.0)?)
        .bind(i64::from(max))
        .fetch_all(&self.main_readers)
        .await?;
        let read = |row: &<Db as sqlx::Database>::Row| {
            Ok(OrderRow {
                order: OrderId(row.try_get(0)?),
                account: AccountId(row.try_get(1)?),
                client_order_id: row.try_get(2)?,
                seq: Seq(unsigned(row.try_get(3)?)?),
                quantity: row.try_get(4)?,
                filled: row.try_get(5)?,
                notional: Money(row.try_get(6)?),
                fee: Money(row.try_get(7)?),
                status: row.try_get(8)?,
                limit: row.try_get(9)?,
            })
        };
        rows.iter().map(read).collect()
    }

    pub(in crate::store) async fn position_rows(
        &self,
        venue: VenueId,
    ) -> Result<Vec<PositionRow>, StoreError> {
        let rows = sqlx::query::<Db>(
            "SELECT account_id, instrument_id, qty, trade_cash, fees, basis
             FROM positions WHERE venue_id = $1 ORDER BY account_id, instrument_id",
        )
        .bind(venue.0)
        .fetch_all(&self.main_readers)
        .await?;
        let read = |row: &<Db as sqlx::Database>::Row| {
            Ok(PositionRow {
                account: AccountId(row.try_get(0)?),
                instrument: InstrumentId(row.try_get(1)?),
                lots: row.try_get(2)?,
                trade_cash: Money(row.try_get(3)?),
                fees: Money(row.try_get(4)?),
                basis: Money(row.try_get(5)?),
            })
        };
        rows.iter().map(read).collect()
    }

    pub(in crate::store) async fn trade_rows(
        &self,
        venue: VenueId,
        after: Seq,
        through: Seq,
    ) -> Result<Vec<TradeRow>, StoreError> {
        let rows = sqlx::query::<Db>(
            "SELECT seq, account_id, account_seq, trade_id, order_id, qty_filled, price, notional, fee
             FROM trades WHERE venue_id = $1 AND seq > $2 AND seq <= $3
             ORDER BY seq, account_id, account_seq",
        )
        .bind(venue.0)
        .bind(signed(after.0)?)
        .bind(signed(through.0)?)
        .fetch_all(&self.main_readers)
        .await?;
        let read = |row: &<Db as sqlx::Database>::Row| {
            Ok(TradeRow {
                seq: Seq(unsigned(row.try_get(0)?)?),
                account: AccountId(row.try_get(1)?),
                account_seq: unsigned(row.try_get(2)?)?,
                trade: TradeId(row.try_get(3)?),
                order: OrderId(row.try_get(4)?),
                lots: row.try_get(5)?,
                price: row.try_get(6)?,
                notional: Money(row.try_get(7)?),
                fee: Money(row.try_get(8)?),
            })
        };
        rows.iter().map(read).collect()
    }

    pub(in crate::store) async fn ledger_rows(
        &self,
        venue: VenueId,
        after: Seq,
        through: Seq,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let rows = sqlx::query::<Db>(
            "SELECT seq, posting, party, account_id, instrument_id, amount
             FROM ledger WHERE venue_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq, posting",
        )
        .bind(venue.0)
        .bind(signed(after.0)?)
        .bind(signed(through.0)?)
        .fetch_all(&self.main_readers)
        .await?;
        let read = |row: &<Db as sqlx::Database>::Row| {
            let (party, account): (String, Option<uuid::Uuid>) = (row.try_get(2)?, row.try_get(3)?);
            let party = match (party.as_str(), account) {
                ("ACCOUNT", Some(account)) => Party::Account(AccountId(account)),
                ("HOUSE", None) => Party::House,
                ("FEES", None) => Party::Fees,
                _ => return Err(StoreError::Corrupt(format!("a posting of party {party:?}"))),
            };
            let instrument: Option<uuid::Uuid> = row.try_get(4)?;
            let asset = instrument.map_or(Asset::Cash, |id| Asset::Instrument(InstrumentId(id)));
            Ok(LedgerRow {
                seq: Seq(unsigned(row.try_get(0)?)?),
                index: unsigned(row.try_get(1)?)?,
                posting: Posting { party, asset, amount: row.try_get(5)? },
            })
        };
        rows.iter().map(read).collect()
    }

    pub(in crate::store) async fn projection_counts(&self, venue: VenueId) -> Result<(u64, u64), StoreError> {
        let (trades, postings): (i64, i64) = sqlx::query_as::<Db, _>(
            "SELECT (SELECT count(*) FROM trades WHERE venue_id = $1), (SELECT count(*) FROM ledger WHERE venue_id = $1)",
        )
        .bind(venue.0)
        .fetch_one(&self.main_readers)
        .await?;
        Ok((unsigned(trades)?, unsigned(postings)?))
    }
}
