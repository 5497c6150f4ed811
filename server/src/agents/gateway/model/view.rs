//! The venue as clients may see it, as of one entry: the engine's replica with
//! the items that are sent of it.
//!
//! Every change is stamped with a rising version, by which a socket knows what
//! it has not sent yet. Decides nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use engine::account::Account;
use engine::book::BookSnapshot;
use engine::candle::{Candle, Candles, Interval};
use engine::id::{AccountId, InstrumentId, Seq};
use engine::instrument::Instrument;
use engine::money::Ticks;
use engine::order::Reject;
use engine::quote::QuotesSnapshot;
use engine::replica::{Execution, Gap, InstrumentReplica, MarketReplica, VenueReplica};
use engine::venue::{AccountChange, Outcome, Venue};
use protocol::bus::{ExecutionBatch, PortfolioMessage};
use protocol::frames::{Instruments, PortfolioSnapshot};
use protocol::socket::{CandleUpdate, ClockUpdate, Item, TapeUpdate, TickUpdate};
use protocol::sparkline::Sparkline;

use super::encoded::Encoded;
use crate::journal::StoredEntry;

/// Tape of each instrument: longer than a screen shows.
const TAPE_CAPACITY: usize = 256;

/// Executions of each account: a socket that falls further behind gets the whole
/// account instead.
const EXECUTIONS_CAPACITY: usize = 1_024;

/// Candles of each instrument and interval: more than change between two updates
/// of a socket at a thousand times real time.
const CANDLES_CAPACITY: usize = 128;

/// A value and the version at which it became current.
#[derive(Clone, Debug)]
pub(crate) struct Stamped<T> {
    /// Rises with every change of anything in the view.
    pub(crate) version: u64,
    /// The newest.
    pub(crate) value: T,
}

type Stamp = Stamped<Arc<Encoded>>;

/// The items of one account, besides the account itself.
#[derive(Debug, Default)]
pub(crate) struct AccountItems {
    /// Its newest executions, by `account_seq`.
    pub(crate) executions: VecDeque<Stamped<(u64, Arc<Encoded>)>>,
    /// The portfolio agent's newest valuation.
    pub(crate) portfolio: Option<Stamp>,
    /// The `account_seq` of its last reset.
    pub(crate) reset: Option<u64>,
}

/// The items of one instrument.
#[derive(Debug)]
pub(crate) struct InstrumentItems {
    /// The merged book, or dealers' quotes.
    pub(crate) book: Stamp,
    /// Mark and touch; absent before the first mark.
    pub(crate) tick: Option<Stamp>,
    /// Newest matches, oldest first.
    pub(crate) tape: VecDeque<Stamp>,
    /// Newest candles of each interval, oldest first.
    candles: BTreeMap<Interval, VecDeque<Stamped<CandleUpdate>>>,
    /// Price of the newest match.
    last_trade: Option<Ticks>,
    sparkline: Sparkline,
    /// The first mark of the settlement date.
    day_open: Option<Ticks>,
    /// The newest entry that changed the book, whether or not the book of that
    /// entry has arrived.
    book_changed: Seq,
}

impl InstrumentItems {
    /// The newest candles of an interval, oldest first.
    pub(crate) fn candles(&self, interval: Interval) -> impl Iterator<Item = &Stamped<CandleUpdate>> {
        self.candles.get(&interval).into_iter().flatten()
    }

    fn set_candle(&mut self, version: u64, mut update: CandleUpdate) {
        let candles = self.candles.entry(update.interval).or_default();
        match candles.back_mut() {
            Some(newest) if newest.value.candle.start == update.candle.start => {
                (newest.version, newest.value.candle) = (version, update.candle);
            }
            newest => {
                update.previous = newest.map(|newest| newest.value.candle.start);
                push_bounded(candles, Stamped { version, value: update }, CANDLES_CAPACITY);
            }
        }
    }
}

/// The venue as of its market's `through`.
#[derive(Debug)]
pub(crate) struct VenueView {
    replica: VenueReplica,
    instruments: Arc<Instruments>,
    version: u64,
    instrument_items: BTreeMap<InstrumentId, InstrumentItems>,
    account_items: BTreeMap<AccountId, AccountItems>,
    candles: Candles,
    /// The newest entry that is in the candles.
    candles_through: Seq,
    clock: Stamped<ClockUpdate>,
    /// Valuations of entries that have not arrived: nothing in an update may be
    /// of a later entry than the update.
    early_valuations: BTreeMap<AccountId, Arc<PortfolioMessage>>,
}

impl VenueView {
    /// The view of `venue`. All of it is newer than `version`, the newest that a
    /// socket may have seen of a view before.
    pub(crate) fn new(venue: &Venue, version: u64) -> Self {
        let mut view = Self {
            replica: VenueReplica::of_venue(venue),
            instruments: Arc::new(venue.instruments().clone()),
            version: version + 1,
            instrument_items: BTreeMap::new(),
            account_items: BTreeMap::new(),
            candles: Candles::new(venue.config().t0),
            candles_through: venue.seq(),
            clock: Stamped { version: version + 1, value: ClockUpdate::default() },
            early_valuations: BTreeMap::new(),
        };
        let items = |(id, listed): (&InstrumentId, &InstrumentReplica)| {
            let items = InstrumentItems {
                book: view.stamp(book_item(listed)),
                tick: None,
                tape: VecDeque::new(),
                candles: BTreeMap::new(),
                last_trade: None,
                sparkline: Sparkline::default(),
                day_open: None,
                book_changed: listed.book.rev,
            };
            (*id, items)
        };
        view.instrument_items = view.market().instruments.iter().map(items).collect();
        view.update_ticks(view.instrument_ids());
        view
    }

    /// Sets the day's first mark of an instrument.
    pub(crate) fn set_day_open(&mut self, id: InstrumentId, mark: Ticks) {
        if let Some(items) = self.instrument_items.get_mut(&id) {
            items.day_open = Some(mark);
        }
    }

    /// Continues the stored candles, the last of each instrument and interval, which
    /// include the entries up to `through`.
    pub(crate) fn resume_candles(
        &mut self,
        stored: impl IntoIterator<Item = (InstrumentId, Interval, Candle)>,
        through: Seq,
    ) {
        self.candles_through = through;
        for (instrument, interval, candle) in stored {
            self.candles.resume(instrument, interval, candle);
            if let Some(items) = self.instrument_items.get_mut(&instrument) {
                items.set_candle(self.version, CandleUpdate { instrument, interval, previous: None, candle });
            }
        }
    }

    /// Sets the state of the venue's clock.
    pub(crate) fn set_clock(&mut self, clock: ClockUpdate) {
        if self.clock.value != clock {
            self.version += 1;
            self.clock = Stamped { version: self.version, value: clock };
        }
    }

    /// Applies stored entries. Of those that are included already only marks and
    /// matches are added. Books are behind until [`VenueView::set_books`].
    ///
    /// # Errors
    /// [`Gap`] if entries before one of them are missing.
    pub(crate) fn apply_stored(&mut self, entries: &[StoredEntry]) -> Result<(), Gap> {
        self.version += 1;
        for StoredEntry { first_seq, outcome, is_range } in entries {
            if !self.apply_entry(*first_seq, outcome)? {
                self.add_marks_and_prints(outcome);
            } else if !is_range {
                self.expect_books(outcome);
            }
        }
        self.update_ticks(self.instrument_ids());
        self.apply_early_valuations();
        Ok(())
    }

    /// Sets the newest published books and quotes, perhaps of later entries.
    pub(crate) fn set_books(&mut self, books: Vec<BookSnapshot>, quotes: Vec<QuotesSnapshot>) {
        self.version += 1;
        books.into_iter().for_each(|book| self.set_book(book));
        quotes.into_iter().for_each(|quotes| self.set_quotes(quotes));
        self.update_ticks(self.instrument_ids());
    }

    /// Applies a committed batch; entries that are included already are skipped.
    ///
    /// # Errors
    /// [`Gap`] if entries before the batch are missing; nothing has changed then.
    pub(crate) fn apply(&mut self, batch: &ExecutionBatch) -> Result<(), Gap> {
        if batch.through <= self.replica.market.through {
            return Ok(());
        }
        if has_changes(batch) {
            self.version += 1;
        }
        let mut changed = BTreeSet::new();
        for entry in &batch.entries {
            if self.apply_entry(entry.outcome.seq, &entry.outcome)? {
                changed.extend(entry.outcome.marks.iter().map(|mark| mark.instrument));
                self.expect_books(&entry.outcome);
                if entry.outcome.new_date.is_some() {
                    changed.extend(self.instrument_ids());
                }
            }
        }
        for book in &batch.books {
            changed.insert(book.instrument);
            self.set_book(book.clone());
        }
        for quotes in &batch.quotes {
            changed.insert(quotes.instrument);
            self.set_quotes(quotes.clone());
        }
        self.update_ticks(changed);
        self.apply_early_valuations();
        Ok(())
    }

    /// Sets the portfolio agent's newest valuation of an account.
    pub(crate) fn apply_valuation(&mut self, message: Arc<PortfolioMessage>) {
        if message.through > self.replica.market.through {
            self.early_valuations.insert(message.account, message);
            return;
        }
        if !self.replica.accounts.contains_key(&message.account) {
            return;
        }
        self.version += 1;
        let snapshot = PortfolioSnapshot {
            through: message.through,
            timestamp: message.time,
            valuation: message.valuation.clone(),
        };
        let stamp = self.stamp(Item::Portfolio(Box::new(snapshot)));
        self.account_items.entry(message.account).or_default().portfolio = Some(stamp);
    }

    /// Applies the valuations whose entries have arrived; the others wait on.
    fn apply_early_valuations(&mut self) {
        for message in std::mem::take(&mut self.early_valuations).into_values() {
            self.apply_valuation(message);
        }
    }

    fn expect_books(&mut self, outcome: &Outcome) {
        for id in &outcome.books {
            if let Some(items) = self.instrument_items.get_mut(id) {
                items.book_changed = outcome.seq;
            }
        }
    }

    /// Applies an entry but for its books. Returns false if it was included.
    fn apply_entry(&mut self, first: Seq, outcome: &Outcome) -> Result<bool, Gap> {
        if !self.replica.apply(first, outcome)? {
            return Ok(false);
        }
        if outcome.new_date.is_some() {
            self.instrument_items.values_mut().for_each(|items| items.day_open = None);
        }
        for mark in &outcome.marks {
            if let Some(items) = self.instrument_items.get_mut(&mark.instrument) {
                items.day_open.get_or_insert(mark.price);
            }
        }
        for event in &outcome.events {
            if event.change == AccountChange::Closed {
                self.account_items.remove(&event.account);
            }
            let Some(account) = self.replica.accounts.get(&event.account) else { continue };
            let execution = Execution::new(outcome, event, account);
            let item = self.stamp(Item::Execution(Box::new(execution))).value;
            let stamped = Stamped { version: self.version, value: (event.account_seq, item) };
            let items = self.account_items.entry(event.account).or_default();
            push_bounded(&mut items.executions, stamped, EXECUTIONS_CAPACITY);
            if event.change == AccountChange::Reset {
                items.reset = Some(event.account_seq);
            }
        }
        self.add_marks_and_prints(outcome);
        Ok(true)
    }

    /// Adds an entry's marks and matches to sparklines, tapes and candles.
    fn add_marks_and_prints(&mut self, outcome: &Outcome) {
        for mark in &outcome.marks {
            if let Some(items) = self.instrument_items.get_mut(&mark.instrument) {
                items.sparkline.push(outcome.time, mark.price);
            }
        }
        for print in &outcome.tape {
            let stamp = self.stamp(Item::Tape(TapeUpdate { print: *print, time: outcome.time }));
            if let Some(items) = self.instrument_items.get_mut(&print.instrument) {
                push_bounded(&mut items.tape, stamp, TAPE_CAPACITY);
                items.last_trade = Some(print.price);
            }
        }
        if outcome.seq > self.candles_through {
            self.candles_through = outcome.seq;
            let Self { candles, instrument_items, version, .. } = self;
            candles.apply(outcome, |instrument, interval, candle| {
                if let Some(items) = instrument_items.get_mut(&instrument) {
                    let update = CandleUpdate { instrument, interval, previous: None, candle };
                    items.set_candle(*version, update);
                }
            });
        }
    }

    fn set_book(&mut self, book: BookSnapshot) {
        let id = book.instrument;
        if self.replica.market.set_book(book) {
            self.update_book(id);
        }
    }

    fn set_quotes(&mut self, quotes: QuotesSnapshot) {
        let id = quotes.instrument;
        if self.replica.market.set_quotes(quotes) {
            self.update_book(id);
        }
    }

    fn update_book(&mut self, id: InstrumentId) {
        let Some(listed) = self.market().instruments.get(&id) else { return };
        let stamp = self.stamp(book_item(listed));
        if let Some(items) = self.instrument_items.get_mut(&id) {
            items.book = stamp;
        }
    }

    /// Renews the ticks of instruments whose mark, touch or accrued interest may
    /// have changed.
    fn update_ticks(&mut self, ids: impl IntoIterator<Item = InstrumentId>) {
        for id in ids {
            let Some(tick) = TickUpdate::new(self.market(), id) else { continue };
            let stamp = self.stamp(Item::Tick(tick));
            if let Some(items) = self.instrument_items.get_mut(&id) {
                items.tick = Some(stamp);
            }
        }
    }

    fn stamp(&self, item: Item) -> Stamp {
        Stamped { version: self.version, value: self.encoded(item) }
    }

    /// An item with its encodings.
    pub(crate) fn encoded(&self, item: Item) -> Arc<Encoded> {
        Arc::new(Encoded::new(item, self.instruments.clone()))
    }

    /// Returns true if every book is the one that the newest entry left: false
    /// while one is older than an entry that changed it, or newer than all.
    pub(crate) fn is_consistent(&self) -> bool {
        self.market().instruments.iter().all(|(id, listed)| {
            let changed = self.instrument_items.get(id).map_or(Seq(0), |items| items.book_changed);
            (changed..=self.market().through).contains(&listed.book.rev)
        })
    }

    /// The newest entry that any book is of.
    pub(crate) fn newest_book(&self) -> Seq {
        self.market().instruments.values().map(|listed| listed.book.rev).max().unwrap_or_default()
    }

    /// The newest version that anything carries.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// The market, as of its `through`.
    pub(crate) fn market(&self) -> &MarketReplica {
        &self.replica.market
    }

    /// Number of the last step applied.
    pub(crate) fn step(&self) -> u64 {
        self.replica.step
    }

    /// The listed instruments.
    pub(crate) fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    /// A listed instrument.
    pub(crate) fn instrument(&self, id: InstrumentId) -> Result<&Instrument, Reject> {
        self.instruments.get(&id).ok_or(Reject::UnknownInstrument)
    }

    /// The listed instruments, by symbol.
    pub(crate) fn instruments_by_symbol(&self) -> Vec<&Instrument> {
        let mut listed: Vec<&Instrument> = self.instruments.values().collect();
        listed.sort_by(|a, b| a.symbol.cmp(&b.symbol));
        listed
    }

    /// The ids of the listed instruments.
    pub(crate) fn instrument_ids(&self) -> Vec<InstrumentId> {
        self.instruments.keys().copied().collect()
    }

    /// Marks of the last minute, by instrument.
    pub(crate) fn sparklines(&self) -> BTreeMap<InstrumentId, Sparkline> {
        self.instrument_items.iter().map(|(id, items)| (*id, items.sparkline.clone())).collect()
    }

    /// The first marks of the settlement date, where there are any.
    pub(crate) fn day_open_marks(&self) -> BTreeMap<InstrumentId, Ticks> {
        self.instrument_items.iter().filter_map(|(id, items)| Some((*id, items.day_open?))).collect()
    }

    /// The newest daily candles, where there are any.
    pub(crate) fn days(&self) -> BTreeMap<InstrumentId, Candle> {
        let newest = |items: &InstrumentItems| Some(items.candles(Interval::D1).last()?.value.candle);
        self.instrument_items.iter().filter_map(|(id, items)| Some((*id, newest(items)?))).collect()
    }

    /// Prices of the newest matches, where there are any.
    pub(crate) fn last_trades(&self) -> BTreeMap<InstrumentId, Ticks> {
        self.instrument_items.iter().filter_map(|(id, items)| Some((*id, items.last_trade?))).collect()
    }

    /// The state of the venue's clock.
    pub(crate) fn clock(&self) -> Stamped<ClockUpdate> {
        self.clock.clone()
    }

    /// The ids of all accounts.
    pub(crate) fn account_ids(&self) -> Vec<AccountId> {
        self.replica.accounts.keys().copied().collect()
    }

    /// An account, as of the view's entry.
    pub(crate) fn account(&self, id: AccountId) -> Result<&Account, Reject> {
        self.replica.accounts.get(&id).ok_or(Reject::UnknownAccount)
    }

    /// The items of an account that anything has happened to.
    pub(crate) fn account_items(&self, id: AccountId) -> Option<&AccountItems> {
        self.account_items.get(&id)
    }

    /// The items of an instrument.
    pub(crate) fn instrument_items(&self, id: InstrumentId) -> Option<&InstrumentItems> {
        self.instrument_items.get(&id)
    }

    /// An account's figures, as of this very view.
    pub(crate) fn portfolio(&self, account: &Account) -> PortfolioSnapshot {
        let market = self.market();
        PortfolioSnapshot {
            through: market.through,
            timestamp: market.time,
            valuation: market.value(account),
        }
    }
}

/// The item of an instrument's merged book or dealers' quotes.
fn book_item(listed: &InstrumentReplica) -> Item {
    match listed.quotes_snapshot() {
        Some(quotes) => Item::Quotes(quotes),
        None => Item::Book(listed.book.clone()),
    }
}

/// Returns true if anything that can be subscribed to has changed, not time
/// alone.
fn has_changes(batch: &ExecutionBatch) -> bool {
    let changes = |outcome: &Outcome| {
        let Outcome { new_date, balances, marks, tape, books, events, positions, .. } = outcome;
        new_date.is_some()
            || !(balances.is_empty() && marks.is_empty() && tape.is_empty())
            || !(books.is_empty() && events.is_empty() && positions.is_empty())
    };
    !(batch.books.is_empty() && batch.quotes.is_empty())
        || batch.entries.iter().any(|entry| changes(&entry.outcome))
}

fn push_bounded<T>(queue: &mut VecDeque<T>, item: T, capacity: usize) {
    if queue.len() == capacity {
        queue.pop_front();
    }
    queue.push_back(item);
}
