//! The browser bundle: compile, bind, shrink, compress, list.
//!
//! Cargo decides whether the module must be compiled; all that follows is
//! skipped while the module, the styles and the tools are what they were.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use walrus::Module;

use crate::bindgen::{self, Host};
use crate::fingerprint::{self, Fingerprint};
use crate::progress::{self, Step};
use crate::project::Project;
use crate::wasm_opt::{self, WasmOpt};
use crate::{compress, css, glue, order, shell, snip, wasm_target};

const NAME: &str = "tickhall";
const MANIFEST: &str = "manifest.json";

/// How much work to put into it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quality {
    /// Small to download.
    Release,
    /// Quick to build: neither shrunk nor compressed.
    Dev,
}

/// Makes the bundle that the server embeds.
pub(crate) fn build(project: &Project, quality: Quality) -> Result<()> {
    bindgen::check_versions(project)?;
    wasm_target::ensure(project)?;
    let wasm = compile(project, quality)?;
    let sheet = css::collect(&project.root.join("style"))?;
    let optimiser = match quality {
        Quality::Release => WasmOpt::find(project),
        Quality::Dev => None,
    };

    let mut print = Fingerprint::default();
    print.file(&wasm)?.bytes("css", sheet.as_bytes());
    print.file(&project.root.join("Cargo.lock"))?;
    let pictures = css::pictures(&project.root.join("style"))?;
    for picture in &pictures {
        print.file(picture)?;
    }
    if optimiser.is_some() {
        print.file(&project.root.join("xtask/tools/package-lock.json"))?;
    }
    for step in [include_str!("snip.rs"), include_str!("glue.rs"), include_str!("order.rs")] {
        print.bytes("tidying", step.as_bytes());
    }
    print.bytes("passes", wasm_opt::PASSES.concat().as_bytes());
    print.bytes("packed", &[u8::from(quality == Quality::Release)]);
    let print = print.finish();

    let whole = fs::read_to_string(project.site().join(MANIFEST))
        .is_ok_and(|manifest| complete(&manifest, &project.site()));
    let stamp = project.root.join("target/site/stamp");
    if !whole && stamp.exists() {
        fs::remove_file(&stamp)?;
    }
    fingerprint::unless_same(&stamp, &print, || {
        let folder = assemble(project, &wasm, &sheet, &pictures)?;
        if quality == Quality::Release {
            tighten(project, &folder, optimiser.as_ref())?;
        }
        publish(&folder, &project.site())
    })?;
    Ok(())
}

/// Writes the style sheet and nothing else.
pub(crate) fn css_alone(project: &Project) -> Result<()> {
    let folder = project.site();
    fs::create_dir_all(&folder)?;
    let sheet = css::collect(&project.root.join("style"))?;
    let file = folder.join(format!("{NAME}.css"));
    for twin in ["css.br", "css.gz"] {
        remove(&file.with_extension(twin))?;
    }
    fs::write(file, sheet)?;
    Ok(())
}

fn compile(project: &Project, quality: Quality) -> Result<PathBuf> {
    let step = Step::start("browser bundle: compiling");
    let profile = match quality {
        Quality::Release => "wasm-release",
        Quality::Dev => "dev",
    };
    let mut cargo = project.cargo();
    cargo.args(["build", "--locked", "--package", "frontend", "--lib"]);
    cargo.args(["--target", wasm_target::TRIPLE, "--features", "hydrate"]);
    cargo.args(["--profile", profile]);
    shell::run(&mut cargo)?;
    step.done();
    let folder = match quality {
        Quality::Release => profile,
        Quality::Dev => "debug",
    };
    Ok(project.target.join(wasm_target::TRIPLE).join(folder).join("frontend.wasm"))
}

/// Everything that the browser needs, in a folder of its own, not yet tight.
fn assemble(project: &Project, wasm: &Path, sheet: &str, pictures: &[PathBuf]) -> Result<PathBuf> {
    let folder = project.root.join("target/site/next");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let step = Step::start("browser bundle: binding");
    bindgen::generate(wasm, NAME, Host::Browser, &folder)?;
    fs::write(folder.join(format!("{NAME}.css")), sheet)?;
    for picture in pictures {
        fs::copy(picture, folder.join(picture.file_name().unwrap_or_default()))?;
    }
    step.done();
    Ok(folder)
}

/// Shrinks the module and puts compressed twins beside every file.
fn tighten(project: &Project, folder: &Path, optimiser: Option<&WasmOpt>) -> Result<()> {
    let module = folder.join(format!("{NAME}.wasm"));
    let script = folder.join(format!("{NAME}.js"));
    let step = Step::start("browser bundle: tidying");
    let mut tidied = Module::from_file(&module).with_context(|| module.display().to_string())?;
    snip::unused(&mut tidied)?;
    fs::write(&script, glue::shorten(&mut tidied, &fs::read_to_string(&script)?)?)?;
    order::by_likeness(&mut tidied)?;
    tidied.emit_wasm_file(&module)?;
    step.done();
    if let Some(optimiser) = optimiser {
        let before = fs::metadata(&module)?.len();
        let step = Step::start("browser bundle: shrinking");
        optimiser.shrink(project, &module)?;
        let after = fs::metadata(&module)?.len();
        step.done_with(&format!("{} → {}", progress::size(before), progress::size(after)));
    }
    let step = Step::start("browser bundle: compressing");
    let mut total = 0;
    for file in walk(folder)? {
        total += compress::twins(&file)?;
    }
    step.done_with(&format!("{} to download", progress::size(total)));
    Ok(())
}

/// Moves the new files over the old ones, one by one, so that a server which
/// is being compiled meanwhile always finds a bundle; then drops what is left
/// over and writes the list, which is what makes cargo rebuild the server.
fn publish(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    let mut list = BTreeMap::new();
    for file in walk(from)? {
        let name = relative(&file, from);
        list.insert(name.clone(), fingerprint::sha256(&fs::read(&file)?));
        let target = to.join(&name);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::rename(&file, &target).with_context(|| target.display().to_string())?;
    }
    for file in walk(to)? {
        let name = relative(&file, to);
        if name != MANIFEST && !list.contains_key(&name) {
            fs::remove_file(&file)?;
        }
    }
    fs::remove_dir_all(from)?;
    let text = serde_json::to_string_pretty(&list)? + "\n";
    let manifest = to.join(MANIFEST);
    if !fs::read_to_string(&manifest).is_ok_and(|known| known == text) {
        fs::write(&manifest, text)?;
    }
    Ok(())
}

/// Whether every file of the list is there.
fn complete(manifest: &str, folder: &Path) -> bool {
    let list: BTreeMap<String, String> = serde_json::from_str(manifest).unwrap_or_default();
    !list.is_empty() && list.keys().all(|name| folder.join(name).is_file())
}

fn walk(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(walk(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// A file's name below a folder, with `/` on every system.
fn relative(file: &Path, folder: &Path) -> String {
    let parts = file.strip_prefix(folder).unwrap_or(file).components();
    let names: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy()).collect();
    names.join("/")
}

fn remove(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn publishing_replaces_removes_and_lists() -> Result<()> {
        let folder = Scratch::new()?;
        let (from, to) = (folder.path().join("next"), folder.path().join("pkg"));
        fs::create_dir_all(from.join("snippets/x"))?;
        fs::create_dir_all(&to)?;
        fs::write(to.join("old.js"), "old")?;
        fs::write(to.join("a.js"), "old")?;
        fs::write(from.join("a.js"), "new")?;
        fs::write(from.join("snippets/x/b.js"), "b")?;

        publish(&from, &to)?;

        assert_eq!(fs::read_to_string(to.join("a.js"))?, "new");
        assert!(!to.join("old.js").exists());
        let manifest = fs::read_to_string(to.join(MANIFEST))?;
        assert!(manifest.contains("\"snippets/x/b.js\""), "{manifest}");
        assert!(complete(&manifest, &to));
        fs::remove_file(to.join("a.js"))?;
        assert!(!complete(&manifest, &to));
        assert!(!complete("{}", &to));
        Ok(())
    }
}
