//! The nginx of the compose file as a process, with addresses of this machine.

use std::collections::BTreeMap;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Child;

use crate::Failure;
use crate::process::{command, find, folder, kill_tree, start};

/// Port of the proxy and of every service in a container.
const CONTAINER_PORT: u16 = 3000;

/// A running proxy.
#[derive(Debug)]
pub struct Proxy {
    _folder: tempfile::TempDir,
    server: Child,
    address: String,
}

impl Proxy {
    /// Checks that the program is installed.
    ///
    /// # Errors
    /// [`Failure::Missing`].
    pub fn check() -> Result<(), Failure> {
        find("nginx").map(|_| ())
    }

    /// Starts a proxy with the configuration `file`, in which the names of services
    /// become their `addresses`, on a free port of this machine.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) fn start(file: &Path, addresses: &BTreeMap<String, String>) -> Result<Self, Failure> {
        let nginx = find("nginx")?;
        let folder = folder()?;
        // Nobody else takes it in the meantime, as far as one can tell.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let mut text = fs::read_to_string(file)?
            .replace(&format!("listen {CONTAINER_PORT};"), &format!("listen {address};"))
            .replace("/tmp/", &format!("{}/", folder.path().display()));
        for (name, address) in addresses {
            text = text.replace(&format!("server {name}:{CONTAINER_PORT} "), &format!("server {address} "));
        }
        let config = folder.path().join("nginx.conf");
        fs::write(&config, text)?;
        let mut server = command(&nginx);
        server.arg("-p").arg(folder.path()).arg("-c").arg(&config).args([
            "-e",
            "stderr",
            "-g",
            "daemon off;",
        ]);
        let is_ready = |_: &Child| TcpStream::connect(&address).is_ok();
        let server = start("nginx", &mut server, &folder.path().join("log"), is_ready)?;
        Ok(Self { _folder: folder, server, address })
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        kill_tree(&mut self.server);
    }
}
