//! The venue as of one entry of its journal, as clients may see it: books,
//! marks, tape, accounts.
//!
//! Follows outcomes, never decides. Every change is stamped with a rising
//! version, by which a socket knows what it has not sent yet.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use engine::account::Account;
use engine::book::{BookSnapshot, PriceLevel};
use engine::id::{AccountId, InstrumentId, Seq};
use engine::instrument::Instrument;
use engine::money::{Lots, Money, Ticks};
use engine::quote::Quote;
use engine::quote::QuotesSnapshot;
use engine::time::{Date, VenueTime};
use engine::venue::{Mark, Outcome, TapePrint, Venue};
use protocol::bus::{ExecutionBatch, PortfolioMessage};
use protocol::frames::{BookFrame, BookLevel, Item, PortfolioSnapshot, QuotesFrame, TapeFrame, TickEvent};
use protocol::sparkline::Sparkline;

use super::encoded::Encoded;
use super::execution;

/// Prints kept for each instrument: more than a screen shows.
const TAPE: usize = 256;

/// Executions kept for each account: a socket that falls further behind gets
/// the whole account instead.
const EXECUTIONS: usize = 1_024;

/// The newest of something, and when it became so.
#[derive(Clone, Debug)]
pub(crate) struct Stamped<T> {
    /// Rises with every change of anything in the state.
    pub(crate) version: u64,
    /// The newest.
    pub(crate) value: T,
}

/// A followed account.
#[derive(Debug)]
pub(crate) struct Followed {
    /// As the venue holds it.
    pub(crate) account: Account,
    /// Its newest executions, by `account_seq`.
    pub(crate) executions: VecDeque<Stamped<(u64, Arc<Encoded>)>>,
    /// The portfolio agent's newest valuation.
    pub(crate) portfolio: Option<Stamped<Arc<Encoded>>>,
}

/// A followed instrument.
#[derive(Debug)]
pub(super) struct Market {
    pub(super) mark: Option<Mark>,
    marked_at: VenueTime,
    /// The first mark that is known of the settlement date.
    pub(super) day_open: Option<Ticks>,
    /// The newest entry that is known to have changed the book.
    pub(super) changed: Seq,
    pub(super) book: BookSnapshot,
    /// Dealers' live quotes, for what trades on them; the book is empty then
    /// and carries their revision.
    pub(super) quotes: Vec<Quote>,
    /// The book as it is sent, or the quotes.
    pub(super) book_item: Stamped<Arc<Encoded>>,
    pub(super) tick_item: Option<Stamped<Arc<Encoded>>>,
    pub(super) tape: VecDeque<Stamped<Arc<Encoded>>>,
    /// The small picture of it.
    pub(super) trail: Sparkline,
}

impl Market {
    /// The best prices that can be traded at now, in the book or with a dealer.
    fn touch(&self) -> (Option<Ticks>, Option<Ticks>) {
        let left = |lots: Lots| lots > Lots::ZERO;
        let bids = self.quotes.iter().filter(|quote| left(quote.bid_lots)).map(|quote| quote.bid);
        let asks = self.quotes.iter().filter(|quote| left(quote.ask_lots)).map(|quote| quote.ask);
        let best = |rows: &[PriceLevel]| rows.first().map(|row| row.price);
        (best(&self.book.bids).or(bids.max()), best(&self.book.asks).or(asks.min()))
    }
}

/// Why a batch cannot follow this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {found} follows {through}")]
pub(crate) struct Gap {
    /// The last entry that is in.
    pub(crate) through: Seq,
    /// The one that came.
    pub(crate) found: Seq,
}

/// The venue as of [`VenueReplica::through`].
#[derive(Debug)]
pub(crate) struct VenueReplica {
    /// Everything is as of this entry.
    pub(crate) through: Seq,
    /// Its venue time.
    pub(crate) time: VenueTime,
    /// The last applied step.
    pub(crate) step: u64,
    /// Settlement date.
    pub(crate) date: Date,
    /// The entry that last changed it.
    pub(crate) date_rev: Seq,
    /// What is listed.
    pub(crate) instruments: BTreeMap<InstrumentId, Instrument>,
    /// The newest version that anything carries.
    pub(crate) version: u64,
    pub(super) markets: BTreeMap<InstrumentId, Market>,
    pub(super) accounts: BTreeMap<AccountId, Followed>,
    /// Valuations of entries that are not in yet: nothing in an update may be of a
    /// later entry than the update.
    early: BTreeMap<AccountId, Arc<PortfolioMessage>>,
}

impl VenueReplica {
    /// Starts from a venue's snapshot; `version` is the newest that any socket
    /// may have seen of a state before, so that all of this one is newer.
    pub(crate) fn new(venue: &Venue, version: u64) -> Self {
        let mut state = Self {
            through: venue.seq(),
            time: venue.time(),
            step: venue.step(),
            date: venue.date(),
            date_rev: venue.date_rev(),
            instruments: venue.instruments().clone(),
            version: version + 1,
            markets: BTreeMap::new(),
            accounts: BTreeMap::new(),
            early: BTreeMap::new(),
        };
        for id in venue.instruments().keys() {
            let book = venue.book_snapshot(*id);
            let quotes = venue.quotes_snapshot(*id);
            let market = Market {
                mark: venue.mark(*id),
                marked_at: state.time,
                day_open: None,
                changed: book.rev,
                book_item: match &quotes {
                    Some(quotes) => state.quotes_item(quotes),
                    None => state.book_item(&book),
                },
                book,
                quotes: quotes.map(|message| message.quotes).unwrap_or_default(),
                tick_item: None,
                tape: VecDeque::new(),
                trail: Sparkline::default(),
            };
            state.markets.insert(*id, market);
            state.retick(*id);
        }
        for (id, account) in venue.accounts() {
            let followed =
                Followed { account: account.clone(), executions: VecDeque::new(), portfolio: None };
            state.accounts.insert(*id, followed);
        }
        state
    }

    /// Takes the marks and matches of an entry that is in already.
    pub(crate) fn recall(&mut self, outcome: &Outcome) {
        for mark in &outcome.marks {
            if let Some(market) = self.markets.get_mut(&mark.instrument) {
                market.trail.take(outcome.time, mark.price);
            }
        }
        for print in &outcome.tape {
            self.take_print(print, outcome.time);
        }
    }

    /// Takes the day's first mark of an instrument; whether it is listed.
    pub(crate) fn opened_at(&mut self, id: InstrumentId, mark: Ticks) -> bool {
        let market = self.markets.get_mut(&id);
        market.map(|market| market.day_open = Some(mark)).is_some()
    }

    /// Takes outcomes from the journal, in order, where the stream left a gap.
    /// `dense` is false for what stands for a compacted run of entries. Books
    /// are behind until [`VenueReplica::take_books`] brings them.
    pub(crate) fn refill(&mut self, outcome: &Outcome, dense: bool) {
        if outcome.seq <= self.through {
            return;
        }
        self.version += 1;
        self.follow(outcome);
        if dense {
            self.expect_books(outcome);
        }
        self.through = outcome.seq;
        self.retick_all();
        self.take_early();
    }

    /// Takes the newest known books, perhaps of later entries.
    pub(crate) fn take_books(&mut self, books: Vec<BookSnapshot>, quotes: Vec<QuotesSnapshot>) {
        self.version += 1;
        for book in books {
            self.take_book(book);
        }
        for board in quotes {
            self.take_quotes(board);
        }
        self.retick_all();
    }

    /// Takes a committed batch; entries that are in already are skipped.
    ///
    /// # Errors
    /// [`Gap`] when entries are missing; nothing has changed then.
    pub(crate) fn apply(&mut self, batch: &ExecutionBatch) -> Result<(), Gap> {
        if batch.through <= self.through {
            return Ok(());
        }
        if batch.first_seq > self.through.next() {
            return Err(Gap { through: self.through, found: batch.first_seq });
        }
        if brings_news(batch) {
            self.version += 1;
        }
        let mut touched = std::collections::BTreeSet::new();
        for entry in &batch.entries {
            if entry.outcome.seq > self.through {
                touched.extend(entry.outcome.marks.iter().map(|mark| mark.instrument));
                self.follow(&entry.outcome);
                self.expect_books(&entry.outcome);
                self.through = entry.outcome.seq;
                if entry.outcome.new_date.is_some() {
                    touched.extend(self.instruments.keys());
                }
            }
        }
        for book in &batch.books {
            touched.insert(book.instrument);
            self.take_book(book.clone());
        }
        for board in &batch.quotes {
            touched.insert(board.instrument);
            self.take_quotes(board.clone());
        }
        self.through = batch.through;
        for instrument in touched {
            self.retick(instrument);
        }
        self.take_early();
        Ok(())
    }

    /// Takes the portfolio agent's newest word about an account.
    pub(crate) fn apply_portfolio(&mut self, message: Arc<PortfolioMessage>) {
        if message.through > self.through {
            self.early.insert(message.account, message);
            return;
        }
        let Some(followed) = self.accounts.get_mut(&message.account) else { return };
        self.version += 1;
        let snapshot = PortfolioSnapshot {
            through: message.through,
            timestamp: message.time,
            valuation: message.valuation.clone(),
        };
        let item = Arc::new(Encoded::new(Item::Portfolio(Box::new(snapshot))));
        followed.portfolio = Some(Stamped { version: self.version, value: item });
    }

    /// Takes the valuations that waited for the entries that are in now.
    fn take_early(&mut self) {
        for message in std::mem::take(&mut self.early).into_values() {
            // What is still early goes back to where it was.
            self.apply_portfolio(message);
        }
    }

    fn expect_books(&mut self, outcome: &Outcome) {
        for id in &outcome.books {
            if let Some(market) = self.markets.get_mut(id) {
                market.changed = outcome.seq;
            }
        }
    }

    fn follow(&mut self, outcome: &Outcome) {
        self.time = outcome.time;
        self.step = outcome.step;
        if let Some(date) = outcome.new_date {
            self.date = date;
            self.date_rev = outcome.seq;
            self.markets.values_mut().for_each(|market| market.day_open = None);
        }
        for mark in &outcome.marks {
            if let Some(market) = self.markets.get_mut(&mark.instrument) {
                market.day_open.get_or_insert(mark.price);
                market.trail.take(outcome.time, mark.price);
                market.mark = Some(*mark);
                market.marked_at = outcome.time;
            }
        }
        self.follow_accounts(outcome);
        for print in &outcome.tape {
            self.take_print(print, outcome.time);
        }
    }

    fn follow_accounts(&mut self, outcome: &Outcome) {
        for balance in &outcome.balances {
            let followed = self.accounts.entry(balance.account).or_insert_with(|| Followed {
                account: Account::new(balance.account, Money::ZERO, outcome.seq),
                executions: VecDeque::new(),
                portfolio: None,
            });
            let account = &mut followed.account;
            account.cash = balance.cash;
            account.reserved = balance.reserved;
            account.account_seq = balance.account_seq;
            account.rev = outcome.seq;
        }
        for state in &outcome.positions {
            if let Some(followed) = self.accounts.get_mut(&state.account) {
                followed.account.positions.insert(state.instrument, state.position);
            }
        }
        for event in &outcome.events {
            let Some(followed) = self.accounts.get_mut(&event.account) else { continue };
            if let Some(order) = event.change.order() {
                if order.status.is_live() {
                    followed.account.open.insert(order.id, order.clone());
                } else {
                    followed.account.open.remove(&order.id);
                }
            }
            let frame = execution::frame(outcome, event, &followed.account, &self.instruments);
            let item = Arc::new(Encoded::new(Item::Execution(Box::new(frame))));
            let stamped = Stamped { version: self.version, value: (event.account_seq, item) };
            push_bounded(&mut followed.executions, stamped, EXECUTIONS);
        }
    }

    fn take_print(&mut self, print: &TapePrint, time: VenueTime) {
        let (Some(market), Some(instrument)) =
            (self.markets.get_mut(&print.instrument), self.instruments.get(&print.instrument))
        else {
            return;
        };
        let frame = TapeFrame {
            instrument_id: instrument.id,
            price: instrument.price(print.price),
            quantity: instrument.quantity(print.lots),
            aggressor: print.aggressor,
            timestamp: time,
        };
        let item = Arc::new(Encoded::new(Item::Tape(frame)));
        push_bounded(&mut market.tape, Stamped { version: self.version, value: item }, TAPE);
    }

    fn take_book(&mut self, book: BookSnapshot) {
        if self.markets.get(&book.instrument).is_none_or(|market| book.rev < market.book.rev) {
            return;
        }
        let item = self.book_item(&book);
        if let Some(market) = self.markets.get_mut(&book.instrument) {
            market.book_item = item;
            market.book = book;
        }
    }

    fn take_quotes(&mut self, board: QuotesSnapshot) {
        if self.markets.get(&board.instrument).is_none_or(|market| board.rev < market.book.rev) {
            return;
        }
        let item = self.quotes_item(&board);
        if let Some(market) = self.markets.get_mut(&board.instrument) {
            market.book_item = item;
            market.book.rev = board.rev;
            market.quotes = board.quotes;
        }
    }

    fn quotes_item(&self, board: &QuotesSnapshot) -> Stamped<Arc<Encoded>> {
        let frame = match self.instruments.get(&board.instrument) {
            Some(instrument) => QuotesFrame::new(board, instrument),
            None => QuotesFrame { instrument_id: board.instrument, rev: board.rev, quotes: vec![] },
        };
        Stamped { version: self.version, value: Arc::new(Encoded::new(Item::Quotes(frame))) }
    }

    fn book_item(&self, book: &BookSnapshot) -> Stamped<Arc<Encoded>> {
        let frame = self.instruments.get(&book.instrument).map(|instrument| {
            let level = |row: &PriceLevel| BookLevel {
                price: instrument.price(row.price),
                quantity: instrument.quantity(row.lots),
            };
            BookFrame {
                instrument_id: book.instrument,
                rev: book.rev,
                bids: book.bids.iter().map(level).collect(),
                asks: book.asks.iter().map(level).collect(),
            }
        });
        let frame = frame.unwrap_or(BookFrame {
            instrument_id: book.instrument,
            rev: book.rev,
            bids: vec![],
            asks: vec![],
        });
        Stamped { version: self.version, value: Arc::new(Encoded::new(Item::Book(frame))) }
    }

    fn retick_all(&mut self) {
        for id in self.instruments.keys().copied().collect::<Vec<_>>() {
            self.retick(id);
        }
    }

    /// Makes the quote of `id` anew: its mark, touch or accrued interest moved.
    fn retick(&mut self, id: InstrumentId) {
        let (Some(market), Some(instrument)) = (self.markets.get_mut(&id), self.instruments.get(&id)) else {
            return;
        };
        let Some(mark) = market.mark else { return };
        let (bid, ask) = market.touch();
        let tick = TickEvent {
            instrument_id: id,
            timestamp: market.marked_at,
            bid: bid.map(|price| instrument.price(price)),
            ask: ask.map(|price| instrument.price(price)),
            mid: instrument.price(mark.price),
            status: mark.status,
            mark_rev: mark.rev,
            accrued_per_lot: instrument.accrued_per_lot(self.date),
        };
        let item = Arc::new(Encoded::new(Item::Tick(tick)));
        market.tick_item = Some(Stamped { version: self.version, value: item });
    }
}

/// Whether anything that somebody may follow has changed, and not time alone.
fn brings_news(batch: &ExecutionBatch) -> bool {
    let changes = |outcome: &Outcome| {
        let Outcome { new_date, balances, marks, tape, books, events, positions, .. } = outcome;
        new_date.is_some()
            || !(balances.is_empty() && marks.is_empty() && tape.is_empty())
            || !(books.is_empty() && events.is_empty() && positions.is_empty())
    };
    !(batch.books.is_empty() && batch.quotes.is_empty())
        || batch.entries.iter().any(|entry| changes(&entry.outcome))
}

fn push_bounded<T>(queue: &mut VecDeque<T>, item: T, most: usize) {
    if queue.len() == most {
        queue.pop_front();
    }
    queue.push_back(item);
}
