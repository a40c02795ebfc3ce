// What a screen reader hears of a room: told from two views, so it is the same whether
// the changes between came one by one or all at once. Pure.

import { told as toldOfMatch } from "./contest/words.js";

/** @typedef {import("./types.js").View} View */

/**
 * @param {import("./types.js").Game} game what is played there
 * @param {View | null} before null when there was none
 * @param {View} after @param {string} me
 * @returns {string[]}
 */
export function told(game, before, after, me) {
  const comings = before ? comingsAndGoings(before, after, me) : [];
  return [...comings, ...game.story(before, after, me), ...toldOfMatch(before, after, me), ...willing(before, after, me)];
}

/** @param {View} before @param {View} after @param {string} me */
function comingsAndGoings(before, after, me) {
  const was = new Set(before.players.map(({ player }) => player));
  const is = new Set(after.players.map(({ player }) => player));
  const who = (/** @type {import("./types.js").Player} */ { player, name }) => (player === me ? "You" : name);
  const came = after.players.filter(({ player }) => !was.has(player)).map((player) => `${who(player)} took a seat.`);
  const went = before.players.filter(({ player }) => !is.has(player)).map((player) => `${who(player)} left the table.`);
  return [...came, ...went];
}

/** Who wants another round, and did not before. @param {View | null} before @param {View} after @param {string} me */
function willing(before, after, me) {
  const was = before?.round === after.round ? (before.again?.agreed ?? []) : [];
  const now = after.players.filter(({ seat, player }) => player !== me && after.again?.agreed.includes(seat));
  return now.filter(({ seat }) => !was.includes(seat)).map(({ name }) => `${name} wants ${after.match ? "a rematch" : "another round"}.`);
}
