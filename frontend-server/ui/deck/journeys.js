// One's own moves on their way to a majority and back: pure. It is told what has happened
// to each, and when, and makes nothing up.

/** @typedef {import("../types.js").Answer} Answer */

/** Moves remembered; the oldest is forgotten first. */
const KEPT_MAX = 8;

/** Views remembered, for answers that come after the view that they made. */
const SEEN_MAX = 32;

/** Refusals that leave open what becomes of a move, as long as it is asked again. */
const OPEN = new Set(["no-quorum", "busy"]);

/**
 * One move. Times are milliseconds on a clock that is never set, and `savedMs` and `shownMs`
 * count from when it was made.
 * - `sign`: a character that stands for it, or nothing. `name`: what it is called, such as "E" or "word".
 * - `sends`: how often it was sent. `here`: it is with the frontend that we talk to now.
 * - `putOff`: by which code it was refused for now.
 * - `lostLeader`: there was no leader for a while before it was answered.
 * - `end`: how it ended. `saved`: by a majority; `refused`: by the rules; `moot`: it was
 *   meant for another round; `given-up`: nobody took it in time; `unknown`: nobody can say.
 * - `reason`: why it was refused, in plain words.
 * @typedef {{
 *   serial: number, sign: string, name: string, at: number, sends: number, here: boolean,
 *   putOff: string, lostLeader: boolean, end: "" | "saved" | "refused" | "moot" | "given-up" | "unknown",
 *   endedAt: number, savedMs?: number, shownMs?: number, reason: string, room: string, version: number,
 * }} Journey
 */

export class Journeys {
  /** @type {Journey[]} */
  #all = [];
  /** @type {{room: string, version: number, at: number}[]} */
  #seen = [];

  /** Oldest first. */
  list() {
    return [...this.#all];
  }

  /** Those without an answer, oldest first. */
  waiting() {
    return this.#all.filter(({ end }) => end === "");
  }

  /**
   * The one to speak of: the oldest that waits, or the last that ended.
   * @returns {Journey | undefined}
   */
  get foremost() {
    const [first] = this.waiting();
    return first ?? this.#all.reduce((last, one) => (last && last.endedAt > one.endedAt ? last : one), this.#all[0]);
  }

  /** A move was made. @param {{serial: number, room: string, sign: string, name: string}} move @param {number} at */
  asked(move, at) {
    if (this.#find(move.serial)) return;
    this.#all.push({
      ...move, at, sends: 0, here: false, putOff: "", lostLeader: false, end: "", endedAt: 0, reason: "", version: 0,
    });
    // What waits is remembered before what is over.
    while (this.#all.length > KEPT_MAX) this.#all.splice(Math.max(0, this.#all.findIndex(({ end }) => end !== "")), 1);
  }

  /** @param {number} serial */
  sent(serial) {
    const one = this.#find(serial);
    if (one) Object.assign(one, { sends: one.sends + 1, here: true, putOff: "" });
  }

  /** It was refused for now, and will be asked again. @param {number} serial @param {string} code */
  putOff(serial, code) {
    const one = this.#find(serial);
    if (one) Object.assign(one, { here: false, putOff: code });
  }

  /** The connection is gone: what becomes of those that were sent is not known here. */
  disconnected() {
    for (const one of this.waiting()) one.here = false;
  }

  /** Nobody leads at the moment. */
  leaderless() {
    for (const one of this.waiting()) one.lostLeader = true;
  }

  /** @param {number} serial @param {Answer} answer @param {string} reason a refusal in plain words @param {number} now */
  answered(serial, { ok, refused }, reason, now) {
    const one = this.#find(serial);
    if (!one || one.end) return;
    one.endedAt = now;
    one.here = false;
    if (refused) {
      one.end = refused.code === "unknown-outcome" ? "unknown" : OPEN.has(refused.code) ? "given-up" : "refused";
      one.reason = reason;
    } else if (ok?.version === undefined) {
      // The page has answered it by itself.
      one.end = "moot";
    } else {
      one.end = "saved";
      one.version = ok.version;
      one.savedMs = now - one.at;
      const seen = this.#seen.find(({ room, version }) => room === one.room && version >= one.version);
      if (seen) one.shownMs = Math.max(0, seen.at - one.at);
    }
  }

  /** A view has come. @param {string} room @param {number} version @param {number} now */
  seen(room, version, now) {
    this.#seen.push({ room, version, at: now });
    if (this.#seen.length > SEEN_MAX) this.#seen.shift();
    for (const one of this.#all) {
      if (one.end === "saved" && one.shownMs === undefined && one.room === room && version >= one.version) one.shownMs = now - one.at;
    }
  }

  /** @param {number} serial */
  #find(serial) {
    return this.#all.find((one) => one.serial === serial);
  }
}

/**
 * Where a move is to be seen: 0 with oneself, 1 at the frontend, 2 with the leader.
 * @typedef {0 | 1 | 2} Place
 */

/**
 * Where it belongs now. With nobody to lead, it waits at the frontend.
 * @param {Journey} journey @param {boolean} led
 * @returns {Place}
 */
export function placeOf({ end, here }, led) {
  if (end || !here) return 0;
  return led ? 2 : 1;
}

/**
 * The next step of a sign on its way: it never jumps, and one that was answered has been
 * with the leader before it comes back.
 * @param {{at: Place, arrived: boolean}} sign where it is, and whether it has been there
 * @param {Journey} journey @param {boolean} led
 * @returns {{at: Place, arrived: boolean}}
 */
export function nextStep({ at, arrived }, journey, led) {
  const decided = journey.end === "saved" || journey.end === "refused";
  const goal = decided && !arrived ? 2 : placeOf(journey, led);
  const next = /** @type {Place} */ (at + Math.sign(goal - at));
  return { at: next, arrived: arrived || next === 2 };
}
