// Nim, as the page knows it: a game of the cluster's next version.

import { NimBoard } from "./board.js";
import { opener } from "./opener.js";
import { story, together } from "./story.js";
import { el } from "../../dom.js";

/** @type {import("../../types.js").Game} */
export const game = {
  name: "Nim",
  headline: "Nim, on a raft",
  lead: "Take stones from one heap at a time. Who takes the last one wins.",
  picture,
  opener,
  summary: ({ heaps }) => together(heaps ?? []),
  about: () => "",
  story,
  makeBoard: (acts) => new NimBoard(acts),
  awaits: (/** @type {import("./types.js").NimView} */ view, me) => view.players.some(({ player, seat }) => player === me && seat === view.turn),
};

function picture() {
  const heap = (/** @type {number} */ stones) => el("span", { class: "heap" }, ...Array.from({ length: stones }, () => el("span", { class: "stone" })));
  return el("div", { class: "heaps", "aria-hidden": "true" }, ...[3, 4, 5].map(heap));
}
