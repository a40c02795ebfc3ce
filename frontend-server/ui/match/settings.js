// How one wants to play strangers: clock, rated or not, and whether a bot plays when nobody
// comes. Pure; what is remembered may be anything, and is read as far as it makes sense.

/** @typedef {{clock: number, rated: boolean, bot: boolean}} Settings */

/** Seconds for a move; 0 is no clock. */
export const CLOCKS = [0, 10, 30, 60];

/** After so long (ms) a bot plays, for who wants that. */
export const BOT_AFTER_MS = 10_000;

/** @type {Settings} */
const USUAL = { clock: 30, rated: true, bot: true };

/** @param {string} remembered @returns {Settings} */
export function readSettings(remembered) {
  const kept = parse(remembered);
  return {
    clock: CLOCKS.includes(kept.clock) ? kept.clock : USUAL.clock,
    rated: typeof kept.rated === "boolean" ? kept.rated : USUAL.rated,
    bot: typeof kept.bot === "boolean" ? kept.bot : USUAL.bot,
  };
}

/** What a seek says. @param {string} game @param {Settings} settings */
export function toSeek(game, { clock, rated, bot }) {
  return { game, ...(clock && { clock }), rated, ...(bot && { bot_after_ms: BOT_AFTER_MS }) };
}

/** What a challenge says. @param {string} game @param {Settings} settings @param {string} [player] nobody: whoever has the link */
export function toChallenge(game, { clock, rated }, player) {
  return { ...(player && { player }), game, ...(clock && { clock }), rated };
}

/** @param {string} text @returns {Record<string, any>} */
function parse(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
