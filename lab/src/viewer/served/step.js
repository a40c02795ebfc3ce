// What was chosen, before it is done: what it does, for how long, the command line that does
// the same, what one guesses will happen.

import { el, say, set } from "../dom.js";
import { copy } from "../header.js";
import { LASTING, lastingText } from "../break/commands.js";
import { SILENCES, termChoices } from "../break/forecast.js";
import { wordsOf } from "../break/offers.js";
import { words } from "./lists.js";

/** @typedef {import("../break/offers.js").Offer} Offer */
/** @typedef {import("../break/offers.js").Field} Field */
/** @typedef {import("../break/forecast.js").Guess} Guess */
/**
 * `line` makes a command line of words; `forbidden` why nothing may be done; `leaders` who may
 * be guessed to lead next, each with a text; `term` is the one now.
 * @typedef {{subject: string, line: (words: string[]) => string, forbidden: string, asks: boolean, leaders: [string, string][], term: number, perform: (words: string[], guess: Guess | undefined) => void, back: () => void}} Around
 */

let steps = 0;

export class Step {
  /**
   * @param {Offer} offer
   * @param {Around} around
   */
  constructor(offer, around) {
    this.offer = offer;
    this.around = around;
    /** Why it cannot be done. */
    this.idle = around.forbidden || offer.unfit || "";
    /** What was chosen so far, by the fields' names. @type {Record<string, string>} */
    this.values = Object.fromEntries(offer.fields.map(({ name, value }) => [name, value]));
    this.values["for"] = offer.lasts ?? "";
    /** @type {Guess} */
    this.guess = { leader: "", term: "", silence: "" };
    this.code = el("code", {});
    steps += 1;
    this.name = `step-${steps}`;
    this.button = el("button", { type: "submit", class: "do" }, this.idle ? "Not here" : "Do it");
    this.element = this.#made();
    this.#say();
  }

  /** @returns {string[]} */
  get words() {
    return wordsOf(this.offer, this.values);
  }

  /** Where one goes on: what there is to choose, or to do it. */
  focus() {
    const chooses = this.button.disabled || this.element.querySelector("input, select") !== null;
    (chooses ? this.element.querySelector("h3") : this.button)?.focus({ preventScroll: true });
    this.element.scrollIntoView({ block: "nearest" });
  }

  #made() {
    const { offer, around, name } = this;
    const copying = el("button", { type: "button", class: "quiet", click: () => copy(around.line(this.words), copying) }, "Copy");
    const fields = [...offer.fields.map((field) => this.#field(field)), ...(offer.lasts === undefined ? [] : [this.#lasting()])];
    set(this.button, { disabled: this.idle !== "" || offer.final !== undefined });
    const escape = (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      around.back();
    };
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      if (!this.button.disabled) this.#perform();
    };
    return el("form", { class: "step", "aria-labelledby": name, keydown: escape, submit },
      el("h3", { id: name, tabindex: -1 }, around.subject),
      el("p", {}, offer.about),
      ...(offer.unfit ? [el("p", { class: "note" }, offer.unfit)] : []),
      ...(fields.length ? [el("div", { class: "fields" }, ...fields)] : []),
      el("div", { class: "line" }, this.code, copying),
      ...(around.asks && offer.asks && !this.idle ? [this.#questions()] : []),
      ...(offer.final && !this.idle ? [this.#confirm(offer.final)] : []),
      el("div", { class: "deeds" }, this.button, el("button", { type: "button", class: "quiet", click: around.back }, "Back")));
  }

  /** @param {Field} field */
  #field({ name, label, value, choices, least, most }) {
    const change = (/** @type {{target: HTMLInputElement}} */ { target }) => this.#choose(name, target.value);
    if (!choices) return el("label", {}, label, el("input", { type: "number", value, min: least, max: most, step: 1, inputmode: "numeric", input: change }));
    const options = choices.map(([key, text]) => el("option", { value: key, selected: key === value }, text));
    return el("label", {}, label, el("select", { change }, ...options));
  }

  /** For how long: a slider from a second to for ever, which a wheel turns too. */
  #lasting() {
    const first = this.values["for"] ?? "";
    const told = el("output", {}, lastingText(first));
    const turn = () => {
      const lasting = LASTING[Number(slider.value)] ?? "";
      say(told, lastingText(lasting));
      set(slider, { "aria-valuetext": lastingText(lasting) });
      this.#choose("for", lasting);
    };
    const wheel = (/** @type {WheelEvent} */ event) => {
      event.preventDefault();
      slider.value = String(Number(slider.value) - Math.sign(event.deltaY));
      turn();
    };
    const slider = el("input", { type: "range", min: 0, max: LASTING.length - 1, step: 1, value: LASTING.indexOf(first), "aria-valuetext": lastingText(first), input: turn, wheel });
    return el("label", {}, "For how long", slider, told);
  }

  #questions() {
    const { leaders, term } = this.around;
    const asked = /** @type {[keyof Guess, string, [string, string][]][]} */ ([
      ["leader", "Who leads next?", leaders],
      ["term", "In which term?", termChoices(term)],
      ["silence", "For how long does nobody move?", SILENCES.map(([key, text]) => [key, text])],
    ]);
    return el("div", { class: "questions" }, el("h4", {}, "What will happen?"), ...asked.map(([name, legend, choices]) => this.#question(name, legend, choices)));
  }

  /** @param {keyof Guess} name @param {string} legend @param {[string, string][]} choices */
  #question(name, legend, choices) {
    const radios = choices.map(([value, text]) => {
      const radio = el("input", { type: "radio", name: `${this.name}-${name}`, value, change: () => (this.guess[name] = value) });
      return el("label", {}, radio, el("span", {}, text));
    });
    return el("fieldset", {}, el("legend", {}, legend), el("div", {}, ...radios));
  }

  /** @param {string} final */
  #confirm(final) {
    const sure = el("input", { type: "checkbox", change: () => set(this.button, { disabled: !sure.checked }) });
    return el("label", { class: "final" }, sure, el("span", {}, `${final} Do it all the same.`));
  }

  /** @param {string} name @param {string} value */
  #choose(name, value) {
    this.values[name] = value;
    this.#say();
  }

  #say() {
    this.code.replaceChildren(...words(this.around.line(this.words)));
  }

  #perform() {
    const guessed = Object.values(this.guess).some((one) => one !== "");
    this.around.perform(this.words, guessed ? this.guess : undefined);
  }
}
