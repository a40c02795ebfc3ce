// Messages between nodes as arrows from lane to lane, as in Lamport's space-time diagrams.
// One that never came ends half way, in a cross.

import { termColours } from "../colours.js";
import { item, within } from "../model/search.js";
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
  }

  /** @param {Pen} pen */
  draw(pen) {
    if (pen.scale.width > CLOSE) return;
    const { messages, flight } = this.model;
    const [first, behind] = within(messages, pen.scale.from, pen.scale.to, flight);
    const left = pen.scale.time(-LOST);
    const seen = messages.slice(first, behind).filter(({ at, received = at }) => received >= left);
    const crowded = pen.width / Math.max(1, seen.length) < APART;
    for (const message of seen) {
      const arrow = this.#arrow(pen, message);
      if (arrow) stroke(pen, message, arrow, crowded);
    }
    pen.ctx.setLineDash([]);
    pen.ctx.lineWidth = 1;
    pen.ctx.globalAlpha = 1;
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
    const { messages, flight } = this.model;
    const [first, behind] = within(messages, pen.scale.time(x - LOST), pen.scale.time(x + NEAR), flight);
    let best = undefined;
    let far = NEAR;
    for (let place = first; place < behind; place += 1) {
      const message = item(messages, place);
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
function told(model, message) {
  const { what, answer, from, to, at, received, term, index, entries, bytes, yes } = message;
  const travelled = received === undefined ? "never came" : span(received - at);
  const brings = entries ? `${grouped(entries)}${index === undefined ? "" : `, up to ${grouped(index)}`}` : "";
  const about = !entries && index !== undefined ? grouped(index) : "";
  return {
    at,
    title: `${model.nodeName(from)} → ${model.nodeName(to)}: ${answer ? "answer to " : ""}${what}`,
    rows: rowsOf(["sent", clock(at, 4)], ["travels", travelled], ["term", String(term)], ["entries", brings], ["about entry", about], ["size", size(bytes)], ["says", yes === undefined ? "" : yes ? "yes" : "no"]),
  };
}

/** @param {Pen} pen @param {MessageLine} message @param {Arrow} arrow @param {boolean} crowded */
function stroke({ ctx, colours }, message, { one, other }, crowded) {
  const { named } = colours;
  const lost = message.received === undefined;
  const everyday = message.what === "heartbeat" || message.what === "append" || message.what === "read-index";
  const [width, dash] = STROKES[message.what] ?? [1, []];
  const colour = everyday ? named.ink : termColours(message.term)[0];
  ctx.globalAlpha = !everyday ? 1 : (crowded ? 0.3 : 0.75) * (message.answer ? 0.6 : 1);
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
  else if (!crowded || !everyday) head(ctx, one, other, colour, message.answer === true);
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
