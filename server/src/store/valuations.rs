//! Valuations of accounts over time.
//!
//! Does not know how an account is valued.

use engine::id::{AccountId, Seq, VenueId};
use engine::money::Money;
use engine::time::VenueTime;
use uuid::Uuid;

use super::batch_statement::{BatchConnection as _, BatchStatement, InputRows};
use super::copying::Schema;
use super::journal::{Cursor, signed, unsigned};
use super::time_search::NumberedTable;
use super::{Store, StoreError, on_backend};

/// An account's valuations by entry.
const VALUATIONS: NumberedTable = NumberedTable {
    schema: Schema::History,
    name: "portfolio_snapshots",
    number: "seq",
    time: "timestamp",
    key: &["venue_id", "account_id"],
};

/// Rows of one statement that deletes.
const DELETE_MAX_ROWS: usize = 1_000;

/// A row of `portfolio_snapshots`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuationRecord {
    /// Account.
    pub account: AccountId,
    /// Journal entry as of which the account is valued.
    pub seq: Seq,
    /// Venue time of the entry.
    pub time: VenueTime,
    /// Cash plus marks.
    pub nav: Money,
    /// Cash.
    pub cash: Money,
    /// P&L of open positions.
    pub unrealized_pnl: Money,
    /// P&L of closed positions.
    pub realized_pnl: Money,
    /// JSON: delta by underlier.
    pub delta_exposure: String,
    /// JSON: DV01 by instrument.
    pub dv01_exposure: String,
    /// JSON of the whole [`engine::portfolio::Valuation`]; `{}` for a low or high between
    /// two stored ones.
    pub valuation: String,
}

/// Net asset value of an account as of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NavPoint {
    /// Journal entry.
    pub seq: Seq,
    /// Venue time of the entry.
    pub time: VenueTime,
    /// Cash plus marks.
    pub nav: Money,
}

/// Filter for an account's valuations, newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ValuationWindow {
    /// Earliest venue time, inclusive.
    pub from: Option<VenueTime>,
    /// Latest venue time, exclusive.
    pub to: Option<VenueTime>,
    /// Only valuations before this entry, where the previous page ended.
    pub before: Option<Seq>,
    /// Maximum number of rows.
    pub limit: u32,
}

impl Store {
    /// Writes valuations and moves the consumer's cursor in one transaction. A stored
    /// valuation stays: it follows from the journal up to its entry.
    ///
    /// # Errors
    /// [`StoreError::Database`]; nothing is written then.
    pub async fn write_valuations(
        &self,
        venue: VenueId,
        rows: &[ValuationRecord],
        cursor: &Cursor,
    ) -> Result<(), StoreError> {
        let rows = InputRows::new()
            .ids("venue_id", rows.iter().map(|_| venue.0))
            .ids("account_id", rows.iter().map(|row| row.account.0))
            .numbers("seq", rows.iter().map(|row| row.seq.0.cast_signed()))
            .numbers("timestamp", rows.iter().map(|row| row.time.0))
            .numbers("nav", rows.iter().map(|row| row.nav.0))
            .numbers("cash_balance", rows.iter().map(|row| row.cash.0))
            .numbers("unrealized_pnl", rows.iter().map(|row| row.unrealized_pnl.0))
            .numbers("realized_pnl", rows.iter().map(|row| row.realized_pnl.0))
            .texts("delta_exposure", rows.iter().map(|row| row.delta_exposure.as_str()))
            .texts("dv01_exposure", rows.iter().map(|row| row.dv01_exposure.as_str()))
            .texts("valuation", rows.iter().map(|row| row.valuation.as_str()));
        let key = ["venue_id", "account_id", "seq"];
        let statement = BatchStatement::insert_absent("portfolio_snapshots", rows, &key);
        self.write_with_cursor(venue, statement, cursor).await
    }

    /// An account's valuations in a window, newest first.
    pub async fn valuations(
        &self,
        venue: VenueId,
        account: AccountId,
        window: ValuationWindow,
    ) -> Result<Vec<ValuationRecord>, StoreError> {
        type Columns = (i64, i64, i64, i64, i64, i64, String, String, String);
        let ValuationWindow { from, to, before, limit } = window;
        let (key, before) = ([venue.0, account.0], before.map(|seq| seq.0));
        let (after, before) = self.number_bounds(VALUATIONS, &key, from, to, before).await?;
        let rows: Vec<Columns> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT seq, timestamp, nav, cash_balance, unrealized_pnl, realized_pnl, delta_exposure,
                        dv01_exposure, valuation
                 FROM portfolio_snapshots WHERE venue_id = $1 AND account_id = $2 AND seq > $3 AND seq < $4
                 ORDER BY seq DESC LIMIT $5",
            )
            .bind(venue.0)
            .bind(account.0)
            .bind(after)
            .bind(before)
            .bind(i64::from(limit))
            .fetch_all(&backend.history_readers)
            .await?
        });
        rows.into_iter()
            .map(
                |(
                    seq,
                    time,
                    nav,
                    cash,
                    unrealized_pnl,
                    realized_pnl,
                    delta_exposure,
                    dv01_exposure,
                    valuation,
                )| {
                    Ok(ValuationRecord {
                        account,
                        seq: Seq(unsigned(seq)?),
                        time: VenueTime(time),
                        nav: Money(nav),
                        cash: Money(cash),
                        unrealized_pnl: Money(unrealized_pnl),
                        realized_pnl: Money(realized_pnl),
                        delta_exposure,
                        dv01_exposure,
                        valuation,
                    })
                },
            )
            .collect()
    }

    /// Net asset values of an account after entry `after`, oldest first.
    pub async fn nav_points(
        &self,
        venue: VenueId,
        account: AccountId,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<NavPoint>, StoreError> {
        let after = signed(after.0)?;
        let rows: Vec<(i64, i64, i64)> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT seq, timestamp, nav FROM portfolio_snapshots
                 WHERE venue_id = $1 AND account_id = $2 AND seq > $3 ORDER BY seq LIMIT $4",
            )
            .bind(venue.0)
            .bind(account.0)
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(&backend.history_readers)
            .await?
        });
        rows.into_iter().map(nav_point).collect()
    }

    /// The newest `limit` net asset values of an account, oldest first.
    pub async fn newest_nav_points(
        &self,
        venue: VenueId,
        account: AccountId,
        limit: u32,
    ) -> Result<Vec<NavPoint>, StoreError> {
        let rows: Vec<(i64, i64, i64)> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT seq, timestamp, nav FROM portfolio_snapshots
                 WHERE venue_id = $1 AND account_id = $2 ORDER BY seq DESC LIMIT $3",
            )
            .bind(venue.0)
            .bind(account.0)
            .bind(i64::from(limit))
            .fetch_all(&backend.history_readers)
            .await?
        });
        rows.into_iter().rev().map(nav_point).collect()
    }

    /// Number of stored valuations of each account that has any.
    pub async fn valuation_counts(&self, venue: VenueId) -> Result<Vec<(AccountId, u64)>, StoreError> {
        let rows: Vec<(Uuid, i64)> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT account_id, count(*) FROM portfolio_snapshots WHERE venue_id = $1 GROUP BY account_id",
            )
            .bind(venue.0)
            .fetch_all(&backend.history_readers)
            .await?
        });
        rows.into_iter().map(|(account, count)| Ok((AccountId(account), unsigned(count)?))).collect()
    }

    /// Deletes an account's valuations of the entries `seqs`.
    ///
    /// # Errors
    /// [`StoreError::Database`]; nothing is deleted then.
    pub async fn delete_valuations(
        &self,
        venue: VenueId,
        account: AccountId,
        seqs: &[Seq],
    ) -> Result<(), StoreError> {
        on_backend!(self, |backend| {
            let mut transaction = backend.begin(Schema::History).await?;
            for some in seqs.chunks(DELETE_MAX_ROWS) {
                let rows = InputRows::new()
                    .ids("venue_id", some.iter().map(|_| venue.0))
                    .ids("account_id", some.iter().map(|_| account.0))
                    .numbers("seq", some.iter().map(|seq| seq.0.cast_signed()));
                transaction.run_batch(&[BatchStatement::delete("portfolio_snapshots", rows)]).await?;
            }
            transaction.commit().await?;
        });
        Ok(())
    }
}

fn nav_point((seq, time, nav): (i64, i64, i64)) -> Result<NavPoint, StoreError> {
    Ok(NavPoint { seq: Seq(unsigned(seq)?), time: VenueTime(time), nav: Money(nav) })
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use super::*;

    #[tokio::test]
    async fn a_nav_history_reads_the_index_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(folder.path()).await.unwrap();
        let Store::Sqlite(backend) = &store else { unreachable!() };
        let query = sqlx::query(
            "EXPLAIN QUERY PLAN SELECT seq, timestamp, nav FROM portfolio_snapshots
             WHERE venue_id = $1 AND account_id = $2 ORDER BY seq DESC LIMIT $3",
        );
        let query = query.bind(Uuid::nil()).bind(Uuid::nil()).bind(10);
        let row = query.fetch_one(&backend.history_readers).await.unwrap();
        let plan: String = row.get(3);
        assert!(plan.contains("USING COVERING INDEX portfolio_nav"), "{plan}");
    }
}
