// How far a node's log has come: what it has, what is committed, what is applied. All
// nodes' strips have one scale, so that who is behind is seen to be behind.

import { item, lastUntil, within } from "../model/search.js";
import { clock, grouped } from "../model/words.js";
import { rowsOf } from "./faults.js";
import { gone, Lane, veil } from "./lane.js";

/** @typedef {import("./lane.js").Pen} Pen */
/** @typedef {import("../model/types.js").LogLine} LogLine */

const HEIGHT = 20;

export class LogLane extends Lane {
  /**
   * @param {import("../model/read.js").Model} model
   * @param {import("../model/tracks.js").NodeTrack} track
   */
  constructor(model, track) {
    super("", "log", HEIGHT, 3);
    this.model = model;
    this.track = track;
    this.about = "The log: pale is what it has, darker what it knows to be committed, darkest what it has applied. Diamonds are snapshots.";
  }

  get lives() {
    return this.model.lives.get(this.track.name) ?? [];
  }

  /** @override @param {Pen} pen @param {number} top */
  draw(pen, top) {
    const { logs } = this.track;
    const [least, most] = range(this.model, pen.scale.from, pen.scale.to);
    const bottom = top + HEIGHT;
    const { ctx, colours } = pen;
    const y = (/** @type {number | undefined} */ index) => (index === undefined ? bottom : bottom - 1 - ((index - least) / Math.max(1, most - least)) * (HEIGHT - 3));
    ctx.fillStyle = colours.named.soft;
    ctx.fillRect(0, bottom - 1, pen.width, 1);
    /** @type {[(line: LogLine) => number | undefined, number][]} */
    const levels = [[({ last }) => last, 0.2], [({ committed }) => committed, 0.22], [({ applied }) => applied, 0.3]];
    ctx.fillStyle = colours.named.faint;
    for (const [level, alpha] of levels) {
      ctx.globalAlpha = alpha;
      this.#steps(pen, bottom, (line) => y(level(line)));
    }
    ctx.globalAlpha = 1;
    veil(pen, this.lives, top, HEIGHT);
    const [first, behind] = within(logs, pen.scale.from, pen.scale.to);
    for (let place = Math.max(first, 1); place < behind; place += 1) {
      const line = item(logs, place);
      const taken = line.snapshot !== undefined && line.snapshot !== item(logs, place - 1).snapshot;
      if (taken) diamond(ctx, pen.scale.x(line.at), bottom - 6, colours.named.ink, colours.named.card);
    }
  }

  /** @param {Pen} pen @param {number} bottom @param {(line: LogLine) => number} y */
  #steps({ ctx, scale }, bottom, y) {
    const { logs } = this.track;
    const [first, behind] = within(logs, scale.from, scale.to);
    if (first >= behind) return;
    ctx.beginPath();
    ctx.moveTo(scale.x(item(logs, first).at), bottom);
    let level = bottom;
    for (let place = first; place < behind; place += 1) {
      const line = item(logs, place);
      ctx.lineTo(scale.x(line.at), level);
      level = y(line);
      ctx.lineTo(scale.x(line.at), level);
    }
    const end = Math.min(scale.x(logs[behind]?.at ?? this.model.end), scale.pixels + 2);
    ctx.lineTo(end, level);
    ctx.lineTo(end, bottom);
    ctx.fill();
  }

  /** @override @param {Pen} pen @param {number} x */
  hit(pen, x) {
    const line = lastUntil(this.track.logs, pen.scale.time(x));
    if (!line) return undefined;
    const number = (/** @type {number | undefined} */ index) => (index === undefined ? "" : grouped(index));
    return {
      at: line.at,
      title: `${this.track.name}'s log at ${clock(line.at)}`,
      rows: rowsOf(["last", number(line.last)], ["committed", number(line.committed)], ["applied", number(line.applied)], ["snapshot", number(line.snapshot)], ["purged", number(line.purged)], ["hash", line.hash ?? ""]),
    };
  }

  /** @override @param {number} time */
  now(time) {
    if (gone(this.lives, time)) return "";
    const line = lastUntil(this.track.logs, time);
    return line?.applied === undefined ? "" : grouped(line.applied);
  }
}

/**
 * The least and the greatest index that any node's log has in a window.
 * @param {import("../model/read.js").Model} model
 * @param {number} from
 * @param {number} to
 * @returns {[number, number]}
 */
export function range(model, from, to) {
  let [least, most] = [Infinity, 0];
  for (const { logs } of model.nodes.values()) {
    const [first, behind] = within(logs, from, to);
    for (let place = first; place < behind; place += 1) {
      const { applied = 0, last = applied } = item(logs, place);
      least = Math.min(least, applied);
      most = Math.max(most, last);
    }
  }
  return [least === Infinity ? 0 : least, most];
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {string} colour @param {string} edge */
function diamond(ctx, x, y, colour, edge) {
  ctx.beginPath();
  [[0, -5], [5, 0], [0, 5], [-5, 0]].forEach(([dx = 0, dy = 0]) => ctx.lineTo(x + dx, y + dy));
  ctx.closePath();
  ctx.fillStyle = colour;
  ctx.fill();
  ctx.strokeStyle = edge;
  ctx.stroke();
}
