// What came of a fault, read from small timelines, and a guess beside it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, outcome, outcomeText, SILENCES, termChoices } from "../src/viewer/break/forecast.js";
import { Scores } from "../src/viewer/break/score.js";
import { reasonFor } from "../src/viewer/break/why.js";
import { modelOf } from "./paper.js";

const S = 1_000_000;
const head = { kind: "head", format: 1, title: "", nodes: [1, 2, 3].map((id) => ({ id, name: `n${id}` })), clients: [{ id: 0, name: "player 0" }] };
const role = (at, id, term, is, more = {}) => ({ kind: "role", at, node: id, term, role: is, ...more });
const begun = [head, role(0, 1, 3, "leader", { leader: 1 }), role(0, 2, 3, "follower", { leader: 1 }), role(0, 3, 3, "follower", { leader: 1 })];
/** Moves are acknowledged every 100 ms from one moment to another; who made the first has waited since `asked`. */
const moves = (from, to, asked = from - 5_000) => Array.from({ length: Math.max(0, Math.floor((to - from) / 100_000) + 1) }, (_, place) => from + place * 100_000)
  .map((at, place) => ({ kind: "call", at: place ? at - 5_000 : asked, returned: at, client: 0, by: "f1", asked: "write", outcome: "ok", version: 1 }));
const ended = (at) => ({ kind: "process", at: at + 1_000, name: "n1", event: "ended" });
/** The leader ends at 10 s; n3 is elected 850 ms later. */
const killed = [...begun, ...moves(5 * S, 10 * S), ended(10 * S), role(10.84 * S, 3, 4, "candidate", { voted: 3 }), role(10.85 * S, 3, 4, "leader", { leader: 3 })];
const guess = { leader: "n3", term: "4", silence: "middle" };
const rights = (model, from, guessed) => answered(model, guessed, outcome(model, from)).map(({ right }) => right);

test("a leader is killed: who leads next, in which term, for how long nobody moved", () => {
  const model = modelOf([...killed, ...moves(10.9 * S, 12 * S, 10 * S)]);
  const came = outcome(model, 10 * S);
  assert.deepEqual(came.next, { node: 3, term: 4, at: 10.85 * S });
  assert.deepEqual([came.leader, came.term, came.held, came.split, came.open, came.healed, came.settled], [1, 3, 1, [], false, false, true]);
  assert.equal(came.silence.what, "900 ms");
  assert.equal(outcomeText(model, came), "n3 leads term 4; nobody moved for 900 ms");
  assert.deepEqual(rights(model, 10 * S, guess), [true, true, true]);
  assert.deepEqual(rights(model, 10 * S, { leader: "n1", term: "same", silence: "short" }), [false, false, false]);
});

test("nothing is settled until a move is acknowledged under the new leader", () => {
  const model = modelOf(killed);
  assert.equal(outcome(model, 10 * S).settled, false);
  model.end = 12 * S;
  const came = outcome(model, 10 * S);
  assert.deepEqual([came.settled, came.open, came.silence.what], [false, true, "2,000 ms"]);
  assert.equal(outcome(modelOf([...killed, ...moves(10.9 * S, 11 * S, 10 * S)]), 10 * S).settled, true);
});

test("nothing is settled before the command has ended", () => {
  const model = modelOf([...killed, ...moves(10.9 * S, 14 * S, 10 * S)]);
  assert.equal(outcome(model, 10 * S, 13 * S).settled, true);
  assert.equal(outcome(model, 10 * S, Infinity).settled, false);
});

test("a follower is killed: after six seconds it is clear that nothing changed", () => {
  const lines = [...begun, ...moves(5 * S, 17 * S), { ...ended(10 * S), name: "n2" }];
  const early = modelOf(lines.filter(({ returned = 0 }) => returned < 15 * S));
  assert.equal(outcome(early, 10 * S).settled, false);
  const model = modelOf(lines);
  const came = outcome(model, 10 * S);
  assert.deepEqual([came.settled, came.next, came.held, came.open], [true, undefined, 0, false]);
  assert.equal(outcomeText(model, came), "n1 still leads term 3; players did not notice");
  assert.deepEqual(answered(model, { leader: "n1", term: "same", silence: "none" }, came).map(({ was, right }) => [was, right]), [["n1 still", true], ["3, as before", true], ["below 0.3 s", true]]);
});

test("a split vote is a term that two asked for and nobody got", () => {
  const split = [role(10.84 * S, 2, 4, "candidate", { voted: 2 }), role(10.845 * S, 3, 4, "candidate", { voted: 3 }), role(11.6 * S, 2, 5, "candidate", { voted: 2 }), role(11.61 * S, 2, 5, "leader", { leader: 2 })];
  const model = modelOf([...begun, ...moves(5 * S, 10 * S), ended(10 * S), ...split, ...moves(11.7 * S, 13 * S, 10 * S)]);
  const came = outcome(model, 10 * S);
  assert.deepEqual([came.next.node, came.next.term, came.held, came.split], [2, 5, 2, [4]]);
  assert.equal(outcomeText(model, came), "n2 leads term 5, after a split vote in term 4; nobody moved for 1,700 ms");
  assert.match(reasonFor(["kill", "n1"], came).text, /Two asked for votes at once/);
  assert.deepEqual(rights(model, 10 * S, { leader: "n2", term: "5", silence: "long" }), [true, true, true]);
});

test("who says again that it leads has not been elected again, and one that asks in vain makes no split vote", () => {
  const again = role(11 * S, 1, 3, "leader", { leader: 1, voted: 1 });
  const lone = role(12 * S, 2, 4, "candidate", { voted: 2 });
  const came = outcome(modelOf([...begun, ...moves(5 * S, 17 * S), again, lone]), 10 * S);
  assert.deepEqual([came.next, came.held, came.split], [undefined, 1, []]);
});

test("a majority is cut off: nobody moves until it heals", () => {
  const cut = { kind: "fault", at: 10 * S, id: 1, node: 1, what: "cut to n2" };
  const apart = [...begun, ...moves(5 * S, 10 * S), cut];
  const lasting = modelOf(apart);
  lasting.end = 18 * S;
  const silent = outcome(lasting, 10 * S);
  assert.deepEqual([silent.settled, silent.open, silent.healed], [false, true, true]);
  lasting.end = 41 * S;
  assert.equal(outcome(lasting, 10 * S).settled, true, "nobody waits for ever");
  assert.deepEqual(rights(lasting, 10 * S, { leader: "n1", term: "same", silence: "heals" }), [true, true, true]);
  assert.deepEqual(rights(lasting, 10 * S, { leader: "nobody", term: "", silence: "long" }), [true, false]);
  const model = modelOf([...apart, { ...cut, at: 20 * S, healed: true }, ...moves(20.4 * S, 22 * S, 10 * S)]);
  const came = outcome(model, 10 * S);
  assert.deepEqual([came.settled, came.open, came.healed, came.silence.what], [true, false, true, "10,400 ms"]);
  assert.deepEqual(rights(model, 10 * S, { leader: "n1", term: "same", silence: "heals" }), [true, true, true]);
  assert.deepEqual(rights(model, 10 * S, { leader: "", term: "", silence: "long" }), [true], "that is true as well");
});

test("an isolated leader still believes that it leads; the other side's leader counts", () => {
  const model = modelOf([...begun, ...moves(5 * S, 10 * S), role(10.9 * S, 2, 4, "leader", { leader: 2 }), ...moves(11 * S, 12 * S)]);
  assert.equal(outcome(model, 10 * S).next.node, 2);
  assert.match(reasonFor(["fault", "cut", "isolate", "leader"], outcome(model, 10 * S)).text, /other side has a majority/);
});

test("without players nobody knows for how long one could not move", () => {
  const model = modelOf([...begun, ended(10 * S), role(10.85 * S, 3, 4, "leader", { leader: 3 })]);
  assert.equal(outcome(model, 10 * S).settled, false, "what is newest may not have been told");
  model.end = 12 * S;
  const came = outcome(model, 10 * S);
  assert.deepEqual([came.silence, came.open, came.settled], [undefined, false, true]);
  assert.equal(outcomeText(model, came), "n3 leads term 4; nobody played");
  assert.equal(answered(model, guess, came).length, 2);
});

test("what was not guessed is not asked", () => {
  const model = modelOf([...killed, ...moves(10.9 * S, 12 * S, 10 * S)]);
  assert.deepEqual(answered(model, { leader: "", term: "", silence: "" }, outcome(model, 10 * S)), []);
});

test("terms are guessed by number, up to the second next", () => {
  assert.deepEqual(termChoices(3).map(([key]) => key), ["same", "4", "5", "later"]);
  assert.deepEqual(SILENCES.map(([key]) => key), ["none", "short", "middle", "long", "heals"]);
});

test("a term that was guessed by its number stays that, also when another has begun meanwhile", () => {
  const model = modelOf([...killed, ...moves(10.9 * S, 12 * S, 10 * S)]);
  const late = { ...outcome(model, 10 * S), term: 8, next: { node: 3, term: 12, at: 10.85 * S } };
  const [own, other] = ["12", "5"].map((term) => answered(model, { leader: "", term, silence: "" }, late)[0]);
  assert.deepEqual([own.guessed, own.right, other.guessed, other.right], ["12", true, "5", false]);
});

test("each kind of fault has its reason, and a source", () => {
  const calm = { next: undefined, split: [], open: false, healed: false };
  const elected = { ...calm, next: { node: 2, term: 4, at: 0 } };
  const reason = (line, came = calm, known = { leader: "n1" }) => reasonFor(line.split(" "), came, known);
  for (const [line, came, source] of [
    ["kill n1", elected, /3\.4/], ["kill n2", calm, /3\.5/], ["pause n1", elected, /3\.3/], ["transfer-leader", elected, /3\.10/], ["restart n1", elected, /3\.10/],
    ["fault cut isolate follower", calm, /9\.6/], ["fault cut halves", elected, /3\.6\.3/], ["fault gossip-cut all", calm, /SWIM/],
    ["fault cut isolate leader --only streams", elected, /3\.4/], ["fault skew n1 --by 1h", calm, /3\.9/], ["fault drop all --percent 20", calm, /3\.9/],
    ["fault lose-unsynced n1", calm, /3\.8/], ["fault fail-fsync n2", calm, /3\.8/], ["wipe n2", calm, /3\.8/], ["leave --node n2 --yes", calm, /4\.3/],
    ["fault slow-disk n2 --ms 300", calm, /2\.1/], ["fault cut all", { ...calm, open: true }, /3\.5/],
  ]) {
    const { text, source: told } = reason(line, came);
    assert.ok(text.length > 20, line);
    assert.match(told, source, line);
  }
  assert.match(reason("fault slow-disk n1 --ms 300").source, /10\.2\.1/);
  for (const line of ["kill n2", "pause n3", "fault cut n1 frontends", "fault gossip-cut all", "fault skew n1 --by 1h", "fault cut isolate n1 --only gossip", "fault cut isolate follower"]) {
    assert.match(reason(line, elected).text, /does not cause that by itself/, line);
  }
  assert.match(reason("fault cut isolate n1 --for 100ms").text, /before a follower had waited/);
  assert.deepEqual(reason("scenario halves", elected, { why: "Raft thesis, section 3.6.3." }), { text: "", source: "Raft thesis, section 3.6.3." });
});

test("a score counts what was right of what was asked, and how often all was right in a row", () => {
  const scores = new Scores();
  const yes = { right: true };
  const no = { right: false };
  scores.count(" red ", [yes, yes, no]);
  assert.deepEqual(scores.count("red", [yes, yes, yes]), { team: "red", right: 5, asked: 6, streak: 1, best: 1 });
  scores.count("blue", [yes]);
  scores.count("red", [yes]);
  assert.equal(scores.count("red", []).streak, 2, "nothing asked breaks no row");
  assert.deepEqual(scores.table().map(({ team, right, asked, best }) => [team, right, asked, best]), [["blue", 1, 1, 1], ["red", 6, 7, 2]]);
  scores.reset();
  assert.deepEqual(scores.table(), []);
});
