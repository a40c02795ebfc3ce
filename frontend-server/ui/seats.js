// Who is at the table: a row of chips, oneself first, that wraps and never hides
// anybody.

import { clockOf, clockText, ratingOf } from "./contest/words.js";
import { el, list, say, set } from "./dom.js";
import { ratingText, spokenRating } from "./match/words.js";
import { many, secondsLeft } from "./text.js";

/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").Player} Player */

/** With more players than this their chips become small. */
const CROWD = 4;

/**
 * What is said of somebody who is not here; empty for those who are.
 * @param {Player} player @param {number | undefined} keptMs how long a seat is kept
 * @param {number} elapsed how long (ms) the view has been here
 */
export function awayText({ online, away_ms }, keptMs, elapsed) {
  if (online) return "";
  if (away_ms === undefined || keptMs === undefined) return "gone";
  const left = secondsLeft(keptMs - away_ms - elapsed);
  return left > 0 ? `gone, seat free in ${left} s` : "gone, seat free";
}

/**
 * Whether somebody else may take this player's seat when no other is free.
 * @param {Player} player @param {number | undefined} keptMs @param {number} elapsed
 */
export function isFree({ online, away_ms }, keptMs, elapsed) {
  return !online && away_ms !== undefined && keptMs !== undefined && away_ms + elapsed >= keptMs;
}

export class Seats {
  element = el("ul", { class: "players", "aria-label": "Players", translate: "no", "data-testid": "players" });
  #open;

  /** @param {(player: string, name: string) => void} [open] shows a player's card */
  constructor(open = () => {}) {
    this.#open = open;
  }

  /**
   * @param {View} view @param {string} me @param {number} elapsed how long (ms) the view has been here
   * @param {import("./types.js").Game["roles"]} [roles] what is shown of those who have one
   */
  update(view, me, elapsed, roles = {}) {
    // One's own points are what one looks for first.
    const players = [...view.players].sort((a, b) => Number(b.player === me) - Number(a.player === me));
    const kept = view.match ? undefined : view.seat_kept_ms;
    set(this.element, { "data-crowd": players.length > CROWD, "data-match": Boolean(view.match) });
    const make = (/** @type {Player} */ { player, name }) => this.#make(player, name);
    list(this.element, players, ({ seat, player }) => `${seat} ${player}`, make, (element, player) => {
      const agreed = view.again?.agreed.includes(player.seat) ?? false;
      showPlayer(element, player, me, awayText(player, kept, elapsed), agreed);
      showRole(element, roles[player.role]);
      showMatch(element, view, player);
      showClock(element, view, player, elapsed);
    });
  }

  /** Only the clocks, which move more often than the rest. @param {View} view @param {number} elapsed @param {boolean} still */
  tick(view, elapsed, still) {
    for (const player of view.players) {
      const element = this.element.querySelector(`[data-seat="${player.seat}"]`);
      if (element) showClock(element, view, player, elapsed, still);
    }
  }

  /** @param {string} player @param {string} name */
  #make(player, name) {
    const spans = (/** @type {string[]} */ ...names) => names.map((one) => el("span", { class: one }));
    const label = el("button", { type: "button", class: "name", "data-testid": "player-name", click: () => this.#open(player, label.textContent ?? name) });
    const clock = el("span", { class: "match-clock", role: "timer", "aria-live": "off", "data-testid": "match-clock" });
    return el("li", { class: "player" }, ...spans("dot"), label, ...spans("unseen", "role", "bot", "rating", "away", "agreed", "points"), clock, el("span", { class: "match-bar", "aria-hidden": "true" }, el("span")));
  }
}

/** @param {HTMLElement} element @param {Player} player @param {string} me @param {string} away @param {boolean} willing */
function showPlayer(element, { name, player, online, points, role, seat }, me, away, willing) {
  const [dot, label, you, , , , gone, agreed, score] = element.children;
  if (!dot || !label || !you || !gone || !agreed || !score) return;
  set(element, { "data-online": String(online), "data-me": player === me, "data-seat": seat, "data-role": role, "data-agreed": willing });
  set(dot, { role: "img", "aria-label": online ? "here" : "gone", title: online ? "here" : "gone" });
  say(label, name);
  set(label, { title: `${name}: card` });
  say(you, player === me ? "(you)" : "");
  say(gone, away);
  say(agreed, willing ? "✓" : "");
  set(agreed, { role: willing ? "img" : null, "aria-label": willing ? "wants another round" : null });
  say(score, String(points));
  set(score, { role: "img", "aria-label": many(points, "point"), title: many(points, "point") });
}

/** @param {HTMLElement} element @param {{short: string, long: string} | undefined} role */
function showRole(element, role) {
  const part = element.children[3];
  if (!part) return;
  say(part, role?.short ?? "");
  set(part, { title: role?.long });
}

/** What a match tells of a player: how strong they are, and whether they are a bot. @param {HTMLElement} element @param {View} view @param {Player} player */
function showMatch(element, view, { seat, bot }) {
  const [, , , , mark, rating] = element.children;
  if (!mark || !rating) return;
  say(mark, bot ? "bot" : "");
  set(mark, { title: bot ? `a bot, ${bot}` : null, role: bot ? "img" : null, "aria-label": bot ? `a bot, ${bot}` : null });
  const strength = bot ? undefined : ratingOf(view, seat);
  say(rating, ratingText(strength?.rating, strength?.provisional));
  set(rating, { role: strength ? "img" : null, "aria-label": spokenRating(strength?.rating, strength?.provisional) || null, title: strength?.provisional ? "provisional: few rated games yet" : null });
}

/** @param {Element} element @param {View} view @param {Player} player @param {number} elapsed @param {boolean} [still] the cluster's time stands still */
function showClock(element, view, { seat, name }, elapsed, still = false) {
  const [text, bar] = [element.querySelector(".match-clock"), element.querySelector(".match-bar")];
  const clock = clockOf(view, seat, elapsed);
  const part = bar?.firstElementChild;
  if (!text || !bar || !(part instanceof HTMLElement)) return;
  set(text, { hidden: !clock, "data-runs": clock?.runs, "data-low": clock?.low && !still, "data-still": clock?.runs && still, "aria-label": `${name}’s clock` });
  set(bar, { hidden: !clock, "data-runs": clock?.runs, "data-low": clock?.low && !still });
  if (!clock) return;
  say(text, clockText(clock.leftMs));
  part.style.scale = `${clock.share.toFixed(4)} 1`;
}
