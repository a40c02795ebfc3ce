// The panel "Learn": twelve levels, one open at a time. It keeps how far the learner has come,
// and looks into the timeline, as it grows, for what the open level asks for.

import { el, say, set } from "../dom.js";
import { LEVELS, nextLevel, observed, opened, predicted, readKept, summary } from "../levels/course.js";
import { Lesson } from "./lesson.js";
import { Presenter } from "./presenter.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("./presenter.js").Shown} Shown */

/** Where a browser keeps how far one has come. */
const KEPT = "hangraft-lab-learn";
/** The timeline is looked into at most this often (milliseconds). */
const LOOKS_EVERY = 400;
/** What is shown behind the last level. */
const SCORE = "score";

export class Learn {
  /**
   * @param {HTMLElement} root
   * @param {Lab} lab
   */
  constructor(root, lab) {
    this.lab = lab;
    this.kept = readKept(load());
    this.view = this.kept.level;
    /** Whether the open level's reasons are shown before it was achieved. */
    this.explains = false;
    /** Whether the presenter has gone on to what is to be done. */
    this.acts = false;
    this.looking = 0;
    this.presenter = new Presenter(lab, () => ({ level: this.view, step: this.#stage(), since: this.kept.since }), (shown) => this.#follow(shown));
    this.head = el("div", { class: "learn-head" });
    this.chips = el("ol", { class: "levels", "aria-label": "Levels" });
    this.score = el("button", { type: "button", class: "jump", click: () => this.open(SCORE) });
    this.status = el("p", { class: "achieved", role: "status" });
    this.place = el("div", {});
    root.classList.add("learn");
    root.append(this.head, this.chips, el("p", { class: "learn-score" }, this.score), this.status, this.place);
    this.head.append(el("h2", {}, "Learn"), ...this.presenter.buttons);
    this.chips.append(...LEVELS.map((level, place) => el("li", {}, el("button", { type: "button", "data-level": level.id, click: () => this.open(level.id) }, String(place + 1)))));
    this.#turnTo(this.view);
    lab.on("lines", () => this.#lookSoon());
  }

  /** What the presenter shows, as the server tells it to those who watch. @param {Shown} shown */
  shown(shown) {
    this.presenter.show(shown);
  }

  /** Opens a level, or the score, from its beginning. @param {string} id */
  open(id) {
    this.#begin();
    this.#turnTo(id);
    this.#keep();
    /** @type {HTMLElement | null} */ (this.place.querySelector("h3"))?.focus();
  }

  /** @param {string} id */
  #turnTo(id) {
    const level = LEVELS.find((one) => one.id === id);
    this.view = level ? id : SCORE;
    [this.explains, this.acts] = [false, false];
    say(this.status, "");
    if (level) this.kept.level = id;
    this.lesson = level && new Lesson(level, this.#owner(id));
    const held = this.place.contains(document.activeElement);
    this.place.replaceChildren(this.lesson ? this.lesson.element : this.#scored());
    this.#show();
    if (held) this.place.querySelector("h3")?.focus();
  }

  /** What happens from now on is what counts. */
  #begin() {
    const { head, end } = this.lab.model;
    Object.assign(this.kept, { since: end, began: head.began_unix_ms ?? 0 });
    this.#keep();
  }

  /** @param {string} id @returns {import("./lesson.js").Owner} */
  #owner(id) {
    const { settings, model } = this.lab;
    const may = settings?.breaks && !settings.watch_only;
    return {
      model,
      dir: settings?.dir,
      idle: settings?.watch_only ? "Whoever presents does this. You see what comes of it." : "Nothing may be broken here. In the lab of a demo, hangraft lab, these are buttons.",
      decide: (choice) => {
        this.kept.marks = predicted(this.kept.marks, id, choice);
        // Where the presenter has gone on, that moment counts.
        if (this.acts) this.#keep();
        else this.#begin();
        this.#show();
        /** @type {HTMLElement | null} */ (this.lesson?.deeds.querySelector("button"))?.focus();
      },
      perform: may ? (words) => this.#perform(words) : undefined,
      go: (time) => this.lab.go(time),
      again: () => {
        [this.explains, this.acts] = [false, false];
        this.lesson?.clear();
        say(this.status, "");
        this.#begin();
        this.#show();
      },
      explain: () => {
        this.explains = true;
        this.#show();
      },
      next: () => this.open(nextLevel(this.kept.marks, id) ?? SCORE),
    };
  }

  /** @param {string[]} words */
  async #perform(words) {
    const { perform } = this.lab;
    if (!perform) return { done: false, said: "Nothing may be broken here." };
    this.lab.follow();
    return perform(words).catch((error) => ({ done: false, said: String(error) }));
  }

  /** @param {Shown} shown */
  #follow({ level, step, since }) {
    if (since !== this.kept.since) {
      // The presenter has begun, or begins again.
      this.#begin();
      this.kept.since = since;
      [this.acts, this.explains] = [false, false];
      say(this.status, "");
    }
    if (level && level !== this.view) this.#turnTo(level);
    this.acts ||= step === "do" || step === "why";
    this.explains ||= step === "why";
    this.#show();
  }

  #lookSoon() {
    if (this.looking) return;
    this.looking = setTimeout(() => {
      this.looking = 0;
      // In another cluster's timeline the old moment means nothing.
      if (this.kept.began !== (this.lab.model.head.began_unix_ms ?? 0)) this.#begin();
      this.#show();
    }, LOOKS_EVERY);
  }

  #stage() {
    const mark = this.kept.marks[this.view];
    return opened(mark?.guess !== undefined || this.acts, this.explains);
  }

  /** Looks into the timeline, notes what is new, and shows it. */
  #show() {
    const level = this.lesson?.level;
    if (level && this.lesson) {
      const watching = this.#stage() !== "predict";
      const { model } = this.lab;
      const achieved = watching ? level.achieved(model, this.kept.since) : undefined;
      const answer = watching ? level.question.answer(model, this.kept.since) : undefined;
      this.#note(level.id, achieved?.done ?? false, answer?.id);
      const { guess } = this.kept.marks[level.id] ?? {};
      if (achieved?.done) this.explains = true;
      const number = LEVELS.indexOf(level) + 1;
      const last = nextLevel(this.kept.marks, level.id) === undefined;
      this.lesson.show({ number, guess, stage: this.#stage(), answer, achieved, done: achieved?.done ?? false, last });
    }
    this.#showHead();
  }

  /** @param {string} id @param {boolean} done @param {string | undefined} answer */
  #note(id, done, answer) {
    const marks = observed(this.kept.marks, id, done, answer);
    if (done && !this.status.textContent) {
      const { done: count, of } = summary(marks);
      say(this.status, `Achieved. ${count} of ${of} levels are done.`);
    }
    if (marks === this.kept.marks) return;
    this.kept.marks = marks;
    this.#keep();
  }

  #showHead() {
    const { done, of, answered, right } = summary(this.kept.marks);
    say(this.score, answered ? `${done} of ${of} done, ${right} of ${answered} foreseen` : `${done} of ${of} done`);
    for (const chip of this.chips.querySelectorAll("button")) {
      const place = LEVELS.findIndex(({ id }) => id === chip.dataset.level);
      const { title = "", id = "" } = LEVELS[place] ?? {};
      const mark = this.kept.marks[id];
      say(chip, mark?.done ? "✓" : String(place + 1));
      const named = `Level ${place + 1}: ${title}${mark?.done ? ", done" : ""}`;
      set(chip, { "aria-label": named, title: named, "data-done": mark?.done, "aria-current": id === this.view ? "step" : false });
    }
  }

  /** How it went, and the way back to the beginning. */
  #scored() {
    const { done, of, answered, right } = summary(this.kept.marks);
    const rows = LEVELS.map(({ id, title }, place) => {
      const mark = this.kept.marks[id] ?? {};
      const foreseen = mark.right === undefined ? "–" : mark.right ? "foreseen" : "otherwise";
      return el("tr", {}, el("th", { scope: "row" }, `${place + 1}. ${title}`), el("td", {}, mark.done ? "✓ done" : "–"), el("td", {}, foreseen));
    });
    const head = el("tr", {}, ...["Level", "Achieved", "Prediction"].map((name) => el("th", { scope: "col" }, name)));
    const reset = el("button", { type: "button", class: "quiet", click: () => this.#reset(reset) }, "Forget all of it");
    const title = el("h3", { tabindex: "-1" }, done === of ? "All levels are done" : "How far you are");
    const told = answered ? `${right} of ${answered} predictions were right.` : "No prediction has been answered yet.";
    return el("article", { class: "lesson" }, title, el("p", { class: "goal" }, `${done} of ${of} levels are done. ${told}`), el("p", {}, "A wrong prediction that was made teaches more than a right explanation that was read."), el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)), el("p", { class: "row" }, reset));
  }

  /** The first press asks, the second does it. @param {HTMLElement} button */
  #reset(button) {
    if (button.dataset.sure) {
      this.kept = readKept(undefined);
      this.open(this.kept.level);
    } else {
      button.dataset.sure = "yes";
      say(button, "Forget it: press again");
    }
  }

  #keep() {
    try {
      localStorage.setItem(KEPT, JSON.stringify(this.kept));
    } catch {
      // Where a browser keeps nothing one begins anew after a reload.
    }
  }
}

function load() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}
