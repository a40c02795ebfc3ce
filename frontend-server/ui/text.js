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

/**
 * The room somebody means who pastes its name or a link to it; null when it is neither.
 * Only the frontend can tell whether there is such a room.
 * @param {string} text
 */
export function roomName(text) {
  return /(?:^#?|\/room\/)([a-z2-7]{16})$/.exec(text.trim().toLowerCase())?.[1] ?? null;
}

/** Why a text names no room, for a player who thought it did. @param {string} text */
export function notARoom(text) {
  const numbered = /(?:^#?|\/room\/)\d{1,16}$/.test(text.trim());
  if (numbered) return "That is an old link: rooms have names now instead of numbers. Ask for a new one.";
  return "That is not a link to a room, or not the whole of one.";
}
