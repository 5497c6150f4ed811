//! A private Redis server without persistence: killing it loses its data.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use crate::Failure;
use crate::process::{command, find, folder, kill_tree, start};

/// A running private Redis server.
#[derive(Debug)]
pub struct Redis {
    folder: tempfile::TempDir,
    server: Child,
}

impl Redis {
    /// Starts a server.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn start() -> Result<Self, Failure> {
        let folder = folder()?;
        let server = serve(folder.path())?;
        Ok(Self { folder, server })
    }

    /// Address of the server.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// A client program, like `redis-cli` or `redis-benchmark`, that connects to the
    /// server.
    ///
    /// # Errors
    /// [`Failure::Missing`].
    pub fn client(&self, program: &'static str) -> Result<Command, Failure> {
        let mut client = Command::new(find(program)?);
        client.arg("-s").arg(self.socket());
        Ok(client)
    }

    /// Kills the server; its data is lost.
    pub fn kill(&mut self) {
        kill_tree(&mut self.server);
    }

    /// Starts it again, empty, at the same address.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn restart(&mut self) -> Result<(), Failure> {
        self.kill();
        self.server = serve(self.folder.path())?;
        Ok(())
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

fn serve(folder: &Path) -> Result<Child, Failure> {
    let socket = folder.join("redis.sock");
    let mut server = command(&find("redis-server")?);
    server.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocketperm", "777"]);
    server.arg("--dir").arg(folder).arg("--unixsocket").arg(&socket);
    start("redis-server", &mut server, &folder.join("log"), |_| is_ready(&socket).unwrap_or(false))
}

fn is_ready(socket: &Path) -> std::io::Result<bool> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    Ok(&answer == b"+PONG")
}
