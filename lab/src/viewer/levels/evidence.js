// What the levels ask a timeline: who led, who was gone, who heard whom, how long moves took.

import { at, before, item, lastUntil } from "../model/search.js";

/** @typedef {import("../model/read.js").Model} Model */
/** @typedef {NonNullable<ReturnType<Model["nodes"]["get"]>>} NodeTrack */
/** @typedef {import("../model/types.js").CallLine} CallLine */
/** @typedef {import("../model/types.js").MessageLine} MessageLine */
/** @typedef {import("../model/types.js").RoleLine} RoleLine */
/** @typedef {import("../model/types.js").MembersLine} MembersLine */
/** @typedef {import("../model/types.js").Fault} Fault */

/**
 * A node for a while: `to` is Infinity as long as it lasts.
 * @typedef {{node: NodeTrack, from: number, to: number}} While
 */
/**
 * A node that got somewhere in a term.
 * @typedef {{node: NodeTrack, at: number, term: number}} InTerm
 */

/** What a node says of a link that is cut as a whole. */
const CUT = /^cut (to|from) (\S+)$/;

/** What begins within this time (microseconds) began by one command. */
export const TOGETHER = 1_000_000;

/**
 * What a node had been told before it was cut off may still take effect (microseconds). And a
 * cut ends at each node when that node thinks so: some hear each other before all have told.
 */
export const SETTLED = 500_000;

/** Fewer waits than these have no middle worth telling. */
const WAITS_MIN = 3;

/**
 * The role that a node has, if it runs and has told one in this life.
 * @param {Model} model @param {NodeTrack} track @param {number} time
 * @returns {RoleLine | undefined}
 */
export function roleAt(model, track, time) {
  const role = lastUntil(track.roles, time);
  // Before the timeline began nobody knows who was there.
  const spans = (model.lives.get(track.name) ?? []).filter(({ from }) => from >= 0 && from <= time);
  const hidden = spans.some(({ to, what }) => to > time || (what === "gone" && role !== undefined && role.at < to));
  return hidden ? undefined : role;
}

/**
 * Who leads: of several, the one of the highest term.
 * @param {Model} model @param {number} time
 * @returns {NodeTrack | undefined}
 */
export function leaderAt(model, time) {
  /** @type {{track: NodeTrack, term: number} | undefined} */
  let found;
  for (const track of model.nodes.values()) {
    const role = roleAt(model, track, time);
    if (role?.role === "leader" && role.term > (found?.term ?? -1)) found = { track, term: role.term };
  }
  return found?.track;
}

/**
 * The newest list of members that any node knew.
 * @param {Model} model @param {number} time
 * @returns {MembersLine | undefined}
 */
export function membersAt(model, time) {
  /** @type {MembersLine | undefined} */
  let newest;
  for (const { members } of model.nodes.values()) {
    const line = lastUntil(members, time);
    if (line && line.index >= (newest?.index ?? 0)) newest = line;
  }
  return newest;
}

/**
 * Who votes: the last list, while there are two.
 * @param {Model} model @param {number} time
 * @returns {number[]}
 */
export function votersAt(model, time) {
  return membersAt(model, time)?.voters.at(-1) ?? model.head.nodes.map(({ id }) => id);
}

/**
 * Voters that run and do not lead.
 * @param {Model} model @param {number} time
 * @returns {NodeTrack[]}
 */
export function followersAt(model, time) {
  const [voters, leader] = [votersAt(model, time), leaderAt(model, time)];
  return [...model.nodes.values()].filter((track) => voters.includes(track.id) && track !== leader && roleAt(model, track, time));
}

/**
 * Who became leader behind a moment, in that order.
 * @param {Model} model @param {number} since
 */
export function wins(model, since) {
  return got(model, since, "leader");
}

/**
 * Who asked for votes behind a moment, in that order.
 * @param {Model} model @param {number} since
 */
export function candidacies(model, since) {
  return got(model, since, "candidate");
}

/**
 * @param {Model} model @param {number} since @param {string} role
 * @returns {InTerm[]}
 */
function got(model, since, role) {
  /** @type {InTerm[]} */
  const found = [];
  for (const node of model.nodes.values()) {
    for (let place = before(node.roles, since, at); place < node.roles.length; place += 1) {
      const line = item(node.roles, place);
      const last = node.roles[place - 1];
      const anew = last?.role !== role || last.term !== line.term;
      if (line.role === role && anew) found.push({ node, at: line.at, term: line.term });
    }
  }
  return found.sort((one, other) => one.at - other.at);
}

/**
 * Nodes whose processes were gone, or stood still, from a moment after `since` on.
 * @param {Model} model @param {number} since @param {"gone" | "paused"} what
 * @returns {While[]}
 */
export function away(model, since, what) {
  const found = [...model.nodes.values()].flatMap((node) =>
    (model.lives.get(node.name) ?? []).filter((span) => span.what === what && span.from >= since).map(({ from, to }) => ({ node, from, to })),
  );
  return found.sort((one, other) => one.from - other.from);
}

/**
 * The node whose process went last, of those that are gone now, by name; else the word for one
 * that a command line knows.
 * @param {Model} model
 */
export function lastGone(model) {
  return away(model, 0, "gone").filter(({ to }) => to === Infinity).at(-1)?.node.name ?? "ended";
}

/**
 * Voters that too many others were cut off from, both ways, for a majority to be heard.
 * @param {Model} model @param {number} since
 * @returns {While[]}
 */
export function minorities(model, since) {
  const found = votersAt(model, since).flatMap((id) => {
    const node = model.nodes.get(id);
    return node ? alone(model, node, since) : [];
  });
  return found.sort((one, other) => one.from - other.from);
}

/** @param {Model} model @param {NodeTrack} node @param {number} since @returns {While[]} */
function alone(model, node, since) {
  const links = lostLinks(model, node, since).filter(({ ways }) => ways === 2);
  /** @type {While[]} */
  const found = [];
  for (const { from } of links) {
    const voters = votersAt(model, from);
    const lost = links.filter((link) => link.from <= from && link.to > from && voters.some((id) => model.nodeName(id) === link.name));
    const hears = voters.length - lost.length;
    if (hears <= voters.length / 2 && voters.includes(node.id)) found.push({ node, from, to: Math.min(...lost.map(({ to }) => to)) });
  }
  // A cut that grows is one cut: it counts from when there was no majority.
  return found.filter(({ from }, place) => !found.some((other, earlier) => earlier < place && other.to > from));
}

/**
 * Nodes that are not heard by another, which they hear: what `by` sends to `node` is lost.
 * @param {Model} model @param {number} since
 * @returns {(While & {by: string})[]}
 */
export function oneWays(model, since) {
  return [...model.nodes.values()].flatMap((node) =>
    lostLinks(model, node, since)
      .filter(({ ways, way }) => ways === 1 && way === "from")
      .map(({ name, from, to }) => ({ node, by: name, from, to })),
  );
}

/**
 * The links of a node that were cut, as that node told, in that order.
 * @param {Model} model @param {NodeTrack} node @param {number} since
 */
function lostLinks(model, node, since) {
  /** @type {{name: string, way: string, ways: number, from: number, to: number}[]} */
  const links = [];
  for (const fault of model.faults) {
    if (fault.node !== node.id || fault.from < since) continue;
    const [, way = "", name = ""] = CUT.exec(fault.what) ?? [];
    if (!name) continue;
    // The two ways of one cut begin together.
    const other = links.find((link) => link.name === name && link.way !== way && link.ways === 1 && fault.from - link.from < TOGETHER);
    if (other) Object.assign(other, { ways: 2, from: Math.max(other.from, fault.from), to: Math.min(other.to, fault.to) });
    else links.push({ name, way, ways: 1, from: fault.from, to: fault.to });
  }
  return links;
}

/**
 * Faults of some kind that began behind a moment.
 * @param {Model} model @param {number} since @param {RegExp} kind
 * @returns {Fault[]}
 */
export function faultsOf(model, since, kind) {
  return model.faults.filter(({ from, what }) => from >= since && kind.test(what));
}

/**
 * Messages that were sent in a while, of those that `which` wants.
 * @param {Model} model @param {number} from @param {number} to
 * @param {(message: MessageLine) => boolean} which
 * @returns {MessageLine[]}
 */
export function sent(model, from, to, which) {
  /** @type {MessageLine[]} */
  const found = [];
  for (let place = before(model.messages, from, at); place < model.messages.length; place += 1) {
    const message = item(model.messages, place);
    if (message.at >= to) break;
    if (which(message)) found.push(message);
  }
  return found;
}

/**
 * Calls that began in a while, in that order, of those that `which` wants.
 * @param {Model} model @param {number} from @param {number} to
 * @param {(call: CallLine) => boolean} which
 * @returns {CallLine[]}
 */
export function asked(model, from, to, which) {
  /** @type {CallLine[]} */
  const found = [];
  for (const { calls } of model.clients.values()) {
    for (let place = before(calls, from, at); place < calls.length; place += 1) {
      const call = item(calls, place);
      if (call.at >= to) break;
      if (which(call)) found.push(call);
    }
  }
  return found.sort((one, other) => one.at - other.at);
}

/** @param {CallLine} call */
export const accepted = (call) => call.asked === "write" && call.outcome === "ok" && call.returned !== undefined;

/**
 * When moves were acknowledged in a while, in order.
 * @param {Model} model @param {number} from @param {number} to
 * @returns {number[]}
 */
export function acknowledged(model, from, to) {
  /** @type {number[]} */
  const times = [];
  for (const { calls, longest } of model.clients.values()) {
    for (let place = before(calls, from - longest, at); place < calls.length; place += 1) {
      const call = item(calls, place);
      if (call.at >= to) break;
      const { returned = -1 } = call;
      if (accepted(call) && returned >= from && returned < to) times.push(returned);
    }
  }
  return times.sort((one, other) => one - other);
}

/**
 * How long a move took that was asked for in a while: half of them took less.
 * @param {Model} model @param {number} from @param {number} to
 * @returns {number | undefined} microseconds; undefined where there were hardly any
 */
export function middleWait(model, from, to) {
  const waits = asked(model, from, to, accepted).map((call) => (call.returned ?? call.at) - call.at);
  if (waits.length < WAITS_MIN) return undefined;
  waits.sort((one, other) => one - other);
  return item(waits, waits.length >> 1);
}

/**
 * The last that a node told of its log until a moment.
 * @param {NodeTrack} track @param {number} time
 */
export function logAt(track, time) {
  return lastUntil(track.logs, time);
}
