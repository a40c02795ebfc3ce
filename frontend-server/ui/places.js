// Where an address leads: pure.

import { roomName } from "./text.js";

/**
 * @typedef {(
 *   | {screen: "lobby" | "live"}
 *   | {screen: "ladder", game: string, week: boolean}
 *   | {screen: "room", room: string | null}
 *   | {screen: "challenge", offer: string | null}
 * )} Place
 */

/** Where the numbers that move are: a page of its own, so that it can be shown on a wall. */
export const LIVE = "/live";

/**
 * "#/room/k7qmw2vxp4t5hj3d" is a room; what is not known is the lobby. A room that is named in a
 * link to the numbers comes first: it is what one went to from there.
 * @param {string} pathname @param {string} hash @returns {Place}
 */
export function placeOf(pathname, hash) {
  if (hash.startsWith("#/room/")) return { screen: "room", room: roomName(hash) };
  if (hash.startsWith("#/challenge/")) return { screen: "challenge", offer: offerName(hash) };
  const ladder = /^#\/ladder(?:\/([a-z0-9-]{1,40}))?(\/week)?$/.exec(hash);
  if (ladder) return { screen: "ladder", game: ladder[1] ?? "", week: ladder[2] !== undefined };
  if (hash === "#/live" || (pathname === LIVE && hash.length < 2)) return { screen: "live" };
  return { screen: "lobby" };
}

/** The offer somebody means who follows a link to it; null when it is none. @param {string} text */
export function offerName(text) {
  return /(?:^#?|\/challenge\/)([a-z2-7]{16})$/.exec(text.trim().toLowerCase())?.[1] ?? null;
}
