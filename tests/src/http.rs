//! Just enough HTTP to ask what operators' tools ask: one GET, one answer.

use std::time::Duration;

use anyhow::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(5);

/// Gets a path of a server such as `127.0.0.1:8080`; the status and the body.
pub async fn get(server: &str, path: &str) -> anyhow::Result<(u16, String)> {
    let answer = timeout(ANSWER, ask(server, path)).await;
    let text = answer.with_context(|| format!("{server} is silent"))??;
    let (head, body) = text.split_once("\r\n\r\n").context("an answer has a head and a body")?;
    let status = head.split(' ').nth(1).context("an answer has a status")?;
    Ok((status.parse()?, body.to_owned()))
}

async fn ask(server: &str, path: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(server).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
