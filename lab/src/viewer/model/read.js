// A timeline, taken in line by line and kept so that any moment is found at once.

import { at, before, item, lastUntil } from "./search.js";

/** @typedef {import("./types.js").Line} Line */
/** @typedef {import("./types.js").RoleLine} RoleLine */
/** @typedef {import("./types.js").CallLine} CallLine */
/** @typedef {import("./types.js").GossipLine} GossipLine */
/** @typedef {import("./types.js").MessageLine} MessageLine */
/** @typedef {import("./types.js").Fact} Fact */
/** @typedef {import("./types.js").Span} Span */

/** The number of the format that is read here. */
export const FORMAT = 1;

/** What a leader sends: whoever gets it has heard of it. */
const LEADS = new Set(["append", "heartbeat", "snapshot"]);

/** A life without an end, so far. */
const OPEN = Infinity;

/** What is known of a node. */
export class NodeTrack {
  /**
   * @param {number} id
   * @param {string} name
   */
  constructor(id, name) {
    this.id = id;
    this.name = name;
    /** @type {RoleLine[]} */
    this.roles = [];
    /** @type {import("./types.js").LogLine[]} */
    this.logs = [];
    /** @type {import("./types.js").MembersLine[]} */
    this.members = [];
    /** What it says of itself. @type {import("./types.js").ToldLine[]} */
    this.told = [];
    /** What it holds of each other, by gossip. @type {Map<number, GossipLine[]>} */
    this.sees = new Map();
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
    /** @type {CallLine[]} */
    this.calls = [];
    /** @type {import("./types.js").PushLine[]} */
    this.pushes = [];
    /** The longest that one of its calls took. */
    this.longest = 0;
  }
}

export class Model {
  constructor() {
    /** @type {import("./types.js").HeadLine} */
    this.head = { kind: "head", format: FORMAT, title: "", nodes: [] };
    /** @type {Map<number, NodeTrack>} */
    this.nodes = new Map();
    /** @type {Map<number, ClientTrack>} */
    this.clients = new Map();
    /** When each process was gone or stood still, by its name. @type {Map<string, Span[]>} */
    this.lives = new Map();
    /** @type {import("./types.js").Fault[]} */
    this.faults = [];
    /** By when they were sent. @type {MessageLine[]} */
    this.messages = [];
    /** The longest that a message travelled. */
    this.flight = 0;
    /** @type {import("./types.js").TermBand[]} */
    this.terms = [];
    /** @type {import("./types.js").FindingLine[]} */
    this.findings = [];
    /** @type {import("./types.js").VerdictLine | undefined} */
    this.verdict = undefined;
    /** What can be told in words, calls left out. @type {Fact[]} */
    this.facts = [];
    /** When the last thing happened. */
    this.end = 0;
    /** How many lines there are: whoever keeps what is drawn from them looks whether it is old. */
    this.lines = 0;
    /** The entries that told who the members are. @type {Set<number>} */
    this.memberships = new Set();
  }

  /**
   * Takes in the next line. Kinds that are not known are left out.
   * @param {Line} line
   */
  add(line) {
    this.lines += 1;
    if ("at" in line) this.end = Math.max(this.end, line.at);
    switch (line.kind) {
      case "head": return this.#head(line);
      case "process": return this.#process(line);
      case "role": return this.#role(line);
      case "log": return this.#log(line);
      case "members": return this.#members(line);
      case "gossip": return this.#gossip(line);
      case "fault": return this.#fault(line);
      case "message": return this.#message(line);
      case "call": return this.#call(line);
      case "push": return void this.client(line.client).pushes.push(line);
      case "told": return this.#told(line);
      case "finding":
        this.findings.push(line);
        return this.#fact(line);
      case "verdict":
        this.verdict = line;
        return this.#fact(line);
    }
  }

  /**
   * @param {number} id
   * @returns {NodeTrack}
   */
  node(id) {
    const known = this.nodes.get(id) ?? new NodeTrack(id, `n${id}`);
    this.nodes.set(id, known);
    return known;
  }

  /**
   * @param {number} id
   * @returns {ClientTrack}
   */
  client(id) {
    const known = this.clients.get(id) ?? new ClientTrack(id, `client ${id}`);
    this.clients.set(id, known);
    return known;
  }

  /** @param {number} id */
  nodeName(id) {
    return this.nodes.get(id)?.name ?? `n${id}`;
  }

  /**
   * When a node last heard of a leader, before a moment.
   * @param {number} node
   * @param {number} time
   * @returns {number | undefined}
   */
  heardBefore(node, time) {
    let heard = -1;
    for (let place = before(this.messages, time, at) - 1; place >= 0; place -= 1) {
      const message = item(this.messages, place);
      // None that was sent earlier can have come later.
      if (message.at + this.flight <= heard) break;
      const { received = OPEN } = message;
      if (message.to === node && !message.answer && LEADS.has(message.what) && received <= time) {
        heard = Math.max(heard, received);
      }
    }
    return heard < 0 ? undefined : heard;
  }

  /**
   * Who voted for a node in a term, itself among them.
   * @param {number} candidate
   * @param {number} term
   * @returns {number[]}
   */
  votersFor(candidate, term) {
    const voters = new Set([candidate]);
    for (const track of this.nodes.values()) {
      if (track.roles.some((line) => line.term === term && line.voted === candidate)) voters.add(track.id);
    }
    return [...voters].sort((one, other) => one - other);
  }

  /**
   * Who votes, as a node knew at a moment: the last list of voters.
   * @param {number} node
   * @param {number} time
   * @returns {number[]}
   */
  voters(node, time) {
    const known = lastUntil(this.nodes.get(node)?.members ?? [], time);
    return known?.voters.at(-1) ?? this.head.nodes.map(({ id }) => id);
  }

  /** @param {import("./types.js").HeadLine} line */
  #head(line) {
    this.head = line;
    for (const { id, name } of line.nodes) this.nodes.set(id, new NodeTrack(id, name));
    for (const { id, name } of line.clients ?? []) this.clients.set(id, new ClientTrack(id, name));
  }

  /** @param {import("./types.js").ProcessLine} line */
  #process(line) {
    const spans = this.lives.get(line.name) ?? [];
    if (!this.lives.has(line.name)) {
      this.lives.set(line.name, spans);
      if (line.event === "started" && line.at > 0) spans.push({ from: -1, to: line.at, what: "gone" });
    }
    const last = spans.at(-1);
    if (last && last.to === OPEN) last.to = line.at;
    if (line.event === "ended") spans.push({ from: line.at, to: OPEN, what: "gone" });
    if (line.event === "paused") spans.push({ from: line.at, to: OPEN, what: "paused" });
    this.#fact(line);
  }

  /** @param {RoleLine} line */
  #role(line) {
    const { roles } = this.node(line.node);
    const last = roles.at(-1);
    roles.push(line);
    this.#fact(line, last);
    const band = this.terms.at(-1);
    if (line.term > 0 && (!band || line.term > band.term)) {
      if (band) band.to = line.at;
      this.terms.push({ from: line.at, to: OPEN, term: line.term, leader: undefined, led: undefined });
    }
    const own = this.terms.find(({ term }) => term === line.term);
    if (own && line.role === "leader" && own.leader === undefined) {
      own.leader = line.node;
      own.led = line.at;
    }
  }

  /** @param {import("./types.js").LogLine} line */
  #log(line) {
    const { logs } = this.node(line.node);
    const last = logs.at(-1);
    logs.push(line);
    if (line.snapshot !== undefined && line.snapshot !== last?.snapshot) this.#fact(line, last);
  }

  /** @param {import("./types.js").MembersLine} line */
  #members(line) {
    const { members } = this.node(line.node);
    const last = members.at(-1);
    members.push(line);
    // Each node tells it; one sentence is enough.
    if (!this.memberships.has(line.index)) this.#fact(line, last);
    this.memberships.add(line.index);
  }

  /** @param {GossipLine} line */
  #gossip(line) {
    const { sees } = this.node(line.node);
    const held = sees.get(line.about) ?? [];
    sees.set(line.about, held);
    this.#fact(line, held.at(-1));
    held.push(line);
  }

  /** @param {import("./types.js").FaultLine} line */
  #fault(line) {
    const known = this.faults.find(({ id }) => id === line.id);
    if (line.healed && known) known.to = line.at;
    else if (!known) this.faults.push({ id: line.id, node: line.node, what: line.what, from: line.at, to: OPEN });
    this.#fact(line);
  }

  /** @param {MessageLine} line */
  #message(line) {
    this.messages.push(line);
    if (line.received !== undefined) this.flight = Math.max(this.flight, line.received - line.at);
    const rare = line.what === "snapshot" || line.what === "transfer";
    if (rare && !line.answer) this.#fact(line);
  }

  /** @param {CallLine} line */
  #call(line) {
    const client = this.client(line.client);
    client.calls.push(line);
    const { returned = line.at } = line;
    client.longest = Math.max(client.longest, returned - line.at);
    this.end = Math.max(this.end, returned);
  }

  /** @param {import("./types.js").ToldLine} line */
  #told(line) {
    if (line.node !== undefined) this.node(line.node).told.push(line);
    this.#fact(line);
  }

  /**
   * @param {Line & {at: number}} line
   * @param {Line} [last]
   */
  #fact(line, last) {
    this.facts.push({ at: line.at, line, before: last });
  }
}
