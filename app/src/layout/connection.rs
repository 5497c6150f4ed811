//! The connection's state: phase, round trip, age of the newest message; and the
//! venue's clock where it does not run in real time.
//!
//! Shows what `live` decided.

use leptos::prelude::*;
use protocol::socket::ClockUpdate;

use super::Hydrated;
use crate::live::connection::{ConnectionPhase, clock_change, label, label_key};
use crate::live::{Live, NotificationKind};

#[component]
pub(super) fn ConnectionPill(live: Live) -> impl IntoView {
    let link = live.link;
    let Hydrated(hydrated) = expect_context();
    let phase = Memo::new(move |_| link.get().phase);
    Effect::new(move |before: Option<ConnectionPhase>| {
        let now = phase.get();
        match (before, now) {
            (Some(ConnectionPhase::Live | ConnectionPhase::Delayed), ConnectionPhase::Stale) => {
                live.notify(NotificationKind::Connection, "Prices are stale: the ticket is closed.");
            }
            (Some(before), ConnectionPhase::Reconnecting) if before != ConnectionPhase::Connecting => {
                live.notify(NotificationKind::Connection, "Connection lost. Reconnecting.");
            }
            (
                Some(ConnectionPhase::Reconnecting | ConnectionPhase::Stale),
                ConnectionPhase::Live | ConnectionPhase::Delayed,
            ) => {
                live.announce("Connected again: prices are live.");
            }
            _ => {}
        }
        now
    });
    Effect::new(move |before: Option<ClockUpdate>| {
        let now = live.clock.get();
        if let Some(sentence) = before.and_then(|before| clock_change(before, now)) {
            live.announce(sentence);
        }
        now
    });
    let round_trip = move || match link.get().round_trip_ms {
        Some(ms) => format!("{ms:.0} ms"),
        None => "— ms".to_owned(),
    };
    let age = move || match phase.get() {
        ConnectionPhase::Connecting => "— s".to_owned(),
        _ => format!("{:.1} s", link.get().age_ms / 1_000.0),
    };
    view! {
        <p
            class="pill"
            data-state=move || label_key(phase.get(), live.clock.get())
            data-testid="connection"
            title="Round trip · age of the newest message"
        >
            <span class="dot" aria-hidden="true"></span>
            <strong>
                {move || if hydrated.get() { label(phase.get(), live.clock.get()) } else { "Not live".to_owned() }}
            </strong>
            <span class="num">{round_trip}</span>
            <span class="num age">{age}</span>
        </p>
    }
}
