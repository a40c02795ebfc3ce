// The lab in a real browser: a real cluster is watched, broken by clicks, and learned from.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { eventually } from "./demo.js";
import { LabRun } from "./lab.js";
import { Desk } from "./desk.js";
import { openBrowser, PHONE } from "./people.js";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** How long an election, and what follows from it, may take to be seen (ms). */
const SEEN = 30_000;

let browser;
let run;
const CLEANUP = [];

before(async () => {
  browser = await openBrowser((close) => CLEANUP.unshift(close));
  run = await LabRun.start((stop) => CLEANUP.unshift(stop), "--bots", "6");
});

after(async () => {
  for (const clean of CLEANUP) await clean();
});

test("the leader is killed by a click while bots play: the gap is measured, the verdict stays good", { timeout: 120_000 }, async () => {
  const desk = await Desk.sit(browser, run.url);
  await desk.light("good");
  const leader = await desk.leader();
  await desk.tab("break");
  await desk.page.locator(`#break [data-key="one ${leader}"]`).click();
  await desk.page.locator("#break").getByRole("button", { name: "Kill", exact: true }).click();
  const line = await desk.page.locator("#break .step code").innerText();
  assert.equal(line, `hangraft kill ${leader} --dir ${run.dir}`);
  await desk.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await desk.page.locator("#break .step").getByRole("button", { name: "Copy" }).click();
  await desk.says("#break .step", "Copied");
  assert.equal(await desk.page.evaluate(() => navigator.clipboard.readText()), line);
  for (const question of await desk.page.locator("#break .questions fieldset").all()) await question.locator("input").first().check();
  await desk.page.locator("#break .step").getByRole("button", { name: "Do it" }).click();

  const next = await eventually("another leader", async () => ((await desk.leader()) === leader ? undefined : desk.leader()), SEEN);
  assert.match(await desk.says("#break .watch", /leads term/), /for (0\.\d+|\d+) (ms|s)|\d+ ms/, "it is said for how long nobody could move");
  await desk.tab("happens");
  const won = desk.page.locator("#feed li", { hasText: `${next} leads term` }).last();
  await won.waitFor();
  assert.match(await won.innerText(), /of 3 voted for it/);
  await desk.light("good");

  // Back to the moment of the election, and to the newest again by a key.
  await won.locator("button").first().click();
  const then = await desk.moment();
  await eventually("the moment in the address", async () => (/t=\d/.test(await desk.page.evaluate(() => location.hash)) ? true : undefined));
  await desk.page.locator("body").press("l");
  await eventually("the newest moment", async () => ((await desk.moment()) > then + 1 ? true : undefined));
  const restarted = await desk.perform(["restart", leader]);
  assert.equal(restarted.done, true, restarted.said);
  desk.unharmed();
});

test("with the keyboard alone a node is chosen and paused, and the table tells what the picture shows", { timeout: 90_000 }, async () => {
  const desk = await Desk.sit(browser, run.url);
  await desk.light("good");
  await desk.page.locator("#nodes summary").press("Enter");
  const rows = desk.page.locator("#nodes tbody tr");
  await eventually("a row for each node", async () => ((await rows.count()) >= 3 ? true : undefined));
  const leader = await desk.leader();
  await desk.page.locator("#tab-happens").focus();
  await desk.page.keyboard.press("ArrowRight");
  await desk.page.locator(`#break [data-key="one ${leader}"]`).press("Enter");
  await desk.page.locator("#break").getByRole("button", { name: "Pause", exact: true }).press("Enter");
  for (const question of await desk.page.locator("#break .questions fieldset").all()) await question.locator("input").first().press("Space");
  await desk.page.locator("#break .step").getByRole("button", { name: "Do it" }).press("Enter");
  await desk.says("#nodes tbody", new RegExp(`${leader}\\s+(stands still|paused)`));
  await eventually("another leader", async () => ((await desk.leader()) === leader ? undefined : true), SEEN);
  const resumed = await desk.perform(["resume", leader]);
  assert.equal(resumed.done, true, resumed.said);
  desk.unharmed();
});

test("nobody is kept out: contrast, names and roles are right, by day, by night and on a phone", { timeout: 90_000 }, async () => {
  for (const options of [{}, { colorScheme: "dark" }, { viewport: PHONE }]) {
    const desk = await Desk.sit(browser, run.url, options);
    await desk.light("good");
    for (const tab of ["happens", "break", "learn"]) {
      await desk.tab(tab);
      const found = await desk.axe(AXE);
      assert.deepEqual(found, [], `${tab} ${JSON.stringify(options)}`);
    }
    const wide = await desk.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `nothing hangs out at the right: ${wide}`);
    await desk.screenshot(`lab-${options.colorScheme ?? "light"}-${options.viewport ? "phone" : "desktop"}`);
    await desk.page.context().close();
  }
});
