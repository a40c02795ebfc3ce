// The whole time in one strip: terms, elections, faults, snapshots, acknowledged moves, times
// without one. Drawing along it goes through the moments; the frame is the window that is
// shown below.

import { termColours } from "./colours.js";
import { byId, el, spotIn } from "./dom.js";
import { binned } from "./model/story.js";
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
   * @param {{go: (time: number) => void, changed: () => void}} deeds to a moment; the window is another
   */
  constructor(model, scale, { go, changed }) {
    this.model = model;
    this.scale = scale;
    this.go = go;
    this.changed = changed;
    this.from = 0;
    this.to = scale.end;
    this.canvas = /** @type {HTMLCanvasElement} */ (byId("overview"));
    this.window = el("div", { class: "window" });
    byId("brush").append(this.window);
    /** It shows this long a time at least (microseconds). */
    this.least = 0;
    this.width = 0;
    this.ratio = 0;
    this.needle = byId("needle");
    this.#listen();
  }

  /** @param {number} time */
  #x(time) {
    return ((time - this.from) / (this.to - this.from)) * this.width;
  }

  /** Draws the strip anew. @param {Colours} colours */
  draw(colours) {
    this.from = this.scale.begin;
    this.to = Math.max(this.scale.end, this.from + this.least);
    const width = byId("strip").clientWidth;
    if (width !== this.width || this.ratio !== devicePixelRatio) sized(this.canvas, width, HEIGHT);
    this.width = width;
    this.ratio = devicePixelRatio;
    const ctx = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    ctx.clearRect(0, 0, width, HEIGHT);
    this.#moves(ctx, colours);
    this.#tape(ctx, colours);
    this.#faults(ctx, colours);
    this.#ticks(ctx, colours);
    this.#gaps(ctx, colours);
    this.#findings(ctx, colours);
  }

  /** Puts the window where the picture below is, and the needle at the moment. @param {number} moment */
  place(moment) {
    this.needle.style.transform = `translateX(${this.#x(moment)}px)`;
    this.needle.hidden = moment < this.from || moment > this.to;
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
      if (right < 0) continue;
      ctx.fillStyle = colours.hatch(colour, 4);
      ctx.fillRect(left, TAPE.top, Math.max(1, right - left), TAPE.height);
      if (led === undefined) continue;
      const since = Math.max(0, this.#x(led));
      ctx.fillStyle = colour;
      ctx.fillRect(since, TAPE.top, Math.max(1, right - since), TAPE.height);
      ctx.fillStyle = onIt;
      const text = [`term ${term}`, String(term)].find((one) => ctx.measureText(one).width < right - since - 6);
      if (text) ctx.fillText(text, since + 4, TAPE.top + 12);
    }
  }

  /** A tick where somebody asks for votes, a dot where there is a snapshot. @param {CanvasRenderingContext2D} ctx @param {Colours} colours */
  #ticks(ctx, colours) {
    ctx.fillStyle = colours.named.ink;
    for (const { at, line } of this.model.facts) {
      const x = Math.round(this.#x(at));
      if (line.kind === "role" && line.role === "candidate") ctx.fillRect(x, TAPE.top - 3, 1.5, 5);
      if (line.kind !== "log") continue;
      ctx.beginPath();
      ctx.arc(x, FAULTS.top + FAULTS.height / 2, 2, 0, 7);
      ctx.fill();
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
    const bins = binned(this.model.moves, this.from, (this.to - this.from + 1) / count, count);
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
    const { gaps, moves, end } = this.model;
    for (const { from, to, what } of [...gaps.until(moves.times, end)].sort((one, other) => other.to - other.from - (one.to - one.from))) {
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
      if (!drag) strip.style.cursor = this.#edge(this.#x(this.#pointed(event))) ? "ew-resize" : "pointer";
      drag?.(this.#pointed(event));
    });
    for (const end of ["pointerup", "pointercancel"]) strip.addEventListener(end, () => (drag = undefined));
  }

  /** @param {PointerEvent} event */
  #pointed(event) {
    const [x] = spotIn(byId("strip"), event);
    return this.from + (x / this.width) * (this.to - this.from);
  }

  /**
   * What drawing from a moment does: goes through the moments, or moves an edge of the window.
   * @param {number} start
   * @returns {(time: number) => void}
   */
  #grip(start) {
    const { scale } = this;
    const show = (/** @type {number} */ left, /** @type {number} */ wide) => {
      scale.show(left, wide);
      this.changed();
    };
    const edge = this.#edge(this.#x(start));
    if (edge === "left") return (time) => time < scale.to && show(time, scale.to - time);
    if (edge === "right") return (time) => time > scale.from && show(scale.from, time - scale.from);
    return (time) => this.go(time);
  }

  /** Which edge of the window is there. A small window has none: it goes with the moment. @param {number} x */
  #edge(x) {
    const [left, right] = [this.#x(this.scale.from), this.#x(this.scale.to)];
    if (right - left < 4 * EDGE) return "";
    if (Math.abs(x - left) < EDGE && left > 0) return "left";
    return Math.abs(x - right) < EDGE && right < this.width ? "right" : "";
  }
}
