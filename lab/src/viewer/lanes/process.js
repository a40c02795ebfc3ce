// A process that is no node, such as a frontend: a line while it runs.

import { item } from "../model/search.js";
import { clock, span } from "../model/words.js";
import { rowsOf } from "./faults.js";
import { extent, fit, Lane, SMALL } from "./lane.js";

const HEIGHT = 14;

export class ProcessLane extends Lane {
  /**
   * @param {import("../model/read.js").Model} model
   * @param {string} name
   */
  constructor(model, name) {
    super(name, name, HEIGHT, 8);
    this.model = model;
    this.about = "A process: a line while it runs, dotted while it is gone, hatched while it stands still.";
  }

  get spans() {
    return this.model.lives.get(this.label) ?? [];
  }

  /** @override @param {import("./lane.js").Pen} pen @param {number} top */
  draw(pen, top) {
    const { ctx, colours, scale } = pen;
    const { named } = colours;
    const [start, all] = extent(pen, this.model.begin, this.model.end);
    ctx.fillStyle = named.calm;
    ctx.fillRect(start, top + 5, all, 4);
    for (const life of this.spans) {
      const to = Math.min(life.to, this.model.end);
      if (to < scale.from || life.from > scale.to) continue;
      const [x, width] = extent(pen, Math.max(0, life.from), to);
      ctx.fillStyle = named.card;
      ctx.fillRect(x, top, width, HEIGHT);
      ctx.fillStyle = colours.hatch(named.ink, life.what === "gone" ? 9 : 4);
      ctx.fillRect(x, top + (life.what === "gone" ? 8 : 3), width, life.what === "gone" ? 1 : 8);
      ctx.font = `bold ${SMALL}`;
      ctx.fillStyle = named.ink;
      if (life.what === "gone") fit(pen, [life.from < 0 ? "not there yet" : "gone"], x, x + width, top + 7);
    }
  }

  /** @override @param {import("./lane.js").Pen} pen @param {number} x */
  hit(pen, x) {
    const time = pen.scale.time(x);
    const place = this.spans.findIndex(({ from, to }) => from <= time && time < to);
    if (place < 0) return { at: time, title: `${this.label} runs`, rows: rowsOf() };
    const { from, to, what } = item(this.spans, place);
    const lasts = to > this.model.end ? "" : span(to - Math.max(0, from));
    return { at: Math.max(0, from), title: `${this.label}: ${what === "gone" ? "gone" : "stands still"}`, rows: rowsOf(["since", clock(Math.max(0, from))], ["lasts", lasts]) };
  }

  /** @override @param {number} time */
  now(time) {
    return this.spans.find(({ from, to }) => from <= time && time < to)?.what ?? "";
  }
}
