//! WebAssembly: the compiler's target, splitting by lazy route, wasm-bindgen and
//! wasm-opt.
//!
//! Does not know what a module does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::progress::{self, Step};
use crate::project::Project;
use crate::{install, shell};

/// Target triple of everything that a browser runs.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Script that loads the parts of a split module. Leptos writes this name into pages.
const SPLIT_SCRIPT: &str = "./__wasm_split.______________________.js";

/// Parts of a split module by the lazy route that needs them, read by the server.
const SPLIT_MANIFEST: &str = "__wasm_split_manifest.json";

/// Arguments of `wasm-opt`. The features are those that rustc may emit and every
/// supported browser reads; `--all-features` makes modules that node 20 refuses.
pub(crate) const WASM_OPT: [&str; 7] = [
    "-Oz",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Installs the target if it is missing.
pub(crate) fn ensure_target(project: &Project) -> Result<()> {
    if is_target_installed(project)? {
        return Ok(());
    }
    let step = Step::start("WebAssembly target");
    let mut rustup = project.command("rustup", &project.root);
    rustup.args(["target", "add", TARGET]);
    if shell::run(&mut rustup).is_err() || !is_target_installed(project)? {
        bail!(
            "the Rust target {TARGET} is missing and could not be installed: \
             run `rustup target add {TARGET}`, or install your distribution's \
             package of it, and try again"
        );
    }
    step.done();
    Ok(())
}

/// Looks for the standard library instead of asking rustup, so that a target
/// from a distribution's package counts too.
fn is_target_installed(project: &Project) -> Result<bool> {
    let mut rustc = project.command("rustc", &project.root);
    rustc.args(["--print", "target-libdir", "--target", TARGET]);
    let folder = shell::output(&mut rustc)?;
    let Ok(entries) = Path::new(folder.trim()).read_dir() else {
        return Ok(false);
    };
    Ok(entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-")))
}

/// Writes `{name}.js`, `{name}.wasm` and the parts of the lazy routes into
/// `folder`. `wasm` must be linked with `--emit-relocs`.
pub(crate) fn bind_for_browser(wasm: &Path, name: &str, folder: &Path) -> Result<()> {
    let main = folder.join(format!("{name}_unbound.wasm"));
    let (module, main_module) = (fs::read(wasm)?, format!("./{name}.js"));
    let mut options = wasm_split_cli_support::Options::new(&module);
    options.output_dir = folder;
    options.main_out_path = &main;
    options.main_module = &main_module;
    options.link_name = SPLIT_SCRIPT;
    let split = wasm_split_cli_support::transform(options)
        .map_err(|error| anyhow!("splitting {}: {error:#}", wasm.display()))?;
    let parts: BTreeMap<_, _> = split.prefetch_map.into_iter().collect();
    fs::write(folder.join(SPLIT_MANIFEST), serde_json::to_string_pretty(&parts)?)?;

    let mut bindgen = Bindgen::new();
    // The parts import what the linker exported.
    bindgen.web(true)?.keep_lld_exports(true);
    bind(&mut bindgen, &main, name, folder)?;
    fs::remove_file(&main)?;
    // Leptos writes this name into pages.
    fs::rename(folder.join(format!("{name}_bg.wasm")), folder.join(format!("{name}.wasm")))?;
    Ok(())
}

/// Writes `{name}.js`, a CommonJS module, and its WebAssembly into `folder`.
pub(crate) fn bind_for_node(wasm: &Path, name: &str, folder: &Path) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bind(bindgen.nodejs(true)?, wasm, name, folder)
}

fn bind(bindgen: &mut Bindgen, wasm: &Path, name: &str, folder: &Path) -> Result<()> {
    bindgen.input_path(wasm).out_name(name).typescript(false).remove_producers_section(true);
    bindgen.generate(folder).with_context(|| format!("wasm-bindgen on {}", wasm.display()))
}

/// Fails unless wasm-bindgen's runtime and tool come from the same release: the
/// protocol between them has no version.
pub(crate) fn check_versions(project: &Project) -> Result<()> {
    let lock = fs::read_to_string(project.root.join("Cargo.lock")).context("Cargo.lock")?;
    compare_versions(&lock)
}

fn compare_versions(lock: &str) -> Result<()> {
    let runtime = locked_version(lock, "wasm-bindgen")?;
    let tool = locked_version(lock, "wasm-bindgen-cli-support")?;
    if runtime != tool {
        bail!(
            "Cargo.lock has wasm-bindgen {runtime} but wasm-bindgen-cli-support {tool}: \
             set both to one version in [workspace.dependencies] of Cargo.toml"
        );
    }
    Ok(())
}

fn locked_version<'a>(lock: &'a str, package: &str) -> Result<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    lines
        .next()
        .and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
        .with_context(|| format!("Cargo.lock does not name {package}"))
}

/// `wasm-opt` of the npm package binaryen.
pub(crate) struct WasmOpt {
    node: PathBuf,
    script: PathBuf,
}

impl WasmOpt {
    /// Installs the package. Returns `None`, with a notice, if there is no node or
    /// the package cannot be installed.
    pub(crate) fn find(project: &Project) -> Option<WasmOpt> {
        let Some(node) = shell::find("node") else {
            progress::note("without node there is no wasm-opt: the bundle stays larger");
            return None;
        };
        let tools = project.root.join("xtask/tools");
        if let Err(error) = install::npm(project, &tools) {
            progress::note(&format!("no wasm-opt, the bundle stays larger: {error:#}"));
            return None;
        }
        Some(WasmOpt { node, script: tools.join("node_modules/binaryen/bin/wasm-opt") })
    }

    /// Optimises a module in place.
    pub(crate) fn optimise(&self, project: &Project, wasm: &Path) -> Result<()> {
        let mut command = project.command(&self.node, &project.root);
        command.arg(&self.script).args(WASM_OPT).arg(wasm).arg("-o").arg(wasm);
        shell::output(&mut command).map(drop)
    }
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
    fn this_checkout_has_one_version_of_wasm_bindgen() -> Result<()> {
        compare_versions(include_str!("../../Cargo.lock"))
    }

    #[test]
    fn different_versions_are_reported() {
        let error = compare_versions(&lock("0.2.130", "0.2.129")).map_err(|error| error.to_string());
        assert!(error.is_err_and(|text| text.contains("0.2.130") && text.contains("0.2.129")));
        assert!(compare_versions(&lock("0.2.130", "0.2.130")).is_ok());
        assert!(compare_versions("").is_err());
    }
}
