//! Strangers meet, at whatever node they are, and are told so.

use super::harness::{Cluster, Player, eventually};
use hangraft_proto::v1::command::Action;
use hangraft_proto::v1::look_request::At;
use hangraft_proto::v1::{
    Accept, Accepted, Card, Challenge, Code, Glance, Ladder, Notice, Resign, Seek, Update, Uplink,
    Wanted, Withdraw,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// Players are told that a clock ends on time to this.
const ON_TIME: f64 = 0.1;

/// The shortest clock there is.
const CLOCK: Duration = Duration::from_secs(5);

/// Games whose clocks run out shortly one after the other.
const GAMES: usize = 40;

const MATCHES: &str = "lobby:matches";

async fn three() -> Cluster {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    all_know_of_matches(&cluster).await;
    cluster
}

async fn all_know_of_matches(cluster: &Cluster) {
    let leader = cluster.leader().await;
    let known = || async { cluster.features(leader).await.contains(&MATCHES.to_owned()) };
    eventually("all members know of matches", known).await;
}

/// A game with a clock, or with none.
fn wanted(clock: Duration) -> Option<Wanted> {
    let clock_s = clock.as_secs() as u32;
    Some(Wanted { game: "tic-tac-toe".into(), options: String::new(), clock_s, rated: true })
}

fn seek(clock: Duration) -> Action {
    Action::Seek(Seek { wanted: wanted(clock), name: "Ann".into(), ..Seek::default() })
}

fn challenge(whom: u64) -> Action {
    let wanted = wanted(Duration::ZERO);
    Action::Challenge(Challenge { whom, wanted, name: "Ann".into() })
}

/// Two who seek the same, and the room in which they play.
async fn matched(ann: &mut Player, ben: &mut Player, clock: Duration) -> u64 {
    assert_eq!(ann.ask(seek(clock)).await.unwrap().room, 0, "nobody is there yet");
    let Accepted { room, .. } = ben.ask(seek(clock)).await.unwrap();
    assert_ne!(room, 0, "somebody is there");
    room
}

fn numbers(notices: &[Notice]) -> Vec<(u64, &str)> {
    notices.iter().map(|notice| (notice.number, notice.kind.as_str())).collect()
}

/// One seeks, the leader dies, another seeks elsewhere: they are in a game with each other,
/// and who follows the first is told so at a third node, once and by number.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_meet_although_the_leader_dies_between_them() {
    let mut cluster = three().await;
    let leader = cluster.leader().await;
    let (second, third) = (leader % 3 + 1, (leader + 1) % 3 + 1);
    let mut ann = Player::new_at(cluster.address(leader), &cluster).await;
    let mut ben = Player::new_at(cluster.address(second), &cluster).await;
    let mut eyes = ann.also_at(cluster.address(third), &cluster).await;
    let (a, b) = (ann.id(), ben.id());
    let told = eyes.follow(a, None, 7).await;
    assert_eq!((told.ask, told.newest, told.notices.len()), (7, 0, 0));

    let offer = ann.ask(seek(Duration::ZERO)).await.unwrap().offer;
    cluster.stop_now(leader).await;
    cluster.leader().await;
    let accepted = ben.ask(seek(Duration::ZERO)).await.unwrap();
    let told = eyes.told(a).await;
    let notice = &told.notices[0];
    // Whoever was told something first has the lower numbers.
    let first = notice.number;
    assert_eq!(numbers(&told.notices), [(first, "matched")]);
    assert_eq!((notice.offer, notice.room, notice.player), (offer, accepted.room, b));

    // Another node goes on where this one was. What was not told yet comes; what was does not.
    let mut elsewhere = ann.also_at(cluster.address(second), &cluster).await;
    let told = elsewhere.follow(a, Some(0), 8).await;
    assert_eq!((numbers(&told.notices), told.resync), (vec![(first, "matched")], false));
    let told = elsewhere.follow(a, Some(first), 9).await;
    assert_eq!((told.newest, told.notices.len(), told.resync), (first, 0, false));
    // A number that nobody gave out: the node makes sure, and then says so.
    let told = elsewhere.follow(a, Some(40), 10).await;
    assert_eq!((numbers(&told.notices), told.resync), (vec![(first, "matched")], true));

    // A challenge is told at once to both, and to whoever has the link to it.
    let offer = ben.ask(challenge(a)).await.unwrap().offer;
    for eyes in [&mut eyes, &mut elsewhere] {
        let told = eyes.told(a).await;
        assert_eq!(numbers(&told.notices), [(first + 1, "challenged")]);
        assert_eq!((told.notices[0].offer, told.notices[0].player), (offer, b));
    }
    let shown = cluster.look_up(third, At::Offer(offer)).await.offer.expect("it stands");
    assert_eq!((shown.player, shown.whom, shown.challenge), (b, a, true));
    let mut ann = ann.also_at(cluster.address(third), &cluster).await;
    let accept = Action::Accept(Accept { offer, name: "Ann".into() });
    let Accepted { room, .. } = ann.ask(accept).await.unwrap();
    assert!(room != 0 && room != accepted.room);
    assert_eq!(cluster.look_up(third, At::Offer(offer)).await.offer, None);

    // One gives up, and the other is on the ladder of this week.
    ann.ask(Action::Resign(Resign { room })).await.unwrap();
    cluster.same_hash_everywhere().await;
    let ladder = At::Ladder(Ladder { game: "tic-tac-toe".into(), week: true });
    let ladder: Value =
        serde_json::from_slice(&cluster.look_up(second, ladder).await.json).unwrap();
    assert_eq!(ladder["names"][0]["player"], format!("p{b:016x}"), "{ladder}");
    let card = cluster.look_up(third, At::Card(Card { player: a })).await.json;
    let card: Value = serde_json::from_slice(&card).unwrap();
    assert_eq!(card["games"]["tic-tac-toe"]["lost"], 1, "{card}");
    cluster.stop_all().await;
}

/// As long as nobody knows whether every member can do it, it is refused in words, and the
/// rest goes on; once they are known to, it is done.
#[tokio::test(flavor = "multi_thread")]
async fn matches_wait_until_every_member_knows_of_them() {
    let mut cluster = Cluster::new(3);
    cluster.mute(3).store(true, Ordering::SeqCst);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let mut ann = Player::new_at(cluster.address(leader), &cluster).await;
    let refused = ann.ask(seek(Duration::ZERO)).await.unwrap_err();
    assert_eq!(refused.code(), Code::BadRequest);
    assert!(refused.message.contains("being upgraded"), "{}", refused.message);
    ann.open_and_sit().await;
    cluster.mute(3).store(false, Ordering::SeqCst);
    all_know_of_matches(&cluster).await;
    let mut ben = Player::new_at(cluster.address(leader % 3 + 1), &cluster).await;
    matched(&mut ann, &mut ben, Duration::ZERO).await;
    cluster.same_hash_everywhere().await;
    cluster.stop_all().await;
}

/// Who looks at the lobby is shown it at once, and then as it is, but not each of many
/// changes. Who looks at the numbers sees them move.
#[tokio::test(flavor = "multi_thread")]
async fn who_looks_is_shown_what_stands_open_and_the_numbers() {
    const SEEKS: usize = 40;
    let cluster = three().await;
    let leader = cluster.leader().await;
    let mut player = Player::new_at(cluster.address(leader), &cluster).await;
    let mut eyes = Player::new_at(cluster.address(leader % 3 + 1), &cluster).await;
    let glance = Some(Glance { lobby: true, live: true });
    eyes.say(Uplink { glance, ..Uplink::default() }).await;
    let mut shown = Shown::default();
    shown.until(&mut eyes, |shown| !shown.seeks.is_empty() && !shown.live.is_empty()).await;
    assert_eq!(shown.seeks[0].1.total, 0);
    assert!(!shown.live[0].1.minutes.is_empty(), "the last hour comes first");

    let begun = Instant::now();
    let mut last = 0;
    for _ in 0..SEEKS {
        last = player.ask(seek(Duration::ZERO)).await.unwrap().offer;
        player.ask(Action::Withdraw(Withdraw { offer: last })).await.unwrap();
    }
    last = player.ask(seek(Duration::ZERO)).await.unwrap().offer.max(last);
    shown
        .until(&mut eyes, |shown| {
            let seeks = shown.seeks.last().map(|(_, seeks)| &seeks.seeks[..]);
            seeks.is_some_and(|seeks| seeks.len() == 1 && seeks[0].offer == last)
        })
        .await;
    let pushes = shown.seeks.len() - 1;
    let most = begun.elapsed().as_millis() / 250 + 2;
    assert!(pushes as u128 <= most, "{pushes} pushes of {SEEKS} seeks, {most} at most");

    // Somebody takes it, and then a game is played.
    let mut ben = Player::new_at(cluster.address(leader), &cluster).await;
    ben.ask(seek(Duration::ZERO)).await.unwrap();
    shown
        .until(&mut eyes, |shown| {
            let live = shown.live.last().map(|(_, live)| live.numbers.clone()).unwrap_or_default();
            let live: Value = serde_json::from_slice(&live).unwrap();
            live["playing"] == 1 && shown.seeks.last().is_some_and(|(_, seeks)| seeks.total == 0)
        })
        .await;
    // Who looks away hears nothing any more.
    eyes.say(Uplink { glance: Some(Glance::default()), ..Uplink::default() }).await;
    eyes.open().await;
    player.ask(seek(Duration::ZERO)).await.unwrap();
    sleep(Duration::from_millis(600)).await;
    let room = eyes.open().await;
    eyes.look(room).await.unwrap();
    cluster.stop_all().await;
}

/// What somebody who looks was shown, and when.
#[derive(Default)]
struct Shown {
    seeks: Vec<(Instant, hangraft_proto::v1::Seeks)>,
    live: Vec<(Instant, hangraft_proto::v1::Live)>,
}

impl Shown {
    async fn until(&mut self, eyes: &mut Player, enough: impl Fn(&Shown) -> bool) {
        while !enough(self) {
            let (down, at) = eyes.hear().await;
            self.seeks.extend(down.seeks.map(|seeks| (at, seeks)));
            self.live.extend(down.live.map(|live| (at, live)));
        }
    }
}

/// The clock of a room, as it is shown: when it will have run out.
fn deadline(update: &Update) -> Instant {
    let view: Value = serde_json::from_slice(&update.view).unwrap();
    let left_ms = view["match"]["clock"]["left_ms"].as_u64();
    let left_ms = left_ms.unwrap_or_else(|| panic!("no clock runs in {view}"));
    Instant::now() + Duration::from_millis(left_ms) - Duration::from_millis(update.age_ms)
}

/// How a round has ended.
fn how(update: &Update) -> String {
    let view: Value = serde_json::from_slice(&update.view).unwrap();
    view["match"]["result"]["how"].as_str().unwrap_or_else(|| panic!("not over: {view}")).into()
}

/// By how many seconds an instant is after another.
fn after(at: Instant, other: Instant) -> f64 {
    match at.checked_duration_since(other) {
        Some(late) => late.as_secs_f64(),
        None => -other.duration_since(at).as_secs_f64(),
    }
}

/// Clocks run out in many rooms, shortly one after the other, and each ends when it shows that
/// it will, as somebody sees it who watches at another node than the leader. They do not wait
/// for each other longer than a batch takes.
#[tokio::test(flavor = "multi_thread")]
async fn clocks_end_on_time() {
    let cluster = three().await;
    let mut late = Vec::new();
    for _ in 0..3 {
        let leader = cluster.leader().await;
        let before = cluster.report(leader).await.unwrap().term;
        late = how_late(&cluster, leader).await;
        // While another leader is elected no time passes. It is, on a machine that has much
        // else to do; then it shows nothing, and is tried again.
        if cluster.report(leader).await.unwrap().term == before {
            break;
        }
    }
    println!("late by {late:.3?}");
    assert!(late[0] > -0.05, "too early: {late:.3?}");
    // One in ten may meet a machine that has something else to do.
    let (median, nine_of_ten) = (late[GAMES / 2], late[GAMES * 9 / 10 - 1]);
    assert!(median < ON_TIME * 0.4 && nine_of_ten < ON_TIME, "late by {late:.3?}");
    cluster.stop_all().await;
}

/// How late the clocks of many games end, in seconds, in order.
async fn how_late(cluster: &Cluster, leader: u64) -> Vec<f64> {
    let mut ann = Player::new_at(cluster.address(leader), cluster).await;
    let mut ben = Player::new_at(cluster.address(leader), cluster).await;
    let mut eyes = Player::new_at(cluster.address(leader % 3 + 1), cluster).await;
    let mut deadlines = BTreeMap::new();
    for nth in 0..GAMES as u64 {
        let room = matched(&mut ann, &mut ben, CLOCK).await;
        deadlines.insert(room, deadline(&eyes.look(room).await.unwrap()));
        // Nobody sits at too many tables.
        (ann, ben) = (ann.another_at(1_000), ben.another_at(1_000));
        sleep(Duration::from_millis(nth * nth * 31 % 97)).await;
    }
    let mut late = Vec::new();
    while late.len() < GAMES {
        let (down, at) = eyes.hear().await;
        for update in down.updates {
            assert_eq!(how(&update), "clock");
            late.push(after(at, deadlines[&update.room]));
        }
    }
    late.sort_by(f64::total_cmp);
    late
}

/// The leader dies while a clock runs, and for longer than the clock nobody leads. Who is to
/// move has lost nothing by it: the clock goes on where it was, and ends as much later.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_loses_on_time_while_nobody_leads() {
    const OUTAGE: Duration = Duration::from_secs(6);
    let mut cluster = three().await;
    let leader = cluster.leader().await;
    let (second, third) = (leader % 3 + 1, (leader + 1) % 3 + 1);
    let mut ann = Player::new_at(cluster.address(second), &cluster).await;
    let mut ben = Player::new_at(cluster.address(second), &cluster).await;
    let room = matched(&mut ann, &mut ben, CLOCK).await;
    let mut eyes = Player::new_at(cluster.address(second), &cluster).await;
    let deadline = deadline(&eyes.look(room).await.unwrap());
    sleep_until(deadline - CLOCK / 2).await;
    // A batch: who starts later, and leads, hears by it how much time has passed.
    eyes.open().await;
    cluster.stop(third).await;
    let dies = Instant::now();
    cluster.stop_now(leader).await;
    let dead = Instant::now();
    sleep(OUTAGE).await;
    cluster.start(third).await;
    let back = Instant::now();
    cluster.leader_among(&[second, third]).await;
    let led = Instant::now();
    let over = eyes.next_of(room).await.unwrap();
    let late = after(Instant::now(), deadline);
    assert_eq!(how(&over), "clock");
    println!("late by {late:.3}, without a leader {:?} to {:?}", back - dead, led - dies);
    // The dead leader may have been heard a heartbeat ago.
    assert!(late > (back - dead).as_secs_f64() - 0.1, "time has passed that nobody had: {late}");
    assert!(late < (led - dies).as_secs_f64() + 2.0, "it was wound up again: {late}");
    cluster.stop_all().await;
}
