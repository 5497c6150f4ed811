//! Messages that several consumers in this process decode, decoded once for all.
//!
//! Does not know who the consumers are.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Cached messages: consumers of a stream are rarely further apart.
const CACHE_CAPACITY: usize = 4;

type Decoded = Arc<dyn Any + Send + Sync>;

/// The newest decoded messages, with their bytes.
#[derive(Default)]
pub(super) struct DecodeCache {
    newest: Mutex<VecDeque<(Bytes, Decoded)>>,
}

impl fmt::Debug for DecodeCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodeCache").finish_non_exhaustive()
    }
}

impl DecodeCache {
    /// The message in `bytes`: from the cache, or by `decode`. Concurrent callers
    /// wait, which is shorter than decoding it again.
    pub(super) fn get<M: Any + Send + Sync, E>(
        &self,
        bytes: &Bytes,
        decode: impl FnOnce() -> Result<M, E>,
    ) -> Result<Arc<M>, E> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let mut cached = newest.iter().rev().filter(|(cached, _)| is_same(cached, bytes));
        if let Some(found) = cached.find_map(|(_, decoded)| decoded.clone().downcast::<M>().ok()) {
            return Ok(found);
        }
        let decoded = Arc::new(decode()?);
        if newest.len() == CACHE_CAPACITY {
            newest.pop_front();
        }
        newest.push_back((bytes.clone(), decoded.clone()));
        Ok(decoded)
    }
}

/// Compares the addresses first: shared buffers are the common case.
fn is_same(cached: &Bytes, bytes: &Bytes) -> bool {
    cached.len() == bytes.len() && (cached.as_ptr() == bytes.as_ptr() || cached == bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_bytes_are_decoded_once() {
        let cache = DecodeCache::default();
        let mut decodes = 0;
        let mut take = |text: &'static str| {
            let decode = || {
                decodes += 1;
                text.parse::<u64>()
            };
            let taken = cache.get(&Bytes::copy_from_slice(text.as_bytes()), decode);
            (taken.map(|number| *number).ok(), decodes)
        };
        assert_eq!(take("7"), (Some(7), 1));
        assert_eq!(take("7"), (Some(7), 1));
        assert_eq!(take("8"), (Some(8), 2));
        // Failures are not cached.
        assert_eq!(take("x"), (None, 3));
        assert_eq!(take("x"), (None, 4));
        // The oldest message is evicted.
        for text in ["1", "2", "3", "4"] {
            take(text);
        }
        assert_eq!(take("7"), (Some(7), 9));
        // The same bytes as another type are decoded again.
        let text: Arc<String> = cache.get(&Bytes::from_static(b"7"), || Ok::<_, ()>("seven".into())).unwrap();
        assert_eq!(*text, "seven");
    }
}
