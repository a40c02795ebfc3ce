// What a link to an offer leads to: who asks for what, and yes or no.

import { el, say, set } from "./dom.js";
import { GAMES } from "./games.js";
import { lostCard } from "./lost.js";
import { asksFor, ratingText, spokenRating, terms } from "./match/words.js";
import { plainly } from "./plain.js";
import { Question } from "./question.js";
import { nameField } from "./room.js";

/** @typedef {import("./client.js").Client} Client */
/** @typedef {import("./match/desk.js").Desk} Desk */
/** @typedef {import("./cards.js").Cards} Cards */

const OVER = "This challenge is over: somebody was faster, or it was taken back.";

const FOR_ANOTHER = "This challenge is for somebody else.";

export class ChallengeScreen {
  title = "A challenge";
  #client;
  #desk;
  #cards;
  #offer;
  #heading = el("h1", { tabindex: -1 }, this.title);
  #body = el("div", { class: "card challenge-card" }, el("p", { class: "quiet", role: "status" }, "Looking who asks…"));
  #why = el("p", { class: "hint", role: "alert", "data-testid": "challenge-why" });
  /** @type {HTMLButtonElement | null} */
  #accept = null;
  /** @type {(() => void)[]} */
  #leaving = [];

  /** @param {Client} client @param {Desk} desk @param {Cards} cards @param {string} offer */
  constructor(client, desk, cards, offer) {
    this.#client = client;
    this.#desk = desk;
    this.#cards = cards;
    this.#offer = offer;
    this.element = el("main", { class: "challenge" }, this.#heading, this.#body);
  }

  enter() {
    const question = new Question(this.#client, "offer", { offer: this.#offer }, ({ ok, refused }) => {
      if (ok) this.#show(ok);
      else this.#lose(refused?.code === "no-such-offer" ? OVER : plainly(refused ?? { code: "", message: "" }));
    });
    this.#leaving = [() => question.end(), this.#desk.on(() => this.#follow())];
  }

  leave() {
    for (const stop of this.#leaving) stop();
  }

  /** @param {import("./types.js").Wanted & {kind?: string, player: string, name: string, rating?: number, provisional?: boolean, whom?: string}} offer */
  #show(offer) {
    const game = GAMES.get(offer.game);
    const mine = offer.player === this.#client.player;
    if (!mine && offer.whom && offer.whom !== this.#client.player) return this.#lose(FOR_ANOTHER);
    say(this.#heading, mine ? "Your challenge" : `${offer.name} asks for a game`);
    const who = el("button", { type: "button", class: "small", title: "Card", "data-testid": "challenge-who", click: () => this.#cards.open(offer.player, offer.name, offer.game) }, el("b", { translate: "no" }, offer.name), " ", el("span", { class: "rating", role: "img", "aria-label": spokenRating(offer.rating, offer.provisional) }, ratingText(offer.rating, offer.provisional)));
    const what = el("p", { class: "challenge-what", "data-testid": "challenge-what" }, `${game?.name ?? offer.game} · ${terms(offer)}`);
    const lead = el("p", { class: "quiet" }, game?.lead ?? asksFor(offer, offer.game));
    this.#body.replaceChildren(what, lead, el("p", {}, mine ? "Whoever opens this link plays you." : "From ", ...(mine ? [] : [who])), ...(mine ? this.#forOwner() : this.#forOther()), this.#why);
  }

  #forOwner() {
    const share = el("button", { type: "button", class: "main", "data-testid": "challenge-share", click: () => this.#desk.share(this.#offer) }, "Share");
    const back = el("button", { type: "button", "data-testid": "challenge-withdraw", click: () => this.#go(() => this.#desk.withdraw(this.#offer)) }, "Take it back");
    return [el("div", { class: "buttons" }, back, share)];
  }

  #forOther() {
    const name = nameField(this.#client);
    const yes = () => {
      this.#client.rename(name.value.trim());
      say(this.#why, "");
      this.#desk.accept(this.#offer);
    };
    this.#accept = el("button", { type: "button", class: "main", "data-testid": "challenge-accept", click: yes }, "Accept");
    const no = el("button", { type: "button", "data-testid": "challenge-decline", click: () => this.#go(() => this.#desk.decline(this.#offer)) }, "Decline");
    const yourself = el("label", { class: "field" }, el("span", {}, "Your name"), name);
    return [yourself, el("div", { class: "buttons" }, no, this.#accept)];
  }

  /** What becomes of a yes. */
  #follow() {
    const own = this.#desk.taking(this.#offer);
    if (!this.#accept || !own) return;
    const over = own.state === "ended";
    set(this.#accept, { "aria-disabled": String(!over) });
    say(this.#accept, over ? "Accept" : "Taking your seat…");
    if (over) say(this.#why, this.#desk.says(own));
  }

  /** @param {() => void} act */
  #go(act) {
    act();
    location.hash = "#/";
  }

  /** @param {string} message */
  #lose(message) {
    this.#body.replaceChildren(lostCard(message));
  }
}
