// Below deck: the nodes that carry the game, and one's own moves on their way through them.
// It is loaded when it is first opened, and listens to nothing while it is closed.

import { announce } from "../announce.js";
import { el, say, set } from "../dom.js";
import { plainly } from "../plain.js";
import { Journeys } from "./journeys.js";
import { Sea } from "./sea.js";
import { awaited, heading, isInTrouble, isLed, progress, safe, told } from "./words.js";

/** @typedef {import("../client.js").Client} Client */
/** @typedef {import("../types.js").Deck} Deck */
/** @typedef {import("../types.js").Game} Game */
/** @typedef {import("../types.js").Wish} Wish */

/** How often what counts is looked at (ms), while something does. */
const TICK = 100;

/** A frontend that could not show the nodes just now is asked again after so long (ms). */
const ASK_AGAIN = 2000;

export class Panel {
  #client;
  #game;
  #sea = new Sea();
  #head = el("p", { class: "deck-head", "data-testid": "deck-heading" });
  #mine = el("p", { class: "deck-mine", "data-testid": "deck-move" });
  #safe = el("dd", { "data-testid": "deck-safe" });
  #awaited = el("dd", { "data-testid": "deck-awaited" });
  #care = el("dl", { class: "deck-care" }, el("div", {}, el("dt", {}, "Safe:"), " ", this.#safe), el("div", {}, el("dt", {}, "Waited for:"), " ", this.#awaited));
  #journeys = new Journeys();
  /** The nodes, as the frontend that we talk to has told them. @type {Deck | null} */
  #deck = null;
  /** What a screen reader was told of. @type {Deck | null} */
  #told = null;
  /** Since when it has been led so, or not led. */
  #since = 0;
  /** How old the nodes are that come next. */
  #age = 0;
  /** Whether the frontend does not know what we ask for. */
  #mute = false;
  #stood = "";
  #timer = 0;
  /** @type {(() => void)[]} */
  #leaving = [];

  /** @param {Client} client @param {() => Game | null} game what is played on the screen @param {() => void} close */
  constructor(client, game, close) {
    this.#client = client;
    this.#game = game;
    const told = el("div", { class: "deck-told" }, this.#head, this.#mine, this.#care);
    const shut = el("button", { type: "button", class: "deck-close", title: "Close", "aria-label": "Close", "data-testid": "deck-close", click: close }, "×");
    const typed = (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && close();
    this.element = el(
      "section",
      { class: "deck", id: "deck", "aria-label": "Below deck", hidden: true, "data-testid": "deck", keydown: typed },
      this.#sea.element, told, shut,
    );
  }

  /** @param {boolean} [near] whether the page comes to where the panel is */
  open(near = true) {
    const client = this.#client;
    this.#leaving = [
      client.on("deck", (deck) => this.#onDeck(deck)),
      client.on("step", (step) => this.#onStep(step)),
      client.on("seen", ({ room, version }) => this.#note(() => this.#journeys.seen(room, version, performance.now()))),
      client.on("standing", () => this.#onStanding()),
    ];
    for (const wish of client.pending) this.#asked(wish);
    set(this.element, { hidden: null });
    this.#onStanding();
    if (near) this.element.scrollIntoView({ block: "nearest" });
  }

  close() {
    for (const stop of this.#leaving) stop();
    this.#leaving = [];
    clearTimeout(this.#timer);
    this.#sea.rest();
    this.#journeys = new Journeys();
    this.#deck = this.#told = null;
    this.#stood = "";
    set(this.element, { hidden: true });
    this.#client.ask("deck", { open: false });
  }

  get #isOpen() {
    return this.#leaving.length > 0;
  }

  /** Each frontend is asked anew: what another has told says nothing of what this one hears. */
  #onStanding() {
    const { standing } = this.#client;
    const anew = standing !== "reconnecting" && (this.#stood === "" || this.#stood === "reconnecting");
    this.#stood = standing;
    if (standing === "reconnecting") {
      this.#deck = null;
      this.#journeys.disconnected();
    }
    if (standing === "electing") this.#journeys.leaderless();
    if (anew) this.#ask();
    this.#show();
  }

  async #ask() {
    const { ok, refused } = await this.#client.ask("deck", { open: true });
    if (!this.#isOpen) return;
    this.#age = ok?.age ?? 0;
    // Nobody who knows the question finds it bad.
    this.#mute = refused?.code === "bad-request";
    if (refused && !this.#mute && refused.code !== "lost") setTimeout(() => this.#isOpen && this.#ask(), ASK_AGAIN);
    this.#show();
  }

  /** @param {Deck} deck */
  #onDeck(deck) {
    this.#deck = deck;
    this.#since = performance.now() - deck.for_ms - this.#age;
    this.#age = 0;
    if (deck.leader === undefined) this.#journeys.leaderless();
    this.#sea.show(deck);
    const sentence = told(this.#told, deck);
    if (sentence) announce(sentence);
    this.#told = deck;
    this.#show();
  }

  /** @param {import("../types.js").Step} step */
  #onStep(step) {
    this.#note(() => {
      switch (step.step) {
        case "asked":
          return this.#asked(step.wish);
        case "sent":
          return this.#journeys.sent(step.serial);
        case "put-off":
          return this.#journeys.putOff(step.serial, step.refused.code);
        case "answered": {
          const { refused } = step.answer;
          const reason = refused ? this.#game()?.plainly?.(refused) || plainly(refused) : "";
          return this.#journeys.answered(step.wish.serial, step.answer, reason, performance.now());
        }
      }
    });
  }

  /** Moves only: the rest is of no interest here. @param {Wish} wish */
  #asked({ serial, action, data, since }) {
    if (action !== "play") return;
    const [game, move] = [this.#game(), data.move ?? {}];
    const sign = game?.sign?.(move) ?? "";
    const at = performance.now() - (Date.now() - since);
    this.#journeys.asked({ serial, room: data.room, sign, name: sign || (game?.called?.(move) ?? "move") }, at);
    if (this.#client.isSent(serial)) this.#journeys.sent(serial);
    if (this.#stood === "electing") this.#journeys.leaderless();
  }

  /** @param {() => void} what */
  #note(what) {
    what();
    this.#show();
  }

  #show() {
    clearTimeout(this.#timer);
    const now = performance.now();
    const { standing, player } = this.#client;
    const waiting = this.#journeys.waiting();
    const waits = waiting[0] ? now - waiting[0].at : 0;
    const situation = { standing, deck: this.#deck, forMs: now - this.#since, mute: this.#mute, met: player !== "", waits };
    const foremost = this.#journeys.foremost;
    say(this.#head, heading(situation));
    say(this.#mine, foremost ? progress(foremost, situation, Math.max(0, waiting.length - 1)) : "");
    set(this.#mine, { "data-end": foremost?.end || null });
    const trouble = isInTrouble(situation);
    say(this.#safe, safe(situation));
    say(this.#awaited, awaited(situation));
    set(this.#care, { hidden: !trouble });
    set(this.element, { "data-trouble": trouble });
    this.#sea.stale = this.#deck === null;
    this.#sea.carry(this.#journeys.list(), isLed(situation) ? (this.#deck?.leader ?? 0) : 0);
    if (trouble || waiting.length) this.#timer = setTimeout(() => this.#show(), TICK);
  }
}
