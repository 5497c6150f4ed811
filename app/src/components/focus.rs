//! Arrow keys: the focus goes to the next row's button, or to the next tab.
//!
//! Does not know what the button does.

use leptos::ev::KeyboardEvent;

/// Focuses the first enabled button in a row after (or before) the one that
/// `event` came from; stays where it is when there is none.
pub fn focus_row(event: &KeyboardEvent, forward: bool) {
    #[cfg(target_arch = "wasm32")]
    {
        use wasm_bindgen::JsCast;
        use web_sys::{Element, HtmlElement};

        let from = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let mut row = from.and_then(|element| element.closest("tr").ok().flatten());
        while let Some(current) = row {
            row = match forward {
                true => current.next_element_sibling(),
                false => current.previous_element_sibling(),
            };
            let button = row.as_ref().and_then(|row| row.query_selector("button:enabled").ok().flatten());
            if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
                let _ = button.focus();
                return;
            }
        }
    }
    #[cfg(not(target_arch = "wasm32"))]
    let _ = (event, forward);
}

/// Presses and focuses the next (or the previous) button beside the one that
/// `event` came from.
pub fn press_sibling(event: &KeyboardEvent, forward: bool) {
    #[cfg(target_arch = "wasm32")]
    {
        use wasm_bindgen::JsCast;
        use web_sys::{Element, HtmlElement};

        let from = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let next = from.and_then(|element| match forward {
            true => element.next_element_sibling(),
            false => element.previous_element_sibling(),
        });
        if let Some(button) = next.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
            button.click();
            let _ = button.focus();
        }
    }
    #[cfg(not(target_arch = "wasm32"))]
    let _ = (event, forward);
}
