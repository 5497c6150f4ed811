//! Devices by which users recognise their sessions: browser and system, from
//! the user agent.
//!
//! A client may claim any user agent: for display alone. Does not know users.

use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;

/// Longest user agent that is stored.
const USER_AGENT_MAX_BYTES: usize = 256;

/// Tokens of browsers in a user agent; those that claim others' too come first.
const BROWSERS: [(&str, &str); 7] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Tokens of systems, in the same order.
const SYSTEMS: [(&str, &str); 7] = [
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// The request's user agent.
pub(super) fn user_agent(headers: &HeaderMap) -> String {
    let text = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A header that reads as text is ASCII.
    text.chars().take(USER_AGENT_MAX_BYTES).collect()
}

/// Name of a user agent's device, like `Firefox on Linux`.
pub(super) fn display_name(user_agent: &str) -> String {
    let among = |tokens: &[(&str, &'static str)]| {
        tokens.iter().find(|(token, _)| user_agent.contains(token)).map(|(_, name)| *name)
    };
    match (among(&BROWSERS), among(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => {
            let first = user_agent.split(['/', ' ']).next().unwrap_or_default();
            if first.is_empty() { "Unknown".to_owned() } else { first.chars().take(32).collect() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_and_systems_are_recognised() {
        for (text, expected) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 \
                 Edg/140.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
                "Chrome on Android",
            ),
            ("curl/8.5.0", "curl"),
            ("my-bot", "my-bot"),
            ("", "Unknown"),
        ] {
            assert_eq!(display_name(text), expected, "{text}");
        }
    }
}
