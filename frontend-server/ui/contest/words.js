// A match of two in words: pure. Who has how long, what stands between the two, and how it
// ended.

import { pace } from "../match/words.js";
import { secondsLeft } from "../text.js";

/** @typedef {import("../types.js").View} View */
/** @typedef {import("../types.js").Match} Match */
/** @typedef {import("../types.js").Player} Player */

/** Below this (ms) a clock shows tenths. */
const TENTHS_BELOW = 10_000;

/** With so much left (ms) a clock is low, and its owner is told so once. */
export const LOW_MS = 10_000;

/** "0:23", and "4.2" in the end. @param {number} ms */
export function clockText(ms) {
  const left = Math.max(0, ms);
  if (left < TENTHS_BELOW) return (Math.ceil(left / 100) / 10).toFixed(1);
  const seconds = Math.ceil(left / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/**
 * The clock of a seat; null when there is none. `runs`: it is their move. Nobody's clock
 * runs when the round is over.
 * @param {View} view @param {number} seat @param {number} elapsed how long (ms) the view has been here
 */
export function clockOf(view, seat, elapsed) {
  const clock = view.match?.clock;
  if (!clock || view.match?.result) return null;
  const whole = clock.seconds * 1000;
  const runs = clock.seat === seat && view.state !== "won" && view.state !== "lost" && view.state !== "draw";
  const leftMs = runs ? Math.min(whole, Math.max(0, (clock.left_ms ?? whole) - elapsed)) : whole;
  return { leftMs, runs, share: leftMs / whole, low: runs && leftMs <= Math.min(LOW_MS, whole / 2) };
}

/** What is played for: "30 s a move · rated". @param {Match} match */
export function about({ clock, rated, by, result }) {
  const how = by === "bot" ? "not rated" : rated ? "rated" : "casual";
  // When all is over, nobody may have said more of the clock.
  return !clock && result ? how : `${pace(clock?.seconds ?? 0)} · ${how}`;
}

/** The rating beside a name. @param {View} view @param {number} seat */
export function ratingOf(view, seat) {
  return view.match?.ratings?.find((one) => one.seat === seat);
}

/** "Against Bo", or "Ann against Bo". @param {View} view @param {string} me */
export function between(view, me) {
  const mine = view.players.find(({ player }) => player === me);
  const others = view.players.filter((player) => player !== mine);
  if (mine) return others[0] ? `Against ${others[0].name}` : "Your match";
  return others.length > 1 ? `${others[0]?.name} against ${others[1]?.name}` : "A match";
}

/** Whether a round is going on. @param {View} view */
export function goesOn({ state, match }) {
  return (state === "playing" || state === "waiting") && !match?.result;
}

/**
 * What one can do now, and what is said beside it. `resign`, `draw`, `answer`, `claim`: which
 * buttons there are.
 * @param {View} view @param {string} me @param {number} elapsed @param {{action: string}[]} pending
 */
export function hand(view, me, elapsed, pending) {
  const { match } = view;
  const mine = view.players.find(({ player }) => player === me);
  const none = { said: "", resign: false, draw: false, answer: false, claim: false };
  if (!match || !goesOn(view)) return none;
  const gone = goneText(view, me, elapsed);
  if (!mine) return { ...none, said: gone.said || drawText(view, me) };
  const sent = new Set(pending.map(({ action }) => action));
  const offered = typeof match.draw_offered === "number";
  const theirs = offered && match.draw_offered !== mine.seat;
  if (gone.seat !== null && gone.seat !== mine.seat) return { ...none, said: gone.said, resign: !gone.due && !sent.has("resign"), claim: gone.due && !sent.has("claim") };
  const asked = sent.has("draw") && !offered;
  const said = sent.has("resign") ? "Resigning…" : asked ? "You have offered a draw." : drawText(view, me);
  return { ...none, said, resign: !sent.has("resign"), draw: !offered && !asked && others(view, me).length > 0, answer: theirs && !sent.has("draw") };
}

/** @param {View} view @param {string} me */
function drawText(view, me) {
  const offered = view.match?.draw_offered;
  const who = typeof offered === "number" ? view.players.find(({ seat }) => seat === offered) : undefined;
  if (!who) return "";
  return who.player === me ? "You have offered a draw." : `${who.name} offers a draw.`;
}

/** Who is gone, and what may be done about it when. @param {View} view @param {string} me @param {number} elapsed */
function goneText(view, me, elapsed) {
  const gone = view.match?.gone;
  const who = gone ? view.players.find(({ seat }) => seat === gone.seat) : undefined;
  if (!gone || !who || who.player === me) return { seat: null, due: false, said: "" };
  const left = secondsLeft(gone.claim_in_ms - elapsed);
  const said = left > 0 ? `${who.name} is gone, and may come back within ${left} s.` : `${who.name} is gone, and has not come back.`;
  return { seat: gone.seat, due: left === 0, said };
}

/** What is done with the rematch. @param {View} view @param {string} me @param {boolean} asked whether one's own wish is on its way */
export function rematch(view, me, asked) {
  const mine = view.players.find(({ player }) => player === me);
  const [other] = others(view, me);
  if (!mine) return "";
  if (!other) return "The other has left the table.";
  const agreed = view.again?.agreed ?? [];
  if (asked || agreed.includes(mine.seat)) return agreed.includes(other.seat) ? "Here it comes." : `Waiting for ${other.name}.`;
  if (agreed.includes(other.seat)) return `${other.name} wants a rematch.`;
  return "Sides are swapped.";
}

/** @param {View} view @param {string} me */
function others(view, me) {
  return view.players.filter(({ player }) => player !== me);
}

/**
 * How one of the two has given up, and who wins by it.
 * @param {View} view @param {string} me @param {string | null} winner the player @param {string} how
 */
export function conceded(view, me, winner, how) {
  const loser = view.players.find(({ player }) => player !== winner);
  const mine = loser?.player === me;
  const name = loser?.name ?? "The other";
  const wins = winner === me ? "You win." : `${view.players.find(({ player }) => player === winner)?.name ?? "The other"} wins.`;
  if (how === "clock") return `${mine ? "Your" : `${name}’s`} time ran out. ${wins}`;
  if (how === "resigned") return `${mine ? "You have" : `${name} has`} resigned. ${wins}`;
  if (how === "claimed") return `${mine ? "You were" : `${name} was`} gone too long. ${wins}`;
  return `${mine ? "You have" : `${name} has`} left. ${wins}`;
}

/**
 * What a screen reader hears of a match between two views.
 * @param {View | null} before @param {View} after @param {string} me
 * @returns {string[]}
 */
export function told(before, after, me) {
  if (!before?.match || !after.match || before.round !== after.round) return [];
  const offered = before.match.draw_offered !== after.match.draw_offered ? drawText(after, me) : "";
  const fell = typeof before.match.draw_offered === "number" && typeof after.match.draw_offered !== "number" && goesOn(after);
  const gone = goneText(after, me, 0);
  const was = goneText(before, me, 0);
  const left = gone.seat !== null && was.seat === null ? gone.said : "";
  const back = was.seat !== null && gone.seat === null && goesOn(after) ? "They are back." : "";
  const change = !before.match.result?.changes && after.match.result ? mineOf(after, me) : "";
  return [offered, fell ? "The offer of a draw is off." : "", left, back, change].filter(Boolean);
}

/** @param {View} view @param {string} me */
function mineOf(view, me) {
  const seat = view.players.find(({ player }) => player === me)?.seat;
  const change = view.match?.result?.changes?.find((one) => one.seat === seat);
  return change ? `Your rating: ${change.after}, ${change.after >= change.before ? "plus" : "minus"} ${Math.abs(change.after - change.before)}.` : "";
}
