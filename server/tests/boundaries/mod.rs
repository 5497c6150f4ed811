//! The sources keep the boundaries of ARCHITECTURE.md: agents do not name each
//! other, infrastructure does not know agents or configuration, the engine does no
//! input or output, the app knows no storage.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Modules of `server/src/agents` that are agents.
const AGENTS: [&str; 5] = ["market_data", "trading", "portfolio", "auth", "gateway"];

/// Agents that may name another one: auth provides the sessions of the gateway's
/// requests.
const ALLOWED: [(&str, &str); 1] = [("gateway", "auth")];

/// Modules of `server/src` below the agents.
const INFRASTRUCTURE: [&str; 5] = ["bus", "clock", "journal", "sequencer_client", "shutdown"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every source in `folder` and `folder.rs`: path and text without comments and
/// tests.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let beside = folder.with_extension("rs");
    let mut waiting = vec![folder.to_owned()];
    if beside.is_file() {
        found.push(beside);
    }
    while let Some(folder) = waiting.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "{} has no sources", folder.display());
    found
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            let text = lines.collect::<Vec<_>>().join("\n");
            (path, text)
        })
        .collect()
}

/// Lines up to each occurrence of `word` as a path segment or whole name.
fn names<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = &'t str> {
    text.match_indices(word).filter_map(move |(at, _)| {
        let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let whole = !before.is_some_and(part_of_name) && !after.is_some_and(part_of_name);
        whole.then(|| text[..at].rsplit('\n').next().unwrap_or_default())
    })
}

/// Agents that are named by a path with `prefix`, in braces too.
fn agents_after(text: &str, prefix: &str) -> BTreeSet<&'static str> {
    let paths = text.match_indices(prefix).map(|(at, _)| &text[at + prefix.len()..]);
    let named = paths.flat_map(|rest| {
        let path = match rest.strip_prefix('{') {
            Some(group) => group.split("};").next().unwrap_or_default(),
            None => rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default(),
        };
        AGENTS.into_iter().filter(|agent| names(path, agent).next().is_some())
    });
    named.collect()
}

#[test]
fn agents_never_name_each_others_modules() {
    let folder = root().join("server/src/agents");
    let modules: BTreeSet<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let known: BTreeSet<_> = AGENTS.into_iter().chain(["context"]).map(str::to_owned).collect();
    assert_eq!(modules, known, "a new agent belongs into this test");
    let mut wrong = Vec::new();
    for agent in AGENTS {
        for (path, text) in sources(&folder.join(agent)) {
            // `use crate::{…}` would hide names from the search below.
            assert!(!text.contains("crate::{"), "{}: import from crate one by one", path.display());
            for prefix in ["agents::", "super::", "server::"] {
                for other in agents_after(&text, prefix) {
                    if other != agent && !ALLOWED.contains(&(agent, other)) {
                        wrong.push(format!("{} names {other}", path.display()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_assembly_knows_every_agent() {
    for (path, text) in sources(&root().join("server/src")) {
        let named = agents_after(&text, "agents::");
        let is_assembly = path.to_string_lossy().contains("server/src/bootstrap");
        assert!(is_assembly || named.len() <= 2, "{} knows {named:?}", path.display());
    }
}

#[test]
fn infrastructure_knows_no_agent_and_no_configuration() {
    for module in INFRASTRUCTURE {
        for (path, text) in sources(&root().join("server/src").join(module)) {
            for name in ["agents", "config", "bootstrap"] {
                assert!(!text.contains(&format!("crate::{name}")), "{} names {name}", path.display());
            }
        }
    }
}

#[test]
fn the_engine_does_no_input_or_output() {
    let banned = [
        "tokio",
        "sqlx",
        "redis",
        "axum",
        "leptos",
        "tracing",
        "metrics",
        "async",
        "SystemTime",
        "Instant",
        "HashMap",
        "HashSet",
        "thread",
        "mul_add",
    ];
    for (path, text) in sources(&root().join("engine/src")) {
        for word in banned {
            assert!(names(&text, word).next().is_none(), "{} names {word}", path.display());
        }
        for module in ["std::time", "std::fs", "std::env", "std::net", "std::io"] {
            assert!(!text.contains(module), "{} names {module}", path.display());
        }
    }
}

#[test]
fn the_app_knows_no_storage_and_no_agent() {
    for (path, text) in sources(&root().join("app/src")) {
        for word in ["sqlx", "redis", "server"] {
            // `server` is also Leptos's macro; the crate is followed by `::`.
            let crates = names(&text, word).count();
            let found = if word == "server" { text.matches(" server::").count() } else { crates };
            assert_eq!(found, 0, "{} names {word}", path.display());
        }
    }
}

#[test]
fn wall_time_is_read_in_one_module() {
    for (path, text) in sources(&root().join("server/src")) {
        let reads = names(&text, "SystemTime").next().is_some() || text.contains("OffsetDateTime::now");
        assert!(!reads || path.ends_with("server/src/clock.rs"), "{} reads the clock", path.display());
    }
}
