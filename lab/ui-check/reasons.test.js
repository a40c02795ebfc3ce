// Why messages are refused, and where each reason is written.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { questionOf, reasonOf, refused } from "../src/viewer/model/reasons.js";
import { whyOf } from "../src/viewer/model/sources.js";
import { story } from "../src/viewer/model/story.js";
import { modelOf } from "./paper.js";

const role = (at, node, term, more = {}) => ({ kind: "role", at, node, term, role: "follower", ...more });
const message = (at, from, to, what, more = {}) => ({ kind: "message", at, received: at + 100, from, to, what, term: 5, bytes: 1, ...more });
/** n2 asks n3 for a vote in term 5, and is told no. */
const asked = (more = {}) => message(1_000_000, 2, 3, "vote", { index: 40, ...more });
const no = (more = {}) => message(1_000_500, 3, 2, "vote", { answer: true, yes: false, index: 40, ...more });

/** Why the last of these messages was refused. */
function why(...lines) {
  const model = modelOf(lines);
  return reasonOf(model, model.messages.at(-1));
}

test("a voter that has voted for another in this term says no", () => {
  const { text, sources } = why(role(999_000, 3, 5, { voted: 1 }), asked(), no());
  assert.equal(text, "n3 has voted for n1 in term 5, and a node votes once in a term.");
  assert.match(sources[0].words, /3\.4/);
  assert.match(why(role(999_000, 3, 5, { role: "candidate", voted: 3 }), asked(), no()).text, /voted for itself/);
});

test("a voter whose log is newer says no, whomever it voted for", () => {
  const { text, sources } = why(role(999_000, 3, 5, { voted: 1 }), asked(), no({ index: 91 }));
  assert.equal(text, "n3's log is newer: it goes to entry 91, and n2's to 40.");
  assert.match(sources[0].words, /3\.6\.1/);
});

test("a voter that hears a leader says no, also before an election", () => {
  const heartbeat = message(990_000, 1, 3, "heartbeat");
  const { text, sources } = why(role(900_000, 3, 5, { leader: 1, voted: 1 }), heartbeat, asked({ what: "pre-vote" }), no({ what: "pre-vote" }));
  assert.equal(text, "n3 heard the leader n1 10 ms before. For 450 ms after that it votes for nobody else.");
  assert.match(sources[0].words, /4\.2\.3 and 9\.6/);
  const late = message(300_000, 1, 3, "heartbeat");
  assert.match(why(role(200_000, 3, 5, { leader: 1, voted: 1 }), late, asked(), no()).text, /voted for n1/, "that was too long ago");
  assert.match(why(role(999_000, 3, 5, { role: "leader", leader: 3, voted: 3 }), asked(), no()).text, /n3 leads term 5 itself/);
});

test("a message of an earlier term is refused for that", () => {
  const append = message(1_000_000, 1, 2, "append", { term: 1, index: 60 });
  const answer = message(1_001_000, 2, 1, "append", { answer: true, yes: false, term: 2 });
  assert.equal(why(append, answer).text, "n2 is in term 2 already; what was said in term 1 counts no more.");
  assert.match(why(asked(), no({ term: 7 })).text, /term 7 already/);
});

test("an append that does not fit the log is refused for that", () => {
  const append = message(1_000_000, 1, 2, "append", { index: 60 });
  const answer = message(1_001_000, 2, 1, "append", { answer: true, yes: false, index: 55 });
  assert.match(why(append, answer).text, /does not match at entry 55/);
});

test("what was accepted has no reason, and where nothing suffices nothing is said", () => {
  assert.equal(why(asked(), no({ yes: true })), undefined);
  assert.equal(why(asked(), no()), undefined);
  assert.equal(refused(no({ yes: undefined })), true, "an answer that says nothing says no");
  assert.equal(refused(asked()), false);
});

test("an answer belongs to the last such question that had come", () => {
  const model = modelOf([asked(), message(1_000_400, 2, 3, "vote"), message(1_000_450, 1, 3, "vote"), no()]);
  assert.equal(questionOf(model, model.messages.at(-1))?.at, 1_000_400);
  assert.equal(questionOf(modelOf([asked({ received: undefined }), no()]), no()), undefined, "what never came is not answered");
});

test("what never came was cut off, or nobody was there", () => {
  const lost = message(1_000_000, 1, 2, "append", { received: undefined });
  const fault = (node, what) => ({ kind: "fault", at: 5, id: 1, node, what });
  assert.match(why(fault(1, "cut to n2"), lost).text, /cut to n2 on n1/);
  assert.match(why(fault(2, "cut from n1"), lost).text, /cut from n1 on n2/);
  assert.match(why(fault(undefined, "cut n1 | others"), lost).text, /cut n1/);
  for (const other of [fault(1, "cut from n2"), fault(1, "cut to n3"), fault(1, "cut to n2, gossip only"), fault(3, "cut to n2")]) {
    assert.match(why(other, lost).text, /Nobody told/, other.what);
  }
  assert.match(why({ kind: "process", at: 4, name: "n2", event: "ended" }, lost).text, /n2 is gone/);
  assert.match(why({ kind: "process", at: 4, name: "n2", event: "paused" }, lost).text, /n2 stands still/);
});

test("elections, gossip and waiting have a reason and a source in the story", () => {
  const reasons = new Map(story(modelOf()).map((entry) => [entry.text, whyOf(entry)]));
  const source = (text) => reasons.get(text)?.sources[0]?.words;
  assert.equal(source("n2 has heard no leader for 412 ms and asks for votes in term 7"), "thesis, section 3.4");
  assert.equal(source("n3 grants its vote to n2 in term 7"), "thesis, sections 3.4, 3.6.1 and 3.8");
  assert.equal(source("n2 suspects n1 (SWIM)"), "SWIM, sections 3.1 and 4.2");
  assert.equal(source("n1 refutes it with incarnation 2: n2 takes it for alive"), "SWIM, section 4.2");
  assert.equal(source("After 1,214 ms without one, a move is acknowledged"), "thesis, section 3.9");
  assert.equal(reasons.get("cut n1 | others begins"), undefined, "who breaks something knows why");
});

test("a candidate that got no majority is told of split votes", () => {
  const steps = [role(1, 1, 2, { role: "candidate", voted: 1 }), role(2, 1, 3, { role: "candidate", voted: 1 })];
  const [, second] = story(modelOf(steps));
  assert.match(whyOf(second).text, /nobody had a majority/);
});

test("only who hears of a later term is told of later terms", () => {
  const leads = role(1, 1, 2, { role: "leader", leader: 1, voted: 1 });
  const whyOfFall = (line) => whyOf(story(modelOf([leads, line])).at(-1));
  assert.match(whyOfFall(role(2, 1, 3)).text, /later one/);
  const again = whyOfFall(role(2, 1, 2, { voted: 1 }));
  assert.match(again.text, /begins as a follower/);
  assert.equal(again.sources[0].words, "thesis, sections 3.4 and 3.8");
  assert.equal(whyOfFall(role(2, 1, 2, { role: "learner" })).sources[0].words, "thesis, section 4.2.2");
});

test("every section that is named is one that the documents name, or one that was looked up", () => {
  const docs = ["../../docs/lab.md", "../../docs/timeline.md", "../../ARCHITECTURE.md"].map((file) => readFileSync(new URL(file, import.meta.url), "utf8")).join("\n");
  const known = new Set([...docs.matchAll(/\b\d+\.\d+(?:\.\d+)?\b/g)].map(([section]) => section));
  const looked = ["2.1", "4.2.1", "4.2.2", "6.2"];
  const text = readFileSync(new URL("../src/viewer/model/sources.js", import.meta.url), "utf8");
  const named = [...text.matchAll(/(?:thesis|swim)\("([^"]*)"\)/g)].flatMap(([, sections]) => sections.match(/\d+\.\d+(\.\d+)?/g) ?? []);
  assert.ok(named.length > 20);
  for (const section of named) assert.ok(known.has(section) || looked.includes(section), section);
  for (const [, step] of text.matchAll(/docs\/lab\.md, steps? (\d+)/g)) assert.ok(docs.includes(`\n## ${step}. `), step);
});
