// The panel "Break it": what is selected and what can be done to it, patterns, scenarios,
// what is broken now, what was done, and how well one has guessed.

import { el, renew, say, set } from "../dom.js";
import { wrongs } from "../break/active.js";
import { termAt } from "../break/forecast.js";
import { memberOffers, patternOffers, scenarioOffers } from "../break/patterns.js";
import { Scores } from "../break/score.js";
import { counts, leaderAt, standings } from "../break/standing.js";
import { Deeds } from "./deeds.js";
import { Drag } from "./drag.js";
import { doneList, left, scenarioList, scoreTable, wrongList } from "./lists.js";
import { chosenOffers, menu, offerButton, picker } from "./picker.js";
import { Step } from "./step.js";
import { Watch } from "./watch.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("../break/offers.js").Offer} Offer */
/** @typedef {import("../break/forecast.js").Guess} Guess */
/** @typedef {import("./picker.js").Chosen} Chosen */

/** How often (milliseconds) the panel looks at the timeline. */
const LOOK = 250;
/** Where the browser keeps whether one wants to be asked. */
const ASKS = "hangraft-lab-asks";

export class Breaking {
  /**
   * @param {HTMLElement} root
   * @param {Lab} lab
   * @param {import("./drag.js").RingLike} [ring]
   */
  constructor(root, lab, ring) {
    this.root = root;
    this.lab = lab;
    this.deeds = new Deeds(lab, () => this.#refresh());
    this.scores = new Scores();
    /** @type {Chosen} */
    this.chosen = { one: "", other: "" };
    /** What is chosen and not done yet. @type {Step | undefined} */
    this.step = undefined;
    /** The last thing that was done. @type {Watch | undefined} */
    this.watch = undefined;
    this.asks = el("input", { type: "checkbox", checked: remembered(), change: () => remember(this.asks.checked) });
    this.team = el("input", { type: "text", maxlength: 30, autocomplete: "off", placeholder: "none" });
    this.places = this.#frame();
    if (ring) new Drag(lab, ring, { all: () => this.#all(), demo: this.demo, choose: (chosen, offer) => this.#fromRing(chosen, offer) });
    setInterval(() => this.#look(), LOOK);
    lab.on("selected", () => this.#select(lab.selected));
    this.#refresh();
  }

  /** Whether the cluster is a demo, whose processes can be reached. */
  get demo() {
    return this.lab.settings?.dir !== undefined;
  }

  #all() {
    return standings(this.lab.model, this.lab.model.end);
  }

  #frame() {
    const { deeds, root } = this;
    const heal = el("button", { type: "button", class: "heal", disabled: deeds.forbidden !== "", click: () => this.#healAll() }, "Heal everything");
    const places = { heal, now: el("div", {}), wrong: el("ul", { class: "wrong" }), chosen: el("div", {}), patterns: el("div", { class: "row" }), scenarios: el("ul", {}), done: el("ol", { class: "done" }), score: el("div", {}), menus: el("div", { class: "menus" }) };
    const members = memberOffers(this.demo).map((offer) => offerButton(offer, () => this.#choose(offer, offer.label)));
    const reset = el("button", { type: "button", class: "quiet", click: () => (this.scores.reset(), this.#score()) }, "Begin anew");
    const part = (/** @type {string} */ title, /** @type {Node[]} */ ...inside) => el("section", { "aria-label": title }, el("h3", {}, title), ...inside);
    const folded = (/** @type {string} */ title, /** @type {Node[]} */ ...inside) => el("details", {}, el("summary", {}, title), ...inside);
    const { scenarios = [] } = this.lab.settings ?? {};
    places.menus.append(part("Node or link", places.chosen), part("Patterns", places.patterns), part("Members", el("div", { class: "row" }, ...members)), ...(scenarios.length ? [folded(`Scenarios, ${scenarios.length}`, places.scenarios)] : []));
    root.replaceChildren(
      el("h2", { class: "unseen" }, "Break it"),
      el("div", { class: "bar" }, heal, el("label", {}, this.asks, " Ask me first")),
      ...(deeds.forbidden ? [el("p", { class: "note" }, deeds.forbidden)] : []),
      places.wrong, places.now, places.menus,
      part("What was done", places.done),
      folded("Score", el("label", { class: "team" }, "Team ", this.team), places.score, reset),
    );
    this.#score();
    return places;
  }

  /** What comes of a fault is watched also while the panel is not to be seen. */
  #look() {
    this.watch?.look();
    if (this.root.offsetParent !== null) this.#refresh();
  }

  /** Shows what has changed. */
  #refresh() {
    const { lab, deeds, places } = this;
    const { model } = lab;
    const all = this.#all();
    const here = counts(all);
    const chosen = chosenOffers(this.chosen, all, this.demo);
    keep(places.chosen, JSON.stringify([all, this.chosen]), () => [
      ...picker(this.chosen, all, (next) => this.#pick(next)),
      el("p", { class: "stands" }, chosen?.says ?? "Choose a node here or in the picture, or draw a line from one to another."),
      ...menu(chosen?.offers ?? [], (offer) => this.#choose(offer, `${chosen?.subject}: ${offer.label}`)),
    ]);
    keep(places.patterns, JSON.stringify(here), () => patternOffers(here).map((offer) => offerButton(offer, () => this.#choose(offer, offer.label))));
    keep(places.scenarios, JSON.stringify(here), () => scenarioList(lab.settings?.scenarios ?? [], here, (offer) => this.#choose(offer, offer.label)));
    this.#fits(here);
    const wrong = wrongs(model, deeds.now, deeds.list, this.demo);
    const perform = deeds.forbidden ? undefined : (/** @type {string[]} */ words) => void this.#perform(words);
    set(places.heal, { title: this.#healing().map((words) => deeds.line(words)).join("\n") });
    keep(places.wrong, JSON.stringify(wrong), () => wrongList(wrong, (words) => deeds.line(words), perform), places.heal);
    for (const time of places.wrong.querySelectorAll("[data-until]")) say(time, left(Number(/** @type {HTMLElement} */ (time).dataset["until"]), deeds.now));
    keep(places.done, JSON.stringify(deeds.list), () => (deeds.list.length ? doneList(deeds.list, (time) => lab.go(time)) : [el("li", {}, "Nothing yet.")]));
  }

  /** @param {Chosen} chosen */
  #pick(chosen) {
    this.chosen = chosen;
    if (this.lab.selected !== chosen.one) this.lab.select(chosen.one);
    this.#refresh();
  }

  /** A lane or a node was selected elsewhere. @param {string} name */
  #select(name) {
    if (name === this.chosen.one || !this.#all().some((one) => one.name === name)) return;
    this.chosen = { one: name, other: "" };
    this.#leave();
  }

  /** @param {Chosen} chosen @param {Offer} offer */
  #fromRing(chosen, offer) {
    document.getElementById("tab-break")?.click();
    this.#pick(chosen);
    this.#choose(offer, `${chosen.other ? `${chosen.one} – ${chosen.other}` : chosen.one}: ${offer.label}`);
  }

  /** Shows what was chosen instead of the menus. @param {Offer} offer @param {string} subject */
  #choose(offer, subject) {
    const { lab, deeds, places } = this;
    const { model } = lab;
    const all = this.#all();
    const leader = leaderAt(model, model.end);
    const nodes = all.filter(({ id, votes }) => id !== undefined && votes);
    /** @type {[string, string][]} */
    const leaders = nodes.map(({ name, id }) => [name, id === leader?.node ? `${name} still` : name]);
    this.step = new Step(offer, {
      subject, leaders: [...leaders, ["nobody", "nobody"]], term: termAt(model, model.end),
      line: (words) => deeds.line(words), forbidden: deeds.forbidden, asks: this.asks.checked && !deeds.forbidden,
      perform: (words, guess) => this.#do(offer, words, guess), back: () => this.#leave(offer),
    });
    places.now.replaceChildren(this.step.element);
    places.menus.hidden = true;
    this.step.focus();
  }

  /** What did not fit when it was chosen can be done as soon as it fits. @param {ReturnType<typeof counts>} here */
  #fits(here) {
    const { step } = this;
    if (!step?.offer.unfit) return;
    const { group, label } = step.offer;
    const offers = [...patternOffers(here), ...scenarioOffers(this.lab.settings?.scenarios ?? [], here)];
    const now = offers.find((offer) => offer.group === group && offer.label === label);
    if (now && !now.unfit) this.#choose(now, step.around.subject);
  }

  /** Back to the menus. @param {Offer} [offer] that had been chosen */
  #leave(offer) {
    const { places } = this;
    this.step = undefined;
    places.menus.hidden = false;
    places.now.replaceChildren(...(this.watch ? [this.watch.element] : []));
    this.#refresh();
    const button = offer && places.menus.querySelector(`[data-key="${CSS.escape(`${offer.group} ${offer.key}`)}"]`);
    if (button instanceof HTMLElement) button.focus();
  }

  /** @param {Offer} offer @param {string[]} words @param {Guess | undefined} guess */
  #do(offer, words, guess) {
    this.lab.follow();
    const performed = this.#perform(words);
    const deed = this.deeds.list.at(-1);
    if (offer.asks && deed) {
      this.watch?.overtake();
      this.watch = new Watch(this.lab, deed, () => this.deeds.now, guess, (answers) => this.#count(answers), () => ((this.watch = undefined), this.#leave()));
    }
    this.#leave();
    this.watch?.element.querySelector("h3")?.focus();
    return performed;
  }

  /** @param {string[]} words */
  async #perform(words) {
    const { done, said } = await this.deeds.perform(words);
    const saying = document.getElementById("said");
    if (saying) say(saying, done ? said : `Not done: ${said}`);
  }

  /** What makes everything good: who has ended starts, who stands still goes on, faults end. */
  #healing() {
    const { model } = this.lab;
    const gone = wrongs(model, model.end, [], this.demo).map(({ heal }) => heal).filter(([verb]) => verb !== "fault");
    return [...gone, ["fault", "heal"]];
  }

  async #healAll() {
    for (const words of this.#healing()) await this.#perform(words);
  }

  /** @param {{right: boolean}[]} answers */
  #count(answers) {
    const { team, right, asked, streak } = this.scores.count(this.team.value, answers);
    this.#score();
    return `${team ? `${team}: ` : ""}${right} of ${asked} right so far, ${streak} in a row.`;
  }

  #score() {
    this.places?.score.replaceChildren(scoreTable(this.scores));
  }
}

/**
 * Makes what is inside anew when its key is another; the focus stays where it was.
 * @param {HTMLElement} place
 * @param {string} key
 * @param {() => Node[]} make
 * @param {HTMLElement} [otherwise] what has the focus where nothing is left inside
 */
function keep(place, key, make, otherwise) {
  if (place.dataset["kept"] === key) return;
  place.dataset["kept"] = key;
  renew(place, make(), otherwise);
}

function remembered() {
  try {
    return localStorage.getItem(ASKS) !== "no";
  } catch {
    return true;
  }
}

/** @param {boolean} asks */
function remember(asks) {
  try {
    localStorage.setItem(ASKS, asks ? "yes" : "no");
  } catch {
    // A browser that keeps nothing asks again.
  }
}
