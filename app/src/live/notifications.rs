//! Announcements to the user: fills, cancels, payments and connection changes,
//! at most one in two seconds, through one live region.
//!
//! Does not know where they are shown.

use std::collections::VecDeque;
use std::time::Duration;

use engine::book::PriceLevel;
use engine::id::OrderId;
use engine::order::{CancelReason, Side};
use engine::replica::{Execution, MarketReplica};
use engine::venue::{AccountChange, Fill};
use leptos::prelude::*;

use super::now_ms;
use crate::format::{self, Units};

/// Shortest time between two announcements.
const MIN_INTERVAL: Duration = Duration::from_secs(2);

/// Sentences in one announcement; further ones are only counted.
const MAX_SENTENCES: usize = 2;

/// A sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification(pub String);

impl Notification {
    /// Sentences about one update's executions, in order; consecutive fills of
    /// an order make one sentence, and so do cancels that the user has requested.
    pub fn all(executions: &[Execution], market: &MarketReplica) -> Vec<Self> {
        let belong_together = |a: &Execution, b: &Execution| match (filled_order(a), filled_order(b)) {
            (Some(a), Some(b)) => a == b,
            (None, None) => is_requested(a) && is_requested(b),
            _ => false,
        };
        let sentence = |group: &[Execution]| match (filled_order(group.first()?), group) {
            (Some(_), _) => filled(&group.iter().filter_map(fill).collect::<Vec<_>>(), market),
            (None, [one]) => other(&one.change, market),
            (None, many) => Some(format!("{} orders cancelled", many.len())),
        };
        executions.chunk_by(belong_together).filter_map(sentence).map(Self).collect()
    }
}

fn is_requested(execution: &Execution) -> bool {
    matches!(execution.change, AccountChange::OrderCancelled { reason: CancelReason::Requested, .. })
}

fn fill(execution: &Execution) -> Option<&Fill> {
    match &execution.change {
        AccountChange::OrderFilled { fill, .. } => Some(fill),
        _ => None,
    }
}

fn filled_order(execution: &Execution) -> Option<OrderId> {
    fill(execution).map(|fill| fill.order)
}

/// `Bought 900 ACME at 100.0164`.
fn filled(fills: &[&Fill], market: &MarketReplica) -> Option<String> {
    let first = fills.first()?;
    let instrument = &market.instruments.get(&first.instrument)?.instrument;
    let units = Units::of(instrument);
    let price = if fills.iter().all(|fill| fill.price == first.price) {
        units.price(first.price)
    } else {
        let parts = fills.iter().map(|fill| PriceLevel { price: fill.price, lots: fill.lots });
        format::decimal(units.average(&parts.collect::<Vec<_>>())?)
    };
    let verb = match first.side {
        Side::Buy => "Bought",
        Side::Sell => "Sold",
    };
    let lots = fills.iter().map(|fill| fill.lots).sum();
    Some(format!("{verb} {} {} at {price}", units.quantity(lots), instrument.symbol))
}

/// The sentence for any event but a fill. `None` for the user's own actions:
/// the ticket shows their result.
fn other(change: &AccountChange, market: &MarketReplica) -> Option<String> {
    let (order, reason) = match change {
        AccountChange::OrderCancelled { order, reason } => (order, reason),
        AccountChange::CouponPaid { amount, .. } | AccountChange::Redeemed { amount, .. } => {
            return Some(format!("Received {}", format::money(*amount)));
        }
        _ => return None,
    };
    let instrument = &market.instruments.get(&order.instrument)?.instrument;
    let units = Units::of(instrument);
    let [side, opposite] = match order.side {
        Side::Buy => ["buy", "sell"],
        Side::Sell => ["sell", "buy"],
    };
    let price = order.price.limit().map(|price| format!(" @ {}", units.price(price))).unwrap_or_default();
    let left = units.quantity(order.quantity - order.filled);
    let about = format!("Your {} {side} {left}{price} was cancelled", instrument.symbol);
    Some(match reason {
        CancelReason::Requested => about,
        CancelReason::ImmediateOrCancel => format!("{about}: nothing more is available"),
        CancelReason::SelfTrade => {
            format!("{about} because your {opposite} order could have traded with it.")
        }
        CancelReason::Expired => format!("{about}: the instrument matured"),
        CancelReason::FillOrKill => format!("{about}: it could not be filled whole"),
        CancelReason::EndOfDay => format!("{about}: the trading day is over"),
    })
}

/// Notifications before the one live region.
#[derive(Clone, Copy)]
pub struct NotificationQueue {
    queue: StoredValue<VecDeque<Notification>>,
    announced_at: StoredValue<f64>,
    timer_runs: StoredValue<bool>,
    line: RwSignal<String>,
}

impl NotificationQueue {
    pub(super) fn new() -> Self {
        Self {
            queue: StoredValue::new(VecDeque::new()),
            announced_at: StoredValue::new(0.0),
            timer_runs: StoredValue::new(false),
            line: RwSignal::new(String::new()),
        }
    }

    /// The text of the live region.
    pub fn line(self) -> String {
        self.line.get()
    }

    /// Announces a notification, now or once [`MIN_INTERVAL`] has passed.
    pub(super) fn push(self, notification: Notification) {
        self.queue.update_value(|queue| queue.push_back(notification));
        if self.timer_runs.get_value() {
            return;
        }
        let wait = MIN_INTERVAL.as_millis() as f64 - (now_ms() - self.announced_at.get_value());
        if wait <= 0.0 {
            self.announce();
        } else {
            self.timer_runs.set_value(true);
            set_timeout(move || self.announce(), Duration::from_millis(wait as u64));
        }
    }

    fn announce(self) {
        self.timer_runs.set_value(false);
        let mut notifications = Vec::new();
        self.queue.update_value(|queue| notifications = queue.drain(..).collect());
        if !notifications.is_empty() {
            self.announced_at.set_value(now_ms());
            self.line.set(summary(&notifications));
        }
    }
}

fn summary(notifications: &[Notification]) -> String {
    let first: Vec<&str> = notifications.iter().take(MAX_SENTENCES).map(|each| each.0.as_str()).collect();
    let text = first.join(" · ");
    match notifications.len().saturating_sub(MAX_SENTENCES) {
        0 => text,
        1 => format!("{text} · and 1 more event"),
        more => format!("{text} · and {more} more events"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_notifications_become_one_announcement() {
        let all: Vec<_> = ["A", "B", "C", "D"].map(|text| Notification(text.to_owned())).into();
        assert_eq!(summary(&all[..1]), "A");
        assert_eq!(summary(&all[..3]), "A · B · and 1 more event");
        assert_eq!(summary(&all), "A · B · and 2 more events");
    }
}
