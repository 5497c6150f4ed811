//! Presence of viewers and live orders, without which the venue's clock may idle.
//!
//! Counts viewers as gateways report them and live orders from the journal. Does
//! not know who they are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine::id::OrderId;
use engine::venue::Outcome;
use tokio::time::Instant;
use uuid::Uuid;

use crate::config::IdlePolicy;

/// Validity of a gateway's report.
const REPORT_TIMEOUT: Duration = Duration::from_secs(30);

/// Time for which the clock runs after the last viewer left, and after a start, so
/// that the first page finds a running market.
const IDLE_DELAY: Duration = Duration::from_secs(30);

/// Viewers and live orders of the venue.
#[derive(Debug)]
pub(super) struct Presence {
    policy: IdlePolicy,
    reports: BTreeMap<Uuid, (u32, Instant)>,
    live_orders: BTreeSet<OrderId>,
    last_needed: Instant,
}

impl Presence {
    /// Presence after a start, without viewers.
    pub(super) fn new(policy: IdlePolicy, live_orders: BTreeSet<OrderId>, now: Instant) -> Self {
        Self { policy, reports: BTreeMap::new(), live_orders, last_needed: now }
    }

    /// Records the number of a gateway's viewers.
    pub(super) fn watchers(&mut self, gateway: Uuid, count: u32, now: Instant) {
        self.reports.insert(gateway, (count, now));
        if count > 0 {
            self.last_needed = now;
        }
    }

    /// Follows the status of orders.
    pub(super) fn observe(&mut self, outcome: &Outcome) {
        for event in &outcome.events {
            let Some(order) = event.change.order() else { continue };
            if order.status.is_live() {
                self.live_orders.insert(order.id);
            } else {
                self.live_orders.remove(&order.id);
            }
        }
    }

    /// Returns true if the clock may idle.
    pub(super) fn may_idle(&mut self, now: Instant) -> bool {
        self.reports.retain(|_, (_, at)| now.saturating_duration_since(*at) < REPORT_TIMEOUT);
        if self.policy == IdlePolicy::Run {
            return false;
        }
        let watched = self.reports.values().any(|(count, _)| *count > 0);
        if watched || !self.live_orders.is_empty() {
            self.last_needed = now;
        }
        now.saturating_duration_since(self.last_needed) >= IDLE_DELAY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn the_clock_idles_when_nobody_has_watched_for_a_while() {
        let start = Instant::now();
        let mut presence = Presence::new(IdlePolicy::Pause, BTreeSet::new(), start);
        assert!(!presence.may_idle(start + seconds(29)));
        assert!(presence.may_idle(start + seconds(30)));
        let gateway = Uuid::from_u128(1);
        presence.watchers(gateway, 2, start + seconds(40));
        assert!(!presence.may_idle(start + seconds(69)));
        presence.watchers(gateway, 0, start + seconds(69));
        assert!(!presence.may_idle(start + seconds(98)));
        assert!(presence.may_idle(start + seconds(99)));
    }

    #[test]
    fn reports_expire_and_live_orders_prevent_idling() {
        let start = Instant::now();
        let order = OrderId(Uuid::from_u128(7));
        let mut presence = Presence::new(IdlePolicy::Pause, BTreeSet::from([order]), start);
        assert!(!presence.may_idle(start + seconds(1_000)));
        presence.live_orders.clear();
        presence.watchers(Uuid::from_u128(1), 1, start + seconds(1_000));
        assert!(!presence.may_idle(start + seconds(1_029)));
        // Its report is valid for 30 s, then the idle delay starts.
        assert!(!presence.may_idle(start + seconds(1_031)));
        assert!(presence.may_idle(start + seconds(1_060)));
    }

    #[test]
    fn the_policy_run_never_idles() {
        let start = Instant::now();
        let mut presence = Presence::new(IdlePolicy::Run, BTreeSet::new(), start);
        presence.watchers(Uuid::from_u128(1), 1, start);
        assert!(!presence.may_idle(start + seconds(1_000_000)));
        // What has expired is forgotten all the same.
        assert!(presence.reports.is_empty());
    }
}
