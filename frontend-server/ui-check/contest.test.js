// A match of two: clocks, draws, somebody who is gone, and what a round came to.

import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, headline, resultTable, signed } from "../ui/contest/result.js";
import { about, between, clockOf, clockText, conceded, goesOn, hand, rematch, told } from "../ui/contest/words.js";
import { game as hangman } from "../ui/games/hangman/game.js";
import { game as ticTacToe } from "../ui/games/tic-tac-toe/game.js";

const PLAYERS = [
  { seat: 0, name: "Ann", player: "p1", online: true, points: 0, role: "x" },
  { seat: 1, name: "Bo", player: "p2", online: true, points: 0, role: "o" },
];
const CLOCK = { seconds: 30, seat: 0, left_ms: 20_000 };
const view = (match = {}, more = {}) => ({
  game: "tic-tac-toe", state: "playing", round: 1, players: PLAYERS, seats: 2, chat: [], host: null, public: false, locked: true, seat_kept_ms: 60_000,
  match: { rated: true, by: "seek", clock: CLOCK, ratings: [{ seat: 0, rating: 1500, provisional: true }, { seat: 1, rating: 1523, provisional: false }], ...match }, ...more,
});
const shown = (of) => Object.entries(of).filter(([, value]) => value === true).map(([name]) => name).sort().join(" ");
const do_ = (match, me = "p1", elapsed = 0, pending = []) => hand(view(match), me, elapsed, pending);

test("a clock counts down for whose move it is, and shows tenths in the end", () => {
  assert.deepEqual(clockOf(view(), 0, 500), { leftMs: 19_500, runs: true, share: 19_500 / 30_000, low: false });
  assert.deepEqual(clockOf(view(), 1, 500), { leftMs: 30_000, runs: false, share: 1, low: false });
  assert.equal(clockOf(view(), 0, 11_000).low, true);
  assert.equal(clockOf(view(), 0, 99_000).leftMs, 0);
  assert.equal(clockOf(view({ clock: undefined }), 0, 0), null);
  assert.equal(clockOf(view({ result: { how: "line", winner: 0 } }), 0, 0), null);
  assert.equal(clockOf(view({ clock: { ...CLOCK, seat: null } }), 0, 0).runs, false);
  assert.deepEqual([60_000, 59_001, 10_000, 9999, 4210, 30, 0, -5].map(clockText), ["1:00", "1:00", "0:10", "10.0", "4.3", "0.1", "0.0", "0.0"]);
});

test("one may offer a draw or resign; the other may agree or play on", () => {
  assert.equal(shown(do_({})), "draw resign");
  const mine = do_({ draw_offered: 0 });
  assert.deepEqual([shown(mine), mine.said], ["resign", "You have offered a draw."]);
  const theirs = do_({ draw_offered: 1 });
  assert.deepEqual([shown(theirs), theirs.said], ["answer resign", "Bo offers a draw."]);
  assert.deepEqual([do_({}, "p1", 0, [{ action: "draw" }]).said, shown(do_({}, "p1", 0, [{ action: "draw" }]))], ["You have offered a draw.", "resign"], "shown before it is answered");
  assert.deepEqual(do_({}, "p1", 0, [{ action: "resign" }]).said, "Resigning…");
  const watcher = do_({ draw_offered: 1 }, "p9");
  assert.deepEqual([shown(watcher), watcher.said], ["", "Bo offers a draw."]);
  assert.deepEqual(shown(hand(view({}, { state: "won" }), "p1", 0, [])), "");
  assert.deepEqual(shown(hand({ ...view(), match: undefined }, "p1", 0, [])), "");
});

test("who is gone is counted down, and then there is a claim", () => {
  const gone = { gone: { seat: 1, claim_in_ms: 45_000 } };
  assert.equal(do_(gone, "p1", 13_000).said, "Bo is gone, and may come back within 32 s.");
  assert.equal(shown(do_(gone, "p1", 13_000)), "resign");
  assert.deepEqual([do_(gone, "p1", 45_000).said, shown(do_(gone, "p1", 45_000))], ["Bo is gone, and has not come back.", "claim"]);
  assert.equal(shown(do_(gone, "p2", 45_000)), "draw resign", "not for who is back");
});

test("a rematch says what the other has said", () => {
  const over = (again, players = PLAYERS) => view({ result: { how: "line", winner: 0 } }, { state: "won", players, ...(again && { again: { agreed: again } }) });
  assert.equal(rematch(over(), "p1", false), "Sides are swapped.");
  assert.equal(rematch(over([1]), "p1", false), "Bo wants a rematch.");
  assert.equal(rematch(over([0]), "p1", false), "Waiting for Bo.");
  assert.equal(rematch(over(), "p1", true), "Waiting for Bo.");
  assert.equal(rematch(over([1]), "p1", true), "Here it comes.");
  assert.equal(rematch(over([], PLAYERS.slice(0, 1)), "p1", false), "The other has left the table.");
  assert.equal(rematch(over([1]), "p9", false), "");
});

test("a screen reader hears what stands between the two, once, and no clock", () => {
  const say = (before, after, me = "p1") => told(view(before), view(after), me);
  assert.deepEqual(say({}, { draw_offered: 1 }), ["Bo offers a draw."]);
  assert.deepEqual(say({ draw_offered: 1 }, { draw_offered: 1 }), []);
  assert.deepEqual(say({ draw_offered: 1 }, {}), ["The offer of a draw is off."]);
  assert.deepEqual(say({}, { gone: { seat: 1, claim_in_ms: 45_000 } }), ["Bo is gone, and may come back within 45 s."]);
  assert.deepEqual(say({ gone: { seat: 1, claim_in_ms: 45_000 } }, {}), ["They are back."]);
  assert.deepEqual(say({}, { clock: { ...CLOCK, left_ms: 1000 } }), []);
  const result = { how: "line", winner: 1, changes: [{ seat: 0, before: 1500, after: 1484 }] };
  assert.deepEqual(told(view(), view({ result }, { state: "won" }), "p1"), ["Your rating: 1484, minus 16."]);
  assert.deepEqual(told(null, view({ draw_offered: 1 }), "p1"), []);
});

test("a result is a table, oneself first; what nobody said is not in it", () => {
  const result = {
    how: "line", winner: 1, ms: 77_000, changes: [{ seat: 0, before: 1500, after: 1516 }, { seat: 1, before: 1523, after: 1507 }],
    statistics: [{ seat: 0, moves: 5, ms: 12_000, slowest_ms: 4000, good: 4, luck: -1240 }, { seat: 1, moves: 0, ms: 0, slowest_ms: 0, good: 0, luck: 0 }],
  };
  const table = resultTable(view({ result }, { state: "won" }), "p2", { called: "Hits" });
  assert.deepEqual(table.heads, ["You", "Ann"]);
  assert.deepEqual(table.rows.map(({ name, cells }) => [name, ...cells]), [
    ["Rating", "1507 (−16)", "1516 (+16)"],
    ["Moves", "0", "5"],
    ["Hits", "–", "4 of 5"],
    ["Time", "–", "12.0 s"],
    ["Slowest move", "–", "4.0 s"],
    ["Luck", "0", "−1.2"],
  ]);
  const sets = PLAYERS.map((player) => ({ ...player, role: player.seat === 0 ? "setter" : "guesser" }));
  const set = resultTable(view({ result: { ...result, statistics: result.statistics.map((one) => ({ ...one, moves: 3 })) } }, { state: "won", players: sets }), "p1", { called: "Hits", role: "guesser" });
  assert.deepEqual(set.rows.find(({ name }) => name === "Hits").cells, ["–", "0 of 3"], "in the other role nothing is judged");
  assert.equal(headline(view({ result })), "This game took 1:17");
  assert.deepEqual(resultTable(view({ result: { how: "agreed", winner: null } }), "p1"), { heads: ["You", "Bo"], rows: [] });
  assert.equal(resultTable(view(), "p1"), null);
  assert.deepEqual([signed(0), signed(3), signed(-3), duration(59_940), duration(61_000)], ["±0", "+3", "−3", "59.9 s", "1:01"]);
});

test("a match is called by its two, and says what is played for", () => {
  assert.deepEqual([between(view(), "p1"), between(view(), "p9")], ["Against Bo", "Ann against Bo"]);
  assert.equal(about(view().match), "30 s a move · rated");
  assert.equal(about({ rated: false, by: "bot" }), "no clock · not rated");
  assert.equal(about({ rated: true, by: "seek", result: { how: "line", winner: 0 } }), "rated");
  assert.deepEqual([goesOn(view()), goesOn(view({}, { state: "waiting" })), goesOn(view({}, { state: "draw" }))], [true, true, false]);
});

test("how one gave up is said by whoever looks", () => {
  const say = (how, me) => conceded(view(), me, "p2", how);
  assert.equal(say("resigned", "p1"), "You have resigned. Bo wins.");
  assert.equal(say("resigned", "p2"), "Ann has resigned. You win.");
  assert.equal(say("clock", "p9"), "Ann’s time ran out. Bo wins.");
  assert.equal(say("claimed", "p2"), "Ann was gone too long. You win.");
  assert.equal(say("left", "p1"), "You have left. Bo wins.");
});

test("each game says whom it waits for, and knows the ends of a match", () => {
  const cells = Array(9).fill(null);
  const crosses = view({}, { cells, crosses: 0, turn: 1, won: null, line: null, clock: null });
  assert.deepEqual(["p1", "p2", "p9"].map((me) => ticTacToe.awaits(crosses, me)), [false, true, false]);
  assert.deepEqual(ticTacToe.story(crosses, { ...crosses, state: "draw", turn: null }, "p1"), ["A draw was agreed."]);
  const won = { how: "resigned", winner: "p1", winner_name: "Ann", loser: "p2", loser_name: "Bo" };
  assert.deepEqual(ticTacToe.story(crosses, { ...crosses, state: "won", turn: null, won }, "p1"), ["Bo has resigned. You win."]);
  const words = view({}, { mode: "setter", setter: 0, state: "waiting", pattern: [], tried: [], wrong: [], lives: 6, lives_max: 6, category: null, winner: null });
  assert.deepEqual(["p1", "p2"].map((me) => hangman.awaits(words, me)), [true, false]);
  const guessing = { ...words, state: "playing", pattern: [null, null] };
  assert.deepEqual(["p1", "p2"].map((me) => hangman.awaits(guessing, me)), [false, true]);
  const gave = { ...guessing, state: "won", how: "resigned", winner: "p2", answer: "ox" };
  assert.equal(hangman.story(guessing, gave, "p2")[0], "Ann has resigned. You win.");
  const [found, missed] = ["won", "lost"].map((state) => ({ ...guessing, state, winner: state === "won" ? "p2" : "p1", answer: "ox" }));
  const ends = (after) => ["p1", "p2", "p9"].map((me) => hangman.story(guessing, after, me)[0]);
  assert.deepEqual(ends(found), ["Bo found it and wins.", "You found it. You win!", "Bo found it and wins."]);
  assert.deepEqual(ends(missed), ["Bo did not find it. You win!", "You did not find it. Ann wins.", "Bo did not find it. Ann wins."]);
  assert.equal(hangman.story(guessing, { ...guessing, state: "draw" }, "p2")[0], "A draw was agreed.");
});
