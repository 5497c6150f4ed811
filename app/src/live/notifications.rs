//! Notifications of the user: fills, cancels, refusals, payments, changes of the
//! connection. A few are shown as toasts, all are logged, and one live region
//! announces them, at most once in two seconds.
//!
//! Does not know where they are shown.

use std::collections::VecDeque;
use std::time::Duration;

use engine::book::PriceLevel;
use engine::id::OrderId;
use engine::money::{Lots, Money};
use engine::order::{CancelReason, Order, Price, Side};
use engine::replica::{Execution, MarketReplica};
use engine::time::VenueTime;
use engine::venue::{AccountChange, Fill};
use leptos::prelude::*;

use super::now_ms;
use crate::format::{self, Units};

/// Shortest time between two announcements.
const MIN_INTERVAL: Duration = Duration::from_secs(2);

/// Sentences in one announcement; further ones are only counted.
const MAX_SENTENCES: usize = 2;

/// Toasts at a time; a newer one replaces the oldest.
const MAX_TOASTS: usize = 4;

/// Time for which a toast is shown.
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "timers are the browser's"))]
const TOAST_LIFETIME: Duration = Duration::from_secs(8);

/// Notifications in the log; older ones are forgotten.
const LOG_CAPACITY: usize = 100;

/// Subject of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotificationKind {
    /// An order traded.
    Fill,
    /// An order was cancelled.
    Cancel,
    /// Something that the user asked for was refused.
    Refusal,
    /// Money came in or went out without a trade.
    Payment,
    /// The connection was lost or is back.
    Connection,
    /// Anything else.
    Info,
}

impl NotificationKind {
    /// The key of style sheets and tests.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Fill => "fill",
            Self::Cancel => "cancel",
            Self::Refusal => "refusal",
            Self::Payment => "payment",
            Self::Connection => "connection",
            Self::Info => "info",
        }
    }
}

/// A sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Its subject.
    pub kind: NotificationKind,
    /// The sentence.
    pub text: String,
}

impl Notification {
    /// A notification about `kind`.
    pub fn new(kind: NotificationKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    /// Notifications of one update's executions, in order; consecutive fills of an
    /// order make one, and so do consecutive cancels that the user asked for.
    pub fn all(executions: &[Execution], market: &MarketReplica) -> Vec<Self> {
        let belongs = |a: &Execution, b: &Execution| {
            let same_order = filled_order(a).is_some_and(|id| filled_order(b) == Some(id));
            same_order || is_requested_cancel(a) && is_requested_cancel(b)
        };
        let notification = |group: &[Execution]| match group {
            [first, ..] if filled_order(first).is_some() => {
                let text = filled(&group.iter().filter_map(fill).collect::<Vec<_>>(), market)?;
                Some(Self::new(NotificationKind::Fill, text))
            }
            [first, _, ..] if is_requested_cancel(first) => {
                Some(Self::new(NotificationKind::Cancel, format!("{} orders cancelled", group.len())))
            }
            [first, ..] => other(first, market),
            [] => None,
        };
        executions.chunk_by(belongs).filter_map(notification).collect()
    }
}

/// An order as the user knows it: `ACME buy 50 @ 95.00`.
fn order_name(order: &Order, market: &MarketReplica) -> Option<String> {
    let instrument = &market.instruments.get(&order.instrument)?.instrument;
    let units = Units::of(instrument);
    let side = match order.side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    };
    let quantity = units.quantity(order.quantity);
    Some(match order.price {
        Price::Limit(limit) => format!("{} {side} {quantity} @ {}", instrument.symbol, units.price(limit)),
        Price::Market | Price::Quote(_) => format!("{} {side} {quantity}", instrument.symbol),
    })
}

fn is_requested_cancel(execution: &Execution) -> bool {
    let AccountChange::OrderCancelled { reason, .. } = &execution.change else { return false };
    *reason == CancelReason::Requested
}

fn fill(execution: &Execution) -> Option<(&Order, &Fill)> {
    match &execution.change {
        AccountChange::OrderFilled { order, fill } => Some((order, fill)),
        _ => None,
    }
}

fn filled_order(execution: &Execution) -> Option<OrderId> {
    fill(execution).map(|(order, _)| order.id)
}

/// `Bought 900 ACME at 100.0164`, and what is left of the order.
fn filled(group: &[(&Order, &Fill)], market: &MarketReplica) -> Option<String> {
    let fills: Vec<&Fill> = group.iter().map(|(_, fill)| *fill).collect();
    let ((order, _), first) = (group.last()?, fills.first()?);
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
    let text = format!("{verb} {} {} at {price}", units.quantity(lots), instrument.symbol);
    Some(match order.quantity - order.filled {
        Lots::ZERO => text,
        left => format!("{text}; {} of {} left", units.quantity(left), units.quantity(order.quantity)),
    })
}

/// The notification of any event but a fill. `None` for the user's own actions:
/// the ticket shows their result.
fn other(execution: &Execution, market: &MarketReplica) -> Option<Notification> {
    let symbol = |id| Some(&market.instruments.get(id)?.instrument.symbol);
    let payment = |what: String, amount: Money| {
        let verb = if amount < Money::ZERO { "paid" } else { "received" };
        let amount = format::money(if amount < Money::ZERO { -amount } else { amount });
        Notification::new(NotificationKind::Payment, format!("{what}: {verb} {amount}"))
    };
    match &execution.change {
        // The reset itself is told.
        AccountChange::OrderCancelled { reason: CancelReason::AccountReset, .. } => None,
        AccountChange::OrderCancelled { order, reason } => {
            let text = cancelled(order, *reason, market)?;
            Some(Notification::new(NotificationKind::Cancel, text))
        }
        AccountChange::CouponPaid { instrument, amount } => {
            Some(payment(format!("Coupon of {}", symbol(instrument)?), *amount))
        }
        AccountChange::Redeemed { instrument, amount } => {
            Some(payment(format!("{} redeemed", symbol(instrument)?), *amount))
        }
        AccountChange::Reset => {
            let cash = format::money(execution.cash);
            let text = format!("The venue's owner reset your account: you start again with {cash}.");
            Some(Notification::new(NotificationKind::Info, text))
        }
        _ => None,
    }
}

/// Which order was cancelled, and why.
fn cancelled(order: &Order, reason: CancelReason, market: &MarketReplica) -> Option<String> {
    let name = order_name(order, market)?;
    let units = Units::of(&market.instruments.get(&order.instrument)?.instrument);
    let left = units.quantity(order.quantity - order.filled);
    Some(match reason {
        CancelReason::Requested => format!("{name} cancelled"),
        CancelReason::ImmediateOrCancel => {
            format!("{name}: {left} not filled and cancelled, no more was offered")
        }
        CancelReason::FillOrKill => format!("{name} not filled: it could not be filled whole"),
        CancelReason::SelfTrade => {
            let other = match order.side {
                Side::Buy => "sell",
                Side::Sell => "buy",
            };
            format!("Your {name} was cancelled because your {other} order could have traded with it.")
        }
        CancelReason::Expired => format!("{name} cancelled: the instrument matured"),
        CancelReason::EndOfDay => format!("{name} cancelled: the trading day is over"),
        CancelReason::AccountReset => format!("{name} cancelled: the account was reset"),
    })
}

/// A notification in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Counts notifications of the page.
    pub id: u32,
    /// Venue time at its arrival.
    pub time: VenueTime,
    /// The notification.
    pub notification: Notification,
}

/// Toasts, log and announcements. A handle: copies share everything.
#[derive(Clone, Copy)]
pub struct Notifications {
    queue: StoredValue<VecDeque<Notification>>,
    announced_at: StoredValue<f64>,
    timer_runs: StoredValue<bool>,
    line: RwSignal<String>,
    toasts: RwSignal<Vec<LogEntry>>,
    log: RwSignal<VecDeque<LogEntry>>,
}

impl Notifications {
    pub(super) fn new() -> Self {
        Self {
            queue: StoredValue::new(VecDeque::new()),
            announced_at: StoredValue::new(0.0),
            timer_runs: StoredValue::new(false),
            line: RwSignal::new(String::new()),
            toasts: RwSignal::new(Vec::new()),
            log: RwSignal::new(VecDeque::new()),
        }
    }

    /// The text of the live region.
    pub fn line(self) -> String {
        self.line.get()
    }

    /// What is shown for a moment, oldest first.
    pub fn toasts(self) -> Vec<LogEntry> {
        self.toasts.get()
    }

    /// The last [`LOG_CAPACITY`] notifications, newest first.
    pub fn log(self) -> Vec<LogEntry> {
        self.log.with(|log| log.iter().cloned().collect())
    }

    /// The newest notification.
    pub fn newest(self) -> Option<LogEntry> {
        self.log.with(|log| log.front().cloned())
    }

    /// Removes a toast; the log keeps it.
    pub fn dismiss(self, id: u32) {
        // The page may be gone when a toast's time is over.
        self.toasts.try_update(|toasts| toasts.retain(|toast| toast.id != id));
    }

    /// Shows, logs and announces a notification that arrived at `time`; announces
    /// it now or once [`MIN_INTERVAL`] has passed.
    pub(super) fn push(self, notification: Notification, time: VenueTime) {
        let id = self.log.with_untracked(|log| log.front().map_or(0, |newest| newest.id.wrapping_add(1)));
        let entry = LogEntry { id, time, notification: notification.clone() };
        self.log.update(|log| {
            log.push_front(entry.clone());
            log.truncate(LOG_CAPACITY);
        });
        self.toasts.update(|toasts| {
            toasts.push(entry);
            let excess = toasts.len().saturating_sub(MAX_TOASTS);
            toasts.drain(..excess);
        });
        #[cfg(target_arch = "wasm32")]
        set_timeout(move || self.dismiss(id), TOAST_LIFETIME);
        self.queue.update_value(|queue| queue.push_back(notification));
        if self.timer_runs.get_value() {
            return;
        }
        let wait = MIN_INTERVAL.as_millis() as f64 - (now_ms() - self.announced_at.get_value());
        if wait <= 0.0 {
            self.announce();
        } else {
            self.timer_runs.set_value(true);
            #[cfg(target_arch = "wasm32")]
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
    let first: Vec<&str> = notifications.iter().take(MAX_SENTENCES).map(|each| each.text.as_str()).collect();
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

    fn notification(text: &str) -> Notification {
        Notification::new(NotificationKind::Info, text)
    }

    #[test]
    fn many_notifications_become_one_announcement() {
        let all = ["A", "B", "C", "D"].map(notification);
        assert_eq!(summary(&all[..1]), "A");
        assert_eq!(summary(&all[..3]), "A · B · and 1 more event");
        assert_eq!(summary(&all), "A · B · and 2 more events");
    }

    #[test]
    fn the_newest_four_are_toasts_and_the_last_hundred_are_logged() {
        let owner = Owner::new();
        owner.with(|| {
            let notifications = Notifications::new();
            for number in 1..=120_i64 {
                notifications.push(notification(&number.to_string()), VenueTime(number));
            }
            let texts = |all: Vec<LogEntry>| -> Vec<String> {
                all.into_iter().map(|entry| entry.notification.text).collect()
            };
            assert_eq!(texts(notifications.toasts()), ["117", "118", "119", "120"]);
            let log = notifications.log();
            assert_eq!((log.len(), log[0].time, log[99].time), (100, VenueTime(120), VenueTime(21)));
            assert_eq!(notifications.newest().as_ref(), log.first());
            notifications.dismiss(log[1].id);
            assert_eq!(texts(notifications.toasts()), ["117", "118", "120"]);
            assert_eq!(notifications.log(), log);
        });
    }
}
