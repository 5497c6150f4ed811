//! The word that a session ended, for every gateway that holds its sockets.
//!
//! It names the hash that the store knows the session by, which signs nobody
//! in. Does not know sockets.

use engine::id::{Digest, VenueId};
use serde::{Deserialize, Serialize};

use super::Deps;
use super::session::SessionKey;
use crate::bus::decode::{Envelope, encode};

/// A session was signed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEnded {
    /// Version of this shape: 1.
    pub v: u8,
    /// Whose market's users read it.
    pub venue: VenueId,
    /// The session's name in the store.
    pub session: Digest,
}

impl Envelope for SessionEnded {
    const VERSION: u8 = 1;

    fn version_and_venue(&self) -> (u8, VenueId) {
        (self.v, self.venue)
    }
}

impl SessionEnded {
    /// The session that ended.
    pub fn key(&self) -> SessionKey {
        SessionKey::from_hash(self.session)
    }
}

/// Says that `session` ended. When the bus is away, sockets notice by
/// themselves a little later: they ask for their session again and again.
pub(super) async fn announce(deps: &Deps, session: SessionKey) {
    let (bus, venue) = (&deps.bus, deps.venue);
    let message = SessionEnded { v: SessionEnded::VERSION, venue, session: session.hash() };
    if let Err(error) = bus.append_auto(&deps.streams.session, encode(&message), usize::MAX).await {
        tracing::warn!(event = "sign_out_unannounced", %error, "a sign-out was not announced");
    }
}
