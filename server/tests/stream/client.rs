//! The browser app's own client behind a line that loses, doubles and reorders
//! frames, and breaks off.
//!
//! Does not know what the frames should say.

use std::collections::VecDeque;

use app::live::state::State;
use app::live::stream::{self, SequenceTracker};
use bytes::Bytes;
use engine::id::Seq;
use futures::StreamExt as _;
use protocol::rest::Opening;
use protocol::socket::Frame;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use crate::support::site::Visitor;
use crate::support::socket::Socket;
use crate::support::traders::Random;
use crate::support::trading_fixture::TEST_TIMEOUT;

/// How often something was done to what came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disturbances {
    pub dropped: u64,
    pub doubled: u64,
    pub reordered: u64,
    pub reconnected: u64,
}

impl Disturbances {
    pub fn all(&self) -> u64 {
        self.dropped + self.doubled + self.reordered + self.reconnected
    }
}

/// A page that follows the venue.
pub struct Client {
    visitor: Visitor,
    socket: Socket,
    tracker: SequenceTracker,
    pub state: State,
    /// Whether it asks for what it misses.
    heals: bool,
    random: Random,
    /// Frames that are overtaken by so many others.
    held: VecDeque<(u64, Bytes)>,
    /// Whether the newest update is there to its last part.
    whole: bool,
    pings: u32,
    answered: u32,
    pub done: Disturbances,
    /// How often it asked for what was missing.
    pub asked: u64,
    /// How often the account came whole.
    pub resynced: u64,
}

impl Client {
    /// Opens the page and follows. `seed` decides what happens to its frames.
    pub async fn open(visitor: &Visitor, heals: bool, seed: u64) -> Self {
        let opening = visitor
            .client
            .post(format!("{}/api/ui/opening", visitor.base))
            .header("origin", &visitor.base)
            .header("cookie", visitor.cookie.as_deref().unwrap_or_default())
            .header("content-type", "application/octet-stream");
        let answer = opening.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let opening: Opening = postcard::from_bytes(&answer.bytes().await.unwrap()).unwrap();
        let mut client = Self {
            visitor: visitor.clone(),
            socket: connect(visitor).await,
            tracker: SequenceTracker::default(),
            state: State::open(opening),
            heals,
            random: Random(seed),
            held: VecDeque::new(),
            whole: true,
            pings: 0,
            answered: 0,
            done: Disturbances::default(),
            asked: 0,
            resynced: 0,
        };
        client.begin().await;
        client
    }

    /// Listens, with everything going wrong that can, until told to stop.
    pub async fn suffer(mut self, until: CancellationToken) -> Self {
        loop {
            tokio::select! {
                biased;
                () = until.cancelled() => return self,
                bytes = next(&mut self.socket) => self.disturb(bytes).await,
            }
        }
    }

    /// Listens without disturbance until it has asked for all that it knows to
    /// be missing, and the gateway has heard it.
    pub async fn calm(&mut self) {
        while let Some((_, late)) = self.held.pop_front() {
            self.hear(&late).await;
        }
        loop {
            let asked = self.asked;
            self.pings += 1;
            self.socket.put(Message::text(stream::ping(self.pings))).await;
            while self.answered != self.pings {
                let bytes = next(&mut self.socket).await;
                self.hear(&bytes).await;
            }
            if self.asked == asked {
                return;
            }
        }
    }

    /// Listens until it holds entry `seq`.
    pub async fn reach(&mut self, seq: Seq) {
        while self.state.through < seq || !self.whole {
            let bytes = next(&mut self.socket).await;
            self.hear(&bytes).await;
        }
    }

    async fn disturb(&mut self, bytes: Bytes) {
        match self.random.draw() % 100 {
            0..25 => self.done.dropped += 1,
            25..45 => {
                self.done.doubled += 1;
                self.hear(&bytes).await;
                self.hear(&bytes).await;
            }
            45..65 => {
                self.done.reordered += 1;
                self.held.push_back((1 + self.random.draw() % 3, bytes));
                return;
            }
            // A client that does not ask knows no new beginning either.
            65..70 if self.heals => {
                self.done.reconnected += 1;
                self.held.clear();
                self.socket = connect(&self.visitor).await;
                self.begin().await;
            }
            _ => self.hear(&bytes).await,
        }
        // What was held back has been overtaken once more.
        let held = std::mem::take(&mut self.held);
        for (overtaken_by, bytes) in held {
            match overtaken_by - 1 {
                0 => self.hear(&bytes).await,
                left => self.held.push_back((left, bytes)),
            }
        }
    }

    async fn begin(&mut self) {
        let sentence = self.tracker.start(&self.state);
        self.socket.put(Message::text(sentence)).await;
    }

    async fn hear(&mut self, bytes: &Bytes) {
        let asks = match stream::decode(bytes).unwrap() {
            Frame::Update(update) if !self.heals => {
                self.state.apply(update);
                None
            }
            Frame::Update(update) => {
                self.whole = !update.more;
                let (changes, asks) = self.tracker.apply(&mut self.state, update);
                self.resynced += u64::from(changes.reread);
                asks
            }
            Frame::Pong { nonce, updates } => {
                self.answered = self.answered.max(nonce);
                self.tracker.on_pong(&self.state, updates).filter(|_| self.heals)
            }
            Frame::Hello(_) => None,
            Frame::Error(error) => panic!("{error:?}"),
        };
        if let Some(sentence) = asks {
            self.asked += 1;
            self.socket.put(Message::text(sentence)).await;
        }
    }
}

async fn connect(visitor: &Visitor) -> Socket {
    let query = stream::STREAM.trim_start_matches("/api/v1/stream");
    visitor.socket(query, Some(&visitor.base)).await.unwrap()
}

/// The next frame as it was sent.
async fn next(socket: &mut Socket) -> Bytes {
    loop {
        let next = tokio::time::timeout(TEST_TIMEOUT, socket.stream.next()).await.expect("nothing comes");
        match next {
            Some(Ok(Message::Binary(bytes))) => return bytes,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            other => panic!("the socket ended: {other:?}"),
        }
    }
}
