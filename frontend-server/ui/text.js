// Small readings and writings of text: pure.

/** @param {number} count @param {string} thing */
export function many(count, thing) {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

/** The room somebody means who types "12", "#12" or pastes a link. @param {string} text */
export function roomNumber(text) {
  const found = /(?:^#?|\/room\/)(\d{1,16})\s*$/.exec(text.trim());
  const room = Number(found?.[1]);
  return Number.isSafeInteger(room) && room > 0 ? room : null;
}

/**
 * How many of the lines at the end are new, when only the last few are ever kept.
 * @param {import("./types.js").Line[]} before @param {import("./types.js").Line[]} after
 */
export function newLines(before, after) {
  const same = (/** @type {number} */ kept) =>
    before.slice(before.length - kept).every((line, at) => line.player === after[at]?.player && line.text === after[at]?.text);
  let kept = Math.min(before.length, after.length);
  while (!same(kept)) kept -= 1;
  return after.length - kept;
}
