// Hangman, as the page knows it.

import { HangmanBoard } from "./board.js";
import { Gallows } from "./gallows.js";
import { Guesses } from "./guesses.js";
import { opener } from "./opener.js";
import { awaits, story } from "./story.js";
import { set } from "../../dom.js";

/** @typedef {import("./types.js").HangmanView} View */

/** A letter that somebody else pressed a moment before. */
const LETTER_TAKEN = /^'(.)' was guessed before$/;

/** @type {import("../../types.js").Game} */
export const game = {
  name: "Hangman",
  headline: "Hangman, on a raft",
  lead: "Guess the word with your friends before the raft is one short.",
  picture,
  opener,
  summary: ({ mode, category }) => (mode === "setter" ? "one sets the word" : (category ?? "together")),
  about: (/** @type {View} */ { mode, category }) => (mode === "setter" ? "one sets the word" : (category ?? "all together")),
  story,
  makeBoard: (acts) => new HangmanBoard(acts),
  makeSide: () => new Guesses(),
  roles: { setter: { short: "sets", long: "sets the word" } },
  called: (move) => (move.letter ? "letter" : "word"),
  sign: (move) => (move.letter ?? "").toUpperCase(),
  plainly,
  awaits: (/** @type {View} */ view, me) => awaits(view, me),
  sides: { guesser: "guesser", setter: "setter" },
  good: { called: "Hits", role: "guesser" },
};

/** Everybody is safe. */
function picture() {
  const gallows = new Gallows();
  set(gallows.element, { "data-end": "won", "aria-hidden": "true" });
  return gallows.element;
}

/** @param {import("../../types.js").Refusal} refused */
function plainly({ message }) {
  const [, letter] = LETTER_TAKEN.exec(message) ?? [];
  return letter ? `${letter.toUpperCase()} was guessed a moment before.` : "";
}
