//! A history query parsed at the door: which instrument, when, how many, from
//! where.
//!
//! Does not know what kind of rows it is about.

use engine::id::InstrumentId;
use engine::time::{MICROS_PER_SECOND, VenueTime};
use protocol::gateway::{ApiError, HistoryQuery};

use super::cursor::Cursors;

/// Rows of a page when nothing else is said, and the most.
const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1_000;

/// Longest name that a cursor's question holds of a query's field.
const MAX_TEXT: usize = 128;

/// A parsed query.
#[derive(Clone, Debug)]
pub(super) struct Window {
    pub(super) instrument: Option<InstrumentId>,
    pub(super) from: Option<VenueTime>,
    pub(super) to: Option<VenueTime>,
    pub(super) limit: u32,
    /// Where the last page ended.
    pub(super) after: Option<u64>,
    question: String,
}

impl Window {
    /// Parses `query` about `subject` (whose, what kind), asked at `now`.
    pub(super) fn parse(
        query: &HistoryQuery,
        subject: &str,
        now: VenueTime,
        cursors: &Cursors,
    ) -> Result<Self, ApiError> {
        let instrument = match &query.instrument_id {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| unknown_instrument())?),
        };
        let (from, to) = (time(&query.from, "from")?, time(&query.to, "to")?);
        let reversed = matches!((from, to), (Some(from), Some(to)) if from >= to);
        if reversed {
            return Err(invalid_window("from must be before to.", "from"));
        }
        for (bound, field) in [(from, "from"), (to, "to")] {
            // The end is exclusive: up to a second later still means now.
            if bound.is_some_and(|time| time > now.plus_micros(MICROS_PER_SECOND)) {
                return Err(invalid_window(&format!("It is {now} in the venue."), field));
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
            text.as_deref().unwrap_or("-").chars().take(MAX_TEXT).collect()
        };
        let question =
            format!("{subject}|{}|{}|{}", short(&query.instrument_id), short(&query.from), short(&query.to));
        let after = match &query.cursor {
            None => None,
            Some(cursor) => Some(cursors.read(&question, cursor).ok_or_else(|| {
                invalid("invalid_cursor", "The cursor does not continue this query.", "cursor")
            })?),
        };
        Ok(Self { instrument, from, to, limit, after, question })
    }

    /// Rows to fetch: one more than the page, to know whether another follows.
    pub(super) fn fetch(&self) -> u32 {
        self.limit + 1
    }

    /// The cursor of the next page, if there are rows beyond this one; `rows`
    /// is cut to the page.
    pub(super) fn next<T>(
        &self,
        rows: &mut Vec<T>,
        cursors: &Cursors,
        position: impl Fn(&T) -> u64,
    ) -> Option<String> {
        let more = rows.len() > self.limit as usize;
        rows.truncate(self.limit as usize);
        rows.last().filter(|_| more).map(|last| cursors.make(&self.question, position(last)))
    }
}

/// 404: no such instrument.
pub(super) fn unknown_instrument() -> ApiError {
    crate::http::refused(engine::order::Reject::UnknownInstrument)
}

fn time(text: &Option<String>, field: &str) -> Result<Option<VenueTime>, ApiError> {
    let wrong = |_| invalid_window("Times are RFC 3339, like 2026-01-05T09:30:00Z.", field);
    text.as_deref().map(str::parse).transpose().map_err(wrong)
}

fn invalid_window(message: &str, field: &str) -> ApiError {
    invalid("invalid_window", message, field)
}

fn invalid(code: &str, message: &str, field: &str) -> ApiError {
    ApiError::new(422, code, message).at(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-01-05T10:00:00Z";

    fn code(change: impl FnOnce(&mut HistoryQuery)) -> Option<String> {
        let mut query = HistoryQuery::default();
        change(&mut query);
        let now = NOW.parse().unwrap();
        Window::parse(&query, "x", now, &Cursors::new(b"k")).err().map(|error| error.code)
    }

    #[test]
    fn windows_cursors_and_limits_are_refused_by_name() {
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
}
