// Small readings and writings of text: pure.

/** @param {number} count @param {string} thing */
export function many(count, thing) {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

/** Begins large and ends with a full stop. @param {string} text */
export function sentence(text) {
  const [first = "", ...rest] = text.trim();
  return first.toUpperCase() + rest.join("") + (/[.!?…]$/.test(text.trim()) || !first ? "" : ".");
}

/** "Ann", "Ann and Bo", "Ann, Bo and 3 more". @param {string[]} names @param {number} [most] names said at most */
export function together(names, most = 3) {
  const said = names.length > most ? [...names.slice(0, most - 1), `${names.length - most + 1} more`] : names;
  return said.length < 2 ? said.join("") : `${said.slice(0, -1).join(", ")} and ${said.at(-1)}`;
}

/** Whole seconds that are left of a time, rounded up and never below 0. @param {number} ms */
export function secondsLeft(ms) {
  return Math.max(0, Math.ceil(ms / 1000));
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
