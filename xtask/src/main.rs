//! The one front door: `cargo xtask run | test | check | dev | dist | bench | e2e`.

fn main() -> anyhow::Result<()> {
    anyhow::bail!("not here yet")
}
