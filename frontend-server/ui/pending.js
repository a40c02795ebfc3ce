// Wishes that have no answer yet, oldest first. They outlive the socket they
// were sent on, and through the tab's storage also a reload.

/** @typedef {import("./types.js").Wish} Wish */

/** Unanswered wishes kept at most; one more is refused on the spot. */
export const PENDING_MAX = 64;

/**
 * After this long (ms) a wish is given up: one that the cluster keeps putting off,
 * and one found in storage. Nobody expects it any more.
 */
const GIVE_UP_AFTER = 60_000;

/** A move is kept longer: the player is told that it is safe, and it can never land in another round. */
const GIVE_UP_MOVE_AFTER = 600_000;

/** Whether it is too old to be sent once more. @param {Wish} wish @param {number} now */
export function isStale({ since, round }, now) {
  return now - since >= (round === null ? GIVE_UP_AFTER : GIVE_UP_MOVE_AFTER);
}

export class Pending {
  /** @type {Map<number, Wish>} */
  #wishes = new Map();

  /** Takes back what `list` gave, leaving out what is too old. @param {any[]} saved @param {number} now */
  static restore(saved, now) {
    const pending = new Pending();
    for (const wish of saved) {
      if (Number.isSafeInteger(wish?.serial) && !isStale(wish, now)) pending.add(wish);
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
