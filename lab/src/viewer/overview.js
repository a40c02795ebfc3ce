// The whole time in one strip: terms, faults, acknowledged moves, times without one; and
// the window that is shown below, to be drawn along.

import { termColours } from "./colours.js";
import { byId, el } from "./dom.js";
import { answers, binned, gaps, writes } from "./model/story.js";
import { item } from "./model/search.js";
import { sized } from "./stage.js";

/** @typedef {import("./model/read.js").Model} Model */
/** @typedef {import("./scale.js").Scale} Scale */
/** @typedef {import("./colours.js").Colours} Colours */

/** Where things stand, in pixels from the top. */
const TAPE = { top: 16, height: 16 };
const FAULTS = { top: 34, height: 6 };
const MOVES = { top: 42, height: 30 };
const HEIGHT = 74;
const FONT = "bold 10px system-ui, sans-serif";
/** So near (pixels) to the window's edge, the edge is drawn along. */
const EDGE = 7;

export class Overview {
  /**
   * @param {Model} model
   * @param {Scale} scale
   * @param {() => void} changed the window is another
   */
  constructor(model, scale, changed) {
    this.model = model;
    this.scale = scale;
    this.changed = changed;
    this.canvas = /** @type {HTMLCanvasElement} */ (byId("overview"));
    this.window = el("div", { class: "window" });
    byId("brush").append(this.window);
    this.moves = answers(model, writes);
    this.gaps = gaps(model, this.moves);
    this.width = 0;
    this.#listen();
  }

  /** @param {number} time */
  #x(time) {
    return (time / this.scale.end) * this.width;
  }

  /** Draws the strip anew. @param {Colours} colours */
  draw(colours) {
    this.width = byId("strip").clientWidth;
    sized(this.canvas, this.width, HEIGHT);
    const ctx = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    this.#moves(ctx, colours);
    this.#tape(ctx, colours);
    this.#faults(ctx, colours);
    this.#gaps(ctx, colours);
    this.#findings(ctx, colours);
  }

  /** Puts the window where the picture below is. */
  place() {
    const left = Math.max(0, this.#x(this.scale.from));
    const right = Math.min(this.width, this.#x(this.scale.to));
    this.window.style.transform = `translateX(${left}px)`;
    this.window.style.width = `${Math.max(3, right - left)}px`;
  }

  /** @param {CanvasRenderingContext2D} ctx @param {Colours} colours */
  #tape(ctx, colours) {
    ctx.font = FONT;
    for (const { from, to, term, led } of this.model.terms) {
      const [left, right] = [this.#x(from), this.#x(Math.min(to, this.model.end))];
      const [colour, onIt] = termColours(term);
      ctx.fillStyle = colours.hatch(colour, 4);
      ctx.fillRect(left, TAPE.top, Math.max(1, right - left), TAPE.height);
      if (led === undefined) continue;
      const since = this.#x(led);
      ctx.fillStyle = colour;
      ctx.fillRect(since, TAPE.top, Math.max(1, right - since), TAPE.height);
      ctx.fillStyle = onIt;
      const text = [`term ${term}`, String(term)].find((one) => ctx.measureText(one).width < right - since - 6);
      if (text) ctx.fillText(text, since + 4, TAPE.top + 12);
    }
  }

  /** @param {CanvasRenderingContext2D} ctx @param {Colours} colours */
  #faults(ctx, colours) {
    const spans = this.model.faults.map(({ from, to }) => ({ from, to }));
    for (const lives of this.model.lives.values()) spans.push(...lives.filter(({ from }) => from >= 0));
    for (const { from, to } of spans) {
      const left = this.#x(from);
      const width = Math.max(2, this.#x(Math.min(to, this.model.end)) - left);
      ctx.fillStyle = colours.hatch(colours.named.ink, 4);
      ctx.fillRect(left, FAULTS.top, width, FAULTS.height);
    }
  }

  /** @param {CanvasRenderingContext2D} ctx @param {Colours} colours */
  #moves(ctx, colours) {
    const count = Math.max(1, Math.floor(this.width / 2));
    const bins = binned(this.moves.times, 0, (this.scale.end + 1) / count, count);
    const most = Math.max(1, ...bins);
    const bottom = MOVES.top + MOVES.height;
    ctx.fillStyle = colours.named.write;
    for (let place = 0; place < count; place += 1) {
      const high = (item(bins, place) / most) * (MOVES.height - 2);
      if (high) ctx.fillRect(place * 2, bottom - high, 2, high);
    }
    ctx.fillStyle = colours.named.line;
    ctx.fillRect(0, bottom, this.width, 1);
  }

  /** The longest are named first; what has no room is only marked. @param {CanvasRenderingContext2D} ctx @param {Colours} colours */
  #gaps(ctx, colours) {
    ctx.font = FONT;
    ctx.fillStyle = colours.named.bad;
    /** @type {[number, number][]} */
    const taken = [];
    for (const { from, to, what } of [...this.gaps].sort((one, other) => other.to - other.from - (one.to - one.from))) {
      const [left, right] = [this.#x(from), this.#x(to)];
      ctx.fillRect(left, MOVES.top + MOVES.height - 3, Math.max(2, right - left), 3);
      const room = ctx.measureText(what).width;
      const start = Math.min(Math.max(0, (left + right - room) / 2), this.width - room);
      if (taken.some(([other, end]) => start < end + 8 && other < start + room + 8)) continue;
      taken.push([start, start + room]);
      ctx.fillText(what, start, TAPE.top - 4);
      ctx.fillRect((left + right) / 2, TAPE.top - 3, 1, 3);
    }
  }

  /** @param {CanvasRenderingContext2D} ctx @param {Colours} colours */
  #findings(ctx, colours) {
    ctx.fillStyle = colours.named.bad;
    for (const { at } of this.model.findings) {
      const x = Math.round(this.#x(at));
      ctx.fillRect(x - 1, TAPE.top, 2, HEIGHT - TAPE.top);
      ctx.beginPath();
      [[1, 36], [11, 40], [1, 45]].forEach(([dx = 0, y = 0]) => ctx.lineTo(x + dx, y));
      ctx.fill();
    }
  }

  #listen() {
    const strip = byId("strip");
    /** @type {((time: number) => void) | undefined} */
    let drag;
    strip.addEventListener("pointerdown", (event) => {
      strip.setPointerCapture(event.pointerId);
      drag = this.#grip(this.#pointed(event));
      drag(this.#pointed(event));
    });
    strip.addEventListener("pointermove", (event) => {
      const x = this.#x(this.#pointed(event));
      const edge = Math.abs(x - this.#x(this.scale.from)) < EDGE || Math.abs(x - this.#x(this.scale.to)) < EDGE;
      strip.style.cursor = edge ? "ew-resize" : "grab";
      drag?.(this.#pointed(event));
    });
    for (const end of ["pointerup", "pointercancel"]) strip.addEventListener(end, () => (drag = undefined));
  }

  /** @param {PointerEvent} event */
  #pointed(event) {
    return ((event.clientX - byId("strip").getBoundingClientRect().left) / this.width) * this.scale.end;
  }

  /**
   * What drawing from a moment does: moves an edge, moves the window, or makes a new one.
   * @param {number} start
   * @returns {(time: number) => void}
   */
  #grip(start) {
    const { scale } = this;
    const { from, to, width } = scale;
    const near = (EDGE / this.width) * scale.end;
    const show = (/** @type {number} */ left, /** @type {number} */ wide) => {
      scale.show(left, wide);
      this.changed();
    };
    if (Math.abs(start - from) < near) return (time) => time < to && show(time, to - time);
    if (Math.abs(start - to) < near) return (time) => time > from && show(from, time - from);
    const whole = width > scale.end * 0.98;
    if (whole) return (time) => Math.abs(time - start) > near && show(Math.min(start, time), Math.abs(time - start));
    const hold = start > from && start < to ? start - from : width / 2;
    return (time) => show(time - hold, width);
  }
}
