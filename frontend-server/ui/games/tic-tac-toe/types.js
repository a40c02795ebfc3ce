// What tic-tac-toe's views hold, as types. Nothing here runs.

/**
 * A room of tic-tac-toe; everybody sees the same. `crosses`: the seat that has X in this
 * round. `clock`: seconds for a move. `left_ms`: what is left of them for whoever's turn it
 * is, from the view's version on.
 * @typedef {import("../../types.js").View & {
 *   cells: ("X" | "O" | null)[], crosses: number, turn: number | null,
 *   won: {how: "line" | "clock" | "left" | "resigned" | "claimed", winner: string, winner_name: string, loser: string, loser_name: string} | null, line: number[] | null, clock: number | null, left_ms?: number,
 * }} TicTacToeView
 */

export {};
