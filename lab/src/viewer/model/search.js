// Finding things among many that stand in order.

/**
 * The element at a place that is known to exist.
 * @template T
 * @param {ArrayLike<T>} items
 * @param {number} place
 * @returns {T}
 */
export function item(items, place) {
  return /** @type {T} */ (items[place]);
}

/**
 * How many of the items stand before `time`: the place of the first that does not.
 * @template T
 * @param {ArrayLike<T>} items in the order of `key`
 * @param {number} time
 * @param {(item: T) => number} key
 */
export function before(items, time, key) {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(item(items, middle)) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** @param {{at: number}} thing */
export const at = (thing) => thing.at;

/** @param {number} number */
export const itself = (number) => number;

/**
 * The last that stands at `time` or before it.
 * @template {{at: number}} T
 * @param {readonly T[]} items
 * @param {number} time
 * @returns {T | undefined}
 */
export function lastUntil(items, time) {
  return items[before(items, time + 1, at) - 1];
}

/**
 * Those that may reach into a window: from the last that begins before it.
 * @template {{at: number}} T
 * @param {readonly T[]} items
 * @param {number} from
 * @param {number} to
 * @param {number} [longest] how long one of them may last
 * @returns {[number, number]} the first place, and the place behind the last
 */
export function within(items, from, to, longest = 0) {
  const first = Math.max(0, before(items, from - longest, at) - 1);
  return [first, before(items, to, at)];
}
