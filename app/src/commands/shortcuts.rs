//! The list of all shortcuts, made from the table of commands.

use leptos::prelude::*;

use super::dialog::Modal;
use super::table::{COMMANDS, FOCUS_KEYS};
use super::{CommandRegistry, Dialog};
use crate::live::Live;

#[component]
pub(super) fn Shortcuts(live: Live, registry: CommandRegistry) -> impl IntoView {
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
    let single = move || COMMANDS.iter().filter_map(|entry| Some(row(entry.key?, entry.name))).collect_view();
    let by_focus = move || FOCUS_KEYS.map(|(key, name)| row(key, name)).collect_view();
    view! {
        <Modal registry which=Dialog::Shortcuts title="Keyboard shortcuts" testid="keys">
            <h2>"Keyboard shortcuts"</h2>
            <table>
                <tbody>{single()} {by_focus()}</tbody>
            </table>
            <label class="check">
                <input
                    type="checkbox"
                    prop:checked=move || live.preferences.get().keys
                    data-testid="single-keys"
                    on:change=move |event| {
                        let on = event_target_checked(&event);
                        live.preferences.change(|preferences| preferences.keys = on);
                    }
                />
                "Single-key shortcuts"
            </label>
        </Modal>
    }
}
