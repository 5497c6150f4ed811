//! `tickhall health`: queries a process's `/health`, for containers that have no
//! other HTTP client.
//!
//! Speaks just enough HTTP for one answer; the status decides.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Limit of the whole exchange.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest answer that is read.
const ANSWER_MAX_BYTES: u64 = 1024 * 1024;

/// Queries the process at `url`. Returns whether it is healthy, and its answer.
///
/// # Errors
/// One line when there is no answer.
pub async fn query(url: &str) -> Result<(bool, String), String> {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = if path.is_empty() { "health" } else { path };
    let exchange = async {
        let mut stream = TcpStream::connect(host).await?;
        let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(ANSWER_MAX_BYTES).read_to_end(&mut answer).await?;
        std::io::Result::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = match tokio::time::timeout(ANSWER_TIMEOUT, exchange).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(format!("{url}: {error}")),
        Err(_) => return Err(format!("{url}: no answer within {} s", ANSWER_TIMEOUT.as_secs())),
    };
    parse(&answer).ok_or_else(|| format!("{url}: the answer is not HTTP"))
}

fn parse(answer: &str) -> Option<(bool, String)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status: u16 = head.strip_prefix("HTTP/1.")?.split_whitespace().nth(1)?.parse().ok()?;
    // A body without a length comes in chunks; its JSON is one line of them.
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
            assert_eq!(parse(answer), expected.map(|(ok, text)| (ok, text.to_owned())), "{answer}");
        }
    }
}
