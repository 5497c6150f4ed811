//! Preferences: colours, density, time zone, single keys.
//!
//! Changes wishes; what follows from them is the style sheet's and the
//! screens' business.

use leptos::prelude::*;

use super::dialog::Modal;
use super::{Desk, Open};
use crate::live::Live;
use crate::prefs::{Scheme, local_zone_minutes};

#[component]
pub(super) fn PreferencesDialog(live: Live, desk: Desk) -> impl IntoView {
    view! {
        <Modal desk which=Open::Preferences title="Preferences" testid="preferences">
            <Fields live />
        </Modal>
    }
    .into_any()
}

#[component]
fn Fields(live: Live) -> impl IntoView {
    let prefs = live.prefs;
    let scheme = move |event| {
        let chosen = event_target_value(&event);
        if let Some(scheme) = Scheme::ALL.into_iter().find(|one| one.key() == chosen) {
            prefs.change(|prefs| prefs.scheme = scheme);
        }
    };
    let zone = move |event| {
        let local = event_target_value(&event) == "local";
        prefs.change(|prefs| prefs.zone_minutes = if local { local_zone_minutes() } else { 0 });
    };
    let density = move |event| {
        let compact = event_target_value(&event) == "compact";
        prefs.change(|prefs| prefs.compact = compact);
    };
    let option = |value: &'static str, word: &'static str| view! { <option value=value>{word}</option> };
    view! {
        <h2>"Preferences"</h2>
        <div class="field">
            <label for="pref-scheme">"Up and down"</label>
            <select
                id="pref-scheme"
                data-testid="pref-scheme"
                prop:value=move || prefs.get().scheme.key()
                on:change=scheme
            >
                {Scheme::ALL.map(|one| option(one.key(), one.word())).map(IntoAny::into_any).collect_view()}
            </select>
        </div>
        <div class="field">
            <label for="pref-zone">"Time zone"</label>
            <select
                id="pref-zone"
                data-testid="pref-zone"
                prop:value=move || if prefs.get().zone_minutes == 0 { "utc" } else { "local" }
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
                prop:value=move || prefs.get().density()
                on:change=density
            >
                {option("default", "Default")}
                {option("compact", "Compact")}
            </select>
        </div>
        <label class="check">
            <input
                type="checkbox"
                prop:checked=move || prefs.get().keys
                data-testid="pref-keys"
                on:change=move |event| {
                    let on = event_target_checked(&event);
                    prefs.change(|prefs| prefs.keys = on);
                }
            />
            "Single keys do something"
        </label>
        <p>
            <a href="/account" rel="external">
                "Where you are signed in"
            </a>
        </p>
    }
    .into_any()
}
