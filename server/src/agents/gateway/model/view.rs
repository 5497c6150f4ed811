//! Reading the picture: everything that one look sees is as of one entry.
//!
//! Does not change anything.

use std::sync::Arc;

use engine::account::Account;
use engine::book::BookSnapshot;
use engine::decimal::Decimal;
use engine::id::{AccountId, InstrumentId, QuoteId, Seq};
use engine::money::Ticks;
use engine::order::{Conditions, InstrumentStatus};
use engine::portfolio::{Marked, Valuation, value};
use engine::quote::Quote;
use protocol::frames::{AccountFrame, OrderFrame, PositionFrame};
use protocol::sparkline::Sparkline;

use super::encoded::Encoded;
use super::replica::{Followed, Stamped, VenueReplica};

impl VenueReplica {
    /// Whether every book is the one that this entry left: false while one is
    /// older than an entry that changed it, or newer than all of them.
    pub(crate) fn is_consistent(&self) -> bool {
        self.markets
            .values()
            .all(|market| market.book.rev >= market.changed && market.book.rev <= self.through)
    }

    /// The newest entry that any book is of.
    pub(crate) fn newest_book(&self) -> Seq {
        self.markets.values().map(|market| market.book.rev).max().unwrap_or_default()
    }

    /// A followed account.
    pub(crate) fn account(&self, id: AccountId) -> Option<&Followed> {
        self.accounts.get(&id)
    }

    /// The merged book of an instrument, or its dealers' quotes, as sent.
    pub(crate) fn book(&self, id: InstrumentId) -> Option<&Stamped<Arc<Encoded>>> {
        self.markets.get(&id).map(|market| &market.book_item)
    }

    /// A live quote and the instrument that it is about.
    pub(crate) fn quote(&self, id: QuoteId) -> Option<(InstrumentId, &Quote)> {
        let mut markets = self.markets.iter();
        markets.find_map(|(of, market)| Some((*of, market.quotes.iter().find(|quote| quote.id == id)?)))
    }

    /// Mark and touch of an instrument, as sent; absent before its first mark.
    pub(crate) fn tick(&self, id: InstrumentId) -> Option<&Stamped<Arc<Encoded>>> {
        self.markets.get(&id).and_then(|market| market.tick_item.as_ref())
    }

    /// Newest matches of an instrument, oldest first, as sent.
    pub(crate) fn tape(&self, id: InstrumentId) -> impl Iterator<Item = &Stamped<Arc<Encoded>>> {
        self.markets.get(&id).into_iter().flat_map(|market| &market.tape)
    }

    /// An instrument at its mark.
    pub(crate) fn marked(&self, id: InstrumentId) -> Option<Marked<'_>> {
        let instrument = self.instruments.get(&id)?;
        Some(Marked { instrument, mark: self.markets.get(&id)?.mark?.price })
    }

    /// The first mark of an instrument that is known of the settlement date.
    pub(crate) fn day_open(&self, id: InstrumentId) -> Option<Decimal> {
        let (instrument, market) = (self.instruments.get(&id)?, self.markets.get(&id)?);
        market.day_open.map(|mark| instrument.price(mark))
    }

    /// The small picture of an instrument.
    pub(crate) fn trail(&self, id: InstrumentId) -> Sparkline {
        self.markets.get(&id).map(|market| market.trail.clone()).unwrap_or_default()
    }

    /// What a preview reads about an instrument, and the rows of its book.
    pub(crate) fn conditions(&self, id: InstrumentId) -> Option<(Conditions<'_>, &BookSnapshot)> {
        let (instrument, market) = (self.instruments.get(&id)?, self.markets.get(&id)?);
        let conditions = Conditions {
            instrument,
            status: market.mark.map_or(InstrumentStatus::Halted, |mark| mark.status),
            mark: market.mark.map_or(Ticks::ZERO, |mark| mark.price),
            mark_rev: market.mark.map_or(Seq(0), |mark| mark.rev),
            date: self.date,
            date_rev: self.date_rev,
            book_rev: market.book.rev,
        };
        Some((conditions, &market.book))
    }

    /// An account's figures, as of this very state.
    pub(crate) fn valuation(&self, account: &Account) -> Valuation {
        value(account, self.date, &|id| self.marked(id))
    }

    /// An account as its owner sees it.
    pub(crate) fn account_frame(&self, account: &Account) -> AccountFrame {
        let positions = account
            .positions
            .iter()
            .filter_map(|(id, position)| Some(PositionFrame::new(position, self.instruments.get(id)?)));
        let orders = account
            .open
            .values()
            .filter_map(|order| Some(OrderFrame::new(order, self.instruments.get(&order.instrument)?)));
        AccountFrame {
            account_seq: account.account_seq,
            rev: account.rev,
            cash: account.cash,
            reserved: account.reserved,
            positions: positions.collect(),
            orders: orders.collect(),
        }
    }
}
