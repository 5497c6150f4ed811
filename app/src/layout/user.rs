//! The signed-in user in the top bar: name, account page, sign-out.
//!
//! A guest, whose account ends with the session, is asked first; without scripts
//! the server asks.

use leptos::ev::MouseEvent;
use leptos::prelude::*;

use super::Hydrated;
use crate::commands::{CommandRegistry, Dialog};
use crate::live::Live;
use crate::routes::ACCOUNT;

#[component]
pub(super) fn UserControls(live: Live) -> impl IntoView {
    let registry = expect_context::<CommandRegistry>();
    let Hydrated(hydrated) = expect_context();
    let caller = live.caller();
    let (is_guest, name) = (caller.is_guest(), caller.name);
    let ask_guest = move |event: MouseEvent| {
        if is_guest && hydrated.get_untracked() {
            event.prevent_default();
            registry.dialog.set(Some(Dialog::SignOut));
        }
    };
    view! {
        <form class="user" method="post" action="/logout">
            {is_guest
                .then(|| {
                    view! {
                        <a class="button small" href=ACCOUNT rel="external" data-testid="keep-account">
                            "Save account"
                        </a>
                    }
                })}
            <a class="email" href=ACCOUNT rel="external" title=name.clone() data-testid="user">
                {name.clone()}
            </a>
            <button class="small plain" data-testid="sign-out" on:click=ask_guest>
                "Sign out"
            </button>
        </form>
    }
}
