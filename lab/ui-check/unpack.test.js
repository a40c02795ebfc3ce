// A page holds its timeline packed. Unpacked it is what was written down.

import assert from "node:assert/strict";
import { test } from "node:test";
import { unpack } from "../src/viewer/model/unpack.js";
import { lines, packed } from "./paper.js";

test("every line comes back, in its order; of what a read showed, the last lines and how many came before", () => {
  const unpacked = [...unpack(packed())];
  const kept = lines.map((line) => {
    if (!line.lines) return line;
    return { ...line, lines: line.lines.slice(-3), earlier: line.lines.length - 3 };
  });
  assert.equal(unpacked.length, kept.length);
  // What was not so is not written down.
  kept.forEach((line, place) => assert.deepEqual(said(unpacked[place]), said(line)));
});

/** A line without what says nothing. */
function said(line) {
  return Object.fromEntries(Object.entries(line).filter(([, value]) => value !== false));
}
