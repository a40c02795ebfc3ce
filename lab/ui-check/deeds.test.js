// What is asked of the server, and what is kept of its answers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Lab } from "../src/viewer/lab.js";
import { Deeds } from "../src/viewer/served/deeds.js";
import { modelOf } from "./paper.js";

const settings = { live: true, breaks: true, watch_only: false, dir: "/tmp/x", frontends: [], scenarios: [], forks: false, kept_us: 0 };

/** A lab whose server answers that, and what was sent to it. */
function labOf(answer, more = {}) {
  const sent = [];
  globalThis.fetch = async (where, { method, headers, body }) => {
    sent.push([where, method, headers["content-type"], body]);
    if (answer instanceof Error) throw answer;
    const { status = 200, ...told } = answer;
    return { ok: status === 200, status, text: async () => told.text ?? JSON.stringify(told) };
  };
  const lab = new Lab(modelOf(), { ...settings, ...more });
  return { lab, sent, deeds: new Deeds(lab, () => {}) };
}

test("what is sent is the words as JSON, and what is kept is their command line", async () => {
  const { lab, sent, deeds } = labOf({ done: true, said: "n1 (process 7) is killed\n", line: "hangraft kill n1 --dir /tmp/x" });
  assert.deepEqual(await lab.perform(["kill", "n1"]), { done: true, said: "n1 (process 7) is killed" });
  assert.deepEqual(sent, [["/do", "POST", "application/json", '{"words":["kill","n1"]}']]);
  const [deed] = deeds.list;
  assert.deepEqual([deed.line, deed.done, deed.said], ["hangraft kill n1 --dir /tmp/x", true, "n1 (process 7) is killed"]);
  assert.ok(deed.at >= lab.model.end && deed.answered >= deed.at && deed.answered < Infinity);
});

test("where nobody knows the folder, the line is the one that the server has run", async () => {
  const { lab, deeds } = labOf({ done: true, said: "", line: "hangraft fault heal --node 10.0.0.1:7101" }, { dir: undefined });
  await lab.perform(["fault", "heal"]);
  assert.equal(deeds.list[0].line, "hangraft fault heal --node 10.0.0.1:7101");
});

test("what was not done says why, whatever the answer looks like", async () => {
  for (const [answer, said] of [
    [{ done: false, said: "error: n1 is not running" }, /^n1 is not running\. .*restart it first/],
    [{ status: 500, done: true, said: "" }, /refused it \(500\)/],
    [{ status: 403, text: "no" }, /Nothing may be broken from this page/],
    [{ status: 500, text: "<html>" }, /refused it \(500\)/],
    [{ text: "not JSON" }, /was not done/],
    [{ text: "null" }, /was not done/],
    [new Error("gone"), /does not answer/],
  ]) {
    const { lab, deeds } = labOf(answer);
    const { done, said: told } = await lab.perform(["kill", "n1"]);
    assert.equal(done, false);
    assert.match(told, said);
    assert.equal(deeds.list[0].done, false);
  }
});

test("where nothing may be broken nothing can be sent, and the command lines are there", () => {
  for (const [more, why] of [[{ watch_only: true }, /only watch/], [{ breaks: false }, /faults = true/], [{ live: false }, /recorded/]]) {
    const { lab, deeds } = labOf({}, more);
    assert.equal(lab.perform, undefined);
    assert.match(deeds.forbidden, why);
    assert.equal(deeds.line(["kill", "n1"]), "hangraft kill n1 --dir /tmp/x");
  }
});

test("only so many deeds are kept", async () => {
  const { lab, deeds } = labOf({ done: true, said: "" });
  for (let count = 0; count < 120; count += 1) await lab.perform(["fault", "heal"]);
  assert.equal(deeds.list.length, 100);
});
