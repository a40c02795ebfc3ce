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

test("who goes by keys keeps the focus while everything goes on, and hears what happens once", { timeout: 120_000 }, async () => {
  const desk = await Desk.sit(browser, run.url);
  await desk.light("good");
  const { page } = desk;
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  const count = async () => Number.parseInt((await page.locator("#told-count").innerText()).replace(",", ""), 10);
  await page.evaluate(() => {
    globalThis.aloud = [];
    new MutationObserver(() => globalThis.aloud.push(document.getElementById("said").textContent)).observe(document.getElementById("said"), { childList: true, characterData: true, subtree: true });
  });

  // With all calls in it, there is always more to tell.
  await page.getByLabel("all calls").press("Space");
  // The story is one stop: arrows walk through it, and it does not run away meanwhile.
  await page.locator("#feed").press("ArrowDown");
  const sentence = await focused();
  assert.match(sentence, /^[\d,.]+ s/);
  const told = await count();
  await eventually("more is told", async () => ((await count()) > told + 2 ? true : undefined), SEEN);
  assert.equal(await focused(), sentence);
  assert.ok(await page.evaluate(() => document.activeElement.getBoundingClientRect().bottom <= innerHeight), "it is still in sight");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.getElementById("feed").contains(document.activeElement)), false, "no stop for each sentence");

  // The promises are counted anew under the eyes of whoever reads them.
  await page.locator(".light").press("Enter");
  await page.locator("#promises button").first().focus();
  const counted = await page.locator("#promises .count").first().innerText();
  await eventually("more is judged", async () => ((await page.locator("#promises .count").first().innerText()) === counted ? undefined : true), SEEN);
  assert.ok(await page.evaluate(() => document.activeElement.matches("#promises button")));
  await page.keyboard.press("Escape");
  assert.ok(await page.evaluate(() => document.activeElement.matches(".light")), "what was closed gives the focus back");

  // A level's button is pressed, and has the focus when it is done. The outage is said once.
  await page.locator("#tab-happens").press("End");
  await page.locator("#learn .levels button").first().press("Enter");
  await page.locator("#learn input[type=radio]").first().press("Space");
  await page.locator("#learn fieldset button").press("Enter");
  const killed = await focused();
  assert.match(killed, /^Kill/);
  await page.keyboard.press("Enter");
  await desk.says("#learn .deeds", "is killed");
  assert.equal(await focused(), killed);
  // Whoever is elected at once leaves nothing to say. When that one dies as well, nobody is left who could be.
  await eventually("the next leader dies", async () => ((await desk.perform(["kill", "leader"])).done ? true : undefined), SEEN);
  const said = (what) => eventually(`${what} is said`, async () => (await page.evaluate(() => globalThis.aloud)).find((one) => what.test(one)), SEEN);
  await said(/^(Nobody can move|No move is acknowledged) any more$/);
  const restarted = await desk.perform(["restart", "ended"]);
  assert.equal(restarted.done, true, restarted.said);
  await said(/^Moves are acknowledged again/);
  const times = await page.evaluate(() => globalThis.aloud.filter((one) => /any more$/.test(one)).length);
  assert.ok(times <= 2, "what grows is not read again and again");
  const live = await page.evaluate(() => [...document.querySelectorAll("output:not([aria-live=off])")].filter((one) => one.closest(".tools, .axis")).length);
  assert.equal(live, 0, "the moment that runs is not read aloud");
  desk.unharmed();
});

test("nobody is kept out: contrast, names and roles are right, by day, by night and on a phone", { timeout: 240_000 }, async () => {
  for (const options of [{}, { colorScheme: "dark" }, { viewport: PHONE }]) {
    const desk = await Desk.sit(browser, run.url, options);
    await desk.light("good");
    for (const tab of ["happens", "break", "learn"]) {
      await desk.tab(tab);
      const found = await desk.axe(AXE);
      assert.deepEqual(found, [], `${tab} ${JSON.stringify(options)}`);
    }
    await desk.tab("happens");
    for (const place of [".ring-nodes button", ".ring-signs summary", "#nodes summary", ".light"]) {
      await desk.page.locator(place).first().click();
      assert.deepEqual(await desk.axe(AXE), [], `${place} ${JSON.stringify(options)}`);
    }
    const wide = await desk.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `nothing hangs out at the right: ${wide}`);
    await desk.screenshot(`lab-${options.colorScheme ?? "light"}-${options.viewport ? "phone" : "desktop"}`);
    await desk.page.context().close();
  }
});

test("large type enlarges what stands in the ring as well, and nothing runs into anything", { timeout: 90_000 }, async () => {
  for (const viewport of [{ width: 1440, height: 900 }, { width: 1024, height: 768 }]) {
    const desk = await Desk.sit(browser, run.url, { viewport, hash: "#tab=learn" });
    await desk.light("good");
    const before = await desk.page.evaluate(inRing);
    await desk.page.getByRole("button", { name: "Large type" }).click();
    const now = await eventually("larger names", async () => {
      const seen = await desk.page.evaluate(inRing);
      return seen.name > before.name * 1.15 ? seen : undefined;
    });
    assert.ok(now.chart > before.chart * 1.15, `a dot of the logs takes ${now.chart} of the screen's, and took ${before.chart}`);
    assert.deepEqual(now.overlaps, [], `at ${viewport.width}`);
    const wide = await desk.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `nothing hangs out at the right: ${wide}`);
    await desk.screenshot(`lab-large-${viewport.width}`);
    // What is pressed is what is seen there.
    const leader = await desk.leader();
    await desk.page.locator(".ring-nodes button", { hasText: leader }).click({ button: "right" });
    await desk.says("#popup", "Kill");
    await desk.page.keyboard.press("Escape");
    desk.unharmed();
    await desk.page.context().close();
  }
});

/** In the page: how large names are, how many of the screen's dots one of the logs' takes, and which words of the ring lie on others. */
function inRing() {
  const words = [...document.querySelectorAll(".ring-nodes button, .ring-nodes p > *, .ring-head, .ring-title, .ring-rest, .ring-logs")].filter((one) => one.offsetWidth && one.textContent.trim());
  // As it is when gossip and Raft differ: that takes the most room.
  document.querySelector(".ring-layers button:last-child").dataset.differs = "";
  const boxes = words.map((one) => ({ one, box: one.getBoundingClientRect() }));
  const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
  const pairs = boxes.flatMap((a, place) => boxes.slice(place + 1).filter((b) => a.one.parentElement !== b.one.parentElement && meet(a.box, b.box)).map((b) => `${a.one.textContent} on ${b.one.textContent}`));
  const chart = document.querySelector(".ring-logs canvas");
  return { name: document.querySelector(".ring-nodes button b").getBoundingClientRect().height, chart: chart.width / chart.clientWidth, overlaps: pairs };
}

test("a scenario that needs a spare can be done as soon as there is one", { timeout: 120_000 }, async () => {
  const desk = await Desk.sit(browser, run.url);
  await desk.light("good");
  await desk.tab("break");
  await desk.page.locator("#break summary", { hasText: "Scenarios" }).click();
  await desk.page.locator('#break [data-key="scenario voter-replaced"]').click();
  const step = desk.page.locator("#break .step");
  await desk.says("#break .step .note", "It needs a spare");
  assert.equal(await step.getByRole("button", { name: "Not here" }).isDisabled(), true);
  const added = await desk.perform(["spare"]);
  assert.equal(added.done, true, added.said);
  await step.getByRole("button", { name: "Do it" }).waitFor({ timeout: SEEN });
  assert.equal(await step.locator(".note").count(), 0);
  desk.unharmed();
});
