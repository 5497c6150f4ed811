//! Makes the folder of the browser bundle exist, so that `cargo check` works
//! on a fresh clone, and recompiles the server when the bundle changes.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = Path::new("../target/site/pkg");
    let manifest = folder.join("manifest.json");
    if !manifest.exists() {
        std::fs::create_dir_all(folder)?;
        std::fs::write(&manifest, "{}\n")?;
    }
    println!("cargo::rerun-if-changed={}", manifest.display());
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../migrations");
    Ok(())
}
