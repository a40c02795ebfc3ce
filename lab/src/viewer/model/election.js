// How long followers wait for a leader before they stand for election.

/** @typedef {import("./read.js").Model} Model */
/**
 * In microseconds: for `lease` after a leader's message nobody votes for anybody else, and
 * then it takes a random time from `least` to `most` until one asks for votes. docs/lab.md,
 * step 4; thesis, sections 3.4 and 4.2.3.
 * @typedef {{lease: number, least: number, most: number}} Election
 */

/** As a cluster is set up by default. */
const DEFAULT = { lease: 450_000, least: 300_000, most: 450_000 };
/** A simulated day has its own heartbeat, and waits for so many of them. */
const SIMULATED = { least: 4, most: 7 };
/** So many times between heartbeats are looked at, among so many messages. */
const INTERVALS = 41;
const LOOKED_AT = 4000;

/** @type {WeakMap<Model, Election>} */
const MEASURED = new WeakMap();

/**
 * What a timeline's nodes wait. A real cluster's settings are not told: these are the
 * defaults. A simulated day, which has no date, is measured.
 * @param {Model} model
 * @returns {Election}
 */
export function electionOf(model) {
  if (model.head.began_unix_ms) return DEFAULT;
  const known = MEASURED.get(model);
  if (known) return known;
  const heartbeat = heartbeatOf(model);
  if (heartbeat === undefined) return DEFAULT;
  const most = heartbeat * SIMULATED.most;
  const election = { lease: most, least: heartbeat * SIMULATED.least, most };
  MEASURED.set(model, election);
  return election;
}

/**
 * The time from a heartbeat to the next, as it mostly is.
 * @param {Model} model
 * @returns {number | undefined} in microseconds
 */
export function heartbeatOf({ messages }) {
  /** @type {Map<number, number>} */
  const last = new Map();
  /** @type {number[]} */
  const intervals = [];
  for (const { what, answer, from, to, at } of messages.slice(0, LOOKED_AT)) {
    if (what !== "heartbeat" || answer) continue;
    const pair = from * 65_536 + to;
    const before = last.get(pair);
    if (before !== undefined) intervals.push(at - before);
    last.set(pair, at);
    if (intervals.length === INTERVALS) break;
  }
  if (intervals.length < INTERVALS) return undefined;
  return intervals.sort((one, other) => one - other)[INTERVALS >> 1];
}

/**
 * How much of the longest time is left that a follower waits for a leader: 1 when it has
 * just heard one, 0 when it may have asked for votes long ago.
 * @param {Election} election
 * @param {number | undefined} ago microseconds; none when it is too long ago to be known
 */
export function timerOf({ lease, most }, ago) {
  return ago === undefined ? 0 : Math.min(1, Math.max(0, 1 - ago / (lease + most)));
}
