// What a lane is: a strip of the picture with a name, that draws itself and knows what is
// under the pointer.

/** @typedef {import("../scale.js").Scale} Scale */
/** @typedef {import("../colours.js").Colours} Colours */
/** @typedef {import("../model/types.js").Hit} Hit */
/** @typedef {{ctx: CanvasRenderingContext2D, scale: Scale, width: number, colours: Colours}} Pen */

/** How far (pixels) from a mark the pointer still means it. */
export const NEAR = 5;

export const FONT = "11px system-ui, sans-serif";
export const SMALL = "10px system-ui, sans-serif";

export class Lane {
  /**
   * @param {string} id what it is called in the page's address; empty for one that cannot be selected
   * @param {string} label
   * @param {number} height in pixels
   * @param {number} gap pixels above it
   */
  constructor(id, label, height, gap = 2) {
    this.id = id;
    this.label = label;
    this.height = height;
    this.gap = gap;
    /** What it means, for who points at its name. */
    this.about = "";
  }

  /**
   * @param {Pen} _pen
   * @param {number} _top where it begins
   */
  draw(_pen, _top) {}

  /**
   * What is at a place, if it is to be told.
   * @param {Pen} _pen
   * @param {number} _x
   * @param {number} _y from the lane's top
   * @returns {Hit | undefined}
   */
  hit(_pen, _x, _y) {
    return undefined;
  }

  /**
   * How things stand at a moment, in a word or two.
   * @param {number} _time
   * @returns {string}
   */
  now(_time) {
    return "";
  }
}

/**
 * Writes text where it fits, and the longest of several that does.
 * @param {Pen} pen
 * @param {string[]} texts the longest first
 * @param {number} left
 * @param {number} right
 * @param {number} y the line it stands on
 * @param {boolean} [clear] with a margin of paper around it: what is behind does not run into it
 */
export function fit({ ctx, width, colours }, texts, left, right, y, clear = false) {
  const start = Math.max(left, 0) + 4;
  const room = Math.min(right, width) - start - 2;
  const text = texts.find((one) => ctx.measureText(one).width <= room);
  if (!text) return;
  if (clear) {
    ctx.strokeStyle = colours.named.card;
    ctx.lineJoin = "round";
    ctx.lineWidth = 4;
    ctx.strokeText(text, start, y);
    ctx.lineWidth = 1;
  }
  ctx.fillText(text, start, y);
}

/**
 * What a process that is gone had said counts no more: it is drawn pale.
 * @param {Pen} pen
 * @param {readonly import("../model/types.js").Span[]} lives
 * @param {number} top
 * @param {number} height
 */
export function veil(pen, lives, top, height) {
  const { ctx, colours } = pen;
  ctx.globalAlpha = 0.8;
  ctx.fillStyle = colours.named.card;
  for (const { from, to, what } of lives) {
    const [x, width] = extent(pen, from, to);
    if (what === "gone" && width > 1) ctx.fillRect(x, top, width, height);
  }
  ctx.globalAlpha = 1;
}

/**
 * Whether a process is gone at a moment.
 * @param {readonly import("../model/types.js").Span[]} lives
 * @param {number} time
 */
export function gone(lives, time) {
  return lives.some(({ from, to, what }) => what === "gone" && from <= time && time < to);
}

/**
 * A part of a lane between two moments, cut off at the picture's edges.
 * @param {Pen} pen
 * @param {number} from
 * @param {number} to
 * @returns {[number, number]} left edge and width, at least a pixel
 */
export function extent({ scale, width }, from, to) {
  const left = Math.max(scale.x(from), -2);
  const right = Math.min(scale.x(to), width + 2);
  return [left, Math.max(right - left, 1)];
}
