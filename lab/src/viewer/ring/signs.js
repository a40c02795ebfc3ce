// The signs of the picture: one shape for each kind of message, so that none needs its
// colour to be told from another. Questions are filled, answers are hollow.

import { termColours } from "../colours.js";

/** @typedef {import("../colours.js").Colours} Colours */
/** @typedef {import("../model/types.js").MessageLine} MessageLine */
/**
 * What is drawn with: the colours of the page, and where to.
 * @typedef {{ctx: CanvasRenderingContext2D, colours: Colours}} Brush
 */

const TURN = Math.PI * 2;

/** How large each kind is: half its width in pixels. @type {Record<string, number>} */
const SIZES = { append: 4.5, heartbeat: 3.2, vote: 7.5, "pre-vote": 7, snapshot: 8, transfer: 8, "read-index": 4.5 };

/** @param {MessageLine} message */
export function sizeOf({ what, entries, answer }) {
  const size = SIZES[what] ?? 4;
  return what === "append" && !entries && !answer ? 2.6 : size;
}

/**
 * Draws a message's sign.
 * @param {Brush} brush
 * @param {MessageLine} message
 * @param {number} x
 * @param {number} y
 */
export function sign({ ctx, colours }, message, x, y) {
  const { named } = colours;
  const { what, answer, yes } = message;
  const size = answer ? sizeOf(message) * 0.86 : sizeOf(message);
  const everyday = what === "heartbeat" || (what === "append" && !message.entries && !answer);
  const colour = everyday ? named.faint : termColours(message.term)[0];
  ctx.beginPath();
  shape(ctx, what, x, y, size);
  ctx.fillStyle = answer ? named.card : colour;
  ctx.fill();
  ctx.lineWidth = answer ? 1.8 : 1.2;
  ctx.strokeStyle = answer || everyday ? (answer && yes === false ? named.bad : colour) : named.ink;
  if (what === "pre-vote") ctx.setLineDash([2.5, 2]);
  ctx.stroke();
  ctx.setLineDash([]);
  if (what === "snapshot" && !answer) pages(ctx, x, y, termColours(message.term)[1]);
  const says = yes !== undefined && (what === "vote" || what === "pre-vote" || yes === false);
  if (answer && says) tick(ctx, x, y, Math.max(3, size * 0.55), yes, yes ? named.ink : named.bad);
  ctx.lineWidth = 1;
}

/** @param {CanvasRenderingContext2D} ctx @param {string} what @param {number} x @param {number} y @param {number} size */
function shape(ctx, what, x, y, size) {
  switch (what) {
    case "vote":
    case "pre-vote":
      ctx.moveTo(x, y - size);
      ctx.lineTo(x + size, y);
      ctx.lineTo(x, y + size);
      ctx.lineTo(x - size, y);
      return ctx.closePath();
    case "snapshot":
      return ctx.roundRect(x - size, y - size, 2 * size, 2 * size, 2.5);
    case "transfer":
      return crownPath(ctx, x, y + size * 0.7, size * 2);
    case "read-index":
      ctx.moveTo(x, y - size);
      ctx.lineTo(x + size, y + size * 0.8);
      ctx.lineTo(x - size, y + size * 0.8);
      return ctx.closePath();
    case "heartbeat":
      ctx.moveTo(x, y + size);
      ctx.lineTo(x - size, y - size * 0.2);
      ctx.quadraticCurveTo(x - size * 0.6, y - size * 1.2, x, y - size * 0.3);
      ctx.quadraticCurveTo(x + size * 0.6, y - size * 1.2, x + size, y - size * 0.2);
      return ctx.closePath();
    default:
      return ctx.arc(x, y, size, 0, TURN);
  }
}

/** Two lines, as on a sheet. @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {string} colour */
function pages(ctx, x, y, colour) {
  ctx.fillStyle = colour;
  for (const line of [-3.5, -0.5, 2.5]) ctx.fillRect(x - 4, y + line, 8, 1.4);
}

/** A tick for yes, a cross for no. @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {number} size @param {boolean | undefined} yes @param {string} colour */
export function tick(ctx, x, y, size, yes, colour) {
  ctx.beginPath();
  if (yes) {
    ctx.moveTo(x - size, y);
    ctx.lineTo(x - size * 0.2, y + size * 0.8);
    ctx.lineTo(x + size, y - size * 0.8);
  } else {
    ctx.moveTo(x - size, y - size);
    ctx.lineTo(x + size, y + size);
    ctx.moveTo(x + size, y - size);
    ctx.lineTo(x - size, y + size);
  }
  ctx.lineWidth = 2;
  ctx.strokeStyle = colour;
  ctx.stroke();
  ctx.lineWidth = 1;
}

/** A crown that stands on a place. @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {number} width */
export function crownPath(ctx, x, y, width) {
  const [half, high] = [width / 2, width * 0.62];
  ctx.moveTo(x - half, y);
  ctx.lineTo(x - half - 1, y - high);
  ctx.lineTo(x - half / 2, y - high * 0.5);
  ctx.lineTo(x, y - high * 1.15);
  ctx.lineTo(x + half / 2, y - high * 0.5);
  ctx.lineTo(x + half + 1, y - high);
  ctx.lineTo(x + half, y);
  ctx.closePath();
}

/**
 * Where a message was lost: rays that fly apart.
 * @param {Brush} brush
 * @param {number} x
 * @param {number} y
 * @param {number} gone 0 to 1
 */
export function burst({ ctx, colours }, x, y, gone) {
  ctx.globalAlpha = 1 - gone * gone;
  ctx.strokeStyle = colours.named.bad;
  ctx.lineWidth = 1.8;
  ctx.beginPath();
  for (let ray = 0; ray < 8; ray += 1) {
    const [dx, dy] = [Math.cos((ray / 8) * TURN), Math.sin((ray / 8) * TURN)];
    const [from, to] = [2 + gone * 7, 5 + gone * 11];
    ctx.moveTo(x + dx * from, y + dy * from);
    ctx.lineTo(x + dx * to, y + dy * to);
  }
  ctx.stroke();
  ctx.globalAlpha = 1;
  ctx.lineWidth = 1;
}

/**
 * What gossip holds of somebody: a dot, a question mark, or a cross.
 * @param {Brush} brush
 * @param {string} state
 * @param {number} x
 * @param {number} y
 */
export function opinion({ ctx, colours }, state, x, y) {
  const { named } = colours;
  ctx.beginPath();
  if (state === "down") ctx.rect(x - 7, y - 7, 14, 14);
  else ctx.arc(x, y, state === "alive" ? 4 : 8, 0, TURN);
  ctx.fillStyle = state === "down" ? named.ink : state === "alive" ? named.calm : named.card;
  ctx.fill();
  if (state === "alive") return;
  ctx.strokeStyle = state === "down" ? named.ink : named.warn;
  ctx.lineWidth = 2;
  ctx.stroke();
  if (state === "down") return tick(ctx, x, y, 3.5, false, named.card);
  ctx.fillStyle = named.warn;
  ctx.font = "bold 12px system-ui, sans-serif";
  ctx.textAlign = "center";
  ctx.fillText("?", x, y + 4.5);
  ctx.textAlign = "left";
  ctx.lineWidth = 1;
}
