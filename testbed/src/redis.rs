//! A private Redis server that keeps nothing on disk: whoever kills it has
//! wiped it.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use crate::Failure;
use crate::process::{command, find, folder, kill_family, start};

/// A running Redis server of one's own.
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

    /// Where it is.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// A client program of Redis's, like `redis-cli` or `redis-benchmark`,
    /// told where the server is.
    ///
    /// # Errors
    /// [`Failure::Missing`].
    pub fn client(&self, program: &'static str) -> Result<Command, Failure> {
        let mut client = Command::new(find(program)?);
        client.arg("-s").arg(self.socket());
        Ok(client)
    }

    /// Kills the server, and with it everything that it held.
    pub fn kill(&mut self) {
        kill_family(&mut self.server);
    }

    /// Starts it again, empty, at the same place.
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
    start("redis-server", &mut server, &folder.join("log"), |_| answers(&socket).is_ok_and(|yes| yes))
}

fn answers(socket: &Path) -> std::io::Result<bool> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    Ok(&answer == b"+PONG")
}
