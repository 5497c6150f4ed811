//! A PostgreSQL and a Redis of one's own, for tests and benches: in a
//! temporary folder, on a Unix socket, gone with the value that holds them.
//! And the site as processes on them, as the compose file says.
//!
//! Finds the installed programs and never installs any. Does not know what is
//! stored.

pub mod compose;
mod postgres;
mod process;
mod redis;
mod topology;

pub use postgres::Postgres;
pub use redis::Redis;
pub use topology::Topology;

/// What is in the name of every test that cannot do without a server, so that
/// it is left out where there is none.
pub const NAMED: [&str; 3] = ["postgres", "redis", "topology"];

/// Why there is no such server, in one line.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A program is not installed.
    #[error("{0} is not installed")]
    Missing(&'static str),
    /// It does not do what it should; its own words.
    #[error("{program}: {said}")]
    Broken {
        /// Which program.
        program: &'static str,
        /// What it said.
        said: String,
    },
    /// The system refused something.
    #[error(transparent)]
    System(#[from] std::io::Error),
}
