// What the model knows of a timeline.

import assert from "node:assert/strict";
import { test } from "node:test";
import { lastUntil, within } from "../src/viewer/model/search.js";
import { modelOf } from "./paper.js";

/** Times without a move until the end. */
const gaps = ({ gaps: found, moves, end }) => found.until(moves.times, end);

test("terms follow each other, each with who led it and since when", () => {
  assert.deepEqual(modelOf().terms, [
    { from: 100, to: 413_400, term: 6, leader: 1, led: 100 },
    { from: 413_400, to: Infinity, term: 7, leader: 2, led: 415_000 },
  ]);
});

test("a fault lasts until it is healed, a process is gone until it starts", () => {
  const model = modelOf();
  assert.deepEqual(model.faults, [{ id: 1, node: undefined, what: "cut n1 | others", from: 30_000, to: 600_000 }]);
  assert.deepEqual(model.lives.get("n1"), [{ from: 20_000, to: Infinity, what: "gone" }]);
  model.add({ kind: "process", at: 1_500_000, name: "n1", event: "started" });
  assert.deepEqual(model.lives.get("n1"), [{ from: 20_000, to: 1_500_000, what: "gone" }]);
  assert.equal(model.end, 1_500_000);
});

test("a leader is heard by what it sent and what came: no answers, nothing lost, nothing later", () => {
  const model = modelOf();
  assert.equal(model.heardBefore(2, 413_400), 1400);
  assert.equal(model.heardBefore(2, 1300), undefined, "it was still on its way");
  assert.equal(model.heardBefore(3, 413_400), undefined, "the append was lost");
  assert.equal(model.heardBefore(1, 413_400), undefined, "an answer is no word of a leader");
});

test("of two messages, the one that came last was heard last, whichever was sent first", () => {
  const model = modelOf([]);
  const message = { kind: "message", what: "heartbeat", from: 1, to: 2, term: 1, bytes: 1 };
  model.add({ ...message, at: 10, received: 500 });
  model.add({ ...message, at: 20, received: 30 });
  assert.equal(model.heardBefore(2, 600), 500);
  assert.equal(model.heardBefore(2, 400), 30);
});

test("votes are counted by who gave them in that term", () => {
  assert.deepEqual(modelOf().votersFor(2, 7), [2, 3]);
  assert.deepEqual(modelOf().votersFor(1, 6), [1]);
});

test("acknowledged moves stand in the order of their answers, and a long time without one is found", () => {
  const model = modelOf();
  const { moves } = model;
  assert.deepEqual(moves.times, [9500, 1_264_000]);
  assert.deepEqual(moves.waits, [7500, 1_204_000]);
  assert.deepEqual(gaps(model), [{ from: 50_000, to: 1_264_000, what: "1,214 ms" }]);
});

test("where nobody is answered any more, the time without a move lasts until the end", () => {
  const model = modelOf([]);
  const call = { kind: "call", client: 1, by: "f1", asked: "write", action: "play" };
  model.add({ ...call, at: 0, returned: 100, outcome: "ok", version: 1 });
  model.add({ ...call, at: 200, outcome: "unknown" });
  model.add({ kind: "process", at: 900_000, name: "n1", event: "ended" });
  assert.deepEqual(gaps(model), [{ from: 200, to: 900_000, what: "900 ms" }]);
});

test("a rest in which nobody waits is no time without a move, and whoever waited longest counts", () => {
  const call = { kind: "call", client: 1, by: "f1", asked: "write", action: "play", outcome: "ok", version: 1 };
  const model = modelOf([]);
  model.add({ ...call, at: 0, returned: 100 });
  model.add({ ...call, at: 2_000_000, returned: 2_000_100 });
  assert.deepEqual(gaps(model), [], "nobody had asked");
  model.add({ ...call, at: 2_500_000, returned: 3_000_000 });
  assert.deepEqual(gaps(model).map(({ from, to }) => [from, to]), [[2_500_000, 3_000_000]]);
  model.add({ ...call, at: 2_400_000, returned: 3_000_050 });
  assert.deepEqual(gaps(model).map(({ from, to }) => [from, to]), [[2_400_000, 3_000_000]]);
  model.add({ ...call, at: 2_100_000, outcome: "unknown" });
  assert.deepEqual(gaps(model).map(({ from, to }) => [from, to]), [[2_100_000, 3_000_000]], "one who gave up had waited too");
});

test("who only reads misses no move", () => {
  const model = modelOf([]);
  model.add({ kind: "call", at: 0, returned: 900_000, client: 1, by: "f1", asked: "read", level: "local", outcome: "ok", version: 1 });
  assert.deepEqual(gaps(model), []);
});

test("kinds that nobody knows are left out", () => {
  const model = modelOf();
  model.add(/** @type {any} */ ({ kind: "weather", at: 2_000_000 }));
  assert.equal(model.facts.some(({ line }) => line.kind === "weather"), false);
});

test("what is in a window is found, with what reaches into it", () => {
  const items = [10, 20, 30, 40].map((at) => ({ at }));
  assert.deepEqual(within(items, 25, 35), [1, 3]);
  assert.deepEqual(within(items, 25, 35, 100), [0, 3]);
  assert.deepEqual([lastUntil(items, 9), lastUntil(items, 20), lastUntil(items, 99)], [undefined, { at: 20 }, { at: 40 }]);
});
