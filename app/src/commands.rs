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

pub(crate) use table::UserCommand;

use crate::live::Live;
use crate::routes::{ACCOUNT, CONTROL, PORTFOLIO};
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
    fn perform(self, live: Live, command: UserCommand) {
        match command {
            UserCommand::Palette => self.dialog.set(Some(Dialog::Palette)),
            UserCommand::Shortcuts => self.dialog.set(Some(Dialog::Shortcuts)),
            UserCommand::Preferences => self.dialog.set(Some(Dialog::Preferences)),
            UserCommand::Trade => live.show_trade(),
            UserCommand::Portfolio => live.go(PORTFOLIO.to_owned()),
            UserCommand::Account => {
                let _ = location().set_href(ACCOUNT);
            }
            UserCommand::Control => live.go(CONTROL.to_owned()),
            UserCommand::Next => select_neighbour(live, 1),
            UserCommand::Previous => select_neighbour(live, -1),
            UserCommand::SignOut => click("[data-testid=sign-out]"),
            other => {
                live.show_trade();
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
        live.select(next.id);
    }
}

/// The dialogs, and the keys that every screen answers to.
#[component]
pub(crate) fn CommandDialogs(live: Live) -> impl IntoView {
    let registry = expect_context::<CommandRegistry>();
    let perform = Callback::new(move |command: UserCommand| registry.perform(live, command));
    let keys = window_event_listener(leptos::ev::keydown, move |event| {
        if let Some(command) = command_for(&event, live.preferences.untracked().keys) {
            event.prevent_default();
            perform.run(command);
        } else if event.key() == "Escape" {
            dismiss();
        }
    });
    let pointers = window_event_listener(leptos::ev::pointerdown, |event| dismiss_outside(&event));
    on_cleanup(move || {
        keys.remove();
        pointers.remove();
    });
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
    let modified = event.ctrl_key() || event.meta_key() || event.alt_key();
    if !single_keys || modified || event.repeat() || is_typing() {
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

/// What can be open, each with the element whose click closes it. The first that is
/// open goes first. Dialogs close themselves.
#[cfg(target_arch = "wasm32")]
const DISMISSIBLE: [(&str, &str); 5] = [
    (".menu[open]", ".menu[open] > summary"),
    (".confirm", ".confirm [data-dismiss]"),
    (".question", ".question [data-dismiss]"),
    (".amend", ".amend [data-dismiss]"),
    (".trade[data-large=true]", ".chart [data-dismiss]"),
];

/// Closes one thing that is open.
fn dismiss() {
    #[cfg(target_arch = "wasm32")]
    {
        let is_open = |selector: &str| document().query_selector(selector).ok().flatten().is_some();
        if !is_open("dialog[open]")
            && let Some((_, closer)) = DISMISSIBLE.iter().find(|(open, _)| is_open(open))
        {
            click(closer);
        }
    }
}

/// Closes the menu and the question that the user has pressed outside of.
fn dismiss_outside(event: &leptos::ev::PointerEvent) {
    #[cfg(target_arch = "wasm32")]
    {
        use wasm_bindgen::JsCast;
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        for (open, closer) in &DISMISSIBLE[..3] {
            if target.as_ref().is_some_and(|target| target.closest(open).ok().flatten().is_none()) {
                click(closer);
            }
        }
    }
    #[cfg(not(target_arch = "wasm32"))]
    let _ = event;
}

/// Clicks an element of the page.
pub(crate) fn click(selector: &str) {
    with_element(selector, |element| element.click());
}

/// Scrolls an element of the page into view.
fn scroll_to(selector: &str) {
    #[cfg(target_arch = "wasm32")]
    with_element(selector, |element| {
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Nearest);
        element.scroll_into_view_with_scroll_into_view_options(&options);
    });
    #[cfg(not(target_arch = "wasm32"))]
    let _ = selector;
}

/// Moves the focus to an element of the page.
pub(crate) fn focus(selector: &str) {
    with_element(selector, |element| {
        let _ = element.focus();
    });
}

/// Moves the focus to an element of the page, unless another has it.
pub(crate) fn focus_unless_busy(selector: &str) {
    #[cfg(target_arch = "wasm32")]
    if document().active_element().is_none_or(|active| active.tag_name() == "BODY") {
        focus(selector);
    }
    #[cfg(not(target_arch = "wasm32"))]
    let _ = selector;
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
