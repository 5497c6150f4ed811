//! The command palette: instruments, screens and commands by a few letters.
//!
//! A combobox over one list. A row matches if it has the letters in their order;
//! it ranks by how early and how close they stand.

use engine::id::InstrumentId;
use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;

use super::dialog::Modal;
use super::table::{COMMANDS, UserCommand};
use super::{CommandRegistry, Dialog, scroll_to};
use crate::format::kind_words;
use crate::live::Live;

/// Effect of choosing a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Select(InstrumentId),
    Perform(UserCommand),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct PaletteRow {
    name: String,
    note: String,
    /// More words by which it is found.
    kind: &'static str,
    target: Target,
}

#[component]
pub(super) fn Palette(
    live: Live,
    registry: CommandRegistry,
    perform: Callback<UserCommand>,
) -> impl IntoView {
    view! {
        <Modal registry which=Dialog::Palette title="Command palette" testid="palette">
            <Search live registry perform />
        </Modal>
    }
}

#[component]
fn Search(live: Live, registry: CommandRegistry, perform: Callback<UserCommand>) -> impl IntoView {
    let query = RwSignal::new(String::new());
    let at = RwSignal::new(0_usize);
    let found = Memo::new(move |_| query.with(|query| find(live, query)));
    let field = NodeRef::<html::Input>::new();
    Effect::new(move || {
        if let Some(field) = field.get() {
            let _ = field.focus();
        }
    });
    let run = move |target: Target| {
        registry.dialog.set(None);
        match target {
            Target::Select(id) => live.select(id),
            Target::Perform(command) => perform.run(command),
        }
    };
    let key = move |event: KeyboardEvent| {
        let count = found.with(Vec::len).max(1);
        match event.key().as_str() {
            "ArrowDown" => at.update(|at| *at = (*at + 1) % count),
            "ArrowUp" => at.update(|at| *at = (*at + count - 1) % count),
            "Enter" => {
                if let Some(row) = found.with(|rows| rows.get(at.get_untracked()).cloned()) {
                    run(row.target);
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    // The active row is in view.
    Effect::new(move || scroll_to(&format!("#palette-{}", at.get())));
    let row = move |(index, row): (usize, PaletteRow)| {
        view! {
            <li
                role="option"
                id=format!("palette-{index}")
                aria-selected=move || (at.get() == index).to_string()
                data-testid="palette-row"
                on:click=move |_| run(row.target)
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
        <ul id="palette-list" role="listbox" aria-label="Results">
            {move || found.get().into_iter().enumerate().map(row).collect_view()}
        </ul>
        <Show when=move || found.with(Vec::is_empty)>
            <p class="empty">"No match."</p>
        </Show>
    }
}

/// Rows that match `query`, best first.
fn find(live: Live, query: &str) -> Vec<PaletteRow> {
    let instruments = live.listed().into_iter().map(|instrument| PaletteRow {
        name: instrument.symbol,
        note: instrument.name,
        kind: kind_words(instrument.terms.kind()),
        target: Target::Select(instrument.id),
    });
    let commands =
        COMMANDS.iter().filter(|entry| entry.command != UserCommand::Palette).map(|entry| PaletteRow {
            name: entry.name.to_owned(),
            note: entry.key.unwrap_or_default().to_owned(),
            kind: "",
            target: Target::Perform(entry.command),
        });
    let mut ranked: Vec<(usize, PaletteRow)> = commands
        .chain(instruments)
        .filter_map(|row| {
            let by_name = rank(query, &row.name);
            // A matching note ranks below a matching name.
            let by_note = [row.note.as_str(), row.kind].map(|text| rank(query, text).map(|rank| rank + 100));
            Some((by_name.into_iter().chain(by_note.into_iter().flatten()).min()?, row))
        })
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, row)| row).collect()
}

/// Rank of `text`, lowest best: the index of the first letter plus the distance
/// to the last; `None` if the letters are not all there in their order.
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
