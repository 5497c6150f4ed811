//! Health of the agents in other processes: each process publishes its own on
//! the bus every second, and the gateway's `/health` reads it.
//!
//! A report expires when its process dies. Does not know which processes should
//! run beyond the agents' names; nothing depends on it.

use std::collections::BTreeMap;
use std::time::Duration;

use engine::id::VenueId;
use engine::time::WallTime;
use serde::Serialize;

use crate::bus::Bus;
use crate::clock::WallClock;
use crate::shutdown::Shutdown;
use crate::telemetry::{AgentHealth, Health};

/// Agents that may run in other processes.
const AGENTS: [&str; 4] = ["auth", "market_data", "portfolio", "trading"];

/// Interval between a process's reports.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Age beyond which a report counts as a dead process's.
const REPORT_MAX_AGE_MICROS: i64 = 5_000_000;

/// Health of an agent in another process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PeerHealth {
    /// True if it reported lately that it works.
    pub ok: bool,
    /// The last step or sequence number that it handled.
    pub progress: u64,
    /// Reason if it does not work.
    pub reason: String,
    /// Milliseconds since its process's last report; absent without one.
    pub age_ms: Option<u64>,
}

/// Reader of other processes' reports.
#[derive(Clone, Debug)]
pub struct Peers {
    remote: Option<(VenueId, Bus, WallClock)>,
}

impl Peers {
    /// Every agent is in this process.
    pub fn none() -> Self {
        Self { remote: None }
    }

    /// Agents of `venue` that report on `bus`.
    pub fn of(venue: VenueId, bus: Bus, clock: WallClock) -> Self {
        Self { remote: Some((venue, bus, clock)) }
    }

    /// Health by the agent's name; empty if every agent is in this process.
    pub async fn report(&self) -> BTreeMap<&'static str, PeerHealth> {
        let Some((venue, bus, clock)) = &self.remote else { return BTreeMap::new() };
        let mut found = BTreeMap::new();
        for agent in AGENTS {
            let latest = bus.get_latest(&key(*venue, agent)).await.ok().flatten();
            let report = latest.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            found.insert(agent, health_at(clock.now(), report));
        }
        found
    }
}

/// Health at `now` by the last report.
fn health_at(now: WallTime, report: Option<PeerReport>) -> PeerHealth {
    let Some(PeerReport { at, health }) = report else {
        return PeerHealth { ok: false, progress: 0, reason: "never heard of".to_owned(), age_ms: None };
    };
    let age = now.0.saturating_sub(at.0).max(0);
    let expired = age > REPORT_MAX_AGE_MICROS;
    PeerHealth {
        ok: health.ok && !expired,
        progress: health.progress,
        reason: if expired { "not heard of lately".to_owned() } else { health.reason },
        age_ms: u64::try_from(age / 1_000).ok(),
    }
}

/// A process's report on one of its agents.
#[derive(serde::Serialize, serde::Deserialize)]
struct PeerReport {
    at: WallTime,
    health: AgentHealth,
}

/// Publishes the health of this process's agents, until `shutdown`.
pub async fn publish_health(health: Health, bus: Bus, venue: VenueId, shutdown: Shutdown) {
    let mut ticks = tokio::time::interval(REPORT_INTERVAL);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        // Of two processes of an agent, only the active one reports.
        let active = health.report_all().agents.into_iter().filter(|(_, agent)| !agent.standby);
        for (agent, state) in active {
            let report = PeerReport { at: health.now(), health: state };
            let bytes = serde_json::to_vec(&report).unwrap_or_default();
            // The next report makes up for a failed one.
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
    async fn a_report_is_read_until_it_expires_and_an_agent_without_one_is_down() {
        let (venue, bus) = (VenueId(uuid::Uuid::from_u128(1)), Bus::local());
        let clock = WallClock::manual(WallTime(10_000_000));
        let health = Health::new(clock.clone());
        health.report("trading", 7);
        health.stand_by("portfolio");
        let shutdown = Shutdown::new();
        let publishing = tokio::spawn(publish_health(health, bus.clone(), venue, shutdown.clone()));
        let peers = Peers::of(venue, bus.clone(), clock.clone());
        while !peers.report().await["trading"].ok {
            tokio::task::yield_now().await;
        }
        shutdown.cancel();
        publishing.await.unwrap();
        let report = peers.report().await;
        assert_eq!((report["trading"].progress, report["trading"].age_ms), (7, Some(0)));
        for silent in ["auth", "portfolio"] {
            assert_eq!((report[silent].ok, report[silent].age_ms), (false, None));
        }
        // 5 s and a microsecond later its process counts as dead.
        let report = PeerReport {
            at: WallTime(0),
            health: AgentHealth {
                ok: true,
                progress: 7,
                reason: String::new(),
                standby: false,
                at: WallTime(0),
            },
        };
        assert!(!health_at(WallTime(5_000_001), Some(report)).ok);
        assert!(Peers::none().report().await.is_empty());
    }
}
