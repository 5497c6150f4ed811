//! A figure that shows which way it last moved: an arrow always, and a short
//! flash at most twice a second.
//!
//! Does not know what the figure means.

use leptos::prelude::*;

use super::format::ABSENT;
use crate::reactive::{Memo, Signal};

/// Shortest time between two flashes of a cell, in milliseconds.
const QUIET_MS: f64 = 500.0;

/// Where a figure stands and how it got there.
#[derive(Clone, PartialEq)]
struct Trace<T> {
    value: Option<T>,
    rising: Option<bool>,
    flashes: u32,
    flashed_at: f64,
}

/// A figure with its arrow. `value` is compared, `show` is displayed.
#[component]
pub fn Moved<T, F>(
    /// The figure.
    #[prop(into)]
    value: Signal<Option<T>>,
    /// How it reads.
    show: F,
    /// Name by which tests find it.
    #[prop(into)]
    testid: String,
) -> impl IntoView
where
    T: Copy + PartialEq + PartialOrd + Send + Sync + 'static,
    F: Fn(T) -> String + Copy + Send + Sync + 'static,
{
    let trace = Memo::new(move |before: Option<&Trace<T>>| {
        let value = value.get();
        let Some(before) = before else {
            return Trace { value, rising: None, flashes: 0, flashed_at: 0.0 };
        };
        let mut trace = Trace { value, ..before.clone() };
        if let (Some(old), Some(new)) = (before.value, value)
            && old != new
        {
            trace.rising = Some(new > old);
            let now = crate::live::now_ms();
            if now - trace.flashed_at >= QUIET_MS {
                trace.flashes += 1;
                trace.flashed_at = now;
            }
        }
        trace
    });
    let flash = move || {
        trace.with(|trace| match (trace.flashes, trace.rising) {
            (0, _) | (_, None) => None,
            (n, Some(true)) => Some(if n % 2 == 0 { "up-a" } else { "up-b" }),
            (n, Some(false)) => Some(if n % 2 == 0 { "down-a" } else { "down-b" }),
        })
    };
    let arrow = move || {
        trace.with(|trace| match trace.rising {
            None => "",
            Some(true) => "▲",
            Some(false) => "▼",
        })
    };
    let direction = move || {
        trace.with(|trace| match trace.rising {
            None => "arrow",
            Some(true) => "arrow up",
            Some(false) => "arrow down",
        })
    };
    view! {
        <span class=move || direction() aria-hidden="true">
            {move || arrow()}
        </span>
        <span class="moved" data-flash=move || flash() data-testid=testid>
            {move || trace.with(|trace| trace.value).map_or_else(|| ABSENT.to_owned(), show)}
        </span>
    }
}
