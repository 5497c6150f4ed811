//! A private PostgreSQL cluster.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command};

use crate::Failure;
use crate::process::{chown_to_servers, command, find, finish, folder, kill_tree, start};

/// Superuser of the cluster, without a password on its socket.
const USER: &str = "tickhall";

/// A running PostgreSQL server with a private cluster.
#[derive(Debug)]
pub struct Postgres {
    folder: tempfile::TempDir,
    settings: Vec<String>,
    server: Child,
}

impl Postgres {
    /// Creates a cluster and starts its server with `settings` like `fsync=off`.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn start(settings: &[&str]) -> Result<Self, Failure> {
        let folder = folder()?;
        let data = folder.path().join("data");
        fs::create_dir(&data)?;
        chown_to_servers(&data)?;
        let mut initdb = command(&find("initdb")?);
        initdb.args(["--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"]);
        finish("initdb", initdb.args(["--username", USER, "--pgdata"]).arg(&data))?;
        let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let server = serve(&folder, &settings)?;
        Ok(Self { folder, settings, server })
    }

    /// Address of the database `name`.
    pub fn url(&self, name: &str) -> String {
        format!("postgres://{USER}@localhost/{name}?host={}", self.folder.path().display())
    }

    /// A client program, like `psql` or `pgbench`, that connects to the server.
    ///
    /// # Errors
    /// [`Failure::Missing`].
    pub fn client(&self, program: &'static str) -> Result<Command, Failure> {
        let mut client = Command::new(find(program)?);
        client.env("PGHOST", self.folder.path()).env("PGUSER", USER).env("PGDATABASE", "postgres");
        Ok(client)
    }

    /// Kills the server and all its processes.
    pub fn kill(&mut self) {
        kill_tree(&mut self.server);
    }

    /// Kills the server and starts it again; it recovers first.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn restart(&mut self) -> Result<(), Failure> {
        self.kill();
        self.server = serve(&self.folder, &self.settings)?;
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}

fn serve(folder: &tempfile::TempDir, settings: &[String]) -> Result<Child, Failure> {
    let data = folder.path().join("data");
    let status: PathBuf = data.join("postmaster.pid");
    // A killed server leaves its file, whose process id may be in use again.
    let _ = fs::remove_file(&status);
    let mut postgres = command(&find("postgres")?);
    postgres.arg("-D").arg(&data).arg("-k").arg(folder.path());
    postgres.args(["-c", "listen_addresses=", "-c", "max_connections=200"]);
    for setting in settings {
        postgres.args(["-c", setting]);
    }
    start("postgres", &mut postgres, &folder.path().join("log"), |_| {
        let text = fs::read_to_string(&status).unwrap_or_default();
        text.lines().nth(7).is_some_and(|line| line.trim() == "ready")
    })
}
