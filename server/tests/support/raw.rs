//! Requests that no HTTP client would send, byte by byte.

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::trading_fixture::TEST_TIMEOUT;

/// An answer as it came.
#[derive(Debug)]
pub struct RawAnswer {
    pub status: u16,
    pub body: String,
}

impl RawAnswer {
    /// The error's code; empty when there is none.
    pub fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// Sends `bytes` and nothing more; everything that the server sends until it hangs up.
pub async fn exchange(address: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(TEST_TIMEOUT, stream.read_to_end(&mut answer)).await;
    read.expect("the server waits for ever").unwrap();
    answer
}

/// Sends a request with this first line and these header lines on a connection of its
/// own.
pub async fn request(address: &str, line: &str, headers: &[&str]) -> RawAnswer {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let request = format!("{line}\r\n{headers}connection: close\r\n\r\n");
    let answer = exchange(address, request.as_bytes()).await;
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{line:.80}: {text:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    RawAnswer { status: status.unwrap(), body: body.to_owned() }
}
