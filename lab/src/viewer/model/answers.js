// Answers to clients in the order in which they came, and the times in which none came. Both
// grow as calls are heard of, which is when they have returned: nearly in order.

import { before, item, itself } from "./search.js";
import { span } from "./words.js";

/** @typedef {import("./types.js").Span} Span */

/** A call that waited longer (microseconds) is told, and so is a longer time without an acknowledged move. */
export const LONG = 250_000;
/** So many answers are kept, six minutes at 5,000 a second. Beyond, the older half is forgotten. */
const ANSWERS_MAX = 2_000_000;
/** So many answers behind a time without one are looked at for who had waited in it. */
const FEW = 64;
/** So many moves that were never answered are kept. Beyond, the older half is forgotten. */
const LOST_MAX = 10_000;

export class Answers {
  constructor() {
    /** When each came, in order. @type {number[]} */
    this.times = [];
    /** How long each had been waited for. @type {number[]} */
    this.waits = [];
  }

  /**
   * @param {number} time
   * @param {number} wait
   * @returns {number} its place
   */
  add(time, wait) {
    const { times, waits } = this;
    if (times.length >= ANSWERS_MAX) this.forget(item(times, ANSWERS_MAX / 2));
    const place = !times.length || item(times, times.length - 1) <= time ? times.length : before(times, time + 1, itself);
    if (place === times.length) {
      times.push(time);
      waits.push(wait);
    } else {
      times.splice(place, 0, time);
      waits.splice(place, 0, wait);
    }
    return place;
  }

  /**
   * @param {number} time what came before it is forgotten
   * @returns {number | undefined} when the last of that came
   */
  forget(time) {
    const count = before(this.times, time, itself);
    const last = this.times[count - 1];
    this.times.splice(0, count);
    this.waits.splice(0, count);
    return last;
  }

  /** How many came from a moment on, and before another. @param {number} from @param {number} to */
  between(from, to) {
    return before(this.times, to, itself) - before(this.times, from, itself);
  }
}

/**
 * Times longer than [`LONG`] in which no move was acknowledged although somebody waited for
 * one: from the move before, or from when the first of those was asked for who waited.
 */
export class Gaps {
  /** @param {(gap: Span, is: boolean) => void} tell that a gap is there, or is none after all */
  constructor(tell) {
    this.tell = tell;
    /** Those that have ended, in order. @type {Span[]} */
    this.spans = [];
    /** When the moves were asked for that were never answered, in order. @type {number[]} */
    this.lost = [];
  }

  /**
   * A move was asked for that was never answered.
   * @param {Answers} moves @param {number} asked
   */
  missed(moves, asked) {
    if (this.lost.length >= LOST_MAX) this.lost.splice(0, LOST_MAX / 2);
    this.lost.splice(before(this.lost, asked, itself), 0, asked);
    const { times } = moves;
    const place = before(times, asked + 1, itself);
    if (place < times.length) this.#look(moves, place);
  }

  /**
   * A move was acknowledged.
   * @param {Answers} moves this one among them
   * @param {number} place of this one
   */
  answered(moves, place) {
    const { times } = moves;
    const asked = item(times, place) - item(moves.waits, place);
    if (place + 1 < times.length) this.#look(moves, place + 1);
    this.#look(moves, place);
    // It was waited for while others were answered.
    for (let other = place - 1; other >= Math.max(0, place - FEW) && item(times, other) > asked; other -= 1) {
      this.#waited(moves, other, asked);
    }
  }

  /**
   * All of them, and one that has not ended where somebody waits.
   * @param {number[]} times of the acknowledged moves
   * @param {number} end now
   */
  until(times, end) {
    const last = times.at(-1) ?? -Infinity;
    const waits = this.lost[before(this.lost, last, itself)];
    const open = waits !== undefined && end - waits > LONG;
    return open ? [...this.spans, { from: waits, to: end, what: span(end - waits) }] : this.spans;
  }

  /** @param {number} time what ended before it is forgotten */
  forget(time) {
    this.lost.splice(0, before(this.lost, time, itself));
    this.spans.splice(0, before(this.spans, time, ({ to }) => to));
  }

  /**
   * Looks at the time before an answer anew: who waited in it?
   * @param {Answers} moves @param {number} place
   */
  #look({ times, waits }, place) {
    const to = item(times, place);
    const last = times[place - 1] ?? -Infinity;
    let asked = this.lost[before(this.lost, last, itself)] ?? Infinity;
    for (let next = place; next < Math.min(times.length, place + FEW); next += 1) {
      asked = Math.min(asked, item(times, next) - item(waits, next));
    }
    this.#put(Math.max(last, asked), to);
  }

  /**
   * Somebody waited at an answer who had asked at `asked`.
   * @param {Answers} moves @param {number} place @param {number} asked
   */
  #waited({ times }, place, asked) {
    const to = item(times, place);
    const from = Math.max(times[place - 1] ?? -Infinity, asked);
    const known = this.spans[before(this.spans, to, (one) => one.to)];
    if (known?.to !== to || known.from > from) this.#put(from, to);
  }

  /** The time before an answer is a gap from here on, or none. @param {number} from @param {number} to */
  #put(from, to) {
    const place = before(this.spans, to, (one) => one.to);
    const known = this.spans[place];
    const there = known?.to === to;
    if (there && known.from === from) return;
    if (there) {
      this.spans.splice(place, 1);
      this.tell(known, false);
    }
    if (to - from <= LONG) return;
    const gap = { from, to, what: span(to - from) };
    this.spans.splice(place, 0, gap);
    this.tell(gap, true);
  }
}
