// Tic-tac-toe in words: pure.

import { secondsLeft } from "../../text.js";

/** @typedef {import("./types.js").TicTacToeView} View */
/** @typedef {import("../../types.js").Player} Player */

/** How much time there is for a move. @param {number | null} clock seconds */
export function pace(clock) {
  return clock ? `${clock} s a move` : "no clock";
}

/** Who has X and who has O. @param {View} view @param {number} seat */
export function markOf(view, seat) {
  return seat === view.crosses ? "X" : "O";
}

/** "row 1, column 3" @param {number} cell */
export function place(cell) {
  return `row ${Math.floor(cell / 3) + 1}, column ${(cell % 3) + 1}`;
}

/** A cell as it is read out. @param {View} view @param {number} cell */
export function spokenCell(view, cell) {
  return `Row ${Math.floor(cell / 3) + 1}, column ${(cell % 3) + 1}: ${view.cells[cell] ?? "empty"}`;
}

/** Whole seconds that are left for the move; null without a clock. @param {View} view @param {number} elapsed how long (ms) the view has been here */
export function timeLeft({ left_ms }, elapsed) {
  return left_ms === undefined ? null : secondsLeft(left_ms - elapsed);
}

/** How the round ended, in one sentence; empty while it goes on. @param {View} view @param {string} me */
export function ending(view, me) {
  if (view.state === "draw") return view.cells.includes(null) ? "A draw was agreed." : "A draw: nobody has three in a row.";
  if (view.state === "abandoned") return "The round was left before both had moved. It counts for nobody.";
  if (!view.won) return "";
  const { how, winner, winner_name, loser, loser_name } = view.won;
  const wins = winner === me ? "You win." : `${winner_name} wins.`;
  if (how === "clock") return `${loser === me ? "Your" : `${loser_name}’s`} time ran out. ${wins}`;
  if (how === "resigned") return `${loser === me ? "You have" : `${loser_name} has`} resigned. ${wins}`;
  if (how === "claimed") return `${loser === me ? "You were" : `${loser_name} was`} gone too long. ${wins}`;
  if (how === "left") return `${loser === me ? "You have" : `${loser_name} has`} left. ${wins}`;
  return winner === me ? "Three in a row. You win!" : `${winner_name} has three in a row and wins.`;
}

/** What everybody waits for, in one line. @param {View} view @param {string} me */
export function situation(view, me) {
  const over = ending(view, me);
  if (over) return over;
  const seated = view.players.some(({ player }) => player === me);
  if (view.state === "waiting") return seated ? "Share the link, so that somebody can play against you." : "Waiting for two who play.";
  const mover = view.players.find(({ seat }) => seat === view.turn);
  if (!mover) return "";
  const mark = markOf(view, mover.seat);
  if (mover.player === me) return `Your turn: you have ${mark}.`;
  return mover.online ? `${mover.name}’s turn, with ${mark}.` : `It is ${mover.name}’s turn, who is away.`;
}

/**
 * What happened on the board between two views, as sentences.
 * @param {View | null} before null when there was none
 * @param {View} after @param {string} me
 * @returns {string[]}
 */
export function story(before, after, me) {
  const lines = [];
  const anew = !before || before.round !== after.round || (before.state === "waiting" && after.state !== "waiting");
  if (anew && after.state !== "waiting") lines.push(`Round ${after.round}.`);
  const was = anew ? [] : before.cells;
  after.cells.forEach((mark, cell) => {
    if (mark && mark !== was[cell] && before) lines.push(`${whoHas(after, mark, me)} marked ${place(cell)}.`);
  });
  if (after.state !== before?.state || anew || after.turn !== before?.turn) lines.push(situation(after, me));
  return lines.filter(Boolean);
}

/** @param {View} view @param {"X" | "O"} mark @param {string} me */
function whoHas(view, mark, me) {
  const player = view.players.find(({ seat }) => markOf(view, seat) === mark);
  return player?.player === me ? "You" : (player?.name ?? mark);
}
