// One player's side of the socket, taken through the ways a connection dies.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation as Whole } from "../ui/conversation.js";
import { Pending, PENDING_MAX } from "../ui/pending.js";

const HELLO = { player: "p1", name: "Ann", token: "t1", server: { version: "1", frontends: [], cluster: "connected" } };
const NOW = 1_000_000;
const ROOM = "k7qmw2vxp4t5hj3d";
const OTHER_ROOM = "a7qmw2vxp4t5hj3d";

/** Without what it does about notices, which have tests of their own. */
class Conversation extends Whole {
  received(frame, now) {
    return super.received(frame, now).filter(({ to, frame: sent }) => to !== "restored" && sent?.action !== "notices");
  }
}

/** The frames among what is to be done. */
const frames = (effects) => effects.filter(({ to }) => to === "send").map(({ frame }) => frame);
const actions = (effects) => frames(effects).map(({ action }) => action);
const guess = (serial, round = 1) => ({ serial, action: "play", data: { room: ROOM, move: { letter: "e" } }, round, since: NOW });
const say = (serial) => ({ serial, action: "say", data: { room: ROOM, text: "hi" }, round: null, since: NOW });
/** As a frontend says it that knows no steps; of those, `steps.test.js` tells. */
const view = (version, round = 1, extra = {}) => ({ push: "view", room: ROOM, version, view: { round, chat: [] }, events: [], ...extra });

/** Connects and is greeted; what follows the greeting is returned. */
function connect(conversation) {
  const [hello] = frames(conversation.opened());
  assert.equal(hello.action, "hello");
  return conversation.received({ id: hello.id, ok: HELLO }, NOW);
}

/** A conversation that looks at a room, up to date at version 5. */
function atTheTable() {
  const conversation = new Conversation({ name: "Ann" });
  connect(conversation);
  const [watch] = frames(conversation.watch(ROOM));
  conversation.received({ id: watch.id, ok: { room: ROOM, version: 5 } }, NOW);
  conversation.received(view(5), NOW);
  return conversation;
}

/** After a reconnect: answers the watch. */
function rewatch(conversation, effects, version) {
  const watch = frames(effects).find(({ action }) => action === "watch");
  return conversation.received({ id: watch.id, ok: { room: ROOM, version } }, NOW);
}

test("a guess whose answer was lost goes out again under its serial, once the room is up to date", () => {
  const conversation = atTheTable();
  const [first] = frames(conversation.wish(guess(7)));
  assert.equal(first.data.serial, 7);

  conversation.lost();
  const back = connect(conversation);
  assert.deepEqual(actions(back), ["watch"]);
  assert.equal(frames(back)[0].data.since, 5);

  const [again] = frames(rewatch(conversation, back, 5));
  assert.deepEqual(again.data, first.data);
  const done = conversation.received({ id: again.id, ok: { version: 6 } }, NOW);
  assert.deepEqual(done.map(({ to, answer }) => [to, answer.ok]), [["fulfil", { version: 6 }]]);
  assert.deepEqual(conversation.pending, []);
});

test("a guess pressed while the connection is away waits for it", () => {
  const conversation = atTheTable();
  conversation.lost();
  assert.deepEqual(conversation.wish(guess(7)), []);
  const back = connect(conversation);
  assert.equal(frames(rewatch(conversation, back, 5))[0].data.serial, 7);
});

test("a guess for a round that has ended meanwhile is dropped, talk is not", () => {
  const conversation = atTheTable();
  conversation.lost();
  conversation.wish(guess(7, 1));
  conversation.wish(say(8));
  const back = connect(conversation);
  assert.deepEqual(actions(back), ["watch", "say"]);
  rewatch(conversation, back, 9);
  const caughtUp = conversation.received(view(9, 2, { resync: true }), NOW);
  assert.deepEqual(caughtUp.map(({ to }) => to), ["show", "fulfil"]);
  assert.deepEqual(conversation.pending.map(({ serial }) => serial), [8]);
});

test("a guess waits until the room has reached the version the server spoke of", () => {
  const conversation = atTheTable();
  conversation.lost();
  conversation.wish(guess(7));
  const back = connect(conversation);
  rewatch(conversation, back, 7);
  assert.deepEqual(actions(conversation.received(view(6), NOW)), []);
  assert.deepEqual(actions(conversation.received(view(7), NOW)), ["play"]);
});

test("busy, no-quorum and unknown-outcome leave a wish open, but not for ever", () => {
  for (const code of ["busy", "no-quorum", "unknown-outcome"]) {
    // A line of chat is old after a minute; a guess, of which we say that it is safe, after ten.
    for (const [wish, minutes] of [[say(7), 1], [guess(7), 10]]) {
      const conversation = atTheTable();
      const [sent] = frames(conversation.wish(wish));
      const refused = { code, message: "not now" };
      const late = minutes * 60_000 - 1;
      assert.deepEqual(conversation.received({ id: sent.id, refused }, NOW + late), [{ to: "retry", serial: 7, after: 3000, refused }]);
      const [again] = frames(conversation.retry(7));
      assert.equal(again.data.serial, 7);
      const [end] = conversation.received({ id: again.id, refused }, NOW + late + 1);
      assert.equal(end.answer.refused.code, code);
      assert.deepEqual(conversation.pending, []);
    }
  }
});

test("a wish that waits for a leader is asked again soon, then slower, and at once when a leader is back", () => {
  const conversation = atTheTable();
  const [sent] = frames(conversation.wish(guess(7)));
  conversation.received({ push: "cluster", state: "electing" }, NOW);
  const refused = { code: "no-quorum", message: "not now" };
  const waits = [];
  let { id } = sent;
  for (const after of [0, 4000, 12_000]) {
    waits.push(conversation.received({ id, refused }, NOW + after)[0].after);
    [{ id }] = frames(conversation.retry(7));
  }
  assert.deepEqual(waits, [400, 1000, 3000]);
  assert.deepEqual(actions(conversation.received({ push: "cluster", state: "connected" }, NOW)), [], "it is on its way");
  conversation.received({ id, refused }, NOW + 12_000);
  assert.deepEqual(actions(conversation.received({ push: "cluster", state: "connected" }, NOW)), ["play"]);
});

test("a guess whose room was left, or whose round is over, is never sent late", () => {
  const left = atTheTable();
  left.lost();
  left.wish(guess(7));
  left.unwatch();
  const back = connect(left);
  assert.deepEqual([actions(back), back.map(({ to }) => to)], [[], ["greeted", "fulfil"]]);

  // Put off in one round, due in the next.
  const later = atTheTable();
  const [sent] = frames(later.wish(guess(7)));
  later.received({ id: sent.id, refused: { code: "busy", message: "not now" } }, NOW);
  later.received(view(6, 2), NOW);
  assert.deepEqual(later.retry(7).map(({ to }) => to), ["fulfil"]);
  assert.deepEqual(later.pending, []);
});

test("an outcome that is forgotten is an answer: nobody will ever know more", () => {
  const conversation = atTheTable();
  const [sent] = frames(conversation.wish(guess(7)));
  const refused = { code: "unknown-outcome", message: "look at the room", forgotten: true };
  const [done] = conversation.received({ id: sent.id, refused }, NOW);
  assert.equal(done.to, "fulfil");
  assert.deepEqual(conversation.pending, []);
});

test("any other refusal is an answer", () => {
  const conversation = atTheTable();
  const [sent] = frames(conversation.wish(guess(7)));
  const [done] = conversation.received({ id: sent.id, refused: { code: "illegal-move", message: "again?" } }, NOW);
  assert.equal(done.to, "fulfil");
  assert.deepEqual(conversation.pending, []);
});

test("views are shown in order, each once", () => {
  const conversation = atTheTable();
  assert.equal(conversation.received(view(6), NOW)[0].seen.version, 6);
  assert.deepEqual(conversation.received(view(6), NOW), []);
  assert.deepEqual(conversation.received(view(4), NOW), []);
  assert.deepEqual(conversation.received({ ...view(7), room: OTHER_ROOM }, NOW), []);
});

test("a gap nobody explained is not shown but asked about; a resync is shown", () => {
  const conversation = atTheTable();
  const [ask] = frames(conversation.received(view(8), NOW));
  assert.deepEqual([ask.action, ask.data.since], ["watch", 5]);
  const [show] = conversation.received(view(8, 1, { resync: true }), NOW);
  assert.equal(show.seen.version, 8);
});

test("a resync is shown also when its version is lower: the server has counted anew", () => {
  const conversation = atTheTable();
  assert.deepEqual(conversation.received(view(4), NOW), [], "without, it is old news");
  const [show] = conversation.received(view(4, 1, { resync: true }), NOW);
  assert.equal(show.seen.version, 4);
  assert.equal(conversation.received(view(5), NOW)[0].seen.version, 5);
});

test("how old the first view is, the answer to the watch has said; later ones are new", () => {
  const conversation = new Conversation();
  const hello = frames(conversation.opened())[0];
  conversation.received({ id: hello.id, ok: HELLO }, NOW);
  const [watch] = frames(conversation.watch(ROOM));
  conversation.received({ id: watch.id, ok: { room: ROOM, version: 5, age: 700 } }, NOW);
  assert.equal(conversation.received(view(5), NOW)[0].seen.age, 700);
  assert.equal(conversation.received(view(6), NOW)[0].seen.age, 0);
  conversation.lost();
  const back = conversation.received({ id: frames(conversation.opened())[0].id, ok: HELLO }, NOW);
  const again = frames(back).find(({ action }) => action === "watch");
  const aged = conversation.received({ id: again.id, ok: { room: ROOM, version: 6, age: 4000 } }, NOW);
  assert.deepEqual(aged.filter(({ to }) => to === "aged"), [{ to: "aged", age: 4000 }]);
});

/** The same, in a cluster that says its epoch. */
function inEpoch(conversation, epoch) {
  const [hello] = frames(conversation.opened());
  return conversation.received({ id: hello.id, ok: { ...HELLO, server: { ...HELLO.server, epoch } } }, NOW);
}

test("after a restore everything is looked at anew, whatever its version, and that is said", () => {
  const conversation = new Conversation();
  inEpoch(conversation, "e1");
  const [watch] = frames(conversation.watch(ROOM));
  conversation.received({ id: watch.id, ok: { room: ROOM, version: 16 } }, NOW);
  conversation.received(view(16), NOW);
  conversation.lost();
  const same = inEpoch(conversation, "e1");
  assert.deepEqual(frames(same)[0].data, { room: ROOM, since: 16, epoch: "e1" });
  assert.deepEqual(same.map(({ to }) => to), ["greeted", "send"]);
  rewatch(conversation, same, 16);
  conversation.wish(guess(7));
  conversation.lost();

  const other = inEpoch(conversation, "e2");
  assert.deepEqual(other.map(({ to }) => to), ["greeted", "fulfil", "tell", "send"]);
  assert.match(other[2].message, /restored from a backup/);
  assert.deepEqual(frames(other)[0].data, { room: ROOM }, "what was seen does not count");
  assert.deepEqual(conversation.pending, [], "the letter was meant for another board");
  rewatch(conversation, other, 4);
  assert.equal(conversation.received(view(4), NOW)[0].seen.version, 4);
  assert.equal(conversation.received(view(5), NOW)[0].seen.version, 5);
});

test("a restore behind a frontend that has stayed is noticed and said like any other", () => {
  const conversation = new Conversation();
  inEpoch(conversation, "e1");
  const [watch] = frames(conversation.watch(ROOM));
  conversation.received({ id: watch.id, ok: { room: ROOM, version: 16 } }, NOW);
  conversation.received(view(16), NOW);
  assert.deepEqual(conversation.received({ push: "cluster", state: "reconnecting", epoch: "e1" }, NOW), []);
  const back = conversation.received({ push: "cluster", state: "connected", leader: 1, epoch: "e2" }, NOW);
  assert.deepEqual(back.map(({ to }) => to), ["tell", "send"]);
  assert.deepEqual(frames(back)[0].data, { room: ROOM });
  rewatch(conversation, back, 4);
  assert.equal(conversation.received(view(4, 1, { resync: true }), NOW)[0].seen.version, 4);
  assert.deepEqual(conversation.received({ push: "cluster", state: "connected", epoch: "e2" }, NOW), [], "said once");
});

test("a restore that happened over a reload is said; another cluster is not a restore", () => {
  const reloaded = new Conversation({ token: "t1", epoch: "e1" });
  reloaded.watch(ROOM);
  assert.ok(inEpoch(reloaded, "e2").some(({ to }) => to === "tell"));

  const elsewhere = new Conversation({ token: "old", epoch: "e1" });
  elsewhere.watch(ROOM);
  const [hello] = frames(elsewhere.opened());
  const [second] = frames(elsewhere.received({ id: hello.id, refused: { code: "unauthorized", message: "no" } }, NOW));
  const greeted = elsewhere.received({ id: second.id, ok: { ...HELLO, server: { epoch: "e2" } } }, NOW);
  assert.deepEqual(greeted.map(({ to }) => to), ["greeted", "send"]);
});

test("a guess for a round that a restore has not come to yet is dropped", () => {
  const conversation = atTheTable();
  conversation.lost();
  conversation.wish(guess(7, 3));
  const back = connect(conversation);
  const answered = rewatch(conversation, back, 2);
  const caughtUp = conversation.received(view(2, 1, { resync: true }), NOW);
  assert.deepEqual([...answered, ...caughtUp].map(({ to }) => to), ["fulfil", "show"]);
});

test("a name nobody accepts is told, and the game goes on without", () => {
  for (const code of ["bad-request", "too-large"]) {
    const conversation = new Conversation({ name: "\u3164" });
    const [hello] = frames(conversation.opened());
    const effects = conversation.received({ id: hello.id, refused: { code, message: "no" } }, NOW);
    assert.deepEqual(effects.map(({ to }) => to), ["tell", "send"]);
  }
});

test("a token nobody accepts is dropped, and a new guest says hello", () => {
  const conversation = new Conversation({ token: "old", name: "Ann" });
  const [hello] = frames(conversation.opened());
  assert.deepEqual(hello.data, { name: "Ann", token: "old", steps: true });
  const [second] = frames(conversation.received({ id: hello.id, refused: { code: "unauthorized", message: "no" } }, NOW));
  assert.deepEqual(second.data, { name: "Ann", steps: true });
});

test("a hello that is not accepted ends the call, and the player is told why", () => {
  const conversation = new Conversation();
  const [hello] = frames(conversation.opened());
  assert.deepEqual(conversation.received({ id: hello.id, refused: { code: "busy", message: "full" } }, NOW), [{ to: "hang-up" }, { to: "tell", message: "full" }]);
});

test("the standing says which of the two links is down", () => {
  const conversation = new Conversation();
  assert.equal(conversation.standing, "reconnecting");
  connect(conversation);
  assert.equal(conversation.standing, "connected");
  conversation.received({ push: "cluster", state: "reconnecting" }, NOW);
  assert.equal(conversation.standing, "electing");
  conversation.received({ push: "cluster", state: "connected", leader: 2 }, NOW);
  assert.equal(conversation.standing, "connected");
  conversation.lost();
  assert.equal(conversation.standing, "reconnecting");
});

test("a question ends with its socket, and so does what is asked without one", () => {
  const conversation = atTheTable();
  const { id } = conversation.ask("rooms", {});
  assert.deepEqual(conversation.lost().map((effect) => [effect.to, effect.id]), [["settle", id]]);
  assert.equal(conversation.ask("rooms", {}).effects[0].to, "settle");
});

test("a room that is not there takes its waiting wishes along", () => {
  const conversation = atTheTable();
  conversation.lost();
  conversation.wish(guess(7));
  const back = connect(conversation);
  const watch = frames(back).find(({ action }) => action === "watch");
  const gone = conversation.received({ id: watch.id, refused: { code: "no-such-room", message: "gone" } }, NOW);
  assert.deepEqual(gone.map(({ to }) => to), ["fulfil", "gone"]);
});

test("leaving a room and coming back at once is not mistaken for a room that is gone", () => {
  const conversation = new Conversation();
  connect(conversation);
  const [first] = frames(conversation.watch(ROOM));
  conversation.unwatch();
  const [second] = frames(conversation.watch(ROOM));
  const left = { code: "bad-request", message: "the room was left before it was shown" };
  assert.deepEqual(conversation.received({ id: first.id, refused: left }, NOW), []);
  conversation.received({ id: second.id, ok: { room: ROOM, version: 5 } }, NOW);
  assert.equal(conversation.received(view(5), NOW)[0].to, "show");
});

test("a wish answered on an earlier socket is not answered twice", () => {
  const conversation = atTheTable();
  const [sent] = frames(conversation.wish(guess(7)));
  assert.equal(conversation.received({ id: sent.id, ok: {} }, NOW).length, 1);
  assert.deepEqual(conversation.received({ id: sent.id, ok: {} }, NOW), []);
});

test("too many unanswered wishes are refused on the spot", () => {
  const conversation = new Conversation();
  for (let serial = 1; serial <= PENDING_MAX; serial += 1) assert.deepEqual(conversation.wish(say(serial)), []);
  const [refused] = conversation.wish(say(PENDING_MAX + 1));
  assert.equal(refused.answer.refused.code, "too-fast");
});

test("wishes outlive a reload, unless they are old or not wishes", () => {
  const saved = [say(1), { ...say(2), since: NOW - 120_000 }, null, { serial: "3" }, { ...guess(4), since: NOW - 600_000 }];
  const pending = Pending.restore(JSON.parse(JSON.stringify(saved)), NOW);
  const conversation = new Conversation({ token: "t1", pending });
  assert.deepEqual(frames(connect(conversation)).map(({ data }) => data.serial), [1]);
});

test("a bye ends the talk, unless there is time to move", () => {
  const conversation = atTheTable();
  const bye = (code) => conversation.received({ push: "bye", code, message: "why" }, NOW);
  assert.deepEqual(bye("moving"), [{ to: "move" }]);
  assert.equal(conversation.standing, "connected");
  assert.deepEqual(actions(conversation.wish(guess(7))), ["play"]);
  assert.deepEqual(bye("restarting"), [{ to: "hang-up" }]);
  assert.deepEqual(bye("abuse"), [{ to: "hang-up" }, { to: "tell", message: "why" }]);
});

test("frames that make no sense change nothing", () => {
  const conversation = atTheTable();
  for (const frame of [null, 7, "x", [], {}, { id: 999, ok: {} }, { push: "weather" }]) {
    assert.deepEqual(conversation.received(frame, NOW), []);
  }
});
