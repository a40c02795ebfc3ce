// The nodes as rafts on the water, and one's own moves travelling between them. What is to
// be seen is decided elsewhere; this draws it.

import { el, list, say, set, svg } from "../dom.js";
import { nextStep } from "./journeys.js";
import { termColours } from "./terms.js";
import { called, station } from "./words.js";

/** @typedef {import("../types.js").Deck} Deck */
/** @typedef {import("../types.js").Aboard} Aboard */
/** @typedef {import("./journeys.js").Journey} Journey */

/** From one place to the next (ms). The words say how long it took; this is to be seen. */
const LEG = 240;

/** How long (ms) a sign that has come back stays. */
const STAYS = 2600;

/** A raft: two logs, what ties them, and the mast; drawn as the page draws. */
const LOGS = ["M5 33 Q30 30 55 33 Q59 36 55 39 Q30 36 5 39 Q1 36 5 33Z", "M8 40 Q30 37 52 40 Q56 43 52 46 Q30 43 8 46 Q4 43 8 40Z"];
const MAST = "M26 32 Q25 20 26 4";
const FLAG = "M27 4 Q39 1 55 5 Q51 10 55 17 Q40 13 27 17Z";

/** Waves for the widest strip there is, so that they need not be stretched. */
const WAVES = `M0 6q7-5 14 0${"t14 0".repeat(90)}`;

/** Where a sign is, and whether it has been with the leader. @typedef {{at: import("./journeys.js").Place, arrived: boolean, home: number}} Sign */

export class Sea {
  #you = el("span", { class: "spot", "data-spot": "you" }, el("span", { class: "spot-mark" }), el("span", { class: "spot-name" }, "You"));
  #front = el("span", { class: "spot", "data-spot": "frontend" }, el("span", { class: "spot-mark" }), el("span", { class: "spot-name" }, "Frontend"));
  #rafts = el("ul", { class: "rafts", "aria-label": "Nodes", translate: "no", "data-testid": "deck-nodes" });
  #signs = el("div", { class: "signs", "aria-hidden": "true", translate: "no" });
  /** @type {Map<number, Sign>} */
  #travelling = new Map();
  /** @type {Journey[]} */
  #journeys = [];
  #leader = 0;
  #timer = 0;

  #water = svg("svg", { class: "water", viewBox: "0 0 1260 12", preserveAspectRatio: "xMinYMid slice", "aria-hidden": "true" }, svg("path", { d: WAVES }));

  element = el("div", { class: "sea" }, this.#you, this.#front, this.#rafts, this.#water, this.#signs);

  /** @param {Deck} deck */
  show(deck) {
    const make = (/** @type {Aboard} */ { node }) => makeRaft(node);
    list(this.#rafts, deck.nodes, ({ node }) => String(node), make, (raft, aboard) => showRaft(raft, aboard, deck));
    set(this.#rafts, { "data-many": deck.nodes.length > 5 });
  }

  /** What is shown is what was known last. @param {boolean} stale */
  set stale(stale) {
    set(this.element, { "data-stale": stale });
  }

  /** One's own moves. `leader`: the node they go to, 0 when there is none. @param {Journey[]} journeys @param {number} leader */
  carry(journeys, leader) {
    this.#journeys = journeys;
    this.#leader = leader;
    for (const { serial, end } of journeys) {
      if (!this.#travelling.has(serial) && !end) this.#travelling.set(serial, { at: 0, arrived: false, home: 0 });
    }
    if (!this.#timer) this.#step();
  }

  /** Nothing moves any more. */
  rest() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#travelling.clear();
    this.#signs.replaceChildren();
  }

  /** Moves each sign on by one place, and comes back while there is something to do. */
  #step() {
    this.#timer = 0;
    const now = performance.now();
    let moved = false;
    for (const [serial, sign] of this.#travelling) {
      const journey = this.#journeys.find((one) => one.serial === serial);
      const next = journey && nextStep(sign, journey, this.#leader > 0);
      if (!next || (sign.home && now - sign.home > STAYS)) {
        this.#travelling.delete(serial);
        continue;
      }
      const home = journey.end && next.at === 0 && sign.at === 0 ? sign.home || now : 0;
      moved ||= next.at !== sign.at || home > 0;
      this.#travelling.set(serial, { ...next, home });
    }
    this.#draw();
    if (moved) this.#timer = setTimeout(() => this.#step(), LEG);
  }

  #draw() {
    const shown = this.#journeys.filter(({ serial }) => this.#travelling.has(serial));
    list(this.#signs, shown, ({ serial }) => String(serial), ({ sign }) => this.#makeSign(sign), (element, journey) => this.#place(element, journey, shown.indexOf(journey)));
  }

  /** @param {string} sign */
  #makeSign(sign) {
    return el("span", { class: "sign" }, sign || "•");
  }

  /** @param {HTMLElement} element @param {Journey} journey @param {number} turn */
  #place(element, { serial, end }, turn) {
    const sign = this.#travelling.get(serial);
    if (!sign) return;
    const spot = sign.at === 0 ? this.#you : sign.at === 1 ? this.#front : this.#raft();
    element.style.translate = `${middle(spot, this.element) + turn * 7}px`;
    // The oldest is in front.
    element.style.zIndex = String(-turn);
    set(element, { "data-at": sign.at, "data-end": sign.arrived || end !== "saved" ? end || null : null });
  }

  /** Where the leader is; without one, the frontend. */
  #raft() {
    return this.#rafts.querySelector(`[data-key="${this.#leader}"]`) ?? this.#front;
  }
}

/** The middle of an element, from the left of another (px). @param {Element} element @param {Element} within */
function middle(element, within) {
  const [inner, outer] = [element.getBoundingClientRect(), within.getBoundingClientRect()];
  return inner.left - outer.left + inner.width / 2;
}

/** @param {number} node */
function makeRaft(node) {
  const flag = svg("g", { class: "flag" }, svg("path", { d: FLAG }), svg("text", { x: 40, y: 14 }));
  const wood = svg("g", { class: "wood" }, ...LOGS.map((d) => svg("path", { d })), svg("path", { d: MAST, class: "mast" }));
  const picture = svg("svg", { viewBox: "0 0 60 48", "aria-hidden": "true" }, wood, flag);
  return el("li", { class: "raft" }, el("span", { class: "hull" }, picture), el("span", { class: "raft-name" }, called(node)), " ", el("span", { class: "raft-role" }));
}

/** @param {HTMLElement} raft @param {Aboard} aboard @param {Deck} deck */
function showRaft(raft, aboard, deck) {
  const [flag, term] = [raft.querySelector(".flag path"), raft.querySelector(".flag text")];
  const role = raft.querySelector(".raft-role");
  if (!flag || !term || !role) return;
  const leads = aboard.node === deck.leader;
  const [colour, text] = termColours(deck.term ?? 0);
  set(flag, { fill: colour });
  set(term, { fill: text });
  say(term, deck.term === undefined ? "" : String(deck.term));
  say(role, station(deck, aboard));
  set(raft, { "data-leads": leads, "data-heard": String(aboard.heard), "data-learns": aboard.votes === false });
}
