// The words the page and the server share, as types. Nothing here runs.

/**
 * How things stand between this page and the cluster. `electing`: the frontend
 * is there, but it cannot reach a leader at the moment.
 * @typedef {"connected" | "reconnecting" | "electing"} Standing
 */

/** @typedef {{code: string, message: string}} Refusal */

/**
 * What came of a question or a wish: exactly one of the two is there.
 * @typedef {{ok?: any, refused?: Refusal}} Answer
 */

/**
 * Something a player wants changed. It is sent again, under the same serial,
 * until it is answered. `round` is the round it was meant for: a guess meant for
 * one round must never land in the next.
 * @typedef {{serial: number, action: string, data: Record<string, any>, round: number | null, since: number}} Wish
 */

/**
 * A room as far as this page knows it. `version` 0: not seen yet.
 * @typedef {{room: number, version: number, view: HangmanView, closed: boolean}} Seen
 */

/**
 * What the outside has to do next. The conversation decides, the client does.
 * @typedef {(
 *   | {to: "send", frame: Record<string, any>}
 *   | {to: "hang-up"}
 *   | {to: "move"}
 *   | {to: "greeted"}
 *   | {to: "show", seen: Seen}
 *   | {to: "settle", id: number, answer: Answer}
 *   | {to: "fulfil", wish: Wish, answer: Answer}
 *   | {to: "retry", serial: number}
 *   | {to: "gone", room: number, refused: Refusal}
 *   | {to: "tell", message: string}
 * )} Effect
 */

/** @typedef {{seat: number, name: string, letter?: string, word?: string, hits: number}} Tried */
/** @typedef {{seat: number, name: string, player: string, online: boolean, points: number, role: "guesser" | "setter"}} Player */
/** @typedef {{player: string, name: string, text: string}} Line */

/**
 * A hangman room as one pair of eyes may see it.
 * @typedef {{
 *   game: string, state: "waiting" | "playing" | "won" | "lost", mode: "together" | "setter", round: number,
 *   pattern: (string | null)[], wrong: string[], tried: Tried[], lives: number, lives_max: number,
 *   category: string | null, players: Player[], setter: number | null, winner: string | null,
 *   answer?: string, seats: number, chat: Line[],
 * }} HangmanView
 */

/**
 * One line of the lobby's list.
 * @typedef {{
 *   room: number, game: string, state: string, players: number, watchers: number, version: number,
 *   seats?: number, names?: string[], about?: {mode?: string, category?: string | null},
 * }} RoomSummary
 */

/** @typedef {{version?: string, frontends?: string[], cluster?: string}} Server */

/**
 * What a board may ask of the room around it.
 * `play` tells whether the move was accepted.
 * @typedef {{play: (move: Record<string, string>) => Promise<boolean>, again: () => void}} Acts
 */

export {};
