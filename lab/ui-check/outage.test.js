// A growing outage: it is read while it grows, and said aloud twice.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gapAt } from "../src/viewer/model/gap.js";
import { Outage } from "../src/viewer/model/outage.js";
import { modelOf } from "./paper.js";

const play = (at, returned) => ({ kind: "call", at, returned, client: 1, by: "f1", asked: "write", action: "play", outcome: "ok", version: 1 });
const grows = (us, more = {}) => ({ from: 1_000_000, us, ended: false, guessed: false, ...more });

test("it is told while it grows, and aloud once when it begins and once when it ends", () => {
  const outage = new Outage();
  const told = [undefined, grows(300_000), grows(600_000), grows(1_250_000), { ...grows(1_640_000), ended: true }, { ...grows(1_640_000), ended: true }, undefined].map((gap) => outage.look(gap));
  assert.deepEqual(told.map(({ words }) => words), ["", "Nobody has been able to move for 0.3 s", "Nobody has been able to move for 0.6 s", "Nobody has been able to move for 1.2 s", "", "", ""]);
  assert.deepEqual(told.map(({ aloud }) => aloud), ["", "", "Nobody can move any more", "", "Moves are acknowledged again, after 1.6 s", "", ""]);
});

test("what is over before it is worth a word is not said aloud, nor how long another one took", () => {
  const outage = new Outage();
  const ended = { from: 100_000, us: 300_000, ended: true, guessed: false };
  assert.deepEqual([grows(400_000), ended, undefined].map((gap) => outage.look(gap).aloud), ["", "", ""]);
  assert.match(outage.look(grows(500_000)).aloud, /^Nobody can move/);
  assert.equal(outage.look(ended).aloud, "Moves are acknowledged again");
});

test("where nobody is known to wait it says only what is known", () => {
  const model = modelOf(Array.from({ length: 40 }, (_, n) => play(n * 50_000, n * 50_000 + 8000)));
  const outage = new Outage();
  const { words, aloud } = outage.look(gapAt(model, 39 * 50_000 + 8000 + 700_000, true));
  assert.equal(words, "No move has been acknowledged for 0.7 s");
  assert.equal(aloud, "No move is acknowledged any more");
});
