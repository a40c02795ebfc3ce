// How the left side is divided: the picture of the cluster above, the lanes below. The handle
// between them is drawn or moved by arrows; the lanes can be folded away.

import { byId, say, set } from "./dom.js";

/** How much of the left side the picture may take, in percent. */
const [LEAST, MOST] = [20, 80];
/** How much it takes at first, in percent. */
const AT_FIRST = 46;
/** One press of an arrow, in percent. */
const STEP = 4;

export class Split {
  /** @param {() => void} changed parts have another size */
  constructor(changed) {
    this.changed = changed;
    this.part = AT_FIRST;
    this.folded = false;
    this.handle = byId("split");
    this.button = byId("fold-button");
    this.button.addEventListener("click", () => this.fold(!this.folded));
    this.handle.addEventListener("keydown", (event) => this.#key(event));
    this.handle.addEventListener("pointerdown", (event) => this.handle.setPointerCapture(event.pointerId));
    this.handle.addEventListener("pointermove", (event) => this.handle.hasPointerCapture(event.pointerId) && this.#drawn(event));
    this.handle.addEventListener("dblclick", () => this.#set(AT_FIRST));
    this.#set(this.part);
  }

  /** @param {boolean} folded */
  fold(folded) {
    this.folded = folded;
    document.body.toggleAttribute("data-folded", folded);
    set(this.button, { "aria-expanded": String(!folded) });
    say(this.button, folded ? "Show lanes" : "Hide lanes");
    this.changed();
  }

  /** @param {PointerEvent} event */
  #drawn(event) {
    const { top, height } = byId("left").getBoundingClientRect();
    this.#set(((event.clientY - top) / height) * 100);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const next = { ArrowUp: this.part - STEP, ArrowDown: this.part + STEP, Home: LEAST, End: MOST }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.#set(next);
  }

  /** @param {number} part in percent */
  #set(part) {
    this.part = Math.round(Math.min(Math.max(part, LEAST), MOST));
    document.body.style.setProperty("--ring", `${this.part}%`);
    set(this.handle, { "aria-valuenow": String(this.part), "aria-valuemin": String(LEAST), "aria-valuemax": String(MOST) });
    this.changed();
  }
}
