// What a level is made of: a goal, a question, something to do, what to see, why it is so, and
// a look into the timeline that says whether it was achieved.

/** @typedef {import("../model/read.js").Model} Model */

/**
 * Something that was to be seen: when it happened, if it did.
 * @typedef {{text: string, done: boolean, at: number | undefined}} Seen
 */
/**
 * How far a level has come. `hint` says what to try when it went another way.
 * @typedef {{done: boolean, seen: Seen[], hint?: string}} Achieved
 */
/**
 * `reply` is for whoever chose it and was wrong: what was not thought of.
 * @typedef {{id: string, text: string, reply: string}} Choice
 */
/**
 * The right choice, and what was measured where something was.
 * @typedef {{id: string, measured?: string}} Answer
 */
/**
 * `answer` looks into the timeline from a moment on, and is undefined as long as that does not
 * say. `right` is for everybody: what the right answer is, and why.
 * @typedef {{asks: string, choices: Choice[], right: string, answer: (model: Model, since: number) => Answer | undefined}} Question
 */
/**
 * Command lines that one button performs, one after the other, `hangraft` left out; none
 * where nothing is left to be done. `after` says what to wait for before it.
 * @typedef {{says: string, after?: string, commands: (model: Model) => string[][]}} Step
 */
/**
 * Where a claim comes from.
 * @typedef {{of: "thesis" | "swim" | "terry" | "ours", where: string}} Source
 */
/**
 * @typedef {{id: string, title: string, goal: string, before?: string, question: Question, steps: Step[], look: string, why: string[], sources: Source[], achieved: (model: Model, since: number) => Achieved}} Level
 */

/**
 * @param {string} text
 * @param {number | undefined} at microseconds; undefined when it has not been seen yet
 * @returns {Seen}
 */
export function seen(text, at) {
  return { text, done: at !== undefined, at };
}

/**
 * @param {Seen[]} list all that belongs to the level, in order
 * @param {string} [hint]
 * @returns {Achieved}
 */
export function achievement(list, hint) {
  const done = list.every((one) => one.done);
  return hint === undefined || done ? { done, seen: list } : { done, seen: list, hint };
}

/** What to try when a time was over in which moves were to be made. */
export const NOBODY_MOVED = "Nobody moved meanwhile. Do the bots play? Begin again.";

/**
 * A step that is always the same.
 * @param {string} says
 * @param {string} line command lines, one after the other, parted by "; "
 * @param {string} [after]
 * @returns {Step}
 */
export function step(says, line, after) {
  const commands = line.split("; ").map((one) => one.split(" "));
  return after === undefined ? { says, commands: () => commands } : { says, after, commands: () => commands };
}

/** @param {string} where @returns {Source} */
export const thesis = (where) => ({ of: "thesis", where });

/** @param {string} where @returns {Source} */
export const swim = (where) => ({ of: "swim", where });

/** @param {string} where @returns {Source} */
export const terry = (where) => ({ of: "terry", where });

/** @param {string} where @returns {Source} */
export const ours = (where) => ({ of: "ours", where });
