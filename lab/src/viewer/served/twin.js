// What the nodes do on another day, above the lanes of the one that is shown and on the same
// scale: its node lanes and its moves. All of its lanes are there when it is shown alone.

import { byId, el, say } from "../dom.js";
import { Messages } from "../lanes/messages.js";
import { NodeLane } from "../lanes/node.js";
import { ThroughputLane } from "../lanes/plots.js";
import { lanesKey, lanesOf, sized } from "../stage.js";

/** @typedef {import("../model/read.js").Model} Model */
/** @typedef {import("../scale.js").Scale} Scale */
/** @typedef {import("../colours.js").Colours} Colours */
/** @typedef {{lane: import("../lanes/lane.js").Lane, top: number, now: HTMLElement}} Place */

export class TwinLanes {
  /**
   * @param {Model} model
   * @param {Scale} scale
   * @param {(time: number) => void} go a moment was pressed
   */
  constructor(model, scale, go) {
    this.model = model;
    this.scale = scale;
    this.canvas = el("canvas", { role: "img", "aria-label": "Lanes of the other day. The list of differences tells it in words." });
    this.labels = el("div", { class: "twin-labels" });
    this.cursor = el("div", { class: "twin-cursor" });
    this.fork = el("div", { class: "fork-line-at" });
    this.picture = el("div", { class: "twin-picture" }, this.canvas, this.fork, this.cursor);
    this.heading = el("p", { class: "twin-heading" });
    this.root = el("section", { class: "twin", hidden: true, "aria-label": "The other day" }, this.heading, el("div", { class: "stage" }, this.labels, this.picture), el("p", { class: "twin-heading" }, "The original"));
    this.picture.addEventListener("click", (event) => go(scale.time(event.clientX - this.picture.getBoundingClientRect().left)));
    /** @type {Place[]} */
    this.places = [];
    this.height = 0;
    this.key = "";
    /** What was drawn last. */
    this.drawn = "";
    this.messages = new Messages(model, (node) => this.#lane(node));
    byId("scroller").querySelector(".axis")?.after(this.root);
  }

  /** The other day is another. @param {string} heading */
  show(heading) {
    say(this.heading, heading);
    this.root.hidden = false;
    this.drawn = "";
  }

  hide() {
    this.root.hidden = true;
  }

  /** @param {number} node */
  #lane(node) {
    for (const { lane, top } of this.places) {
      if (lane instanceof NodeLane && lane.track.id === node) return { lane, top };
    }
    return undefined;
  }

  #arrange() {
    const key = lanesKey(this.model);
    if (key === this.key) return;
    this.key = key;
    this.places = [];
    this.labels.replaceChildren();
    let top = 0;
    for (const lane of lanesOf(this.model).filter((one) => one instanceof NodeLane || one instanceof ThroughputLane)) {
      top += lane.gap;
      const now = el("span", { class: "now" });
      const label = el("div", { class: `label${lane.id ? "" : " small"}` }, el("span", { class: "name", title: lane.about }, lane.label), now);
      label.style.top = `${top}px`;
      label.style.height = `${lane.height}px`;
      this.labels.append(label);
      this.places.push({ lane, top, now });
      top += lane.height;
    }
    this.height = top + 10;
    for (const part of [this.labels, this.picture]) part.style.height = `${this.height}px`;
  }

  /**
   * Draws what has changed.
   * @param {Colours} colours
   * @param {number} moment
   * @param {number} forked
   */
  draw(colours, moment, forked) {
    if (this.root.hidden) return;
    this.#arrange();
    const { scale, model } = this;
    const width = scale.pixels;
    const wanted = [scale.from, scale.width, width, this.height, model.lines, devicePixelRatio, colours.named.card].join(" ");
    this.#lines(moment, forked);
    for (const { lane, now } of this.places) say(now, lane.now(moment));
    if (wanted === this.drawn) return;
    this.drawn = wanted;
    sized(this.canvas, width, this.height);
    const ctx = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    const pen = { ctx, scale, width, colours };
    ctx.fillStyle = colours.named.soft;
    for (const { time } of scale.ticks()) ctx.fillRect(Math.round(scale.x(time)), 0, 1, this.height);
    this.messages.draw(pen);
    for (const { lane, top } of this.places) lane.draw(pen, top);
  }

  /** @param {number} moment @param {number} forked */
  #lines(moment, forked) {
    for (const [line, time] of /** @type {[HTMLElement, number][]} */ ([[this.cursor, moment], [this.fork, forked]])) {
      const x = this.scale.x(time);
      line.hidden = x < 0 || x > this.scale.pixels;
      line.style.transform = `translateX(${x}px)`;
    }
  }
}
