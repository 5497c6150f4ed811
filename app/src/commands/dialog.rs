//! A native dialog that follows a signal: it traps the focus, closes on Esc
//! and gives the focus back.
//!
//! Does not know what is in it.

use leptos::html;
use leptos::prelude::*;

use crate::components::Show;

use super::{Desk, Open};
#[cfg(target_arch = "wasm32")]
use crate::reactive::effect;
use crate::reactive::memo;

#[component]
pub(super) fn Modal(
    desk: Desk,
    which: Open,
    title: &'static str,
    testid: &'static str,
    children: ChildrenFn,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    let is_open = memo(move || desk.open.get() == Some(which));
    #[cfg(target_arch = "wasm32")]
    effect(move || {
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
        if desk.open.get_untracked() == Some(which) {
            desk.open.set(None);
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
                    on:click=move |_| desk.open.set(None)
                >
                    "Close"
                </button>
            </Show>
        </dialog>
    }
    .into_any()
}
