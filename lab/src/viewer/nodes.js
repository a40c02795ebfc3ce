// The table of the nodes. It is drawn while it is open, once a second at most.

import { byId, el, say } from "./dom.js";
import { COLUMNS, rows } from "./model/table.js";

/** How long (milliseconds) it stays as it is. */
const RESTS = 1000;

export class Nodes {
  /** @param {import("./lab.js").Lab} lab */
  constructor(lab) {
    this.lab = lab;
    this.fold = /** @type {HTMLDetailsElement} */ (byId("nodes"));
    const table = /** @type {HTMLTableElement} */ (this.fold.querySelector("table"));
    this.body = /** @type {HTMLElement} */ (table.tBodies[0]);
    table.tHead?.append(el("tr", {}, ...COLUMNS.map((name) => el("th", { scope: "col" }, name))));
    this.drawn = -Infinity;
    /** What it was drawn for. */
    this.of = "";
    this.fold.addEventListener("toggle", () => {
      this.of = "";
      this.drawn = -Infinity;
      this.draw(performance.now());
    });
  }

  /**
   * @param {number} now milliseconds
   * @returns {boolean} whether there is something left to draw, later
   */
  draw(now) {
    const of = `${this.lab.moment} ${this.lab.model.lines}`;
    if (!this.fold.open || of === this.of) return false;
    if (now - this.drawn < RESTS) return true;
    [this.drawn, this.of] = [now, of];
    const wanted = rows(this.lab.model, this.lab.moment);
    while (this.body.childElementCount > wanted.length) this.body.lastElementChild?.remove();
    while (this.body.childElementCount < wanted.length) {
      this.body.append(el("tr", {}, el("th", { scope: "row" }), ...COLUMNS.slice(1).map(() => el("td"))));
    }
    wanted.forEach((words, row) => words.forEach((word, column) => {
      const cell = this.body.children[row]?.children[column];
      if (cell) say(cell, word);
    }));
    return false;
  }
}
