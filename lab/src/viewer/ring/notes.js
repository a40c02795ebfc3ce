// What the picture does not show as it is, or leaves out, in a line beside it.

import { wordsOf } from "./links.js";
import { TOLD } from "./wires.js";

/**
 * @param {{pace: import("./pace.js").Pace, still: boolean, layer: "raft" | "gossip", pairs: readonly import("./links.js").Pair[], elsewhere: readonly import("../model/types.js").Fault[], messages: number, moves: number, players: [number, number]}} drawn
 * @returns {string}
 */
export function noteOf({ pace, still, layer, pairs, elsewhere, messages, moves, players }) {
  const said = [];
  if (layer === "raft" && still) said.push("Nothing moves, as your system asks for; only votes and snapshots are drawn.");
  else if (layer === "raft" && pace.real) said.push("Messages are drawn where they really are.");
  else if (layer === "raft") said.push("Messages are quicker than the eye: each is drawn for 0.3 s, an answer behind its question.");
  if (layer === "gossip") said.push("Each half of a way shows what the node at its end holds of the other.");
  if (messages > 1) said.push(`1 of ${messages} everyday messages is drawn; all votes are.`);
  if (moves > 1) said.push(`1 of ${moves} moves is drawn.`);
  if (players[1] > players[0] && players[0] >= 80) said.push(`${players[0]} of ${players[1]} players are drawn.`);
  if (pairs.length > TOLD) said.push(`On ${pairs.length} ways: ${[...new Set(pairs.map(wordsOf))].join("; ")}.`);
  if (elsewhere.length) said.push(`Not drawn: ${elsewhere.map(({ what }) => what).join("; ")}.`);
  return said.join(" ");
}
