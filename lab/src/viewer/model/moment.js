// What held at one moment: each node's process, role, vote, log and faults, what gossip holds
// of whom, and how long nobody could move. Cheap enough for every frame: whatever is looked
// for is found by halving, or in a short stretch of time before the moment.

import { electionOf, timerOf } from "./election.js";
import { gapAt } from "./gap.js";
import { at, before, item, lastUntil } from "./search.js";
import { isAwaited } from "./tracks.js";

/** @typedef {import("./read.js").Model} Model */
/** @typedef {import("./tracks.js").NodeTrack} NodeTrack */
/** @typedef {import("./types.js").RoleLine} RoleLine */
/** @typedef {import("./types.js").MembersLine} MembersLine */
/** @typedef {import("./types.js").Fault} Fault */
/** @typedef {"voter" | "learner" | "leaving" | "newcomer" | "stranger"} Membership */
/**
 * A node at a moment. `since` is when its process became what it is; it is `awaited` where it
 * has never started yet. `role` is none where
 * nobody told it. `stale` is a leader of a term that is over. `asked` is when it last asked
 * for votes, in the last second; `ledFrom` since when it leads. `heard` is when a leader's message last came, `timer` how
 * much of the time is left in which it does not stand for election (0 to 1). `raft` is what
 * the leader knows of it: it answers, or is silent.
 * @typedef {{id: number, name: string, process: "runs" | "paused" | "gone", since: number, awaited: boolean, role: string | undefined, term: number, leader: number | undefined, voted: number | undefined, stale: boolean, asked: number | undefined, ledFrom: number | undefined, member: Membership, heard: number | undefined, timer: number | undefined, raft: "leads" | "answers" | "silent" | undefined, log: import("./types.js").LogLine | undefined, faults: Fault[]}} NodeMoment
 */
/**
 * What one node holds of another by gossip. `refuted` is when a raised incarnation last
 * cleared a suspicion of it.
 * @typedef {{node: number, about: number, state: string, incarnation: number, since: number, refuted: number | undefined}} Holds
 */
/**
 * Who belongs to the cluster. `joint` is whether there are two lists of voters.
 * @typedef {{voters: number[][], learners: number[], joint: boolean, index: number}} Members
 */
/**
 * @typedef {{time: number, nodes: NodeMoment[], term: number, leader: number | undefined, members: Members, gossip: Holds[], gap: import("./gap.js").Gap | undefined, told: boolean, election: import("./election.js").Election}} Moment
 */

/** How far back (microseconds, and messages) a leader's last message is looked for. */
export const HEARD_BACK = 3_000_000;
const HEARD_MOST = 40_000;
/** Who has not answered for so long, several heartbeats, is silent. */
export const SILENT = 600_000;
/** For how long it is shown that somebody asked for votes, and that a suspicion was refuted. */
export const ECHO = 1_000_000;

/** What a leader sends: whoever gets it has heard of it. */
const LEADS = new Set(["append", "heartbeat", "snapshot"]);

/**
 * @param {Model} model
 * @param {number} time microseconds
 * @param {boolean} [live] whether this is the newest moment of a cluster that is watched
 * @returns {Moment}
 */
export function momentOf(model, time, live = false) {
  const tracks = [...model.nodes.values()].sort(byName);
  const members = membersAt(model, time);
  const faults = faultsAt(model, time);
  const nodes = tracks.map((track) => nodeAt(model, track, time, members, faults));
  const leaders = nodes.filter(({ role, process }) => role === "leader" && process !== "gone");
  const term = nodes.reduce((most, node) => Math.max(most, node.term), 0);
  const leading = leaders.reduce((best, node) => (!best || node.term > best.term ? node : best), /** @type {NodeMoment | undefined} */ (undefined));
  for (const node of leaders) node.stale = node !== leading || node.term < term;
  contacts(model, nodes, leading, time);
  const leader = leading && !leading.stale ? leading.id : undefined;
  const told = tracks.some(({ roles }) => roles.length > 0);
  return { time, nodes, term, leader, members, gossip: gossipAt(tracks, time), gap: gapAt(model, time, live), told, election: electionOf(model) };
}

/** "n2" before "n10". @param {{name: string}} one @param {{name: string}} other */
export function byName({ name: one }, { name: other }) {
  return one.length - other.length || (one < other ? -1 : 1);
}

/**
 * Without what messages tell of it.
 * @param {Model} model @param {NodeTrack} track @param {number} time
 * @param {Members} members @param {Fault[]} faults
 * @returns {NodeMoment}
 */
function nodeAt(model, track, time, members, faults) {
  const { id, name } = track;
  const [process, since] = processAt(model, name, time);
  const place = before(track.roles, time + 1, at) - 1;
  const line = track.roles[place];
  // A process that has ended has no role until the next one says so.
  const known = process !== "gone" && line !== undefined && line.at >= goneBefore(model, name, time);
  return {
    id, name, process, since,
    awaited: isAwaited(model.lives.get(name), time),
    role: known && line.role !== "shutdown" ? line.role : undefined,
    term: line?.term ?? 0,
    leader: known ? line.leader : undefined,
    voted: line?.voted,
    stale: false,
    asked: askedBefore(track.roles, place, time),
    ledFrom: line?.role === "leader" ? line.at : undefined,
    member: memberOf(members, id),
    heard: undefined,
    timer: undefined,
    raft: undefined,
    log: lastUntil(track.logs, time),
    faults: faults.filter(({ node }) => node === id),
  };
}

/**
 * Says of each node when it heard a leader, how long it still waits, and whether it answers.
 * @param {Model} model @param {NodeMoment[]} nodes @param {NodeMoment | undefined} leading @param {number} time
 */
function contacts(model, nodes, leading, time) {
  if (!model.messages.length) return;
  const wanted = nodes.filter((node) => node !== leading && node.process !== "gone").map(({ id }) => id);
  const { heard, answered } = contactsAt(model, time, wanted);
  const election = electionOf(model);
  const recent = (/** @type {number | undefined} */ when) => when !== undefined && when > time - SILENT;
  for (const node of nodes) {
    node.heard = heard.get(node.id);
    if (node.role === "follower") node.timer = timerOf(election, node.heard === undefined ? undefined : time - node.heard);
    if (!leading) continue;
    const answers = node.process !== "gone" && recent(answered.get(node.id));
    const heeded = [...heard].some(([id, when]) => id !== node.id && recent(when));
    const there = node === leading ? heeded : answers;
    // Who has just begun to lead may not have been answered yet.
    if (node.process === "gone") node.raft = "silent";
    else node.raft = there ? (node === leading ? "leads" : "answers") : recent(leading.ledFrom) ? undefined : "silent";
  }
}

/**
 * What became of a process, and since when.
 * @param {Model} model
 * @param {string} name
 * @param {number} time
 * @returns {["runs" | "paused" | "gone", number]}
 */
export function processAt(model, name, time) {
  const lives = model.lives.get(name) ?? [];
  const life = lives[before(lives, time + 1, ({ from }) => from) - 1];
  if (!life) return ["runs", 0];
  if (time >= life.to) return ["runs", life.to];
  return [life.what === "paused" ? "paused" : "gone", Math.max(0, life.from)];
}

/**
 * When the process before the one that there is at a moment was gone; what was told since is
 * of this one. Clocks that are brought onto one may show it some time before it started.
 * @param {Model} model @param {string} name @param {number} time
 */
function goneBefore(model, name, time) {
  const lives = model.lives.get(name) ?? [];
  for (let place = before(lives, time + 1, ({ from }) => from) - 1; place >= 0; place -= 1) {
    const { what, from, to } = item(lives, place);
    if (what === "gone" && to <= time) return from;
  }
  return 0;
}

/** When it last asked for votes, if that is not long ago. @param {readonly RoleLine[]} roles @param {number} place @param {number} time */
function askedBefore(roles, place, time) {
  for (let back = place; back >= 0; back -= 1) {
    const line = item(roles, back);
    if (line.role === "candidate") return line.at > time - ECHO ? line.at : undefined;
    if (line.at < time - ECHO) return undefined;
  }
  return undefined;
}

/**
 * Who belongs to the cluster at a moment, by the newest entry that any node has told.
 * @param {Model} model
 * @param {number} time
 * @returns {Members}
 */
export function membersAt(model, time) {
  /** @type {MembersLine | undefined} */
  let newest;
  for (const { members } of model.nodes.values()) {
    const line = lastUntil(members, time);
    if (line && (!newest || line.index > newest.index)) newest = line;
  }
  const voters = newest?.voters ?? [model.head.nodes.map(({ id }) => id)];
  return { voters, learners: newest?.learners ?? [], joint: voters.length > 1, index: newest?.index ?? 0 };
}

/** @param {Members} members @param {number} id @returns {Membership} */
export function memberOf({ voters, learners }, id) {
  const lists = voters.filter((list) => list.includes(id)).length;
  if (lists === voters.length && lists > 0) return "voter";
  if (lists > 0) return voters.at(-1)?.includes(id) ? "newcomer" : "leaving";
  return learners.includes(id) ? "learner" : "stranger";
}

/**
 * When each of some nodes last heard a leader, and when each last answered one, as far back
 * as is looked.
 * @param {Model} model
 * @param {number} time
 * @param {readonly number[]} wanted
 * @returns {{heard: Map<number, number>, answered: Map<number, number>}}
 */
export function contactsAt({ messages, flight }, time, wanted) {
  /** @type {Map<number, number>} */
  const heard = new Map();
  /** @type {Map<number, number>} */
  const answered = new Map();
  const travels = Math.min(flight, SILENT);
  // Whose answer is older than that is silent: how old it is does not matter.
  const recent = time - SILENT - travels;
  let settled = -Infinity;
  const settle = (/** @type {number} */ sent) => {
    if (!wanted.every((id) => heard.has(id) && (answered.has(id) || sent < recent))) return;
    settled = Math.min(...wanted.map((id) => Math.min(heard.get(id) ?? Infinity, answered.get(id) ?? Infinity)));
  };
  let old = false;
  const start = before(messages, time + 1, at) - 1;
  for (let place = start; place >= Math.max(0, start - HEARD_MOST); place -= 1) {
    const { at: sent, received, answer, what, from, to } = item(messages, place);
    if (!old && sent < recent) settle(sent);
    old = sent < recent;
    // What was sent earlier cannot have come later than what has been found.
    if (sent < time - HEARD_BACK || sent + travels < settled) break;
    if (received === undefined || received > time || !(LEADS.has(what) || (answer && what === "read-index"))) continue;
    const [map, who] = answer ? [answered, from] : [heard, to];
    if (received <= (map.get(who) ?? -1)) continue;
    map.set(who, received);
    settle(sent);
  }
  return { heard, answered };
}

/**
 * The faults that there are at a moment.
 * @param {Model} model
 * @param {number} time
 * @returns {Fault[]}
 */
export function faultsAt({ faults }, time) {
  return faults.slice(0, before(faults, time + 1, ({ from }) => from)).filter(({ to }) => time < to);
}

/**
 * @param {readonly NodeTrack[]} tracks
 * @param {number} time
 * @returns {Holds[]}
 */
export function gossipAt(tracks, time) {
  /** @type {Holds[]} */
  const held = [];
  for (const track of tracks) {
    for (const [about, lines] of track.sees) {
      const place = before(lines, time + 1, at) - 1;
      const line = lines[place];
      if (line) held.push({ node: track.id, about, state: line.state, incarnation: line.incarnation, since: line.at, refuted: refutedAt(lines, place, time) });
    }
  }
  return held;
}

/**
 * A suspicion is refuted by a raised incarnation (SWIM, section 4.2); nothing is refuted
 * where a member was taken for down and came back as a new life of itself.
 * @param {readonly import("./types.js").GossipLine[]} lines @param {number} place @param {number} time
 */
function refutedAt(lines, place, time) {
  const [line, last] = [item(lines, place), lines[place - 1]];
  const refutes = line.state === "alive" && last?.state === "suspect" && line.incarnation > last.incarnation;
  return refutes && line.at > time - ECHO ? line.at : undefined;
}

/**
 * Where gossip (SWIM) and Raft say different things of one node: who holds it for down
 * although it answers the leader, or for alive although it does not.
 * @param {Moment} moment
 * @returns {{node: number, gossip: "down" | "alive", by: number[]}[]}
 */
export function disagreements({ nodes, gossip }) {
  /** @type {{node: number, gossip: "down" | "alive", by: number[]}[]} */
  const found = [];
  for (const { id, raft, member } of nodes) {
    if (raft === undefined || member === "stranger") continue;
    const wrong = raft === "silent" ? "alive" : "down";
    const by = gossip.filter((holds) => holds.about === id && holds.state === wrong && runs(nodes, holds.node)).map(({ node }) => node);
    if (by.length) found.push({ node: id, gossip: wrong, by });
  }
  return found;
}

/** @param {readonly NodeMoment[]} nodes @param {number} id */
function runs(nodes, id) {
  return nodes.find((node) => node.id === id)?.process === "runs";
}
