//! Page cursors that cannot be made up: a position, authenticated together
//! with the question that it continues.
//!
//! Does not know what a position means.

use engine::id::Digest;

/// Bytes of the authentication code that travel.
const TAG: usize = 16;

/// Makes and reads cursors of one store; the key survives restarts.
#[derive(Clone)]
pub(super) struct Cursors {
    key: [u8; 64],
}

impl std::fmt::Debug for Cursors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cursors(…)")
    }
}

impl Cursors {
    /// `secret` is known to the server alone.
    pub(super) fn new(secret: &[u8]) -> Self {
        let mut key = [0; 64];
        key[..32].copy_from_slice(&Digest::of(&[b"tickhall cursors", secret]).0);
        Self { key }
    }

    /// The cursor that continues `question` after `position`.
    pub(super) fn make(&self, question: &str, position: u64) -> String {
        let tag = self.tag(question, position);
        let bytes = position.to_be_bytes().into_iter().chain(tag);
        bytes.map(|byte| format!("{byte:02x}")).collect()
    }

    /// The position in a cursor that continues `question`; `None` for anybody
    /// else's and for another question's.
    pub(super) fn read(&self, question: &str, cursor: &str) -> Option<u64> {
        if cursor.len() != 2 * (8 + TAG) || !cursor.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let position = u64::from_str_radix(cursor.get(..16)?, 16).ok()?;
        let made = self.make(question, position);
        // Every byte is looked at, so that time tells nothing of the first
        // difference.
        let difference = made.bytes().zip(cursor.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
        (difference == 0).then_some(position)
    }

    /// HMAC-SHA-256 (RFC 2104), cut to [`TAG`] bytes.
    fn tag(&self, question: &str, position: u64) -> [u8; TAG] {
        let inner = self.key.map(|byte| byte ^ 0x36);
        let outer = self.key.map(|byte| byte ^ 0x5c);
        let inner = Digest::of(&[&inner, &position.to_be_bytes(), question.as_bytes()]);
        let code = Digest::of(&[&outer, &inner.0]);
        let mut tag = [0; TAG];
        tag.copy_from_slice(&code.0[..TAG]);
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_goes_on_with_its_own_question_alone() {
        let cursors = Cursors::new(b"secret");
        let cursor = cursors.make("orders of ada", 42);
        assert_eq!(cursors.read("orders of ada", &cursor), Some(42));
        assert_eq!(cursors.read("orders of bob", &cursor), None);
        assert_eq!(Cursors::new(b"other").read("orders of ada", &cursor), None);
        let mut forged = cursor.clone();
        forged.replace_range(15..16, "b");
        for bad in ["", "0", &forged, &cursor.to_uppercase(), &format!("{cursor}00"), "é"] {
            assert_eq!(cursors.read("orders of ada", bad), None, "{bad}");
        }
    }
}
