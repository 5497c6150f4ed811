//! `wasm-opt` from the npm package binaryen, where there is node.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::project::Project;
use crate::{install, progress, shell};

/// What rustc may emit and every browser that we support reads. Named one by
/// one: `--all-features` makes modules that node 20 refuses.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Only what drops code, and the order that the functions' names say (see
/// [`crate::order`]). The passes of `-Oz` make a smaller module but a larger
/// download: they make functions unlike that the compiler left alike, and what
/// is alike costs brotli next to nothing.
pub(crate) const PASSES: [&str; 4] = [
    "--duplicate-function-elimination",
    "--remove-unused-module-elements",
    "--vacuum",
    "--reorder-functions-by-name",
];

/// The optimiser, installed when it can be.
pub(crate) struct WasmOpt {
    node: PathBuf,
    script: PathBuf,
}

impl WasmOpt {
    /// None, with a notice, when there is no node or the package cannot be had.
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
        let script = tools.join("node_modules/binaryen/bin/wasm-opt");
        Some(WasmOpt { node, script })
    }

    /// Shrinks a module in place.
    pub(crate) fn shrink(&self, project: &Project, wasm: &Path) -> Result<()> {
        let out = wasm.with_extension("opt");
        let mut command = project.command(&self.node, &project.root);
        command.arg(&self.script).args(PASSES).args(FEATURES).arg(wasm).arg("-o").arg(&out);
        shell::output(&mut command)?;
        std::fs::rename(&out, wasm).with_context(|| out.display().to_string())
    }
}
