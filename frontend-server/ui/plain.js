// Refusals in words for players: pure. The server's own sentences are made for
// programs, and begin small; where a code says enough, the page has its own.

import { sentence } from "./text.js";

/** @typedef {import("./types.js").Refusal} Refusal */

/** What a code means to a player. Codes that are not here speak through their message. @type {Record<string, string>} */
const MEANINGS = {
  "no-such-room": "There is no such room. It may have closed, or the link is not whole.",
  "no-such-offer": "That is gone: somebody was faster, or it was taken back.",
  "not-seated": "Take a seat first.",
  "room-full": "The table is full.",
  "game-over": "This round is over.",
  "too-fast": "That was a little too fast. Try again in a moment.",
  busy: "There is too much to do right now. Try again in a moment.",
  "no-quorum": "The machines do not answer. Try again in a moment.",
  "unknown-outcome": "Nobody could say whether that was done. Look, and try again if it was not.",
  lost: "The connection was lost. Try again.",
};

/** @param {Refusal} refused */
export function plainly({ code, message }) {
  return MEANINGS[code] ?? sentence(message);
}
