// What is told of what one points at, beside the pointer, and of what one presses, beside the
// picture.

import { byId, el, putAt, say, zoomOf } from "./dom.js";
import { reasoned } from "./feed.js";
import { clock } from "./model/words.js";

/** @typedef {import("./model/types.js").Hit} Hit */
/** @typedef {import("./scale.js").Scale} Scale */
/** @typedef {import("./stage.js").Stage} Stage */

export class Pointing {
  /**
   * @param {Stage} stage
   * @param {Scale} scale
   */
  constructor(stage, scale) {
    this.stage = stage;
    this.scale = scale;
    this.tip = byId("tip");
    byId("detail-close").addEventListener("click", () => this.close());
    for (const scrolled of [window, byId("scroller")]) scrolled.addEventListener("scroll", () => this.hide(), { passive: true });
  }

  hide() {
    this.tip.hidden = true;
  }

  /** Nothing is pointed at. */
  leave() {
    this.hide();
    byId("pointed").hidden = true;
  }

  /** @param {number} x @param {number} y */
  point(x, y) {
    const { scale, tip } = this;
    const time = scale.time(x);
    placeLine(scale, byId("pointed"), time);
    say(byId("pointed-time"), clock(time, scale.width < 200_000 ? 4 : 3));
    const { hit } = this.stage.at(x, y);
    tip.hidden = !hit;
    if (!hit) return;
    tip.replaceChildren(...described(hit));
    const box = byId("picture").getBoundingClientRect();
    const [wide, high] = [tip.offsetWidth * zoomOf(tip), tip.offsetHeight * zoomOf(tip)];
    const right = box.left + x + 16 + wide < innerWidth;
    const below = box.top + y + 20 + high < innerHeight;
    putAt(tip, box.left + x + (right ? 14 : -wide - 10), box.top + y + (below ? 18 : -high - 10));
  }

  /** Tells of what is there, until it is closed. @param {number} x @param {number} y */
  press(x, y) {
    const { hit } = this.stage.at(x, y);
    byId("detail").hidden = !hit;
    byId("detail-words").replaceChildren(...(hit ? described(hit) : []));
  }

  /** @returns {boolean} whether there was something to close */
  close() {
    this.hide();
    const open = !byId("detail").hidden;
    byId("detail").hidden = true;
    return open;
  }
}

/**
 * @param {Scale} scale
 * @param {HTMLElement} line
 * @param {number | undefined} time
 */
export function placeLine(scale, line, time) {
  const x = time === undefined ? -1 : scale.x(time);
  line.hidden = x < 0 || x > scale.pixels;
  line.style.transform = `translateX(${x}px)`;
}

/** @param {Hit} hit */
function described({ title, rows, why }) {
  const parts = [el("strong", {}, title)];
  const list = el("dl", {}, ...rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
  return [...parts, ...(rows.length ? [list] : []), ...(why ? [el("p", { class: "reason" }, ...reasoned(why))] : [])];
}
