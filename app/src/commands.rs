//! Command palette, the sheet of keys, and preferences: three dialogs that
//! every screen has.
//!
//! One table names every command and its keys; what a command does on a
//! screen is that screen's business.

mod commands;
mod dialog;
mod palette;
mod prefs;
mod sheet;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::web_sys::HtmlElement;

pub(crate) use commands::Action;

use crate::floor::PORTFOLIO;
use crate::live::Live;
use crate::place::Place;
use crate::reactive::RwSignal;
use commands::COMMANDS;

/// Which dialog is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    Palette,
    Keys,
    Preferences,
}

/// What was asked for and which dialog is open. A handle.
#[derive(Clone, Copy)]
pub(crate) struct Desk {
    /// What a screen has still to do.
    pub(crate) asked: RwSignal<Option<Action>>,
    /// The open dialog.
    pub(crate) open: RwSignal<Option<Open>>,
}

impl Default for Desk {
    fn default() -> Self {
        Self { asked: RwSignal::new(None), open: RwSignal::new(None) }
    }
}

impl Desk {
    /// Does what `action` names, here or on the screen that it belongs to.
    fn perform(self, live: Live, action: Action, place: Place) {
        match action {
            Action::Palette => self.open.set(Some(Open::Palette)),
            Action::Keys => self.open.set(Some(Open::Keys)),
            Action::Preferences => self.open.set(Some(Open::Preferences)),
            Action::Trade => place.go("/"),
            Action::Portfolio => place.go(PORTFOLIO),
            Action::Next => choose_next(live, 1),
            Action::Previous => choose_next(live, -1),
            Action::SignOut => press("[data-testid=sign-out]"),
            other => {
                place.go("/");
                self.asked.set(Some(other));
            }
        }
    }
}

/// Chooses the instrument `step` places further by symbol.
fn choose_next(live: Live, step: isize) {
    let listed = live.listed();
    let at = listed.iter().position(|one| one.id == live.selected.get_untracked()).unwrap_or(0);
    let count = listed.len() as isize;
    if count > 0
        && let Some(next) = listed.get((at as isize + step).rem_euclid(count) as usize)
    {
        live.selected.set(next.id);
    }
}

/// The dialogs, and the keys that every screen answers to.
#[component]
pub(crate) fn Help(live: Live) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let place = expect_context::<Place>();
    let perform = Callback::new(move |action: Action| desk.perform(live, action, place));
    let keys = window_event_listener(leptos::ev::keydown, move |event| {
        if let Some(action) = meant(&event, live.prefs.untracked().keys) {
            event.prevent_default();
            perform.run(action);
        }
    });
    on_cleanup(move || keys.remove());
    view! {
        <palette::Palette live desk perform />
        <sheet::Sheet live desk />
        <prefs::PreferencesDialog live desk />
    }
    .into_any()
}

/// The command that a key press means; none while somebody types.
fn meant(event: &KeyboardEvent, single_keys: bool) -> Option<Action> {
    let key = event.key();
    if (event.ctrl_key() || event.meta_key()) && key.eq_ignore_ascii_case("k") {
        return Some(Action::Palette);
    }
    if !single_keys || event.ctrl_key() || event.meta_key() || event.alt_key() || is_typing() {
        return None;
    }
    COMMANDS.iter().find(|command| command.key == Some(key.as_str())).map(|command| command.action)
}

/// Whether the focus is where keys mean text, or in an open dialog.
fn is_typing() -> bool {
    #[cfg(target_arch = "wasm32")]
    {
        let focus = document().active_element();
        let at = |focus: web_sys::Element| {
            focus.closest("input:not([type=checkbox]):not([type=radio]), select, textarea, dialog[open]")
        };
        focus.is_some_and(|focus| at(focus).ok().flatten().is_some())
    }
    #[cfg(not(target_arch = "wasm32"))]
    false
}

/// Presses a button of the page.
pub(crate) fn press(selector: &str) {
    with_element(selector, |element| element.click());
}

/// Moves the focus to an element of the page.
pub(crate) fn focus(selector: &str) {
    with_element(selector, |element| {
        let _ = element.focus();
    });
}

fn with_element(selector: &str, then: impl FnOnce(HtmlElement)) {
    #[cfg(target_arch = "wasm32")]
    {
        use wasm_bindgen::JsCast;
        let found = document().query_selector(selector).ok().flatten();
        if let Some(element) = found.and_then(|element| element.dyn_into().ok()) {
            then(element);
        }
    }
    #[cfg(not(target_arch = "wasm32"))]
    let _ = (selector, then);
}
