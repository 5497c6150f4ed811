//! `Show` and `For` as Leptos has them, compiled once: what they are given is
//! put behind a pointer, so that no use of them is a type of its own, which is
//! most of what theirs cost a browser to download.
//!
//! Know nothing of what they show.

use std::hash::Hash;
use std::sync::Arc;

use crate::reactive::{Signal, memo};
use leptos::control_flow;
use leptos::prelude::*;
use leptos::tachys::view::keyed::SerializableKey;

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
    K: Eq + Hash + SerializableKey + 'static,
{
    rows(Box::new(each), Arc::new(key), Arc::new(move |item| children(item).into_any()))
}

fn rows<T, K>(
    each: Box<dyn Fn() -> Vec<T> + Send>,
    key: Arc<dyn Fn(&T) -> K + Send + Sync>,
    row: Arc<dyn Fn(T) -> AnyView + Send + Sync>,
) -> AnyView
where
    T: Send + 'static,
    K: Eq + Hash + SerializableKey + 'static,
{
    control_flow::For(control_flow::ForProps {
        each,
        key: move |item: &T| key(item),
        children: move |item| row(item),
    })
    .into_any()
}
