//! The sheet of all keys, made from the one table of commands.
//!
//! Shows; does nothing.

use leptos::prelude::*;

use super::commands::{COMMANDS, PLACES};
use super::dialog::Modal;
use super::{Desk, Open};
use crate::live::Live;

#[component]
pub(super) fn Sheet(live: Live, desk: Desk) -> impl IntoView {
    let row = |key: &'static str, name: &'static str| {
        view! {
            <tr>
                <th scope="row">
                    <kbd>{key}</kbd>
                </th>
                <td>{name}</td>
            </tr>
        }
    };
    let single = move || {
        COMMANDS
            .iter()
            .filter_map(|command| Some(row(command.key?, command.name)))
            .map(IntoAny::into_any)
            .collect_view()
    };
    let places = move || PLACES.map(|(key, name)| row(key, name)).map(IntoAny::into_any).collect_view();
    view! {
        <Modal desk which=Open::Keys title="All keys" testid="keys">
            <h2>"All keys"</h2>
            <table>
                <tbody>{single()} {places()}</tbody>
            </table>
            <label class="check">
                <input
                    type="checkbox"
                    prop:checked=move || live.prefs.get().keys
                    data-testid="single-keys"
                    on:change=move |event| {
                        let on = event_target_checked(&event);
                        live.prefs.change(|prefs| prefs.keys = on);
                    }
                />
                "Single keys do something"
            </label>
        </Modal>
    }
    .into_any()
}
