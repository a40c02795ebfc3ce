// What is broken at a moment: faults that have not ended, put together as they were made,
// with the time that is left when that is known. Plain code.

import { listed } from "../model/words.js";
import { lastingUs } from "./commands.js";
import { FRONTENDS } from "./offers.js";
import { processAt } from "./standing.js";

/** @typedef {import("../model/read.js").Model} Model */
/** @typedef {import("../model/types.js").Fault} Fault */
/**
 * Something that was done: when it was asked for, when it was answered, by which words.
 * @typedef {{at: number, answered: number, words: readonly string[]}} Did
 */
/**
 * `until` is when it heals by itself, nothing where nobody knows; `heal` are the words that
 * end it, for all its nodes; `more` says that they end more than this.
 * @typedef {{text: string, from: number, until: number | undefined, heal: string[], more: boolean}} Wrong
 */
/** @typedef {{what: string, from: string, to: string}} Way */

/** How much later (microseconds) than its answer a fault may be told. */
const LATE = 500_000;

/** A link's trouble: "cut to n2", "20 % lost from the frontends, streams only". */
const LINK = /^(.*?) (to|from) (the frontends|[^\s,]+)(, .*)?$/;

/**
 * What is wrong at a moment: processes first, then faults in the order in which they began.
 * @param {Model} model
 * @param {number} time
 * @param {readonly Did[]} done
 * @param {boolean} demo whether processes can be reached
 * @returns {Wrong[]}
 */
export function wrongs(model, time, done, demo) {
  const begun = model.faults.filter(({ from, to }) => from <= time && time < to);
  /** @type {Map<string, Fault[]>} */
  const groups = new Map();
  for (const fault of begun) {
    const { what } = wayOf(model, fault);
    const key = `${what} ${done.indexOf(/** @type {Did} */ (causeOf(fault, done)))}`;
    groups.set(key, [...(groups.get(key) ?? []), fault]);
  }
  const nodes = [...groups.values()].map((faults) => touched(model, faults));
  const faults = [...groups.values()].map((group, place) => ofGroup(model, group, done, (name) => nodes.some((names, other) => other !== place && names.includes(name))));
  return [...(demo ? processes(model, time) : []), ...faults];
}

/** @param {Model} model @param {number} time @returns {Wrong[]} */
function processes(model, time) {
  const found = [];
  for (const [name, spans] of model.lives) {
    const process = processAt(model, name, time);
    const { from = time } = spans.at(-1) ?? {};
    if (process === "paused") found.push({ text: `${name} stands still`, from, until: undefined, heal: ["resume", name], more: false });
    if (process === "gone") found.push({ text: `${name} has ended`, from, until: undefined, heal: ["restart", name], more: false });
  }
  return found;
}

/**
 * The deed that made a fault, as far as the times tell.
 * @param {Fault} fault
 * @param {readonly Did[]} done
 */
function causeOf({ from }, done) {
  return done.findLast(({ at, answered, words }) => words[0] === "fault" && words[1] !== "heal" && at <= from && from <= answered + LATE);
}

/**
 * @param {Model} model @param {Fault[]} faults @param {readonly Did[]} done
 * @param {(name: string) => boolean} elsewhere whether a node has other faults too
 * @returns {Wrong}
 */
function ofGroup(model, faults, done, elsewhere) {
  const [first] = /** @type {[Fault]} */ (faults);
  const cause = causeOf(first, done);
  const lasts = cause && lastingUs(cause.words);
  const heal = touched(model, faults);
  const from = faults.reduce((least, fault) => Math.min(least, fault.from), Infinity);
  return { text: textOf(faults.map((fault) => wayOf(model, fault))), from, until: lasts === undefined ? undefined : from + lasts, heal: ["fault", "heal", ...heal], more: heal.some(elsewhere) };
}

/** Who must be healed for it to end. @param {Model} model @param {Fault[]} faults */
function touched(model, faults) {
  const names = faults.map(({ node }) => (node === undefined ? "" : model.nodeName(node)));
  return [...new Set(names.filter((name) => name !== ""))].sort();
}

/**
 * From whom to whom; a fault of one node goes from it to nobody.
 * @param {Model} model @param {Fault} fault @returns {Way}
 */
function wayOf(model, { node, what }) {
  const name = node === undefined ? "" : model.nodeName(node);
  const [, trouble = "", way, peer = "", rest = ""] = LINK.exec(what) ?? [];
  if (way === undefined || name === "") return { what, from: name, to: "" };
  const end = peer === "the frontends" ? FRONTENDS : peer;
  return way === "to" ? { what: trouble + rest, from: name, to: end } : { what: trouble + rest, from: end, to: name };
}

/**
 * "cut: n1 from n2 and n3", "slow disk: n2".
 * @param {Way[]} ways of one trouble
 */
function textOf(ways) {
  const { what } = /** @type {Way} */ (ways[0]);
  if (ways.every(({ to }) => to === "")) {
    const names = [...new Set(ways.map(({ from }) => from).filter((name) => name !== ""))];
    return names.length ? `${listed(names)}: ${what}` : what;
  }
  const there = new Set(ways.map(({ from, to }) => `${from} ${to}`));
  const back = (/** @type {string} */ pair) => there.has(pair.split(" ").reverse().join(" "));
  const single = [...there].filter((pair) => !back(pair)).map((pair) => pair.replace(" ", " → "));
  const both = [...there].filter((pair) => back(pair) && order(pair)).map((pair) => pair.replace(" ", " – "));
  return `${what}: ${hubText(both) ?? [...both, ...single].join(", ")}`;
}

/** The one of two directions that is told. @param {string} pair */
function order(pair) {
  const [one = "", other = ""] = pair.split(" ");
  return other === FRONTENDS || (one !== FRONTENDS && one < other);
}

/**
 * One end that all pairs share, and the others: "n1 – n2 and n3".
 * @param {string[]} pairs
 */
function hubText(pairs) {
  if (pairs.length < 2) return undefined;
  const ends = pairs.map((pair) => pair.split(" – "));
  const hub = ends[0]?.find((end) => ends.every((others) => others.includes(end)));
  return hub && `${hub} – ${listed(ends.map(([one = "", other = ""]) => (one === hub ? other : one)).sort())}`;
}
