//! The state in signals: one for each instrument and field, set at most once a
//! frame.
//!
//! Knows what changed, not why.

use std::collections::BTreeMap;

use engine::candle::Candle;
use engine::decimal::Decimal;
use engine::id::{Digest, InstrumentId, OrderId, Seq};
use engine::instrument::Instrument;
use engine::money::{Money, Ticks};
use engine::order::{Amend, InstrumentStatus, Order, Preview, Reject, Side, Take, Ticket};
use engine::portfolio::Valuation;
use engine::quote::Quote;
use engine::time::{Date, VenueTime};
use engine::venue::Fill;
use leptos::prelude::*;
use protocol::caller::Caller;
use protocol::rest::Opening;
use protocol::socket::{ClockPhase, ClockUpdate, TapeUpdate};
use protocol::sparkline::Sparkline;

use super::address::PageAddress;
use super::connection::ConnectionState;
use super::history::{Older, OrderHistory, PreviewStats};
use super::ladder::Ladder;
use super::notifications::{Notification, NotificationKind, Notifications};
use super::now_ms;
use super::state::{AgentNav, Changes, Series, State};
use crate::preferences::Preferences;
use crate::routes::TradeAddress;

/// The entry that everything on the screen is as of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The entry.
    pub through: Seq,
    /// Its venue time.
    pub time: VenueTime,
    /// Its settlement date.
    pub date: Date,
}

/// One instrument's figures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct InstrumentFigures {
    /// Best bid.
    pub bid: RwSignal<Option<Ticks>>,
    /// Best ask.
    pub ask: RwSignal<Option<Ticks>>,
    /// The mark.
    pub mark: RwSignal<Option<Ticks>>,
    /// Price of the newest match.
    pub last: RwSignal<Option<Ticks>>,
    /// The day's candle.
    pub day: RwSignal<Option<Candle>>,
    /// True while trading in it is halted.
    pub is_halted: RwSignal<bool>,
    /// Accrued interest of one lot.
    pub accrued: RwSignal<Money>,
    /// Venue time of the mark.
    pub marked_at: RwSignal<Option<VenueTime>>,
    /// Arrival of the mark, by this browser's clock.
    received_ms: StoredValue<f64>,
    /// Marks of the last minute or so, oldest first.
    pub sparkline: RwSignal<Vec<Ticks>>,
    /// The mark at the start of the day.
    pub day_open: RwSignal<Option<Ticks>>,
    /// The merged book with the account's own orders marked.
    pub ladder: RwSignal<Ladder>,
    /// Dealers' live quotes.
    pub dealer_quotes: RwSignal<Vec<Quote>>,
    /// Matches, newest first.
    pub tape: RwSignal<Vec<TapeUpdate>>,
}

/// Facts that stay the same while the page is open.
#[derive(Clone)]
struct OpeningFacts {
    caller: Caller,
    venue_name: String,
    currency: String,
    seed_commitment: Digest,
}

/// Market and account in signals. A handle: copies share everything.
#[derive(Clone, Copy)]
pub struct Live {
    state: StoredValue<State>,
    instruments: StoredValue<BTreeMap<InstrumentId, InstrumentFigures>>,
    orders: StoredValue<BTreeMap<OrderId, RwSignal<Order>>>,
    owner: StoredValue<Owner>,
    /// The entry that everything is as of.
    pub moment: RwSignal<Moment>,
    /// Orders to show, newest first.
    pub order_ids: RwSignal<Vec<OrderId>>,
    /// Fills to show, newest first.
    pub fills: RwSignal<Vec<Fill>>,
    /// True if the server has older orders than those, and older fills.
    pub has_older: RwSignal<(bool, bool)>,
    /// The account's figures at the newest marks.
    pub valuation: RwSignal<Valuation>,
    /// NAV at the start of the day.
    pub day_open_nav: RwSignal<Option<Money>>,
    /// The portfolio agent's NAV.
    pub agent_nav: RwSignal<AgentNav>,
    /// The last entry that changed the account.
    pub account_rev: RwSignal<Seq>,
    /// The connection.
    pub link: RwSignal<ConnectionState>,
    /// What the user is told.
    pub notifications: Notifications,
    /// The venue's clock.
    pub clock: RwSignal<ClockUpdate>,
    /// Counts changes of the chart's candles.
    pub candles: RwSignal<u32>,
    page: PageAddress,
    /// The trading screen's address; on another screen the last one.
    pub(crate) address: Memo<TradeAddress>,
    /// The instrument of chart, ladder and ticket.
    pub selected: Memo<InstrumentId>,
    /// The candles of the chart.
    pub series: Memo<Series>,
    /// Previews compared with answers.
    pub previews: RwSignal<PreviewStats>,
    /// The user's display settings.
    pub preferences: Preferences,
    is_started: StoredValue<bool>,
    facts: StoredValue<OpeningFacts>,
}

impl Live {
    pub(super) fn new(opening: Opening, page: PageAddress, owner: Owner) -> Self {
        let snapshot = &opening.snapshot;
        let facts = OpeningFacts {
            caller: opening.caller.clone(),
            venue_name: snapshot.venue_name.clone(),
            currency: snapshot.currency.clone(),
            seed_commitment: snapshot.seed_commitment,
        };
        let state = State::open(opening);
        let listed = state.market.instruments.values().map(|listed| &listed.instrument);
        let listed: BTreeMap<String, InstrumentId> =
            listed.map(|instrument| (instrument.symbol.clone(), instrument.id)).collect();
        let address = Memo::new(move |before: Option<&TradeAddress>| {
            page.trade().or_else(|| before.cloned()).unwrap_or_default()
        });
        let selected = Memo::new(move |_| {
            let named = address.with(|address| listed.get(address.symbol.as_ref()?).copied());
            named.or_else(|| listed.values().next().copied()).unwrap_or(InstrumentId::NONE)
        });
        let series = Memo::new(move |_| (selected.get(), address.with(|address| address.interval)));
        let instruments = state.market.instruments.keys();
        let instruments = instruments.map(|id| (*id, InstrumentFigures::new(&state, *id))).collect();
        let order = |id: &OrderId| Some((*id, RwSignal::new(state.history.order(*id)?.clone())));
        let order_ids = state.history.newest_orders();
        Self {
            instruments: StoredValue::new(instruments),
            orders: StoredValue::new(order_ids.iter().filter_map(order).collect()),
            owner: StoredValue::new(owner),
            moment: RwSignal::new(moment(&state)),
            order_ids: RwSignal::new(order_ids),
            fills: RwSignal::new(state.history.fills().to_vec()),
            has_older: RwSignal::new(has_older(&state)),
            valuation: RwSignal::new(state.valuation()),
            day_open_nav: RwSignal::new(state.day_open.nav),
            agent_nav: RwSignal::new(state.agent_nav),
            account_rev: RwSignal::new(state.account.rev),
            link: RwSignal::new(ConnectionState::default()),
            notifications: Notifications::new(),
            previews: RwSignal::new(PreviewStats::default()),
            clock: RwSignal::new(state.clock),
            candles: RwSignal::new(0),
            page,
            address,
            selected,
            series,
            preferences: use_context().unwrap_or_default(),
            is_started: StoredValue::new(false),
            facts: StoredValue::new(facts),
            state: StoredValue::new(state),
        }
    }

    /// Connects to the venue, once and only in a browser.
    pub fn start(self) {
        if !self.is_started.get_value() {
            self.is_started.set_value(true);
            #[cfg(target_arch = "wasm32")]
            super::socket::start(self);
        }
    }

    /// Selects an instrument, on the trading screen.
    pub fn select(self, id: InstrumentId) {
        let symbol = self.instrument(id).map(|instrument| instrument.symbol);
        self.change_address(|address| address.symbol = symbol);
    }

    /// Goes to the trading screen as it was last, with this change.
    pub(crate) fn change_address(self, change: impl FnOnce(&mut TradeAddress)) {
        let mut address = self.address.get_untracked();
        change(&mut address);
        self.go(address.href());
    }

    /// The address of an instrument on the trading screen, tracked.
    pub fn href_of(self, symbol: &str) -> String {
        let mut address = self.address.get();
        address.symbol = Some(symbol.to_owned());
        address.href()
    }

    /// Goes to another address, unless the page is there.
    pub fn go(self, to: String) {
        self.page.go(to);
    }

    /// Shows the trading screen, unless the page shows it.
    pub fn show_trade(self) {
        if untrack(|| self.page.trade()).is_none() {
            self.change_address(|_| ());
        }
    }

    /// True while orders can be sent, tracked: prices are fresh, and the venue
    /// trades.
    pub fn can_trade(self) -> bool {
        self.link.with(|link| link.phase.is_fresh()) && self.clock.get().phase != ClockPhase::Halted
    }

    /// Runs an effect that lives as long as the page.
    #[cfg(target_arch = "wasm32")]
    pub(super) fn effect(self, run: impl FnMut() + 'static) {
        self.owner.get_value().with(|| Effect::new(run));
    }

    /// The signed-in user.
    pub fn caller(self) -> Caller {
        self.facts.with_value(|facts| facts.caller.clone())
    }

    /// The venue's name.
    pub fn venue_name(self) -> String {
        self.facts.with_value(|facts| facts.venue_name.clone())
    }

    /// The one currency's code.
    pub fn currency(self) -> String {
        self.facts.with_value(|facts| facts.currency.clone())
    }

    /// SHA-256(seed ‖ salt), published before the venue opened.
    pub fn seed_commitment(self) -> Digest {
        self.facts.with_value(|facts| facts.seed_commitment)
    }

    /// The listed instruments, by symbol.
    pub fn listed(self) -> Vec<Instrument> {
        let mut listed: Vec<Instrument> = self.state.with_value(|state| {
            state.market.instruments.values().map(|listed| listed.instrument.clone()).collect()
        });
        listed.sort_by(|a, b| a.symbol.cmp(&b.symbol));
        listed
    }

    /// An instrument by id.
    pub fn instrument(self, id: InstrumentId) -> Option<Instrument> {
        self.state.with_value(|state| Some(state.market.instruments.get(&id)?.instrument.clone()))
    }

    /// An instrument's figures.
    pub fn figures(self, id: InstrumentId) -> Option<InstrumentFigures> {
        self.instruments.with_value(|instruments| instruments.get(&id).copied())
    }

    /// An order's newest state.
    pub fn order(self, id: OrderId) -> Option<RwSignal<Order>> {
        self.orders.with_value(|orders| orders.get(&id).copied())
    }

    /// The orders `ids` in their newest states, tracked; unknown ones are left out.
    pub fn orders_of(self, ids: &[OrderId]) -> Vec<Order> {
        ids.iter().filter_map(|id| Some(self.order(*id)?.get())).collect()
    }

    /// Units of an instrument that the account holds, untracked.
    pub fn held(self, instrument: &Instrument) -> Decimal {
        self.read(|state| instrument.quantity(state.account.position(instrument.id).lots))
    }

    /// Reads the plain state, untracked.
    pub fn read<T>(self, read: impl FnOnce(&State) -> T) -> T {
        self.state.with_value(read)
    }

    /// The effect of placing `ticket` now; untracked, as are the other previews.
    /// Track `moment` to renew it.
    ///
    /// # Errors
    /// The venue's refusal.
    pub fn preview(self, ticket: &Ticket) -> Result<Preview, Reject> {
        self.read(|state| state.market.preview(&state.account, ticket))
    }

    /// The effect of taking a dealer's quote now.
    ///
    /// # Errors
    /// The venue's refusal; `unknown_quote` if it is not live here.
    pub fn preview_take(self, instrument: InstrumentId, side: Side, take: &Take) -> Result<Preview, Reject> {
        self.read(|state| state.market.preview_take(&state.account, instrument, side, take))
    }

    /// The effect of amending a live order now.
    ///
    /// # Errors
    /// The venue's refusal.
    pub fn preview_amend(self, amend: &Amend) -> Result<Preview, Reject> {
        self.read(|state| state.market.preview_amend(&state.account, amend))
    }

    /// Changes the plain state; [`Live::show`] brings the changes to the screen.
    /// Returns the default once the screens are gone.
    pub(super) fn change<T: Default>(self, change: impl FnOnce(&mut State) -> T) -> T {
        self.state.try_update_value(change).unwrap_or_default()
    }

    /// Tells the user about something that is neither good nor bad.
    pub fn announce(self, text: impl Into<String>) {
        self.notify(NotificationKind::Info, text);
    }

    /// Tells the user about `kind`.
    pub fn notify(self, kind: NotificationKind, text: impl Into<String>) {
        let time = self.moment.get_untracked().time;
        self.notifications.push(Notification::new(kind, text), time);
    }

    /// Sets the signals of what has changed since the last frame.
    pub(super) fn show(self, changes: Changes) {
        self.state.with_value(|state| {
            self.moment.set(moment(state));
            set(self.agent_nav, state.agent_nav);
            set(self.day_open_nav, state.day_open.nav);
            set(self.clock, state.clock);
            if changes.candles {
                self.candles.update(|count| *count = count.wrapping_add(1));
            }
            self.instruments.with_value(|instruments| {
                for (id, figures) in instruments {
                    if changes.account || changes.markets.contains(id) {
                        figures.show(state, *id);
                    }
                }
            });
            if changes.account || !changes.markets.is_empty() {
                set(self.account_rev, state.account.rev);
                set(self.valuation, state.valuation());
            }
            for id in &changes.tapes {
                if let (Some(figures), Some(tape)) = (self.figures(*id), state.tapes.get(id)) {
                    figures.tape.set(tape.iter().cloned().collect());
                    set(figures.last, state.last_trades.get(id).copied());
                }
            }
            if changes.fills {
                self.fills.set(state.history.fills().to_vec());
            }
            self.show_orders(state, &changes);
            set(self.has_older, has_older(state));
        });
        let time = self.moment.get_untracked().time;
        changes.notifications.into_iter().for_each(|each| self.notifications.push(each, time));
    }

    fn show_orders(self, state: &State, changes: &Changes) {
        if changes.orders.is_empty() {
            return;
        }
        for id in &changes.orders {
            let Some(order) = state.history.order(*id) else { continue };
            match self.order(*id) {
                Some(signal) => set(signal, order.clone()),
                None => {
                    let signal = self.owner.get_value().with(|| RwSignal::new(order.clone()));
                    self.orders.update_value(|orders| {
                        orders.insert(*id, signal);
                    });
                }
            }
        }
        set(self.order_ids, state.history.newest_orders());
    }
}

impl InstrumentFigures {
    fn new(state: &State, id: InstrumentId) -> Self {
        let figures = Self {
            bid: RwSignal::new(None),
            ask: RwSignal::new(None),
            mark: RwSignal::new(None),
            last: RwSignal::new(state.last_trades.get(&id).copied()),
            day: RwSignal::new(None),
            is_halted: RwSignal::new(false),
            accrued: RwSignal::new(Money::ZERO),
            marked_at: RwSignal::new(None),
            received_ms: StoredValue::new(0.0),
            sparkline: RwSignal::new(Vec::new()),
            day_open: RwSignal::new(None),
            ladder: RwSignal::new(Ladder::default()),
            dealer_quotes: RwSignal::new(Vec::new()),
            tape: RwSignal::new(Vec::new()),
        };
        figures.show(state, id);
        figures
    }

    /// Milliseconds since the mark arrived; absent before there is one. The
    /// caller decides when to look again.
    pub fn age_ms(self) -> Option<f64> {
        self.marked_at.get().map(|_| now_ms() - self.received_ms.get_value())
    }

    fn show(self, state: &State, id: InstrumentId) {
        let Some(listed) = state.market.instruments.get(&id) else { return };
        set(self.bid, listed.touch(Side::Buy));
        set(self.ask, listed.touch(Side::Sell));
        set(self.mark, listed.mark_price());
        set(self.is_halted, listed.mark.is_some_and(|mark| mark.status == InstrumentStatus::Halted));
        set(self.accrued, state.market.accrued_per_lot(id));
        let marked_at = listed.mark.map(|_| listed.marked_at);
        if self.marked_at.with_untracked(|shown| *shown != marked_at) {
            self.received_ms.set_value(now_ms());
            self.marked_at.set(marked_at);
        }
        let marks = state.sparklines.get(&id).map(Sparkline::marks).unwrap_or_default();
        if self.sparkline.with_untracked(|shown| shown != marks) {
            self.sparkline.set(marks.to_vec());
        }
        set(self.day_open, state.day_open.marks.get(&id).copied());
        set(self.day, state.days.get(&id).copied());
        set(self.ladder, Ladder::of(listed, &state.account));
        if self.dealer_quotes.with_untracked(|shown| *shown != listed.quotes) {
            self.dealer_quotes.set(listed.quotes.clone());
        }
    }
}

fn has_older(state: &State) -> (bool, bool) {
    let OrderHistory { older_orders, older_fills, .. } = &state.history;
    (*older_orders != Older::None, *older_fills != Older::None)
}

fn moment(state: &State) -> Moment {
    Moment { through: state.market.through, time: state.market.time, date: state.market.date }
}

/// Sets a signal if the value is new: what has not changed is not drawn again.
fn set<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|shown| *shown != value) {
        signal.set(value);
    }
}
