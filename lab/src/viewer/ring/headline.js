// What is the matter, in a few words for the middle of the ring and for its nodes.

import { counted, listed, span } from "../model/words.js";

/** @typedef {import("../model/moment.js").Moment} Moment */
/** @typedef {import("../model/moment.js").NodeMoment} NodeMoment */
/** @typedef {{title: string, rest: string, tone: "calm" | "election" | "bad"}} Headline */

/** How many of its voters a node needs at least. @param {number} voters */
export const majority = (voters) => Math.floor(voters / 2) + 1;

/**
 * @param {Moment} moment
 * @returns {Headline}
 */
export function headline(moment) {
  const { nodes, leader, term } = moment;
  const asking = nodes.filter(({ role }) => role === "candidate");
  const leading = nodes.find(({ id }) => id === leader);
  if (!nodes.length) return { title: "", rest: "", tone: "calm" };
  if (!moment.told) return { title: "", rest: "This timeline tells nothing of nodes.", tone: "calm" };
  if (leading) return led(moment, leading);
  if (asking.length) {
    const { votes, needed } = votesOf(moment, asking[0] ?? nodes[0]);
    const rest = asking.length > 1 ? "The vote may be split." : `It has ${votes} of ${needed} votes that it needs.`;
    return { title: `${listed(asking.map(({ name }) => name))} ${asking.length > 1 ? "ask" : "asks"} for votes in term ${term}`, rest, tone: "election" };
  }
  const was = nodes.find(({ role, process, id }) => process === "gone" && role === undefined && nodes.some((node) => node.leader === id));
  const stale = nodes.find((node) => node.stale);
  if (stale) return { title: `Nobody leads term ${term}`, rest: `${stale.name} takes itself for the leader of term ${stale.term}.`, tone: "bad" };
  return was ? { title: `${was.name} is gone: nobody leads`, rest: waiting(moment), tone: "bad" } : { title: "Nobody leads", rest: waiting(moment), tone: "bad" };
}

/** @param {Moment} moment @param {NodeMoment} leading @returns {Headline} */
function led({ nodes, members }, leading) {
  const title = `${leading.name} leads term ${leading.term}`;
  const stale = nodes.find((node) => node.stale);
  if (leading.process === "paused") return { title: `${leading.name} leads, but stands still`, rest: "Its followers wait for it, until their timers run out.", tone: "bad" };
  if (stale) return { title, rest: `${stale.name} still takes itself for the leader of term ${stale.term}, and can commit nothing new.`, tone: "election" };
  const silent = members.voters.some((voters) => !heeds(nodes, voters, leading.id));
  if (silent) return { title, rest: "No majority answers it: it can commit nothing.", tone: "bad" };
  if (members.joint) return { title, rest: joint(nodes, members.voters), tone: "election" };
  const voters = members.voters.at(-1) ?? [];
  const there = voters.filter((id) => !silentTo(nodes, id, leading.id)).length;
  const rest = leading.raft === undefined ? "" : there === voters.length ? `All ${counted(there, "voter")} take part.` : `${there} of ${voters.length} voters take part.`;
  return { title, rest, tone: "calm" };
}

/** @param {readonly NodeMoment[]} nodes @param {number[][]} lists */
function joint(nodes, lists) {
  const names = lists.map((list) => `${list.map((id) => nodes.find((node) => node.id === id)?.name ?? `n${id}`).join(", ")}`);
  return `Joint consensus: a majority of ${names.join(", and one of ")}, must agree.`;
}

/** @param {readonly NodeMoment[]} nodes @param {number} id @param {number} leader */
function silentTo(nodes, id, leader) {
  return id !== leader && nodes.find((node) => node.id === id)?.raft === "silent";
}

/** Whether a majority may be there, as far as is known. @param {readonly NodeMoment[]} nodes @param {readonly number[]} voters @param {number} leader */
function heeds(nodes, voters, leader) {
  return voters.filter((id) => !silentTo(nodes, id, leader)).length >= majority(voters.length);
}

/** When somebody may stand for election. @param {Moment} moment */
function waiting({ nodes }) {
  const timers = nodes.flatMap(({ timer, process }) => (timer !== undefined && process === "runs" ? [timer] : []));
  if (!timers.length) return "";
  return "Followers wait until their timers run out; then one asks for votes.";
}

/**
 * @param {Moment} moment
 * @param {NodeMoment | undefined} candidate
 */
export function votesOf({ nodes, members }, candidate) {
  const counted = members.voters.map((voters) => {
    const votes = nodes.filter(({ id, voted, term }) => voters.includes(id) && candidate && voted === candidate.id && term === candidate.term).length;
    return { votes, needed: majority(voters.length) };
  });
  // While voters change, it needs a majority of both lists (thesis, section 4.3): the one that lacks more.
  return counted.reduce((most, one) => (one.needed - one.votes >= most.needed - most.votes ? one : most), counted[0] ?? { votes: 0, needed: majority(0) });
}

/** What a node is, in one or two words beside it. @param {Moment} moment @param {NodeMoment} node @returns {string} */
export function roleWord({ told }, node) {
  if (node.awaited) return "not there yet";
  if (node.process === "gone") return "gone";
  if (node.process === "paused") return "stands still";
  if (node.stale) return "old leader";
  const { role, member } = node;
  if (member === "leaving") return role ? `${role}, leaving` : "leaving";
  if (member === "newcomer") return role ? `${role}, joining` : "joining";
  if (!told) return "";
  if (member === "stranger") return "not a member";
  if (role === undefined) return "starting";
  return role;
}

/**
 * The second line under a node: whom it follows, or its vote.
 * @param {Moment} moment
 * @param {NodeMoment} node
 */
export function besideRole(moment, node) {
  const name = (/** @type {number} */ id) => moment.nodes.find((other) => other.id === id)?.name ?? `n${id}`;
  if (node.process === "gone" || node.role === undefined) return "";
  if (node.role === "candidate") {
    const { votes, needed } = votesOf(moment, node);
    return `${votes} of ${needed} votes`;
  }
  if (node.role === "leader") return node.stale ? `of term ${node.term}` : "";
  if (node.leader === undefined) return node.voted === undefined ? "knows no leader" : `vote for ${name(node.voted)}`;
  return node.role === "learner" ? `learns from ${name(node.leader)}` : `follows ${name(node.leader)}`;
}

/** Faults of a node's own, in a word or two. @type {[RegExp, string][]} */
const FAULTS = [
  [/^slow disk/, "slow disk"],
  [/^syncs of the log fail/, "syncs fail"],
  [/disk is full/, "disk full"],
  [/not synced is lost/, "disk forgets"],
  [/^the clock is/, "clock wrong"],
  [/the frontends/, "cut from frontends"],
];

/** What is wrong with a node's own surroundings, links left out. @param {NodeMoment} node */
export function faultWords({ faults }) {
  const words = faults.map(({ what }) => FAULTS.find(([says]) => says.test(what))?.[1] ?? "");
  return [...new Set(words)].filter((word) => word !== "").join(", ");
}

/** All of it in one sentence, for those who do not see the picture. @param {Moment} moment @param {NodeMoment} node */
export function spoken(moment, node) {
  // What is to be read on it comes first, as it is to be read.
  const written = node.term ? `${node.name} term ${node.term}` : node.name;
  const process = node.process === "runs" ? "its process runs" : node.awaited ? "" : `its process is ${node.process}`;
  const parts = [written, roleWord(moment, node), besideRole(moment, node), process, ...node.faults.map(({ what }) => what)];
  return parts.filter((part) => part !== "").join(", ");
}

/**
 * The gap's words: what stands above the number, and the number.
 * @param {import("../model/gap.js").Gap | undefined} gap
 * @returns {[string, string]}
 */
export function gapWords(gap) {
  if (!gap) return ["", ""];
  const above = gap.ended ? "nobody could move for" : gap.guessed ? "no move acknowledged for" : "no move for";
  return [above, span(Math.floor(gap.us / 1000) * 1000)];
}
