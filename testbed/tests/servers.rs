//! Guarantees of the private servers to whoever kills them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use testbed::{Postgres, Redis};

#[test]
fn postgres_keeps_what_was_committed_when_all_of_it_is_killed() {
    let mut postgres = Postgres::start(&[]).unwrap();
    let ask = |postgres: &Postgres, sql: &str| {
        let output = postgres.client("psql").unwrap().args(["-At", "-c", sql]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    ask(&postgres, "CREATE TABLE kept (n int)");
    assert_eq!(ask(&postgres, "INSERT INTO kept VALUES (7)"), "INSERT 0 1");
    postgres.kill();
    assert_eq!(ask(&postgres, "SELECT n FROM kept"), "");
    postgres.restart().unwrap();
    assert_eq!(ask(&postgres, "SELECT n FROM kept"), "7");
}

#[test]
fn redis_comes_back_empty_at_the_same_place() {
    let mut redis = Redis::start().unwrap();
    let ask = |redis: &Redis, words: &[&str]| {
        let output = redis.client("redis-cli").unwrap().args(words).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(ask(&redis, &["SET", "k", "v"]), "OK");
    assert_eq!(ask(&redis, &["GET", "k"]), "v");
    let url = redis.url();
    redis.restart().unwrap();
    assert_eq!(redis.url(), url);
    assert_eq!(ask(&redis, &["GET", "k"]), "");
}
