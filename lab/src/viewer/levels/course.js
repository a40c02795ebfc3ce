// The twelve levels in their order, and how far a learner has come with them.

import { gossipLies, jointConsensus, wipedDisk } from "./membership.js";
import { firstElection, preVote, splitVote, staleLeader } from "./elections.js";
import { lettersWay, lostSync, slowDisk } from "./disks.js";
import { reading, silentMinority } from "./reads.js";

/** @typedef {import("./level.js").Level} Level */

/** @type {Level[]} */
export const LEVELS = [
  firstElection,
  lettersWay,
  staleLeader,
  preVote,
  splitVote,
  silentMinority,
  wipedDisk,
  jointConsensus,
  gossipLies,
  slowDisk,
  lostSync,
  reading,
];

/**
 * What became of a level: the choice that was made before, whether it was right, and whether
 * the level was achieved.
 * @typedef {{guess?: string, right?: boolean, done?: boolean}} Mark
 */
/** @typedef {Record<string, Mark>} Progress */

/**
 * Where the learner stands. `since` is when the level was begun, in a timeline that began at
 * `began`: in another one it means nothing.
 * @typedef {{level: string, since: number, began: number, marks: Progress}} Place
 */

/**
 * Reads what was kept; whatever is not understood is left out.
 * @param {string | null | undefined} text
 * @returns {Place}
 */
export function readKept(text) {
  /** @type {Place} */
  const place = { level: LEVELS[0]?.id ?? "", since: 0, began: 0, marks: {} };
  let kept;
  try {
    kept = JSON.parse(text ?? "null");
  } catch {
    return place;
  }
  if (typeof kept !== "object" || kept === null) return place;
  if (LEVELS.some(({ id }) => id === kept.level)) place.level = kept.level;
  if (Number.isFinite(kept.since) && Number.isFinite(kept.began)) [place.since, place.began] = [kept.since, kept.began];
  for (const level of LEVELS) {
    const mark = kept.marks?.[level.id];
    if (mark) place.marks[level.id] = sound(level, mark);
  }
  return place;
}

/**
 * @param {Level} level @param {any} mark
 * @returns {Mark}
 */
function sound({ question }, { guess, right, done }) {
  return {
    ...(question.choices.some(({ id }) => id === guess) ? { guess } : {}),
    ...(typeof right === "boolean" ? { right } : {}),
    ...(done === true ? { done } : {}),
  };
}

/**
 * Notes a prediction. The first one of a level counts.
 * @param {Progress} marks @param {string} level @param {string} guess
 * @returns {Progress}
 */
export function predicted(marks, level, guess) {
  return marks[level]?.guess === undefined ? { ...marks, [level]: { ...marks[level], guess } } : marks;
}

/**
 * Notes what the timeline says. What was once noted stays.
 * @param {Progress} marks @param {string} level @param {boolean} done @param {string | undefined} answer
 * @returns {Progress}
 */
export function observed(marks, level, done, answer) {
  const mark = marks[level] ?? {};
  const settles = mark.guess !== undefined && mark.right === undefined && answer !== undefined;
  if (!settles && (!done || mark.done)) return marks;
  return { ...marks, [level]: { ...mark, ...(done ? { done } : {}), ...(settles ? { right: mark.guess === answer } : {}) } };
}

/**
 * How many levels are done, how many predictions were made that the timeline has answered,
 * and how many of these were right.
 * @param {Progress} marks
 */
export function summary(marks) {
  const all = Object.values(marks);
  return {
    of: LEVELS.length,
    done: all.filter(({ done }) => done).length,
    answered: all.filter(({ right }) => right !== undefined).length,
    right: all.filter(({ right }) => right).length,
  };
}

/**
 * The level that one would go on with: the next that is not done, round and round.
 * @param {Progress} marks @param {string} level
 * @returns {string | undefined} nothing when all are done
 */
export function nextLevel(marks, level) {
  const place = LEVELS.findIndex(({ id }) => id === level);
  const others = [...LEVELS.slice(place + 1), ...LEVELS.slice(0, Math.max(place, 0))];
  return others.find(({ id }) => !marks[id]?.done)?.id;
}

/**
 * How far a level is open: the question first, then what is to be done, in the end the reasons.
 * @param {boolean} decided a prediction was made, or whoever presents has gone on
 * @param {boolean} explains
 * @returns {"predict" | "do" | "why"}
 */
export function opened(decided, explains) {
  if (!decided) return "predict";
  return explains ? "why" : "do";
}
