// What a player's card says of one game: pure.

import { signed } from "../contest/result.js";
import { many } from "../text.js";

/**
 * One of a player's last games. @typedef {{player: string, name: string, score: string, change?: number | null}} Last
 * What is known of a player at one game. `streak`: wins in a row, now; `best_streak`: at most.
 * @typedef {{
 *   rating?: number, provisional?: boolean, curve?: number[], games?: number, won?: number, lost?: number, drawn?: number,
 *   streak?: number, best_streak?: number, last?: Last[],
 * }} Record
 */

/** "12 games: 7 won, 4 lost, 1 drawn" @param {Record} record */
export function tally({ games = 0, won = 0, lost = 0, drawn = 0 }) {
  return games === 0 ? "No game yet" : `${many(games, "game")}: ${won} won, ${lost} lost, ${drawn} drawn`;
}

/** @param {Record} record */
export function streaks({ streak = 0, best_streak: best = 0 }) {
  if (best < 2) return "";
  return streak > 1 ? `${streak} won in a row now, ${best} at most` : `${best} won in a row at most`;
}

/** @type {{[score: string]: string}} */
const SCORES = { won: "won against", lost: "lost against", drawn: "a draw against", draw: "a draw against" };

/** "won against Bo (+8)" @param {Last} last */
export function lastText({ score, name, change }) {
  const moved = typeof change === "number" ? ` (${signed(change)})` : "";
  return `${SCORES[score] ?? score} ${name}${moved}`;
}

/** The games of a card, the one first that one comes from. @param {{[game: string]: Record}} games @param {string} first */
export function ordered(games, first) {
  return Object.entries(games).sort(([a], [b]) => Number(b === first) - Number(a === first) || a.localeCompare(b));
}
