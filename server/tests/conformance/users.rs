//! Users and their sessions, on each backend, with the rights of auth.

use engine::id::AccountId;
use engine::time::WallTime;
use server::store::users::{GuestRegistration, NewUser, SessionRow};
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
    assert!(store.insert_session(user, &session, 100).await.unwrap().is_empty());
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
async fn active_users_are_counted_and_the_latest_are_listed() {
    for (store, _database) in stores().await {
        let (ann, bob, cleo) =
            (user(&store, "ann").await, user(&store, "bob").await, user(&store, "cleo").await);
        session(&store, ann, 1, 10).await;
        session(&store, ann, 2, 30).await;
        session(&store, ann, 3, 20).await;
        session(&store, bob, 4, 40).await;
        session(&store, cleo, 5, 19).await;
        let (users, total) = store.active_users(venue().id, WallTime(20), 10).await.unwrap();
        let shown: Vec<_> =
            users.iter().map(|found| (found.user, found.sessions, found.last_seen_at)).collect();
        assert_eq!(shown, [(bob, 1, WallTime(40)), (ann, 2, WallTime(30))]);
        assert_eq!((total, users[1].name.as_deref()), (2, Some("ANN")));
        assert_eq!(users[1].account, AccountId::derive(venue().id, ann));
        let (users, total) = store.active_users(venue().id, WallTime(0), 1).await.unwrap();
        assert_eq!((users.len(), users[0].user, total), (1, bob, 3));
        assert_eq!(store.active_users(venue().id, WallTime(41), 10).await.unwrap().1, 0);
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

#[tokio::test]
async fn a_session_beyond_the_limit_ends_the_one_unused_for_longest() {
    for (store, _database) in stores().await {
        let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
        let [one, two] = [session(&store, ann, 1, 10).await, session(&store, ann, 2, 30).await];
        let bobs = session(&store, bob, 4, 5).await;
        let row = |hash: u8| SessionRow {
            hash: [hash; 32],
            device: "browser".to_owned(),
            created_at: WallTime(1),
            last_seen_at: WallTime(2),
            expires_at: WallTime(1_000),
        };
        // The new one stays, however it compares.
        assert_eq!(store.insert_session(ann, &row(3), 2).await.unwrap(), [one]);
        assert_eq!(store.insert_session(ann, &row(5), 1).await.unwrap().len(), 2);
        assert_eq!(store.sessions_of(ann).await.unwrap()[0].hash, [5; 32]);
        assert!(store.session(venue().id, two).await.unwrap().is_none());
        assert_eq!(store.sessions_of(bob).await.unwrap()[0].hash, bobs);
    }
}

#[tokio::test]
async fn idle_sessions_of_guests_end_later_than_those_of_users() {
    for (store, _database) in stores().await {
        let ann = user(&store, "ann").await;
        let joe = guest(&store, "joe", 1).await;
        session(&store, ann, 1, 10).await;
        let late = session(&store, ann, 2, 20).await;
        session(&store, joe, 3, 4).await;
        let joes = session(&store, joe, 4, 10).await;
        let ended = store.delete_expired_sessions(WallTime(15), WallTime(5), WallTime(1_000)).await.unwrap();
        assert_eq!(ended, 2);
        let left = async |user| {
            store.sessions_of(user).await.unwrap().iter().map(|row| row.hash).collect::<Vec<_>>()
        };
        assert_eq!((left(ann).await, left(joe).await), (vec![late], vec![joes]));
        // The absolute limit is one for all.
        assert_eq!(
            store.delete_expired_sessions(WallTime(0), WallTime(0), WallTime(1_001)).await.unwrap(),
            2
        );
    }
}

/// A guest created at `created_at`.
async fn guest(store: &Store, name: &str, created_at: i64) -> Uuid {
    let id = Uuid::new_v4();
    let guest = NewUser {
        id,
        email: format!("{name} (guest)"),
        name: Some(name.to_owned()),
        password_hash: "$argon2id$one".to_owned(),
        created_at: WallTime(created_at),
        venue: venue().id,
        account: AccountId::derive(venue().id, id),
    };
    assert!(store.insert_guest(&guest, 1_000).await.unwrap());
    id
}

#[tokio::test]
async fn guests_are_limited_and_removed_in_two_steps() {
    for (store, _database) in stores().await {
        user(&store, "ann").await;
        let (old, active) = (guest(&store, "old", 1).await, guest(&store, "active", 2).await);
        let (older, new) = (guest(&store, "older", 0).await, guest(&store, "new", 50).await);
        let next = Uuid::new_v4();
        let more = NewUser {
            id: next,
            email: "next (guest)".to_owned(),
            name: None,
            password_hash: "$argon2id$one".to_owned(),
            created_at: WallTime(60),
            venue: venue().id,
            account: AccountId::derive(venue().id, next),
        };
        // Ann is no guest.
        assert!(!store.insert_guest(&more, 4).await.unwrap());
        assert!(store.insert_guest(&more, 5).await.unwrap());

        session(&store, active, 1, 10).await;
        let begin = async |limit: u32| {
            let marked = store.begin_guest_removals(venue().id, WallTime(40), WallTime(100), limit).await;
            marked.unwrap().into_iter().map(|guest| guest.user).collect::<Vec<_>>()
        };
        // In batches, those created first; who is marked stays so until deleted.
        assert_eq!(begin(1).await, [older]);
        assert_eq!(begin(10).await, [older, old]);
        let registered = store.register_guest(old, "old@example.org", "$argon2id$two").await.unwrap();
        assert_eq!(registered, GuestRegistration::NotGuest);
        for _ in 0..2 {
            store.delete_guest(venue().id, older).await.unwrap();
        }
        assert_eq!(begin(10).await, [old]);
        assert!(store.user(venue().id, older).await.unwrap().is_none());
        // Nobody is deleted who is not marked.
        store.delete_guest(venue().id, active).await.unwrap();
        for stays in [old, active, new, next] {
            assert!(store.user(venue().id, stays).await.unwrap().is_some());
        }
    }
}

#[tokio::test]
async fn names_and_passwords_are_changed() {
    for (store, _database) in stores().await {
        let ann = user(&store, "ann").await;
        for name in [Some("Ann B."), None] {
            assert!(store.set_user_name(ann, name).await.unwrap());
            assert_eq!(store.user(venue().id, ann).await.unwrap().unwrap().name.as_deref(), name);
        }
        assert!(!store.set_user_name(Uuid::new_v4(), None).await.unwrap());
        let (here, there) = (session(&store, ann, 1, 10).await, session(&store, ann, 2, 10).await);
        assert!(store.set_reset("ann@example.org", [9; 32], WallTime(100)).await.unwrap());
        let change = async |old: &str, new: &str| store.change_password(ann, old, new, here).await.unwrap();
        assert_eq!(change("$argon2id$zero", "$argon2id$two").await, None);
        assert_eq!(change("$argon2id$one", "$argon2id$two").await, Some(vec![there]));
        assert_eq!(change("$argon2id$one", "$argon2id$three").await, None);
        let row = store.user_by_email("ann@example.org").await.unwrap().unwrap();
        assert_eq!(row.password_hash, "$argon2id$two");
        assert!(store.user_of_reset([9; 32], WallTime(99)).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn an_owner_is_appointed_once_and_only_the_token_signs_them_in() {
    for (store, _database) in stores().await {
        let ann = user(&store, "ann").await;
        let anns = session(&store, ann, 1, 10).await;
        let owner = |name: &str, hash: &str| {
            let id = Uuid::new_v4();
            NewUser {
                id,
                email: format!("{name}@example.org"),
                name: None,
                password_hash: hash.to_owned(),
                created_at: WallTime(1),
                venue: venue().id,
                account: AccountId::derive(venue().id, id),
            }
        };
        let new = owner("owner", "$argon2id$new");
        assert_eq!(store.appoint_owner(&new, [7; 32], WallTime(100)).await.unwrap(), Some(vec![]));
        assert!(store.user(venue().id, new.id).await.unwrap().unwrap().owner);
        assert_eq!(store.user_of_reset([7; 32], WallTime(99)).await.unwrap().unwrap().id, new.id);
        let again = owner("owner", "$argon2id$again");
        assert_eq!(store.appoint_owner(&again, [8; 32], WallTime(100)).await.unwrap(), None);
        assert_eq!(store.user_by_email(&new.email).await.unwrap().unwrap().password_hash, "$argon2id$new");
        // An address that somebody has: they keep nothing but the account.
        let other = owner("ann", "$argon2id$other");
        assert_eq!(store.appoint_owner(&other, [9; 32], WallTime(100)).await.unwrap(), Some(vec![anns]));
        let row = store.user_by_email("ann@example.org").await.unwrap().unwrap();
        assert_eq!((row.id, row.password_hash.as_str()), (ann, "$argon2id$other"));
        assert!(store.user(venue().id, ann).await.unwrap().unwrap().owner);
        assert!(!store.user(venue().id, new.id).await.unwrap().unwrap().owner);
    }
}
