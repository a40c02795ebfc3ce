// Steps through a timeline, one happening after the other: whatever a line tells of, messages
// as they are sent and as they come.

import { at, before, item } from "./search.js";
import { sentence } from "./told.js";
import { counted, grouped } from "./words.js";

/** @typedef {import("./read.js").Model} Model */
/** @typedef {import("./types.js").MessageLine} MessageLine */

/** So many happenings of one moment are told. */
const TOLD_MAX = 3;

/**
 * The moment of the next happening behind a time, or of the last before it.
 * @param {Model} model
 * @param {number} time
 * @param {1 | -1} way
 * @returns {number | undefined}
 */
export function nextMoment(model, time, way) {
  const best = new Best(time, way);
  best.among(model.facts);
  best.among(model.messages);
  for (const track of model.nodes.values()) {
    for (const lines of [track.roles, track.logs, track.members, track.told, ...track.sees.values()]) best.among(lines);
  }
  for (const { calls, pushes } of model.clients.values()) {
    best.among(calls);
    best.among(pushes);
  }
  for (const spans of model.lives.values()) spans.forEach(({ from, to }) => [from, to].forEach((moment) => best.take(moment)));
  best.between(model.messages, model.flight, ({ received }) => received);
  for (const { calls, longest } of model.clients.values()) best.between(calls, longest, ({ returned }) => returned);
  return best.found;
}

/**
 * Of the next moments of several days the one that comes first on the way.
 * @param {readonly (number | undefined)[]} moments
 * @param {1 | -1} way
 */
export function firstOf(moments, way) {
  const known = moments.flatMap((moment) => (moment === undefined ? [] : [moment * way]));
  return known.length ? Math.min(...known) * way : undefined;
}

/**
 * What happens on several days at one moment: once where it is the same on all.
 * @param {[string, string][]} days each its name, and what happens
 */
export function onDays(days) {
  const [first = ["", ""]] = days;
  if (days.every(([, happens]) => happens === first[1])) return first[1];
  return days.filter(([, happens]) => happens !== "").map(([name, happens]) => `${name}: ${happens}`).join("; ");
}

/** The nearest of moments, on one side of a time. */
class Best {
  /** @param {number} time @param {1 | -1} way */
  constructor(time, way) {
    this.time = time;
    this.way = way;
    /** @type {number | undefined} */
    this.found = undefined;
  }

  /** @param {number | undefined} moment */
  take(moment) {
    if (moment === undefined || !Number.isFinite(moment) || moment < 0) return;
    if ((moment - this.time) * this.way <= 0) return;
    if (this.found === undefined || (this.found - moment) * this.way > 0) this.found = moment;
  }

  /** @param {readonly {at: number}[]} lines in order */
  among(lines) {
    const place = this.way > 0 ? before(lines, this.time + 1, at) : before(lines, this.time, at) - 1;
    this.take(lines[place]?.at);
  }

  /**
   * When what lasts is over. Only what began within `longest` of a moment can end there.
   * @template {{at: number}} T
   * @param {readonly T[]} lines in order
   * @param {number} longest
   * @param {(line: T) => number | undefined} ends
   */
  between(lines, longest, ends) {
    const nearest = this.found ?? (this.way > 0 ? Infinity : 0);
    const [from, to] = this.way > 0 ? [this.time - longest, nearest] : [nearest - longest, this.time];
    for (let place = before(lines, from, at); place < lines.length && item(lines, place).at <= to; place += 1) this.take(ends(item(lines, place)));
  }
}

/**
 * What happens at a moment, to the microsecond, in words. What more there is than is told is
 * counted.
 * @param {Model} model
 * @param {number} time
 * @returns {string}
 */
export function happensAt(model, time) {
  const facts = alike(model.facts, time).map((fact) => sentence(model, fact) || plainly(model, fact.line));
  const sent = alike(model.messages, time).map((message) => `${ofMessage(model, message)} is sent`);
  const came = ending(model.messages, time, model.flight, ({ received }) => received).map((message) => `${ofMessage(model, message)} arrives`);
  const calls = [...model.clients.values()].flatMap((client) => [
    ...alike(client.calls, time).map((call) => `${client.name} asks ${call.by}`),
    ...ending(client.calls, time, client.longest, ({ returned }) => returned).map(({ by }) => `${client.name} has its answer from ${by}`),
    ...alike(client.pushes, time).map((push) => `${client.name} ${ofPush(push)}`),
  ]);
  const nodes = [...model.nodes.values()].flatMap(({ name, logs, members }) => [
    ...alike(logs, time).map(({ last = 0, committed = 0 }) => `${name} has its log up to ${grouped(last)}, committed up to ${grouped(committed)}`),
    ...alike(members, time).map(({ index }) => `${name} knows the members as of entry ${grouped(index)}`),
  ]);
  const all = [...facts, ...sent, ...came, ...calls, ...nodes].filter((text) => text !== "");
  const more = all.length > TOLD_MAX ? [counted(all.length - TOLD_MAX, "more", "more")] : [];
  return [...all.slice(0, TOLD_MAX), ...more].join("; ");
}

/**
 * @template {{at: number}} T
 * @param {readonly T[]} lines in order
 * @param {number} time
 * @returns {T[]}
 */
function alike(lines, time) {
  return lines.slice(before(lines, time, at), before(lines, time + 1, at));
}

/**
 * @template {{at: number}} T
 * @param {readonly T[]} lines in order
 * @param {number} time
 * @param {number} longest
 * @param {(line: T) => number | undefined} ends
 * @returns {T[]}
 */
function ending(lines, time, longest, ends) {
  return lines.slice(before(lines, time - longest, at), before(lines, time + 1, at)).filter((line) => ends(line) === time);
}

/** What is no news, and happens all the same. @param {Model} model @param {import("./types.js").Line} line */
function plainly(model, line) {
  if (line.kind === "role") return `${model.nodeName(line.node)} is ${line.role} in term ${line.term}`;
  return line.kind === "gossip" ? `${model.nodeName(line.node)} holds ${model.nodeName(line.about)} to be ${line.state}` : "";
}

/** @param {Model} model @param {MessageLine} message */
function ofMessage(model, { from, to, what, answer, yes, term, index }) {
  const says = answer ? `${yes === false ? "a no" : "an answer"} to ${what}` : what;
  const about = index === undefined ? "" : `, about entry ${grouped(index)}`;
  return `${model.nodeName(from)} to ${model.nodeName(to)}: ${says} of term ${term}${about},`;
}

/** What its screen shows from then on. @param {import("./types.js").PushLine} push */
function ofPush({ room, version, resync, closed }) {
  if (closed) return `is told that room ${room} is closed`;
  return `is shown room ${room} in version ${version}${resync ? ", whole" : ""}`;
}
