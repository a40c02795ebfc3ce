// A room that is told in steps. A frontend of paper tells random lives of a room, in whole
// views and in steps, and loses, repeats and reorders what can be; what the page shows is
// compared with what there was.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation } from "../ui/conversation.js";
import { stepped } from "../ui/watched.js";

const ROOM = "k7qmw2vxp4t5hj3d";
const LINES_MAX = 20;
/** Names that a field may have; some mean something to every object. */
const FIELDS = ["round", "state", "players", "match", "again", "pattern", "constructor", "__proto__", "toString"];

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
function dice(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** As it travels; nobody may change what was told. */
function travelled(frame) {
  return JSON.parse(JSON.stringify(frame), (_, value) => Object.freeze(value));
}

/** The same text for the same fields, in whatever order. */
const text = (view) => JSON.stringify(Object.entries(view).sort(([one], [other]) => (one < other ? -1 : 1)));
const withoutChat = (view) => Object.fromEntries(Object.entries(view).filter(([name]) => name !== "chat"));

/** A view with some of the fields, each with a value of a few. */
function randomView(chance) {
  const values = [0, 1, "x", null, [1, { a: 2 }], [], { seat: 1 }];
  const some = FIELDS.filter(() => chance() < 0.7);
  return Object.fromEntries(some.map((name) => [name, name === "round" ? 1 : values[Math.floor(chance() * values.length)]]));
}

/** What leads from one view to the other. */
function stepOf(before, after) {
  const has = (view, name) => Object.hasOwn(view, name);
  const set = Object.entries(after).filter(([name, value]) => !has(before, name) || JSON.stringify(before[name]) !== JSON.stringify(value));
  const unset = Object.keys(before).filter((name) => !has(after, name));
  return { set: Object.fromEntries(set), ...(unset.length > 0 && { unset }) };
}

/** A room, version by version, and what was said in it. */
class Life {
  views = [{}];
  /** Each with its version; no two have the same text. */
  said = [];

  constructor(chance) {
    this.chance = chance;
    for (let version = 0; version < 3; version += 1) this.goOn();
  }

  get version() {
    return this.views.length - 1;
  }

  goOn() {
    const moves = this.chance() < 0.6;
    this.views.push(moves || this.version === 0 ? randomView(this.chance) : this.views[this.version]);
    for (let lines = Math.floor(this.chance() * 3); lines > 0; lines -= 1) {
      this.said.push({ version: this.version, line: { player: "p2", name: "Bo", text: `line ${this.said.length}` } });
    }
  }

  linesOf(from, to = from) {
    return this.said.filter(({ version }) => version >= from && version <= to).map(({ line }) => line);
  }

  chatAt(version) {
    return this.linesOf(1, version).slice(-LINES_MAX);
  }
}

/** A frontend of today, or of before, at the other end of one socket. */
class Frontend {
  /** Pushes and answers to watches, in order. */
  queue = [];
  /** Answers to the question for the history; they may overtake the others, and be overtaken. */
  histories = [];
  /** Wholes that are asked for, and not told yet. */
  owed = 0;
  #watched = false;

  constructor(life, knowsSteps) {
    this.life = life;
    this.knowsSteps = knowsSteps;
  }

  hears({ id, action, data }) {
    const { version } = this.life;
    if (action === "hello") {
      assert.equal(data.steps, true);
      this.queue.push({ id, ok: { player: "p1", name: "Ann", token: "t", server: { cluster: "connected" } } });
    } else if (action === "watch") {
      this.#watch(id, data.since);
    } else if (action === "history") {
      assert.equal(data.room, ROOM);
      assert.equal(this.histories.length, 0, "never twice at once");
      const known = { id, ok: { version, lines: this.life.chatAt(version) } };
      const refused = { id, refused: { code: this.knowsSteps ? "busy" : "bad-request", message: "no" } };
      this.histories.push(!this.knowsSteps || this.life.chance() < 0.2 ? refused : known);
    }
  }

  #watch(id, since) {
    const { version } = this.life;
    this.#watched = true;
    this.queue.push({ id, ok: { room: ROOM, version } });
    const kept = since !== undefined && this.life.chance() < 0.7;
    if (kept) for (let missed = since + 1; missed <= version; missed += 1) this.#tell(missed);
    else if (since === undefined || since < version) this.tellWhole(since === undefined);
  }

  /** The room has a new version. */
  news() {
    if (this.#watched) this.#tell(this.life.version);
  }

  #tell(version) {
    const { views } = this.life;
    const events = this.life.linesOf(version).map((line) => ({ kind: "said", ...line }));
    const step = { push: "step", room: ROOM, version, ...stepOf(views[version - 1], views[version]), events };
    this.queue.push(this.knowsSteps ? step : { push: "view", room: ROOM, version, view: this.#view(version), events });
  }

  tellWhole(asked = false) {
    if (!this.#watched) return;
    if (asked) {
      assert.equal(this.owed, 0, "never twice at once");
      this.owed = 1;
    }
    const { version } = this.life;
    this.queue.push({ push: "view", room: ROOM, version, view: this.#view(version), events: [], resync: true, asked });
  }

  #view(version) {
    const view = this.life.views[version];
    return this.knowsSteps ? view : { ...view, chat: this.life.chatAt(version) };
  }
}

/** A page that looks at the room through one socket after the other. */
class Reader {
  conversation = new Conversation();
  frontend;
  shown = null;
  /** The lines that were new to it. */
  fresh = [];
  recalls = 0;
  /** Whether what is heard may be of any version. */
  #resync = false;

  constructor(life, knowsSteps) {
    this.life = life;
    this.conversation.watch(ROOM);
    this.connect(knowsSteps);
  }

  connect(knowsSteps) {
    this.frontend = new Frontend(this.life, knowsSteps);
    this.does([...this.conversation.lost(), ...this.conversation.opened()]);
  }

  does(effects) {
    for (const effect of effects) {
      if (effect.to === "send") this.frontend.hears(travelled(effect.frame));
      if (effect.to === "show") this.#sees(effect.seen);
      if (effect.to === "talk") this.#reads(effect.lines, effect.fresh);
      if (effect.to === "recall") this.recalls += 1;
    }
  }

  /** What has come first, or the history, which may have come before it. */
  hear(history) {
    const frame = (history ? this.frontend.histories : this.frontend.queue).shift();
    if (!frame) return;
    if (frame.asked) this.frontend.owed = 0;
    this.#resync = frame.resync === true;
    this.does(this.conversation.received(travelled(frame), 0));
  }

  /** Something on its way is lost that nobody has asked for. */
  lose() {
    const at = this.frontend.queue.findIndex(({ push, resync }) => push && !resync);
    if (at >= 0) this.frontend.queue.splice(at, 1);
  }

  recall() {
    if (this.recalls === 0) return;
    this.recalls -= 1;
    this.does(this.conversation.recall());
  }

  hearAll() {
    while (this.frontend.queue.length + this.frontend.histories.length + this.recalls > 0) {
      this.hear(false);
      this.hear(true);
      this.recall();
    }
  }

  #sees(seen) {
    assert.ok(this.shown === null || seen.version > this.shown.version || this.#resync, "in order");
    assert.equal(text(withoutChat(seen.view)), text(this.life.views[seen.version]), `version ${seen.version}`);
    this.shown = { version: seen.version, chat: [] };
    Object.freeze(seen.view);
    this.#reads(seen.view.chat, seen.fresh);
  }

  #reads(chat, fresh) {
    const known = this.life.linesOf(1, this.shown.version).map((line) => line.text);
    const places = chat.map((line) => known.indexOf(line.text));
    assert.ok(places.every((place, at) => place >= 0 && (at === 0 || place > places[at - 1])), "each once, in order, and none of a version to come");
    assert.ok(chat.length <= LINES_MAX);
    assert.equal(new Set(chat.map(({ number }) => number)).size, chat.length);
    this.shown.chat = chat;
    this.fresh.push(...fresh.map((line) => line.text));
    assert.equal(new Set(this.fresh).size, this.fresh.length, "a line is new once");
  }

  /** Nothing is on its way: all is known that there is. */
  isUpToDate() {
    const { version } = this.life;
    assert.equal(this.shown.version, version);
    assert.deepEqual(this.shown.chat.map((line) => line.text), this.life.chatAt(version).map((line) => line.text));
  }
}

/** Something happens. `breaks`: also what only a broken network or server does. */
function something(reader, chance, breaks) {
  const { life, frontend } = reader;
  const what = chance();
  if (what < 0.25) {
    life.goOn();
    frontend.news();
  } else if (what < 0.65) reader.hear(false);
  else if (what < 0.8) reader.hear(true);
  else if (what < 0.86) reader.recall();
  else if (what < 0.9) frontend.tellWhole();
  else if (what < 0.94 && breaks) reader.lose();
  else if (what >= 0.97) reader.connect(chance() < 0.7);
}

/** Whatever happened, with one more version and a frontend that knows steps all is known. */
function settle(reader) {
  reader.connect(true);
  reader.hearAll();
  reader.life.goOn();
  reader.frontend.news();
  reader.hearAll();
  reader.isUpToDate();
}

/** Each with its seed, so that a life that fails can be looked at. */
function lives(count, tell) {
  for (let seed = 1; seed <= count; seed += 1) {
    try {
      tell(dice(seed));
    } catch (error) {
      error.message = `seed ${seed}: ${error.message}`;
      throw error;
    }
  }
}

test("a view and the steps from it are the views that there were, and no view is changed by the next", () => {
  lives(200, (chance) => {
    let shown = randomView(chance);
    for (let version = 0; version < 20; version += 1) {
      const next = randomView(chance);
      const before = Object.freeze(shown);
      const { set, unset = [] } = travelled(stepOf(shown, next));
      shown = stepped(shown, set, unset);
      assert.equal(text(shown), text(next));
      assert.notEqual(shown, before);
    }
  });
});

test("whatever comes in whatever order, what is shown is what was, and at the end all of it", () => {
  lives(200, (chance) => {
    const reader = new Reader(new Life(chance), chance() < 0.8);
    for (let times = 0; times < 80; times += 1) something(reader, chance, true);
    settle(reader);
  });
});

test("who is there from the start is told of each new line once, whatever happens to the socket", () => {
  lives(200, (chance) => {
    const life = new Life(chance);
    const reader = new Reader(life, chance() < 0.8);
    reader.hearAll();
    const old = life.said.length;
    while (life.said.length < LINES_MAX - 3) something(reader, chance, true);
    settle(reader);
    assert.deepEqual([...reader.fresh].sort(), life.said.slice(old).map(({ line }) => line.text).sort());
  });
});

/** A page that is told steps, up to date at version 5, with one line in the chat. */
function atTheTable() {
  const conversation = new Conversation();
  const [hello] = conversation.opened();
  conversation.received({ id: hello.frame.id, ok: { player: "p1", name: "Ann", token: "t", server: {} } }, 0);
  const [watch] = conversation.watch(ROOM);
  conversation.received({ id: watch.frame.id, ok: { room: ROOM, version: 5 } }, 0);
  const [shown, history] = conversation.received(whole(5), 0);
  assert.deepEqual(shown.seen.view.chat, []);
  assert.deepEqual([history.frame.action, history.frame.data], ["history", { room: ROOM }]);
  const lines = [{ player: "p2", name: "Bo", text: "hi" }];
  const [talk] = conversation.received({ id: history.frame.id, ok: { version: 5, lines } }, 0);
  assert.deepEqual([talk.to, talk.lines.length, talk.fresh], ["talk", 1, []]);
  return conversation;
}

const whole = (version, more = {}) => ({ push: "view", room: ROOM, version, view: { round: 1, state: "playing" }, events: [], resync: true, ...more });
const step = (version, set, more = {}) => ({ push: "step", room: ROOM, version, set, events: [], ...more });

test("a step is shown as a whole view, with its chat and its events", () => {
  const conversation = atTheTable();
  const events = [{ kind: "said", player: "p3", name: "Cy", text: "oh" }];
  const [{ to, seen }, ...more] = conversation.received(step(6, { state: "won" }, { unset: ["round"], events }), 0);
  assert.deepEqual([to, more, seen.events, seen.closed], ["show", [], events, false]);
  assert.deepEqual([seen.view.state, "round" in seen.view, seen.view.chat.map((line) => line.text)], ["won", false, ["hi", "oh"]]);
  assert.deepEqual(seen.fresh.map((line) => line.text), ["oh"]);
});

test("a step that does not follow is not shown: the whole is asked for, once, and shown", () => {
  const conversation = atTheTable();
  const [watch, ...more] = conversation.received(step(7, { state: "won" }), 0);
  assert.deepEqual([watch.frame.action, watch.frame.data, more], ["watch", { room: ROOM }, []]);
  assert.deepEqual(conversation.received(step(8, {}), 0), []);
  assert.deepEqual(conversation.received({ id: watch.frame.id, ok: { room: ROOM, version: 8 } }, 0), []);
  assert.deepEqual(conversation.received(step(8, {}), 0), [], "it is on its way");
  const [{ seen }, history] = conversation.received(whole(8), 0);
  assert.deepEqual([seen.version, seen.view.chat.map((line) => line.text)], [8, ["hi"]], "what is known is shown until more is");
  assert.equal(history.frame.action, "history");
  assert.equal(conversation.received(step(9, {}), 0)[0].seen.version, 9);
});

test("a step of before changes nothing, unless it says that the room has closed", () => {
  const conversation = atTheTable();
  assert.deepEqual(conversation.received(step(5, { state: "lost" }), 0), []);
  const [{ seen }] = conversation.received(step(5, { state: "lost" }, { closed: true }), 0);
  assert.deepEqual([seen.closed, seen.view.state], [true, "playing"]);
});

test("a move waits for the whole view when a gap has left something out", () => {
  const conversation = atTheTable();
  const [watch] = conversation.received(step(7, {}), 0);
  const move = { serial: 7, action: "play", data: { room: ROOM, move: {} }, round: 1, since: 0 };
  assert.deepEqual(conversation.wish(move), []);
  assert.deepEqual(conversation.received({ id: watch.frame.id, ok: { room: ROOM, version: 7 } }, 0), []);
  const sent = conversation.received(whole(7), 0).filter(({ to }) => to === "send").map(({ frame }) => frame.action);
  assert.deepEqual(sent, ["play", "history"]);
});

test("after a restore the chat begins anew, and none of its lines is new", () => {
  const conversation = atTheTable();
  conversation.received({ push: "cluster", state: "connected", epoch: "e1" }, 0);
  const [, , { frame: watch }] = conversation.received({ push: "cluster", state: "connected", epoch: "e2" }, 0);
  assert.deepEqual([watch.action, watch.data], ["watch", { room: ROOM }]);
  assert.deepEqual(conversation.received(step(6, {}), 0), [], "of the count before");
  conversation.received({ id: watch.id, ok: { room: ROOM, version: 2 } }, 0);
  const [{ seen }, { frame: history }] = conversation.received(whole(2), 0);
  assert.deepEqual([seen.version, seen.view.chat], [2, []]);
  const lines = [{ player: "p2", name: "Bo", text: "hello" }];
  const [talk] = conversation.received({ id: history.id, ok: { version: 2, lines } }, 0);
  assert.deepEqual([talk.lines.length, talk.fresh], [1, []]);
});

test("what was said is asked for again through the next socket, also when nothing has happened since", () => {
  const conversation = atTheTable();
  conversation.received(whole(9), 0);
  conversation.lost();
  const [hello] = conversation.opened();
  const back = conversation.received({ id: hello.frame.id, ok: { player: "p1", name: "Ann", token: "t", server: {} } }, 0);
  const { frame: watch } = back.find(({ frame }) => frame?.action === "watch");
  assert.deepEqual(watch.data, { room: ROOM, since: 9 });
  const effects = conversation.received({ id: watch.id, ok: { room: ROOM, version: 9 } }, 0);
  assert.deepEqual(effects.filter(({ to }) => to === "send").map(({ frame }) => frame.action), ["history"]);
});

test("the history of a room that was left is not that of the next", () => {
  const conversation = atTheTable();
  const [, { frame }] = conversation.received(whole(9), 0);
  const [, { frame: watch }] = conversation.watch("a7qmw2vxp4t5hj3d");
  conversation.received({ id: watch.id, ok: { room: watch.data.room, version: 3 } }, 0);
  conversation.received(whole(3, { room: watch.data.room }), 0);
  assert.deepEqual(conversation.received({ id: frame.id, ok: { version: 9, lines: [] } }, 0), []);
});

test("a history that cannot be had now is asked for again; one that a frontend does not know is not", () => {
  for (const [code, again] of [["busy", true], ["too-fast", true], ["bad-request", false]]) {
    const conversation = atTheTable();
    const [, { frame }] = conversation.received(whole(9), 0);
    const effects = conversation.received({ id: frame.id, refused: { code, message: "no" } }, 0);
    assert.deepEqual(effects, again ? [{ to: "recall", after: 1000 }] : [], code);
    assert.equal(conversation.received(step(10, {}), 0).length, 1, "nothing is asked meanwhile");
    if (again) assert.equal(conversation.recall()[0].frame.action, "history");
  }
});
