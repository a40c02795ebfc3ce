// Tic-tac-toe, as the page knows it.

import { TicTacToeBoard } from "./board.js";
import { MarkPicture } from "./marks.js";
import { opener } from "./opener.js";
import { pace, story } from "./story.js";
import { el } from "../../dom.js";

/** @typedef {import("./types.js").TicTacToeView} View */

/** @type {import("../../types.js").Game} */
export const game = {
  name: "Tic-tac-toe",
  headline: "Tic-tac-toe, on a raft",
  lead: "Three in a row, before the other has them.",
  picture,
  opener,
  summary: ({ clock }) => pace(clock ?? null),
  about: (/** @type {View} */ { clock }) => pace(clock),
  story,
  makeBoard: (acts) => new TicTacToeBoard(acts),
  roles: { x: { short: "X", long: "has X" }, o: { short: "O", long: "has O" } },
  called: () => "mark",
  awaits: (/** @type {View} */ view, me) => view.players.some(({ player, seat }) => player === me && seat === view.turn),
  sides: { x: "X", o: "O", draw: "drawn" },
};

/** A round that X has won. */
function picture() {
  const marks = ["O", null, "X", null, "X", "O", "X", null, null];
  const cells = marks.map((mark, at) => el("span", { class: "cell", "data-mark": mark, "data-line": [2, 4, 6].includes(at) }, new MarkPicture().element));
  return el("div", { class: "grid", "aria-hidden": "true" }, ...cells);
}
