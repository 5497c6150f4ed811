//! A traded venue moved by the program itself: from files into PostgreSQL and
//! back, killed on the way, and never anything but whole.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use engine::id::InstrumentId;
use engine::venue::VenueConfig;
use serde_json::{Value, json};

use super::process::{Server, command, finished};
use super::refusals::refusal;
use crate::support::database::Database;
use crate::support::site::{OWNER, Visitor, ticket};
use crate::support::traders::at;

/// How much longer each copy lives than the one before, until one is done.
const LATER: Duration = Duration::from_millis(10);

/// Output of the program: one line when all is well.
fn said(words: &[&str], folder: &Path) -> String {
    let output = finished(words, folder);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{words:?}: {out}{err}");
    out.trim().to_owned()
}

async fn step(owner: &mut Visitor, steps: u32) {
    let answer = owner.post("/api/v1/venue/clock", &json!({ "step": { "steps": steps } })).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

fn buy(name: &str) -> Value {
    ticket(InstrumentId::derive(VenueConfig::default().venue_id(), "ACME"), "BUY", "10", None, name)
}

fn serve(folder: &Path, more: &[&str]) -> Server {
    // Nobody is to be held up by a limit, however fast the machine is.
    let limits = "[limits]\nrequests_per_second = 10000\norders_per_second = 10000\n";
    std::fs::write(folder.join("tickhall.toml"), limits).unwrap();
    Server::start(folder, &[&["--idle", "run", "--owner-email", OWNER, "--log", "error"], more].concat())
}

/// A market of some length with orders in it, served from `data`; the answer to
/// the first of them.
async fn traded(server: &Server) -> Value {
    let mut owner = server.owner().await;
    step(&mut owner, 20).await;
    let first = owner.order(&buy("o-0")).await;
    for number in 1..40 {
        step(&mut owner, 10).await;
        owner.order(&buy(&format!("o-{number}"))).await;
    }
    first
}

#[tokio::test]
async fn a_traded_venue_moves_to_postgres_and_back_by_command_alone() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let database = Database::create().await;
    let url = ["--database-url", &database.url];
    let server = serve(here, &[]);
    let first = traded(&server).await;
    // A backup needs no pause; a move does.
    let saved = said(&["backup", "saved"], here);
    let held = refusal(&finished(&["migrate-store", url[0], url[1]], here));
    assert_eq!(held, "error: --data data: another tickhall process holds this folder");
    server.stop();
    let (verified, replayed) = (said(&["verify"], here), said(&["replay"], here));
    assert!(verified.contains("books balance"), "{verified}");
    assert_eq!(saved, verified);

    assert_eq!(said(&["migrate-store", url[0], url[1]], here), verified);
    assert_eq!(said(&["replay", url[0], url[1]], here), replayed);
    let again = refusal(&finished(&["migrate-store", url[0], url[1]], here));
    assert_eq!(again, "error: the target is not empty: market_ticks has rows; nothing was changed");
    assert_eq!(said(&["verify", url[0], url[1]], here), verified);

    assert_eq!(said(&["backup", "back", url[0], url[1]], here), verified);
    assert_eq!(said(&["replay", "--data", "back"], here), replayed);
    // What came back goes on where it was: the order is known, the next one new.
    let server = serve(here, &["--data", "back"]);
    let mut owner = server.owner().await;
    let known = owner.post("/api/v1/orders", &buy("o-0")).await;
    assert_eq!((known.status.as_u16(), &known.json()["order_id"]), (200, &first["order_id"]));
    step(&mut owner, 5).await;
    owner.order(&buy("o-new")).await;
    server.stop();
    assert!(said(&["verify", "--data", "back"], here).contains("41 orders"));
}

#[tokio::test]
async fn a_copy_that_is_killed_leaves_nothing_or_all_in_files_and_postgres() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let server = serve(here, &[]);
    traded(&server).await;
    server.stop();
    let verified = said(&["verify"], here);
    let database = Database::create().await;
    // Schemas first: they are no part of the copy.
    database.open(server::store::Role::Owner).await.close().await;
    said(&["backup", "saved"], here);
    for target in [["--data", "elsewhere"], ["--database-url", &database.url]] {
        let words = ["restore", "saved", target[0], target[1]];
        let (mut moment, mut there) = (LATER, false);
        while !there {
            let mut copy = command(&words, here).stdout(Stdio::null()).spawn().unwrap();
            at(moment).await;
            copy.kill().unwrap();
            // What a killed one leaves is no hindrance to the next.
            assert_ne!(copy.wait().unwrap().code(), Some(1), "refused after {moment:?}");
            // Either nothing is there or everything.
            let output = finished(&["verify", target[0], target[1]], here);
            there = output.status.success();
            let found = String::from_utf8(output.stdout).unwrap();
            assert_eq!(found.trim(), if there { &verified } else { "" }, "killed after {moment:?}");
            moment += LATER;
        }
        assert!(moment > LATER * 3, "the copy was killed but {moment:?} after its start");
        let again = refusal(&finished(&words, here));
        assert_eq!(again, "error: the target is not empty: market_ticks has rows; nothing was changed");
    }
}
