//! Announcements to the user: fills, cancels, payments and connection changes,
//! at most one in two seconds, through one live region.
//!
//! Does not know where they are shown.

use std::collections::VecDeque;
use std::time::Duration;

use engine::book::PriceLevel;
use engine::id::InstrumentId;
use engine::instrument::Instrument;
use engine::money::{Lots, Ticks};
use engine::order::{CancelReason, Side};
use leptos::prelude::*;
use protocol::frames::{ExecutionFrame, FillFrame};

use super::maps::Map;
use super::now_ms;
use crate::components::{Units, format};

/// Shortest time between two announcements.
const MIN_INTERVAL: Duration = Duration::from_secs(2);

/// Sentences in one announcement; further ones are only counted.
const MAX_SENTENCES: usize = 2;

/// A sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification(pub String);

/// The instruments whose names the sentences use.
type Instruments = Map<InstrumentId, Instrument>;

impl Notification {
    /// Sentences about one update's executions, in order; consecutive fills of
    /// an order make one sentence.
    pub fn all(executions: &[ExecutionFrame], instruments: &Instruments) -> Vec<Self> {
        let order = |execution: &ExecutionFrame| execution.fill.as_ref().map(|fill| fill.order_id);
        let same_order = |a: &ExecutionFrame, b: &ExecutionFrame| order(a).is_some() && order(a) == order(b);
        let sentence = |group: &[ExecutionFrame]| {
            let fills: Vec<&FillFrame> =
                group.iter().filter_map(|execution| execution.fill.as_ref()).collect();
            if fills.is_empty() { other(group.first()?, instruments) } else { filled(&fills, instruments) }
        };
        executions.chunk_by(same_order).filter_map(sentence).collect()
    }
}

/// `Bought 900 ACME at 100.0164`.
fn filled(fills: &[&FillFrame], instruments: &Instruments) -> Option<Notification> {
    let instrument = instruments.get(&fills.first()?.instrument_id)?;
    let units = Units::of(instrument);
    let parts: Vec<PriceLevel> = fills
        .iter()
        .filter_map(|fill| {
            let price = fill.price.in_units_of(instrument.tick_size).map(Ticks)?;
            Some(PriceLevel { price, lots: fill.quantity.in_units_of(instrument.lot_size).map(Lots)? })
        })
        .collect();
    let price = match parts.as_slice() {
        [first, others @ ..] if others.iter().all(|part| part.price == first.price) => {
            units.price(first.price)
        }
        parts => format::decimal(units.average(parts)?),
    };
    let verb = match fills.first()?.side {
        Side::Buy => "Bought",
        Side::Sell => "Sold",
    };
    let lots = parts.iter().map(|part| part.lots).sum();
    Some(Notification(format!("{verb} {} {} at {price}", units.quantity(lots), instrument.symbol)))
}

/// The sentence for any event but a fill. `None` for the user's own actions:
/// the ticket shows their result.
fn other(execution: &ExecutionFrame, instruments: &Instruments) -> Option<Notification> {
    if let Some(payment) = execution.payment {
        return Some(Notification(format!("Received {}", format::money(payment))));
    }
    let order = execution.order.as_ref()?;
    let symbol = instruments.get(&order.instrument_id).map_or("?", |instrument| instrument.symbol.as_str());
    let why = match execution.cancel_reason? {
        CancelReason::Requested => "cancelled",
        CancelReason::ImmediateOrCancel => "remainder cancelled: no more liquidity",
        CancelReason::SelfTrade => "cancelled: it would have traded with your own order",
        CancelReason::Expired => "cancelled: the instrument matured",
        CancelReason::FillOrKill => "cancelled: it could not be filled whole",
        CancelReason::EndOfDay => "cancelled: the trading day is over",
    };
    Some(Notification(format!("{symbol} order {why}")))
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
        more => format!("{text} · and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_notifications_become_one_announcement() {
        let all: Vec<_> = ["A", "B", "C", "D"].map(|text| Notification(text.to_owned())).into();
        assert_eq!(summary(&all[..1]), "A");
        assert_eq!(summary(&all), "A · B · and 2 more");
    }
}
