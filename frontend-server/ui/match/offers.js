// The offers this tab has made, from the tap on: pure. A seek or a challenge is shown
// before anybody has answered, and taken back visibly when it is refused.
//
// What holds:
// - An offer is known by its wish's serial from the first moment, and by its public name
//   once that is told. What is told of a name before the name is known is kept.
// - It is over once: matched, ended with a reason, or withdrawn. A room is gone to once.
// - Whose offer is cancelled before it has a name is withdrawn as soon as it has one.

/** @typedef {import("../types.js").Wish} Wish */
/** @typedef {import("../types.js").Answer} Answer */
/** @typedef {import("../types.js").Notice} Notice */

/**
 * `taken`: somebody else's, accepted here.
 * @typedef {"seek" | "challenge" | "link" | "bot" | "taken"} Kind
 */

/**
 * `asking`: no answer yet, which need not be shown. `open`: waits for somebody. `cancelling`:
 * is to be withdrawn. `ended`: is shown with `why` until a moment after `ended` (ms).
 * @typedef {{
 *   serial: number, kind: Kind, game: string, clock: number, rated: boolean, bot: boolean, to: string, name: string,
 *   since: number, offer: string, state: "asking" | "open" | "cancelling" | "ended", why: string, ended: number,
 * }} Own
 */

/**
 * What follows: go to a room, show a link, or withdraw an offer.
 * @typedef {{to: "go", room: string} | {to: "share", offer: string} | {to: "withdraw", offer: string}} Consequence
 */

/** Open offers a player may have at once, as the rules have it. */
export const OFFERS_MAX = 5;

/** How long (ms) one that has ended is shown with its reason. */
export const SHOWN_AFTER = 7000;

/** No offer is open for longer (ms), as the rules have it, and what was kept over a reload may be older. */
const OPEN_AT_MOST = 610_000;

/** News of names that nobody here knows yet, kept at most. */
const UNKNOWN_MAX = 32;

export class Offers {
  /** @type {Map<number, Own>} */
  #own = new Map();
  /** What was told of names that are not known here yet. @type {Map<string, Notice>} */
  #early = new Map();
  /** Rooms that were gone to. @type {Set<string>} */
  #gone = new Set();
  /** How players are called who were challenged. @type {Map<string, string>} */
  #names = new Map();
  /** Who is a bot. */
  #bots = new Set();

  /** @param {any[]} saved what `saved` gave @param {(serial: number) => boolean} waits whether a wish still has no answer @param {number} now */
  static restore(saved, waits, now) {
    const offers = new Offers();
    for (const own of saved) {
      const whole = Number.isSafeInteger(own?.serial) && typeof own.offer === "string" && typeof own.since === "number";
      if (whole && own.state !== "ended" && now - own.since < OPEN_AT_MOST && (own.offer || waits(own.serial))) offers.#own.set(own.serial, own);
    }
    return offers;
  }

  /** What outlives a reload. */
  saved() {
    return [...this.#own.values()].filter(({ state }) => state !== "ended");
  }

  /** How a player is called who is about to be challenged. @param {string} player @param {string} name @param {boolean} [bot] */
  called(player, name, bot = false) {
    this.#names.set(player, name);
    if (bot) this.#bots.add(player);
  }

  /** A wish was made. @param {Wish} wish */
  asked({ serial, action, data, since }) {
    const to = data.player ?? "";
    const kind = kindOf(action, to, this.#bots.has(to));
    if (!kind) return;
    this.#own.set(serial, {
      serial, kind, game: data.game ?? "", clock: data.clock ?? 0, rated: data.rated ?? true, bot: data.bot_after_ms !== undefined,
      to, name: this.#names.get(to) ?? "", since, offer: action === "accept" ? data.offer : "", state: "asking", why: "", ended: 0,
    });
  }

  /** A wish was answered. @param {Wish} wish @param {Answer} answer @param {string} why a refusal in plain words @param {number} now @returns {Consequence[]} */
  answered({ serial, action, data }, { ok, refused }, why, now) {
    if (action === "withdraw") return this.#withdrawn(data.offer, refused, why);
    const own = this.#own.get(serial);
    if (!own) return [];
    if (refused) return this.#end(own, why, now);
    own.offer = ok?.offer ?? own.offer;
    if (ok?.room) return this.#match(own, ok.room);
    const early = this.#early.get(own.offer);
    if (early) return this.told(early, now);
    if (own.state === "cancelling") return [{ to: "withdraw", offer: own.offer }];
    own.state = "open";
    return own.kind === "link" ? [{ to: "share", offer: own.offer }] : [];
  }

  /**
   * Something was told of an offer. Nothing follows when it is nobody's here.
   * @param {Notice} notice @param {number} now @returns {Consequence[]}
   */
  told(notice, now) {
    const own = this.find(notice.offer ?? "");
    if (!own) return this.#keep(notice);
    if (notice.kind === "matched") return notice.room ? this.#match(own, notice.room) : [];
    if (notice.kind !== "unmatched") return [];
    if (notice.why === "withdrawn" || own.state === "cancelling") {
      this.#own.delete(own.serial);
      return [];
    }
    return this.#end(own, notice.why ?? "", now);
  }

  /** The player has changed their mind. @param {number} serial @returns {Consequence[]} */
  cancel(serial) {
    const own = this.#own.get(serial);
    if (!own || own.state === "cancelling") return [];
    if (own.state === "ended") {
      this.#own.delete(serial);
      return [];
    }
    own.state = "cancelling";
    return own.offer ? [{ to: "withdraw", offer: own.offer }] : [];
  }

  /** The cluster was restored: nothing is known of what is open. */
  forget() {
    for (const own of this.saved()) if (own.offer) this.#own.delete(own.serial);
    this.#early.clear();
  }

  /** @param {string} offer */
  find(offer) {
    return offer ? [...this.#own.values()].find((own) => own.offer === offer && own.state !== "ended") : undefined;
  }

  /** What is to be shown, oldest first. @param {number} now */
  list(now) {
    for (const { serial, state, ended } of this.#own.values()) if (state === "ended" && now - ended >= SHOWN_AFTER) this.#own.delete(serial);
    return [...this.#own.values()];
  }

  /** How many count against what one may have. */
  get waiting() {
    return this.saved().filter(({ kind, state }) => state !== "cancelling" && kind !== "taken" && kind !== "bot").length;
  }

  /** Whether just this is sought already. @param {string} game @param {number} clock @param {boolean} rated */
  seeks(game, clock, rated) {
    return this.saved().find((own) => own.kind === "seek" && own.game === game && own.clock === clock && own.rated === rated && own.state !== "cancelling");
  }

  /** @param {Own} own @param {string} why @param {number} now @returns {Consequence[]} */
  #end(own, why, now) {
    if (own.state === "cancelling") this.#own.delete(own.serial);
    else Object.assign(own, { state: "ended", why, ended: now });
    return [];
  }

  /** @param {Own} own @param {string} room @returns {Consequence[]} */
  #match(own, room) {
    this.#own.delete(own.serial);
    if (this.#gone.has(room)) return [];
    this.#gone.add(room);
    return [{ to: "go", room }];
  }

  /** @param {string} offer @param {import("../types.js").Refusal | undefined} refused @param {string} why @returns {Consequence[]} */
  #withdrawn(offer, refused, why) {
    const own = this.find(offer);
    // What is gone needs no withdrawing; if it was taken, that is told as well.
    if (own && (!refused || refused.code === "no-such-offer")) this.#own.delete(own.serial);
    else if (own) Object.assign(own, { state: "open", why });
    return [];
  }

  /** @param {Notice} notice @returns {Consequence[]} */
  #keep(notice) {
    if (!notice.offer || (notice.kind !== "matched" && notice.kind !== "unmatched")) return [];
    this.#early.set(notice.offer, notice);
    const [oldest] = this.#early.keys();
    if (this.#early.size > UNKNOWN_MAX && oldest) this.#early.delete(oldest);
    return [];
  }
}

/** @param {string} action @param {string} to @param {boolean} bot @returns {Kind | null} */
function kindOf(action, to, bot) {
  if (action === "seek") return "seek";
  if (action === "accept") return "taken";
  if (action !== "challenge") return null;
  return bot ? "bot" : to ? "challenge" : "link";
}
