//! The dialogs of the command palette, of the shortcuts and of the preferences,
//! which every screen has.
//!
//! One table names every command and its key; a screen carries out the commands
//! that are its own.

mod dialog;
mod palette;
mod preferences_dialog;
mod shortcuts;
mod sign_out_dialog;
mod table;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::web_sys::HtmlElement;
use leptos_router::hooks::{use_location, use_navigate};

pub(crate) use table::UserCommand;

use crate::live::Live;
use crate::routes::{ACCOUNT, CONTROL, PORTFOLIO, TRADE};
use table::COMMANDS;

/// A dialog that can be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialog {
    Palette,
    Shortcuts,
    Preferences,
    SignOut,
}

/// The command that a screen has still to carry out, and the open dialog. A
/// handle.
#[derive(Clone, Copy)]
pub(crate) struct CommandRegistry {
    pub(crate) pending: RwSignal<Option<UserCommand>>,
    pub(crate) dialog: RwSignal<Option<Dialog>>,
}

impl Default for CommandRegistry {
    fn default() -> Self {
        Self { pending: RwSignal::new(None), dialog: RwSignal::new(None) }
    }
}

impl CommandRegistry {
    /// Carries out `command`, or leaves it to the trading screen.
    fn perform(self, live: Live, command: UserCommand, go: impl Fn(&str)) {
        match command {
            UserCommand::Palette => self.dialog.set(Some(Dialog::Palette)),
            UserCommand::Shortcuts => self.dialog.set(Some(Dialog::Shortcuts)),
            UserCommand::Preferences => self.dialog.set(Some(Dialog::Preferences)),
            UserCommand::Trade => go(TRADE),
            UserCommand::Portfolio => go(PORTFOLIO),
            UserCommand::Account => {
                let _ = location().set_href(ACCOUNT);
            }
            UserCommand::Control => go(CONTROL),
            UserCommand::Next => select_neighbour(live, 1),
            UserCommand::Previous => select_neighbour(live, -1),
            UserCommand::SignOut => click("[data-testid=sign-out]"),
            other => {
                go(TRADE);
                self.pending.set(Some(other));
            }
        }
    }
}

/// Selects the instrument `step` positions further by symbol.
fn select_neighbour(live: Live, step: isize) {
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
pub(crate) fn CommandDialogs(live: Live) -> impl IntoView {
    let registry = expect_context::<CommandRegistry>();
    let (navigate, path) = (use_navigate(), use_location().pathname);
    let go = move |to: &str| {
        if path.with_untracked(|here| here != to) {
            navigate(to, Default::default());
        }
    };
    let perform = Callback::new(move |command: UserCommand| registry.perform(live, command, &go));
    let keys = window_event_listener(leptos::ev::keydown, move |event| {
        if let Some(command) = command_for(&event, live.preferences.untracked().keys) {
            event.prevent_default();
            perform.run(command);
        }
    });
    on_cleanup(move || keys.remove());
    view! {
        <palette::Palette live registry perform />
        <shortcuts::Shortcuts live registry />
        <preferences_dialog::PreferencesDialog live registry />
        {live.caller().is_guest().then(|| view! { <sign_out_dialog::SignOutDialog registry /> })}
    }
}

/// The command of a key press; `None` while the user types text.
fn command_for(event: &KeyboardEvent, single_keys: bool) -> Option<UserCommand> {
    let key = event.key();
    if (event.ctrl_key() || event.meta_key()) && key.eq_ignore_ascii_case("k") {
        return Some(UserCommand::Palette);
    }
    if !single_keys || event.ctrl_key() || event.meta_key() || event.alt_key() || is_typing() {
        return None;
    }
    COMMANDS.iter().find(|entry| entry.key == Some(key.as_str())).map(|entry| entry.command)
}

/// Returns true if the focus is in a text field or in an open dialog.
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

/// Clicks an element of the page.
pub(crate) fn click(selector: &str) {
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
