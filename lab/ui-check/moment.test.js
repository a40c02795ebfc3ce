// What held at one moment: roles, members, timers, gossip, and the time without a move.

import assert from "node:assert/strict";
import { test } from "node:test";
import { electionOf, heartbeatOf, timerOf } from "../src/viewer/model/election.js";
import { gapAt, pendingCall } from "../src/viewer/model/gap.js";
import { contactsAt, disagreements, ECHO, HEARD_BACK, memberOf, membersAt, momentOf, SILENT } from "../src/viewer/model/moment.js";
import { modelOf } from "./paper.js";

const HEAD = { kind: "head", format: 1, title: "", began_unix_ms: 1, nodes: [1, 2, 3].map((id) => ({ id, name: `n${id}` })) };
const role = (at, node, what, term, more = {}) => ({ kind: "role", at, node, term, role: what, ...more });
const message = (at, received, from, to, what, more = {}) => ({ kind: "message", at, received, what, from, to, term: 1, bytes: 1, ...more });
const write = (client, at, returned, more = {}) => ({ kind: "call", at, returned, client, by: "f1", asked: "write", action: "play", outcome: "ok", version: 1, ...more });

/** A leader that is heard by two followers, until it is killed at one second. */
const KILLED = [
  HEAD,
  role(10, 1, "leader", 1, { leader: 1, voted: 1 }),
  role(11, 2, "follower", 1, { leader: 1, voted: 1 }),
  role(12, 3, "follower", 1, { leader: 1, voted: 1 }),
  message(900_000, 900_300, 1, 2, "heartbeat"),
  message(900_000, 900_400, 1, 3, "heartbeat"),
  message(900_500, 900_900, 2, 1, "heartbeat", { answer: true, yes: true }),
  message(900_600, 901_000, 3, 1, "heartbeat", { answer: true, yes: true }),
  { kind: "process", at: 1_000_000, name: "n1", event: "ended" },
  role(1_700_000, 3, "candidate", 2, { voted: 3 }),
  role(1_701_000, 2, "follower", 2, { voted: 3 }),
  role(1_702_000, 3, "leader", 2, { leader: 3, voted: 3 }),
  { kind: "process", at: 3_000_000, name: "n1", event: "started" },
];
const node = (moment, id) => moment.nodes.find((one) => one.id === id);

test("a leader leads while its process runs, and has no role when that is gone or starts again", () => {
  const model = modelOf(KILLED);
  const before = momentOf(model, 950_000);
  assert.deepEqual([before.leader, before.term, node(before, 1).raft, node(before, 2).raft], [1, 1, "leads", "answers"]);
  const killed = momentOf(model, 1_100_000);
  assert.deepEqual([killed.leader, node(killed, 1).process, node(killed, 1).role, node(killed, 1).since], [undefined, "gone", undefined, 1_000_000]);
  const again = momentOf(model, 3_100_000);
  assert.deepEqual([node(again, 1).process, node(again, 1).role, node(again, 1).term], ["runs", undefined, 1]);
});

test("a role that was told a little before its process was seen to start counts", () => {
  const model = modelOf([HEAD, role(5000, 1, "leader", 1), { kind: "process", at: 7000, name: "n1", event: "started" }]);
  assert.equal(node(momentOf(model, 8000), 1).role, "leader");
});

test("of two leaders the one with the lower term is stale, and one alone is, when others are in a higher term", () => {
  const model = modelOf([HEAD, role(10, 1, "leader", 1), role(20, 3, "leader", 2), role(20, 2, "follower", 2)]);
  const moment = momentOf(model, 30);
  assert.deepEqual([moment.leader, moment.term, node(moment, 1).stale, node(moment, 3).stale], [3, 2, true, false]);
  const alone = momentOf(modelOf([HEAD, role(10, 1, "leader", 1), role(20, 3, "candidate", 2)]), 30);
  assert.deepEqual([alone.leader, node(alone, 1).stale], [undefined, true]);
});

test("that a node asked for votes is told for a while, also when it leads by then", () => {
  const model = modelOf(KILLED);
  assert.equal(node(momentOf(model, 1_750_000), 3).asked, 1_700_000);
  assert.equal(node(momentOf(model, 1_700_000 + ECHO + 1), 3).asked, undefined);
});

test("a follower's timer runs from the last leader's message that came, and stands at nothing when none did", () => {
  const model = modelOf(KILLED);
  const at = (time) => node(momentOf(model, time), 2).timer;
  assert.equal(at(900_300), 1);
  assert.equal(at(900_300 + 450_000), 0.5, "the lease is over");
  assert.equal(at(900_300 + 900_000), 0);
  assert.equal(node(momentOf(model, 950_000), 1).timer, undefined, "a leader waits for nobody");
  assert.equal(node(momentOf(modelOf([HEAD, role(1, 2, "follower", 1)]), 5), 2).timer, undefined, "where no messages are told nobody knows");
  assert.equal(timerOf({ lease: 450, least: 300, most: 450 }, undefined), 0);
});

test("simulated days have a heartbeat of their own, which is measured; what is real has the defaults", () => {
  assert.deepEqual(electionOf(modelOf([HEAD])), { lease: 450_000, least: 300_000, most: 450_000 });
  const beats = Array.from({ length: 50 }, (_, beat) => message(beat * 110_000, beat * 110_000 + 1, 1, 2, "heartbeat"));
  const simulated = modelOf([{ ...HEAD, began_unix_ms: 0 }, ...beats]);
  assert.equal(heartbeatOf(simulated), 110_000);
  assert.deepEqual(electionOf(simulated), { lease: 770_000, least: 440_000, most: 770_000 });
});

test("who heard a leader last is found although messages overtake each other, and not for longer than is looked", () => {
  const model = modelOf([HEAD, message(100, 90_000, 1, 2, "append"), message(200, 300, 1, 2, "heartbeat"), message(400, undefined, 1, 2, "heartbeat"), message(500, 600, 2, 1, "vote")]);
  assert.deepEqual([...contactsAt(model, 100_000, [2, 3]).heard], [[2, 90_000]]);
  assert.deepEqual([...contactsAt(model, 80_000, [2, 3]).heard], [[2, 300]]);
  assert.equal(contactsAt(model, 100_000 + HEARD_BACK, [2]).heard.size, 0);
});

test("a follower that has not answered for several heartbeats is silent to Raft, whatever gossip says", () => {
  const model = modelOf([...KILLED, { kind: "gossip", at: 100, node: 2, about: 1, state: "alive", incarnation: 0 }]);
  const moment = momentOf(model, 1_800_000);
  assert.equal(node(moment, 1).raft, "silent");
  assert.deepEqual(disagreements(moment), [{ node: 1, gossip: "alive", by: [2] }]);
  const calm = momentOf(model, 901_500);
  assert.deepEqual(disagreements(calm), []);
  assert.equal(node(momentOf(model, 901_000 + SILENT + 1), 3).raft, undefined, "its leader is gone: nobody asks it");
});

test("gossip that holds somebody for down who answers the leader contradicts Raft", () => {
  const model = modelOf([...KILLED, { kind: "gossip", at: 100, node: 3, about: 2, state: "down", incarnation: 0 }]);
  assert.deepEqual(disagreements(momentOf(model, 950_000)), [{ node: 2, gossip: "down", by: [3] }]);
});

test("a raised incarnation refutes a suspicion, and nothing else", () => {
  const gossip = (at, state, incarnation) => ({ kind: "gossip", at, node: 2, about: 3, state, incarnation });
  const held = (lines, time) => momentOf(modelOf([HEAD, ...lines]), time).gossip[0];
  assert.equal(held([gossip(10, "suspect", 0), gossip(20, "alive", 1)], 30).refuted, 20);
  assert.equal(held([gossip(10, "suspect", 0), gossip(20, "alive", 0)], 30).refuted, undefined);
  assert.equal(held([gossip(10, "down", 0), gossip(20, "alive", 1)], 30).refuted, undefined);
  assert.equal(held([gossip(10, "suspect", 0), gossip(20, "alive", 1)], 20 + ECHO).refuted, undefined);
});

test("members are those of the newest entry that anybody told; with two lists of voters some come and some leave", () => {
  const model = modelOf([
    HEAD,
    { kind: "members", at: 10, node: 1, index: 1, voters: [[1, 2, 3]], learners: [4] },
    { kind: "members", at: 20, node: 3, index: 9, voters: [[1, 2, 3], [1, 3, 4]] },
    { kind: "members", at: 30, node: 1, index: 10, voters: [[1, 3, 4]] },
  ]);
  const kinds = (time) => [1, 2, 3, 4].map((id) => memberOf(membersAt(model, time), id));
  assert.deepEqual(kinds(15), ["voter", "voter", "voter", "learner"]);
  assert.deepEqual(kinds(25), ["voter", "leaving", "voter", "newcomer"]);
  assert.deepEqual(kinds(35), ["voter", "stranger", "voter", "voter"]);
  assert.deepEqual(kinds(5), ["voter", "voter", "voter", "stranger"], "before anybody told, those that the head names");
});

test("faults stand at the node that they concern, as long as they last", () => {
  const model = modelOf([HEAD, { kind: "fault", at: 10, id: 1, node: 2, what: "the disk is full" }, { kind: "fault", at: 50, id: 1, node: 2, what: "the disk is full", healed: true }]);
  const words = (time) => node(momentOf(model, time), 2).faults.map(({ what }) => what);
  assert.deepEqual([words(9), words(10), words(49), words(50)], [[], ["the disk is full"], ["the disk is full"], []]);
});

test("the time without a move grows while somebody waits, and stays for a while when it is over", () => {
  const model = modelOf([HEAD, write(1, 0, 100), write(1, 1000, 900_000), write(2, 950_000, 951_000)]);
  assert.equal(gapAt(model, 200_000, false), undefined, "not long yet");
  assert.deepEqual(gapAt(model, 500_100, false), { from: 1000, us: 499_100, ended: false, guessed: false });
  assert.deepEqual(gapAt(model, 1_000_000, false), { from: 1000, us: 899_000, ended: true, guessed: false });
  assert.equal(gapAt(model, 4_000_000, false), undefined);
});

test("a rest in which nobody waits is no gap, and reads are no moves", () => {
  const rest = modelOf([HEAD, write(1, 0, 100), write(1, 900_000, 901_000)]);
  assert.deepEqual([gapAt(rest, 500_000, false), gapAt(rest, 902_000, false)], [undefined, undefined]);
  const reads = modelOf([HEAD, write(1, 0, 100), { ...write(1, 200, 900_000), asked: "read" }]);
  assert.equal(gapAt(reads, 500_000, false), undefined);
});

test("in a live page, where calls are told when they return, moves that came steadily and come no more are a gap", () => {
  const steady = modelOf([HEAD, ...Array.from({ length: 40 }, (_, place) => write(1, place * 50_000, place * 50_000 + 5000))]);
  const last = 39 * 50_000 + 5000;
  assert.deepEqual(gapAt(steady, last + 300_000, true), { from: last, us: 300_000, ended: false, guessed: true });
  assert.equal(gapAt(steady, last + 300_000, false), undefined, "in a recorded one nobody waits");
  const seldom = modelOf([HEAD, write(1, 0, 100), write(1, 900_000, 901_000)]);
  assert.equal(gapAt(seldom, 1_500_000, true), undefined);
});

test("in a live page the server says since when somebody waits, and those count who have given up since the last move", () => {
  const model = modelOf([HEAD, write(1, 0, 100), write(2, 2_000_000, undefined, { outcome: "unknown" })]);
  model.waits = 3_000_000;
  assert.deepEqual(gapAt(model, 3_400_000, true), { from: 2_000_000, us: 1_400_000, ended: false, guessed: false });
  model.waits = undefined;
  model.add(write(2, 13_000_000, 13_000_100));
  assert.equal(gapAt(model, 13_300_000, true)?.ended, true, "who waits no more is no gap");
  const calm = modelOf([HEAD, write(1, 0, 100)]);
  calm.waits = 500_000;
  assert.deepEqual([gapAt(calm, 700_000, true), gapAt(calm, 900_000, true)?.us, gapAt(calm, 900_000, false)], [undefined, 400_000, undefined]);
});

test("a call without an answer is waited for until its client asks again", () => {
  const model = modelOf([HEAD, write(1, 100, undefined, { outcome: "unknown" }), write(1, 500, 600)]);
  const pending = (time) => pendingCall(model.client(1), time)?.at;
  assert.deepEqual([pending(99), pending(100), pending(499), pending(550), pending(600)], [undefined, 100, 100, 500, undefined]);
});

test("a moment of a long timeline looks at no more messages than a stretch of it", () => {
  const model = modelOf(KILLED);
  let looked = 0;
  const many = Array.from({ length: 200_000 }, (_, place) => message(place * 100, place * 100 + 50, 1, 2, "append"));
  model.messages = new Proxy(many, { get: (target, key) => (typeof key === "string" && /^\d+$/.test(key) && (looked += 1), target[key]) });
  momentOf(model, 19_000_000);
  assert.ok(looked < 41_000, `${looked} were looked at`);
});
