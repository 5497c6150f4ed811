//! How a venue is claimed: by the token that the server printed at its first start.
//!
//! Does not know the token.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use protocol::error::ApiError;

use crate::api;
use crate::layout::Hydrated;
use crate::live::Live;
use crate::routes::ACCOUNT;

#[component]
pub(super) fn Claim(live: Live) -> impl IntoView {
    let body = match live.caller().is_guest() {
        true => view! {
            <p>
                "You are a guest, and a venue cannot belong to a guest: nobody could own it once you are gone. "
                <a href=ACCOUNT rel="external">
                    "Save your account"
                </a> " first."
            </p>
        }
        .into_any(),
        false => view! { <ClaimForm /> }.into_any(),
    };
    view! {
        <section class="panel claim" aria-labelledby="claim-title">
            <header>
                <h2 id="claim-title">"Control of this venue"</h2>
            </header>
            <div class="body">
                <p>
                    "The venue's owner pauses it, sets its speed, steps it, and sees who is connected. Whoever has the token that the server printed at its first start may claim it, once."
                </p>
                {body}
            </div>
        </section>
    }
}

#[component]
fn ClaimForm() -> impl IntoView {
    let Hydrated(hydrated) = expect_context();
    let token = RwSignal::new(String::new());
    let claim = Action::new(|token: &String| {
        let token = token.trim().to_owned();
        async move {
            api::claim_venue(token).await?;
            // The page that comes back is the owner's.
            let _ = location().reload();
            Ok::<(), ApiError>(())
        }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        claim.dispatch(token.get_untracked());
    };
    let problem = move || claim.value().get().and_then(Result::err).map(|error| error.message);
    view! {
        <form on:submit=submit data-testid="claim-form">
            <div class="field">
                <label for="claim-token">"Token"</label>
                <input
                    id="claim-token"
                    class="num"
                    type="text"
                    autocomplete="off"
                    spellcheck="false"
                    required
                    maxlength="128"
                    aria-invalid=move || problem().map(|_| "true")
                    aria-describedby="claim-problem"
                    data-testid="claim-token"
                    prop:value=move || token.get()
                    on:input=move |event| token.set(event_target_value(&event))
                />
                <p id="claim-problem" class="beside" role="alert" data-testid="claim-problem">
                    {move || problem().map(|text| view! { <span class="problem">{text}</span> })}
                </p>
            </div>
            <button
                class="primary"
                disabled=move || !hydrated.get() || claim.pending().get()
                data-testid="claim-send"
            >
                "Claim the venue"
            </button>
        </form>
    }
}
