// Messages between nodes as arrows from lane to lane, as in Lamport's space-time diagrams.
// One that never came ends half way, in a cross.

import { termColours } from "../colours.js";
import { item, within } from "../model/search.js";
import { reasonOf, refused } from "../model/reasons.js";
import { everyday } from "../model/trim.js";
import { clock, grouped, size, span } from "../model/words.js";
import { rowsOf } from "./faults.js";
import { cross } from "./node.js";

/** @typedef {import("./lane.js").Pen} Pen */
/** @typedef {import("../model/types.js").MessageLine} MessageLine */
/** @typedef {{one: [number, number], other: [number, number]}} Arrow */

/** Arrows are drawn when no more than this (microseconds) is in sight. */
export const CLOSE = 2_500_000;
/** Fewer pixels apart than this, arrows have no heads, and what is everyday is pale. */
const APART = 5;
/** How long (pixels) an arrow without an arrival is drawn to the right. */
const LOST = 26;
const NEAR = 6;
/** Of more messages in sight than this, a part of the everyday ones is drawn; the page says so. */
const DRAWN_MAX = 1500;
/** Which of them, goes by their time in steps of this (microseconds). */
const FINE = 64;

/** How each kind is drawn: how wide, and how dashed. @type {Record<string, [number, number[]]>} */
const STROKES = {
  append: [1.2, []],
  heartbeat: [1, [2, 3]],
  vote: [2.2, []],
  "pre-vote": [1.6, [6, 3]],
  snapshot: [3.5, []],
  transfer: [2.5, [9, 3]],
  "read-index": [1.2, [1, 2]],
};

export class Messages {
  /**
   * @param {import("../model/read.js").Model} model
   * @param {(node: number) => {lane: import("./node.js").NodeLane, top: number} | undefined} lane where a node's lane is
   */
  constructor(model, lane) {
    this.model = model;
    this.lane = lane;
    /** Each so many of the everyday ones in sight was drawn last time; 1 is all. */
    this.step = 1;
  }

  /** @param {Pen} pen */
  draw(pen) {
    this.step = 1;
    if (pen.scale.width > CLOSE) return;
    const seen = this.#seen(pen, pen.scale.time(-LOST), pen.scale.to);
    const crowded = pen.width / Math.max(1, seen.length) < APART;
    if (crowded) this.#strokes(pen, seen.filter(everyday));
    for (const message of seen) {
      const arrow = crowded && everyday(message) ? undefined : this.#arrow(pen, message);
      if (arrow) stroke(pen, message, arrow);
    }
    pen.ctx.setLineDash([]);
    pen.ctx.lineWidth = 1;
    pen.ctx.globalAlpha = 1;
  }

  /** Many everyday ones in two strokes: pale, without heads; questions, then answers. @param {Pen} pen @param {MessageLine[]} messages */
  #strokes(pen, messages) {
    const { ctx, colours } = pen;
    ctx.strokeStyle = colours.named.ink;
    for (const answers of [false, true]) {
      ctx.globalAlpha = answers ? 0.18 : 0.3;
      ctx.beginPath();
      for (const message of messages) {
        const arrow = (message.answer === true) === answers ? this.#arrow(pen, message) : undefined;
        if (!arrow) continue;
        ctx.moveTo(...arrow.one);
        ctx.lineTo(...arrow.other);
      }
      ctx.stroke();
    }
    ctx.globalAlpha = 1;
    for (const message of messages) {
      const arrow = message.received === undefined ? this.#arrow(pen, message) : undefined;
      if (arrow) cross(ctx, ...arrow.other, colours.named.bad);
    }
  }

  /**
   * Those that are drawn. Of too many everyday ones it is each second, each fourth and so on,
   * always the same ones.
   * @param {Pen} pen @param {number} left @param {number} right
   */
  #seen(pen, left, right) {
    const { messages, flight } = this.model;
    const [first, behind] = within(messages, pen.scale.from, pen.scale.to, Math.min(flight, CLOSE));
    this.step = 2 ** Math.max(0, Math.ceil(Math.log2((behind - first) / DRAWN_MAX)));
    const seen = [];
    for (let place = first; place < behind; place += 1) {
      const message = item(messages, place);
      const { at, received = at } = message;
      const drawn = this.step === 1 || !everyday(message) || at % (this.step * FINE) < FINE;
      if (drawn && received >= left && at <= right) seen.push(message);
    }
    return seen;
  }

  /** @param {Pen} pen @param {MessageLine} message @returns {Arrow | undefined} */
  #arrow({ scale }, message) {
    const [one, other] = [this.lane(message.from), this.lane(message.to)];
    if (!one || !other) return undefined;
    const { at, received = at } = message;
    const down = one.top < other.top;
    const from = one.top + (down ? one.lane.height : one.lane.edge(at));
    const to = other.top + (down ? other.lane.edge(received) : other.lane.height);
    const left = scale.x(at);
    if (message.received === undefined) return { one: [left, from], other: [left + LOST, (from + to) / 2] };
    return { one: [left, from], other: [scale.x(received), to] };
  }

  /** @param {Pen} pen @param {number} x @param {number} y @returns {import("../model/types.js").Hit | undefined} */
  hit(pen, x, y) {
    if (pen.scale.width > CLOSE) return undefined;
    let best = undefined;
    let far = NEAR;
    for (const message of this.#seen(pen, pen.scale.time(x - LOST), pen.scale.time(x + NEAR))) {
      const arrow = this.#arrow(pen, message);
      const away = arrow ? distance(arrow, x, y) : far;
      if (away < far) [best, far] = [message, away];
    }
    return best && told(this.model, best);
  }
}

/**
 * @param {import("../model/read.js").Model} model
 * @param {MessageLine} message
 * @returns {import("../model/types.js").Hit}
 */
export function told(model, message) {
  const { what, answer, from, to, at, received, term, index, entries, bytes, yes } = message;
  const travelled = received === undefined ? "never came" : span(received - at);
  const brings = entries ? `${grouped(entries)}${index === undefined ? "" : `, up to ${grouped(index)}`}` : "";
  const about = !entries && index !== undefined ? grouped(index) : "";
  return {
    at,
    why: reasonOf(model, message),
    title: `${model.nodeName(from)} → ${model.nodeName(to)}: ${answer ? "answer to " : ""}${what}`,
    rows: rowsOf(["sent", clock(at, 4)], ["travels", travelled], ["term", String(term)], ["entries", brings], ["about entry", about], ["size", size(bytes)], ["says", refused(message) ? "no" : yes === undefined ? "" : "yes"]),
  };
}

/** @param {Pen} pen @param {MessageLine} message @param {Arrow} arrow */
function stroke({ ctx, colours }, message, { one, other }) {
  const { named } = colours;
  const lost = message.received === undefined;
  const plain = everyday(message);
  const [width, dash] = STROKES[message.what] ?? [1, []];
  const colour = plain ? named.ink : termColours(message.term)[0];
  ctx.globalAlpha = !plain ? 1 : 0.75 * (message.answer ? 0.6 : 1);
  ctx.strokeStyle = colour;
  ctx.lineWidth = message.answer ? Math.min(width, 1) : width;
  ctx.setLineDash(dash);
  ctx.beginPath();
  ctx.moveTo(...one);
  ctx.lineTo(...other);
  ctx.stroke();
  ctx.setLineDash([]);
  if (lost) ctx.globalAlpha = 1;
  if (lost) cross(ctx, ...other, named.bad);
  else head(ctx, one, other, colour, message.answer === true);
}

/** @param {CanvasRenderingContext2D} ctx @param {[number, number]} one @param {[number, number]} other @param {string} colour @param {boolean} hollow */
function head(ctx, one, other, colour, hollow) {
  const angle = Math.atan2(other[1] - one[1], other[0] - one[0]);
  ctx.beginPath();
  for (const turn of [0.38, 0, -0.38]) {
    const length = turn ? 8 : 0;
    ctx.lineTo(other[0] - length * Math.cos(angle + turn), other[1] - length * Math.sin(angle + turn));
  }
  ctx.lineWidth = 1;
  ctx.fillStyle = colour;
  if (hollow) ctx.stroke();
  else ctx.fill();
}

/**
 * How far a place is from an arrow, in pixels.
 * @param {Arrow} arrow @param {number} x @param {number} y
 */
export function distance({ one, other }, x, y) {
  const [dx, dy] = [other[0] - one[0], other[1] - one[1]];
  const length = dx * dx + dy * dy;
  const part = length ? Math.min(1, Math.max(0, ((x - one[0]) * dx + (y - one[1]) * dy) / length)) : 0;
  return Math.hypot(x - one[0] - part * dx, y - one[1] - part * dy);
}
