//! The channels that a socket may subscribe to.
//!
//! Does not know the subscriptions.

use engine::candle::Interval;
use engine::id::{AccountId, InstrumentId};
use protocol::socket::FrameError;

/// Longest name shown in an error, in characters.
const SHOWN_NAME_MAX_CHARS: usize = 64;

/// A parsed channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Channel {
    /// An instrument's merged book, or its dealers' quotes.
    Book(InstrumentId),
    /// An instrument's touch and mark.
    Tick(InstrumentId),
    /// An instrument's matches.
    Tape(InstrumentId),
    /// An instrument's candles of one length.
    Candle(InstrumentId, Interval),
    /// The socket's own account: all of it once, then each execution.
    Account,
    /// Its valuation.
    Portfolio,
    /// The venue's clock.
    Clock,
}

impl Channel {
    /// Parses a channel's name for the owner of `own`; `listed` returns true for
    /// listed instruments.
    ///
    /// # Errors
    /// `unknown_channel`; `forbidden` for another's account.
    pub(super) fn parse(
        name: &str,
        own: AccountId,
        listed: impl Fn(InstrumentId) -> bool,
    ) -> Result<Self, FrameError> {
        let (kind, id) = match name.split_once(':') {
            Some((kind, id)) => (kind, Some(id)),
            None => (name, None),
        };
        let unknown = || {
            let shown: String = name.chars().take(SHOWN_NAME_MAX_CHARS).collect();
            error("unknown_channel", format!("There is no channel {shown:?}."))
        };
        let listed_as = |id: Option<&str>| -> Result<InstrumentId, FrameError> {
            let id: Option<InstrumentId> = id.and_then(|id| id.parse().ok());
            id.filter(|id| listed(*id)).ok_or_else(unknown)
        };
        let instrument = || listed_as(id);
        let own_only = |channel: Self| match id {
            None => Ok(channel),
            Some(id) if id.parse() == Ok(own) => Ok(channel),
            Some(_) => Err(error("forbidden", "Accounts are for their owners alone.".to_owned())),
        };
        match kind {
            // Dealers' quotes are the book of what trades on them.
            "book" | "quotes" => instrument().map(Self::Book),
            "tick" => instrument().map(Self::Tick),
            "tape" => instrument().map(Self::Tape),
            "candle" => {
                let (id, interval) = id.and_then(|id| id.split_once(':')).unzip();
                let interval = interval.and_then(Interval::from_word).ok_or_else(unknown)?;
                listed_as(id).map(|id| Self::Candle(id, interval))
            }
            "clock" if id.is_none() => Ok(Self::Clock),
            "account" => own_only(Self::Account),
            "portfolio" => own_only(Self::Portfolio),
            _ => Err(unknown()),
        }
    }
}

pub(super) fn error(code: &str, message: String) -> FrameError {
    FrameError { code: code.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::id::VenueId;
    use uuid::Uuid;

    #[test]
    fn channels_are_parsed_or_refused_by_name() {
        let venue = VenueId::from_name("main");
        let acme = InstrumentId::derive(venue, "ACME");
        let own = AccountId(Uuid::from_u128(1));
        let parse = |name: &str| Channel::parse(name, own, |id| id == acme).map_err(|error| error.code);
        assert_eq!(parse(&format!("book:{acme}")), Ok(Channel::Book(acme)));
        assert_eq!(parse(&format!("quotes:{acme}")), Ok(Channel::Book(acme)));
        assert_eq!(parse(&format!("candle:{acme}:15s")), Ok(Channel::Candle(acme, Interval::S15)));
        assert_eq!(parse("clock"), Ok(Channel::Clock));
        assert_eq!(parse("account"), Ok(Channel::Account));
        assert_eq!(parse(&format!("portfolio:{own}")), Ok(Channel::Portfolio));
        let other = AccountId(Uuid::from_u128(2));
        assert_eq!(parse(&format!("portfolio:{other}")), Err("forbidden".to_owned()));
        let unlisted = format!("tick:{}", InstrumentId::derive(venue, "NONE"));
        let endless = format!("candle:{acme}:2s");
        let of_no_length = format!("candle:{acme}");
        let others = ["", "books", "book", "book:x", "clock:x", "candle:x:1s"];
        for name in others.into_iter().chain([&*unlisted, &endless, &of_no_length, &"x".repeat(10_000)]) {
            assert_eq!(parse(name), Err("unknown_channel".to_owned()), "{name:.20}");
        }
    }
}
