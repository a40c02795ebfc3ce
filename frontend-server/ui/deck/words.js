// What is said below deck: pure. Each sentence is true whenever it can be read: what is
// not known is not said.

/** @typedef {import("../types.js").Deck} Deck */
/** @typedef {import("./journeys.js").Journey} Journey */

/** An election that takes longer than this (ms) is a long one. */
const LONG_ELECTION = 5000;

/** A move that waits longer than this (ms) is not just on its way. */
const LONG_WAY = 1000;

/**
 * How things stand. `deck`: the nodes, as the frontend that we talk to has told them.
 * `forMs`: for how long it has been led so, or not led, by now. `mute`: the frontend is of
 * before, and tells nothing. `met`: there was a frontend before. `waits`: for how long (ms)
 * the oldest move has waited, 0 when none does.
 * @typedef {{
 *   standing: import("../types.js").Standing, deck: Deck | null, forMs: number, mute: boolean, met: boolean, waits: number,
 * }} Situation
 */

/** A time in words: "4 ms", "0.84 s", "12.3 s", "2 min". @param {number} ms */
export function span(ms) {
  const whole = Math.max(0, Math.round(ms));
  if (whole < 100) return `${whole} ms`;
  if (whole < 10_000) return `${(whole / 1000).toFixed(2)} s`;
  if (whole < 60_000) return `${(whole / 1000).toFixed(1)} s`;
  return `${Math.floor(whole / 60_000)} min`;
}

/** @param {number | undefined} node */
export function called(node) {
  return `n${node}`;
}

/**
 * Whether somebody leads, as far as is known. That nobody does is told to all pages at once,
 * and may be known before the nodes are shown anew.
 * @param {Situation} situation
 */
export function isLed({ standing, deck }) {
  return standing === "connected" && deck?.leader !== undefined;
}

/** Who leads, or since when nobody does. @param {Situation} situation */
export function heading({ standing, deck, forMs, mute, met }) {
  if (standing === "reconnecting") return met ? "This page has lost its frontend, and looks for one." : "This page looks for a frontend.";
  if (mute) return "This frontend is an older one, and does not tell who leads.";
  if (!deck) return "Looking below deck…";
  if (deck.leader !== undefined) return standing === "connected" ? led(deck) : `The leader, ${called(deck.leader)}, was lost a moment ago.`;
  const from = deck.nodes.some(({ heard }) => heard) ? "" : " This frontend hears no node.";
  if (deck.lost === undefined) return `No leader has been found for ${span(forMs)}.${from}`;
  return `The leader, ${called(deck.lost)}, was lost ${span(forMs)} ago.${from}`;
}

/** @param {Deck} deck */
function led(deck) {
  const leader = called(deck.leader);
  const term = deck.term === undefined ? "" : ` in term ${deck.term}`;
  const missed = deck.nodes.filter(({ heard }) => !heard).map(({ node }) => node);
  const through = deck.through === undefined ? "" : ` The game is seen through ${called(deck.through)}.`;
  if (deck.leader !== undefined && missed.includes(deck.leader)) {
    return `${leader} leads${term}, but is not heard from here. Other nodes hear it, and pass moves on.`;
  }
  if (missed.length === 0) return `${leader} leads${term}. ${everyone(deck.nodes.length)}${through}`;
  const enough = quorum(deck);
  const names = missed.map(called);
  const who = names.length < 3 ? `${names.join(" and ")} ${names.length === 1 ? "is" : "are"}` : `${names.length} nodes are`;
  return `${leader} leads${term}. ${who} not heard from here${enough ? `; ${enough.needed} of ${enough.voters} are enough` : ""}.${through}`;
}

/** @param {number} count */
function everyone(count) {
  if (count === 1) return "It is the only node.";
  return count === 2 ? "Both nodes are heard." : `All ${count} nodes are heard.`;
}

/**
 * How many votes there are, how many a majority needs, and how many of them are heard from
 * here; nothing when nobody has said who votes.
 * @param {Deck} deck
 */
export function quorum({ nodes }) {
  if (nodes.length === 0 || nodes.some(({ votes }) => votes === undefined)) return null;
  const voters = nodes.filter(({ votes }) => votes);
  return { voters: voters.length, needed: Math.floor(voters.length / 2) + 1, heard: voters.filter(({ heard }) => heard).length };
}

/** What is safe; empty while all is well. @param {Situation} situation */
export function safe(situation) {
  return isInTrouble(situation) ? "all that was played; a majority has saved it." : "";
}

/** What is waited for; empty while all is well. @param {Situation} situation */
export function awaited(situation) {
  const { standing, deck, forMs } = situation;
  if (!isInTrouble(situation)) return "";
  if (standing === "reconnecting") return "a frontend that answers.";
  // The nodes are shown anew in a moment.
  if (!deck || deck.leader !== undefined) return "a leader.";
  const votes = quorum(deck);
  if (!votes) return "a leader; the nodes elect one when enough of them are there.";
  if (votes.heard < votes.needed) return `a majority: ${votes.needed} of ${votes.voters} nodes; ${heard(votes.heard)}.`;
  if (forMs < LONG_ELECTION) return "an election, usually under a second.";
  return "an election. It takes long; perhaps the nodes do not hear each other.";
}

/** @param {number} count */
function heard(count) {
  return count === 0 ? "none is heard" : `${count} ${count === 1 ? "is" : "are"} heard`;
}

/** Whether moves cannot be saved now, as far as is known. @param {Situation} situation */
export function isInTrouble({ standing, deck }) {
  return standing !== "connected" || (deck !== null && deck.leader === undefined);
}

/**
 * What becomes of a move.
 * @param {Journey} journey @param {Situation} situation @param {number} behind how many more wait
 */
export function progress(journey, situation, behind) {
  if (journey.end) return ending(journey);
  const more = behind === 0 ? "" : behind === 1 ? " One more waits behind it." : ` ${behind} more wait behind it.`;
  return `${under(journey, situation)}${more}`;
}

/** Of one that has no answer yet. @param {Journey} journey @param {Situation} situation */
function under(journey, { standing, deck, forMs, waits }) {
  const mine = `Your ${journey.name}`;
  const again = journey.sends > 0 ? " again" : "";
  if (standing === "reconnecting") return `${mine} is kept on this page, and is sent${again} to the next frontend that answers.`;
  if (journey.putOff === "unknown-outcome") return `Nobody could say yet whether your ${journey.name} was saved. It is asked again, and counts once.`;
  if (journey.putOff) return `${mine} was not taken yet. It is kept on this page, and is sent again.`;
  if (!journey.here) return `${mine} is kept on this page until the game is up to date.`;
  if (standing === "electing" || (deck && deck.leader === undefined)) {
    const lost = deck?.lost !== undefined;
    return `${mine} is kept here and is sent${lost && waits > forMs ? " again" : ""} to the next ${lost ? "one" : "leader"}.`;
  }
  if (waits >= LONG_WAY) return `${mine} has waited for ${span(waits)}. It is kept here until a majority has saved it.`;
  return deck?.leader === undefined ? `${mine} is on its way.` : `${mine} is on its way to the leader, ${called(deck.leader)}.`;
}

/** @param {Journey} journey */
function ending({ name, end, savedMs, shownMs, sends, lostLeader, reason }) {
  switch (end) {
    case "saved": {
      const lost = lostLeader ? " The leader was lost meanwhile." : "";
      const once = sends > 1 ? ` It was sent ${sends} times, and counts once.` : "";
      const shown = shownMs === undefined ? "" : `, on your screen after ${span(shownMs)}`;
      return `Your ${name}: saved by a majority after ${span(savedMs ?? 0)}${shown}.${lost}${once}`;
    }
    case "refused":
      return `Your ${name} was refused. ${reason}`.trim();
    case "moot":
      return `Your ${name} belongs to a game that is not on this page any more. It is not sent again.`;
    case "given-up":
      return `Your ${name} was given up: it was not taken in time.`;
    default:
      return `Nobody can say any more whether your ${name} was saved. Look at the board.`;
  }
}

/** What a screen reader hears when another node leads; nothing otherwise. @param {Deck | null} before @param {Deck} after */
export function told(before, after) {
  if (!before || after.leader === undefined || after.leader === (before.leader ?? before.lost)) return "";
  return `${called(after.leader)} leads now.`;
}

/** What stands below a raft. @param {Deck} deck @param {import("../types.js").Aboard} aboard */
export function station(deck, { node, votes, heard: hears }) {
  if (!hears) return node === deck.leader ? "leads, not heard" : "not heard";
  if (node === deck.leader) return "leads";
  if (votes === undefined) return "";
  return votes ? "votes" : "learns";
}
