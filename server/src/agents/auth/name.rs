//! Display names of users.
//!
//! Does not know who has which.

/// Longest display name.
const NAME_MAX_CHARACTERS: usize = 40;

/// A display name, with single spaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DisplayName(String);

impl DisplayName {
    /// Parses a name; `None` if it cannot be one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let readable = |c: char| c.is_alphanumeric() || " -_.'".contains(c);
        let fits = (1..=NAME_MAX_CHARACTERS).contains(&name.chars().count());
        (fits && name.chars().all(readable) && name.chars().any(char::is_alphanumeric)).then_some(Self(name))
    }

    /// Parses an optional name, which is absent if `text` is blank.
    ///
    /// # Errors
    /// The name is invalid.
    pub(super) fn parse_optional(text: &str) -> Result<Option<Self>, InvalidName> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        Self::parse(text).map(Some).ok_or(InvalidName)
    }

    /// The text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<DisplayName> for String {
    fn from(name: DisplayName) -> Self {
        name.0
    }
}

/// A text that is no display name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A name has 1 to 40 letters, digits, spaces, or - _ . '")]
pub struct InvalidName;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed_or_refused() {
        for (text, name) in [("Ada", "Ada"), ("  Zoë   O'Neil ", "Zoë O'Neil"), ("李雷", "李雷"), ("7", "7")]
        {
            assert_eq!(DisplayName::parse(text), Some(DisplayName(name.to_owned())), "{text}");
            assert_eq!(DisplayName::parse_optional(text), Ok(Some(DisplayName(name.to_owned()))), "{text}");
        }
        let long = "a".repeat(41);
        for text in ["", "   ", "a@b.example", "<b>", "a\u{0}b", "...", "a\u{202e}b", long.as_str()] {
            assert_eq!(DisplayName::parse(text), None, "{text:?}");
        }
        for blank in ["", "   "] {
            assert_eq!(DisplayName::parse_optional(blank), Ok(None));
        }
        assert_eq!(DisplayName::parse_optional("<b>"), Err(InvalidName));
    }
}
