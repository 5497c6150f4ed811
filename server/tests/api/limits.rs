//! Limits of clients: passwords, requests and reads, by user and by address.

use engine::venue::VenueConfig;
use reqwest::Method;
use serde_json::json;
use server::http::TrustedProxies;
use sqlx::Connection as _;

use crate::support::database::{Database, TestDatabase};
use crate::support::site::{Answer, PASSWORD, Site, Visitor};
use crate::support::trading_fixture::TEST_TIMEOUT;

/// The password whose strength takes the longest to estimate, as far as is known.
const EXPENSIVE: &str = "!71|4@8({[<369$5+%20!71|4@8({[<369$5+%20";

fn refusal(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.code())
}

#[tokio::test]
async fn a_password_is_judged_after_the_limits() {
    let site = Site::with(|config| config.limits.registrations_per_minute = 1).await;
    let mut guest = site.visitor();
    assert_eq!(guest.post("/api/v1/auth/guest", &json!({ "name": "ada" })).await.status, 201);
    let before = (site.auth().password_hashes(), site.auth().password_estimates());
    let body = json!({ "email": "ada@example.org", "password": EXPENSIVE });
    let form = format!("email=ada%40example.org&password={}", "x%7C".repeat(20));
    let limited = (429, "rate_limited".to_owned());
    assert_eq!(refusal(&site.visitor().post("/api/v1/auth/register", &body).await), limited);
    assert_eq!(refusal(&guest.post("/api/v1/auth/keep", &body).await), limited);
    let back = site.visitor().form("/register", &form).await;
    assert!(back.header("location").starts_with("/register?error=rate_limited&"), "{back:?}");
    let back = guest.form("/account/keep", &form).await;
    assert!(back.header("location").starts_with("/account?error=rate_limited&"), "{back:?}");
    assert_eq!((site.auth().password_hashes(), site.auth().password_estimates()), before);
    // One that is too short costs nothing, so that it does not count either.
    let short = json!({ "email": "ada@example.org", "password": "short" });
    let answer = site.visitor().post("/api/v1/auth/register", &short).await;
    assert_eq!(refusal(&answer), (422, "password_too_short".to_owned()));
    site.clock.advance_micros(60_000_000);
    assert_eq!(guest.post("/api/v1/auth/keep", &body).await.status, 200);
    assert_eq!((site.auth().password_hashes(), site.auth().password_estimates()), (before.0 + 1, 1));
    site.close().await;
}

#[tokio::test]
async fn a_storm_of_sign_ins_is_refused_with_a_time_to_come_again() {
    let site = Site::with(|config| config.limits.login_failures_per_address_per_minute = 100_000).await;
    let before = site.auth().password_hashes();
    let tries = (0..200).map(|number| {
        let mut visitor = site.visitor();
        let body = json!({ "email": format!("user-{number}@example.org"), "password": PASSWORD });
        async move { visitor.post("/api/v1/auth/login", &body).await }
    });
    let answers = futures::future::join_all(tries).await;
    let (mut tried, mut refused) = (0, 0);
    for answer in answers {
        match answer.status.as_u16() {
            401 => tried += 1,
            429 => {
                assert_eq!((answer.code().as_str(), answer.header("retry-after")), ("rate_limited", "1"));
                refused += 1;
            }
            other => panic!("{other}: {}", answer.text),
        }
    }
    // Who was refused was not tried, and has all tries left.
    assert_eq!((site.auth().password_hashes() - before, tried + refused), (tried, 200));
    site.close().await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_locks_nobody_out() {
    let site = Site::open().await;
    site.user("ada").await;
    let mut visitor = site.visitor();
    let wrong = json!({ "email": "ada@example.org", "password": "wrong password 1" });
    for _ in 0..10 {
        assert_eq!(visitor.post("/api/v1/auth/login", &wrong).await.status, 401);
    }
    site.clock.set_back_micros(2 * 3_600_000_000);
    let limited = visitor.post("/api/v1/auth/login", &wrong).await;
    assert_eq!((refusal(&limited), limited.header("retry-after")), ((429, "rate_limited".to_owned()), "60"));
    site.clock.advance_micros(60_000_000);
    let right = json!({ "email": "ada@example.org", "password": PASSWORD });
    assert_eq!(visitor.post("/api/v1/auth/login", &right).await.status, 200);
    site.close().await;
}

#[tokio::test]
async fn pages_count_like_requests_of_the_api() {
    let site = Site::with(|config| config.limits.requests_per_second = 3).await;
    let (ada, bob) = (site.user("ada").await, site.user("bob").await);
    for path in ["/", "/portfolio", "/api/v1/session"] {
        assert_eq!(ada.get(path).await.status, 200, "{path}");
    }
    for path in ["/", "/nowhere", "/api/v1/session"] {
        let limited = ada.get(path).await;
        assert_eq!(
            (refusal(&limited), limited.header("retry-after")),
            ((429, "rate_limited".to_owned()), "1")
        );
        assert_eq!(bob.get(path).await.status, if path == "/nowhere" { 404 } else { 200 }, "{path}");
    }
    site.clock.advance_micros(1_000_000);
    assert_eq!(ada.get("/").await.status, 200);
    site.close().await;
}

#[tokio::test]
async fn strangers_share_the_requests_of_their_address() {
    let site = Site::with(|config| config.limits.requests_per_address_per_second = 2).await;
    site.clock.advance_micros(1_000_000);
    assert_eq!(site.visitor().get("/login").await.status, 200);
    assert_eq!(site.visitor().get("/api/v1/session").await.status, 401);
    assert_eq!(refusal(&site.visitor().get("/register").await), (429, "rate_limited".to_owned()));
    site.clock.advance_micros(1_000_000);
    assert_eq!(site.visitor().get("/register").await.status, 200);
    site.close().await;
}

/// Sends a wrong password with these lines of a proxy.
async fn fail(visitor: &mut Visitor, headers: &[(&str, &str)]) -> Answer {
    let body = json!({ "email": "nobody@example.org", "password": PASSWORD }).to_string();
    let send = |mut request: reqwest::RequestBuilder| {
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.header("content-type", "application/json").body(body)
    };
    visitor.send(Method::POST, "/api/v1/auth/login", send).await
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_limits_of_its_own() {
    let site = Site::with(|config| {
        config.limits.login_failures_per_address_per_minute = 2;
        config.trusted_proxies = TrustedProxies::parse("127.0.0.0/8").unwrap();
    })
    .await;
    let mut visitor = site.visitor();
    let (one, other) = ([("x-forwarded-for", "198.51.100.1")], [("forwarded", "for=198.51.100.2")]);
    for _ in 0..2 {
        assert_eq!(fail(&mut visitor, &one).await.status, 401);
        assert_eq!(fail(&mut visitor, &other).await.status, 401);
    }
    assert_eq!(fail(&mut visitor, &one).await.status, 429);
    assert_eq!(fail(&mut visitor, &other).await.status, 429);
    // A client's own claims stand before the address that the proxy adds.
    assert_eq!(fail(&mut visitor, &[("x-forwarded-for", "203.0.113.9, 198.51.100.1")]).await.status, 429);
    assert_eq!(fail(&mut visitor, &[("x-forwarded-for", "198.51.100.3")]).await.status, 401);
    site.close().await;
}

#[tokio::test]
async fn nobody_but_a_trusted_proxy_names_the_client() {
    let site = Site::with(|config| config.limits.login_failures_per_address_per_minute = 2).await;
    let mut visitor = site.visitor();
    for (number, status) in [(1, 401), (2, 401), (3, 429)] {
        let claimed = format!("198.51.100.{number}");
        let headers = [("x-forwarded-for", claimed.as_str()), ("forwarded", &format!("for={claimed}"))];
        assert_eq!(fail(&mut visitor, &headers).await.status, status, "{claimed}");
    }
    site.close().await;
}

/// Number of statements that wait for a lock.
async fn blocked(connection: &mut sqlx::PgConnection) -> i64 {
    let sql = "SELECT count(*) FROM pg_stat_activity
               WHERE wait_event_type = 'Lock' AND datname = current_database()";
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn postgres_reads_of_a_greedy_user_leave_connections_to_the_others() {
    let database = Database::create().await;
    let (mut owner, mut observer) = (database.connect().await, database.connect().await);
    let site = Site::on(TestDatabase::Database(database), VenueConfig::default(), |_| {}).await;
    let (ada, bob) = (site.user("ada").await, site.user("bob").await);
    // Whoever reads orders waits until this transaction ends.
    let mut lock = owner.begin().await.unwrap();
    sqlx::query("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let greedy: Vec<_> = (0..40)
        .map(|_| {
            let ada = ada.clone();
            tokio::spawn(async move { drop(ada.get("/api/v1/orders").await) })
        })
        .collect();
    let waiting = async {
        while blocked(&mut observer).await < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(TEST_TIMEOUT, waiting).await.expect("nobody reads orders");
    for _ in 0..5 {
        let answer = bob.get("/api/v1/history/trades").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    assert_eq!(blocked(&mut observer).await, 2);
    lock.rollback().await.unwrap();
    for read in greedy {
        read.await.unwrap();
    }
    site.close().await;
}
