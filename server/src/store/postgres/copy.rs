//! `COPY … (FORMAT BINARY)`: the fastest way of rows into a table, which takes
//! all of them or none.
//!
//! Does not know what the rows mean.

use sqlx::PgConnection;

use super::dialect::Addition;
use crate::store::rows::{Rows, Values};

/// Signature, flags, and the length of an extension that there is not.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Where a field's length would stand.
const NULL: i32 = -1;

/// Bytes that are sent at a time.
const PIECE: usize = 256 * 1024;

/// Copies rows into their tables.
pub(super) async fn add(
    connection: &mut PgConnection,
    additions: &[Addition<'_>],
) -> Result<(), sqlx::Error> {
    for (table, rows, _) in additions {
        if rows.is_empty() {
            continue;
        }
        let statement = format!("COPY {table} ({}) FROM STDIN (FORMAT BINARY)", rows.names());
        let mut copy = connection.copy_in_raw(&statement).await?;
        let mut bytes = Vec::with_capacity(PIECE + 16 * 1024);
        bytes.extend_from_slice(HEADER);
        for row in 0..rows.len() {
            encode(rows, row, &mut bytes);
            if bytes.len() >= PIECE {
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

fn encode(rows: &Rows<'_>, row: usize, bytes: &mut Vec<u8>) {
    // No table has more columns than an i16 counts.
    bytes.extend_from_slice(&(rows.width() as i16).to_be_bytes());
    for column in rows.columns() {
        match column {
            Values::Ids(values) => field(bytes, values[row].as_ref().map(|id| id.as_bytes().as_slice())),
            Values::Numbers(values) => {
                field(bytes, values[row].map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
            }
            Values::Flags(values) => {
                field(bytes, values[row].map(|flag| [u8::from(flag)]).as_ref().map(<[u8; 1]>::as_slice));
            }
            Values::Texts(values) => field(bytes, values[row].map(str::as_bytes)),
            Values::Bytes(values) => field(bytes, values[row]),
        }
    }
}

fn field(bytes: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        Some(value) => {
            // A value of two gigabytes is refused by the server anyway.
            bytes.extend_from_slice(&(value.len() as u32).to_be_bytes());
            bytes.extend_from_slice(value);
        }
        None => bytes.extend_from_slice(&NULL.to_be_bytes()),
    }
}
