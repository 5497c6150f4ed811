//! What the program refuses: one clear line that names the setting, an exit
//! code that is not zero, nothing written.

use std::path::Path;
use std::process::Output;

use super::process::{Server, finished, finished_with};

/// The one line on standard error.
pub fn refusal(output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(output.stdout.is_empty());
    assert_eq!(said.matches('\n').count(), 1, "{said:?}");
    said.trim_end().to_owned()
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn a_setting_that_cannot_be_read_is_named_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    for (words, expected) in [
        (&["serve", "--clock", "sundial"][..], "error: --clock: \"sundial\" is not realtime or manual"),
        (&["--speed", "0"], "error: --speed: \"0\" is not a number from 0.001 to 1000"),
        (&["--seed", "-1"], "error: --seed: its value is not a whole number"),
        (&["--seed", "1.5"], "error: --seed: its value is not a whole number"),
        (&["--listen", "everywhere"], "error: --listen: \"everywhere\" is not an address"),
        (&["--set", "sped=1"], "error: --set sped: no setting is called \"sped\""),
        (&["--config", "missing.toml"], "error: --config: missing.toml: "),
        (&["--sped", "1"], "error: unexpected argument '--sped' found"),
        (&["agent", "trading"], "error: --database-url: an agent alone needs it"),
        (
            &["agent", "gateway", "--database-url", "postgres://localhost/t"],
            "error: --redis-url: an agent alone needs it",
        ),
        (&["health", "http://127.0.0.1:9"], "error: http://127.0.0.1:9: "),
        (&["fly"], "error: unrecognized subcommand 'fly'"),
        (&["verify", "--data", "nowhere"], "error: --data nowhere: no such folder"),
        (&["migrate-store"], "error: --database-url: migrate-store needs to know where to"),
        (
            &["migrate-store", "--database-url", "postgres://localhost/t"],
            "error: --data data: no tradefloor.db in it",
        ),
        (&["backup", "there"], "error: --data data: no tradefloor.db in it"),
        (&["restore", "nowhere"], "error: nowhere: no tradefloor.db in it"),
    ] {
        let said = refusal(&finished(words, folder.path()));
        assert!(said.starts_with(expected), "{words:?}: {said}");
        assert!(is_empty(folder.path()), "{words:?}");
    }
    let said = refusal(&finished_with(("TRADEFLOOR_IDLE", "doze"), &["serve"], folder.path()));
    assert_eq!(said, "error: TRADEFLOOR_IDLE: \"doze\" is not pause or run");
    let said = refusal(&finished_with(("TRADEFLOOR_IDEL", "run"), &["serve"], folder.path()));
    assert!(said.starts_with("error: TRADEFLOOR_IDEL: no setting is called"), "{said}");
    assert!(is_empty(folder.path()));
}

#[test]
fn a_file_is_named_with_the_line_or_setting() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tradefloor.toml");
    for (text, expected) in [
        ("speed = 1\nclock = ", "error: tradefloor.toml:2: "),
        ("[limits]\norders_per_second = 0", "error: tradefloor.toml: limits.orders_per_second: \"0\" is not"),
    ] {
        std::fs::write(&file, text).unwrap();
        let said = refusal(&finished(&["serve"], folder.path()));
        assert!(said.starts_with(expected), "{said}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn a_port_or_folder_that_is_taken_and_another_seed_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--seed", "5"]);
    let token = server.printed.last().unwrap().rsplit(' ').next().unwrap();
    assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    // Taken port: before anything is written.
    let said = refusal(&finished(&["--listen", server.address()], other.path()));
    assert!(said.starts_with(&format!("error: --listen {}: ", server.address())), "{said}");
    assert!(is_empty(other.path()));
    // Taken folder.
    let said = refusal(&finished(&["--listen", "127.0.0.1:0"], folder.path()));
    assert_eq!(said, "error: --data data: another tradefloor process holds this folder");
    server.stop();
    // A venue keeps its seed.
    let said =
        refusal(&finished(&["--listen", "127.0.0.1:0", "--seed", "6", "--log", "error"], folder.path()));
    assert!(said.starts_with("error: --seed: this venue has its seed already"), "{said}");
    // And its journal adds up.
    let verified = finished(&["verify"], folder.path());
    let said = String::from_utf8(verified.stdout).unwrap();
    assert!(said.starts_with("verified: 1 entries, 0 steps, 0 accounts"), "{said}");
    assert!(finished(&["replay"], folder.path()).status.success());
}

#[test]
fn the_effective_configuration_is_printed_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["config", "--seed", "31415926", "--speed", "2.5"];
    let output = finished_with(("TRADEFLOOR_SESSION__IDLE_MINUTES", "7"), &words, folder.path());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for line in
        ["speed = \"2.5\"", "session.idle_minutes = \"7\"", "seed = \"[redacted]\"", "idle = \"pause\""]
    {
        assert!(said.lines().any(|found| found == line), "{line} in {said}");
    }
    assert!(!said.contains("31415926"));
    assert!(is_empty(folder.path()));
}
