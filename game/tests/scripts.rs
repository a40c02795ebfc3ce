//! How a game and a room behave, told by scripts: lines in, text out.
//!
//! A script in `tests/scripts` is a list of blocks: comments and commands, a
//! line `---`, and what the commands print. `UPDATE=1 cargo test` writes what
//! they print now; the change is reviewed as a diff. Those in `next` are for
//! builds with that feature.
//!
//! ```text
//! ann host {"mode":"setter"}     a player opens a room, as its host; host public: for strangers;
//!                                host game=nim: of another game
//! ann open {"mode":"setter"}     the same as of old, without a host; then sit, stand, again, say,
//! ann letter 1 e                 letter, word, secret, play (raw JSON), each with a room
//! ann as Anna sit 1              under another name
//! ann@7 letter 1 e               with serial 7; ann@3:7 in lane 3
//! view 1 pattern lives           what the gallery sees of some fields; ann view ... : what ann sees
//! ann remove 1 ben               the host removes somebody; lock 1, unlock 1,
//!                                publish 1, hide 1
//! f1 all ann:1 ben:1             a frontend's presence by room: all, at, off
//! f1 whole ann ben               the same as of old: whole, came, left; f1@5 with sequence 5
//! here ann ben                   from here on frontend 9 has these, and says so while time passes
//! wait 2m                        time passes (m, s, ms), with a tick whenever one is due
//! asleep 60m                     so does it, but nobody ticks
//! matches                        from here on every member knows of matches
//! ann challenge ben clock=30     Ann asks Ben for a game of tic-tac-toe; challenge bot-easy;
//!                                game=hangman; unrated; seek, with bot=5s
//! ben accept 1                   takes the offer; decline 1, withdraw 1
//! ann resign 1                   gives up the round in room 1; draw 1, nodraw 1, claim 1 win,
//!                                claim 1 draw
//! told ann                       what she was told since she was last asked after
//! seed 7, rooms won, quiet       the next draws; a list, also of public or open ones; no events from here on
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use hangraft_game::{
    Answer, Attempt, Batch, Change, Command, Entry, Filter, FrontendId, Lane, Lobby, Notice,
    NoticeNumber, OfferId, Passed, Place, PlayerId, Reply, RoomId, Serial, Shelf, Stamp, State,
    Strength, Wanted, bots, events_json,
};

#[test]
fn every_script_prints_what_it_says() {
    let mut paths = scripts("tests/scripts");
    assert!(paths.len() >= 10, "the scripts are gone");
    if cfg!(feature = "next") {
        paths.extend(scripts("tests/scripts/next"));
    }
    let mut failed = Vec::new();
    for path in paths {
        let expected = std::fs::read_to_string(&path).unwrap();
        let printed = run(&expected);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, printed).unwrap();
        } else if printed != expected {
            failed.push(format!("{}\n{}", path.display(), first_difference(&expected, &printed)));
        }
    }
    assert!(failed.is_empty(), "{}\nUPDATE=1 rewrites the scripts", failed.join("\n\n"));
}

/// The scripts in a folder, without those in folders below it.
fn scripts(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = entries.filter(|path| path.is_file()).collect();
    paths.sort();
    paths
}

fn first_difference(expected: &str, printed: &str) -> String {
    let mut lines = expected.lines().zip(printed.lines()).enumerate();
    match lines.find(|(_, (expected, printed))| expected != printed) {
        Some((at, (expected, printed))) => {
            format!("line {}\n  expected: {expected}\n  printed:  {printed}", at + 1)
        }
        None => "one is longer than the other".to_owned(),
    }
}

/// The script with what it prints now.
fn run(script: &str) -> String {
    let mut table = Table::new();
    let mut text = String::new();
    let mut outputs = String::new();
    let mut printing = false;
    for line in script.lines() {
        match line {
            "---" => {
                printing = true;
                writeln!(text, "---\n{}", std::mem::take(&mut outputs).trim_end()).unwrap();
            }
            "" => {
                printing = false;
                text.push('\n');
            }
            _ if printing => {}
            _ => {
                writeln!(text, "{line}").unwrap();
                if !line.starts_with('#') {
                    outputs.push_str(&table.line(line));
                }
            }
        }
    }
    text
}

/// A lobby and what is needed to talk to it.
struct Table {
    lobby: Lobby,
    /// The next batch's.
    stamp: Stamp,
    serial: u64,
    sequence: u64,
    /// Whom frontend 9 has.
    here: Vec<PlayerId>,
    /// The last notice of each player that was printed.
    printed: BTreeMap<PlayerId, NoticeNumber>,
    quiet: bool,
}

/// How often a frontend says that its players are still there.
const RENEWAL_MS: u64 = 5_000;

impl Table {
    fn new() -> Table {
        // Some day in 2025. Not 0, so that nothing depends on starting there.
        let stamp =
            Stamp { at_ms: 1_750_000_000_000, seed: 1, passed_ms: Some(5_000), matches: false };
        let lobby = Lobby::default();
        let (here, printed) = (Vec::new(), BTreeMap::new());
        let mut table = Table { lobby, stamp, serial: 0, sequence: 0, here, printed, quiet: false };
        table.passed();
        table
    }

    fn line(&mut self, line: &str) -> String {
        let printed = self.command(line);
        assert_eq!(self.lobby.hash(), self.lobby.recompute_hash(), "after {line}");
        printed
    }

    fn command(&mut self, line: &str) -> String {
        let (first, rest) = cut(line);
        match first {
            "seed" => {
                self.stamp.seed = rest.parse().unwrap();
                String::new()
            }
            "quiet" => {
                self.quiet = true;
                String::new()
            }
            "matches" => {
                self.stamp.matches = true;
                String::new()
            }
            "told" => self.told(rest),
            "here" => {
                self.here = rest.split_whitespace().map(player).collect();
                self.say_who_is_here()
            }
            "wait" => self.wait(rest),
            "asleep" => {
                self.let_pass(millis(rest));
                String::new()
            }
            "rooms" => self.rooms(rest),
            "view" => self.view(None, rest),
            "due" => {
                let due = self.lobby.due_in_ms();
                format!("due in {due:?} ms\n")
            }
            _ if first.starts_with('f') => self.presence(first, rest),
            _ => self.player(first, rest),
        }
    }

    fn player(&mut self, who: &str, rest: &str) -> String {
        let (who, attempt) = self.attempt(who);
        let mut name = capitalized(who);
        let (mut action, mut rest) = cut(rest);
        if action == "as" {
            (name, (action, rest)) = (named(cut(rest).0), cut(cut(rest).1));
        }
        if action == "view" {
            return self.view(Some(player(who)), rest);
        }
        let command = command(action, rest, name);
        let entry = Entry { player: player(who), attempt, command };
        self.apply(who, entry)
    }

    fn presence(&mut self, frontend: &str, rest: &str) -> String {
        let (frontend, sequence) = match frontend.split_once('@') {
            Some((frontend, sequence)) => (frontend, sequence.parse().unwrap()),
            None => {
                self.sequence += 1;
                (frontend, self.sequence)
            }
        };
        let (kind, players) = cut(rest);
        let id = FrontendId(frontend[1..].parse().unwrap());
        if matches!(kind, "all" | "at" | "off") {
            let places: Vec<Place> = players.split_whitespace().map(place).collect();
            let (came, went) =
                if kind == "off" { (Vec::new(), places) } else { (places, Vec::new()) };
            let whole = kind == "all";
            let command = Command::Here { frontend: id, sequence, whole, came, went };
            return self
                .apply(frontend, Entry { player: PlayerId(0), attempt: Attempt::NONE, command });
        }
        let players: Vec<PlayerId> = players.split_whitespace().map(player).collect();
        let (arrived, departed) =
            if kind == "left" { (Vec::new(), players) } else { (players, Vec::new()) };
        let command =
            Command::Presence { frontend: id, sequence, whole: kind == "whole", arrived, departed };
        self.apply(frontend, Entry { player: PlayerId(0), attempt: Attempt::NONE, command })
    }

    /// Applies an entry the way a replica does: out of the log.
    fn apply(&mut self, who: &str, entry: Entry) -> String {
        // So that no two commands draw alike.
        self.stamp.seed += 1000;
        let batch = Batch { stamp: self.stamp, entries: vec![entry] };
        let batch = Batch::decode(&batch.encode()).expect("our own bytes");
        let mut text = self.passed();
        for (nth, entry) in (0..).zip(&batch.entries) {
            let outcome = self.lobby.apply(batch.stamp, nth, entry);
            writeln!(text, "{who}: {}", answer(&outcome.answer)).unwrap();
            text.push_str(&self.changes(&outcome.changes));
        }
        text
    }

    /// Time passes the way a leader lets it: a tick whenever one is due.
    fn wait(&mut self, how_long: &str) -> String {
        let mut left_ms = millis(how_long);
        let mut text = String::new();
        while let Some(due_ms) = self.next_ms().filter(|due_ms| *due_ms < left_ms) {
            left_ms -= due_ms;
            self.let_pass(due_ms);
            text.push_str(&self.passed());
            if !self.here.is_empty() {
                text.push_str(&self.say_who_is_here());
            }
        }
        self.let_pass(left_ms);
        text.push_str(&self.passed());
        text
    }

    /// How long until something happens by itself.
    fn next_ms(&self) -> Option<u64> {
        let renewal_ms = (!self.here.is_empty()).then_some(RENEWAL_MS);
        self.lobby.due_in_ms().into_iter().chain(renewal_ms).min()
    }

    /// Frontend 9 tells whom it has; what changed by it.
    fn say_who_is_here(&mut self) -> String {
        self.sequence += 1;
        let command = Command::Presence {
            frontend: FrontendId(9),
            sequence: self.sequence,
            whole: true,
            arrived: self.here.clone(),
            departed: Vec::new(),
        };
        let entry = Entry { player: PlayerId(0), attempt: Attempt::NONE, command };
        self.apply("f9", entry).replace("f9: heard\n", "")
    }

    /// The next batch lets so much more time pass.
    fn let_pass(&mut self, ms: u64) {
        self.stamp.at_ms += ms;
        self.stamp.passed_ms = self.stamp.passed_ms.map(|passed_ms| passed_ms + ms);
    }

    fn passed(&mut self) -> String {
        let Passed { changes, finished, .. } = self.lobby.tick(self.stamp);
        self.stamp.passed_ms = Some(0);
        let mut text = self.changes(&changes);
        for finished in finished {
            let about = (finished.state, finished.names, finished.about);
            writeln!(text, "  archived {} {}: {about:?}", finished.room, finished.version).unwrap();
        }
        text
    }

    fn changes(&self, changes: &[Change]) -> String {
        let mut text = String::new();
        for change in changes.iter().filter(|_| !self.quiet) {
            let (room, version) = (change.room, change.version);
            let events = events_json(&change.events);
            let closed = if change.closed { " and is gone" } else { "" };
            writeln!(text, "  {room} {version}{closed} {events}").unwrap();
            assert_eq!(change.closed, self.lobby.room(room).is_none());
            assert_eq!(change.closed, change.last.is_some());
        }
        text
    }

    /// What a player was told since this was last asked.
    fn told(&mut self, who: &str) -> String {
        let since = self.printed.entry(player(who)).or_default();
        let told = self.lobby.notices_after(player(who), Some(*since));
        assert!(!told.resync);
        *since = told.newest;
        let lines =
            told.notices.iter().map(|(number, told)| format!("{number}: {}\n", notice(told)));
        let text: String = lines.collect();
        if text.is_empty() { "nothing\n".to_owned() } else { text }
    }

    fn rooms(&self, which: &str) -> String {
        let (shelf, state) = match cut(which) {
            ("public", state) => (Shelf::Public, state),
            ("open", state) => (Shelf::Open, state),
            _ => (Shelf::All, which),
        };
        let filter = Filter { game: None, state: State::named(state), shelf };
        let mut text = String::new();
        for room in self.lobby.rooms(&filter, None, 50) {
            let names: Vec<String> = room.players().map(|player| player.name.to_string()).collect();
            let (id, state, about) = (room.id(), room.state(), room.about());
            writeln!(text, "{id} {state} {names:?} of {} {about}", room.seats_max()).unwrap();
        }
        if text.is_empty() { "no rooms\n".to_owned() } else { text }
    }

    fn view(&self, viewer: Option<PlayerId>, rest: &str) -> String {
        let (room, fields) = cut(rest);
        let Some(room) = self.lobby.room(room_id(room)) else { return "no such room\n".into() };
        let view: serde_json::Value = serde_json::from_str(&room.view(viewer)).unwrap();
        if fields.is_empty() {
            return format!("{view}\n");
        }
        let mut text = String::new();
        for field in fields.split_whitespace() {
            match view.get(field) {
                Some(value) => writeln!(text, "{field}: {value}").unwrap(),
                None => writeln!(text, "{field} is not there").unwrap(),
            }
        }
        text
    }

    fn attempt<'a>(&mut self, who: &'a str) -> (&'a str, Attempt) {
        let Some((who, attempt)) = who.split_once('@') else {
            self.serial += 1;
            // Out of the way of serials that scripts choose.
            return (who, Attempt { lane: Lane(99), serial: Serial(self.serial) });
        };
        let (lane, serial) = attempt.split_once(':').unwrap_or(("0", attempt));
        (
            who,
            Attempt { lane: Lane(lane.parse().unwrap()), serial: Serial(serial.parse().unwrap()) },
        )
    }
}

fn command(action: &str, rest: &str, name: String) -> Command {
    if action == "open" {
        let (game, options) = rest.strip_prefix("game=").map_or(("hangman", rest), cut);
        return Command::Open { game: game.to_owned(), options: options.to_owned() };
    }
    if action == "host" {
        let options = rest.strip_prefix("public");
        let (public, rest) = options.map_or((false, rest), |options| (true, options.trim()));
        let (game, options) = rest.strip_prefix("game=").map_or(("hangman", rest), cut);
        return Command::Host { game: game.to_owned(), options: options.to_owned(), public };
    }
    if let Some(command) = about_offers(action, rest, &name) {
        return command;
    }
    let (id, rest) = cut(rest);
    let room = room_id(id);
    let mv = |kind: &str| serde_json::json!({ kind: rest }).to_string();
    match action {
        "sit" => Command::Join { room, likeness: name.to_lowercase(), name },
        "remove" => Command::Remove { room, player: player(rest) },
        "lock" | "unlock" => Command::Lock { room, locked: action == "lock" },
        "publish" | "hide" => Command::Publish { room, public: action == "publish" },
        "stand" => Command::Stand { room },
        "again" => Command::Again { room },
        "resign" => Command::Resign { room },
        "draw" | "nodraw" => Command::Draw { room, agreed: action == "draw" },
        "claim" => Command::Claim { room, win: rest == "win" },
        "say" => Command::Say { room, name, text: rest.replace("LONG", &"x".repeat(2_001)) },
        "play" => Command::Play { room, mv: rest.replace("LONG", &"x".repeat(1024)) },
        "letter" | "word" | "secret" => Command::Play { room, mv: mv(action) },
        _ => panic!("no script command {action}"),
    }
}

/// What is asked of the lobby about matches.
fn about_offers(action: &str, rest: &str, name: &str) -> Option<Command> {
    if !["challenge", "seek", "accept", "decline", "withdraw"].contains(&action) {
        return None;
    }
    let offer = || OfferId(rest.parse().unwrap());
    let (name, likeness) = (name.to_owned(), name.to_lowercase());
    let mut wanted =
        Wanted { game: "tic-tac-toe".into(), options: String::new(), clock_s: 0, rated: true };
    let (mut to, mut bot_after_ms) = (None, None);
    for word in rest.split_whitespace() {
        match word.split_once('=').unwrap_or((word, "")) {
            ("game", game) => wanted.game = game.to_owned(),
            ("clock", clock) => wanted.clock_s = clock.parse().unwrap(),
            ("unrated", _) => wanted.rated = false,
            ("bot", after) => bot_after_ms = Some(millis(after).try_into().unwrap()),
            (who, _) => to = Some(who),
        }
    }
    let to = to.filter(|_| action == "challenge").map(|who| match who.strip_prefix("bot-") {
        Some(strength) => {
            let strong = Strength::ALL.into_iter().find(|it| it.as_str() == strength);
            bots::of(&wanted.game, strong.unwrap()).unwrap()
        }
        None => player(who),
    });
    Some(match action {
        "challenge" => Command::Challenge { to, wanted, name, likeness },
        "seek" => Command::Seek { wanted, name, likeness, within: 0, bot_after_ms },
        "accept" => Command::Accept { offer: offer(), name, likeness },
        "decline" => Command::Decline { offer: offer() },
        _ => Command::Withdraw { offer: offer() },
    })
}

fn notice(notice: &Notice) -> String {
    match notice {
        Notice::Matched { offer, room, seat, other, .. } => {
            format!("{offer} is played in {room}, from {seat}, against {}", other.name)
        }
        Notice::Unmatched { offer, why } => format!("{offer} has ended: {}", why.as_str()),
        Notice::Challenged { offer, other, .. } => format!("{} challenges: {offer}", other.name),
        Notice::Unchallenged { offer } => format!("{offer} does not stand any more"),
        Notice::Turn { room, other, .. } => format!("your turn in {room} against {}", other.name),
        Notice::Rematch { room, other, .. } => format!("{} wants more in {room}", other.name),
        Notice::Over { room, other, score, .. } => {
            format!("{} against {} in {room}", score.as_str(), other.name)
        }
    }
}

fn answer(answer: &Answer) -> String {
    match answer {
        Ok(Reply::Opened { room, version }) => format!("opened {room} {version}"),
        Ok(Reply::Seated { room, seat, version }) => format!("{seat} in {room} {version}"),
        Ok(Reply::Stood { room, seat, version }) => format!("left {seat} in {room} {version}"),
        Ok(Reply::Accepted { version, .. }) => format!("accepted {version}"),
        Ok(Reply::Present { lease_lost: false }) => "heard".to_owned(),
        Ok(Reply::Present { lease_lost: true }) => "lease lost".to_owned(),
        Ok(Reply::Offered { offer, room: None }) => format!("{offer} stands"),
        Ok(Reply::Offered { offer, room: Some(room) }) => format!("{offer} is played in {room}"),
        Ok(Reply::Done) => "done".to_owned(),
        Err(rejection) => format!("refused ({}): {rejection}", rejection.code()),
    }
}

/// ann is 1, ben is 2, and so on through the alphabet.
fn player(name: &str) -> PlayerId {
    PlayerId(u64::from(name.as_bytes()[0] - b'a' + 1))
}

/// "ann:1" is Ann in room 1.
fn place(text: &str) -> Place {
    let (who, room) = text.split_once(':').unwrap();
    (player(who), room_id(room))
}

/// "online" is no room: who is there has a socket somewhere.
fn room_id(text: &str) -> RoomId {
    if text == "online" {
        return RoomId::ONLINE;
    }
    RoomId(text.parse().unwrap())
}

fn capitalized(name: &str) -> String {
    name[..1].to_uppercase() + &name[1..]
}

fn millis(text: &str) -> u64 {
    let units = [("ms", 1), ("m", 60_000), ("s", 1_000)];
    let in_unit = |(unit, ms)| text.strip_suffix(unit).map(|number| (number, ms));
    let (number, unit_ms) = units.into_iter().find_map(in_unit).unwrap();
    number.parse::<u64>().unwrap() * unit_ms
}

/// A name as a script writes it: without blanks, and LONG for one that is too long.
fn named(word: &str) -> String {
    word.replace('_', " ").replace("LONG", &"x".repeat(257))
}

fn cut(text: &str) -> (&str, &str) {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    (first, rest.trim_start())
}
