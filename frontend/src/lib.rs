//! Entry of the browser bundle: hydrates the page that the server rendered.

/// Called by the page's script once the module is loaded.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        app::report::panicked(info);
    }));
    app::report::listen();
    leptos::mount::hydrate_lazy(app::App);
}
