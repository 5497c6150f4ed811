//! Ticks over Redis, from one producer to one reader.

use engine::id::Seq;
use engine::sim::{Seed, Simulator};
use engine::step::{StepHeader, StepPayload};
use engine::venue::VenueConfig;
use protocol::bus::{MarketStep, VERSION};
use server::agents::market_data::StepOutbox;
use server::bus::decode::{decode, encode};
use server::bus::{Batch, Bus, Payload, StreamLimits};
use testbed::Redis;
use tokio::sync::watch;
use tokio::time::Instant;

const STEPS: usize = 20_000;

/// Minimum number of bytes sent; the steps are repeated under later numbers.
const MIN_SENT_BYTES: usize = 250_000_000;

/// Steps per send when market data runs at its maximum speed.
pub(crate) const DUE_STEPS: usize = 32;

/// Bytes of steps that wait after an outage of the bus, and the reader's maximum lag:
/// the length of a stream.
const BACKLOG_BYTES: usize = 4 * 1024 * 1024;

/// Steps, ready to be sent.
pub(crate) struct Steps {
    messages: Vec<(u64, Payload)>,
    bytes: usize,
    ticks: usize,
}

impl Steps {
    /// Steps of the default venue, merged so that each has at least `min_ticks`.
    pub(crate) fn simulate(min_ticks: usize) -> Self {
        let rules = VenueConfig::default();
        let seed: Seed = "1".parse().unwrap();
        let mut simulator = Simulator::new(&rules, &seed).unwrap();
        let (mut messages, mut bytes, mut ticks) = (Vec::new(), 0, 0);
        for _ in 0..STEPS {
            let (header, first) = simulator.step(Seq(0));
            let mut payload = StepPayload::clone(&first);
            while payload.ticks.len() < min_ticks {
                payload.ticks.extend_from_slice(&simulator.step(Seq(0)).1.ticks);
            }
            let header = StepHeader { step: messages.len() as u64 + 1, ..header };
            let time = rules.time_of(header.step);
            ticks += payload.ticks.len();
            let payload = payload.into();
            let step = MarketStep { v: VERSION, venue: rules.venue_id(), time, header, payload };
            let message = encode(&step);
            bytes += message.len();
            messages.push((header.step, message.into()));
        }
        Self { messages, bytes, ticks }
    }

    /// Encoded bytes per tick.
    pub(crate) fn bytes_per_tick(&self) -> usize {
        self.bytes / self.ticks
    }

    /// Ticks per step.
    pub(crate) fn ticks_per_step(&self) -> f64 {
        self.ticks as f64 / self.messages.len() as f64
    }

    /// Number of steps in [`BACKLOG_BYTES`].
    pub(crate) fn backlog(&self) -> usize {
        BACKLOG_BYTES * self.messages.len() / self.bytes
    }
}

/// Ticks per second from market data's outbox to a reader, which decodes the messages
/// if `decoded`. `together` steps are sent at a time.
pub(crate) async fn carried(redis: &Redis, steps: &Steps, together: usize, decoded: bool) -> f64 {
    let bus = Bus::open(Some(&redis.url()), StreamLimits::default()).await.unwrap();
    let stream = uuid::Uuid::new_v4().to_string();
    let (venue, reader, name) = (VenueConfig::default().venue_id(), bus.clone(), stream.clone());
    let (reached, mut read_to) = watch::channel(0);
    let rounds = (MIN_SENT_BYTES / steps.bytes).max(1);
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
    let mut outbox = StepOutbox::new(StreamLimits::default(), 0);
    for round in 0..rounds {
        for some in steps.messages.chunks(together) {
            let later = (round * STEPS) as u64;
            let (first, behind) = (some[0].0 + later, steps.backlog() as u64);
            let read_to = *read_to.wait_for(|reached| reached + behind >= first).await.unwrap();
            outbox.journalled(read_to);
            some.iter().for_each(|(step, message)| outbox.push(step + later, message.clone()));
            outbox.send(&bus, &stream).await.unwrap();
        }
    }
    read.await.unwrap();
    (rounds * steps.ticks) as f64 / began.elapsed().as_secs_f64()
}

/// Entries per second of one tick each, of the same length, by `redis-benchmark`.
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
    let output = String::from_utf8(done.stdout).unwrap();
    // "test","rps",…
    let line = output.lines().last().unwrap();
    line.split("\",\"").nth(1).unwrap().trim_matches('"').parse().unwrap()
}
