// What hangman's views hold, as types. Nothing here runs.

/** @typedef {{seat: number, name: string, player?: string, letter?: string, word?: string, hits: number}} Tried */

/**
 * A hangman room as one pair of eyes may see it. `how`: how one of two gave up, if that has
 * ended the round.
 * @typedef {import("../../types.js").View & {
 *   mode: "together" | "setter", pattern: (string | null)[], wrong: string[], tried: Tried[], lives: number, lives_max: number,
 *   category: string | null, setter: number | null, winner: string | null, answer?: string, how?: "resigned" | "clock" | "left" | "claimed" | null,
 * }} HangmanView
 */

export {};
