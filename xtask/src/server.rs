//! The server's binary.

use anyhow::Result;

use crate::progress::Step;
use crate::project::Project;
use crate::shell;

/// The release server, with bundle and migrations inside.
pub(crate) fn release(project: &Project) -> Result<()> {
    build(project, "server: compiling", &["--release"])
}

/// The server that reads the bundle from the folder.
pub(crate) fn dev(project: &Project) -> Result<()> {
    build(project, "server: compiling", &[])
}

fn build(project: &Project, name: &str, profile: &[&str]) -> Result<()> {
    let step = Step::start(name);
    let mut cargo = project.cargo();
    cargo.args(["build", "--locked", "--package", "server", "--bin", "tradefloor"]);
    cargo.args(profile);
    shell::run(&mut cargo)?;
    step.done();
    Ok(())
}

/// `serve` goes without saying.
pub(crate) fn arguments(mut given: Vec<String>) -> Vec<String> {
    let named = given.first().is_some_and(|first| !first.starts_with('-'));
    let asks = given.iter().any(|word| matches!(word.as_str(), "--help" | "-h" | "--version" | "-V"));
    if !named && !asks {
        given.insert(0, "serve".to_owned());
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serve_goes_without_saying() {
        for (given, expected) in [
            (&[][..], &["serve"][..]),
            (&["--clock", "manual"], &["serve", "--clock", "manual"]),
            (&["verify"], &["verify"]),
            (&["--help"], &["--help"]),
        ] {
            let given = given.iter().map(ToString::to_string).collect();
            assert_eq!(arguments(given), expected);
        }
    }
}
