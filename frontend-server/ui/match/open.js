// The open seeks of others, as a list that can be tapped: pure. While a finger or the focus
// is on it, no row moves: a tap must never take what has just come under it.

/** @typedef {import("../types.js").OpenSeek} OpenSeek */

/** A row of the list. `gone`: it is open no more, and keeps its place. @typedef {{seek: OpenSeek, gone: boolean}} Row */

/** What is shown of all there are. `game`: empty for every game. @typedef {{game: string, rated: "" | "rated" | "casual"}} Filter */

/** @param {OpenSeek[]} seeks @param {Filter} filter */
export function sieve(seeks, { game, rated }) {
  return seeks.filter((seek) => (!game || seek.game === game) && (!rated || seek.rated === (rated === "rated")));
}

/**
 * The rows to show next.
 * @param {Row[]} shown the rows shown now @param {OpenSeek[]} seeks newest first
 * @param {boolean} held whether somebody is about to tap
 * @returns {Row[]}
 */
export function arrange(shown, seeks, held) {
  if (!held) return seeks.map((seek) => ({ seek, gone: false }));
  const open = new Map(seeks.map((seek) => [seek.offer, seek]));
  const kept = shown.map(({ seek }) => ({ seek: open.get(seek.offer) ?? seek, gone: !open.has(seek.offer) }));
  const known = new Set(shown.map(({ seek }) => seek.offer));
  const come = seeks.filter(({ offer }) => !known.has(offer)).map((seek) => ({ seek, gone: false }));
  return [...kept, ...come];
}
