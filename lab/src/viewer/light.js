// The verdict as a light in the bar of a served page: its words, the promises behind it, and
// a polite word to screen readers when it changes.

import { byId, el, say, set } from "./dom.js";
import { showPromises } from "./header.js";
import { lightOf } from "./model/judged.js";

/** A sign for each colour, for whoever cannot tell them apart. */
const SIGNS = { good: "✓", bad: "✗", none: "–" };
/** How long (milliseconds) it stays as it is. */
const RESTS = 500;

export class Light {
  /**
   * @param {import("./lab.js").Lab} lab
   * @param {(finding: import("./model/types.js").FindingLine) => void} go to what shows a broken promise
   */
  constructor(lab, go) {
    this.lab = lab;
    this.go = go;
    this.sign = el("span", { class: "sign", "aria-hidden": "true" });
    this.words = el("strong");
    this.counts = el("span", { class: "counts" });
    this.button = el("button", { type: "button", class: "light", "aria-controls": "promises", "aria-expanded": "false", click: () => this.#press() }, this.sign, this.words, this.counts);
    byId("verdict").replaceChildren(this.button);
    this.said = "";
    this.drawn = -Infinity;
    /** How many lines there were when it was drawn. */
    this.lines = -1;
    this.#open(false);
    addEventListener("pointerdown", ({ target }) => {
      const own = target instanceof Element && target.closest("#promises, #verdict");
      if (!own) this.close();
    });
  }

  /**
   * @param {number} now milliseconds
   * @returns {boolean} whether there is something left to draw, later
   */
  draw(now) {
    const { model } = this.lab;
    if (model.lines === this.lines) return false;
    if (now - this.drawn < RESTS) return true;
    [this.drawn, this.lines] = [now, model.lines];
    const { how, words, counts, at } = lightOf(model, this.lab.settings?.live === true);
    byId("verdict").dataset.how = how;
    say(this.sign, SIGNS[how]);
    say(this.words, words);
    say(this.counts, counts);
    set(this.button, { title: how === "bad" && at !== undefined ? "Go to the first moment that shows it" : "The promises that are judged" });
    if (!byId("promises").hidden) showPromises(model, this.go);
    if (words !== this.said && this.said !== "") say(byId("said"), `The judge: ${words}`);
    this.said = words;
    return false;
  }

  /** Closes what it has opened. @returns {boolean} whether there was something to close */
  close() {
    const open = !byId("promises").hidden;
    if (byId("promises").contains(document.activeElement)) this.button.focus();
    this.#open(false);
    return open;
  }

  #press() {
    const open = byId("promises").hidden;
    this.#open(open);
    const [finding] = this.lab.model.findings;
    if (finding && open) this.go(finding);
  }

  /** @param {boolean} open */
  #open(open) {
    byId("promises").hidden = !open;
    set(this.button, { "aria-expanded": String(open) });
    if (open) showPromises(this.lab.model, this.go);
  }
}
