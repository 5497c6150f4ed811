//! Whether anybody would miss the venue if its time stood still.
//!
//! Counts watchers as gateways report them and live orders as executions tell.
//! Does not know who they are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine::id::OrderId;
use engine::venue::Outcome;
use tokio::time::Instant;
use uuid::Uuid;

use crate::config::IdlePolicy;

/// How long a gateway's report counts.
const REPORT_LIFE: Duration = Duration::from_secs(30);

/// How long the venue goes on after the last watcher left, and after start-up,
/// so that the first page already finds a market.
const GRACE: Duration = Duration::from_secs(30);

/// Watchers and live orders of the venue.
#[derive(Debug)]
pub(super) struct Presence {
    policy: IdlePolicy,
    reports: BTreeMap<Uuid, (u32, Instant)>,
    live_orders: BTreeSet<OrderId>,
    last_needed: Instant,
}

impl Presence {
    /// Nobody has come yet; `live_orders` rest from before.
    pub(super) fn new(policy: IdlePolicy, live_orders: BTreeSet<OrderId>, now: Instant) -> Self {
        Self { policy, reports: BTreeMap::new(), live_orders, last_needed: now }
    }

    /// A gateway says how many watch through it.
    pub(super) fn watchers(&mut self, gateway: Uuid, count: u32, now: Instant) {
        self.reports.insert(gateway, (count, now));
        if count > 0 {
            self.last_needed = now;
        }
    }

    /// Follows orders as they come and go.
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

    /// Whether the venue may sleep.
    pub(super) fn may_sleep(&mut self, now: Instant) -> bool {
        if self.policy == IdlePolicy::Run {
            return false;
        }
        self.reports.retain(|_, (_, at)| now.saturating_duration_since(*at) < REPORT_LIFE);
        let watched = self.reports.values().any(|(count, _)| *count > 0);
        if watched || !self.live_orders.is_empty() {
            self.last_needed = now;
        }
        now.saturating_duration_since(self.last_needed) >= GRACE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn the_venue_sleeps_when_nobody_has_watched_for_a_while() {
        let start = Instant::now();
        let mut presence = Presence::new(IdlePolicy::Pause, BTreeSet::new(), start);
        assert!(!presence.may_sleep(start + seconds(29)));
        assert!(presence.may_sleep(start + seconds(30)));
        let gateway = Uuid::from_u128(1);
        presence.watchers(gateway, 2, start + seconds(40));
        assert!(!presence.may_sleep(start + seconds(69)));
        presence.watchers(gateway, 0, start + seconds(69));
        assert!(!presence.may_sleep(start + seconds(98)));
        assert!(presence.may_sleep(start + seconds(99)));
    }

    #[test]
    fn a_gateway_that_died_is_forgotten_and_live_orders_keep_it_awake() {
        let start = Instant::now();
        let order = OrderId(Uuid::from_u128(7));
        let mut presence = Presence::new(IdlePolicy::Pause, BTreeSet::from([order]), start);
        assert!(!presence.may_sleep(start + seconds(1_000)));
        presence.live_orders.clear();
        presence.watchers(Uuid::from_u128(1), 1, start + seconds(1_000));
        assert!(!presence.may_sleep(start + seconds(1_029)));
        // Its report counts for 30 s, then the grace begins.
        assert!(!presence.may_sleep(start + seconds(1_031)));
        assert!(presence.may_sleep(start + seconds(1_060)));
    }

    #[test]
    fn it_never_sleeps_when_told_to_run() {
        let start = Instant::now();
        let mut presence = Presence::new(IdlePolicy::Run, BTreeSet::new(), start);
        assert!(!presence.may_sleep(start + seconds(1_000_000)));
    }
}
