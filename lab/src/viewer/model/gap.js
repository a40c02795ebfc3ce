// How long nobody could move: a time without an acknowledged move although somebody waits, as
// it grows, and for a while after it has ended.

import { before, item, itself } from "./search.js";

/** @typedef {import("./read.js").Model} Model */
/** @typedef {import("./tracks.js").ClientTrack} ClientTrack */
/** @typedef {import("./types.js").CallLine} CallLine */
/**
 * A time (microseconds) without an acknowledged move although somebody waited: until now, or
 * until it `ended`. It is `guessed` where nobody is known to wait, but moves came steadily.
 * @typedef {{from: number, us: number, ended: boolean, guessed: boolean}} Gap
 */

/** A time without a move is told from this length on. */
const LONG = 250_000;
/** For how long a gap that has ended is still told. */
const STAYS = 3_000_000;
/** In how many of the last twenty tenths of a second moves came, when they came steadily. */
const STEADY = 12;
const TENTH = 100_000;
/** A call that is never answered waits no longer than this, if nothing else is known. */
const GIVES_UP = 10_000_000;
/** Calls of one client that overlap, and answers behind a gap, are looked for among so many. */
const FEW = 8;

/**
 * The call that a client waits for at a moment.
 * @param {ClientTrack} track
 * @param {number} time
 * @returns {CallLine | undefined}
 */
export function pendingCall({ calls }, time) {
  const behind = before(calls, time + 1, ({ at }) => at);
  for (let place = behind - 1; place >= Math.max(0, behind - FEW); place -= 1) {
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
  let since = Infinity;
  for (const client of model.clients.values()) {
    const call = pendingCall(client, time);
    if (call?.asked === "write") since = Math.min(since, call.at);
  }
  const { moves: { times }, gaps: { lost } } = model;
  const last = times[before(times, time + 1, itself) - 1];
  if (live) since = Math.min(since, model.waits ?? Infinity);
  const waits = since < Infinity;
  // Others had asked before, and have given up.
  if (waits) since = Math.min(since, lost[before(lost, last ?? -Infinity, itself)] ?? since);
  const guessed = !waits && live && last !== undefined && steadyBefore(model, last);
  const from = waits ? Math.max(last ?? since, since) : last ?? since;
  if ((waits || guessed) && time - from > LONG) return { from, us: time - from, ended: false, guessed };
  return endedBefore(model, time);
}

/** Whether moves came all the time before a moment. @param {Model} model @param {number} time */
function steadyBefore({ moves }, time) {
  let tenths = 0;
  for (let tenth = 0; tenth < 20; tenth += 1) {
    if (moves.between(time - (tenth + 1) * TENTH + 1, time - tenth * TENTH + 1)) tenths += 1;
  }
  return tenths >= STEADY;
}

/**
 * The last long time without a move that ended not long before a moment.
 * @param {Model} model @param {number} time
 * @returns {Gap | undefined}
 */
function endedBefore({ gaps: { spans } }, time) {
  const found = spans[before(spans, time + 1, ({ to }) => to) - 1];
  return found && found.to >= time - STAYS ? { from: found.from, us: found.to - found.from, ended: true, guessed: false } : undefined;
}
