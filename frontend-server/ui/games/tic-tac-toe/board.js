// One room's board of tic-tac-toe: nine cells, a clock if the room has one, and another
// round when this one is over.

import { Again } from "../../again.js";
import { el, say, set } from "../../dom.js";
import { MarkPicture } from "./marks.js";
import { isFree } from "../../seats.js";
import { markOf, situation, spokenCell, timeLeft } from "./story.js";

/** @typedef {import("./types.js").TicTacToeView} View */
/** @typedef {import("../../types.js").Moment} Moment */

/** With so many seconds left the clock changes its colour. */
const LOW = 5;

/** Where an arrow key goes from a cell. @type {Record<string, number>} */
const STRIDES = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -3, ArrowDown: 3 };

export class TicTacToeBoard {
  #acts;
  #cells;
  #grid;
  #clock = el("p", { class: "clock", role: "timer", "aria-live": "off", "data-testid": "clock" });
  #state = el("p", { class: "state", "data-testid": "state" });
  #again;
  /** Whether this player may mark a cell now. */
  #open = false;

  /** @param {import("../../types.js").Acts} acts */
  constructor(acts) {
    this.#acts = acts;
    this.#cells = Array.from({ length: 9 }, (_, at) => this.#makeCell(at));
    const arrow = (/** @type {KeyboardEvent} */ event) => this.#onArrow(event);
    this.#grid = el("div", { class: "grid", role: "group", "aria-label": "Board", translate: "no", keydown: arrow }, ...this.#cells);
    this.#again = new Again(() => acts.again());
    this.element = el(
      "section",
      { class: "board tic-tac-toe", "aria-label": "Board" },
      el("div", { class: "sheet" }, this.#grid),
      this.#clock,
      this.#state,
      el("div", { class: "hand" }, el("div", { class: "row" }, this.#again.element)),
    );
  }

  /** A key of the real keyboard, anywhere on the page: 1 to 9, row by row. @param {KeyboardEvent} event */
  typed(event) {
    const writing = event.target instanceof Element && event.target.closest("input, textarea, select") !== null;
    if (writing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (/^[1-9]$/.test(event.key)) this.#mark(Number(event.key) - 1);
  }

  /** @param {View} view @param {Moment} moment */
  update(view, moment) {
    const mine = view.players.find(({ player }) => player === moment.me);
    const over = view.state !== "waiting" && view.state !== "playing";
    const sent = moment.pending.filter(({ action }) => action === "play").map(({ data }) => data.move?.cell);
    const mover = view.players.find(({ seat }) => seat === view.turn);
    const stuck = mine !== undefined && mover !== undefined && isStuck(view, mover, moment.elapsed);
    this.#open = mine !== undefined && view.turn === mine.seat && sent.length === 0;
    set(this.element, { "data-state": view.state });
    this.#cells.forEach((cell, at) => {
      const sending = sent.includes(at) && view.cells[at] === null && mine !== undefined;
      set(cell, {
        "data-mark": view.cells[at] ?? (sending ? markOf(view, mine.seat) : null),
        "data-sending": sending,
        "data-line": view.line?.includes(at),
        "aria-disabled": String(!this.#open || view.cells[at] !== null),
        "aria-label": sending ? `${spokenCell(view, at)}, sending` : spokenCell(view, at),
      });
    });
    set(this.#grid, { "data-open": this.#open, "data-version": moment.version });
    this.#showClock(view, moment);
    say(this.#state, moment.trouble || situation(view, moment.me));
    set(this.#state, { "data-state": view.state, "data-trouble": moment.trouble !== "" });
    this.#showAgain(view, moment, over || stuck, stuck);
  }

  /**
   * Somebody without a mouse goes on where the hand goes on: when the round has ended, and
   * when the next begins.
   * @param {View} view @param {Moment} moment @param {boolean} shown @param {boolean} stuck
   */
  #showAgain(view, moment, shown, stuck) {
    const before = this.#again.shown;
    const held = this.element.contains(document.activeElement);
    if (shown) this.#again.update(view, moment, stuck);
    else this.#again.hide();
    if (!held || before === this.#again.shown) return;
    if (this.#again.shown) this.#again.focus();
    else this.#cells.find((cell) => cell.tabIndex === 0)?.focus();
  }

  /** Without a leader the cluster's time stands still, and so does the clock. @param {View} view @param {Moment} moment */
  #showClock(view, { elapsed, still }) {
    const left = timeLeft(view, elapsed);
    set(this.#clock, { hidden: view.clock === null, "data-low": left !== null && left <= LOW && !still, "data-left": left });
    const text = still ? "the clock stands still" : `${left} s`;
    say(this.#clock, left === null ? "" : text);
  }

  /** @param {number} at */
  #makeCell(at) {
    const hooks = { "data-testid": `cell-${at}`, click: () => this.#mark(at) };
    return el("button", { type: "button", class: "cell", tabindex: at === 4 ? 0 : -1, ...hooks }, new MarkPicture().element);
  }

  /** @param {number} at */
  async #mark(at) {
    if (!this.#open || this.#cells[at]?.dataset.mark !== undefined) return;
    const refused = await this.#acts.play({ cell: at });
    if (refused) this.#acts.note(refused);
  }

  /** @param {KeyboardEvent} event */
  #onArrow(event) {
    const at = this.#cells.findIndex((cell) => cell === document.activeElement);
    const next = at >= 0 ? this.#cells[at + (STRIDES[event.key] ?? NaN)] : undefined;
    if (!next) return;
    event.preventDefault();
    for (const cell of this.#cells) set(cell, { tabindex: cell === next ? 0 : -1 });
    next.focus();
  }
}

/** Whether the table may go on without somebody: as the rules have it. @param {View} view @param {import("../../types.js").Player} mover @param {number} elapsed */
function isStuck(view, mover, elapsed) {
  return !view.match && view.clock === null && isFree(mover, view.seat_kept_ms, elapsed);
}
