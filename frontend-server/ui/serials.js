// Serial numbers for wishes. Tabs of one browser are one player and share no
// memory while they run, so a serial is mostly the time, in microseconds, with
// chance in its last three digits: unique, growing, and below 2^53 until the
// year 2255.

/** How far a serial may jump when the clock does not help. */
const STEP = 1000;

export class Serials {
  #clock;
  #random;

  /** @param {() => number} clock milliseconds @param {() => number} random from 0 to below 1 */
  constructor(clock, random) {
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * The next one, always above the highest one known, even when somebody has
   * turned the clock back.
   * @param {number} highest
   */
  next(highest) {
    const chance = Math.floor(this.#random() * STEP);
    return Math.max(this.#clock() * 1000 + chance, highest + 1 + chance);
  }
}
