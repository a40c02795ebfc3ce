// How time goes on in the page: it follows what comes, plays from a moment on, or stands
// still. Here is the one loop that draws.

import { byId, el, say, set } from "./dom.js";
import { changed, followed, played, ServerClock, SPEEDS, speedWords } from "./model/tempo.js";

/** @typedef {import("./lab.js").Lab} Lab */

/** A frame that comes later than this (microseconds) counts no more: the page was not looked at. */
const STEP_MAX = 250_000;

export class Time {
  /** @param {Lab} lab */
  constructor(lab) {
    this.lab = lab;
    this.clock = new ServerClock();
    this.speed = 1;
    this.plays = false;
    this.last = 0;
    this.scheduled = 0;
    /** What is drawn again and again, whatever happens, until it says that it is done. @type {((now: number) => boolean)[]} */
    this.slow = [];
    byId("play").addEventListener("click", () => this.toggle());
    byId("live-button").addEventListener("click", () => this.follow());
    byId("live-button").hidden = !this.live;
    byId("speeds").append(...SPEEDS.map((speed) => el("button", { type: "button", "aria-label": `Speed ${speedWords(speed)}`, click: () => this.at(speed) }, speedWords(speed))));
    for (const news of /** @type {const} */ (["lines", "moment", "selected"])) lab.on(news, () => this.wake());
    this.#tell();
  }

  /** Whether there is a newest that goes on. */
  get live() {
    return this.lab.settings?.live === true;
  }

  /** Whether the moment goes on by itself. */
  get runs() {
    return this.plays || (this.lab.follows && this.live);
  }

  /** Draws soon. */
  wake() {
    if (!this.scheduled) this.scheduled = requestAnimationFrame((now) => this.#frame(now));
  }

  /** Plays, or stands still. */
  toggle() {
    const { lab } = this;
    const ran = this.runs;
    this.plays = !ran;
    if (ran) lab.go(lab.moment);
    else if (!this.live && lab.moment >= lab.end) lab.go(lab.model.begin);
    this.#tell();
    this.wake();
  }

  /** Slower, or faster. @param {number} way */
  change(way) {
    this.at(changed(this.speed, way));
  }

  /** Plays at a speed: what is live cannot be slower. @param {number} speed */
  at(speed) {
    this.speed = speed;
    if (this.lab.follows && speed < 1) {
      this.plays = true;
      this.lab.go(this.lab.moment);
    }
    this.#tell();
    this.wake();
  }

  /** The newest from now on. */
  follow() {
    if (!this.live) return;
    this.plays = false;
    this.speed = 1;
    this.lab.follow();
    this.lab.moment = Math.min(this.lab.model.end, this.clock.shown(performance.now() * 1000));
    this.#tell();
  }

  /** @param {number} now milliseconds of the page's clock */
  #frame(now) {
    this.scheduled = 0;
    const passed = Math.min((now - this.last) * 1000, STEP_MAX);
    this.last = now;
    const ran = this.runs;
    if (ran) this.#advance(passed, now * 1000);
    this.#tell();
    this.lab.tell("frame");
    const left = this.slow.map((draw) => draw(now)).some((more) => more);
    if (this.runs || left) this.wake();
  }

  /** @param {number} passed @param {number} page */
  #advance(passed, page) {
    const { lab, clock } = this;
    const target = Math.min(lab.model.end, clock.shown(page));
    const before = lab.moment;
    if (lab.follows) lab.moment = Math.max(lab.model.begin, followed(lab.moment, target, passed, lab.model.end));
    else this.#play(passed, this.live ? target : lab.end);
    if (lab.moment !== before) lab.tell("moment");
  }

  /** @param {number} passed @param {number} end */
  #play(passed, end) {
    const { moment, ended } = played(Math.max(this.lab.moment, this.lab.model.begin), this.speed, passed, end);
    this.lab.moment = moment;
    if (!ended) return;
    this.plays = false;
    if (this.live) this.lab.follow();
  }

  /** Says in the tools what goes on. */
  #tell() {
    const { runs, lab } = this;
    const play = byId("play");
    say(play, runs ? "❚❚" : "▶");
    set(play, { "aria-label": runs ? "Stand still" : "Play", title: runs ? "Stand still (space)" : "Play from this moment (space)" });
    set(byId("live-button"), { "aria-pressed": String(this.live && lab.follows) });
    [...byId("speeds").children].forEach((button, place) => set(button, { "aria-pressed": String(SPEEDS[place] === this.speed) }));
  }
}
