// How far a learner has come: what is noted, what is kept, and what comes back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LEVELS, nextLevel, observed, opened, predicted, readKept, summary } from "../src/viewer/levels/course.js";

test("the first prediction counts, and is settled once", () => {
  let marks = predicted({}, "election", "one");
  marks = predicted(marks, "election", "two");
  assert.deepEqual(marks, { election: { guess: "one" } });
  marks = observed(marks, "election", false, "two");
  assert.deepEqual(marks.election, { guess: "one", right: false });
  marks = observed(marks, "election", true, "one");
  assert.deepEqual(marks.election, { guess: "one", right: false, done: true }, "another run does not change it");
});

test("nothing new is the same object, so that nothing is kept again", () => {
  const marks = observed(predicted({}, "stale", "terms"), "stale", true, "terms");
  assert.equal(observed(marks, "stale", true, "terms"), marks);
  assert.equal(observed(marks, "joint", false, undefined), marks);
});

test("what was achieved without a prediction counts as done, and as no prediction", () => {
  const marks = observed({}, "stale", true, "terms");
  assert.deepEqual(summary(marks), { of: 12, done: 1, answered: 0, right: 0 });
});

test("the next level is the next that is not done, round and round, and none in the end", () => {
  assert.equal(nextLevel({}, "election"), "letter");
  assert.equal(nextLevel({ letter: { done: true } }, "election"), "stale");
  assert.equal(nextLevel({}, "reads"), "election");
  const all = Object.fromEntries(LEVELS.map(({ id }) => [id, { done: true }]));
  assert.equal(nextLevel(all, "reads"), undefined);
});

test("what was kept comes back, and what is not understood is left out", () => {
  const place = { level: "stale", since: 5, began: 7, marks: { stale: { guess: "terms", right: true, done: true } } };
  assert.deepEqual(readKept(JSON.stringify(place)), place);
  const empty = { level: "election", since: 0, began: 0, marks: {} };
  for (const text of [null, undefined, "", "{", "null", "3", "[]", '{"level":"nowhere","since":"1","marks":{"nowhere":{}}}']) assert.deepEqual(readKept(text), empty);
  assert.deepEqual(readKept('{"marks":{"stale":{"guess":"nonsense","right":1,"done":"yes"},"joint":3}}').marks, { stale: {}, joint: {} });
});

test("the question comes first, then what is to be done, in the end the reasons", () => {
  assert.deepEqual([opened(false, false), opened(false, true), opened(true, false), opened(true, true)], ["predict", "predict", "do", "why"]);
});
