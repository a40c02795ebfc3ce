// A node's part in Raft: how high a band is says its role, its colour the term. Gone and
// standing still cover it. Marks stand above: votes, membership, words of its own.

import { termColours } from "../colours.js";
import { item, lastUntil, within } from "../model/search.js";
import { sentence } from "../model/told.js";
import { clock, span } from "../model/words.js";
import { rowsOf } from "./faults.js";
import { extent, fit, FONT, Lane, NEAR, SMALL } from "./lane.js";

/** @typedef {import("./lane.js").Pen} Pen */
/** @typedef {import("../model/types.js").RoleLine} RoleLine */

const HEIGHT = 34;
/** How high each role's band is. @type {Record<string, number>} */
const HIGH = { leader: 24, candidate: 16, follower: 8, learner: 5, shutdown: 0 };

export class NodeLane extends Lane {
  /**
   * @param {import("../model/read.js").Model} model
   * @param {import("../model/tracks.js").NodeTrack} track
   */
  constructor(model, track) {
    super(track.name, track.name, HEIGHT, 12);
    this.model = model;
    this.track = track;
    this.about = "Raft: high and crowned is the leader, hatched asks for votes, low follows, a thin line learns. The colour is the term; T5 is term 5.";
  }

  get lives() {
    return this.model.lives.get(this.track.name) ?? [];
  }

  /** @override @param {Pen} pen @param {number} top */
  draw(pen, top) {
    const { roles } = this.track;
    const [first, behind] = within(roles, pen.scale.from, pen.scale.to);
    for (let place = first; place < behind; place += 1) {
      const line = item(roles, place);
      this.#band(pen, top, line, this.#until(line, roles[place + 1]?.at ?? this.model.end));
    }
    for (const life of this.lives) this.#absence(pen, top, life);
    this.#marks(pen, top);
  }

  /** A process that ends has no role any more, until it says so again. @param {RoleLine} line @param {number} next */
  #until(line, next) {
    const ended = this.lives.find(({ from, what }) => what === "gone" && from >= line.at);
    return Math.min(next, ended?.from ?? next);
  }

  /** Where its band begins at a moment, from the lane's top. @param {number} time */
  edge(time) {
    const role = lastUntil(this.track.roles, time)?.role ?? "follower";
    return HEIGHT - (HIGH[role] ?? 0);
  }

  /** @param {Pen} pen @param {number} top @param {RoleLine} line @param {number} until */
  #band(pen, top, line, until) {
    const { ctx, colours } = pen;
    const [x, width] = extent(pen, line.at, until);
    const high = HIGH[line.role] ?? HIGH.follower ?? 0;
    const y = top + HEIGHT - high;
    const [colour, onIt] = termColours(line.term);
    if (line.role === "candidate") {
      ctx.fillStyle = colours.hatch(colour, 4);
      ctx.fillRect(x, y, Math.max(width, 3), high);
      ctx.strokeStyle = colour;
      ctx.strokeRect(x + 0.5, y + 0.5, Math.max(width, 3) - 1, high - 1);
    } else if (high) {
      ctx.fillStyle = colour;
      ctx.fillRect(x, y, width, high);
    }
    if (line.role === "leader") {
      ctx.fillStyle = onIt;
      ctx.font = `bold ${FONT}`;
      const room = crown(ctx, x, width, top + HEIGHT - 8);
      fit(pen, [`leads term ${line.term}`, `L ${line.term}`, `${line.term}`], Math.max(x, 0) + room, x + width, top + HEIGHT - 8);
      return;
    }
    ctx.fillStyle = colours.named.faint;
    ctx.font = SMALL;
    fit(pen, wording(this.model, line), x, x + width, y - 3, true);
  }

  /** @param {Pen} pen @param {number} top @param {import("../model/types.js").Span} life */
  #absence(pen, top, life) {
    const { ctx, colours } = pen;
    const to = Math.min(life.to, this.model.end);
    if (to < pen.scale.from || life.from > pen.scale.to) return;
    const [x, width] = extent(pen, life.from, to);
    const { named } = colours;
    ctx.fillStyle = life.what === "gone" ? named.faint : colours.hatch(named.ink, 5);
    if (life.what === "gone") for (let dot = x; dot < x + width; dot += 8) ctx.fillRect(dot, top + HEIGHT - 2, 3, 1);
    else ctx.fillRect(x, top + HEIGHT - 24, width, 24);
    const words = life.from < 0 ? ["not there yet"] : life.what === "gone" ? ["gone"] : ["stands still"];
    ctx.font = `bold ${SMALL}`;
    // Wide enough to cover what the band itself says.
    const room = Math.max(ctx.measureText(item(words, 0)).width + 8, 108);
    if (life.what === "paused" && room < width) {
      ctx.fillStyle = named.card;
      ctx.fillRect(Math.max(x, 0) + 2, top + HEIGHT - 18, room, 13);
    }
    ctx.fillStyle = named.ink;
    fit(pen, words, x + (life.what === "gone" && x >= 0 ? 5 : 0), x + width, top + HEIGHT - 8);
    if (life.what === "gone" && life.from >= 0) cross(ctx, pen.scale.x(life.from), top + HEIGHT - 8, named.bad);
  }

  /** @param {Pen} pen @param {number} top */
  #marks(pen, top) {
    const { ctx, scale, colours } = pen;
    const { marks } = this.track;
    const [first, behind] = within(marks, scale.from, scale.to);
    let free = -Infinity;
    ctx.font = `bold ${SMALL}`;
    for (let place = first; place < behind; place += 1) {
      const { at, line } = item(marks, place);
      const x = scale.x(at);
      ctx.fillStyle = colours.named.ink;
      ctx.fillRect(Math.round(x), top + 9, 1, HEIGHT - 9);
      if (x - 6 < free) continue;
      ctx.beginPath();
      ctx.arc(x, top + 5, 5.5, 0, 7);
      ctx.fill();
      ctx.fillStyle = colours.named.card;
      ctx.textAlign = "center";
      ctx.fillText(letterOf(line), x, top + 8.5);
      ctx.textAlign = "left";
      free = x + 6;
    }
  }

  /** @override @param {Pen} pen @param {number} x @param {number} y */
  hit(pen, x, y) {
    const mark = y < 12 ? this.track.marks.find(({ at }) => Math.abs(pen.scale.x(at) - x) <= NEAR + 2) : undefined;
    if (mark) return { at: mark.at, title: sentence(this.model, mark), rows: rowsOf(["at", clock(mark.at)]) };
    const time = pen.scale.time(x);
    const { model, track } = this;
    const life = this.#life(time);
    if (life) {
      const lasts = life.to > model.end ? "" : span(life.to - life.from);
      return { at: Math.max(0, life.from), title: `${track.name}: ${this.now(time)}`, rows: rowsOf(["since", life.from < 0 ? "" : clock(life.from)], ["for", lasts]) };
    }
    const line = lastUntil(track.roles, time);
    if (!line) return undefined;
    const next = this.#until(line, track.roles.find(({ at }) => at > line.at)?.at ?? model.end);
    if (next < time) return undefined;
    return {
      at: line.at,
      title: `${track.name}: ${this.now(time)}`,
      rows: rowsOf(
        ["since", clock(line.at)],
        ["for", span(next - line.at)],
        ["follows", line.leader !== undefined && line.role !== "leader" ? model.nodeName(line.leader) : ""],
        ["voted for", line.voted === undefined ? "" : model.nodeName(line.voted)],
      ),
    };
  }

  /** Whether it is gone or stands still. @param {number} time */
  #life(time) {
    return this.lives.find(({ from, to }) => from <= time && time < to);
  }

  /** @override @param {number} time */
  now(time) {
    const life = this.#life(time);
    if (life) return life.from < 0 ? "not there yet" : life.what;
    const line = lastUntil(this.track.roles, time);
    return line && this.#until(line, time) === time ? `${line.role} · T${line.term}` : "";
  }
}

/** @param {import("../model/read.js").Model} model @param {RoleLine} line */
function wording(model, line) {
  const whom = line.leader === undefined ? "" : ` · ${line.role === "learner" ? "learns from" : "follows"} ${model.nodeName(line.leader)}`;
  const asks = line.role === "candidate" ? " · asks for votes" : whom;
  return [`term ${line.term}${asks}`, `term ${line.term}`, `${line.term}`];
}

/** @param {import("../model/types.js").Line} line */
function letterOf(line) {
  if (line.kind === "role") return line.role === "candidate" ? "?" : "v";
  if (line.kind === "members") return "m";
  return line.kind === "message" ? "s" : "i";
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} width @param {number} y @returns {number} how much room it took */
function crown(ctx, x, width, y) {
  if (x + width - Math.max(x, 0) < 34) return 0;
  const left = Math.max(x, 0) + 7;
  ctx.beginPath();
  [[0, 0], [-2, -8], [3, -4], [6, -9], [9, -4], [14, -8], [12, 0]].forEach(([dx = 0, dy = 0]) => ctx.lineTo(left + dx, y + dy));
  ctx.fill();
  return 20;
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {string} colour */
export function cross(ctx, x, y, colour) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.moveTo(x - 4, y - 4);
  ctx.lineTo(x + 4, y + 4);
  ctx.moveTo(x + 4, y - 4);
  ctx.lineTo(x - 4, y + 4);
  ctx.stroke();
  ctx.lineWidth = 1;
}
