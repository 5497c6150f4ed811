//! The connection pill: whether what is shown may be trusted.
//!
//! Shows what `live::connection` decided.

use leptos::prelude::*;

use crate::live::Live;
use crate::live::connection::Phase;
use crate::reactive::memo;

#[component]
pub(super) fn Pill(live: Live) -> impl IntoView {
    let link = live.link;
    let phase = memo(move || link.get().phase);
    Effect::new(move |before: Option<Phase>| {
        let now = phase.get();
        match (before, now) {
            (Some(Phase::Live | Phase::Delayed), Phase::Stale) => {
                live.say("Prices are stale; the ticket is closed.");
            }
            (Some(before), Phase::Reconnecting) if before != Phase::Connecting => {
                live.say("Connection lost; reconnecting.");
            }
            (Some(Phase::Reconnecting | Phase::Stale), Phase::Live | Phase::Delayed) => {
                live.say("Connection is live again.");
            }
            _ => {}
        }
        now
    });
    let round_trip = move || match link.get().round_trip_ms {
        Some(ms) => format!("{} ms", ms as u64),
        None => "— ms".to_owned(),
    };
    let age = move || match phase.get() {
        Phase::Connecting => "— s".to_owned(),
        _ => {
            // Whole tenths: the bundle carries no printer of floats.
            let tenths = (link.get().age_ms / 100.0) as u64;
            format!("{}.{} s", tenths / 10, tenths % 10)
        }
    };
    view! {
        <p
            class="pill"
            data-state=move || phase.get().key()
            data-testid="connection"
            title="Round trip · age of the newest message"
        >
            <span class="dot" aria-hidden="true"></span>
            <strong>{move || phase.get().word()}</strong>
            <span class="num">{move || round_trip()}</span>
            <span class="num age">{move || age()}</span>
        </p>
    }
    .into_any()
}
