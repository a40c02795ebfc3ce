// Breaking in the picture: a line is drawn from node to node or to the frontends, or a node's
// menu is asked for by the other button, a long press or the menu key. Then a small menu says
// what can be done.

import { el, spotIn, zoomOf } from "../dom.js";
import { FRONTENDS } from "../break/offers.js";
import { chosenOffers } from "./picker.js";
import { Popup } from "./popup.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("./picker.js").Chosen} Chosen */
/** @typedef {{x: number, y: number, r: number}} Place */
/**
 * What the ring says of itself, in pixels from its left and top: which node is at a place,
 * where one is, where frontends are on its stage, and the element that lies on the picture.
 * @typedef {{nodeAt: (x: number, y: number) => string | undefined, place: (name: string) => Place | undefined, places: {frontends: Map<string, Place>}, frame: {stage: HTMLElement}, overlay: HTMLElement}} RingLike
 */
/**
 * @typedef {object} Asked
 * @property {() => import("../break/standing.js").Standing[]} all
 * @property {boolean} demo
 * @property {(chosen: Chosen, offer: import("../break/offers.js").Offer) => void} choose
 */

/** A pointer that has moved less (pixels) has pressed. */
const STILL = 8;
/** What is this near (pixels) to a frontend is on it. */
const NEAR = 10;

export class Drag {
  /**
   * @param {Lab} lab
   * @param {RingLike} ring
   * @param {Asked} asked
   */
  constructor(lab, ring, asked) {
    this.lab = lab;
    this.ring = ring;
    this.asked = asked;
    this.popup = new Popup();
    this.line = el("div", { class: "drawn" });
    /** From whom a line is drawn, and where the pointer went down. @type {{name: string, x: number, y: number, moved: boolean} | undefined} */
    this.from = undefined;
    this.#listen();
  }

  #listen() {
    const picture = /** @type {HTMLElement} */ (this.ring.overlay.parentElement);
    picture.addEventListener("pointerdown", (event) => {
      const [x, y] = this.#at(event);
      const name = event.button === 0 ? this.#end(x, y) : undefined;
      this.from = name === undefined ? undefined : { name, x, y, moved: false };
    });
    addEventListener("pointermove", (event) => this.from && this.#move(event));
    addEventListener("pointerup", (event) => this.#drop(event));
    addEventListener("pointercancel", () => this.#stop());
    // A finger that draws a line does not scroll.
    picture.addEventListener("touchmove", (event) => this.from && event.cancelable && event.preventDefault(), { passive: false });
    picture.addEventListener("contextmenu", (event) => this.#menu(event));
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.from?.moved) this.#stop();
    });
  }

  /** @param {MouseEvent} event @returns {[number, number]} pixels from the overlay's left and top */
  #at(event) {
    return spotIn(this.ring.overlay, event);
  }

  /** Who is at a place: a node, or a frontend. @param {number} x @param {number} y */
  #end(x, y) {
    const near = (/** @type {[string, Place]} */ [, place]) => Math.hypot(x - place.x, y - place.y) <= place.r + NEAR;
    return this.ring.nodeAt(x, y) ?? this.#frontends().find(near)?.[0];
  }

  /** Where a node or a frontend is. @param {string} name */
  #place(name) {
    return this.ring.place(name) ?? this.#frontends().find(([one]) => one === name)?.[1];
  }

  /** @returns {[string, Place][]} */
  #frontends() {
    const { places, frame: { stage } } = this.ring;
    return [...places.frontends].map(([name, { x, y, r }]) => [name, { x: x + stage.offsetLeft, y: y + stage.offsetTop, r }]);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const { from, ring, line } = this;
    const [x, y] = this.#at(event);
    const start = from && this.#place(from.name);
    if (!from || !start) return;
    from.moved ||= Math.hypot(x - from.x, y - from.y) > STILL;
    if (!from.moved) return;
    const name = this.#end(x, y);
    const end = (name !== undefined && name !== from.name && this.#place(name)) || { x, y };
    const [dx, dy] = [end.x - start.x, end.y - start.y];
    Object.assign(line.style, { left: `${start.x}px`, top: `${start.y}px`, width: `${Math.hypot(dx, dy)}px`, rotate: `${Math.atan2(dy, dx)}rad` });
    line.classList.toggle("meets", this.#link(name) !== undefined);
    if (!line.isConnected) ring.overlay.append(line);
  }

  /** @param {PointerEvent} event */
  #drop(event) {
    const { from } = this;
    if (!from) return;
    const link = from.moved ? this.#link(this.#end(...this.#at(event))) : undefined;
    this.#stop();
    if (link) this.#open(link, event.clientX, event.clientY);
  }

  #stop() {
    this.from = undefined;
    this.line.remove();
  }

  /**
   * The link between where a line began and another end; frontends count as one.
   * @param {string | undefined} name
   * @returns {Chosen | undefined}
   */
  #link(name) {
    const all = this.asked.all();
    const isNode = (/** @type {string} */ one) => all.some((standing) => standing.name === one && standing.id !== undefined);
    const first = this.from?.name;
    if (first === undefined || name === undefined || name === first) return undefined;
    if (isNode(first)) return { one: first, other: isNode(name) ? name : FRONTENDS };
    return isNode(name) ? { one: name, other: FRONTENDS } : undefined;
  }

  /** @param {MouseEvent} event */
  #menu(event) {
    const { left, top } = this.ring.overlay.getBoundingClientRect();
    const [x, y] = this.#at(event);
    const byKey = event.button !== 2;
    const name = this.#end(x, y) ?? (byKey ? this.lab.selected : undefined);
    const place = name === undefined ? undefined : this.#place(name);
    if (name === undefined || !place) return;
    event.preventDefault();
    this.#stop();
    const zoom = zoomOf(this.ring.overlay);
    this.#open({ one: name, other: "" }, left + place.x * zoom, top + place.y * zoom);
  }

  /** @param {Chosen} chosen @param {number} x @param {number} y */
  #open(chosen, x, y) {
    const found = chosenOffers(chosen, this.asked.all(), this.asked.demo);
    const items = (found?.offers ?? []).map((offer) => ({ label: offer.label, group: offer.group, about: offer.about, choose: () => this.asked.choose(chosen, offer) }));
    if (found) this.popup.open(items.length ? found.subject : found.says, items, x, y);
  }
}
