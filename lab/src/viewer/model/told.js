// Plain words for what happened: a sentence for each fact, and for each call.

import { memberOf } from "./table.js";
import { counted, grouped, listed, size, span } from "./words.js";

/** @typedef {import("./read.js").Model} Model */
/** @typedef {import("./types.js").Fact} Fact */
/** @typedef {import("./types.js").RoleLine} RoleLine */

/** What became of a process. */
const BECAME = { started: "runs", ended: "has ended", paused: "stands still", resumed: "goes on" };

/** The same of whom a read was asked of that is never answered. @type {Record<string, string>} */
const AWAY = { gone: ", which has ended", paused: ", which stands still" };

/** A read may be under way for so long (microseconds) before its answer is lost with whoever would give it. */
const UNDER_WAY = 1_000_000;

/** What a write is called, where it is not called by its own name. @type {Record<string, string>} */
const WRITES = { play: "move", chat: "line of chat", say: "line of chat", open: "opening of a room", sit: "wish for a seat", stand: "wish to stand up", again: "wish to play again", remove: "removal of a player", lock: "locking of a room", publish: "publishing of a room" };

/**
 * The sentence for a fact; empty when there is nothing to say.
 * @param {Model} model
 * @param {Fact} fact
 * @returns {string}
 */
export function sentence(model, { line, before }) {
  switch (line.kind) {
    case "process":
      return `${line.name} ${BECAME[line.event]}`;
    case "role":
      return ofRole(model, line, before?.kind === "role" ? before : undefined);
    case "log":
      return `${model.nodeName(line.node)} has a snapshot up to entry ${grouped(line.snapshot ?? 0)}`;
    case "members":
      return ofMembers(model, line);
    case "gossip":
      return ofGossip(model, line, before?.kind === "gossip" ? before : undefined);
    case "fault":
      return ofFault(model, line);
    case "message":
      return ofMessage(model, line);
    case "told":
      return line.node === undefined ? line.text : `${model.nodeName(line.node)}: ${line.text}`;
    case "finding":
      return `Broken promise, ${line.promise}: ${line.text}`;
    case "verdict":
      return line.good ? "The judge: all promises were kept" : "The judge: a promise was broken";
    default:
      return "";
  }
}

/**
 * @param {Model} model
 * @param {RoleLine} line
 * @param {RoleLine | undefined} last
 */
function ofRole(model, line, last) {
  const name = model.nodeName(line.node);
  const newTerm = line.term !== last?.term;
  if (line.role === "candidate" && (newTerm || last?.role !== "candidate")) return candidacy(model, line, last);
  if (line.role === "leader" && (newTerm || last?.role !== "leader")) return victory(model, line, last);
  if (line.role === "shutdown" && last?.role !== "shutdown") return `${name} takes no more part in Raft`;
  const voted = line.voted !== undefined && (newTerm || line.voted !== last?.voted);
  // Whoever follows a leader has not voted for it: its vote counts as cast.
  if (voted && line.voted !== line.node && line.leader === undefined) {
    return `${name} grants its vote to ${model.nodeName(line.voted ?? 0)} in term ${line.term}`;
  }
  if (last?.role === "leader" && line.role !== "leader") {
    if (newTerm) return `${name} leads no more: it hears of term ${line.term}`;
    return `${name} leads term ${line.term} no more: it ${line.role === "learner" ? "votes no more" : "was started again"}`;
  }
  const leader = line.leader === undefined ? "" : model.nodeName(line.leader);
  if (line.role === "learner" && last?.role !== "learner") {
    return leader ? `${name} learns from ${leader} and does not vote` : `${name} is a learner and does not vote`;
  }
  if (leader && line.role !== "leader" && (newTerm || line.leader !== last?.leader)) {
    return `${name} follows ${leader} in term ${line.term}`;
  }
  return "";
}

/**
 * @param {Model} model
 * @param {RoleLine} line
 * @param {RoleLine | undefined} last
 */
function candidacy(model, line, last) {
  const name = model.nodeName(line.node);
  if (last?.role === "candidate") return `${name} got no majority in term ${last.term} and asks for votes in term ${line.term}`;
  // Without messages nobody knows what it has heard.
  if (!model.messages.length) return `${name} asks for votes in term ${line.term}`;
  const heard = model.heardBefore(line.node, line.at);
  if (heard !== undefined) return `${name} has heard no leader for ${span(line.at - heard)} and asks for votes in term ${line.term}`;
  return `${name} has heard of no leader and asks for votes in term ${line.term}`;
}

/**
 * @param {Model} model
 * @param {RoleLine} line
 * @param {RoleLine | undefined} last
 */
function victory(model, line, last) {
  // Whoever led when it was first heard of was elected before that, nobody saw by whom.
  if (!last) return `${model.nodeName(line.node)} leads term ${line.term}`;
  const voters = model.voters(line.node, line.at);
  const votes = model.votersFor(line.node, line.term, line.at).filter((id) => voters.includes(id));
  const who = listed(votes.map((id) => model.nodeName(id)));
  return `${model.nodeName(line.node)} leads term ${line.term}: ${votes.length} of ${voters.length} voted for it (${who})`;
}

/**
 * @param {Model} model
 * @param {import("./types.js").MembersLine} line
 */
function ofMembers(model, line) {
  const names = (/** @type {number[]} */ ids) => listed(ids.map((id) => model.nodeName(id)));
  const learners = line.learners?.length ? `; ${names(line.learners)} ${line.learners.length > 1 ? "learn" : "learns"}` : "";
  const [first = [], ...others] = line.voters;
  const last = others.at(-1);
  if (last) return `Joint consensus: the voters change from ${names(first)} to ${names(last)}${learners} (entry ${grouped(line.index)})`;
  return `The voters are ${names(first)}${learners} (entry ${grouped(line.index)})`;
}

/**
 * @param {Model} model
 * @param {import("./types.js").GossipLine} line
 * @param {import("./types.js").GossipLine | undefined} last
 */
function ofGossip(model, line, last) {
  const [name, about] = [model.nodeName(line.node), model.nodeName(line.about)];
  const raised = last !== undefined && line.incarnation > last.incarnation;
  if (line.state === "suspect") return last?.state === "suspect" ? "" : `${name} suspects ${about} (SWIM)`;
  if (line.state === "down") return last?.state === "down" ? "" : `${name} holds ${about} to be down (SWIM)`;
  if (line.state !== "alive") return `${name} holds ${about} to be ${line.state} (SWIM)`;
  if (last?.state === "suspect" && raised) return `${about} refutes it with incarnation ${line.incarnation}: ${name} takes it for alive`;
  if (last?.state === "down") return `${name} sees ${about} alive again, in incarnation ${line.incarnation}`;
  if (last?.state === "suspect") return `${name} suspects ${about} no more`;
  const member = memberOf(model, line.about, line.at);
  const expected = member === "" ? model.head.nodes.some(({ id }) => id === line.about) : member !== "stranger";
  return last === undefined && !expected ? `${name} meets ${about} (SWIM)` : "";
}

/**
 * @param {Model} model
 * @param {import("./types.js").FaultLine} line
 * @param {string} [what] it, and what was done with it
 */
export function ofFault(model, line, what = line.what) {
  const where = line.node === undefined ? "" : ` on ${model.nodeName(line.node)}`;
  return `${what}${where} ${line.healed ? "ends" : "begins"}`;
}

/** What begins within this time (microseconds) was done at once. */
export const AT_ONCE = 50_000;

/** The first word of a fault, which is its kind. @param {string} what */
export function kindOf(what) {
  return what.split(" ")[0] ?? "";
}

/**
 * Several faults in one: "cut to n2, from n2, to n3, gossip only".
 * @param {string[]} whats each of the same kind, which is its first word
 */
export function together(whats) {
  const tails = new Set(whats.map((what) => /, .*$/.exec(what)?.[0] ?? ""));
  const tail = tails.size === 1 ? [...tails].join("") : "";
  const bodies = whats.map((what) => what.slice(0, what.length - tail.length).split(" "));
  const [first = [], ...others] = bodies;
  const alike = first.findIndex((word, place) => bodies.some((words) => words[place] !== word || place === words.length - 1));
  return [first, ...others.map((words) => words.slice(alike))].map((words) => words.join(" ")).join(", ") + tail;
}

/**
 * @param {Model} model
 * @param {import("./types.js").MessageLine} line
 */
function ofMessage(model, line) {
  const [from, to] = [model.nodeName(line.from), model.nodeName(line.to)];
  if (line.what === "transfer") return `${from} hands its leadership over to ${to}`;
  const lost = line.received === undefined ? ", which is lost" : "";
  const upTo = line.index === undefined ? "" : ` up to entry ${grouped(line.index)}`;
  return `${from} sends ${to} a snapshot${upTo} of ${size(line.bytes)}${lost}`;
}

/**
 * Whose call it is and what it asks: "player 3's move ‘e’".
 * @param {Model} model
 * @param {import("./types.js").CallLine} call
 */
export function asked(model, call) {
  const detail = call.detail ? ` ‘${call.detail}’` : "";
  const what = call.asked === "read" ? "read" : WRITES[call.action ?? ""] ?? call.action ?? "write";
  return `${model.client(call.client).name}'s ${what}${detail}`;
}

/**
 * Why nobody could answer: from when to when the process that was asked was gone or stood still.
 * @param {Model} model
 * @param {import("./types.js").CallLine} call
 * @returns {import("./types.js").Span | undefined}
 */
export function awayFor({ lives }, { at, by }) {
  return (lives.get(by) ?? []).find(({ from, to }) => from <= at + UNDER_WAY && at < to);
}

/**
 * What a client was told, and how long it waited for that.
 * @param {Model} model
 * @param {import("./types.js").CallLine} call
 */
export function answered(model, call) {
  const what = asked(model, call);
  const waited = call.returned === undefined ? "" : span(call.returned - call.at);
  if (call.outcome === "unknown" && call.asked === "read") return `${what} was never answered (asked at ${call.by}${AWAY[awayFor(model, call)?.what ?? ""] ?? ""})`;
  if (call.outcome === "unknown") return `${what} was never settled: it may count or not (asked at ${call.by})`;
  if (call.outcome === "refused") return `${what} waited ${waited} and was refused by ${call.by}: ${call.code}`;
  const done = call.asked === "read" ? "was shown" : "was accepted as";
  return `${what} waited ${waited} and ${done} version ${grouped(call.version ?? 0)} by ${call.by}`;
}

/** @param {number} count */
export function operations(count) {
  return counted(count, "operation");
}
