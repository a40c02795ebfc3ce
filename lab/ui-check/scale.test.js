// Times and pixels.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Scale } from "../src/viewer/scale.js";

const MINUTE = 60_000_000;

test("at first everything is in sight", () => {
  const scale = new Scale(MINUTE, 1000);
  assert.ok(scale.x(0) > 0 && scale.x(MINUTE) < 1000);
});

test("a pixel and its moment belong together", () => {
  const scale = new Scale(MINUTE, 1000);
  scale.show(10_000_000, 2_000_000);
  assert.equal(scale.x(11_000_000), 500);
  assert.equal(scale.time(500), 11_000_000);
});

test("zooming leaves the moment under the pointer where it is, in and out", () => {
  const scale = new Scale(MINUTE, 1000);
  scale.show(20_000_000, 10_000_000);
  const time = scale.time(300);
  for (const factor of [2, 2, 0.5, 3]) {
    scale.zoom(300, factor);
    assert.ok(Math.abs(scale.x(time) - 300) < 0.001);
  }
});

test("nobody gets lost: the window stays at the timeline, and no smaller than a millisecond", () => {
  const scale = new Scale(MINUTE, 1000);
  scale.zoom(500, 1e9);
  assert.equal(scale.width, 1000);
  scale.pan(-1e12);
  assert.ok(scale.x(0) >= 0 && scale.x(0) < 100);
  scale.pan(1e12);
  assert.ok(scale.x(MINUTE) > 900 && scale.x(MINUTE) <= 1000);
  scale.zoom(500, 1e-9);
  assert.ok(scale.x(0) > 0 && scale.x(MINUTE) < 1000);
});

test("what is in sight is left where it is, what is not is brought to the middle", () => {
  const scale = new Scale(MINUTE, 1000);
  scale.show(20_000_000, 10_000_000);
  scale.reveal(25_500_000);
  assert.equal(scale.from, 20_000_000);
  scale.reveal(40_000_000);
  assert.equal(scale.x(40_000_000), 500);
});

test("the ruler's moments are round, apart, and written with the digits they need", () => {
  const scale = new Scale(MINUTE, 1000);
  const texts = () => scale.ticks().map(({ text }) => text);
  assert.deepEqual(texts(), ["0 s", "10 s", "20 s", "30 s", "40 s", "50 s", "60 s"]);
  scale.show(1_000_000, 4000);
  assert.deepEqual(texts(), ["1.0000 s", "1.0005 s", "1.0010 s", "1.0015 s", "1.0020 s", "1.0025 s", "1.0030 s", "1.0035 s", "1.0040 s"]);
});

test("a moment that runs goes along at the right, and what was wished for comes when there is so much", () => {
  const scale = new Scale(500_000, 1000);
  scale.wished = 2_000_000;
  scale.along(500_000, 0.9);
  assert.ok(scale.width < 600_000, "there is no more yet");
  scale.bound(0, 60_000_000);
  scale.along(30_000_000, 0.9);
  assert.equal(scale.width, 2_000_000);
  assert.equal(Math.round(scale.x(30_000_000)), 900);
  scale.along(29_000_000, 0.9);
  assert.equal(Math.round(scale.x(30_000_000)), 900, "what is left of there stays where it is");
});

test("what is forgotten is not shown", () => {
  const scale = new Scale(600_000_000, 1000);
  scale.bound(500_000_000, 600_000_000);
  scale.show(0, 1_000_000);
  assert.ok(scale.from >= 499_000_000);
  scale.all();
  assert.ok(scale.x(500_000_000) > 0 && scale.x(500_000_000) < 50);
});
