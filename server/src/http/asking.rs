//! `tickhall health`: asks a process over HTTP how it is, for containers
//! that have no other client.
//!
//! Knows just enough HTTP for one answer. Does not judge: the status does.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Whoever takes longer is not well.
const PATIENCE: Duration = Duration::from_secs(5);

/// No honest answer is longer.
const LONGEST: u64 = 1024 * 1024;

/// What the process at `url` answers; whether it is well.
///
/// # Errors
/// One line when there is no answer.
pub async fn ask(url: &str) -> Result<(bool, String), String> {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = if path.is_empty() { "health" } else { path };
    let asked = async {
        let mut stream = TcpStream::connect(host).await?;
        let words = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(words.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(LONGEST).read_to_end(&mut answer).await?;
        std::io::Result::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(format!("{url}: {error}")),
        Err(_) => return Err(format!("{url}: no answer within {} s", PATIENCE.as_secs())),
    };
    read(&answer).ok_or_else(|| format!("{url}: that was no HTTP"))
}

fn read(answer: &str) -> Option<(bool, String)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status: u16 = head.strip_prefix("HTTP/1.")?.split_whitespace().nth(1)?.parse().ok()?;
    // An answer without a length comes in pieces; its text is all in one.
    let text = body.lines().find(|line| line.starts_with('{')).unwrap_or(body);
    Some((status == 200, text.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_decides_and_the_body_is_shown() {
        for (answer, expected) in [
            ("HTTP/1.1 200 OK\r\nA: b\r\n\r\n{\"ok\":true}", Some((true, "{\"ok\":true}"))),
            ("HTTP/1.1 503 No\r\n\r\n2\r\n{}\r\n0\r\n\r\n", Some((false, "{}"))),
            ("SSH-2.0-OpenSSH", None),
            ("HTTP/1.1 abc\r\n\r\n", None),
        ] {
            assert_eq!(read(answer), expected.map(|(ok, text)| (ok, text.to_owned())), "{answer}");
        }
    }
}
