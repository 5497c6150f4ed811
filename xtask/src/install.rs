//! Installs what does not come with cargo: npm packages, Debian packages.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::fingerprint::{self, Fingerprint};
use crate::progress::Step;
use crate::project::Project;
use crate::shell;

/// Runs `npm ci` in a folder unless that was done with this lock file.
pub(crate) fn npm(project: &Project, folder: &Path) -> Result<()> {
    let npm = shell::find("npm").context("npm is not installed")?;
    let mut inputs = Fingerprint::default();
    inputs.file(&folder.join("package-lock.json"))?;
    let stamp = folder.join("node_modules/.installed");
    fingerprint::unless_same(&stamp, &inputs.finish(), || {
        let name = folder.strip_prefix(&project.root).unwrap_or(folder);
        let step = Step::start(&format!("node packages of {}", name.display()));
        let mut command = project.command(npm, folder);
        command.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
        command.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
        shell::output(&mut command)?;
        step.done();
        Ok(())
    })?;
    Ok(())
}

/// Installs Debian packages if that needs no questions; the error names the
/// command that would.
pub(crate) fn debian(packages: &[&str]) -> Result<()> {
    let manual = format!("sudo apt-get install -y {}", packages.join(" "));
    let prefix: &[&str] = if shell::find("apt-get").is_none() {
        bail!("install {} with your package manager", packages.join(" "));
    } else if is_root() {
        &[]
    } else if shell::succeeds(Command::new("sudo").args(["-n", "true"])) {
        &["sudo", "-n"]
    } else {
        bail!("run `{manual}`");
    };
    // In the run level for repairs, installing a package starts no service.
    let step = Step::start(&format!("Debian packages: {}", packages.join(", ")));
    let apt = |arguments: &[&str]| {
        let words = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get"];
        let mut all = prefix.iter().chain(&words).chain(arguments);
        let mut command = Command::new(all.next().copied().unwrap_or("apt-get"));
        shell::output(command.args(all))
    };
    // Lists that cannot be refreshed may still be good enough.
    let refreshed = apt(&["update", "-q"]);
    let arguments = [&["install", "-y", "-q", "--no-install-recommends"], packages].concat();
    if let Err(error) = apt(&arguments) {
        return Err(match refreshed {
            Ok(_) => error,
            Err(first) => error.context(first),
        })
        .with_context(|| format!("run `{manual}`"));
    }
    step.done();
    Ok(())
}

fn is_root() -> bool {
    // A process's own folder belongs to the user who runs it.
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
    }
    #[cfg(not(unix))]
    {
        let _ = fs::metadata(".");
        false
    }
}
