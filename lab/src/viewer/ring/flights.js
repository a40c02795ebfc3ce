// Messages on their way at a moment: which are drawn, and how far each has come.

import { at, before, item } from "../model/search.js";

/** @typedef {import("../model/read.js").Model} Model */
/** @typedef {import("../model/types.js").MessageLine} MessageLine */
/** @typedef {import("./pace.js").Pace} Pace */
/**
 * A message as it is drawn. `part` is how much of its way it has gone; `gone` is, from 0 to 1,
 * how long ago it arrived or was lost. `lost` never came, `waits` is at the receiver's door.
 * @typedef {{message: MessageLine, part: number, gone: number, lost: boolean, waits: boolean}} Flight
 */
/**
 * What is drawn of what there is: one in `oneIn` of what is everyday.
 * @typedef {{flights: Flight[], oneIn: number}} Sky
 */

/** No more messages are looked at than this, nor further back (microseconds). */
const MOST = 20_000;
const BACK = 3_000_000;
/** What really takes longer than this is drawn waiting at the receiver's door. */
const SLOW = 1_000_000;
/** Of these there are few, and each counts. */
const RARE = new Set(["vote", "pre-vote", "snapshot", "transfer"]);
/** A sample is kept until there are so many times too many or too few. */
const SLACK = 1.3;

/** @param {MessageLine} message */
export const rare = ({ what }) => RARE.has(what);

/**
 * When a message's flight is drawn: from when to when. An answer is drawn behind its
 * question, and an entry's messages behind the move that brought it.
 * @param {MessageLine} message
 * @param {Pace} pace
 * @returns {[number, number]}
 */
export function drawn(message, pace) {
  const { at: sent, received = sent, answer } = message;
  if (pace.real) return [sent, received];
  const moves = message.what === "append" ? pace.leg : 0;
  const start = sent + moves + (answer ? pace.flight : 0);
  const takes = received - sent;
  return [start, start + Math.max(pace.flight, takes > SLOW ? 0 : takes)];
}

/**
 * Where a message is at a moment, if it is to be seen.
 * @param {MessageLine} message
 * @param {number} time
 * @param {Pace} pace
 * @returns {Flight | undefined}
 */
export function flightOf(message, time, pace) {
  const [start, end] = drawn(message, pace);
  if (time < start) return undefined;
  const { received } = message;
  if (received === undefined) {
    // Half of the way, and then it is seen that it does not come.
    const bursts = pace.real ? start + pace.leg / 2 : start + (end - start) / 2;
    const part = Math.min(0.5, (0.5 * (time - start)) / Math.max(1, bursts - start));
    return fading({ message, part, gone: 0, lost: true, waits: false }, bursts, time, pace.after * 2);
  }
  if (time < end) return { message, part: (time - start) / (end - start), gone: 0, lost: false, waits: false };
  if (received > time) return { message, part: 1, gone: 0, lost: false, waits: true };
  const came = received - message.at > SLOW ? Math.max(end, received) : end;
  return fading({ message, part: 1, gone: 0, lost: false, waits: false }, came, time, pace.after);
}

/** @param {Flight} flight @param {number} since @param {number} time @param {number} lasts */
function fading(flight, since, time, lasts) {
  if (time < since) return flight;
  const gone = (time - since) / Math.max(1, lasts);
  return gone < 1 ? { ...flight, gone } : undefined;
}

/**
 * The number by which messages are drawn or left out together: those about the same entry,
 * whichever way they go; of the others, those of about the same time.
 * @param {MessageLine} message
 */
function group({ what, index = 0, at: sent }) {
  const key = what === "append" ? index : index * 31 + Math.floor(sent / 20_000);
  return Math.imul(key + 1, 0x9e3779b1) >>> 0;
}

/**
 * Whether one of `2 ** halvings` groups is this one. What is drawn at more halvings is drawn
 * at fewer as well.
 * @param {MessageLine} message
 * @param {number} halvings
 */
export function chosen(message, halvings) {
  return halvings === 0 || group(message) >>> (32 - halvings) === 0;
}

/**
 * @param {Model} model
 * @param {number} time
 * @param {Pace} pace
 * @param {number} most how many may be drawn; votes and what else is rare always are
 * @param {number} [last] one in how many was drawn before
 * @returns {Sky}
 */
export function skyOf({ messages, flight }, time, pace, most, last = 1) {
  const longest = Math.min(Math.max(flight, 2 * pace.flight + pace.leg), BACK) + 2 * pace.after;
  const behind = before(messages, time + 1, at);
  const first = Math.max(behind - MOST, before(messages, time - longest, at));
  const stride = Math.max(1, (behind - first) >> 10);
  let many = 0;
  for (let place = first; place < behind; place += stride) {
    const message = item(messages, place);
    if (!rare(message) && flightOf(message, time, pace)) many += stride;
  }
  const halvings = halved(many, most, Math.log2(last));
  /** @type {Flight[]} */
  const flights = [];
  /** @type {Flight[]} */
  const everyday = [];
  for (let place = first; place < behind; place += 1) {
    const message = item(messages, place);
    const counts = rare(message);
    if (!counts && !chosen(message, halvings)) continue;
    const seen = flightOf(message, time, pace);
    if (seen) (counts ? flights : everyday).push(seen);
  }
  // Groups are of unequal size: what is still too much is left out as well.
  return { flights: [...everyday.slice(0, most * 2), ...flights], oneIn: 2 ** halvings };
}

/** @param {number} count @param {number} most @param {number} last */
function halved(count, most, last) {
  const kept = count / 2 ** last;
  if (kept <= most * SLACK && (last === 0 || kept > most / 2 / SLACK)) return last;
  return Math.max(0, Math.ceil(Math.log2(count / most)));
}
