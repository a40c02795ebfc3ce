// What a live page relies on: lines that come late are put where they belong, what is old is
// forgotten, and the story that grows is the one that is told at once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { arranged, bundled } from "../src/viewer/lanes/faults.js";
import { lightOf, leftOut } from "../src/viewer/model/judged.js";
import { Model } from "../src/viewer/model/read.js";
import { binned, Story, story } from "../src/viewer/model/story.js";
import { leads, memberOf, rows } from "../src/viewer/model/table.js";
import { lines, modelOf } from "./paper.js";

const play = (at, returned, more = {}) => ({ kind: "call", at, returned, client: 1, by: "f1", asked: "write", action: "play", outcome: "ok", version: 1, ...more });
const message = (at, more = {}) => ({ kind: "message", at, what: "append", from: 1, to: 2, term: 1, index: at, bytes: 1, ...more });
const role = (at, node, more) => ({ kind: "role", at, node, ...more });
const texts = (entries) => entries.map(({ at, text, minor }) => `${at} ${minor} ${text}`).sort();
const gapsOf = ({ gaps, moves, end }) => gaps.until(moves.times, end);

/** In the order in which a live server tells them: calls when they have returned. */
const asTold = (kept) => [...kept].sort((one, other) => told(one) - told(other));
const told = (line) => (line.kind === "call" ? (line.returned ?? line.at + 900_000) : (line.at ?? -1));

test("calls come when they have returned, and stand by when they were asked", () => {
  const model = modelOf([play(500, 600), play(100, 700), play(300, 650)]);
  assert.deepEqual(model.client(1).calls.map(({ at }) => at), [100, 300, 500]);
  assert.deepEqual(model.moves.times, [600, 650, 700]);
  assert.deepEqual(model.moves.waits, [100, 350, 600]);
  assert.equal(model.client(1).longest, 600);
});

test("a message that has come is told again, and replaces itself", () => {
  const model = modelOf([message(10), message(20), message(20, { to: 3 })]);
  model.add(message(20, { received: 90 }));
  assert.deepEqual(model.messages.map(({ at, to, received }) => [at, to, received]), [[10, 2, undefined], [20, 2, 90], [20, 3, undefined]]);
  assert.equal(model.flight, 70);
  model.add(message(20, { answer: true, received: 91 }));
  assert.equal(model.messages.length, 4, "an answer is another message");
});

test("a snapshot that came after it was told as lost is lost no more in the story", () => {
  const snapshot = message(20, { what: "snapshot", index: 7 });
  const model = modelOf([snapshot]);
  assert.match(story(model)[0].text, /which is lost$/);
  model.add({ ...snapshot, received: 50 });
  assert.deepEqual(story(model).map(({ text }) => text), ["n1 sends n2 a snapshot up to entry 7 of 1 bytes"]);
});

test("nodes tell of a term in any order, and it begins with the first of them", () => {
  const model = modelOf([role(100, 1, { term: 1, role: "leader" }), role(900, 2, { term: 3, role: "candidate" }), role(850, 3, { term: 3, role: "leader" }), role(500, 3, { term: 2, role: "candidate" })]);
  assert.deepEqual(model.terms.map(({ term, from, to, leader }) => [term, from, to, leader]), [[1, 100, 500, 1], [2, 500, 850, undefined], [3, 850, Infinity, 3]]);
  model.add(role(2000, 1, { term: 2, role: "follower" }));
  assert.equal(model.terms.length, 3, "who wakes up in an old term begins no new one");
});

test("a move that comes late divides the time in which there was none", () => {
  const model = modelOf([play(0, 100), play(110, 1_000_000)]);
  assert.deepEqual(gapsOf(model).map(({ from, to }) => [from, to]), [[110, 1_000_000]]);
  model.add(play(50, 600_000));
  assert.deepEqual(gapsOf(model).map(({ from, to }) => [from, to]), [[100, 600_000], [600_000, 1_000_000]]);
  model.add(play(60, 300_000));
  model.add(play(60, 800_000));
  assert.deepEqual(gapsOf(model).map(({ from, to }) => [from, to]), [[100, 300_000], [300_000, 600_000]]);
});

test("the story that grows line by line is the story of the whole, whatever comes late", () => {
  const whole = texts(story(modelOf(lines)));
  const model = new Model();
  const growing = new Story(model);
  for (const line of asTold(lines)) model.add(line);
  assert.deepEqual(texts(growing.entries), whole);
  assert.deepEqual(growing.entries.map(({ at }) => at), [...growing.entries].map(({ at }) => at).sort((one, other) => one - other));
});

test("a story says from when on it has changed since one looked", () => {
  const model = modelOf([play(0, 100)]);
  const growing = new Story(model);
  assert.equal(growing.news(), 100);
  assert.equal(growing.news(), Infinity);
  model.add(play(100, 500_000));
  model.add(play(200, 200_000));
  assert.equal(growing.news(), 200_000);
});

test("what is older than is kept is forgotten, and what held then holds on", () => {
  const model = modelOf([...lines, play(1_500_000, 1_600_000)]);
  const growing = new Story(model);
  model.trim(1_000_000);
  assert.equal(model.begin, 1_000_000);
  assert.deepEqual(model.terms.map(({ term }) => term), [7]);
  assert.deepEqual(model.faults, []);
  assert.deepEqual(model.messages, []);
  assert.equal(leads(model, 1_000_000).words, "n2 leads term 7", "who led before still does");
  assert.ok(growing.entries.every(({ at }) => at >= 1_000_000));
  assert.deepEqual(model.moves.times, [1_264_000, 1_600_000]);
  assert.deepEqual(gapsOf(model).map(({ from, to }) => [from, to]), [[50_000, 1_264_000]]);
  assert.equal(model.clients.has(1), true);
});

test("a node that has been gone for as long as is kept is no node any more", () => {
  const gone = [{ kind: "process", at: 500, name: "n1", event: "ended" }, role(900_000, 2, { term: 2, role: "leader" })];
  const model = modelOf([role(100, 1, { term: 1, role: "leader" }), ...gone]);
  model.trim(400);
  assert.deepEqual([...model.nodes.keys()], [1, 2]);
  model.trim(800_000);
  assert.deepEqual([...model.nodes.keys()], [2]);
});

test("an election is told as it was, also when its messages are kept no more", () => {
  const model = modelOf([message(1000, { received: 1100 }), role(400_000, 2, { term: 2, role: "candidate", voted: 2 })]);
  const growing = new Story(model);
  const [before] = growing.entries.map(({ text }) => text);
  assert.match(before, /heard no leader for 399 ms/);
  for (let at = 500_000; at < 500_000 + 300_001; at += 1) model.add(message(at, { received: at + 10 }));
  assert.ok(model.messages.length < 300_000, "there are too many");
  assert.ok((model.since.messages ?? 0) > 500_000);
  assert.equal(growing.entries[0].text, before);
  assert.deepEqual(leftOut(model, model.end), ["everyday messages before 0.6 s are not kept"]);
});

test("of too many messages, votes are kept and everyday ones go", () => {
  const model = modelOf([message(10, { what: "vote" })]);
  for (let at = 20; at < 300_030; at += 1) model.add(message(at));
  assert.equal(model.messages[0].what, "vote");
  assert.ok(model.messages[1].at > 100_000);
});

test("of too many calls the older half goes, and all stay counted", () => {
  const model = new Model();
  for (let at = 0; at < 200_001; at += 1) model.add(play(at * 10, at * 10 + 5, { client: at % 3 }));
  const kept = [...model.clients.values()].reduce((sum, { calls }) => sum + calls.length, 0);
  assert.ok(kept > 90_000 && kept < 110_000, String(kept));
  assert.equal(model.called, 200_001);
  assert.equal(model.moves.times.length, 200_001);
  assert.match(leftOut(model, 0).join(), /calls before 1.0 s are counted, and not kept/);
});

test("who is emptied begins anew, with the same ears", () => {
  const model = modelOf(lines);
  const growing = new Story(model);
  const { lines: seen } = model;
  model.clear();
  assert.equal(growing.entries.length, 0);
  assert.ok(model.lines > seen, "whoever keeps what was drawn sees that it is old");
  for (const line of lines) model.add(line);
  assert.equal(growing.entries.length, story(modelOf(lines)).length - (growing.tail ? 1 : 0));
});

test("a head may come again, with more nodes and other names", () => {
  const model = modelOf(lines);
  model.add({ ...lines[0], nodes: [...lines[0].nodes, { id: 4, name: "n4" }], clients: [{ id: 1, name: "Ada" }] });
  assert.deepEqual([...model.nodes.values()].map(({ name }) => name), ["n1", "n2", "n3", "n4"]);
  assert.equal(model.client(1).name, "Ada");
  assert.equal(model.nodes.get(1).roles.length, 1, "what is known of a node stays");
});

test("who joins has its name in all that was told of it before it was known", () => {
  const members = { kind: "members", at: 2, node: 1, index: 1, voters: [[1, 2, 3]] };
  const meets = { kind: "gossip", at: 10, node: 1, about: 7, state: "alive", incarnation: 0 };
  const model = modelOf([lines[0], members, meets, role(20, 7, { term: 6, role: "learner" })]);
  const growing = new Story(model);
  const told = () => growing.entries.slice(1).map(({ lane, text }) => `${lane}: ${text}`);
  assert.deepEqual(told(), ["n1: n1 meets n7 (SWIM)", "n7: n7 is a learner and does not vote"]);
  growing.news();
  model.add({ ...lines[0], nodes: [...lines[0].nodes, { id: 7, name: "oak" }] });
  assert.deepEqual(told(), ["n1: n1 meets oak (SWIM)", "oak: oak is a learner and does not vote"]);
  assert.equal(growing.news(), 0, "all of it is told anew");
  model.add(model.head);
  assert.equal(growing.news(), Infinity, "the same names are no news");
});

test("a sampled node is told of, and so is that it is not any more", () => {
  const model = modelOf([...lines, { kind: "sampled", at: 5000, node: 2, one_in: 4 }, { kind: "sampled", at: 9000, node: 2, one_in: 1 }]);
  assert.deepEqual(leftOut(model, 4999), []);
  assert.deepEqual(leftOut(model, 6000), ["1 of 4 everyday messages of n2 is shown"]);
  assert.deepEqual(leftOut(model, 9000), []);
});

test("counts of answers in bins are those of a walk over all of them", () => {
  const { answers } = modelOf(lines);
  assert.deepEqual([...binned(answers, 0, 500_000, 3)], [1, 0, 2]);
  assert.equal(answers.between(0, 9500), 0, "the end of a bin belongs to the next");
});

test("the light is grey, green or red, and red leads to the first finding", () => {
  const judged = (kept) => ({ kind: "verdict", at: 9, good: kept, promises: [{ promise: "one_leader", says: "", checked: 3, kept }] });
  assert.deepEqual(lightOf(modelOf([]), true), { how: "none", words: "nothing judged yet", counts: "", at: undefined });
  assert.equal(lightOf(modelOf([]), false).words, "not judged");
  const good = lightOf(modelOf([play(1, 2), judged(true)]), false);
  assert.deepEqual([good.how, good.words, good.counts], ["good", "all kept", "1 operation, 1 promise"]);
  const found = { kind: "finding", at: 4, promise: "one_leader", text: "Two." };
  const bad = lightOf(modelOf([found, { ...found, at: 3 }, judged(false)]), true);
  assert.deepEqual([bad.how, bad.words, bad.at], ["bad", "broken: one_leader", 3]);
});

test("of a timeline that begins in the middle the kept verdict is shown, and how it stood is no news", () => {
  const from = 1_800_000_000;
  const stood = [
    { kind: "process", at: from, name: "n1", event: "ended" }, { kind: "process", at: from, name: "n2", event: "started" },
    role(from, 1, { term: 1, role: "leader" }), role(from, 2, { term: 2, role: "leader", voted: 2 }),
    { kind: "gossip", at: from, node: 2, about: 1, state: "down", incarnation: 0 }, { kind: "fault", at: from, id: 4, node: 2, what: "the disk is full" },
  ];
  const verdict = { kind: "verdict", at: from + 900_000, good: true, promises: [{ promise: "one_leader", says: "", checked: 3, kept: true }] };
  const lasts = [play(from - 5, from + 10), play(from + 100, from + 600_000)];
  const window = (...more) => modelOf([{ ...lines[0], from }, ...stood, ...lasts, ...more]);
  const model = window({ ...verdict, operations: 4711 });
  assert.equal(model.begin, from, "nothing is shown of the time before");
  assert.deepEqual(story(model).map(({ at, text }) => [at - from, text]).filter(([, text]) => !text.includes("'s move")), [[600_000, "After 600 ms without one, a move is acknowledged"], [900_000, "The judge: all promises were kept"]]);
  assert.deepEqual([leads(model, from).words, model.faults.length], ["n2 leads term 2", 1], "but it is known");
  assert.deepEqual(leftOut(model, from), ["what was before 1800.0 s is not kept"]);
  const light = (model) => lightOf(model, false);
  assert.deepEqual([light(model).words, light(model).counts], ["all kept", "4,711 operations, 1 promise"]);
  assert.equal(light(window(verdict)).counts, "1 promise", "how many were judged is not known by those that are left");
  assert.deepEqual([light(window()).how, light(window()).words], ["none", "not judged: the beginning is missing"]);
});

test("a verdict that comes every other second is told when it changes", () => {
  const verdict = (at, good) => ({ kind: "verdict", at, good, promises: [] });
  const model = modelOf([verdict(1, true), verdict(2, true), verdict(3, false), verdict(4, false)]);
  assert.deepEqual(story(model).map(({ at }) => at), [1, 3]);
});

test("the table has a row for each node, as the picture shows it", () => {
  const model = modelOf();
  const [n1, n2] = rows(model, 450_000);
  assert.deepEqual(n1, ["n1", "gone", "", "", "", "", "", "", "", "", "voter", "", "n2"]);
  assert.deepEqual(n2, ["n2", "runs", "leader", "7", "n2", "n2", "", "", "", "", "voter", "n1", "nobody"]);
  assert.deepEqual(rows(model, 9900)[0].slice(6, 10), ["40", "40", "39", "00ff00ff"]);
});

test("a member is a voter, a newcomer, a learner, one that leaves, or a stranger", () => {
  const model = modelOf([{ kind: "members", at: 1, node: 1, index: 9, voters: [[1, 2, 3], [1, 2, 4]], learners: [3, 5] }]);
  assert.deepEqual([1, 3, 4, 5, 6].map((node) => memberOf(model, node, 5)), ["voter", "leaving", "newcomer", "learner", "stranger"]);
});

test("nobody leads a term whose leader is gone, or while a later one has none", () => {
  const model = modelOf();
  assert.equal(leads(model, 10_000).words, "n1 leads term 6");
  assert.equal(leads(model, 30_000).words, "nobody leads term 6");
  assert.equal(leads(model, 414_000).words, "nobody leads term 7");
});

test("the links of a node that is cut off at once are one row", () => {
  const cut = (id, what, from, to = 900_000, node = 1) => ({ id, node, what, from, to });
  const faults = [cut(1, "cut to n2", 10), cut(2, "cut from n2", 20), cut(3, "cut to n1", 20, 900_000, 2), cut(4, "cut to n3", 400_000)];
  const rowsOf = bundled(faults);
  assert.deepEqual(rowsOf.map(({ what }) => what), ["cut to n2, from n2", "cut to n1", "cut to n3"]);
  assert.deepEqual(arranged(rowsOf), [0, 1, 2]);
});
