//! Display preferences: theme, colours for up and down, density, time zone, single
//! keys, the market watch's columns.
//!
//! Stored in one cookie, which the server reads too, so that the first paint is
//! right already. They belong to the browser, not to an account.

use engine::time::{Date, VenueTime};
use leptos::prelude::*;

use crate::format;
use crate::theme::Theme;

/// Name of the cookie.
const COOKIE_NAME: &str = "tickhall_view";

/// Default columns of the market watch.
pub(crate) const DEFAULT_COLUMNS: u16 = 0b1_0000_0111;

/// Colours of gains and losses.
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
    /// All schemes.
    pub const ALL: [Self; 3] = [Self::Green, Self::Red, Self::Blue];

    /// The value of `data-dir`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Red => "red",
            Self::Blue => "cb",
        }
    }

    /// Its name for the user.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Green => "Green up, red down",
            Self::Red => "Red up, green down",
            Self::Blue => "Blue up, orange down",
        }
    }
}

/// Values of all preferences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreferenceValues {
    /// The colour theme.
    pub theme: Theme,
    /// Colours of gains and losses.
    pub scheme: Scheme,
    /// True for lower rows.
    pub compact: bool,
    /// Minutes added to UTC.
    pub zone_minutes: i32,
    /// True if single keys are shortcuts.
    pub keys: bool,
    /// Bit mask of the columns of the market watch.
    pub columns: u16,
}

impl Default for PreferenceValues {
    fn default() -> Self {
        Self {
            theme: Theme::System,
            scheme: Scheme::Green,
            compact: false,
            zone_minutes: 0,
            keys: true,
            columns: DEFAULT_COLUMNS,
        }
    }
}

impl PreferenceValues {
    /// Parses the output of [`PreferenceValues::to_cookie`]; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let scheme = parts.next()?;
        let flag = |text: Option<&str>| Some(text? == "1");
        let compact = flag(parts.next())?;
        let zone: i32 = parts.next()?.parse().ok()?;
        let keys = flag(parts.next())?;
        let columns = parts.next()?.parse().ok()?;
        let theme = parts.next()?;
        Some(Self {
            theme: Theme::ALL.into_iter().find(|one| one.key() == theme)?,
            scheme: Scheme::ALL.into_iter().find(|one| one.key() == scheme)?,
            compact,
            zone_minutes: Some(zone).filter(|zone| (-900..=900).contains(zone))?,
            keys,
            columns,
        })
    }

    /// Formats the cookie's value.
    pub fn to_cookie(self) -> String {
        let Self { theme, scheme, compact, zone_minutes, keys, columns } = self;
        let (compact, keys) = (u8::from(compact), u8::from(keys));
        format!("{}.{compact}.{zone_minutes}.{keys}.{columns}.{}", scheme.key(), theme.key())
    }

    /// The value of `data-density`.
    pub const fn density(self) -> &'static str {
        if self.compact { "compact" } else { "default" }
    }

    /// Values in the cookie; the defaults if there are none.
    pub fn current() -> Self {
        read_cookie(COOKIE_NAME).and_then(|value| Self::parse(&value)).unwrap_or_default()
    }
}

/// The value of a cookie of the request.
#[cfg(feature = "ssr")]
pub fn read_cookie(name: &str) -> Option<String> {
    let parts = use_context::<http::request::Parts>()?;
    cookie_in(parts.headers.get(http::header::COOKIE)?.to_str().ok()?, name)
}

/// The value of a cookie of this browser.
#[cfg(not(feature = "ssr"))]
pub fn read_cookie(name: &str) -> Option<String> {
    #[cfg(target_arch = "wasm32")]
    let header = html_document()?.cookie().ok()?;
    #[cfg(not(target_arch = "wasm32"))]
    let header = String::new();
    cookie_in(&header, name)
}

/// Sets a cookie of this browser for a year.
pub fn write_cookie(name: &str, value: &str) {
    #[cfg(target_arch = "wasm32")]
    if let Some(document) = html_document() {
        let _ = document.set_cookie(&format!("{name}={value}; path=/; max-age=31536000; samesite=lax"));
    }
    #[cfg(not(target_arch = "wasm32"))]
    let _ = (name, value);
}

/// The value of a cookie in a `Cookie` header.
fn cookie_in(header: &str, name: &str) -> Option<String> {
    let mut pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// Preferences as a signal. A handle: copies share everything.
#[derive(Clone, Copy)]
pub struct Preferences(RwSignal<PreferenceValues>);

impl Preferences {
    /// Preferences as the cookie has them.
    pub fn new() -> Self {
        Self(RwSignal::new(PreferenceValues::current()))
    }

    /// Current values, tracked.
    pub fn get(self) -> PreferenceValues {
        self.0.get()
    }

    /// Current values, untracked.
    pub fn untracked(self) -> PreferenceValues {
        self.0.get_untracked()
    }

    /// Changes values, at once and in the cookie.
    pub fn change(self, change: impl FnOnce(&mut PreferenceValues)) {
        self.0.update(change);
        store(self.0.get_untracked());
    }

    /// Offset of the user's time zone in microseconds.
    pub fn zone_us(self) -> i64 {
        i64::from(self.0.get().zone_minutes) * 60_000_000
    }

    /// `09:30:15` in the user's time zone.
    pub fn clock(self, time: VenueTime) -> String {
        format::clock(time.plus_micros(self.zone_us()))
    }

    /// `2026-01-05` in the user's time zone: the day that its clock shows, not the
    /// settlement date.
    pub fn day(self, time: VenueTime) -> String {
        Date::of(time.plus_micros(self.zone_us())).to_string()
    }

    /// `2026-01-05 09:30:15` in the user's time zone.
    pub fn moment(self, time: VenueTime) -> String {
        format::moment(time.plus_micros(self.zone_us()))
    }
}

impl Default for Preferences {
    fn default() -> Self {
        Self::new()
    }
}

/// The browser's time zone in minutes from UTC; zero on the server.
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

/// Applies `values` to the page and writes the cookie.
fn store(values: PreferenceValues) {
    #[cfg(target_arch = "wasm32")]
    {
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute("data-theme", values.theme.key());
            let _ = root.set_attribute("data-dir", values.scheme.key());
            let _ = root.set_attribute("data-density", values.density());
        }
    }
    write_cookie(COOKIE_NAME, &values.to_cookie());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_the_cookie() {
        let values = PreferenceValues {
            theme: Theme::Light,
            scheme: Scheme::Blue,
            compact: true,
            zone_minutes: -330,
            keys: false,
            columns: 9,
        };
        assert_eq!(values.to_cookie(), "cb.1.-330.0.9.light");
        assert_eq!(PreferenceValues::parse(&values.to_cookie()), Some(values));
        let header = format!("session=x; {COOKIE_NAME}={}; other=1", values.to_cookie());
        assert_eq!(cookie_in(&header, COOKIE_NAME), Some(values.to_cookie()));
        assert_eq!(cookie_in(&header, "session").as_deref(), Some("x"));
        assert_eq!((cookie_in(&header, "none"), cookie_in("", "session")), (None, None));
    }

    #[test]
    fn an_unreadable_cookie_gives_the_defaults() {
        for text in [
            "",
            "cb",
            "pink.1.0.1.1.dark",
            "cb.1.9999.1.1.dark",
            "cb.1.x.1.1.dark",
            "cb.1.0.1.65536.dark",
            "cb.1.0.1.1.sepia",
        ] {
            assert_eq!(PreferenceValues::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_day_beside_the_clock_is_the_clocks_own() {
        Owner::new().with(|| {
            let preferences = Preferences(RwSignal::new(PreferenceValues::default()));
            // The trading day ends at 16:00, the day of the clock at midnight.
            let at = |text: &str| text.parse::<VenueTime>().unwrap();
            assert_eq!(preferences.day(at("2026-01-05T16:52:25Z")), "2026-01-05");
            assert_eq!(preferences.day(at("2026-01-06T00:00:00Z")), "2026-01-06");
            preferences.0.update(|values| values.zone_minutes = -330);
            assert_eq!(preferences.day(at("2026-01-06T00:00:00Z")), "2026-01-05");
        });
    }
}
