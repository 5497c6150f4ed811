//! Dealers' firm quotes and their remaining sizes.
//!
//! A quote is valid from the step that publishes it until its expiry in venue
//! time, for the part not yet taken. Does not know how a dealer prices, nor what
//! a fill moves.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::id::{InstrumentId, QuoteId, Seq};
use crate::money::{Lots, Ticks};
use crate::order::{Reject, Side};
use crate::step::DealerQuote;
use crate::time::VenueTime;

/// All live quotes of an instrument that trades on them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotesSnapshot {
    /// Quoted instrument.
    pub instrument: InstrumentId,
    /// The last sequence number that changed any of them.
    pub rev: Seq,
    /// The live quotes with their remaining sizes, by id.
    pub quotes: Vec<Quote>,
}

/// Ids of expired quotes remembered per instrument: a late request is answered
/// with `quote_expired` instead of `unknown_quote`.
const EXPIRED_QUOTES_CAPACITY: usize = 64;

/// A firm two-sided quote with its remaining sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Id of the quote.
    pub id: QuoteId,
    /// Index of the dealer among the instrument's dealers.
    pub dealer: u8,
    /// The dealer's buying price.
    pub bid: Ticks,
    /// The dealer's selling price.
    pub ask: Ticks,
    /// Lots that can still be sold at the bid.
    pub bid_lots: Lots,
    /// Lots that can still be bought at the ask.
    pub ask_lots: Lots,
    /// Valid before this venue time.
    pub expires_at: VenueTime,
}

impl Quote {
    /// Returns price and remaining size for a user who trades on `side`: buyers
    /// lift the offer, sellers hit the bid.
    pub const fn offered(&self, side: Side) -> (Ticks, Lots) {
        match side {
            Side::Buy => (self.ask, self.ask_lots),
            Side::Sell => (self.bid, self.bid_lots),
        }
    }
}

/// The live quotes of one instrument.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteBoard {
    quotes: BTreeMap<QuoteId, Quote>,
    /// Recently expired, oldest first.
    expired: VecDeque<QuoteId>,
}

impl QuoteBoard {
    /// Adds a dealer's quote.
    pub(crate) fn add(&mut self, id: QuoteId, offered: &DealerQuote) {
        let DealerQuote { dealer, bid, ask, bid_lots, ask_lots, expires_at, .. } = *offered;
        self.quotes.insert(id, Quote { id, dealer, bid, ask, bid_lots, ask_lots, expires_at });
    }

    /// Removes the quotes that have expired at `now`; returns true if there were any.
    pub(crate) fn expire(&mut self, now: VenueTime) -> bool {
        let before = self.quotes.len();
        let expired = &mut self.expired;
        self.quotes.retain(|id, quote| {
            let live = quote.expires_at > now;
            if !live {
                expired.push_back(*id);
            }
            live
        });
        while self.expired.len() > EXPIRED_QUOTES_CAPACITY {
            self.expired.pop_front();
        }
        self.quotes.len() != before
    }

    /// Removes all quotes.
    pub(crate) fn clear(&mut self) {
        self.expire(VenueTime(i64::MAX));
    }

    /// Returns a live quote.
    ///
    /// # Errors
    /// `quote_expired` for a recently expired quote, `unknown_quote` for any other
    /// id.
    pub fn live(&self, id: QuoteId) -> Result<&Quote, Reject> {
        match self.quotes.get(&id) {
            Some(quote) => Ok(quote),
            None if self.expired.contains(&id) => Err(Reject::QuoteExpired),
            None => Err(Reject::UnknownQuote),
        }
    }

    /// Returns true if the quote is live or recently expired.
    pub fn contains(&self, id: QuoteId) -> bool {
        self.quotes.contains_key(&id) || self.expired.contains(&id)
    }

    /// Returns the live quotes, by id.
    pub fn quotes(&self) -> impl Iterator<Item = &Quote> {
        self.quotes.values()
    }

    /// Reduces the remaining size by `lots` that a user trades on `side`.
    pub(crate) fn take(&mut self, id: QuoteId, side: Side, lots: Lots) {
        if let Some(quote) = self.quotes.get_mut(&id) {
            match side {
                Side::Buy => quote.ask_lots -= lots,
                Side::Sell => quote.bid_lots -= lots,
            }
        }
    }

    /// Returns the live quotes as published.
    pub fn snapshot(&self, instrument: InstrumentId, rev: Seq) -> QuotesSnapshot {
        QuotesSnapshot { instrument, rev, quotes: self.quotes.values().copied().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::VenueId;

    fn offered(dealer: u8, expires_at: i64) -> DealerQuote {
        let (bid, ask, lots) = (Ticks(9_990), Ticks(10_010), Lots(50));
        DealerQuote {
            instrument: InstrumentId::derive(VenueId::from_name("main"), "OTC"),
            dealer,
            bid,
            ask,
            bid_lots: lots,
            ask_lots: lots,
            expires_at: VenueTime(expires_at),
        }
    }

    fn id(dealer: u8) -> QuoteId {
        QuoteId(uuid::Uuid::from_u128(u128::from(dealer) + 1))
    }

    #[test]
    fn a_quote_is_live_until_it_expires_and_remembered_for_a_while() {
        let mut board = QuoteBoard::default();
        board.add(id(0), &offered(0, 10));
        board.add(id(1), &offered(1, 20));
        assert!(!board.expire(VenueTime(9)));
        assert!(board.expire(VenueTime(10)));
        assert_eq!(board.live(id(0)), Err(Reject::QuoteExpired));
        assert_eq!(board.live(id(1)).map(|quote| quote.dealer), Ok(1));
        assert_eq!(board.live(id(2)), Err(Reject::UnknownQuote));
        for dealer in 2..=70 {
            board.add(id(dealer), &offered(dealer, 10));
            board.expire(VenueTime(10));
        }
        assert_eq!(board.live(id(0)), Err(Reject::UnknownQuote));
        assert_eq!(board.live(id(70)), Err(Reject::QuoteExpired));
    }

    #[test]
    fn each_side_is_taken_independently() {
        let mut board = QuoteBoard::default();
        board.add(id(0), &offered(0, 10));
        board.take(id(0), Side::Buy, Lots(30));
        let quote = board.live(id(0)).unwrap();
        assert_eq!(
            (quote.offered(Side::Buy), quote.offered(Side::Sell)),
            ((Ticks(10_010), Lots(20)), (Ticks(9_990), Lots(50)))
        );
    }
}
