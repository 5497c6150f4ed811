//! A message on its way: what it says, or the bytes that say it.
//!
//! Inside one process a message is neither written nor read: what is said is
//! handed on, and the bytes are made for whoever asks for them. Over Redis only
//! the bytes go. Does not know what a message means.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::decode::{Envelope, encode};

/// A message on its way; clones share it.
#[derive(Clone)]
pub struct Parcel(Content);

#[derive(Clone)]
enum Content {
    /// JSON of one of the event types.
    Written(Bytes),
    /// What it would say.
    Said(Arc<dyn Speech>),
}

/// What can be written, whatever it is.
trait Speech: Any + Send + Sync {
    fn write(&self) -> Bytes;
    fn weight(&self) -> usize;
}

impl<M: Envelope + Any + Send + Sync> Speech for M {
    fn write(&self) -> Bytes {
        encode(self)
    }

    fn weight(&self) -> usize {
        Envelope::weight(self)
    }
}

impl Parcel {
    /// A message that readers in this process need not read.
    pub fn of<M: Envelope + Send + Sync + 'static>(message: M) -> Self {
        Self(Content::Said(Arc::new(message)))
    }

    /// What goes over the wire; made anew with each call where it was not there.
    pub fn bytes(&self) -> Bytes {
        match &self.0 {
            Content::Written(bytes) => bytes.clone(),
            Content::Said(said) => said.write(),
        }
    }

    /// What it says, if that is an `M` that need not be read.
    pub(super) fn said<M: Any + Send + Sync>(&self) -> Option<Arc<M>> {
        match &self.0 {
            Content::Written(_) => None,
            Content::Said(said) => {
                let said: Arc<dyn Any + Send + Sync> = said.clone();
                said.downcast().ok()
            }
        }
    }

    /// Whether it is bytes that have to be read.
    pub(crate) fn is_written(&self) -> bool {
        matches!(self.0, Content::Written(_))
    }

    /// How long it is in bytes; about that where it is not written.
    pub(crate) fn weight(&self) -> usize {
        match &self.0 {
            Content::Written(bytes) => bytes.len(),
            Content::Said(said) => said.weight(),
        }
    }
}

impl<B: Into<Bytes>> From<B> for Parcel {
    /// Bytes that everybody has to read.
    fn from(bytes: B) -> Self {
        Self(Content::Written(bytes.into()))
    }
}

impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Parcel").field(&self.bytes()).finish()
    }
}

/// The bytes say it all.
impl PartialEq for Parcel {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Parcel {}

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
        assert_eq!(found[0].bytes(), found[1].bytes());
        assert!(!found[0].parcel.is_written() && found[1].parcel.is_written());
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
