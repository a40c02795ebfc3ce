// What a link leads to that leads nowhere: why, and the way back.

import { el } from "./dom.js";

/** @param {string} message */
export function lostCard(message) {
  const back = el("a", { class: "button main", href: "#/" }, "Back to the lobby");
  return el("div", { class: "gone", role: "alert", "data-testid": "gone" }, el("p", {}, message), back);
}

export class LostScreen {
  title = "No such room";

  /** @param {string} message */
  constructor(message) {
    this.element = el("main", { class: "room lost", "data-gone": true }, el("h1", { class: "unseen", tabindex: -1 }, this.title), lostCard(message));
  }

  enter() {}

  leave() {}
}
