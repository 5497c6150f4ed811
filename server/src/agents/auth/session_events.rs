//! Announcements of ended sessions, for every gateway that holds their sockets.
//!
//! A message names the hash that the store holds, which signs nobody in. Does
//! not know sockets.

use engine::id::{Digest, VenueId};
use serde::{Deserialize, Serialize};

use super::session_store::SessionKey;
use crate::bus::Bus;
use crate::bus::decode::{Envelope, encode};

/// A session has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEnded {
    /// Version of this shape: 1.
    pub v: u8,
    /// Venue whose users read it.
    pub venue: VenueId,
    /// SHA-256 of the session's id.
    pub session: Digest,
}

impl Envelope for SessionEnded {
    const VERSION: u8 = 1;

    fn version_and_venue(&self) -> (u8, VenueId) {
        (self.v, self.venue)
    }
}

impl SessionEnded {
    /// Key of the session that has ended.
    pub fn key(&self) -> SessionKey {
        SessionKey::from_hash(self.session)
    }
}

/// Announces that `session` has ended. While the bus is down, sockets find out
/// by themselves a little later: they look their session up at intervals.
pub(super) async fn announce(bus: &Bus, stream: &str, venue: VenueId, session: SessionKey) {
    let message = SessionEnded { v: SessionEnded::VERSION, venue, session: session.hash() };
    if let Err(error) = bus.append_auto(stream, encode(&message), usize::MAX).await {
        tracing::warn!(event = "sign_out_unannounced", %error, "a sign-out was not announced");
    }
}
