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

/**
 * Puts a thing where it belongs: behind all that stand at its time. Most come in order, so
 * mostly that is the end.
 * @template {{at: number}} T
 * @param {T[]} items in order
 * @param {T} thing
 * @returns {number} its place
 */
export function insert(items, thing) {
  const last = items.at(-1);
  const place = !last || last.at <= thing.at ? items.length : before(items, thing.at + 1, at);
  if (place === items.length) items.push(thing);
  else items.splice(place, 0, thing);
  return place;
}

/**
 * Forgets what stands before a moment, apart from the last of it where that still holds.
 * @template {{at: number}} T
 * @param {T[]} items in order
 * @param {number} time
 * @param {number} [kept] how many of those before it are kept
 */
export function forget(items, time, kept = 0) {
  const count = before(items, time, at) - kept;
  if (count > 0) items.splice(0, count);
}
