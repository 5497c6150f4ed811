//! Refused starts: one line that names the setting, an exit code other than
//! zero, nothing written.

use std::path::Path;
use std::process::Output;

use server::store::Role;

use super::process::{Server, finished, finished_with};
use crate::support::database::Database;
use crate::support::redis::Server as Redis;

/// The only line on standard error.
pub fn refusal(output: &Output) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(output.stdout.is_empty());
    assert_eq!(stderr.matches('\n').count(), 1, "{stderr:?}");
    stderr.trim_end().to_owned()
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn an_invalid_setting_is_named_and_nothing_is_written() {
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
        (&["agent", "trading"], "error: --database-url: a standalone agent needs it"),
        (
            &["agent", "gateway", "--database-url", "postgres://localhost/t"],
            "error: --redis-url: a standalone agent needs it",
        ),
        (&["health", "http://127.0.0.1:9"], "error: http://127.0.0.1:9: "),
        (&["fly"], "error: unrecognized subcommand 'fly'"),
        (&["verify", "--data", "nowhere"], "error: --data nowhere: no such folder"),
        (&["migrate-store"], "error: --database-url: migrate-store needs to know where to"),
        (
            &["migrate-store", "--database-url", "postgres://localhost/t"],
            "error: --data data: no tickhall.db in it",
        ),
        (&["backup", "there"], "error: --data data: no tickhall.db in it"),
        (&["restore", "nowhere"], "error: nowhere: no tickhall.db in it"),
    ] {
        let said = refusal(&finished(words, folder.path()));
        assert!(said.starts_with(expected), "{words:?}: {said}");
        assert!(is_empty(folder.path()), "{words:?}");
    }
    let said = refusal(&finished_with(("TICKHALL_IDLE", "doze"), &["serve"], folder.path()));
    assert_eq!(said, "error: TICKHALL_IDLE: \"doze\" is not pause or run");
    let said = refusal(&finished_with(("TICKHALL_IDEL", "run"), &["serve"], folder.path()));
    assert!(said.starts_with("error: TICKHALL_IDEL: no setting is called"), "{said}");
    assert!(is_empty(folder.path()));
}

#[test]
fn a_file_is_named_with_the_line_or_setting() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tickhall.toml");
    for (text, expected) in [
        ("speed = 1\nclock = ", "error: tickhall.toml:2: "),
        ("[limits]\norders_per_second = 0", "error: tickhall.toml: limits.orders_per_second: \"0\" is not"),
    ] {
        std::fs::write(&file, text).unwrap();
        let said = refusal(&finished(&["serve"], folder.path()));
        assert!(said.starts_with(expected), "{said}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn a_port_or_folder_in_use_and_another_seed_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--seed", "5"]);
    let token = server.printed.last().unwrap().rsplit(' ').next().unwrap();
    assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    // Port in use: refused before anything is written.
    let said = refusal(&finished(&["--listen", server.address()], other.path()));
    assert!(said.starts_with(&format!("error: --listen {}: ", server.address())), "{said}");
    assert!(is_empty(other.path()));
    // Folder in use.
    let said = refusal(&finished(&["--listen", "127.0.0.1:0"], folder.path()));
    assert_eq!(said, "error: --data data: another tickhall process holds this folder");
    server.stop();
    // A venue keeps its seed.
    let said =
        refusal(&finished(&["--listen", "127.0.0.1:0", "--seed", "6", "--log", "error"], folder.path()));
    assert!(said.starts_with("error: --seed: this venue has its seed already"), "{said}");
    // And its journal verifies.
    let verified = finished(&["verify"], folder.path());
    let said = String::from_utf8(verified.stdout).unwrap();
    assert!(said.starts_with("verified: 1 entries, 0 steps, 0 accounts"), "{said}");
    assert!(finished(&["replay"], folder.path()).status.success());
}

#[test]
fn the_effective_configuration_is_printed_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["config", "--seed", "31415926", "--speed", "2.5"];
    let output = finished_with(("TICKHALL_SESSION__IDLE_MINUTES", "7"), &words, folder.path());
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

#[tokio::test]
async fn an_unreachable_or_refusing_postgres_or_redis_is_one_line_without_the_password() {
    let (database, redis) = (Database::create().await, Redis::start());
    // With a schema, so that no agent waits for it.
    database.open(Role::Owner).await.close().await;
    let login = format!("stranger_{}", uuid::Uuid::new_v4().simple());
    let mut connection = database.connect().await;
    let made = sqlx::AssertSqlSafe(format!("CREATE ROLE {login} LOGIN PASSWORD 's3cret'"));
    sqlx::query(made).execute(&mut connection).await.unwrap();
    let (_, place) = database.url.split_once('@').unwrap();
    let (host, query) = place.split_once('/').unwrap();
    let query = query.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
    let elsewhere = "redis://ann:s3cret@127.0.0.1:9/0";
    let folder = tempfile::tempdir().unwrap();
    for (url, bus, expected) in [
        ("postgres://ann:s3cret@127.0.0.1:9/t".to_owned(), redis.url(), "--database-url"),
        (format!("postgres://{login}:s3cret@{host}/nowhere{query}"), redis.url(), "--database-url"),
        (format!("postgres://{login}:s3cret@{place}"), redis.url(), "--database-url"),
        (database.url.clone(), elsewhere, "--redis-url"),
        (database.url.clone(), "redis://127.0.0.1:9/0", "--redis-url"),
    ] {
        for words in [&["serve"][..], &["agent", "trading"]] {
            let listen = ["--listen", "127.0.0.1:0", "--set", "agent.listen=127.0.0.1:0", "--log", "off"];
            let words = [words, &listen, &["--database-url", &url, "--redis-url", bus]].concat();
            let said = refusal(&finished(&words, folder.path()));
            assert!(said.starts_with("error: ") && said.contains(expected), "{words:?}: {said}");
            assert!(!said.contains("s3cret"), "{said}");
            assert!(is_empty(folder.path()), "{words:?}");
        }
    }
    let gone = sqlx::AssertSqlSafe(format!("DROP ROLE {login}"));
    sqlx::query(gone).execute(&mut connection).await.unwrap();
}
