//! Batch statements on PostgreSQL: one statement of many `WITH` parts, whose rows
//! are array parameters.
//!
//! Does not know what the rows mean.

use sqlx::postgres::PgArguments;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Row as _};

use crate::store::batch_statement::{BatchConnection, BatchStatement, ColumnValues, InputRows};

impl BatchConnection for PgConnection {
    /// One round trip. No statement sees what the others write.
    async fn run_batch(&mut self, statements: &[BatchStatement<'_>]) -> Result<Vec<u64>, sqlx::Error> {
        let filled: Vec<_> = statements.iter().filter(|statement| !statement.rows.is_empty()).collect();
        if filled.is_empty() {
            return Ok(vec![0; statements.len()]);
        }
        let (mut parts, mut counts, mut parameters) = (Vec::new(), Vec::new(), 0);
        for (index, BatchStatement { rows, sql, .. }) in filled.iter().enumerate() {
            parts.push(format!("w{index} AS ({} {sql} RETURNING 1)", input_sql(rows, parameters)));
            counts.push(format!("(SELECT count(*) FROM w{index})"));
            parameters += rows.column_count();
        }
        let sql = format!("WITH {} SELECT {}", parts.join(", "), counts.join(", "));
        let query = sqlx::query(AssertSqlSafe(sql));
        let query = filled.iter().fold(query, |query, statement| bind(query, &statement.rows));
        let row = query.fetch_one(self).await?;
        let mut indices = 0..filled.len();
        let mut written = |statement: &BatchStatement<'_>| match statement.rows.is_empty() {
            true => Ok(0),
            false => row.try_get(indices.next().unwrap_or_default()).map(i64::cast_unsigned),
        };
        statements.iter().map(&mut written).collect()
    }
}

/// Table `input`, from the parameters after the first `parameters`.
fn input_sql(rows: &InputRows<'_>, parameters: usize) -> String {
    let arrays: Vec<_> = rows
        .columns()
        .zip(parameters + 1..)
        .map(|(column, number)| format!("${number}::{}[]", type_name(column)))
        .collect();
    format!("WITH input ({}) AS (SELECT * FROM UNNEST({}))", rows.names(), arrays.join(", "))
}

type Query<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

fn bind<'q>(query: Query<'q>, rows: &'q InputRows<'_>) -> Query<'q> {
    rows.columns().fold(query, |query, column| match column {
        ColumnValues::Ids(values) => query.bind(values),
        ColumnValues::Numbers(values) => query.bind(values),
        ColumnValues::Flags(values) => query.bind(values),
        ColumnValues::Texts(values) => query.bind(values),
        ColumnValues::Bytes(values) => query.bind(values),
    })
}

fn type_name(column: &ColumnValues<'_>) -> &'static str {
    match column {
        ColumnValues::Ids(_) => "uuid",
        ColumnValues::Numbers(_) => "bigint",
        ColumnValues::Flags(_) => "boolean",
        ColumnValues::Texts(_) => "text",
        ColumnValues::Bytes(_) => "bytea",
    }
}
