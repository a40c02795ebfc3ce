// Colours and patterns. A term's colour is from Okabe and Ito's palette, which people who
// do not tell red from green tell apart; its number stands beside it all the same.

import { item } from "./model/search.js";

/** Each with what is readable on it. Their vermilion is left out: red is for what is broken. */
const TERMS = [
  ["#0072b2", "#ffffff"],
  ["#e69f00", "#1a1a1a"],
  ["#009e73", "#0c0c0c"],
  ["#cc79a7", "#1a1a1a"],
  ["#56b4e9", "#1a1a1a"],
  ["#f0e442", "#1a1a1a"],
];

/** The colours that the style sheet gives, by name. */
const NAMES = /** @type {const} */ (["ground", "card", "ink", "faint", "line", "soft", "bad", "warn", "calm", "write", "read", "band", "focus"]);

/** @typedef {Record<typeof NAMES[number], string>} Named */

/**
 * The colour of a term, and that of text on it.
 * @param {number} term
 * @returns {[string, string]}
 */
export function termColours(term) {
  if (term <= 0) return ["#646b75", "#ffffff"];
  const [colour = "", text = ""] = item(TERMS, (term - 1) % TERMS.length);
  return [colour, text];
}

/** The page's colours by day or by night, and hatching in any of them. */
export class Colours {
  constructor() {
    const style = getComputedStyle(document.documentElement);
    const entries = NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]);
    /** @type {Named} */
    this.named = Object.fromEntries(entries);
    /** @type {Map<string, CanvasPattern | string>} */
    this.hatchings = new Map();
  }

  /**
   * Slanted lines in a colour.
   * @param {string} colour
   * @param {number} [apart] pixels from line to line
   * @returns {CanvasPattern | string}
   */
  hatch(colour, apart = 6) {
    const name = `${colour} ${apart}`;
    const known = this.hatchings.get(name);
    if (known) return known;
    const made = hatching(colour, apart, globalThis.devicePixelRatio || 1);
    this.hatchings.set(name, made);
    return made;
  }
}

/**
 * @param {string} colour
 * @param {number} apart
 * @param {number} ratio
 */
function hatching(colour, apart, ratio) {
  const tile = document.createElement("canvas");
  const side = Math.round(apart * ratio);
  tile.width = side;
  tile.height = side;
  const ctx = tile.getContext("2d");
  if (!ctx) return colour;
  ctx.strokeStyle = colour;
  ctx.lineWidth = Math.max(1, ratio * 1.2);
  ctx.beginPath();
  for (const shift of [-side, 0, side]) {
    ctx.moveTo(shift - 1, side + 1);
    ctx.lineTo(shift + side + 1, -1);
  }
  ctx.stroke();
  const pattern = ctx.createPattern(tile, "repeat");
  pattern?.setTransform(new DOMMatrix().scale(1 / ratio));
  return pattern ?? colour;
}
