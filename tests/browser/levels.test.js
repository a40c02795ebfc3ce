// The twelve levels of the lab, played on a real cluster: a prediction, what is to be done,
// and what the timeline must show then.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Desk } from "./desk.js";
import { LabRun } from "./lab.js";
import { eventually } from "./demo.js";
import { openBrowser } from "./people.js";

/** How long a level may take to show all that it is about (ms). */
const ACHIEVED = 60_000;

/** A spare is trusted when it has been there for so long (microseconds). */
const TRUSTED = 10_000_000;

/** A level that is left to chance is tried so often; when another one leads, it is known soon (ms) how that went. */
const TRIES = 12;
const KNOWN = 6000;

/** What is pressed in each level, and what is waited for in between. */
const LEVELS = {
  election: [0, seen(3), 1],
  letter: [0],
  stale: [0, seen(2), 1],
  "pre-vote": [0, seen(3), healed, 1],
  split: [0, led, 1],
  minority: [0],
  "wiped-disk": [0, spareIsTrusted, 1, gone, 2, spareVotes, 3],
  joint: [0, spareIsTrusted, 1],
  gossip: [0],
  "slow-disk": [0, healed, 1],
  "lost-fsync": [0, moves, 1, led, 2],
  reads: [0],
};

let browser;
let run;
let desk;
/** When the level that is played was begun (microseconds). */
let begun = 0;
const CLEANUP = [];

before(async () => {
  browser = await openBrowser((close) => CLEANUP.unshift(close));
  run = await LabRun.start((stop) => CLEANUP.unshift(stop));
  desk = await Desk.sit(browser, run.url, { hash: "#tab=learn" });
  await desk.light("good");
});

after(async () => {
  for (const clean of CLEANUP) await clean();
});

for (const [level, plan] of Object.entries(LEVELS)) {
  test(`level: ${level}`, { timeout: 300_000 }, async () => {
    const tries = level === "split" ? TRIES : 1;
    for (let tried = 1; !(await played(level, plan)); tried += 1) {
      assert.ok(tried < tries, `not achieved:\n${await desk.page.locator(".seen").innerText()}`);
    }
    assert.match(await desk.page.locator(".reply").innerText(), /You were right|another way|The answer/);
    await desk.screenshot(`level-${level}`);
    desk.unharmed();
  });
}

test("in the end all twelve are done", { timeout: 30_000 }, async () => {
  await desk.says(".learn-score", "12 of 12 done");
  await desk.light("good");
});

/** Plays a level; whether it was achieved. */
async function played(level, plan) {
  const { page } = desk;
  begun = (await timeline()).at(-1)?.at ?? 0;
  await page.locator(`[data-level="${level}"]`).click();
  const decide = page.getByRole("button", { name: "This is my prediction" });
  if (await decide.isVisible()) {
    await page.locator("#learn fieldset input").first().check();
    await decide.click();
  }
  for (const one of plan) {
    if (typeof one === "number") await press(one);
    else await one();
  }
  return eventually("achieved", async () => ((await page.locator(".achieved").innerText()) ? true : undefined), level === "split" ? KNOWN : ACHIEVED).catch(() => false);
}

/** Presses what is to be done, unless it is done already, and waits for what comes of it. */
async function press(number) {
  const { page } = desk;
  const button = page.locator(".steps .press").nth(number);
  await eventually("a step that knows what it would do", async () => ((await page.locator(".steps .lines").nth(number).innerText()) ? true : undefined));
  if (!(await button.isEnabled())) return;
  await button.click();
  const said = page.locator(".steps output").nth(number);
  await eventually("what came of it", async () => (/[^…\s]/.test(await said.innerText()) ? true : undefined), ACHIEVED);
}

/** So many of the things to see were seen. */
function seen(count) {
  return () => eventually(`${count} things seen`, async () => ((await desk.page.locator(".seen li[data-done]").count()) >= count ? true : undefined), ACHIEVED);
}

/** The timeline, as far as it is kept. */
async function timeline() {
  const text = await (await fetch(`${run.url}timeline.jsonl`)).text();
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** Waits for something in the timeline. */
async function tells(what, shows) {
  await eventually(what, async () => (shows(await timeline()) ? true : undefined), ACHIEVED);
}

/** No fault is active. */
async function healed() {
  await tells("the faults are over", (lines) => {
    const faults = lines.filter(({ kind, at }) => kind === "fault" && at > begun);
    return faults.length > 0 && faults.every(({ id, healed }) => healed || faults.some((end) => end.id === id && end.healed));
  });
}

/** Some who play are told yes, after the faults began. */
async function moves() {
  await tells("three moves more", (lines) => {
    const since = lines.findLast(({ kind, healed, at }) => kind === "fault" && !healed && at > begun)?.at ?? Infinity;
    return lines.filter(({ kind, at, asked, outcome }) => kind === "call" && at > since && asked === "write" && outcome === "ok").length >= 3;
  });
}

/** A leader was elected after a process has ended. */
async function led() {
  await tells("another leader", (lines) => {
    const ended = lines.findLast(({ kind, event, at }) => kind === "process" && event === "ended" && at > begun)?.at ?? Infinity;
    return lines.some(({ kind, role, at }) => kind === "role" && role === "leader" && at > ended);
  });
}

/** A process has ended that has not started since. */
async function gone() {
  await tells("a node that is gone", (lines) => lines.findLast(({ kind, name, at }) => kind === "process" && name.startsWith("n") && at > begun)?.event === "ended");
}

/** A learner has been there for long enough to be trusted. */
async function spareIsTrusted() {
  await tells("a spare that is trusted", (lines) => {
    const members = lines.filter(({ kind }) => kind === "members");
    const learns = members.at(-1)?.learners?.at(-1);
    const since = members.find(({ learners }) => learners?.includes(learns))?.at ?? Infinity;
    return (lines.at(-1)?.at ?? 0) - since > TRUSTED;
  });
}

/** All who learned vote. */
async function spareVotes() {
  await tells("voters without a learner", (lines) => {
    const last = lines.findLast(({ kind }) => kind === "members");
    return last?.voters.length === 1 && !last.learners?.length;
  });
}
