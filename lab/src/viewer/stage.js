// The main picture: all lanes below each other on one canvas, with their names beside it.

import { Colours } from "./colours.js";
import { byId, el, say, set, zoomOf } from "./dom.js";
import { ClientLane } from "./lanes/client.js";
import { faultRows, FaultsLane, united } from "./lanes/faults.js";
import { Lane, SMALL } from "./lanes/lane.js";
import { LogLane } from "./lanes/log.js";
import { Messages } from "./lanes/messages.js";
import { NodeLane } from "./lanes/node.js";
import { LatencyLane, ThroughputLane } from "./lanes/plots.js";
import { ProcessLane } from "./lanes/process.js";
import { SwimLane } from "./lanes/swim.js";

/** @typedef {import("./model/read.js").Model} Model */
/** @typedef {import("./scale.js").Scale} Scale */
/** @typedef {{lane: Lane, top: number, label: HTMLElement, now: HTMLElement}} Place */

/** So many clients have a lane. The others are counted, and the page says so. */
const CLIENTS_MAX = 24;
/** Room (pixels) above and below what is in sight that is drawn all the same. */
const BESIDE = 60;

/**
 * What decides which lanes there are.
 * @param {Model} model
 */
export function lanesKey(model) {
  const nodes = [...model.nodes.values()].map(({ id, name, logs, sees }) => [id, name, logs.length > 0, ...sees.keys()]);
  const lives = [...model.lives].map(([name, spans]) => [name, spans.length > 0]);
  const clients = [...model.clients.values()].map(({ id, name }) => [id, name]);
  const faults = model.faults.length ? faultRows(model) : 0;
  return JSON.stringify([faults, model.findings.length > 0, nodes, lives, clients, model.called > 0]);
}

/**
 * All lanes of a timeline, from top to bottom.
 * @param {Model} model
 * @returns {Lane[]}
 */
export function lanesOf(model) {
  /** @type {Lane[]} */
  const lanes = model.faults.length || model.findings.length ? [new FaultsLane(model)] : [];
  const nodes = [...model.nodes.values()];
  for (const node of nodes) {
    lanes.push(new NodeLane(model, node));
    if (node.logs.length) lanes.push(new LogLane(model, node));
    const others = nodes.filter(({ id }) => node.sees.has(id));
    lanes.push(...others.map(({ id }) => new SwimLane(model, node, id)));
  }
  const known = new Set(nodes.map(({ name }) => name));
  for (const [name, spans] of model.lives) {
    // One that ran all the time has nothing to show.
    if (!known.has(name) && spans.some(({ from }) => from >= 0)) lanes.push(new ProcessLane(model, name));
  }
  const clients = [...model.clients.values()];
  if (model.called) lanes.push(new ThroughputLane(model), new LatencyLane(model));
  lanes.push(...clients.slice(0, CLIENTS_MAX).map((client, place) => new ClientLane(model, client, place === 0)));
  return lanes;
}

export class Stage {
  /**
   * @param {Model} model
   * @param {Scale} scale
   * @param {(lane: string) => void} choose a lane's name was pressed
   */
  constructor(model, scale, choose) {
    this.model = model;
    this.scale = scale;
    this.canvas = /** @type {HTMLCanvasElement} */ (byId("lanes"));
    this.ctx = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    this.ruler = /** @type {HTMLCanvasElement} */ (byId("ruler"));
    this.colours = new Colours();
    this.selected = "";
    /** @type {Place[]} */
    this.places = [];
    this.height = 0;
    this.choose = choose;
    this.key = "";
    /** Clients that have no lane. */
    this.hidden = 0;
    this.messages = new Messages(model, (node) => this.#lane(node));
  }

  /** Lays out the lanes, if others are there now. @returns {boolean} whether that was so */
  arrange() {
    const key = lanesKey(this.model);
    if (key === this.key) return false;
    this.key = key;
    this.hidden = Math.max(0, this.model.clients.size - CLIENTS_MAX);
    this.places = [];
    let top = 0;
    for (const lane of lanesOf(this.model)) {
      top += lane.gap;
      const now = el("span", { class: "now" });
      const name = el(lane.id ? "button" : "span", { class: "name", title: lane.about }, lane.label);
      const label = el("div", { class: `label${lane.id ? "" : " small"}${lane.height < 30 ? " thin" : ""}` }, name, now);
      if (lane.id) set(name, { type: "button", tabindex: "-1", "aria-pressed": "false", click: () => this.choose(lane.id) });
      label.style.top = `${top}px`;
      label.style.height = `${lane.height}px`;
      this.places.push({ lane, top, label, now });
      top += lane.height;
    }
    this.height = top + 10;
    byId("labels").replaceChildren(...this.places.map(({ label }) => label));
    for (const id of ["labels", "lanes", "picture"]) byId(id).style.height = `${this.height}px`;
    this.select(this.selected);
    return true;
  }

  /** @param {number} node */
  #lane(node) {
    for (const { lane, top } of this.places) {
      if (lane instanceof NodeLane && lane.track.id === node) return { lane, top };
    }
    return undefined;
  }

  /** The lanes that can be selected. */
  get names() {
    return this.places.map(({ lane }) => lane.id).filter((id) => id !== "");
  }

  /** The window or its colours have changed. */
  measure() {
    this.colours = new Colours();
    const width = byId("picture").clientWidth;
    this.scale.pixels = Math.max(width, 50);
    sized(this.canvas, width, this.height);
    sized(this.ruler, width, this.ruler.clientHeight);
  }

  get #pen() {
    const { ctx, scale, colours } = this;
    return { ctx, scale, width: scale.pixels, colours };
  }

  draw() {
    const { ctx, scale, colours } = this;
    const pen = this.#pen;
    const [above, below] = this.#inSight();
    if (below <= above) return;
    ctx.clearRect(0, above, pen.width, below - above);
    this.#behind(pen);
    this.messages.draw(pen);
    for (const { lane, top } of this.places) {
      if (top <= below && top + lane.height >= above) lane.draw(pen, top);
    }
    ctx.fillStyle = colours.named.bad;
    for (const { at } of this.model.findings) ctx.fillRect(Math.round(scale.x(at)) - 1, 4, 2, this.height);
    this.#ruler();
  }

  /** Which part of the picture can be seen: from where to where. @returns {[number, number]} */
  #inSight() {
    const { top } = this.canvas.getBoundingClientRect();
    const scroller = byId("scroller").getBoundingClientRect();
    const first = Math.max(scroller.top, 0) - top - BESIDE;
    const last = Math.min(scroller.bottom, innerHeight) - top + BESIDE;
    return [Math.max(0, first), Math.min(this.height, last)];
  }

  /** What is behind all lanes: the ruler's lines, faults, the lane that is selected. @param {import("./lanes/lane.js").Pen} pen */
  #behind({ ctx, scale, colours, width }) {
    ctx.fillStyle = colours.named.soft;
    for (const { time } of scale.ticks()) ctx.fillRect(Math.round(scale.x(time)), 0, 1, this.height);
    for (const { from, to } of united(this.model.faults)) {
      const left = Math.max(scale.x(from), -1);
      const right = Math.min(scale.x(Math.min(to, this.model.end)), width + 1);
      if (right <= left) continue;
      ctx.globalAlpha = 0.1;
      ctx.fillStyle = colours.named.warn;
      ctx.fillRect(left, 0, right - left, this.height);
      ctx.globalAlpha = 0.5;
      ctx.fillRect(left, 0, 1, this.height);
      ctx.fillRect(right, 0, 1, this.height);
    }
    const chosen = this.places.find(({ lane }) => lane.id !== "" && lane.id === this.selected);
    if (chosen) {
      ctx.globalAlpha = 0.13;
      ctx.fillStyle = colours.named.focus;
      ctx.fillRect(0, chosen.top - 2, width, chosen.lane.height + 4);
    }
    ctx.globalAlpha = 1;
  }

  #ruler() {
    const ctx = /** @type {CanvasRenderingContext2D} */ (this.ruler.getContext("2d"));
    const { scale, colours } = this;
    const high = this.ruler.clientHeight;
    ctx.clearRect(0, 0, scale.pixels, high);
    ctx.font = SMALL;
    ctx.fillStyle = colours.named.faint;
    for (const { time, text } of scale.ticks()) {
      const x = Math.round(scale.x(time));
      ctx.fillRect(x, high - 6, 1, 6);
      if (x + 4 + ctx.measureText(text).width < scale.pixels) ctx.fillText(text, x + 4, high - 7);
    }
  }

  /**
   * What is at a place of the picture.
   * @param {number} x @param {number} y
   * @returns {{hit: import("./model/types.js").Hit | undefined, lane: string}}
   */
  at(x, y) {
    const pen = this.#pen;
    const place = this.places.find(({ lane, top }) => y >= top - 1 && y < top + lane.height + 2);
    const own = place?.lane.hit(pen, x, y - place.top);
    const onRaft = !(place?.lane instanceof ClientLane) && !(place?.lane instanceof FaultsLane);
    const hit = (onRaft ? this.messages.hit(pen, x, y) : undefined) ?? own;
    return { hit, lane: place?.lane.id ?? "" };
  }

  /** Says beside each lane how things stand at a moment. @param {number | undefined} time */
  tell(time) {
    for (const { lane, now } of this.places) say(now, time === undefined ? "" : lane.now(time));
  }

  /** @param {string} lane */
  select(lane) {
    this.selected = lane;
    for (const { lane: { id }, label } of this.places) {
      set(label, { "data-selected": id !== "" && id === lane });
      if (id !== "") set(/** @type {Element} */ (label.firstElementChild), { "aria-pressed": String(id === lane) });
    }
  }

  /** Where a lane begins, from the picture's top. @param {string} id */
  topOf(id) {
    return this.places.find(({ lane }) => lane.id === id)?.top;
  }
}

/**
 * Gives a canvas as many dots as the screen has for it.
 * @param {HTMLCanvasElement} canvas @param {number} width @param {number} height
 */
export function sized(canvas, width, height) {
  const ratio = (globalThis.devicePixelRatio || 1) * zoomOf(canvas);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  canvas.getContext("2d")?.scale(ratio, ratio);
}
