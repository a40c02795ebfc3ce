// How a room of tic-tac-toe is opened: with a clock or without.

import { el } from "../../dom.js";
import { pace } from "./story.js";

/** Seconds for a move, as the rules have them. */
export const CLOCKS = [10, 30, 60];

/** @param {(options: Record<string, any>) => void} open */
export function opener(open) {
  const clock = el("select", { "aria-label": "Clock", "data-testid": "clock-select" });
  const choices = [null, ...CLOCKS].map((seconds) => el("option", { value: seconds ?? "" }, pace(seconds)));
  clock.append(...choices);
  const start = () => open(clock.value ? { clock: Number(clock.value) } : {});
  return el(
    "div",
    { class: "opener" },
    el("label", { class: "field" }, el("span", {}, "Time for a move"), clock),
    el("button", { type: "button", class: "main", "data-testid": "open-tic-tac-toe", click: start }, "Open a table"),
  );
}
