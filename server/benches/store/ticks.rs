//! Ticks over Redis, from one producer to one reader.

use engine::id::Seq;
use engine::sim::{Seed, Simulator};
use engine::step::StepHeader;
use engine::venue::VenueConfig;
use protocol::bus::MarketStep;
use server::agents::market_data::Outbox;
use server::bus::decode::{decode, encode};
use server::bus::{Batch, Bus, Parcel};
use server::config::Config;
use testbed::Redis;
use tokio::sync::watch;
use tokio::time::Instant;

const STEPS: usize = 20_000;

/// What is sent at least, in bytes: the same steps again under later numbers.
const SENT: usize = 250_000_000;

/// Steps that are made before they are sent, as market data does when time runs
/// as fast as it can.
pub(crate) const DUE: usize = 32;

/// Bytes of steps that wait when a bus is back, and how far behind the reader
/// may be: a stream keeps so much and no more.
const WAITING: usize = 4 * 1024 * 1024;

/// Steps, ready to be sent.
pub(crate) struct Steps {
    messages: Vec<(u64, Parcel)>,
    bytes: usize,
    ticks: usize,
}

impl Steps {
    /// Of the default venue, or of a larger one where at least `wanted` of
    /// its instruments tick in a step: several steps' ticks in one.
    pub(crate) fn drawn(wanted: usize) -> Self {
        let rules = VenueConfig::default();
        let seed: Seed = "1".parse().unwrap();
        let mut simulator = Simulator::new(&rules, &seed).unwrap();
        let (mut messages, mut bytes, mut ticks) = (Vec::new(), 0, 0);
        for _ in 0..STEPS {
            let (header, mut payload) = simulator.step(Seq(0));
            while payload.ticks.len() < wanted {
                payload.ticks.extend(simulator.step(Seq(0)).1.ticks);
            }
            let header = StepHeader { step: messages.len() as u64 + 1, ..header };
            let time = rules.time_of(header.step);
            ticks += payload.ticks.len();
            let step = MarketStep { v: MarketStep::VERSION, venue: rules.venue_id(), time, header, payload };
            let message = encode(&step);
            bytes += message.len();
            messages.push((header.step, message.into()));
        }
        Self { messages, bytes, ticks }
    }

    /// How long a tick is as it is written, in bytes.
    pub(crate) fn bytes_per_tick(&self) -> usize {
        self.bytes / self.ticks
    }

    pub(crate) fn per_step(&self) -> f64 {
        self.ticks as f64 / self.messages.len() as f64
    }

    /// As many as may wait when a bus is back.
    pub(crate) fn waiting(&self) -> usize {
        WAITING * self.messages.len() / self.bytes
    }
}

/// Ticks a second from market data's outbox to a reader, who also reads what the
/// messages say if `decoded`; `together` steps are made before they are sent.
pub(crate) async fn carried(redis: &Redis, steps: &Steps, together: usize, decoded: bool) -> f64 {
    let config = Config { redis_url: Some(redis.url()), ..Config::default() };
    let bus = Bus::open(&config).await.unwrap();
    let stream = uuid::Uuid::new_v4().to_string();
    let (venue, reader, name) = (VenueConfig::default().venue_id(), bus.clone(), stream.clone());
    let (reached, mut read_to) = watch::channel(0);
    let rounds = (SENT / steps.bytes).max(1);
    let last = (rounds * STEPS) as u64;
    let began = Instant::now();
    let read = tokio::spawn(async move {
        let mut after = 0;
        while after < last {
            match reader.read_after(&name, after, 256).await.unwrap() {
                Batch::Messages(messages) => {
                    for message in messages {
                        after = message.id;
                        if decoded {
                            decode::<MarketStep>(venue, &message.bytes()).unwrap();
                        }
                    }
                    reached.send_replace(after);
                }
                Batch::Trimmed { .. } => panic!("the reader is too slow"),
            }
        }
    });
    let mut outbox = Outbox::new(config.stream_limits, 0);
    for round in 0..rounds {
        for some in steps.messages.chunks(together) {
            let later = (round * STEPS) as u64;
            let (first, behind) = (some[0].0 + later, steps.waiting() as u64);
            let read_to = *read_to.wait_for(|reached| reached + behind >= first).await.unwrap();
            outbox.journalled(read_to);
            some.iter().for_each(|(step, message)| outbox.push(step + later, message.clone()));
            outbox.send(&bus, &stream).await.unwrap();
        }
    }
    read.await.unwrap();
    (rounds * steps.ticks) as f64 / began.elapsed().as_secs_f64()
}

/// Entries of one tick each a second, as long as ours are, by Redis's own bench.
pub(crate) fn added_one_by_one(redis: &Redis, bytes: usize) -> f64 {
    let mut bench = redis.client("redis-benchmark").unwrap();
    let tick = "x".repeat(bytes);
    let done = bench
        .args([
            "-n", "200000", "-P", "16", "-c", "1", "--csv", "XADD", "peer", "MAXLEN", "~", "10000", "*", "m",
        ])
        .arg(tick)
        .output()
        .unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    // "test","rps",…
    let line = said.lines().last().unwrap();
    line.split("\",\"").nth(1).unwrap().trim_matches('"').parse().unwrap()
}
