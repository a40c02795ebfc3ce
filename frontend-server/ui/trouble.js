// What a player reads while nobody answers: pure. A wish without an answer is
// kept and asked again (see conversation.js), and that is worth saying.

/** @typedef {import("./types.js").Wish} Wish */
/** @typedef {import("./types.js").Standing} Standing */

/** A silence shorter than this (ms) is a blink, and nothing is said. */
export const WORTH_SAYING_AFTER = 3000;

/**
 * @param {Standing} standing @param {number} troubledMs for how long it has not been "connected"
 * @param {Wish[]} pending what has no answer yet @param {number} now
 * @param {(move: Record<string, any>) => string} [called] what a move is called in the game that is played
 */
export function trouble(standing, troubledMs, pending, now, called = () => "move") {
  const overdue = pending.find(({ action, since }) => action === "play" && now - since >= WORTH_SAYING_AFTER);
  const silent = standing !== "connected" && troubledMs >= WORTH_SAYING_AFTER;
  if (!overdue && !silent) return "";
  const back = standing === "reconnecting" ? "the connection is back" : "the machines answer";
  const kept = overdue ?? pending.find(({ action }) => action === "play");
  if (kept) return `Your ${called(kept.data.move ?? {})} is safe; it will be played when ${back}.`;
  return `Your game is safe; it goes on when ${back}.`;
}
