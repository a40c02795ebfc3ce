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
 * until it is answered. `round` is the round it was meant for: a move meant for
 * one round must never land in the next.
 * @typedef {{serial: number, action: string, data: Record<string, any>, round: number | null, since: number}} Wish
 */

/**
 * A room as far as this page knows it. `events`: what has happened since the view before.
 * `age`: how long ago (ms) it became so. `fresh`: the lines of its chat that nobody has seen here.
 * @typedef {{room: string, version: number, age: number, view: View, closed: boolean, events: RoomEvent[], fresh: Line[]}} Seen
 */

/** The chat of the room that is seen. `fresh`: what of it nobody has seen here. @typedef {{lines: Line[], fresh: Line[]}} Talked */

/**
 * What the server pushes of a room: its whole `view`, or a `step`: what has changed for these
 * eyes since the version before. `resync`: versions may have been left out, or are counted anew.
 * @typedef {{
 *   push: "view" | "step", room: string, version: number, view?: Record<string, any>, set?: Record<string, any>, unset?: string[],
 *   events?: RoomEvent[], resync?: boolean, closed?: boolean,
 * }} Push
 */

/**
 * What the outside has to do next. The conversation decides, the client does.
 * @typedef {(
 *   | {to: "send", frame: Record<string, any>}
 *   | {to: "hang-up"}
 *   | {to: "move"}
 *   | {to: "greeted"}
 *   | {to: "show", seen: Seen}
 *   | {to: "talk", lines: Line[], fresh: Line[]}
 *   | {to: "recall", after: number}
 *   | {to: "aged", age: number}
 *   | {to: "settle", id: number, answer: Answer}
 *   | {to: "fulfil", wish: Wish, answer: Answer}
 *   | {to: "retry", serial: number, after: number, refused: Refusal}
 *   | {to: "gone", room: string, refused: Refusal}
 *   | {to: "tell", message: string}
 *   | {to: "deck", deck: Deck}
 *   | {to: "listen", after: number}
 *   | {to: "noticed", number: number | undefined}
 *   | {to: "notice", notice: Notice}
 *   | {to: "seeks", seeks: Seeks}
 *   | {to: "live", live: Live}
 *   | {to: "restored"}
 * )} Effect
 */

/**
 * A wish on its way. `asked`: it was made. `sent`: it went out, perhaps not for the first
 * time. `put-off`: it was refused for now, and is asked again. `answered`: that was all.
 * @typedef {(
 *   | {step: "asked", wish: Wish}
 *   | {step: "sent", serial: number}
 *   | {step: "put-off", serial: number, refused: Refusal}
 *   | {step: "answered", wish: Wish, answer: Answer}
 * )} Step
 */

/** A node. `votes`: otherwise it is a learner; missing when nobody has said. `heard`: by the frontend, now. @typedef {{node: number, votes?: boolean, heard: boolean}} Aboard */

/**
 * The nodes, as the frontend that says so knows them. `lost`: who led last, while nobody
 * does. `for_ms`: for how long it has been led so, or not led. `through`: the node through
 * which rooms are watched.
 * @typedef {{term?: number, leader?: number, lost?: number, for_ms: number, through?: number, nodes: Aboard[]}} Deck
 */

/**
 * Something the player is told, wherever they are. Which of the fields there are depends on
 * the kind; a newer server may have kinds that this page does not know.
 * @typedef {{
 *   number: number, kind: string, resync?: boolean, offer?: string, room?: string, game?: string, player?: string, name?: string,
 *   seat?: number, rating?: number, provisional?: boolean, bot?: string, why?: string, options?: any, clock?: number, rated?: boolean, result?: string,
 * }} Notice
 */

/**
 * What somebody wants to play. `clock`: seconds for a move, 0 for none.
 * @typedef {{game: string, clock: number, rated: boolean}} Wanted
 */

/**
 * A wish for a game of two that nobody has taken yet, at `age_ms`.
 * @typedef {Wanted & {
 *   offer: string, player: string, name: string, options?: any, rating: number, provisional: boolean, age_ms: number,
 * }} OpenSeek
 */

/** @typedef {{seeks: OpenSeek[], total: number}} Seeks */

/** A bot: a player that the cluster plays. @typedef {{player: string, name: string, game: string, strength: string}} Bot */

/**
 * What is counted for everybody. `sides`: rounds by game and side.
 * @typedef {{
 *   online?: number, playing?: number, moves_today?: number, moves?: number, matches_today?: number, matches?: number, per_minute?: number,
 *   sides?: Record<string, Record<string, number>>, streak?: {length: number, name: string, game: string},
 * }} Numbers
 */

/** `minutes`: moves and matches of the last hour, oldest first; said now and then. @typedef {{numbers: Numbers, minutes?: [number, number][]}} Live */

/**
 * What a room has that was opened for a match of two. `left_ms` and `claim_in_ms` count from
 * the view's version on.
 * @typedef {{
 *   rated: boolean, by: string, clock?: {seconds: number, seat?: number | null, left_ms?: number},
 *   ratings?: {seat: number, rating: number, provisional: boolean}[],
 *   draw_offered?: number | null, gone?: {seat: number, claim_in_ms: number} | null, result?: MatchResult | null,
 * }} Match
 */

/**
 * How a round of a match ended.
 * @typedef {{
 *   how: string, winner: number | null, changes?: {seat: number, before: number, after: number}[], ms?: number,
 *   statistics?: {seat: number, moves: number, ms: number, slowest_ms: number, good: number, luck: number}[],
 * }} MatchResult
 */

/**
 * Somebody at the table. `online`: looks at this room now. `away_ms`: how long
 * not any more, at the view's version.
 * @typedef {{
 *   seat: number, name: string, player: string, online: boolean, away_ms?: number, points: number, role: string, bot?: string,
 * }} Player
 */

/**
 * Who wants another round, and when it begins even if not all do, from the view's version on;
 * in a match both have to.
 * @typedef {{agreed: number[], begins_in_ms?: number}} Again
 */

/** A line of chat, as the server tells it. @typedef {{player: string, name: string, text: string}} Said */
/** The same here, with a number that it keeps: no other line of its room has it. @typedef {Said & {number: number}} Line */
/** @typedef {{kind: string, player?: string, seat?: number | null, name?: string, text?: string}} RoomEvent */

/**
 * A room as one pair of eyes may see it; its game adds fields of its own. `host`: who
 * opened it. `winners`: the seats that have won the round, where some have and some have not.
 * @typedef {{
 *   game: string, state: "waiting" | "playing" | "won" | "lost" | "draw" | "abandoned", round: number, winners?: number[],
 *   players: Player[], seats: number, chat: Line[], again?: Again,
 *   host: string | null, public: boolean, locked: boolean, seat_kept_ms?: number, match?: Match | null,
 * }} View
 */

/**
 * One line of the lobby's list. `here`: how many of those at the table look at it now.
 * @typedef {{
 *   room: string, game: string, state: string, players: number, here?: number, watchers: number, version: number,
 *   seats?: number, names?: string[], locked?: boolean, about?: Record<string, any>,
 * }} RoomSummary
 */

/**
 * What a frontend says of itself. `bots`: who can be played at any time. `epoch`: another one
 * means that the cluster was restored. `addresses`: origins under which others may reach it.
 * @typedef {{version?: string, frontends?: string[], cluster?: string, epoch?: string | number, addresses?: string[], bots?: Bot[]}} Server
 */

/**
 * What a board may ask of the room around it. `play` tells why the move was
 * refused, in plain words; nothing when it was accepted. `note` shows a sentence for a
 * moment, where there is no field for it to stand beside.
 * @typedef {{play: (move: Record<string, any>) => Promise<string>, again: () => void, note: (sentence: string) => void}} Acts
 */

/**
 * What a board needs to know besides the view. `elapsed`: for how long (ms) this
 * view has been here. `still`: there is no leader, and the cluster's time stands still.
 * `trouble`: what to say while nobody answers.
 * @typedef {{version: number, me: string, pending: Wish[], elapsed: number, still: boolean, trouble: string}} Moment
 */

/**
 * The board of one room. `typed` hears the keys of the real keyboard, anywhere on the page.
 * @typedef {{element: HTMLElement, update: (view: any, moment: Moment) => void, typed: (event: KeyboardEvent) => void}} Board
 */

/**
 * A list beside the board, above the chat.
 * @typedef {{heading: string, element: HTMLElement, update: (view: any, me: string) => void}} Side
 */

/**
 * A game, as its folder brings it. Views are its own, whatever fields they have.
 * - `name`, `headline`, `lead`, `picture`: what the lobby says of it.
 * - `opener`: how a room is opened; it calls `open` with the options.
 * - `summary`: a few words on a room in the lobby's list, from what the rules say about it.
 * - `about`: a few words on the room one is in.
 * - `story`: what happened on the board between two views, as sentences; pure. The room
 *   tells itself who came, who went, and who wants another round.
 * - `roles`: what is shown of a player who has one: in short, and in full.
 * - `called`: what a move is called, for the sentence "Your move is safe".
 * - `sign`: a character that stands for a move, where everybody may read it; empty for others.
 * - `plainly`: a refusal in words for players; empty where the usual ones will do.
 * - `awaits`: whether a move of theirs is expected now; pure.
 * - `sides`: what the sides are called of which wins are counted.
 * - `good`: what its good moves are called, for the table beside a result, and in which role one
 *   makes any; in all of them, if there is none.
 * @typedef {{
 *   name: string, headline: string, lead: string, picture: () => Element,
 *   opener: (open: (options: Record<string, any>) => void) => HTMLElement,
 *   summary: (about: Record<string, any>) => string,
 *   about: (view: any) => string,
 *   story: (before: any, after: any, me: string) => string[],
 *   makeBoard: (acts: Acts) => Board,
 *   makeSide?: () => Side,
 *   roles?: Record<string, {short: string, long: string}>,
 *   called?: (move: Record<string, any>) => string,
 *   sign?: (move: Record<string, any>) => string,
 *   plainly?: (refused: Refusal) => string,
 *   awaits?: (view: any, me: string) => boolean,
 *   sides?: Record<string, string>,
 *   good?: Good,
 * }} Game
 */

/** @typedef {{called: string, role?: string}} Good */

export {};
