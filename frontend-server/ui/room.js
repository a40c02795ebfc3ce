// One room: who is at the table, the board, and the talk beside it. Of the game
// it knows only that there is a board.

import { announce, note } from "./announce.js";
import { el, lineForm, list, say, set } from "./dom.js";
import { BOARDS } from "./games.js";
import { many, newLines } from "./text.js";

/** @typedef {import("./client.js").Client} Client */
/** @typedef {import("./types.js").HangmanView} View */
/** @typedef {import("./types.js").Player} Player */

/** The longest chat line, and the longest name, as the rules have them. */
const TEXT_MAX = 500;
export const NAME_MAX = 24;

/**
 * Waits (ms) before a room that is not there is looked for again: the replica
 * asked may not have heard yet of a room that was opened this moment.
 */
const LOOK_AGAIN = [100, 300, 900];

export class RoomScreen {
  #client;
  #room;
  /** @type {import("./types.js").Seen | null} */
  #seen = null;
  /** @type {InstanceType<typeof BOARDS[string]> | null} */
  #board = null;
  /** @type {(() => void)[]} */
  #leaving = [];
  #said = 0;
  #unread = 0;
  #looks = 0;

  #about = el("p", { class: "about" }, "Looking for the room…");
  #players = el("ul", { class: "players", "aria-label": "Players", tabindex: 0, "data-testid": "players" });
  #name;
  #watching = el("p", { class: "quiet watching" });
  #sit;
  #stand;
  #table = el("div", { class: "table" });
  #tried = el("ol", { class: "tried", "aria-label": "Guesses", "data-testid": "tried" });
  #chat = el("div", { class: "chat", role: "log", "aria-label": "Chat", tabindex: 0, "data-testid": "chat-log" });
  #drawer;
  #side;

  /** @param {Client} client @param {number} room */
  constructor(client, room) {
    this.#client = client;
    this.#room = room;
    this.#name = nameField(client);
    const take = el("button", { class: "main", "data-testid": "sit-button" }, "Take a seat");
    this.#sit = el("form", { class: "line sit", submit: (event) => this.#onSit(event) }, this.#name, take);
    this.#stand = button("stand", "Stand up", "small plain", () => this.#wish("stand"));
    this.#drawer = button("drawer", "Chat", "small drawer", () => this.#toggle());
    this.#side = this.#makeSide();
    this.title = `Room ${room}`;
    const seats = el("div", { class: "seats" }, this.#players, this.#stand, this.#watching, this.#sit);
    this.element = el("main", { class: "room" }, this.#makeHead(), seats, this.#table, this.#side);
  }

  /** On the page: start listening. */
  enter() {
    const client = this.#client;
    const onKey = (/** @type {KeyboardEvent} */ event) => this.#onKey(event);
    document.addEventListener("keydown", onKey);
    this.#leaving = [
      client.on("seen", (seen) => this.#onSeen(seen)),
      client.on("wishes", () => this.#show()),
      client.on("identity", () => this.#show()),
      client.on("gone", (refused) => this.#onMissing(refused.message)),
      () => document.removeEventListener("keydown", onKey),
      () => client.unwatch(),
    ];
    client.watch(this.#room);
  }

  leave() {
    for (const stop of this.#leaving) stop();
  }

  /** @param {import("./types.js").Seen} seen */
  #onSeen(seen) {
    const before = this.#seen?.view ?? null;
    this.#seen = seen;
    const Board = BOARDS[seen.view.game];
    if (!Board) return this.#onGone(`This page cannot show ${seen.view.game}.`);
    for (const sentence of Board.story(before, seen.view, this.#client.player)) announce(sentence);
    this.#countChat(before, seen.view);
    this.#board ??= this.#makeBoard(Board);
    this.#show();
    if (seen.closed) this.#onGone("This room has closed.");
  }

  /** @param {typeof BOARDS[string]} Board */
  #makeBoard(Board) {
    const board = new Board({
      play: (move) => this.#wish("play", { move }, true),
      again: () => this.#wish("again", {}, true),
    });
    this.#table.replaceChildren(board.element);
    return board;
  }

  #show() {
    if (!this.#seen || !this.#board) return;
    const { view, version } = this.#seen;
    const me = this.#client.player;
    const pending = this.#client.pending.filter(({ data }) => data.room === this.#room);
    const seated = view.players.some(({ player }) => player === me);

    say(this.#about, about(view));
    // One's own points are what one looks for first, also where the row is cut off.
    const players = [...view.players].sort((a, b) => Number(b.player === me) - Number(a.player === me));
    list(this.#players, players, ({ seat }) => String(seat), makePlayer, (element, player) => showPlayer(element, player, me));
    const full = view.players.length >= view.seats;
    const sitting = pending.some(({ action }) => action === "sit");
    set(this.#sit, { hidden: seated || sitting || full });
    if (!this.#name.value && document.activeElement !== this.#name) this.#name.value = this.#client.name;
    set(this.#stand, { hidden: !seated });
    say(this.#watching, seated || sitting ? "" : full ? "The table is full; you are watching." : "You are watching.");
    this.#board.update(view, version, me, pending);
    this.#showTalk(view);
  }

  /** @param {View} view */
  #showTalk(view) {
    list(this.#tried, view.tried.map((tried, at) => ({ ...tried, at })), ({ at }) => `${view.round}.${at}`, makeTried);
    const atEnd = this.#chat.scrollTop + this.#chat.clientHeight >= this.#chat.scrollHeight - 8;
    // Chat lines have no numbers of their own; we count those we have seen go by.
    const lines = view.chat.map((line, at) => ({ ...line, at: this.#said - view.chat.length + at }));
    list(this.#chat, lines, ({ at }) => String(at), ({ name, text }) => el("p", {}, el("b", {}, name), " ", text));
    if (atEnd) this.#chat.scrollTop = this.#chat.scrollHeight;
    say(this.#drawer, this.#unread ? `Chat (${this.#unread})` : "Chat");
  }

  /**
   * Counts the chat lines that are new, and among them those nobody has read here.
   * @param {View | null} before @param {View} after
   */
  #countChat(before, after) {
    const count = newLines(before?.chat ?? [], after.chat);
    this.#said += count;
    if (!before || this.#isOpen) return;
    const lines = after.chat.slice(after.chat.length - count);
    this.#unread += lines.filter(({ player }) => player !== this.#client.player).length;
  }

  /** @param {SubmitEvent} event */
  async #onSit(event) {
    event.preventDefault();
    this.#client.rename(this.#name.value.trim());
    await this.#wish("sit");
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key === "Escape" && this.#isOpen) this.#toggle();
    else this.#board?.typed(event);
  }

  /**
   * @param {string} action @param {Record<string, any>} [data]
   * @param {boolean} [thisRound] whether it makes sense in this round only
   */
  async #wish(action, data = {}, thisRound = false) {
    const round = thisRound ? (this.#seen?.view.round ?? null) : null;
    const { refused } = await this.#client.wish(action, { room: this.#room, ...data }, round);
    if (refused) note(refused.message);
    return refused === undefined;
  }

  async #share() {
    const url = `${this.#client.origin}/#/room/${this.#room}`;
    try {
      if (navigator.share && matchMedia("(pointer: coarse)").matches) return await navigator.share({ title: this.title, url });
      await navigator.clipboard.writeText(url);
      note("The link is copied. Send it to your friends.");
    } catch (error) {
      // The player changed their mind; or this page may not use the clipboard.
      if (!(error instanceof DOMException && error.name === "AbortError")) note(`Send this link to your friends: ${url}`);
    }
  }

  /** @param {string} message */
  #onMissing(message) {
    const wait = LOOK_AGAIN[this.#looks];
    if (this.#seen || wait === undefined) return this.#onGone(message);
    this.#looks += 1;
    const timer = setTimeout(() => this.#client.watch(this.#room), wait);
    this.#leaving.push(() => clearTimeout(timer));
  }

  /** Nothing can be done here any more; what was seen last stays. @param {string} message */
  #onGone(message) {
    this.#leaving.splice(0).forEach((stop) => stop());
    const back = el("a", { class: "button main", href: "#/" }, "Back to the lobby");
    const card = el("div", { class: "gone", role: "alert", "data-testid": "gone" }, el("p", {}, message), back);
    set(this.element, { "data-gone": true });
    if (this.#board) this.#table.before(card);
    else this.#table.replaceChildren(card);
    say(this.#about, "");
  }

  /** Whether the drawer is. */
  get #isOpen() {
    return this.#drawer.getAttribute("aria-expanded") === "true";
  }

  /** Chat and guesses: a column beside the board, or on a phone a drawer. */
  #toggle() {
    const open = !this.#isOpen;
    set(this.#drawer, { "aria-expanded": String(open) });
    set(this.#side, { "data-open": open });
    this.#unread = 0;
    say(this.#drawer, "Chat");
    this.#chat.scrollTop = this.#chat.scrollHeight;
    if (open) this.#side.querySelector("input")?.focus();
    else this.#drawer.focus();
  }

  #makeHead() {
    const title = el("div", { class: "title" }, el("h1", { tabindex: -1 }, this.title), this.#about);
    const share = button("share", "Share link", "small", () => this.#share());
    set(this.#drawer, { "aria-expanded": "false" });
    return el("div", { class: "head" }, title, share, this.#drawer);
  }

  #makeSide() {
    const form = lineForm("chat", "Say something", "Say", TEXT_MAX, (text) => this.#wish("say", { text }));
    const close = el("button", { type: "button", class: "small close", click: () => this.#toggle() }, "Back to the game");
    const guesses = el("h2", {}, "Guesses");
    const chat = el("h2", {}, "Chat");
    return el("aside", { class: "side", "aria-label": "Guesses and chat" }, close, guesses, this.#tried, chat, this.#chat, form);
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

/** @param {View} view */
function about(view) {
  const way = view.mode === "setter" ? "one sets the word" : (view.category ?? "all together");
  return `${way} · round ${view.round}`;
}

function makePlayer() {
  const parts = ["dot", "name", "unseen", "role", "points"].map((name) => el("span", { class: name }));
  return el("li", { class: "player" }, ...parts);
}

/** @param {HTMLElement} element @param {Player} player @param {string} me */
function showPlayer(element, { name, player, online, points, role, seat }, me) {
  const [dot, label, you, part, score] = element.children;
  if (!dot || !label || !you || !part || !score) return;
  set(element, { "data-online": String(online), "data-me": player === me, "data-seat": seat, "data-role": role });
  set(dot, { role: "img", "aria-label": online ? "online" : "away", title: online ? "online" : "away" });
  say(label, name);
  say(you, player === me ? "(you)" : "");
  say(part, role === "setter" ? "sets" : "");
  say(score, String(points));
  set(score, { role: "img", "aria-label": many(points, "point"), title: many(points, "point") });
}

/** @param {import("./types.js").Tried} tried */
function makeTried({ name, letter, word, hits }) {
  const what = el("b", {}, (letter ?? word ?? "").toUpperCase());
  const how = hits ? (letter ? `×${hits}` : "right") : "no";
  return el("li", { "data-hit": String(hits > 0) }, name, " ", what, " ", el("span", {}, how));
}

/** @param {string} hook @param {string} text @param {string} look @param {() => void} click */
function button(hook, text, look, click) {
  return el("button", { type: "button", class: look, "data-testid": `${hook}-button`, click }, text);
}
