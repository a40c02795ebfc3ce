// One hangman room's board: the drawing, the word, the lives, and whatever this
// player may do right now.

import { el, lineForm, list, say, set } from "../dom.js";
import { Gallows } from "./gallows.js";
import { Keyboard } from "./keyboard.js";
import { plainPattern, situation, spokenLives, spokenPattern, story } from "./story.js";

/** @typedef {import("../types.js").HangmanView} View */
/** @typedef {import("../types.js").Wish} Wish */

/** The longest word a setter may choose, as the rules have it. */
const SECRET_MAX = 40;

export class HangmanBoard {
  /** What happened between two views, for the live region. */
  static story = story;

  #gallows = new Gallows();
  #word = el("div", { class: "word", role: "img", "data-testid": "word" });
  #lives = el("div", { class: "lives", role: "img", "data-testid": "lives" });
  #misses = el("p", { class: "misses", "data-testid": "wrong" });
  #state = el("p", { class: "state", "data-testid": "state" });
  #keyboard;
  #wordForm;
  #secretForm;
  #result;
  #answer = el("strong", { class: "answer" });
  #again;

  /** The drawing for the lobby: everybody is safe. */
  static picture() {
    const gallows = new Gallows();
    set(gallows.element, { "data-end": "won", "aria-hidden": "true" });
    return gallows.element;
  }

  /** @param {import("../types.js").Acts} acts */
  constructor(acts) {
    this.#keyboard = new Keyboard((letter) => acts.play({ letter }));
    this.#wordForm = lineForm("word", "Guess the whole word", "Guess", SECRET_MAX, (word) => acts.play({ word }));
    this.#secretForm = lineForm("secret", "A word for the others", "Set it", SECRET_MAX, (secret) => acts.play({ secret }));
    this.#again = el("button", { type: "button", class: "main", "data-testid": "again-button", click: () => acts.again() }, "Play again");
    this.#result = el("div", { class: "result" }, el("p", {}, "It was ", this.#answer), this.#again);
    this.element = el(
      "section",
      { class: "board", "aria-label": "Board" },
      el("div", { class: "scene" }, this.#gallows.element, this.#lives, this.#misses),
      this.#word,
      this.#state,
      el("div", { class: "hand" }, this.#secretForm, this.#wordForm, this.#result, this.#keyboard.element),
    );
  }

  /** A key of the real keyboard, anywhere on the page. @param {KeyboardEvent} event */
  typed(event) {
    this.#keyboard.typed(event);
  }

  /**
   * @param {View} view @param {number} version @param {string} me
   * @param {Wish[]} pending this room's wishes without an answer
   */
  update(view, version, me, pending) {
    const mine = view.players.find(({ player }) => player === me);
    const sets = mine?.role === "setter";
    const over = view.state === "won" || view.state === "lost";
    const guesses = view.state === "playing" && mine !== undefined && !sets;

    set(this.element, { "data-state": view.state });
    this.#gallows.update(view);
    this.#showWord(view, version, sets);
    this.#showLives(view);
    say(this.#misses, view.wrong.join("").toUpperCase());
    set(this.#misses, { "aria-label": view.wrong.length ? `Wrong letters: ${view.wrong.join(", ").toUpperCase()}` : null });
    say(this.#state, situation(view, me));
    set(this.#state, { "data-state": view.state });
    this.#keyboard.update(view, sendingLetters(pending), guesses);

    const choosing = view.state === "waiting" && sets;
    set(this.#secretForm, { hidden: !choosing });
    set(this.#wordForm, { hidden: !guesses });
    set(this.#result, { hidden: !over });
    set(this.#keyboard.element, { hidden: over || choosing });
    set(this.#again, { hidden: !over || mine === undefined });
    say(this.#answer, view.answer ?? "");
  }

  /** Letters in words, so that a phrase breaks between words. @param {View} view @param {number} version @param {boolean} sets */
  #showWord(view, version, sets) {
    const answer = [...(view.answer ?? "")];
    // The answer is shown under what is still hidden only when it fits letter by letter.
    const fits = answer.length === view.pattern.length;
    const tiles = view.pattern.map((letter, at) => ({ at, letter, hidden: letter === null && fits ? (answer[at] ?? "") : "" }));
    const words = split(tiles, ({ letter }) => letter === " ");
    const longest = Math.max(1, ...words.map((word) => word.length));
    this.#word.style.setProperty("--longest", String(longest));
    set(this.#word, {
      "data-pattern": plainPattern(view),
      "data-version": version,
      "data-size": view.pattern.length > 16 ? "long" : null,
      "aria-label": spokenPattern(view) + (sets && view.answer ? `. You know it: ${view.answer}` : ""),
    });
    list(this.#word, words, (word) => `${view.round}.${word[0]?.at}.${word.length}`, () => el("span", { class: "group" }), (group, word) =>
      list(group, word, ({ at }) => String(at), () => el("span", { class: "tile" }), showTile),
    );
  }

  /** @param {View} view */
  #showLives(view) {
    const rings = Array.from({ length: view.lives_max }, (_, at) => at);
    set(this.#lives, { "data-lives": view.lives, "aria-label": spokenLives(view), title: spokenLives(view) });
    list(this.#lives, rings, String, () => el("span", { class: "ring" }), (ring, at) => set(ring, { "data-left": at < view.lives }));
  }
}

/** @param {HTMLElement} element @param {{letter: string | null, hidden: string}} tile */
function showTile(element, { letter, hidden }) {
  const mark = letter !== null && /[-']/.test(letter);
  say(element, (letter ?? hidden).toUpperCase());
  set(element, { "data-state": mark ? "mark" : letter !== null ? "found" : hidden ? "missed" : "blank" });
}

/** Letters pressed and not yet answered. @param {Wish[]} pending @returns {Set<string>} */
function sendingLetters(pending) {
  return new Set(pending.flatMap(({ data }) => (data.move?.letter ? [data.move.letter] : [])));
}

/** @template T @param {T[]} items @param {(item: T) => boolean} isGap @returns {T[][]} */
function split(items, isGap) {
  /** @type {T[][]} */
  const groups = [[]];
  for (const item of items) {
    if (isGap(item)) groups.push([]);
    else groups.at(-1)?.push(item);
  }
  return groups.filter((group) => group.length > 0);
}
