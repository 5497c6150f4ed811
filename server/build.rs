//! Makes the folder of the browser bundle, so that `cargo check` works on a
//! fresh clone, and recompiles the server when the bundle changes.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = Path::new("../target/site/pkg");
    let version = folder.join("version.txt");
    if !version.exists() {
        std::fs::create_dir_all(folder)?;
        std::fs::write(&version, "dev")?;
    }
    println!("cargo::rerun-if-changed={}", version.display());
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../migrations");
    Ok(())
}
