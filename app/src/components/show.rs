//! `Show` and `For` as Leptos has them, compiled once: what they are given is
//! put behind a pointer, so that no use of them is a type of its own, which is
//! most of what theirs cost a browser to download.
//!
//! Know nothing of what they show.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::reactive::{Signal, memo};
use leptos::control_flow;
use leptos::prelude::*;

/// Shows the children while `when` holds, else the fallback.
#[component]
pub fn Show(
    /// Whether the children are shown.
    #[prop(into)]
    when: Signal<bool>,
    children: ChildrenFn,
    /// What is shown in their place; nothing where it is left out.
    #[prop(optional, into)]
    fallback: ViewFn,
) -> impl IntoView {
    let when = memo(move || when.get());
    view! { {move || if when.get() { children() } else { fallback.run() }} }.into_any()
}

/// One row an item, kept for as long as an item with its key is there.
#[component]
pub fn For<T, K, Each, Key, Row, V>(
    /// The items.
    each: Each,
    /// What tells one from another.
    key: Key,
    /// An item's row.
    children: Row,
) -> impl IntoView
where
    Each: Fn() -> Vec<T> + Send + 'static,
    Key: Fn(&T) -> K + Send + Sync + 'static,
    Row: Fn(T) -> V + Send + Sync + 'static,
    V: IntoView + 'static,
    T: Send + 'static,
    K: Hash,
{
    let children = Arc::new(children);
    rows(Box::new(move || {
        let line = |item: T| {
            let name = Name::of(&key(&item));
            let children = Arc::clone(&children);
            Line { name, row: Box::new(move || children(item).into_any()) }
        };
        each().into_iter().map(line).collect()
    }))
}

/// An item of any type, and what makes its row.
struct Line {
    name: Name,
    row: Box<dyn FnOnce() -> AnyView + Send>,
}

fn rows(each: Box<dyn Fn() -> Vec<Line> + Send>) -> AnyView {
    control_flow::For(control_flow::ForProps {
        each,
        key: |line: &Line| line.name.clone(),
        children: |line: Line| (line.row)(),
    })
    .into_any()
}

/// What a key of any type would be hashed from: equal for equal keys alone.
#[derive(Clone, Default, Debug, PartialEq, Eq, Hash)]
struct Name(Vec<u8>);

impl Name {
    fn of(key: &impl Hash) -> Self {
        let mut name = Self::default();
        key.hash(&mut name);
        name
    }
}

impl Hasher for Name {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn only_equal_keys_have_equal_names() {
        assert_eq!(Name::of(&(1_u64, 2_usize)), Name::of(&(1_u64, 2_usize)));
        assert_ne!(Name::of(&(1_u64, 2_usize)), Name::of(&(2_u64, 1_usize)));
        assert_ne!(Name::of(&("ab", "c")), Name::of(&("a", "bc")));
        assert_ne!(Name::of(&None::<u8>), Name::of(&Some(0_u8)));
    }
}
