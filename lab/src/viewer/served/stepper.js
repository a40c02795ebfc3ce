// Steps by single happenings, and says what each is.

import { byId, el, say } from "../dom.js";
import { firstOf, happensAt, nextMoment, onDays } from "../model/steps.js";
import { clock } from "../model/words.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("../model/read.js").Model} Model */

/** Keys, and what each is for. @type {[string, string][]} */
const KEYS = [[", .", "one happening back, one forth: each message, each call, each line"]];
/** Digits of a moment, down to a microsecond. */
const DIGITS = 6;

export class Stepper {
  /**
   * @param {Lab} lab
   * @param {() => [string, Model][]} days that are shown, each with its name
   */
  constructor(lab, days) {
    this.lab = lab;
    this.days = days;
    this.said = el("p", { id: "happening", role: "status" });
    const button = (/** @type {string} */ text, /** @type {string} */ name, /** @type {1 | -1} */ way) => el("button", { type: "button", "aria-label": name, title: `${name} (${way < 0 ? "," : "."})`, click: () => this.step(way) }, text);
    const group = el("span", { class: "group" }, button("‹", "One happening back", -1), button("›", "One happening forth", 1));
    byId("later").closest(".group")?.after(group);
    byId("left-out").after(this.said);
    byId("keys").append(...KEYS.flatMap(([key, does]) => [el("dt", {}, key), el("dd", {}, does)]));
    addEventListener("keydown", (event) => this.#key(event));
    lab.on("moment", () => lab.moment !== this.at && say(this.said, ""));
    /** The moment of the last step. */
    this.at = -1;
  }

  /** @param {1 | -1} way */
  step(way) {
    const days = this.days();
    const next = firstOf(days.map(([, model]) => nextMoment(model, this.lab.moment, way)), way);
    if (next === undefined) return;
    this.at = next;
    this.lab.go(next);
    say(this.said, `${clock(next, DIGITS)}: ${onDays(days.map(([name, model]) => [name, happensAt(model, next)]))}`);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { target } = event;
    const types = target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || (target instanceof HTMLInputElement && target.type !== "checkbox");
    if (types || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "," || event.key === ".") this.step(event.key === "," ? -1 : 1);
  }
}
