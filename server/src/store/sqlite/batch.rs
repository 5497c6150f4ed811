//! Batch statements on SQLite: one text of many `VALUES` blocks of fixed sizes.
//!
//! Does not know what the rows mean.

use futures::TryStreamExt as _;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Either, Executor as _, Sqlite, SqliteConnection};

use crate::store::batch_statement::{BatchConnection, BatchStatement, ColumnValues, InputRows};

/// Rows per statement. Few sizes keep the number of prepared texts small; a block
/// is filled up with NULL rows.
const BLOCK_ROWS: [usize; 5] = [1, 4, 16, 32, 64];

impl BatchConnection for SqliteConnection {
    async fn run_batch(&mut self, statements: &[BatchStatement<'_>]) -> Result<Vec<u64>, sqlx::Error> {
        let (mut texts, mut blocks) = (Vec::new(), Vec::new());
        for (index, BatchStatement { rows, sql, .. }) in statements.iter().enumerate() {
            let mut from = 0;
            while from < rows.len() {
                let left = rows.len() - from;
                let largest = BLOCK_ROWS[BLOCK_ROWS.len() - 1];
                let size = BLOCK_ROWS.into_iter().find(|size| *size >= left).unwrap_or(largest);
                texts.push(block_sql(rows, size, sql));
                blocks.push((index, from..from + size));
                from += size;
            }
        }
        let mut written = vec![0; statements.len()];
        if blocks.is_empty() {
            return Ok(written);
        }
        let mut query = sqlx::query(AssertSqlSafe(texts.join(";\n")));
        for (index, block) in &blocks {
            for row in block.clone() {
                query = bind(query, &statements[*index].rows, row);
            }
        }
        let mut finished = blocks.iter();
        let mut results = self.fetch_many(query);
        while let Some(result) = results.try_next().await? {
            if let (Either::Left(done), Some((index, _))) = (result, finished.next()) {
                written[*index] += done.rows_affected();
            }
        }
        Ok(written)
    }
}

type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

/// Binds a row; NULLs past the last one.
fn bind<'q>(query: Query<'q>, rows: &InputRows<'_>, row: usize) -> Query<'q> {
    rows.columns().fold(query, |query, column| match column {
        ColumnValues::Ids(values) => query.bind(values.get(row).copied().flatten()),
        ColumnValues::Numbers(values) => query.bind(values.get(row).copied().flatten()),
        ColumnValues::Flags(values) => query.bind(values.get(row).copied().flatten()),
        ColumnValues::Texts(values) => query.bind(values.get(row).copied().flatten()),
        ColumnValues::Bytes(values) => query.bind(values.get(row).copied().flatten()),
    })
}

/// Text of a statement over `size` rows; NULL rows are dropped, because the first
/// column of every table is NOT NULL. Parameters are anonymous: SQLite searches
/// named ones linearly.
///
/// `OR FAIL` keeps what a failed statement wrote: the transaction ends anyway, and
/// SQLite need not prepare to undo the statement alone.
fn block_sql(rows: &InputRows<'_>, size: usize, sql: &str) -> String {
    let row = format!("({})", vec!["?"; rows.column_count()].join(", "));
    let (names, values) = (rows.names(), vec![row; size].join(", "));
    let sql = sql.replacen("INSERT INTO", "INSERT OR FAIL INTO", 1);
    format!("WITH input ({names}) AS (SELECT * FROM (VALUES {values}) WHERE column1 IS NOT NULL) {sql}")
}
