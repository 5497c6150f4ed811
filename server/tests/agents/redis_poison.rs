//! Messages on Redis that no agent has written: each is moved to the dead-letter
//! stream, and everything else goes on as if it had never been there.

use std::time::Duration;

use engine::id::Seq;
use engine::venue::Command;
use server::agents::market_data::Settings;
use server::agents::trading::verify::{Steps, verify};
use server::bus::MAX_MESSAGE_ID;
use server::config::{ClockMode, IdlePolicy};
use server::sequencer_client::SequencerClient;

use super::agents_fixture::{AgentsFixture, patiently};
use super::market_data::{buy, headers, same_as_never_stopped};
use crate::support::redis::Server;

/// Validity of an order: long, because nothing here may cost an answer.
const VALIDITY: Duration = Duration::from_secs(30);

/// An id from which on none is left for those that follow.
const HIGHEST: &str = "18446744073709551614-1";

/// A venue on a Redis of its own, all of whose agents are started again when they fail.
struct Poisoned {
    server: Server,
    fixture: AgentsFixture,
    client: SequencerClient,
    orders: u32,
}

impl Poisoned {
    /// With steps on request.
    async fn open(seed: &str) -> Self {
        let venue = Self::with(seed, ClockMode::Manual).await;
        // Every instrument has ticked.
        venue.fixture.step(20).await;
        venue
    }

    async fn with(seed: &str, clock: ClockMode) -> Self {
        let server = Server::private();
        let fixture = AgentsFixture::over(server.bus().await, seed).await;
        // In real time a step every 10 ms.
        let settings = Settings { clock, speed_milli: 10_000, idle: IdlePolicy::Run, ..fixture.manual() };
        fixture.supervise_all(settings);
        let client = fixture.client().await;
        let account = fixture.account(1);
        client.send(Command::OpenAccount { account }, VALIDITY).await.unwrap();
        Self { server, fixture, client, orders: 0 }
    }

    /// Adds an entry with these fields; false if the stream is beyond it.
    fn add(&self, stream: &str, id: &str, fields: &[&str]) -> bool {
        !self.server.cli(&[&["XADD", stream, id], fields].concat()).contains("ERR")
    }

    fn dead_letters(&self) -> u64 {
        self.server.cli(&["XLEN", &self.fixture.streams.dead_letter]).parse().unwrap()
    }

    async fn until_dead_letters(&self, count: u64) {
        let counted = async {
            while self.dead_letters() < count {
                tokio::task::yield_now().await;
            }
        };
        patiently(counted).await;
    }

    async fn until_healthy(&self) {
        let healthy = async {
            while !self.fixture.health.report_all().ok {
                tokio::task::yield_now().await;
            }
        };
        patiently(healthy).await;
    }

    /// The journal's newest entry.
    async fn head(&self) -> Seq {
        self.fixture.store.journal_head(self.fixture.row.id).await.unwrap().unwrap().seq
    }

    /// The newest step in the journal.
    async fn step(&self) -> u64 {
        let head = self.fixture.store.journal_head(self.fixture.row.id).await.unwrap().unwrap();
        head.outcome().unwrap().step
    }

    /// Steps flow on request, and orders.
    async fn flows(&mut self) {
        let before = self.step().await;
        self.fixture.step(3).await;
        // After a loss of data an older clock's answer may be taken for this one's.
        patiently(self.fixture.until_step(before + 3)).await;
        assert_eq!(self.step().await, before + 3);
        self.answers().await;
    }

    /// An order is answered, and everybody is well.
    async fn answers(&mut self) {
        self.orders += 1;
        let order = buy(&self.fixture, &format!("c-{}", self.orders), 1);
        patiently(self.client.send(order, VALIDITY)).await.unwrap();
        self.until_healthy().await;
    }

    /// The journal is that of a venue to which nothing happened.
    async fn close(self) {
        let Self { fixture, orders, .. } = self;
        fixture.stop_supervised().await;
        let steps = headers(&fixture).await.len() as u64;
        same_as_never_stopped(&fixture).await;
        let report = verify(&fixture.store, fixture.row.id, Steps::FromSeed).await.unwrap();
        assert_eq!((report.step, report.orders), (steps, u64::from(orders)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_no_step_changes_nothing_wherever_it_stands() {
    let mut venue = Poisoned::open("61").await;
    let stream = venue.fixture.streams.market_data.clone();
    let id = venue.fixture.row.id;
    let newer = format!("{{\"v\":99,\"venue\":\"{id}\"}}");
    let copied = {
        let message = venue.fixture.reader(&stream).next().await;
        String::from_utf8(message.bytes().to_vec()).unwrap()
    };
    let next = |step: u64| format!("{}-0", step + 1);
    let mut letters = 0;
    for (entry, fields) in [
        (None, vec!["m", "garbage"]),
        (None, vec!["m", newer.as_str()]),
        (None, vec!["m", copied.as_str()]),
        (None, vec!["other", "field"]),
        (None, vec!["p", "7:1 9:1", "m", "{}"]),
        (Some("*"), vec!["m", "garbage"]),
        (Some("*"), vec!["m", copied.as_str()]),
        (Some("4000000000000000-7"), vec!["m", "garbage"]),
        (Some(HIGHEST), vec!["m", "garbage"]),
        (Some(HIGHEST), vec!["m", copied.as_str()]),
    ] {
        let next = next(venue.step().await);
        assert!(venue.add(&stream, entry.unwrap_or(&next), &fields), "{entry:?}");
        venue.flows().await;
        letters += 1;
        venue.until_dead_letters(letters).await;
        venue.flows().await;
        assert_eq!(venue.dead_letters(), letters, "once each: {entry:?} {fields:?}");
    }
    // Lost data heals it as well, at the same time.
    assert!(venue.add(&stream, "*", &["m", "garbage"]));
    venue.server.wipe();
    venue.flows().await;
    venue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_no_batch_changes_nothing_wherever_it_stands() {
    let mut venue = Poisoned::with("67", ClockMode::Realtime).await;
    patiently(venue.fixture.until_step(20)).await;
    let stream = venue.fixture.streams.execution.clone();
    let id = venue.fixture.row.id;
    let made_up = format!(
        "{{\"v\":1,\"venue\":\"{id}\",\"first_seq\":9000000,\"through\":8999999,\"entries\":[],\"books\":[],\"quotes\":[]}}"
    );
    let mut letters = 0;
    for (entry, fields) in [
        (None, ["m", "garbage"]),
        (None, ["m", "{\"v\":99}"]),
        (None, ["other", "field"]),
        (Some("8999999-0"), ["m", made_up.as_str()]),
        (Some("*"), ["m", "garbage"]),
        (Some(HIGHEST), ["m", "garbage"]),
    ] {
        // The next entry's id, if trading does not publish it first.
        loop {
            let next = format!("{}-0", venue.head().await.next());
            if venue.add(&stream, entry.unwrap_or(&next), &fields) {
                break;
            }
        }
        letters += 1;
        venue.until_dead_letters(letters).await;
        let step = venue.step().await;
        patiently(venue.fixture.until_step(step + 3)).await;
        venue.answers().await;
        assert_eq!(venue.dead_letters(), letters, "once each: {entry:?} {fields:?}");
        // Whoever follows from the start gets every entry.
        let head = venue.head().await;
        venue.fixture.follow(Seq(0), head).await;
    }
    assert!(venue.add(&stream, "*", &["m", "garbage"]));
    venue.server.wipe();
    let step = venue.step().await;
    patiently(venue.fixture.until_step(step + 3)).await;
    venue.answers().await;
    venue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_no_use_on_any_other_stream_changes_nothing() {
    let mut venue = Poisoned::open("71").await;
    let streams = venue.fixture.streams.clone();
    let mut letters = 0;
    // These have a reader at all times.
    for stream in [&streams.command, &streams.reply, &streams.control] {
        // Far apart: a producer that is quicker than the reader continues after one.
        for (id, fields) in [
            ("4000000000000000-0", ["m", "garbage"]),
            ("4100000000000000-0", ["m", "{\"v\":99}"]),
            ("4200000000000000-0", ["other", "field"]),
            (HIGHEST, ["m", "{\"correlation\":\"00000000-0000-0000-0000-00000000002a\"}"]),
        ] {
            assert!(venue.add(stream, id, &fields), "{stream} {id}");
            venue.flows().await;
            letters += 1;
            venue.until_dead_letters(letters).await;
            assert_eq!(venue.dead_letters(), letters, "once each: {stream} {id}");
        }
    }
    // And these none: what leaves no ids is removed by the next who appends.
    for stream in [&streams.clock, &streams.risk, &streams.dead_letter] {
        assert!(venue.add(stream, HIGHEST, &["m", "garbage"]), "{stream}");
        let id = patiently(venue.fixture.bus.append_auto(stream, "more", usize::MAX)).await.unwrap();
        assert!(id < MAX_MESSAGE_ID, "{stream}: {id}");
        let left = venue.server.cli(&["XREVRANGE", stream, "+", "-"]);
        // A dead letter names the id of its message in its text.
        assert!(!left.lines().any(|line| line == HIGHEST), "{stream}: {left}");
    }
    venue.server.wipe();
    venue.flows().await;
    venue.close().await;
}
