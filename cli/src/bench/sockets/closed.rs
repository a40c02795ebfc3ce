//! The closed loop: a player waits for the answer before the next move.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use anyhow::{Context, anyhow, bail};
use futures_util::{
    SinkExt, StreamExt,
    stream::{BoxStream, SelectAll, SplitSink},
};
use hangraft_ids::Version;
use hangraft_proto::socket::{self, Accepted, Push, RequestId};
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};
use tokio_tungstenite::tungstenite::{self, Message};

use crate::{
    bench::{
        cost::Meter,
        late::Late,
        socket::{Incoming, NAME, answer, name_of, shows_the_end, text},
        sockets::{Args, OPENING_MAX},
        table::{Answer, Meaning, Table, Wish},
        tally::Recorder,
    },
    socket::{Socket, Url, Way},
};

/// Moves a player has made and not yet seen in a view. Further ones are not
/// measured; a view that far behind says enough by its absence.
const UNSEEN_MAX: usize = 64;

/// Runs the workload and prints what it saw.
pub(super) async fn run(args: &Args) -> anyhow::Result<()> {
    args.part().fits(args.load.players())?;
    let mut meter = Meter::of(args.dir.as_deref()).await?;
    let recorder = Arc::new(Recorder::new());
    let opening = Arc::new(Semaphore::new(OPENING_MAX));
    let mut tables = JoinSet::new();
    for (seats, url) in args.load.tables().into_iter().zip(args.urls.iter().cycle()) {
        tables.spawn(host(seats, url.clone(), Arc::clone(&recorder), Arc::clone(&opening)));
    }
    let report = args.load.measure("sockets", &recorder, &mut meter).await?;
    tables.shutdown().await;
    args.load.print(&recorder, &report)
}

/// Keeps a table going, until it is called off or cannot go on.
async fn host(seats: usize, url: Url, recorder: Arc<Recorder>, opening: Arc<Semaphore>) {
    let played = async {
        let mut hall = Hall::enter(seats, &url, &opening, &recorder).await?;
        hall.play().await
    };
    if let Err::<(), _>(err) = played.await {
        recorder.lost(seats, &format!("{err:#}"));
    }
}

type Said = (usize, Result<Message, tungstenite::Error>);

/// A table and the sockets of its players.
struct Hall<'a> {
    table: Table,
    /// What frontends call the table's room, once it is open.
    room: String,
    to: Vec<SplitSink<Socket, Message>>,
    from: SelectAll<BoxStream<'static, Said>>,
    moves: Vec<Moves>,
    late: Late<Wish>,
    /// Wishes to be sent next; empty between steps, kept for its memory.
    next: Vec<Wish>,
    recorder: &'a Recorder,
}

impl<'a> Hall<'a> {
    async fn enter(
        seats: usize,
        url: &Url,
        opening: &Semaphore,
        recorder: &'a Recorder,
    ) -> anyhow::Result<Self> {
        let (table, first) = Table::new(seats, true);
        let mut hall = Self {
            table,
            room: String::new(),
            to: Vec::new(),
            from: SelectAll::new(),
            moves: (0..seats).map(|_| Moves::new()).collect(),
            late: Late::new(),
            next: vec![first],
            recorder,
        };
        for player in 0..seats {
            let _turn = opening.acquire().await.context("the bench is over")?;
            let (socket, _) = url.enter_by(Way::STEPS, NAME, None).await?;
            let (to, from) = socket.split();
            hall.to.push(to);
            hall.from.push(from.map(move |message| (player, message)).boxed());
        }
        Ok(hall)
    }

    async fn play(&mut self) -> anyhow::Result<()> {
        loop {
            while let Some(wish) = self.next.pop() {
                if wish.after.is_zero() {
                    self.send(&wish).await?;
                } else {
                    self.late.push(Instant::now() + wish.after, wish);
                }
            }
            tokio::select! {
                wish = self.late.next() => self.next.push(Wish { after: Duration::ZERO, ..wish }),
                said = self.from.next() => self.hear(said)?,
            }
        }
    }

    async fn send(&mut self, wish: &Wish) -> anyhow::Result<()> {
        self.moves[wish.player].sent(wish.serial, Instant::now());
        self.to[wish.player]
            .send(Message::text(text(wish, &self.room)))
            .await
            .context("a socket broke")
    }

    fn hear(&mut self, said: Option<Said>) -> anyhow::Result<()> {
        let (player, message) = said.ok_or_else(|| anyhow!("all sockets were closed"))?;
        match message.context("a socket broke")? {
            Message::Text(text) => self.on_text(player, &text),
            Message::Close(_) => bail!("a socket was closed"),
            _ => Ok(()),
        }
    }

    fn on_text(&mut self, player: usize, text: &str) -> anyhow::Result<()> {
        match Incoming::read(text).context("cannot understand a frontend")? {
            Incoming::Answer(answer) => self.on_answer(player, &answer),
            Incoming::Push(Push::View(view)) => self.on_shown(player, view.version, view.view),
            Incoming::Push(Push::Step(step)) => self.on_shown(player, step.version, step.set),
            Incoming::Push(Push::Bye(bye)) => bail!("a socket was closed: {}", bye.code),
            Incoming::Push(_) => (),
        }
        Ok(())
    }

    fn on_answer(&mut self, player: usize, heard: &socket::Answer<'_, Accepted<'_>>) {
        let now = Instant::now();
        // Not the wish that is open: an echo.
        let serial = heard.id.and_then(RequestId::number);
        let Some(sent) = serial.and_then(|serial| self.moves[player].answered(serial)) else {
            return;
        };
        let answer = answer(heard);
        if let Some(room) = name_of(heard) {
            self.room = room.to_owned();
        }
        let meaning = self.table.answered(player, answer, &mut self.next);
        self.recorder.answer(meaning, now - sent);
        if let (Meaning::Moved, Answer::Accepted { version, .. }) = (meaning, answer)
            && let Some(took) = self.moves[player].moved(version, sent)
        {
            self.recorder.push(took);
        }
    }

    /// A version was shown, whole or as what has changed.
    fn on_shown(&mut self, player: usize, version: Version, shown: &str) {
        if shows_the_end(shown) {
            self.table.saw_the_end(version);
        }
        let recorder = self.recorder;
        self.moves[player].saw(version, Instant::now(), |took| recorder.push(took));
    }
}

/// A player's moves between the hand and the eye. The answer to a move and the
/// view that shows it come in either order.
struct Moves {
    open: Option<(u64, Instant)>,
    /// Answered, and not yet seen: version and time of sending.
    unseen: VecDeque<(Version, Instant)>,
    /// The newest view: version and time of arrival.
    seen: Option<(Version, Instant)>,
}

impl Moves {
    fn new() -> Self {
        Self { open: None, unseen: VecDeque::new(), seen: None }
    }

    fn sent(&mut self, serial: u64, now: Instant) {
        // The same wish once more keeps its first time: that is when the player
        // began to wait.
        if self.open.is_none_or(|(open, _)| open != serial) {
            self.open = Some((serial, now));
        }
    }

    /// When the answered wish was sent, if it is the open one.
    fn answered(&mut self, serial: u64) -> Option<Instant> {
        self.open.filter(|(open, _)| *open == serial).map(|(_, sent)| sent)
    }

    /// A move made this version. If its view has come already: how long it took.
    fn moved(&mut self, version: Version, sent: Instant) -> Option<Duration> {
        match self.seen {
            Some((seen, at)) if seen == version => Some(at - sent),
            // Seen in between, at a time we do not know any more.
            Some((seen, _)) if seen > version => None,
            _ => {
                if self.unseen.len() < UNSEEN_MAX {
                    self.unseen.push_back((version, sent));
                }
                None
            }
        }
    }

    /// A view has come. It shows all moves up to its version.
    fn saw(&mut self, version: Version, now: Instant, mut took: impl FnMut(Duration)) {
        self.seen = Some((version, now));
        while let Some((_, sent)) = self.unseen.pop_front_if(|(made, _)| *made <= version) {
            took(now - sent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whichever comes first, the answer or the view, the time is the same.
    #[test]
    fn a_move_is_seen_before_or_after_its_answer() {
        let begin = Instant::now();
        let ms = |ms| begin + Duration::from_millis(ms);
        let mut moves = Moves::new();
        let mut times = Vec::new();

        moves.sent(3, ms(0));
        assert_eq!(moves.answered(2), None);
        assert_eq!(moves.answered(3), Some(ms(0)));
        assert_eq!(moves.moved(Version(7), ms(0)), None);
        moves.saw(Version(6), ms(1), |took| times.push(took));
        moves.saw(Version(7), ms(2), |took| times.push(took));
        assert_eq!(times, [Duration::from_millis(2)]);

        moves.saw(Version(8), ms(13), |_| panic!("nobody waits for it"));
        assert_eq!(moves.moved(Version(8), ms(10)), Some(Duration::from_millis(3)));
        moves.saw(Version(10), ms(14), |_| panic!("nobody waits for it"));
        assert_eq!(moves.moved(Version(9), ms(12)), None);
    }

    /// A wish sent again has waited since it was first sent.
    #[test]
    fn a_repeated_wish_keeps_its_time() {
        let begin = Instant::now();
        let mut moves = Moves::new();
        moves.sent(3, begin);
        moves.sent(3, begin + Duration::from_millis(5));
        assert_eq!(moves.answered(3), Some(begin));
    }
}
