//! The browser's state of market and account, and the changes that an update makes.
//!
//! Plain values: knows neither sockets nor signals, so native tests reach it.

use std::collections::VecDeque;

use engine::account::Account;
use engine::id::{InstrumentId, OrderId, Seq};
use engine::instrument::Instrument;
use engine::money::{Lots, Money, Ticks};
use engine::order::{
    Amend, Conditions, InstrumentStatus, Preview, Reject, Side, Take, Ticket, preview, preview_amend,
    preview_take,
};
use engine::portfolio::{Marked, Valuation, value};
use engine::quote::Quote;
use engine::time::{Date, VenueTime};
use protocol::frames::{
    AccountFrame, BookFrame, ExecutionFrame, Item, PortfolioSnapshot, QuotesFrame, TapeFrame, TickEvent,
};
use protocol::socket::Update;

use super::convert;
use super::history::History;
use super::maps::{Map, Set};
use super::notifications::Notification;
use protocol::rest::{DayOpen, Opening};
use protocol::sparkline::Sparkline;

/// Prints that are kept of each instrument: as many as a socket begins with.
const MAX_PRINTS: usize = 256;

/// A price and everything that rests there.
pub type Level = (Ticks, Lots);

/// One instrument's market.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Market {
    /// Its mark, once there is one.
    pub mark: Option<Ticks>,
    /// Whether it trades.
    pub status: InstrumentStatus,
    /// The entry that set the mark or the status.
    pub mark_rev: Seq,
    /// Accrued interest of one lot.
    pub accrued_per_lot: Money,
    /// Venue time of the newest tick.
    pub ticked_at: Option<VenueTime>,
    /// The small picture of it.
    pub trail: Sparkline,
    /// The entry that last changed the book.
    pub book_rev: Seq,
    /// Best first.
    pub bids: Vec<Level>,
    /// Best first.
    pub asks: Vec<Level>,
    /// Dealers' live quotes, for what trades on them; `book_rev` is theirs.
    pub quotes: Vec<Quote>,
    /// What traded in it, newest first.
    pub tape: VecDeque<TapeFrame>,
}

impl Market {
    /// The best price that can be traded at now on one side of the market, in
    /// the book or with a dealer.
    pub fn touch(&self, side: Side) -> Option<Ticks> {
        let best = self.levels(side).first().map(|(price, _)| *price);
        let offered = self.quotes.iter().map(|quote| quote.offered(side.opposite()));
        let offered = offered.filter(|(_, left)| *left > Lots::ZERO).map(|(price, _)| price);
        match side {
            Side::Buy => best.or(offered.max()),
            Side::Sell => best.or(offered.min()),
        }
    }

    /// The quote that is best for a user who trades `lots` on `side`: of those
    /// that are large enough, or else of all.
    pub fn best_quote(&self, side: Side, lots: Lots) -> Option<&Quote> {
        self.quotes.iter().min_by_key(|quote| {
            let (price, left) = quote.offered(side);
            (left < lots, side.sign() * price.0, std::cmp::Reverse(quote.expires_at))
        })
    }

    /// The resting levels of `side`, best first.
    pub fn levels(&self, side: Side) -> &[Level] {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }
}

/// NAV as the venue's portfolio agent says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentNav {
    /// Cash plus marks.
    pub nav: Money,
    /// As of this entry.
    pub through: Seq,
    /// Its venue time.
    pub time: VenueTime,
}

impl AgentNav {
    fn of(snapshot: &PortfolioSnapshot) -> Self {
        Self { nav: snapshot.valuation.nav, through: snapshot.through, time: snapshot.timestamp }
    }
}

/// Changes by an update, which must be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Instruments whose book, touch or mark changed.
    pub markets: Set<InstrumentId>,
    /// Orders that are new or changed.
    pub orders: Set<OrderId>,
    /// Whether cash, positions or open orders changed.
    pub account: bool,
    /// Whether there are new fills.
    pub fills: bool,
    /// Instruments in which something traded.
    pub tape: Set<InstrumentId>,
    /// What to tell the user.
    pub notifications: Vec<Notification>,
    /// One of the account's events is missing: those after the last that is
    /// known must be asked for.
    pub gap: bool,
    /// The account was replaced whole: orders that closed meanwhile must be
    /// read again.
    pub reread: bool,
}

impl Changes {
    /// Adds what a later update changed.
    pub fn merge(&mut self, later: Changes) {
        self.markets.extend(later.markets.keys());
        self.orders.extend(later.orders.keys());
        self.account |= later.account;
        self.fills |= later.fills;
        self.tape.extend(later.tape.keys());
        self.notifications.extend(later.notifications);
        self.gap |= later.gap;
        self.reread |= later.reread;
    }
}

/// Market and account as of one entry.
#[derive(Clone, Debug)]
pub struct State {
    /// What is listed.
    pub instruments: Map<InstrumentId, Instrument>,
    /// Everything here is as of this entry.
    pub through: Seq,
    /// Venue time of that entry.
    pub time: VenueTime,
    /// Settlement date.
    pub date: Date,
    /// The entry that last changed it.
    pub date_rev: Seq,
    /// Marks and books.
    pub markets: Map<InstrumentId, Market>,
    /// The caller's account, as the venue keeps it.
    pub account: Account,
    /// Orders and fills to look at, closed ones too.
    pub history: History,
    /// What the day's changes are measured from.
    pub day_open: DayOpen,
    /// The portfolio agent's newest word.
    pub agent_nav: AgentNav,
}

impl State {
    /// The state that a page starts from.
    pub fn open(opening: Opening) -> Self {
        let Opening { caller, snapshot: desk, orders, fills } = opening;
        let instruments = Map::of(desk.instruments.into_iter().map(|instrument| (instrument.id, instrument)));
        let markets = Map::of(instruments.keys().map(|id| (id, Market::default())));
        let account = convert::account(&desk.account, caller.account, &instruments);
        let mut state = Self {
            instruments,
            through: desk.through,
            time: desk.time,
            date: desk.date,
            date_rev: desk.date_rev,
            markets,
            account,
            history: History::new(orders, fills),
            day_open: desk.day_open,
            agent_nav: AgentNav::of(&desk.portfolio),
        };
        desk.books.into_iter().for_each(|book| state.set_book(&book));
        desk.quotes.into_iter().for_each(|quotes| state.set_quotes(&quotes));
        for (id, trail) in desk.sparklines {
            state.markets.at(id, Market::default).trail = trail;
        }
        desk.ticks.into_iter().for_each(|tick| state.set_tick(&tick, false));
        state.history.take_live(&desk.account.orders);
        state
    }

    /// Applies one consistent flush; tells what it changed. From a gateway that
    /// is behind the one before, it may bring what is missing here, and nothing
    /// gets older by it.
    pub fn apply(&mut self, update: Update) -> Changes {
        let mut changes = Changes::default();
        let behind = update.through < self.through;
        if !behind {
            if update.date != self.date {
                self.day_open = self.day_close();
                changes.markets.extend(self.markets.keys());
            }
            (self.through, self.time) = (update.through, update.time);
            (self.date, self.date_rev) = (update.date, update.date_rev);
        }
        let mut executed = Vec::new();
        for item in update.items {
            match item {
                Item::Book(book) => {
                    changes.markets.insert(book.instrument_id, ());
                    self.set_book(&book);
                }
                Item::Quotes(quotes) => {
                    changes.markets.insert(quotes.instrument_id, ());
                    self.set_quotes(&quotes);
                }
                Item::Tick(tick) => {
                    changes.markets.insert(tick.instrument_id, ());
                    self.set_tick(&tick, behind);
                }
                Item::Account(frame) => self.set_account(&frame, &mut changes),
                Item::Execution(frame) => {
                    if self.execute(&frame, &mut changes) {
                        executed.push(*frame);
                    }
                }
                Item::Portfolio(snapshot) => {
                    let nav = AgentNav::of(&snapshot);
                    if nav.through >= self.agent_nav.through {
                        self.agent_nav = nav;
                    }
                }
                Item::Tape(print) => {
                    changes.tape.insert(print.instrument_id, ());
                    let market = self.markets.at(print.instrument_id, Market::default);
                    market.tape.push_front(print);
                    market.tape.truncate(MAX_PRINTS);
                }
            }
        }
        changes.notifications = Notification::all(&executed, &self.instruments);
        changes
    }

    /// The account's figures at the newest marks.
    pub fn valuation(&self) -> Valuation {
        value(&self.account, self.date, &|id| self.marked(id))
    }

    /// What placing `ticket` now would do, by the venue's own rule.
    ///
    /// # Errors
    /// What the venue would refuse.
    pub fn preview(&self, ticket: &Ticket) -> Result<Preview, Reject> {
        let conditions = self.conditions(ticket.instrument).ok_or(Reject::UnknownInstrument)?;
        let opposite = self
            .markets
            .get(&ticket.instrument)
            .map_or(&[][..], |market| market.levels(ticket.side.opposite()));
        preview(&conditions, &self.account, opposite.iter().copied(), ticket, |id| self.marked(id))
    }

    /// What taking a live quote now would do, by the venue's own rule.
    ///
    /// # Errors
    /// What the venue would refuse; `unknown_quote` for what is not live here.
    pub fn preview_take(&self, instrument: InstrumentId, side: Side, take: &Take) -> Result<Preview, Reject> {
        let conditions = self.conditions(instrument).ok_or(Reject::UnknownInstrument)?;
        let quotes = self.markets.get(&instrument).map_or(&[][..], |market| &market.quotes);
        let quote = quotes.iter().find(|quote| quote.id == take.quote).ok_or(Reject::UnknownQuote)?;
        preview_take(&conditions, &self.account, quote, side, take, |id| self.marked(id))
    }

    /// What amending a live order now would do, by the venue's own rule.
    ///
    /// # Errors
    /// What the venue would refuse.
    pub fn preview_amend(&self, amend: &Amend) -> Result<Preview, Reject> {
        let order = self.account.open.get(&amend.order).ok_or(Reject::UnknownOrder)?;
        let conditions = self.conditions(order.instrument).ok_or(Reject::UnknownInstrument)?;
        let opposite = self
            .markets
            .get(&order.instrument)
            .map_or(&[][..], |market| market.levels(order.side.opposite()));
        preview_amend(&conditions, &self.account, opposite.iter().copied(), amend, |id| self.marked(id))
    }

    fn conditions(&self, id: InstrumentId) -> Option<Conditions<'_>> {
        let (instrument, market) = (self.instruments.get(&id)?, self.markets.get(&id)?);
        Some(Conditions {
            instrument,
            status: market.status,
            mark: market.mark.unwrap_or_default(),
            mark_rev: market.mark_rev,
            date: self.date,
            date_rev: self.date_rev,
            book_rev: market.book_rev,
        })
    }

    fn marked(&self, id: InstrumentId) -> Option<Marked<'_>> {
        let mark = self.markets.get(&id)?.mark?;
        Some(Marked { instrument: self.instruments.get(&id)?, mark })
    }

    /// What the next day is measured from: this very instant.
    fn day_close(&self) -> DayOpen {
        let mark = |(id, market): &(InstrumentId, Market)| {
            Some((*id, self.instruments.get(id)?.price(market.mark?)))
        };
        DayOpen {
            nav: Some(self.valuation().nav),
            marks: self.markets.pairs().iter().filter_map(mark).collect(),
        }
    }

    fn set_book(&mut self, book: &BookFrame) {
        let Some(instrument) = self.instruments.get(&book.instrument_id) else { return };
        let market = self.markets.at(book.instrument_id, Market::default);
        if book.rev >= market.book_rev {
            market.book_rev = book.rev;
            market.bids = convert::levels(&book.bids, instrument);
            market.asks = convert::levels(&book.asks, instrument);
        }
    }

    fn set_quotes(&mut self, quotes: &QuotesFrame) {
        let Some(instrument) = self.instruments.get(&quotes.instrument_id) else { return };
        let market = self.markets.at(quotes.instrument_id, Market::default);
        if quotes.rev >= market.book_rev {
            market.book_rev = quotes.rev;
            market.quotes = quotes.to_quotes(instrument);
        }
    }

    /// Takes a quote; one of an update that is `behind` may carry the mark that is
    /// known with the accrued interest of a date that is over.
    fn set_tick(&mut self, tick: &TickEvent, behind: bool) {
        let Some(instrument) = self.instruments.get(&tick.instrument_id) else { return };
        let market = self.markets.at(tick.instrument_id, Market::default);
        if tick.mark_rev > market.mark_rev || (tick.mark_rev == market.mark_rev && !behind) {
            market.mark = tick.mid.in_units_of(instrument.tick_size).map(Ticks);
            market.mark_rev = tick.mark_rev;
            market.status = tick.status;
            market.accrued_per_lot = tick.accrued_per_lot;
            market.ticked_at = Some(tick.timestamp);
            market.trail.take(tick.timestamp, market.mark.unwrap_or_default());
            // In a venue's first moments there is no mark of before.
            let marks = &mut self.day_open.marks;
            if !marks.iter().any(|(of, _)| *of == tick.instrument_id) {
                marks.push((tick.instrument_id, tick.mid));
            }
        }
    }

    fn set_account(&mut self, frame: &AccountFrame, changes: &mut Changes) {
        if frame.account_seq < self.account.account_seq {
            return;
        }
        let same = frame.account_seq == self.account.account_seq;
        self.account = convert::account(frame, self.account.id, &self.instruments);
        changes.account = true;
        changes.orders.extend(self.history.take_live(&frame.orders).keys());
        changes.reread |= !same;
    }

    /// Applies one of the account's events; whether it was the next one.
    fn execute(&mut self, frame: &ExecutionFrame, changes: &mut Changes) -> bool {
        let next = self.account.account_seq + 1;
        changes.gap |= frame.account_seq > next;
        if frame.account_seq != next {
            return false;
        }
        changes.account = true;
        let account = &mut self.account;
        account.account_seq = frame.account_seq;
        account.rev = account.rev.max(frame.seq);
        (account.cash, account.reserved) = (frame.cash, frame.reserved);
        if let Some(position) = &frame.position
            && let Some(instrument) = self.instruments.get(&position.instrument_id)
            && let Some(held) = position.to_position(instrument)
        {
            account.positions.insert(position.instrument_id, held);
        }
        if let Some(order) = &frame.order {
            match convert::order(order, &self.instruments) {
                Some(open) if order.status.is_live() => {
                    account.open.insert(order.order_id, open);
                }
                _ => {
                    account.open.remove(&order.order_id);
                }
            }
            changes.orders.insert(order.order_id, ());
            self.history.put(order.clone());
        }
        if let Some(fill) = &frame.fill {
            changes.fills |= self.history.filled(fill.clone());
        }
        true
    }
}
