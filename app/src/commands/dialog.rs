//! A native dialog driven by a signal: it traps the focus, closes on Esc and
//! restores the focus.
//!
//! Does not know its content.

use leptos::html;
use leptos::prelude::*;

use super::{CommandRegistry, Dialog};

#[component]
pub(super) fn Modal(
    registry: CommandRegistry,
    which: Dialog,
    title: &'static str,
    testid: &'static str,
    #[prop(default = "Close")] close_word: &'static str,
    children: ChildrenFn,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    let is_open = Memo::new(move |_| registry.dialog.get() == Some(which));
    #[cfg(target_arch = "wasm32")]
    Effect::new(move || {
        if let Some(dialog) = node.get() {
            match (is_open.get(), dialog.open()) {
                (true, false) => {
                    let _ = dialog.show_modal();
                }
                (false, true) => dialog.close(),
                _ => {}
            }
        }
    });
    let closed = move |_| {
        if registry.dialog.get_untracked() == Some(which) {
            registry.dialog.set(None);
        }
    };
    view! {
        <dialog node_ref=node aria-label=title data-testid=testid on:close=closed>
            <Show when=move || is_open.get()>
                {children()}
                <button
                    type="button"
                    class="small close"
                    data-testid=format!("{testid}-close")
                    on:click=move |_| registry.dialog.set(None)
                >
                    {close_word}
                </button>
            </Show>
        </dialog>
    }
}
