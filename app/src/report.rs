//! Reports of errors in the browser to the server's log.
//!
//! Sent as beacons, which outlive the page and need no answer; a page sends few.
//! The server sends none.

/// Reports an error that the page survives.
pub fn warn(event: &'static str, message: &str) {
    leptos::logging::warn!("{event}: {message}");
    browser::send("warn", event, message, "");
}

/// Reports a panic: the page is dead.
pub fn panicked(info: &std::panic::PanicHookInfo<'_>) {
    browser::panicked(&info.to_string());
}

/// Reports errors of scripts from now on.
pub fn listen() {
    browser::listen();
}

#[cfg(target_arch = "wasm32")]
mod browser {
    use std::cell::Cell;

    use leptos::prelude::window;
    use wasm_bindgen::JsCast;
    use wasm_bindgen::prelude::{Closure, JsValue};
    use web_sys::{Blob, BlobPropertyBag, ErrorEvent, PromiseRejectionEvent};

    /// Reports of one page at most.
    const MAX_REPORTS: u32 = 10;

    /// Characters that the server accepts of a message, a path and details.
    const MESSAGE_MAX_CHARS: usize = 1_000;
    const PAGE_MAX_CHARS: usize = 200;
    const DETAILS_MAX_CHARS: usize = 8_000;

    thread_local! {
        static SENT: Cell<u32> = const { Cell::new(0) };
        static DEAD: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn panicked(message: &str) {
        // The error event that follows reports this panic again.
        DEAD.set(true);
        send("error", "page_panicked", message, &text(&js_sys::Error::new(""), "stack"));
    }

    pub(super) fn listen() {
        let failed = Closure::<dyn FnMut(_)>::new(|event: ErrorEvent| {
            if !DEAD.get() {
                send("error", "script_failed", &event.message(), &text(&event.error(), "stack"));
            }
        });
        let refused = Closure::<dyn FnMut(_)>::new(|event: PromiseRejectionEvent| {
            if !DEAD.get() {
                let reason = event.reason();
                let message = reason.as_string().unwrap_or_else(|| text(&reason, "message"));
                send("error", "promise_failed", &message, &text(&reason, "stack"));
            }
        });
        for (name, heard) in [("error", failed.as_ref()), ("unhandledrejection", refused.as_ref())] {
            let _ = window().add_event_listener_with_callback(name, heard.unchecked_ref());
        }
        // They live as long as the page.
        failed.forget();
        refused.forget();
    }

    pub(super) fn send(level: &str, event: &str, message: &str, details: &str) {
        if SENT.replace(SENT.get() + 1) >= MAX_REPORTS {
            return;
        }
        let path = window().location().pathname().unwrap_or_default();
        let line = js_sys::Object::new();
        for (name, value, most) in [
            ("level", level, MESSAGE_MAX_CHARS),
            ("event", event, MESSAGE_MAX_CHARS),
            ("message", message, MESSAGE_MAX_CHARS),
            ("page", path.as_str(), PAGE_MAX_CHARS),
            ("details", details, DETAILS_MAX_CHARS),
        ] {
            let value: String = value.chars().take(most).collect();
            let _ = js_sys::Reflect::set(&line, &name.into(), &value.into());
        }
        let Ok(text) = js_sys::JSON::stringify(&line) else { return };
        let kind = BlobPropertyBag::new();
        kind.set_type("application/json");
        let parts = js_sys::Array::of1(&text);
        if let Ok(blob) = Blob::new_with_str_sequence_and_options(&parts, &kind) {
            let _ = window().navigator().send_beacon_with_opt_blob("/api/v1/logs", Some(&blob));
        }
    }

    /// The string property `name` of a value, else empty.
    fn text(thing: &JsValue, name: &str) -> String {
        let found = js_sys::Reflect::get(thing, &name.into()).ok();
        found.and_then(|value| value.as_string()).unwrap_or_default()
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod browser {
    pub(super) fn panicked(_: &str) {}

    pub(super) fn listen() {}

    pub(super) fn send(_: &str, _: &str, _: &str, _: &str) {}
}
