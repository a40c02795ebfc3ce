// Bugs are planted in a real cluster that people watch: the light of the lab turns red, names
// the promise that the bug breaks, and shows the moment. A light that is always green is blind.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { Desk } from "./desk.js";
import { eventually, plantedBinary } from "./demo.js";
import { LabRun } from "./lab.js";
import { openBrowser } from "./people.js";
import { skip } from "./skip.js";

/** What was done breaks a promise at once, or not at all; the judge looks every two seconds (ms). */
const JUDGED = 10_000;

/** How often it is looked what was found (ms). */
const LOOK = 500;

/** How long a scenario may take (ms). */
const SCENARIO = 60_000;

/** A scenario is a race with an election: so many clusters are broken by it at most. */
const TRIES = 5;

/** Bugs, what is done so that each shows, and the promise that it breaks. */
const BUGS = [
  { bug: "apply-looks-at-clock", promise: "same_hash" },
  { bug: "vote-not-saved", scenario: "voter-forgets", promise: "one_leader" },
  { bug: "leader-restored", scenario: "leader-back-at-once", promise: "linearizable" },
];

/** The build that can carry bugs. */
const binary = plantedBinary();
const missing = existsSync(binary) ? false : `${binary} is missing; make it as scripts/test does`;

let browser;
const CLEANUP = [];

if (missing) skip("the lab's red light", missing);

before(async () => {
  if (!missing) browser = await openBrowser((close) => CLEANUP.unshift(close));
});

after(async () => {
  for (const clean of CLEANUP) await clean();
});

for (const { bug, scenario, promise } of BUGS) {
  test(`${bug} is planted: the light turns red, names ${promise}, and shows the moment`, { skip: missing, timeout: 600_000 }, async (t) => {
    for (let tried = 1; ; tried += 1) {
      const { run, desk, leave } = await watch(t, bug);
      if (scenario) await play(desk, scenario);
      const finding = await found(run, promise);
      if (finding) return showsMoment(desk, finding, bug);
      assert.ok(tried < TRIES, `${promise} is kept in spite of ${bug}: ${await desk.page.locator("#verdict").innerText()}`);
      await leave();
    }
  });
}

test("no bug is planted: the same build keeps all promises in the same scenario", { skip: missing, timeout: 300_000 }, async (t) => {
  const { run, desk } = await watch(t, "");
  assert.equal(await play(desk, "voter-forgets"), "true");
  assert.equal(await found(run), undefined);
  await desk.light("good");
  await desk.screenshot("planted-nothing");
  desk.unharmed();
});

/** Somebody at a desk before a new cluster with this bug. It ends when they leave, or with the test. */
async function watch(t, bug) {
  const run = await LabRun.planted((stop) => t.after(stop), bug);
  const desk = await Desk.sit(browser, run.url);
  const leave = async () => {
    await desk.page.context().close();
    await run.stop();
  };
  return { run, desk, leave };
}

/** Chooses a scenario and does it when all is well; whether it was done. Where a bug is planted some of it may fail. */
async function play(desk, scenario) {
  const { page } = desk;
  await desk.light("good");
  await desk.tab("break");
  await page.locator("#break summary", { hasText: "Scenarios" }).click();
  await page.locator(`#break [data-key="scenario ${scenario}"]`).click();
  for (const question of await page.locator("#break .questions fieldset").all()) await question.locator("input").first().check();
  await page.locator("#break .step").getByRole("button", { name: "Do it" }).click();
  const done = page.locator("#break .done li[data-done]");
  return eventually(`${scenario} is over`, async () => {
    const how = await done.first().getAttribute("data-done");
    return how === "undefined" ? undefined : how;
  }, SCENARIO);
}

/** What was found first, of a promise or at all, when the judge has had time enough. */
async function found(run, promise) {
  const until = Date.now() + JUDGED;
  for (;;) {
    const findings = (await run.timeline()).filter(({ kind }) => kind === "finding").sort((one, other) => one.at - other.at);
    const finding = findings.find((one) => promise === undefined || one.promise === promise);
    if (finding || Date.now() > until) return finding;
    await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
}

/** The light names the promise; a press on its name leads to the moment, and the page stays there. */
async function showsMoment(desk, { promise, at, text }, bug) {
  const { page } = desk;
  const moment = `${(at / 1e6).toFixed(3)} s`;
  await desk.tab("happens");
  await desk.light("bad");
  await desk.says("#verdict", new RegExp(`broken: .*\\b${promise}\\b`));
  await page.locator("#verdict button").click();
  await page.locator('#promises .chip[data-kept="false"]', { hasText: promise }).click();
  await page.keyboard.press("Escape");
  await desk.says("#moment", moment);
  const address = `t=${Number((at / 1e6).toFixed(6))}s`;
  await eventually(`${address} in the address`, async () => ((await page.evaluate(() => location.hash)).includes(address) ? true : undefined));
  const told = page.locator("#feed [aria-current]");
  assert.equal(await told.locator("time").innerText(), moment);
  assert.equal(await told.locator(".words").innerText(), `Broken promise, ${promise}: ${text}`);
  assert.equal(await page.locator("#needle").isVisible(), true, "the strip shows where that is");
  assert.equal(await page.locator("#moment").innerText(), moment, "it stays there while the cluster goes on");
  await desk.screenshot(`planted-${bug}`);
  desk.unharmed();
}
