//! Users and their sessions, on each backend, with the rights of auth.

use engine::id::AccountId;
use engine::time::WallTime;
use server::store::users::{NewUser, SessionRow};
use server::store::{Role, Store};
use uuid::Uuid;

use super::store::venue;
use crate::support::database::TestDatabase;

/// Stores with a venue, opened as auth.
async fn stores() -> Vec<(Store, TestDatabase)> {
    let mut stores = Vec::new();
    for database in TestDatabase::each_kind().await {
        let owner = database.open().await;
        assert!(owner.create_venue(&venue()).await.unwrap());
        let store = match &database {
            TestDatabase::Folder(_) => owner,
            TestDatabase::Database(database) => {
                owner.close().await;
                database.open(Role::Auth).await
            }
        };
        stores.push((store, database));
    }
    stores
}

async fn user(store: &Store, name: &str) -> Uuid {
    let id = Uuid::new_v4();
    let user = NewUser {
        id,
        email: format!("{name}@example.org"),
        name: Some(name.to_uppercase()),
        password_hash: "$argon2id$one".to_owned(),
        created_at: WallTime(1),
        venue: venue().id,
        account: AccountId::derive(venue().id, id),
    };
    assert!(store.insert_user(&user).await.unwrap());
    id
}

async fn session(store: &Store, user: Uuid, hash: u8, seen: i64) -> [u8; 32] {
    let session = SessionRow {
        hash: [hash; 32],
        device: format!("browser {hash}"),
        created_at: WallTime(1),
        last_seen_at: WallTime(seen),
        expires_at: WallTime(1_000),
    };
    store.insert_session(user, &session).await.unwrap();
    session.hash
}

#[tokio::test]
async fn sessions_are_listed_and_ended_per_user() {
    for (store, _database) in stores().await {
        let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
        let one = session(&store, ann, 1, 10).await;
        let two = session(&store, ann, 2, 30).await;
        let three = session(&store, ann, 3, 20).await;
        let bobs = session(&store, bob, 4, 40).await;
        let listed = store.sessions_of(ann).await.unwrap();
        let shown: Vec<_> = listed.iter().map(|entry| (entry.hash, entry.device.as_str())).collect();
        assert_eq!(shown, [(two, "browser 2"), (three, "browser 3"), (one, "browser 1")]);
        let times = (listed[0].created_at, listed[0].last_seen_at, listed[0].expires_at);
        assert_eq!(times, (WallTime(1), WallTime(30), WallTime(1_000)));

        // Activity is recorded for an existing session, and creates none.
        assert!(store.touch_session(one, WallTime(31)).await.unwrap());
        assert_eq!(store.sessions_of(ann).await.unwrap()[0].hash, one);
        let mut ended = store.delete_sessions_of(ann, Some(two)).await.unwrap();
        ended.sort_unstable();
        assert_eq!(ended, [one, three]);
        assert!(!store.touch_session(one, WallTime(32)).await.unwrap());
        assert!(store.session(venue().id, one).await.unwrap().is_none());
        let row = store.session(venue().id, two).await.unwrap().unwrap();
        assert_eq!(row.user.name.as_deref(), Some("ANN"));
        assert_eq!(store.delete_sessions_of(ann, None).await.unwrap(), [two]);
        assert!(store.delete_sessions_of(ann, None).await.unwrap().is_empty());
        assert_eq!(store.sessions_of(bob).await.unwrap()[0].hash, bobs);
    }
}

#[tokio::test]
async fn a_reset_token_works_once_and_ends_the_users_sessions() {
    for (store, _database) in stores().await {
        let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
        let (anns, bobs) = (session(&store, ann, 1, 10).await, session(&store, bob, 2, 10).await);
        let until = WallTime(100);
        assert!(!store.set_reset("nobody@example.org", [7; 32], until).await.unwrap());
        assert!(store.set_reset("ann@example.org", [8; 32], until).await.unwrap());
        assert!(store.set_reset("ann@example.org", [9; 32], until).await.unwrap());
        let (early, late) = (WallTime(99), WallTime(100));
        assert!(store.user_of_reset([8; 32], early).await.unwrap().is_none(), "a replaced token");
        assert!(store.user_of_reset([9; 32], late).await.unwrap().is_none());
        assert_eq!(store.user_of_reset([9; 32], early).await.unwrap().unwrap().id, ann);
        assert_eq!(store.reset_password([9; 32], late, "$argon2id$two").await.unwrap(), None);
        // Of two concurrent uses, one succeeds.
        let (one, other) = tokio::join!(
            store.reset_password([9; 32], early, "$argon2id$two"),
            store.reset_password([9; 32], early, "$argon2id$two"),
        );
        let mut done = [one.unwrap(), other.unwrap()];
        done.sort_unstable();
        assert_eq!(done, [None, Some(vec![anns])]);
        let hash = async |email: &str| store.user_by_email(email).await.unwrap().unwrap().password_hash;
        assert_eq!(hash("ann@example.org").await, "$argon2id$two");
        assert_eq!(hash("bob@example.org").await, "$argon2id$one");
        assert_eq!(store.sessions_of(bob).await.unwrap()[0].hash, bobs);
    }
}
