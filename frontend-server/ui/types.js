// The words the page and the server share, as types. Nothing here runs.

/**
 * How things stand between this page and the cluster. `electing`: the frontend
 * is there, but it cannot reach a leader at the moment.
 * @typedef {"connected" | "reconnecting" | "electing"} Standing
 */

/** @typedef {{code: string, message: string, forgotten?: boolean}} Refusal */

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
 * A room as far as this page knows it. `events`: what has happened since the view before.
 * @typedef {{room: string, version: number, view: HangmanView, closed: boolean, events: RoomEvent[]}} Seen
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
 *   | {to: "retry", serial: number, after: number}
 *   | {to: "gone", room: string, refused: Refusal}
 *   | {to: "tell", message: string}
 * )} Effect
 */

/** @typedef {{seat: number, name: string, player?: string, letter?: string, word?: string, hits: number}} Tried */

/**
 * Somebody at the table. `online`: looks at this room now. `away_ms`: how long
 * not any more, at the view's version.
 * @typedef {{
 *   seat: number, name: string, player: string, online: boolean, away_ms?: number, points: number, role: "guesser" | "setter",
 * }} Player
 */

/** Who wants another round, and when it begins even if not all do, from the view's version on. @typedef {{agreed: number[], begins_in_ms: number}} Again */

/** @typedef {{player: string, name: string, text: string}} Line */
/** @typedef {{kind: string, player?: string, seat?: number | null, name?: string}} RoomEvent */

/**
 * A hangman room as one pair of eyes may see it. `host`: who opened it.
 * @typedef {{
 *   game: string, state: "waiting" | "playing" | "won" | "lost", mode: "together" | "setter", round: number,
 *   pattern: (string | null)[], wrong: string[], tried: Tried[], lives: number, lives_max: number,
 *   category: string | null, players: Player[], setter: number | null, winner: string | null,
 *   answer?: string, seats: number, chat: Line[], again?: Again,
 *   host: string | null, public: boolean, locked: boolean, seat_kept_ms?: number,
 * }} HangmanView
 */

/**
 * One line of the lobby's list. `here`: how many of those at the table look at it now.
 * @typedef {{
 *   room: string, game: string, state: string, players: number, here?: number, watchers: number, version: number,
 *   seats?: number, names?: string[], locked?: boolean, about?: {mode?: string, category?: string | null},
 * }} RoomSummary
 */

/**
 * What a frontend says of itself. `epoch`: another one means that the cluster was
 * restored. `addresses`: origins under which others may reach it.
 * @typedef {{version?: string, frontends?: string[], cluster?: string, epoch?: string | number, addresses?: string[]}} Server
 */

/**
 * What a board may ask of the room around it. `play` tells why the move was
 * refused, in plain words; nothing when it was accepted.
 * @typedef {{play: (move: Record<string, string>) => Promise<string>, again: () => void}} Acts
 */

/**
 * What a board needs to know besides the view. `elapsed`: for how long (ms) this
 * view has been here. `trouble`: what to say while nobody answers.
 * @typedef {{version: number, me: string, pending: Wish[], elapsed: number, trouble: string}} Moment
 */

export {};
