// One room: who is at the table, the board, and the talk beside it. Of the game
// it knows only that there is a board.

import { announce, note, notes } from "./announce.js";
import { ContestPanel } from "./contest/panel.js";
import { about as aboutMatch, between, goesOn } from "./contest/words.js";
import { el, say, set } from "./dom.js";
import { GAMES } from "./games.js";
import { HostDialog } from "./host.js";
import { lostCard } from "./lost.js";
import { plainly } from "./plain.js";
import { isFree, Seats } from "./seats.js";
import { Talk } from "./talk.js";
import { setTitle, setWaiting } from "./title.js";
import { told } from "./told.js";
import { trouble } from "./trouble.js";

/** @typedef {import("./client.js").Client} Client */
/** @typedef {import("./types.js").View} View */

/**
 * What the field for a name takes, in code units: a family of emoji alone has eleven.
 * The server counts characters as people do, and says when there are too many.
 */
export const NAME_MAX = 128;

/**
 * Waits (ms) before a room that was opened here is looked for again: the replica
 * asked may be behind. Any other room that is not there is not there; the frontend
 * has looked more than once.
 */
const LOOK_AGAIN = [100, 300, 900];

/** Rooms that were opened here, by this page. @type {Set<string>} */
const opened = new Set();

/** A room was opened, and will be there. @param {string} room */
export function expect(room) {
  opened.add(room);
}

/** Between two looks at what counts down (ms), and at the clocks of a match. */
const TICK = 250;
const CLOCK_TICK = 100;

export class RoomScreen {
  title = "Room";
  #client;
  #room;
  /** @type {import("./types.js").Seen | null} */
  #seen = null;
  /** When it came to be, on the clock that is never set; later by as long as nobody answered. */
  #madeAt = 0;
  /** When that was last looked at. */
  #lookedAt = 0;
  /** What is said of a silence, and was announced. */
  #trouble = "";
  /** What is played here, once that is known. @type {import("./types.js").Game | null} */
  #game = null;
  /** @type {import("./types.js").Board | null} */
  #board = null;
  /** @type {(() => void)[]} */
  #leaving = [];
  #looks = 0;

  #heading = el("h1", { tabindex: -1 }, this.title);
  #about = el("p", { class: "about" });
  #seats;
  #name;
  #watching = el("p", { class: "quiet watching" });
  #sit;
  #stand;
  #table = el("div", { class: "table" }, el("p", { class: "looking", role: "status" }, "Looking for the room…"));
  #middle = el("div", { class: "middle" }, this.#table);
  #talk;
  #share;
  #host;
  #manage;
  #invite = button("share", "Invite", "small share-button", () => this.#openShare());
  #contest = new ContestPanel((action, data) => this.#wish(action, data, true));

  /** @param {Client} client @param {string} room @param {import("./cards.js").Cards} cards @param {import("./share.js").ShareDialog} share */
  constructor(client, room, cards, share) {
    this.#client = client;
    this.#room = room;
    this.#seats = new Seats((player, name) => cards.open(player, name, this.#seen?.view.game));
    this.#name = nameField(client);
    const take = el("button", { class: "main", "data-testid": "sit-button" }, "Take a seat");
    this.#sit = el("form", { class: "line sit", submit: (event) => this.#onSit(event) }, this.#name, take);
    this.#stand = button("stand", "Leave", "small plain", () => this.#wish("stand"));
    set(this.#stand, { "aria-label": "Leave the table", title: "Leave the table" });
    this.#talk = new Talk((text) => this.#ask("say", { text }));
    this.#share = share;
    this.#host = new HostDialog((action, data) => this.#wish(action, data));
    this.#manage = button("host", "Host", "small plain", () => this.#openHost());
    set(this.#manage, { title: "Who may find your room, and who may sit" });
    const ways = el("div", { class: "ways" }, this.#stand, this.#manage);
    const seats = el("div", { class: "seats" }, this.#seats.element, ways, this.#watching, this.#sit);
    this.element = el("main", { class: "room" }, this.#makeHead(), seats, this.#contest.element, this.#middle, this.#contest.result, this.#talk.element, this.#host.element);
  }

  get room() {
    return this.#room;
  }

  /** Whether this player is in the middle of a game here. */
  get busy() {
    const view = this.#seen?.view;
    const seated = view?.players.some(({ player }) => player === this.#client.player) ?? false;
    return seated && view !== undefined && (view.match ? goesOn(view) : view.state === "playing");
  }

  /** What is played here, once that is known. */
  get game() {
    return this.#game;
  }

  /** On the page: start listening. */
  enter() {
    const client = this.#client;
    const onKey = (/** @type {KeyboardEvent} */ event) => this.#onKey(event);
    const ticks = setInterval(() => this.#show(), TICK);
    const clocks = setInterval(() => this.#tickClocks(), CLOCK_TICK);
    document.addEventListener("keydown", onKey);
    this.#middle.append(notes);
    this.#talk.enter();
    this.#leaving = [
      client.on("seen", (seen) => this.#onSeen(seen)),
      client.on("talk", (talked) => this.#onTalk(talked)),
      client.on("aged", (age) => (this.#madeAt = performance.now() - age)),
      client.on("wishes", () => this.#show()),
      client.on("identity", () => this.#show()),
      client.on("gone", (refused) => this.#onMissing(plainly(refused))),
      () => clearInterval(ticks),
      () => clearInterval(clocks),
      () => setWaiting("room", false),
      () => document.removeEventListener("keydown", onKey),
      () => client.unwatch(),
    ];
    client.watch(this.#room);
  }

  leave() {
    this.#talk.leave();
    for (const dialog of [this.#share, this.#host]) dialog.element.close();
    for (const stop of this.#leaving) stop();
  }

  /** @param {import("./types.js").Seen} seen */
  #onSeen(seen) {
    const before = this.#seen?.view ?? null;
    const me = this.#client.player;
    this.#seen = seen;
    this.#lookedAt = performance.now();
    this.#madeAt = this.#lookedAt - seen.age;
    const game = GAMES.get(seen.view.game);
    if (!game) return this.#onGone(`This page cannot show ${seen.view.game}.`);
    for (const sentence of told(game, before, seen.view, me)) announce(sentence);
    if (seen.events.some(({ kind, player }) => kind === "removed" && player === me)) note("The host has taken you off the table.");
    this.#board ??= this.#makeBoard(game);
    this.#talk.update(seen.view, me, seen.fresh);
    set(this.element, { "data-seen": true });
    this.#show();
    if (seen.closed) this.#onGone("This room has closed.");
  }

  /** The view is the one it was; only its chat is known better. @param {import("./types.js").Talked} talked */
  #onTalk({ lines, fresh }) {
    if (!this.#seen) return;
    const view = { ...this.#seen.view, chat: lines };
    this.#seen = { ...this.#seen, view };
    this.#talk.update(view, this.#client.player, fresh);
  }

  /** @param {import("./types.js").Game} game */
  #makeBoard(game) {
    this.#game = game;
    const board = game.makeBoard({
      play: (move) => this.#ask("play", { move }, true),
      again: () => this.#wish(this.#seen?.view.match ? "rematch" : "again", {}, true),
      note,
    });
    const side = game.makeSide?.();
    if (side) this.#talk.lists(side);
    this.#table.replaceChildren(board.element);
    return board;
  }

  #show() {
    if (!this.#seen || !this.#board || !this.#game) return;
    const { view, version } = this.#seen;
    const me = this.#client.player;
    const pending = this.#client.pending.filter(({ data }) => data.room === this.#room);
    const seated = view.players.some(({ player }) => player === me);
    const elapsed = this.#elapsed();

    this.#showTitle(titleOf(view, me));
    say(this.#about, about(view, this.#game));
    this.#seats.update(view, me, elapsed, this.#game.roles);
    const free = view.players.length < view.seats || view.players.some((player) => isFree(player, view.seat_kept_ms, elapsed));
    const shut = Boolean(view.match) || (view.locked && view.host !== me);
    const sitting = pending.some(({ action }) => action === "sit");
    set(this.#sit, { hidden: seated || sitting || !free || shut });
    if (!this.#name.value && document.activeElement !== this.#name) this.#name.value = this.#client.name;
    // Whoever stands in the middle of a match gives it up: that is another button.
    set(this.#stand, { hidden: !seated || (view.match && goesOn(view)) });
    set(this.#manage, { hidden: view.host !== me });
    const why = view.match || (free && !shut) ? "You are watching." : shut ? "The table is locked; you are watching." : "The table is full; you are watching.";
    say(this.#watching, seated || sitting ? "" : why);
    say(this.#invite, view.match ? "Share" : "Invite");
    const held = this.#contest.element.contains(document.activeElement);
    this.#contest.update(view, me, elapsed, pending, this.#game.good);
    setWaiting("room", this.#game.awaits?.(view, me) ?? false);
    if (this.#host.element.open) this.#host.update(view, me);
    const still = this.#client.standing === "electing";
    this.#board.update(view, { version, me, pending, elapsed, still, trouble: this.#troubled(pending) });
    if (held && this.#contest.element.hidden) this.#goOn();
  }

  /** Somebody without a mouse has ended the round: they go on at what comes after it. */
  #goOn() {
    const again = this.#table.querySelector('[data-testid="again-button"]');
    if (again instanceof HTMLElement && again.offsetParent !== null) again.focus();
    else this.#heading.focus();
  }

  /**
   * For how long (ms) it has been so, as the cluster counts: without a leader its time
   * stands still, and so does what is counted down here. When only this page is cut off, it
   * goes on.
   */
  #elapsed() {
    const now = performance.now();
    if (this.#client.standing === "electing") this.#madeAt += now - this.#lookedAt;
    this.#lookedAt = now;
    return Math.max(0, now - this.#madeAt);
  }

  /** @param {string} title */
  #showTitle(title) {
    if (this.title === title) return;
    this.title = title;
    say(this.#heading, title);
    setTitle(title);
  }

  #tickClocks() {
    if (this.#seen?.view.match?.clock) this.#seats.tick(this.#seen.view, this.#elapsed(), this.#client.standing === "electing");
  }

  #openHost() {
    if (this.#seen) this.#host.open(this.#seen.view, this.#client.player);
  }

  /** What is to be said while nobody answers; a new sentence is read aloud once. @param {import("./types.js").Wish[]} pending */
  #troubled(pending) {
    const sentence = trouble(this.#client.standing, this.#client.troubledMs, pending, Date.now(), this.#game?.called);
    if (sentence && sentence !== this.#trouble) announce(sentence);
    this.#trouble = sentence;
    return sentence;
  }

  /** @param {SubmitEvent} event */
  async #onSit(event) {
    event.preventDefault();
    this.#client.rename(this.#name.value.trim());
    await this.#wish("sit");
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    // Who writes in a dialog plays nothing.
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "Escape" && this.#talk.isOpen) this.#talk.close();
    else if (!this.#talk.isOpen) this.#board?.typed(event);
  }

  /** @param {string} action @param {Record<string, any>} [data] @param {boolean} [thisRound] */
  async #wish(action, data = {}, thisRound = false) {
    const refused = await this.#ask(action, data, thisRound);
    if (refused) note(refused);
  }

  /**
   * Why it was refused, in plain words; empty when it was done.
   * @param {string} action @param {Record<string, any>} [data]
   * @param {boolean} [thisRound] whether it makes sense in this round only
   */
  async #ask(action, data = {}, thisRound = false) {
    const round = thisRound ? (this.#seen?.view.round ?? null) : null;
    const { refused } = await this.#client.wish(action, { room: this.#room, ...data }, round);
    return refused ? this.#game?.plainly?.(refused) || plainly(refused) : "";
  }

  /** @param {string} message */
  #onMissing(message) {
    const wait = LOOK_AGAIN[this.#looks];
    if (this.#seen || wait === undefined || !opened.has(this.#room)) return this.#onGone(message);
    this.#looks += 1;
    const timer = setTimeout(() => this.#client.watch(this.#room), wait);
    this.#leaving.push(() => clearTimeout(timer));
  }

  /** Nothing can be done here any more; what was seen last stays. @param {string} message */
  #onGone(message) {
    this.leave();
    this.#leaving = [];
    const card = lostCard(message);
    set(this.element, { "data-gone": true });
    if (this.#board) this.#middle.before(card);
    else this.#table.replaceChildren(card);
    say(this.#about, "");
  }

  #makeHead() {
    const title = el("div", { class: "title" }, this.#heading, this.#about);
    return el("div", { class: "head" }, title, this.#invite, this.#talk.drawer);
  }

  #openShare() {
    const what = `A game of ${this.#game?.name ?? "Hangraft"}`;
    const heading = this.#seen?.view.match ? "Let others watch" : "Invite others";
    this.#share.open(what, this.#client.origin, `#/room/${this.#room}`, this.#client.server.addresses, heading);
  }
}

/** A field for the player's own name; a change is told at once. @param {Client} client */
export function nameField(client) {
  const input = el("input", {
    "aria-label": "Your name", placeholder: "Your name", maxlength: NAME_MAX, autocomplete: "nickname",
    "data-testid": "name-input", change: () => client.rename(input.value.trim()),
  });
  input.value = client.name;
  return input;
}

/** Whose room it is. @param {View} view @param {string} me */
function titleOf(view, me) {
  if (view.match) return between(view, me);
  if (view.host === me) return "Your room";
  const host = view.players.find(({ player }) => player === view.host);
  return host ? `${host.name}’s room` : "Room";
}

/** @param {View} view @param {import("./types.js").Game} game */
function about(view, game) {
  if (view.match) return `Round ${view.round} · ${aboutMatch(view.match)}`;
  return [`Round ${view.round}`, game.about(view), view.locked ? "locked" : ""].filter(Boolean).join(" · ");
}

/** @param {string} hook @param {string} text @param {string} look @param {() => void} click */
function button(hook, text, look, click) {
  return el("button", { type: "button", class: look, "data-testid": `${hook}-button`, click }, text);
}
