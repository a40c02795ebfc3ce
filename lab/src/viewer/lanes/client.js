// A client's calls, each from asked to answered; below, the views that came by themselves.

import { item, lastUntil, within } from "../model/search.js";
import { asked } from "../model/told.js";
import { clock, grouped, span } from "../model/words.js";
import { rowsOf } from "./faults.js";
import { fit, Lane, NEAR, SMALL } from "./lane.js";

/** @typedef {import("./lane.js").Pen} Pen */
/** @typedef {import("../model/types.js").CallLine} CallLine */

const HEIGHT = 17;
const BAR = 11;
/** Bars this wide (pixels) have their words in them. */
const WORDS = 46;
/** With fewer pixels for each, calls are drawn as one, and pushes not at all. */
const APART = 5;
/** As far (pixels) is a call without an answer drawn at least. */
const OPEN_ENDED = 26;

export class ClientLane extends Lane {
  /**
   * @param {import("../model/read.js").Model} model
   * @param {import("../model/tracks.js").ClientTrack} client
   * @param {boolean} first
   */
  constructor(model, client, first) {
    super(client.name, client.name, HEIGHT, first ? 16 : 1);
    this.model = model;
    this.client = client;
    this.about = "Calls from asked to answered: dark writes, pale reads, crossed out refused, hatched and open those that were never answered. Ticks below are pushes.";
  }

  /** @override @param {Pen} pen @param {number} top */
  draw(pen, top) {
    const { calls, longest } = this.client;
    const { scale, ctx, colours } = pen;
    const [first, behind] = within(calls, scale.from, scale.to, longest);
    this.#pushes(pen, top);
    const crowded = (behind - first) * APART > scale.pixels;
    const bars = new Bars(ctx, top, crowded ? 1.5 : 0.5);
    for (let place = first; place < behind; place += 1) {
      const call = item(calls, place);
      if (call.outcome !== "ok") continue;
      const left = scale.x(call.at);
      const right = scale.x(call.returned ?? call.at);
      bars.add(call.asked === "write" || crowded ? colours.named.write : colours.named.read, left, Math.max(right, left + 1));
      if (right - left > WORDS) this.#words(pen, call, left, right, top, bars);
    }
    bars.done();
    for (let place = first; place < behind; place += 1) {
      const call = item(calls, place);
      if (call.outcome === "refused") refused(pen, call, top);
      if (call.outcome === "unknown") unknown(pen, call, top, this.#end(place));
    }
  }

  /** Until when a call without an answer is drawn. @param {number} place */
  #end(place) {
    return this.client.calls[place + 1]?.at ?? this.model.end;
  }

  /** @param {Pen} pen @param {CallLine} call @param {number} left @param {number} right @param {number} top @param {Bars} bars */
  #words(pen, call, left, right, top, bars) {
    bars.done();
    const { ctx, colours } = pen;
    ctx.font = SMALL;
    ctx.fillStyle = call.asked === "write" ? colours.named.card : colours.named.ink;
    const version = `v${call.version ?? 0}`;
    const what = call.asked === "read" ? "read" : call.action ?? "write";
    const detail = call.detail ? `${what} ‘${call.detail}’` : what;
    fit(pen, [`${detail} → ${version}`, `${what} → ${version}`, version], left, right, top + BAR - 2);
  }

  /** @param {Pen} pen @param {number} top */
  #pushes({ ctx, scale, colours }, top) {
    const { pushes } = this.client;
    const [first, behind] = within(pushes, scale.from, scale.to);
    if ((behind - first) * APART > scale.pixels) return;
    ctx.fillStyle = colours.named.faint;
    let last = -1;
    for (let place = first; place < behind; place += 1) {
      const { at, resync } = item(pushes, place);
      const x = Math.round(scale.x(at));
      if (x === last && !resync) continue;
      ctx.fillRect(x, top + BAR + 2, resync ? 4 : 1, 3);
      last = x;
    }
  }

  /** @override @param {Pen} pen @param {number} x @param {number} y */
  hit(pen, x, y) {
    const call = y <= BAR + 1 ? this.#callAt(pen, x) : undefined;
    if (call) return ofCall(this.model, call);
    const push = nearest(pen, this.client.pushes, x);
    if (!push) return undefined;
    const more = push.resync ? "versions were left out before it" : push.closed ? "the room is over" : "";
    return { at: push.at, title: `${this.client.name} was shown version ${grouped(push.version)}`, rows: rowsOf(["at", clock(push.at)], ["room", push.room], ["", more]) };
  }

  /** @param {Pen} pen @param {number} x @returns {CallLine | undefined} */
  #callAt({ scale }, x) {
    const { calls, longest } = this.client;
    const [first, behind] = within(calls, scale.time(x - NEAR), scale.time(x + NEAR), longest);
    let best = undefined;
    let far = NEAR;
    for (let place = first; place < behind; place += 1) {
      const call = item(calls, place);
      const [left, right] = [scale.x(call.at), scale.x(call.returned ?? this.#end(place))];
      const away = x < left ? left - x : Math.max(0, x - right);
      if (away < far || (away === 0 && far === 0)) [best, far] = [call, away];
    }
    return best;
  }

  /** @override @param {number} time */
  now(time) {
    const call = lastUntil(this.client.calls, time);
    const waits = call && (call.returned ?? Infinity) > time;
    return waits ? (call.outcome === "unknown" ? "unknown" : "waits") : "";
  }
}

/** Bars that touch are drawn as one. */
class Bars {
  /** @param {CanvasRenderingContext2D} ctx @param {number} top @param {number} gap pixels between two bars that are not shown */
  constructor(ctx, top, gap) {
    this.ctx = ctx;
    this.top = top;
    this.gap = gap;
    this.colour = "";
    this.left = 0;
    this.right = -1;
  }

  /** @param {string} colour @param {number} left @param {number} right */
  add(colour, left, right) {
    if (colour === this.colour && left <= this.right + this.gap) {
      this.right = Math.max(this.right, right);
      return;
    }
    this.done();
    [this.colour, this.left, this.right] = [colour, left, right];
  }

  done() {
    if (this.right > this.left) {
      this.ctx.fillStyle = this.colour;
      this.ctx.fillRect(this.left, this.top, this.right - this.left, BAR);
    }
    this.right = -1;
  }
}

/** @param {Pen} pen @param {CallLine} call @param {number} top */
function refused({ ctx, scale, colours }, call, top) {
  const { named } = colours;
  const left = scale.x(call.at);
  const width = Math.max(2, scale.x(call.returned ?? call.at) - left);
  ctx.fillStyle = named.card;
  ctx.fillRect(left, top, width, BAR);
  ctx.strokeStyle = named.faint;
  ctx.strokeRect(left + 0.5, top + 0.5, width - 1, BAR - 1);
  ctx.beginPath();
  ctx.moveTo(left, top + BAR);
  ctx.lineTo(left + width, top);
  ctx.stroke();
}

/** @param {Pen} pen @param {CallLine} call @param {number} top @param {number} end */
function unknown({ ctx, scale, colours, width }, call, top, end) {
  const { named } = colours;
  const left = Math.max(scale.x(call.at), -2);
  const right = Math.min(Math.max(scale.x(end) - 2, left + 4), width);
  const [body, tip] = right - left > OPEN_ENDED ? [right - 8, right] : [right, right];
  ctx.fillStyle = named.card;
  ctx.fillRect(left, top, body - left, BAR);
  ctx.fillStyle = colours.hatch(named.warn, 4);
  ctx.beginPath();
  ctx.moveTo(left, top);
  ctx.lineTo(body, top);
  ctx.lineTo(tip, top + BAR / 2);
  ctx.lineTo(body, top + BAR);
  ctx.lineTo(left, top + BAR);
  ctx.fill();
  ctx.strokeStyle = named.warn;
  ctx.beginPath();
  ctx.moveTo(body, top + 0.5);
  ctx.lineTo(left + 0.5, top + 0.5);
  ctx.lineTo(left + 0.5, top + BAR - 0.5);
  ctx.lineTo(body, top + BAR - 0.5);
  ctx.stroke();
  if (right - left < OPEN_ENDED) return;
  ctx.font = `bold ${SMALL}`;
  ctx.fillStyle = named.card;
  ctx.fillRect(Math.max(left, 0) + 2, top + 1, 10, BAR - 2);
  ctx.fillStyle = named.ink;
  ctx.fillText("?", Math.max(left, 0) + 4, top + BAR - 2);
}

/**
 * @param {import("../model/read.js").Model} model
 * @param {CallLine} call
 * @returns {import("./lane.js").Hit}
 */
function ofCall(model, call) {
  const level = call.level === "at-least" ? `at least version ${call.least ?? 0}` : call.level ?? "";
  const answer = call.outcome === "ok" ? `version ${grouped(call.version ?? 0)}` : call.outcome === "refused" ? `refused: ${call.code}` : "none for good: it counts or not";
  const earlier = call.earlier ? `… ${call.earlier} before, ` : "";
  const waited = call.returned === undefined ? "" : span(call.returned - call.at);
  return {
    at: call.at,
    title: asked(model, call),
    rows: rowsOf(["asked", clock(call.at)], ["waited", waited], ["answer", answer], ["asked for", level], ["room", call.room ?? ""], ["by", call.by], ["adds", call.line ?? ""], ["shows", call.lines?.length ? earlier + call.lines.join(", ") : ""]),
  };
}

/**
 * @template {{at: number}} T
 * @param {Pen} pen @param {readonly T[]} items @param {number} x
 * @returns {T | undefined}
 */
function nearest({ scale }, items, x) {
  const [first, behind] = within(items, scale.time(x - NEAR), scale.time(x + NEAR));
  return items.slice(first, behind).find(({ at }) => Math.abs(scale.x(at) - x) <= NEAR);
}
