//! How a user wants the terminal to look: colours for up and down, density,
//! time zone, single keys, the market watch's columns.
//!
//! CandleHistory in one cookie that the server reads too, so that the first paint is
//! right already. Knows no account: it is the browser's.

use engine::time::VenueTime;
use leptos::prelude::*;

use crate::components::format;
use crate::reactive::RwSignal;

/// Name of the cookie.
const COOKIE: &str = "tickhall_view";

/// Columns of the market watch that are shown at first.
const FIRST_COLUMNS: u16 = 0b1000_0111;

/// Which colours mean up and down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// Green is up.
    #[default]
    Green,
    /// Red is up.
    Red,
    /// Blue is up, orange is down: for the colour-blind.
    Blue,
}

impl Scheme {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Green, Self::Red, Self::Blue];

    /// The value of `data-dir`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Red => "red",
            Self::Blue => "cb",
        }
    }

    /// For people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Green => "Green up, red down",
            Self::Red => "Red up, green down",
            Self::Blue => "Blue up, orange down",
        }
    }
}

/// A user's wishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefs {
    /// Colours.
    pub scheme: Scheme,
    /// Lower rows.
    pub compact: bool,
    /// Minutes that are added to UTC; zero is UTC itself.
    pub zone_minutes: i32,
    /// Whether single keys do something.
    pub keys: bool,
    /// A bit for each column of the market watch.
    pub columns: u16,
}

impl Default for Prefs {
    fn default() -> Self {
        Self { scheme: Scheme::Green, compact: false, zone_minutes: 0, keys: true, columns: FIRST_COLUMNS }
    }
}

impl Prefs {
    /// Reads what [`Prefs::written`] wrote; what it cannot read is as if unset.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let scheme = parts.next()?;
        let flag = |text: Option<&str>| Some(text? == "1");
        let compact = flag(parts.next())?;
        let zone: i32 = parts.next()?.parse().ok()?;
        let keys = flag(parts.next())?;
        let columns = parts.next()?.parse().ok()?;
        Some(Self {
            scheme: Scheme::ALL.into_iter().find(|known| known.key() == scheme)?,
            compact,
            zone_minutes: Some(zone).filter(|zone| (-900..=900).contains(zone))?,
            keys,
            columns,
        })
    }

    /// The cookie's value.
    pub fn written(self) -> String {
        let Self { scheme, compact, zone_minutes, keys, columns } = self;
        format!("{}.{}.{zone_minutes}.{}.{columns}", scheme.key(), u8::from(compact), u8::from(keys))
    }

    /// The value of `data-density`.
    pub const fn density(self) -> &'static str {
        if self.compact { "compact" } else { "default" }
    }

    /// The wishes in a `Cookie` header, or those of somebody without any.
    fn in_cookies(header: &str) -> Self {
        header
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| *name == COOKIE)
            .and_then(|(_, value)| Self::parse(value))
            .unwrap_or_default()
    }

    /// The wishes of whoever asks for this page.
    #[cfg(feature = "ssr")]
    pub fn current() -> Self {
        use_context::<http::request::Parts>()
            .and_then(|parts| {
                let header = parts.headers.get(http::header::COOKIE)?.to_str().ok()?;
                Some(Self::in_cookies(header))
            })
            .unwrap_or_default()
    }

    /// The wishes of this browser.
    #[cfg(not(feature = "ssr"))]
    pub fn current() -> Self {
        #[cfg(target_arch = "wasm32")]
        if let Some(document) = html_document() {
            return Self::in_cookies(&document.cookie().unwrap_or_default());
        }
        Self::in_cookies("")
    }
}

/// The wishes, as signals. A handle: copies share everything.
#[derive(Clone, Copy)]
pub struct Preferences(RwSignal<Prefs>);

impl Preferences {
    /// What the cookie says.
    pub fn new() -> Self {
        Self(RwSignal::new(Prefs::current()))
    }

    /// The wishes as they are, followed.
    pub fn get(self) -> Prefs {
        self.0.get()
    }

    /// The wishes as they are, not followed.
    pub fn untracked(self) -> Prefs {
        self.0.get_untracked()
    }

    /// Changes them, on this page at once and for every later one.
    pub fn change(self, change: impl FnOnce(&mut Prefs)) {
        self.0.update(change);
        keep(self.0.get_untracked());
    }

    /// What is added to a time before it is shown.
    pub fn zone_us(self) -> i64 {
        i64::from(self.0.get().zone_minutes) * 60_000_000
    }

    /// `09:30:15` where the user wants it.
    pub fn clock(self, time: VenueTime) -> String {
        format::clock(time.plus_micros(self.zone_us()))
    }

    /// `2026-01-05 09:30:15` where the user wants it.
    pub fn moment(self, time: VenueTime) -> String {
        format::moment(time.plus_micros(self.zone_us()))
    }
}

impl Default for Preferences {
    fn default() -> Self {
        Self::new()
    }
}

/// Minutes from UTC to the browser's own time; zero on the server.
pub fn local_zone_minutes() -> i32 {
    #[cfg(target_arch = "wasm32")]
    return -(js_sys::Date::new_0().get_timezone_offset() as i32);
    #[cfg(not(target_arch = "wasm32"))]
    0
}

#[cfg(target_arch = "wasm32")]
fn html_document() -> Option<web_sys::HtmlDocument> {
    use wasm_bindgen::JsCast;
    document().dyn_into().ok()
}

fn keep(prefs: Prefs) {
    #[cfg(target_arch = "wasm32")]
    {
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute("data-dir", prefs.scheme.key());
            let _ = root.set_attribute("data-density", prefs.density());
        }
        if let Some(document) = html_document() {
            let cookie = format!("{COOKIE}={}; path=/; max-age=31536000; samesite=lax", prefs.written());
            let _ = document.set_cookie(&cookie);
        }
    }
    #[cfg(not(target_arch = "wasm32"))]
    let _ = prefs;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_survive_the_cookie() {
        let wishes =
            Prefs { scheme: Scheme::Blue, compact: true, zone_minutes: -330, keys: false, columns: 9 };
        assert_eq!(wishes.written(), "cb.1.-330.0.9");
        assert_eq!(Prefs::parse(&wishes.written()), Some(wishes));
        let header = format!("session=x; {COOKIE}={}; other=1", wishes.written());
        assert_eq!(Prefs::in_cookies(&header), wishes);
    }

    #[test]
    fn what_cannot_be_read_is_as_if_unset() {
        for text in ["", "cb", "pink.1.0.1.1", "cb.1.9999.1.1", "cb.1.x.1.1", "cb.1.0.1.65536"] {
            assert_eq!(Prefs::parse(text), None, "{text}");
            assert_eq!(Prefs::in_cookies(&format!("{COOKIE}={text}")), Prefs::default());
        }
    }
}
