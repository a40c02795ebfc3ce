// Breaking in the picture: a line is drawn from node to node or to the frontends, or a node's
// menu is asked for by the other button, a long press or the menu key. Then a small menu says
// what can be done.

import { FRONTENDS } from "../break/offers.js";
import { chosenOffers } from "./picker.js";
import { Popup } from "./popup.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("./picker.js").Chosen} Chosen */
/**
 * What the ring says of itself: which node or frontend is at a place of the overlay (pixels
 * from its left and top), where one is, and the element that lies on the picture.
 * @typedef {{nodeAt: (x: number, y: number) => string | undefined, place: (name: string) => {x: number, y: number} | undefined, overlay: SVGSVGElement}} RingLike
 */
/**
 * @typedef {object} Asked
 * @property {() => import("../break/standing.js").Standing[]} all
 * @property {boolean} demo
 * @property {(chosen: Chosen, offer: import("../break/offers.js").Offer) => void} choose
 */

/** A pointer that has moved less (pixels) has pressed. */
const STILL = 8;

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
    this.line = /** @type {SVGLineElement} */ (document.createElementNS(ring.overlay.namespaceURI, "line"));
    this.line.classList.add("drawn");
    /** From whom a line is drawn, and where the pointer went down. @type {{name: string, x: number, y: number, moved: boolean} | undefined} */
    this.from = undefined;
    this.#listen();
  }

  #listen() {
    const picture = /** @type {HTMLElement} */ (this.ring.overlay.parentElement);
    picture.addEventListener("pointerdown", (event) => {
      const [x, y] = this.#at(event);
      const name = event.button === 0 ? this.ring.nodeAt(x, y) : undefined;
      this.from = name === undefined ? undefined : { name, x, y, moved: false };
    });
    addEventListener("pointermove", (event) => this.from && this.#move(event));
    addEventListener("pointerup", (event) => this.#drop(event));
    addEventListener("pointercancel", () => this.#end());
    // A finger that draws a line does not scroll.
    picture.addEventListener("touchmove", (event) => this.from && event.cancelable && event.preventDefault(), { passive: false });
    picture.addEventListener("contextmenu", (event) => this.#menu(event));
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.from?.moved) this.#end();
    });
  }

  /** @param {MouseEvent} event @returns {[number, number]} pixels from the overlay's left and top */
  #at({ clientX, clientY }) {
    const { left, top } = this.ring.overlay.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const { from, ring, line } = this;
    const [x, y] = this.#at(event);
    const start = from && ring.place(from.name);
    if (!from || !start) return;
    from.moved ||= Math.hypot(x - from.x, y - from.y) > STILL;
    if (!from.moved) return;
    const name = ring.nodeAt(x, y);
    const end = (name !== undefined && name !== from.name && ring.place(name)) || { x, y };
    const ends = { x1: start.x, y1: start.y, x2: end.x, y2: end.y };
    for (const [key, value] of Object.entries(ends)) line.setAttribute(key, String(value));
    line.classList.toggle("meets", this.#link(name) !== undefined);
    if (!line.isConnected) ring.overlay.append(line);
  }

  /** @param {PointerEvent} event */
  #drop(event) {
    const { from } = this;
    if (!from) return;
    const link = from.moved ? this.#link(this.ring.nodeAt(...this.#at(event))) : undefined;
    this.#end();
    if (link) this.#open(link, event.clientX, event.clientY);
  }

  #end() {
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
    const name = this.ring.nodeAt(x, y) ?? (byKey ? this.lab.selected : undefined);
    const place = name === undefined ? undefined : this.ring.place(name);
    if (name === undefined || !place) return;
    event.preventDefault();
    this.#end();
    this.#open({ one: name, other: "" }, left + place.x, top + place.y);
  }

  /** @param {Chosen} chosen @param {number} x @param {number} y */
  #open(chosen, x, y) {
    const found = chosenOffers(chosen, this.asked.all(), this.asked.demo);
    const items = (found?.offers ?? []).map((offer) => ({ label: offer.label, about: offer.about, choose: () => this.asked.choose(chosen, offer) }));
    if (found) this.popup.open(items.length ? found.subject : found.says, items, x, y);
  }
}
