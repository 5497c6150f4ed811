//! Stored results of the long parts, so that a stopped run can be continued.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use super::counts::Counts;
use super::parts::{Outcome, Part};
use crate::fingerprint::Fingerprint;
use crate::progress;
use crate::project::Project;
use crate::shell;

/// Results on one state of the sources, in a file below the target folder.
pub(super) struct LongResults {
    file: PathBuf,
    /// Passed, skipped and seconds by the name of the part.
    rows: BTreeMap<String, (u64, u64, u64)>,
}

impl LongResults {
    pub(super) fn open(project: &Project) -> Result<LongResults> {
        let file = project.target.join("long").join(sources(project) + ".json");
        let rows = fs::read_to_string(&file)
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        Ok(LongResults { file, rows })
    }

    /// Stored result of a long part that passed on these sources.
    pub(super) fn get(&self, part: &Part) -> Option<Outcome> {
        let (passed, skipped, seconds) = *self.rows.get(part.name).filter(|_| part.long)?;
        progress::note(&format!("{}: passed before on these sources", part.title));
        Some(Outcome {
            title: part.title.to_owned(),
            counts: Counts { passed, skipped, failed: 0 },
            time: Duration::from_secs(seconds),
            remark: Some("passed before on these sources".to_owned()),
        })
    }

    /// Stores the result of a long part, if it passed.
    pub(super) fn store(&mut self, part: &Part, outcome: &Outcome) -> Result<()> {
        let counts = outcome.counts;
        if !part.long || counts.failed > 0 || counts.passed == 0 {
            return Ok(());
        }
        let row = (counts.passed, counts.skipped, outcome.time.as_secs());
        self.rows.insert(part.name.to_owned(), row);
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&self.file, serde_json::to_string_pretty(&self.rows)?)?;
        Ok(())
    }
}

/// The commit, and a hash of the changes since.
fn sources(project: &Project) -> String {
    let git = |arguments: &[&str]| {
        let mut git = project.command("git", &project.root);
        shell::output(git.args(arguments)).unwrap_or_default()
    };
    let commit = git(&["rev-parse", "--short=16", "HEAD"]);
    let mut changes = Fingerprint::default();
    changes.bytes("diff", git(&["diff", "HEAD"]).as_bytes());
    let untracked = git(&["ls-files", "--others", "--exclude-standard"]);
    for name in untracked.lines() {
        // A file that is removed meanwhile changes the hash as well.
        changes.bytes(name, &fs::read(project.root.join(name)).unwrap_or_default());
    }
    format!("{}-{:.16}", commit.trim(), changes.finish())
}

#[cfg(test)]
mod tests {
    use super::super::parts::PARTS;
    use super::*;

    fn outcome(passed: u64, failed: u64) -> Outcome {
        Outcome {
            title: String::new(),
            counts: Counts { passed, failed, skipped: 0 },
            time: Duration::from_secs(5),
            remark: None,
        }
    }

    #[test]
    fn only_a_long_part_that_passed_is_stored() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let mut results = LongResults { file: folder.path().join("long/x.json"), rows: BTreeMap::new() };
        let (long, short): (Vec<_>, Vec<_>) = PARTS.iter().partition(|part| part.long);
        for part in &short {
            results.store(part, &outcome(1, 0))?;
            assert!(results.get(part).is_none());
        }
        for part in &long {
            results.store(part, &outcome(1, 1))?;
            results.store(part, &outcome(0, 0))?;
            assert!(results.get(part).is_none());
            results.store(part, &outcome(3, 0))?;
            assert_eq!(results.get(part).map(|stored| stored.counts.passed), Some(3));
        }
        assert!(folder.path().join("long/x.json").is_file());
        Ok(())
    }
}
