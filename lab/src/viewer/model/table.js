// The nodes as a table of words: what the picture shows at a moment, for whoever cannot see
// it.

import { lastUntil } from "./search.js";
import { isAwaited } from "./tracks.js";
import { grouped, listed } from "./words.js";

/** @typedef {import("./read.js").Model} Model */
/** @typedef {import("./tracks.js").NodeTrack} NodeTrack */

/** What each column is called. */
export const COLUMNS = ["node", "process", "role", "term", "leader", "voted for", "last", "committed", "applied", "hash", "member", "suspects", "suspected by"];

/** Letters of a hash that are shown: enough to see that two are equal. */
const HASH = 8;

/** What became of a process. @type {Record<string, string>} */
const LIVES = { gone: "gone", paused: "stands still" };

/**
 * A row for each node, in the order of [`COLUMNS`].
 * @param {Model} model
 * @param {number} time
 * @returns {string[][]}
 */
export function rows(model, time) {
  return [...model.nodes.values()].map((track) => row(model, track, time));
}

/** @param {Model} model @param {NodeTrack} track @param {number} time */
function row(model, track, time) {
  const life = lifeOf(model, track.name, time);
  const gone = life === "gone";
  const role = gone ? undefined : lastUntil(track.roles, time);
  const log = gone ? undefined : lastUntil(track.logs, time);
  const name = (/** @type {number | undefined} */ id) => (id === undefined ? "" : model.nodeName(id));
  const number = (/** @type {number | undefined} */ index) => (index === undefined ? "" : grouped(index));
  return [
    track.name,
    isAwaited(model.lives.get(track.name), time) ? "not there yet" : LIVES[life] ?? "runs",
    role?.role ?? "",
    role ? String(role.term) : "",
    name(role?.leader),
    name(role?.voted),
    number(log?.last),
    number(log?.committed),
    number(log?.applied),
    log?.hash?.slice(0, HASH) ?? "",
    memberOf(model, track.id, time),
    gone ? "" : suspects(model, track, time),
    suspectedBy(model, track.id, time),
  ];
}

/** @param {Model} model @param {string} name @param {number} time */
function lifeOf({ lives }, name, time) {
  return (lives.get(name) ?? []).find(({ from, to }) => from <= time && time < to)?.what ?? "";
}

/**
 * What a node is in the cluster, by the newest list of members that anybody knows.
 * @param {Model} model
 * @param {number} node
 * @param {number} time
 * @returns {string}
 */
export function memberOf(model, node, time) {
  /** @type {import("./types.js").MembersLine | undefined} */
  let newest;
  for (const { members } of model.nodes.values()) {
    const known = lastUntil(members, time);
    if (known && known.index >= (newest?.index ?? -1)) newest = known;
  }
  if (!newest) return "";
  const now = newest.voters.at(-1) ?? [];
  if (newest.voters.length > 1 && newest.voters[0]?.includes(node) && !now.includes(node)) return "leaving";
  if (now.includes(node)) return newest.voters.length > 1 && !newest.voters[0]?.includes(node) ? "newcomer" : "voter";
  return newest.learners?.includes(node) ? "learner" : "stranger";
}

/** @param {Model} model @param {NodeTrack} track @param {number} time */
function suspects(model, { sees }, time) {
  const doubted = [...sees].flatMap(([about, lines]) => {
    const line = lastUntil(lines, time);
    if (!line || line.state === "alive") return [];
    return [line.state === "suspect" ? model.nodeName(about) : `${model.nodeName(about)} (${line.state})`];
  });
  return listed(doubted) || "nobody";
}

/** Who of those that run doubts a node. @param {Model} model @param {number} node @param {number} time */
function suspectedBy(model, node, time) {
  const doubting = [...model.nodes.values()].filter(({ name, sees }) => {
    const line = lastUntil(sees.get(node) ?? [], time);
    return line && line.state !== "alive" && lifeOf(model, name, time) !== "gone";
  });
  return listed(doubting.map(({ name }) => name)) || "nobody";
}

/**
 * Who leads, in a few words: "n2 leads term 7", "nobody leads".
 * @param {Model} model
 * @param {number} time
 */
export function leads(model, time) {
  /** @type {import("./types.js").RoleLine | undefined} */
  let best;
  for (const track of model.nodes.values()) {
    const role = lastUntil(track.roles, time);
    if (role?.role === "leader" && role.term > (best?.term ?? 0) && lifeOf(model, track.name, time) !== "gone") best = role;
  }
  const highest = Math.max(0, ...[...model.nodes.values()].map(({ roles }) => lastUntil(roles, time)?.term ?? 0));
  if (!best || best.term < highest) return { words: highest ? `nobody leads term ${highest}` : "nobody leads", term: highest, led: false };
  return { words: `${model.nodeName(best.node)} leads term ${best.term}`, term: best.term, led: true };
}
