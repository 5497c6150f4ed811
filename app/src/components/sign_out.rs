//! The form by which a guest signs out, and loses the account.
//!
//! Asks nothing: whoever shows it has said what it does.

use leptos::prelude::*;

/// The form, a single button.
#[component]
pub(crate) fn SignOutAndDelete() -> impl IntoView {
    view! {
        <form method="post" action="/logout">
            <input type="hidden" name="delete" value="account" />
            <button class="danger" data-testid="sign-out-and-delete">
                "Sign out and delete"
            </button>
        </form>
    }
}
