//! What goes wrong in a browser, told to the server's log.
//!
//! A line leaves as a beacon, which outlives the page and needs no answer; a
//! page sends few, whatever happens to it. On the server nothing is sent. Does
//! not know who reads the log.

/// The page goes on without something that it should have.
pub fn warn(event: &'static str, message: &str) {
    leptos::logging::warn!("{event}: {message}");
    browser::send("warn", event, message, "");
}

/// The page is dead: something panicked.
pub fn panicked(info: &std::panic::PanicHookInfo<'_>) {
    browser::panicked(&info.to_string());
}

/// From now on errors of scripts are told too.
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

    /// Lines that one page sends.
    const MOST: u32 = 10;

    /// Characters that the server takes of a message, a path and details.
    const MESSAGE: usize = 1_000;
    const PAGE: usize = 200;
    const DETAILS: usize = 8_000;

    thread_local! {
        static SENT: Cell<u32> = const { Cell::new(0) };
        static DEAD: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn panicked(message: &str) {
        // The trap that follows is this panic once more.
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
        // They are wanted for as long as the page lives.
        failed.forget();
        refused.forget();
    }

    pub(super) fn send(level: &str, event: &str, message: &str, details: &str) {
        if SENT.replace(SENT.get() + 1) >= MOST {
            return;
        }
        let path = window().location().pathname().unwrap_or_default();
        let line = js_sys::Object::new();
        for (name, value, most) in [
            ("level", level, MESSAGE),
            ("event", event, MESSAGE),
            ("message", message, MESSAGE),
            ("page", path.as_str(), PAGE),
            ("details", details, DETAILS),
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

    /// What a thing calls its `name`, if that is a text.
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
