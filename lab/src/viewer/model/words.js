// How numbers and times are written.

/** @param {number} number */
export function grouped(number) {
  const digits = String(Math.abs(Math.round(number)));
  return (number < 0 ? "-" : "") + digits.replace(/\B(?=(\d{3})+$)/g, ",");
}

/**
 * How long something took: "0.41 ms", "7.2 ms", "412 ms", "1,204 ms".
 * @param {number} us microseconds
 */
export function span(us) {
  const ms = us / 1000;
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${grouped(ms)} ms`;
}

/**
 * A moment: "12.345 s".
 * @param {number} us microseconds since the timeline began
 * @param {number} [digits] behind the point
 */
export function clock(us, digits = 3) {
  return `${(us / 1e6).toFixed(digits)} s`;
}

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 10_000) return `${grouped(bytes)} bytes`;
  return bytes < 1e7 ? `${grouped(bytes / 1000)} kB` : `${grouped(bytes / 1e6)} MB`;
}

/**
 * "n1", "n1 and n2", "n1, n2 and n3".
 * @param {readonly string[]} names
 */
export function listed(names) {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/**
 * @param {number} count
 * @param {string} one
 * @param {string} many
 */
export function counted(count, one, many = `${one}s`) {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}
