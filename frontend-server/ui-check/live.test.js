// Numbers that move, and what a card says.

import assert from "node:assert/strict";
import { test } from "node:test";
import { curvePath, spokenCurve } from "../ui/card/curve.js";
import { lastText, ordered, streaks, tally } from "../ui/card/words.js";
import { axisMax, columns, COUNT_MS, counted, fives, grouped, hourText, readMinutes, shares, streakText } from "../ui/live/words.js";

test("a number counts up within a quarter of a second, and is right in the end", () => {
  assert.equal(COUNT_MS, 250);
  assert.equal(counted(10, 20, 0), 10);
  assert.equal(counted(10, 20, 250), 20);
  const way = [0, 50, 100, 150, 200, 250].map((ms) => counted(0, 100, ms));
  assert.deepEqual(way, [...way].sort((a, b) => a - b));
  assert.equal(counted(20, 10, 9999), 10);
  assert.deepEqual([0, 999, 1000, 45_678, 1_234_567].map(grouped), ["0", "999", "1,000", "45,678", "1,234,567"]);
});

test("a plot begins with an axis that can be halved, and has the newest minute at its end", () => {
  assert.deepEqual([[], [0], [1], [3], [7], [11], [59], [61], [1000]].map(axisMax), [2, 2, 2, 4, 10, 20, 60, 100, 1000]);
  assert.deepEqual(columns([5, 10], 60, 10), [{ at: 58, height: 0.5, value: 5 }, { at: 59, height: 1, value: 10 }]);
  assert.equal(columns(Array(70).fill(1), 60, 10).length, 60);
});

test("the hour can be read: as a sentence, and in fives", () => {
  const minutes = [...Array(7).fill([10, 1]), [3, 0]];
  assert.equal(hourText(minutes), "73 moves and 7 matches in the last hour");
  assert.equal(hourText([[1, 1]]), "1 move and 1 match in the last hour");
  assert.deepEqual(fives(minutes), [{ ago: "0 to 5 min ago", moves: 43, matches: 4 }, { ago: "5 to 8 min ago", moves: 30, matches: 3 }]);
  assert.deepEqual(readMinutes([[1, 2], "x", null, [3]]), [[1, 2], [3, 0]]);
  assert.deepEqual(readMinutes("nonsense"), []);
});

test("wins are shares of a game's rounds, a draw last, and what has no name keeps its own", () => {
  const of = shares({ draw: 2, o: 3, x: 5 }, { x: "X", o: "O" });
  assert.deepEqual(of.map(({ name, count, share }) => [name, count, share]), [["X", 5, 0.5], ["O", 3, 0.3], ["drawn", 2, 0.2]]);
  assert.deepEqual(shares({ x: 1 }, { x: "X", o: "O" }).map(({ name, share }) => [name, share]), [["X", 1], ["O", 0]], "a colour belongs to a side");
  assert.deepEqual(shares({ red: 0 }), [{ side: "red", name: "red", count: 0, share: 0 }]);
  assert.equal(streakText({ length: 7, name: "Ann", game: "g" }, "Go"), "Ann has the longest streak: 7 wins in a row at Go.");
  assert.deepEqual([streakText(undefined, ""), streakText({ length: 1, name: "Ann", game: "g" }, "Go")], ["", ""]);
});

test("a card's curve is a line, told in words for who does not see it", () => {
  assert.equal(curvePath([1500, 1540], 100, 40), "M0.0 40.0L100.0 0.0");
  assert.equal(curvePath([1500, 1500], 100, 40), "M0.0 20.0L100.0 20.0", "no mountain out of nothing");
  assert.equal(curvePath([1500], 100, 40), "");
  assert.equal(spokenCurve([1500, 1490, 1530]), "The last 2 rated games: up from 1500 to 1530; lowest 1490, highest 1530.");
  assert.match(spokenCurve([1500, 1500]), /from 1500 back to 1500/);
  assert.equal(spokenCurve([]), "");
});

test("a card says how somebody plays, the game first that one comes from", () => {
  assert.equal(tally({ games: 12, won: 7, lost: 4, drawn: 1 }), "12 games: 7 won, 4 lost, 1 drawn");
  assert.equal(tally({}), "No game yet");
  assert.deepEqual([streaks({}), streaks({ best_streak: 1 }), streaks({ streak: 1, best_streak: 4 }), streaks({ streak: 3, best_streak: 4 })], ["", "", "4 won in a row at most", "3 won in a row now, 4 at most"]);
  assert.deepEqual(["won", "lost", "drawn", "odd"].map((score) => lastText({ player: "p", name: "Bo", score, change: 8 })), ["won against Bo (+8)", "lost against Bo (+8)", "a draw against Bo (+8)", "odd Bo (+8)"]);
  assert.equal(lastText({ player: "p", name: "Bo", score: "won", change: null }), "won against Bo");
  assert.deepEqual(ordered({ a: {}, c: {}, b: {} }, "c").map(([game]) => game), ["c", "a", "b"]);
});
