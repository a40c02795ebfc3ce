// Who guessed how well: answers that were right of all that were asked, and how many times
// in a row all of them were. Plain code.

/** @typedef {{team: string, right: number, asked: number, streak: number, best: number}} Row */

export class Scores {
  constructor() {
    /** @type {Map<string, Row>} */
    this.rows = new Map();
  }

  /**
   * Counts the answers of one guess.
   * @param {string} team empty where nobody has a name
   * @param {readonly {right: boolean}[]} answered
   * @returns {Row}
   */
  count(team, answered) {
    const name = team.trim();
    const row = this.rows.get(name) ?? { team: name, right: 0, asked: 0, streak: 0, best: 0 };
    this.rows.set(name, row);
    if (!answered.length) return row;
    row.asked += answered.length;
    row.right += answered.filter(({ right }) => right).length;
    row.streak = answered.every(({ right }) => right) ? row.streak + 1 : 0;
    row.best = Math.max(row.best, row.streak);
    return row;
  }

  /** The best first: by the share that was right, then by how many were asked. */
  table() {
    const share = (/** @type {Row} */ { right, asked }) => right / Math.max(1, asked);
    return [...this.rows.values()].filter(({ asked }) => asked > 0).sort((one, other) => share(other) - share(one) || other.asked - one.asked);
  }

  reset() {
    this.rows.clear();
  }
}
