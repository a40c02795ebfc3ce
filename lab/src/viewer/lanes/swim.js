// What one node holds of another by gossip (SWIM): a thin line is alive, hatched is
// suspect, full is down. A small triangle is a refutation: an incarnation was raised.

import { item, lastUntil, within } from "../model/search.js";
import { clock } from "../model/words.js";
import { rowsOf } from "./faults.js";
import { extent, fit, gone, Lane, SMALL, veil } from "./lane.js";

/** @typedef {import("./lane.js").Pen} Pen */
/** @typedef {import("../model/types.js").GossipLine} GossipLine */

const HEIGHT = 11;

export class SwimLane extends Lane {
  /**
   * @param {import("../model/read.js").Model} model
   * @param {import("../model/tracks.js").NodeTrack} track who holds it
   * @param {number} about of whom
   */
  constructor(model, track, about) {
    super("", `sees ${model.nodeName(about)}`, HEIGHT, 1);
    this.model = model;
    this.track = track;
    this.whom = about;
    this.about = "SWIM: a thin line is alive, hatched is suspect, full is down; a triangle is a refutation with a new incarnation.";
  }

  get lines() {
    return this.track.sees.get(this.whom) ?? [];
  }

  get lives() {
    return this.model.lives.get(this.track.name) ?? [];
  }

  /** @override @param {Pen} pen @param {number} top */
  draw(pen, top) {
    const { lines } = this;
    const { ctx, scale, colours } = pen;
    const { named } = colours;
    const [first, behind] = within(lines, scale.from, scale.to);
    for (let place = first; place < behind; place += 1) {
      const line = item(lines, place);
      const [x, width] = extent(pen, line.at, lines[place + 1]?.at ?? this.model.end);
      if (line.state === "alive") {
        ctx.fillStyle = named.calm;
        ctx.fillRect(x, top + HEIGHT / 2 - 0.5, width, 1.5);
      } else {
        this.#doubt(pen, top, line.state, x, width);
      }
      const last = lines[place - 1];
      if (last && line.state === "alive" && line.incarnation > last.incarnation) refutation(pen, scale.x(line.at), top, line.incarnation);
    }
    veil(pen, this.lives, top, HEIGHT);
  }

  /** @param {Pen} pen @param {number} top @param {string} state @param {number} x @param {number} width */
  #doubt(pen, top, state, x, width) {
    const { ctx, colours } = pen;
    const { named } = colours;
    const down = state === "down";
    ctx.fillStyle = down ? named.ink : named.card;
    ctx.fillRect(x, top, width, HEIGHT);
    if (!down) {
      ctx.fillStyle = colours.hatch(named.warn, 4);
      ctx.fillRect(x, top, width, HEIGHT);
      ctx.strokeStyle = named.warn;
      ctx.strokeRect(x + 0.5, top + 0.5, Math.max(width - 1, 1), HEIGHT - 1);
    }
    ctx.font = SMALL;
    const word = ctx.measureText(state).width + 8;
    if (word > width) return;
    if (!down) {
      ctx.fillStyle = named.card;
      ctx.fillRect(Math.max(x, 0) + 1, top + 1, word, HEIGHT - 2);
    }
    ctx.fillStyle = down ? named.card : named.ink;
    fit(pen, [state], x, x + width, top + HEIGHT - 2);
  }

  /** @override @param {Pen} pen @param {number} x */
  hit(pen, x) {
    const line = lastUntil(this.lines, pen.scale.time(x));
    if (!line) return undefined;
    const title = `${this.track.name} holds ${this.model.nodeName(this.whom)} to be ${line.state}`;
    return { at: line.at, title, rows: rowsOf(["since", clock(line.at)], ["incarnation", String(line.incarnation)]) };
  }

  /** @override @param {number} time */
  now(time) {
    return gone(this.lives, time) ? "" : lastUntil(this.lines, time)?.state ?? "";
  }
}

/** @param {Pen} pen @param {number} x @param {number} top @param {number} incarnation */
function refutation({ ctx, colours }, x, top, incarnation) {
  ctx.fillStyle = colours.named.card;
  ctx.font = SMALL;
  const text = String(incarnation);
  ctx.fillRect(x - 1, top, 12 + ctx.measureText(text).width, HEIGHT);
  ctx.fillStyle = colours.named.ink;
  ctx.beginPath();
  [[0, HEIGHT - 1], [4, 1], [8, HEIGHT - 1]].forEach(([dx = 0, dy = 0]) => ctx.lineTo(x + dx, top + dy));
  ctx.fill();
  ctx.fillText(text, x + 10, top + HEIGHT - 2);
}
