//! E-mail addresses that identify users: the syntax alone, no mail is sent.
//!
//! Does not know who is registered.

use std::fmt;

/// Longest part before the `@`.
const LOCAL_MAX_BYTES: usize = 64;

/// What may stand before the `@` besides letters and digits (RFC 5322, `atext`). Nothing
/// invisible is among it: an address is shown to others.
const LOCAL_MARKS: &str = "!#$%&'*+-/=?^_`{|}~.";

/// A well-formed address, in lower case: two spellings that differ in case
/// alone are one user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// Longest address.
    pub(super) const MAX_BYTES: usize = 254;

    /// Parses an address; `None` if it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.rsplit_once('@')?;
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let well_formed = text.len() <= Self::MAX_BYTES
            && !local.is_empty()
            && local.len() <= LOCAL_MAX_BYTES
            && local.chars().all(|c| c.is_alphanumeric() || LOCAL_MARKS.contains(c))
            && domain.contains('.')
            && domain.split('.').all(label);
        well_formed.then(|| Self(text.to_lowercase()))
    }

    /// The text, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_parsed_or_refused() {
        for good in ["a@example.com", "First.Last+tag@sub.example.org", "ünï@exämple.de"] {
            assert!(Email::parse(good).is_some(), "{good}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        let longer = format!("a@{}.com", "a.".repeat(130));
        for bad in [
            "",
            "a",
            "a@",
            "@example.com",
            "a@b",
            "a@example..com",
            "a@-x.com",
            "a b@example.com",
            "a\0@example.com",
            "a\r\nBcc: b@example.com",
            "a@b@example.com",
            "<b>@example.com",
            "\"a\"@example.com",
            "a\u{202e}b@example.com",
            "a\u{200b}@example.com",
            &long,
            &longer,
        ] {
            assert!(Email::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn addresses_ignore_case() {
        assert_eq!(Email::parse("Ada@Example.com"), Email::parse("ada@example.COM"));
    }
}
