// What the page promises to people: a hidden word is hidden, a player stays the
// same player, nobody needs a mouse, and a phone is enough.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Demo } from "./demo.js";
import { openBrowser, Person, PHONE } from "./people.js";

const SECRET = "zugzwang";
const CLEANUP = [];
let demo, browser, first, second;

before(async () => {
  demo = await Demo.start((stop) => CLEANUP.unshift(stop));
  browser = await openBrowser((close) => CLEANUP.unshift(close));
  [first, second] = await demo.frontends();
});

after(async () => {
  for (const clean of CLEANUP) await clean();
});

test("a guesser's page, memory and socket do not know the word", { timeout: 60_000 }, async () => {
  const sue = await Person.arrive(browser, "Sue", first);
  const bo = await Person.arrive(browser, "Bo", second);
  const wim = await Person.arrive(browser, "Wim", second, { viewport: PHONE });
  const link = await sue.open("setter");
  await bo.join(link);
  await wim.page.evaluate((hash) => (location.hash = hash), link);
  await sue.hook("secret-input").fill(SECRET);
  await sue.hook("secret-button").click();
  await sue.sees("state", "data-state", "playing");
  await bo.press("e");
  await wim.seesLetter("e");
  await sue.seesLetter("e");

  const knows = async (person) => {
    const memory = await person.page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    const all = [await person.page.content(), memory, ...person.heard].join("\n").toLowerCase();
    return all.includes(SECRET);
  };
  assert.equal(await knows(sue), true, "who has set the word sees it, so we know what to look for");
  assert.equal(await knows(bo), false, "a guesser");
  assert.equal(await knows(wim), false, "a watcher");
  await sue.screenshot("setter-desktop");
  await wim.screenshot("watching-phone");

  // A setter may not guess: their keys do nothing.
  await sue.page.keyboard.press("z");
  for (const letter of new Set(SECRET)) await bo.press(letter);
  await wim.sees("state", "data-state", "won");
  assert.equal(await wim.pattern(), SECRET);
  assert.equal((await bo.tried()).length, new Set(SECRET).size + 1);
  [sue, bo, wim].forEach((person) => person.unharmed());
});

test("a reload changes nothing, not even while the frontend is dead", { timeout: 60_000 }, async () => {
  const ann = await Person.arrive(browser, "Ann", first);
  await ann.open("together", "music");
  await ann.press("q");
  await ann.seesLetter("q");
  const players = async () => ann.hook("players").locator("li[data-me] .name").allTextContents();
  const before = [await players(), await ann.pattern(), await ann.tried()];
  await ann.page.reload();
  await ann.seesLetter("q");
  assert.deepEqual([await players(), await ann.pattern(), await ann.tried()], before);
  assert.deepEqual(before[0], ["Ann"]);

  // The worker that keeps the page must be there before it is needed.
  await ann.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await ann.page.reload();
  await ann.seesLetter("q");
  await demo.fault("kill", "f1");
  await ann.page.reload();
  await ann.seesLetter("q");
  await ann.connected();
  assert.deepEqual([await players(), await ann.pattern(), await ann.tried()], before);
  await demo.fault("restart", "f1");
  ann.unharmed();
});

test("nobody needs a mouse", { timeout: 60_000 }, async () => {
  const ann = await Person.arrive(browser, "Ann", second);
  const { keyboard } = ann.page;
  await tabTo(ann, "name-input");
  await keyboard.press("Control+A");
  await keyboard.type("Annie");
  await tabTo(ann, "open-together");
  await keyboard.press("Enter");
  await ann.page.locator('[data-testid="players"] li[data-me]').waitFor();
  assert.deepEqual(await ann.hook("players").locator(".name").allTextContents(), ["Annie"]);

  // The keys of a real keyboard, anywhere on the page.
  await keyboard.press("e");
  await ann.seesLetter("e");
  await ann.page.waitForFunction(() => /\be\b/i.test(document.querySelector('[data-testid="announcements"]')?.textContent ?? ""));

  // The keys on the screen, by tab and arrows.
  await tabTo(ann, "letter-");
  await keyboard.press("ArrowRight");
  const focused = await focus(ann);
  assert.match(focused, /^letter-[b-z]$/);
  await keyboard.press("Enter");
  await ann.seesLetter(focused.at(-1));

  // Typing in a field is typing, not guessing.
  await tabTo(ann, "chat-input");
  await keyboard.type("zzz");
  await keyboard.press("Enter");
  await ann.hook("chat-log").getByText("zzz").waitFor();
  await ann.sees("letter-z", "data-state", "free");

  await tabTo(ann, "letter-");
  for (const letter of "tonrsldchumpgywkbvjxqziaf") {
    if ((await ann.state()) !== "playing") break;
    if ((await ann.hook(`letter-${letter}`).getAttribute("data-state")) !== "free") continue;
    await keyboard.press(letter);
    await ann.page.waitForFunction((hook) => {
      const over = document.querySelector('[data-testid="state"]')?.getAttribute("data-state") !== "playing";
      const state = document.querySelector(`[data-testid="${hook}"]`)?.getAttribute("data-state");
      return over || state === "hit" || state === "miss";
    }, `letter-${letter}`);
  }
  await ann.sees("state", "data-state", ["won", "lost"]);
  await tabTo(ann, "again-button");
  await ann.sees("again-button", "aria-disabled", "false");
  await keyboard.press("Enter");
  await ann.sees("state", "data-state", "playing");
  ann.unharmed();
});

test("a phone is enough", { timeout: 60_000 }, async () => {
  for (const [name, viewport] of [["phone", PHONE], ["small-phone", { width: 320, height: 568 }]]) {
    const bo = await Person.arrive(browser, "Bo", second, { viewport });
    await bo.fits();
    await bo.open("together", "animals");
    await bo.hook("word").waitFor();
    await bo.fits();
    // The whole keyboard is there without scrolling, and keys are as large as fingers.
    for (const letter of ["a", "m", "z"]) {
      const box = await bo.hook(`letter-${letter}`).boundingBox();
      assert.ok(box, `the letter ${letter}`);
      if (name === "phone") {
        assert.ok(box.y >= 0 && box.y + box.height <= viewport.height, `${letter} is out of sight: ${JSON.stringify(box)}`);
        assert.ok(box.width >= 28 && box.height >= 36, `${letter} is too small: ${JSON.stringify(box)}`);
      }
    }
    await bo.press("a");
    await bo.seesLetter("a");
    await bo.hook("drawer-button").click();
    await bo.hook("chat-input").fill("hello from a train");
    await bo.hook("chat-button").click();
    await bo.hook("chat-log").getByText("hello from a train").waitFor();
    await bo.fits();
    await bo.screenshot(`chat-${name}`);
    bo.unharmed();
  }
});

test("what is not there is said, and pages of others stay outside", { timeout: 60_000 }, async () => {
  const ann = await Person.arrive(browser, "Ann", `${second}/#/room/k7qmw2vxp4t5hj3d`);
  await ann.hook("gone").waitFor();
  ann.unharmed();
  const response = await ann.page.request.get(`${second}/`);
  const policy = response.headers()["content-security-policy"] ?? "";
  assert.match(policy, /script-src 'self'/);
  assert.equal((await ann.page.request.get(`${second}/nowhere`)).status(), 404);
  // Browsers and tools ask for it without having been told.
  assert.equal((await ann.page.request.get(`${second}/favicon.ico`)).headers()["content-type"], "image/x-icon");
});

/** The hook of what has the focus. */
async function focus(person) {
  return person.page.evaluate(() => document.activeElement?.getAttribute("data-testid") ?? "");
}

/** Presses Tab until something whose hook begins so has the focus. */
async function tabTo(person, hook) {
  for (let presses = 0; presses < 60; presses += 1) {
    if ((await focus(person)).startsWith(hook)) return;
    await person.page.keyboard.press("Tab");
  }
  assert.fail(`${hook} cannot be reached by tab`);
}
