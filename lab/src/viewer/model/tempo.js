// How the shown moment runs: behind the newest in a live page, smoothly whatever comes when;
// or from a moment on, as fast as it was or slower. All times are microseconds; "the page's
// clock" is one that runs evenly, from anywhere.

/** As fast as it was, and how much slower it can be shown. */
export const SPEEDS = [1, 0.5, 0.1, 0.01];

/** Behind what is whole by this much, for lines that are a little late. */
const MARGIN = 150_000;
/** No more behind the newest than this, however long nothing has happened. */
const LAG_MAX = 1_000_000;
/** Without news the clock is believed for so long: then the shown moment stands still. */
const BELIEVED = 700_000;
/** The moment is taken to where it should be at once if it is farther off than this. */
const FAR = 1_000_000;
/** A smaller distance is made up for within about this time. */
const EASE = 400_000;
/** How soon an old estimate gives way to a worse one: a part for each batch. */
const LEAK = 0.01;

/** What the server's clock shows, by the batches that came quickest. */
export class ServerClock {
  constructor() {
    this.reset();
  }

  /** As if nothing had been heard. */
  reset() {
    /** The page's clock less the server's, the smallest that was seen lately. */
    this.offset = Infinity;
    /** How far the newest that is told was behind the server's clock. */
    this.lag = LAG_MAX;
    /** What the server's clock showed when it was heard last. */
    this.now = 0;
  }

  /**
   * A batch came.
   * @param {number} now what the server's clock showed
   * @param {number} page what the page's clock shows
   * @param {number | undefined} newest the moment of the newest line in it
   */
  heard(now, page, newest) {
    this.now = Math.max(this.now, now);
    const offset = page - now;
    this.offset = offset < this.offset ? offset : this.offset + (offset - this.offset) * LEAK;
    if (newest === undefined) return;
    const lag = Math.min(Math.max(now - newest, 0), LAG_MAX);
    this.lag = lag < this.lag ? lag : this.lag + (lag - this.lag) * LEAK;
  }

  /** The moment to show: the newest of which everything should be told. @param {number} page */
  shown(page) {
    if (this.offset === Infinity) return 0;
    return Math.max(0, Math.min(page - this.offset, this.now + BELIEVED) - this.lag - MARGIN);
  }
}

/**
 * The moment after a while of following, which never goes back a little.
 * @param {number} moment
 * @param {number} target where it should be
 * @param {number} passed how much time has passed
 * @param {number} end behind which there is nothing yet
 */
export function followed(moment, target, passed, end) {
  const behind = target - moment;
  if (Math.abs(behind) > FAR) return target;
  const rate = 1 + Math.max(-1, Math.min(1, (behind - passed) / EASE));
  return Math.max(moment, Math.min(moment + passed * rate, end));
}

/**
 * The moment after a while of playing.
 * @param {number} moment
 * @param {number} speed
 * @param {number} passed
 * @param {number} end where there is nothing more to play
 * @returns {{moment: number, ended: boolean}}
 */
export function played(moment, speed, passed, end) {
  const next = moment + passed * speed;
  return next >= end ? { moment: Math.max(moment, end), ended: true } : { moment: next, ended: false };
}

/**
 * The next speed in a direction.
 * @param {number} speed
 * @param {number} way 1 is faster, -1 is slower
 */
export function changed(speed, way) {
  const place = SPEEDS.indexOf(speed) - way;
  return SPEEDS[Math.min(Math.max(place, 0), SPEEDS.length - 1)] ?? 1;
}

/** "1×", "½×", "1/10×". @param {number} speed */
export function speedWords(speed) {
  return speed === 1 ? "1" : speed === 0.5 ? "½" : `1/${Math.round(1 / speed)}`;
}

/** As the page's address has it: "1", "1/2", "1/10". @param {string | null} text @returns {number | undefined} */
export function readSpeed(text) {
  return SPEEDS.find((speed) => text === `1/${Math.round(1 / speed)}` || (speed === 1 && text === "1"));
}
