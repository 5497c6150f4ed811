//! The preferences dialog: theme, colours, density, time zone, single keys.
//!
//! Sets values; the style sheet and the screens apply them.

use leptos::prelude::*;

use super::dialog::Modal;
use super::{CommandRegistry, Dialog};
use crate::live::Live;
use crate::preferences::{Scheme, local_zone_minutes};
use crate::theme::Theme;

#[component]
pub(super) fn PreferencesDialog(live: Live, registry: CommandRegistry) -> impl IntoView {
    view! {
        <Modal registry which=Dialog::Preferences title="Preferences" testid="preferences">
            <Fields live />
        </Modal>
    }
}

#[component]
fn Fields(live: Live) -> impl IntoView {
    let preferences = live.preferences;
    let theme = move |event| {
        let chosen = event_target_value(&event);
        if let Some(theme) = Theme::ALL.into_iter().find(|one| one.key() == chosen) {
            preferences.change(|values| values.theme = theme);
        }
    };
    let scheme = move |event| {
        let chosen = event_target_value(&event);
        if let Some(scheme) = Scheme::ALL.into_iter().find(|one| one.key() == chosen) {
            preferences.change(|values| values.scheme = scheme);
        }
    };
    let zone = move |event| {
        let local = event_target_value(&event) == "local";
        preferences.change(|values| values.zone_minutes = if local { local_zone_minutes() } else { 0 });
    };
    let density = move |event| {
        let compact = event_target_value(&event) == "compact";
        preferences.change(|values| values.compact = compact);
    };
    let option = |value: &'static str, word: &'static str| view! { <option value=value>{word}</option> };
    view! {
        <h2>"Preferences"</h2>
        <div class="field">
            <label for="pref-theme">"Theme"</label>
            <select
                id="pref-theme"
                data-testid="pref-theme"
                prop:value=move || preferences.get().theme.key()
                on:change=theme
            >
                {Theme::ALL.map(|one| option(one.key(), one.word())).collect_view()}
            </select>
        </div>
        <div class="field">
            <label for="pref-scheme">"Up and down"</label>
            <select
                id="pref-scheme"
                data-testid="pref-scheme"
                prop:value=move || preferences.get().scheme.key()
                on:change=scheme
            >
                {Scheme::ALL.map(|one| option(one.key(), one.word())).collect_view()}
            </select>
        </div>
        <div class="field">
            <label for="pref-zone">"Time zone"</label>
            <select
                id="pref-zone"
                data-testid="pref-zone"
                prop:value=move || if preferences.get().zone_minutes == 0 { "utc" } else { "local" }
                on:change=zone
            >
                {option("utc", "UTC")}
                {option("local", "This computer's")}
            </select>
        </div>
        <div class="field">
            <label for="pref-density">"Density"</label>
            <select
                id="pref-density"
                data-testid="pref-density"
                prop:value=move || preferences.get().density()
                on:change=density
            >
                {option("default", "Default")}
                {option("compact", "Compact")}
            </select>
        </div>
        <label class="check">
            <input
                type="checkbox"
                prop:checked=move || preferences.get().keys
                data-testid="pref-keys"
                on:change=move |event| {
                    let on = event_target_checked(&event);
                    preferences.change(|values| values.keys = on);
                }
            />
            "Single-key shortcuts"
        </label>
        <p>
            <a href="/account" rel="external">
                "Account"
            </a>
        </p>
    }
}
