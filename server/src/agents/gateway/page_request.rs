//! Pages of a history: filter, bounds, and signed cursors.
//!
//! Does not know what kind of rows it is about.

use engine::id::{Digest, InstrumentId};
use engine::order::Reject;
use engine::time::{MICROS_PER_SECOND, VenueTime};
use hmac::{Hmac, KeyInit, Mac};
use protocol::error::ApiError;
use protocol::rest::HistoryQuery;
use sha2::Sha256;

/// Rows of a page by default, and at most.
const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1_000;

/// Most characters of a query's field that a cursor is bound to.
const FIELD_MAX_CHARS: usize = 128;

/// Hex digits of a cursor: a position of 8 bytes and a tag of 16.
const CURSOR_DIGITS: usize = 48;

/// A parsed [`HistoryQuery`].
#[derive(Clone, Debug)]
pub(super) struct PageRequest {
    pub(super) instrument: Option<InstrumentId>,
    pub(super) from: Option<VenueTime>,
    pub(super) to: Option<VenueTime>,
    pub(super) limit: u32,
    /// Position at which the page before ended.
    pub(super) after: Option<u64>,
    /// Text that identifies the query: a cursor continues no other.
    identity: String,
}

impl PageRequest {
    /// Parses `query` about `subject` (whose rows, of what kind) at venue time `now`.
    pub(super) fn parse(
        query: &HistoryQuery,
        subject: &str,
        now: VenueTime,
        cursors: &CursorSigner,
    ) -> Result<Self, ApiError> {
        let instrument = match &query.instrument_id {
            None => None,
            Some(text) => Some(parse_instrument_id(text)?),
        };
        let (from, to) = (parse_time(&query.from, "from")?, parse_time(&query.to, "to")?);
        let reversed = matches!((from, to), (Some(from), Some(to)) if from >= to);
        if reversed {
            return Err(invalid("invalid_window", "from must be before to.", "from"));
        }
        for (bound, field) in [(from, "from"), (to, "to")] {
            // The end is exclusive: up to a second later still means now.
            if bound.is_some_and(|time| time > now.plus_micros(MICROS_PER_SECOND)) {
                return Err(invalid("invalid_window", &format!("It is {now} in the venue."), field));
            }
        }
        let limit = match &query.limit {
            None => DEFAULT_LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                .ok_or_else(|| invalid("invalid_limit", "The limit must be 1 to 1000.", "limit"))?,
        };
        let short = |text: &Option<String>| -> String {
            text.as_deref().unwrap_or("-").chars().take(FIELD_MAX_CHARS).collect()
        };
        let identity =
            format!("{subject}|{}|{}|{}", short(&query.instrument_id), short(&query.from), short(&query.to));
        let after = match &query.cursor {
            None => None,
            Some(cursor) => Some(cursors.verify(&identity, cursor).ok_or_else(|| {
                invalid("invalid_cursor", "The cursor does not continue this query.", "cursor")
            })?),
        };
        Ok(Self { instrument, from, to, limit, after, identity })
    }

    /// Rows to fetch: one more than the page, to know if another follows.
    pub(super) fn fetch_limit(&self) -> u32 {
        self.limit + 1
    }

    /// Cuts `rows` to the page; returns the cursor of the next one if there are more.
    pub(super) fn next_cursor<T>(
        &self,
        rows: &mut Vec<T>,
        cursors: &CursorSigner,
        position: impl Fn(&T) -> u64,
    ) -> Option<String> {
        let more = rows.len() > self.limit as usize;
        rows.truncate(self.limit as usize);
        rows.last().filter(|_| more).map(|last| cursors.sign(&self.identity, position(last)))
    }
}

/// An instrument id of a query or path; 404 for what is no UUID.
pub(super) fn parse_instrument_id(text: &str) -> Result<InstrumentId, ApiError> {
    text.parse().map_err(|_| Reject::UnknownInstrument.into())
}

fn parse_time(text: &Option<String>, field: &str) -> Result<Option<VenueTime>, ApiError> {
    let message = "Times are RFC 3339, like 2026-01-05T09:30:00Z.";
    text.as_deref().map(str::parse).transpose().map_err(|_| invalid("invalid_window", message, field))
}

fn invalid(code: &str, message: &str, field: &str) -> ApiError {
    ApiError::new(422, code, message).at(field)
}

/// Signs and verifies cursors: a position with an HMAC-SHA-256 of it and of the
/// query that it continues, cut to 16 bytes. The key survives restarts.
#[derive(Clone)]
pub(super) struct CursorSigner {
    mac: Hmac<Sha256>,
}

impl std::fmt::Debug for CursorSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorSigner(…)")
    }
}

impl CursorSigner {
    /// Derives the key from `secret`, which only the server has.
    pub(super) fn new(secret: &[u8]) -> Self {
        let key = Digest::of(&[b"tickhall cursors", secret]).0;
        let mut block = [0; 64];
        block[..32].copy_from_slice(&key);
        Self { mac: Hmac::new(&block.into()) }
    }

    /// The cursor that continues the query `identity` after `position`.
    fn sign(&self, identity: &str, position: u64) -> String {
        let mut tag = [0; 16];
        tag.copy_from_slice(&self.mac(identity, position).finalize().into_bytes()[..16]);
        format!("{position:016x}{:032x}", u128::from_be_bytes(tag))
    }

    /// The position of a cursor of the query `identity`; `None` for a forged one
    /// and for another query's.
    fn verify(&self, identity: &str, cursor: &str) -> Option<u64> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if cursor.len() != CURSOR_DIGITS || !cursor.bytes().all(hex) {
            return None;
        }
        let (position, tag) = cursor.split_at_checked(16)?;
        let position = u64::from_str_radix(position, 16).ok()?;
        let tag = u128::from_str_radix(tag, 16).ok()?.to_be_bytes();
        self.mac(identity, position).verify_truncated_left(&tag).ok()?;
        Some(position)
    }

    fn mac(&self, identity: &str, position: u64) -> Hmac<Sha256> {
        self.mac.clone().chain_update(position.to_be_bytes()).chain_update(identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-01-05T10:00:00Z";

    fn code(change: impl FnOnce(&mut HistoryQuery)) -> Option<String> {
        let mut query = HistoryQuery::default();
        change(&mut query);
        let now = NOW.parse().unwrap();
        PageRequest::parse(&query, "x", now, &CursorSigner::new(b"k")).err().map(|error| error.code)
    }

    #[test]
    fn bounds_cursors_and_limits_are_refused_by_name() {
        let time = |text: &str| Some(text.to_owned());
        assert_eq!(code(|_| {}), None);
        assert_eq!(code(|q| q.to = time(NOW)), None);
        for limit in ["0", "1001", "-1", "x", "", "1e2"] {
            assert_eq!(code(|q| q.limit = time(limit)).as_deref(), Some("invalid_limit"), "{limit}");
        }
        for (from, to) in [
            (time("2026-01-05T09:59:00Z"), time("2026-01-05T09:58:00Z")),
            (time(NOW), time(NOW)),
            (time("2026-01-06T00:00:00Z"), None),
            (None, time("2026-01-06T00:00:00Z")),
            (time("yesterday"), None),
        ] {
            let found = code(|q| (q.from, q.to) = (from.clone(), to.clone()));
            assert_eq!(found.as_deref(), Some("invalid_window"), "{from:?} {to:?}");
        }
        let forged = code(|q| q.cursor = time(&"0".repeat(48)));
        assert_eq!(forged.as_deref(), Some("invalid_cursor"));
        assert_eq!(code(|q| q.instrument_id = time("x")).as_deref(), Some("unknown_instrument"));
    }

    #[test]
    fn a_cursor_continues_its_own_query_alone() {
        let cursors = CursorSigner::new(b"secret");
        let cursor = cursors.sign("orders of ada", 42);
        assert_eq!(cursors.verify("orders of ada", &cursor), Some(42));
        assert_eq!(cursors.verify("orders of bob", &cursor), None);
        assert_eq!(CursorSigner::new(b"other").verify("orders of ada", &cursor), None);
        let mut forged = cursor.clone();
        forged.replace_range(15..16, "b");
        for bad in ["", "0", &forged, &cursor.to_uppercase(), &format!("{cursor}00"), "é"] {
            assert_eq!(cursors.verify("orders of ada", bad), None, "{bad}");
        }
    }

    /// Computed with Python: hmac.new(sha256(b"tickhall cursors" + b"secret").digest(),
    /// (42).to_bytes(8, "big") + b"orders of ada", "sha256").hexdigest()[:32]
    #[test]
    fn a_cursor_is_the_same_in_every_release() {
        let cursor = CursorSigner::new(b"secret").sign("orders of ada", 42);
        assert_eq!(cursor, "000000000000002a2711382ea0f62a320b780f36bf26f27e");
    }
}
