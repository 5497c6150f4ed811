//! Removal of guests who can never come back: their account is closed, then their
//! user is deleted.
//!
//! Each part may be repeated and interrupted: the mark on the user stays until the
//! account is closed, and a closed account is closed once. Does not know why a
//! session has ended.

use std::time::Duration;

use engine::order::Reject;
use engine::time::MICROS_PER_SECOND;
use engine::venue::Command;
use futures::future::join_all;

use super::Auth;
use crate::sequencer_client::SendError;
use crate::store::StoreError;
use crate::store::users::UserAccount;

const CLOSE_ACCOUNT_TIMEOUT: Duration = Duration::from_secs(5);

/// Guests whose accounts are closed together.
const BATCH_MAX_GUESTS: u32 = 64;

/// Age below which a guest without a session stays: one who is being registered has
/// none yet.
const MIN_AGE_MICROS: i64 = 3_600 * MICROS_PER_SECOND;

impl Auth {
    /// Removes all guests without a session. Stops early while the sequencer takes no
    /// commands; the next call continues.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn remove_guests(&self) -> Result<(), StoreError> {
        let inner = &self.inner;
        loop {
            let now = inner.clock.now();
            let created_before = now.plus_micros(-MIN_AGE_MICROS);
            let guests =
                inner.store.begin_guest_removals(inner.venue, created_before, now, BATCH_MAX_GUESTS).await?;
            let closed = join_all(guests.iter().map(|guest| self.close_account(guest))).await;
            for (guest, closed) in guests.iter().zip(&closed) {
                if let Err(error) = closed {
                    tracing::warn!(event = "account_unclosed", %error, "a guest's account is not closed yet");
                    continue;
                }
                inner.store.delete_guest(inner.venue, guest.user).await?;
                tracing::info!(event = "guest_removed", user = %guest.user, "a guest was removed");
            }
            let is_last = guests.len() < BATCH_MAX_GUESTS as usize;
            if is_last || inner.shutdown.is_cancelled() || closed.iter().any(Result::is_err) {
                return Ok(());
            }
        }
    }

    async fn close_account(&self, guest: &UserAccount) -> Result<(), SendError> {
        let command = Command::CloseAccount { account: guest.account };
        match self.inner.sequencer.send(command, CLOSE_ACCOUNT_TIMEOUT).await {
            // Closed before, or never opened.
            Ok(_) | Err(SendError::Refused(Reject::UnknownAccount)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
