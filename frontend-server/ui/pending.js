// Wishes that have no answer yet, oldest first. They outlive the socket they
// were sent on, and through the tab's storage also a reload.

/** @typedef {import("./types.js").Wish} Wish */

/** Unanswered wishes kept at most; one more is refused on the spot. */
export const PENDING_MAX = 64;

/** A wish found in storage after this long (ms) is not sent again: nobody wants it any more. */
export const STALE_AFTER = 60_000;

export class Pending {
  /** @type {Map<number, Wish>} */
  #wishes = new Map();

  /** Takes back what `list` gave, leaving out what is too old. @param {any[]} saved @param {number} now */
  static restore(saved, now) {
    const pending = new Pending();
    for (const wish of saved) {
      if (Number.isSafeInteger(wish?.serial) && now - wish.since < STALE_AFTER) pending.add(wish);
    }
    return pending;
  }

  /** Whether there was room for it. @param {Wish} wish */
  add(wish) {
    if (this.#wishes.size >= PENDING_MAX) return false;
    this.#wishes.set(wish.serial, wish);
    return true;
  }

  /** @param {number} serial */
  get(serial) {
    return this.#wishes.get(serial);
  }

  /** @param {number} serial */
  remove(serial) {
    this.#wishes.delete(serial);
  }

  list() {
    return [...this.#wishes.values()];
  }
}
