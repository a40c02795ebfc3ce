//! Rooms told in steps to streams that understand them, and in whole views to others.

use super::harness::{Cluster, Player};
use hangraft_proto::v1::command::Action;
use hangraft_proto::v1::look_request::At;
use hangraft_proto::v1::{Open, Play, Say, Sit, Step, Unwatch, Update, Uplink, Watch};
use prost::Message;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

type View = Map<String, Value>;

/// A stream of a frontend, and what it has put together of a room.
struct Screen {
    link: Player,
    steps: bool,
    version: u64,
    gallery: View,
    own: BTreeMap<u64, View>,
    /// Bytes of updates, and how many of them were steps.
    bytes: usize,
    stepped: usize,
    /// Bytes of what changes for the gallery, or of its views, as a client is told.
    told: usize,
}

impl Screen {
    async fn open(link: Player, room: u64, players: &[u64], steps: bool) -> Screen {
        let (gallery, own) = (View::new(), BTreeMap::new());
        let mut screen =
            Screen { link, steps, version: 0, gallery, own, bytes: 0, stepped: 0, told: 0 };
        screen.watch(room, players, None).await;
        screen
    }

    async fn watch(&mut self, room: u64, players: &[u64], since: Option<u64>) {
        let (players, steps) = (players.to_vec(), self.steps);
        let watches = vec![Watch { room, since, players, steps, ask: 7 }];
        self.link.say(Uplink { watches, ..Uplink::default() }).await;
    }

    /// Takes what comes until this version is shown.
    async fn until(&mut self, version: u64) {
        while self.version < version {
            let (downlink, _) = self.link.hear().await;
            downlink.updates.iter().for_each(|update| self.take(update));
        }
        assert_eq!(self.version, version);
    }

    fn take(&mut self, update: &Update) {
        self.bytes += update.encoded_len();
        let before = self.gallery.clone();
        let whole = |view: &[u8]| -> View { serde_json::from_slice(view).expect("an object") };
        let views = update.private.iter().map(|own| (own.player, whole(&own.view)));
        let mut own: BTreeMap<u64, View> = views.collect();
        match &update.step {
            Some(step) => {
                assert!(!update.resync && update.view.is_empty() && self.steps);
                assert_eq!(update.version, self.version + 1, "a step begins at what was shown");
                self.stepped += 1;
                let told = step.set.iter().filter(|field| field.name != "chat");
                self.told +=
                    told.map(|field| field.name.len() + field.value.len() + 4).sum::<usize>();
                self.gallery = after(&before, step);
                for told in &update.private_steps {
                    let step = told.step.as_ref().expect("a step");
                    own.insert(told.player, after(&self.own[&told.player], step));
                }
            }
            None => {
                self.told += update.view.len();
                self.gallery = whole(&update.view);
            }
        }
        (self.own, self.version) = (own, update.version);
    }
}

fn after(view: &View, step: &Step) -> View {
    let mut view = view.clone();
    for name in &step.unset {
        view.remove(name).expect("it was there");
    }
    for field in &step.set {
        view.insert(field.name.clone(), serde_json::from_slice(&field.value).expect("JSON"));
    }
    view
}

async fn move_in(player: &mut Player, room: u64, mv: Value) -> u64 {
    let play = Play { room, r#move: mv.to_string() };
    player.ask(Action::Play(play)).await.expect("a good move").version
}

/// A game with a setter, who sees the word while nobody else does: a stream that understands
/// steps and one that does not see the same at each version, through everybody's eyes, also as
/// the setter comes to see more than others and no more than they.
#[tokio::test(flavor = "multi_thread")]
async fn streams_are_told_in_steps_or_in_views() {
    let mut cluster = Cluster::new(1);
    cluster.start_all().await;
    let at = cluster.address(cluster.leader().await);
    let (mut ann, mut bo) =
        (Player::new_at(at, &cluster).await, Player::new_at(at, &cluster).await);
    let options = json!({"mode": "setter", "seats": 2}).to_string();
    let open = Open { game: "hangman".into(), options, public: false };
    let room = ann.ask(Action::Open(open)).await.expect("a room").room;
    ann.ask(Action::Sit(Sit { room, name: "Ann".into() })).await.expect("a seat");
    let players = [ann.id(), bo.id()];
    let mut new = Screen::open(ann.also_at(at, &cluster).await, room, &players, true).await;
    let mut old = Screen::open(bo.also_at(at, &cluster).await, room, &players, false).await;
    new.until(2).await;
    old.until(2).await;
    let sat = bo.ask(Action::Sit(Sit { room, name: "Bo".into() })).await.expect("a seat");
    new.until(sat.version).await;
    let role = |view: &View| view["players"][0]["role"] == "setter";
    let (setter, guesser) =
        if role(&new.gallery) { (&mut ann, &mut bo) } else { (&mut bo, &mut ann) };
    let mut version = move_in(setter, room, json!({"secret": "strawberry"})).await;
    for screen in [&mut new, &mut old] {
        screen.until(version).await;
        assert_eq!(screen.own[&setter.id()]["answer"], "strawberry");
        assert_eq!((screen.own.len(), screen.gallery.get("answer")), (1, None));
    }
    let said = Say { room, name: "Bo".into(), text: "hm".into() };
    guesser.ask(Action::Say(said)).await.expect("a line");
    let mut moves = Vec::new();
    for letter in ["x", "s", "t", "o", "r", "a", "w", "b", "e", "y"] {
        version = move_in(guesser, room, json!({ "letter": letter })).await;
        new.until(version).await;
        old.until(version).await;
        assert_eq!((&new.gallery, &new.own), (&old.gallery, &old.own));
        moves.push([new.bytes, old.bytes, new.told, old.told]);
    }
    assert_eq!((&new.gallery["answer"], new.own.len()), (&json!("strawberry"), 0));
    assert!(new.stepped >= 12 && old.stepped == 0, "{} and {}", new.stepped, old.stepped);
    // Of the moves between the first and the last.
    let (first, last) = (moves[0], moves[moves.len() - 2]);
    let of_each = |nth: usize| (last[nth] - first[nth]) / (moves.len() - 2);
    let [steps, views, changes, wholes] = [0, 1, 2, 3].map(of_each);
    println!("a move, to a frontend: {steps} bytes as a step, {views} as views for two");
    println!("a move, to a client: {changes} bytes of changes, {wholes} of views");
    assert!(steps < views && changes < wholes, "{steps} of {views} bytes");
    cluster.stop_all().await;
}

/// Who comes back is told the steps that were missed, or the whole view where they are not
/// kept; and what was said before is looked up, of a room that is there or one that is over.
#[tokio::test(flavor = "multi_thread")]
async fn missed_steps_are_told_and_lines_are_looked_up() {
    let mut cluster = Cluster::new(1);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let at = cluster.address(leader);
    let mut ann = Player::new_at(at, &cluster).await;
    let room = ann.open_and_sit().await;
    let mut back = Screen::open(ann.also_at(at, &cluster).await, room, &[], true).await;
    let mut stays = Screen::open(ann.also_at(at, &cluster).await, room, &[], true).await;
    back.until(2).await;
    stays.until(2).await;
    back.link.say(Uplink { unwatches: vec![Unwatch { room }], ..Uplink::default() }).await;
    let say = |text: &str| Say { room, name: "Ann".into(), text: text.to_owned() };
    for text in ["one", "two", "three"] {
        let version = ann.ask(Action::Say(say(text))).await.expect("a line").version;
        stays.until(version).await;
    }
    back.watch(room, &[], Some(2)).await;
    back.until(5).await;
    assert_eq!((&back.gallery, back.stepped), (&stays.gallery, 3));
    back.link.say(Uplink { unwatches: vec![Unwatch { room }], ..Uplink::default() }).await;
    back.version = 0;
    back.watch(room, &[], Some(1)).await;
    back.until(5).await;
    assert_eq!((&back.gallery, back.stepped), (&stays.gallery, 3));

    let history = cluster.look_up(leader, At::History(room)).await.json;
    let history: Value = serde_json::from_slice(&history).expect("JSON");
    assert_eq!((&history["version"], &history["lines"]), (&json!(5), &stays.gallery["chat"]));
    assert_eq!(history["lines"][2]["text"], "three");
    assert!(cluster.look_up(leader, At::History(room + 99)).await.json.is_empty());
    cluster.stop_all().await;
}
