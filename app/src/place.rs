//! Which page is shown, and how one gets to another without loading it anew.
//!
//! Knows addresses alone; what stands at them is `App`'s business.

use leptos::ev::{self, MouseEvent};
use leptos::prelude::*;

use crate::reactive::RwSignal;

/// The path of the page that is shown. A handle.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    path: RwSignal<String>,
}

impl Place {
    /// What was asked for; follows the browser's Back and Forward.
    pub(crate) fn new() -> Self {
        let place = Self { path: RwSignal::new(address::path()) };
        let moved = window_event_listener(ev::popstate, move |_| place.show(address::path()));
        on_cleanup(move || moved.remove());
        place
    }

    /// Reads the path, without a slash at its end, and follows it.
    pub(crate) fn with<U>(self, look: impl FnOnce(&str) -> U) -> U {
        self.path.with(|path| look(plain(path)))
    }

    /// Shows the page at `path`; Back returns to this one.
    pub(crate) fn go(self, path: &str) {
        if self.path.with_untracked(|here| here != path) {
            address::push(path);
            self.show(path.to_owned());
        }
    }

    /// Goes where a link leads, unless the click asks for a window of its own.
    pub(crate) fn follow(self, click: &MouseEvent, path: &str) {
        let aside = click.meta_key() || click.ctrl_key() || click.alt_key() || click.shift_key();
        if click.button() == 0 && !aside {
            click.prevent_default();
            self.go(path);
        }
    }

    /// A place within the page that is shown is no other page.
    fn show(self, path: String) {
        if self.path.with_untracked(|here| *here != path) {
            self.path.set(path);
        }
    }
}

/// A path without a slash at its end.
pub(crate) fn plain(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => "/",
        path => path,
    }
}

/// What the address says of `name` behind its question mark.
pub(crate) fn query(name: &str) -> Option<String> {
    address::query(name)
}

#[cfg(target_arch = "wasm32")]
mod address {
    use leptos::prelude::window;
    use wasm_bindgen::JsValue;
    use web_sys::UrlSearchParams;

    pub(super) fn path() -> String {
        window().location().pathname().unwrap_or_default()
    }

    pub(super) fn query(name: &str) -> Option<String> {
        let search = window().location().search().ok()?;
        UrlSearchParams::new_with_str(&search).ok()?.get(name)
    }

    /// A new page begins at its top.
    pub(super) fn push(path: &str) {
        if let Ok(history) = window().history() {
            let _ = history.push_state_with_url(&JsValue::NULL, "", Some(path));
        }
        window().scroll_to_with_x_and_y(0.0, 0.0);
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod address {
    #[cfg(feature = "ssr")]
    fn uri() -> Option<http::Uri> {
        leptos::prelude::use_context::<http::request::Parts>().map(|parts| parts.uri)
    }

    #[cfg(feature = "ssr")]
    pub(super) fn path() -> String {
        uri().map(|uri| uri.path().to_owned()).unwrap_or_default()
    }

    #[cfg(feature = "ssr")]
    pub(super) fn query(name: &str) -> Option<String> {
        let uri = uri()?;
        let mut pairs = form_urlencoded::parse(uri.query()?.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    #[cfg(not(feature = "ssr"))]
    pub(super) fn path() -> String {
        String::new()
    }

    #[cfg(not(feature = "ssr"))]
    pub(super) fn query(_: &str) -> Option<String> {
        None
    }

    pub(super) fn push(_: &str) {}
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_slash_at_the_end_says_nothing() {
        assert_eq!(plain(""), "/");
        assert_eq!(plain("/"), "/");
        assert_eq!(plain("/portfolio"), "/portfolio");
        assert_eq!(plain("/portfolio/"), "/portfolio");
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn the_server_reads_the_request() {
        use leptos::prelude::{Owner, provide_context};

        Owner::new().with(|| {
            let request = http::Request::get("/login?error=a+b&next=%2Fportfolio").body(());
            provide_context(request.unwrap().into_parts().0);
            assert_eq!(super::address::path(), "/login");
            assert_eq!(super::query("error").as_deref(), Some("a b"));
            assert_eq!(super::query("next").as_deref(), Some("/portfolio"));
            assert_eq!(super::query("email"), None);
        });
    }
}
