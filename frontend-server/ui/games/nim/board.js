// One room's board of nim: heaps of stones. A stone that is pressed is taken, with all
// behind it.

import { Again } from "../../again.js";
import { el, list, say, set } from "../../dom.js";
import { situation, spokenStone } from "./story.js";

/** @typedef {import("./types.js").NimView} View */
/** @typedef {import("../../types.js").Moment} Moment */

export class NimBoard {
  #acts;
  #heaps = el("div", { class: "heaps", role: "group", "aria-label": "Heaps", "data-testid": "heaps" });
  #state = el("p", { class: "state", "data-testid": "state" });
  #again;
  /** Whether this player may take stones now. */
  #open = false;

  /** @param {import("../../types.js").Acts} acts */
  constructor(acts) {
    this.#acts = acts;
    this.#again = new Again(() => acts.again());
    const hand = el("div", { class: "hand" }, el("div", { class: "row" }, this.#again.element));
    this.element = el("section", { class: "board nim", "aria-label": "Board" }, this.#heaps, this.#state, hand);
  }

  /** Stones are taken by pressing them; no key stands for one. */
  typed() {}

  /** @param {View} view @param {Moment} moment */
  update(view, moment) {
    const mine = view.players.find(({ player }) => player === moment.me);
    const mover = view.players.find(({ seat }) => seat === view.turn);
    const stuck = !view.match && mine !== undefined && mover !== undefined && mover !== mine && !mover.online;
    const sending = moment.pending.some(({ action }) => action === "play");
    this.#open = mine !== undefined && view.turn === mine.seat && !sending;
    set(this.element, { "data-state": view.state });
    set(this.#heaps, { "data-open": this.#open, "data-version": moment.version });
    const heaps = view.heaps.map((stones, heap) => ({ stones, heap }));
    list(this.#heaps, heaps, ({ heap }) => String(heap), () => el("div", { class: "heap" }), (element, { stones, heap }) => this.#showHeap(element, heap, stones));
    say(this.#state, moment.trouble || situation(view, moment.me));
    set(this.#state, { "data-state": view.state, "data-trouble": moment.trouble !== "" });
    const held = this.element.contains(document.activeElement);
    const before = this.#again.shown;
    if (view.state === "won" || stuck) this.#again.update(view, moment, stuck);
    else this.#again.hide();
    if (held && before && !this.#again.shown) this.#heaps.querySelector("button")?.focus();
    else if (held && !before && this.#again.shown) this.#again.focus();
  }

  /** @param {HTMLElement} element @param {number} heap @param {number} stones */
  #showHeap(element, heap, stones) {
    const places = Array.from({ length: stones }, (_, at) => at);
    const make = (/** @type {number} */ at) => el("button", { type: "button", class: "stone", "data-testid": `stone-${heap}-${at}`, click: () => this.#take(heap, at, element) });
    list(element, places, String, make, (stone, at) => {
      set(stone, { "aria-disabled": String(!this.#open), "aria-label": spokenStone(heap, stones - at) });
    });
  }

  /** @param {number} heap @param {number} at @param {HTMLElement} element */
  async #take(heap, at, element) {
    if (!this.#open) return;
    const refused = await this.#acts.play({ heap, take: element.children.length - at });
    if (refused) this.#acts.note(refused);
  }
}
