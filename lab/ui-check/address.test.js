// The moment in the page's address.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readPlace, writePlace } from "../src/viewer/address.js";
import { deedOf, KEYS } from "../src/viewer/keys.js";

const NOWHERE = { moment: undefined, from: undefined, width: undefined, lane: "", speed: 1, tab: "", rest: "" };

test("what is written is read again", () => {
  const place = { moment: 12_345_678, from: 11_000_000, width: 2_000_000, lane: "player 5", speed: 0.1, tab: "learn", rest: "" };
  assert.equal(writePlace(place), "#t=12.345678s&from=11s&w=2s&lane=player%205&speed=1/10&tab=learn");
  assert.deepEqual(readPlace(writePlace(place)), place);
  assert.equal(writePlace(NOWHERE), "");
});

test("people write it by hand: in seconds or milliseconds, and only a part", () => {
  assert.deepEqual(readPlace("#t=12.345s&w=2s&lane=n2"), { ...NOWHERE, moment: 12_345_000, width: 2_000_000, lane: "n2" });
  assert.deepEqual(readPlace("#w=400ms"), { ...NOWHERE, width: 400_000 });
});

test("what is no place is none", () => {
  for (const odd of ["#speed=3", "#speed=1/7", "#tab=<b>", "", "#", "#t=", "#t=abc", "#t=1e9s", "#w=0s", "#t=12"]) assert.deepEqual(readPlace(odd), NOWHERE, odd);
});

test("what others write into the address stays there", () => {
  const place = readPlace("#t=2s&level=pre-vote&speed=1/2");
  assert.equal(place.rest, "level=pre-vote");
  assert.equal(writePlace(place), "#t=2s&speed=1/2&level=pre-vote");
});

test("each key does one thing, and the list of keys names it", () => {
  const done = [];
  const deeds = new Proxy({}, { get: (_, name) => (...args) => done.push([name, ...args].join(" ")) });
  for (const key of ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "+", "-", "Home", "End", "0", "f", "Escape", "?", " ", "<", ">", "l"]) deedOf(key, deeds)?.();
  assert.deepEqual(done, ["step -1", "step 1", "lane -1", "lane 1", "zoom 2", "zoom 0.5", "begin", "end", "all", "finding", "close", "help", "play", "speed -1", "speed 1", "live"]);
  assert.equal(deedOf("x", deeds), undefined);
  const named = KEYS.map(([key]) => key).join(" ");
  for (const key of ["←", "→", "↑", "↓", "+", "−", "Home", "End", "0", "F", "Esc", "?", "Space", "<", ">", "L"]) assert.ok(named.includes(key), key);
});
