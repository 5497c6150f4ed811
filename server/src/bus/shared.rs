//! Messages that several readers in this process take, read once for all.
//!
//! Keeps the newest few as long as somebody may still come for them. Does not
//! know who the readers are.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// How many are kept: readers of a stream are rarely further apart.
const KEPT: usize = 4;

type Read = Arc<dyn Any + Send + Sync>;

/// The newest messages, as they came and as they were read.
#[derive(Default)]
pub(super) struct Decoded {
    newest: Mutex<VecDeque<(Bytes, Read)>>,
}

impl fmt::Debug for Decoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoded").finish_non_exhaustive()
    }
}

impl Decoded {
    /// What `bytes` say: as somebody has read them, or by `read`. Whoever comes
    /// meanwhile waits, which is shorter than reading them too.
    pub(super) fn get<M: Any + Send + Sync, E>(
        &self,
        bytes: &Bytes,
        read: impl FnOnce() -> Result<M, E>,
    ) -> Result<Arc<M>, E> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = newest.iter().rev().filter(|(known, _)| same(known, bytes));
        if let Some(found) = known.find_map(|(_, read)| read.clone().downcast::<M>().ok()) {
            return Ok(found);
        }
        let made = Arc::new(read()?);
        if newest.len() == KEPT {
            newest.pop_front();
        }
        newest.push_back((bytes.clone(), made.clone()));
        Ok(made)
    }
}

/// Often the very same bytes, else perhaps equal ones.
fn same(known: &Bytes, bytes: &Bytes) -> bool {
    known.len() == bytes.len() && (known.as_ptr() == bytes.as_ptr() || known == bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_bytes_are_read_once_and_others_anew() {
        let decoded = Decoded::default();
        let mut reads = 0;
        let mut take = |text: &'static str| {
            let read = || {
                reads += 1;
                text.parse::<u64>()
            };
            let taken = decoded.get(&Bytes::copy_from_slice(text.as_bytes()), read);
            (taken.map(|number| *number).ok(), reads)
        };
        assert_eq!(take("7"), (Some(7), 1));
        assert_eq!(take("7"), (Some(7), 1));
        assert_eq!(take("8"), (Some(8), 2));
        // What cannot be read is not kept.
        assert_eq!(take("x"), (None, 3));
        assert_eq!(take("x"), (None, 4));
        // What came long ago is forgotten.
        for text in ["1", "2", "3", "4"] {
            take(text);
        }
        assert_eq!(take("7"), (Some(7), 9));
        // The same bytes as something else are read for themselves.
        let text: Arc<String> =
            decoded.get(&Bytes::from_static(b"7"), || Ok::<_, ()>("seven".into())).unwrap();
        assert_eq!(*text, "seven");
    }
}
