//! Details for engineers: the newest entry, the venue's seed commitment, previews
//! compared with answers.
//!
//! Shows what `live` counted.

use leptos::prelude::*;

use crate::format;
use crate::live::Live;

/// Id of the panel, for the buttons that open it.
pub(super) const DETAILS_ID: &str = "details";

#[component]
pub(super) fn Details(live: Live) -> impl IntoView {
    view! {
        <section
            id=DETAILS_ID
            popover="auto"
            class="sheet details"
            aria-labelledby="details-title"
            data-testid="details"
        >
            <h2 id="details-title">"Details"</h2>
            <dl>
                <dt>"Venue"</dt>
                <dd data-testid="venue-name">{live.venue_name()}</dd>
                <dt>"Everything shown is as of journal entry"</dt>
                <dd class="num" data-testid="through">
                    {move || format!("#{}", format::count(live.moment.get().through.0))}
                </dd>
                <dt>"Answers equal to their previews"</dt>
                <dd class="num" data-testid="receipts">
                    {move || preview_matches(live)}
                </dd>
                <dt>"Seed commitment: SHA-256(seed ‖ salt), published before the venue opened"</dt>
                <dd class="num" data-testid="seed-commitment">
                    {live.seed_commitment().to_string()}
                </dd>
            </dl>
        </section>
    }
}

/// Answers on the basis of their previews that were equal to them, of all compared.
fn preview_matches(live: Live) -> String {
    live.previews.with(|receipts| match receipts.compared {
        0 => format::ABSENT.to_owned(),
        compared => format!("{} of {compared}", compared - receipts.different),
    })
}
