//! Names of a venue's streams and keys on the bus.
//!
//! Does not know what the messages are for.

use engine::id::{AccountId, InstrumentId, VenueId};

/// Names of a venue's streams and keys. The braces are a hash tag: a Redis Cluster
/// keeps a venue's streams together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamNames {
    /// Steps, from market data.
    pub market_data: String,
    /// Committed batches, from trading.
    pub execution: String,
    /// Valuations, from portfolio.
    pub risk: String,
    /// Commands to the sequencer.
    pub command: String,
    /// The sequencer's replies.
    pub reply: String,
    /// Clock control, to market data.
    pub control: String,
    /// States of the clock, from market data.
    pub clock: String,
    /// Key of the newest [`protocol::bus::ClockStatus`].
    pub clock_status: String,
    /// Sign-outs, from auth.
    pub session: String,
    /// Messages that could not be decoded.
    pub dead_letter: String,
    /// Key of the newest [`protocol::bus::SequencerStatus`].
    pub trading_status: String,
    /// Prefix of the keys of newest merged books; see [`StreamNames::book`].
    pub book_prefix: String,
    /// Prefix of the keys of newest valuations; see [`StreamNames::portfolio`].
    pub portfolio_prefix: String,
}

impl StreamNames {
    /// The default names in `venue`.
    pub fn of(venue: VenueId) -> Self {
        let name = |suffix| Self::name(venue, suffix);
        Self {
            market_data: name("marketdata_stream"),
            execution: name("execution_stream"),
            risk: name("risk_stream"),
            command: name("command_stream"),
            reply: name("reply_stream"),
            control: name("control_stream"),
            clock: name("clock_stream"),
            clock_status: name("clock_status"),
            session: name("session_stream"),
            dead_letter: name("dead_letter"),
            trading_status: name("trading_status"),
            book_prefix: name("book"),
            portfolio_prefix: name("portfolio"),
        }
    }

    /// The name in `venue` that ends in `suffix`.
    pub fn name(venue: VenueId, suffix: &str) -> String {
        format!("{{{venue}}}:{suffix}")
    }

    /// Key of an instrument's newest merged book
    /// ([`engine::book::BookSnapshot`]), or of its dealers' newest quotes
    /// ([`engine::quote::QuotesSnapshot`]).
    pub fn book(&self, instrument: InstrumentId) -> String {
        format!("{}:{instrument}", self.book_prefix)
    }

    /// Key of an account's newest valuation
    /// ([`protocol::bus::PortfolioMessage`]).
    pub fn portfolio(&self, account: AccountId) -> String {
        format!("{}:{account}", self.portfolio_prefix)
    }
}
