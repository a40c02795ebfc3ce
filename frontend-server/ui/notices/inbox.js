// Which notices are new: pure. A player's notices are numbered without holes, and each is
// shown once, whatever connection it came through and however often.
//
// What holds:
// - A number that was seen is not shown again.
// - A hole that the server does not explain (`resync`) is asked about once; what comes then
//   is taken as it is.
// - The first notice of all may have any number: mailboxes do not begin with 1.
// - A tab that has never asked begins with what happens from now on: what its player was
//   told before may be days old.

export class Inbox {
  /** The highest number seen; undefined before the first answer. @type {number | undefined} */
  #seen;
  /** The hole that was asked about: the number before it. */
  #doubted = -1;
  /** Whether the question that is on its way says no number. */
  #anew = false;

  /** @param {unknown} [seen] what the tab remembers */
  constructor(seen) {
    this.#seen = Number.isSafeInteger(seen) ? Number(seen) : undefined;
  }

  get seen() {
    return this.#seen;
  }

  /** What to ask with. @returns {{since?: number}} */
  question() {
    this.#anew = this.#seen === undefined;
    return this.#seen === undefined ? {} : { since: this.#seen };
  }

  /** The newest number there is, as the server has it. @param {unknown} number */
  answered(number) {
    if (this.#anew && Number.isSafeInteger(number)) this.#seen = Math.max(this.#seen ?? 0, Number(number));
    this.#anew = false;
  }

  /**
   * `new`: to be shown. `old`: seen before, or no notice. `hole`: ask again from what was seen.
   * @param {{number?: unknown, resync?: unknown}} push
   * @returns {"new" | "old" | "hole"}
   */
  take({ number, resync }) {
    if (!Number.isSafeInteger(number)) return "old";
    const at = Number(number);
    const seen = this.#seen;
    if (seen !== undefined && at <= seen) return "old";
    if (seen !== undefined && seen > 0 && at > seen + 1 && resync !== true && this.#doubted !== seen) {
      this.#doubted = seen;
      return "hole";
    }
    this.#seen = at;
    return "new";
  }

  /** The cluster was restored: numbers of before mean nothing. */
  forget() {
    this.#seen = undefined;
    this.#doubted = -1;
  }
}
