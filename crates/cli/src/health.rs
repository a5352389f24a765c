//! Asks a service how it is: one `GET /health`, small enough to need no HTTP library.

use std::time::Duration;

use anyhow::{Context, Result};
use pas_types::health::Health;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Who takes longer than this does not answer.
const PATIENCE: Duration = Duration::from_secs(2);
const MOST_BYTES: u64 = 64 * 1024;

/// What the service at `url` says of itself, or why there is no answer.
pub(crate) async fn ask(url: &str) -> Result<Health, String> {
    match tokio::time::timeout(PATIENCE, get(url)).await {
        Ok(answer) => answer.map_err(|error| format!("{error:#}")),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

/// HTTP/1.0, so that the answer ends with the connection and never comes in chunks.
async fn get(url: &str) -> Result<Health> {
    let authority = url.strip_prefix("http://").context("not an http URL")?;
    let mut stream = TcpStream::connect(authority).await?;
    let request = format!("GET /health HTTP/1.0\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MOST_BYTES).read_to_end(&mut answer).await?;
    parse(&answer)
}

/// The status line does not matter: 503 carries the same body as 200.
fn parse(answer: &[u8]) -> Result<Health> {
    let body = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").context("the answer is not HTTP")?;
    serde_json::from_slice(&answer[body + 4..]).context("the answer is not that of a service of PAS")
}

#[cfg(test)]
mod tests {
    use pas_types::health::HealthStatus;

    use super::*;

    #[test]
    fn a_service_that_answers_503_is_heard() {
        let answer = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n\r\n\
            {\"status\":\"down\",\"reason\":\"no_credential: set KEY\",\"service\":\"openai\",\"version\":\"0.1.0\",\
            \"uptime_s\":7,\"checks\":{}}";
        let heard = Health {
            status: HealthStatus::Down,
            reason: Some("no_credential: set KEY".into()),
            service: "openai".into(),
            version: "0.1.0".into(),
            uptime_s: 7,
            checks: Default::default(),
        };
        assert_eq!(parse(answer).unwrap(), heard);
    }

    #[test]
    fn what_is_not_a_service_of_pas_is_not_believed() {
        let refusal = parse(b"HTTP/1.0 200 OK\r\n\r\n<html>").unwrap_err().to_string();
        assert_eq!(refusal, "the answer is not that of a service of PAS");
    }
}
