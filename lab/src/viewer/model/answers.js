// Answers to clients in the order in which they came, and the times in which none came. Both
// grow as calls are heard of, which is when they have returned: nearly in order.

import { before, item, itself } from "./search.js";
import { span } from "./words.js";

/** @typedef {import("./types.js").Span} Span */

/** A call that waited longer (microseconds) is told, and so is a longer time without an acknowledged move. */
export const LONG = 250_000;
/** So many answers are kept, six minutes at 5,000 a second. Beyond, the older half is forgotten. */
const ANSWERS_MAX = 2_000_000;

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

/** Times longer than [`LONG`] in which no move was acknowledged although somebody wanted one. */
export class Gaps {
  /** @param {(gap: Span, is: boolean) => void} tell that a gap is there, or is none after all */
  constructor(tell) {
    this.tell = tell;
    /** Those that have ended, in order. @type {Span[]} */
    this.spans = [];
    /** When a move was asked for first. */
    this.began = Infinity;
    /** When the last one was asked for that was never answered. */
    this.unanswered = -Infinity;
  }

  /**
   * A move was asked for.
   * @param {number[]} times of the acknowledged moves
   * @param {number} at
   */
  asked(times, at) {
    if (at >= this.began) return;
    const [first] = times;
    if (first !== undefined) this.#drop(this.began, first);
    this.began = at;
    if (first !== undefined) this.#put(at, first);
  }

  /**
   * A move was acknowledged.
   * @param {number[]} times of the acknowledged moves, this one among them
   * @param {number} place of this one
   */
  answered(times, place) {
    const time = item(times, place);
    const last = place > 0 ? item(times, place - 1) : this.began;
    const next = times[place + 1];
    if (next !== undefined) this.#drop(last, next);
    this.#put(last, time);
    if (next !== undefined) this.#put(time, next);
  }

  /**
   * All of them, and one that has not ended where somebody waits.
   * @param {number[]} times of the acknowledged moves
   * @param {number} end now
   */
  until(times, end) {
    const last = times.at(-1) ?? this.began;
    const open = this.unanswered >= last && end - last > LONG;
    return open ? [...this.spans, { from: last, to: end, what: span(end - last) }] : this.spans;
  }

  /**
   * @param {number} time what ended before it is forgotten
   * @param {number | undefined} last when the last acknowledged move before it was
   */
  forget(time, last) {
    if (last !== undefined) this.began = last;
    this.spans.splice(0, before(this.spans, time, ({ to }) => to));
  }

  /** @param {number} from @param {number} to */
  #put(from, to) {
    if (to - from <= LONG) return;
    const gap = { from, to, what: span(to - from) };
    this.spans.splice(before(this.spans, from, (one) => one.from), 0, gap);
    this.tell(gap, true);
  }

  /** @param {number} from @param {number} to */
  #drop(from, to) {
    const place = before(this.spans, from, (one) => one.from);
    const gap = this.spans[place];
    if (!gap || gap.from !== from || gap.to !== to) return;
    this.spans.splice(place, 1);
    this.tell(gap, false);
  }
}
