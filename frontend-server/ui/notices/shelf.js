// Which banners are shown: pure. One for each room and offer, the newest last, and only as
// many as leave the page to the player.

/** @typedef {import("./words.js").Banner} Banner */

/** Banners shown at once; an older one makes room. */
export const BANNERS_MAX = 2;

/** How long (ms) that is. */
const MOMENT = 8000;

export class Shelf {
  /** @type {Map<string, Banner & {until: number}>} */
  #banners = new Map();

  /** @param {Banner} banner @param {number} now */
  put(banner, now) {
    this.#banners.delete(banner.key);
    this.#banners.set(banner.key, { ...banner, until: banner.stays === undefined ? Infinity : now + banner.stays });
    const [oldest] = this.#banners.keys();
    if (this.#banners.size > BANNERS_MAX && oldest) this.#banners.delete(oldest);
  }

  /** @param {string} key */
  remove(key) {
    return this.#banners.delete(key);
  }

  /** What was held back by a hand or the focus on it stays a moment longer. @param {number} now @param {boolean} held */
  list(now, held) {
    for (const [key, { until }] of this.#banners) if (until <= now && !held) this.#banners.delete(key);
    return [...this.#banners.values()];
  }

  /** Who comes back to the page has a moment for what is there. @param {number} now */
  refresh(now) {
    for (const banner of this.#banners.values()) banner.until = Math.max(banner.until, now + MOMENT);
  }

  /** Whether one of them asks the player to do something. */
  get urgent() {
    return [...this.#banners.values()].some(({ turn }) => turn === true);
  }
}
