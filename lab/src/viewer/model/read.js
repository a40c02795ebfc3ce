// A timeline, taken in line by line and kept so that any moment is found at once. Lines may
// go on coming: what is late is put where it belongs, and what is old is forgotten.

import { Answers, Gaps } from "./answers.js";
import { at, before, insert, item, lastUntil } from "./search.js";
import { ClientTrack, marked, NodeTrack, rename } from "./tracks.js";
import { halveCalls, halvePushes, thinMessages, trim } from "./trim.js";

/** @typedef {import("./types.js").Line} Line */
/** @typedef {import("./types.js").RoleLine} RoleLine */
/** @typedef {import("./types.js").CallLine} CallLine */
/** @typedef {import("./types.js").GossipLine} GossipLine */
/** @typedef {import("./types.js").MessageLine} MessageLine */
/** @typedef {import("./types.js").Fact} Fact */
/** @typedef {import("./types.js").Span} Span */
/**
 * Who wants to hear what is new: a fact, a call, a time without a move that is there or is
 * none after all; that what tells of the time before a moment will be incomplete, or that all
 * before it will be forgotten; that somebody is called otherwise than before.
 * @typedef {{fact: (fact: Fact) => void, call: (call: CallLine) => void, gap: (gap: Span, is: boolean) => void, settle: (time: number) => void, forget: (time: number) => void, named: () => void}} Listener
 */

/** The number of the format that is read here. */
export const FORMAT = 1;

/** What a leader sends: whoever gets it has heard of it. */
const LEADS = new Set(["append", "heartbeat", "snapshot"]);
/** So many facts are kept. Beyond, the older half is forgotten. */
const FACTS_MAX = 40_000;
/** So many findings are kept: the first ones, which tell how it began. */
const FINDINGS_MAX = 200;
/** So many faults are kept. Beyond, the first that began is forgotten. */
const FAULTS_MAX = 1000;

/** No election takes longer (microseconds): votes are not looked for before that. */
const ELECTION = 10_000_000;
/** A life without an end, so far. */
const OPEN = Infinity;

export class Model {
  /** @param {Listener[]} [listeners] who hears what is new */
  constructor(listeners = []) {
    /** How many lines there were: whoever keeps what is drawn from them looks whether it is old. */
    this.lines = 0;
    this.listeners = listeners;
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
    /** Acknowledged calls, and the moves among them. */
    this.answers = new Answers();
    this.moves = new Answers();
    /** Times without an acknowledged move. */
    this.gaps = new Gaps((gap, is) => listeners.forEach((one) => one.gap(gap, is)));
    /** What is kept begins here, and the last thing happened there. */
    this.begin = 0;
    this.end = 0;
    /** Since when somebody waits for a move now, as a live server says. @type {number | undefined} */
    this.waits = undefined;
    /** How many calls there were. */
    this.called = 0;
    /** How many calls and pushes are kept. */
    this.kept = { call: 0, push: 0 };
    /** What was too much to be kept from the beginning on is kept since then. @type {{messages?: number, calls?: number, pushes?: number}} */
    this.since = {};
    /** The entries that told who the members are. @type {Set<number>} */
    this.memberships = new Set();
  }

  /** Forgets everything. */
  clear() {
    for (const listener of this.listeners) listener.forget(Infinity);
    const { lines, listeners } = this;
    Object.assign(this, new Model(listeners), { lines: lines + 1 });
  }

  /**
   * Takes in the next line. Kinds that are not known are left out.
   * @param {Line} line
   */
  add(line) {
    this.lines += 1;
    if ("at" in line) this.end = Math.max(this.end, line.at);
    if ("node" in line && line.node !== undefined) this.#heard(line.node, line.at);
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
      case "push": return this.#push(line);
      case "told": return this.#told(line);
      case "sampled": return void insert(this.node(line.node).sampled, line);
      case "finding": return this.#finding(line);
      case "verdict": return this.#verdict(line);
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
    return this.lastFrom(node, time)?.received;
  }

  /**
   * What of a leader's came to a node last, before a moment.
   * @param {number} node
   * @param {number} time
   * @returns {MessageLine | undefined}
   */
  lastFrom(node, time) {
    /** @type {MessageLine | undefined} */
    let heard;
    for (let place = before(this.messages, time, at) - 1; place >= 0; place -= 1) {
      const message = item(this.messages, place);
      // None that was sent earlier can have come later.
      if (message.at + this.flight <= (heard?.received ?? -1)) break;
      const { received = OPEN } = message;
      if (message.to === node && !message.answer && LEADS.has(message.what) && received <= time && received > (heard?.received ?? -1)) {
        heard = message;
      }
    }
    return heard;
  }

  /**
   * Who voted for a node in a term, itself among them. Who follows it later has not.
   * @param {number} candidate
   * @param {number} term
   * @param {number} [until]
   * @returns {number[]}
   */
  votersFor(candidate, term, until = OPEN) {
    const voters = new Set([candidate]);
    for (const track of this.nodes.values()) {
      if (track.roles.some((line) => line.term === term && line.voted === candidate && line.at <= until)) voters.add(track.id);
    }
    for (let place = before(this.messages, until, at) - 1; place >= 0; place -= 1) {
      const { at: sent, what, answer, yes, from, to, term: said, received = OPEN } = item(this.messages, place);
      if (sent < until - ELECTION || (said < term && what === "vote")) break;
      if (what === "vote" && answer && yes && to === candidate && said === term && received <= until) voters.add(from);
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

  /**
   * Forgets what was before a moment, apart from what still holds at it.
   * @param {number} time
   */
  trim(time) {
    if (time <= this.begin) return;
    for (const listener of this.listeners) listener.forget(time);
    trim(this, time);
    this.lines += 1;
  }

  /** Hears of everything from now on, and of what has been heard so far. @param {Listener} listener */
  listen(listener) {
    for (const fact of this.facts) listener.fact(fact);
    for (const { calls } of this.clients.values()) calls.forEach((call) => listener.call(call));
    for (const gap of this.gaps.spans) listener.gap(gap, true);
    this.listeners.push(listener);
  }

  /** @param {number} node @param {number} time */
  #heard(node, time) {
    const track = this.node(node);
    track.heard = Math.max(track.heard, time);
  }

  /** It comes again when others have joined. @param {import("./types.js").HeadLine} line */
  #head(line) {
    this.head = line;
    this.begin = Math.max(this.begin, line.from ?? 0);
    const news = [...line.nodes.map(({ id, name }) => rename(this.node(id), name)), ...(line.clients ?? []).map(({ id, name }) => rename(this.client(id), name))];
    if (news.includes(true)) for (const listener of this.listeners) listener.named();
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
    const place = insert(roles, line);
    this.#fact(line, roles[place - 1]);
    if (line.term > 0) this.#term(line);
  }

  /** Nodes tell of a term in any order. @param {RoleLine} line */
  #term({ at: time, term, role, node }) {
    const place = before(this.terms, term, (band) => band.term);
    let own = this.terms[place];
    if (own?.term !== term) {
      // Somebody wakes up in a term that was over long ago.
      if (own && own.from <= time) return;
      own = { from: time, to: own?.from ?? OPEN, term, leader: undefined, led: undefined };
      this.terms.splice(place, 0, own);
    }
    own.from = Math.min(own.from, time);
    const last = this.terms[place - 1];
    if (last) last.to = own.from;
    if (role !== "leader" || (own.led !== undefined && own.led <= time)) return;
    own.leader = node;
    own.led = time;
  }

  /** @param {import("./types.js").LogLine} line */
  #log(line) {
    const { logs } = this.node(line.node);
    const last = logs[insert(logs, line) - 1];
    if (line.snapshot !== undefined && line.snapshot !== last?.snapshot) this.#fact(line, last);
  }

  /** @param {import("./types.js").MembersLine} line */
  #members(line) {
    const { members } = this.node(line.node);
    const last = members[insert(members, line) - 1];
    // Each node tells it; one sentence is enough.
    if (!this.memberships.has(line.index)) this.#fact(line, last);
    this.memberships.add(line.index);
  }

  /** @param {GossipLine} line */
  #gossip(line) {
    const { sees } = this.node(line.node);
    const held = sees.get(line.about) ?? [];
    sees.set(line.about, held);
    this.#fact(line, held[insert(held, line) - 1]);
  }

  /** @param {import("./types.js").FaultLine} line */
  #fault(line) {
    const known = this.faults.find(({ id }) => id === line.id);
    if (line.healed && known) known.to = line.at;
    else if (!known) this.faults.push({ id: line.id, node: line.node, what: line.what, from: line.at, to: OPEN });
    if (this.faults.length > FAULTS_MAX) this.faults.shift();
    this.#fact(line);
  }

  /** It may be told again, when it has come. @param {MessageLine} line */
  #message(line) {
    if (line.received !== undefined) this.flight = Math.max(this.flight, line.received - line.at);
    const sender = this.nodes.get(line.from);
    if (sender) sender.heard = Math.max(sender.heard, line.at);
    const known = this.#toldBefore(line);
    if (known) return void Object.assign(known, line);
    insert(this.messages, line);
    const rare = line.what === "snapshot" || line.what === "transfer";
    if (rare && !line.answer) this.#fact(line);
    thinMessages(this);
  }

  /** @param {MessageLine} line */
  #toldBefore({ at: time, what, answer, from, to, index }) {
    if (time > (this.messages.at(-1)?.at ?? -1)) return undefined;
    for (let place = before(this.messages, time, at); this.messages[place]?.at === time; place += 1) {
      const one = item(this.messages, place);
      const same = one.what === what && one.from === from && one.to === to && one.index === index && !one.answer === !answer;
      if (same && one.received === undefined) return one;
    }
    return undefined;
  }

  /** It comes when it has returned. @param {CallLine} line */
  #call(line) {
    const client = this.client(line.client);
    insert(client.calls, line);
    this.called += 1;
    this.kept.call += 1;
    const { returned = line.at } = line;
    client.longest = Math.max(client.longest, returned - line.at);
    this.end = Math.max(this.end, returned);
    for (const listener of this.listeners) listener.call(line);
    this.#answer(line, returned);
    halveCalls(this);
  }

  /** @param {CallLine} line @param {number} returned */
  #answer({ at: asked, asked: what, outcome }, returned) {
    const wait = returned - asked;
    if (outcome === "ok") this.answers.add(returned, wait);
    if (what !== "write") return;
    if (outcome === "ok") this.gaps.answered(this.moves, this.moves.add(returned, wait));
    if (outcome === "unknown") this.gaps.missed(this.moves, asked);
  }

  /** @param {import("./types.js").PushLine} line */
  #push(line) {
    insert(this.client(line.client).pushes, line);
    this.kept.push += 1;
    halvePushes(this);
  }

  /** @param {import("./types.js").ToldLine} line */
  #told(line) {
    if (line.node !== undefined) insert(this.node(line.node).told, line);
    this.#fact(line);
  }

  /** @param {import("./types.js").FindingLine} line */
  #finding(line) {
    if (this.findings.length >= FINDINGS_MAX) return;
    insert(this.findings, line);
    this.#fact(line);
  }

  /** While a cluster runs it comes again and again: only what is new is told. @param {import("./types.js").VerdictLine} line */
  #verdict(line) {
    const news = this.verdict?.good !== line.good;
    this.verdict = line;
    if (news) this.#fact(line);
  }

  /** @param {Line & {at: number}} line @param {Line} [last] */
  #fact(line, last) {
    // How it stood where a timeline begins in the middle: nothing happened then.
    if (line.at <= (this.head.from ?? -1) && line.kind !== "finding" && line.kind !== "told") return;
    const fact = { at: line.at, line, before: last };
    insert(this.facts, fact);
    if (this.facts.length > FACTS_MAX) this.facts.splice(0, FACTS_MAX / 2);
    const node = line.kind === "message" ? line.from : "node" in line ? line.node : undefined;
    if (node !== undefined && marked(line, node)) insert(this.node(node).marks, fact);
    for (const listener of this.listeners) listener.fact(fact);
  }
}
