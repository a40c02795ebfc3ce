// What nim's views hold, as types. Nothing here runs.

/**
 * A room of nim; everybody sees the same. `heaps`: the stones that are left. `turn`: the seat
 * that moves.
 * @typedef {import("../../types.js").View & {heaps: number[], turn: number | null, winner: string | null}} NimView
 */

export {};
