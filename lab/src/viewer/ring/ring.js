// The ring: the nodes, what they tell each other, what gossip holds of whom, the players at
// the edge, and the logs beside it. It draws the lab's moment whenever a frame is due.

import { Colours } from "../colours.js";
import { say, set } from "../dom.js";
import { byName, ECHO, faultsAt, momentOf, processAt } from "../model/moment.js";
import { pendingCall } from "../model/gap.js";
import { messages, moves, players, tables } from "./dots.js";
import { skyOf } from "./flights.js";
import { Frame, fresh } from "./frame.js";
import { contradicted, contradiction, gossipHeadline } from "./gossipwords.js";
import { gapWords, headline } from "./headline.js";
import { clientHit, messageHit, nodeHit, opinionHit, pairHit, stripHit } from "./hits.js";
import { Labels } from "./labels.js";
import { layout } from "./layout.js";
import { legend } from "./legend.js";
import { pairsOf, waysOf } from "./links.js";
import { noteOf } from "./notes.js";
import { paceOf, Tempo } from "./pace.js";
import { asking, raft, refuting } from "./rafts.js";
import { sparksOf } from "./sparks.js";
import { stripsOf } from "./strips.js";
import { drawStrips, grid, heightOf, stripAt } from "./stripview.js";
import { farFrom, opinionPlace, opinions, wires, wireWords } from "./wires.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("../model/types.js").Hit} Hit */
/** @typedef {import("../model/moment.js").Moment} Moment */
/** @typedef {import("./frame.js").Layer} Layer */
/** @typedef {import("./signs.js").Brush} Brush */

/** So many everyday messages, and moves, are drawn at once, at most. */
const MESSAGES = 150;
/** With few nodes fewer messages have room: so many for each way to the leader. */
const EACH = 28;
const LEAST = 24;
const MOVES = 90;
/** More players than this are not drawn. */
const PLAYERS = 80;
/** A frame of the ring takes no longer than this (milliseconds), or draws less. */
const BUDGET = 8;
/** What is this near (pixels) is under the pointer. */
const NEAR = 9;

export class Ring {
  /**
   * @param {HTMLElement} root
   * @param {Lab} lab
   */
  constructor(root, lab) {
    this.root = root;
    this.lab = lab;
    /** @type {Layer} */
    this.layer = "raft";
    this.colours = new Colours();
    this.tempo = new Tempo();
    /** Milliseconds that a frame takes, on average. */
    this.cost = 0;
    this.most = MESSAGES;
    this.oneIn = 1;
    this.cast = "";
    this.places = layout(0, 0, [], [], []);
    /** @type {Moment} */
    this.moment = momentOf(lab.model, 0);
    /** For these nodes a place is left free where they are not: so two days look alike. @type {readonly number[]} */
    this.absent = [];
    this.strips = stripsOf(lab.model, this.moment);
    this.laid = grid(0, 0, 0);
    /** @type {import("./dots.js").Spot[]} */
    this.spots = [];
    /** @type {import("./links.js").Pair[]} */
    this.pairs = [];
    /** @type {{x: number, y: number, logs: boolean} | undefined} */
    this.pointer = undefined;
    /** The node that has the focus of the keyboard. @type {number | undefined} */
    this.focused = undefined;
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.frame = new Frame(root, (layer) => this.show(layer), () => legend(this.colours));
    this.labels = new Labels(this.frame.labels, (name) => lab.select(lab.selected === name ? "" : name), (id) => this.#focus(id));
    /** Absolutely placed above the root, for lines that are drawn by hand. */
    this.overlay = this.frame.overlay;
    this.#listen();
    this.show("raft");
  }

  #listen() {
    const { lab, frame } = this;
    lab.on("frame", () => this.draw());
    lab.on("selected", () => this.draw());
    const sizes = new ResizeObserver(() => this.#measure());
    sizes.observe(frame.stage);
    sizes.observe(frame.logs);
    for (const query of ["(prefers-color-scheme: dark)", "(prefers-reduced-motion: reduce)"]) matchMedia(query).addEventListener("change", () => this.#measure());
    frame.listen((place) => {
      this.pointer = place;
      if (place) this.#point();
      else frame.tell(undefined, undefined);
    });
    frame.stage.addEventListener("click", () => {
      const client = this.#clientAt(this.pointer);
      if (client !== undefined) lab.select(lab.model.client(client).name);
    });
    addEventListener("keydown", (event) => {
      const { target } = event;
      const types = target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || (target instanceof HTMLInputElement && target.type !== "checkbox");
      if (event.key === "Escape") this.#focus(undefined);
      if (types || event.ctrlKey || event.metaKey || event.altKey || event.key.toLowerCase() !== "g") return;
      this.show(this.layer === "raft" ? "gossip" : "raft");
    });
  }

  /**
   * The node at a place in the ring, in CSS pixels from the root's left and top.
   * @param {number} x @param {number} y
   * @returns {string | undefined} its name
   */
  nodeAt(x, y) {
    const { offsetLeft, offsetTop } = this.frame.stage;
    for (const [id, place] of this.places.nodes) {
      if (Math.hypot(x - offsetLeft - place.x, y - offsetTop - place.y) <= place.r + NEAR) return this.lab.model.nodeName(id);
    }
    return undefined;
  }

  /**
   * Where a node is, in CSS pixels from the root's left and top.
   * @param {string} name
   * @returns {{x: number, y: number, r: number} | undefined}
   */
  place(name) {
    const { offsetLeft, offsetTop } = this.frame.stage;
    for (const [id, { x, y, r }] of this.places.nodes) {
      if (this.lab.model.nodeName(id) === name) return { x: x + offsetLeft, y: y + offsetTop, r };
    }
    return undefined;
  }

  /** Shows what Raft does, or what gossip holds. @param {Layer} layer */
  show(layer) {
    this.layer = layer;
    this.frame.press(layer);
    this.draw();
  }

  #measure() {
    this.colours = new Colours();
    this.cast = "";
    this.frame.explain(() => legend(this.colours));
    this.draw();
  }

  /** Draws the moment. */
  draw() {
    const { lab, frame } = this;
    if (!frame.stage.clientWidth || !frame.stage.clientHeight) return;
    const began = performance.now();
    const { model, settings } = lab;
    // What is over stays as it was in the end.
    const time = Math.min(lab.moment, model.end);
    const still = this.still.matches;
    // What is followed goes as fast as the world, also where it is waited for.
    const pace = paceOf(lab.follows ? 1 : this.tempo.look(began, time), still);
    this.moment = momentOf(model, time, settings?.live === true && lab.follows);
    this.#arrange();
    const ctx = fresh(frame.canvas, this.places.width, this.places.height);
    if (!ctx) return;
    const brush = { ctx, colours: this.colours };
    const { nodes } = this.moment;
    this.pairs = pairsOf(waysOf(nodes.flatMap(({ faults }) => faults), nodes), this.layer === "raft" ? "streams" : "gossip");
    wires(brush, this.places, this.pairs, this.layer === "gossip");
    const left = this.layer === "raft" ? this.#raft(brush, pace) : this.#gossip(brush);
    wireWords(brush, this.places, this.pairs);
    for (const node of nodes) {
      const place = this.places.nodes.get(node.id);
      if (place) raft(brush, place, node, lab.selected === node.name, this.moment.election);
    }
    this.#words();
    this.#logs();
    say(frame.note, noteOf({ pace, still, layer: this.layer, pairs: this.pairs, elsewhere: faultsAt(model, time).filter((fault) => fault.node === undefined), ...left, players: [this.places.clients.size, model.clients.size] }));
    this.#point();
    this.#keepTo(performance.now() - began);
  }

  /** Draws less where drawing takes too long, and more again. @param {number} took milliseconds */
  #keepTo(took) {
    this.cost += (took - this.cost) * 0.1;
    if (this.cost > BUDGET) this.most = Math.max(LEAST, this.most * 0.97);
    else if (this.cost < BUDGET / 2) this.most = Math.min(MESSAGES, this.most * 1.02);
  }

  /**
   * Messages and moves; of how many one is drawn.
   * @param {Brush} brush @param {import("./pace.js").Pace} pace
   */
  #raft(brush, pace) {
    const { model } = this.lab;
    const { moment, places } = this;
    const still = this.still.matches;
    const room = Math.min(this.most, EACH * (moment.nodes.length - 1) + LEAST);
    const sky = skyOf(model, moment.time, pace, Math.round(room), this.oneIn);
    this.oneIn = sky.oneIn;
    for (const node of moment.nodes) {
      const place = places.nodes.get(node.id);
      if (place && !pace.real && !still) asking(brush, place, node, moment.time);
    }
    const { sparks, oneIn } = sparksOf(model, moment.time, pace, Math.round((this.most * MOVES) / MESSAGES));
    moves(brush, places, sparks, model, moment);
    this.spots = messages(brush, places, sky.flights, moment, still);
    this.#edge(brush);
    return { messages: sky.oneIn, moves: oneIn };
  }

  /** @param {Brush} brush */
  #gossip(brush) {
    const { moment, places } = this;
    this.spots = [];
    opinions(brush, places, moment);
    for (const { about, refuted, incarnation } of moment.gossip) {
      const place = places.nodes.get(about);
      if (place && refuted !== undefined) refuting(brush, place, incarnation, (moment.time - refuted) / ECHO);
    }
    this.#edge(brush);
    return { messages: 1, moves: 1 };
  }

  /** Frontends and players. @param {Brush} brush */
  #edge(brush) {
    const { model } = this.lab;
    const { time } = this.moment;
    tables(brush, this.places, (name) => processAt(model, name, time)[0]);
    /** @type {Map<number, number>} */
    const waits = new Map();
    for (const id of this.places.clients.keys()) {
      const call = pendingCall(model.client(id), time);
      if (call) waits.set(id, call.at);
    }
    players(brush, this.places, waits, time);
  }

  /** Gives everybody a place, when others are there than before. */
  #arrange() {
    const { model, settings } = this.lab;
    const { stage, logs, gap } = this.frame;
    const here = new Set(this.moment.nodes.map(({ id }) => id));
    const named = [...new Set([...here, ...this.absent])].map((id) => ({ id, name: model.nodeName(id) }));
    const nodes = named.sort(byName).map(({ id }) => id);
    const known = [...model.lives.keys()].filter((name) => /^f\d+$/.test(name)).sort();
    const frontends = known.length ? known : (settings?.frontends ?? []).map((_, place) => `f${place + 1}`);
    const clients = [...model.clients.values()].filter(({ calls, pushes }) => calls.length || pushes.length).map(({ id }) => id).slice(-PLAYERS);
    const [width, height] = [stage.clientWidth, stage.clientHeight];
    const cast = [width, height, nodes, [...here], frontends, clients].join("|");
    if (cast === this.cast) return;
    this.cast = cast;
    this.places = layout(width, height, nodes, frontends, clients);
    for (const id of nodes) if (!here.has(id)) this.places.nodes.delete(id);
    logs.style.setProperty("--ring-logs", `${heightOf(here.size)}px`);
    const { centre } = this.places;
    Object.assign(gap.style, { left: `${centre.x}px`, top: `${centre.y}px` });
    stage.dataset.tight = String(this.places.tight);
    this.labels.arrange(this.places, (id) => model.nodeName(id));
  }

  /** What stands on the nodes, beside them, and in the middle. */
  #words() {
    const { moment, lab, frame } = this;
    this.labels.show(moment, lab.selected, this.layer === "gossip" ? contradicted(moment) : undefined);
    const { title, rest, tone } = this.layer === "raft" ? headline(moment) : gossipHeadline(moment);
    const gap = this.layer === "raft" ? moment.gap : undefined;
    const [above, number] = gapWords(gap);
    say(frame.title, title);
    say(frame.rest, rest);
    say(frame.above, above);
    say(frame.number, number);
    frame.gap.hidden = !gap;
    set(frame.gap, { "data-ended": gap?.ended === true });
    set(frame.logs, { "data-told": String(moment.nodes.some(({ log }) => log)) });
    set(frame.words, { "data-tone": tone });
    set(frame.gossip, { "data-differs": contradiction(moment) !== "" });
  }

  #logs() {
    const { chart } = this.frame;
    const { clientWidth: width, clientHeight: height } = chart;
    const ctx = fresh(chart, width, height);
    if (!ctx) return;
    this.strips = stripsOf(this.lab.model, this.moment);
    this.laid = grid(width, height, this.strips.strips.length);
    drawStrips({ ctx, colours: this.colours }, this.laid, this.strips);
  }

  /** Tells of the node that has the focus. @param {number | undefined} id */
  #focus(id) {
    this.focused = id;
    if (id === undefined) this.frame.tell(undefined, undefined);
    this.#point();
  }

  /** Tells what is under the pointer, or has the focus. */
  #point() {
    const focused = this.focused === undefined ? undefined : this.places.nodes.get(this.focused);
    if (!this.pointer && focused && this.focused !== undefined) this.frame.tell(this.#hitOf(this.focused), focused);
    if (!this.pointer) return;
    const { x, y, logs } = this.pointer;
    const { chart, stage } = this.frame;
    if (!logs) return this.frame.tell(this.#hit(x, y), { x, y });
    const found = stripAt(this.laid, this.strips, x, y);
    const place = { x: x + chart.offsetLeft - stage.offsetLeft, y: y + chart.offsetTop - stage.offsetTop };
    this.frame.tell(found && stripHit(this.moment, found.strip, found.cell), place);
  }

  /** @param {number} id */
  #hitOf(id) {
    const node = this.moment.nodes.find((one) => one.id === id);
    return node && nodeHit(this.moment, node);
  }

  /** The player at a place of the picture. @param {{x: number, y: number, logs?: boolean} | undefined} at */
  #clientAt(at) {
    if (!at || at.logs) return undefined;
    return [...this.places.clients].find(([, { x, y }]) => Math.hypot(x - at.x, y - at.y) <= NEAR)?.[0];
  }

  /** @param {number} x @param {number} y @returns {Hit | undefined} */
  #hit(x, y) {
    const { model } = this.lab;
    const { places, moment } = this;
    const near = (/** @type {{x: number, y: number} | undefined} */ place, /** @type {number} */ far) => place !== undefined && Math.hypot(place.x - x, place.y - y) <= far;
    for (const [id, place] of places.nodes) if (near(place, place.r)) return this.#hitOf(id);
    const spot = this.spots.findLast((one) => near(one, NEAR));
    if (spot) return messageHit(model, spot.flight.message);
    const opinion = this.layer === "gossip" ? moment.gossip.find(({ node, about }) => near(opinionPlace(places, node, about), NEAR)) : undefined;
    if (opinion) return opinionHit(model, opinion);
    const client = this.#clientAt({ x, y });
    if (client !== undefined) return clientHit(model, client, pendingCall(model.client(client), moment.time), moment.time);
    const pair = this.pairs.find((one) => farFrom(places, one, x, y) < NEAR);
    return pair && pairHit(model, pair, moment.time);
  }
}
