// Logs as strips of cells, lined up by index: what each node has, what it knows to be
// committed, and what another leader will overwrite, as far as that can be known.

import { at, before, item, lastUntil } from "../model/search.js";

/** @typedef {import("../model/read.js").Model} Model */
/** @typedef {import("../model/moment.js").Moment} Moment */
/** @typedef {import("../model/moment.js").NodeMoment} NodeMoment */
/**
 * Where a term's log begins: its leader's log had all before `from` when it was elected.
 * `sure` is whether the leader said so when it asked for votes.
 * @typedef {{term: number, from: number, sure: boolean}} Start
 */
/**
 * An entry on a node. `doomed` is one that the leader of a higher term does not have;
 * `purged` one that only the snapshot still holds. `term` is 0 where it is not known.
 * @typedef {{index: number, state: "committed" | "known" | "doomed" | "purged" | "none", term: number}} Cell
 */
/**
 * `behind` is how many entries lie between this log's end and the first cell, if it ends
 * before. `same` says of its state's hash whether another node told one at the same index.
 * @typedef {{node: NodeMoment, cells: Cell[], behind: number, same: "equal" | "different" | "alone", doomed: number}} Strip
 */
/** @typedef {{first: number, last: number, strips: Strip[]}} Strips */

/** How many cells a strip has. */
export const CELLS = 24;
/** How long before it leads (microseconds) a leader asked for its votes, at most. */
const ASKED = 1_500_000;
/** So many of a node's latest lines are looked at for a hash at another's index. */
const LATEST = 48;

/** @type {WeakMap<Model, Map<number, Start>>} */
const STARTS = new WeakMap();

/**
 * Where a term's entries begin: behind the last entry that its leader had when it asked for
 * votes. Where no such message is told, behind the last that its log had then.
 * @param {Model} model
 * @param {import("../model/types.js").TermBand} band
 * @returns {Start | undefined}
 */
export function startOf(model, band) {
  const known = STARTS.get(model) ?? new Map();
  STARTS.set(model, known);
  const kept = known.get(band.term);
  if (kept || band.leader === undefined || band.led === undefined) return kept;
  const asked = askedFor(model, band.leader, band.term, band.led);
  const had = lastUntil(model.nodes.get(band.leader)?.logs ?? [], band.led)?.last;
  const from = asked ?? had;
  if (from === undefined) return undefined;
  const start = { term: band.term, from: from + 1, sure: asked !== undefined };
  known.set(band.term, start);
  return start;
}

/** The last entry that a candidate said it had. @param {Model} model @param {number} node @param {number} term @param {number} led */
function askedFor({ messages }, node, term, led) {
  for (let place = before(messages, led + 1, at) - 1; place >= 0; place -= 1) {
    const message = item(messages, place);
    if (message.at < led - ASKED) return undefined;
    if (message.what === "vote" && !message.answer && message.from === node && message.term === term) return message.index;
  }
  return undefined;
}

/**
 * The starts of all terms that had a leader by then, the newest first.
 * @param {Model} model
 * @param {number} time
 */
export function startsAt(model, time) {
  /** @type {Start[]} */
  const starts = [];
  for (let place = before(model.terms, time + 1, ({ from }) => from) - 1; place >= 0 && starts.length < 12; place -= 1) {
    const band = item(model.terms, place);
    const start = (band.led ?? Infinity) <= time ? startOf(model, band) : undefined;
    if (start) starts.push(start);
  }
  return starts;
}

/**
 * @param {Model} model
 * @param {Moment} moment
 * @returns {Strips}
 */
export function stripsOf(model, moment) {
  const starts = startsAt(model, moment.time);
  const last = moment.nodes.reduce((most, { log }) => Math.max(most, log?.last ?? log?.applied ?? 0), 0);
  const first = Math.max(0, last - CELLS + 1);
  const strips = moment.nodes.map((node) => stripOf(node, first, starts, model.terms[0]?.term ?? 0));
  for (const strip of strips) strip.same = sameAs(model, strip.node, moment);
  return { first, last: first + CELLS - 1, strips };
}

/**
 * @param {NodeMoment} node @param {number} first @param {readonly Start[]} starts @param {number} oldest the first term that the timeline tells of
 * @returns {Strip}
 */
function stripOf(node, first, starts, oldest) {
  const { log, term } = node;
  const last = log?.last ?? log?.applied ?? -1;
  const committed = log?.committed ?? log?.applied ?? -1;
  const overwritten = doomedFrom(node, starts);
  /** @type {Cell[]} */
  const cells = [];
  for (let index = first; index < first + CELLS; index += 1) {
    if (index > last) cells.push({ index, state: "none", term: 0 });
    else {
      const state = index >= overwritten && index > committed ? "doomed" : index <= (log?.purged ?? -1) ? "purged" : index <= committed ? "committed" : "known";
      const own = starts.find((start) => start.term <= term && start.from <= index);
      cells.push({ index, state, term: own?.term ?? (starts.some((start) => start.term <= term) ? oldest : term) });
    }
  }
  const doomed = Math.max(0, last - Math.max(overwritten, committed + 1) + 1);
  return { node, cells, behind: Math.max(0, first - 1 - last), same: "alone", doomed };
}

/**
 * From which entry on a node's log will be overwritten: where the leader of the newest term,
 * of which the node has not heard yet, began to write entries of its own. Nothing of that
 * term can be in this log, for whoever sends an entry says its term first.
 * @param {NodeMoment} node
 * @param {readonly Start[]} starts the newest first
 */
export function doomedFrom({ term }, starts) {
  const [newest] = starts;
  return newest && newest.term > term ? newest.from : Infinity;
}

/**
 * Compares a node's state with those that others told at the same applied index.
 * @param {Model} model
 * @param {NodeMoment} node
 * @param {Moment} moment
 * @returns {Strip["same"]}
 */
export function sameAs(model, { id, log }, { nodes, time }) {
  const { applied, hash } = log ?? {};
  if (applied === undefined || hash === undefined) return "alone";
  let same = /** @type {Strip["same"]} */ ("alone");
  for (const other of nodes) {
    const told = other.id === id ? undefined : hashAt(model.nodes.get(other.id)?.logs ?? [], applied, time);
    if (told !== undefined && told !== hash) return "different";
    if (told !== undefined) same = "equal";
  }
  return same;
}

/** @param {readonly import("../model/types.js").LogLine[]} logs @param {number} applied @param {number} time */
function hashAt(logs, applied, time) {
  const behind = before(logs, time + 1, at);
  for (let place = behind - 1; place >= Math.max(0, behind - LATEST); place -= 1) {
    const line = item(logs, place);
    if (line.applied === applied) return line.hash;
    if (line.applied !== undefined && line.applied < applied) return undefined;
  }
  return undefined;
}

/**
 * A hash as a picture: a colour, and which of five by five fields are filled. Equal hashes
 * have equal pictures.
 * @param {string} hash hexadecimal
 * @returns {{hue: number, light: boolean, fields: boolean[]}}
 */
export function picture(hash) {
  const number = parseInt(hash.slice(0, 8), 16) || 0;
  const mixed = Math.imul(number ^ (number >>> 15), 0x2c1b3c6d) >>> 0;
  const fields = Array.from({ length: 25 }, (_, field) => {
    const [row, column] = [Math.floor(field / 5), field % 5];
    return ((mixed >>> ((row * 3 + Math.min(column, 4 - column)) % 31)) & 1) === 1;
  });
  return { hue: (parseInt(hash.slice(-4), 16) || 0) % 360, light: (mixed & 1) === 1, fields };
}
