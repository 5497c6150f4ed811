//! The peer: one write of one message that was framed beforehand, for every
//! update and socket, in a process of its own. It has no market, no limits and
//! nothing to decide.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use engine::id::{InstrumentId, Seq, VenueId};
use engine::money::{Money, Ticks};
use engine::order::InstrumentStatus;
use engine::time::{Date, VenueTime};
use engine::venue::Mark;
use protocol::socket::{Frame, Item, TickUpdate, Update};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{MissedTickBehavior, interval};

/// Set where this program is the peer: how many sockets it waits for.
const ROLE: &str = "TICKHALL_FANOUT_PEER";

/// One update as a whole WebSocket message.
pub(crate) fn message() -> Vec<u8> {
    let instrument = InstrumentId::derive(VenueId::from_name("main"), "S00");
    let tick = TickUpdate {
        mark: Mark { instrument, price: Ticks(10_000), rev: Seq(1_000), status: InstrumentStatus::Trading },
        time: VenueTime(1_767_605_400_000_000),
        bid: Some(Ticks(9_999)),
        ask: Some(Ticks(10_001)),
        accrued_per_lot: Money::ZERO,
    };
    let update = Update {
        number: 1_000,
        more: false,
        through: Seq(1_000),
        time: tick.time,
        date: Date::from_days(20_458),
        date_rev: Seq(1),
        items: vec![Item::Tick(tick)],
    };
    let payload = postcard::to_allocvec(&Frame::Update(update)).unwrap();
    // A final binary message from a server, which masks nothing.
    let mut bytes = match u8::try_from(payload.len()) {
        Ok(short @ 0..126) => vec![0x82, short],
        _ => [vec![0x82, 126], u16::try_from(payload.len()).unwrap().to_be_bytes().to_vec()].concat(),
    };
    bytes.extend(payload);
    bytes
}

/// The peer as a process.
pub(crate) struct Peer {
    pub(crate) child: Child,
    pub(crate) address: String,
}

impl Peer {
    pub(crate) fn start(sockets: usize) -> Self {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.env(ROLE, sockets.to_string()).stdout(Stdio::piped());
        let mut child = program.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, address: lines.next().unwrap().unwrap() }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether this program is the peer, and for how many sockets.
pub(crate) fn role() -> Option<usize> {
    std::env::var(ROLE).ok()?.parse().ok()
}

/// Is the peer until it is killed.
pub(crate) async fn run(sockets: usize, updates: usize, every: Duration) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    let mut open: Vec<TcpStream> = Vec::new();
    while open.len() < sockets {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        open.push(stream);
    }
    let message = message();
    let mut beats = interval(every);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        for _ in 0..updates {
            for socket in &mut open {
                socket.write_all(&message).await.unwrap();
            }
        }
    }
}
