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
