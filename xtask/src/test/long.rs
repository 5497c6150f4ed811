//! What the long parts reached, so that a stopped run can go on.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use super::part::{Outcome, Part};
use super::summary::Counts;
use crate::fingerprint::Fingerprint;
use crate::progress;
use crate::project::Project;
use crate::shell;

/// One file for each state of the sources, below the target folder.
pub(super) struct Ledger {
    file: PathBuf,
    rows: BTreeMap<String, (u64, u64, u64)>,
}

impl Ledger {
    pub(super) fn open(project: &Project) -> Result<Ledger> {
        let file = project.target.join("long").join(sources(project) + ".json");
        let rows = fs::read_to_string(&file)
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        Ok(Ledger { file, rows })
    }

    /// The result of a long part that already went well on these sources.
    pub(super) fn finished(&self, part: &Part) -> Option<Outcome> {
        let (passed, skipped, seconds) = *self.rows.get(part.name).filter(|_| part.long)?;
        progress::note(&format!("{}: done before on these sources", part.title));
        Some(Outcome {
            title: part.title.to_owned(),
            counts: Counts { passed, skipped, failed: 0 },
            time: Duration::from_secs(seconds),
            remark: Some("done before on these sources".to_owned()),
        })
    }

    /// Remembers a long part, if it went well.
    pub(super) fn record(&mut self, part: &Part, outcome: &Outcome) -> Result<()> {
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

/// The commit, and a hash of what differs from it.
fn sources(project: &Project) -> String {
    let git = |arguments: &[&str]| {
        let mut git = project.command("git", &project.root);
        shell::output(git.args(arguments)).unwrap_or_default()
    };
    let commit = git(&["rev-parse", "--short=16", "HEAD"]);
    let mut print = Fingerprint::default();
    print.bytes("diff", git(&["diff", "HEAD"]).as_bytes());
    let new = git(&["ls-files", "--others", "--exclude-standard"]);
    for name in new.lines() {
        // A file that vanishes meanwhile changes the hash as well.
        print.bytes(name, &fs::read(project.root.join(name)).unwrap_or_default());
    }
    format!("{}-{:.16}", commit.trim(), print.finish())
}

#[cfg(test)]
mod tests {
    use super::super::parts;
    use super::*;
    use crate::scratch::Scratch;

    fn outcome(passed: u64, failed: u64) -> Outcome {
        Outcome {
            title: String::new(),
            counts: Counts { passed, failed, skipped: 0 },
            time: Duration::from_secs(5),
            remark: None,
        }
    }

    #[test]
    fn only_a_long_part_that_went_well_is_remembered() -> Result<()> {
        let folder = Scratch::new()?;
        let mut ledger = Ledger { file: folder.path().join("long/x.json"), rows: BTreeMap::new() };
        let (long, short): (Vec<_>, Vec<_>) = parts::all().into_iter().partition(|part| part.long);
        for part in &short {
            ledger.record(part, &outcome(1, 0))?;
            assert!(ledger.finished(part).is_none());
        }
        for part in &long {
            ledger.record(part, &outcome(1, 1))?;
            ledger.record(part, &outcome(0, 0))?;
            assert!(ledger.finished(part).is_none());
            ledger.record(part, &outcome(3, 0))?;
            assert_eq!(ledger.finished(part).map(|known| known.counts.passed), Some(3));
        }
        assert!(folder.path().join("long/x.json").is_file());
        Ok(())
    }
}
