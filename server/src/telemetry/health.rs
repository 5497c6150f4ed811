//! Health and progress of the agents, as `/health` reports them.
//!
//! Agents and their supervisors report; nothing is decided here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use engine::time::WallTime;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::clock::WallClock;

/// Reason of an agent that has not reported yet.
const STARTING: &str = "it is starting";

/// Last report of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentHealth {
    /// True while it works.
    pub ok: bool,
    /// Last step or sequence number that it processed.
    pub progress: u64,
    /// Reason for which it does not work; empty while it does.
    pub reason: String,
    /// True while another process does its work.
    #[serde(default)]
    pub standby: bool,
    /// Time of the report.
    pub at: WallTime,
}

/// Reports of all agents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HealthReport {
    /// True if every agent works.
    pub ok: bool,
    /// Reports by agent.
    pub agents: BTreeMap<&'static str, AgentHealth>,
}

/// Reports of the agents of a process; clones share them.
#[derive(Clone, Debug)]
pub struct Health {
    clock: WallClock,
    agents: Arc<Mutex<BTreeMap<&'static str, AgentHealth>>>,
    changed: Arc<Notify>,
}

impl Health {
    /// No reports yet.
    pub fn new(clock: WallClock) -> Self {
        Self { clock, agents: Arc::default(), changed: Arc::default() }
    }

    /// Reports that `agent` does not work yet.
    pub fn starting(&self, agent: &'static str) {
        self.fail(agent, STARTING);
    }

    /// Waits until every agent works or has failed.
    pub async fn wait_until_started(&self) {
        loop {
            let changed = self.changed.notified();
            if self.report_all().agents.values().all(|health| health.reason != STARTING) {
                return;
            }
            changed.await;
        }
    }

    /// Reports that `agent` works and has processed `progress`, a step or sequence
    /// number.
    pub fn report(&self, agent: &'static str, progress: u64) {
        self.set(agent, |health| {
            health.ok = true;
            health.progress = progress;
            health.reason.clear();
            health.standby = false;
        });
    }

    /// Reports that `agent` waits while another process does its work.
    pub fn stand_by(&self, agent: &'static str) {
        self.set(agent, |health| {
            health.ok = true;
            health.progress = 0;
            health.reason.clear();
            health.standby = true;
        });
    }

    /// Reports that `agent` does not work.
    pub fn fail(&self, agent: &'static str, reason: &str) {
        self.set(agent, |health| {
            health.ok = false;
            health.standby = false;
            reason.clone_into(&mut health.reason);
        });
    }

    /// Time of the clock that stamps reports.
    pub fn now(&self) -> WallTime {
        self.clock.now()
    }

    /// Last report of every agent.
    pub fn report_all(&self) -> HealthReport {
        let agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner).clone();
        HealthReport { ok: agents.values().all(|health| health.ok), agents }
    }

    fn set(&self, agent: &'static str, change: impl FnOnce(&mut AgentHealth)) {
        let at = self.clock.now();
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        let health = agents.entry(agent).or_insert_with(|| AgentHealth {
            ok: true,
            progress: 0,
            reason: String::new(),
            standby: false,
            at,
        });
        health.at = at;
        change(health);
        drop(agents);
        self.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failed_agent_fails_the_report_until_it_reports_again() {
        let health = Health::new(WallClock::manual(WallTime(7)));
        health.report("market_data", 10);
        health.fail("trading", "trading_halted");
        let report = health.report_all();
        assert!(!report.ok);
        assert_eq!((report.agents["market_data"].progress, report.agents["trading"].at), (10, WallTime(7)));
        health.stand_by("trading");
        let report = health.report_all();
        assert!(report.ok && report.agents["trading"].standby);
        health.report("trading", 3);
        let report = health.report_all();
        assert!(report.ok && !report.agents["trading"].standby);
    }

    #[tokio::test]
    async fn an_agent_that_is_starting_fails_the_report_until_it_works() {
        let health = Health::new(WallClock::manual(WallTime(7)));
        health.report("market_data", 10);
        health.starting("gateway");
        assert!(!health.report_all().ok);
        let mut started = Box::pin(health.wait_until_started());
        assert!(futures::poll!(&mut started).is_pending());
        health.report("gateway", 3);
        started.await;
        assert!(health.report_all().ok);
        health.fail("gateway", "the store is away");
        health.wait_until_started().await;
    }
}
