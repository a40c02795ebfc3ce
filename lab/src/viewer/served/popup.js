// A small menu at a place of the picture: by mouse, finger and keys.

import { el, putAt } from "../dom.js";

/** @typedef {{label: string, group: string, about: string, choose: () => void}} Item */

export class Popup {
  constructor() {
    this.element = el("div", { id: "popup", role: "menu", hidden: true, keydown: (/** @type {KeyboardEvent} */ event) => this.#key(event) });
    /** Where the focus goes back to. @type {Element | null} */
    this.from = null;
    document.body.append(this.element);
    addEventListener("pointerdown", (event) => !this.element.contains(/** @type {Node} */ (event.target)) && this.close(false), { capture: true });
    addEventListener("resize", () => this.close(false));
  }

  /**
   * @param {string} title
   * @param {Item[]} items
   * @param {number} x pixels of the window
   * @param {number} y
   */
  open(title, items, x, y) {
    const { element } = this;
    this.from = document.activeElement;
    const several = new Set(items.map(({ group }) => group)).size > 1;
    const buttons = items.map(({ label, group, about, choose }) => el("button", { type: "button", role: "menuitem", tabindex: -1, title: about, click: () => this.#chosen(choose) }, el("span", {}, label), ...(several ? [" ", el("small", {}, group)] : [])));
    element.replaceChildren(el("p", {}, title), ...(buttons.length ? buttons : [el("p", {}, "Nothing can be done here now.")]));
    element.setAttribute("aria-label", title);
    element.hidden = false;
    putAt(element, x, y);
    (buttons[0] ?? element).focus();
  }

  /** @param {boolean} back whether the focus goes back to where it was */
  close(back) {
    if (this.element.hidden) return;
    this.element.hidden = true;
    if (back && this.from instanceof HTMLElement) this.from.focus();
  }

  /** @param {() => void} choose */
  #chosen(choose) {
    this.close(false);
    choose();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    event.stopPropagation();
    const items = /** @type {HTMLElement[]} */ ([...this.element.querySelectorAll("button")]);
    const place = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const steps = /** @type {Record<string, number>} */ ({ ArrowDown: place + 1, ArrowUp: place - 1 + items.length, Home: 0, End: items.length - 1 });
    const next = steps[event.key];
    if (next !== undefined) items[next % items.length]?.focus();
    if (event.key === "Escape" || event.key === "Tab") this.close(true);
    if (next !== undefined || event.key === "Escape" || event.key === "Tab") event.preventDefault();
  }
}
