//! Private PostgreSQL and Redis servers for tests and benches, each in a
//! temporary folder, on a Unix socket, for the lifetime of a value; and the
//! services of the compose file as processes on them, with its proxy.
//!
//! Uses installed programs and installs none. Does not know what is stored.

pub mod compose;
mod postgres;
mod process;
mod proxy;
mod redis;
mod topology;

pub use postgres::Postgres;
pub use proxy::Proxy;
pub use redis::Redis;
pub use topology::Topology;

/// Words in the names of tests that need a server, by which they are skipped
/// where there is none.
pub const SERVER_TEST_WORDS: [&str; 3] = ["postgres", "redis", "topology"];

/// Reason for which a server does not run, in one line.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A program is not installed.
    #[error("{0} is not installed")]
    Missing(&'static str),
    /// A program failed.
    #[error("{program}: {output}")]
    Broken {
        program: &'static str,
        /// Its error output.
        output: String,
    },
    /// A system call failed.
    #[error(transparent)]
    System(#[from] std::io::Error),
}
