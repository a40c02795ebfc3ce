// Who is at the table: a row of chips, oneself first, that wraps and never hides
// anybody.

import { el, list, say, set } from "./dom.js";
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

  /**
   * @param {View} view @param {string} me @param {number} elapsed how long (ms) the view has been here
   * @param {import("./types.js").Game["roles"]} [roles] what is shown of those who have one
   */
  update(view, me, elapsed, roles = {}) {
    // One's own points are what one looks for first.
    const players = [...view.players].sort((a, b) => Number(b.player === me) - Number(a.player === me));
    set(this.element, { "data-crowd": players.length > CROWD });
    list(this.element, players, ({ seat }) => String(seat), makePlayer, (element, player) => {
      const agreed = view.again?.agreed.includes(player.seat) ?? false;
      showPlayer(element, player, me, awayText(player, view.seat_kept_ms, elapsed), agreed);
      showRole(element, roles[player.role]);
    });
  }
}

function makePlayer() {
  const parts = ["dot", "name", "unseen", "role", "away", "agreed", "points"].map((name) => el("span", { class: name }));
  return el("li", { class: "player" }, ...parts);
}

/** @param {HTMLElement} element @param {Player} player @param {string} me @param {string} away @param {boolean} willing */
function showPlayer(element, { name, player, online, points, role, seat }, me, away, willing) {
  const [dot, label, you, , gone, agreed, score] = element.children;
  if (!dot || !label || !you || !gone || !agreed || !score) return;
  set(element, { "data-online": String(online), "data-me": player === me, "data-seat": seat, "data-role": role, "data-agreed": willing });
  set(dot, { role: "img", "aria-label": online ? "here" : "gone", title: online ? "here" : "gone" });
  say(label, name);
  set(label, { title: name });
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
