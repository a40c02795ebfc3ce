// Which frontend to call next, and how long to wait before and during the call.

/** Waits before each try, in ms; the last one is repeated. */
const WAITS = [10, 50, 100, 250, 500, 1000, 2000, 5000];

/** A call that is not answered within this (ms) is given up; doubled each time all frontends were tried. */
const PATIENCE = 2000;
const PATIENCE_MAX = 10_000;

/** A frontend that sent us away is not called for this long (ms) while another is known; then it is gone, or back. */
const AWAY = 10_000;

/** Frontends known at most; more are not remembered. */
const FRONTENDS_MAX = 32;

export class Dial {
  #own;
  #random;
  #clock;
  /** @type {string[]} */
  #origins;
  #turn = 0;
  #tries = 0;
  /** Who sent us away last, and until when they are left alone. */
  #left = { origin: "", until: 0 };

  /**
   * @param {string} own the origin this page came from, such as "http://game.example:8080"
   * @param {string[]} known other origins
   * @param {() => number} random
   * @param {() => number} clock milliseconds
   */
  constructor(own, known, random, clock) {
    this.#own = new URL(own);
    this.#random = random;
    this.#clock = clock;
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
    if (this.#tries > 0) this.#turn = this.#following();
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

  /**
   * The frontend called last sends us away. Of the others one is called next, by
   * chance, so that a crowd that is sent away spreads. Says whether there are others.
   */
  leave() {
    const others = this.#origins.length - 1;
    if (others === 0) return false;
    this.#left = { origin: this.origin, until: this.#clock() + AWAY };
    this.#turn = (this.#turn + Math.floor(this.#random() * others)) % this.#origins.length;
    return true;
  }

  /** The world may have changed (awake again, network back): waits start short again. */
  hurry() {
    this.#tries = Math.min(this.#tries, 1);
  }

  /** Whose turn is next: anybody's but theirs who sent us away a moment ago. */
  #following() {
    const next = (this.#turn + 1) % this.#origins.length;
    const left = this.#origins[next] === this.#left.origin && this.#clock() < this.#left.until;
    return left ? (next + 1) % this.#origins.length : next;
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
