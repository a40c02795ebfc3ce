// One hangman room's board: the drawing, the word, the lives, and whatever this
// player may do right now.

import { el, lineForm, list, say, set } from "../dom.js";
import { Gallows } from "./gallows.js";
import { Keyboard } from "./keyboard.js";
import { plainPattern, situation, spokenLives, spokenPattern, story } from "./story.js";

/** @typedef {import("../types.js").HangmanView} View */
/** @typedef {import("../types.js").Player} Player */
/** @typedef {import("../types.js").Wish} Wish */

/** The longest word a setter may choose, as the rules have it. */
const SECRET_MAX = 40;

export class HangmanBoard {
  /** What happened between two views, for the live region. */
  static story = story;

  #gallows = new Gallows();
  #word = el("div", { class: "word", role: "img", "data-testid": "word" });
  #lives = el("div", { class: "lives", role: "img", "data-testid": "lives" });
  #misses = el("p", { class: "misses", role: "img", "data-testid": "wrong" });
  #state = el("p", { class: "state", "data-testid": "state" });
  #keyboard;
  #wordForm;
  #secretForm;
  #result;
  #hand;
  #answer = el("strong", { class: "answer" });
  #solution;
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
    const again = () => this.#again.ariaDisabled !== "true" && acts.again();
    this.#again = el("button", { type: "button", class: "main", "data-testid": "again-button", click: again });
    this.#solution = el("p", {}, "It was ", this.#answer);
    this.#result = el("div", { class: "result" }, this.#solution, this.#again);
    this.#hand = el("div", { class: "hand" }, this.#secretForm, this.#wordForm, this.#result, this.#keyboard.element);
    this.element = el(
      "section",
      { class: "board", "aria-label": "Board" },
      el("div", { class: "scene" }, this.#gallows.element, this.#lives, this.#misses),
      this.#word,
      this.#state,
      this.#hand,
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
    set(this.element, { "data-state": view.state });
    this.#gallows.update(view);
    this.#showWord(view, version, mine?.role === "setter");
    this.#showLives(view);
    this.#showMisses(view);
    say(this.#state, situation(view, me));
    set(this.#state, { "data-state": view.state });
    this.#showHand(view, mine, pending);
  }

  /** What this player can do now, if anything. @param {View} view @param {Player | undefined} mine @param {Wish[]} pending */
  #showHand(view, mine, pending) {
    const sets = mine?.role === "setter";
    const over = view.state === "won" || view.state === "lost";
    const guesses = view.state === "playing" && mine !== undefined && !sets;
    const choosing = view.state === "waiting" && sets;
    const stuck = mine !== undefined && !sets && setterIsAway(view);
    const asked = pending.some(({ action }) => action === "again");
    const held = this.#hand.contains(document.activeElement);
    this.#keyboard.update(view, sendingLetters(pending), guesses);
    set(this.#secretForm, { hidden: !choosing });
    set(this.#wordForm, { hidden: !guesses });
    set(this.#result, { hidden: !over && !stuck });
    set(this.#keyboard.element, { hidden: over || choosing || stuck });
    set(this.#again, { hidden: mine === undefined, "aria-disabled": String(asked) });
    say(this.#again, stuck ? "Go on without them" : "Play again");
    set(this.#solution, { hidden: !over });
    say(this.#answer, view.answer ?? "");
    if (held) this.#keepFocus();
  }

  /** Somebody without a mouse goes on where the hand goes on: a form or the keys may just have been hidden. */
  #keepFocus() {
    const shown = document.activeElement instanceof HTMLElement && document.activeElement.offsetParent !== null;
    const next = [this.#again, this.#keyboard.current].find((control) => control.offsetParent !== null);
    if (!shown || !this.#hand.contains(document.activeElement)) next?.focus();
  }

  /** Letters in words, so that a phrase breaks between words. @param {View} view @param {number} version @param {boolean} sets */
  #showWord(view, version, sets) {
    const answer = [...(view.answer ?? "")];
    // The answer is shown under what is still hidden only when it fits letter by letter.
    const fits = answer.length === view.pattern.length;
    const under = (/** @type {number} */ at) => (fits ? (answer[at] ?? "") : "");
    const tiles = view.pattern.map((letter, at) => ({ at, letter, hidden: letter === null ? under(at) : "" }));
    const words = split(tiles, ({ letter }) => letter === " ");
    const longest = Math.max(1, ...words.map((word) => word.length));
    this.#word.style.setProperty("--longest", String(longest));
    set(this.#word, {
      "data-pattern": plainPattern(view),
      "data-version": version,
      "data-size": view.pattern.length > 24 ? "longer" : view.pattern.length > 16 ? "long" : null,
      "aria-label": spokenPattern(view) + (sets && view.answer ? `. You know it: ${view.answer}` : ""),
    });
    list(this.#word, words, (word) => `${view.round}.${word[0]?.at}.${word.length}`, makeSpan("group"), (group, word) =>
      list(group, word, ({ at }) => String(at), makeSpan("tile"), showTile),
    );
  }

  /** @param {View} view */
  #showMisses({ wrong }) {
    say(this.#misses, wrong.join("").toUpperCase());
    set(this.#misses, {
      "aria-label": `Wrong letters: ${wrong.join(", ").toUpperCase()}`,
      "aria-hidden": wrong.length ? null : "true",
    });
  }

  /** @param {View} view */
  #showLives(view) {
    const rings = Array.from({ length: view.lives_max }, (_, at) => at);
    set(this.#lives, { "data-lives": view.lives, "aria-label": spokenLives(view), title: spokenLives(view) });
    list(this.#lives, rings, String, makeSpan("ring"), (ring, at) => set(ring, { "data-left": at < view.lives }));
  }
}

/** @param {string} name */
function makeSpan(name) {
  return () => el("span", { class: name });
}

/** @param {HTMLElement} element @param {{letter: string | null, hidden: string}} tile */
function showTile(element, { letter, hidden }) {
  const mark = letter !== null && /[-']/.test(letter);
  say(element, (letter ?? hidden).toUpperCase());
  set(element, { "data-state": mark ? "mark" : letter !== null ? "found" : hidden ? "missed" : "blank" });
}

/** Whether everybody waits for a word from somebody who is not there; then the table may go on. @param {View} view */
function setterIsAway(view) {
  return view.state === "waiting" && view.players.some(({ role, online }) => role === "setter" && !online);
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
