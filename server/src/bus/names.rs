//! What a venue's streams and keys are called on the bus.
//!
//! Does not know what travels on them.

use engine::id::VenueId;

use crate::config;

/// Names of a venue's streams. The braces are a hash tag: a Redis Cluster keeps
/// a venue's streams together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamNames {
    /// Steps, from market data.
    pub marketdata: String,
    /// Committed batches, from trading.
    pub execution: String,
    /// Valuations, from portfolio.
    pub risk: String,
    /// Commands to the sequencer.
    pub command: String,
    /// The sequencer's answers.
    pub reply: String,
    /// Clock control, to market data.
    pub control: String,
    /// What the clock does, from market data.
    pub clock: String,
    /// Key of the clock's newest [`super::control::ClockStatus`].
    pub clock_status: String,
    /// Sign-outs, from auth.
    pub session: String,
    /// What could not be read.
    pub dead_letter: String,
    /// Key under which trading keeps its newest [`super::messages::TradingStatus`].
    pub trading_status: String,
    /// Start of the keys of newest merged books; see [`StreamNames::book`].
    pub book_prefix: String,
    /// Start of the keys of newest valuations; see [`StreamNames::portfolio`].
    pub portfolio_prefix: String,
}

impl StreamNames {
    /// The default names in `venue`.
    pub fn of(venue: VenueId) -> Self {
        let name = |suffix: &str| format!("{{{venue}}}:{suffix}");
        Self {
            marketdata: name("marketdata_stream"),
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

    /// The configured names in `venue`.
    pub fn configured(streams: &config::StreamSettings, venue: VenueId) -> Self {
        let config::StreamSettings {
            market_data,
            execution,
            risk,
            command,
            reply,
            control,
            clock,
            session,
            ..
        } = streams;
        let name = |suffix: &str| format!("{{{venue}}}:{suffix}");
        Self {
            marketdata: name(market_data),
            execution: name(execution),
            risk: name(risk),
            command: name(command),
            reply: name(reply),
            control: name(control),
            clock: name(clock),
            session: name(session),
            ..Self::of(venue)
        }
    }

    /// Key of an instrument's newest merged book
    /// ([`engine::book::BookSnapshot`]), or of its dealers' newest quotes
    /// ([`engine::quote::QuotesSnapshot`]).
    pub fn book(&self, instrument: engine::id::InstrumentId) -> String {
        format!("{}:{instrument}", self.book_prefix)
    }

    /// Key of an account's newest valuation
    /// ([`protocol::bus::PortfolioMessage`]).
    pub fn portfolio(&self, account: engine::id::AccountId) -> String {
        format!("{}:{account}", self.portfolio_prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::venue::VenueConfig;

    #[test]
    fn each_stream_is_called_what_it_is_told_to_be() {
        let name = |of: &str| format!("my_{of}");
        let streams = config::StreamSettings {
            market_data: name("market_data"),
            execution: name("execution"),
            risk: name("risk"),
            command: name("command"),
            reply: name("reply"),
            control: name("control"),
            clock: name("clock"),
            session: name("session"),
            ..config::Config::default().streams
        };
        let names = StreamNames::configured(&streams, VenueConfig::default().venue_id());
        for (found, of) in [
            (&names.marketdata, "market_data"),
            (&names.execution, "execution"),
            (&names.risk, "risk"),
            (&names.command, "command"),
            (&names.reply, "reply"),
            (&names.control, "control"),
            (&names.clock, "clock"),
            (&names.session, "session"),
        ] {
            assert!(found.ends_with(&format!("}}:my_{of}")), "{found}");
        }
    }
}
