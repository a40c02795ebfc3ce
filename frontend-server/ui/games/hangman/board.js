// One hangman room's board: the drawing, the word, the lives, and whatever this
// player may do right now.

import { Again } from "../../again.js";
import { el, lineForm, list, say, set } from "../../dom.js";
import { Gallows } from "./gallows.js";
import { Keyboard } from "./keyboard.js";
import { letterCount, misfit, places, plainPattern, situation, spokenLives, spokenPattern } from "./story.js";

/** @typedef {import("./types.js").HangmanView} View */
/** @typedef {import("../../types.js").Player} Player */
/** @typedef {import("../../types.js").Wish} Wish */
/** @typedef {import("../../types.js").Moment} Moment */

/** The longest word a setter may choose, as the rules have it. */
const SECRET_MAX = 40;

export class HangmanBoard {
  #gallows = new Gallows();
  #word = el("div", { class: "word", role: "img", "data-testid": "word" });
  #lives = el("div", { class: "lives", role: "img", "data-testid": "lives" });
  #misses = el("p", { class: "misses", role: "img", "data-testid": "wrong" });
  #state = el("p", { class: "state", translate: "yes", "data-testid": "state" });
  #keyboard;
  #wordForm;
  #secretForm;
  #again;
  #hand;
  /** What a guess of the whole word is measured with. @type {View | null} */
  #view = null;

  /** @param {import("../../types.js").Acts} acts */
  constructor(acts) {
    // A letter's refusal has no field to stand beside.
    this.#keyboard = new Keyboard(async (letter) => {
      const refused = await acts.play({ letter });
      if (refused) acts.note(refused);
    });
    const look = (/** @type {string} */ text) => this.#measure(text);
    this.#wordForm = lineForm("word", "Guess the whole word", "Guess", SECRET_MAX, (word) => acts.play({ word }), look);
    this.#secretForm = lineForm("secret", "A word for the others", "Set it", SECRET_MAX, (secret) => acts.play({ secret }));
    this.#again = new Again(() => acts.again());
    // Forms and result take turns in one row, so that the drawing keeps its height.
    const row = el("div", { class: "row", translate: "yes" }, this.#secretForm, this.#wordForm, this.#again.element);
    this.#hand = el("div", { class: "hand" }, row, this.#keyboard.element);
    this.element = el(
      "section",
      { class: "board", "aria-label": "Board", translate: "no" },
      el("div", { class: "scene" }, this.#gallows.element, this.#lives, this.#misses),
      this.#word,
      this.#state,
      this.#hand,
    );
  }

  /** A key of the real keyboard, anywhere on the page. @param {KeyboardEvent} event */
  typed(event) {
    // Out of the field again, without a mouse: letters go to the board from there.
    if (event.key === "Escape" && this.#wordForm.contains(document.activeElement)) this.#keyboard.current.focus();
    else this.#keyboard.typed(event);
  }

  /** @param {View} view @param {Moment} moment */
  update(view, moment) {
    const mine = view.players.find(({ player }) => player === moment.me);
    this.#view = view;
    set(this.element, { "data-state": view.state });
    this.#gallows.update(view);
    this.#showWord(view, moment.version, mine?.role === "setter");
    this.#showLives(view);
    this.#showMisses(view);
    say(this.#state, moment.trouble || situation(view, moment.me));
    set(this.#state, { "data-state": view.state, "data-trouble": moment.trouble !== "" });
    this.#showHand(view, mine, moment);
  }

  /** What this player can do now, if anything. @param {View} view @param {Player | undefined} mine @param {Moment} moment */
  #showHand(view, mine, moment) {
    const sets = mine?.role === "setter";
    const over = view.state === "won" || view.state === "lost" || view.state === "draw";
    const guesses = view.state === "playing" && mine !== undefined && !sets;
    const choosing = view.state === "waiting" && sets;
    const stuck = !view.match && mine !== undefined && !sets && setterIsAway(view);
    const held = this.#hand.contains(document.activeElement);
    const ended = (over || stuck) && !this.#again.shown;
    this.#keyboard.update(view, sendingLetters(moment.pending), guesses);
    set(this.#secretForm, { hidden: !choosing });
    set(this.#wordForm, { hidden: !guesses });
    if (over || stuck) this.#again.update(view, moment, stuck);
    else this.#again.hide();
    // After a match what it came to stands in the place of the keys.
    set(this.#keyboard.element, { "data-away": choosing || stuck, hidden: Boolean(view.match) && over });
    if (held) this.#keepFocus(ended);
  }

  /**
   * Somebody without a mouse goes on where the hand goes on: a form or the keys may
   * just have been hidden, or the round has ended.
   * @param {boolean} ended
   */
  #keepFocus(ended) {
    const focused = document.activeElement;
    const stays = focused instanceof HTMLElement && this.#hand.contains(focused) && isShown(focused);
    if (stays && !ended) return;
    if (this.#again.shown) this.#again.focus();
    else if (!stays && isShown(this.#keyboard.current)) this.#keyboard.current.focus();
  }

  /** What can be told of a word before it is sent. @param {string} text */
  #measure(text) {
    if (!this.#view) return { unfit: "", count: "" };
    return { unfit: misfit(this.#view, text), count: `${letterCount(text)}/${places(this.#view)}` };
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

/** @param {HTMLElement} element */
function isShown(element) {
  return element.offsetParent !== null && getComputedStyle(element).visibility === "visible";
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
