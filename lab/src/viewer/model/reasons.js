// Why a message was refused, or never came: worked out from what the timeline tells of the
// one who answered. Where that does not suffice, nothing is said.

import { at, before, item, lastUntil } from "./search.js";
import { refusal } from "./sources.js";
import { grouped, span } from "./words.js";

/** @typedef {import("./read.js").Model} Model */
/** @typedef {import("./types.js").MessageLine} MessageLine */
/** @typedef {import("./sources.js").Why} Why */

/** A question is not looked for farther back (microseconds) than this before its answer. */
const ASKED_WITHIN = 5_000_000;
/** Who heard a leader within this time (microseconds) votes for nobody else: openraft's longest election timeout, as it is by default. */
const HEARS = 450_000;

/**
 * Whether an answer says no.
 * @param {MessageLine} message
 */
export function refused({ answer, yes }) {
  return answer === true && yes !== true;
}

/**
 * The message that is answered.
 * @param {Model} model
 * @param {MessageLine} answer
 * @returns {MessageLine | undefined}
 */
export function questionOf({ messages }, answer) {
  for (let place = before(messages, answer.at + 1, at) - 1; place >= 0; place -= 1) {
    const message = item(messages, place);
    if (message.at < answer.at - ASKED_WITHIN) return undefined;
    const asks = !message.answer && message.what === answer.what && message.from === answer.to && message.to === answer.from;
    if (asks && message.received !== undefined && message.received <= answer.at) return message;
  }
  return undefined;
}

/**
 * Why a message was refused, or what became of one that never came; nothing where all went
 * well, or where nobody knows.
 * @param {Model} model
 * @param {MessageLine} message
 * @returns {Why | undefined}
 */
export function reasonOf(model, message) {
  if (message.received === undefined) return lost(model, message);
  if (!refused(message)) return undefined;
  const asked = questionOf(model, message);
  const name = model.nodeName(message.from);
  switch (message.what) {
    case "vote":
    case "pre-vote": return ofVote(model, message, asked);
    case "append":
    case "heartbeat": return ofAppend(name, message, asked);
    case "snapshot": return ofTerm(name, message, asked);
    case "read-index": return refusal("leads", `${name} does not lead, or no majority has confirmed that it still does.`);
    default: return undefined;
  }
}

/** @param {string} name @param {MessageLine} answer @param {MessageLine | undefined} asked */
function ofTerm(name, answer, asked) {
  if (!asked || answer.term <= asked.term) return undefined;
  return refusal("term", `${name} is in term ${answer.term} already; what was said in term ${asked.term} counts no more.`);
}

/** @param {string} name @param {MessageLine} answer @param {MessageLine | undefined} asked */
function ofAppend(name, answer, asked) {
  const later = ofTerm(name, answer, asked);
  if (later || answer.index === undefined) return later;
  return refusal("gap", `${name}'s log does not match at entry ${grouped(answer.index)}: the leader goes back until both agree.`);
}

/**
 * The checks of a voter, in the order in which openraft makes them.
 * @param {Model} model @param {MessageLine} answer @param {MessageLine | undefined} asked
 */
function ofVote(model, answer, asked) {
  const [name, candidate] = [model.nodeName(answer.from), model.nodeName(answer.to)];
  const hears = ofLeader(model, answer);
  if (hears) return hears;
  if (asked?.index !== undefined && (answer.index ?? -1) > asked.index) {
    return refusal("older", `${name}'s log is newer: it goes to entry ${grouped(answer.index ?? 0)}, and ${candidate}'s to ${grouped(asked.index)}.`);
  }
  const role = lastUntil(model.nodes.get(answer.from)?.roles ?? [], answer.at);
  const term = asked?.term ?? answer.term;
  if (role && role.term === term && role.voted !== undefined && role.voted !== answer.to) {
    const whom = role.voted === answer.from ? "itself" : model.nodeName(role.voted);
    return refusal("voted", `${name} has voted for ${whom} in term ${term}, and a node votes once in a term.`);
  }
  return ofTerm(name, answer, asked);
}

/** @param {Model} model @param {MessageLine} answer */
function ofLeader(model, answer) {
  const name = model.nodeName(answer.from);
  const role = lastUntil(model.nodes.get(answer.from)?.roles ?? [], answer.at);
  if (role?.role === "leader" && role.term >= answer.term) return refusal("hears", `${name} leads term ${role.term} itself.`);
  const heard = model.lastFrom(answer.from, answer.at);
  if (heard?.received === undefined || heard.from === answer.to || heard.term < (role?.term ?? 0)) return undefined;
  const ago = answer.at - heard.received;
  if (ago > HEARS) return undefined;
  return refusal("hears", `${name} heard the leader ${model.nodeName(heard.from)} ${span(ago)} before. For ${span(HEARS)} after that it votes for nobody else.`);
}

/**
 * What kept a message from coming: a cut, a process that is gone or stands still.
 * @param {Model} model @param {MessageLine} message
 * @returns {Why | undefined}
 */
function lost(model, message) {
  const [from, to] = [model.nodeName(message.from), model.nodeName(message.to)];
  const life = (model.lives.get(to) ?? []).find((one) => one.from <= message.at && message.at < one.to);
  if (life) return { text: `It never came: ${to} ${life.what === "gone" ? "is gone" : "stands still"}.`, sources: [] };
  const fault = model.faults.find((one) => one.from <= message.at && message.at < one.to && between(one, message, from, to));
  if (fault) return { text: `It never came: ${fault.what}${fault.node === undefined ? "" : ` on ${model.nodeName(fault.node)}`}.`, sources: [] };
  return { text: "Nobody told that it came: it was lost, or is on its way.", sources: [] };
}

/**
 * Whether a fault is one of the link that a message takes.
 * @param {import("./types.js").Fault} fault @param {MessageLine} message @param {string} from @param {string} to
 */
function between({ what, node }, message, from, to) {
  if (/gossip/.test(what) || !/cut|lost/.test(what)) return false;
  const mentions = (/** @type {string} */ name) => !/\b(to|from)\b/.test(what) || new RegExp(`\\b${name}\\b`).test(what);
  if (node === message.from) return mentions(to) && !/\bfrom\b/.test(what);
  if (node === message.to) return mentions(from) && !/\bto\b/.test(what);
  return node === undefined && (mentions(from) || mentions(to));
}
