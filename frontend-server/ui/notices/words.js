// What a notice says to the player, and what can be done about it: pure. A kind that this
// page does not know says nothing.

import { asksFor } from "../match/words.js";

/** @typedef {import("../types.js").Notice} Notice */

/**
 * A banner. `key`: a newer one of the same key takes its place. `room`, `offer`: where its
 * button leads, or what it accepts or declines. `stays`: how long it is shown (ms); without
 * that until something is done about it.
 * @typedef {{key: string, text: string, kind: "go" | "look" | "answer" | "tell", room?: string, offer?: string, stays?: number, turn?: boolean}} Banner
 */

/** How long (ms) what only tells is shown. */
const TELLS = 8000;

/** What asks for something, but not for ever. */
const ASKS = 60_000;

/** A turn may have been taken in another tab meanwhile. */
const TURN = 180_000;

/** @type {Record<string, string>} */
const RESULTS = { won: "You won against", lost: "You lost against", draw: "A draw against" };

/** Why an offer ended, when the player is not looking at it. @type {Record<string, string>} */
const UNMATCHED = {
  expired: "Nobody came for the game you were looking for.",
  gone: "You were away, so the game you were looking for was taken back.",
  declined: "Your challenge was declined.",
  full: "There were too many offers; yours was taken back.",
};

/**
 * @param {Notice} notice @param {(game: string) => string} called what a game is called
 * @returns {Banner | null} null when there is nothing to show
 */
export function banner(notice, called) {
  const { kind, offer, room } = notice;
  const game = called(notice.game ?? "");
  const name = notice.name || "Somebody";
  switch (kind) {
    case "matched":
      return room ? { key: `room ${room}`, text: `${name} is ready to play ${game} with you.`, kind: "go", room, stays: ASKS } : null;
    case "turn":
      return room ? { key: `room ${room}`, text: `Your turn against ${name} · ${game}`, kind: "go", room, stays: TURN, turn: true } : null;
    case "rematch":
      return room ? { key: `room ${room}`, text: `${name} wants a rematch · ${game}`, kind: "go", room, stays: ASKS } : null;
    case "over":
      return room ? { key: `room ${room}`, text: `${RESULTS[notice.result ?? ""] ?? "Over: your game with"} ${name} · ${game}`, kind: "look", room, stays: TELLS } : null;
    case "challenged":
      return offer ? { key: `offer ${offer}`, text: `Challenge: ${asksFor({ ...wantedOf(notice), name }, game)}`, kind: "answer", offer, turn: true } : null;
    case "unmatched": {
      const text = UNMATCHED[notice.why ?? ""];
      return offer && text ? { key: `offer ${offer}`, text, kind: "tell", stays: TELLS } : null;
    }
    default:
      return null;
  }
}

/** The key of the banner that a notice makes pointless; empty when there is none. @param {Notice} notice */
export function ends({ kind, offer }) {
  return offer && (kind === "unchallenged" || kind === "matched") ? `offer ${offer}` : "";
}

/** @param {Notice} notice */
function wantedOf({ game = "", clock = 0, rated = true, rating, provisional }) {
  return { game, clock, rated, rating, provisional };
}
