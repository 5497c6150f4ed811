//! `tickhall` as a child process; killed when the test ends.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::JoinHandle;

use serde_json::json;

use crate::support::site::{OWNER, PASSWORD, Visitor};

/// A command with an empty environment.
pub fn command(words: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tickhall"));
    command.args(words).current_dir(folder).env_clear();
    command
}

/// Runs a command to its end.
pub fn finished(words: &[&str], folder: &Path) -> Output {
    command(words, folder).stdin(Stdio::null()).output().unwrap()
}

/// The same with one more variable.
pub fn finished_with(variable: (&str, &str), words: &[&str], folder: &Path) -> Output {
    command(words, folder).env(variable.0, variable.1).stdin(Stdio::null()).output().unwrap()
}

/// A server that has printed its address.
pub struct Server {
    child: Child,
    /// Reads its log continuously: a full pipe would block it.
    logged: Option<JoinHandle<String>>,
    /// `http://127.0.0.1:…`.
    pub url: String,
    /// Lines that it printed at its start.
    pub printed: Vec<String>,
}

impl Server {
    /// Starts a server on a free port and waits for its address.
    pub fn start(folder: &Path, more: &[&str]) -> Self {
        Self::run(command(&Self::words(more), folder), folder)
    }

    /// The same, with at most so many open files.
    pub fn with_descriptors(count: u32, folder: &Path, more: &[&str]) -> Self {
        let mut command = Command::new("/bin/sh");
        command.args([
            "-c",
            &format!("ulimit -n {count} && exec \"$0\" \"$@\""),
            env!("CARGO_BIN_EXE_tickhall"),
        ]);
        command.args(Self::words(more)).current_dir(folder).env_clear();
        Self::run(command, folder)
    }

    fn words<'w>(more: &[&'w str]) -> Vec<&'w str> {
        ["serve", "--listen", "127.0.0.1:0", "--clock", "manual"].iter().chain(more).copied().collect()
    }

    fn run(mut command: Command, folder: &Path) -> Self {
        let first_start = !folder.join("data").exists();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let logged = std::thread::spawn(move || {
            let mut logged = String::new();
            stderr.read_to_string(&mut logged).unwrap();
            logged
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut printed = Vec::new();
        let url = loop {
            let line = lines.next().expect("an address before the end").unwrap();
            let url = line.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned);
            printed.push(line);
            if let Some(url) = url {
                break url;
            }
        };
        // The claim token or the owner's link follows at a first start.
        if first_start {
            printed.extend(lines.next().transpose().unwrap());
        }
        Self { child, logged: Some(logged), url, printed }
    }

    /// The configured owner, signed in: at the first start with the link that it printed.
    pub async fn owner(&self) -> Visitor {
        let mut owner = Visitor { client: reqwest::Client::new(), base: self.url.clone(), cookie: None };
        let link = self.printed.iter().find_map(|line| line.split_once("/reset?token="));
        if let Some((_, token)) = link {
            let reset = json!({ "token": token, "password": PASSWORD });
            assert_eq!(owner.post("/api/v1/auth/reset", &reset).await.status, 204);
        }
        let login = json!({ "email": OWNER, "password": PASSWORD });
        assert_eq!(owner.post("/api/v1/auth/login", &login).await.status, 200);
        owner
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Stops it with SIGTERM; returns its log.
    pub fn stop(mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let logged = self.logged.take().unwrap().join().unwrap();
        assert!(self.child.wait().unwrap().success());
        logged
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
