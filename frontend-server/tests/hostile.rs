//! What people without good manners can do to a frontend: it costs them their
//! connection, and nobody else anything. Bytes are written by hand here, since no library
//! would send them.

#[expect(dead_code, reason = "this story needs only some of it")]
mod support;

use std::time::Duration;

use hangraft_frontend_server::Frontend;
use serde_json::{Value, json};
use support::{Browser, cluster, config, eventually, http, serving, start};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_tungstenite::tungstenite::Error as SocketError;

/// The longest anything here may take; longer than any deadline of a frontend.
const DEADLINE: Duration = Duration::from_secs(40);

/// First bytes of frames.
const TEXT: u8 = 0x81;
const TEXT_BEGINS: u8 = 0x01;
const GOES_ON: u8 = 0x00;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;

/// A socket without a library.
struct Raw {
    tcp: TcpStream,
}

impl Raw {
    async fn open(frontend: &Frontend) -> Self {
        let addr = frontend.addr();
        let mut tcp = TcpStream::connect(addr).await.unwrap();
        let head = format!(
            "GET /ws HTTP/1.1\r\nhost: {addr}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        tcp.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(timeout(DEADLINE, tcp.read_u8()).await.expect("an answer").unwrap());
        }
        assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
        Self { tcp }
    }

    async fn greet(frontend: &Frontend) -> Self {
        let mut raw = Self::open(frontend).await;
        raw.send(&frame(TEXT, br#"{"id":1,"action":"hello"}"#)).await;
        let (first, payload) = raw.next().await.expect("an answer");
        assert!(first == TEXT && payload.windows(4).any(|part| part == br#""ok""#));
        raw
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.tcp.write_all(bytes).await.unwrap();
    }

    /// The next frame: its first byte and its payload; nothing at the end.
    async fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let frame = async {
            let first = self.tcp.read_u8().await?;
            let length = match self.tcp.read_u8().await? {
                126 => u64::from(self.tcp.read_u16().await?),
                127 => self.tcp.read_u64().await?,
                short => u64::from(short),
            };
            let mut payload = vec![0; length as usize];
            self.tcp.read_exact(&mut payload).await?;
            std::io::Result::Ok((first, payload))
        };
        timeout(DEADLINE, frame).await.expect("a frame or the end").ok()
    }

    /// Everything until the end: the code of the last `bye`, and that of the close frame.
    async fn end(&mut self) -> (Option<String>, Option<u16>) {
        let (mut bye, mut close) = (None, None);
        while let Some((first, payload)) = self.next().await {
            if first == TEXT {
                let push: Value = serde_json::from_slice(&payload).unwrap();
                bye = push["code"].as_str().map(str::to_owned).or(bye);
            }
            if first == CLOSE {
                close = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
            }
        }
        (bye, close)
    }

    /// Sends the same again and again and reads nothing; the bytes that went out before
    /// the frontend took no more.
    async fn flood(&mut self, bytes: &[u8], most: usize) -> usize {
        let chunk = bytes.repeat((64 << 10) / bytes.len());
        let mut sent = 0;
        while sent < most {
            match timeout(Duration::from_secs(3), self.tcp.write(&chunk)).await {
                Ok(Ok(written)) => sent += written,
                Ok(Err(_)) | Err(_) => break,
            }
        }
        sent
    }
}

/// A frame as a client sends it, masked with nothing.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..126 => bytes.push(0x80 | short as u8),
        long => {
            bytes.push(0x80 | 126);
            bytes.extend((long as u16).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

/// What a connection brings until its end.
async fn rest_of(tcp: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    _ = timeout(DEADLINE, tcp.read_to_end(&mut rest)).await.expect("the connection is closed");
    String::from_utf8_lossy(&rest).into_owned()
}

/// Pings whose answers are never read, and pieces of messages without end, are not
/// taken for long: neither before hello nor after it, and nothing is kept of them.
#[tokio::test]
async fn frames_without_end_end_the_socket() {
    const MANY: usize = 64 << 20;
    let (_world, nodes) = cluster(1);
    let frontend = serving(&nodes).await;
    for (what, begin, bytes) in [
        ("pings", vec![], frame(PING, &[7; 100])),
        ("empty pings", vec![], frame(PING, &[])),
        ("pongs", vec![], frame(0x8a, &[])),
        ("pieces", frame(TEXT_BEGINS, b"{"), frame(GOES_ON, &[])),
        ("large pieces", frame(TEXT_BEGINS, b"{"), frame(GOES_ON, &[b' '; 100])),
    ] {
        for greeted in [false, true] {
            let mut raw = match greeted {
                false => Raw::open(&frontend).await,
                true => Raw::greet(&frontend).await,
            };
            raw.send(&begin).await;
            let taken = raw.flood(&bytes, MANY).await;
            assert!(taken < MANY / 2, "{taken} bytes of {what}, greeted: {greeted}");
        }
    }
    let mut ann = Browser::greet(&frontend, "Ann").await;
    ann.ok("ping", json!({})).await;
}

/// A flood is told what it is.
#[tokio::test]
async fn a_flood_is_abuse() {
    let (_world, nodes) = cluster(1);
    let frontend = serving(&nodes).await;
    for bytes in [frame(PING, b"x"), frame(0x8a, b"")] {
        let mut raw = Raw::greet(&frontend).await;
        raw.send(&bytes.repeat(150)).await;
        raw.send(&frame(TEXT, br#"{"id":2,"action":"ping"}"#)).await;
        loop {
            let (first, payload) = raw.next().await.expect("an answer: that is not too many");
            if first == TEXT {
                assert_eq!(payload, br#"{"id":2,"ok":{}}"#);
                break;
            }
        }
        raw.send(&bytes.repeat(100)).await;
        assert_eq!(raw.end().await, (Some("abuse".into()), Some(1008)));
    }
}

/// Whoever sends no request, half of one, or no other after the first, is left in time,
/// as is whoever opens a socket and does not say hello.
#[tokio::test]
async fn silence_is_not_waited_for() {
    let (_world, nodes) = cluster(1);
    let frontend = serving(&nodes).await;
    let addr = frontend.addr();
    let whole = format!("GET /healthz HTTP/1.1\r\nhost: {addr}\r\n\r\n");
    let begun = Instant::now();
    let mut silent = Vec::new();
    for sent in ["", "GET /", &whole[..whole.len() - 2], &whole] {
        let mut tcp = TcpStream::connect(addr).await.unwrap();
        tcp.write_all(sent.as_bytes()).await.unwrap();
        silent.push(tcp);
    }
    let mut dumb = Raw::open(&frontend).await;
    let mut answers = Vec::new();
    for tcp in &mut silent {
        answers.push(rest_of(tcp).await);
    }
    assert!(answers[3].starts_with("HTTP/1.1 200"), "{answers:?}");
    assert_eq!(dumb.end().await, (Some("no-hello".into()), Some(1008)));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

/// Connections that bring nothing keep nobody out, however many they are.
#[tokio::test]
async fn the_silent_make_room_for_newcomers() {
    let (_world, nodes) = cluster(1);
    let mut config = config(&nodes);
    config.limits.connections_max = 20;
    let frontend = start(config).await;
    let mut ann = Browser::greet(&frontend, "Ann").await;
    let mut silent = Vec::new();
    for _ in 0..60 {
        silent.push(TcpStream::connect(frontend.addr()).await.unwrap());
    }
    assert!(http(&frontend, "GET /healthz").await.starts_with("HTTP/1.1 200"));
    let mut bo = Browser::greet(&frontend, "Bo").await;
    for browser in [&mut ann, &mut bo] {
        browser.ok("ping", json!({})).await;
    }
    assert_eq!(rest_of(&mut silent[0]).await, "", "the oldest has gone");
}

/// Sockets that say nothing keep nobody out, and are told why they have to go.
#[tokio::test]
async fn silent_sockets_make_room() {
    let (_world, nodes) = cluster(1);
    let mut config = config(&nodes);
    config.limits.sockets_max = 3;
    let frontend = start(config).await;
    let mut ann = Browser::greet(&frontend, "Ann").await;
    let mut silent = [Raw::open(&frontend).await, Raw::open(&frontend).await];
    let mut bo = Browser::greet(&frontend, "Bo").await;
    assert_eq!(silent[0].end().await, (Some("full".into()), Some(1013)));
    for browser in [&mut ann, &mut bo] {
        browser.ok("ping", json!({})).await;
    }
    let _cy = Browser::greet(&frontend, "Cy").await;
    match Browser::try_connect(&frontend).await {
        Err(SocketError::Http(response)) => assert_eq!(response.status(), 503),
        other => panic!("a fourth socket: {:?}", other.err()),
    }
}

/// One address has so many sockets; the others are for others.
#[tokio::test]
async fn an_address_has_so_many_sockets() {
    let (_world, nodes) = cluster(1);
    let mut config = config(&nodes);
    config.limits.sockets_per_address = 2;
    let frontend = start(config).await;
    let ann = Browser::greet(&frontend, "Ann").await;
    let _bo = Browser::greet(&frontend, "Bo").await;
    match Browser::try_connect(&frontend).await {
        Err(SocketError::Http(response)) => assert_eq!(response.status(), 429),
        other => panic!("a third socket: {:?}", other.err()),
    }
    drop(ann);
    eventually("a place is free", async || Browser::try_connect(&frontend).await.is_ok()).await;
}

/// When a frontend is nearly full, new guests are sent elsewhere, `/readyz` says so, and
/// players who come back with their token still find a place.
#[tokio::test]
async fn the_last_places_are_for_those_who_come_back() {
    let (_world, nodes) = cluster(1);
    let token = {
        let elsewhere = serving(&nodes).await;
        let mut ann = Browser::connect(&elsewhere).await;
        ann.ok("hello", json!({ "name": "Ann" })).await["token"].clone()
    };
    let mut config = config(&nodes);
    config.limits.sockets_max = 20;
    let frontend = start(config).await;
    eventually("it is ready", async || http(&frontend, "GET /readyz").await.contains("ready, "))
        .await;
    let mut guests = Vec::new();
    for _ in 0..19 {
        guests.push(Browser::greet(&frontend, "Guest").await);
    }
    let ready = http(&frontend, "GET /readyz").await;
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("full"), "{ready}");
    let mut new = Browser::connect(&frontend).await;
    new.ask("hello", json!({ "name": "New" })).await;
    let (heard, close) = new.until_closed().await;
    assert_eq!(heard, [heard.last().unwrap().clone()], "not even a hello");
    assert_eq!(heard[0]["code"], "full");
    assert_eq!(close.map(|frame| u16::from(frame.code)), Some(1013));
    let mut ann = Browser::connect(&frontend).await;
    assert_eq!(ann.ok("hello", json!({ "token": token })).await["name"], "Ann");
    guests.truncate(17);
    eventually("there is room", async || !http(&frontend, "GET /readyz").await.contains("full"))
        .await;
}

/// An orderly close is answered in kind, and what breaks the protocol is told how.
#[tokio::test]
async fn every_end_has_its_code() {
    let (_world, nodes) = cluster(1);
    let frontend = serving(&nodes).await;
    let hello = frame(TEXT, br#"{"id":1,"action":"hello"}"#);
    for (what, bytes, code) in [
        ("going away", frame(CLOSE, &[0x03, 0xe9]), Some(1001)),
        ("a close", frame(CLOSE, &[0x03, 0xe8, b'o', b'k']), Some(1000)),
        ("a close without a code", frame(CLOSE, &[]), None),
        ("a code that nobody may send", frame(CLOSE, &[0x03, 0xee]), Some(1002)),
        ("half a code", frame(CLOSE, &[0x03]), Some(1002)),
        ("an unknown frame", frame(0x83, b""), Some(1002)),
        ("an unknown control frame", frame(0x8b, b""), Some(1002)),
        ("a reserved bit", frame(0xc1, b"{}"), Some(1002)),
        ("a ping in pieces", frame(0x09, b""), Some(1002)),
        ("a ping that is too long", frame(PING, &[0; 126]), Some(1002)),
        ("a piece of nothing", frame(GOES_ON, b"x"), Some(1002)),
        ("an unmasked frame", vec![TEXT, 2, b'{', b'}'], Some(1002)),
        ("bad UTF-8", frame(TEXT, &[b'"', 0xff, b'"']), Some(1007)),
        ("half a character", frame(TEXT, &[0xc3]), Some(1007)),
        ("too much", frame(TEXT, &[b' '; 9 << 10]), Some(1009)),
    ] {
        for before in [&[][..], &hello] {
            let mut raw = Raw::open(&frontend).await;
            raw.send(&[before, &bytes].concat()).await;
            let mut close = None;
            while let Some((first, payload)) = raw.next().await {
                if first == CLOSE {
                    close = Some(payload.first_chunk().map(|code| u16::from_be_bytes(*code)));
                }
            }
            assert_eq!(close, Some(code), "{what}");
        }
    }
}

/// A quiet socket is pinged, and its answer is all it has to say.
#[tokio::test]
async fn a_quiet_socket_is_pinged() {
    let (_world, nodes) = cluster(1);
    let frontend = serving(&nodes).await;
    let mut raw = Raw::greet(&frontend).await;
    loop {
        match raw.next().await {
            Some((PING, payload)) => {
                assert!(payload.is_empty());
                break;
            }
            Some(_) => {}
            None => panic!("it was not pinged, and dropped"),
        }
    }
}

/// A request names one host, and one that is ours; a page that asks is one of ours.
#[tokio::test]
async fn only_who_asks_well_is_answered() {
    let (_world, nodes) = cluster(1);
    let mut config = config(&nodes);
    config.frontends = vec!["https://play.example.org".into()];
    config.names = vec!["metrics.example.org".into()];
    let frontend = start(config).await;
    let status = async |path: &str, headers: &str| {
        let mut tcp = TcpStream::connect(frontend.addr()).await.unwrap();
        let version = if headers.contains("1.0") { "1.0" } else { "1.1" };
        let headers = headers.replace("1.0", "");
        let request = format!("GET {path} HTTP/{version}\r\n{headers}connection: close\r\n\r\n");
        tcp.write_all(request.as_bytes()).await.unwrap();
        let answer = rest_of(&mut tcp).await;
        answer.split(' ').nth(1).unwrap_or_else(|| panic!("{answer}")).parse::<u16>().unwrap()
    };
    // What each path says to whoever may ask.
    for (path, well) in [
        ("/", 200),
        ("/healthz", 200),
        ("/frontends.json", 200),
        ("/metrics", 404),
        ("/ws", 426),
        ("/nothing", 404),
    ] {
        for (headers, expected) in [
            ("host: play.example.org\r\n", well),
            ("host: PLAY.example.org.:443\r\norigin: https://play.example.org\r\n", well),
            ("host: play.example.org:80\r\norigin: http://play.example.org\r\n", well),
            ("host: metrics.example.org:9000\r\n", well),
            ("host: 10.1.2.3:8080\r\n", well),
            ("host: [::1]\r\n", well),
            ("host: localhost\r\n", well),
            ("1.0", if path == "/ws" { 426 } else { well }),
            ("", 400),
            ("host: play.example.org\r\nhost: play.example.org\r\n", 400),
            ("host: \r\n", 400),
            ("host: a b\r\n", 400),
            ("host: evil.example\r\n", 421),
            ("host: evil.example\r\norigin: http://evil.example\r\n", 421),
            ("host: play.example.org\r\norigin: https://evil.example\r\n", 403),
            ("host: 127.0.0.1\r\norigin: null\r\n", 403),
        ] {
            assert_eq!(status(path, headers).await, expected, "{path} {headers:?}");
        }
    }
}
