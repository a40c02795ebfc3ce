//! Just enough of HTTP to ask a server of ours whether it is ready.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, ToSocketAddrs},
    time::timeout,
};

/// How long a server on this machine may take to say how it is.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long one on another machine may take.
const PATIENCE_FAR: Duration = Duration::from_secs(3);

/// The first bytes of an answer: `HTTP/1.1 200`.
const HEAD_BYTES: usize = 12;

/// The status code of `GET path`.
pub(crate) async fn get_status(address: SocketAddr, path: &str) -> io::Result<u16> {
    timeout(PATIENCE, ask(address, &address.to_string(), path)).await?
}

/// The status code of `GET path` from a server that may be far, asked by the name that it
/// answers to: a host without brackets.
pub(crate) async fn get_status_of(host: &str, port: u16, path: &str) -> io::Result<u16> {
    let called =
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    timeout(PATIENCE_FAR, ask((host, port), &called, path)).await?
}

async fn ask(place: impl ToSocketAddrs, called: &str, path: &str) -> io::Result<u16> {
    let mut stream = TcpStream::connect(place).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {called}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut head = [0; HEAD_BYTES];
    stream.read_exact(&mut head).await?;
    parse(&head).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no HTTP answer"))
}

fn parse(head: &[u8; HEAD_BYTES]) -> Option<u16> {
    let text = std::str::from_utf8(head).ok()?;
    text.strip_prefix("HTTP/1.")?.get(2..)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_line_is_read() {
        assert_eq!(parse(b"HTTP/1.1 200"), Some(200));
        assert_eq!(parse(b"HTTP/1.0 503"), Some(503));
        assert_eq!(parse(b"SSH-2.0-Open"), None);
        assert_eq!(parse(b"HTTP/1.1 2xx"), None);
    }
}
