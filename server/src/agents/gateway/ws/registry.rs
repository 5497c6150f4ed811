//! The open sockets of this gateway, by user and session.
//!
//! Does not know what they carry.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::agents::auth::{Identity, SessionKey};

/// Every open socket of this gateway; clones share it.
#[derive(Clone, Debug, Default)]
pub(in crate::agents::gateway) struct Sockets {
    open: Arc<Mutex<Open>>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    sockets: BTreeMap<u64, OpenSocket>,
}

#[derive(Debug)]
struct OpenSocket {
    user: Uuid,
    session: SessionKey,
    signed_out: CancellationToken,
}

/// Permission for one open socket; dropping it gives it back.
#[derive(Debug)]
pub(super) struct ConnectionPermit {
    sockets: Sockets,
    number: u64,
    /// Cancelled when the socket's session is signed out.
    pub(super) signed_out: CancellationToken,
}

impl Sockets {
    /// A permit for one more of the user's sockets; `None` if they have `most`.
    pub(super) fn acquire(&self, identity: &Identity, most: usize) -> Option<ConnectionPermit> {
        let mut open = self.lock();
        if open.sockets.values().filter(|entry| entry.user == identity.user.id).count() >= most {
            return None;
        }
        open.next += 1;
        let (number, signed_out) = (open.next, CancellationToken::new());
        let (user, session) = (identity.user.id, identity.session);
        let entry = OpenSocket { user, session, signed_out: signed_out.clone() };
        open.sockets.insert(number, entry);
        Some(ConnectionPermit { sockets: self.clone(), number, signed_out })
    }

    /// Closes every socket of a session.
    pub(super) fn close_session(&self, session: SessionKey) {
        for entry in self.lock().sockets.values().filter(|entry| entry.session == session) {
            entry.signed_out.cancel();
        }
    }

    /// The number of open sockets.
    pub(in crate::agents::gateway) fn count(&self) -> usize {
        self.lock().sockets.len()
    }

    /// The number of open sockets by user.
    pub(in crate::agents::gateway) fn count_by_user(&self) -> BTreeMap<Uuid, u32> {
        let mut counts = BTreeMap::new();
        for entry in self.lock().sockets.values() {
            *counts.entry(entry.user).or_insert(0) += 1;
        }
        counts
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.sockets.lock().sockets.remove(&self.number);
    }
}
