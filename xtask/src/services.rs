//! The PostgreSQL and the Redis that tests and benches run on: those that the
//! environment names, else private ones, installed if that needs no questions, as is
//! the nginx that tests start themselves.
//!
//! Does not know what is stored there.

use anyhow::Result;
use testbed::{Failure, Postgres, Proxy, Redis};

use crate::install;
use crate::progress::Step;

const DATABASE_URL: &str = "DATABASE_URL";
const REDIS_URL: &str = "REDIS_URL";

/// Servers that run as long as this value lives.
pub(crate) struct Services {
    postgres: Option<Postgres>,
    redis: Option<Redis>,
}

impl Services {
    /// Starts what the environment does not name.
    pub(crate) fn start() -> Result<Services> {
        let is_unnamed = |name: &str| std::env::var_os(name).is_none();
        let step = Step::start("PostgreSQL, Redis and nginx");
        // Installed even if the environment names them: some tests kill servers
        // of their own. A crash of the machine is not among the tests.
        let postgres = start_or_install("postgresql", || Postgres::start(&["fsync=off"]));
        let redis = start_or_install("redis-server", Redis::start);
        start_or_install("nginx", Proxy::check)?;
        // An error counts only for a server that is not named.
        let services = Services {
            postgres: is_unnamed(DATABASE_URL).then_some(postgres).transpose()?,
            redis: is_unnamed(REDIS_URL).then_some(redis).transpose()?,
        };
        step.done();
        Ok(services)
    }

    /// Environment variables that tell tests where the servers are.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (&'static str, String)> {
        let postgres = self.postgres.as_ref().map(|server| (DATABASE_URL, server.url("postgres")));
        postgres.into_iter().chain(self.redis.as_ref().map(|server| (REDIS_URL, server.url())))
    }
}

/// Starts a server, after installing its Debian package if it is missing.
pub(crate) fn start_or_install<T>(package: &str, start: impl Fn() -> Result<T, Failure>) -> Result<T> {
    match start() {
        Err(Failure::Missing(_)) => install::debian(&[package])?,
        started => return Ok(started?),
    }
    Ok(start()?)
}
