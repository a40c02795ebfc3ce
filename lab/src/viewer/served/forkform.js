// The form in which one chooses what is done instead at the moment that is shown.

import { el, idle, isIdle, say } from "../dom.js";
import { copy } from "../header.js";
import { deed, DEEDS, faultWords, forkCommand } from "../model/forks.js";
import { clock } from "../model/words.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("../model/forks.js").Choice} Choice */

/** For how long. */
const TIMES = [["", "until the day heals it"], ["500ms", "for 500 ms"], ["1s", "for 1 s"], ["3s", "for 3 s"], ["10s", "for 10 s"]];
/** By how much packets are late, and how many are lost. */
const DELAYS = [["50ms", "by up to 50 ms"], ["200ms", "by up to 200 ms"], ["1s", "by up to 1 s"]];
const SHARES = [["5", "5 %"], ["20", "20 %"], ["50", "50 %"]];
/** Digits of a moment, down to a microsecond. */
const DIGITS = 6;

export class ForkForm {
  /**
   * @param {Lab} lab
   * @param {string} command that makes the day that is forked
   * @param {(at: number, fault: string) => void} ask
   */
  constructor(lab, command, ask) {
    this.lab = lab;
    this.command = command;
    this.ask = ask;
    this.verb = choices("What", DEEDS.map(({ verb, does }) => [verb, `${does} (${verb})`]), () => this.tell());
    this.node = choices("Which node", [], () => this.tell());
    this.other = choices("and", [], () => this.tell());
    this.by = choices("By how much", DELAYS, () => this.tell());
    this.percent = choices("How much", SHARES, () => this.tell());
    this.lasts = choices("For how long", TIMES, () => this.tell());
    this.instead = el("input", { type: "checkbox", change: () => this.tell() });
    this.insteadLabel = el("label", { class: "fork-instead" }, this.instead, " instead of the faults that the day has planned from there on");
    this.at = el("strong");
    this.line = el("code");
    this.button = el("button", { type: "submit", class: "fork-go" }, "Go on from here");
    this.copied = el("button", { type: "button", class: "quiet", click: () => copy(this.line.textContent ?? "", this.copied) }, "Copy");
    this.said = el("p", { class: "fork-said", role: "alert" });
    this.fields = [this.verb, this.node, this.other, this.by, this.percent, this.lasts].map(({ label }) => label);
    this.root = el(
      "form", { class: "fork-form", submit: (/** @type {Event} */ event) => this.#submit(event) },
      el("p", {}, "The day is as it was until ", this.at, ". Then this is done as well, and the day goes on from there, next to the original:"),
      ...this.fields, this.insteadLabel,
      el("p", { class: "fork-line" }, this.line, this.copied),
      el("p", {}, this.button), this.said,
    );
    this.verb.select.value = "kill";
    this.tell();
  }

  /** @returns {Choice} */
  get choice() {
    return {
      verb: this.verb.select.value, node: this.node.select.value, other: this.other.select.value, by: this.by.select.value,
      percent: this.percent.select.value, for: this.lasts.select.value, instead: this.instead.checked,
    };
  }

  /** The moment is another, or the choice. */
  tell() {
    const { model, moment } = this.lab;
    const names = [...model.nodes.values()].sort((one, other) => one.id - other.id).map(({ name }) => [name, name]);
    offer(this.node.select, [["leader", "the leader"], ["follower", "a follower"], ...names]);
    const others = [...names, ["leader", "the leader"], ["follower", "a follower"]].filter(([name]) => name !== this.node.select.value);
    offer(this.other.select, this.verb.select.value === "cut" ? [...others, ["frontends", "the frontends"]] : others);
    const { verb, takes } = deed(this.verb.select.value);
    const shown = { node: this.node, other: this.other, by: this.by, percent: this.percent, for: this.lasts };
    for (const [take, { label }] of Object.entries(shown)) label.hidden = !takes.some((one) => one === take);
    this.insteadLabel.hidden = verb === "nothing";
    say(this.at, clock(moment, DIGITS));
    say(this.line, forkCommand(this.command, moment, faultWords(this.choice)));
  }

  /** Another day is being lived. @param {boolean} is */
  busy(is) {
    idle(this.button, is);
    say(this.button, is ? "The day is lived again …" : "Go on from here");
    if (is) say(this.said, "");
  }

  /** Why there is no other day. @param {string} why */
  refuse(why) {
    say(this.said, why);
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    if (!isIdle(this.button)) this.ask(Math.round(this.lab.moment), faultWords(this.choice));
  }
}

/**
 * @param {string} name
 * @param {string[][]} options
 * @param {() => void} changed
 */
function choices(name, options, changed) {
  const select = el("select", { change: changed });
  offer(select, options);
  return { label: el("label", {}, el("span", {}, name), select), select };
}

/** Leaves chosen what was, where it is still there. @param {HTMLSelectElement} select @param {string[][]} options */
function offer(select, options) {
  const known = [...select.options].map(({ value }) => value).join(" ");
  if (known === options.map(([value]) => value).join(" ")) return;
  const chosen = select.value;
  select.replaceChildren(...options.map(([value = "", text = ""]) => el("option", { value }, text)));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}
