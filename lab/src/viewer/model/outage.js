// A time in which nobody can move, told while it grows: in a line that changes, and aloud once
// when it begins and once when it ends.

/** @typedef {import("./gap.js").Gap} Gap */

/** Aloud it is told from this length (microseconds) on: shorter ones come and go. */
const ALOUD = 500_000;

/** Tenths of a second: what grows is read at a glance. @param {number} us */
const tenths = (us) => `${(Math.floor(us / 100_000) / 10).toFixed(1)} s`;

export class Outage {
  constructor() {
    /** Since when it is, once that was told aloud. @type {number | undefined} */
    this.since = undefined;
  }

  /**
   * @param {Gap | undefined} gap at the newest moment
   * @returns {{words: string, aloud: string}} what is to be read now, and what is to be said; either may be nothing
   */
  look(gap) {
    if (!gap || gap.ended) return { words: "", aloud: this.#ended(gap) };
    const words = `${gap.guessed ? "No move has been acknowledged" : "Nobody has been able to move"} for ${tenths(gap.us)}`;
    if (this.since !== undefined || gap.us < ALOUD) return { words, aloud: "" };
    this.since = gap.from;
    return { words, aloud: gap.guessed ? "No move is acknowledged any more" : "Nobody can move any more" };
  }

  /** @param {Gap | undefined} gap */
  #ended(gap) {
    const { since } = this;
    this.since = undefined;
    if (since === undefined) return "";
    const own = gap && gap.from + gap.us > since;
    return `Moves are acknowledged again${own ? `, after ${tenths(gap.us)}` : ""}`;
  }
}
