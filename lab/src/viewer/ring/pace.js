// How fast the shown time goes, and how long things are drawn for that are too quick to see.
// At normal speed each message is stretched to a flight that can be seen; when time goes
// slowly enough, it is drawn where it really is.

/**
 * How things are drawn in time; all in microseconds of the timeline. `flight` is how long a
 * message's flight is drawn at least, `leg` a spark's way from one station to the next, and
 * `after` for how long an arrival is still seen. `real` is whether nothing is stretched.
 * @typedef {{flight: number, leg: number, after: number, real: boolean, speed: number}} Pace
 */

/** Seen for so long (seconds of the one who looks). */
const FLIGHT = 0.3;
const LEG = 0.12;
const AFTER = 0.16;
/** From this speed down, messages are drawn where they really are. */
const REAL = 1 / 50;
/** So much (milliseconds) of what has been shown is looked at to know its speed. */
const LOOKS = 400;
const SPEEDS = [1 / 1000, 1 / 100, 1 / 50, 1 / 10, 1 / 4, 1 / 2, 1, 2, 5];

/**
 * @param {number} speed of the shown time; 1 is the world's own
 * @param {boolean} [still] whether nothing is to move
 * @returns {Pace}
 */
export function paceOf(speed, still = false) {
  const us = 1e6 * Math.min(Math.max(speed, 1 / 1000), 2);
  const real = speed <= REAL;
  if (still) return { flight: 0, leg: 0, after: us * FLIGHT * 2, real: false, speed };
  return { flight: real ? 0 : us * FLIGHT, leg: us * LEG, after: us * AFTER, real, speed };
}

/** Finds out how fast the shown time goes, from one frame to the next. */
export class Tempo {
  constructor() {
    /** @type {{wall: number, moment: number}[]} */
    this.seen = [];
    this.speed = 1;
  }

  /**
   * @param {number} wall milliseconds
   * @param {number} moment microseconds
   * @returns {number} the speed, which stays what it was where time stands still or leaps
   */
  look(wall, moment) {
    const last = this.seen.at(-1);
    const leaps = last && (moment <= last.moment || moment - last.moment > 1_000_000 || wall - last.wall > LOOKS);
    if (leaps && moment === last.moment) return this.speed;
    if (leaps) this.seen = [];
    this.seen.push({ wall, moment });
    while (this.seen.length > 2 && wall - (this.seen[0]?.wall ?? wall) > LOOKS) this.seen.shift();
    const first = this.seen[0];
    if (!first || wall - first.wall < LOOKS / 4) return this.speed;
    const speed = (moment - first.moment) / 1000 / (wall - first.wall);
    this.speed = SPEEDS.reduce((best, one) => (Math.abs(Math.log(one / speed)) < Math.abs(Math.log(best / speed)) ? one : best));
    return this.speed;
  }
}
