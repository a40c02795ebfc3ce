// Everybody's games in numbers that move, and the cluster that carries them. It may hang on a
// wall, and needs no hand.

import { Panel } from "../deck/panel.js";
import { el, list, say, set } from "../dom.js";
import { GAMES } from "../games.js";
import { Looking } from "../question.js";
import { HourTable, Plot } from "./plot.js";
import { COUNT_MS, counted, grouped, hourText, readMinutes, shares, streakText, TILES } from "./words.js";

/** @typedef {import("../client.js").Client} Client */

const OLDER = "This frontend is an older one, and counts nothing for everybody.";

export class LiveScreen {
  #client;
  #about = el("p", { class: "quiet", role: "status", "data-testid": "live-about" }, "Looking…");
  #tiles = el("dl", { class: "tiles", "data-testid": "live-numbers" });
  #sides = el("div", { class: "sides", "data-testid": "live-sides" });
  #streak = el("p", { class: "streak", translate: "no", "data-testid": "live-streak" });
  #moves = new Plot("Moves a minute");
  #matches = new Plot("Matches a minute");
  #table = new HourTable();
  #panel;
  #numbers;
  /** What each number shows, and where it comes from. @type {Map<string, {from: number, to: number, since: number, element: Element}>} */
  #counting = new Map();
  #frame = 0;
  #calm = matchMedia("(prefers-reduced-motion: reduce)");
  /** @type {(() => void)[]} */
  #leaving = [];

  /** @param {Client} client */
  constructor(client) {
    this.#client = client;
    this.#panel = new Panel(client, () => null, () => {});
    set(this.#panel.element, { id: "deck-live", "aria-label": "The cluster" });
    for (const { key, name } of TILES) this.#tiles.append(this.#makeTile(key, name));
    const hour = el("section", { class: "card", "aria-label": "The last hour" }, el("h2", {}, "The last hour"), this.#moves.element, this.#matches.element, this.#table.element);
    const wins = el("section", { class: "card", "aria-label": "Who wins" }, el("h2", {}, "Who wins"), this.#sides, this.#streak);
    this.#numbers = el("div", { class: "live-numbers", hidden: true }, this.#tiles, el("div", { class: "live-halves" }, hour, wins));
    const cluster = el("section", { class: "live-cluster" }, el("h2", {}, "The cluster below"), this.#panel.element);
    this.element = el("div", { class: "live-part" }, this.#about, this.#numbers, cluster);
  }

  enter() {
    const looking = new Looking(this.#client, "live", ({ code, message }) => say(this.#about, code === "bad-request" ? OLDER : message));
    this.#leaving = [this.#client.on("live", (live) => this.#onLive(live)), () => looking.end(), () => cancelAnimationFrame(this.#frame)];
    this.#panel.open(false);
  }

  leave() {
    this.#panel.close();
    for (const stop of this.#leaving) stop();
  }

  /** @param {import("../types.js").Live} live */
  #onLive({ numbers, minutes }) {
    if (typeof numbers !== "object" || numbers === null) return;
    set(this.#numbers, { hidden: null });
    say(this.#about, "Everybody’s games, as they happen.");
    const now = performance.now();
    for (const { key } of TILES) this.#count(key, Number(numbers[key]) || 0, now);
    this.#showSides(numbers.sides ?? {});
    const game = GAMES.get(numbers.streak?.game ?? "")?.name ?? numbers.streak?.game ?? "";
    say(this.#streak, streakText(numbers.streak, game));
    if (minutes) this.#showHour(readMinutes(minutes));
    if (!this.#frame) this.#step();
  }

  /** @param {[number, number][]} minutes */
  #showHour(minutes) {
    const spoken = hourText(minutes);
    this.#moves.show(minutes.map(([moves]) => moves), spoken);
    this.#matches.show(minutes.map(([, matches]) => matches), spoken);
    this.#table.show(minutes);
  }

  /** @param {Record<string, Record<string, number>>} sides */
  #showSides(sides) {
    const games = Object.entries(sides).map(([name, counts]) => ({ name, rows: shares(counts, GAMES.get(name)?.sides) }));
    const make = (/** @type {{name: string}} */ { name }) => el("div", { class: "side-game" }, el("h3", {}, GAMES.get(name)?.name ?? name), el("div", { class: "side-bar", "aria-hidden": "true" }), el("ul", { class: "side-names" }));
    list(this.#sides, games, ({ name }) => name, make, (element, { rows }) => {
      const [, bar, names] = element.children;
      if (!bar || !names) return;
      list(bar, rows, ({ side }) => side, () => el("span"), (part, { share }) => (part.style.flexGrow = String(share)));
      list(names, rows, ({ side }) => side, () => el("li"), (row, { name, count, share }) => say(row, `${name} ${grouped(count)} (${Math.round(share * 100)} %)`));
    });
  }

  /** @param {string} key @param {string} name */
  #makeTile(key, name) {
    const number = el("dd", { "data-testid": `live-${key}` }, "–");
    this.#counting.set(key, { from: 0, to: 0, since: -COUNT_MS, element: number });
    return el("div", { class: "tile-number" }, el("dt", {}, name), number);
  }

  /** The first number that is known is there at once. @param {string} key @param {number} to @param {number} now */
  #count(key, to, now) {
    const tile = this.#counting.get(key);
    if (!tile) return;
    const first = tile.element.textContent === "–";
    if (tile.to === to && !first) return;
    const still = first || this.#calm.matches;
    Object.assign(tile, { from: still ? to : counted(tile.from, tile.to, now - tile.since), to, since: now });
  }

  #step() {
    this.#frame = 0;
    const now = performance.now();
    let moving = false;
    for (const { from, to, since, element } of this.#counting.values()) {
      say(element, grouped(counted(from, to, now - since)));
      moving ||= from !== to && now - since < COUNT_MS;
    }
    if (moving) this.#frame = requestAnimationFrame(() => this.#step());
  }
}
