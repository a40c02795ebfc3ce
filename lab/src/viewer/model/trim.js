// What a model forgets: what is older than is kept, and the older half of what is too much.

import { at, before, forget, item } from "./search.js";

/** @typedef {import("./read.js").Model} Model */
/** @typedef {import("./types.js").MessageLine} MessageLine */

/** What is sent all the time. The rest is kept, however much of these there is. */
const EVERYDAY = new Set(["append", "heartbeat", "read-index"]);
/** So many messages are kept, half a minute at 10,000 a second. Beyond, the older half of the everyday ones is forgotten. */
const MESSAGES_MAX = 300_000;
/** So many calls are kept of all clients. Beyond, the older half is forgotten; their answers are still counted. */
const CALLS_MAX = 200_000;
/** So many pushes are kept of all clients. Beyond, the older half is forgotten. */
const PUSHES_MAX = 200_000;

/** @param {MessageLine} message */
export function everyday({ what }) {
  return EVERYDAY.has(what);
}

/**
 * Forgets what was before a moment, apart from what still holds at it.
 * @param {Model} model
 * @param {number} time
 */
export function trim(model, time) {
  model.begin = time;
  for (const track of model.nodes.values()) track.trim(time);
  trimLives(model, time);
  for (const [id, track] of model.nodes) {
    const gone = (model.lives.get(track.name) ?? []).some(({ from, to, what }) => what === "gone" && from < time && to === Infinity);
    if (gone && track.heard < time) model.nodes.delete(id);
  }
  trimClients(model, time);
  trimMessages(model, (message) => message.at >= time);
  keep(model.faults, ({ to }) => to >= time);
  keep(model.terms, ({ to }) => to >= time);
  forget(model.facts, time);
  model.answers.forget(time);
  model.moves.forget(time);
  model.gaps.forget(time);
}

/** @param {Model} model @param {number} time */
function trimLives({ lives }, time) {
  for (const spans of lives.values()) spans.splice(0, before(spans, time, ({ to }) => to));
}

/** Clients that have nothing left are forgotten as well. @param {Model} model @param {number} time */
function trimClients(model, time) {
  for (const [id, client] of model.clients) {
    forget(client.pushes, time);
    client.trimCalls(time);
    if (!client.calls.length && !client.pushes.length) model.clients.delete(id);
  }
  count(model);
}

/** @param {Model} model */
function count(model) {
  model.kept = { call: 0, push: 0 };
  for (const { calls, pushes } of model.clients.values()) {
    model.kept.call += calls.length;
    model.kept.push += pushes.length;
  }
}

/**
 * In place: others look into the same list.
 * @template T
 * @param {T[]} items
 * @param {(item: T) => boolean} stays
 */
function keep(items, stays) {
  let kept = 0;
  for (const one of items) {
    if (!stays(one)) continue;
    items[kept] = one;
    kept += 1;
  }
  items.length = kept;
}

/** @param {Model} model @param {(message: MessageLine) => boolean} stays */
function trimMessages(model, stays) {
  keep(model.messages, stays);
  model.flight = model.messages.reduce((longest, { at, received = at }) => Math.max(longest, received - at), 0);
}

/** @param {Model} model */
export function thinMessages(model) {
  const { messages } = model;
  if (messages.length <= MESSAGES_MAX) return;
  const cut = item(messages, MESSAGES_MAX / 2).at;
  for (const listener of model.listeners) listener.settle(cut);
  trimMessages(model, (message) => message.at >= cut || !everyday(message));
  model.since.messages = cut;
  // Where even the rare ones are too many, the oldest go.
  if (messages.length > MESSAGES_MAX) messages.splice(0, MESSAGES_MAX / 2);
}

/** @param {Model} model */
export function halveCalls(model) {
  if (model.kept.call <= CALLS_MAX) return;
  const cut = middle([...model.clients.values()].map(({ calls }) => calls));
  for (const client of model.clients.values()) client.trimCalls(cut);
  model.since.calls = cut;
  count(model);
}

/** @param {Model} model */
export function halvePushes(model) {
  if (model.kept.push <= PUSHES_MAX) return;
  const cut = middle([...model.clients.values()].map(({ pushes }) => pushes));
  for (const { pushes } of model.clients.values()) forget(pushes, cut);
  model.since.pushes = cut;
  count(model);
}

/** The moment before which half of the things in several lists stand. @param {{at: number}[][]} lists */
function middle(lists) {
  const total = lists.reduce((sum, list) => sum + list.length, 0);
  let low = lists.reduce((least, list) => Math.min(least, list[0]?.at ?? Infinity), Infinity);
  let high = lists.reduce((most, list) => Math.max(most, list.at(-1)?.at ?? 0), 0);
  while (low < high) {
    const guess = Math.floor((low + high) / 2);
    const older = lists.reduce((sum, list) => sum + before(list, guess + 1, at), 0);
    if (older < total / 2) low = guess + 1;
    else high = guess;
  }
  return low;
}
