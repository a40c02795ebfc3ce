// What is loaded when it is first wanted: a screen, a dialog, and the style it brings. The
// frontend may be dead that this page came from; then the worker has a copy, or there is none.

import { el } from "./dom.js";

const UNREACHABLE = "This part of the page cannot be loaded now. Try again in a moment.";

/** Styles that are on the page, or on their way. @type {Map<string, Promise<void>>} */
const styles = new Map();

/** Puts a style on the page, once. @param {string} href @returns {Promise<void>} */
export function dress(href) {
  const known = styles.get(href);
  if (known) return known;
  const loaded = new Promise((resolve, reject) => {
    const style = el("link", { rel: "stylesheet", href, load: () => resolve(undefined), error: () => reject(style.remove()) });
    document.head.append(style);
  });
  styles.set(href, loaded);
  loaded.catch(() => styles.delete(href));
  return loaded;
}

/**
 * What is below a heading, once it is here.
 * @typedef {{element: HTMLElement, enter: () => void, leave: () => void}} Part
 */

/** A screen whose heading is here at once, and the rest a moment later. */
export class LaterScreen {
  #load;
  /** @type {Part | null} */
  #part = null;
  #left = false;
  #wait = el("p", { class: "looking", role: "status" }, "Loading…");

  /** @param {string} title @param {string} name for the style sheet @param {() => Promise<Part>} load */
  constructor(title, name, load) {
    this.title = title;
    this.#load = load;
    this.element = el("main", { class: `later ${name}` }, el("h1", { tabindex: -1 }, title), this.#wait);
  }

  async enter() {
    try {
      const part = await this.#load();
      if (this.#left) return;
      this.#part = part;
      this.#wait.replaceWith(part.element);
      part.enter();
    } catch (error) {
      console.error(`${this.title} cannot be loaded:`, error);
      this.#wait.textContent = UNREACHABLE;
    }
  }

  leave() {
    this.#left = true;
    this.#part?.leave();
  }
}
