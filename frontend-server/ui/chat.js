// The last lines said in a room, put together from what comes in any order: pure. A frontend
// that tells steps tells a line when it is said, and those of before when it is asked for the
// history; an older one repeats all of them in every view.
//
// What holds:
// - A history is the chat as of its version. Lines of later versions are added to it; those
//   of earlier ones are in it already.
// - A history of a version that is not here yet waits for it, so that nobody reads a line
//   before the view that it belongs to.
// - While a history is missing, what is known is shown, and a new line at once.
// - A line is fresh once. What was said before the room was entered is never fresh.

/** @typedef {import("./types.js").Line} Line */
/** @typedef {import("./types.js").Said} Said */

/** Lines kept, as the rules have it. */
const LINES_MAX = 20;

export class Chat {
  /** The question for the history that has no answer yet. */
  asking = 0;
  /** The last answer was of no use: nothing is asked until the outside says so, or through another socket. */
  waiting = false;
  /** What was known when the last whole view came; when nothing is missing, all lines. @type {Line[]} */
  #lines = [];
  /** What was said after that view, while something before it is missing. @type {{version: number, line: Line}[]} */
  #later = [];
  /** The version of that view. */
  #since = 0;
  /** The newest version. */
  #version = 0;
  /** Whether nothing is missing, and whether that was so before. */
  #complete = false;
  #begun = false;
  /** A history of a version that is not here yet. @type {{version: number, lines: Said[]} | null} */
  #ahead = null;
  /** Lines that were given a number. */
  #numbered = 0;

  /** What is known, oldest first. */
  get lines() {
    return [...this.#lines, ...this.#later.map(({ line }) => line)].slice(-LINES_MAX);
  }

  /** Whether it is time to ask for the history. */
  get due() {
    const missing = this.#version > 0 && !this.#complete && !this.#ahead;
    return missing && !this.waiting && this.asking === 0;
  }

  /**
   * A whole view came, with its chat or without.
   * @param {number} version @param {Said[]} [lines] @returns {Line[]} what is fresh
   */
  whole(version, lines) {
    // Versions are counted anew: the answer that is on its way says one of the old count.
    if (version < this.#version) this.asking = 0;
    this.#version = version;
    this.#ahead = null;
    if (lines) return this.#settle(lines);
    this.#lines = this.lines;
    this.#later = [];
    this.#since = version;
    this.#complete = false;
    return [];
  }

  /**
   * The next version came, and what was said in it.
   * @param {number} version @param {Said[]} said @returns {Line[]} what is fresh
   */
  next(version, said) {
    const lines = said.map((line) => this.#number(line));
    this.#version = version;
    if (this.#complete) this.#lines = [...this.#lines, ...lines].slice(-LINES_MAX);
    else this.#later = [...this.#later, ...lines.map((line) => ({ version, line }))].slice(-LINES_MAX);
    return [...this.#merge(), ...lines];
  }

  /**
   * The history came.
   * @param {{version: number, lines: Said[]}} history @returns {Line[] | null} what is fresh; nothing when it is too old
   */
  answered(history) {
    this.asking = 0;
    if (this.#complete) return [];
    if (history.version < this.#since) return this.refused();
    this.#ahead = history;
    return this.#merge();
  }

  /** There is no history, at least not now. @returns {null} */
  refused() {
    this.asking = 0;
    this.waiting = true;
    return null;
  }

  /** The socket is gone, and the question with it. */
  lost() {
    this.asking = 0;
    this.waiting = false;
  }

  /** @returns {Line[]} */
  #merge() {
    if (!this.#ahead || this.#ahead.version > this.#version) return [];
    const { version, lines } = this.#ahead;
    const later = this.#later.filter((said) => said.version > version).map(({ line }) => line);
    return this.#settle([...lines, ...later].slice(-LINES_MAX));
  }

  /** These are all the lines there are. Those that are known stay what they are. @param {Said[]} lines @returns {Line[]} */
  #settle(lines) {
    const known = common(this.lines, lines);
    const all = lines.map((line, at) => known[at] ?? this.#number(line));
    const fresh = this.#begun ? all.filter((_, at) => !known[at]) : [];
    this.#lines = all;
    this.#later = [];
    this.#ahead = null;
    this.#complete = true;
    this.#begun = true;
    return fresh;
  }

  /** @param {Said} line @returns {Line} */
  #number({ player, name, text }) {
    this.#numbered += 1;
    return { player, name, text, number: this.#numbered };
  }
}

/**
 * What of `lines` is known, each in its place: their longest common subsequence, because the
 * same person may say the same thing again.
 * @param {Line[]} known @param {Said[]} lines
 */
function common(known, lines) {
  const same = (/** @type {number} */ i, /** @type {number} */ j) => known[i]?.player === lines[j]?.player && known[i]?.text === lines[j]?.text;
  /** How many are common of what comes after so many of each. @type {number[][]} */
  const counts = [];
  const count = (/** @type {number} */ i, /** @type {number} */ j) => counts[i]?.[j] ?? 0;
  for (let i = known.length - 1; i >= 0; i -= 1) {
    /** @type {number[]} */
    const row = (counts[i] = []);
    for (let j = lines.length - 1; j >= 0; j -= 1) {
      row[j] = same(i, j) ? count(i + 1, j + 1) + 1 : Math.max(count(i + 1, j), count(i, j + 1));
    }
  }
  /** @type {(Line | undefined)[]} */
  const found = [];
  for (let i = 0, j = 0; i < known.length && j < lines.length; ) {
    if (same(i, j)) found[j++] = known[i++];
    else if (count(i + 1, j) >= count(i, j + 1)) i += 1;
    else j += 1;
  }
  return found;
}
