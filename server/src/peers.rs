//! How the agents in other processes are: each process puts its own word on
//! the bus every second, and whoever answers `/health` for the site reads them.
//!
//! A word grows old when its process dies. Does not know who should be there
//! beyond the agents' names, nor does anything depend on it.

use std::collections::BTreeMap;
use std::time::Duration;

use engine::id::VenueId;
use engine::time::WallTime;
use serde::Serialize;

use crate::bus::Bus;
use crate::clock::WallClock;
use crate::shutdown::Shutdown;
use crate::telemetry::{AgentHealth, Health};

/// Who can be elsewhere.
const AGENTS: [&str; 4] = ["auth", "market_data", "portfolio", "trading"];

/// How often a process says how its agents are.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// A word that is older counts as a process that died.
const OLD_MICROS: i64 = 5_000_000;

/// An agent in another process, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Peer {
    /// Whether it said lately that it works.
    pub ok: bool,
    /// The last step or sequence number that it dealt with.
    pub progress: u64,
    /// Why it does not work.
    pub reason: String,
    /// Milliseconds since its process said anything; absent if it never did.
    pub age_ms: Option<u64>,
}

/// Reads what other processes said.
#[derive(Clone, Debug)]
pub struct Peers {
    elsewhere: Option<(VenueId, Bus, WallClock)>,
}

impl Peers {
    /// Every agent is in this process.
    pub fn none() -> Self {
        Self { elsewhere: None }
    }

    /// The agents of `venue` that speak on `bus`.
    pub fn of(venue: VenueId, bus: Bus, clock: WallClock) -> Self {
        Self { elsewhere: Some((venue, bus, clock)) }
    }

    /// By the agent's name; empty when nobody is elsewhere.
    pub async fn report(&self) -> BTreeMap<&'static str, Peer> {
        let Some((venue, bus, clock)) = &self.elsewhere else { return BTreeMap::new() };
        let mut found = BTreeMap::new();
        for agent in AGENTS {
            let said = bus.get_latest(&key(*venue, agent)).await.ok().flatten();
            let word = said.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            found.insert(agent, judge(word, clock.now()));
        }
        found
    }
}

/// What a word is worth at `now`.
fn judge(word: Option<Word>, now: WallTime) -> Peer {
    let Some(Word { at, health }) = word else {
        return Peer { ok: false, progress: 0, reason: "never heard of".to_owned(), age_ms: None };
    };
    let age = now.0.saturating_sub(at.0).max(0);
    let gone = age > OLD_MICROS;
    Peer {
        ok: health.ok && !gone,
        progress: health.progress,
        reason: if gone { "not heard of lately".to_owned() } else { health.reason },
        age_ms: u64::try_from(age / 1_000).ok(),
    }
}

/// What a process says of one of its agents.
#[derive(serde::Serialize, serde::Deserialize)]
struct Word {
    at: WallTime,
    health: AgentHealth,
}

/// Says how this process's agents are, until `shutdown`.
pub async fn tell(health: Health, bus: Bus, venue: VenueId, shutdown: Shutdown) {
    let mut ticks = tokio::time::interval(TELL_EVERY);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        // Of two processes of an agent, only the one that works has the word.
        let working = health.report_all().agents.into_iter().filter(|(_, said)| !said.standby);
        for (agent, said) in working {
            let word = Word { at: health.now(), health: said };
            let bytes = serde_json::to_vec(&word).unwrap_or_default();
            // The next word may get through.
            let _ = bus.put_latest(&key(venue, agent), bytes).await;
        }
    }
}

fn key(venue: VenueId, agent: &str) -> String {
    format!("{{{venue}}}:health:{agent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_word_is_read_until_it_is_old_and_a_silent_agent_is_ill() {
        let (venue, bus) = (VenueId(uuid::Uuid::from_u128(1)), Bus::local());
        let clock = WallClock::manual(WallTime(10_000_000));
        let health = Health::new(clock.clone());
        health.report("trading", 7);
        health.stand_by("portfolio");
        let shutdown = Shutdown::new();
        let telling = tokio::spawn(tell(health, bus.clone(), venue, shutdown.clone()));
        let peers = Peers::of(venue, bus.clone(), clock.clone());
        while !peers.report().await["trading"].ok {
            tokio::task::yield_now().await;
        }
        shutdown.cancel();
        telling.await.unwrap();
        let report = peers.report().await;
        assert_eq!((report["trading"].progress, report["trading"].age_ms), (7, Some(0)));
        for unheard in ["auth", "portfolio"] {
            assert_eq!((report[unheard].ok, report[unheard].age_ms), (false, None));
        }
        // 5 s and a microsecond later its process counts as dead.
        let word = Word {
            at: WallTime(0),
            health: AgentHealth {
                ok: true,
                progress: 7,
                reason: String::new(),
                standby: false,
                at: WallTime(0),
            },
        };
        assert!(!judge(Some(word), WallTime(5_000_001)).ok);
        assert!(Peers::none().report().await.is_empty());
    }
}
