// The numbers that move, in words and shapes: pure.

/** @typedef {import("../types.js").Numbers} Numbers */

/** A number that has changed is counted up to within this time (ms). */
export const COUNT_MS = 250;

/** What is shown big, and how it is called. @type {{key: keyof Numbers & string, name: string}[]} */
export const TILES = [
  { key: "online", name: "players here" },
  { key: "playing", name: "games now" },
  { key: "per_minute", name: "matches a minute" },
  { key: "moves_today", name: "moves today" },
  { key: "matches_today", name: "matches today" },
  { key: "moves", name: "moves ever" },
  { key: "matches", name: "matches ever" },
];

/** A number on its way from one to another. @param {number} from @param {number} to @param {number} elapsed ms */
export function counted(from, to, elapsed) {
  if (elapsed >= COUNT_MS) return to;
  const share = Math.max(0, elapsed) / COUNT_MS;
  return Math.round(from + (to - from) * (1 - (1 - share) ** 3));
}

/** "12,345" @param {number} number */
export function grouped(number) {
  return String(Math.round(number)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** The longest streak, in a sentence; empty while nobody has one. @param {Numbers["streak"]} streak @param {string} game */
export function streakText(streak, game) {
  if (!streak || !(streak.length > 1) || !streak.name) return "";
  return `${streak.name} has the longest streak: ${streak.length} wins in a row at ${game}.`;
}

/**
 * Who wins, as shares of all rounds of one game.
 * @param {Record<string, number>} sides rounds by side @param {Record<string, string>} [names] what the sides are called
 * @returns {{side: string, name: string, count: number, share: number}[]} in the order of the names, a draw last; each that has a name is there
 */
export function shares(sides, names = {}) {
  const total = Object.values(sides).reduce((sum, count) => sum + count, 0);
  const order = [...Object.keys(names), ...Object.keys(sides)].filter((side, at, all) => all.indexOf(side) === at);
  order.sort((a, b) => Number(a === "draw") - Number(b === "draw"));
  return order.map((side) => {
    const count = sides[side] ?? 0;
    return { side, name: names[side] ?? (side === "draw" ? "drawn" : side), count, share: total ? count / total : 0 };
  });
}

/**
 * The highest value of an axis: one that can be halved and is not much above the highest there is.
 * @param {number[]} values
 */
export function axisMax(values) {
  const highest = Math.max(0, ...values);
  for (let step = 1; ; step *= 10) {
    for (const factor of [2, 4, 6, 10]) if (highest <= step * factor) return step * factor;
  }
}

/**
 * The last hour as columns: where each begins, and how high it is, from 0 to 1.
 * @param {number[]} values oldest first @param {number} places how many there are room for @param {number} max
 */
export function columns(values, places, max) {
  const kept = values.slice(-places);
  const free = places - kept.length;
  return kept.map((value, at) => ({ at: free + at, height: max ? Math.min(1, value / max) : 0, value }));
}

/** The hour in a sentence. @param {[number, number][]} minutes */
export function hourText(minutes) {
  const moves = minutes.reduce((sum, [one]) => sum + one, 0);
  const matches = minutes.reduce((sum, [, one]) => sum + one, 0);
  return `${grouped(moves)} ${moves === 1 ? "move" : "moves"} and ${grouped(matches)} ${matches === 1 ? "match" : "matches"} in the last hour`;
}

/** The last hour in steps of five minutes, for who reads it as a table; newest first. @param {[number, number][]} minutes */
export function fives(minutes) {
  const rows = [];
  for (let end = minutes.length; end > 0; end -= 5) {
    const some = minutes.slice(Math.max(0, end - 5), end);
    const ago = minutes.length - end;
    rows.push({ ago: `${ago} to ${ago + some.length} min ago`, moves: some.reduce((sum, [one]) => sum + one, 0), matches: some.reduce((sum, [, one]) => sum + one, 0) });
  }
  return rows;
}

/** Minutes as they came, without what is no number. @param {unknown} minutes @returns {[number, number][]} */
export function readMinutes(minutes) {
  if (!Array.isArray(minutes)) return [];
  return minutes.filter(Array.isArray).map(([moves, matches]) => [Number(moves) || 0, Number(matches) || 0]);
}
