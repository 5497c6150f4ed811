//! One hash over everything that a step reads, to skip it if nothing changed.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// Hash of named inputs. Names and lengths are hashed too, so that moving a
/// byte from one input to the next changes the result.
#[derive(Default)]
pub(crate) struct Fingerprint {
    hash: Sha256,
}

impl Fingerprint {
    pub(crate) fn bytes(&mut self, name: &str, bytes: &[u8]) -> &mut Self {
        for part in [name.as_bytes(), bytes] {
            self.hash.update((part.len() as u64).to_le_bytes());
            self.hash.update(part);
        }
        self
    }

    pub(crate) fn file(&mut self, path: &Path) -> Result<&mut Self> {
        let bytes = fs::read(path).with_context(|| path.display().to_string())?;
        let name = path.file_name().unwrap_or(path.as_os_str());
        Ok(self.bytes(&name.to_string_lossy(), &bytes))
    }

    pub(crate) fn finish(self) -> String {
        hex(&self.hash.finalize())
    }
}

/// SHA-256 of some bytes, in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Does the work unless the stamp file holds this fingerprint, and writes the
/// stamp once the work succeeded. Returns true if there was work.
pub(crate) fn unless_same(
    stamp: &Path,
    fingerprint: &str,
    work: impl FnOnce() -> Result<()>,
) -> Result<bool> {
    if fs::read_to_string(stamp).is_ok_and(|text| text.trim() == fingerprint) {
        return Ok(false);
    }
    // A half-done step must not look like the one before it.
    match fs::remove_file(stamp) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    work()?;
    if let Some(folder) = stamp.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(stamp, format!("{fingerprint}\n"))?;
    Ok(true)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(inputs: &[(&str, &str)]) -> String {
        let mut fingerprint = Fingerprint::default();
        for (name, bytes) in inputs {
            fingerprint.bytes(name, bytes.as_bytes());
        }
        fingerprint.finish()
    }

    #[test]
    fn every_name_byte_and_border_counts() {
        let base = of(&[("a", "12"), ("b", "3")]);
        assert_eq!(base, of(&[("a", "12"), ("b", "3")]));
        for other in [
            of(&[("a", "1"), ("b", "23")]),
            of(&[("a", "12"), ("c", "3")]),
            of(&[("b", "3"), ("a", "12")]),
            of(&[("a", "12")]),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn sha256_of_the_standards_example() {
        // SHA-256 of the empty string, FIPS 180-2.
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn work_is_done_once_and_again_after_a_failure() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let stamp = folder.path().join("deep/stamp");
        assert!(unless_same(&stamp, "one", || Ok(()))?);
        assert!(!unless_same(&stamp, "one", || anyhow::bail!("not again"))?);
        assert!(unless_same(&stamp, "two", || anyhow::bail!("broken")).is_err());
        // The failed step removed the old stamp.
        assert!(unless_same(&stamp, "one", || Ok(()))?);
        Ok(())
    }
}
