// The logs under the ring: a row for each node, a column for each index.

import { termColours } from "../colours.js";
import { grouped } from "../model/words.js";
import { CELLS, picture } from "./strips.js";

/** @typedef {import("./signs.js").Brush} Brush */
/** @typedef {import("./strips.js").Strips} Strips */
/** @typedef {import("./strips.js").Strip} Strip */
/** @typedef {import("./strips.js").Cell} Cell */
/**
 * How rows are laid out, in CSS pixels.
 * @typedef {{left: number, cell: number, right: number, row: number, top: number}} Grid
 */

const SMALL = "10.5px system-ui, sans-serif";
const BOLD = "600 12px system-ui, sans-serif";
const ROW = 36;
/** A cell's height, less where rows are close. @param {Grid} laid */
const high = ({ row: apart }) => Math.min(14, apart - 6);

/** @param {number} width @param {number} height @param {number} rows @returns {Grid} */
export function grid(width, height, rows) {
  const [left, right] = width < 420 ? [30, 76] : [40, 92];
  const row = Math.max(15, Math.min(ROW + 8, (height - 20) / Math.max(1, rows)));
  return { left, right, cell: (width - left - right) / CELLS, row, top: 20 };
}

/** How high the picture of so many rows is. @param {number} rows */
export const heightOf = (rows) => 24 + rows * ROW;

/**
 * @param {Brush} brush
 * @param {Grid} laid
 * @param {Strips} strips
 */
export function drawStrips(brush, laid, strips) {
  const { ctx, colours } = brush;
  ctx.font = SMALL;
  ctx.fillStyle = colours.named.faint;
  ctx.textAlign = "center";
  for (let index = strips.first; index <= strips.last; index += 1) {
    if (index % 5 === 0) ctx.fillText(grouped(index), laid.left + (index - strips.first + 0.5) * laid.cell, 13);
  }
  ctx.textAlign = "left";
  strips.strips.forEach((strip, place) => row(brush, laid, strip, laid.top + place * laid.row, strips.first));
}

/** @param {Brush} brush @param {Grid} laid @param {Strip} strip @param {number} top @param {number} first */
function row(brush, laid, strip, top, first) {
  const { ctx, colours } = brush;
  const { named } = colours;
  const { node, cells, behind } = strip;
  const y = top + 2;
  ctx.font = BOLD;
  ctx.fillStyle = node.process === "gone" ? named.faint : named.ink;
  ctx.fillText(node.name, 2, y + 12);
  ctx.globalAlpha = node.process === "gone" ? 0.35 : 1;
  for (const cell of cells) if (cell.state !== "none") one(brush, cell, laid.left + (cell.index - first) * laid.cell, y, laid.cell, high(laid));
  ctx.globalAlpha = 1;
  if (behind > 0 || cells[0]?.state === "none") {
    ctx.font = SMALL;
    ctx.fillStyle = named.faint;
    ctx.fillText(words(strip), laid.left + 2, y + 11);
  }
  ctx.globalAlpha = node.process === "gone" ? 0.35 : 1;
  marks(brush, laid, strip, y, first);
  ctx.globalAlpha = 1;
  state(brush, laid, strip, y);
}

/** @param {Strip} strip */
function words({ node, behind }) {
  const { last } = node.log ?? {};
  if (last === undefined) return "nothing told of its log";
  return `ends at ${grouped(last)}: ${grouped(behind)} before these`;
}

/** @param {Brush} brush @param {Cell} cell @param {number} x @param {number} y @param {number} width @param {number} tall */
function one({ ctx, colours }, { state, term }, x, y, width, tall) {
  const { named } = colours;
  const [colour] = termColours(term);
  const [left, wide] = [x + 0.75, Math.max(2, width - 1.5)];
  if (state === "committed") {
    ctx.fillStyle = colour;
    ctx.fillRect(left, y, wide, tall);
    return;
  }
  if (state === "purged") {
    ctx.fillStyle = named.line;
    ctx.fillRect(left, y + tall / 2 - 1, wide, 2);
    return;
  }
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.8;
  ctx.strokeRect(left + 0.9, y + 0.9, wide - 1.8, tall - 1.8);
  if (state !== "doomed") return;
  ctx.strokeStyle = named.bad;
  ctx.beginPath();
  ctx.moveTo(left - 0.5, y + tall + 2);
  ctx.lineTo(left + wide + 0.5, y - 2);
  ctx.stroke();
}

/** Under the cells: how far it is applied, its snapshot. @param {Brush} brush @param {Grid} laid @param {Strip} strip @param {number} y @param {number} first */
function marks({ ctx, colours }, laid, { node, cells }, y, first) {
  const { named } = colours;
  const { applied, snapshot } = node.log ?? {};
  const at = (/** @type {number} */ index) => laid.left + (index - first + 0.5) * laid.cell;
  const inside = (/** @type {number | undefined} */ index) => index !== undefined && index >= first && index < first + cells.length;
  const under = y + high(laid) + 1;
  if (applied !== undefined && inside(applied)) {
    ctx.fillStyle = named.ink;
    ctx.beginPath();
    ctx.moveTo(at(applied), under);
    ctx.lineTo(at(applied) + 4.5, under + 6);
    ctx.lineTo(at(applied) - 4.5, under + 6);
    ctx.fill();
  }
  if (snapshot !== undefined && snapshot > 0 && inside(snapshot)) {
    const x = at(snapshot);
    ctx.fillStyle = named.card;
    ctx.strokeStyle = named.ink;
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    for (const [dx, dy] of /** @type {const} */ ([[0, -5], [5, 0], [0, 5], [-5, 0]])) ctx.lineTo(x + dx, under + 4 + dy);
    ctx.closePath();
    ctx.fill();
    ctx.stroke();
  }
}

/** The state's hash as a picture, and whether it equals the others'. @param {Brush} brush @param {Grid} laid @param {Strip} strip @param {number} y */
function state({ ctx, colours }, laid, { node, cells, same }, y) {
  const { named } = colours;
  const { hash, applied } = node.log ?? {};
  const left = laid.left + cells.length * laid.cell + 8;
  if (!hash || node.process === "gone") return;
  const { hue, light, fields } = picture(hash);
  const side = 3.4;
  ctx.fillStyle = `hsl(${hue} 62% ${light ? 82 : 72}%)`;
  ctx.fillRect(left, y - 1, 5 * side, 5 * side);
  ctx.fillStyle = `hsl(${hue} 70% ${light ? 30 : 22}%)`;
  fields.forEach((full, field) => {
    if (full) ctx.fillRect(left + (field % 5) * side, y - 1 + Math.floor(field / 5) * side, side, side);
  });
  if (same === "different") {
    ctx.strokeStyle = named.bad;
    ctx.lineWidth = 2.5;
    ctx.strokeRect(left - 1.5, y - 2.5, 5 * side + 3, 5 * side + 3);
  }
  ctx.font = "11px ui-monospace, 'DejaVu Sans Mono', monospace";
  ctx.fillStyle = same === "different" ? named.bad : named.ink;
  const sign = same === "equal" ? " =" : same === "different" ? " ≠" : "";
  ctx.fillText(hash.slice(0, 4) + sign, left + 5 * side + 5, y + 11);
  if (laid.row < 32) return;
  ctx.font = "9.5px system-ui, sans-serif";
  ctx.fillStyle = named.faint;
  ctx.fillText(`at ${grouped(applied ?? 0)}`, left, y + high(laid) + 13);
}

/**
 * What is under a place: a row, and a cell of it where there is one.
 * @param {Grid} laid
 * @param {Strips} strips
 * @param {number} x
 * @param {number} y
 * @returns {{strip: Strip, cell: Cell | undefined} | undefined}
 */
export function stripAt(laid, strips, x, y) {
  const strip = strips.strips[Math.floor((y - laid.top) / laid.row)];
  if (!strip || y < laid.top) return undefined;
  return { strip, cell: strip.cells[Math.floor((x - laid.left) / laid.cell)] };
}
