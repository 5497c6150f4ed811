//! Ticks over Redis, from one producer to one reader.

use bytes::Bytes;
use engine::event::MarketStep;
use engine::id::Seq;
use engine::sim::{Seed, Simulator};
use engine::step::StepHeader;
use engine::venue::VenueConfig;
use futures::future::join_all;
use server::bus::decode::{decode, encode};
use server::bus::{Batch, Bus};
use server::config::Config;
use services::Redis;
use tokio::sync::watch;
use tokio::time::Instant;

const STEPS: usize = 20_000;

/// Steps on their way at once.
const AHEAD: usize = 16;

/// How far behind the reader may be.
const BEHIND: u64 = 512;

/// Steps, ready to be sent.
pub(crate) struct Steps {
    messages: Vec<(u64, Bytes)>,
    ticks: usize,
}

impl Steps {
    /// Of the default venue, or of a larger one where at least `wanted` of
    /// its instruments tick in a step: several steps' ticks in one.
    pub(crate) fn drawn(wanted: usize) -> Self {
        let rules = VenueConfig::default();
        let seed: Seed = "1".parse().unwrap();
        let mut simulator = Simulator::new(&rules, &seed).unwrap();
        let (mut messages, mut ticks) = (Vec::new(), 0);
        for _ in 0..STEPS {
            let (header, mut payload) = simulator.step(Seq(0));
            while payload.ticks.len() < wanted {
                payload.ticks.extend(simulator.step(Seq(0)).1.ticks);
            }
            let header = StepHeader { step: messages.len() as u64 + 1, ..header };
            let time = rules.time_of(header.step);
            ticks += payload.ticks.len();
            let step = MarketStep { v: MarketStep::VERSION, venue: rules.venue_id(), time, header, payload };
            messages.push((header.step, encode(&step)));
        }
        Self { messages, ticks }
    }

    /// How long a tick is as it is written, in bytes.
    pub(crate) fn bytes_per_tick(&self) -> usize {
        self.messages.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() / self.ticks
    }

    pub(crate) fn per_step(&self) -> f64 {
        self.ticks as f64 / self.messages.len() as f64
    }
}

/// Ticks a second from a producer to a reader, who also reads what
/// the messages say if `decoded`.
pub(crate) async fn carried(redis: &Redis, steps: &Steps, stream: &str, decoded: bool) -> f64 {
    let config = Config { redis_url: Some(redis.url()), ..Config::default() };
    let bus = Bus::open(&config).await.unwrap();
    let (venue, reader, name) = (VenueConfig::default().venue_id(), bus.clone(), stream.to_owned());
    let (reached, mut read_to) = watch::channel(0);
    let began = Instant::now();
    let read = tokio::spawn(async move {
        let mut after = 0;
        while after < STEPS as u64 {
            match reader.read_after(&name, after, 256).await.unwrap() {
                Batch::Messages(messages) => {
                    for message in messages {
                        after = message.id;
                        if decoded {
                            decode::<MarketStep>(venue, &message.bytes).unwrap();
                        }
                    }
                    reached.send_replace(after);
                }
                Batch::Trimmed { .. } => panic!("the reader is too slow"),
            }
        }
    });
    for ahead in steps.messages.chunks(AHEAD) {
        // A stream keeps so much and no more.
        read_to.wait_for(|reached| reached + BEHIND >= ahead[0].0).await.unwrap();
        let sent = ahead.iter().map(|(id, bytes)| bus.append(stream, *id, bytes.clone()));
        for sent in join_all(sent).await {
            sent.unwrap();
        }
    }
    read.await.unwrap();
    steps.ticks as f64 / began.elapsed().as_secs_f64()
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
