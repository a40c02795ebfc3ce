// The thin side of the socket: dials, waits, listens, and does what the
// conversation says.
//
// A frontend that is about to stop says so and goes on serving: another one is
// called meanwhile, and takes its place when it answers. What the first one has
// not answered by then is asked again, as after any loss.

import { Conversation } from "./conversation.js";
import { deadline } from "./deadline.js";
import { Dial } from "./dial.js";
import { Pending } from "./pending.js";
import { Serials } from "./serials.js";
import { browser, tab } from "./store.js";

/** @typedef {import("./types.js").Answer} Answer */
/** @typedef {import("./types.js").Effect} Effect */
/** @typedef {import("./types.js").Wish} Wish */

/**
 * Between two heartbeats (ms), by which the page learns that a connection is dead.
 * A hidden page's come late, and need not come: it is the server that asks whether
 * the browser is still there, which answers without the page.
 */
const HEARTBEAT = 15_000;

/** A ping that takes longer (ms) means the connection is dead, whatever the socket says. */
const PING_DEADLINE = 2000;

/**
 * `standing`: how things stand has changed. `identity`: so has who we are.
 * `seen`: a newer view of the room. `aged`: how old (ms) the one that is known is. `wishes`: what waits for an answer has changed.
 * `talk`: its chat is known better now. `gone`: there is no such room. `tell`: the player should read this.
 * `step`: a wish has come further on its way. `deck`: the nodes, for who has asked for them.
 * `notice`: the player is told something, wherever they are. `seeks`, `live`: the open seeks, and
 * the numbers that move, for who has asked for them. `restored`: the cluster is an older one now.
 * @typedef {{
 *   standing: void, identity: void, seen: import("./types.js").Seen, talk: import("./types.js").Talked, aged: number, wishes: void,
 *   gone: import("./types.js").Refusal, tell: string, step: import("./types.js").Step, deck: import("./types.js").Deck,
 *   notice: import("./types.js").Notice, seeks: import("./types.js").Seeks, live: import("./types.js").Live, restored: void,
 * }} News
 */

export class Client {
  #conversation;
  #dial;
  #serials = new Serials(Date.now, Math.random);
  /** What we talk through. @type {WebSocket | null} */
  #socket = null;
  /** What is being called, to take its place. @type {WebSocket | null} */
  #calling = null;
  /** Whether another frontend is called although the one we talk to is still there. */
  #moving = false;
  /** Calls off the next call, or the end of our patience with one. */
  #callOff = () => {};
  /** @type {Map<number, (answer: Answer) => void>} */
  #questions = new Map();
  /** @type {Map<number, (answer: Answer) => void>} */
  #wishes = new Map();
  /** @type {Map<string, Set<(news: any) => void>>} */
  #listeners = new Map();
  /** @type {import("./types.js").Standing | null} */
  #stood = null;
  /** Since when we have not been connected (ms); null when we are. @type {number | null} */
  #troubledSince = Date.now();

  constructor() {
    const pending = Pending.restore(tab.list("pending"), Date.now());
    const [epoch] = tab.list("epoch");
    const [noticed] = tab.list("noticed");
    this.#conversation = new Conversation({ token: browser.get("token"), name: browser.get("name"), epoch, pending, noticed });
    this.#dial = new Dial(location.origin, browser.list("frontends"), Math.random, Date.now);
  }

  get standing() {
    return this.#conversation.standing;
  }

  /** For how long (ms) nobody has answered; 0 while all is well. */
  get troubledMs() {
    return this.#troubledSince === null ? 0 : Date.now() - this.#troubledSince;
  }

  get player() {
    return this.#conversation.player;
  }

  get name() {
    return this.#conversation.name;
  }

  get server() {
    return this.#conversation.server;
  }

  get pending() {
    return this.#conversation.pending;
  }

  /** Whether it was sent to the frontend that we talk to. @param {number} serial */
  isSent(serial) {
    return this.#conversation.isSent(serial);
  }

  /** The frontend we talk to, for links that should work for others. */
  get origin() {
    return this.#dial.origin;
  }

  /** Connects, and stays connected from here on. */
  start() {
    this.#call();
    setInterval(() => this.#probe(), HEARTBEAT);
    for (const event of ["online", "offline"]) addEventListener(event, () => this.#wake());
    addEventListener("pageshow", (event) => event.persisted && this.#wake());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#wake());
  }

  /**
   * @template {keyof News} K
   * @param {K} kind @param {(news: News[K]) => void} listener
   * @returns {() => void} stops listening
   */
  on(kind, listener) {
    const listeners = this.#listeners.get(kind) ?? new Set();
    this.#listeners.set(kind, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** A question that changes nothing. @param {string} action @param {object} [data] @returns {Promise<Answer>} */
  ask(action, data = {}) {
    return new Promise((resolve) => {
      const { id, effects } = this.#conversation.ask(action, data);
      this.#questions.set(id, resolve);
      this.#carryOut(effects);
    });
  }

  /**
   * A wish: goes out now or when we are back, as often as it takes, and has one effect.
   * @param {string} action @param {Record<string, any>} data
   * @param {number | null} [round] the round it is meant for
   * @returns {Promise<Answer>}
   */
  wish(action, data, round = null) {
    const serial = this.#serials.next(Number(browser.get("serial")) || 0);
    browser.set("serial", String(serial));
    return new Promise((resolve) => {
      this.#wishes.set(serial, resolve);
      const wish = { serial, action, data, round, since: Date.now() };
      this.#tell("step", { step: "asked", wish });
      this.#carryOut(this.#conversation.wish(wish));
      this.#wishesChanged();
    });
  }

  /** @param {string} name */
  rename(name) {
    if (name && name !== this.name) this.#carryOut(this.#conversation.rename(name));
  }

  /** @param {string} room */
  watch(room) {
    this.#carryOut(this.#conversation.watch(room));
  }

  unwatch() {
    this.#carryOut(this.#conversation.unwatch());
  }

  /** Calls the next frontend, soon, and goes on talking until it answers. */
  #call() {
    this.#callOff();
    drop(this.#calling);
    this.#calling = null;
    const { url, wait, patience } = this.#dial.next();
    const timer = setTimeout(() => this.#connect(url, patience), wait);
    this.#callOff = () => clearTimeout(timer);
  }

  /** @param {string} url @param {number} patience */
  #connect(url, patience) {
    const socket = new WebSocket(url);
    this.#calling = socket;
    this.#callOff = deadline(patience, () => (this.#calling ? this.#call() : this.#lost()));
    socket.onopen = () => this.#answered(socket);
    socket.onclose = () => this.#call();
  }

  /** From here on we talk through this one, and not through another any more. @param {WebSocket} socket */
  #answered(socket) {
    drop(this.#socket);
    this.#socket = socket;
    this.#calling = null;
    this.#moving = false;
    socket.onmessage = (event) => this.#hear(event.data);
    socket.onclose = () => this.#lost();
    this.#carryOut([...this.#conversation.lost(), ...this.#conversation.opened()]);
  }

  #lost() {
    drop(this.#socket);
    this.#socket = null;
    const effects = this.#conversation.lost();
    // On the move, the next one is being called already.
    if (!this.#moving) this.#call();
    this.#carryOut(effects);
  }

  /** We are sent away: another frontend is called first, when there is one, and then this one is left. */
  #move() {
    if (this.#moving) return;
    this.#moving = this.#dial.leave();
    if (this.#moving) this.#call();
    else this.#lost();
  }

  /** @param {string} text */
  #hear(text) {
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      // Not a frame of ours; nothing can be answered to it.
      return;
    }
    this.#carryOut(this.#conversation.received(frame, Date.now()));
  }

  /** @param {Effect[]} effects */
  #carryOut(effects) {
    for (const effect of effects) this.#do(effect);
    if (this.standing === this.#stood) return;
    this.#stood = this.standing;
    this.#troubledSince = this.standing === "connected" ? null : (this.#troubledSince ?? Date.now());
    this.#tell("standing", undefined);
  }

  /** @param {Effect} effect */
  #do(effect) {
    switch (effect.to) {
      case "send":
        return this.#send(effect.frame);
      case "hang-up":
        return this.#lost();
      case "move":
        return this.#move();
      case "greeted":
        return this.#greeted();
      case "show":
        return this.#tell("seen", effect.seen);
      case "talk":
        return this.#tell("talk", effect);
      case "recall":
        return setTimeout(() => this.#carryOut(this.#conversation.recall()), effect.after);
      case "aged":
        return this.#tell("aged", effect.age);
      case "settle":
        return this.#resolve(this.#questions, effect.id, effect.answer);
      case "fulfil":
        this.#resolve(this.#wishes, effect.wish.serial, effect.answer);
        this.#tell("step", { step: "answered", wish: effect.wish, answer: effect.answer });
        return this.#wishesChanged();
      case "retry":
        this.#tell("step", { step: "put-off", serial: effect.serial, refused: effect.refused });
        return setTimeout(() => this.#carryOut(this.#conversation.retry(effect.serial)), effect.after);
      case "gone":
        return this.#tell("gone", effect.refused);
      case "tell":
        return this.#tell("tell", effect.message);
      case "deck":
        return this.#tell("deck", effect.deck);
      case "listen":
        return setTimeout(() => this.#carryOut(this.#conversation.listen()), effect.after);
      case "noticed":
        return tab.set("noticed", JSON.stringify(effect.number === undefined ? [] : [effect.number]));
      case "notice":
        return this.#tell("notice", effect.notice);
      case "seeks":
        return this.#tell("seeks", effect.seeks);
      case "live":
        return this.#tell("live", effect.live);
      case "restored":
        return this.#tell("restored", undefined);
    }
  }

  /** @param {Record<string, any>} frame */
  #send(frame) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify(frame));
    if (frame.data.serial !== undefined) this.#tell("step", { step: "sent", serial: frame.data.serial });
  }

  #greeted() {
    // On the move, it is the one we leave that greets us, by a new name: that ends no call.
    if (!this.#moving) {
      this.#callOff();
      this.#dial.reached();
    }
    const { token, name, server, epoch } = this.#conversation;
    browser.set("token", token);
    tab.set("epoch", JSON.stringify(epoch === undefined ? [] : [epoch]));
    browser.set("name", name);
    this.#dial.learn(server.frontends ?? []);
    browser.set("frontends", JSON.stringify(this.#dial.origins));
    this.#tell("identity", undefined);
  }

  /** Something may have happened to the network while nobody looked. */
  #wake() {
    this.#dial.hurry();
    // A call that is under way has its own deadline; a wait is over now.
    if (this.standing !== "reconnecting") this.#probe();
    else if (!this.#socket && !this.#calling) this.#call();
  }

  async #probe() {
    if (this.standing === "reconnecting") return;
    const socket = this.#socket;
    const callOff = deadline(PING_DEADLINE, () => socket === this.#socket && this.#lost());
    await this.ask("ping");
    callOff();
  }

  /** @param {Map<number, (answer: Answer) => void>} waiting @param {number} key @param {Answer} answer */
  #resolve(waiting, key, answer) {
    waiting.get(key)?.(answer);
    waiting.delete(key);
  }

  #wishesChanged() {
    tab.set("pending", JSON.stringify(this.pending));
    this.#tell("wishes", undefined);
  }

  /** @template {keyof News} K @param {K} kind @param {News[K]} news */
  #tell(kind, news) {
    for (const listener of this.#listeners.get(kind) ?? []) listener(news);
  }
}

/** Forgets a socket at once; a dead one may take a minute to say that it is closed. @param {WebSocket | null} socket */
function drop(socket) {
  if (!socket) return;
  socket.onopen = socket.onmessage = socket.onclose = null;
  socket.close();
}
