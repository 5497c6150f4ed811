//! What a session's user recognises it by: the browser and the machine that
//! signed in, as they call themselves.
//!
//! A client may call itself anything: for showing alone. Does not know users.

use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;

/// Most bytes that are kept.
const KEPT: usize = 256;

/// Marks of browsers; what calls itself by several stands before the others.
const BROWSERS: [(&str, &str); 7] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Marks of machines, in the same order.
const MACHINES: [(&str, &str); 7] = [
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// What the request's sender calls itself.
pub(super) fn called(request: &HeaderMap) -> String {
    let text = request.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A header that reads as text is ASCII.
    text.chars().take(KEPT).collect()
}

/// What that is for people.
pub(super) fn named(text: &str) -> String {
    let among = |marks: &[(&str, &'static str)]| {
        marks.iter().find(|(mark, _)| text.contains(mark)).map(|(_, name)| *name)
    };
    match (among(&BROWSERS), among(&MACHINES)) {
        (Some(browser), Some(machine)) => format!("{browser} on {machine}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => {
            let first = text.split(['/', ' ']).next().unwrap_or_default();
            if first.is_empty() { "Unknown".to_owned() } else { first.chars().take(32).collect() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_and_machines_are_recognised() {
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
            assert_eq!(named(text), expected, "{text}");
        }
    }
}
