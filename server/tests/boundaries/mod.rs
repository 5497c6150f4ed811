//! The sources keep the boundaries of ARCHITECTURE.md: agents do not name each
//! other, the engine knows no world outside, the app knows no storage.

use std::path::{Path, PathBuf};

/// Modules of the server that are agents.
const AGENTS: [&str; 5] = ["market_data", "trading", "portfolio", "auth", "gateway"];

/// What an agent may name of another one, and why that is no reaching inside.
const DOORS: [(&str, &str); 3] = [
    // The way to the sequencer is a message on the bus and one back.
    ("gateway", "trading::client"),
    ("auth", "trading::client"),
    // Who somebody is: the session that auth lends to the doors it mounts.
    ("gateway", "auth"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every source below `folder`, and beside it as `folder.rs`: path and text
/// without comments and tests.
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

/// Where `word` stands as a path's segment or whole name.
fn names<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = &'t str> {
    text.match_indices(word).filter_map(move |(at, _)| {
        let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let whole = !before.is_some_and(part_of_name) && !after.is_some_and(part_of_name);
        whole.then(|| text[..at].rsplit('\n').next().unwrap_or_default())
    })
}

#[test]
fn agents_never_name_each_others_modules() {
    let mut wrong = Vec::new();
    for agent in AGENTS {
        for (path, text) in sources(&root().join("server/src").join(agent)) {
            // `use crate::{…}` would hide names from the search below.
            assert!(!text.contains("crate::{"), "{}: import from crate one by one", path.display());
            for other in AGENTS.into_iter().filter(|other| *other != agent) {
                let mut rest = text.as_str();
                while let Some(at) = rest.find(&format!("crate::{other}")) {
                    let named = &rest[at + "crate::".len()..];
                    rest = &named[other.len()..];
                    let whole = !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
                    let allowed = DOORS.iter().any(|(who, door)| *who == agent && named.starts_with(door));
                    if whole && !allowed {
                        wrong.push(format!("{} names {other}", path.display()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nobody_but_the_assembly_knows_every_agent() {
    for (path, text) in sources(&root().join("server/src")) {
        let named: Vec<_> = AGENTS.iter().filter(|agent| text.contains(&format!("crate::{agent}"))).collect();
        let assembly =
            path.ends_with("server/src/serve.rs") || path.to_string_lossy().contains("server/src/serve/");
        assert!(assembly || named.len() <= 2, "{} knows {named:?}", path.display());
    }
}

#[test]
fn the_engine_knows_no_world_outside() {
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
        for place in ["std::time", "std::fs", "std::env", "std::net", "std::io"] {
            assert!(!text.contains(place), "{} names {place}", path.display());
        }
    }
}

#[test]
fn the_app_knows_no_storage_and_no_agent() {
    for (path, text) in sources(&root().join("app/src")) {
        for word in ["sqlx", "redis", "server"] {
            // `server` is Leptos's macro too; as a crate it stands before `::`.
            let crates = names(&text, word).count();
            let found = if word == "server" { text.matches(" server::").count() } else { crates };
            assert_eq!(found, 0, "{} names {word}", path.display());
        }
    }
}

#[test]
fn the_time_on_the_wall_is_read_in_one_place() {
    for (path, text) in sources(&root().join("server/src")) {
        let reads = names(&text, "SystemTime").next().is_some() || text.contains("OffsetDateTime::now");
        assert!(!reads || path.ends_with("server/src/clock.rs"), "{} reads the clock", path.display());
    }
}
