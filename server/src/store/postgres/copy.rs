//! `COPY … (FORMAT BINARY)`: the fastest way to insert rows; it inserts all or none.
//!
//! Does not know what the rows mean.

use sqlx::PgConnection;

use crate::store::batch_statement::{BatchStatement, ColumnValues, InputRows};

/// Signature, flags, and the length of the absent header extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Field length that means NULL.
const NULL_LENGTH: i32 = -1;

/// Bytes per message.
const MESSAGE_BYTES: usize = 256 * 1024;

/// Inserts the rows of each statement into its table; the SQL is not used.
pub(super) async fn insert(
    connection: &mut PgConnection,
    statements: &[BatchStatement<'_>],
) -> Result<(), sqlx::Error> {
    for BatchStatement { table, rows, .. } in statements {
        if rows.is_empty() {
            continue;
        }
        let statement = format!("COPY {table} ({}) FROM STDIN (FORMAT BINARY)", rows.names());
        let mut copy = connection.copy_in_raw(&statement).await?;
        let mut bytes = Vec::with_capacity(MESSAGE_BYTES + 16 * 1024);
        bytes.extend_from_slice(HEADER);
        for row in 0..rows.len() {
            encode(rows, row, &mut bytes);
            if bytes.len() >= MESSAGE_BYTES {
                copy.send(bytes.as_slice()).await?;
                bytes.clear();
            }
        }
        bytes.extend_from_slice(&(-1_i16).to_be_bytes());
        copy.send(bytes).await?;
        copy.finish().await?;
    }
    Ok(())
}

fn encode(rows: &InputRows<'_>, row: usize, bytes: &mut Vec<u8>) {
    // No table has more columns than fit an i16.
    bytes.extend_from_slice(&(rows.column_count() as i16).to_be_bytes());
    for column in rows.columns() {
        match column {
            ColumnValues::Ids(values) => {
                field(bytes, values[row].as_ref().map(|id| id.as_bytes().as_slice()))
            }
            ColumnValues::Numbers(values) => {
                field(bytes, values[row].map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
            }
            ColumnValues::Flags(values) => {
                field(bytes, values[row].map(|flag| [u8::from(flag)]).as_ref().map(<[u8; 1]>::as_slice));
            }
            ColumnValues::Texts(values) => field(bytes, values[row].map(str::as_bytes)),
            ColumnValues::Bytes(values) => field(bytes, values[row]),
        }
    }
}

fn field(bytes: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        Some(value) => {
            // The server refuses a value of two gigabytes anyway.
            bytes.extend_from_slice(&(value.len() as u32).to_be_bytes());
            bytes.extend_from_slice(value);
        }
        None => bytes.extend_from_slice(&NULL_LENGTH.to_be_bytes()),
    }
}
