// How a room of nim is opened: with which heaps.

import { el } from "../../dom.js";
import { together } from "./story.js";

/** Heaps to choose from; the first are the usual ones. */
export const HEAPS = [[3, 4, 5], [1, 3, 5, 7], [2, 3]];

/** @param {(options: Record<string, any>) => void} open */
export function opener(open) {
  const heaps = el("select", { "aria-label": "Heaps", "data-testid": "heaps-select" });
  heaps.append(...HEAPS.map((stones, at) => el("option", { value: at }, together(stones))));
  const start = () => open({ heaps: HEAPS[Number(heaps.value)] });
  return el(
    "div",
    { class: "opener" },
    el("label", { class: "field" }, el("span", {}, "Heaps"), heaps),
    el("button", { type: "button", class: "main", "data-testid": "open-nim", click: start }, "Open a table"),
  );
}
