//! Content of a message: a typed value, or its encoded bytes.
//!
//! Inside one process a message is neither encoded nor decoded: the value itself
//! is passed on, and encoded only for a consumer that asks for its bytes. Over
//! Redis only bytes are sent. Does not know what a message means.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::decode::{Envelope, encode};

/// Lazily encoded content of a message; clones share it.
#[derive(Clone)]
pub struct Payload(Content);

#[derive(Clone)]
enum Content {
    /// JSON of one of the types in [`protocol::bus`].
    Encoded(Bytes),
    /// A value of one of these types.
    Typed(Arc<dyn Encode>),
}

/// [`Envelope`] without its type.
trait Encode: Any + Send + Sync {
    fn encode(&self) -> Bytes;
    fn encoded_len_hint(&self) -> usize;
}

impl<M: Envelope + Any + Send + Sync> Encode for M {
    fn encode(&self) -> Bytes {
        encode(self)
    }

    fn encoded_len_hint(&self) -> usize {
        Envelope::encoded_len_hint(self)
    }
}

impl Payload {
    /// A typed payload: consumers in this process need not decode it.
    pub fn new<M: Envelope + Send + Sync + 'static>(message: M) -> Self {
        Self(Content::Typed(Arc::new(message)))
    }

    /// The encoded bytes; a typed payload is encoded at each call.
    pub fn bytes(&self) -> Bytes {
        match &self.0 {
            Content::Encoded(bytes) => bytes.clone(),
            Content::Typed(message) => message.encode(),
        }
    }

    /// The value, if the payload is typed and an `M`.
    pub(super) fn typed<M: Any + Send + Sync>(&self) -> Option<Arc<M>> {
        match &self.0 {
            Content::Encoded(_) => None,
            Content::Typed(message) => {
                let message: Arc<dyn Any + Send + Sync> = message.clone();
                message.downcast().ok()
            }
        }
    }

    /// The bytes of an encoded payload.
    pub(crate) fn encoded(&self) -> Option<&Bytes> {
        match &self.0 {
            Content::Encoded(bytes) => Some(bytes),
            Content::Typed(_) => None,
        }
    }

    /// Length in bytes; an estimate for a typed payload.
    pub(crate) fn encoded_len_hint(&self) -> usize {
        match &self.0 {
            Content::Encoded(bytes) => bytes.len(),
            Content::Typed(message) => message.encoded_len_hint(),
        }
    }
}

impl<B: Into<Bytes>> From<B> for Payload {
    fn from(bytes: B) -> Self {
        Self(Content::Encoded(bytes.into()))
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Payload").field(&self.bytes()).finish()
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Payload {}

#[cfg(test)]
mod tests {
    use engine::id::VenueId;
    use engine::order::Reject;
    use uuid::Uuid;

    use super::*;
    use crate::bus::decode::{decode_or_dead_letter, decode_shared};
    use crate::bus::{AppendResult, Batch, Bus};
    use protocol::bus::{CommandReply, ReplyMessage, VERSION};

    #[tokio::test]
    async fn a_typed_payload_equals_its_encoded_bytes() {
        let (bus, venue) = (Bus::local(), VenueId::from_name("main"));
        let reply = CommandReply::Refused(Reject::UnknownOrder);
        let message = ReplyMessage { v: VERSION, venue, correlation: Uuid::from_u128(7), reply };
        let messages = [(1, Payload::new(message.clone())), (2, encode(&message).into())];
        assert_eq!(bus.append_after("s", 0, &messages).await.unwrap(), AppendResult::Appended);
        let Batch::Messages(found) = bus.read_now("s", 0, 9).await.unwrap() else { panic!("trimmed") };
        assert_eq!(found[0].bytes(), found[1].bytes());
        assert!(found[0].payload.encoded().is_none() && found[1].payload.encoded().is_some());
        for found in &found {
            assert_eq!(
                *decode_or_dead_letter::<ReplyMessage>(&bus, venue, "s", found, 0).await.unwrap(),
                message
            );
        }
        // Another venue's message is refused in both forms.
        let other = VenueId::from_name("other");
        for found in &found {
            assert!(decode_shared::<ReplyMessage>(&bus, other, found).is_err());
        }
    }
}
