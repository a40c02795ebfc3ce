// Deadlines that hold only while the page is awake. A hidden page's timers run
// late, once a minute at worst, and a frozen page's not at all: such a timer says
// nothing about the other side, whose answer may be waiting to be read.

/** A timer that is later than this (ms) was held back by the browser, and does not count. */
const PUNCTUAL = 1000;

/**
 * Calls `then` when so much time has passed. A timer that was held back starts anew.
 * @param {number} ms @param {() => void} then
 * @returns {() => void} calls it off
 */
export function deadline(ms, then) {
  let due = 0;
  let timer = 0;
  const start = () => {
    due = Date.now() + ms;
    timer = setTimeout(() => (Date.now() - due > PUNCTUAL ? start() : then()), ms);
  };
  start();
  return () => clearTimeout(timer);
}
