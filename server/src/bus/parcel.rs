//! A message on its way: its bytes, and what they say for readers in the very
//! process that wrote them.
//!
//! Inside one process a message is written once and read by nobody: what was
//! written is handed on beside the bytes. Over Redis only the bytes go. Does not
//! know what a message means.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::decode::{Envelope, encode};

/// A message on its way.
#[derive(Clone, Debug)]
pub struct Parcel {
    pub(super) bytes: Bytes,
    pub(super) said: Said,
}

impl Parcel {
    /// A message that readers in this process need not read.
    pub fn of<M: Envelope + Send + Sync + 'static>(message: M) -> Self {
        Self { bytes: encode(&message), said: Said(Some(Arc::new(message))) }
    }

    /// What goes over the wire.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl<B: Into<Bytes>> From<B> for Parcel {
    /// Bytes that everybody has to read.
    fn from(bytes: B) -> Self {
        Self { bytes: bytes.into(), said: Said::default() }
    }
}

/// What a message says, where it was written in this process.
#[derive(Clone, Default)]
pub struct Said(Option<Arc<dyn Any + Send + Sync>>);

impl Said {
    /// What is said, if that is an `M`.
    pub(super) fn get<M: Any + Send + Sync>(&self) -> Option<Arc<M>> {
        self.0.clone()?.downcast().ok()
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Said" } else { "Unsaid" })
    }
}

/// The bytes say it all: two messages differ in them or not at all.
impl PartialEq for Said {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Said {}

#[cfg(test)]
mod tests {
    use engine::id::VenueId;
    use engine::order::Reject;
    use uuid::Uuid;

    use super::*;
    use crate::bus::decode::{decode_or_bury, decode_shared};
    use crate::bus::messages::{CommandReply, ReplyMessage, VERSION};
    use crate::bus::{Batch, Bus};

    #[tokio::test]
    async fn what_is_handed_on_is_what_the_bytes_say() {
        let (bus, venue) = (Bus::local(), VenueId::from_name("main"));
        let reply = CommandReply::Refused(Reject::UnknownOrder);
        let message = ReplyMessage { v: VERSION, venue, correlation: Uuid::from_u128(7), reply };
        bus.append("s", 1, Parcel::of(message.clone())).await.unwrap();
        bus.append("s", 2, encode(&message)).await.unwrap();
        let Batch::Messages(found) = bus.read_now("s", 0, 9).await.unwrap() else { panic!("trimmed") };
        assert_eq!(found[0].bytes, found[1].bytes);
        for found in &found {
            assert_eq!(*decode_or_bury::<ReplyMessage>(&bus, venue, "s", found).await.unwrap(), message);
        }
        // Another venue's is nobody's here, whichever way it comes.
        let other = VenueId::from_name("other");
        for found in &found {
            assert!(decode_shared::<ReplyMessage>(&bus, other, found).is_err());
        }
    }
}
