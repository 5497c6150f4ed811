//! The services of the compose file as processes that can be killed and
//! restarted, on a private PostgreSQL and Redis, behind its proxy.
//!
//! Changes addresses only: those of the servers and of the proxy, and the port that
//! each process listens on. Does not know what the agents do.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::compose::{self, Service};
use crate::process::{command_as_self, kill_tree, set_stopped};
use crate::{Failure, Postgres, Proxy, Redis};

/// Time in which a process must print its address.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Configuration of the proxy, beside the compose file.
const PROXY_CONFIG: &str = "nginx.conf";

/// Address from which the proxy reaches the gateways.
const PROXY_HOST: &str = "127.0.0.1";

/// Running services.
#[derive(Debug)]
pub struct Topology {
    binary: PathBuf,
    logs: tempfile::TempDir,
    services: Vec<Service>,
    /// The proxy's service, and its process.
    proxy: Option<(Service, Proxy)>,
    running: BTreeMap<String, Process>,
    /// Databases of services that do not use [`Self::postgres`].
    databases: BTreeMap<String, String>,
    /// Addresses of services; the same after a restart.
    addresses: BTreeMap<String, String>,
    /// Store of all services.
    pub postgres: Postgres,
    /// Bus of all services.
    pub redis: Redis,
}

#[derive(Debug)]
struct Process {
    child: Child,
    /// Lines of its standard output.
    output: Receiver<String>,
}

impl Topology {
    /// Starts the services of the compose file, with `binary` instead of its image
    /// and `variables` instead of an `.env` file, and waits until all are ready.
    ///
    /// The processes are killed when the calling thread ends.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn start(
        file: &Path,
        binary: &Path,
        variables: &[(&str, &str)],
        postgres: Postgres,
    ) -> Result<Self, Failure> {
        let broken = |output: String| Failure::Broken { program: "compose.yaml", output };
        let text = fs::read_to_string(file)?;
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let services = compose::read(&text, &variables.collect()).map_err(broken)?;
        let (own, others): (Vec<_>, Vec<_>) =
            services.into_iter().partition(|service| service.image.starts_with("tickhall:"));
        for service in &others {
            if !["postgres:", "redis:", "nginx:"].iter().any(|image| service.image.starts_with(image)) {
                return Err(broken(format!("no program for the image {}", service.image)));
            }
        }
        let proxy = others.into_iter().find(|service| service.image.starts_with("nginx:"));
        let mut site = Self {
            binary: binary.to_owned(),
            logs: tempfile::tempdir()?,
            services: own,
            proxy: None,
            running: BTreeMap::new(),
            databases: BTreeMap::new(),
            addresses: BTreeMap::new(),
            postgres,
            redis: Redis::start()?,
        };
        site.start_all()?;
        if let Some(service) = proxy {
            let proxy = Proxy::start(&file.with_file_name(PROXY_CONFIG), &site.addresses)?;
            site.addresses.insert(service.name.clone(), proxy.address().to_owned());
            site.proxy = Some((service, proxy));
        }
        Ok(site)
    }

    /// Names of the agents' services.
    pub fn names(&self) -> Vec<String> {
        self.services.iter().map(|service| service.name.clone()).collect()
    }

    /// Names of the gateways' services.
    pub fn gateways(&self) -> Vec<String> {
        let gateways = self.services.iter().filter(|service| service.command == ["agent", "gateway"]);
        gateways.map(|service| service.name.clone()).collect()
    }

    /// Names of the services with a published port.
    pub fn published(&self) -> Vec<String> {
        let services = self.services.iter().chain(self.proxy.iter().map(|(service, _)| service));
        services.filter(|service| service.is_published).map(|service| service.name.clone()).collect()
    }

    /// Address of a service, like `http://127.0.0.1:40001`.
    ///
    /// # Panics
    /// If there is no such service.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}", self.addresses[name])
    }

    /// Kills a service.
    pub fn kill(&mut self, name: &str) {
        if let Some(mut process) = self.running.remove(name) {
            kill_tree(&mut process.child);
        }
    }

    /// Sets the database that a service uses after its next start.
    pub fn set_database_url(&mut self, name: &str, url: String) {
        self.databases.insert(name.to_owned(), url);
    }

    /// Stops the process of a service, or continues it.
    pub fn set_stopped(&mut self, name: &str, stopped: bool) {
        if let Some(process) = self.running.get(name) {
            set_stopped(&process.child, stopped);
        }
    }

    /// Starts another process of the service `like` as the service `name`, and
    /// waits until it is ready.
    ///
    /// # Errors
    /// [`Failure`], with the end of its log.
    pub fn add(&mut self, like: &str, name: &str) -> Result<(), Failure> {
        let like = self.services.iter().find(|service| service.name == like).cloned();
        self.services.extend(like.map(|like| Service { name: name.to_owned(), ..like }));
        self.spawn(name)?;
        self.wait_until_ready(name)
    }

    /// Kills everything but PostgreSQL, Redis and the proxy.
    pub fn kill_all(&mut self) {
        for name in self.names() {
            self.kill(&name);
        }
    }

    /// Starts the services that do not run and waits until they are ready.
    ///
    /// # Errors
    /// [`Failure`], with the end of the log.
    pub fn start_all(&mut self) -> Result<(), Failure> {
        let stopped: Vec<_> =
            self.names().into_iter().filter(|name| !self.running.contains_key(name)).collect();
        for name in &stopped {
            self.spawn(name)?;
        }
        for name in &stopped {
            self.wait_until_ready(name)?;
        }
        Ok(())
    }

    /// Starts a service without waiting for it.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn spawn(&mut self, name: &str) -> Result<(), Failure> {
        let unknown = || Failure::Broken { program: "compose.yaml", output: format!("no service {name}") };
        let service = self.services.iter().find(|service| service.name == name).ok_or_else(unknown)?;
        let listen = self.addresses.get(name).map_or("127.0.0.1:0", String::as_str);
        let mut command = command_as_self(&self.binary);
        remove_settings(&mut command);
        command.args(&service.command).envs(&service.environment).current_dir(self.logs.path());
        let database = self.databases.get(name).cloned().unwrap_or_else(|| self.postgres.url("postgres"));
        command.env("TICKHALL_DATABASE_URL", database);
        command.env("TICKHALL_REDIS_URL", self.redis.url());
        command.env("TICKHALL_LISTEN", listen).env("TICKHALL_AGENT__LISTEN", listen);
        command.env("TICKHALL_TRUSTED_PROXIES", PROXY_HOST);
        let log = File::options().create(true).append(true).open(self.log_file(name))?;
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn()?;
        let (sender, output) = channel();
        if let Some(out) = child.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(out).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        self.running.insert(name.to_owned(), Process { child, output });
        Ok(())
    }

    /// Waits until a service prints its address.
    ///
    /// # Errors
    /// [`Failure`], with the end of its log.
    pub fn wait_until_ready(&mut self, name: &str) -> Result<(), Failure> {
        let Some(process) = self.running.get(name) else { return Ok(()) };
        loop {
            match process.output.recv_timeout(START_TIMEOUT) {
                Ok(line) => {
                    if let Some((_, address)) = line.split_once("http://") {
                        self.addresses.insert(name.to_owned(), address.trim().to_owned());
                        return Ok(());
                    }
                }
                Err(_) => {
                    let output = self.log_tail(name);
                    return Err(Failure::Broken { program: "tickhall", output });
                }
            }
        }
    }

    /// Last lines of a service's log.
    pub fn log_tail(&self, name: &str) -> String {
        let text = fs::read_to_string(self.log_file(name)).unwrap_or_default();
        let lines: Vec<_> = text.lines().rev().take(20).collect();
        format!("{name}: {}", lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
    }

    /// The binary on the services' store, for commands like `verify`.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        remove_settings(&mut command);
        command.args(arguments).current_dir(self.logs.path());
        command.env("TICKHALL_DATABASE_URL", self.postgres.url("postgres"));
        command
    }

    fn log_file(&self, name: &str) -> PathBuf {
        self.logs.path().join(format!("{name}.jsonl"))
    }
}

impl Drop for Topology {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for name in self.names() {
                eprintln!("{}", self.log_tail(&name));
            }
        }
        self.kill_all();
    }
}

/// Removes the settings of this process's environment.
fn remove_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TICKHALL_") {
            command.env_remove(name);
        }
    }
}
