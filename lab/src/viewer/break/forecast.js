// What came of a fault, read from the timeline: who leads next, in which term, for how long
// nobody could move. And a guess beside it. Plain code.

import { before, item, itself, lastUntil } from "../model/search.js";
import { span } from "../model/words.js";
import { leaderAt, processAt } from "./standing.js";

/** @typedef {import("../model/read.js").Model} Model */
/** @typedef {import("../model/types.js").Span} Span */
/** @typedef {{node: number, term: number, at: number}} Won */
/**
 * `leader` and `term` are those before it, `next` who first leads a later term.
 * `silence` is the longest time without an acknowledged move, nothing when nobody played;
 * `open` says that it lasts; `healed` that it lasted as long as the trouble.
 * `held` counts elections, each in a term of its own; `split` are the terms that nobody won
 * although two or more stood. `settled` says that no more is waited for.
 * @typedef {{from: number, to: number, leader: number | undefined, term: number, next: Won | undefined, silence: Span | undefined, open: boolean, healed: boolean, held: number, split: number[], settled: boolean}} Outcome
 */
/**
 * A node's name or "nobody"; "same", a term, or "later"; a key of `SILENCES`. Empty where
 * nothing was guessed.
 * @typedef {{leader: string, term: string, silence: string}} Guess
 */
/** @typedef {{question: string, guessed: string, was: string, right: boolean}} Answered */

/** So long (microseconds) without another leader, and none comes of it. */
const CALM = 6_000_000;
/** So long a silence is waited for. */
const PATIENCE = 30_000_000;
/** Somebody plays when a move of so long before was acknowledged. */
const PLAYED = 5_000_000;
/** The newest things of so long may not have been told yet. */
const UNTOLD = 600_000;
/** A silence that ends so soon after the trouble ends with it: an election may be between. */
const SOON = 2_500_000;
/** Twelve players leave pauses up to this themselves. */
const NOTICED = 300_000;
/** Terms behind the last that can be guessed by their number. */
const NUMBERED = 2;

/**
 * For how long nobody moves: a key, a text, and below which time (microseconds).
 * @type {[string, string, number][]}
 */
export const SILENCES = [
  ["none", "not noticeably: below 0.3 s", NOTICED],
  ["short", "0.3 to 0.6 s", 600_000],
  ["middle", "0.6 to 1.2 s", 1_200_000],
  ["long", "longer", Infinity],
  ["heals", "until it heals", Infinity],
];

/**
 * What has come of something that was done at `from`, as far as the timeline tells.
 * @param {Model} model
 * @param {number} from microseconds
 * @param {number} [least] it is not settled before this moment
 * @param {number} [now] later than the end of the model when nothing has come for a while
 * @returns {Outcome}
 */
export function outcome(model, from, least = from, now = model.end) {
  const leader = leaderAt(model, from);
  const term = termAt(model, from);
  const next = winner(model, from, term);
  const times = movesFrom(model, from);
  const played = times.length > 0 && item(times, 0) < from;
  const awaited = Math.max(least, next?.at ?? from + CALM);
  const stop = played ? times[before(times, awaited, itself)] : now < awaited + UNTOLD ? undefined : awaited;
  const to = stop ?? now;
  const open = played && stop === undefined && now - (times.at(-1) ?? now) > UNTOLD;
  const silence = played ? longest(model, times, to) : undefined;
  const settled = stop !== undefined || now >= Math.max(least, from + PATIENCE);
  const healed = silence !== undefined && (open || withTrouble(model, silence));
  return { from, to, leader: leader?.node, term, next, silence, open, healed, ...elections(model, from, to, term), settled };
}

/**
 * The highest term that any node is in at a moment.
 * @param {Model} model
 * @param {number} time
 */
export function termAt({ nodes }, time) {
  return [...nodes.values()].reduce((most, { roles }) => Math.max(most, lastUntil(roles, time)?.term ?? 0), 0);
}

/**
 * Who first leads a later term.
 * @param {Model} model @param {number} from @param {number} term @returns {Won | undefined}
 */
function winner(model, from, term) {
  /** @type {Won | undefined} */
  let found;
  for (const { id, roles } of model.nodes.values()) {
    for (const line of behind(roles, from)) {
      const won = line.role === "leader" && line.term > term && line.term < (found?.term ?? Infinity);
      if (won) found = { node: id, term: line.term, at: line.at };
    }
  }
  return found;
}

/**
 * When moves were acknowledged, from the last one before `from` on. Only calls since shortly
 * before it are looked at.
 * @param {Model} model @param {number} from
 */
function movesFrom({ clients }, from) {
  /** @type {number[]} */
  const times = [];
  for (const { calls } of clients.values()) {
    for (let place = calls.length - 1; place >= 0; place -= 1) {
      const { at, returned = at, outcome: came, asked } = item(calls, place);
      if (returned < from - PLAYED) break;
      if (came === "ok" && asked === "write") times.push(returned);
    }
  }
  times.sort((one, other) => one - other);
  return times.slice(Math.max(0, before(times, from, itself) - 1));
}

/**
 * The longest time in which somebody waited for a move and none was acknowledged: between two
 * moves, or from the last one to the end.
 * @param {Model} model @param {number[]} times of moves @param {number} to @returns {Span}
 */
function longest({ gaps }, times, to) {
  const [first = to] = times;
  const last = times.findLast((time) => time <= to) ?? first;
  const open = to > last ? [{ from: last, to }] : [];
  const all = [...gaps.spans.filter((gap) => gap.from >= first && gap.to <= to), ...open];
  const found = all.reduce((most, gap) => (gap.to - gap.from > most.to - most.from ? gap : most), { from: first, to: first });
  const took = found.to - found.from;
  return { from: found.from, to: found.to, what: took ? span(took) : `below ${NOTICED / 1_000_000} s` };
}

/**
 * Whether a silence lasted as long as what caused it: something healed, started again or went
 * on while it lasted, and it ended soon after.
 * @param {Model} model @param {Span} silence
 */
function withTrouble({ faults, lives }, silence) {
  const ended = ({ to = 0 }) => to > silence.from && to <= silence.to && silence.to - to < SOON;
  return silence.to - silence.from >= NOTICED && [faults, ...lives.values()].flat().some(ended);
}

/** @param {Model} model @param {number} from @param {number} to @param {number} term */
function elections({ nodes }, from, to, term) {
  /** @type {Map<number, Set<number>>} */
  const stood = new Map();
  const won = new Set();
  for (const { id, roles } of nodes.values()) {
    for (const line of behind(roles, from)) {
      const stands = line.term > term && line.at <= to && (line.role === "candidate" || line.role === "leader");
      if (stands) stood.set(line.term, (stood.get(line.term) ?? new Set()).add(id));
      if (stands && line.role === "leader") won.add(line.term);
    }
  }
  const split = [...stood].filter(([one, who]) => who.size > 1 && !won.has(one)).map(([one]) => one);
  return { held: stood.size, split: split.sort((one, other) => one - other) };
}

/** Those behind a moment. @template {{at: number}} T @param {T[]} lines @param {number} time @returns {T[]} */
function behind(lines, time) {
  return lines.slice(before(lines, time + 1, ({ at }) => at));
}

/**
 * What may be guessed of the term: "same", the next ones, "later".
 * @param {number} term now
 * @returns {[string, string][]}
 */
export function termChoices(term) {
  const next = Array.from({ length: NUMBERED }, (_, place) => String(term + place + 1));
  return [["same", `${term}, as now`], ...next.map((one) => /** @type {[string, string]} */ ([one, one])), ["later", `${term + NUMBERED + 1} or later`]];
}

/**
 * What was guessed, beside what was. What was not guessed, or cannot be known, is left out.
 * @param {Model} model
 * @param {Guess} guess
 * @param {Outcome} came
 * @returns {Answered[]}
 */
export function answered(model, guess, came) {
  const found = [ofLeader(model, guess.leader, came), ofTerm(guess.term, came), ofSilence(guess.silence, came)];
  return found.filter((one) => one !== undefined);
}

/** @param {Model} model @param {string} guessed @param {Outcome} came @returns {Answered | undefined} */
function ofLeader(model, guessed, { next, leader, open, to }) {
  if (!guessed) return undefined;
  const question = "Leads next";
  if (next) return { question, guessed, was: model.nodeName(next.node), right: guessed === model.nodeName(next.node) };
  const name = leader === undefined ? "nobody" : model.nodeName(leader);
  if (name === "nobody" || processAt(model, name, to) === "gone") return { question, guessed, was: "nobody", right: guessed === "nobody" };
  // Whoever leads without a majority leads nobody.
  if (open) return { question, guessed, was: `${name} still, but without a majority`, right: guessed === name || guessed === "nobody" };
  return { question, guessed, was: `${name} still`, right: guessed === name };
}

/** @param {string} guessed @param {Outcome} came @returns {Answered | undefined} */
function ofTerm(guessed, { next, term }) {
  if (!guessed) return undefined;
  // Another term may have begun since it was guessed: then its number stands for itself.
  const [, text = guessed] = termChoices(term).find(([key]) => key === guessed) ?? [];
  const was = !next ? "same" : next.term > term + NUMBERED ? "later" : String(next.term);
  return { question: "In term", guessed: text, was: next ? String(next.term) : `${term}, as before`, right: guessed === was || guessed === String(next?.term) };
}

/** @param {string} guessed @param {Outcome} came @returns {Answered | undefined} */
function ofSilence(guessed, { silence, open, healed }) {
  if (!guessed || !silence) return undefined;
  const [, text = ""] = SILENCES.find(([key]) => key === guessed) ?? [];
  const [own] = SILENCES.find(([, , most]) => silence.to - silence.from < most) ?? [];
  const was = open ? `${silence.what}, and it lasts` : healed ? `${silence.what}, until it healed` : silence.what;
  return { question: "Nobody moves for", guessed: text, was, right: guessed === "heals" ? healed : guessed === own && !open };
}

/**
 * What came of it, in a sentence.
 * @param {Model} model
 * @param {Outcome} came
 */
export function outcomeText(model, { leader, term, next, silence, open, split }) {
  const name = leader === undefined ? "nobody" : model.nodeName(leader);
  const votes = split.length ? `, after a split vote in term ${split.join(" and ")}` : "";
  const led = next ? `${model.nodeName(next.node)} leads term ${next.term}${votes}` : open || leader === undefined ? "nobody else leads" : `${name} still leads term ${term}`;
  if (!silence) return `${led}; nobody played`;
  if (open) return `${led}; nobody has moved for ${silence.what}`;
  return silence.to - silence.from < NOTICED ? `${led}; players did not notice` : `${led}; nobody moved for ${silence.what}`;
}
