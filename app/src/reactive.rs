//! `Memo` and `Effect` as Leptos has them, compiled once for each type of
//! value: the closure goes behind a pointer, and its machinery is not
//! downloaded again for every use.
//!
//! Does not know what is derived.

use leptos::prelude::*;

/// A value derived from signals, which tells when it changed.
pub(crate) fn memo<T>(of: impl Fn() -> T + Send + Sync + 'static) -> Memo<T>
where
    T: PartialEq + Send + Sync + 'static,
{
    boxed(Box::new(of))
}

fn boxed<T>(of: Box<dyn Fn() -> T + Send + Sync>) -> Memo<T>
where
    T: PartialEq + Send + Sync + 'static,
{
    Memo::new(move |_| of())
}

/// Runs in the browser, at first and whenever a signal that it reads changed.
pub(crate) fn effect(run: impl FnMut() + 'static) {
    start(Box::new(run));
}

fn start(mut run: Box<dyn FnMut()>) {
    Effect::new(move |_| run());
}
