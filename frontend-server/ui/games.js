// The games this page can show. A new game is one new folder and lines here.

import { HangmanBoard } from "./hangman/board.js";

/**
 * A board for each game, by the name the server knows it by.
 * @type {{hangman: typeof HangmanBoard, [game: string]: typeof HangmanBoard}}
 */
export const BOARDS = { hangman: HangmanBoard };

/** Hangman's categories, as the rules have them; a test compares the two. */
export const CATEGORIES = [
  ..."animals food household music mythology places plants science sports stories".split(" "),
];
