// Another round: who wants one, and when it begins. It never begins by a tap that
// was meant for a key, so the button takes none for a moment after the end.

import { rematch } from "./contest/words.js";
import { el, say, set } from "./dom.js";
import { secondsLeft, together } from "./text.js";

/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").Moment} Moment */

/** How long (ms) after it has appeared the button takes no tap. */
export const DEAF_MS = 1000;

/**
 * What is said beside the button: pure.
 * @param {View} view @param {string} me @param {number} elapsed how long (ms) the view has been here
 */
export function agreement(view, me, elapsed) {
  const here = view.players.filter(({ online }) => online);
  if (!view.again) return here.length > 1 ? "A new round begins when everybody here agrees." : "";
  const { agreed, begins_in_ms } = view.again;
  const name = (/** @type {import("./types.js").Player} */ one) => one.name;
  const willing = view.players.filter(({ seat }) => agreed.includes(seat));
  const waited = here.filter(({ seat }) => !agreed.includes(seat));
  const next = begins_in_ms === undefined ? "Next round soon" : `Next round in ${secondsLeft(begins_in_ms - elapsed)} s`;
  if (!willing.some(({ player }) => player === me)) return `${next}. ${together(willing.map(name), 2)} agreed.`;
  if (waited.length === 0) return `${next}.`;
  return `${next}, or when ${together(waited.map(name), 2)} ${waited.length === 1 ? "agrees" : "agree"}.`;
}

export class Again {
  #button;
  #text = el("p", { class: "agreement", "data-testid": "agreement" });
  #ask;
  /** Which end the button was shown for, and since when (ms). */
  #shown = { end: "", since: 0 };

  /** @param {() => void} ask */
  constructor(ask) {
    this.#ask = ask;
    this.#button = el("button", { type: "button", class: "main", "data-testid": "again-button", click: () => this.#onClick() });
    this.element = el("div", { class: "again" }, this.#button, this.#text);
  }

  focus() {
    this.#button.focus();
  }

  get shown() {
    return this.#button.offsetParent !== null;
  }

  /** @param {View} view @param {Moment} moment @param {boolean} [stuck] whether it goes on without somebody the table waits for */
  update(view, { me, pending, elapsed }, stuck = false) {
    const seat = view.players.find(({ player }) => player === me)?.seat;
    const end = `${view.round} ${view.state}`;
    if (this.#shown.end !== end || this.element.hidden) this.#shown = { end, since: performance.now() };
    const sent = pending.some(({ action }) => action === "again" || action === "rematch");
    const asked = sent || (view.again?.agreed ?? []).some((one) => one === seat);
    set(this.element, { hidden: false });
    // Of a match nobody else can take the other's seat.
    const alone = Boolean(view.match) && view.players.length < 2;
    set(this.#button, { hidden: seat === undefined || alone, "aria-disabled": String(asked || this.#deaf), "data-asked": asked });
    say(this.#button, view.match ? "Rematch" : stuck ? "Go on without them" : "Play again");
    say(this.#text, view.match ? rematch(view, me, sent) : stuck && !view.again ? "" : agreement(view, me, elapsed));
  }

  hide() {
    set(this.element, { hidden: true });
  }

  get #deaf() {
    return performance.now() - this.#shown.since < DEAF_MS;
  }

  #onClick() {
    if (!this.#deaf && this.#button.dataset.asked === undefined) this.#ask();
  }
}
