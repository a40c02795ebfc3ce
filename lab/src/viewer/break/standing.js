// How each process stands at a moment: what can be done to it depends on that. Plain code.

import { lastUntil } from "../model/search.js";
import { listed } from "../model/words.js";

/** @typedef {import("../model/read.js").Model} Model */
/**
 * `id` is a node's; a frontend has none. `silent` says that gossip or a crash took it away.
 * @typedef {object} Standing
 * @property {string} name
 * @property {number | undefined} id
 * @property {"runs" | "paused" | "gone"} process
 * @property {string} role Raft's, as the node says; empty where nothing is known
 * @property {number} term
 * @property {boolean} leads in the highest term that anybody leads
 * @property {boolean} votes
 */

/**
 * All nodes in the order of their numbers, then all other processes.
 * @param {Model} model
 * @param {number} time
 * @returns {Standing[]}
 */
export function standings(model, time) {
  const leader = leaderAt(model, time);
  const voters = leader ? model.voters(leader.node, time) : model.head.nodes.map(({ id }) => id);
  const nodes = [...model.nodes.values()].sort((one, other) => one.id - other.id).map((track) => {
    const { role = "", term = 0 } = lastUntil(track.roles, time) ?? {};
    const process = processAt(model, track.name, time);
    return { name: track.name, id: track.id, process, role, term, leads: leader?.node === track.id && process !== "gone", votes: voters.includes(track.id) };
  });
  const known = new Set(nodes.map(({ name }) => name));
  const others = [...model.lives.keys()].filter((name) => !known.has(name)).sort();
  return [...nodes, ...others.map((name) => ({ name, id: undefined, process: processAt(model, name, time), role: "", term: 0, leads: false, votes: false }))];
}

/**
 * Who leads at a moment, in which term: the last to say so of the highest term.
 * @param {Model} model
 * @param {number} time
 * @returns {{node: number, term: number} | undefined}
 */
export function leaderAt(model, time) {
  /** @type {{node: number, term: number} | undefined} */
  let found;
  for (const { id, name, roles } of model.nodes.values()) {
    const line = lastUntil(roles, time);
    const leads = line?.role === "leader" && processAt(model, name, time) !== "gone";
    if (leads && line.term > (found?.term ?? -1)) found = { node: id, term: line.term };
  }
  return found;
}

/**
 * @param {Model} model
 * @param {string} name
 * @param {number} time
 * @returns {"runs" | "paused" | "gone"}
 */
export function processAt(model, name, time) {
  const span = model.lives.get(name)?.findLast(({ from, to }) => from <= time && time < to);
  if (!span) return "runs";
  return span.what === "paused" ? "paused" : "gone";
}

/**
 * "leads term 3", "stands still", in a few words.
 * @param {Standing} standing
 */
export function standingText({ id, process, role, term, leads, votes }) {
  if (process === "gone") return "has ended";
  if (process === "paused") return leads ? `stands still; it led term ${term}` : "stands still";
  if (id === undefined) return "a frontend, runs";
  if (leads) return `leads term ${term}`;
  if (role === "leader") return `believes that it leads term ${term}`;
  if (role === "candidate") return `asks for votes in term ${term}`;
  if (!votes) return role === "learner" ? `a spare, learns in term ${term}` : "does not vote";
  return term > 0 ? `follows in term ${term}` : "runs";
}

/**
 * How many vote, and who of the nodes that run does not.
 * @param {Standing[]} all
 */
export function counts(all) {
  const nodes = all.filter(({ id }) => id !== undefined);
  const voters = nodes.filter(({ votes }) => votes);
  const spares = nodes.filter(({ votes, process, role }) => !votes && process === "runs" && role === "learner");
  return { nodes: nodes.filter(({ votes, process }) => votes || process !== "gone").length, voters: voters.length, spares: spares.length };
}

/**
 * Why a scenario does not fit this cluster; empty when it does.
 * @param {import("../model/types.js").Scenario} scenario
 * @param {{voters: number, spares: number}} here
 */
export function unfit({ nodes, spares }, here) {
  if (nodes.length && !nodes.includes(here.voters)) {
    return `It is for ${listed(nodes.map(String)).replace(" and ", " or ")} nodes; here ${here.voters === 1 ? "one votes" : `${here.voters} vote`}.`;
  }
  if (spares > here.spares) return `It needs ${spares === 1 ? "a spare" : `${spares} spares`}; ${here.spares ? `there is ${here.spares}` : "there is none"}. Add one, and wait until it learns.`;
  return "";
}

/**
 * What a scenario's head says: what happens, what to expect, and why.
 * @param {string} about
 * @returns {{what: string, expect: string, why: string}}
 */
export function headOf(about) {
  const [, what = "", expect = "", why = ""] = /^([\s\S]*?)(?:Expect: ([\s\S]*?))?(?:Why: ([\s\S]*))?$/.exec(about) ?? [];
  const line = (/** @type {string} */ text) => text.replace(/\s+/g, " ").trim();
  return { what: line(what), expect: line(expect), why: line(why) };
}
