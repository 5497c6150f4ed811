//! A figure with the direction of its last change: an arrow always, and a short
//! flash at most twice a second.
//!
//! Does not know what the figure means.

use leptos::prelude::*;

use crate::format::ABSENT;

/// Time between two flashes of a cell at least, in milliseconds.
const FLASH_INTERVAL_MS: f64 = 500.0;

/// A figure and its last change.
#[derive(Clone, PartialEq)]
struct Tracked<T> {
    value: Option<T>,
    rising: Option<bool>,
    flashes: u32,
    flashed_at: f64,
}

/// A figure with its arrow.
#[component]
pub fn PriceCell<T, F>(
    /// Compared with the value before.
    #[prop(into)]
    value: Signal<Option<T>>,
    /// Displayed.
    format: F,
    /// Test id.
    #[prop(into)]
    testid: String,
) -> impl IntoView
where
    T: Copy + PartialEq + PartialOrd + Send + Sync + 'static,
    F: Fn(T) -> String + Copy + Send + Sync + 'static,
{
    let tracked = Memo::new(move |before: Option<&Tracked<T>>| {
        let value = value.get();
        let Some(before) = before else {
            return Tracked { value, rising: None, flashes: 0, flashed_at: 0.0 };
        };
        let mut next = Tracked { value, ..before.clone() };
        if let (Some(old), Some(new)) = (before.value, value)
            && old != new
        {
            next.rising = Some(new > old);
            let now = crate::live::now_ms();
            if now - next.flashed_at >= FLASH_INTERVAL_MS {
                next.flashes += 1;
                next.flashed_at = now;
            }
        }
        next
    });
    let flash = move || {
        tracked.with(|tracked| match (tracked.flashes, tracked.rising) {
            (0, _) | (_, None) => None,
            (n, Some(true)) => Some(if n % 2 == 0 { "up-a" } else { "up-b" }),
            (n, Some(false)) => Some(if n % 2 == 0 { "down-a" } else { "down-b" }),
        })
    };
    let arrow = move || {
        tracked.with(|tracked| match tracked.rising {
            None => "",
            Some(true) => "▲",
            Some(false) => "▼",
        })
    };
    let arrow_class = move || {
        tracked.with(|tracked| match tracked.rising {
            None => "arrow",
            Some(true) => "arrow up",
            Some(false) => "arrow down",
        })
    };
    view! {
        <span class=arrow_class aria-hidden="true">
            {arrow}
        </span>
        <span class="moved" data-flash=flash data-testid=testid>
            {move || tracked.with(|tracked| tracked.value).map_or_else(|| ABSENT.to_owned(), format)}
        </span>
    }
}
