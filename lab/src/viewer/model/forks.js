// Forks of a simulated day: what can be done instead, in the simulator's words, and how two
// days differ from there on.

import { before } from "./search.js";

/** @typedef {import("./types.js").Line} Line */
/** @typedef {import("./read.js").Model} Model */
/** @typedef {import("./story.js").Entry} Entry */

/**
 * Something that can be done at a moment. `takes` is what it has to be told, in the order of
 * its words; every `for` may be left out, and then it lasts until the day heals it.
 * @typedef {{verb: string, does: string, takes: ("node" | "other" | "by" | "percent" | "for")[]}} Deed
 */
/**
 * What somebody has chosen. Times are as the simulator takes them: "500ms", "3s".
 * @typedef {{verb: string, node: string, other: string, by: string, percent: string, for: string, instead: boolean}} Choice
 */

/** What can be done, as `scripts/simulate --help` has it. @type {Deed[]} */
export const DEEDS = [
  { verb: "kill", does: "kill a node", takes: ["node", "for"] },
  { verb: "power", does: "take a node's power", takes: ["node", "for"] },
  { verb: "pause", does: "pause a node", takes: ["node", "for"] },
  { verb: "restart", does: "restart a node", takes: ["node", "for"] },
  { verb: "blackout", does: "take all nodes' power", takes: ["for"] },
  { verb: "isolate", does: "cut a node off", takes: ["node", "for"] },
  { verb: "cut", does: "cut two nodes from each other", takes: ["node", "other", "for"] },
  { verb: "one-way", does: "cut one way between two nodes", takes: ["node", "other", "for"] },
  { verb: "halves", does: "cut off a minority, with the leader in it", takes: ["for"] },
  { verb: "bridge", does: "two sides, and one node hears both", takes: ["for"] },
  { verb: "ring", does: "each node hears its two neighbours", takes: ["for"] },
  { verb: "gossip-cut", does: "cut only a node's gossip", takes: ["node", "for"] },
  { verb: "raft-cut", does: "cut only a node's Raft", takes: ["node", "for"] },
  { verb: "delay", does: "delay a node's packets", takes: ["node", "by", "for"] },
  { verb: "drop", does: "lose a share of all packets", takes: ["percent", "for"] },
  { verb: "slow-disk", does: "slow a node's disk", takes: ["node", "for"] },
  { verb: "fail-fsync", does: "let a node's syncs fail", takes: ["node", "for"] },
  { verb: "full-disk", does: "fill a node's disk", takes: ["node", "for"] },
  { verb: "start", does: "start a node that is gone", takes: ["node"] },
  { verb: "resume", does: "let a paused node go on", takes: ["node"] },
  { verb: "heal", does: "heal the network", takes: [] },
  { verb: "nothing", does: "nothing more that was planned", takes: [] },
];

/** @param {string} verb @returns {Deed} */
export function deed(verb) {
  return DEEDS.find((one) => one.verb === verb) ?? { verb, does: verb, takes: [] };
}

/**
 * A choice in the simulator's words: "instead isolate leader 3s".
 * @param {Choice} choice
 */
export function faultWords(choice) {
  const { verb, takes } = deed(choice.verb);
  const words = [choice.instead && verb !== "nothing" ? "instead" : "", verb, ...takes.map((take) => choice[take])];
  return words.filter((word) => word !== "").join(" ");
}

/**
 * A moment in the simulator's words, to the microsecond: "12.345s".
 * @param {number} us
 */
export function momentWords(us) {
  return `${Number((Math.round(us) / 1e6).toFixed(6))}s`;
}

/**
 * The command line that makes a fork of the day that a head is of.
 * @param {string} command the head's
 * @param {number} at
 * @param {string} fault
 */
export function forkCommand(command, at, fault) {
  return `${command} --fork "${momentWords(at)} ${fault}"`;
}

/**
 * A fork as it stands in the page's address, "12345678us kill n1"; none where that is not one.
 * @param {string | null} text
 * @returns {{at: number, fault: string} | undefined}
 */
export function readFork(text) {
  const found = /^(\d{1,15})us ([a-z0-9][a-z0-9 .%-]{0,78})$/.exec(text ?? "");
  return found ? { at: Number(found[1]), fault: found[2] ?? "" } : undefined;
}

/** @param {number} at @param {string} fault */
export function writeFork(at, fault) {
  return `${Math.round(at)}us ${fault}`;
}

/** Where a timeline says itself that it was forked. @param {Model} model @returns {number[]} */
export function forkedAt(model) {
  return model.facts.filter(({ line }) => line.kind === "told" && line.about === "fork").map(({ at }) => at);
}

/**
 * What was known of a line at a moment: how a call ended, or whether a message came, may
 * depend on what is done later.
 * @param {Line} line
 * @param {number} time
 * @returns {Line}
 */
function asKnown(line, time) {
  if (line.kind === "message" && (line.received ?? time) > time) return { ...line, received: undefined };
  if (line.kind === "call" && (line.returned ?? Infinity) > time) {
    return { kind: "call", at: line.at, client: line.client, by: "", asked: line.asked, action: line.action, line: line.line, outcome: "unknown" };
  }
  return line;
}

/** Whether a line may be told on one day only: of reads a simulated day tells those that were answered. @param {Line} line @param {number} time */
function isPending(line, time) {
  return line.kind === "call" && line.asked === "read" && (line.returned ?? Infinity) > time;
}

/**
 * Whether two days are one until a moment: only then is one a fork of the other. Another build
 * of the simulator makes other days.
 * @param {readonly Line[]} one
 * @param {readonly Line[]} other
 * @param {number} time
 */
export function samePast(one, other, time) {
  // Packing puts a line's fields in whatever order.
  const text = (/** @type {Line} */ line) => JSON.stringify(Object.entries(line).filter(([, value]) => value !== undefined).sort());
  const past = (/** @type {readonly Line[]} */ lines) =>
    lines.filter((line) => "at" in line && line.at < time && !isPending(line, time)).map((line) => text(asKnown(line, time)));
  const [left, right] = [past(one), past(other)];
  return left.length === right.length && left.every((line, place) => line === right[place]);
}

/** What is told of both days within this time (microseconds) is the same thing, a little later. */
const TOGETHER = 1_000_000;

/**
 * A sentence that only one of two days has.
 * @typedef {{at: number, which: "original" | "fork", entry: Entry}} Difference
 */

/** Numbers that tell how long something took make no other sentence. @param {string} text */
const gist = (text) => text.replace(/[\d.,]+ m?s\b/g, "so long").replace(/in incarnation \d+/, "");

/**
 * The sentences from a moment on that only one of two days has, everyday calls left out. What
 * both have happened at nearly the same time.
 * @param {readonly Entry[]} original
 * @param {readonly Entry[]} fork
 * @param {number} from
 * @returns {Difference[]}
 */
export function differences(original, fork, from) {
  const rest = (/** @type {readonly Entry[]} */ story) => story.slice(before(story, from, ({ at }) => at)).filter(({ minor }) => !minor);
  /** @type {Map<string, Entry[]>} */
  const open = new Map();
  for (const entry of rest(original)) open.set(gist(entry.text), [...(open.get(gist(entry.text)) ?? []), entry]);
  /** @type {Difference[]} */
  const found = [];
  for (const entry of rest(fork)) {
    const same = open.get(gist(entry.text)) ?? [];
    const place = same.findIndex(({ at }) => Math.abs(at - entry.at) <= TOGETHER);
    if (place < 0) found.push({ at: entry.at, which: "fork", entry });
    else same.splice(place, 1);
  }
  for (const entries of open.values()) found.push(...entries.map((entry) => /** @type {Difference} */ ({ at: entry.at, which: "original", entry })));
  return found.sort((one, other) => one.at - other.at || other.which.localeCompare(one.which));
}
