// One level, drawn: its question, its buttons, what was seen of it, and why it is so. What is
// known of it comes from outside; here it is only shown.

import { el, idle, isIdle, renew, say, set } from "../dom.js";
import { copy } from "../header.js";
import { commandLine } from "../break/commands.js";
import { clock } from "../model/words.js";

/** @typedef {import("../levels/level.js").Level} Level */
/** @typedef {import("../levels/level.js").Answer} Answer */
/** @typedef {import("../levels/level.js").Achieved} Achieved */
/** @typedef {import("../levels/level.js").Source} Source */
/** @typedef {import("../levels/level.js").Step} Step */
/** @typedef {import("../model/read.js").Model} Model */

/** Where one reads on. */
const PAGES = {
  thesis: { name: "Raft thesis (Ongaro 2014)", href: "https://github.com/ongardie/dissertation#readme" },
  swim: { name: "SWIM (Das, Gupta, Motivala 2002)", href: "https://www.cs.cornell.edu/projects/Quicksilver/public_pdfs/SWIM.pdf" },
  terry: { name: "Terry and others", href: undefined },
  ours: { name: "Hangraft", href: undefined },
};

/**
 * What can be asked of whoever owns a lesson. `perform` is left out where nothing may be done.
 * @typedef {{model: Model, dir: string | undefined, decide: (choice: string) => void, perform: ((words: string[]) => Promise<{done: boolean, said: string}>) | undefined, idle: string, go: (time: number) => void, again: () => void, explain: () => void, next: () => void}} Owner
 */
/**
 * What is known of a level now. `answer` and `achieved` are only there when they may be shown.
 * @typedef {{number: number, guess: string | undefined, stage: "predict" | "do" | "why", answer: Answer | undefined, achieved: Achieved | undefined, done: boolean, last: boolean}} Known
 */

export class Lesson {
  /** @param {Level} level @param {Owner} owner */
  constructor(level, owner) {
    this.level = level;
    this.owner = owner;
    /** @type {(() => void)[]} */
    this.refreshes = [];
    this.title = el("h3", { tabindex: "-1" });
    this.question = this.#question();
    this.replied = el("div", { class: "reply", hidden: true });
    this.deeds = el("section", { class: "deeds", hidden: true }, el("h4", {}, "Do it"), ...this.#steps());
    this.list = el("ol", { class: "seen" });
    this.hint = el("p", { class: "hint-line", hidden: true });
    this.sight = el("section", { hidden: true }, el("h4", {}, "What to see"), el("p", {}, level.look), this.list, this.hint);
    this.whyButton = el("button", { type: "button", class: "quiet", click: owner.explain }, "Why is it so?");
    this.why = el("section", { hidden: true, tabindex: "-1", "aria-label": "Why" }, el("h4", {}, "Why"), ...level.why.map((text) => el("p", {}, text)), el("p", { class: "sources-head" }, "Sources"), el("ul", { class: "sources" }, ...level.sources.map(source)));
    this.nextButton = el("button", { type: "button", class: "press", click: owner.next }, "Next level");
    this.again = el("button", { type: "button", class: "quiet", click: owner.again }, "Begin again");
    this.element = el(
      "article",
      { class: "lesson" },
      this.title,
      el("p", { class: "goal" }, level.goal),
      ...(level.before ? [el("p", { class: "before" }, level.before)] : []),
      this.question,
      this.deeds,
      this.sight,
      this.replied,
      this.whyButton,
      this.why,
      el("p", { class: "row" }, this.nextButton, this.again),
    );
  }

  /** @param {Known} known */
  show(known) {
    const { guess, stage, answer, achieved, done } = known;
    say(this.title, `${known.number}. ${this.level.title}${done ? " ✓" : ""}`);
    this.#showQuestion(known);
    this.#reply(guess, answer);
    for (const section of [this.deeds, this.sight]) section.hidden = stage === "predict";
    this.why.hidden = stage !== "why";
    this.whyButton.hidden = stage !== "do";
    this.nextButton.hidden = !done;
    this.again.hidden = stage === "predict";
    say(this.nextButton, known.last ? "How it went" : "Next level");
    if (achieved) this.#see(achieved);
    for (const refresh of this.refreshes) refresh();
    const active = document.activeElement;
    const hidden = active instanceof HTMLElement && this.element.contains(active) && active.offsetParent === null;
    // What was pressed is not there any more.
    if (hidden) (stage === "why" ? this.why : this.title).focus();
  }

  /** Forgets what commands said. */
  clear() {
    for (const output of this.deeds.querySelectorAll("output")) output.replaceChildren();
    for (const lines of this.deeds.querySelectorAll(".lines")) lines.removeAttribute("data-done");
    this.list.replaceChildren();
  }

  #question() {
    const { asks, choices } = this.level.question;
    const name = `guess-${this.level.id}`;
    const decide = el("button", { type: "button", class: "press", click: () => this.#decide(), disabled: true }, "This is my prediction");
    const chosen = () => set(decide, { disabled: false });
    const radios = choices.map(({ id, text }) => el("label", {}, el("input", { type: "radio", name, value: id, change: chosen }), el("span", {}, text)));
    return el("fieldset", {}, el("legend", {}, el("strong", {}, "Predict. "), asks), ...radios, decide);
  }

  #decide() {
    const chosen = /** @type {HTMLInputElement | null} */ (this.question.querySelector("input:checked"));
    if (chosen) this.owner.decide(chosen.value);
  }

  /** @param {Known} known */
  #showQuestion({ guess, answer }) {
    for (const input of this.question.querySelectorAll("input")) {
      input.disabled = guess !== undefined || answer !== undefined;
      if (guess !== undefined) input.checked = input.value === guess;
      const label = /** @type {HTMLElement} */ (input.parentElement);
      // What was neither chosen nor is right makes room for what is to be done.
      label.hidden = guess !== undefined && input.value !== guess && input.value !== answer?.id;
      set(label, { "data-right": answer !== undefined && input.value === answer.id, "data-guess": input.value === guess });
    }
    const button = this.question.querySelector("button");
    if (button) button.hidden = guess !== undefined || answer !== undefined;
  }

  /**
   * Says what came of the prediction.
   * @param {string | undefined} guess @param {Answer | undefined} answer
   */
  #reply(guess, answer) {
    this.replied.hidden = answer === undefined;
    if (!answer) return;
    const { choices, right } = this.level.question;
    const choice = choices.find(({ id }) => id === guess);
    const hit = guess === answer.id;
    const head = guess === undefined ? "The answer" : hit ? "You were right." : "It went another way than you thought.";
    const truth = choices.find(({ id }) => id === answer.id)?.text ?? "";
    const texts = [answer.measured, hit ? "" : `Right is: ${truth}.`, hit ? "" : choice?.reply, right].filter((text) => text);
    const key = [head, ...texts].join("\n");
    if (this.replied.dataset.key === key) return;
    this.replied.dataset.key = key;
    this.replied.replaceChildren(el("h4", {}, head), ...texts.map((text) => el("p", {}, text ?? "")));
  }

  #steps() {
    const { steps } = this.level;
    if (!this.owner.perform) return [el("p", { class: "before" }, this.owner.idle), el("ol", { class: "steps" }, ...steps.map((step) => this.#step(step)))];
    return [el("ol", { class: "steps" }, ...steps.map((step) => this.#step(step)))];
  }

  /** @param {Step} step */
  #step(step) {
    const lines = el("div", { class: "lines" });
    const said = el("output", {});
    const press = el("button", { type: "button", class: "press", click: () => this.#perform(step, press, lines, said) }, step.says);
    this.refreshes.push(() => this.#showLines(step, lines, press));
    const after = step.after ? [el("p", { class: "after" }, `When ${step.after}:`)] : [];
    return el("li", {}, ...after, this.owner.perform ? press : el("p", {}, step.says), lines, said);
  }

  /**
   * The command lines, which name who leads and follows now.
   * @param {Step} step @param {HTMLElement} place @param {HTMLButtonElement} press
   */
  #showLines(step, place, press) {
    // What was done stays to be read, though others lead and follow by now.
    if (place.dataset.done) return undefined;
    const texts = step.commands(this.owner.model).map((words) => commandLine(words, { dir: this.owner.dir }));
    const key = texts.join("\n");
    if (place.dataset.key === key) return undefined;
    place.dataset.key = key;
    idle(press, texts.length === 0);
    if (!texts.length) return renew(place, ["This is done already."], press);
    const button = el("button", { type: "button", class: "quiet", "aria-label": `Copy: ${step.says}`, click: () => copy(key, button) }, "Copy");
    renew(place, [el("code", {}, key), button]);
  }

  /** @param {Step} step @param {HTMLButtonElement} press @param {HTMLElement} lines @param {HTMLElement} said */
  async #perform(step, press, lines, said) {
    const { perform } = this.owner;
    if (!perform || isIdle(press)) return;
    delete lines.dataset.done;
    this.#showLines(step, lines, press);
    lines.dataset.done = "yes";
    idle(press, true);
    said.replaceChildren("…");
    const heard = [];
    for (const words of step.commands(this.owner.model)) {
      const { done, said: text } = await perform(words);
      heard.push(el("span", done ? {} : { class: "failed" }, text.trim() || (done ? "Done." : "It was not done.")));
      if (!done) break;
    }
    said.replaceChildren(...heard);
    idle(press, false);
  }

  /** @param {Achieved} achieved */
  #see({ seen, hint }) {
    this.hint.hidden = hint === undefined;
    say(this.hint, hint ?? "");
    while (this.list.children.length > seen.length) this.list.lastChild?.remove();
    seen.forEach(({ text, done, at }, place) => {
      const key = `${done} ${at} ${text}`;
      const line = this.list.children[place] ?? this.list.appendChild(el("li", {}));
      if (line.getAttribute("data-key") === key) return;
      set(line, { "data-key": key, "data-done": done });
      const jump = at === undefined ? "" : el("button", { type: "button", class: "jump", "aria-label": `Jump to ${clock(at)}: ${text}`, click: () => this.owner.go(at) }, clock(at, 2));
      renew(line, [el("span", { class: "sign", "aria-hidden": "true" }, done ? "✓" : "·"), el("span", {}, text, ...(done ? [] : [el("span", { class: "unseen" }, " (not yet)")])), jump], this.title);
    });
  }
}

/** @param {Source} source */
function source({ of, where }) {
  const { name, href } = PAGES[of];
  const named = href === undefined ? name : el("a", { href, target: "_blank", rel: "noreferrer" }, name);
  return el("li", {}, named, of === "ours" || of === "terry" ? `: ${where}` : `, sections ${where}`);
}
