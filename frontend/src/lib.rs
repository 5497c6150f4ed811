//! The entry of the browser bundle: wakes up what the server rendered.

/// Called by the page's script once the module has loaded.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        app::report::panicked(info);
    }));
    app::report::listen();
    leptos::mount::hydrate_body(app::App);
}
