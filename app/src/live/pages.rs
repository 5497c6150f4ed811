//! Older orders and fills, page by page from the server: for the tables, and all of
//! them for files.
//!
//! Does not know how they are shown.

use engine::order::OrderRecord;
use engine::venue::Fill;
use protocol::error::ApiError;

use super::history::Older;
use super::signals::Live;
use super::state::Changes;
use crate::api;

impl Live {
    /// Loads the next older orders into the table.
    ///
    /// # Errors
    /// The server's.
    pub(crate) async fn load_older_orders(self) -> Result<(), ApiError> {
        while let Older::After(cursor) = self.read(|state| state.history.older_orders.clone()) {
            let page = api::read_orders(cursor, api::TABLE_ROWS).await?;
            let orders = self.change(|state| state.history.add_older_orders(page));
            let is_done = !orders.is_empty();
            self.show(Changes { orders, ..Changes::default() });
            if is_done {
                break;
            }
        }
        Ok(())
    }

    /// Loads the next older fills into the table.
    ///
    /// # Errors
    /// The server's.
    pub(crate) async fn load_older_fills(self) -> Result<(), ApiError> {
        while let Older::After(cursor) = self.read(|state| state.history.older_fills.clone()) {
            let page = api::read_fills(cursor, api::TABLE_ROWS).await?;
            let added = self.change(|state| state.history.add_older_fills(page));
            self.show(Changes { fills: true, ..Changes::default() });
            if added > 0 {
                break;
            }
        }
        Ok(())
    }
}

/// All orders of the account, newest first.
///
/// # Errors
/// The server's.
pub(crate) async fn all_orders() -> Result<Vec<OrderRecord>, ApiError> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = api::read_orders(cursor, api::FILE_ROWS).await?;
        all.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

/// All fills of the account, newest first.
///
/// # Errors
/// The server's.
pub(crate) async fn all_fills() -> Result<Vec<Fill>, ApiError> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = api::read_fills(cursor, api::FILE_ROWS).await?;
        all.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}
