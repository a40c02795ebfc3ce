// How a hangman room is opened: what the words are about, and who sets them.

import { el } from "../../dom.js";

/** The categories, as the rules have them; a test compares the two. */
export const CATEGORIES = [
  ..."animals food household music mythology places plants science sports stories".split(" "),
];

/** @param {(options: Record<string, any>) => void} open */
export function opener(open) {
  const category = el("select", { "aria-label": "Category", "data-testid": "category-select" });
  category.append(el("option", { value: "" }, "Surprise me"));
  category.append(...CATEGORIES.map((name) => el("option", { value: name }, name.replace(/[-_]/g, " "))));
  const together = () => open({ mode: "together", ...(category.value && { category: category.value }) });
  return el(
    "div",
    { class: "opener" },
    el("label", { class: "field" }, el("span", {}, "Words about"), category),
    el(
      "div",
      { class: "choices" },
      el("button", { type: "button", class: "main", "data-testid": "open-together", click: together }, "Play together"),
      el("button", { type: "button", "data-testid": "open-setter", click: () => open({ mode: "setter" }) }, "I set the word"),
    ),
  );
}
