//! Navigation within tables and tab lists: handlers of keys and clicks.
//!
//! Do not know what links and buttons do.

use leptos::ev::{KeyboardEvent, MouseEvent};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen::JsCast;
#[cfg(target_arch = "wasm32")]
use web_sys::{Element, HtmlElement};

/// What can have the focus in a row.
#[cfg(target_arch = "wasm32")]
const FOCUSABLE: &str = "a.symbol, button:enabled";

/// Arrow up and down: focuses the link or the first enabled button of the nearest
/// row that has one; of the first row, if the focus is in none.
pub fn focus_next_row(event: KeyboardEvent) {
    #[cfg(target_arch = "wasm32")]
    {
        let Some(from) = target(&event).filter(|from| !is_within(from, "input, select")) else { return };
        let Some(forward) = direction(&event, "ArrowDown", "ArrowUp") else { return };
        let mut row = match from.closest("tr").ok().flatten() {
            Some(current) => sibling(&current, forward),
            None => from.query_selector("tbody tr").ok().flatten(),
        };
        while let Some(current) = row {
            let found = current.query_selector(FOCUSABLE).ok().flatten();
            let found = found.filter(|_| !current.has_attribute("hidden"));
            if let Some(found) = found.and_then(|found| found.dyn_into::<HtmlElement>().ok()) {
                let _ = found.focus();
                return;
            }
            row = sibling(&current, forward);
        }
    }
    #[cfg(not(target_arch = "wasm32"))]
    let _ = event;
}

/// Makes a click anywhere on a row a click on the row's link, unless it was on
/// another control. For the click on the link returns whether the link is part of
/// an element that matches `inside`.
pub fn follow_row(event: &MouseEvent, inside: &str) -> Option<bool> {
    #[cfg(target_arch = "wasm32")]
    {
        let from = target(event)?;
        if is_within(&from, "a.symbol") {
            return Some(is_within(&from, inside));
        }
        if !is_within(&from, "a, button, input, select, label, summary") {
            let link = from.closest("tr").ok()??.query_selector("a.symbol").ok()??;
            let link: HtmlElement = link.dyn_into().ok()?;
            // After this click: a handler cannot be called while it runs.
            leptos::prelude::queue_microtask(move || link.click());
        }
    }
    #[cfg(not(target_arch = "wasm32"))]
    let _ = (event, inside);
    None
}

/// Arrow left and right: clicks and focuses the neighbouring button.
pub fn select_next_tab(event: KeyboardEvent) {
    let Some(forward) = direction(&event, "ArrowRight", "ArrowLeft") else { return };
    #[cfg(target_arch = "wasm32")]
    {
        let next = target(&event).and_then(|element| sibling(&element, forward));
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
fn target(event: &web_sys::Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

#[cfg(target_arch = "wasm32")]
fn is_within(element: &Element, selector: &str) -> bool {
    element.closest(selector).ok().flatten().is_some()
}

#[cfg(target_arch = "wasm32")]
fn sibling(element: &Element, forward: bool) -> Option<Element> {
    if forward { element.next_element_sibling() } else { element.previous_element_sibling() }
}
