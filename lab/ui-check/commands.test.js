// Command lines: what is shown is what is sent, and can be typed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { commandLine, lastingText, lastingUs, LASTING, quoted } from "../src/viewer/break/commands.js";
import { allowed, FRONTENDS, linkOffers, nodeOffers, wordsOf } from "../src/viewer/break/offers.js";
import { memberOffers, patternOffers, scenarioOffer, scenarioOffers } from "../src/viewer/break/patterns.js";
import { plainly } from "../src/viewer/break/trouble.js";

const node = (name, more = {}) => ({ name, id: Number(name.slice(1)), process: "runs", role: "follower", term: 3, leads: false, votes: true, ...more });
const leader = node("n1", { role: "leader", leads: true });
const three = [leader, node("n2"), node("n3")];
const lines = (offers, values = {}) => offers.map((offer) => wordsOf(offer, values).join(" "));
const keys = (one, all = three, demo = true) => nodeOffers(one, all, demo).map(({ key }) => key);

test("a command line is the words, and the folder as a shell takes it for one word", () => {
  const words = ["fault", "cut", "n1", "n2", "--for", "10s"];
  assert.equal(commandLine(words, { dir: "/tmp/x" }), "hangraft fault cut n1 n2 --for 10s --dir /tmp/x");
  assert.equal(commandLine(words, {}), "hangraft fault cut n1 n2 --for 10s");
  assert.equal(commandLine(["kill", "n1"], { dir: "/home/a b/it's" }), "hangraft kill n1 --dir '/home/a b/it'\\''s'");
  assert.deepEqual(["", "a;b", "$HOME", "n1", "--by=-1h", "~x"].map(quoted), ["''", "'a;b'", "'$HOME'", "n1", "--by=-1h", "'~x'"]);
});

test("a scenario is its script, told what a check tells it", () => {
  const line = commandLine(["scenario", "halves"], { dir: "/tmp/a b", members: 3 });
  assert.equal(line, "HANGRAFT_NODES=3 HANGRAFT_DIR='/tmp/a b' scripts/faults/halves");
  assert.deepEqual(wordsOf(scenarioOffer("halves", "", ""), {}), ["scenario", "halves"]);
});

test("how long a fault lasts is read from its words", () => {
  assert.equal(lastingUs(["fault", "cut", "n1", "n2", "--for", "10s"]), 10_000_000);
  assert.equal(lastingUs(["--for", "500ms"]), 500_000);
  assert.equal(lastingUs(["--for", "2m"]), 120_000_000);
  assert.equal(lastingUs(["fault", "cut", "n1", "n2"]), undefined);
  assert.equal(lastingUs(["--for"]), undefined);
  assert.deepEqual(LASTING.map(lastingText), ["1 s", "2 s", "5 s", "10 s", "20 s", "30 s", "1 min", "5 min", "until healed"]);
});

test("only what makes sense is offered: a dead node can be restarted or wiped", () => {
  assert.deepEqual(keys(node("n2", { process: "gone" })), ["restart", "wipe"]);
  assert.deepEqual(keys(node("n2", { process: "paused" })), ["resume", "kill", "wipe"]);
  const all = ["kill", "pause", "restart", "wipe", "slow-disk", "fail-fsync", "full-disk", "lose-unsynced", "skew", "isolate", "one-way", "transfer-leader", "leave"];
  assert.deepEqual(keys(leader), all);
  assert.deepEqual(keys(node("f1", { id: undefined, votes: false })), ["kill", "pause", "restart"]);
  assert.ok(!keys(leader, [leader]).includes("transfer-leader"), "there is nobody to hand over to");
});

test("where there is no demo, no process is touched", () => {
  assert.deepEqual(keys(node("n2", { process: "gone" }), three, false), []);
  const offered = keys(leader, three, false);
  assert.ok(!offered.includes("kill") && !offered.includes("leave") && offered.includes("slow-disk"));
});

test("what is chosen of a node becomes the words of the program", () => {
  assert.deepEqual(lines(nodeOffers(leader, three, true)), [
    "kill n1", "pause n1", "restart n1", "wipe n1",
    "fault slow-disk n1 --ms 300 --for 10s", "fault fail-fsync n1 --for 10s", "fault full-disk n1 --for 10s", "fault lose-unsynced n1 --for 1m",
    "fault skew n1 --by 1h --for 10s",
    "fault cut isolate n1 --for 10s", "fault cut one-way n1 n2 --for 10s",
    "transfer-leader", "leave --node n1 --yes",
  ]);
  const values = { ms: "80", by: "-1h", way: "n3 n1", only: "streams", to: "n3", for: "" };
  assert.deepEqual(lines(nodeOffers(leader, three, true), values).slice(4), [
    "fault slow-disk n1 --ms 80", "fault fail-fsync n1", "fault full-disk n1", "fault lose-unsynced n1", "fault skew n1 --by=-1h",
    "fault cut isolate n1 --only streams", "fault cut one-way n3 n1", "transfer-leader --to n3", "leave --node n1 --yes",
  ]);
  const follower = nodeOffers(node("n2"), three, true).find(({ key }) => key === "transfer-leader");
  assert.deepEqual(wordsOf(follower, {}), ["transfer-leader", "--to", "n2"]);
});

test("what is chosen of a link becomes the words of the program", () => {
  assert.deepEqual(lines(linkOffers("n1", "n2")), [
    "fault cut n1 n2 --for 10s", "fault cut one-way n1 n2 --for 10s", "fault cut flap n1 n2 --for 10s",
    "fault delay n1 n2 --ms 100 --jitter-ms 20 --for 10s", "fault drop n1 n2 --percent 20 --for 10s", "fault bandwidth n1 n2 --bytes-per-s 20000 --for 10s",
    "fault duplicate n1 n2 --percent 20 --for 10s", "fault reorder n1 n2 --percent 20 --for 10s", "fault gossip-cut n1 n2 --for 10s",
  ]);
  assert.deepEqual(lines(linkOffers("n1", "n2"), { way: "n2 n1", only: "gossip", percent: "5", for: "1m" }).slice(3, 5), [
    "fault delay one-way n2 n1 --ms 100 --jitter-ms 20 --only gossip --for 1m", "fault drop one-way n2 n1 --percent 5 --only gossip --for 1m",
  ]);
});

test("frontends have streams to nodes and no gossip", () => {
  const offered = linkOffers("n1", FRONTENDS);
  assert.deepEqual(lines(offered).map((line) => line.split(" ")[1]), ["cut", "cut", "cut", "delay", "drop", "bandwidth"]);
  assert.ok(lines(offered, { only: "gossip" }).every((line) => !line.includes("--only")));
});

test("a value that does not fit becomes one that does", () => {
  const field = { name: "percent", label: "", value: "20", least: 1, most: 100 };
  assert.deepEqual(["", "x", "0", "7.6", "1000", "-3", "Infinity"].map((value) => allowed(field, value)), ["20", "20", "1", "8", "100", "1", "20"]);
  const choice = { name: "only", label: "", value: "", choices: [["", "all"], ["gossip", "gossip"]] };
  assert.deepEqual(["gossip", "$(ls)", undefined].map((value) => allowed(choice, value)), ["gossip", "", ""]);
});

test("patterns are those of `hangraft fault`, and say why where one cannot be made", () => {
  const words = lines(patternOffers({ nodes: 5, voters: 5 }));
  assert.deepEqual(words.slice(0, 7), ["isolate leader", "isolate follower", "halves", "bridge", "ring", "one-way leader follower", "flap leader follower"].map((pattern) => `fault cut ${pattern} --for 10s`));
  assert.ok(words.includes("fault gossip-cut all --for 10s") && words.includes("fault cut isolate leader --only streams --for 10s"));
  assert.ok(words.includes("fault delay all --ms 100 --for 10s") && words.includes("fault drop all --percent 20 --for 10s"));
  const unfit = (here) => patternOffers(here).filter((offer) => offer.unfit).map(({ label }) => label);
  assert.deepEqual(unfit({ nodes: 5, voters: 5 }), []);
  assert.deepEqual(unfit({ nodes: 3, voters: 3 }), ["Ring"]);
  assert.deepEqual(unfit({ nodes: 2, voters: 1 }), ["Halves", "Bridge", "Ring"]);
  assert.equal(unfit({ nodes: 1, voters: 1 }).length, 12);
  assert.deepEqual(lines(memberOffers(true)), ["spare", "cluster set --replace-after 2s"]);
  assert.deepEqual(lines(memberOffers(false), { after: "10m" }), ["cluster set --replace-after 10m"]);
});

test("a scenario says why it does not fit, until it does", () => {
  const scenarios = [{ name: "halves", about: "Two parts.\n\nExpect: one goes on.", nodes: [3], spares: 0 }, { name: "replaced", about: "One dies.", nodes: [], spares: 1 }];
  const reasons = (here) => scenarioOffers(scenarios, here).map((offer) => offer.unfit);
  assert.deepEqual(reasons({ voters: 2, spares: 0 }), ["It is for 3 nodes; here 2 vote.", "It needs a spare; there is none. Add one, and wait until it learns."]);
  assert.deepEqual(reasons({ voters: 3, spares: 1 }), ["", ""]);
  assert.equal(scenarioOffers(scenarios, { voters: 3, spares: 0 })[0].about, "Two parts. It runs by itself.");
});

test("only what cannot be undone asks to be confirmed, and what breaks nothing is not guessed", () => {
  const offers = nodeOffers(leader, three, true);
  assert.deepEqual(offers.filter(({ final }) => final).map(({ key }) => key), ["wipe", "leave"]);
  assert.ok(offers.every(({ asks }) => asks) && memberOffers(true).every(({ asks }) => !asks));
  const dead = nodeOffers(node("n2", { process: "gone" }), three, true);
  assert.equal(dead.find(({ key }) => key === "restart").asks, false);
});

test("what was not done is said in plain words, with what helps", () => {
  assert.match(plainly(0, ""), /Does `hangraft lab` still run/);
  assert.match(plainly(403, "who follows may only watch"), /^Nothing may be broken from this page\. It says: who follows may only watch$/);
  assert.match(plainly(400, '"x y" does not fit here'), /did not understand .* It says: "x y" does not fit here$/);
  assert.match(plainly(429, ""), /Try again in a moment\.$/);
  assert.doesNotMatch(plainly(500, "<html>"), /</);
  assert.match(plainly(200, "error: n1 is not running; start it with `hangraft restart n1`\n"), /^n1 is not running.*restart it first\.$/s);
  assert.equal(plainly(200, "hangraft: n9 is nobody"), "n9 is nobody.");
  assert.equal(plainly(200, ""), "It was not done.");
  assert.equal(plainly(418, "tea"), "The lab refused it (418). It says: tea");
});
