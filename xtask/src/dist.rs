//! `cargo xtask dist`: the binary, the README and the licences as one archive.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};

use crate::bundle::{self, Quality};
use crate::progress::{self, Step};
use crate::project::Project;
use crate::{fingerprint, server, shell};

const DOCUMENTS: [&str; 3] = ["README.md", "LICENSE-MIT", "LICENSE-APACHE"];

pub(crate) fn run(project: &Project) -> Result<()> {
    bundle::build(project, Quality::Release)?;
    server::product(project)?;

    let step = Step::start("packing");
    let folder = project.target.join("dist");
    fs::create_dir_all(&folder)?;
    let binary = folder.join("tickhall");
    fs::copy(project.server(), &binary)?;
    if !shell::succeeds(Command::new("strip").arg(&binary)) {
        progress::note("without `strip` the archive is larger than it need be");
    }

    let name = format!("tickhall-{}-{}", env!("CARGO_PKG_VERSION"), host_triple(project)?);
    let mut files = vec![("tickhall", 0o755, fs::read(&binary)?)];
    for name in DOCUMENTS {
        let text = fs::read(project.root.join(name)).with_context(|| name.to_owned())?;
        files.push((name, 0o644, text));
    }
    let archive = folder.join(format!("{name}.tar.gz"));
    pack(&archive, &name, &files, commit_time(project))?;
    fs::remove_file(&binary)?;

    let hash = fingerprint::sha256(&fs::read(&archive)?);
    fs::write(folder.join(format!("{name}.tar.gz.sha256")), format!("{hash}  {name}.tar.gz\n"))?;
    step.done_with(&format!(
        "{} ({})",
        archive.strip_prefix(&project.root).unwrap_or(&archive).display(),
        progress::size(fs::metadata(&archive)?.len())
    ));
    println!("{hash}  {name}.tar.gz");
    Ok(())
}

/// Writes the archive; the same files and time give the same bytes.
fn pack(archive: &Path, name: &str, files: &[(&str, u32, Vec<u8>)], time: u64) -> Result<()> {
    let gzip = GzBuilder::new().write(File::create(archive)?, Compression::best());
    let mut tar = tar::Builder::new(gzip);
    for (file, mode, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(*mode);
        header.set_mtime(time);
        tar.append_data(&mut header, format!("{name}/{file}"), bytes.as_slice())?;
    }
    tar.into_inner()?.finish()?.sync_all()?;
    Ok(())
}

fn host_triple(project: &Project) -> Result<String> {
    let mut rustc = project.command("rustc", &project.root);
    let text = shell::output(rustc.arg("-vV"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(line.context("`rustc -vV` names no host")?.to_owned())
}

/// Time of the last commit in Unix seconds; 0 outside a checkout.
fn commit_time(project: &Project) -> u64 {
    let mut git = project.command("git", &project.root);
    shell::output(git.args(["log", "-1", "--format=%ct"]))
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_twice_gives_the_same_bytes() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let files = [("tickhall", 0o755, b"binary".to_vec()), ("README.md", 0o644, vec![])];
        let (one, two) = (folder.path().join("1"), folder.path().join("2"));
        pack(&one, "name", &files, 7)?;
        pack(&two, "name", &files, 7)?;
        assert_eq!(fs::read(&one)?, fs::read(&two)?);

        let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(File::open(&one)?));
        let names: Result<Vec<_>> =
            tar.entries()?.map(|entry| Ok(entry?.path()?.display().to_string())).collect();
        assert_eq!(names?, ["name/tickhall", "name/README.md"]);
        Ok(())
    }
}
