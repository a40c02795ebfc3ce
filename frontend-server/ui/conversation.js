// One player's side of the socket: pure. It is told what happened (connected,
// lost, a frame, a wish) and answers with what to do. It never looks at a clock,
// waits, or touches a socket, which is how the tests can take it through every
// way a connection dies.
//
// What holds:
// - A wish stays in `pending` until the server has answered it, and travels
//   under one serial however often it is sent.
// - Of the room that is looked at whole views are shown, in order, each at most once, also
//   where the server tells steps (`watched.js`).
// - After a reconnect a move waits until the room's present view is here, and is
//   dropped when the round is another or the room was left: it was either taken in
//   time or never meant for this round.
// - Versions belong to an epoch. In another one the cluster was restored from a
//   backup: whatever is seen then may be older, and is shown all the same.
// - What the player is told wherever they are (notices) is shown once, in order.

import { Inbox } from "./notices/inbox.js";
import { isStale, Pending } from "./pending.js";
import { Watched } from "./watched.js";

/** @typedef {import("./types.js").Effect} Effect */
/** @typedef {import("./types.js").Wish} Wish */
/** @typedef {import("./types.js").Answer} Answer */
/** @typedef {import("./types.js").Refusal} Refusal */

/**
 * Refusals that leave a wish open: asking again under the same serial settles it,
 * unless the answer is forgotten.
 */
const ASK_AGAIN = new Set(["busy", "no-quorum", "unknown-outcome"]);

/**
 * Waits (ms) before it is asked again: a quarter of the time it has been waiting,
 * within these bounds, so that a long outage does not use up the player's pace.
 */
const RETRY_AFTER_MIN = 400;
const RETRY_AFTER_MAX = 3000;

/** A frontend that cannot tell notices just now is asked again after so long (ms). */
const LISTEN_AGAIN = 2000;

/**
 * Of a history that cannot be had just now, or is too old, so long (ms) after; these are the
 * refusals that may change.
 */
const RECALL_AFTER = 1000;
const NOT_NOW = new Set([...ASK_AGAIN, "too-fast"]);

/** What is said when the game on the screen is an older one from now on. */
const RESTORED = "The cluster was restored from a backup; this is the game as it was then.";

export class Conversation {
  /** @type {"offline" | "greeting" | "ready"} */
  #phase = "offline";
  #cluster = "connected";
  #lastId = 0;
  /**
   * Questions without an answer on this socket: by id, and for a wish its serial.
   * @type {Map<number, {action: string, serial?: number}>}
   */
  #asked = new Map();
  #pending;
  #inbox;
  #room = new Watched();

  /** @param {{token?: string, name?: string, epoch?: string | number, pending?: Pending, noticed?: unknown}} [memory] */
  constructor(memory = {}) {
    this.token = memory.token ?? "";
    /** The cluster's epoch, as far as it was told. */
    this.epoch = memory.epoch;
    this.name = memory.name ?? "";
    this.player = "";
    /** @type {import("./types.js").Server} */
    this.server = {};
    this.#pending = memory.pending ?? new Pending();
    this.#inbox = new Inbox(memory.noticed);
  }

  /** @returns {import("./types.js").Standing} */
  get standing() {
    if (this.#phase !== "ready") return "reconnecting";
    return this.#cluster === "connected" ? "connected" : "electing";
  }

  get pending() {
    return this.#pending.list();
  }

  /** The socket is open. @returns {Effect[]} */
  opened() {
    this.#phase = "greeting";
    return [this.#greet()];
  }

  /** The socket is gone. Questions end with it, wishes do not. @returns {Effect[]} */
  lost() {
    this.#phase = "offline";
    this.#room.lost();
    const questions = [...this.#asked].filter(([, { action, serial }]) => serial === undefined && action !== "notices");
    this.#asked.clear();
    return questions.map(([id]) => ({ to: "settle", id, answer: LOST }));
  }

  /** @param {string} name @returns {Effect[]} */
  rename(name) {
    this.name = name;
    return this.#phase === "offline" ? [] : [this.#greet()];
  }

  /** A question that changes nothing; it gets its answer, or LOST with the socket. @param {string} action @param {object} data */
  ask(action, data) {
    const send = this.#send(action, data);
    /** @type {Effect[]} */
    const effects = this.#phase === "ready" ? [send] : [...this.#forget(send.frame.id)];
    return { id: send.frame.id, effects };
  }

  /** @param {Wish} wish @returns {Effect[]} */
  wish(wish) {
    if (!this.#pending.add(wish)) {
      const refused = { code: "too-fast", message: "too much is still waiting for an answer" };
      return [{ to: "fulfil", wish, answer: { refused } }];
    }
    return this.#sendOrDrop([wish]);
  }

  /** A wish that was refused for now is due again. @param {number} serial @returns {Effect[]} */
  retry(serial) {
    const wish = this.#pending.get(serial);
    return wish ? this.#sendOrDrop([wish]) : [];
  }

  /** Looks at one room, and at no other any more. @param {string} id @returns {Effect[]} */
  watch(id) {
    const effects = this.unwatch();
    this.#room = new Watched(id);
    return this.#phase === "ready" ? [...effects, this.#sendWatch()] : effects;
  }

  /** @returns {Effect[]} */
  unwatch() {
    const { id } = this.#room;
    this.#room = new Watched();
    return id && this.#phase === "ready" ? [this.#send("unwatch", { room: id })] : [];
  }

  /** It is time to ask again for what was said in the room. @returns {Effect[]} */
  recall() {
    this.#room.chat.waiting = false;
    return this.#askForMissing();
  }

  /** @param {any} frame @param {number} now @returns {Effect[]} */
  received(frame, now) {
    if (frame?.push === "view" || frame?.push === "step") return this.#onRoom(frame);
    if (frame?.push === "cluster") return this.#onCluster(frame);
    if (frame?.push === "bye") return this.#onBye(frame);
    if (frame?.push === "deck") return [{ to: "deck", deck: frame }];
    if (frame?.push === "notice") return this.#onNotice(frame);
    if (frame?.push === "lobby") return [{ to: "seeks", seeks: frame }];
    if (frame?.push === "live") return [{ to: "live", live: frame }];
    if (frame?.push) return [];
    const asked = this.#asked.get(frame?.id);
    this.#asked.delete(frame?.id);
    // An answer to nothing: a refusal of a frame the server could not read, perhaps.
    if (!asked) return [];
    if (asked.action === "hello") return frame.ok ? this.#onHello(frame.ok) : this.#onHelloRefused(frame.refused);
    if (asked.action === "watch") return this.#onWatch(frame);
    if (asked.action === "history") return this.#onHistory(frame);
    if (asked.action === "notices") return this.#onListening(frame);
    if (asked.serial === undefined) return [{ to: "settle", id: frame.id, answer: frame }];
    return this.#onWish(asked.serial, frame, now);
  }

  /** @param {any} ok @returns {Effect[]} */
  #onHello(ok) {
    const first = this.#phase !== "ready";
    this.#phase = "ready";
    this.token = ok.token;
    this.player = ok.player;
    this.name = ok.name;
    this.server = { ...this.server, ...ok.server };
    const restored = this.#onEpoch(ok.server?.epoch);
    // A second hello only changes the name.
    if (!first && restored.length === 0) return [{ to: "greeted" }];
    this.#cluster = ok.server?.cluster ?? "connected";
    const watch = this.#room.id ? [this.#sendWatch()] : [];
    return [{ to: "greeted" }, ...restored, ...watch, ...this.#sendOrDrop(this.#pending.list()), ...this.listen()];
  }

  /**
   * In another epoch nothing that was seen counts, and a move was made at another
   * board. Nothing is done when the epoch is the one we know.
   * @param {string | number | undefined} epoch @returns {Effect[]}
   */
  #onEpoch(epoch) {
    const known = this.epoch;
    this.epoch = epoch ?? known;
    if (known === undefined || epoch === undefined || epoch === known) return [];
    this.#room.forget();
    this.#inbox.forget();
    const moves = this.#pending.list().filter(({ round }) => round !== null);
    const told = this.#room.id ? [tell(RESTORED)] : [];
    return [...moves.map((wish) => this.#fulfil(wish, { ok: {} })), { to: "restored" }, ...told];
  }

  /** Asks for what the player is told, from what was seen on. @returns {Effect[]} */
  listen() {
    if (this.#phase !== "ready") return [];
    const question = this.#inbox.question();
    const since = question.since !== undefined && this.epoch !== undefined ? { ...question, epoch: this.epoch } : question;
    return [this.#send("notices", since)];
  }

  /** A frontend of before knows no notices, and is not asked twice. @param {Answer} answer @returns {Effect[]} */
  #onListening({ ok, refused }) {
    if (refused) return ASK_AGAIN.has(refused.code) ? [{ to: "listen", after: LISTEN_AGAIN }] : [];
    this.#inbox.answered(ok?.number);
    return [{ to: "noticed", number: this.#inbox.seen }];
  }

  /** @param {any} notice @returns {Effect[]} */
  #onNotice(notice) {
    const how = this.#inbox.take(notice);
    if (how === "hole") return this.listen();
    return how === "new" ? [{ to: "noticed", number: this.#inbox.seen }, { to: "notice", notice }] : [];
  }

  /**
   * What we said of ourselves was not accepted. A token may be forgotten, a name
   * may be dropped; after that there is nothing left to change.
   * @param {Refusal} refused @returns {Effect[]}
   */
  #onHelloRefused(refused) {
    if (this.#phase === "ready") return [tell(refused.message)];
    if (refused.code === "unauthorized" && this.token) {
      // Another cluster altogether: what we knew of one says nothing about it.
      this.token = "";
      this.epoch = undefined;
      return [this.#greet()];
    }
    const unfit = refused.code === "bad-request" || refused.code === "too-large";
    // Such as too many guests from one network: we come again, and the player knows why it takes so long.
    if (!unfit || !this.name) return [{ to: "hang-up" }, tell(refused.message)];
    this.name = "";
    return [tell(refused.message), this.#greet()];
  }

  /** @param {any} answer @returns {Effect[]} */
  #onWatch({ id, ok, refused }) {
    // Of a room that was left meanwhile, perhaps to be entered again.
    if (id !== this.#room.asking) return [];
    if (!ok) return this.#onGone(refused);
    const age = this.#room.answered(ok);
    return [...(age === null ? [] : [/** @type {Effect} */ ({ to: "aged", age })]), ...this.#catchUp(), ...this.#askForMissing()];
  }

  /** @param {Refusal} refused @returns {Effect[]} */
  #onGone(refused) {
    if (ASK_AGAIN.has(refused.code)) return [{ to: "hang-up" }];
    const { id } = this.#room;
    this.#room = new Watched();
    const moot = this.#pending.list().filter((wish) => wish.data.room === id && !this.isSent(wish.serial));
    return [...moot.map((wish) => this.#fulfil(wish, { refused })), { to: "gone", room: id, refused }];
  }

  /** @param {import("./types.js").Push} push @returns {Effect[]} */
  #onRoom(push) {
    if (push.room !== this.#room.id) return [];
    const seen = this.#room.take(push);
    const show = seen ? [/** @type {Effect} */ ({ to: "show", seen }), ...this.#catchUp()] : [];
    return [...show, ...this.#askForMissing()];
  }

  /** @param {any} answer @returns {Effect[]} */
  #onHistory({ id, ok, refused }) {
    const { chat } = this.#room;
    // Of a room that was left, or of a count of versions that is over.
    if (id !== chat.asking) return [];
    // A frontend of before knows no history, and tells all lines with the next view.
    const fresh = refused ? chat.refused() : chat.answered(ok);
    if (fresh) return [{ to: "talk", lines: chat.lines, fresh }];
    return refused && !NOT_NOW.has(refused.code) ? [] : [{ to: "recall", after: RECALL_AFTER }];
  }

  /** What is missing of the room is asked for, once. @returns {Effect[]} */
  #askForMissing() {
    const room = this.#room;
    if (this.#phase !== "ready") return [];
    if (room.due) return [this.#sendWatch()];
    if (!room.chat.due) return [];
    const send = this.#send("history", { room: room.id });
    room.chat.asking = send.frame.id;
    return [send];
  }

  /** Once the room is up to date, moves that waited for that go out or are dropped. @returns {Effect[]} */
  #catchUp() {
    const room = this.#room;
    return room.catchUp() ? this.#sendOrDrop(this.#pending.list().filter((wish) => wish.data.room === room.id)) : [];
  }

  /**
   * When a leader is back, what waited for one goes out at once. It may be another
   * cluster's, restored behind a frontend that has stayed.
   * @param {any} push @returns {Effect[]}
   */
  #onCluster(push) {
    this.#cluster = push.state;
    const restored = this.#onEpoch(push.epoch);
    const watch = restored.length && this.#room.id ? [this.#sendWatch()] : [];
    const listen = restored.length ? this.listen() : [];
    const due = push.state === "connected" ? this.#sendOrDrop(this.#pending.list()) : [];
    return [...restored, ...watch, ...due, ...listen];
  }

  /** The frontend goes, or wants us to. @param {any} push @returns {Effect[]} */
  #onBye({ code, message }) {
    // It will be gone soon, and serves us until then.
    if (code === "moving") return [{ to: "move" }];
    return [{ to: "hang-up" }, ...(code === "abuse" ? [tell(message)] : [])];
  }

  /** @param {number} serial @param {Answer} answer @param {number} now @returns {Effect[]} */
  #onWish(serial, answer, now) {
    const wish = this.#pending.get(serial);
    // Answered before, on an earlier socket.
    if (!wish) return [];
    const { refused } = answer;
    const open = refused !== undefined && ASK_AGAIN.has(refused.code) && !refused.forgotten;
    if (!open || isStale(wish, now)) return [this.#fulfil(wish, answer)];
    const after = Math.min(Math.max((now - wish.since) / 4, RETRY_AFTER_MIN), RETRY_AFTER_MAX);
    return [{ to: "retry", serial, after, refused }];
  }

  /** @param {Wish} wish @param {Answer} answer @returns {Effect} */
  #fulfil(wish, answer) {
    this.#pending.remove(wish.serial);
    return { to: "fulfil", wish, answer };
  }

  /** Sends what may go out now, and drops what will never be meant for what there is. @param {Wish[]} wishes @returns {Effect[]} */
  #sendOrDrop(wishes) {
    if (this.#phase !== "ready") return [];
    return wishes.filter(({ serial }) => !this.isSent(serial)).flatMap((wish) => {
      if (this.#isMoot(wish)) return [this.#fulfil(wish, { ok: {} })];
      return wish.round === null || this.#room.current ? [this.#sendWish(wish)] : [];
    });
  }

  /** Whether it was meant for another round, or for a room that was left. @param {Wish} wish */
  #isMoot({ round, data }) {
    if (round === null) return false;
    const { id, current, round: present } = this.#room;
    return data.room !== id || (current && round !== present);
  }

  /** Whether it was sent on this socket, and has no answer yet. @param {number} serial */
  isSent(serial) {
    return [...this.#asked.values()].some((asked) => asked.serial === serial);
  }

  #greet() {
    const { name, token } = this;
    return this.#send("hello", { ...(name && { name }), ...(token && { token }), steps: true });
  }

  #sendWatch() {
    const send = this.#send("watch", this.#room.question(this.epoch));
    this.#room.asking = send.frame.id;
    return send;
  }

  /** @param {Wish} wish */
  #sendWish(wish) {
    return this.#send(wish.action, { ...wish.data, serial: wish.serial }, wish.serial);
  }

  /** @param {string} action @param {object} data @param {number} [serial] @returns {{to: "send", frame: Record<string, any>}} */
  #send(action, data, serial) {
    this.#lastId += 1;
    this.#asked.set(this.#lastId, serial === undefined ? { action } : { action, serial });
    return { to: "send", frame: { id: this.#lastId, action, data } };
  }

  /** @param {number} id @returns {Effect[]} */
  #forget(id) {
    this.#asked.delete(id);
    return [{ to: "settle", id, answer: LOST }];
  }
}

/** The answer to a question whose socket died. @type {Answer} */
export const LOST = { refused: { code: "lost", message: "the connection was lost" } };

/** @param {string} message @returns {Effect} */
function tell(message) {
  return { to: "tell", message };
}
