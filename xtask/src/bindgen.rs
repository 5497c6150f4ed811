//! wasm-bindgen as a library: from a compiled module to one that JavaScript
//! can load.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::project::Project;

/// Who will load the module.
#[derive(Clone, Copy)]
pub(crate) enum Host {
    Browser,
    Node,
}

/// Writes `{name}.js` and `{name}.wasm` into `folder`.
pub(crate) fn generate(wasm: &Path, name: &str, host: Host, folder: &Path) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).out_name(name).typescript(false);
    match host {
        Host::Browser => bindgen.web(true)?.omit_default_module_path(true),
        Host::Node => bindgen.nodejs(true)?,
    };
    bindgen
        .remove_producers_section(true)
        .generate(folder)
        .with_context(|| format!("wasm-bindgen on {}", wasm.display()))?;
    if matches!(host, Host::Browser) {
        // The name that Leptos writes into the page.
        fs::rename(folder.join(format!("{name}_bg.wasm")), folder.join(format!("{name}.wasm")))?;
    }
    Ok(())
}

/// The two halves of wasm-bindgen speak a protocol without versions: they must
/// come from the same release.
pub(crate) fn check_versions(project: &Project) -> Result<()> {
    let lock = fs::read_to_string(project.root.join("Cargo.lock")).context("Cargo.lock")?;
    compare(&lock)
}

fn compare(lock: &str) -> Result<()> {
    let runtime = version(lock, "wasm-bindgen")?;
    let tool = version(lock, "wasm-bindgen-cli-support")?;
    if runtime != tool {
        bail!(
            "Cargo.lock has wasm-bindgen {runtime} but wasm-bindgen-cli-support {tool}: \
             set both to one version in [workspace.dependencies] of Cargo.toml"
        );
    }
    Ok(())
}

fn version<'a>(lock: &'a str, package: &str) -> Result<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    lines
        .next()
        .and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
        .with_context(|| format!("Cargo.lock does not name {package}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(runtime: &str, tool: &str) -> String {
        format!(
            "[[package]]\nname = \"wasm-bindgen\"\nversion = \"{runtime}\"\n\n\
             [[package]]\nname = \"wasm-bindgen-cli-support\"\nversion = \"{tool}\"\n"
        )
    }

    #[test]
    fn this_checkouts_halves_are_equal() -> Result<()> {
        compare(include_str!("../../Cargo.lock"))
    }

    #[test]
    fn different_halves_are_named() {
        let error = compare(&lock("0.2.130", "0.2.129")).map_err(|error| error.to_string());
        assert!(error.is_err_and(|text| text.contains("0.2.130") && text.contains("0.2.129")));
        assert!(compare(&lock("0.2.130", "0.2.130")).is_ok());
        assert!(compare("").is_err());
    }
}
