// What the page says of nim.

import assert from "node:assert/strict";
import { test } from "node:test";
import { game } from "../ui/games/nim/game.js";
import { situation, spokenStone, together } from "../ui/games/nim/story.js";
import { told } from "../ui/told.js";

const PLAYERS = ["Ann", "Bo"].map((name, seat) => ({ seat, name, player: `p${seat + 1}`, online: true, points: 0, role: "player" }));
const view = (changes) => ({ game: "nim", state: "playing", round: 1, heaps: [3, 4, 5], turn: 0, winner: null, players: PLAYERS, seats: 2, chat: [], ...changes });

test("stones that were taken are told, and whose turn it is", () => {
  const after = view({ heaps: [3, 4, 3], turn: 1 });
  assert.deepEqual(told(game, view({}), after, "p2"), ["2 stones from heap 3; 3 left.", "Your turn: take stones from one heap."]);
  assert.deepEqual(told(game, after, after, "p2"), []);
  assert.deepEqual(told(game, null, after, "p1"), ["Round 1: heaps of 3, 4 and 3.", "Bo’s turn."]);
  const won = view({ state: "won", heaps: [0, 0, 0], turn: null, winner: "p1" });
  assert.equal(told(game, view({ heaps: [0, 0, 1] }), won, "p2").at(-1), "Ann took the last stone and wins.");
  assert.equal(situation(won, "p1"), "You took the last stone. You win!");
  assert.match(situation(view({ state: "waiting", turn: null, players: PLAYERS.slice(0, 1) }), "p1"), /Share the link/);
  assert.equal(situation(view({ turn: 1, players: PLAYERS.slice(0, 1) }), "p1"), "Whoever takes the free seat moves.");
});

test("heaps and stones are called what they are", () => {
  assert.deepEqual([[7], [1, 2], [3, 4, 5]].map(together), ["a heap of 7", "heaps of 1 and 2", "heaps of 3, 4 and 5"]);
  assert.equal(spokenStone(0, 2), "Heap 1: take 2");
});
