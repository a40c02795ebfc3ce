// Who guessed what in this round, beside the board.

import { el, list } from "../../dom.js";

/** @typedef {import("./types.js").HangmanView} View */
/** @typedef {import("./types.js").Tried} Tried */

export class Guesses {
  heading = "Guesses";
  element = el("ol", { class: "tried", "aria-label": "Guesses", translate: "no", "data-testid": "tried" });

  /** @param {View} view @param {string} me */
  update(view, me) {
    const tried = view.tried.map((one, at) => ({ ...one, at, who: one.player === me ? "You" : one.name }));
    list(this.element, tried, ({ at }) => `${view.round}.${at}`, makeTried);
  }
}

/** @param {Tried & {who: string}} tried */
function makeTried({ who, letter, word, hits }) {
  const what = el("b", {}, (letter ?? word ?? "").toUpperCase());
  const how = hits ? (letter ? `×${hits}` : "right") : "no";
  return el("li", { "data-hit": String(hits > 0) }, who, " ", what, " ", el("span", {}, how));
}
