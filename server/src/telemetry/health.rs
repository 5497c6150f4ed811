//! Who is alive and how far they are: what `/health` answers.
//!
//! Does not judge: an agent is ill when it, or who restarts it, says so.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use engine::time::WallTime;
use serde::{Deserialize, Serialize};

use crate::clock::WallClock;

/// One agent's word about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentHealth {
    /// Whether it works.
    pub ok: bool,
    /// The last step or sequence number that it dealt with.
    pub progress: u64,
    /// Why it does not work; empty while it does.
    pub reason: String,
    /// Whether it waits for its turn while another process does its work.
    #[serde(default)]
    pub standby: bool,
    /// When it last said something.
    pub at: WallTime,
}

/// Everybody's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HealthReport {
    /// Whether everybody works.
    pub ok: bool,
    /// By the agent's name.
    pub agents: BTreeMap<&'static str, AgentHealth>,
}

/// Where agents report; cheap to clone.
#[derive(Clone, Debug)]
pub struct Health {
    clock: WallClock,
    agents: Arc<Mutex<BTreeMap<&'static str, AgentHealth>>>,
}

impl Health {
    /// Nobody has reported yet.
    pub fn new(clock: WallClock) -> Self {
        Self { clock, agents: Arc::default() }
    }

    /// `agent` works and has dealt with `progress`, a step or sequence number.
    pub fn report(&self, agent: &'static str, progress: u64) {
        self.set(agent, |health| {
            health.ok = true;
            health.progress = progress;
            health.reason.clear();
            health.standby = false;
        });
    }

    /// `agent` is well and waits: another process does its work.
    pub fn stand_by(&self, agent: &'static str) {
        self.set(agent, |health| {
            health.ok = true;
            health.progress = 0;
            health.reason.clear();
            health.standby = true;
        });
    }

    /// `agent` does not work, because of `reason`.
    pub fn fail(&self, agent: &'static str, reason: &str) {
        self.set(agent, |health| {
            health.ok = false;
            health.standby = false;
            reason.clone_into(&mut health.reason);
        });
    }

    /// The time by which reports are stamped.
    pub fn now(&self) -> WallTime {
        self.clock.now()
    }

    /// What everybody said last.
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_ill_agent_makes_the_report_ill_until_it_reports_again() {
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
}
