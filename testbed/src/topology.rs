//! A site as plain processes: what the compose file says, on a private
//! PostgreSQL and Redis, every process of which can be killed and restarted.
//!
//! Only where things are is changed: addresses of servers, and the port that
//! each process listens on. Does not know what the agents do.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::compose::{self, Service};
use crate::process::{command_as_is, halt, kill_family};
use crate::{Failure, Postgres, Redis};

/// Nothing takes longer to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running site.
#[derive(Debug)]
pub struct Topology {
    binary: PathBuf,
    logs: tempfile::TempDir,
    services: Vec<Service>,
    running: BTreeMap<String, Process>,
    /// Databases, by service, that are not the site's own.
    databases: BTreeMap<String, String>,
    /// Where a process answered first: it will again.
    addresses: BTreeMap<String, String>,
    /// Everything is kept here.
    pub postgres: Postgres,
    /// Everybody speaks here.
    pub redis: Redis,
}

#[derive(Debug)]
struct Process {
    child: Child,
    /// Lines of its standard output.
    said: Receiver<String>,
}

impl Topology {
    /// Starts what the compose file at `file` says, with `binary` in the place
    /// of its image and `variables` in the place of an `.env` file. Ends when
    /// everybody answers.
    ///
    /// To be called on a thread that lives as long as the site: the processes
    /// are killed when it ends.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn start(
        file: &Path,
        binary: &Path,
        variables: &[(&str, &str)],
        postgres: Postgres,
    ) -> Result<Self, Failure> {
        let broken = |said: String| Failure::Broken { program: "compose.yaml", said };
        let text = fs::read_to_string(file)?;
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let services = compose::read(&text, &variables.collect()).map_err(broken)?;
        let (own, others): (Vec<_>, Vec<_>) =
            services.into_iter().partition(|service| service.image.starts_with("tickhall:"));
        for service in &others {
            if !["postgres:", "redis:"].iter().any(|known| service.image.starts_with(known)) {
                return Err(broken(format!("nothing stands in for {}", service.image)));
            }
        }
        let mut site = Self {
            binary: binary.to_owned(),
            logs: tempfile::tempdir()?,
            services: own,
            running: BTreeMap::new(),
            databases: BTreeMap::new(),
            addresses: BTreeMap::new(),
            postgres,
            redis: Redis::start()?,
        };
        site.start_all()?;
        Ok(site)
    }

    /// The site's own services, as the file calls them.
    pub fn names(&self) -> Vec<String> {
        self.services.iter().map(|service| service.name.clone()).collect()
    }

    /// Those that are reached from outside.
    pub fn published(&self) -> Vec<String> {
        let published = self.services.iter().filter(|service| service.is_published);
        published.map(|service| service.name.clone()).collect()
    }

    /// Where a service answers, like `http://127.0.0.1:40001`.
    ///
    /// # Panics
    /// When there is no such service.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}", self.addresses[name])
    }

    /// Kills a service at once.
    pub fn kill(&mut self, name: &str) {
        if let Some(mut process) = self.running.remove(name) {
            kill_family(&mut process.child);
        }
    }

    /// The address of the database that a service is given from now on, in the
    /// place of the site's.
    pub fn database(&mut self, name: &str, url: String) {
        self.databases.insert(name.to_owned(), url);
    }

    /// Halts a service where it stands, or lets it go on.
    pub fn halt(&mut self, name: &str, halted: bool) {
        if let Some(process) = self.running.get(name) {
            halt(&process.child, halted);
        }
    }

    /// Starts one more process of the service `like`, called `name` from now
    /// on; ends when it answers.
    ///
    /// # Errors
    /// [`Failure`], with its last words.
    pub fn add(&mut self, like: &str, name: &str) -> Result<(), Failure> {
        let like = self.services.iter().find(|service| service.name == like).cloned();
        self.services.extend(like.map(|like| Service { name: name.to_owned(), ..like }));
        self.spawn(name)?;
        self.answers(name)
    }

    /// Kills everything but PostgreSQL and Redis.
    pub fn kill_all(&mut self) {
        for name in self.names() {
            self.kill(&name);
        }
    }

    /// Starts whatever does not run; ends when all of it answers.
    ///
    /// # Errors
    /// [`Failure`], with the last words of who did not start.
    pub fn start_all(&mut self) -> Result<(), Failure> {
        let idle: Vec<_> = self.names().into_iter().filter(|name| !self.running.contains_key(name)).collect();
        for name in &idle {
            self.spawn(name)?;
        }
        for name in &idle {
            self.answers(name)?;
        }
        Ok(())
    }

    /// Starts a service; it need not answer yet.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn spawn(&mut self, name: &str) -> Result<(), Failure> {
        let unknown = || Failure::Broken { program: "compose.yaml", said: format!("no service {name}") };
        let service = self.services.iter().find(|service| service.name == name).ok_or_else(unknown)?;
        let listen = self.addresses.get(name).map_or("127.0.0.1:0", String::as_str);
        let mut command = command_as_is(&self.binary);
        own_environment(&mut command);
        command.args(&service.command).envs(&service.environment).current_dir(self.logs.path());
        let database = self.databases.get(name).cloned().unwrap_or_else(|| self.postgres.url("postgres"));
        command.env("TICKHALL_DATABASE_URL", database);
        command.env("TICKHALL_REDIS_URL", self.redis.url());
        command.env("TICKHALL_LISTEN", listen).env("TICKHALL_AGENT__LISTEN", listen);
        let log = File::options().create(true).append(true).open(self.log(name))?;
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn()?;
        let (sender, said) = channel();
        if let Some(out) = child.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(out).lines().map_while(Result::ok) {
                    // Who does not listen any more needs no lines.
                    let _ = sender.send(line);
                }
            });
        }
        self.running.insert(name.to_owned(), Process { child, said });
        Ok(())
    }

    /// Waits until a service says where it answers.
    ///
    /// # Errors
    /// [`Failure`], with its last words.
    pub fn answers(&mut self, name: &str) -> Result<(), Failure> {
        let Some(process) = self.running.get(name) else { return Ok(()) };
        loop {
            match process.said.recv_timeout(PATIENCE) {
                Ok(line) => {
                    if let Some((_, address)) = line.split_once("http://") {
                        self.addresses.insert(name.to_owned(), address.trim().to_owned());
                        return Ok(());
                    }
                }
                Err(_) => {
                    let said = self.last_words(name);
                    return Err(Failure::Broken { program: "tickhall", said });
                }
            }
        }
    }

    /// The end of what a service logged.
    pub fn last_words(&self, name: &str) -> String {
        let said = fs::read_to_string(self.log(name)).unwrap_or_default();
        let lines: Vec<_> = said.lines().rev().take(20).collect();
        format!("{name}: {}", lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
    }

    /// The program on this site's store, for commands like `verify`.
    pub fn program(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        own_environment(&mut command);
        command.args(words).current_dir(self.logs.path());
        command.env("TICKHALL_DATABASE_URL", self.postgres.url("postgres"));
        command
    }

    fn log(&self, name: &str) -> PathBuf {
        self.logs.path().join(format!("{name}.jsonl"))
    }
}

impl Drop for Topology {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Whoever reads why the test failed wants to know what was said.
            for name in self.names() {
                eprintln!("{}", self.last_words(&name));
            }
        }
        self.kill_all();
    }
}

/// No settings of whoever starts the site.
fn own_environment(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TICKHALL_") {
            command.env_remove(name);
        }
    }
}
