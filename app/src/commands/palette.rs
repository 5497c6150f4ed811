//! The command palette: instruments, screens and actions by a few letters.
//!
//! A combobox over one list; finds by letters in their order, ranks by how
//! early and how close they stand.

use engine::id::InstrumentId;
use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;

use super::commands::{Action, COMMANDS};
use super::dialog::Modal;
use super::{Desk, Open};
use crate::components::Show;
use crate::live::Live;
use crate::reactive::{RwSignal, effect, memo};

/// Rows that are shown.
const ROWS: usize = 12;

/// What a row does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Choose(InstrumentId),
    Perform(Action),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    name: String,
    note: String,
    does: Does,
}

#[component]
pub(super) fn Palette(live: Live, desk: Desk, perform: Callback<Action>) -> impl IntoView {
    view! {
        <Modal desk which=Open::Palette title="Command palette" testid="palette">
            <Search live desk perform />
        </Modal>
    }
    .into_any()
}

#[component]
fn Search(live: Live, desk: Desk, perform: Callback<Action>) -> impl IntoView {
    let query = RwSignal::new(String::new());
    let at = RwSignal::new(0_usize);
    let found = memo(move || query.with(|query| find(live, query)));
    let field = NodeRef::<html::Input>::new();
    effect(move || {
        if let Some(field) = field.get() {
            let _ = field.focus();
        }
    });
    let run = move |does: Does| {
        desk.open.set(None);
        match does {
            Does::Choose(id) => {
                live.selected.set(id);
                perform.run(Action::Trade);
            }
            Does::Perform(action) => perform.run(action),
        }
    };
    let key = move |event: KeyboardEvent| {
        let count = found.with(Vec::len).max(1);
        match event.key().as_str() {
            "ArrowDown" => at.update(|at| *at = (*at + 1) % count),
            "ArrowUp" => at.update(|at| *at = (*at + count - 1) % count),
            "Enter" => {
                if let Some(row) = found.with(|rows| rows.get(at.get_untracked()).cloned()) {
                    run(row.does);
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    let row = move |(index, row): (usize, Found)| {
        view! {
            <li
                role="option"
                id=format!("palette-{index}")
                aria-selected=move || (at.get() == index).to_string()
                data-testid="palette-row"
                on:click=move |_| run(row.does)
            >
                <span>{row.name}</span>
                <span class="muted">{row.note}</span>
            </li>
        }
    };
    view! {
        <input
            node_ref=field
            type="text"
            role="combobox"
            aria-label="Instrument, screen or action"
            aria-expanded="true"
            aria-controls="palette-list"
            aria-autocomplete="list"
            aria-activedescendant=move || format!("palette-{}", at.get())
            placeholder="Instrument, screen or action"
            autocomplete="off"
            data-testid="palette-input"
            on:input=move |event| {
                query.set(event_target_value(&event));
                at.set(0);
            }
            on:keydown=key
        />
        <ul id="palette-list" role="listbox" aria-label="What was found">
            {move || found.get().into_iter().enumerate().map(row).map(IntoAny::into_any).collect_view()}
        </ul>
        <Show when=move || found.with(Vec::is_empty)>
            <p class="empty">"Nothing has such a name."</p>
        </Show>
    }
    .into_any()
}

/// What `query` may mean, best first.
fn find(live: Live, query: &str) -> Vec<Found> {
    let instruments = live.listed().into_iter().map(|instrument| Found {
        name: instrument.symbol,
        note: instrument.name,
        does: Does::Choose(instrument.id),
    });
    let commands = COMMANDS.iter().filter(|command| command.action != Action::Palette).map(|command| Found {
        name: command.name.to_owned(),
        note: command.key.unwrap_or_default().to_owned(),
        does: Does::Perform(command.action),
    });
    let mut ranked: Vec<(usize, Found)> = commands
        .chain(instruments)
        .filter_map(|row| {
            let by_name = rank(query, &row.name);
            // A note that fits is worth less than a name that does.
            let by_note = rank(query, &row.note).map(|rank| rank + 100);
            Some((by_name.into_iter().chain(by_note).min()?, row))
        })
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().take(ROWS).map(|(_, row)| row).collect()
}

/// How well `text` fits: the place of the first letter and the gaps between
/// all of them; `None` where they are not all there in their order.
fn rank(query: &str, text: &str) -> Option<usize> {
    let text = text.to_ascii_lowercase();
    let mut letters = text.chars().enumerate();
    let mut first = None;
    let mut last = 0;
    for wanted in query.to_ascii_lowercase().chars().filter(|c| !c.is_whitespace()) {
        let (place, _) = letters.find(|(_, letter)| *letter == wanted)?;
        first.get_or_insert(place);
        last = place;
    }
    Some(first.map_or(0, |first| first + (last - first)))
}

#[cfg(test)]
mod tests {
    use super::rank;

    #[test]
    fn letters_count_in_their_order() {
        assert_eq!(rank("", "ACME"), Some(0));
        assert_eq!(rank("acme", "ACME"), Some(3)); // nothing between them
        assert_eq!(rank("ae", "ACME"), Some(3));
        assert_eq!(rank("ea", "ACME"), None);
        assert_eq!(rank("gov 36", "GOV-4.5-2036"), Some(11));
        assert!(rank("buy", "Ticket: buy") > rank("buy", "Buy"));
    }
}
