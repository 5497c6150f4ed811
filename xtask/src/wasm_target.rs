//! The WebAssembly half of the compiler.

use std::path::Path;

use anyhow::{Result, bail};

use crate::progress::Step;
use crate::project::Project;
use crate::shell;

pub(crate) const TRIPLE: &str = "wasm32-unknown-unknown";

/// Gets the target when it is missing.
pub(crate) fn ensure(project: &Project) -> Result<()> {
    if installed(project)? {
        return Ok(());
    }
    let step = Step::start("WebAssembly target");
    let mut rustup = project.command("rustup", &project.root);
    rustup.args(["target", "add", TRIPLE]);
    if shell::run(&mut rustup).is_err() || !installed(project)? {
        bail!(
            "the Rust target {TRIPLE} is missing and could not be installed: \
             run `rustup target add {TRIPLE}`, or install your distribution's \
             package of it, and try again"
        );
    }
    step.done();
    Ok(())
}

/// Asks the compiler rather than rustup, so that a target which came another
/// way is found too.
fn installed(project: &Project) -> Result<bool> {
    let mut rustc = project.command("rustc", &project.root);
    rustc.args(["--print", "target-libdir", "--target", TRIPLE]);
    let folder = shell::output(&mut rustc)?;
    let Ok(entries) = Path::new(folder.trim()).read_dir() else {
        return Ok(false);
    };
    Ok(entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-")))
}
