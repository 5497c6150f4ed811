//! Keyboard navigation within tables and tab lists: handlers of `keydown`.
//!
//! Do not know what the buttons do.

use leptos::ev::KeyboardEvent;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen::JsCast;
#[cfg(target_arch = "wasm32")]
use web_sys::{Element, HtmlElement};

/// Arrow up and down: focuses the first enabled button of the nearest row that
/// has one.
pub fn focus_next_row(event: KeyboardEvent) {
    let Some(forward) = direction(&event, "ArrowDown", "ArrowUp") else { return };
    #[cfg(target_arch = "wasm32")]
    {
        let from = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let mut row = from.and_then(|element| element.closest("tr").ok().flatten());
        while let Some(current) = row {
            row = sibling(&current, forward);
            let button = row.as_ref().and_then(|row| row.query_selector("button:enabled").ok().flatten());
            if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
                let _ = button.focus();
                return;
            }
        }
    }
    #[cfg(not(target_arch = "wasm32"))]
    let _ = forward;
}

/// Arrow left and right: clicks and focuses the neighbouring button.
pub fn select_next_tab(event: KeyboardEvent) {
    let Some(forward) = direction(&event, "ArrowRight", "ArrowLeft") else { return };
    #[cfg(target_arch = "wasm32")]
    {
        let from = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let next = from.and_then(|element| sibling(&element, forward));
        if let Some(button) = next.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
            button.click();
            let _ = button.focus();
        }
    }
    #[cfg(not(target_arch = "wasm32"))]
    let _ = forward;
}

/// Returns true for the key `next`, false for `previous`; both are consumed.
fn direction(event: &KeyboardEvent, next: &str, previous: &str) -> Option<bool> {
    let key = event.key();
    let forward = if key == next {
        true
    } else if key == previous {
        false
    } else {
        return None;
    };
    event.prevent_default();
    Some(forward)
}

#[cfg(target_arch = "wasm32")]
fn sibling(element: &Element, forward: bool) -> Option<Element> {
    if forward { element.next_element_sibling() } else { element.previous_element_sibling() }
}
