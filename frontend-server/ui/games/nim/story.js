// Nim in words: pure.

import { many } from "../../text.js";

/** @typedef {import("./types.js").NimView} View */

/** "heaps of 3, 4 and 5" @param {number[]} heaps */
export function together(heaps) {
  if (heaps.length < 2) return `a heap of ${heaps[0] ?? 0}`;
  return `heaps of ${heaps.slice(0, -1).join(", ")} and ${heaps.at(-1)}`;
}

/** What a stone does that is pressed: it is taken, with all behind it. @param {number} heap counted from 0 @param {number} take */
export function spokenStone(heap, take) {
  return `Heap ${heap + 1}: take ${take}`;
}

/** What everybody waits for, in one line. @param {View} view @param {string} me */
export function situation(view, me) {
  if (view.state === "won") {
    const winner = view.players.find(({ player }) => player === view.winner);
    return view.winner === me ? "You took the last stone. You win!" : `${winner?.name ?? "Somebody"} took the last stone and wins.`;
  }
  const seated = view.players.some(({ player }) => player === me);
  if (view.state === "waiting") return seated ? "Share the link, so that somebody can play against you." : "Waiting for two who play.";
  const mover = view.players.find(({ seat }) => seat === view.turn);
  if (!mover) return "Whoever takes the free seat moves.";
  if (mover.player === me) return "Your turn: take stones from one heap.";
  return mover.online ? `${mover.name}’s turn.` : `It is ${mover.name}’s turn, who is away.`;
}

/**
 * What happened on the board between two views, as sentences.
 * @param {View | null} before null when there was none
 * @param {View} after @param {string} me
 * @returns {string[]}
 */
export function story(before, after, me) {
  const anew = !before || before.round !== after.round || before.state === "waiting";
  if (anew && after.state !== "waiting") return [`Round ${after.round}: ${together(after.heaps)}.`, situation(after, me)];
  if (!before || anew) return [];
  const taken = after.heaps.flatMap((left, heap) => {
    const count = (before.heaps[heap] ?? 0) - left;
    return count > 0 ? [`${many(count, "stone")} from heap ${heap + 1}; ${left} left.`] : [];
  });
  return after.turn !== before.turn || after.state !== before.state ? [...taken, situation(after, me)] : taken;
}
