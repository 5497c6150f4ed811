//! Commands that only read a folder, and folders that are not to be served.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use serde_json::json;
use sqlx::{Connection as _, SqliteConnection};

use super::process::{Server, command, finished};
use super::refusals::refusal;
use crate::support::site::{OWNER, Visitor};

const SERVED: [&str; 6] = ["--idle", "run", "--owner-email", OWNER, "--log", "error"];

/// Output of a command that succeeds.
fn said(words: &[&str], folder: &Path) -> String {
    let output = finished(words, folder);
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Every file of a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let file = |entry: std::fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
    };
    std::fs::read_dir(folder).unwrap().map(|entry| file(entry.unwrap())).collect()
}

async fn step(owner: &mut Visitor, steps: u32) {
    let answer = owner.post("/api/v1/venue/clock", &json!({ "step": { "steps": steps } })).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test]
async fn an_audit_writes_nothing_beside_a_server_after_it_and_after_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let (here, data) = (folder.path(), folder.path().join("data"));
    let server = Server::start(here, &SERVED);
    let mut owner = server.owner().await;
    step(&mut owner, 30).await;
    // Next to a server, as of some entry.
    assert!(said(&["verify"], here).starts_with("verified: "));
    assert!(said(&["replay"], here).starts_with("replayed: "));
    step(&mut owner, 5).await;
    server.stop();
    let stopped = files(&data);
    assert!(said(&["verify"], here).contains(", 35 steps, "));
    said(&["replay"], here);
    assert!(files(&data) == stopped, "files of a folder that nobody serves");

    // What a killed server left in the log counts, and stays there.
    let server = Server::start(here, &SERVED);
    step(&mut server.owner().await, 5).await;
    drop(server);
    let killed = files(&data);
    assert!(!killed["tickhall.db-wal"].is_empty());
    assert!(said(&["verify"], here).contains(", 40 steps, "));
    said(&["replay"], here);
    for name in ["tickhall.db", "tickhall.db-wal", "history.db", "history.db-wal"] {
        assert!(files(&data).get(name) == killed.get(name), "{name}");
    }

    // An older schema is not brought up to date.
    Server::start(here, &SERVED).stop();
    let file = format!("sqlite://{}", data.join("tickhall.db").display());
    let mut connection = SqliteConnection::connect(&file).await.unwrap();
    let older = "DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)";
    sqlx::query(older).execute(&mut connection).await.unwrap();
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let older = files(&data);
    for command in ["verify", "replay"] {
        let line = refusal(&finished(&[command], here));
        assert!(line.contains("its schema is older than this program"), "{line}");
    }
    assert!(files(&data) == older, "files with an older schema");
}

#[tokio::test]
async fn the_folder_of_a_killed_backup_is_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let (here, saved) = (folder.path(), folder.path().join("saved"));
    let server = Server::start(here, &SERVED);
    step(&mut server.owner().await, 30).await;
    server.stop();
    let mut backup = command(&["backup", "saved"], here).stdout(Stdio::null()).spawn().unwrap();
    while !saved.join("tickhall.incomplete").exists() && backup.try_wait().unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    backup.kill().unwrap();
    backup.wait().unwrap();
    // It may have been done just before.
    if saved.join("tickhall.incomplete").exists()
        && !finished(&["verify", "--data", "saved"], here).status.success()
    {
        let words = ["serve", "--data", "saved", "--listen", "127.0.0.1:0", "--log", "error"];
        let line = refusal(&finished(&words, here));
        assert_eq!(
            line,
            "error: --data saved: a copy into this folder was interrupted: repeat it, or delete the folder"
        );
        said(&["backup", "saved"], here);
    }
    assert!(!saved.join("tickhall.incomplete").exists());
    assert_eq!(said(&["verify", "--data", "saved"], here), said(&["verify"], here));
    Server::start(here, &[&SERVED[..], &["--data", "saved"]].concat()).stop();
}

#[test]
fn seed_demo_says_how_far_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let output = finished(&["seed-demo", "--traders", "2", "--minutes", "2"], folder.path());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    for line in ["1 of 2 venue minutes, ", "2 of 2 venue minutes, "] {
        assert!(stderr.lines().any(|said| said.starts_with(line) && said.ends_with(" orders")), "{stderr}");
    }
}
