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
 * that step it has gone. `leader` led when it was asked.
 * @typedef {{call: CallLine, step: "in" | "on" | "waits" | "back" | "out", part: number, leader: number | undefined}} Spark
 */

/** One client's calls that are looked at: the last so many. */
const LATEST = 3;
/** @type {WeakMap<CallLine, number[]>} */
const MAJORITIES = new WeakMap();
/** Who led is looked for among so many of the last terms. */
const TERMS = 8;
/** A view that came so long (microseconds) after an answer, or before, is of the same move. */
const PUSHED = 400_000;

/**
 * The calls that are drawn at a moment: for each client the latest that is to be seen.
 * @param {Model} model
 * @param {number} time
 * @param {Pace} pace
 * @param {number} most
 * @returns {{sparks: Spark[], oneIn: number}}
 */
export function sparksOf(model, time, pace, most) {
  const oneIn = Math.max(1, Math.ceil(model.clients.size / most));
  /** @type {Spark[]} */
  const sparks = [];
  let place = 0;
  for (const { calls } of model.clients.values()) {
    place += 1;
    if (place % oneIn) continue;
    const behind = before(calls, time + 1, at);
    for (let back = behind - 1; back >= Math.max(0, behind - LATEST); back -= 1) {
      const call = item(calls, back);
      const spark = sparkOf(call, time, pace, calls[back + 1]?.at);
      if (!spark) continue;
      sparks.push({ ...spark, leader: leaderAt(model, call.at) });
      break;
    }
  }
  return { sparks, oneIn };
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
