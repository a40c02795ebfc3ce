// The ways between nodes: plain where all is well; cut, slow or full of holes where a fault
// says so. In the gossip layer each half of a way shows what the node at its end holds of
// the other.

import { along } from "./layout.js";
import { wordsOf } from "./links.js";
import { opinion } from "./signs.js";

/** @typedef {import("./layout.js").Layout} Layout */
/** @typedef {import("./layout.js").Place} Place */
/** @typedef {import("./links.js").Pair} Pair */
/** @typedef {import("./links.js").LinkFault} LinkFault */
/** @typedef {import("./signs.js").Brush} Brush */
/** @typedef {import("../model/moment.js").Moment} Moment */

/** With more hurt ways than this, what is wrong is told beside the picture instead. */
export const TOLD = 5;
/** Where on its half of a way a node's opinion stands. */
const OPINION = 0.27;

/**
 * @param {Brush} brush
 * @param {Layout} places
 * @param {readonly Pair[]} pairs what is wrong
 * @param {boolean} quiet whether it is only marked, for opinions stand on the ways
 */
export function wires({ ctx, colours }, places, pairs, quiet) {
  const { named } = colours;
  const all = [...places.nodes];
  const hurt = new Set(pairs.map(({ one, other }) => `${one} ${other}`));
  ctx.lineWidth = 1.5;
  ctx.strokeStyle = named.soft;
  ctx.beginPath();
  for (const [one, from] of all) {
    for (const [other, to] of all) if (one < other && !hurt.has(`${one} ${other}`)) line(ctx, from, to, 0, 1);
  }
  ctx.stroke();
  for (const pair of pairs) {
    const [one, other] = [places.nodes.get(pair.one), places.nodes.get(pair.other)];
    if (one && other) hurtWay({ ctx, colours }, one, other, pair, quiet);
  }
  ctx.setLineDash([]);
  ctx.lineWidth = 1;
}

/** @param {CanvasRenderingContext2D} ctx @param {Place} from @param {Place} to @param {number} start @param {number} end */
function line(ctx, from, to, start, end) {
  const [a, b] = [along(from, to, start), along(from, to, end)];
  ctx.moveTo(a.x, a.y);
  ctx.lineTo(b.x, b.y);
}

/** @param {readonly LinkFault[]} faults */
const cuts = (faults) => faults.some(({ trouble }) => trouble === "cut");

/** @param {Brush} brush @param {Place} one @param {Place} other @param {Pair} pair @param {boolean} quiet */
function hurtWay({ ctx, colours }, one, other, pair, quiet) {
  const { named } = colours;
  const [there, back] = [cuts(pair.there), cuts(pair.back)];
  ctx.lineWidth = 2;
  if (there && back) {
    ctx.strokeStyle = named.bad;
    ctx.setLineDash([]);
    ctx.beginPath();
    if (!quiet) line(ctx, one, other, 0, 0.46);
    if (!quiet) line(ctx, one, other, 0.54, 1);
    ctx.stroke();
    for (const part of [0.46, 0.54]) bar(ctx, one, other, part, quiet ? 6 : 8);
  } else {
    const slow = [...pair.there, ...pair.back].some(({ trouble }) => trouble === "slow" || trouble === "narrow");
    ctx.strokeStyle = there || back ? named.faint : named.warn;
    ctx.setLineDash(there || back ? [] : slow ? [11, 4] : [2, 5]);
    ctx.beginPath();
    line(ctx, one, other, 0, 1);
    ctx.stroke();
    ctx.setLineDash([]);
    if (there) oneWay({ ctx, colours }, one, other);
    if (back) oneWay({ ctx, colours }, other, one);
  }
}

/**
 * What is wrong, in words on the ways, where there are few of them. What is simply cut is
 * seen to be.
 * @param {Brush} brush @param {Layout} places @param {readonly Pair[]} pairs
 */
export function wireWords(brush, places, pairs) {
  for (const pair of pairs.length <= TOLD ? pairs : []) {
    const [one, other] = [places.nodes.get(pair.one), places.nodes.get(pair.other)];
    const says = wordsOf(pair);
    if (one && other && says !== "cut") chip(brush, along(one, other, 0.5), says, cuts(pair.there) || cuts(pair.back));
  }
}

/** A bar across a way. @param {CanvasRenderingContext2D} ctx @param {Place} from @param {Place} to @param {number} part @param {number} half */
function bar(ctx, from, to, part, half) {
  const [a, b] = [along(from, to, part, half), along(from, to, part, -half)];
  ctx.lineWidth = 3;
  ctx.beginPath();
  ctx.moveTo(a.x, a.y);
  ctx.lineTo(b.x, b.y);
  ctx.stroke();
  ctx.lineWidth = 2;
}

/** Nothing comes through from here: an arrow that ends at a bar, on its own side of the way. @param {Brush} brush @param {Place} from @param {Place} to */
function oneWay({ ctx, colours }, from, to) {
  ctx.strokeStyle = colours.named.bad;
  ctx.fillStyle = colours.named.bad;
  const [a, b, tip] = [along(from, to, 0.02, 5), along(from, to, 0.36, 5), along(from, to, 0.4, 5)];
  const [left, right] = [along(from, to, 0.36, 9.5), along(from, to, 0.36, 0.5)];
  ctx.beginPath();
  ctx.moveTo(a.x, a.y);
  ctx.lineTo(b.x, b.y);
  ctx.stroke();
  ctx.beginPath();
  for (const { x, y } of [left, tip, right]) ctx.lineTo(x, y);
  ctx.fill();
  const [one, other] = [along(from, to, 0.41, 13), along(from, to, 0.41, -3)];
  ctx.lineWidth = 3;
  ctx.beginPath();
  ctx.moveTo(one.x, one.y);
  ctx.lineTo(other.x, other.y);
  ctx.stroke();
  ctx.lineWidth = 2;
}

/** Words on a way. @param {Brush} brush @param {{x: number, y: number}} at @param {string} text @param {boolean} bad */
function chip({ ctx, colours }, { x, y }, text, bad) {
  const { named } = colours;
  ctx.font = "600 10.5px system-ui, sans-serif";
  const width = ctx.measureText(text).width + 10;
  ctx.beginPath();
  ctx.roundRect(x - width / 2, y - 8, width, 16, 8);
  ctx.fillStyle = named.card;
  ctx.fill();
  ctx.strokeStyle = bad ? named.bad : named.warn;
  ctx.lineWidth = 1.2;
  ctx.stroke();
  ctx.fillStyle = bad ? named.bad : named.warn;
  ctx.textAlign = "center";
  ctx.fillText(text, x, y + 3.8);
  ctx.textAlign = "left";
  ctx.lineWidth = 1;
}

/**
 * Who holds whom for what.
 * @param {Brush} brush
 * @param {Layout} places
 * @param {Moment} moment
 */
export function opinions(brush, places, moment) {
  const { ctx, colours } = brush;
  const { named } = colours;
  for (const { node, about, state, incarnation } of moment.gossip) {
    const [from, to] = [places.nodes.get(node), places.nodes.get(about)];
    if (!from || !to || moment.nodes.find(({ id }) => id === node)?.process === "gone") continue;
    const place = along(from, to, OPINION);
    ctx.strokeStyle = state === "alive" ? named.calm : state === "down" ? named.ink : named.warn;
    ctx.lineWidth = state === "alive" ? 1.5 : 2.2;
    ctx.setLineDash(state === "suspect" ? [5, 4] : []);
    ctx.beginPath();
    line(ctx, from, to, 0, state === "alive" ? 0.5 : OPINION);
    ctx.stroke();
    ctx.setLineDash([]);
    opinion(brush, state, place.x, place.y);
    if (incarnation > 0) count(brush, place, incarnation);
  }
  ctx.lineWidth = 1;
}

/** An incarnation beside an opinion. @param {Brush} brush @param {{x: number, y: number}} place @param {number} incarnation */
function count({ ctx, colours }, { x, y }, incarnation) {
  ctx.font = "600 10px system-ui, sans-serif";
  const text = String(incarnation);
  ctx.fillStyle = colours.named.card;
  ctx.fillRect(x + 7, y - 12, ctx.measureText(text).width + 3, 11);
  ctx.fillStyle = colours.named.ink;
  ctx.fillText(text, x + 8, y - 3);
}

/** Where a node's opinion of another is drawn. @param {Layout} places @param {number} node @param {number} about */
export function opinionPlace(places, node, about) {
  const [from, to] = [places.nodes.get(node), places.nodes.get(about)];
  return from && to ? along(from, to, OPINION) : undefined;
}

/** How far a place is from the way between two nodes, in pixels. @param {Layout} places @param {Pair} pair @param {number} x @param {number} y */
export function farFrom(places, { one, other }, x, y) {
  const [from, to] = [places.nodes.get(one), places.nodes.get(other)];
  if (!from || !to) return Infinity;
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const part = Math.min(1, Math.max(0, ((x - from.x) * dx + (y - from.y) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - from.x - part * dx, y - from.y - part * dy);
}
