//! The one shared socket: connects, reconnects for ever, hands updates to the
//! state and shows them once a frame.
//!
//! Knows the browser; does not know what an update means.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::socket::{FRAMES_VERSION, Frame, Hello};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{BinaryType, Event, MessageEvent, WebSocket};

use super::connection::{Link, Phase, retry_delay_ms};
use super::now_ms;
use super::signals::Live;
use super::state::Changes;
use super::stream::{self, SequenceTracker};
use crate::{ask, report};

/// Age at which an open but silent socket is given up, in ms.
const DEAD_MS: f64 = 10_000.0;

/// How often the server is asked for a sign of life.
const PING_EVERY: Duration = Duration::from_secs(1);

/// How often the pill's age is brought up to date.
const LOOK_EVERY: Duration = Duration::from_millis(250);

struct Socket {
    live: Live,
    socket: RefCell<Option<Open>>,
    tracker: RefCell<SequenceTracker>,
    attempt: Cell<u32>,
    heard_at: Cell<f64>,
    round_trip: Cell<Option<f64>>,
    ping: Cell<(u32, f64)>,
    pending: RefCell<Changes>,
    frame_asked: Cell<bool>,
}

/// A socket and the closures that it calls.
struct Open {
    socket: WebSocket,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _other: [Closure<dyn FnMut(Event)>; 2],
}

/// Connects `live` to the venue, for as long as the page lives.
pub(crate) fn start(live: Live) {
    let socket = Rc::new(Socket {
        live,
        socket: RefCell::new(None),
        tracker: RefCell::new(SequenceTracker::default()),
        attempt: Cell::new(0),
        heard_at: Cell::new(now_ms()),
        round_trip: Cell::new(None),
        ping: Cell::new((0, 0.0)),
        pending: RefCell::new(Changes::default()),
        frame_asked: Cell::new(false),
    });
    connect(&socket);
    let pinging = Rc::clone(&socket);
    set_interval(move || pinging.ask(), PING_EVERY);
    set_interval(move || look(&socket), LOOK_EVERY);
}

fn connect(this: &Rc<Socket>) {
    let Some(socket) = stream::address().and_then(|address| WebSocket::new(&address).ok()) else {
        retry(this);
        return;
    };
    socket.set_binary_type(BinaryType::Arraybuffer);
    let me = Rc::clone(this);
    let message = Closure::<dyn FnMut(_)>::new(move |event: MessageEvent| {
        if let Ok(buffer) = event.data().dyn_into::<js_sys::ArrayBuffer>() {
            hear(&me, &js_sys::Uint8Array::new(&buffer).to_vec());
        }
    });
    let me = Rc::clone(this);
    let opened = Closure::<dyn FnMut(_)>::new(move |_: Event| {
        me.heard_at.set(now_ms());
        me.send(&me.live.read(|state| me.tracker.borrow_mut().start(state)));
        me.ask();
    });
    let me = Rc::clone(this);
    let closed = Closure::<dyn FnMut(_)>::new(move |_: Event| retry(&me));
    socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
    socket.set_onopen(Some(opened.as_ref().unchecked_ref()));
    socket.set_onclose(Some(closed.as_ref().unchecked_ref()));
    *this.socket.borrow_mut() = Some(Open { socket, _message: message, _other: [opened, closed] });
}

fn retry(this: &Rc<Socket>) {
    let attempt = this.attempt.get();
    this.attempt.set(attempt.saturating_add(1));
    this.round_trip.set(None);
    if attempt > 0 {
        spawn_local(leave_when_signed_out());
    }
    let pause = retry_delay_ms(attempt, js_sys::Math::random());
    let me = Rc::clone(this);
    set_timeout(move || connect(&me), Duration::from_millis(pause as u64));
    look(this);
}

/// A session that is over answers every upgrade with a refusal that scripts
/// cannot read: so ask a page's question.
async fn leave_when_signed_out() {
    if ask::portfolio().await.is_err_and(|error| error.status == 401) {
        let _ = location().set_href("/login");
    }
}

fn hear(this: &Rc<Socket>, bytes: &[u8]) {
    this.heard_at.set(now_ms());
    match stream::decode(bytes) {
        Some(Frame::Hello(hello)) => this.greet(&hello),
        Some(Frame::Update(update)) => {
            let (changes, again) = this.live.change(|state| this.tracker.borrow_mut().apply(state, update));
            again.iter().for_each(|sentence| this.send(sentence));
            if changes.reread {
                spawn_local(reread(Rc::clone(this)));
            }
            this.pending.borrow_mut().merge(changes);
            ask_for_frame(this);
        }
        Some(Frame::Pong { nonce, updates }) => {
            let again = this.live.read(|state| this.tracker.borrow_mut().on_pong(state, updates));
            again.iter().for_each(|sentence| this.send(sentence));
            let (asked, at) = this.ping.get();
            if asked == nonce {
                this.round_trip.set(Some(now_ms() - at));
                look(this);
            }
        }
        // The account follows whole: nothing to do.
        Some(Frame::Error(error)) if error.code == "resync_required" => {}
        // Nothing was subscribed to: the next socket may find more.
        Some(Frame::Error(error)) if error.code == "unavailable" => this.hang_up(),
        Some(Frame::Error(error)) => report::warn("socket_refused", &error.message),
        None => report::warn("frame_unreadable", "a frame that this page cannot read"),
    }
}

/// Orders that closed while nobody listened.
async fn reread(this: Rc<Socket>) {
    if let (Ok(orders), Ok(fills)) = (ask::orders().await, ask::fills().await) {
        let orders = this.live.change(|state| state.history.merge(&orders, fills));
        this.pending.borrow_mut().merge(Changes { orders, fills: true, ..Changes::default() });
        ask_for_frame(&this);
    }
}

fn ask_for_frame(this: &Rc<Socket>) {
    if !this.frame_asked.replace(true) {
        let me = Rc::clone(this);
        request_animation_frame(move || {
            me.frame_asked.set(false);
            me.live.show(me.pending.take());
        });
    }
}

/// Brings the pill up to date, and gives up a socket that went silent.
fn look(this: &Rc<Socket>) {
    let state = this.socket.borrow().as_ref().map(|open| open.socket.ready_state());
    let open = state == Some(WebSocket::OPEN);
    let age_ms = now_ms() - this.heard_at.get();
    let round_trip_ms = this.round_trip.get();
    let first = this.attempt.get() == 0 && state == Some(WebSocket::CONNECTING);
    let phase = if first { Phase::Connecting } else { Phase::of(open, age_ms, round_trip_ms) };
    let link = Link { phase, round_trip_ms, age_ms };
    if this.live.link.get_untracked() != link {
        this.live.link.set(link);
    }
    if open && age_ms > DEAD_MS {
        this.heard_at.set(now_ms());
        this.hang_up();
    }
}

impl Socket {
    /// Another account, market or build: what this page shows is not theirs.
    fn greet(&self, hello: &Hello) {
        self.attempt.set(0);
        // The tape comes again whole.
        self.live.change(|state| state.tapes.clear());
        let mine = self.live.read(|state| state.account.id);
        let same = hello.account == mine && hello.seed_commitment == self.live.seed_commitment();
        if hello.v != FRAMES_VERSION || !same {
            let _ = location().reload();
        }
    }

    fn hang_up(&self) {
        if let Some(open) = self.socket.borrow().as_ref() {
            let _ = open.socket.close();
        }
    }

    fn ask(&self) {
        let (nonce, _) = self.ping.get();
        let nonce = nonce.wrapping_add(1);
        self.ping.set((nonce, now_ms()));
        self.send(&stream::ping(nonce));
    }

    fn send(&self, text: &str) {
        if let Some(open) = self.socket.borrow().as_ref()
            && open.socket.ready_state() == WebSocket::OPEN
        {
            // A failure shows as silence, and silence closes the socket.
            let _ = open.socket.send_with_str(text);
        }
    }
}
