//! The browser app's own client on a connection that loses, doubles and reorders
//! frames, and breaks.
//!
//! Does not know what the frames should contain.

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

use super::replay::Snapshot;
use crate::support::site::Visitor;
use crate::support::socket::Socket;
use crate::support::traders::Random;
use crate::support::trading_fixture::TEST_TIMEOUT;

/// Numbers of disturbed frames.
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
    /// True if it requests what it misses.
    heals: bool,
    random: Random,
    /// Delayed frames, and by how many others each is still to be overtaken.
    held: VecDeque<(u64, Bytes)>,
    /// True if the newest update has arrived to its last part.
    whole: bool,
    pings: u32,
    answered: u32,
    pub done: Disturbances,
    /// Number of requests for what was missing.
    pub resubscribed: u64,
    /// Number of whole accounts received.
    pub resynced: u64,
}

impl Client {
    /// Opens the page and subscribes. `seed` decides what happens to its frames.
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
            resubscribed: 0,
            resynced: 0,
        };
        client.start().await;
        client
    }

    /// Receives frames and disturbs them until told to stop.
    pub async fn listen_disturbed(mut self, until: CancellationToken) -> Self {
        loop {
            tokio::select! {
                biased;
                () = until.cancelled() => return self,
                bytes = next(&mut self.socket) => self.disturb(bytes).await,
            }
        }
    }

    /// Receives without disturbance until it has requested all that it knows to
    /// be missing, and the gateway has received the request.
    pub async fn catch_up(&mut self) {
        while let Some((_, late)) = self.held.pop_front() {
            self.receive(&late).await;
        }
        loop {
            let resubscribed = self.resubscribed;
            self.pings += 1;
            self.socket.put(Message::text(stream::ping(self.pings))).await;
            while self.answered != self.pings {
                let bytes = next(&mut self.socket).await;
                self.receive(&bytes).await;
            }
            if self.resubscribed == resubscribed {
                return;
            }
        }
    }

    /// Receives until its state is as of entry `seq`.
    pub async fn wait_for_seq(&mut self, seq: Seq) {
        while self.state.market.through < seq || !self.whole {
            let bytes = next(&mut self.socket).await;
            self.receive(&bytes).await;
        }
    }

    /// Its market and account.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.state.market.clone(), self.state.account.clone())
    }

    async fn disturb(&mut self, bytes: Bytes) {
        match self.random.draw() % 100 {
            0..25 => self.done.dropped += 1,
            25..45 => {
                self.done.doubled += 1;
                self.receive(&bytes).await;
                self.receive(&bytes).await;
            }
            45..65 => {
                self.done.reordered += 1;
                self.held.push_back((1 + self.random.draw() % 3, bytes));
                return;
            }
            // A client that does not resubscribe does not reconnect either.
            65..70 if self.heals => {
                self.done.reconnected += 1;
                self.held.clear();
                self.socket = connect(&self.visitor).await;
                self.start().await;
            }
            _ => self.receive(&bytes).await,
        }
        // The delayed frames have been overtaken once more.
        let held = std::mem::take(&mut self.held);
        for (overtaken_by, bytes) in held {
            match overtaken_by - 1 {
                0 => self.receive(&bytes).await,
                left => self.held.push_back((left, bytes)),
            }
        }
    }

    async fn start(&mut self) {
        let sentence = self.tracker.start(&self.state);
        self.socket.put(Message::text(sentence)).await;
    }

    async fn receive(&mut self, bytes: &Bytes) {
        let request = match stream::decode(bytes).unwrap() {
            Frame::Update(update) if !self.heals => {
                self.state.apply(update);
                None
            }
            Frame::Update(update) => {
                self.whole = !update.more;
                let (changes, request) = self.tracker.apply(&mut self.state, update);
                self.resynced += u64::from(changes.reread);
                request
            }
            Frame::Pong { nonce, updates } => {
                self.answered = self.answered.max(nonce);
                self.tracker.on_pong(&self.state, updates).filter(|_| self.heals)
            }
            Frame::Hello(_) => None,
            Frame::Error(error) => panic!("{error:?}"),
        };
        if let Some(sentence) = request {
            self.resubscribed += 1;
            self.socket.put(Message::text(sentence)).await;
        }
    }
}

async fn connect(visitor: &Visitor) -> Socket {
    let query = stream::STREAM_PATH.trim_start_matches("/api/v1/stream");
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
