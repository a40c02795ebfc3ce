// What is known of one node, and of one client.

import { forget } from "./search.js";

/** @typedef {import("./types.js").Line} Line */
/** @typedef {import("./types.js").GossipLine} GossipLine */

export class NodeTrack {
  /**
   * @param {number} id
   * @param {string} name
   */
  constructor(id, name) {
    this.id = id;
    this.name = name;
    /** @type {import("./types.js").RoleLine[]} */
    this.roles = [];
    /** @type {import("./types.js").LogLine[]} */
    this.logs = [];
    /** @type {import("./types.js").MembersLine[]} */
    this.members = [];
    /** What it says of itself. @type {import("./types.js").ToldLine[]} */
    this.told = [];
    /** How many of its everyday messages are told. @type {import("./types.js").SampledLine[]} */
    this.sampled = [];
    /** What it holds of each other, by gossip. @type {Map<number, GossipLine[]>} */
    this.sees = new Map();
    /** What of all that is marked above its lane. @type {import("./types.js").Fact[]} */
    this.marks = [];
    /** When something of it was heard last. */
    this.heard = 0;
  }

  /** Forgets what was before a moment, and does not hold at it any more. @param {number} time */
  trim(time) {
    /** @type {{at: number}[][]} */
    const states = [this.roles, this.logs, this.members, this.sampled, ...this.sees.values()];
    for (const lines of states) forget(lines, time, 1);
    forget(this.told, time);
    forget(this.marks, time);
  }
}

/** A client, and what it asked, in that order. */
export class ClientTrack {
  /**
   * @param {number} id
   * @param {string} name
   */
  constructor(id, name) {
    this.id = id;
    this.name = name;
    /** @type {import("./types.js").CallLine[]} */
    this.calls = [];
    /** @type {import("./types.js").PushLine[]} */
    this.pushes = [];
    /** The longest that one of its calls took. */
    this.longest = 0;
  }

  /** Forgets the calls before a moment. @param {number} time */
  trimCalls(time) {
    forget(this.calls, time);
    this.longest = this.calls.reduce((longest, { at, returned = at }) => Math.max(longest, returned - at), 0);
  }
}

/**
 * Calls somebody by a name.
 * @param {NodeTrack | ClientTrack} track
 * @param {string} name
 * @returns {boolean} whether that is another than before
 */
export function rename(track, name) {
  const another = track.name !== name;
  track.name = name;
  return another;
}

/**
 * Whether something is marked above a node's lane: an election, a change of members, words.
 * @param {Line} line
 * @param {number} node
 */
export function marked(line, node) {
  if (line.kind === "message") return line.from === node;
  if (!("node" in line) || line.node !== node) return false;
  const elects = line.kind === "role" && (line.role === "candidate" || (line.voted !== undefined && !line.leader));
  return elects || line.kind === "members" || line.kind === "told";
}

/**
 * Whether a process has not started yet at a moment, ever.
 * @param {readonly import("./types.js").Span[] | undefined} lives
 * @param {number} time
 */
export function isAwaited(lives, time) {
  const first = lives?.[0];
  return first !== undefined && first.from < 0 && time < first.to;
}
