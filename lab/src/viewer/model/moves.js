// Acknowledged moves, kept in short buckets of time, so that a time without any is found at
// every frame without looking at all calls.

import { before, item } from "./search.js";

/** @typedef {import("./read.js").Model} Model */
/** @typedef {import("./read.js").ClientTrack} ClientTrack */
/** @typedef {import("./types.js").CallLine} CallLine */
/**
 * A time (microseconds) without an acknowledged move although somebody waited: until now, or
 * until it `ended`. It is `guessed` where nobody is known to wait, but moves came steadily.
 * @typedef {{from: number, us: number, ended: boolean, guessed: boolean}} Gap
 */

/** How long a bucket is (microseconds), and how many stand together. */
const BUCKET = 10_000;
const CHUNK = 1024;
/** So many chunks are kept: hours. */
const CHUNKS = 1200;
/** A time without a move is told from this length on. */
export const LONG_GAP = 250_000;
/** For how long a gap that has ended is still told. */
const STAYS = 4_000_000;
/** How far back (in buckets) the last move is looked for. */
const BACK = 6000;
/** In how many of the last twenty tenths of a second moves came, when they came steadily. */
const STEADY = 12;
/** A call that is never answered waits no longer than this, if nothing else is known. */
const GIVES_UP = 10_000_000;
/** Calls of one client that overlap are looked for among so many. */
const OVERLAP = 8;

/** The first and the last acknowledgement in each bucket, and when the first was asked for. */
class Chunk {
  constructor() {
    this.first = new Float64Array(CHUNK).fill(Infinity);
    this.last = new Float64Array(CHUNK).fill(-Infinity);
    this.asked = new Float64Array(CHUNK).fill(Infinity);
    /** Whether a write was asked for in it that was never answered. */
    this.doubt = new Uint8Array(CHUNK);
  }
}

export class Moves {
  constructor() {
    /** @type {Map<number, Chunk>} */
    this.chunks = new Map();
    /** The last call that was taken in, by client. @type {Map<number, CallLine>} */
    this.taken = new Map();
    this.lines = -1;
  }

  /**
   * Takes in what is new. To take a call in twice changes nothing.
   * @param {Model} model
   */
  update(model) {
    if (this.lines === model.lines) return;
    this.lines = model.lines;
    for (const { id, calls } of model.clients.values()) {
      const known = this.taken.get(id);
      const last = calls.at(-1);
      if (!last || last === known) continue;
      let beyond = 0;
      for (let place = calls.length - 1; place >= 0 && beyond < OVERLAP; place -= 1) {
        const call = item(calls, place);
        if (call === known || beyond) beyond += 1;
        this.#take(call);
      }
      this.taken.set(id, last);
    }
  }

  /** @param {CallLine} call */
  #take(call) {
    if (call.asked !== "write") return;
    if (call.outcome === "unknown") {
      const [chunk, place] = this.#at(call.at);
      chunk.doubt[place] = 1;
    }
    if (call.outcome !== "ok" || call.returned === undefined) return;
    const [chunk, place] = this.#at(call.returned);
    if (call.returned < item(chunk.first, place)) {
      chunk.first[place] = call.returned;
      chunk.asked[place] = call.at;
    }
    chunk.last[place] = Math.max(item(chunk.last, place), call.returned);
  }

  /** @param {number} time @returns {[Chunk, number]} */
  #at(time) {
    const bucket = Math.floor(time / BUCKET);
    const number = Math.floor(bucket / CHUNK);
    const known = this.chunks.get(number);
    if (known) return [known, bucket % CHUNK];
    const made = new Chunk();
    this.chunks.set(number, made);
    const oldest = this.chunks.keys().next().value;
    if (this.chunks.size > CHUNKS && oldest !== undefined) this.chunks.delete(oldest);
    return [made, bucket % CHUNK];
  }

  /** What is known of a bucket, if there is anything. @param {number} bucket @returns {[Chunk, number] | undefined} */
  #known(bucket) {
    const chunk = this.chunks.get(Math.floor(bucket / CHUNK));
    return chunk && [chunk, bucket % CHUNK];
  }

  /**
   * When the last move was acknowledged, at a moment or before it.
   * @param {number} time
   * @returns {number | undefined}
   */
  lastBefore(time) {
    const now = Math.floor(time / BUCKET);
    for (let bucket = now; bucket >= Math.max(0, now - BACK); bucket -= 1) {
      const [chunk, place] = this.#known(bucket) ?? [];
      if (!chunk || place === undefined || item(chunk.first, place) > time) continue;
      const last = item(chunk.last, place);
      return last <= time ? last : item(chunk.first, place);
    }
    return undefined;
  }

  /** Whether moves came all the time before a moment. @param {number} time */
  steadyBefore(time) {
    let tenths = 0;
    for (let tenth = 0; tenth < 20; tenth += 1) {
      const last = this.lastBefore(time - tenth * 100_000);
      if (last !== undefined && last > time - (tenth + 1) * 100_000) tenths += 1;
    }
    return tenths >= STEADY;
  }

  /**
   * The last long time without a move that ended not long before a moment.
   * @param {number} time
   * @returns {Gap | undefined}
   */
  endedBefore(time) {
    const now = Math.floor(time / BUCKET);
    let next = Infinity;
    let [asked, doubts] = [Infinity, 0];
    for (let bucket = now; bucket >= Math.max(0, now - BACK); bucket -= 1) {
      const [chunk, place] = this.#known(bucket) ?? [];
      if (!chunk || place === undefined) continue;
      const first = item(chunk.first, place);
      if (first <= time) {
        const last = Math.min(item(chunk.last, place), time);
        const waited = next - asked > LONG_GAP / 2 || doubts > 0;
        if (next - last > LONG_GAP && next <= time && waited) return { from: last, us: next - last, ended: true, guessed: false };
        if (first < time - STAYS) return undefined;
        [next, asked, doubts] = [first, item(chunk.asked, place), 0];
      }
      doubts += item(chunk.doubt, place);
    }
    return undefined;
  }
}

/** @type {WeakMap<Model, Moves>} */
const KEPT = new WeakMap();

/**
 * The moves of a timeline, up to date.
 * @param {Model} model
 */
export function movesOf(model) {
  const moves = KEPT.get(model) ?? new Moves();
  KEPT.set(model, moves);
  moves.update(model);
  return moves;
}

/**
 * The call that a client waits for at a moment.
 * @param {ClientTrack} track
 * @param {number} time
 * @returns {CallLine | undefined}
 */
export function pendingCall({ calls }, time) {
  const behind = before(calls, time + 1, ({ at }) => at);
  for (let place = behind - 1; place >= Math.max(0, behind - OVERLAP); place -= 1) {
    const call = item(calls, place);
    const until = call.returned ?? Math.min(calls[place + 1]?.at ?? Infinity, call.at + GIVES_UP);
    if (until > time) return call;
  }
  return undefined;
}

/**
 * The time without an acknowledged move that is to be told at a moment, if there is one: it
 * still grows, or ended not long ago.
 * @param {Model} model
 * @param {number} time
 * @param {boolean} live whether calls are told only when they have been answered
 * @returns {Gap | undefined}
 */
export function gapAt(model, time, live) {
  const moves = movesOf(model);
  let since = Infinity;
  for (const client of model.clients.values()) {
    const call = pendingCall(client, time);
    if (call?.asked === "write") since = Math.min(since, call.at);
  }
  const last = moves.lastBefore(time);
  const waits = since < Infinity;
  const guessed = !waits && live && last !== undefined && moves.steadyBefore(last);
  const from = last ?? since;
  if ((waits || guessed) && time - from > LONG_GAP) return { from, us: time - from, ended: false, guessed };
  return moves.endedBefore(time);
}
