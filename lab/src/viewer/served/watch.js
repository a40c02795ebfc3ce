// Watches what comes of a fault, and tells it beside what was guessed.

import { el, say } from "../dom.js";
import { answered, outcome, outcomeText } from "../break/forecast.js";
import { headOf } from "../break/standing.js";
import { reasonFor } from "../break/why.js";
import { clock } from "../model/words.js";
import { code } from "./lists.js";

/** @typedef {import("./deeds.js").Deed} Deed */
/** @typedef {import("../break/forecast.js").Guess} Guess */
/** @typedef {import("../break/forecast.js").Outcome} Outcome */
/** @typedef {import("../lab.js").Lab} Lab */

export class Watch {
  /**
   * @param {Lab} lab
   * @param {Deed} deed
   * @param {() => number} now the moment that is now
   * @param {Guess | undefined} guess
   * @param {(answers: {right: boolean}[]) => string} score counts answers, and says how it stands
   * @param {() => void} close
   */
  constructor(lab, deed, now, guess, score, close) {
    this.lab = lab;
    this.now = now;
    this.deed = deed;
    this.guess = guess;
    this.score = score;
    /** Whether nothing more is waited for. */
    this.over = false;
    this.told = el("p", { role: "status" }, "Watching what comes of it.");
    // What ticks is not read aloud.
    this.ticks = el("p", { "aria-hidden": "true" });
    this.body = el("div", {});
    const see = el("button", { type: "button", class: "quiet", click: () => lab.go(deed.at) }, "See the moment");
    const closing = el("button", { type: "button", class: "quiet", click: close }, "Close");
    this.element = el("section", { class: "watch", "aria-label": "What came of it" }, el("h3", { tabindex: -1 }, "What happened?"), code(deed.line), this.told, this.ticks, this.body, el("div", { class: "deeds" }, see, closing));
  }

  /** Looks at the timeline again. */
  look() {
    if (this.over) return;
    const { deed, lab } = this;
    if (deed.done === false) return this.#failed();
    if (deed.done === undefined) return;
    const now = this.now();
    const came = outcome(lab.model, deed.at, deed.answered, now);
    if (!came.settled) return say(this.ticks, sofar(lab.model, came, now - deed.at));
    this.#end();
    deed.came = outcomeText(lab.model, came);
    this.#tell(came);
  }

  /** Something else was done before it was over: nobody could tell what came of which. */
  overtake() {
    if (this.over) return;
    this.#end();
    this.deed.came = "something else was done before it was over";
    say(this.told, "Something else was done before this was over, so it does not count.");
  }

  #end() {
    this.over = true;
    this.ticks.remove();
  }

  #failed() {
    this.#end();
    say(this.told, `It was not done. ${this.deed.said}`);
    this.told.className = "bad";
  }

  /** @param {Outcome} came */
  #tell(came) {
    const { lab, deed, guess } = this;
    const { model, settings } = lab;
    const [first = "", name = ""] = deed.words;
    const scenario = first === "scenario" ? settings?.scenarios.find((one) => one.name === name) : undefined;
    const leader = came.leader === undefined ? "" : model.nodeName(came.leader);
    const { text, source } = reasonFor(deed.words, came, { leader, why: scenario && headOf(scenario.about).why });
    const answers = guess ? answered(model, guess, came) : [];
    const { expect = "" } = scenario ? headOf(scenario.about) : {};
    const right = answers.filter((one) => one.right).length;
    say(this.told, answers.length ? `${right} of ${answers.length} right: ${deed.came}.` : `${sentence(deed.came)}.`);
    this.body.replaceChildren(
      ...(answers.length ? [table(answers)] : []),
      el("p", { class: "why" }, [text, expect && `To be expected: ${expect}`].filter(Boolean).join(" "), " ", el("small", {}, source ? `Source: ${source}` : "")),
      ...(answers.length ? [el("p", { class: "score" }, this.score(answers))] : []),
    );
  }
}

/** @param {import("../model/read.js").Model} model @param {Outcome} came @param {number} since */
function sofar(model, { next, silence, open, held }, since) {
  const parts = [held ? `${held === 1 ? "one election" : `${held} elections`} so far` : "no election so far"];
  if (next) parts.push(`${model.nodeName(next.node)} leads term ${next.term}`);
  if (open && silence) parts.push(`nobody has moved for ${silence.what}`);
  return `${clock(since, 1)}: ${parts.join(", ")}.`;
}

/** @param {string} text */
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** @param {import("../break/forecast.js").Answered[]} answers */
function table(answers) {
  const rows = answers.map(({ question, guessed, was, right }) =>
    el("tr", { "data-right": String(right) }, el("th", { scope: "row" }, question), el("td", {}, guessed), el("td", {}, el("span", { class: "mark" }, right ? "✓ " : "✗ "), el("span", { class: "unseen" }, right ? "right: " : "wrong: "), was)));
  const head = el("tr", {}, el("td", {}), el("th", { scope: "col" }, "You said"), el("th", { scope: "col" }, "It was"));
  return el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows));
}
