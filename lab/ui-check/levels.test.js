// Each level, held against small timelines: achieved by its own story, by no calm one, by none
// that ended before it began, and not where it went another way.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LEVELS } from "../src/viewer/levels/course.js";
import { commandLine } from "../src/viewer/break/commands.js";
import { elected, fault, gossip, isolated, log, members, message, move, moves, process, read, refusal, role, told } from "./tale.js";

const BEGAN = 3_500_000;
const level = (id) => LEVELS.find((one) => one.id === id) ?? assert.fail(id);
const look = (id, model, since = BEGAN) => {
  const { seen, ...rest } = level(id).achieved(model, since);
  return { ...rest, seen, answer: level(id).question.answer(model, since)?.id, texts: seen.filter(({ done }) => done).map(({ text }) => text) };
};

const killed = [process(4000, "n1", "ended"), elected(4840, 3, 2, 2), moves(4850, 9000, 100), process(7000, "n1", "started"), role(7100, 1, 1, "follower", 0, 1), role(7200, 1, 2, "follower", 3)];
const cutLeader = [isolated(4000, 9000, 1), elected(4850, 3, 2, 2), moves(4900, 9000, 100), log(4100, 1, 62, 60), log(8000, 1, 64, 60), role(9010, 1, 2, "follower", 3)];
const slowAll = fault(4000, 19_000, [1, "slow disk: syncs take 200 ms longer"], [2, "slow disk: syncs take 200 ms longer"], [3, "slow disk: syncs take 200 ms longer"]);
const spent = "node 2 came back with another disk; its id is spent";
const joint = [members(14_000, 1, 90, [[1, 2, 3], [1, 3, 4]]), members(14_010, 3, 90, [[1, 2, 3], [1, 3, 4]]), members(14_020, 1, 91, [[1, 3, 4]], [2]), members(14_030, 4, 91, [[1, 3, 4]], [2])];
const out = members(14_200, 1, 92, [[1, 3, 4]]);
const deaf = [1, 2, 3].flatMap((node) => [1, 2, 3].filter((other) => other !== node).map((other) => [node, `cut from n${other}, gossip only`]));

/** What achieves each level. */
const STORIES = {
  election: () => told(killed),
  letter: () => told([slowAll, move(4100, 320, 500), message(4102, "append", 1, 2, { index: 70, entries: 1 }), log(4110, 2, 70, 69), message(4400, "append", 2, 1, { answer: true, yes: true, index: 70 }), { kind: "push", at: 4_425_000, client: 1, room: "room", version: 500 }]),
  stale: () => told([process(4000, "n1", "paused"), elected(4840, 2, 3, 2), process(7000, "n1", "resumed"), role(7030, 1, 2, "follower", 2)]),
  "pre-vote": () =>
    told([
      isolated(4000, 10_000, 2), message(4900, "pre-vote", 2, 1, { received: undefined }), message(4900, "pre-vote", 2, 3, { received: undefined }), message(5500, "pre-vote", 2, 1, { received: undefined }),
      fault(12_000, 18_000, [1, "cut to n2"], [2, "cut from n1"]), message(13_000, "pre-vote", 2, 3), message(13_001, "pre-vote", 3, 2, { answer: true, yes: false }),
    ]),
  split: () => told([fault(3900, 6900, [2, "100 ms slower to n3"], [3, "100 ms slower to n2"]), killed[0], role(4900, 2, 2, "candidate", 0, 2), role(4950, 3, 2, "candidate", 0, 3), elected(5500, 3, 2, 3), process(7000, "n1", "started"), role(7200, 1, 3, "follower", 3)]),
  minority: () => told(cutLeader),
  "wiped-disk": () => told([process(13_000, "n2", "ended"), process(13_200, "n2", "started"), refusal(13_300, 1, spent), process(13_310, "n2", "ended"), joint, out], { spare: true }),
  joint: () => told([moves(13_000, 16_000, 100), joint, process(14_500, "n2", "ended")], { spare: true }),
  gossip: () => told([fault(4000, 12_000, ...deaf), gossip(5500, 1, 2, "suspect"), gossip(8500, 1, 2, "down"), moves(8600, 12_000, 100), gossip(15_000, 1, 2, "alive")]),
  "slow-disk": () => told([fault(4000, 12_000, [1, "slow disk: syncs take 300 ms longer"]), moves(4000, 12_000, 100, 10), fault(13_000, 19_000, [1, "slow disk: syncs take 300 ms longer"], [2, "slow disk: syncs take 300 ms longer"], [3, "slow disk: syncs take 300 ms longer"]), moves(13_000, 18_000, 700, 600)]),
  "lost-fsync": () => told([fault(3800, 7100, [1, "what is not synced is lost by a crash"]), log(3950, 1, 80, 80), killed, log(7100, 1, 71, 71), read(8000, "n3", "linearizable", { version: 800 })]),
  reads: () =>
    told([
      isolated(4000, 14_000, 2), moves(4000, 14_000, 200), read(6000, "n2", "local", { version: 390 }), read(7000, "n2", "local", { version: 390 }),
      read(8000, "n2", "linearizable", { outcome: "unknown", returned: undefined }), read(8500, "n3", "linearizable", { version: 850 }),
    ]),
};

/** What the timeline answers in these stories. */
const ANSWERS = { election: "two", letter: "majority", stale: "terms", "pre-vote": "none", split: "none", minority: "majority", "wiped-disk": "never", joint: "both", gossip: "none", "slow-disk": "hardly", "lost-fsync": "none", reads: "apart" };

test("there are twelve levels, each with a question, something to do, reasons and sources", () => {
  assert.equal(LEVELS.length, 12);
  assert.deepEqual(LEVELS.map(({ id }) => id), Object.keys(STORIES));
  for (const { id, goal, question, steps, look, why, sources } of LEVELS) {
    assert.match(goal, /^[A-Z].*\.$/, id);
    assert.ok(question.choices.length >= 2 && question.choices.length <= 4, id);
    assert.ok(steps.length && why.length && sources.length && look, id);
    assert.ok(question.choices.some((choice) => choice.id === ANSWERS[id]), id);
    for (const choice of question.choices) assert.ok(choice.reply || choice.id === ANSWERS[id], `${id}: whoever chose "${choice.id}" is told why not`);
  }
});

for (const [id, story] of Object.entries(STORIES)) {
  test(`${id}: its own story achieves it, and says what the right prediction was`, () => {
    const { done, answer, seen, hint } = look(id, story());
    assert.deepEqual(seen.filter((one) => !one.done).map(({ text }) => text), []);
    assert.ok(done);
    assert.equal(hint, undefined);
    assert.equal(answer, ANSWERS[id]);
    for (const { at, text } of seen) assert.ok(at !== undefined && Number.isFinite(at), text);
  });

  test(`${id}: neither a calm time nor what was before it began achieves it`, () => {
    assert.deepEqual(look(id, told()).texts, []);
    assert.equal(look(id, told()).answer, undefined);
    assert.equal(look(id, story(), 19_500_000).done, false);
  });
}

test("no level is achieved by another's story", () => {
  for (const id of Object.keys(STORIES)) {
    for (const [other, story] of Object.entries(STORIES)) {
      // Whoever cuts the leader's power also holds an election.
      if (id !== other && !(id === "election" && ["split", "lost-fsync"].includes(other))) assert.equal(look(id, story()).done, false, `${id} by ${other}`);
    }
  }
});

test("a level that has begun tells what was seen so far", () => {
  const { done, texts } = look("election", told(killed.slice(0, 2)));
  assert.equal(done, false);
  assert.deepEqual(texts.slice(0, 3), ["n1, the leader of term 1, dies", "n3 asks for votes in term 2, 835 ms later", "n3 leads term 2, with the votes of n2 and n3"]);
});

test("an election is timed by what players noticed, or by the election itself where nobody plays", () => {
  const measured = (model) => level("election").question.answer(model, BEGAN)?.measured;
  const playing = [moves(3100, 4000, 100), process(4000, "n1", "ended"), elected(4840, 3, 2, 2), moves(4850, 9000, 100)];
  assert.equal(measured(told(playing)), "The next move was acknowledged 858 ms after the leader had died.");
  assert.equal(measured(told([process(4000, "n1", "ended"), elected(4840, 3, 2, 2)], { plays: false })), "The next move was acknowledged 840 ms after the leader had died.");
});

test("a sleeper that wakes before an election is no stale leader", () => {
  const early = told([process(4000, "n1", "paused"), process(4300, "n1", "resumed")]);
  const { done, answer, hint } = look("stale", early);
  assert.deepEqual([done, answer], [false, "one"]);
  assert.match(hint ?? "", /woke before/);
});

test("a sleeper may have heard of the new term before anybody sees that it runs", () => {
  const quick = told([process(4000, "n1", "paused"), elected(4840, 2, 3, 2), role(6990, 1, 2, "follower", 2), process(7000, "n1", "resumed")]);
  const { done, answer, texts } = look("stale", quick);
  assert.deepEqual([done, answer], [true, "terms"]);
  assert.ok(texts.includes("It hears of term 2 at once, and follows"));
});

test("whoever stops a node that does not lead any more is told so", () => {
  for (const [id, event] of [["election", "ended"], ["split", "ended"], ["stale", "paused"]]) {
    const { done, hint } = look(id, told([elected(3900, 2, 3, 2), process(4000, "n1", event)]));
    assert.deepEqual([done, hint], [false, "n1 did not lead any more: the leader had just changed. Let it run again, and begin again."], id);
  }
  assert.equal(look("pre-vote", told([elected(3900, 2, 3, 2), isolated(4000, 10_000, 2)])).hint, "n2 led by then: the leader had just changed. Begin again.");
});

test("two who asked before the leader died are no split vote of this level", () => {
  const before = [role(3600, 1, 2, "candidate", 0, 1), role(3610, 2, 2, "candidate", 0, 2), elected(3700, 1, 3, 3)];
  const dies = [fault(3800, 11_800, [2, "100 ms slower to n3"]), process(4000, "n1", "ended")];
  const again = [role(4840, 2, 4, "candidate", 0, 2), role(4880, 3, 4, "candidate", 0, 3), elected(5500, 3, 2, 5), process(7000, "n1", "started"), role(7200, 1, 5, "follower", 3)];
  assert.equal(look("split", told(before)).answer, undefined);
  assert.equal(look("split", told([before, dies, again])).done, true);
});

test("without pre-vote the lonely node's term would have risen, and the level says so", () => {
  const rose = [isolated(4000, 10_000, 2), role(4900, 2, 2, "candidate", 0, 2), role(5500, 2, 3, "candidate", 0, 2)];
  assert.equal(look("pre-vote", told(rose)).answer, "each");
  assert.equal(look("pre-vote", told([rose[0], rose[1]])).answer, "one");
  const asking = message(4900, "pre-vote", 2, 1, { received: undefined });
  assert.match(look("pre-vote", told([rose, asking])).hint ?? "", /Its term rose/);
  const elsewhere = look("pre-vote", told([rose[0], asking, elected(6000, 3, 1, 2)]));
  assert.ok(elsewhere.texts.includes("The cut heals, and it is still in term 1"), "what the others elect meanwhile is their affair");
});

test("an election that somebody wins at once is no split vote, and one is told to try again", () => {
  const quick = [fault(3900, 6900, [2, "100 ms slower to n3"]), process(4000, "n1", "ended"), elected(4840, 3, 2, 2)];
  const { done, answer, hint } = look("split", told(quick));
  assert.deepEqual([done, answer], [false, undefined]);
  assert.match(hint ?? "", /No split this time/);
  const rival = [...quick, role(4842, 2, 2, "candidate", 0, 2)];
  assert.equal(look("split", told(rival)).done, false, "two asked, and one of them won");
});

test("a minority that commits something is a split brain, and no achievement", () => {
  const both = look("minority", told([...cutLeader, log(8500, 1, 64, 63)]));
  assert.deepEqual([both.done, both.answer], [false, "both"]);
  const follower = look("minority", told(isolated(4000, 9000, 2)));
  assert.equal(follower.done, false, "a follower alone is no leader alone");
  assert.match(follower.hint ?? "", /n2 was cut off, which did not lead/);
});

test("a cut does not end at all nodes at once: who hears the new leader is in no minority any more", () => {
  const early = look("minority", told([isolated(4000, 9000, 1), elected(4850, 3, 2, 2), moves(4900, 9000, 100), log(4100, 1, 62, 60), log(8000, 1, 64, 60), role(8980, 1, 2, "follower", 3), log(8990, 1, 70, 69)]));
  assert.deepEqual([early.done, early.answer], [true, "majority"]);
  assert.ok(early.texts.includes("n1 has committed nothing: it stays at entry 60, and 4 entries in vain"));
  const cut = [isolated(4000, 14_000, 2), moves(4000, 14_000, 200), read(6000, "n2", "local", { version: 390 }), read(8000, "n2", "linearizable", { outcome: "unknown", returned: undefined })];
  const others = [isolated(4000, 10_000, 2), message(4900, "pre-vote", 2, 1, { received: undefined }), elected(6000, 3, 1, 2), role(9980, 2, 2, "follower", 3)];
  assert.deepEqual([look("pre-vote", told(others)).answer, look("pre-vote", told(others)).hint], ["none", undefined]);
  assert.equal(look("reads", told([cut, read(13_980, "n2", "linearizable", { version: 1390 })])).answer, "apart");
});

test("where nobody moved while it mattered one is told so", () => {
  const stories = {
    letter: [slowAll],
    minority: [isolated(4000, 9000, 1), elected(4850, 3, 2, 2)],
    joint: [joint, process(14_500, "n2", "ended")],
    gossip: [fault(4000, 12_000, ...deaf), gossip(5500, 1, 2, "suspect"), gossip(8500, 1, 2, "down"), gossip(15_000, 1, 2, "alive")],
  };
  for (const [id, lines] of Object.entries(stories)) {
    const { done, hint } = look(id, told(lines, { spare: id === "joint" }));
    assert.deepEqual([done, hint], [false, "Nobody moved meanwhile. Do the bots play? Begin again."], id);
  }
  assert.equal(look("gossip", told([stories.gossip, move(14_000, 8, 1400)])).done, true, "they are called dead until they are seen alive again");
});

test("a pre-vote that nobody refused is told", () => {
  const cut = [isolated(4000, 10_000, 2), message(4900, "pre-vote", 2, 1, { received: undefined })];
  assert.equal(look("pre-vote", told([cut, fault(12_000, 18_000, [1, "cut to n2"], [2, "cut from n1"])])).hint, "Nobody was refused. Begin again.");
  assert.equal(look("pre-vote", told([cut, fault(12_000, undefined, [1, "cut to n2"], [2, "cut from n1"])])).hint, undefined, "somebody may be");
});

test("a minority that is on its way is told nothing else", () => {
  assert.equal(look("minority", told([isolated(4000, undefined, 1), elected(4850, 3, 2, 2)])).hint, undefined);
});

test("a cut of one kind of traffic, or one way, leaves a majority that hears each other", () => {
  const parts = fault(4000, 9000, [1, "cut to n2, streams only"], [1, "cut from n2, streams only"], [1, "cut to n3, streams only"], [1, "cut from n3, streams only"]);
  assert.deepEqual(look("minority", told(parts)).texts, []);
  assert.deepEqual(look("minority", told(fault(4000, 9000, [1, "cut to n2"], [1, "cut to n3"]))).texts, []);
});

test("who is replaced is not out as long as it learns", () => {
  const lines = [process(13_000, "n2", "ended"), process(13_200, "n2", "started"), refusal(13_300, 1, spent), process(13_310, "n2", "ended"), joint];
  const { done, answer, seen } = look("wiped-disk", told(lines, { spare: true }));
  assert.deepEqual([done, answer, seen.at(-1)?.done], [false, undefined, false]);
});

test("a node that was only killed has no other disk", () => {
  const { done, hint } = look("wiped-disk", told([process(13_000, "n2", "ended"), joint, out], { spare: true }));
  assert.equal(done, false);
  assert.match(hint ?? "", /Nobody has come back/);
});

test("spares are asked for only where there is none, and followers are named", () => {
  const commands = (id, place, model) => level(id).steps[place]?.commands(model).map((words) => commandLine(words, {}));
  assert.deepEqual(commands("joint", 0, told()), ["hangraft spare"]);
  assert.deepEqual(commands("joint", 0, told([], { spare: true })), []);
  assert.deepEqual(commands("wiped-disk", 0, told([], { spare: true })), ["hangraft cluster set --replace-after 2s"]);
  assert.deepEqual(commands("wiped-disk", 1, told()), ["hangraft wipe n3"]);
  assert.deepEqual(commands("split", 0, told()), ["hangraft fault delay n2 n3 --ms 100 --for 8s", "hangraft kill leader"]);
  assert.deepEqual(commands("split", 0, told(killed)), ["hangraft fault delay n1 n2 --ms 100 --for 8s", "hangraft kill leader"]);
  assert.deepEqual(commands("reads", 0, told()), ["hangraft fault cut isolate follower --for 15s"]);
  assert.deepEqual(commands("reads", 0, told([read(19_000, "n2", "linearizable", { version: 1 })])), ["hangraft fault cut isolate n2 --for 15s"], "where somebody reads");
  assert.deepEqual(commands("election", 1, told()), ["hangraft restart ended"]);
  assert.deepEqual(commands("election", 1, told([process(3500, "n3", "ended"), process(4000, "n1", "ended")])), ["hangraft restart n1"], "the last, not one that was lost before");
});

test("gossip that got somebody removed would be a lie that was believed", () => {
  const removed = [fault(4000, 12_000, ...deaf), gossip(5500, 1, 2, "suspect"), gossip(8500, 1, 2, "down"), members(9000, 1, 90, [[1, 3]])];
  const { done, answer } = look("gossip", told(removed));
  assert.deepEqual([done, answer], [false, "all"]);
});

test("how much longer moves take decides, not how long they take", () => {
  const slow = fault(4000, 12_000, [1, "slow disk: syncs take 300 ms longer"]);
  assert.equal(look("slow-disk", told([slow, moves(4000, 12_000, 500, 320)])).answer, "once");
  assert.equal(look("slow-disk", told([slow, moves(4000, 12_000, 700, 620)])).answer, "twice");
  assert.equal(look("slow-disk", told([moves(3000, 4000, 250, 200), slow, moves(4000, 12_000, 250, 220)], { plays: false })).answer, "hardly", "they took as long before");
  assert.equal(look("slow-disk", told([fault(4000, 12_000, [2, "slow disk: syncs take 300 ms longer"]), moves(4000, 12_000, 100)])).answer, undefined, "a follower's disk is another question");
});

const slow = (from, to, ...nodes) => fault(from, to, ...nodes.map((node) => [node, "slow disk: syncs take 300 ms longer"]));

test("all disks slow in the same moment are not the leader's alone; one is told, and may do it again", () => {
  const hasty = [slow(4000, 7000, 1), slow(4400, 7400, 1, 2, 3), moves(4000, 7400, 400, 350)];
  const { done, answer, texts, hint } = look("slow-disk", told(hasty));
  assert.deepEqual([done, answer], [false, undefined]);
  assert.deepEqual(texts, ["A majority of the disks is slow", "Half of all moves take less than 350 ms"]);
  assert.equal(hint, "Other disks were slow as well. When that is over, slow the leader's disk alone.");
  const again = look("slow-disk", told([hasty, slow(8000, 16_000, 1), moves(8000, 16_000, 100, 10)]));
  assert.deepEqual([again.done, again.answer, again.hint], [true, "hardly", undefined]);
});

test("the leader's disk alone is measured until others are slow", () => {
  const early = told([slow(4000, 12_000, 1), moves(4000, 6000, 100, 10), slow(6000, 14_000, 1, 2, 3), moves(6000, 14_000, 100, 600)]);
  assert.deepEqual([look("slow-disk", early).done, look("slow-disk", early).answer], [true, "hardly"]);
});

test("a command that reaches the nodes one after the other makes a majority slow all the same", () => {
  const late = [slow(4000, 12_000, 1), moves(4000, 12_000, 100, 10), slow(13_000, 18_000, 3), slow(14_200, 18_000, 1), slow(15_400, 18_000, 2), moves(13_000, 18_000, 400, 350)];
  assert.equal(look("slow-disk", told(late)).done, true);
});

test("whoever slows another disk, or while nobody moves, is told so", () => {
  assert.equal(look("slow-disk", told([elected(3900, 2, 3, 2), slow(4000, 12_000, 1)])).hint, "n1 did not lead, or not any more. When that is over, slow the leader's disk alone.");
  const idle = slow(4000, 8000, 1);
  assert.equal(look("slow-disk", told(idle)).hint, "Hardly anybody moved meanwhile. Do the bots play? Do it once more.");
  const again = look("slow-disk", told([idle, slow(9000, 14_000, 1), moves(9000, 14_000, 100, 10)]));
  assert.deepEqual([again.answer, again.hint], ["hardly", undefined]);
});

test("what another slow disk cost before is not what is usual", () => {
  const { texts } = look("slow-disk", told([slow(4000, 8000, 1, 2, 3), moves(4000, 7900, 100, 600), moves(8000, 9000, 100, 12), slow(9000, 14_000, 1), moves(9000, 14_000, 100, 15)]));
  assert.ok(texts.includes("Half of all moves take less than 15 ms; it was 12 ms before"), texts.join("; "));
});

test("a move that is missing after a power cut is told, and is no achievement", () => {
  const story = [fault(3800, 7100, [1, "what is not synced is lost by a crash"]), move(3700, 10, 999), killed, log(7100, 1, 71, 71), read(8000, "n3", "linearizable", { version: 800 })];
  const { done, answer } = look("lost-fsync", told(story));
  assert.deepEqual([done, answer], [false, "some"]);
});

test("entries that the old leader had known to be committed, and lost, are counted", () => {
  assert.ok(look("lost-fsync", STORIES["lost-fsync"]()).texts.some((text) => text.includes("without 9 entries that it had known to be committed")));
});

test("a local read that shows all is not old, and a linearizable one that was answered is told", () => {
  const quiet = [isolated(4000, 14_000, 2), read(6000, "n2", "local", { version: 290 }), read(8000, "n2", "linearizable", { outcome: "unknown", returned: undefined })];
  assert.match(look("reads", told(quiet)).hint ?? "", /No local read was old/);
  assert.match(look("reads", told(isolated(4000, 14_000, 2))).hint ?? "", /Nobody read locally/);
  const wrong = [isolated(4000, 14_000, 2), moves(4000, 14_000, 200), read(6000, "n2", "local", { version: 390 }), read(8000, "n2", "linearizable", { version: 390 })];
  assert.equal(look("reads", told(wrong)).answer, "old");
});
