//! The caller's account: the data of a trading screen.

use std::collections::BTreeMap;

use engine::account::Account;
use engine::candle::Candle;
use engine::id::{Digest, InstrumentId, VenueId};
use engine::money::{Money, Ticks};
use engine::order::OrderRecord;
use engine::replica::MarketReplica;
use engine::venue::Fill;
use serde::{Deserialize, Serialize};

use super::Page;
use crate::caller::Caller;
use crate::frames::PortfolioSnapshot;
use crate::socket::ClockUpdate;
use crate::sparkline::Sparkline;

/// Market and account as of one entry: the data of a trading screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradingSnapshot {
    /// Id of the venue.
    pub venue: VenueId,
    /// Its name.
    pub venue_name: String,
    /// SHA-256(seed ‖ salt).
    pub seed_commitment: Digest,
    /// Code of the one currency.
    pub currency: String,
    /// The market.
    pub market: MarketReplica,
    /// The caller's account, as of the same entry.
    pub account: Account,
    /// Marks of the last minute.
    pub sparklines: BTreeMap<InstrumentId, Sparkline>,
    /// The caller's valuation.
    pub portfolio: PortfolioSnapshot,
    /// Base of the day's changes.
    pub day_open: DayOpen,
    /// Prices of the newest matches.
    pub last_trades: BTreeMap<InstrumentId, Ticks>,
    /// The venue's clock.
    pub clock: ClockUpdate,
    /// The newest daily candle of each instrument that has one.
    pub days: BTreeMap<InstrumentId, Candle>,
}

/// Figures at the start of the settlement date. What is unknown is absent and
/// shown as a dash, never as zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayOpen {
    /// The caller's NAV; the starting balance of an account opened on this date.
    pub nav: Option<Money>,
    /// Marks, or the first ones of the day, where there are any.
    pub marks: BTreeMap<InstrumentId, Ticks>,
}

/// Everything that a page is rendered from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The signed-in user.
    pub caller: Caller,
    /// Market and account.
    pub snapshot: TradingSnapshot,
    /// The caller's newest orders, read after the snapshot.
    pub orders: Page<OrderRecord>,
    /// The caller's newest fills, read after the snapshot.
    pub fills: Page<Fill>,
}
