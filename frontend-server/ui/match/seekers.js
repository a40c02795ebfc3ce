// Who looks for somebody to play with, live; each is taken with one tap.

import { el, list, say, set } from "../dom.js";
import { GAMES } from "../games.js";
import { Looking } from "../question.js";
import { arrange, sieve } from "./open.js";
import { ago, ratingText, spokenRating, terms } from "./words.js";

/** @typedef {import("../client.js").Client} Client */
/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./open.js").Row} Row */

/** Between two looks at how old they are (ms). */
const TICK = 1000;

const NOBODY = "Nobody is looking right now. Play now, and you are the one they find.";
const NONE_SUCH = "Nobody is looking for just that.";

export class Seekers {
  #client;
  #desk;
  #list = el("ul", { class: "seekers", "data-testid": "seeks" });
  #empty = el("p", { class: "quiet" }, "Looking who is there…");
  #game = el("select", { "aria-label": "Game", "data-testid": "seeks-game" });
  #rated = el("select", { "aria-label": "Ratings", "data-testid": "seeks-rated" });
  #more = el("p", { class: "quiet" });
  #filters = el("div", { class: "filters" }, this.#game, this.#rated);
  /** @type {Row[]} */
  #rows = [];
  /** What was pushed last, and when. @type {import("../types.js").Seeks} */
  #pushed = { seeks: [], total: 0 };
  #at = 0;
  #pointed = false;
  /** @type {(() => void)[]} */
  #leaving = [];

  /** @param {Client} client @param {Desk} desk */
  constructor(client, desk) {
    this.#client = client;
    this.#desk = desk;
    this.#rated.append(...[["", "Rated and casual"], ["rated", "Rated"], ["casual", "Casual"]].map(([value, text]) => el("option", { value }, text ?? "")));
    for (const field of [this.#game, this.#rated]) set(field, { change: () => this.#show() });
    set(this.#list, { pointerenter: () => (this.#pointed = true), pointerleave: () => (this.#pointed = false), pointercancel: () => (this.#pointed = false) });
    this.element = el("section", { class: "card seekers-card", "aria-label": "Looking for somebody", hidden: true }, el("h2", {}, "Looking for somebody"), this.#filters, this.#empty, this.#list, this.#more);
  }

  enter() {
    const looking = new Looking(this.#client, "lobby", () => set(this.element, { hidden: true }));
    const timer = setInterval(() => this.#show(), TICK);
    this.#leaving = [
      this.#client.on("seeks", (seeks) => this.#onPush(seeks)),
      this.#desk.on(() => this.#show()),
      () => clearInterval(timer),
      () => looking.end(),
    ];
  }

  leave() {
    for (const stop of this.#leaving) stop();
  }

  /** @param {string[]} games all there are */
  offer(games) {
    const options = [["", "All games"], ...games.map((game) => [game, called(game)])];
    const kept = this.#game.value;
    list(this.#game, options, ([value]) => value ?? "", ([value, text]) => el("option", { value }, text ?? ""));
    this.#game.value = games.includes(kept) ? kept : "";
    set(this.#game, { hidden: games.length < 2 });
  }

  /** @param {import("../types.js").Seeks} seeks */
  #onPush(seeks) {
    this.#pushed = { seeks: Array.isArray(seeks.seeks) ? seeks.seeks : [], total: seeks.total ?? 0 };
    this.#at = performance.now();
    set(this.element, { hidden: null });
    this.#show();
  }

  #show() {
    const { seeks, total } = this.#pushed;
    const rated = /** @type {"" | "rated" | "casual"} */ (this.#rated.value);
    const wanted = sieve(seeks, { game: this.#game.value, rated });
    const held = this.#pointed || this.#list.contains(document.activeElement);
    this.#rows = arrange(this.#rows, wanted, held && this.#rows.length > 0);
    const empty = this.#rows.length === 0;
    say(this.#empty, empty ? (seeks.length ? NONE_SUCH : NOBODY) : "");
    set(this.#empty, { hidden: !empty });
    set(this.#filters, { hidden: seeks.length < 2 && !this.#game.value && !rated });
    set(this.#more, { hidden: total <= seeks.length });
    say(this.#more, total > seeks.length ? `${total - seeks.length} more are looking.` : "");
    list(this.#list, this.#rows, ({ seek }) => seek.offer, (row) => this.#makeRow(row), (element, row) => this.#showRow(element, row));
  }

  /** @param {Row} row */
  #makeRow({ seek: { offer } }) {
    const text = el("p", { class: "seeker-text" }, el("span", { class: "seeker-who" }, el("b", { translate: "no" }), " ", el("span", { class: "rating" })), el("span", { class: "seeker-what" }));
    const take = el("button", { type: "button", class: "small main", "data-testid": `seek-${offer}`, click: () => this.#take(offer) });
    return el("li", { class: "seeker" }, text, take);
  }

  /** @param {HTMLElement} element @param {Row} row */
  #showRow(element, { seek, gone }) {
    const [who, what] = element.querySelectorAll(".seeker-text > span");
    const [name, rating] = who?.children ?? [];
    const button = element.querySelector("button");
    if (!what || !name || !rating || !button) return;
    const mine = seek.player === this.#client.player;
    const own = mine ? this.#desk.offers.find(({ offer }) => offer === seek.offer) : this.#desk.taking(seek.offer);
    const asking = own?.state === "asking" || own?.state === "cancelling";
    const refused = !mine && own?.state === "ended" ? this.#desk.says(own) : "";
    say(name, mine ? `${seek.name} (you)` : seek.name);
    say(rating, ratingText(seek.rating, seek.provisional));
    set(rating, { role: "img", "aria-label": spokenRating(seek.rating, seek.provisional) });
    const age = ago((seek.age_ms ?? 0) + performance.now() - this.#at);
    say(what, refused || `${called(seek.game)} · ${terms(seek)} · ${gone ? "not any more" : age}`);
    const act = mine ? (asking ? "…" : "Withdraw") : asking ? "Going…" : "Play";
    say(button, act);
    set(button, { "aria-label": mine ? `${act}: ${called(seek.game)}` : `${act}: ${seek.name}, ${called(seek.game)}, ${terms(seek)}`, "aria-disabled": String(gone || asking || refused !== "") });
    set(button, { class: mine ? "small" : "small main" });
    set(element, { "data-mine": mine, "data-gone": gone, "data-refused": refused !== "" });
  }

  /** @param {string} offer */
  #take(offer) {
    const row = this.#rows.find(({ seek }) => seek.offer === offer);
    if (!row || row.gone) return;
    if (row.seek.player === this.#client.player) this.#desk.withdraw(offer);
    else if (this.#desk.taking(offer)?.state !== "ended") this.#desk.accept(offer);
  }
}

/** @param {string} game */
function called(game) {
  return GAMES.get(game)?.name ?? game;
}
