// What is told of a thing under the pointer.

import { asked } from "../model/told.js";
import { clock, grouped, listed, size, span } from "../model/words.js";
import { besideRole, roleWord } from "./headline.js";

/** @typedef {import("../model/types.js").Hit} Hit */
/** @typedef {import("../model/types.js").MessageLine} MessageLine */
/** @typedef {import("../model/read.js").Model} Model */
/** @typedef {import("../model/moment.js").Moment} Moment */
/** @typedef {import("../model/moment.js").NodeMoment} NodeMoment */

/** @param {...[string, string]} rows @returns {[string, string][]} */
const told = (...rows) => rows.filter(([, value]) => value !== "");

/** @param {number | undefined} number */
const index = (number) => (number === undefined ? "" : grouped(number));

/** What each kind of membership means. */
const MEMBERS = { voter: "votes", learner: "learns: gets the log, has no vote", leaving: "leaves: only in the old list of voters", newcomer: "joins: only in the new list of voters", stranger: "is not a member" };

/** @param {Moment} moment @param {NodeMoment} node @returns {Hit} */
export function nodeHit(moment, node) {
  const { heard, log, timer } = node;
  const { election } = moment;
  const name = (/** @type {number} */ id) => moment.nodes.find((other) => other.id === id)?.name ?? `n${id}`;
  const process = node.process === "runs" || node.awaited ? "" : node.process === "gone" ? "has ended" : "stands still";
  return {
    at: moment.time,
    title: `${node.name}: ${roleWord(moment, node)}${node.term ? ` in term ${node.term}` : ""}`,
    rows: told(
      ["process", process],
      ["", node.role === "leader" ? "" : besideRole(moment, node)],
      ["vote", node.voted === undefined ? "" : `for ${name(node.voted)} in term ${node.term}`],
      ["member", MEMBERS[node.member]],
      ["heard a leader", node.role === "leader" || timer === undefined ? "" : heard === undefined ? "not in the last 3 s" : `${span(moment.time - heard)} ago`],
      ["stands for election", timer === undefined ? "" : `${span(election.lease + election.least)} to ${span(election.lease + election.most)} after that, if nothing comes`],
      ["log", log ? `${index(log.last)}, committed ${index(log.committed)}, applied ${index(log.applied)}` : ""],
      ["snapshot", index(log?.snapshot)],
      ["state", log?.hash ?? ""],
      [node.faults.length > 1 ? "faults" : "fault", node.faults.map(({ what }) => what).join("; ")],
    ),
  };
}

/** Why a message was sent, for those who do not know it yet. @type {Record<string, [string, string]>} */
const MEANS = {
  vote: ["asks for its vote", "gives or refuses its vote"],
  "pre-vote": ["asks whether it would vote for it", "says whether it would"],
  append: ["brings entries of the log, or what is committed", "says that it has them"],
  heartbeat: ["says that it still leads", "says that it hears it"],
  snapshot: ["brings the whole state", "has taken it"],
  transfer: ["hands its leadership over", "answers"],
  "read-index": ["makes sure that it still leads, to read", "says that it follows"],
};

/** @param {Model} model @param {MessageLine} message @returns {Hit} */
export function messageHit(model, message) {
  const { what, answer, from, to, at, received, term, entries, bytes, yes } = message;
  return {
    at,
    title: `${model.nodeName(from)} → ${model.nodeName(to)}: ${answer ? `answer to ${what}` : what}`,
    rows: told(
      ["", MEANS[what]?.[answer ? 1 : 0] ?? ""],
      ["says", yes === undefined ? "" : yes ? "yes" : "no"],
      ["term", String(term)],
      ["entries", entries ? `${grouped(entries)}, up to ${index(message.index)}` : ""],
      ["about entry", entries ? "" : index(message.index)],
      ["sent", clock(at, 4)],
      ["travels", received === undefined ? "never came" : received === at ? "less than is told" : span(received - at)],
      ["size", size(bytes)],
    ),
  };
}

/** @param {Model} model @param {number} client @param {import("../model/types.js").CallLine | undefined} call that it waits for @param {number} time @returns {Hit} */
export function clientHit(model, client, call, time) {
  const title = call ? `${asked(model, call)}` : model.client(client).name;
  const rows = call ? told(["waits", span(time - call.at)], ["asked at", call.by], ["room", call.room ?? ""]) : told(["", "waits for nothing"]);
  return { at: time, title, rows };
}

/** @param {Model} model @param {import("../model/moment.js").Holds} holds @returns {Hit} */
export function opinionHit(model, { node, about, state, since, incarnation }) {
  const title = `${model.nodeName(node)} holds ${model.nodeName(about)} to be ${state}`;
  return { at: since, title, rows: told(["since", clock(since)], ["incarnation", String(incarnation)]) };
}

/** @param {Model} model @param {import("./links.js").Pair} pair @param {number} time @returns {Hit} */
export function pairHit(model, { one, other, there, back }, time) {
  const [first, second] = [model.nodeName(one), model.nodeName(other)];
  const words = (/** @type {import("./links.js").LinkFault[]} */ faults) => listed(faults.map(({ words: says, traffic, flaps }) => `${says}${traffic === "all" ? "" : `, ${traffic} only`}${flaps ? ", on and off" : ""}`));
  return { at: time, title: `${first} and ${second}`, rows: told([`${first} → ${second}`, words(there)], [`${second} → ${first}`, words(back)]) };
}

/** What each state of an entry means. */
const STATES = { committed: "committed, as this node knows", known: "in this log, not known to be committed here", doomed: "will be overwritten: the leader of a higher term wrote another entry here", purged: "only in the snapshot", none: "not in this log" };
const SAME = { equal: "equal to another node's at this entry", different: "another node has another state at this entry", alone: "no other node told its state at this entry" };

/** @param {Moment} moment @param {import("./strips.js").Strip} strip @param {import("./strips.js").Cell | undefined} cell @returns {Hit} */
export function stripHit(moment, { node, same }, cell) {
  const { log } = node;
  if (cell) return { at: moment.time, title: `${node.name}, entry ${grouped(cell.index)}`, rows: told(["", STATES[cell.state]], ["term", cell.term && cell.state !== "none" ? `${cell.term}, as elections tell` : ""]) };
  return {
    at: moment.time,
    title: `${node.name}'s log`,
    rows: told(["last", index(log?.last)], ["committed", index(log?.committed)], ["applied", index(log?.applied)], ["snapshot up to", index(log?.snapshot)], ["purged up to", index(log?.purged)], ["state", log?.hash ?? ""], ["", log?.hash ? SAME[same] : ""]),
  };
}
