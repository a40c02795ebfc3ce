// What is said of offers and of who made them: pure.

/** @typedef {import("../types.js").Wanted} Wanted */
/** @typedef {import("./offers.js").Own} Own */

/** From this age (ms) on a seek takes strength less seriously, and then not at all; as the rules have it. */
const WIDER_AFTER = 3000;
const ANYBODY_AFTER = 10_000;

/** Why an offer ended, for who made it. @type {Record<string, string>} */
const ENDS = {
  expired: "Nobody came. Try again, or play a bot.",
  gone: "You were away, so it was taken back.",
  elsewhere: "Taken back: you are in a game now.",
  declined: "No, thanks, they say.",
  full: "There are too many offers right now. Try again in a moment.",
};

/** "30 s a move" @param {number} clock */
export function pace(clock) {
  return clock ? `${clock} s a move` : "no clock";
}

/** "30 s a move · rated" @param {{clock?: number, rated?: boolean}} wanted */
export function terms({ clock = 0, rated = true }) {
  return `${pace(clock)} · ${rated ? "rated" : "casual"}`;
}

/** "1523", with a question mark while it is provisional. @param {number | undefined} rating @param {boolean} [provisional] */
export function ratingText(rating, provisional = false) {
  return rating === undefined ? "" : `${rating}${provisional ? "?" : ""}`;
}

/** As it is read out. @param {number | undefined} rating @param {boolean} [provisional] */
export function spokenRating(rating, provisional = false) {
  return rating === undefined ? "" : `rating ${rating}${provisional ? ", provisional" : ""}`;
}

/** A time in seconds, then minutes: "12 s", "3 min". @param {number} ms */
export function ago(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
}

/**
 * What is happening to an offer of one's own. The same before the answer is there as after:
 * what is asked for is on its way. Only a silence is said.
 * @param {Own} own @param {number} now @param {import("../types.js").Standing} standing
 */
export function happening(own, now, standing) {
  const { kind, state, name, why, offer } = own;
  if (state === "ended") return ENDS[why] ?? why;
  if (state === "cancelling") return "Taking it back…";
  if (!offer && standing === "reconnecting") return "No connection. It is kept, and goes out when the connection is back.";
  if (!offer && standing === "electing") return "The machines do not answer. It is kept, and asked again until they do.";
  if (kind === "taken") return "Taking your seat…";
  if (kind === "bot") return `Setting up the board against ${name || "a bot"}…`;
  const age = now - own.since;
  const waits = ago(age);
  if (why) return `${why} · ${waits}`;
  if (kind === "challenge") return `Waiting for ${name || "their"}${name ? "’s" : ""} answer · ${waits}`;
  if (kind === "link") return offer ? `Whoever opens your link plays you · ${waits}` : "Making your link…";
  return `${lookingFor(age)} · ${waits} · ${own.bot ? "a bot plays if nobody comes" : "it waits up to 10 min"}`;
}

/** @param {number} age */
function lookingFor(age) {
  if (age < WIDER_AFTER) return "Looking for somebody around your strength";
  if (age < ANYBODY_AFTER) return "Looking for somebody not far from your strength";
  return "Looking for anybody";
}

/** All that one waits for, in a few words for the bar on top; empty when it is nothing. @param {Own[]} offers @param {number} now */
export function waiting(offers, now) {
  const open = offers.filter(({ state, kind }) => (state === "asking" || state === "open") && kind !== "taken" && kind !== "bot");
  const [first] = open;
  if (!first) return "";
  return `${open.length > 1 ? `${open.length} offers` : first.kind === "seek" ? "Looking" : "Asking"} · ${ago(now - first.since)}`;
}

/** Who asks for what: "Ann (1523) · Chess · 30 s a move · rated". @param {Wanted & {name: string, rating?: number, provisional?: boolean}} offer @param {string} game as it is called */
export function asksFor({ name, rating, provisional, ...wanted }, game) {
  const strength = ratingText(rating, provisional);
  return `${name}${strength ? ` (${strength})` : ""} · ${game} · ${terms(wanted)}`;
}

/** What was announced of one's own offers, when it begins. @param {Own} own @param {string} game */
export function begins({ kind, name }, game) {
  if (kind === "seek") return `Looking for somebody to play ${game}.`;
  if (kind === "challenge") return `${name || "They"} will be asked for a game of ${game}.`;
  return "";
}

