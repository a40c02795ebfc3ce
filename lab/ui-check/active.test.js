// What is broken now, and how each process stands.

import assert from "node:assert/strict";
import { test } from "node:test";
import { wrongs } from "../src/viewer/break/active.js";
import { counts, headOf, leaderAt, standings, standingText, unfit } from "../src/viewer/break/standing.js";
import { modelOf } from "./paper.js";

const S = 1_000_000;
const head = { kind: "head", format: 1, title: "", nodes: [1, 2, 3].map((id) => ({ id, name: `n${id}` })) };
const role = (at, node, term, is) => ({ kind: "role", at, node, term, role: is });
let id = 0;
const fault = (at, node, what) => ({ kind: "fault", at, id: (id += 1), node, what });
const process = (at, name, event) => ({ kind: "process", at, name, event });
const isolated = () => [fault(5 * S, 1, "cut to n2"), fault(5 * S, 1, "cut from n2"), fault(5 * S, 1, "cut to n3"), fault(5 * S, 1, "cut from n3"), fault(5.01 * S, 2, "cut to n1"), fault(5.01 * S, 2, "cut from n1"), fault(5.02 * S, 3, "cut to n1"), fault(5.02 * S, 3, "cut from n1")];
const told = (lines, done = [], time = 6 * S, demo = true) => wrongs(modelOf([head, ...lines]), time, done, demo).map(({ text, heal }) => `${text} | ${heal.join(" ")}`);

test("what was cut at once is told once, and healed at all its nodes", () => {
  assert.deepEqual(told(isolated()), ["cut: n1 – n2 and n3 | fault heal n1 n2 n3"]);
  const all = [[1, 2], [1, 3], [2, 3]].flatMap(([one, other]) => ["to", "from"].map((way) => fault(S, one, `cut ${way} n${other}, gossip only`)));
  assert.deepEqual(told(all), ["cut, gossip only: n1 – n2, n1 – n3, n2 – n3 | fault heal n1 n2"]);
});

test("one way has a direction, whoever tells of it", () => {
  assert.deepEqual(told([fault(S, 1, "cut to n2"), fault(S, 2, "cut from n1")]), ["cut: n1 → n2 | fault heal n1 n2"]);
  assert.deepEqual(told([fault(S, 1, "cut to the frontends"), fault(S, 1, "cut from the frontends")]), ["cut: n1 – frontends | fault heal n1"]);
});

test("a node's own trouble, and words that nobody knows, are told as they are", () => {
  assert.deepEqual(told([fault(S, 2, "slow disk: syncs take 300 ms longer"), fault(S, 3, "slow disk: syncs take 300 ms longer")]), ["n2 and n3: slow disk: syncs take 300 ms longer | fault heal n2 n3"]);
  assert.deepEqual(told([fault(S, undefined, "Isolate(Leader, All)")]), ["Isolate(Leader, All) | fault heal"]);
});

test("processes that have ended or stand still are told, each with what brings it back", () => {
  const lines = [process(0, "n1", "started"), process(S, "n1", "ended"), process(2 * S, "n2", "paused"), process(2 * S, "f1", "ended"), process(3 * S, "f1", "started")];
  assert.deepEqual(told(lines), ["n1 has ended | restart n1", "n2 stands still | resume n2"]);
  assert.deepEqual(told(lines, [], 6 * S, false), [], "processes of somebody else are not ours");
});

test("the time that is left is known of what was done here, also when two did the same", () => {
  const lines = isolated();
  const more = fault(7 * S, 2, "cut to n3");
  const did = { at: 4.9 * S, answered: 5.1 * S, words: ["fault", "cut", "isolate", "n1", "--for", "10s"] };
  const later = { at: 6.9 * S, answered: 7 * S, words: ["fault", "cut", "one-way", "n2", "n3"] };
  const model = modelOf([head, ...lines, more]);
  assert.deepEqual(wrongs(model, 8 * S, [did, later], true).map(({ text, until, more: others }) => [text, until, others]), [["cut: n1 – n2 and n3", 15 * S, true], ["cut: n2 → n3", undefined, true]]);
  assert.equal(wrongs(model, 8 * S, [], true)[0].until, undefined, "of what others did nobody knows it");
  const long = { ...did, at: S, answered: 1.2 * S };
  assert.equal(wrongs(model, 8 * S, [long], true)[0].until, undefined, "what was done long before is not its cause");
});

test("what has healed is not told", () => {
  const lines = isolated();
  assert.deepEqual(told([...lines, ...lines.map((line) => ({ ...line, at: 5.5 * S, healed: true }))]), []);
});

test("how a process stands: the last to lead the highest term leads", () => {
  const model = modelOf([head, role(0, 1, 3, "leader"), role(0, 2, 3, "follower"), role(2 * S, 2, 4, "leader"), role(0, 3, 3, "candidate"), process(0, "f1", "started")]);
  assert.deepEqual(leaderAt(model, S), { node: 1, term: 3 });
  assert.deepEqual(leaderAt(model, 2 * S), { node: 2, term: 4 });
  assert.deepEqual(standings(model, 2 * S).map((one) => `${one.name} ${standingText(one)}`), ["n1 believes that it leads term 3", "n2 leads term 4", "n3 asks for votes in term 3", "f1 a frontend, runs"]);
});

test("a dead leader leads no more, a paused one stands still", () => {
  const model = modelOf([head, role(0, 1, 3, "leader"), process(S, "n1", "paused"), process(3 * S, "n1", "ended")]);
  const at = (time) => standingText(standings(model, time)[0]);
  assert.deepEqual([at(0), at(2 * S), at(3 * S)], ["leads term 3", "stands still; it led term 3", "has ended"]);
  assert.equal(leaderAt(model, 3 * S), undefined);
});

test("spares are counted, and scenarios that need them say so", () => {
  const members = { kind: "members", at: 0, node: 1, index: 1, voters: [[1, 2, 3]], learners: [4] };
  const model = modelOf([head, role(0, 1, 3, "leader"), members, role(0, 4, 3, "learner")]);
  const here = counts(standings(model, S));
  assert.deepEqual(here, { nodes: 4, voters: 3, spares: 1 });
  const scenario = (more) => ({ name: "x", about: "", nodes: [], spares: 0, ...more });
  assert.equal(unfit(scenario({}), here), "");
  assert.equal(unfit(scenario({ nodes: [3], spares: 1 }), here), "");
  assert.equal(unfit(scenario({ nodes: [5, 7] }), here), "It is for 5 or 7 nodes; here 3 vote.");
  assert.match(unfit(scenario({ spares: 2 }), here), /^It needs 2 spares; there is 1\./);
});

test("a scenario's head says what happens, what to expect and why", () => {
  assert.deepEqual(headOf("The leader\nis killed.\n\nExpect: another\nis elected.\nWhy: Raft thesis, section 3.4."), { what: "The leader is killed.", expect: "another is elected.", why: "Raft thesis, section 3.4." });
  assert.deepEqual(headOf("Nothing more."), { what: "Nothing more.", expect: "", why: "" });
});
