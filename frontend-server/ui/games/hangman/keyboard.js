// The letters, on screen and under the fingers. One tab stop for all of them;
// arrows move within. A used letter stays where it is, so focus is never lost.

import { el, set } from "../../dom.js";
import { many } from "../../text.js";
import { baseLetter, LETTERS, triedLetters } from "./story.js";

/** @typedef {import("./types.js").HangmanView} View */

export class Keyboard {
  /** @type {Map<string, HTMLButtonElement>} */
  #keys = new Map();
  #guess;
  #open = false;

  /** @param {(letter: string) => void} guess */
  constructor(guess) {
    this.#guess = guess;
    for (const letter of LETTERS) this.#keys.set(letter, this.#makeKey(letter));
    const arrow = (/** @type {KeyboardEvent} */ event) => this.#onArrow(event);
    this.element = el("div", { class: "keys", role: "group", "aria-label": "Letters", keydown: arrow });
    this.element.append(...this.#keys.values());
    set(this.#key("a"), { tabindex: 0 });
  }

  /** The key that has the tab stop. */
  get current() {
    return [...this.#keys.values()].find((key) => key.tabIndex === 0) ?? this.#key("a");
  }

  /** A key of the real keyboard. @param {KeyboardEvent} event */
  typed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTyping(event.target)) return;
    const letter = baseLetter(event.key);
    if (letter) this.#press(letter);
  }

  /**
   * @param {View} view @param {Set<string>} sending letters on their way
   * @param {boolean} open whether this player may guess now
   */
  update(view, sending, open) {
    this.#open = open;
    const tried = triedLetters(view);
    for (const [letter, key] of this.#keys) {
      const hits = tried.get(letter)?.hits;
      const state = hits === undefined ? (sending.has(letter) ? "sending" : "free") : hits > 0 ? "hit" : "miss";
      const disabled = String(!open || state !== "free");
      set(key, { "data-state": state, "aria-disabled": disabled, "aria-label": spoken(letter, state, hits) });
    }
  }

  /** @param {string} letter */
  #makeKey(letter) {
    const press = () => this.#press(letter);
    const hooks = { "data-testid": `letter-${letter}`, click: press };
    return el("button", { type: "button", class: "key", tabindex: -1, ...hooks }, letter.toUpperCase());
  }

  /** @param {string} letter */
  #press(letter) {
    if (this.#open && this.#key(letter).dataset.state === "free") this.#guess(letter);
  }

  /** @param {KeyboardEvent} event */
  #onArrow(event) {
    const at = LETTERS.indexOf(document.activeElement?.textContent?.toLowerCase() ?? "");
    const to = at + this.#stride(event.key);
    const next = at >= 0 && to !== at ? this.#keys.get(LETTERS[to] ?? "") : undefined;
    if (!next) return;
    event.preventDefault();
    for (const key of this.#keys.values()) set(key, { tabindex: key === next ? 0 : -1 });
    next.focus();
  }

  /** How far an arrow goes; up and down depend on how the rows have fallen. @param {string} key */
  #stride(key) {
    const top = this.#key("a").offsetTop;
    const row = [...this.#keys.values()].filter((other) => other.offsetTop === top).length;
    return { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row }[key] ?? 0;
  }

  /** @param {string} letter */
  #key(letter) {
    const key = this.#keys.get(letter);
    if (!key) throw new Error(`there is a key for every letter, but not for ${letter}`);
    return key;
  }
}

/** @param {string} letter @param {string} state @param {number | undefined} hits */
function spoken(letter, state, hits) {
  const name = letter.toUpperCase();
  if (state === "hit") return `${name}, in the word, ${many(hits ?? 0, "time")}`;
  if (state === "miss") return `${name}, not in the word`;
  return state === "sending" ? `${name}, sending` : name;
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
}
