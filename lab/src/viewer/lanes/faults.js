// Faults as hatched bars, in as many rows as there are at once; and the flags of findings.

import { item } from "../model/search.js";
import { AT_ONCE, kindOf, together } from "../model/told.js";
import { clock, span } from "../model/words.js";
import { extent, fit, Lane, SMALL } from "./lane.js";

/** @typedef {import("../model/types.js").Fault} Fault */

const ROW = 17;

export class FaultsLane extends Lane {
  /** @param {import("../model/read.js").Model} model */
  constructor(model) {
    super("faults", "faults", faultRows(model) * ROW + (model.findings.length ? ROW : 0), 4);
    this.model = model;
    this.above = model.findings.length ? ROW : 0;
    this.about = "What was broken on purpose, from beginning to end; flags are broken promises.";
  }

  /** What stands in a row. */
  get faults() {
    return bundled(this.model.faults);
  }

  /** @override @param {import("./lane.js").Pen} pen @param {number} top */
  draw(pen, top) {
    const { ctx, colours } = pen;
    const { named } = colours;
    ctx.font = SMALL;
    const { faults } = this;
    const rows = arranged(faults);
    faults.forEach((fault, place) => {
      if (fault.to < pen.scale.from || fault.from > pen.scale.to) return;
      const [x, width] = extent(pen, fault.from, Math.min(fault.to, this.model.end));
      const y = top + this.above + (rows[place] ?? 0) * ROW;
      ctx.fillStyle = named.card;
      ctx.fillRect(x, y + 1, width, ROW - 3);
      ctx.fillStyle = colours.hatch(named.band, 5);
      ctx.fillRect(x, y + 1, width, ROW - 3);
      ctx.strokeStyle = named.warn;
      ctx.strokeRect(x + 0.5, y + 1.5, Math.max(width - 1, 1), ROW - 4);
      this.#words(pen, faults, rows, place, x, x + width, y + 12);
    });
    for (const { at, promise } of this.model.findings) this.#flag(pen, pen.scale.x(at), top, promise);
  }

  /** @override @param {import("./lane.js").Pen} pen @param {number} x @param {number} y */
  hit(pen, x, y) {
    const finding = this.model.findings.find(({ at }) => y < this.above && x - pen.scale.x(at) > -4 && x - pen.scale.x(at) < 100);
    if (finding) return { at: finding.at, title: `Broken promise: ${finding.promise}`, rows: rowsOf(["", finding.text]) };
    const time = pen.scale.time(x);
    const row = Math.floor((y - this.above) / ROW);
    const { faults } = this;
    const rows = arranged(faults);
    const fault = faults.find(({ from, to }, place) => rows[place] === row && from <= time && time < to);
    if (!fault) return undefined;
    const to = Math.min(fault.to, this.model.end);
    const lasted = fault.to > this.model.end ? "never healed" : span(to - fault.from);
    return { at: fault.from, title: this.#name(fault), rows: rowsOf(["begins", clock(fault.from)], ["lasts", lasted]) };
  }

  /** @override @param {number} time */
  now(time) {
    const count = this.model.faults.filter(({ from, to }) => from <= time && time < to).length;
    return count ? `${count} now` : "";
  }

  /**
   * Inside of the bar, or behind it as far as the row is free.
   * @param {import("./lane.js").Pen} pen @param {Fault[]} faults @param {number[]} rows @param {number} place @param {number} left @param {number} right @param {number} y
   */
  #words(pen, faults, rows, place, left, right, y) {
    const fault = item(faults, place);
    const { ctx, scale, colours, width } = pen;
    const next = faults.find((_, at) => at > place && rows[at] === rows[place]);
    const free = next ? scale.x(next.from) : width;
    const name = this.#name(fault);
    const room = ctx.measureText(name).width + 6;
    const inside = room <= Math.min(right, width) - Math.max(left, 0);
    const start = inside ? Math.max(left, 0) : right;
    if (right < 0 || left > width || (!inside && right + room > free)) return;
    ctx.fillStyle = colours.named.card;
    if (inside) ctx.fillRect(start + 2, y - 10, room, 12);
    ctx.fillStyle = colours.named.ink;
    fit(pen, [name], start, Math.max(free, right), y);
  }

  /** @param {Fault} fault */
  #name({ what, node }) {
    return node === undefined ? what : `${this.model.nodeName(node)}: ${what}`;
  }

  /** @param {import("./lane.js").Pen} pen @param {number} x @param {number} top @param {string} text */
  #flag({ ctx, colours, width }, x, top, text) {
    ctx.font = `bold ${SMALL}`;
    const room = ctx.measureText(text).width + 10;
    const left = x + room > width && x < width ? x - room : x;
    ctx.fillStyle = colours.named.bad;
    ctx.fillRect(left, top, room, ROW - 3);
    ctx.fillStyle = colours.named.card;
    ctx.fillText(text, left + 5, top + 11);
  }
}

/**
 * How many rows the faults need.
 * @param {import("../model/read.js").Model} model
 */
export function faultRows({ faults }) {
  return Math.max(0, ...arranged(bundled(faults))) + 1;
}

/**
 * @param {[string, string][]} rows
 * @returns {[string, string][]}
 */
export function rowsOf(...rows) {
  return rows.filter(([, value]) => value !== "");
}

/**
 * What was done to one node at once, and ended at once, is one: a node that is cut off has
 * a fault for each direction of each link.
 * @param {readonly Fault[]} faults
 * @returns {Fault[]}
 */
export function bundled(faults) {
  /** @type {{fault: Fault, whats: string[]}[]} */
  const bundles = [];
  const near = (/** @type {number} */ one, /** @type {number} */ other) => one === other || Math.abs(one - other) < AT_ONCE;
  for (const fault of faults) {
    const own = bundles.find(({ fault: { node, what, from, to } }) => node !== undefined && node === fault.node && kindOf(what) === kindOf(fault.what) && near(from, fault.from) && near(to, fault.to));
    if (own) own.whats.push(fault.what);
    else bundles.push({ fault, whats: [fault.what] });
  }
  return bundles.map(({ fault, whats }) => ({ ...fault, what: together(whats) }));
}

/**
 * When there was a fault at all: what overlaps is one.
 * @param {Fault[]} faults
 * @returns {{from: number, to: number}[]}
 */
export function united(faults) {
  /** @type {{from: number, to: number}[]} */
  const spans = [];
  for (const { from, to } of [...faults].sort((one, other) => one.from - other.from)) {
    const last = spans.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else spans.push({ from, to });
  }
  return spans;
}

/**
 * The row of each fault: the first that is free when it begins.
 * @param {Fault[]} faults
 * @returns {number[]}
 */
export function arranged(faults) {
  /** @type {number[]} */
  const busy = [];
  return faults.map(({ from, to }) => {
    const free = busy.findIndex((until) => until <= from);
    const row = free < 0 ? busy.length : free;
    busy[row] = to;
    return row;
  });
}
