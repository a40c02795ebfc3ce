// Banners on top of whatever is on the screen: what the player was told, and what can be done
// about it. They lie over the bar, never over a board or its keys.

import { announce } from "../announce.js";
import { el, list, say, set } from "../dom.js";
import { setWaiting } from "../title.js";
import { Shelf } from "./shelf.js";

/** @typedef {import("./words.js").Banner} Banner */

/** A tap that was meant for what was there before a banner came is not taken (ms). */
const DEAF_MS = 500;

/** Between two looks at what is over (ms). */
const TICK = 1000;

export class Banners {
  #shelf = new Shelf();
  #answer;
  #held = false;
  #timer = 0;

  element = el("section", { class: "banners", "aria-label": "News for you", "data-always": true, hidden: true, "data-testid": "banners" });

  /** @param {(offer: string, yes: boolean) => void} answer accepts or declines an offer */
  constructor(answer) {
    this.#answer = answer;
    const hold = (/** @type {boolean} */ held) => () => (this.#held = held);
    set(this.element, { pointerenter: hold(true), pointerleave: hold(false), focusin: hold(true), focusout: hold(false) });
    document.addEventListener("visibilitychange", () => this.#shelf.refresh(performance.now()));
  }

  /** @param {Banner} banner @param {boolean} [aloud] whether it is read aloud, too */
  put(banner, aloud = true) {
    this.#shelf.put(banner, performance.now());
    if (aloud) announce(banner.text);
    this.#show();
  }

  /** @param {string} key */
  remove(key) {
    if (this.#shelf.remove(key)) this.#show();
  }

  #show() {
    clearTimeout(this.#timer);
    const banners = this.#shelf.list(performance.now(), this.#held || document.visibilityState === "hidden");
    const make = (/** @type {Banner} */ banner) => this.#make(banner);
    // What is said anew of the same thing is another banner.
    list(this.element, banners, ({ key, kind, text }) => `${key} ${kind} ${text}`, make);
    set(this.element, { hidden: banners.length === 0 });
    // What lies over the whole page leaves them their room.
    document.documentElement.style.setProperty("--banners", `${this.element.offsetHeight}px`);
    setWaiting("banner", this.#shelf.urgent);
    if (banners.length) this.#timer = setTimeout(() => this.#show(), TICK);
    else this.#held = false;
  }

  /** @param {Banner} banner */
  #make(banner) {
    const element = el("div", { class: "banner", "data-testid": `banner-${banner.kind}` });
    setTimeout(() => set(element, { "data-ready": true }), DEAF_MS);
    const once = (/** @type {() => void} */ act) => (/** @type {Event} */ event) => {
      if (element.dataset.ready === undefined) return event.preventDefault();
      act();
      this.remove(banner.key);
    };
    const text = el("p", { class: "banner-text" });
    say(text, banner.text);
    const close = el("button", { type: "button", class: "small plain banner-close", "aria-label": "Close", "data-testid": "banner-close", click: once(() => {}) }, "×");
    element.append(text, el("div", { class: "banner-ways" }, ...this.#buttons(banner, once), close));
    return element;
  }

  /** @param {Banner} banner @param {(act: () => void) => (event: Event) => void} once */
  #buttons({ kind, room, offer = "" }, once) {
    if (kind === "answer") {
      const yes = el("button", { type: "button", class: "small main", "data-testid": "banner-accept", click: once(() => this.#answer(offer, true)) }, "Accept");
      const no = el("button", { type: "button", class: "small", "data-testid": "banner-decline", click: once(() => this.#answer(offer, false)) }, "Decline");
      return [yes, no];
    }
    if (!room) return [];
    return [el("a", { class: "button small main", href: `#/room/${room}`, "data-testid": "banner-open", click: once(() => {}) }, kind === "look" ? "Look" : "Go there")];
  }
}
