// What the page says of tic-tac-toe.

import assert from "node:assert/strict";
import { test } from "node:test";
import { game } from "../ui/games/tic-tac-toe/game.js";
import { CLOCKS } from "../ui/games/tic-tac-toe/opener.js";
import { pace, place, situation, spokenCell, timeLeft } from "../ui/games/tic-tac-toe/story.js";
import { told } from "../ui/told.js";

const [ANN, BO] = ["Ann", "Bo"].map((name, seat) => ({ seat, name, player: `p${seat + 1}`, online: true, points: 0, role: seat ? "o" : "x" }));
const cells = (text) => [...text].map((one) => (one === "." ? null : one));
const view = (changes) => ({
  game: "tic-tac-toe", state: "playing", round: 1, cells: cells("........."), crosses: 0, turn: 0, won: null,
  line: null, clock: 10, left_ms: 10_000, players: [ANN, BO], seats: 2, chat: [], ...changes,
});

const won = (how) => ({ how, winner: "p1", winner_name: "Ann", loser: "p2", loser_name: "Bo" });

test("whose turn it is, and with which mark", () => {
  assert.equal(situation(view({}), "p1"), "Your turn: you have X.");
  assert.equal(situation(view({}), "p2"), "Ann’s turn, with X.");
  assert.equal(situation(view({ turn: 1 }), "p2"), "Your turn: you have O.");
  assert.equal(situation(view({ crosses: 1 }), "p1"), "Your turn: you have O.");
  assert.equal(situation(view({ turn: 1, players: [ANN, { ...BO, online: false }] }), "p1"), "It is Bo’s turn, who is away.");
  const waiting = view({ state: "waiting", turn: null, players: [ANN] });
  assert.match(situation(waiting, "p1"), /Share the link/);
  assert.equal(situation(waiting, "p9"), "Waiting for two who play.");
});

test("how it ended, for who won, who lost and who looks on", () => {
  for (const [how, winner, loser, watcher] of [
    ["line", "Three in a row. You win!", "Ann has three in a row and wins.", "Ann has three in a row and wins."],
    ["clock", "Bo’s time ran out. You win.", "Your time ran out. Ann wins.", "Bo’s time ran out. Ann wins."],
    ["left", "Bo has left. You win.", "You have left. Ann wins.", "Bo has left. Ann wins."],
  ]) {
    // Bo has left meanwhile, and Cy sits in the seat; Cy has lost nothing.
    const players = [ANN, { ...BO, name: "Cy", player: "p9" }];
    const over = view({ state: "won", turn: null, won: won(how), winners: [0], players });
    assert.deepEqual(["p1", "p2", "p9"].map((me) => situation(over, me)), [winner, loser, watcher]);
  }
  assert.match(situation(view({ state: "draw", turn: null }), "p1"), /^A draw/);
  assert.match(situation(view({ state: "abandoned", turn: null }), "p1"), /counts for nobody/);
});

test("what happened is told once, whether it came one by one or all at once", () => {
  const one = view({ cells: cells("....X...."), turn: 1 });
  const two = view({ cells: cells("O...X...."), turn: 0 });
  assert.deepEqual(told(game, view({}), one, "p2"), ["Ann marked row 2, column 2.", "Your turn: you have O."]);
  assert.deepEqual(told(game, view({}), two, "p1"), ["Bo marked row 1, column 1.", "You marked row 2, column 2."]);
  assert.deepEqual(told(game, two, two, "p1"), []);
  assert.deepEqual(told(game, null, two, "p1"), ["Round 1.", "Your turn: you have X."]);
  const over = view({ state: "won", turn: null, won: won("line"), cells: cells("OOXXX.X.."), line: [2, 4, 6] });
  assert.equal(told(game, two, over, "p2").at(-1), "Ann has three in a row and wins.");
  assert.deepEqual(told(game, over, view({ round: 2, crosses: 1, turn: 1 }), "p2"), ["Round 2.", "Your turn: you have X."]);
});

test("cells are read out, and a clock never shows less than nothing", () => {
  assert.equal(spokenCell(view({ cells: cells("....X....") }), 4), "Row 2, column 2: X");
  assert.equal(spokenCell(view({}), 8), "Row 3, column 3: empty");
  assert.equal(place(5), "row 2, column 3");
  assert.deepEqual([0, 9_001, 20_000].map((elapsed) => timeLeft(view({}), elapsed)), [10, 1, 0]);
  assert.equal(timeLeft(view({ left_ms: undefined, clock: null }), 0), null);
  assert.deepEqual([null, ...CLOCKS].map(pace), ["no clock", "10 s a move", "30 s a move", "60 s a move"]);
});
