// "Play now": one tap, and somebody is looked for; what is happening is shown at once. The
// rest is how: clock, rated or not, a bot or none.

import { el, list, say, set } from "../dom.js";
import { GAMES } from "../games.js";
import { CLOCKS } from "./settings.js";
import { pace, terms } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./offers.js").Own} Own */
/** @typedef {import("../types.js").Bot} Bot */

/** Between two looks at what counts (ms), while something does. */
const TICK = 500;

/** What a strength is called on the page. @type {Record<string, string>} */
const STRENGTHS = { easy: "Easy", medium: "Medium", hard: "Hard" };

export class Play {
  #desk;
  #bots;
  #game = "";
  /** @type {string[]} */
  #games = [];
  #big;
  #what = el("span", { class: "play-what" });
  #offers = el("ul", { class: "offers", "aria-label": "What you are waiting for", "data-testid": "offers" });
  #how = el("span", { class: "play-how" });
  #clock;
  #rated;
  #bot;
  #others = el("div", { class: "play-others", "data-testid": "play-others" });
  #botRow = el("div", { class: "play-bots", "data-testid": "bots" });
  #botHead = el("p", { class: "quiet" });
  #timer = 0;
  /** @type {() => void} */
  #stop = () => {};

  /** @param {Desk} desk @param {() => Bot[]} bots who can be played at any time */
  constructor(desk, bots) {
    this.#desk = desk;
    this.#bots = bots;
    this.#big = el("button", { type: "button", class: "main play-now", click: () => desk.seek(this.#game) }, el("span", { class: "play-name" }, "Play now"), this.#what);
    this.#clock = choice("seek-clock", "Clock", CLOCKS.map((seconds) => [String(seconds), capital(pace(seconds))]), (value) => desk.choose({ clock: Number(value) }));
    this.#rated = choice("seek-rated", "Ratings", [["yes", "Rated"], ["no", "Casual"]], (value) => desk.choose({ rated: value === "yes" }));
    this.#bot = choice("seek-bot", "If nobody comes", [["yes", "A bot plays after 10 s"], ["no", "I wait for somebody"]], (value) => desk.choose({ bot: value === "yes" }));
    const fields = el("div", { class: "play-fields" }, this.#clock.element, this.#rated.element, this.#bot.element);
    const how = el("details", { class: "play-settings" }, el("summary", { "data-testid": "seek-settings" }, this.#how), fields);
    this.element = el("div", { class: "play" }, this.#big, this.#others, this.#offers, how, el("div", { class: "play-against" }, this.#botHead, this.#botRow));
  }

  enter() {
    this.#stop = this.#desk.on(() => this.show());
    this.#timer = setInterval(() => this.show(), TICK);
    this.show();
  }

  leave() {
    this.#stop();
    clearInterval(this.#timer);
  }

  /** @param {string} game the chosen one @param {string[]} games all there are */
  offer(game, games) {
    this.#game = game;
    this.#games = games;
    this.show();
  }

  show() {
    const { settings } = this.#desk;
    const sought = this.#desk.sought(this.#game);
    const terse = `${called(this.#game)} · ${terms(settings)}`;
    set(this.#big, { "data-testid": `play-${this.#game}`, "aria-disabled": String(sought !== undefined), "data-sought": sought !== undefined });
    say(this.#big.children[0] ?? this.#big, sought ? "Looking…" : "Play now");
    say(this.#what, terse);
    say(this.#how, `${capital(terms(settings))} · ${settings.bot ? "a bot after 10 s" : "no bot"}`);
    this.#clock.field.value = String(settings.clock);
    this.#rated.field.value = settings.rated ? "yes" : "no";
    this.#bot.field.value = settings.bot ? "yes" : "no";
    this.#showOthers();
    this.#showBots();
    const own = this.#desk.offers.filter(({ kind }) => kind !== "taken");
    const held = this.#offers.contains(document.activeElement);
    list(this.#offers, own, ({ serial }) => String(serial), (one) => this.#makeOffer(one), (element, one) => this.#showOffer(element, one));
    set(this.#offers, { hidden: own.length === 0 });
    // Somebody without a mouse goes on at the button that made it.
    if (held && !this.#offers.contains(document.activeElement)) this.#big.focus();
  }

  #showOthers() {
    const others = this.#games.filter((game) => game !== this.#game);
    const make = (/** @type {string} */ game) =>
      el("button", { type: "button", class: "small", "data-testid": `play-${game}`, click: () => this.#desk.seek(game) });
    list(this.#others, others, (game) => game, make, (element, game) => {
      const sought = this.#desk.sought(game) !== undefined;
      set(element, { "aria-disabled": String(sought) });
      say(element, `${called(game)}: ${sought ? "looking…" : "play now"}`);
    });
  }

  #showBots() {
    const bots = this.#bots().filter(({ game }) => game === this.#game);
    say(this.#botHead, bots.length ? "Or play a bot, which is always there:" : "");
    const make = (/** @type {Bot} */ bot) =>
      el("button", { type: "button", class: "small", "data-testid": `bot-${bot.strength}`, click: () => this.#desk.playBot(bot) }, el("b", {}, STRENGTHS[bot.strength] ?? bot.strength), " ", el("span", { class: "quiet", translate: "no" }, bot.name));
    list(this.#botRow, bots, ({ player }) => player, make);
    for (const part of [this.#botHead, this.#botRow]) set(part, { hidden: bots.length === 0 });
  }

  /** @param {Own} own */
  #makeOffer({ serial, game, kind }) {
    const cancel = el("button", { type: "button", class: "small", "data-testid": "offer-cancel", click: () => this.#desk.cancel(serial) });
    const again = el("button", { type: "button", class: "small", "data-testid": "offer-again", click: () => this.#again(serial, game) }, "Again");
    const share = el("button", { type: "button", class: "small main", "data-testid": "offer-share", click: () => this.#share(serial) }, "Share");
    const parts = [el("b", { class: "offer-what" }), el("span", { class: "offer-now", "data-testid": "offer-now" })];
    const buttons = kind === "link" ? [share, cancel] : [again, cancel];
    return el("li", { class: "offer", "data-testid": `offer-${game}` }, el("p", { class: "offer-text" }, ...parts), ...buttons);
  }

  /** @param {HTMLElement} element @param {Own} own */
  #showOffer(element, own) {
    const [text, first, cancel] = element.children;
    const [what, now] = text?.children ?? [];
    if (!what || !now || !first || !cancel) return;
    const over = own.state === "ended";
    set(element, { "data-state": own.state });
    say(what, own.kind === "bot" ? called(own.game) : `${called(own.game)} · ${terms(own)}`);
    say(now, this.#desk.says(own));
    say(cancel, over ? "Close" : "Cancel");
    set(cancel, { "aria-label": over ? "Close" : `Cancel: ${called(own.game)}`, "aria-disabled": String(own.state === "cancelling" || (own.kind === "bot" && !over)) });
    set(first, { hidden: own.kind === "link" ? over || !own.offer : !over || own.kind !== "seek" });
  }

  /** @param {number} serial @param {string} game */
  #again(serial, game) {
    this.#desk.cancel(serial);
    this.#desk.seek(game);
    this.#big.focus();
  }

  /** @param {number} serial */
  #share(serial) {
    const own = this.#desk.offers.find((one) => one.serial === serial);
    if (own?.offer) this.#desk.share(own.offer);
  }
}

/** @param {string} game */
function called(game) {
  return GAMES.get(game)?.name ?? game;
}

/** @param {string} text */
function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @param {string} hook @param {string} label @param {string[][]} options value and text of each @param {(value: string) => void} chosen */
function choice(hook, label, options, chosen) {
  const field = el("select", { "data-testid": hook, change: () => chosen(field.value) }, ...options.map(([value, text]) => el("option", { value }, text ?? "")));
  return { field, element: el("label", { class: "field" }, el("span", {}, label), field) };
}
