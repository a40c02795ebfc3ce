// The story of a timeline: its sentences in the order in which things happened. It grows with
// the model: what comes late is put where it belongs, and what is old is forgotten.

import { LONG } from "./answers.js";
import { at, before, insert, item } from "./search.js";
import { answered, AT_ONCE, awayFor, kindOf, ofFault, sentence, together } from "./told.js";

/** @typedef {import("./read.js").Model} Model */
/** @typedef {import("./types.js").CallLine} CallLine */
/** @typedef {import("./types.js").Fact} Fact */
/** @typedef {import("./types.js").Line} Line */
/** @typedef {import("./types.js").Span} Span */

/** What several nodes tell within this time (microseconds) is told once. */
const REPEATED = 2_000_000;
/** What nodes say of themselves of which there are lines as well. */
const SAID_ELSEWHERE = new Set(["leader", "gossip", "fault"]);
/** A refusal that is told: what was opened is not there. The others are games' rules. */
const LOST_ROOM = "no-such-room";
/** So many sentences are kept. Beyond, everyday calls of the older half are forgotten, or that half. */
const ENTRIES_MAX = 200_000;

/** A sentence of the story. What it says is worked out when it is asked for. */
export class Entry {
  /**
   * @param {number} at
   * @param {string} tone what it is about
   * @param {() => string} where it happened: the name of a lane, which may be another later
   * @param {() => string} say
   */
  constructor(at, tone, where, say) {
    this.at = at;
    this.tone = tone;
    this.where = where;
    this.say = say;
    /** Left out at first. */
    this.minor = false;
    /** @type {number | undefined} */
    this.term = undefined;
    /** What it tells of, if that is a fact. @type {Fact | undefined} */
    this.fact = undefined;
    /** Whether it is about a read. */
    this.reads = false;
    /** Whether nobody was there who could answer. */
    this.away = false;
    /** What it says for good, when that could not be worked out later. @type {string | undefined} */
    this.settled = undefined;
  }

  get text() {
    return this.settled ?? this.say();
  }

  get lane() {
    return this.where();
  }
}

export class Story {
  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    /** In order. @type {Entry[]} */
    this.entries = [];
    /** From when on it is another than when it was looked at last. */
    this.changed = Infinity;
    /** When something was told last, by its words. @type {Map<string, number>} */
    this.told = new Map();
    /** The last fault of each kind that began or ended at a node, with those that did at once. @type {Map<string, {at: number, whats: string[]}>} */
    this.broken = new Map();
    /** Since when a process was away of which it was told last that it answers no reads, by its name. @type {Map<string, number>} */
    this.silent = new Map();
    model.listen(this);
  }

  /** From when on it is another than at the last look; Infinity where it is not. */
  news() {
    const { changed } = this;
    this.changed = Infinity;
    return changed;
  }

  /** @param {Fact} fact */
  fact(fact) {
    const { model } = this;
    const { line } = fact;
    if (sentence(model, fact) === "") return;
    const node = "node" in line && line.node !== undefined ? line.node : undefined;
    const lane = () => (node === undefined ? laneOf(line) : model.nodeName(node));
    const whats = line.kind === "fault" ? this.#withOthers(line) : [];
    if (whats === undefined) return;
    const say = () => (line.kind === "fault" ? ofFault(model, line, together(whats)) : sentence(model, fact));
    const entry = new Entry(fact.at, toneOf(line), lane, say);
    entry.fact = fact;
    entry.term = line.kind === "role" ? line.term : undefined;
    entry.minor = this.#again(line) || (line.kind === "told" && SAID_ELSEWHERE.has(line.about));
    this.#put(entry);
  }

  /** @param {CallLine} call */
  call(call) {
    const { model } = this;
    const { returned = call.at } = call;
    const time = call.outcome === "unknown" ? call.at : returned;
    const entry = new Entry(time, call.outcome === "ok" ? "call" : call.outcome, () => model.client(call.client).name, () => answered(model, call));
    entry.reads = call.asked === "read";
    const everyday = call.outcome === "ok" || (call.outcome === "refused" && call.code !== LOST_ROOM);
    entry.minor = everyday && returned - call.at <= LONG;
    const away = entry.reads && call.outcome === "unknown" ? awayFor(model, call) : undefined;
    if (away) {
      // Whoever reads there goes on trying: it is told once.
      entry.away = true;
      entry.minor = this.silent.get(call.by) === away.from;
      this.silent.set(call.by, away.from);
    }
    this.#put(entry);
  }

  /** @param {Span} gap @param {boolean} is */
  gap({ to, what }, is) {
    if (is) return this.#put(new Entry(to, "gap", () => "moves", () => `After ${what} without one, a move is acknowledged`));
    let place = before(this.entries, to, at);
    while (this.entries[place]?.at === to && this.entries[place]?.tone !== "gap") place += 1;
    if (this.entries[place]?.at === to) this.entries.splice(place, 1);
    this.changed = Math.min(this.changed, to);
  }

  /** Somebody is called otherwise: all is to be told anew. */
  named() {
    this.changed = 0;
  }

  /** What elections say needs messages that are about to be forgotten. @param {number} time */
  settle(time) {
    for (const entry of this.entries) {
      if (entry.at > time) return;
      if (entry.tone === "candidate" || entry.tone === "leader") entry.settled ??= entry.text;
    }
  }

  /** @param {number} time what was before it is forgotten */
  forget(time) {
    this.settle(time + REPEATED);
    this.entries.splice(0, before(this.entries, time, at));
    for (const [words, last] of this.told) if (last < time) this.told.delete(words);
    for (const [key, { at: last }] of this.broken) if (last < time) this.broken.delete(key);
    this.changed = Math.min(this.changed, time === Infinity ? 0 : this.changed);
  }

  /** That no move is acknowledged any more, as things stand. @returns {Entry | undefined} */
  get tail() {
    const { gaps, moves, end } = this.model;
    const open = gaps.until(moves.times, end).at(-1);
    if (!open || open === gaps.spans.at(-1)) return undefined;
    return new Entry(open.from, "gap", () => "moves", () => `No move is acknowledged any more, for ${open.what}`);
  }

  /** @param {Entry} entry */
  #put(entry) {
    insert(this.entries, entry);
    this.changed = Math.min(this.changed, entry.at);
    if (this.entries.length <= ENTRIES_MAX) return;
    const cut = item(this.entries, ENTRIES_MAX / 2).at;
    this.entries = this.entries.filter(({ at: time, minor }) => time >= cut || !minor);
    if (this.entries.length > ENTRIES_MAX * 0.9) this.entries.splice(0, ENTRIES_MAX / 2);
    this.changed = 0;
  }

  /**
   * What is done to a node at once is one sentence.
   * @param {import("./types.js").FaultLine} line
   * @returns {string[] | undefined} what it tells of, or nothing where it stands in another
   */
  #withOthers({ at: time, node, what, healed }) {
    const key = `${node} ${healed === true} ${kindOf(what)}`;
    const known = this.broken.get(key);
    if (node !== undefined && known && Math.abs(time - known.at) < AT_ONCE) {
      known.whats.push(what);
      this.changed = Math.min(this.changed, known.at);
      return undefined;
    }
    const whats = [what];
    this.broken.set(key, { at: time, whats });
    return whats;
  }

  /** Whether another node has just told the same. @param {Line} line */
  #again(line) {
    if (line.kind !== "told" || line.node === undefined) return false;
    const key = `${line.about}: ${line.text}`;
    const last = this.told.get(key);
    this.told.set(key, line.at);
    return last !== undefined && Math.abs(line.at - last) < REPEATED;
  }
}

/** @param {Line} line */
function toneOf(line) {
  if (line.kind === "process" && line.event === "started") return "role";
  return line.kind === "role" && (line.role === "leader" || line.role === "candidate") ? line.role : line.kind;
}

/** @param {Line} line */
function laneOf(line) {
  if (line.kind === "process") return line.name;
  return line.kind === "fault" || line.kind === "finding" ? "faults" : "";
}

/**
 * Everything that is told. What is `minor` is told to those who want all calls.
 * @param {Model} model
 * @returns {Entry[]}
 */
export function story(model) {
  const whole = new Story(model);
  const { tail } = whole;
  if (tail) insert(whole.entries, tail);
  return whole.entries;
}

/**
 * How often something happened in each of the bins of a window.
 * @param {import("./answers.js").Answers} answers
 * @param {number} from where the first bin begins
 * @param {number} bin how long each is
 * @param {number} count how many
 * @returns {Uint32Array}
 */
export function binned(answers, from, bin, count) {
  const bins = new Uint32Array(count);
  for (let place = 0; place < count; place += 1) bins[place] = answers.between(from + place * bin, from + (place + 1) * bin);
  return bins;
}
