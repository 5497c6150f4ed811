//! The browser's market and account, as of one entry, and the changes by an
//! update.
//!
//! Plain values: knows neither sockets nor signals, so native tests reach it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use engine::account::Account;
use engine::candle::{Candle, Interval};
use engine::id::{InstrumentId, OrderId, Seq};
use engine::money::{Money, Ticks};
use engine::portfolio::Valuation;
use engine::replica::{Execution, MarketReplica};
use engine::time::VenueTime;
use engine::venue::AccountChange;
use protocol::frames::PortfolioSnapshot;
use protocol::rest::{DayOpen, Opening};
use protocol::socket::{CandleUpdate, ClockUpdate, Item, TapeUpdate, TickUpdate, Update};
use protocol::sparkline::Sparkline;

use super::history::OrderHistory;
use super::notifications::Notification;

/// Tape of each instrument: as long as the gateway sends it at first.
const TAPE_CAPACITY: usize = 256;

/// Candles received for the chart: as many as a chart shows at most.
const CANDLES_CAPACITY: usize = 1_500;

/// The candles of a chart.
pub type Series = (InstrumentId, Interval);

/// NAV according to the venue's portfolio agent.
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

/// Changes by an update, which the screen must show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Instruments whose book, quotes, mark or accrued interest changed.
    pub markets: BTreeSet<InstrumentId>,
    /// New and changed orders.
    pub orders: BTreeSet<OrderId>,
    /// True if cash, positions or open orders changed.
    pub account: bool,
    /// True if there are new fills.
    pub fills: bool,
    /// Instruments with new matches.
    pub tapes: BTreeSet<InstrumentId>,
    /// True if there are new candles of the chart.
    pub candles: bool,
    /// Sentences for the user.
    pub notifications: Vec<Notification>,
    /// True if some of the account's events are missing and must be requested.
    pub gap: bool,
    /// True if the whole account was replaced: orders that closed meanwhile must
    /// be read again.
    pub reread: bool,
}

impl Changes {
    /// Adds the changes of a later update.
    pub fn merge(&mut self, later: Changes) {
        self.markets.extend(later.markets);
        self.orders.extend(later.orders);
        self.account |= later.account;
        self.fills |= later.fills;
        self.tapes.extend(later.tapes);
        self.candles |= later.candles;
        self.notifications.extend(later.notifications);
        self.gap |= later.gap;
        self.reread |= later.reread;
    }
}

/// Market and account as of `market.through`.
#[derive(Clone, Debug)]
pub struct State {
    /// Settlement date, marks, books and quotes.
    pub market: MarketReplica,
    /// The user's account.
    pub account: Account,
    /// Marks of the last minute.
    pub sparklines: BTreeMap<InstrumentId, Sparkline>,
    /// Newest matches, newest first.
    pub tapes: BTreeMap<InstrumentId, VecDeque<TapeUpdate>>,
    /// Prices of the newest matches.
    pub last_trades: BTreeMap<InstrumentId, Ticks>,
    /// The newest daily candles.
    pub days: BTreeMap<InstrumentId, Candle>,
    /// The chart's candles that are received.
    pub series: Option<Series>,
    /// Candles received of [`State::series`], each in its newest state.
    pub candles: BTreeMap<VenueTime, CandleUpdate>,
    /// The venue's clock.
    pub clock: ClockUpdate,
    /// The newest orders and fills, closed ones too.
    pub history: OrderHistory,
    /// Base of the day's changes.
    pub day_open: DayOpen,
    /// The portfolio agent's newest NAV.
    pub agent_nav: AgentNav,
}

impl State {
    /// The state that a page starts from.
    pub fn open(opening: Opening) -> Self {
        let Opening { snapshot, orders, fills, .. } = opening;
        let mut history = OrderHistory::new(orders, fills);
        history.merge_live(snapshot.account.open.values());
        let mut state = Self {
            agent_nav: AgentNav::of(&snapshot.portfolio),
            market: snapshot.market,
            account: snapshot.account,
            sparklines: snapshot.sparklines,
            tapes: BTreeMap::new(),
            last_trades: snapshot.last_trades,
            days: snapshot.days,
            series: None,
            candles: BTreeMap::new(),
            clock: snapshot.clock,
            history,
            day_open: snapshot.day_open,
        };
        for (id, mark, time) in state.marks() {
            state.record_mark(id, mark, time);
        }
        state
    }

    /// Applies one consistent flush and returns what it changed. An update of a
    /// gateway that is behind the one before may bring missing events; nothing
    /// is replaced by something older.
    pub fn apply(&mut self, update: Update) -> Changes {
        let mut changes = Changes::default();
        if update.through >= self.market.through {
            if update.date != self.market.date {
                self.day_open = self.day_close();
                changes.markets.extend(self.market.instruments.keys());
            }
            (self.market.through, self.market.time) = (update.through, update.time);
            (self.market.date, self.market.date_rev) = (update.date, update.date_rev);
        }
        let mut executions = Vec::new();
        for item in update.items {
            match item {
                Item::Book(book) => {
                    changes.markets.insert(book.instrument);
                    self.market.set_book(book);
                }
                Item::Quotes(quotes) => {
                    changes.markets.insert(quotes.instrument);
                    self.market.set_quotes(quotes);
                }
                Item::Tick(tick) => {
                    changes.markets.insert(tick.mark.instrument);
                    self.apply_tick(&tick);
                }
                Item::Account(account) => self.replace_account(*account, &mut changes),
                Item::Execution(execution) => {
                    if self.apply_execution(&execution, &mut changes) {
                        executions.push(*execution);
                    }
                }
                Item::Portfolio(snapshot) => {
                    let nav = AgentNav::of(&snapshot);
                    if nav.through >= self.agent_nav.through {
                        self.agent_nav = nav;
                    }
                }
                Item::Candle(update) => {
                    if update.interval == Interval::D1 {
                        changes.markets.insert(update.instrument);
                        self.receive_day(update);
                    }
                    changes.candles |= self.receive_candle(update);
                }
                Item::Clock(clock) => self.clock = clock,
                Item::Tape(tape) => {
                    changes.tapes.insert(tape.print.instrument);
                    self.last_trades.insert(tape.print.instrument, tape.print.price);
                    let newest_first = self.tapes.entry(tape.print.instrument).or_default();
                    newest_first.push_front(tape);
                    newest_first.truncate(TAPE_CAPACITY);
                }
            }
        }
        changes.notifications = Notification::all(&executions, &self.market);
        changes
    }

    /// Receives the candles of `series` from now on.
    pub fn follow_candles(&mut self, series: Series) {
        self.series = Some(series);
        self.candles.clear();
    }

    /// Forgets what a new socket sends whole.
    pub fn start_socket(&mut self) {
        self.tapes.clear();
        self.candles.clear();
    }

    /// Takes the new state of a daily candle, unless there is a later one.
    fn receive_day(&mut self, update: CandleUpdate) {
        let candle = update.candle;
        let shown = self.days.entry(update.instrument).or_insert(candle);
        if candle.start >= shown.start {
            *shown = candle;
        }
    }

    /// Takes a candle's new state. Returns false for another series than the
    /// chart's.
    fn receive_candle(&mut self, update: CandleUpdate) -> bool {
        let is_mine = self.series == Some((update.instrument, update.interval));
        if is_mine {
            self.candles.insert(update.candle.start, update);
            if self.candles.len() > CANDLES_CAPACITY {
                self.candles.pop_first();
            }
        }
        is_mine
    }

    /// The account's figures at the newest marks.
    pub fn valuation(&self) -> Valuation {
        self.market.value(&self.account)
    }

    /// Every instrument's mark and its time.
    fn marks(&self) -> Vec<(InstrumentId, Ticks, VenueTime)> {
        let marks = self.market.instruments.iter();
        marks.filter_map(|(id, listed)| Some((*id, listed.mark_price()?, listed.marked_at))).collect()
    }

    /// The base of the next day's changes: the present figures.
    fn day_close(&self) -> DayOpen {
        let marks = self.marks().into_iter().map(|(id, mark, _)| (id, mark));
        DayOpen { nav: Some(self.valuation().nav), marks: marks.collect() }
    }

    fn apply_tick(&mut self, tick: &TickUpdate) {
        if self.market.set_mark(tick.mark, tick.time) {
            self.record_mark(tick.mark.instrument, tick.mark.price, tick.time);
        }
    }

    fn record_mark(&mut self, id: InstrumentId, mark: Ticks, time: VenueTime) {
        self.sparklines.entry(id).or_default().push(time, mark);
        // In a venue's first moments there is no earlier mark.
        self.day_open.marks.entry(id).or_insert(mark);
    }

    fn replace_account(&mut self, account: Account, changes: &mut Changes) {
        if account.account_seq < self.account.account_seq {
            return;
        }
        changes.account = true;
        changes.orders.extend(self.history.merge_live(account.open.values()));
        changes.reread |= account.account_seq > self.account.account_seq;
        self.account = account;
    }

    /// Applies one of the account's events. Returns true if it was the next one.
    fn apply_execution(&mut self, execution: &Execution, changes: &mut Changes) -> bool {
        let applied = self.account.apply(execution);
        changes.gap |= applied.is_err();
        if applied != Ok(true) {
            return false;
        }
        changes.account = true;
        if let Some(order) = execution.change.order() {
            changes.orders.insert(order.id);
            self.history.set_order(order.clone());
        }
        match &execution.change {
            AccountChange::OrderFilled { fill, .. } => changes.fills |= self.history.add_fill(*fill),
            AccountChange::OrderCancelled { order, reason } => self.history.set_reason(order.id, *reason),
            AccountChange::Reset => self.day_open.nav = Some(execution.cash),
            _ => {}
        }
        true
    }
}
