// Levels held against what real clusters told: excerpts of runs of `hangraft check`.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { LEVELS } from "../src/viewer/levels/course.js";
import { modelOf } from "./paper.js";

const run = (name) => modelOf(readFileSync(new URL(`runs/${name}.jsonl`, import.meta.url), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line)));

/** What each run shows of its level. */
const SHOWS = {
  split: ["n3 and n2 ask for votes in term 2, 83 ms apart", "Nobody leads term 2; n3 leads term 4"],
  "pre-vote": ["n2 is cut off, in term 1", "It asks 14 times whether it would be elected. Nobody answers", "n3 refuses a pre-vote 5 times: it hears the leader"],
  "wiped-disk": ["n4 is a spare: it learns, and does not vote", "n2 comes back with another disk, and is refused", "n4 votes in its place; n2 belongs to the cluster no more"],
  gossip: ["n2 suspects n3, after 1,552 ms", "n2 holds n3 to be dead, after 4,554 ms", "The same nodes vote as before"],
};

for (const [id, shown] of Object.entries(SHOWS)) {
  test(`a real run achieves ${id}, and no other level that nobody played`, () => {
    const model = run(id);
    for (const level of LEVELS) {
      const { done, seen } = level.achieved(model, 1_000_000);
      assert.equal(done, level.id === id, level.id);
      if (level.id !== id) continue;
      for (const text of shown) assert.ok(seen.some((one) => one.text === text), `${text}: ${seen.map((one) => one.text).join("; ")}`);
      assert.ok(level.question.answer(model, 1_000_000)?.measured);
    }
  });
}
