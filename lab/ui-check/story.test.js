// The story in plain words.

import assert from "node:assert/strict";
import { test } from "node:test";
import { firstOfEach } from "../src/viewer/header.js";
import { united } from "../src/viewer/lanes/faults.js";
import { whyOf } from "../src/viewer/model/sources.js";
import { story } from "../src/viewer/model/story.js";
import { together } from "../src/viewer/model/told.js";
import { grouped, listed, size, span } from "../src/viewer/model/words.js";
import { modelOf } from "./paper.js";

const told = (model = modelOf()) => story(model).filter(({ minor }) => !minor).map(({ text }) => text);

test("a day with an election is told as it happened", () => {
  assert.deepEqual(told(), [
    "n1 runs",
    "n1 leads term 6",
    "n2 follows n1 in term 6",
    "The voters are n1, n2 and n3 (entry 1)",
    "n1 has ended",
    "cut n1 | others begins",
    "player 2's move ‘a’ was never settled: it may count or not (asked at f1)",
    "n2 suspects n1 (SWIM)",
    "n2 has heard no leader for 412 ms and asks for votes in term 7",
    "n3 grants its vote to n2 in term 7",
    "n2 leads term 7: 2 of 3 voted for it (n2 and n3)",
    "n1 refutes it with incarnation 2: n2 takes it for alive",
    "cut n1 | others ends",
    "n2: took a snapshot <b>up to 40</b>",
    "player 1's move ‘h’ waited 1,204 ms and was accepted as version 13 by f2",
    "After 1,214 ms without one, a move is acknowledged",
    "Broken promise, read-your-writes: player 1 was shown less than it had been told.",
    "player 1's read waited 1.0 ms and was refused by f2: no-such-room",
    "The judge: a promise was broken",
  ]);
});

test("quick calls are told to who asks for all of them", () => {
  const minor = story(modelOf()).filter((entry) => entry.minor).map(({ text }) => text);
  assert.deepEqual(minor, [
    "player 1's move ‘e’ waited 7.5 ms and was accepted as version 12 by f2",
    "player 2's read waited 2.0 ms and was shown version 13 by f1",
  ]);
});

/** What is told of a node's roles, one after the other. */
function roles(...steps) {
  const model = modelOf([]);
  steps.forEach((step, place) => model.add({ kind: "role", at: place, node: 1, ...step }));
  return told(model);
}

test("a leader that hears of a later term leads no more", () => {
  const leads = { term: 2, role: "leader", leader: 1, voted: 1 };
  assert.deepEqual(roles(leads, { term: 3, role: "follower" }).slice(1), ["n1 leads no more: it hears of term 3"]);
});

test("a leader that falls without a later term was started again, or is no voter any more", () => {
  const leads = { term: 2, role: "leader", leader: 1, voted: 1 };
  assert.deepEqual(roles(leads, { term: 2, role: "follower", voted: 1 }).slice(1), ["n1 leads term 2 no more: it was started again"]);
  assert.deepEqual(roles(leads, { term: 2, role: "learner", leader: 1, voted: 1 }).slice(1), ["n1 leads term 2 no more: it votes no more"]);
});

test("who comes back and follows has not voted: a leader of old says that it leads no more", () => {
  const leads = { term: 1, role: "leader", leader: 1, voted: 1 };
  assert.deepEqual(roles(leads, { term: 2, role: "follower", leader: 3, voted: 3 }).slice(1), ["n1 leads no more: it hears of term 2"]);
});

test("a candidate without a majority asks again, in the next term", () => {
  assert.deepEqual(roles({ term: 2, role: "candidate", voted: 1 }, { term: 3, role: "candidate", voted: 1 }), [
    "n1 asks for votes in term 2",
    "n1 got no majority in term 2 and asks for votes in term 3",
  ]);
});

test("a candidate that no leader's message has reached says so", () => {
  const model = modelOf();
  model.add({ kind: "role", at: 1_390_000, node: 3, term: 8, role: "candidate", voted: 3 });
  assert.ok(told(model).includes("n3 has heard of no leader and asks for votes in term 8"));
});

test("a learner and a Raft that has ended are told", () => {
  assert.deepEqual(roles({ term: 2, role: "learner", leader: 2 }, { term: 2, role: "shutdown" }), [
    "n1 learns from n2 and does not vote",
    "n1 takes no more part in Raft",
  ]);
});

test("a change of voters is told once, by the first who knows it", () => {
  const model = modelOf([]);
  const change = { kind: "members", index: 9, voters: [[1, 2, 3], [1, 2, 4]], learners: [3] };
  model.add({ ...change, at: 1, node: 1 });
  model.add({ ...change, at: 2, node: 2 });
  assert.deepEqual(told(model), ["Joint consensus: the voters change from n1, n2 and n3 to n1, n2 and n4; n3 learns (entry 9)"]);
});

test("numbers are written for people", () => {
  assert.deepEqual([412, 9400, 412_000, 1_204_000].map(span), ["0.41 ms", "9.4 ms", "412 ms", "1,204 ms"]);
  assert.deepEqual([0, 999, 1000, 1_234_567, -1000].map(grouped), ["0", "999", "1,000", "1,234,567", "-1,000"]);
  assert.deepEqual([56, 184_320, 12_000_000].map(size), ["56 bytes", "184 kB", "12 MB"]);
  assert.deepEqual([[], ["a"], ["a", "b", "c"]].map(listed), ["", "a", "a, b and c"]);
});

test("what several nodes tell at once is told once", () => {
  const told = (at, node) => ({ kind: "told", at, node, about: "member", text: "n4 is a spare" });
  const model = modelOf([told(1_000_000, 1), told(1_010_000, 2), told(9_000_000, 3)]);
  const entries = story(model).filter(({ text }) => text.includes("n4 is a spare"));
  assert.deepEqual(entries.map(({ minor }) => minor), [false, true, false]);
});

test("faults that overlap shade the picture once", () => {
  const fault = (from, to) => ({ id: from, node: 1, what: "cut", from, to });
  const spans = united([fault(5, 9), fault(1, 3), fault(2, 4), fault(9, 12)]);
  assert.deepEqual(spans, [{ from: 1, to: 4 }, { from: 5, to: 12 }]);
});

test("on top stands the first story of each promise that was broken", () => {
  const findings = ["linearizable", "in_order", "linearizable"].map((promise, at) => ({ promise, at }));
  assert.deepEqual(firstOfEach(findings).map(({ at }) => at), [0, 1]);
});

test("what is done to a node at once is one sentence, and so is its end", () => {
  const cut = (at, id, what, node = 1, healed = false) => ({ kind: "fault", at, id, node, what, healed });
  const model = modelOf([cut(10, 1, "cut to n2"), cut(20, 2, "cut from n2"), cut(25, 3, "cut to n1", 2), cut(30, 4, "each sync takes 80ms longer"), cut(900_000, 1, "cut to n2", 1, true)]);
  assert.deepEqual(told(model), ["cut to n2, from n2 on n1 begins", "cut to n1 on n2 begins", "each sync takes 80ms longer on n1 begins", "cut to n2 on n1 ends"]);
  assert.equal(together(["cut to n2, gossip only", "cut from n2, gossip only"]), "cut to n2, from n2, gossip only");
  assert.equal(together(["cut to n2, gossip only", "cut from n2"]), "cut to n2, gossip only, from n2");
  assert.equal(together(["100 ms slower from n2", "100 ms slower to n2"]), "100 ms slower from n2, to n2");
  assert.equal(together(["cut to n2", "cut to n2"]), "cut to n2, n2");
  assert.equal(together(["the disk is full"]), "the disk is full");
});

test("whoever led when it was first heard of was elected before that: nobody saw its votes", () => {
  const heard = (at, node, what) => ({ kind: "role", at, node, term: 4, role: what, leader: 1, voted: 1 });
  const head = { kind: "head", format: 1, title: "", nodes: [1, 2, 3].map((id) => ({ id, name: `n${id}` })) };
  const model = modelOf([head, heard(10, 2, "follower"), heard(11, 3, "follower"), heard(12, 1, "leader")]);
  assert.deepEqual(told(model), ["n2 follows n1 in term 4", "n3 follows n1 in term 4", "n1 leads term 4"]);
});

test("of reads that nobody is there to answer one is told, each time that the node ends", () => {
  const read = (at) => ({ kind: "call", at, client: 0, by: "n1", asked: "read", outcome: "unknown" });
  const life = (at, event) => ({ kind: "process", at, name: "n1", pid: 1, event });
  const model = modelOf([life(0, "started"), life(10_000_000, "ended"), read(9_900_000), read(11_000_000), read(12_000_000), life(13_000_000, "started"), read(14_000_000), life(20_000_000, "paused"), read(21_000_000)]);
  const entries = story(model).filter(({ reads }) => reads);
  assert.deepEqual(entries.map(({ minor }) => minor), [false, true, true, false, false]);
  assert.match(entries[0].text, /was never answered \(asked at n1, which has ended\)$/);
  assert.match(entries[3].text, /\(asked at n1\)$/, "it was there, and did not answer");
  assert.match(entries[4].text, /which stands still\)$/);
  assert.match(whyOf(entries[0])?.text ?? "", /^Nobody is there/);
  assert.match(whyOf(entries[3])?.text ?? "", /^A linearizable read/);
});
