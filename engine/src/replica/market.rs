//! The public side of a venue as of one entry: settlement date, marks, merged
//! books and dealers' quotes, and what a preview computes from them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::book::{BookSnapshot, PriceLevel};
use crate::id::{InstrumentId, QuoteId, Seq};
use crate::instrument::Instrument;
use crate::money::{Lots, Money, Ticks};
use crate::order::{
    Amend, Conditions, InstrumentStatus, Preview, Reject, Side, Take, Ticket, preview, preview_amend,
    preview_take,
};
use crate::portfolio::{Marked, Valuation, value};
use crate::quote::{Quote, QuotesSnapshot};
use crate::time::{Date, VenueTime};
use crate::venue::{ConfigError, Mark, Outcome, Venue, VenueConfig};

/// The market of a venue as of entry `through`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketReplica {
    /// The newest entry applied.
    pub through: Seq,
    /// Venue time of that entry.
    pub time: VenueTime,
    /// Settlement date.
    pub date: Date,
    /// The entry that last changed the settlement date.
    pub date_rev: Seq,
    /// The listed instruments.
    pub instruments: BTreeMap<InstrumentId, InstrumentReplica>,
}

/// The market of one instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstrumentReplica {
    /// Its terms and units.
    pub instrument: Instrument,
    /// Its mark and trading status, once there are any.
    pub mark: Option<Mark>,
    /// Venue time of the mark.
    pub marked_at: VenueTime,
    /// The merged book. Of an instrument that trades on quotes it is empty, and
    /// its revision is that of the quotes.
    pub book: BookSnapshot,
    /// Dealers' live quotes.
    pub quotes: Vec<Quote>,
}

impl InstrumentReplica {
    fn new(instrument: Instrument, time: VenueTime) -> Self {
        let book = BookSnapshot { instrument: instrument.id, rev: Seq(0), bids: vec![], asks: vec![] };
        Self { instrument, mark: None, marked_at: time, book, quotes: vec![] }
    }

    /// The price at which it is marked, once there is one.
    pub fn mark_price(&self) -> Option<Ticks> {
        self.mark.map(|mark| mark.price)
    }

    /// The resting levels of `side`, best first.
    pub fn levels(&self, side: Side) -> &[PriceLevel] {
        match side {
            Side::Buy => &self.book.bids,
            Side::Sell => &self.book.asks,
        }
    }

    /// The best price that can be traded at on `side` of the market, in the book
    /// or with a dealer.
    pub fn touch(&self, side: Side) -> Option<Ticks> {
        let best = self.levels(side).first().map(|level| level.price);
        let offered = self.quotes.iter().map(|quote| quote.offered(side.opposite()));
        let offered = offered.filter(|(_, left)| *left > Lots::ZERO).map(|(price, _)| price);
        match side {
            Side::Buy => best.or(offered.max()),
            Side::Sell => best.or(offered.min()),
        }
    }

    /// The dealers' quotes as published, if the instrument trades on them.
    pub fn quotes_snapshot(&self) -> Option<QuotesSnapshot> {
        let BookSnapshot { instrument, rev, .. } = self.book;
        self.instrument.is_dealt().then(|| QuotesSnapshot { instrument, rev, quotes: self.quotes.clone() })
    }

    /// The best quote for a user who trades `lots` on `side`: of those that are
    /// large enough, else of all.
    pub fn best_quote(&self, side: Side, lots: Lots) -> Option<&Quote> {
        self.quotes.iter().min_by_key(|quote| {
            let (price, left) = quote.offered(side);
            (left < lots, side.sign() * price.0, std::cmp::Reverse(quote.expires_at))
        })
    }
}

impl MarketReplica {
    /// The market before entry 1.
    ///
    /// # Errors
    /// The rule that `config` breaks, by name.
    pub fn before_opening(config: &VenueConfig) -> Result<Self, ConfigError> {
        let time = config.time_of(0);
        let instruments = config.instruments()?.into_iter();
        Ok(Self {
            through: Seq(0),
            time,
            date: config.date_at(0),
            date_rev: Seq(0),
            instruments: instruments.map(|(id, listed)| (id, InstrumentReplica::new(listed, time))).collect(),
        })
    }

    /// The market of `venue` as it is.
    pub fn of_venue(venue: &Venue) -> Self {
        let replica = |(id, instrument): (&InstrumentId, &Instrument)| {
            let replica = InstrumentReplica {
                instrument: instrument.clone(),
                mark: venue.mark(*id),
                marked_at: venue.time(),
                book: venue.book_snapshot(*id),
                quotes: venue.quotes_snapshot(*id).map(|snapshot| snapshot.quotes).unwrap_or_default(),
            };
            (*id, replica)
        };
        Self {
            through: venue.seq(),
            time: venue.time(),
            date: venue.date(),
            date_rev: venue.date_rev(),
            instruments: venue.instruments().iter().map(replica).collect(),
        }
    }

    /// Applies the part of an entry that concerns the market.
    pub(super) fn apply(&mut self, outcome: &Outcome) {
        (self.through, self.time) = (outcome.seq, outcome.time);
        if let Some(date) = outcome.new_date {
            (self.date, self.date_rev) = (date, outcome.seq);
        }
        for mark in &outcome.marks {
            self.set_mark(*mark, outcome.time);
        }
    }

    /// Replaces a mark that was set at `time`. Returns false for an older one or
    /// an unlisted instrument, as do the other setters.
    pub fn set_mark(&mut self, mark: Mark, time: VenueTime) -> bool {
        let listed = self.instruments.get_mut(&mark.instrument);
        let Some(listed) = listed.filter(|listed| listed.mark.is_none_or(|old| mark.rev >= old.rev)) else {
            return false;
        };
        (listed.mark, listed.marked_at) = (Some(mark), time);
        true
    }

    /// Replaces a merged book.
    pub fn set_book(&mut self, book: BookSnapshot) -> bool {
        let Some(listed) = self.not_newer_than(book.rev, book.instrument) else { return false };
        listed.book = book;
        true
    }

    /// Replaces the quotes of an instrument that trades on them.
    pub fn set_quotes(&mut self, snapshot: QuotesSnapshot) -> bool {
        let Some(listed) = self.not_newer_than(snapshot.rev, snapshot.instrument) else { return false };
        (listed.book.rev, listed.quotes) = (snapshot.rev, snapshot.quotes);
        true
    }

    fn not_newer_than(&mut self, rev: Seq, id: InstrumentId) -> Option<&mut InstrumentReplica> {
        self.instruments.get_mut(&id).filter(|listed| listed.book.rev <= rev)
    }

    /// A live quote and the instrument that it is for.
    pub fn quote(&self, id: QuoteId) -> Option<(InstrumentId, &Quote)> {
        let mut quotes = self.instruments.iter().flat_map(|(of, listed)| {
            let quotes = listed.quotes.iter();
            quotes.map(|quote| (*of, quote))
        });
        quotes.find(|(_, quote)| quote.id == id)
    }

    /// Interest that one lot of an instrument has accrued on the settlement
    /// date.
    pub fn accrued_per_lot(&self, id: InstrumentId) -> Money {
        let listed = self.instruments.get(&id);
        listed.map_or(Money::ZERO, |listed| listed.instrument.accrued_per_lot(self.date))
    }

    /// An instrument at its mark.
    pub fn marked(&self, id: InstrumentId) -> Option<Marked<'_>> {
        let listed = self.instruments.get(&id)?;
        Some(Marked { instrument: &listed.instrument, mark: listed.mark_price()? })
    }

    /// An account's figures at the marks.
    pub fn value(&self, account: &Account) -> Valuation {
        value(account, self.date, &|id| self.marked(id))
    }

    /// The effect of placing `ticket` now, by the venue's own rule.
    ///
    /// # Errors
    /// The venue's refusal.
    pub fn preview(&self, account: &Account, ticket: &Ticket) -> Result<Preview, Reject> {
        let listed = self.listed(ticket.instrument)?;
        let opposite = listed.levels(ticket.side.opposite()).iter().copied();
        preview(&self.conditions(listed), account, opposite, ticket, |id| self.marked(id))
    }

    /// The effect of taking a live quote of `instrument` now, by the venue's own
    /// rule.
    ///
    /// # Errors
    /// The venue's refusal; `unknown_quote` if the quote is not live here.
    pub fn preview_take(
        &self,
        account: &Account,
        instrument: InstrumentId,
        side: Side,
        take: &Take,
    ) -> Result<Preview, Reject> {
        let listed = self.listed(instrument)?;
        let quote = listed.quotes.iter().find(|quote| quote.id == take.quote).ok_or(Reject::UnknownQuote)?;
        preview_take(&self.conditions(listed), account, quote, side, take, |id| self.marked(id))
    }

    /// The effect of amending a live order of `account` now, by the venue's own
    /// rule.
    ///
    /// # Errors
    /// The venue's refusal.
    pub fn preview_amend(&self, account: &Account, amend: &Amend) -> Result<Preview, Reject> {
        let order = account.open.get(&amend.order).ok_or(Reject::UnknownOrder)?;
        let listed = self.listed(order.instrument)?;
        let opposite = listed.levels(order.side.opposite()).iter().copied();
        preview_amend(&self.conditions(listed), account, opposite, amend, |id| self.marked(id))
    }

    fn listed(&self, id: InstrumentId) -> Result<&InstrumentReplica, Reject> {
        self.instruments.get(&id).ok_or(Reject::UnknownInstrument)
    }

    /// The inputs of `check` about `listed`.
    pub fn conditions<'a>(&self, listed: &'a InstrumentReplica) -> Conditions<'a> {
        Conditions {
            instrument: &listed.instrument,
            status: listed.mark.map_or(InstrumentStatus::Halted, |mark| mark.status),
            mark: listed.mark_price().unwrap_or_default(),
            mark_rev: listed.mark.map_or(Seq(0), |mark| mark.rev),
            date: self.date,
            date_rev: self.date_rev,
            book_rev: listed.book.rev,
        }
    }
}
