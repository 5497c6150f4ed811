//! The question to a guest who signs out, since the account ends with the session.
//!
//! Does not sign anybody out: its form does.

use leptos::prelude::*;

use super::dialog::Modal;
use super::{CommandRegistry, Dialog};
use crate::components::SignOutAndDelete;
use crate::routes::ACCOUNT;

#[component]
pub(super) fn SignOutDialog(registry: CommandRegistry) -> impl IntoView {
    view! {
        <Modal
            registry
            which=Dialog::SignOut
            title="Sign out and delete this account?"
            testid="sign-out-dialog"
            close_word="Cancel"
        >
            <h2>"Sign out and delete this account?"</h2>
            <p>
                "You are a guest: this account exists only in this browser. When you sign out it will be gone, with its cash, positions and history. Add an e-mail and password to keep it."
            </p>
            <div class="choices">
                <a class="button primary" href=ACCOUNT rel="external" data-testid="sign-out-save">
                    "Save account"
                </a>
                <SignOutAndDelete />
            </div>
        </Modal>
    }
}
