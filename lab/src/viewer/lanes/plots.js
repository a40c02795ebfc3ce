// All clients together: how many calls were acknowledged, and how long they took.

import { before, item, itself } from "../model/search.js";
import { binned } from "../model/story.js";
import { clock, grouped, span } from "../model/words.js";
import { rowsOf } from "./faults.js";
import { FONT, Lane, SMALL } from "./lane.js";

/** @typedef {import("./lane.js").Pen} Pen */
/** How long calls waited in a bin. @typedef {{median: number, most: number, longest: number}} Bin */

/** Pixels that a bar of the throughput has at least. */
const BAR = 5;
/** A bar is no shorter than this (microseconds). */
const BIN_LEAST = 20_000;
/** Where the picture is narrower (pixels), what the highest bar means is only told by pointing. */
const NARROW = 500;
/** Above so many answers in sight, latencies are told as quantiles. */
const DOTS_MAX = 2500;
/** Quantiles are of so many calls of a bin at most, evenly taken. */
const SAMPLE = 500;
/** Behind the newest by this much (microseconds), no more answers come. */
const SETTLED = 1_000_000;
/** So many bins are kept. Beyond, all are worked out anew. */
const BINS_MAX = 5000;
/** The latency plot's lowest and highest line, as powers of ten of microseconds. */
const [LOW, HIGH] = [2.5, 7];

export class ThroughputLane extends Lane {
  /** @param {import("../model/read.js").Model} model */
  constructor(model) {
    super("moves", "moves", 62, 18);
    this.model = model;
    this.about = "Calls acknowledged per second: dark are moves, pale are reads. Bands are times longer than 250 ms without an acknowledged move.";
  }

  /** Times without an acknowledged move. */
  get gaps() {
    const { gaps, moves, end } = this.model;
    return gaps.until(moves.times, end);
  }

  /** @param {Pen} pen */
  #bins(pen) {
    const bin = Math.max(BIN_LEAST, pen.scale.step(BAR));
    const from = Math.floor(pen.scale.from / bin) * bin;
    return { bin, from, count: Math.ceil((pen.scale.to - from) / bin) };
  }

  /** @override @param {Pen} pen @param {number} top */
  draw(pen, top) {
    const { ctx, scale, colours, width } = pen;
    const { bin, from, count } = this.#bins(pen);
    const bottom = top + this.height;
    const all = binned(this.model.answers, from, bin, count);
    const moves = binned(this.model.moves, from, bin, count);
    const most = Math.max(1, ...all);
    const wide = (bin / scale.width) * width;
    for (const [bins, colour] of /** @type {const} */ ([[all, colours.named.read], [moves, colours.named.write]])) {
      ctx.fillStyle = colour;
      for (let place = 0; place < count; place += 1) {
        const high = (item(bins, place) / most) * (this.height - 14);
        if (high) ctx.fillRect(scale.x(from + place * bin), bottom - high, Math.max(1, wide - 1), high);
      }
    }
    ctx.fillStyle = colours.named.line;
    ctx.fillRect(0, bottom, width, 1);
    for (const gap of this.gaps) drawGap(pen, gap, top, this.height);
    if (width < NARROW) return;
    ctx.font = SMALL;
    ctx.fillStyle = colours.named.faint;
    ctx.textAlign = "right";
    ctx.fillText(`at most ${grouped((most * 1e6) / bin)} per second`, width - 4, top + 9);
    ctx.textAlign = "left";
  }

  /** @override @param {Pen} pen @param {number} x */
  hit(pen, x) {
    const time = pen.scale.time(x);
    const gap = this.gaps.find(({ from, to }) => from <= time && time <= to);
    if (gap) return { at: gap.from, title: `No move was acknowledged for ${gap.what}`, rows: rowsOf(["from", clock(gap.from)], ["to", clock(gap.to)]) };
    const { bin } = this.#bins(pen);
    const from = Math.max(0, Math.floor(time / bin) * bin);
    const moves = this.model.moves.between(from, from + bin);
    const reads = this.model.answers.between(from, from + bin) - moves;
    return { at: from, title: `${grouped(moves)} moves and ${grouped(reads)} reads were acknowledged`, rows: rowsOf(["from", clock(from)], ["within", span(bin)]) };
  }
}

/**
 * A time without an acknowledged move: a band with its length.
 * @param {Pen} pen @param {import("../model/types.js").Span} gap @param {number} top @param {number} height
 */
function drawGap({ ctx, scale, colours, width }, gap, top, height) {
  const [left, right] = [scale.x(gap.from), scale.x(gap.to)];
  if (right < 0 || left > width) return;
  ctx.fillStyle = colours.hatch(colours.named.bad, 7);
  ctx.globalAlpha = 0.28;
  ctx.fillRect(left, top + 12, Math.max(1, right - left), height - 12);
  ctx.globalAlpha = 1;
  ctx.fillStyle = colours.named.bad;
  ctx.fillRect(left, top + 12, Math.max(1, right - left), 1.5);
  ctx.font = `bold ${FONT}`;
  const room = ctx.measureText(gap.what).width;
  const middle = (Math.max(left, 0) + Math.min(right, width)) / 2;
  if (room < right - left + 60) ctx.fillText(gap.what, Math.min(Math.max(2, middle - room / 2), width - room - 2), top + 9);
}

export class LatencyLane extends Lane {
  /** @param {import("../model/read.js").Model} model */
  constructor(model) {
    super("waits", "waits", 78, 12);
    this.model = model;
    /** Quantiles of the bins of one width, by when each begins, once they were needed. @type {Map<number, Bin>} */
    this.bins = new Map();
    this.bin = 0;
    this.about = "How long acknowledged calls waited, when they were answered. Seen from afar: from the median to 99 of 100, and the longest.";
  }

  /** @param {number} wait @param {number} top */
  #y(wait, top) {
    const part = (Math.log10(Math.max(1, wait)) - LOW) / (HIGH - LOW);
    return top + this.height - Math.min(1, Math.max(0, part)) * this.height;
  }

  /** @override @param {Pen} pen @param {number} top */
  draw(pen, top) {
    const { ctx, scale, colours, width } = pen;
    ctx.font = SMALL;
    for (const power of [3, 4, 5, 6]) {
      const y = Math.round(this.#y(10 ** power, top));
      ctx.fillStyle = colours.named.soft;
      ctx.fillRect(0, y, width, 1);
      ctx.fillStyle = colours.named.faint;
      ctx.textAlign = "right";
      ctx.fillText(power === 6 ? "1 s" : `${10 ** (power - 3)} ms`, width - 4, y - 2);
      ctx.textAlign = "left";
    }
    const { times, waits } = this.model.answers;
    const first = before(times, scale.from, itself);
    const behind = before(times, scale.to, itself);
    if (behind - first > DOTS_MAX) return this.#quantiles(pen, top);
    ctx.fillStyle = colours.named.write;
    const side = behind - first > 800 ? 2 : 3;
    for (let place = first; place < behind; place += 1) {
      ctx.fillRect(scale.x(item(times, place)) - side / 2, this.#y(item(waits, place), top) - side / 2, side, side);
    }
  }

  /** @param {Pen} pen @param {number} top */
  #quantiles({ ctx, scale, colours }, top) {
    const bin = scale.step(4);
    const wide = Math.max(1, (bin / scale.width) * scale.pixels - 1);
    if (bin !== this.bin || this.bins.size > BINS_MAX) this.bins.clear();
    this.bin = bin;
    for (let at = Math.floor(scale.from / bin) * bin; at < scale.to; at += bin) {
      const known = this.#binAt(at, bin);
      if (!known) continue;
      const { median, most, longest } = known;
      const x = scale.x(at);
      ctx.fillStyle = colours.named.read;
      ctx.fillRect(x, this.#y(most, top), wide, Math.max(1, this.#y(median, top) - this.#y(most, top)));
      ctx.fillStyle = colours.named.write;
      ctx.fillRect(x, this.#y(median, top) - 1, wide, 2);
      ctx.fillRect(x + wide / 2 - 1, this.#y(longest, top) - 1, 2, 2);
    }
  }

  /** What has been over for a while stays as it is. @param {number} at @param {number} bin @returns {Bin | undefined} */
  #binAt(at, bin) {
    const known = this.bins.get(at);
    if (known) return known;
    const { times, waits } = this.model.answers;
    const inside = waits.slice(before(times, at, itself), before(times, at + bin, itself));
    if (!inside.length) return undefined;
    const longest = inside.reduce((most, wait) => Math.max(most, wait), 0);
    const step = Math.ceil(inside.length / SAMPLE);
    const some = inside.filter((_, place) => place % step === 0).sort((one, other) => one - other);
    const part = (/** @type {number} */ part) => item(some, Math.floor((some.length - 1) * part));
    const made = { median: part(0.5), most: part(0.99), longest };
    if (at + bin < this.model.end - SETTLED) this.bins.set(at, made);
    return made;
  }

  /** @override @param {Pen} pen @param {number} x */
  hit({ scale }, x) {
    const [from, to] = [scale.time(x - 4), scale.time(x + 4)];
    const { times, waits: all } = this.model.answers;
    const waits = all.slice(before(times, from, itself), before(times, to, itself)).sort((one, other) => one - other);
    if (!waits.length) return undefined;
    const at = (/** @type {number} */ part) => span(item(waits, Math.floor((waits.length - 1) * part)));
    return { at: scale.time(x), title: `${grouped(waits.length)} answered`, rows: rowsOf(["median", at(0.5)], ["99 of 100", at(0.99)], ["longest", at(1)]) };
  }
}
