//! What the user is told: toasts over the screen, and the log of the last hundred.
//!
//! Shows what `live` decided; does not know how a notification came about.

use leptos::prelude::*;

use crate::live::{Live, LogEntry};

/// Id of the log, for the buttons that open it.
pub(super) const LOG_ID: &str = "notices";

/// Toasts, and the one live region, which announces them in few words.
#[component]
pub(super) fn Toasts(live: Live) -> impl IntoView {
    let notifications = live.notifications;
    let toast = move |entry: LogEntry| {
        let LogEntry { id, notification, .. } = entry;
        view! {
            <div class="toast" data-kind=notification.kind.key() data-testid="toast">
                <p>{notification.text}</p>
                <button
                    type="button"
                    class="small plain"
                    aria-label="Dismiss"
                    data-testid="toast-dismiss"
                    on:click=move |_| notifications.dismiss(id)
                >
                    "×"
                </button>
            </div>
        }
    };
    view! {
        <div class="toasts" data-testid="toasts">
            <For each=move || notifications.toasts() key=|entry| entry.id let:entry>
                {toast(entry)}
            </For>
        </div>
        <p class="sr-only" role="status" aria-live="polite" data-testid="announcer">
            {move || notifications.line()}
        </p>
    }
}

/// The log of notifications, opened from the status bar.
#[component]
pub(super) fn NoticeLog(live: Live) -> impl IntoView {
    let notifications = live.notifications;
    let row = move |entry: LogEntry| {
        let LogEntry { time, notification, .. } = entry;
        view! {
            <li data-kind=notification.kind.key() data-testid="notice-entry">
                <span class="num muted">{move || live.preferences.clock(time)}</span>
                <span>{notification.text}</span>
            </li>
        }
    };
    view! {
        <section id=LOG_ID popover="auto" class="sheet notices" aria-labelledby="notices-title" data-testid="notices">
            <h2 id="notices-title">"Notices"</h2>
            <ol>
                <For each=move || notifications.log() key=|entry| entry.id let:entry>
                    {row(entry)}
                </For>
            </ol>
            <Show when=move || notifications.newest().is_none()>
                <p class="empty">"Fills, cancels and refusals appear here."</p>
            </Show>
        </section>
    }
}
