// How the shown moment runs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { changed, followed, played, readSpeed, ServerClock, SPEEDS, speedWords } from "../src/viewer/model/tempo.js";

const FRAME = 16_000;

/** A clock that has heard a batch each 50 ms, each late by so much, with lines until 200 ms before. */
function heard(late = () => 0, batches = 100) {
  const clock = new ServerClock();
  for (let place = 0; place < batches; place += 1) {
    const now = place * 50_000;
    clock.heard(now, now + 7_000_000 + late(place), now - 200_000);
  }
  return clock;
}

test("the server's clock is known by the batches that came quickest", () => {
  const [even, uneven] = [heard(), heard((place) => (place % 10 ? 30_000 : 0))];
  const page = 7_000_000 + 99 * 50_000;
  assert.ok(Math.abs(even.shown(page) - uneven.shown(page)) < 10_000);
});

test("what is shown is behind what has been told, so that it is whole", () => {
  const clock = heard();
  const page = 7_000_000 + 99 * 50_000;
  const newest = 99 * 50_000 - 200_000;
  assert.ok(clock.shown(page) < newest && clock.shown(page) > newest - 300_000);
});

test("a cluster in which nothing happens is not shown far behind", () => {
  const clock = heard();
  for (let place = 100; place < 300; place += 1) clock.heard(place * 50_000, place * 50_000 + 7_000_000, undefined);
  const page = 7_000_000 + 299 * 50_000;
  assert.ok(clock.shown(page) > 299 * 50_000 - 600_000);
});

test("when the server falls silent, the moment stands still soon", () => {
  const clock = heard();
  const page = 7_000_000 + 99 * 50_000;
  assert.equal(clock.shown(page + 5_000_000), clock.shown(page + 60_000_000));
});

test("the moment runs evenly after one that jumps, and never goes back a little", () => {
  let moment = 0;
  let steps = [];
  for (let frame = 1; frame < 600; frame += 1) {
    const target = Math.floor((frame * FRAME) / 100_000) * 100_000;
    const next = followed(moment, target, FRAME, Infinity);
    steps.push(next - moment);
    moment = next;
  }
  steps = steps.slice(100);
  assert.ok(Math.min(...steps) > FRAME * 0.5 && Math.max(...steps) < FRAME * 1.5, `${Math.min(...steps)} to ${Math.max(...steps)}`);
  assert.equal(followed(1_000_000, 900_000, FRAME, 900_000) >= 1_000_000, true);
  assert.equal(followed(0, 60_000_000, FRAME, 60_000_000), 60_000_000, "from afar it is taken there at once");
});

test("the moment does not run on behind what there is", () => {
  let moment = 900_000;
  for (let frame = 0; frame < 100; frame += 1) moment = followed(moment, 950_000, FRAME, 1_000_000);
  assert.ok(moment <= 1_000_000, String(moment));
});

test("half, a tenth and a hundredth of the time passes", () => {
  for (const speed of SPEEDS) assert.deepEqual(played(1000, speed, 100_000, 1e9), { moment: 1000 + 100_000 * speed, ended: false });
  assert.deepEqual(played(1000, 1, 100_000, 50_000), { moment: 50_000, ended: true });
});

test("slower and faster go from speed to speed, and no farther", () => {
  assert.deepEqual([1, 0.5, 0.1, 0.01].map((speed) => changed(speed, -1)), [0.5, 0.1, 0.01, 0.01]);
  assert.deepEqual([1, 0.5, 0.1, 0.01].map((speed) => changed(speed, 1)), [1, 1, 0.5, 0.1]);
  assert.deepEqual(SPEEDS.map(speedWords), ["1", "½", "1/10", "1/100"]);
  assert.deepEqual(["1", "1/2", "1/10", "1/100", "2", null].map(readSpeed), [1, 0.5, 0.1, 0.01, undefined, undefined]);
});
