//! The PostgreSQL and the Redis that tests and benches run on: those named in
//! the environment, else private ones, installed where that needs no questions.
//!
//! Does not know what is stored there.

use anyhow::Result;
use testbed::{Failure, Postgres, Redis};

use crate::install;
use crate::progress::Step;

/// The variables that name them.
const VARIABLES: [&str; 2] = ["DATABASE_URL", "REDIS_URL"];

/// Servers that live as long as this value.
pub(crate) struct Services {
    postgres: Option<Postgres>,
    redis: Option<Redis>,
}

impl Services {
    /// Starts what the environment does not name.
    pub(crate) fn start() -> Result<Services> {
        let is_unnamed = |name: &str| std::env::var_os(name).is_none();
        let step = Step::start("PostgreSQL and Redis");
        // Also beside those that are named: some tests kill servers of their own.
        // A crash of the machine is not among the tests.
        let postgres = installed("postgresql", || Postgres::start(&["fsync=off"]));
        let redis = installed("redis-server", Redis::start);
        let [database_url, redis_url] = VARIABLES;
        // Those that miss one of their own will say so.
        let services = Services {
            postgres: is_unnamed(database_url).then_some(postgres).transpose()?,
            redis: is_unnamed(redis_url).then_some(redis).transpose()?,
        };
        step.done();
        Ok(services)
    }

    /// What tests are told.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (&'static str, String)> {
        let [database, redis] = VARIABLES;
        let postgres = self.postgres.as_ref().map(|server| (database, server.url("postgres")));
        postgres.into_iter().chain(self.redis.as_ref().map(|server| (redis, server.url())))
    }
}

/// Starts a server; one that is not there is installed first.
pub(crate) fn installed<T>(package: &str, start: impl Fn() -> Result<T, Failure>) -> Result<T> {
    match start() {
        Err(Failure::Missing(_)) => install::debian(&[package])?,
        started => return Ok(started?),
    }
    Ok(start()?)
}
