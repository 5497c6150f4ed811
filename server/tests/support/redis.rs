//! A Redis server: the one that `REDIS_URL` names, or a private one that can be
//! killed.

use server::bus::{Bus, StreamLimits};
use testbed::Failure;

use super::servers::{if_there, named};

const NEEDED: &str = "Redis: `cargo xtask test` installs it";

/// A server of one's own, or a guest's place on another.
pub struct Server {
    private: Option<testbed::Redis>,
    url: String,
}

impl Server {
    /// The named server, or a private one.
    pub fn start() -> Self {
        named();
        Self::found().expect(NEEDED)
    }

    /// The same, for a test that has a part to do without.
    pub fn if_there() -> Option<Self> {
        if_there(Self::found())
    }

    /// A private one, which may be wiped and killed.
    pub fn private() -> Self {
        named();
        Self::new().expect(NEEDED)
    }

    fn found() -> Result<Self, Failure> {
        match std::env::var("REDIS_URL") {
            Ok(url) => Ok(Self { private: None, url }),
            Err(_) => Self::new(),
        }
    }

    fn new() -> Result<Self, Failure> {
        let server = testbed::Redis::start()?;
        Ok(Self { url: server.url(), private: Some(server) })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// A new connection of the bus to this server.
    pub async fn bus(&self) -> Bus {
        Bus::open(Some(&self.url), StreamLimits::default()).await.unwrap()
    }

    /// Runs `redis-cli` and gives what it prints.
    pub fn cli(&self, words: &[&str]) -> String {
        let server = self.private.as_ref().expect("a private server");
        let output = server.client("redis-cli").unwrap().args(words).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Everything is gone.
    pub fn wipe(&self) {
        assert_eq!(self.cli(&["FLUSHALL"]), "OK");
    }

    pub fn kill(&mut self) {
        self.private.as_mut().expect("a private server").kill();
    }

    /// Comes back empty, at the same place.
    pub fn restart(&mut self) {
        self.private.as_mut().expect("a private server").restart().unwrap();
    }
}
