// Which frontend to call next, and how long to wait before and during the call.

/** Waits before each try, in ms; the last one is repeated. */
const WAITS = [10, 50, 100, 250, 500, 1000, 2000, 5000];

/** A call that is not answered within this (ms) is given up; doubled each time all frontends were tried. */
const PATIENCE = 2000;
const PATIENCE_MAX = 10_000;

/** Frontends known at most; more are not remembered. */
const FRONTENDS_MAX = 32;

export class Dial {
  #own;
  #random;
  /** @type {string[]} */
  #origins;
  #turn = 0;
  #tries = 0;

  /**
   * @param {string} own the origin this page came from, such as "http://game.example:8080"
   * @param {string[]} known other origins
   * @param {() => number} random
   */
  constructor(own, known, random) {
    this.#own = new URL(own);
    this.#random = random;
    this.#origins = [this.#own.origin];
    this.learn(known);
  }

  get origins() {
    return [...this.#origins];
  }

  /** The frontend called last, or about to be called first. */
  get origin() {
    return this.#origins[this.#turn] ?? this.#own.origin;
  }

  /** Adds frontends the server names. @param {unknown[]} urls */
  learn(urls) {
    for (const url of urls) {
      const origin = this.#reachable(url);
      if (origin && !this.#origins.includes(origin) && this.#origins.length < FRONTENDS_MAX) this.#origins.push(origin);
    }
  }

  /** The first call goes to where the page came from, each later one to the next frontend. */
  next() {
    if (this.#tries > 0) this.#turn = (this.#turn + 1) % this.#origins.length;
    const wait = WAITS[Math.min(this.#tries, WAITS.length - 1)] ?? 0;
    const rounds = Math.floor(this.#tries / this.#origins.length);
    this.#tries += 1;
    return {
      url: `${this.origin.replace(/^http/, "ws")}/ws`,
      wait: this.#tries === 1 ? 0 : Math.round(wait * (0.75 + this.#random() / 2)),
      patience: Math.min(PATIENCE * 2 ** rounds, PATIENCE_MAX),
    };
  }

  /** A frontend answered: when it is lost, the next one is called soon. */
  reached() {
    this.#tries = 1;
  }

  /** The world may have changed (awake again, network back): waits start short again. */
  hurry() {
    this.#tries = Math.min(this.#tries, 1);
  }

  /**
   * A frontend that calls itself a loopback address means the machine the page
   * came from, which for a phone in the same network is not its own.
   * @param {unknown} url
   */
  #reachable(url) {
    try {
      const parsed = new URL(String(url));
      if (!/^https?:$/.test(parsed.protocol)) return null;
      if (/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(parsed.hostname)) parsed.hostname = this.#own.hostname;
      return parsed.origin;
    } catch {
      return null;
    }
  }
}
