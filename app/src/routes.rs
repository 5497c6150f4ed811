//! Paths of the pages, and the address of the trading screen.
//!
//! Know no page; `App` says what is shown where.

use engine::candle::Interval;
use leptos_router::params::ParamsMap;

/// The trading screen of the first instrument.
pub(crate) const TRADE: &str = "/";

/// The portfolio screen.
pub(crate) const PORTFOLIO: &str = "/portfolio";

/// The page of the venue's owner.
pub(crate) const CONTROL: &str = "/control";

/// The user's sessions.
pub(crate) const ACCOUNT: &str = "/account";

/// The sign-in form.
pub(crate) const LOGIN: &str = "/login";

/// The form that opens an account.
pub(crate) const REGISTER: &str = "/register";

/// The form that sets a new password.
pub(crate) const RESET: &str = "/reset";

/// Choices of the trading screen that its address holds:
/// `/trade/ACME?interval=5m&chart=large`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TradeAddress {
    /// Symbol of the instrument; the first one if there is none.
    pub(crate) symbol: Option<String>,
    /// Length of a bar of the chart.
    pub(crate) interval: Interval,
    /// True if the chart is enlarged.
    pub(crate) is_large: bool,
}

impl Default for TradeAddress {
    fn default() -> Self {
        Self { symbol: None, interval: Interval::M1, is_large: false }
    }
}

impl TradeAddress {
    /// Parses path and query; `None` for another screen. Unknown values are the
    /// defaults.
    pub(crate) fn parse(path: &str, query: &ParamsMap) -> Option<Self> {
        let mut parts = path.trim_matches('/').split('/');
        let symbol = match (parts.next(), parts.next(), parts.next()) {
            (Some(""), None, None) => None,
            (Some("trade"), symbol, None) => symbol.map(str::to_ascii_uppercase),
            _ => return None,
        };
        let interval = query.get_str("interval").and_then(Interval::from_word);
        Some(Self {
            symbol,
            interval: interval.unwrap_or(Self::default().interval),
            is_large: query.get_str("chart") == Some("large"),
        })
    }

    /// Formats it, without the defaults.
    pub(crate) fn href(&self) -> String {
        let mut href =
            self.symbol.as_ref().map_or_else(|| TRADE.to_owned(), |symbol| format!("/trade/{symbol}"));
        let mut separator = '?';
        if self.interval != Self::default().interval {
            href.push_str(&format!("?interval={}", self.interval.as_str()));
            separator = '&';
        }
        if self.is_large {
            href.push_str(&format!("{separator}chart=large"));
        }
        href
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(href: &str) -> Option<TradeAddress> {
        let (path, query) = href.split_once('?').unwrap_or((href, ""));
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let query = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        TradeAddress::parse(path, &query)
    }

    #[test]
    fn an_address_holds_instrument_interval_and_chart() {
        for (href, symbol, interval, is_large) in [
            ("/", None, Interval::M1, false),
            ("/?chart=large", None, Interval::M1, true),
            ("/trade/ACME", Some("ACME"), Interval::M1, false),
            ("/trade/GOV-4.5-2036?interval=1s", Some("GOV-4.5-2036"), Interval::S1, false),
            ("/trade/ACME?interval=1d&chart=large", Some("ACME"), Interval::D1, true),
        ] {
            let address = TradeAddress { symbol: symbol.map(str::to_owned), interval, is_large };
            assert_eq!(parse(href).as_ref(), Some(&address), "{href}");
            assert_eq!(address.href(), href);
        }
    }

    #[test]
    fn what_an_address_does_not_say_is_the_default() {
        assert_eq!(parse("/trade"), Some(TradeAddress::default()));
        let acme = TradeAddress { symbol: Some("ACME".to_owned()), ..TradeAddress::default() };
        assert_eq!(parse("/trade/acme/?interval=2s&chart=small"), Some(acme));
        for other in ["/portfolio", "/trader", "/trade/ACME/orders", "/login"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
