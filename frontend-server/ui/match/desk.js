// Where offers are made, taken and taken back, whatever is on the screen: the thin side of
// offers.js. It lives as long as the page.

import { announce, note } from "../announce.js";
import { GAMES } from "../games.js";
import { plainly } from "../plain.js";
import { browser, tab } from "../store.js";
import { Offers, OFFERS_MAX } from "./offers.js";
import { readSettings, toChallenge, toSeek } from "./settings.js";
import { begins, happening } from "./words.js";

/** @typedef {import("../client.js").Client} Client */
/** @typedef {import("../types.js").Notice} Notice */
/** @typedef {import("../types.js").Bot} Bot */
/** @typedef {import("./offers.js").Consequence} Consequence */
/** @typedef {import("./offers.js").Own} Own */

/** A silence shorter than this (ms) is a blink, and not said. */
const WORTH_SAYING = 1500;

/** Wishes that are about offers. */
const ABOUT_OFFERS = new Set(["seek", "challenge", "accept", "withdraw"]);

/**
 * What the page does when an offer comes to something: `go` to a room, `share` a link, and
 * `ended`: say why, where the offer itself cannot be seen.
 * @typedef {{go: (room: string) => void, share: (offer: string) => void, ended: (own: Own, why: string) => void}} Ways
 */

export class Desk {
  #client;
  #offers;
  #ways;
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /** @param {Client} client @param {Ways} ways */
  constructor(client, ways) {
    this.#client = client;
    this.#ways = ways;
    const waits = (/** @type {number} */ serial) => client.pending.some((wish) => wish.serial === serial);
    this.#offers = Offers.restore(tab.list("offers"), waits, Date.now());
    client.on("step", (step) => this.#onStep(step));
    client.on("standing", () => this.#changed());
    client.on("restored", () => {
      this.#offers.forget();
      this.#changed();
    });
  }

  get settings() {
    return readSettings(browser.get("seek"));
  }

  /** Remembered for the next time. @param {Partial<import("./settings.js").Settings>} some */
  choose(some) {
    browser.set("seek", JSON.stringify({ ...this.settings, ...some }));
    this.#changed();
  }

  /** One's own offers, oldest first. */
  get offers() {
    return this.#offers.list(Date.now());
  }

  /** Whether just this is sought now. @param {string} game */
  sought(game) {
    const { clock, rated } = this.settings;
    return this.#offers.seeks(game, clock, rated);
  }

  /** What became of taking somebody's offer; nothing when it was not tried, or long ago. @param {string} offer */
  taking(offer) {
    return this.offers.findLast((own) => own.kind === "taken" && own.offer === offer);
  }

  /** What is to be said of an offer now. @param {Own} own */
  says(own) {
    const { standing, troubledMs } = this.#client;
    return happening(own, Date.now(), troubledMs < WORTH_SAYING ? "connected" : standing);
  }

  /** @param {() => void} listener @returns {() => void} stops listening */
  on(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whoever suits. @param {string} game */
  seek(game) {
    if (this.sought(game) || this.#isFull()) return;
    this.#client.wish("seek", toSeek(game, this.settings));
  }

  /** A certain player. @param {string} game @param {string} player @param {string} name */
  challenge(game, player, name) {
    if (this.#isFull()) return;
    this.#offers.called(player, name);
    this.#client.wish("challenge", toChallenge(game, this.settings, player));
  }

  /** Whoever has the link. @param {string} game */
  challengeByLink(game) {
    if (!this.#isFull()) this.#client.wish("challenge", toChallenge(game, this.settings));
  }

  /** A bot plays at once, and never for ratings. @param {Bot} bot */
  playBot({ game, player, name }) {
    if (this.offers.some(({ kind, state, to }) => kind === "bot" && state !== "ended" && to === player)) return;
    this.#offers.called(player, name, true);
    this.#client.wish("challenge", toChallenge(game, { ...this.settings, rated: false }, player));
  }

  /** Takes what somebody offers. @param {string} offer */
  accept(offer) {
    if (this.taking(offer)?.state !== "asking") this.#client.wish("accept", { offer });
  }

  /** Nobody has to wait for the answer to a no. @param {string} offer */
  decline(offer) {
    this.#client.wish("decline", { offer });
  }

  /** @param {number} serial */
  cancel(serial) {
    this.#carryOut(this.#offers.cancel(serial));
  }

  /** One's own, made in another tab perhaps. @param {string} offer */
  withdraw(offer) {
    const own = this.#offers.find(offer);
    if (own) this.cancel(own.serial);
    else this.#client.wish("withdraw", { offer }).then(({ refused }) => refused && note(plainly(refused)));
  }

  /** Shows the link of a challenge again. @param {string} offer */
  share(offer) {
    this.#ways.share(offer);
  }

  /** Whether a notice was about an offer of this tab; then what follows is done. @param {Notice} notice */
  told(notice) {
    const own = this.#offers.find(notice.offer ?? "");
    this.#carryOut(this.#offers.told(notice, Date.now()));
    if (own?.state === "ended") announce(this.says(own));
    return own !== undefined;
  }

  /** @param {import("../types.js").Step} step */
  #onStep(step) {
    if (step.step === "asked" && ABOUT_OFFERS.has(step.wish.action)) {
      this.#offers.asked(step.wish);
      const own = this.offers.find(({ serial }) => serial === step.wish.serial);
      const sentence = own ? begins(own, GAMES.get(own.game)?.name ?? own.game) : "";
      if (sentence) announce(sentence);
      this.#changed();
    }
    if (step.step !== "answered" || !ABOUT_OFFERS.has(step.wish.action)) return;
    const { refused } = step.answer;
    this.#carryOut(this.#offers.answered(step.wish, step.answer, refused ? plainly(refused) : "", Date.now()));
    const own = this.offers.find(({ serial }) => serial === step.wish.serial);
    if (own?.state !== "ended") return;
    announce(this.says(own));
    this.#ways.ended(own, this.says(own));
  }

  /** @param {Consequence[]} consequences */
  #carryOut(consequences) {
    for (const consequence of consequences) {
      if (consequence.to === "go") this.#ways.go(consequence.room);
      else if (consequence.to === "share") this.#ways.share(consequence.offer);
      else this.#client.wish("withdraw", { offer: consequence.offer });
    }
    this.#changed();
  }

  #isFull() {
    const full = this.#offers.waiting >= OFFERS_MAX;
    if (full) note(`You have ${OFFERS_MAX} offers open. Take one back first.`);
    return full;
  }

  #changed() {
    tab.set("offers", JSON.stringify(this.#offers.saved()));
    for (const listener of this.#listeners) listener();
  }
}
