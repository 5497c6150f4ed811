//! Dealers' firm quotes: what was offered, to whom it is still good, and what
//! is left of it.
//!
//! A quote is good from the step that brings it until its expiry in venue
//! time, for what nobody has taken yet. Does not know why a dealer quotes as it
//! does, nor what a fill moves.

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
    /// Which instrument.
    pub instrument: InstrumentId,
    /// The last sequence number that changed any of them.
    pub rev: Seq,
    /// What is left of each, by id.
    pub quotes: Vec<Quote>,
}

/// Quotes that are over and still known by name, for each instrument: who is a
/// little late hears that a quote has expired, not that there never was one.
const EXPIRED_QUOTES_CAPACITY: usize = 64;

/// A firm two-sided quote and what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Its name.
    pub id: QuoteId,
    /// The dealer's place among those of the instrument.
    pub dealer: u8,
    /// What the dealer pays.
    pub bid: Ticks,
    /// What the dealer asks.
    pub ask: Ticks,
    /// Lots that can still be sold at the bid.
    pub bid_lots: Lots,
    /// Lots that can still be bought at the ask.
    pub ask_lots: Lots,
    /// Good before this venue time.
    pub expires_at: VenueTime,
}

impl Quote {
    /// Price and remaining size for a user who trades on `side`: buyers lift
    /// the offer, sellers hit the bid.
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
    /// Oldest first.
    over: VecDeque<QuoteId>,
}

impl QuoteBoard {
    /// Puts up a dealer's quote.
    pub(crate) fn put(&mut self, id: QuoteId, offered: &DealerQuote) {
        let DealerQuote { dealer, bid, ask, bid_lots, ask_lots, expires_at, .. } = *offered;
        self.quotes.insert(id, Quote { id, dealer, bid, ask, bid_lots, ask_lots, expires_at });
    }

    /// Takes down what has expired at `now`; whether anything had.
    pub(crate) fn expire(&mut self, now: VenueTime) -> bool {
        let before = self.quotes.len();
        let over = &mut self.over;
        self.quotes.retain(|id, quote| {
            let live = quote.expires_at > now;
            if !live {
                over.push_back(*id);
            }
            live
        });
        while self.over.len() > EXPIRED_QUOTES_CAPACITY {
            self.over.pop_front();
        }
        self.quotes.len() != before
    }

    /// Takes down everything.
    pub(crate) fn clear(&mut self) {
        self.expire(VenueTime(i64::MAX));
    }

    /// A live quote.
    ///
    /// # Errors
    /// `quote_expired` for one that was live not long ago, `unknown_quote` for
    /// what is no quote of this instrument.
    pub fn live(&self, id: QuoteId) -> Result<&Quote, Reject> {
        match self.quotes.get(&id) {
            Some(quote) => Ok(quote),
            None if self.over.contains(&id) => Err(Reject::QuoteExpired),
            None => Err(Reject::UnknownQuote),
        }
    }

    /// Whether the name is known here, live or over.
    pub fn knows(&self, id: QuoteId) -> bool {
        self.quotes.contains_key(&id) || self.over.contains(&id)
    }

    /// All that are live, by id.
    pub fn quotes(&self) -> impl Iterator<Item = &Quote> {
        self.quotes.values()
    }

    /// Takes `lots` that a user trades on `side` from what is left.
    pub(crate) fn take(&mut self, id: QuoteId, side: Side, lots: Lots) {
        if let Some(quote) = self.quotes.get_mut(&id) {
            match side {
                Side::Buy => quote.ask_lots -= lots,
                Side::Sell => quote.bid_lots -= lots,
            }
        }
    }

    /// The whole board as it is published.
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
    fn a_quote_is_good_until_it_expires_and_remembered_for_a_while() {
        let mut board = QuoteBoard::default();
        board.put(id(0), &offered(0, 10));
        board.put(id(1), &offered(1, 20));
        assert!(!board.expire(VenueTime(9)));
        assert!(board.expire(VenueTime(10)));
        assert_eq!(board.live(id(0)), Err(Reject::QuoteExpired));
        assert_eq!(board.live(id(1)).map(|quote| quote.dealer), Ok(1));
        assert_eq!(board.live(id(2)), Err(Reject::UnknownQuote));
        for dealer in 2..=70 {
            board.put(id(dealer), &offered(dealer, 10));
            board.expire(VenueTime(10));
        }
        assert_eq!(board.live(id(0)), Err(Reject::UnknownQuote));
        assert_eq!(board.live(id(70)), Err(Reject::QuoteExpired));
    }

    #[test]
    fn each_side_is_taken_on_its_own() {
        let mut board = QuoteBoard::default();
        board.put(id(0), &offered(0, 10));
        board.take(id(0), Side::Buy, Lots(30));
        let quote = board.live(id(0)).unwrap();
        assert_eq!(
            (quote.offered(Side::Buy), quote.offered(Side::Sell)),
            ((Ticks(10_010), Lots(20)), (Ticks(9_990), Lots(50)))
        );
    }
}
