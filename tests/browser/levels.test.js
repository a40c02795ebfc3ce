// The twelve levels of the lab, played on a real cluster: a prediction, what is to be done,
// and what the timeline must show then.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Desk } from "./desk.js";
import { LabRun } from "./lab.js";
import { Told } from "./told.js";
import { eventually } from "./demo.js";
import { openBrowser } from "./people.js";

/** How long each thing may take that a level waits for (ms). */
const ACHIEVED = 60_000;

/** A hint that stands for so long (ms) is meant: what comes a little later may take it back. */
const MEANT = 1000;

/** A spare is trusted when it has been there for so long (microseconds). */
const TRUSTED = 10_000_000;

/** When a level says that it went another way, it is begun again. One of them is left to chance. */
const TRIES = 3;
const TRIES_OF_CHANCE = 12;

/**
 * What is pressed in each level, and what is waited for in between. They are played in another
 * order than on the page: a spare of the one is trusted when the other is over.
 */
const LEVELS = {
  election: [0, seen(3), 1],
  letter: [0],
  stale: [0, seen(2), 1],
  "pre-vote": [0, seen(3), 1],
  split: [0, seen(4), 1],
  minority: [0],
  "wiped-disk": [0, spareIsTrusted, 1, seen(2), 2, seen(4), 3, spareForLater],
  "slow-disk": [0, healed, 1],
  joint: [0, spareIsTrusted, 1],
  gossip: [0],
  "lost-fsync": [0, moves, 1, seen(3), 2],
  reads: [0],
};

let browser;
let run;
let desk;
let told;
/** Since when it counts for the level that is played (microseconds). */
let begun = 0;
const CLEANUP = [];

before(async () => {
  browser = await openBrowser((close) => CLEANUP.unshift(close));
  run = await LabRun.start((stop) => CLEANUP.unshift(stop));
  told = Told.listen((stop) => CLEANUP.unshift(stop), run.url);
  desk = await Desk.sit(browser, run.url, { hash: "#tab=learn" });
  await desk.light("good");
});

after(async () => {
  for (const clean of CLEANUP) await clean();
});

for (const [level, plan] of Object.entries(LEVELS)) {
  test(`level: ${level}`, { timeout: 300_000 }, async (context) => {
    await open(level);
    const tries = level === "split" ? TRIES_OF_CHANCE : TRIES;
    for (let tried = 1, otherwise; (otherwise = await played(plan)); tried += 1) {
      assert.ok(tried < tries, `it went another way ${tries} times:\n${otherwise.lesson}`);
      context.diagnostic(`it went another way: ${otherwise.hint}`);
    }
    assert.match(await desk.page.locator(".reply").innerText(), /You were right|another way|The answer/);
    await desk.screenshot(`level-${level}`);
    // The next level is not to be played with what is still broken.
    await desk.perform(["fault", "heal"]);
    desk.unharmed();
  });
}

test("in the end all twelve are done, and no promise was broken", { timeout: 150_000 }, async () => {
  assert.deepEqual(told.lines.filter(({ kind }) => kind === "finding"), []);
  await desk.says(".learn-score", "12 of 12 done");
  await desk.light("good");
});

/** Opens a level, and predicts something. */
async function open(level) {
  const { page } = desk;
  await page.locator(`[data-level="${level}"]`).click();
  await page.locator("#learn fieldset input").first().check();
  await page.getByRole("button", { name: "This is my prediction" }).click();
}

/** Plays a level. If that says that it went another way, it is begun again, and what it said is returned. */
async function played(plan) {
  const { page } = desk;
  begun = await page.evaluate(() => JSON.parse(localStorage.getItem("hangraft-lab-learn")).since);
  for (const [place, one] of plan.entries()) {
    if (typeof one === "number") await press(one);
    else await one();
    if (await hinted()) return again(plan.slice(place + 1));
  }
  const went = async () => ((await page.locator(".achieved").innerText()) ? "achieved" : (await hinted()) ? "another way" : undefined);
  return (await patiently("the level is achieved", went)) === "achieved" ? undefined : again([]);
}

/** Does what is left, which makes whole what was stopped, and begins the level again. Returns what it said. */
async function again(left) {
  const otherwise = { lesson: await lesson(), hint: await desk.page.locator(".hint-line").innerText() };
  for (const one of left) if (typeof one === "number") await press(one);
  await desk.perform(["fault", "heal"]);
  await desk.page.getByRole("button", { name: "Begin again" }).click();
  return otherwise;
}

/** The level says, and goes on saying, that it went another way. */
async function hinted() {
  const hint = desk.page.locator(".hint-line");
  if (!(await hint.isVisible())) return false;
  await new Promise((resolve) => setTimeout(resolve, MEANT));
  return hint.isVisible();
}

/** Waits for something, and says what the level showed when it does not come. */
async function patiently(what, look) {
  return eventually(what, look, ACHIEVED).catch(async (error) => assert.fail(`${error.message}\n${await lesson()}`));
}

/** What the level shows. */
async function lesson() {
  return desk.page.locator(".lesson").innerText();
}

/** Presses what is to be done, unless it is done already, and waits for what comes of it. */
async function press(number) {
  const { page } = desk;
  const button = page.locator(".steps .press").nth(number);
  await patiently("a step that knows what it would do", async () => ((await page.locator(".steps .lines").nth(number).innerText()) ? true : undefined));
  if (!(await button.isEnabled())) return;
  await button.click();
  const said = page.locator(".steps output").nth(number);
  await patiently("what came of it", async () => (/[^…\s]/.test(await said.innerText()) ? true : undefined));
}

/** So many of the things to see were seen. */
function seen(count) {
  return () => until(`${count} things seen`, async () => (await desk.page.locator(".seen li[data-done]").count()) >= count);
}

/** Waits for something, unless the level says that it went another way. */
async function until(what, shows) {
  await patiently(what, async () => ((await shows()) || (await hinted()) ? true : undefined));
}

/** Waits for something in the timeline. */
async function tells(what, shows) {
  await until(what, () => shows(told.lines));
}

/** Faults have begun, and none is active. */
async function healed() {
  await tells("the faults are over", (lines) => {
    const faults = lines.filter(({ kind, at }) => kind === "fault" && at > begun);
    const over = new Set(faults.filter(({ healed }) => healed).map(({ id }) => id));
    const active = faults.filter(({ healed }) => !healed);
    return active.length > 0 && active.every(({ id }) => over.has(id));
  });
}

/** Some who play are told yes, after the faults began. */
async function moves() {
  await tells("three moves more", (lines) => {
    const since = lines.findLast(({ kind, healed, at }) => kind === "fault" && !healed && at > begun)?.at ?? Infinity;
    return lines.filter(({ kind, at, asked, outcome }) => kind === "call" && at > since && asked === "write" && outcome === "ok").length >= 3;
  });
}

/** Another level needs a spare as well. */
async function spareForLater() {
  await desk.perform(["spare"]);
}

/** A learner has been there for long enough to be trusted. */
async function spareIsTrusted() {
  await tells("a spare that is trusted", (lines) => {
    const members = lines.filter(({ kind }) => kind === "members");
    // A node that starts again tells an old list at first.
    const newest = members.reduce((one, other) => (other.index >= one.index ? other : one), { index: 0 });
    const learns = newest.learners?.at(-1);
    const since = members.find(({ learners }) => learners?.includes(learns))?.at ?? Infinity;
    return (lines.at(-1)?.at ?? 0) - since > TRUSTED;
  });
}
