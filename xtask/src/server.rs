//! The server's binary.

use anyhow::Result;

use crate::progress::Step;
use crate::project::Project;
use crate::shell;

/// The packages that are built and tested together. Cargo chooses the features
/// of what they share by this list, so whoever builds the server gives it:
/// another list would compile the same dependencies once more.
pub(crate) const PACKAGES: &[&str] = &["engine", "protocol", "app", "wasm-parity", "server", "testbed"];

/// The smallest test there is. Features that only tests ask for count as soon
/// as one test is built; so the server that runs is the one that was tested.
const A_TEST: &str = "servers";

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
    cargo.args(["build", "--locked", "--bin", "tickhall", "--test", A_TEST]).args(profile);
    cargo.args(PACKAGES.iter().flat_map(|package| ["--package", package]));
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
