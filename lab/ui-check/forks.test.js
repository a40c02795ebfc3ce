// Forks of a simulated day, and steps through one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DEEDS, differences, faultWords, forkCommand, forkedAt, momentWords, readFork, samePast, writeFork } from "../src/viewer/model/forks.js";
import { firstOf, happensAt, nextMoment, onDays } from "../src/viewer/model/steps.js";
import { story } from "../src/viewer/model/story.js";
import { lines, modelOf } from "./paper.js";

const choice = { verb: "kill", node: "n1", other: "n2", by: "200ms", percent: "20", for: "", instead: false };

test("a choice is said in the simulator's words", () => {
  const words = (/** @type {Partial<typeof choice>} */ changed) => faultWords({ ...choice, ...changed });
  assert.equal(words({}), "kill n1");
  assert.equal(words({ for: "3s", instead: true }), "instead kill n1 3s");
  assert.equal(words({ verb: "cut", for: "1s" }), "cut n1 n2 1s");
  assert.equal(words({ verb: "delay", node: "leader" }), "delay leader 200ms");
  assert.equal(words({ verb: "drop" }), "drop 20");
  assert.equal(words({ verb: "heal", for: "3s" }), "heal");
  assert.equal(words({ verb: "nothing", instead: true }), "nothing");
  assert.equal(new Set(DEEDS.map(({ verb }) => verb)).size, DEEDS.length);
});

test("a moment is said to the microsecond, and a fork stands in the address", () => {
  assert.equal(momentWords(12_345_678), "12.345678s");
  assert.equal(momentWords(12_000_000.4), "12s");
  assert.equal(momentWords(7), "0.000007s");
  assert.equal(forkCommand("scripts/simulate --seed 42", 9_500_000, "kill n1"), 'scripts/simulate --seed 42 --fork "9.5s kill n1"');
  assert.deepEqual(readFork("9us drop 20% 3s"), { at: 9, fault: "drop 20% 3s" });
  assert.deepEqual(readFork(writeFork(9_500_000.2, "instead kill n1 3s")), { at: 9_500_000, fault: "instead kill n1 3s" });
  for (const text of [null, "", "kill n1", "9.5s kill n1", "9us", "9us --x", "9us kill <b>"]) assert.equal(readFork(text), undefined, String(text));
});

test("a timeline says itself where it was forked", () => {
  const told = { kind: "told", at: 2_000_000, about: "fork", text: "from here on another day: n1 is killed" };
  assert.deepEqual(forkedAt(modelOf([...lines, told])), [2_000_000]);
  assert.deepEqual(forkedAt(modelOf()), []);
});

test("what came of calls and messages later is no other past", () => {
  const message = { kind: "message", at: 5, received: 20, what: "vote", from: 1, to: 2, term: 3, bytes: 9 };
  const call = { kind: "call", at: 6, returned: 30, client: 1, by: "f1", asked: "write", action: "play", outcome: "ok", version: 3 };
  const one = [lines[0], message, call, { kind: "told", at: 12, about: "story", text: "a" }];
  const other = [lines[0], { ...message, received: undefined }, { ...call, returned: undefined, outcome: "unknown", version: undefined, by: "f2" }];
  assert.ok(samePast(one, other, 10));
  assert.ok(!samePast(one, other, 25), "it came before that moment");
  assert.ok(!samePast(one, other, 13), "something was told");
  assert.ok(!samePast(one, [lines[0], { ...message, bytes: 10 }, call], 10), "another message");
  const read = { kind: "call", at: 7, returned: 30, client: 2, by: "n1", asked: "read", outcome: "ok", version: 3 };
  assert.ok(samePast([...one, read], other, 10), "a read that was answered on one day only");
  assert.ok(!samePast([...one, { ...read, returned: 8 }], other, 10), "it was answered before");
});

test("the differences of two days are what only one of them tells", () => {
  const day = (/** @type {object[]} */ more) => story(modelOf([lines[0], ...more]));
  const role = (/** @type {number} */ at, /** @type {number} */ node, /** @type {number} */ term) => ({ kind: "role", at, node, term, role: "leader", leader: node, voted: node });
  const follows = (/** @type {number} */ at, /** @type {number} */ node) => ({ kind: "role", at, node, term: 1, role: "follower", leader: 1 });
  const told = (/** @type {number} */ at, /** @type {string} */ text) => ({ kind: "told", at, about: "story", text });
  const original = day([role(10, 1, 1), follows(20, 2), follows(20, 3), told(3_000_000, "takes 12.5 ms"), role(5_000_000, 2, 2), told(9_000_000, "late")]);
  const fork = day([role(10, 1, 1), follows(20, 2), follows(20, 3), told(3_400_000, "takes 7 ms"), role(5_000_000, 3, 2), told(7_000_000, "late")]);
  const found = differences(original, fork, 1_000_000).map(({ at, which, entry }) => [at, which, entry.text]);
  assert.deepEqual(found, [
    [5_000_000, "original", "n2 leads term 2: 1 of 3 voted for it (n2)"],
    [5_000_000, "fork", "n3 leads term 2: 1 of 3 voted for it (n3)"],
    [7_000_000, "fork", "late"],
    [9_000_000, "original", "late"],
  ]);
  assert.deepEqual(differences(original, original, 0), []);
});

test("steps go through every happening, both ways, and say what it is", () => {
  const model = modelOf();
  const forth = [];
  for (let time = nextMoment(model, -1, 1); time !== undefined; time = nextMoment(model, time, 1)) forth.push(time);
  const back = [];
  for (let time = nextMoment(model, Infinity, -1); time !== undefined; time = nextMoment(model, time, -1)) back.unshift(time);
  assert.deepEqual(forth, back);
  const wanted = new Set(lines.flatMap((line) => [line.at, line.received, line.returned]).filter((time) => time !== undefined));
  assert.deepEqual(forth.filter((time) => wanted.has(time)), [...wanted].sort((one, other) => one - other));
  for (const time of forth) assert.notEqual(happensAt(model, time), "", `nothing is told at ${time}`);
  const vote = lines.find((line) => line.kind === "message" && line.received !== undefined);
  assert.match(happensAt(model, vote.at), /is sent/);
  assert.match(happensAt(model, vote.received), /arrives/);
});

test("steps go through two days at once, and say on which something happens", () => {
  assert.deepEqual([firstOf([7, 5], 1), firstOf([7, 5], -1), firstOf([undefined, 5], 1), firstOf([undefined], 1)], [5, 7, 5, undefined]);
  assert.equal(onDays([["original", "n1 runs"]]), "n1 runs");
  assert.equal(onDays([["original", "n1 runs"], ["fork", "n1 runs"]]), "n1 runs");
  assert.equal(onDays([["original", ""], ["fork", "n1 runs"]]), "fork: n1 runs");
  assert.equal(onDays([["original", "n2 runs"], ["fork", "n1 runs"]]), "original: n2 runs; fork: n1 runs");
});
