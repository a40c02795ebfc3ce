// For a class: large type, and one page that the others follow. Who may break things may show
// to everybody what they look at; who may only watch follows, until they go their own way.

import { el, say, set } from "../dom.js";

/** @typedef {import("../lab.js").Lab} Lab */
/**
 * What everybody is shown: a place in the page, a level with how far it is opened, and the
 * moment from which on it counts.
 * @typedef {{hash: string, level: string, step: string, since: number}} Shown
 */

/** The presenter's page says where it is at most this often (milliseconds). */
const TOLD_EVERY = 250;

export class Presenter {
  /**
   * @param {Lab} lab
   * @param {() => {level: string, step: string, since: number}} place the level that is open here
   * @param {(shown: Shown) => void} follow shows the level that the presenter shows
   */
  constructor(lab, place, follow) {
    this.lab = lab;
    this.place = place;
    this.follow = follow;
    const { breaks = false, watch_only: watches = false } = lab.settings ?? {};
    /** Whether this page goes where the presenter goes. */
    this.follows = watches;
    /** @type {Shown | undefined} */
    this.shown = undefined;
    this.told = "";
    this.timer = 0;
    this.projector = el("button", { type: "button", class: "quiet", "aria-pressed": "false", title: "Larger type in the whole page, for a projector", click: () => this.#enlarge() }, "Large type");
    this.sharing = el("button", { type: "button", class: "quiet", "aria-pressed": "false", title: "Whoever has the link to watch sees what you look at", click: () => this.#share() }, "Show to everybody");
    this.sharing.hidden = !breaks || watches;
    this.back = el("button", { type: "button", class: "press follow-again", hidden: true, click: () => this.#followAgain() }, "Follow the presenter again");
    if (watches) this.#listen();
  }

  /** What belongs into the panel's head. */
  get buttons() {
    return [this.projector, this.sharing];
  }

  /** The presenter shows something. @param {Shown} shown */
  show(shown) {
    this.shown = shown;
    if (!this.follows) return void (this.back.hidden = false);
    if (shown.hash && shown.hash !== location.hash) location.replace(shown.hash);
    this.follow(shown);
  }

  #enlarge() {
    this.lab.enlarge(!this.lab.large);
    set(this.projector, { "aria-pressed": String(this.lab.large) });
  }

  #share() {
    clearInterval(this.timer);
    const shares = this.sharing.getAttribute("aria-pressed") !== "true";
    set(this.sharing, { "aria-pressed": String(shares) });
    say(this.sharing, shares ? "Everybody sees this" : "Show to everybody");
    this.told = "";
    if (shares) this.timer = setInterval(() => this.#tell(), TOLD_EVERY);
  }

  /** Tells the server where this page is, if that is new. */
  #tell() {
    const text = JSON.stringify({ hash: location.hash, ...this.place() });
    if (text === this.told) return;
    this.told = text;
    const told = fetch("/show", { method: "POST", headers: { "content-type": "application/json" }, body: text });
    const anew = () => (this.told = "");
    told.then(({ ok }) => ok || anew(), anew);
  }

  /** A press of whoever watches lets go, but for their own predictions. */
  #listen() {
    document.body.append(this.back);
    const letGo = (/** @type {Event} */ { target }) => {
      const own = target instanceof Element && target.closest("#learn fieldset, .follow-again, [aria-pressed]");
      if (!this.shown || own || !this.follows) return;
      this.follows = false;
      this.back.hidden = false;
    };
    for (const press of ["pointerdown", "keydown"]) document.addEventListener(press, letGo, true);
  }

  #followAgain() {
    this.follows = true;
    this.back.hidden = true;
    if (this.shown) this.show(this.shown);
  }
}
