//! One socket of the contract: questions with an id, answers, pushes in between.
//!
//! It keeps every byte it hears, when asked to. What is said and what is granted it hands
//! on as JSON, so that a test may also say what nobody should.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use hangraft_proto::socket::{self, Action, ByeCode, Code, Notice, RequestId, ServerMessage};
use serde_json::Value;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Message,
        client::IntoClientRequest,
        http::{HeaderValue, header::ORIGIN},
        protocol::CloseFrame,
    },
};

/// How long a frontend may take to let a socket in.
const CONNECT: Duration = Duration::from_secs(3);

/// How long an answer may take. A frontend gives up after ten seconds and says so.
const ANSWER: Duration = Duration::from_secs(15);

/// A socket.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last_id: u64,
    pushes: VecDeque<Push>,
    transcript: Transcript,
}

/// What came in, byte for byte; several sockets may write into one. Nothing is
/// kept until someone wants it.
#[derive(Clone, Debug, Default)]
pub struct Transcript(Option<Arc<Mutex<String>>>);

/// A yes with its data, or a no.
pub type Answer = Result<Value, Refusal>;

/// A no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// One of the closed list.
    pub code: Code,
    /// For people.
    pub message: String,
}

/// Something nobody asked for.
#[derive(Clone, Debug)]
pub enum Push {
    /// A room has changed.
    View(View),
    /// The player is told something.
    Notice(Box<Notice>),
    /// The numbers of all that goes on.
    Live(Value),
    /// The server will close the socket.
    Bye(ByeCode),
    /// Anything else.
    Other,
}

/// A room at one version.
#[derive(Clone, Debug)]
pub struct View {
    /// Which room, by its name.
    pub room: String,
    /// Which version.
    pub version: u64,
    /// What is to be seen.
    pub view: Value,
    /// It may follow upon any version.
    pub resync: bool,
}

/// Anything that comes in.
#[derive(Debug)]
pub enum Heard {
    /// The answer to the question with this id, if it has one.
    Answer(Option<u64>, Answer),
    /// A push.
    Push(Push),
    /// The socket is closed, with a reason if one was given.
    Closed(Option<CloseFrame>),
}

impl Transcript {
    /// One that keeps.
    pub fn kept() -> Self {
        Self(Some(Arc::default()))
    }

    /// Everything that came in so far.
    pub fn text(&self) -> String {
        let text = self.0.as_ref().expect("a transcript that is kept");
        text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn write(&self, text: &str) {
        if let Some(kept) = &self.0 {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push_str(text);
            kept.push('\n');
        }
    }
}

impl Socket {
    /// Opens a socket at a frontend, such as `http://127.0.0.1:8080`.
    pub async fn open(frontend: &str) -> anyhow::Result<Self> {
        Self::open_with(frontend, None, Transcript::default()).await
    }

    /// Opens a socket from a page of that origin.
    pub async fn open_from(frontend: &str, origin: &str) -> anyhow::Result<Self> {
        Self::open_with(frontend, Some(origin), Transcript::default()).await
    }

    /// Opens a socket and keeps all it hears.
    pub async fn open_with(
        frontend: &str,
        origin: Option<&str>,
        transcript: Transcript,
    ) -> anyhow::Result<Self> {
        let url = format!("{}/ws", frontend.replacen("http", "ws", 1));
        let mut request = url.as_str().into_client_request()?;
        if let Some(origin) = origin {
            request.headers_mut().insert(ORIGIN, HeaderValue::from_str(origin)?);
        }
        let connect = timeout(CONNECT, connect_async(request)).await;
        let (stream, _) = connect.with_context(|| format!("{url} is silent"))??;
        Ok(Self { stream, last_id: 0, pushes: VecDeque::new(), transcript })
    }

    /// Asks, and waits for the answer. Pushes meanwhile are kept for later. An
    /// error says that the socket is of no use any more.
    pub async fn ask(&mut self, action: Action, data: Value) -> anyhow::Result<Answer> {
        let id = self.tell(action, data).await?;
        self.answer(id).await
    }

    /// Asks, and does not wait; the id of the question.
    pub async fn tell(&mut self, action: Action, data: Value) -> anyhow::Result<u64> {
        self.last_id += 1;
        let frame = socket::frame(self.last_id, action.as_str(), &data);
        self.send(Message::text(frame)).await?;
        Ok(self.last_id)
    }

    /// Waits for the answer to a question.
    pub async fn answer(&mut self, id: u64) -> anyhow::Result<Answer> {
        let deadline = Instant::now() + ANSWER;
        loop {
            let heard = timeout_at(deadline, self.hear()).await.context("no answer")??;
            match heard {
                Heard::Answer(Some(answered), answer) if answered == id => return Ok(answer),
                Heard::Answer(..) => {}
                Heard::Push(push) => self.pushes.push_back(push),
                Heard::Closed(_) => bail!("the socket was closed"),
            }
        }
    }

    /// Sends a frame as it is.
    pub async fn send(&mut self, message: Message) -> anyhow::Result<()> {
        timeout(CONNECT, self.stream.send(message)).await.context("cannot send")??;
        Ok(())
    }

    /// The next push. May be called off.
    pub async fn push(&mut self) -> anyhow::Result<Push> {
        if let Some(push) = self.pushes.pop_front() {
            return Ok(push);
        }
        loop {
            match self.hear().await? {
                Heard::Push(push) => return Ok(push),
                Heard::Answer(..) => {}
                Heard::Closed(_) => bail!("the socket was closed"),
            }
        }
    }

    /// A push that has come already.
    pub fn kept_push(&mut self) -> Option<Push> {
        self.pushes.pop_front()
    }

    /// Whatever comes in next. May be called off.
    pub async fn hear(&mut self) -> anyhow::Result<Heard> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    self.transcript.write(&text);
                    return understand(&text);
                }
                Some(Ok(Message::Close(frame))) => return Ok(Heard::Closed(frame)),
                Some(Ok(Message::Binary(_))) => bail!("a server sends text only"),
                Some(Ok(_)) => {}
                Some(Err(err)) => return Err(err.into()),
                None => return Ok(Heard::Closed(None)),
            }
        }
    }
}

fn understand(text: &str) -> anyhow::Result<Heard> {
    let message = ServerMessage::<Value>::read(text).with_context(|| text.to_owned())?;
    Ok(match message {
        ServerMessage::Answer(socket::Answer { id, answer }) => {
            let refusal = |no: socket::Refused<'_>| Refusal {
                code: no.code,
                message: no.message.into_owned(),
            };
            Heard::Answer(id.and_then(RequestId::number), answer.map_err(refusal))
        }
        ServerMessage::Push(socket::Push::View(view)) => Heard::Push(Push::View(View {
            room: view.room.into_owned(),
            version: view.version.0,
            view: serde_json::from_str(view.view)?,
            resync: view.resync,
        })),
        ServerMessage::Push(socket::Push::Notice(notice)) => Heard::Push(Push::Notice(notice)),
        ServerMessage::Push(socket::Push::Live(live)) => {
            Heard::Push(Push::Live(serde_json::from_str(live.numbers.get())?))
        }
        ServerMessage::Push(socket::Push::Bye(bye)) => Heard::Push(Push::Bye(bye.code)),
        ServerMessage::Push(_) => Heard::Push(Push::Other),
    })
}
