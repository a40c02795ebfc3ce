// The story of a timeline: its sentences in the order in which things happened, and what is
// worked out of all clients' calls together.

import { item } from "./search.js";
import { answered, sentence } from "./told.js";
import { span } from "./words.js";

/** @typedef {import("./read.js").Model} Model */
/** @typedef {import("./types.js").Entry} Entry */
/** @typedef {import("./types.js").CallLine} CallLine */

/** What several nodes tell within this time (microseconds) is told once. */
const REPEATED = 2_000_000;

/** A call that waited longer (microseconds) is told, and so is a longer time without an acknowledged move. */
export const LONG = 250_000;

/**
 * Answers to clients in the order in which they came.
 * @typedef {{times: Float64Array, waits: Float64Array}} Answers
 */

/**
 * Acknowledged calls: when, and how long each took.
 * @param {Model} model
 * @param {(call: CallLine) => boolean} [which]
 * @returns {Answers}
 */
export function answers(model, which = () => true) {
  /** @type {[number, number][]} */
  const found = [];
  for (const { calls } of model.clients.values()) {
    for (const call of calls) {
      if (call.outcome === "ok" && call.returned !== undefined && which(call)) found.push([call.returned, call.returned - call.at]);
    }
  }
  found.sort((one, other) => one[0] - other[0]);
  return { times: Float64Array.from(found, ([time]) => time), waits: Float64Array.from(found, ([, wait]) => wait) };
}

/** @param {CallLine} call */
export const writes = (call) => call.asked === "write";

/**
 * Times longer than [`LONG`] in which no move was acknowledged although somebody wanted one.
 * @param {Model} model
 * @param {Answers} moves
 * @returns {import("./types.js").Span[]}
 */
export function gaps(model, { times }) {
  const asked = [...model.clients.values()].flatMap(({ calls }) => calls.filter(writes));
  if (!asked.length) return [];
  let last = asked.reduce((first, { at }) => Math.min(first, at), Infinity);
  /** @type {import("./types.js").Span[]} */
  const found = [];
  const until = (/** @type {number} */ time) => {
    if (time - last > LONG) found.push({ from: last, to: time, what: span(time - last) });
    last = time;
  };
  times.forEach(until);
  const waiting = asked.some(({ at, outcome }) => outcome === "unknown" && at >= last);
  if (waiting) until(model.end);
  return found;
}

/**
 * Everything that is told. What is `minor` is told to those who want all calls.
 * @param {Model} model
 * @returns {Entry[]}
 */
export function story(model) {
  const again = repeats();
  const told = model.facts.map((fact) => ({ ...ofFact(model, fact), minor: again(fact) }));
  const entries = told.filter(({ text }) => text !== "");
  for (const client of model.clients.values()) {
    for (const call of client.calls) entries.push(ofCall(model, call));
  }
  for (const { from, to, what } of gaps(model, answers(model, writes))) {
    const ended = to < model.end;
    const text = ended ? `After ${what} without one, a move is acknowledged` : `No move is acknowledged any more, for ${what}`;
    entries.push({ at: ended ? to : from, tone: "gap", lane: "moves", text, minor: false, term: undefined });
  }
  return entries.sort((one, other) => one.at - other.at);
}

/**
 * Says of one fact after the other whether another node has just told the same.
 * @returns {(fact: import("./types.js").Fact) => boolean}
 */
function repeats() {
  /** @type {Map<string, number>} */
  const told = new Map();
  return ({ line }) => {
    if (line.kind !== "told" || line.node === undefined) return false;
    const key = `${line.about}: ${line.text}`;
    const last = told.get(key);
    told.set(key, line.at);
    return last !== undefined && line.at - last < REPEATED;
  };
}

/**
 * @param {Model} model
 * @param {import("./types.js").Fact} fact
 * @returns {Entry}
 */
function ofFact(model, fact) {
  const { line } = fact;
  const node = "node" in line && line.node !== undefined ? line.node : undefined;
  const lane = node === undefined ? lanesOf(line) : model.nodeName(node);
  const term = line.kind === "role" ? line.term : undefined;
  return { at: line.kind === "head" ? 0 : line.at, tone: toneOf(line), lane, text: sentence(model, fact), minor: false, term };
}

/** @param {import("./types.js").Line} line */
function toneOf(line) {
  if (line.kind === "process" && line.event === "started") return "role";
  return line.kind === "role" && (line.role === "leader" || line.role === "candidate") ? line.role : line.kind;
}

/** @param {import("./types.js").Line} line */
function lanesOf(line) {
  if (line.kind === "process") return line.name;
  return line.kind === "fault" || line.kind === "finding" ? "faults" : "";
}

/**
 * @param {Model} model
 * @param {CallLine} call
 * @returns {Entry}
 */
function ofCall(model, call) {
  const { returned = call.at } = call;
  const minor = call.outcome === "ok" && returned - call.at <= LONG;
  const lane = model.client(call.client).name;
  const tone = call.outcome === "ok" ? "call" : call.outcome;
  return { at: call.outcome === "unknown" ? call.at : returned, tone, lane, text: answered(model, call), minor, term: undefined };
}

/**
 * How often something happened in each of the bins of a window.
 * @param {Float64Array} times in order
 * @param {number} from where the first bin begins
 * @param {number} bin how long each is
 * @param {number} count how many
 * @returns {Uint32Array}
 */
export function binned(times, from, bin, count) {
  const bins = new Uint32Array(count);
  for (let place = 0; place < times.length; place += 1) {
    const at = Math.floor((item(times, place) - from) / bin);
    if (at >= 0 && at < count) bins[at] = item(bins, at) + 1;
  }
  return bins;
}
