// A player's card: how strong they are at what, how they have played lately, and a way to
// challenge them.

import { note } from "../announce.js";
import { el, say, set, svg } from "../dom.js";
import { GAMES } from "../games.js";
import { CLOCKS } from "../match/settings.js";
import { pace, ratingText, spokenRating } from "../match/words.js";
import { plainly } from "../plain.js";
import { Question } from "../question.js";
import { browser } from "../store.js";
import { curvePath, spokenCurve } from "./curve.js";
import { lastText, ordered, streaks, tally } from "./words.js";

/** @typedef {import("../client.js").Client} Client */
/** @typedef {import("../match/desk.js").Desk} Desk */
/** @typedef {import("./words.js").Record} Record */

/** The size of the curve, in its own units. */
const WIDTH = 240;
const HEIGHT = 48;

export class CardDialog {
  #client;
  #desk;
  #player = "";
  #name = "";
  /** Who it is, if the cluster plays them. @type {import("../types.js").Bot | undefined} */
  #bot;
  /** @type {Question | null} */
  #question = null;
  #heading = el("h2", { id: "card-title", translate: "no", tabindex: -1 });
  #body = el("div", { class: "card-body", "data-testid": "card-body" });
  #form = el("form", { class: "card-challenge" });
  #game = el("select", { "data-testid": "challenge-game" });
  #clock = el("select", { "data-testid": "challenge-clock" });
  #rated = el("input", { type: "checkbox", "data-testid": "challenge-rated" });
  #ratedLabel = el("label", { class: "check" }, this.#rated, el("span", {}, "Rated"));

  /** @param {Client} client @param {Desk} desk */
  constructor(client, desk) {
    this.#client = client;
    this.#desk = desk;
    this.#clock.append(...CLOCKS.map((seconds) => el("option", { value: seconds }, pace(seconds))));
    const fields = el("div", { class: "card-fields" }, field("Game", this.#game), field("Clock", this.#clock));
    set(this.#form, { submit: (/** @type {SubmitEvent} */ event) => this.#challenge(event) });
    this.#form.append(fields, el("div", { class: "card-go" }, this.#ratedLabel, el("button", { class: "main", "data-testid": "challenge-button" }, "Challenge")));
    const close = el("button", { type: "button", "data-testid": "card-close", click: () => this.element.close() }, "Close");
    this.element = el(
      "dialog",
      { class: "card player-card", "aria-labelledby": "card-title", "data-testid": "card-dialog", close: () => this.#question?.end(), click: (event) => this.#onClick(event) },
      this.#heading, this.#body, this.#form, el("div", { class: "buttons" }, close),
    );
  }

  /** @param {string} player @param {string} name @param {string} game what they are seen at */
  open(player, name, game) {
    this.#player = player;
    this.#name = name;
    this.#bot = this.#client.server.bots?.find((bot) => bot.player === player);
    const mine = player === this.#client.player;
    say(this.#heading, mine ? `${name} (you)` : name);
    this.#fill(game, mine);
    this.element.showModal();
    this.#heading.focus();
    this.#ask(game);
  }

  /** What one can be challenged to: whatever there is, or what a bot plays. @param {string} game @param {boolean} mine */
  #fill(game, mine) {
    const offered = browser.list("games").filter((one) => GAMES.has(one));
    const games = this.#bot ? [this.#bot.game] : offered.length ? offered : [...GAMES.keys()];
    this.#game.replaceChildren(...games.map((one) => el("option", { value: one }, called(one))));
    this.#game.value = [game, browser.get("game")].find((one) => games.includes(one)) ?? games[0] ?? "";
    const { clock, rated } = this.#desk.settings;
    this.#clock.value = String(clock);
    this.#rated.checked = rated;
    set(this.#form, { hidden: mine });
    set(this.#ratedLabel, { hidden: this.#bot !== undefined });
  }

  /** @param {string} game what comes first */
  #ask(game) {
    this.#question?.end();
    const say = (/** @type {string} */ text) => this.#body.replaceChildren(el("p", { class: "quiet", role: "status" }, text));
    if (this.#bot) return say(`A bot, ${this.#bot.strength}. It is always there, and never plays for ratings.`);
    say("Looking…");
    this.#question = new Question(this.#client, "card", { player: this.#player }, ({ ok, refused }) => {
      if (refused) say(refused.code === "bad-request" ? "This frontend is an older one, and knows no cards." : plainly(refused));
      else this.#show(ok, game);
    });
  }

  /** @param {{name?: string, games?: {[game: string]: Record}}} card @param {string} first */
  #show({ name, games = {} }, first) {
    if (name) say(this.#heading, this.#player === this.#client.player ? `${name} (you)` : name);
    const sections = ordered(games, first).map(([game, record]) => makeSection(called(game), record));
    this.#body.replaceChildren(...(sections.length ? sections : [el("p", { class: "quiet" }, "Has played no match yet.")]));
  }

  /** @param {SubmitEvent} event */
  #challenge(event) {
    event.preventDefault();
    this.element.close();
    const clock = Number(this.#clock.value);
    if (this.#bot) {
      this.#desk.choose({ clock });
      this.#desk.playBot(this.#bot);
    } else {
      this.#desk.choose({ clock, rated: this.#rated.checked });
      this.#desk.challenge(this.#game.value, this.#player, this.#name);
      note(`${this.#name} is asked. Whatever they say, you will hear of it.`);
    }
  }

  /** A click beside the dialog closes it, as everywhere. @param {MouseEvent} event */
  #onClick(event) {
    const { left, right, top, bottom } = this.element.getBoundingClientRect();
    const inside = event.clientX >= left && event.clientX <= right && event.clientY >= top && event.clientY <= bottom;
    if (event.target === this.element && !inside) this.element.close();
  }
}

/** @param {string} game @param {Record} record */
function makeSection(game, record) {
  const { rating, provisional, curve = [], last = [] } = record;
  const strength = el("b", { class: "card-rating", role: "img", "aria-label": spokenRating(rating, provisional), title: provisional ? "provisional: few rated games yet" : null }, ratingText(rating, provisional));
  const head = el("div", { class: "card-head" }, el("h3", {}, game), strength);
  /** @type {Element[]} */
  const parts = [head, ...draw(curve), el("p", {}, tally(record))];
  const streak = streaks(record);
  if (streak) parts.push(el("p", { class: "quiet" }, streak));
  if (last.length) parts.push(el("details", {}, el("summary", {}, `Last ${last.length === 1 ? "game" : `${last.length} games`}`), el("ol", { class: "card-last", translate: "no" }, ...last.map((one) => el("li", {}, lastText(one))))));
  return el("section", { class: "card-game" }, ...parts);
}

/** @param {number[]} curve */
function draw(curve) {
  const path = curvePath(curve, WIDTH, HEIGHT);
  if (!path) return [];
  const title = svg("title");
  title.textContent = spokenCurve(curve);
  return [svg("svg", { class: "card-curve", viewBox: `-4 -4 ${WIDTH + 8} ${HEIGHT + 8}`, role: "img", preserveAspectRatio: "none", "data-testid": "card-curve" }, title, svg("path", { d: path, "vector-effect": "non-scaling-stroke" }))];
}

/** @param {string} label @param {HTMLElement} control */
function field(label, control) {
  return el("label", { class: "field" }, el("span", {}, label), control);
}

/** @param {string} game */
function called(game) {
  return GAMES.get(game)?.name ?? game;
}
