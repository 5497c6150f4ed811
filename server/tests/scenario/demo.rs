//! A demonstration is the same for the same seed, and a venue like any other.

use engine::id::{Seq, VenueId};
use engine::time::WallTime;
use engine::venue::VenueConfig;
use serde_json::json;
use server::agents::trading::verify::{Steps, verify};
use server::bootstrap;
use server::clock::WallClock;
use server::commands::seed_demo::{self, Demo, DemoError, DemoPlan};
use server::config::Config;
use server::shutdown::Shutdown;
use server::store::{Store, StoreError};

use crate::support::trading_fixture::TEST_TIMEOUT;

const PLAN: DemoPlan = DemoPlan { traders: 4, minutes: 1 };

fn config(folder: &tempfile::TempDir) -> Config {
    Config { data: folder.path().to_owned(), ..Config::defaults().unwrap() }
}

async fn made(folder: &tempfile::TempDir) -> Result<Demo, DemoError> {
    let clock = WallClock::manual(WallTime(1_800_000_000_000_000));
    seed_demo::create(config(folder), VenueConfig::default(), PLAN, clock, |_| {}).await
}

/// The store once the last of the server before has let go of it.
async fn released(folder: &tempfile::TempDir) -> Store {
    let open = async {
        loop {
            match Store::open_sqlite(folder.path()).await {
                Ok(store) => return store,
                Err(StoreError::FolderInUse { .. }) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    tokio::time::timeout(TEST_TIMEOUT, open).await.expect("the folder stays locked")
}

fn venue() -> VenueId {
    VenueConfig::default().venue_id()
}

#[tokio::test]
async fn a_demonstration_is_the_same_twice_and_can_be_served() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut journals = Vec::new();
    let mut password = String::new();
    for folder in &folders {
        let made = made(folder).await.unwrap();
        assert!(made.orders > 10 && made.fills > 5, "{made:?}");
        assert_eq!(made.until.to_string(), "2026-01-05T09:31:00.000000Z");
        assert_ne!(std::mem::replace(&mut password, made.password.clone()), made.password);
        let store = released(folder).await;
        verify(&store, venue(), Steps::FromSeed).await.unwrap();
        // Entry 1 promises the seed with a salt of its own; all else is the seed's.
        let rows = store.journal_after(venue(), Seq(1), 10_000).await.unwrap();
        journals.push(rows.into_iter().map(|row| (row.seq, row.input, row.outcome)).collect::<Vec<_>>());
        store.close().await;
    }
    assert!(journals[0].len() > 600);
    assert!(journals[0] == journals[1]);

    // What is there is never traded over.
    assert!(matches!(made(&folders[0]).await, Err(DemoError::NotEmpty)));

    let mut config = config(&folders[1]);
    config.listen = ([127, 0, 0, 1], 0).into();
    let listener = bootstrap::listen(&config).await.unwrap();
    let running =
        bootstrap::start(config, VenueConfig::default(), listener, WallClock::System, Shutdown::new())
            .await
            .unwrap();
    let base = format!("http://{}", running.address);
    let body = json!({ "email": "trader-1@demo.example", "password": password });
    let request = reqwest::Client::new().post(format!("{base}/api/v1/auth/login"));
    let answer = request.header("origin", &base).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    running.stop().await;
}
