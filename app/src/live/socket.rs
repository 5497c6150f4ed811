//! The one shared socket: connects, reconnects for ever, passes updates to the
//! state and shows them once a frame.
//!
//! Uses the browser's API; does not know what an update means.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::socket::{FRAMES_VERSION, Frame, Hello};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{BinaryType, Event, MessageEvent, WebSocket};

use super::connection::{ConnectionPhase, ConnectionState, retry_delay_ms};
use super::now_ms;
use super::signals::Live;
use super::state::{Changes, State};
use super::stream::{self, SequenceTracker};
use crate::{api, report};

/// Silence after which an open socket is closed, in ms.
const SILENCE_TIMEOUT_MS: f64 = 10_000.0;

/// Time between two pings.
const PING_INTERVAL: Duration = Duration::from_secs(1);

/// Delay before the candles of another chart are requested: who steps through the
/// instruments wants the last one alone.
const SERIES_DELAY: Duration = Duration::from_millis(150);

/// Time between two updates of the connection's age on screen.
const LINK_INTERVAL: Duration = Duration::from_millis(250);

struct Socket {
    live: Live,
    connection: RefCell<Option<Connection>>,
    tracker: RefCell<SequenceTracker>,
    /// Attempts to connect since the last `hello`.
    attempts: Cell<u32>,
    /// Arrival of the newest frame.
    received_ms: Cell<f64>,
    round_trip_ms: Cell<Option<f64>>,
    /// Nonce and time of the newest ping.
    ping: Cell<(u32, f64)>,
    /// Changes for the next frame of the screen.
    pending: RefCell<Changes>,
    is_frame_requested: Cell<bool>,
    is_series_due: Cell<bool>,
}

/// A web socket and its callbacks, which live as long as it does.
struct Connection {
    socket: WebSocket,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_open_and_close: [Closure<dyn FnMut(Event)>; 2],
}

/// Connects `live` to the venue, until the page is closed.
pub(crate) fn start(live: Live) {
    let socket = Rc::new(Socket {
        live,
        connection: RefCell::new(None),
        tracker: RefCell::new(SequenceTracker::default()),
        attempts: Cell::new(0),
        received_ms: Cell::new(now_ms()),
        round_trip_ms: Cell::new(None),
        ping: Cell::new((0, 0.0)),
        pending: RefCell::new(Changes::default()),
        is_frame_requested: Cell::new(false),
        is_series_due: Cell::new(false),
    });
    let following = Rc::clone(&socket);
    live.effect(move || {
        live.series.track();
        follow_series_later(&following);
    });
    socket.follow_series();
    connect(&socket);
    let pinging = Rc::clone(&socket);
    set_interval(move || pinging.send_ping(), PING_INTERVAL);
    set_interval(move || socket.update_link(), LINK_INTERVAL);
}

fn connect(this: &Rc<Socket>) {
    let Some(socket) = stream::address().and_then(|address| WebSocket::new(&address).ok()) else {
        reconnect_later(this);
        return;
    };
    socket.set_binary_type(BinaryType::Arraybuffer);
    let me = Rc::clone(this);
    let on_message = Closure::<dyn FnMut(_)>::new(move |event: MessageEvent| {
        if let Ok(buffer) = event.data().dyn_into::<js_sys::ArrayBuffer>() {
            on_frame(&me, &js_sys::Uint8Array::new(&buffer).to_vec());
        }
    });
    let me = Rc::clone(this);
    let on_open = Closure::<dyn FnMut(_)>::new(move |_: Event| {
        me.received_ms.set(now_ms());
        me.send(&me.live.read(|state| me.tracker.borrow_mut().start(state)));
        me.send_ping();
    });
    let me = Rc::clone(this);
    let on_close = Closure::<dyn FnMut(_)>::new(move |_: Event| reconnect_later(&me));
    socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
    socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
    let connection = Connection { socket, _on_message: on_message, _on_open_and_close: [on_open, on_close] };
    *this.connection.borrow_mut() = Some(connection);
}

fn follow_series_later(this: &Rc<Socket>) {
    if !this.is_series_due.replace(true) {
        let me = Rc::clone(this);
        set_timeout(move || me.follow_series(), SERIES_DELAY);
    }
}

fn reconnect_later(this: &Rc<Socket>) {
    let attempts = this.attempts.get();
    this.attempts.set(attempts.saturating_add(1));
    this.round_trip_ms.set(None);
    if attempts > 0 {
        spawn_local(leave_if_signed_out());
    }
    let delay_ms = retry_delay_ms(attempts, js_sys::Math::random());
    let me = Rc::clone(this);
    set_timeout(move || connect(&me), Duration::from_millis(delay_ms as u64));
    this.update_link();
}

/// Goes to the sign-in page if the session has ended: scripts cannot read the
/// status of a refused upgrade, but that of a server function.
async fn leave_if_signed_out() {
    if api::read_portfolio().await.is_err_and(|error| error.status == 401) {
        let _ = location().set_href("/login");
    }
}

fn on_frame(this: &Rc<Socket>, bytes: &[u8]) {
    this.received_ms.set(now_ms());
    match stream::decode(bytes) {
        Some(Frame::Hello(hello)) => this.on_hello(&hello),
        Some(Frame::Update(update)) => {
            let (changes, request) = this.live.change(|state| this.tracker.borrow_mut().apply(state, update));
            request.iter().for_each(|message| this.send(message));
            if changes.reread {
                spawn_local(read_history_again(Rc::clone(this)));
            }
            this.pending.borrow_mut().merge(changes);
            request_frame(this);
        }
        Some(Frame::Pong { nonce, updates }) => {
            let request = this.live.read(|state| this.tracker.borrow_mut().on_pong(state, updates));
            request.iter().for_each(|message| this.send(message));
            let (pinged, at_ms) = this.ping.get();
            if pinged == nonce {
                this.round_trip_ms.set(Some(now_ms() - at_ms));
                this.update_link();
            }
        }
        // The whole account follows.
        Some(Frame::Error(error)) if error.code == "resync_required" => {}
        // Nothing was subscribed to; the next socket may succeed.
        Some(Frame::Error(error)) if error.code == "unavailable" => this.close(),
        Some(Frame::Error(error)) => report::warn("socket_refused", &error.message),
        None => report::warn("frame_unreadable", "a frame that this page cannot read"),
    }
}

/// Reads orders that closed while the page was disconnected.
async fn read_history_again(this: Rc<Socket>) {
    let (orders, fills) =
        (api::read_orders(None, api::TABLE_ROWS).await, api::read_fills(None, api::TABLE_ROWS).await);
    if let (Ok(orders), Ok(fills)) = (orders, fills) {
        let orders = this.live.change(|state| state.history.merge(orders, fills));
        this.pending.borrow_mut().merge(Changes { orders, fills: true, ..Changes::default() });
        request_frame(&this);
    }
}

/// Shows the pending changes with the browser's next frame.
fn request_frame(this: &Rc<Socket>) {
    if !this.is_frame_requested.replace(true) {
        let me = Rc::clone(this);
        request_animation_frame(move || {
            me.is_frame_requested.set(false);
            me.live.show(me.pending.take());
        });
    }
}

impl Socket {
    /// Requests the candles of the selected chart, unless they are requested.
    fn follow_series(&self) {
        self.is_series_due.set(false);
        let (wanted, before) = (self.live.series.get_untracked(), self.live.read(|state| state.series));
        if before != Some(wanted) {
            self.live.change(|state| state.follow_candles(wanted));
            stream::change_candles(before, wanted).for_each(|message| self.send(&message));
        }
    }

    /// Updates the connection on screen, and closes a silent socket.
    fn update_link(&self) {
        let state = self.connection.borrow().as_ref().map(|connection| connection.socket.ready_state());
        let is_open = state == Some(WebSocket::OPEN);
        let age_ms = now_ms() - self.received_ms.get();
        let round_trip_ms = self.round_trip_ms.get();
        let is_first = self.attempts.get() == 0 && state == Some(WebSocket::CONNECTING);
        let phase = if is_first {
            ConnectionPhase::Connecting
        } else {
            ConnectionPhase::of(is_open, age_ms, round_trip_ms)
        };
        let link = ConnectionState { phase, round_trip_ms, age_ms };
        if self.live.link.get_untracked() != link {
            self.live.link.set(link);
        }
        if is_open && age_ms > SILENCE_TIMEOUT_MS {
            self.received_ms.set(now_ms());
            self.close();
        }
    }

    /// Reloads the page if it is of another account, market or build.
    fn on_hello(&self, hello: &Hello) {
        self.attempts.set(0);
        self.live.change(State::start_socket);
        let account = self.live.read(|state| state.account.id);
        let is_same = hello.account == account && hello.seed_commitment == self.live.seed_commitment();
        if hello.v != FRAMES_VERSION || !is_same {
            let _ = location().reload();
        }
    }

    fn close(&self) {
        if let Some(connection) = self.connection.borrow().as_ref() {
            let _ = connection.socket.close();
        }
    }

    fn send_ping(&self) {
        let nonce = self.ping.get().0.wrapping_add(1);
        self.ping.set((nonce, now_ms()));
        self.send(&stream::ping(nonce));
    }

    fn send(&self, text: &str) {
        if let Some(connection) = self.connection.borrow().as_ref()
            && connection.socket.ready_state() == WebSocket::OPEN
        {
            // A failure shows as silence, which closes the socket.
            let _ = connection.socket.send_with_str(text);
        }
    }
}
