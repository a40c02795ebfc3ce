// What moves: messages between nodes, and moves between players and the cluster.

import { item } from "../model/search.js";
import { along } from "./layout.js";
import { rare } from "./flights.js";
import { burst, sign } from "./signs.js";
import { majorityFor, shownTo } from "./sparks.js";
import { termColours } from "../colours.js";

/** @typedef {import("./layout.js").Layout} Layout */
/** @typedef {import("./layout.js").Place} Place */
/** @typedef {import("./signs.js").Brush} Brush */
/** @typedef {import("./flights.js").Flight} Flight */
/** @typedef {import("./sparks.js").Spark} Spark */
/** @typedef {import("../model/read.js").Model} Model */
/** @typedef {import("../model/moment.js").Moment} Moment */
/** @typedef {{x: number, y: number, flight: Flight}} Spot */

const TURN = Math.PI * 2;
/** Beside the way, so that what comes and what goes pass each other (pixels). */
const ASIDE = 5;
/** A message at the door of whoever does not take it. */
const DOOR = 0.93;
/** A player has waited long after this (microseconds). */
const WAITS_LONG = 250_000;

/**
 * Draws messages; where each was drawn.
 * @param {Brush} brush
 * @param {Layout} places
 * @param {readonly Flight[]} flights
 * @param {Moment} moment
 * @param {boolean} still whether nothing moves: only what is rare is drawn, where it goes
 * @returns {Spot[]}
 */
export function messages(brush, places, flights, moment, still) {
  const absent = new Set(moment.nodes.filter(({ process }) => process !== "runs").map(({ id }) => id));
  /** @type {Spot[]} */
  const spots = [];
  for (const flight of flights) {
    const { message } = flight;
    const [from, to] = [places.nodes.get(message.from), places.nodes.get(message.to)];
    if (!from || !to || (still && !rare(message))) continue;
    // Lost at the cut, or at the door of a process that is not there.
    const whole = flight.lost && absent.has(message.to) ? DOOR * 2 : 1;
    const part = flight.waits || (still && !flight.lost) ? DOOR : Math.min(1, flight.part * whole);
    const place = along(from, to, part, ASIDE);
    if (rare(message)) trail(brush, along(from, to, 0, ASIDE), place, message.term, still ? 0 : flight.gone);
    if (flight.gone > 0 && flight.lost) burst(brush, place.x, place.y, still ? 0.2 : flight.gone);
    else if (still) sign(brush, message, place.x, place.y);
    else if (flight.gone > 0) arrival(brush, place, flight.gone, message.term);
    else sign(brush, message, place.x, place.y);
    spots.push({ ...place, flight });
  }
  return spots;
}

/** @param {Brush} brush @param {{x: number, y: number}} from @param {{x: number, y: number}} to @param {number} term @param {number} gone */
function trail({ ctx }, from, to, term, gone) {
  ctx.globalAlpha = 0.55 * (1 - gone);
  ctx.strokeStyle = termColours(term)[0];
  ctx.lineWidth = 3;
  ctx.beginPath();
  ctx.moveTo(from.x, from.y);
  ctx.lineTo(to.x, to.y);
  ctx.stroke();
  ctx.globalAlpha = 1;
  ctx.lineWidth = 1;
}

/** @param {Brush} brush @param {{x: number, y: number}} place @param {number} gone @param {number} term */
function arrival({ ctx }, { x, y }, gone, term) {
  ctx.globalAlpha = 0.8 * (1 - gone);
  ctx.strokeStyle = termColours(term)[0];
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  ctx.arc(x, y, 3 + gone * 7, 0, TURN);
  ctx.stroke();
  ctx.globalAlpha = 1;
}

/**
 * Frontends: small tables, crossed where they are gone.
 * @param {Brush} brush
 * @param {Layout} places
 * @param {(name: string) => "runs" | "paused" | "gone"} process
 */
export function tables({ ctx, colours }, places, process) {
  const { named } = colours;
  ctx.textAlign = "center";
  for (const [name, { x, y, r }] of places.frontends) {
    const is = process(name);
    ctx.beginPath();
    ctx.roundRect(x - r - 3, y - r + 2, 2 * r + 6, 2 * r - 4, 4);
    ctx.fillStyle = named.card;
    ctx.fill();
    if (is === "paused") {
      ctx.fillStyle = colours.hatch(named.ink, 6);
      ctx.fill();
    }
    ctx.setLineDash(is === "gone" ? [3, 3] : []);
    ctx.strokeStyle = is === "gone" ? named.bad : named.faint;
    ctx.lineWidth = 1.5;
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.fillStyle = is === "gone" ? named.bad : named.ink;
    ctx.font = "600 11px system-ui, sans-serif";
    ctx.fillText(is === "gone" ? `${name} ✗` : name, x, y + 4);
  }
  ctx.textAlign = "left";
  ctx.lineWidth = 1;
}

/**
 * Players at the edge: dots; who waits long is hollow and red.
 * @param {Brush} brush
 * @param {Layout} places
 * @param {ReadonlyMap<number, number>} waits since when each client waits
 * @param {number} time
 */
export function players({ ctx, colours }, places, waits, time) {
  const { named } = colours;
  for (const [id, { x, y, r }] of places.clients) {
    const since = waits.get(id);
    const long = since !== undefined && time - since > WAITS_LONG;
    ctx.beginPath();
    ctx.arc(x, y, long ? r + 1 : r, 0, TURN);
    ctx.fillStyle = long ? named.card : named.write;
    ctx.fill();
    if (!long) continue;
    ctx.strokeStyle = named.bad;
    ctx.lineWidth = 2;
    ctx.stroke();
  }
  ctx.lineWidth = 1;
}

/**
 * Draws moves on their way.
 * @param {Brush} brush
 * @param {Layout} places
 * @param {readonly Spark[]} sparks
 * @param {Model} model
 * @param {Moment} moment
 */
export function moves(brush, places, sparks, model, moment) {
  for (const spark of sparks) {
    const { call, leader } = spark;
    const from = places.clients.get(call.client);
    const by = stationOf(places, model, call.by);
    if (!from || !by) continue;
    const leads = moment.nodes.some(({ id, process }) => id === leader && process !== "gone");
    const led = leads && leader !== undefined ? places.nodes.get(leader) : undefined;
    const way = call.asked === "write" && led && led !== by ? [from, by, led] : [from, by];
    draw(brush, places, spark, way, model, moment);
  }
}

/** Where a frontend or a node stands. @param {Layout} places @param {Model} model @param {string} name @returns {Place | undefined} */
export function stationOf(places, model, name) {
  const frontend = places.frontends.get(name);
  if (frontend) return frontend;
  for (const { id, name: called } of model.nodes.values()) if (called === name) return places.nodes.get(id);
  return undefined;
}

/** @param {Brush} brush @param {Layout} places @param {Spark} spark @param {Place[]} way @param {Model} model @param {Moment} moment */
function draw(brush, places, spark, way, model, moment) {
  const { step, part, call } = spark;
  const last = way.length - 1;
  const from = item(way, 0);
  if (step === "in") return glow(brush, from, item(way, 1), part, call);
  if (step === "on" && last > 1) return glow(brush, item(way, 1), item(way, 2), part, call);
  if (step === "on" || step === "waits") return waiting(brush, item(way, last - 1), item(way, last), call);
  if (step === "back") {
    const place = part * last;
    const leg = Math.min(last - 1, Math.floor(place));
    glow(brush, item(way, last - leg), item(way, last - leg - 1), place - leg, call);
    if (call.outcome === "ok" && call.asked === "write") agreed(brush, places, spark, model, moment);
    return undefined;
  }
  shown(brush, places, spark, item(way, 1), model);
}

/** @param {Brush} brush @param {Place} from @param {Place} to @param {number} part @param {import("../model/types.js").CallLine} call */
function glow({ ctx, colours }, from, to, part, { asked, outcome }) {
  const { named } = colours;
  const [a, b] = [along(from, to, Math.max(0, part - 0.35)), along(from, to, part)];
  const writes = asked === "write";
  ctx.strokeStyle = outcome === "refused" ? named.warn : writes ? named.focus : named.read;
  ctx.lineWidth = writes ? 3 : 1.5;
  ctx.lineCap = "round";
  ctx.beginPath();
  ctx.moveTo(a.x, a.y);
  ctx.lineTo(b.x, b.y);
  ctx.stroke();
  ctx.lineCap = "butt";
  if (writes) star(ctx, b.x, b.y, 5, named.focus);
  ctx.lineWidth = 1;
}

/** At the door of whoever has to do something for it. @param {Brush} brush @param {Place} from @param {Place} to @param {import("../model/types.js").CallLine} call */
function waiting({ ctx, colours }, from, to, { asked }) {
  if (asked !== "write") return;
  const { x, y } = along(from, to, 1, 0);
  star(ctx, x, y, 4, colours.named.focus);
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {number} size @param {string} colour */
export function star(ctx, x, y, size, colour) {
  ctx.fillStyle = colour;
  ctx.beginPath();
  for (let point = 0; point < 8; point += 1) {
    const far = point % 2 ? size * 0.42 : size;
    ctx.lineTo(x + far * Math.cos((point / 8) * TURN), y + far * Math.sin((point / 8) * TURN));
  }
  ctx.fill();
}

/** The leader, and who made a majority with it. @param {Brush} brush @param {Layout} places @param {Spark} spark @param {Model} model @param {Moment} moment */
function agreed({ ctx, colours }, places, { call, leader, part }, model, moment) {
  const leads = moment.nodes.some(({ id, process }) => id === leader && process !== "gone");
  const led = leads && leader !== undefined ? places.nodes.get(leader) : undefined;
  if (!led || leader === undefined) return;
  ctx.globalAlpha = 0.75 * (1 - part);
  ctx.strokeStyle = colours.named.focus;
  ctx.lineWidth = 2.5;
  for (const id of majorityFor(model, call, leader, moment.members.voters.at(-1) ?? [])) {
    const to = places.nodes.get(id);
    if (!to) continue;
    const [a, b] = [along(led, to, 0), along(led, to, 1)];
    ctx.beginPath();
    ctx.moveTo(a.x, a.y);
    ctx.lineTo(b.x, b.y);
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
  ctx.lineWidth = 1;
}

/** What a move made comes to all screens: a ring around each. @param {Brush} brush @param {Layout} places @param {Spark} spark @param {Place} by @param {Model} model */
function shown({ ctx, colours }, places, { call, part }, by, model) {
  const { named } = colours;
  const screens = [call.client, ...shownTo(model, call)];
  for (const id of screens) {
    const place = places.clients.get(id);
    if (!place) continue;
    if (id !== call.client && part < 0.5) {
      const spot = along(by, place, part * 2);
      ctx.fillStyle = named.focus;
      ctx.fillRect(spot.x - 1.5, spot.y - 1.5, 3, 3);
      continue;
    }
    const gone = id === call.client ? part : part * 2 - 1;
    ctx.globalAlpha = 1 - gone;
    ctx.strokeStyle = named.focus;
    ctx.lineWidth = 2;
    ctx.beginPath();
    ctx.arc(place.x, place.y, place.r + 1 + gone * 6, 0, TURN);
    ctx.stroke();
    ctx.globalAlpha = 1;
  }
  ctx.lineWidth = 1;
}
