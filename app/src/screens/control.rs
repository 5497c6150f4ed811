//! The page of the venue's owner: its clock, who is connected, how agents do. Others
//! see how the venue is claimed.
//!
//! Decides nothing: the gateway knows the owner, market data moves the clock.

mod agents;
mod claim;
mod clock;
mod users;

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::{self, ControlOverview, PageData};
use crate::layout::ScreenTitle;
use crate::live::Live;

/// Time between two reads of what the page shows.
const READ_INTERVAL: Duration = Duration::from_secs(1);

/// The page of the venue's owner.
#[component]
pub(crate) fn ControlScreen() -> impl IntoView {
    let live = expect_context::<Live>();
    let opening: PageData<Option<ControlOverview>> =
        PageData::new_with_options(|| (), |()| api::read_control(), true);
    let content = move || {
        Suspend::new(async move {
            match opening.await {
                Ok(Some(overview)) => view! { <Panels live overview /> }.into_any(),
                Ok(None) => view! { <claim::Claim live /> }.into_any(),
                Err(error) => view! {
                    <p class="problem" role="alert">
                        {error.message}
                    </p>
                }
                .into_any(),
            }
        })
    };
    view! {
        <ScreenTitle name="Control" />
        <div class="control">
            <Suspense>{content}</Suspense>
        </div>
    }
}

#[component]
fn Panels(live: Live, overview: ControlOverview) -> impl IntoView {
    let overview = RwSignal::new(overview);
    Effect::new(move || read_repeatedly(overview));
    view! {
        <section class="panel" aria-labelledby="clock-title">
            <clock::ClockPanel live overview />
        </section>
        <section class="panel" aria-labelledby="agents-title">
            <agents::AgentsPanel overview />
        </section>
        <section class="panel users" aria-labelledby="users-title">
            <users::UsersPanel live overview />
        </section>
    }
}

/// Reads the overview every [`READ_INTERVAL`] for as long as the page is open. What
/// cannot be read stays as it was: the connection's state is in the top bar.
fn read_repeatedly(overview: RwSignal<ControlOverview>) {
    let read = move || {
        spawn_local(async move {
            if let Ok(Some(newest)) = api::read_control().await {
                overview.try_set(newest);
            }
        });
    };
    if let Ok(timer) = set_interval_with_handle(read, READ_INTERVAL) {
        on_cleanup(move || timer.clear());
    }
}
