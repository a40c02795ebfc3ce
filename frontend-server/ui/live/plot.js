// A plot of the last hour, minute by minute: columns, an axis, and a table for who does not
// see it.

import { el, list, say, set, svg } from "../dom.js";
import { axisMax, columns, fives, grouped } from "./words.js";

/** Minutes in the plot. */
const PLACES = 60;

/** Its size in its own units: ten for a minute. */
const WIDTH = PLACES * 10;
const HEIGHT = 120;

export class Plot {
  #columns = svg("g", { class: "plot-columns" });
  #title = svg("title");
  #top = el("span", { class: "plot-top" });
  #half = el("span", { class: "plot-half" });
  #name;

  /** @param {string} name what is counted */
  constructor(name) {
    this.#name = name;
    const lines = [0, 0.5, 1].map((at) => svg("path", { class: "plot-line", d: `M0 ${at * HEIGHT}H${WIDTH}`, "vector-effect": "non-scaling-stroke" }));
    const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" }, this.#title, ...lines, this.#columns);
    const axis = el("div", { class: "plot-axis", "aria-hidden": "true" }, this.#top, this.#half, el("span", {}, "0"));
    const time = el("div", { class: "plot-time", "aria-hidden": "true" }, el("span", {}, "an hour ago"), el("span", {}, "now"));
    this.element = el("figure", { class: "plot" }, el("figcaption", {}, name), axis, el("div", { class: "plot-field" }, picture), time);
  }

  /** @param {number[]} values oldest first @param {string} spoken */
  show(values, spoken) {
    const max = axisMax(values);
    const shown = columns(values, PLACES, max);
    say(this.#top, grouped(max));
    say(this.#half, grouped(max / 2));
    const said = `${this.#name}: ${spoken}`;
    if (this.#title.textContent !== said) this.#title.textContent = said;
    while (this.#columns.children.length > shown.length) this.#columns.lastChild?.remove();
    while (this.#columns.children.length < shown.length) this.#columns.append(svg("rect", { width: 8 }));
    shown.forEach(({ at, height }, nth) => {
      const column = this.#columns.children[nth];
      // What is there at all can be seen.
      const tall = height > 0 ? Math.max(2, height * HEIGHT) : 0;
      if (column) set(column, { x: at * 10 + 1, y: (HEIGHT - tall).toFixed(1), height: tall.toFixed(1), "data-now": at === PLACES - 1 });
    });
  }
}

export class HourTable {
  #body = el("tbody");

  element = el(
    "details",
    { class: "hour-table" },
    el("summary", {}, "The last hour as a table"),
    el("table", {}, el("thead", {}, el("tr", {}, ...["When", "Moves", "Matches"].map((name) => el("th", { scope: "col" }, name)))), this.#body),
  );

  /** @param {[number, number][]} minutes */
  show(minutes) {
    const make = () => el("tr", {}, el("th", { scope: "row" }), el("td"), el("td"));
    list(this.#body, fives(minutes), ({ ago }) => ago, make, (row, { ago, moves, matches }) => {
      const [when, first, second] = row.children;
      if (!when || !first || !second) return;
      say(when, ago);
      say(first, grouped(moves));
      say(second, grouped(matches));
    });
  }
}
