//! The status bar: the newest entry, the venue's seed commitment, the newest
//! notification.
//!
//! Does not know how a notification came about.

use leptos::prelude::*;

use crate::format;
use crate::live::Live;

#[component]
pub(super) fn StatusBar(live: Live) -> impl IntoView {
    let commitment = live.seed_commitment().to_string();
    let short = commitment.get(..12).unwrap_or_default().to_owned();
    view! {
        <footer class="status" data-testid="status-bar">
            <span>
                "Venue " <strong data-testid="venue-name">{live.venue_name()}</strong>
            </span>
            <span>
                "Through "
                <span class="num" data-testid="through">
                    {move || format!("#{}", format::count(live.moment.get().through.0))}
                </span>
            </span>
            <span title=format!("The venue committed to SHA-256(seed ‖ salt) = {commitment}")>
                "Seed commitment "
                <span class="num" data-testid="seed-commitment">
                    {short}
                    "…"
                </span>
            </span>
            <PreviewMatches live />
            <p class="news" role="status" aria-live="polite" data-testid="announcer">
                {move || live.notifications.line()}
            </p>
        </footer>
    }
}

/// Answers that were equal to their previews.
#[component]
fn PreviewMatches(live: Live) -> impl IntoView {
    let text = move || {
        live.previews.with(|receipts| match (receipts.compared, receipts.different) {
            (0, _) => format::ABSENT.to_owned(),
            (compared, 0) => format!("{compared} of {compared}"),
            (compared, different) => format!("{} of {compared}", compared - different),
        })
    };
    view! {
        <span title="Answers on the preview's own basis that were byte-equal to it">
            "Preview = fill "
            <span class="num" data-testid="receipts">
                {text}
            </span>
        </span>
    }
}
