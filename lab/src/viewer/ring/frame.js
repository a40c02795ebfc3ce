// What the ring is made of: the picture with the words on it, the logs, the switch between
// its layers, and the box that tells what is under the pointer.

import { el, set, spotIn, zoomOf } from "../dom.js";

/** @typedef {"raft" | "gossip"} Layer */
/** @typedef {import("../model/types.js").Hit} Hit */
/** @typedef {import("./headline.js").Headline} Headline */

export class Frame {
  /**
   * @param {HTMLElement} root
   * @param {(layer: Layer) => void} show
   * @param {() => Node[]} signs what the signs mean
   */
  constructor(root, show, signs) {
    this.root = root;
    this.canvas = el("canvas", { role: "img", "aria-label": "The nodes in a ring, and messages between them. Each node's button tells how it is." });
    this.chart = el("canvas", { role: "img", "aria-label": "Each node's log, lined up by index. The table of nodes tells it in numbers." });
    /** Above everything, for lines that are drawn by hand; it lets the pointer through. */
    this.overlay = el("div", { class: "ring-overlay" });
    this.labels = el("div", { class: "ring-nodes" });
    this.title = el("p", { class: "ring-title", "aria-live": "polite" });
    this.rest = el("p", { class: "ring-rest" });
    this.above = el("span");
    this.number = el("strong");
    this.gap = el("p", { class: "ring-gap", "aria-hidden": "true", hidden: true }, this.above, this.number);
    this.words = el("div", { class: "ring-words" }, this.title, this.rest);
    this.tip = el("div", { class: "ring-tip", role: "tooltip", hidden: true });
    this.note = el("p", { class: "ring-note" });
    this.stage = el("div", { class: "ring-stage" }, this.canvas, this.gap, this.labels);
    this.logs = el("div", { class: "ring-logs" }, el("h2", {}, "Logs, lined up by index"), this.chart, this.note);
    this.raft = el("button", { type: "button", title: "What Raft does (G)", click: () => show("raft") }, "Raft");
    this.gossip = el("button", { type: "button", title: "Whom each node holds to be alive (G)", click: () => show("gossip") }, "Gossip");
    this.signs = el("details", { class: "ring-signs" }, el("summary", {}, "Signs"));
    this.signs.addEventListener("toggle", () => this.explain(signs));
    const layers = el("div", { class: "ring-layers", role: "group", "aria-label": "What the ring shows" }, this.raft, this.gossip);
    root.classList.add("ring");
    root.append(el("div", { class: "ring-head" }, layers, this.signs), this.words, this.stage, this.logs, this.overlay, this.tip);
  }

  /** @param {Layer} layer */
  press(layer) {
    this.root.dataset.layer = layer;
    set(this.raft, { "aria-pressed": String(layer === "raft") });
    set(this.gossip, { "aria-pressed": String(layer === "gossip") });
  }

  /** Says what the signs mean, while that is wanted. @param {() => Node[]} signs */
  explain(signs) {
    while (this.signs.children.length > 1) this.signs.lastChild?.remove();
    if (this.signs.open) this.signs.append(el("div", { tabindex: "0", role: "region", "aria-label": "What the signs mean" }, ...signs()));
  }

  /**
   * Calls back with what the pointer is on; with nothing when it leaves.
   * @param {(place: {x: number, y: number, logs: boolean} | undefined) => void} point
   */
  listen(point) {
    for (const [part, canvas, logs] of /** @type {[HTMLElement, HTMLElement, boolean][]} */ ([[this.stage, this.canvas, false], [this.chart, this.chart, true]])) {
      for (const happens of /** @type {const} */ (["pointermove", "pointerdown"])) {
        part.addEventListener(happens, (event) => {
          const [x, y] = spotIn(canvas, event);
          point({ x, y, logs });
        });
      }
      part.addEventListener("pointerleave", () => point(undefined));
    }
  }

  /**
   * Tells of something beside a place of the picture, or no more.
   * @param {Hit | undefined} hit
   * @param {{x: number, y: number} | undefined} place
   */
  tell(hit, place) {
    const { tip, root, stage } = this;
    tip.hidden = !hit || !place;
    if (!hit || !place) return;
    const rows = hit.rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]);
    tip.replaceChildren(el("strong", {}, hit.title), el("dl", {}, ...rows));
    const [x, y] = [place.x + stage.offsetLeft, place.y + stage.offsetTop];
    const left = x + 18 + tip.offsetWidth > root.clientWidth ? x - tip.offsetWidth - 14 : x + 18;
    tip.style.left = `${Math.max(4, Math.min(left, root.clientWidth - tip.offsetWidth - 4))}px`;
    tip.style.top = `${Math.max(4, Math.min(y + 14, root.clientHeight - tip.offsetHeight - 4))}px`;
  }
}

/**
 * A canvas of a size, empty, to draw on in CSS pixels.
 * @param {HTMLCanvasElement} canvas @param {number} width @param {number} height
 */
export function fresh(canvas, width, height) {
  const ratio = (globalThis.devicePixelRatio || 1) * zoomOf(canvas);
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide) canvas.width = wide;
  if (canvas.height !== high) canvas.height = high;
  const ctx = canvas.getContext("2d");
  ctx?.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx?.clearRect(0, 0, width, height);
  return ctx;
}
