//! The status bar: the newest notification, and the buttons that open the log and
//! the details.
//!
//! Does not know how a notification came about.

use leptos::prelude::*;

use super::details::DETAILS_ID;
use super::notices::LOG_ID;
use crate::format;
use crate::live::Live;

#[component]
pub(super) fn StatusBar(live: Live) -> impl IntoView {
    let newest = move || live.notifications.newest();
    let count = move || format::count(live.notifications.log().len() as u64);
    view! {
        <footer class="status" data-testid="status-bar">
            <button type="button" class="small plain" popovertarget=LOG_ID data-testid="open-notices">
                "Notices "
                <span class="num">{count}</span>
            </button>
            <p
                class="news"
                data-kind=move || newest().map(|entry| entry.notification.kind.key())
                data-testid="newest-notice"
            >
                {move || {
                    newest()
                        .map(|entry| {
                            format!("{} {}", live.preferences.clock(entry.time), entry.notification.text)
                        })
                }}
            </p>
            <button type="button" class="small plain" popovertarget=DETAILS_ID data-testid="open-details">
                "Details"
            </button>
        </footer>
    }
}
