//! State into signals: one for each instrument and field, set once a frame.
//!
//! Knows what changed, not why.

use std::collections::BTreeMap;

use engine::id::{Digest, InstrumentId, OrderId, Seq};
use engine::instrument::Instrument;
use engine::money::{Money, Ticks};
use engine::order::{Amend, Order, Preview, Reject, Side, Take, Ticket};
use engine::portfolio::Valuation;
use engine::quote::Quote as DealerQuote;
use engine::time::{Date, VenueTime};
use engine::venue::Fill;
use leptos::prelude::*;
use protocol::socket::TapeUpdate;

use super::connection::Link;
use super::history::PreviewStats;
use super::ladder::Ladder;
use super::notifications::{Notification, NotificationQueue};
use super::now_ms;
use super::state::{AgentNav, Changes, State};
use crate::prefs::Preferences;
use crate::reactive::{RwSignal, StoredValue};
use protocol::candle_history::CandleHistory;
use protocol::gateway::{Caller, Opening};
use protocol::nav_history::NavHistory;
use protocol::sparkline::Sparkline;

/// When everything on the screen was true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The venue's entry.
    pub through: Seq,
    /// Its venue time.
    pub time: VenueTime,
    /// Its settlement date.
    pub date: Date,
}

/// One instrument's figures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// Best bid.
    pub bid: RwSignal<Option<Ticks>>,
    /// Best ask.
    pub ask: RwSignal<Option<Ticks>>,
    /// The mark.
    pub mark: RwSignal<Option<Ticks>>,
    /// Accrued interest of one lot.
    pub accrued: RwSignal<Money>,
    /// Venue time of the newest tick.
    pub ticked_at: RwSignal<Option<VenueTime>>,
    /// When it came, by this browser's clock.
    heard_ms: StoredValue<f64>,
    /// Marks of the last minute or so, oldest first.
    pub trail: RwSignal<Vec<Ticks>>,
    /// The mark when the day began.
    pub open: RwSignal<Option<Ticks>>,
    /// The merged book with the account's own orders marked.
    pub ladder: RwSignal<Ladder>,
    /// Dealers' live quotes, for what trades on them.
    pub offers: RwSignal<Vec<DealerQuote>>,
    /// What traded, newest first.
    pub tape: RwSignal<Vec<TapeUpdate>>,
}

/// The live desk. A handle: copies share everything.
#[derive(Clone, Copy)]
pub struct Live {
    state: StoredValue<State>,
    quotes: StoredValue<BTreeMap<InstrumentId, Quote>>,
    orders: StoredValue<BTreeMap<OrderId, RwSignal<Order>>>,
    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "sockets are the browser's"))]
    owner: StoredValue<Owner>,
    /// As of when everything is.
    pub moment: RwSignal<Moment>,
    /// Orders to show, newest first.
    pub order_ids: RwSignal<Vec<OrderId>>,
    /// Fills to show, newest first.
    pub fills: RwSignal<Vec<Fill>>,
    /// The account at the newest marks.
    pub valuation: RwSignal<Valuation>,
    /// NAV when the day began.
    pub day_open_nav: RwSignal<Option<Money>>,
    /// The portfolio agent's NAV.
    pub agent_nav: RwSignal<AgentNav>,
    /// The account's newest entry.
    pub account_rev: RwSignal<Seq>,
    /// The connection.
    pub link: RwSignal<Link>,
    /// What is announced.
    pub notifications: NotificationQueue,
    /// The instrument that ladder and ticket are about.
    pub selected: RwSignal<InstrumentId>,
    /// Previews against fills.
    pub previews: RwSignal<PreviewStats>,
    /// How the user wants it shown.
    pub prefs: Preferences,
    bars: StoredValue<(InstrumentId, CandleHistory)>,
    worth: StoredValue<Option<NavHistory>>,
    started: StoredValue<bool>,
    caller: StoredValue<Caller>,
    t0: StoredValue<VenueTime>,
    venue: StoredValue<(String, String, Digest)>,
}

impl Live {
    pub(super) fn new(opening: Opening, owner: Owner) -> Self {
        let caller = opening.caller.clone();
        let snapshot = &opening.snapshot;
        let venue = (snapshot.venue_name.clone(), snapshot.currency.clone(), snapshot.seed_commitment);
        let instruments = snapshot.market.instruments.values().map(|listed| &listed.instrument);
        let first = instruments.min_by_key(|instrument| &instrument.symbol);
        let first = first.map_or(InstrumentId::NONE, |instrument| instrument.id);
        let bars = (first, opening.bars.clone());
        let worth = opening.nav_history.clone();
        let t0 = snapshot.t0;
        let state = State::open(opening);
        let quotes = state.market.instruments.keys().map(|id| (*id, Quote::new(&state, *id))).collect();
        let order = |id: &OrderId| Some((*id, RwSignal::new(state.history.order(*id)?.clone())));
        let ids = state.history.newest_orders();
        Self {
            quotes: StoredValue::new(quotes),
            orders: StoredValue::new(ids.iter().filter_map(order).collect()),
            owner: StoredValue::new(owner),
            moment: RwSignal::new(moment(&state)),
            order_ids: RwSignal::new(ids),
            fills: RwSignal::new(state.history.fills().to_vec()),
            valuation: RwSignal::new(state.valuation()),
            day_open_nav: RwSignal::new(state.day_open.nav),
            agent_nav: RwSignal::new(state.agent_nav),
            account_rev: RwSignal::new(state.account.rev),
            link: RwSignal::new(Link::default()),
            notifications: NotificationQueue::new(),
            previews: RwSignal::new(PreviewStats::default()),
            selected: RwSignal::new(first),
            prefs: use_context().unwrap_or_default(),
            bars: StoredValue::new(bars),
            worth: StoredValue::new(worth),
            started: StoredValue::new(false),
            caller: StoredValue::new(caller),
            t0: StoredValue::new(t0),
            venue: StoredValue::new(venue),
            state: StoredValue::new(state),
        }
    }

    /// Connects to the venue, once; the server never does.
    pub fn start(self) {
        if !self.started.get_value() {
            self.started.set_value(true);
            #[cfg(target_arch = "wasm32")]
            super::socket::start(self);
        }
    }

    /// The bars that the page came with, and whose they are.
    pub fn opening_bars(self) -> (InstrumentId, CandleHistory) {
        self.bars.get_value()
    }

    /// What the account was worth when the page was opened, if it came with it.
    pub fn opening_worth(self) -> Option<NavHistory> {
        self.worth.get_value()
    }

    /// When the venue began.
    pub fn t0(self) -> VenueTime {
        self.t0.get_value()
    }

    /// Who looks.
    pub fn caller(self) -> Caller {
        self.caller.get_value()
    }

    /// The venue's name.
    pub fn venue_name(self) -> String {
        self.venue.with_value(|venue| venue.0.clone())
    }

    /// The one currency's code.
    pub fn currency(self) -> String {
        self.venue.with_value(|venue| venue.1.clone())
    }

    /// What the venue committed to before it opened.
    pub fn seed_commitment(self) -> Digest {
        self.venue.with_value(|venue| venue.2)
    }

    /// What is listed, by symbol.
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
    pub fn quote(self, id: InstrumentId) -> Option<Quote> {
        self.quotes.with_value(|quotes| quotes.get(&id).copied())
    }

    /// An order's newest state.
    pub fn order(self, id: OrderId) -> Option<RwSignal<Order>> {
        self.orders.with_value(|orders| orders.get(&id).copied())
    }

    /// Reads the plain state, without following it.
    pub fn read<T>(self, read: impl FnOnce(&State) -> T) -> T {
        self.state.with_value(read)
    }

    /// What placing `ticket` now would do. Follow `moment` to follow it.
    ///
    /// # Errors
    /// What the venue would refuse.
    pub fn preview(self, ticket: &Ticket) -> Result<Preview, Reject> {
        self.state.with_value(|state| state.preview(ticket))
    }

    /// What taking a dealer's quote now would do.
    ///
    /// # Errors
    /// What the venue would refuse.
    pub fn preview_take(self, instrument: InstrumentId, side: Side, take: &Take) -> Result<Preview, Reject> {
        self.state.with_value(|state| state.preview_take(instrument, side, take))
    }

    /// What amending a live order now would do.
    ///
    /// # Errors
    /// What the venue would refuse.
    pub fn preview_amend(self, amend: &Amend) -> Result<Preview, Reject> {
        self.state.with_value(|state| state.preview_amend(amend))
    }

    /// Changes the plain state; what it returns is shown by [`Live::show`], and
    /// is nothing once the screens are gone.
    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "sockets are the browser's"))]
    pub(super) fn change<T: Default>(self, change: impl FnOnce(&mut State) -> T) -> T {
        self.state.try_update_value(change).unwrap_or_default()
    }

    /// Says something to the user, through the one live region.
    pub fn say(self, text: impl Into<String>) {
        self.notifications.push(Notification(text.into()));
    }

    /// Shows what has changed since the last frame.
    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "sockets are the browser's"))]
    pub(super) fn show(self, changes: Changes) {
        self.state.with_value(|state| {
            self.moment.set(moment(state));
            set(self.agent_nav, state.agent_nav);
            set(self.day_open_nav, state.day_open.nav);
            self.quotes.with_value(|quotes| {
                for (id, quote) in quotes {
                    if changes.account || changes.markets.contains(id) {
                        quote.show(state, *id);
                    }
                }
            });
            if changes.account || !changes.markets.is_empty() {
                set(self.account_rev, state.account.rev);
                set(self.valuation, state.valuation());
            }
            for id in &changes.tapes {
                if let (Some(quote), Some(tape)) = (self.quote(*id), state.tapes.get(id)) {
                    quote.tape.set(tape.iter().cloned().collect());
                }
            }
            if changes.fills {
                self.fills.set(state.history.fills().to_vec());
            }
            self.show_orders(state, &changes);
        });
        changes.notifications.into_iter().for_each(|each| self.notifications.push(each));
    }

    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "sockets are the browser's"))]
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
                    self.orders.update_value(|orders| drop(orders.insert(*id, signal)));
                }
            }
        }
        set(self.order_ids, state.history.newest_orders());
    }
}

impl Quote {
    fn new(state: &State, id: InstrumentId) -> Self {
        let quote = Self {
            bid: RwSignal::new(None),
            ask: RwSignal::new(None),
            mark: RwSignal::new(None),
            accrued: RwSignal::new(Money::ZERO),
            ticked_at: RwSignal::new(None),
            heard_ms: StoredValue::new(0.0),
            trail: RwSignal::new(Vec::new()),
            open: RwSignal::new(None),
            ladder: RwSignal::new(Ladder::default()),
            offers: RwSignal::new(Vec::new()),
            tape: RwSignal::new(Vec::new()),
        };
        quote.show(state, id);
        quote
    }

    /// Milliseconds since the newest tick came; absent before there is one. The
    /// caller says when to look again.
    pub fn age_ms(self) -> Option<f64> {
        self.ticked_at.get().map(|_| now_ms() - self.heard_ms.get_value())
    }

    fn show(self, state: &State, id: InstrumentId) {
        let Some(listed) = state.market.instruments.get(&id) else { return };
        set(self.bid, listed.touch(Side::Buy));
        set(self.ask, listed.touch(Side::Sell));
        set(self.mark, listed.mark_price());
        set(self.accrued, state.market.accrued_per_lot(id));
        let ticked_at = listed.mark.map(|_| listed.marked_at);
        if self.ticked_at.with_untracked(|known| *known != ticked_at) {
            self.heard_ms.set_value(now_ms());
            self.ticked_at.set(ticked_at);
        }
        let marks = state.sparklines.get(&id).map(Sparkline::marks).unwrap_or_default();
        if self.trail.with_untracked(|trail| trail != marks) {
            self.trail.set(marks.to_vec());
        }
        set(self.open, state.day_open.marks.get(&id).copied());
        set(self.ladder, Ladder::of(listed, &state.account));
        if self.offers.with_untracked(|offers| *offers != listed.quotes) {
            self.offers.set(listed.quotes.clone());
        }
    }
}

fn moment(state: &State) -> Moment {
    Moment { through: state.market.through, time: state.market.time, date: state.market.date }
}

/// Sets a signal where it is news: what has not changed is not drawn again.
fn set<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|known| *known != value) {
        signal.set(value);
    }
}
