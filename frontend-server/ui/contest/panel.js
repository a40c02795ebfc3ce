// What stands between the two of a match: giving up, a draw, somebody who is gone; and when
// the round is over, what it came to.

import { announce } from "../announce.js";
import { el, list, say, set } from "../dom.js";
import { resultTable, headline } from "./result.js";
import { clockOf, hand } from "./words.js";

/** @typedef {import("../types.js").View} View */

/** How long (ms) a second tap is waited for. */
const DOUBT_MS = 4000;

export class ContestPanel {
  #wish;
  #said = el("p", { class: "contest-said", "data-testid": "contest-said" });
  #resign;
  #draw;
  #agree;
  #refuse;
  #win;
  #claimDraw;
  #heads = el("tr");
  #rows = el("tbody");
  #caption = el("caption", { "data-testid": "result" });
  /** Waits for the second tap on "Resign". */
  #doubt = 0;
  /** The round in which the player was told that their time is short. */
  #warned = "";

  /** @param {(action: string, data?: Record<string, any>) => void} wish */
  constructor(wish) {
    this.#wish = wish;
    this.#resign = button("resign", "Resign", () => this.#onResign());
    this.#draw = button("draw", "Offer a draw", () => wish("draw"));
    this.#agree = button("draw-accept", "Accept the draw", () => wish("draw", { agreed: true }), "small main");
    this.#refuse = button("draw-decline", "Play on", () => wish("draw", { agreed: false }));
    this.#win = button("claim-win", "Claim the win", () => wish("claim", { win: true }), "small main");
    this.#claimDraw = button("claim-draw", "Claim a draw", () => wish("claim", { win: false }));
    const buttons = el("div", { class: "contest-buttons" }, this.#win, this.#claimDraw, this.#agree, this.#refuse, this.#draw, this.#resign);
    set(this.#resign, { blur: () => this.#settle() });
    this.element = el("div", { class: "contest", role: "group", "aria-label": "The match", hidden: true }, this.#said, buttons);
    const others = el("a", { class: "button small", href: "#/", "data-testid": "play-others-link" }, "Play somebody else");
    const table = el("table", { class: "statistics", "data-testid": "statistics" }, this.#caption, el("thead", {}, this.#heads), this.#rows);
    this.result = el("section", { class: "result", "aria-label": "Result", hidden: true }, table, others);
  }

  /**
   * @param {View} view @param {string} me @param {number} elapsed how long (ms) the view has been here
   * @param {{action: string}[]} pending @param {import("../types.js").Good} [good] what good moves are called
   */
  update(view, me, elapsed, pending, good) {
    const { said, resign, draw, answer, claim } = hand(view, me, elapsed, pending);
    set(this.element, { hidden: !view.match || (!said && !resign) });
    say(this.#said, said);
    const focused = document.activeElement;
    for (const [part, shown] of /** @type {const} */ ([[this.#resign, resign], [this.#draw, draw], [this.#agree, answer], [this.#refuse, answer], [this.#win, claim], [this.#claimDraw, claim]])) set(part, { hidden: !shown });
    // Somebody without a mouse is not thrown out by a button that goes.
    if (focused instanceof HTMLElement && this.element.contains(focused) && focused.hidden) this.#firstShown()?.focus();
    if (!resign) this.#settle();
    this.#warn(view, me, elapsed);
    this.#showResult(view, me, good);
  }

  /** Once for each move, and only to whom it concerns. @param {View} view @param {string} me @param {number} elapsed */
  #warn(view, me, elapsed) {
    const seat = view.players.find(({ player }) => player === me)?.seat;
    const clock = seat === undefined ? null : clockOf(view, seat, elapsed);
    const move = `${view.round} ${view.match?.clock?.left_ms} ${view.match?.clock?.seat}`;
    if (!clock?.low || clock.leftMs === 0 || this.#warned === move) return;
    this.#warned = move;
    announce(`${Math.ceil(clock.leftMs / 1000)} seconds left for your move.`);
  }

  /** @param {View} view @param {string} me @param {import("../types.js").Good} [good] */
  #showResult(view, me, good) {
    const table = resultTable(view, me, good);
    set(this.result, { hidden: !table });
    if (!table) return;
    say(this.#caption, headline(view));
    list(this.#heads, ["", ...table.heads].map((text, at) => ({ text, at })), ({ at }) => String(at), ({ at }) => (at ? el("th", { scope: "col", translate: "no" }) : el("td")), (cell, { text }) => say(cell, text));
    const make = (/** @type {{cells: string[]}} */ { cells }) => el("tr", {}, el("th", { scope: "row" }), ...cells.map(() => el("td")));
    list(this.#rows, table.rows, ({ name, cells }) => `${name} ${cells.length}`, make, (row, { name, why, cells }) => {
      const [head, ...places] = row.children;
      if (head) {
        say(head, name);
        set(head, { title: why });
      }
      places.forEach((place, at) => say(place, cells[at] ?? ""));
    });
  }

  #firstShown() {
    return [...this.element.querySelectorAll("button")].find((one) => one.offsetParent !== null);
  }

  /** A second tap is needed: the first may have been a slip. */
  #onResign() {
    if (this.#doubt) {
      this.#settle();
      return this.#wish("resign");
    }
    say(this.#resign, "Tap again to resign");
    set(this.#resign, { "data-doubted": true });
    announce("Press again to resign.");
    this.#doubt = setTimeout(() => this.#settle(), DOUBT_MS);
  }

  #settle() {
    clearTimeout(this.#doubt);
    this.#doubt = 0;
    say(this.#resign, "Resign");
    set(this.#resign, { "data-doubted": null });
  }
}

/** @param {string} hook @param {string} text @param {() => void} click @param {string} [look] */
function button(hook, text, click, look = "small") {
  return el("button", { type: "button", class: look, "data-testid": `${hook}-button`, click }, text);
}
