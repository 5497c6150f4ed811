//! The browser bundle: compile, split by route, bind, optimise, compress.
//!
//! Cargo decides whether the module must be compiled; the rest is skipped while
//! the module, the styles and the tools are the same.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use lightningcss::stylesheet::{MinifyOptions, ParserOptions, PrinterOptions, StyleSheet};

use crate::fingerprint::Fingerprint;
use crate::progress::{self, Step};
use crate::project::Project;
use crate::shell;
use crate::wasm::{self, WasmOpt};

const NAME: &str = "tickhall";

/// File that holds the version of the bundle beside it: a hash of its inputs.
/// The server is compiled anew when it changes, and puts it into addresses.
const VERSION: &str = "version.txt";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quality {
    /// Small to download.
    Release,
    /// Quick to build: neither optimised nor compressed.
    Dev,
}

/// Makes the bundle that the server embeds.
pub(crate) fn build(project: &Project, quality: Quality) -> Result<()> {
    wasm::check_versions(project)?;
    wasm::ensure_target(project)?;
    let module = compile(project, quality)?;
    let styles = project.root.join("style");
    let (sheet, images) = (style_sheet(&styles)?, files(&styles, "svg")?);
    let optimiser = (quality == Quality::Release).then(|| WasmOpt::find(project)).flatten();

    let mut inputs = Fingerprint::default();
    inputs.file(&module)?.bytes("css", sheet.as_bytes());
    inputs.file(&project.root.join("Cargo.lock"))?;
    inputs.bytes("steps", include_bytes!("bundle.rs")).bytes("wasm", include_bytes!("wasm.rs"));
    inputs.bytes("quality", &[u8::from(quality == Quality::Release)]);
    for image in &images {
        inputs.file(image)?;
    }
    if optimiser.is_some() {
        inputs.file(&project.root.join("xtask/tools/package-lock.json"))?;
    }
    let version = &inputs.finish()[..16];
    let site = project.site();
    if fs::read_to_string(site.join(VERSION)).is_ok_and(|current| current == version) {
        return Ok(());
    }

    let folder = project.root.join("target/site/next");
    remove_folder(&folder)?;
    fs::create_dir_all(&folder)?;
    let step = Step::start("browser bundle: splitting and binding");
    wasm::bind_for_browser(&module, NAME, &folder)?;
    fs::write(folder.join(NAME).with_extension("css"), sheet)?;
    for image in images {
        fs::copy(&image, folder.join(image.file_name().unwrap_or_default()))?;
    }
    step.done();
    if let Some(optimiser) = optimiser {
        let step = Step::start("browser bundle: optimising");
        for part in files(&folder, "wasm")? {
            optimiser.optimise(project, &part)?;
        }
        step.done();
    }
    if quality == Quality::Release {
        let step = Step::start("browser bundle: compressing");
        let mut total = 0;
        for extension in ["css", "js", "svg", "wasm"] {
            for file in files(&folder, extension)? {
                let size = compress(&file)?;
                let name = file.file_name().unwrap_or_default();
                progress::note(&format!("{size:>7} B  {}", name.display()));
                total += size;
            }
        }
        step.done_with(&format!("{} to download", progress::size(total)));
    }
    fs::write(folder.join(VERSION), version)?;
    remove_folder(&site)?;
    fs::rename(&folder, &site).with_context(|| site.display().to_string())
}

/// Writes the style sheet and nothing else.
pub(crate) fn css_alone(project: &Project) -> Result<()> {
    let site = project.site();
    // No longer the bundle of any version.
    remove_folder(&site)?;
    fs::create_dir_all(&site)?;
    let sheet = style_sheet(&project.root.join("style"))?;
    Ok(fs::write(site.join(NAME).with_extension("css"), sheet)?)
}

fn compile(project: &Project, quality: Quality) -> Result<PathBuf> {
    let (profile, folder) = match quality {
        Quality::Release => ("wasm-release", "wasm-release"),
        Quality::Dev => ("dev", "debug"),
    };
    let step = Step::start("browser bundle: compiling");
    let mut cargo = project.cargo();
    cargo.args(["rustc", "--locked", "--package", "frontend", "--lib", "--crate-type", "cdylib"]);
    cargo.args(["--target", wasm::TARGET, "--features", "hydrate", "--profile", profile]);
    // The splitter moves functions and data, and so must find what refers to them.
    shell::run(cargo.args(["--", "-Clink-arg=--emit-relocs"]))?;
    step.done();
    Ok(project.target.join(wasm::TARGET).join(folder).join("frontend.wasm"))
}

/// All the style sheets of a folder as one: tokens, base, then the rest by name.
fn style_sheet(folder: &Path) -> Result<String> {
    let mut sheets = files(folder, "css")?;
    sheets.sort_by_key(|file| (!file.ends_with("tokens.css"), !file.ends_with("base.css")));
    let text = sheets.iter().map(fs::read_to_string).collect::<Result<String, _>>()?;
    let failed = |error: &dyn std::fmt::Display| anyhow!("style sheet: {error}");
    let mut sheet = StyleSheet::parse(&text, ParserOptions::default()).map_err(|error| failed(&error))?;
    sheet.minify(MinifyOptions::default()).map_err(|error| failed(&error))?;
    Ok(sheet.to_css(PrinterOptions { minify: true, ..PrinterOptions::default() })?.code)
}

/// Writes `{file}.br` and `{file}.gz`, so that the server only chooses; returns
/// the size of the former in bytes.
fn compress(file: &Path) -> Result<u64> {
    let bytes = fs::read(file)?;
    let mut brotli = Vec::new();
    brotli::BrotliCompress(&mut bytes.as_slice(), &mut brotli, &brotli::enc::BrotliEncoderParams::default())?;
    // No name and no time in the header: the same input gives the same bytes.
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&bytes)?;
    fs::write(file.with_added_extension("br"), &brotli)?;
    fs::write(file.with_added_extension("gz"), gzip.finish()?)?;
    Ok(brotli.len() as u64)
}

/// Files of a folder with an extension, sorted by name.
fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let entries = folder.read_dir().with_context(|| folder.display().to_string())?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    let mut files: Vec<_> =
        paths.into_iter().filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    files.sort();
    Ok(files)
}

fn remove_folder(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read;

    use super::*;

    #[test]
    fn tokens_come_first_then_the_base_then_by_name() -> Result<()> {
        let folder = tempfile::tempdir()?;
        for name in ["trade.css", "base.css", "auth.css", "tokens.css", "notes.md"] {
            fs::write(folder.path().join(name), format!(".{}{{ top : 0px }}\n", &name[..2]))?;
        }
        assert_eq!(style_sheet(folder.path())?, ".to,.ba,.au,.tr{top:0}");
        Ok(())
    }

    #[test]
    fn a_style_sheet_with_an_error_is_refused() -> Result<()> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("a.css"), "a { color: red }\n} b {}")?;
        assert!(style_sheet(folder.path()).is_err_and(|error| error.to_string().contains("style sheet")));
        Ok(())
    }

    #[test]
    fn compressed_files_unpack_to_the_original() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("a.css");
        let text = ".a{color:red}".repeat(1000);
        fs::write(&file, &text)?;
        let size = compress(&file)?;
        assert!(size < 200, "{size}");

        let mut unpacked = String::new();
        brotli::Decompressor::new(File::open(folder.path().join("a.css.br"))?, 4096)
            .read_to_string(&mut unpacked)?;
        assert_eq!(unpacked, text);
        unpacked.clear();
        flate2::read::GzDecoder::new(File::open(folder.path().join("a.css.gz"))?)
            .read_to_string(&mut unpacked)?;
        assert_eq!(unpacked, text);
        Ok(())
    }
}
