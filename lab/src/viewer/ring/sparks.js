// A move on its way: from its player to whom it asked, on to the leader, to a majority, and
// back to all screens. Where it went is told by the timeline; how long a step between player
// and node took is not, so these steps are drawn in equal parts.

import { at, before, item } from "../model/search.js";

/** @typedef {import("../model/read.js").Model} Model */
/** @typedef {import("../model/types.js").CallLine} CallLine */
/** @typedef {import("./pace.js").Pace} Pace */
/**
 * A call as it is drawn. `step` is where it is: on its way `in` to whom it asked, `on` to the
 * leader, `waits` there, on its way `back`, or `out` on all screens; `part` is how much of
 * that step it has gone. `leader` leads then, or led when it was answered.
 * @typedef {{call: CallLine, step: "in" | "on" | "waits" | "back" | "out", part: number, leader: number | undefined}} Spark
 */

/** Calls of one client that are older than is drawn, and may still wait: the last so many. */
const LATEST = 2;
/** @type {WeakMap<CallLine, number[]>} */
const MAJORITIES = new WeakMap();
/** Who led is looked for among so many of the last terms. */
const TERMS = 8;
/** A view that came so long (microseconds) after an answer, or before, is of the same move. */
const PUSHED = 400_000;

/**
 * The calls that are drawn at a moment: all that are to be seen, or where these are too many
 * a few that are followed from beginning to end; one in `oneIn`.
 * @param {Model} model
 * @param {number} time
 * @param {Pace} pace
 * @param {number} most
 * @returns {{sparks: Spark[], oneIn: number}}
 */
export function sparksOf(model, time, pace, most) {
  const seen = 6 * pace.leg + 2 * pace.flight;
  const clients = [...model.clients.values()];
  const recent = clients.map(({ calls }) => before(calls, time + 1, at) - before(calls, time - seen, at));
  const count = recent.reduce((sum, one) => sum + one, 0);
  const every = count > most ? Math.ceil(clients.length / most) : 1;
  /** @type {Spark[]} */
  const sparks = [];
  clients.forEach(({ calls }, place) => {
    if (place % every) return;
    const behind = before(calls, time + 1, at);
    const many = recent[place] ?? 0;
    const chosen = count > most && many > 1 ? [followed(calls, time, seen, place / clients.length)] : latest(behind, many);
    for (const one of chosen) {
      const call = calls[one];
      const spark = call && sparkOf(call, time, pace, calls[one + 1]?.at);
      if (spark) sparks.push({ ...spark, leader: leaderAt(model, Math.min(time, spark.call.returned ?? time)) });
    }
  });
  return { sparks, oneIn: count > most ? Math.max(1, Math.round(count / Math.max(1, sparks.length))) : 1 };
}

/** The places of the last so many calls, and of those before that may still wait. @param {number} behind @param {number} many */
function latest(behind, many) {
  const first = Math.max(0, behind - many - LATEST);
  return Array.from({ length: behind - first }, (_, place) => first + place);
}

/**
 * The place of the call that is followed of a client that asks all the time: the first one
 * in each stretch of time that is long enough for it to be seen to its end.
 * @param {readonly CallLine[]} calls
 * @param {number} time
 * @param {number} seen how long that is
 * @param {number} phase 0 to 1: not all stretches begin at once
 */
function followed(calls, time, seen, phase) {
  const begins = (Math.floor(time / seen - phase) + phase) * seen;
  const first = before(calls, begins, at);
  return (calls[first]?.at ?? Infinity) <= time ? first : first - 1;
}

/**
 * @param {CallLine} call
 * @param {number} time
 * @param {Pace} pace
 * @param {number | undefined} next when the same client asked again
 * @returns {{call: CallLine, step: Spark["step"], part: number} | undefined}
 */
export function sparkOf(call, time, pace, next) {
  const { at: asked, returned, outcome } = call;
  const leg = returned === undefined || !pace.real ? pace.leg : Math.min(pace.leg, (returned - asked) / 4);
  if (time < asked || leg <= 0) return undefined;
  if (time < asked + leg) return { call, step: "in", part: (time - asked) / leg };
  if (time < asked + 2 * leg) return { call, step: "on", part: (time - asked) / leg - 1 };
  // What it does is seen when its entries and the answers to them have been.
  const reads = call.asked === "read";
  const done = returned === undefined ? Infinity : pace.real ? returned : Math.max(returned, asked + 2 * leg + (reads ? 0 : 2 * pace.flight));
  const until = returned === undefined ? next ?? Infinity : done;
  if (time < until) return { call, step: "waits", part: 0 };
  if (returned === undefined) return undefined;
  if (time < done + leg) return { call, step: "back", part: (time - done) / leg };
  if (outcome === "ok" && !reads && time < done + 3 * leg) return { call, step: "out", part: (time - done - leg) / (2 * leg) };
  return undefined;
}

/** Who led at a moment, as the terms tell. @param {Model} model @param {number} time */
export function leaderAt({ terms }, time) {
  const behind = before(terms, time + 1, ({ from }) => from);
  for (let place = behind - 1; place >= Math.max(0, behind - TERMS); place -= 1) {
    const { led, leader } = item(terms, place);
    if (led !== undefined && led <= time) return leader;
  }
  return undefined;
}

/**
 * Who of the clients was shown what a move made, beside the one who made it.
 * @param {Model} model
 * @param {CallLine} call
 * @returns {number[]}
 */
export function shownTo(model, { client, room, version, returned }) {
  if (version === undefined || returned === undefined) return [];
  /** @type {number[]} */
  const shown = [];
  for (const { id, pushes } of model.clients.values()) {
    if (id === client) continue;
    for (let place = before(pushes, returned - PUSHED, at); place < pushes.length; place += 1) {
      const push = item(pushes, place);
      if (push.at > returned + PUSHED) break;
      if (push.room !== room || push.version !== version) continue;
      shown.push(id);
      break;
    }
  }
  return shown;
}

/**
 * The followers that said to the leader, while a move waited, that they have its entries: no
 * more than make a majority with the leader, in the order of their answers.
 * @param {Model} model
 * @param {CallLine} call
 * @param {number} leader
 * @param {readonly number[]} voters
 * @returns {number[]}
 */
export function majorityFor(model, call, leader, voters) {
  const known = MAJORITIES.get(call);
  if (known || call.returned === undefined) return known ?? [];
  const found = foundFor(model, call.at, call.returned, leader, voters);
  MAJORITIES.set(call, found);
  return found;
}

/** @param {Model} model @param {number} asked @param {number} returned @param {number} leader @param {readonly number[]} voters */
function foundFor({ messages }, asked, returned, leader, voters) {
  const needed = Math.floor(voters.length / 2);
  /** @type {Set<number>} */
  const found = new Set();
  const behind = before(messages, returned + 1, at);
  for (let place = before(messages, asked, at); place < behind && found.size < needed; place += 1) {
    const { what, answer, yes, from, to, received = Infinity } = item(messages, place);
    if (what === "append" && answer && yes && to === leader && received <= returned && voters.includes(from)) found.add(from);
  }
  return [...found];
}
