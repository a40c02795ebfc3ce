// Two people at two frontends play one game while machines die, and the pages
// they opened at the start are the pages they end it in.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Demo, eventually } from "./demo.js";
import { DESKTOP, openBrowser, Person, PHONE } from "./people.js";

/** What is played around the deaths. No word is made of these alone, and five wrong ones do not end a round. */
const LETTERS = ["e", "z", "a", "q", "i"];

test("the leader dies, then a frontend, and the game goes on in the same pages", { timeout: 120_000 }, async (t) => {
  const demo = await Demo.start((stop) => t.after(stop));
  const [first, second] = await demo.frontends();
  const browser = await openBrowser((close) => t.after(close));
  const ann = await Person.arrive(browser, "Ann", first, { viewport: DESKTOP });
  const bo = await Person.arrive(browser, "Bo", second, { viewport: PHONE, colorScheme: "dark" });
  const both = [ann, bo];
  await bo.screenshot("lobby-phone");
  await ann.screenshot("lobby-desktop");
  const link = await ann.open("together", "mythology");
  await bo.join(link);
  for (const { page } of both) {
    await page.locator('[data-testid="players"] li[data-online="true"]').nth(1).waitFor();
    await page.evaluate(() => (globalThis.samePage = true));
  }

  // Each sees the other's letter.
  await ann.press("e");
  await bo.seesLetter("e");
  await bo.press("z");
  await ann.seesLetter("z");

  // The leader dies between two letters.
  const leader = await demo.leader();
  await demo.fault("kill", leader);
  await Promise.all([ann.press("a"), bo.press("q")]);
  for (const person of both) {
    await person.seesLetter("a");
    await person.seesLetter("q");
  }
  await demo.fault("restart", leader);

  // Ann's frontend dies; she presses before her page has found the other one.
  await demo.fault("kill", "f1");
  await ann.press("i");
  await bo.seesLetter("i");
  await ann.seesLetter("i");
  await ann.connected();
  for (const person of both) {
    assert.equal((await person.tried()).length, LETTERS.length, "no letter is lost, none is doubled");
    await person.fits();
  }
  await ann.screenshot("game-desktop");
  await bo.screenshot("game-phone");

  // To the end, and once more.
  await playToTheEnd(both);
  assert.equal(await ann.state(), await bo.state());
  await ann.screenshot("over-desktop");
  await bo.screenshot("over-phone");
  for (const person of both) await person.hook("again-button").click();
  for (const person of both) await person.sees("state", "data-state", "playing");
  assert.deepEqual(await ann.tried(), []);
  for (const person of both) {
    assert.ok(await person.page.evaluate(() => globalThis.samePage), "nobody had to reload");
    person.unharmed();
  }
});

test("every process is restarted in order, one by one, and the pages go on", { timeout: 120_000 }, async (t) => {
  const demo = await Demo.start((stop) => t.after(stop));
  const [first, second] = await demo.frontends();
  const browser = await openBrowser((close) => t.after(close));
  const ann = await Person.arrive(browser, "Ann", first, { viewport: DESKTOP });
  const bo = await Person.arrive(browser, "Bo", second, { viewport: PHONE });
  const both = [ann, bo];
  await bo.join(await ann.open("together", "mythology"));
  for (const { page } of both) {
    await page.evaluate(() => {
      globalThis.samePage = true;
      globalThis.standings = new Set();
      const shown = document.querySelector('[data-testid="connection"]');
      const note = () => globalThis.standings.add(shown.dataset.state);
      new MutationObserver(note).observe(shown, { attributes: true, attributeFilter: ["data-state"] });
    });
  }

  // A letter falls into each restart: frontends tell their pages to move, a leader hands over.
  const names = ["f1", "n1", "f2", "n2", "n3"];
  for (const [turn, name] of names.entries()) {
    const [player, other] = turn % 2 ? [bo, ann] : [ann, bo];
    const restarted = demo.fault("restart", name);
    await player.press(LETTERS[turn]);
    await other.seesLetter(LETTERS[turn]);
    await restarted;
  }
  for (const person of both) {
    await person.connected();
    assert.equal((await person.tried()).length, LETTERS.length, "no letter is lost, none is doubled");
    const seen = await person.page.evaluate(() => [globalThis.samePage, [...globalThis.standings]]);
    assert.ok(seen[0], "nobody had to reload");
    const calm = ["connected", "reconnecting"];
    assert.ok(seen[1].every((state) => calm.includes(state)), `nothing worse was shown: ${seen[1]}`);
    person.unharmed();
  }
});

/** Both press what is likely, in turn, until the round is over for both. */
async function playToTheEnd(both) {
  const rest = [..."tonrsldchumpgywfkbvjx"].filter((letter) => !LETTERS.includes(letter));
  for (const [turn, letter] of rest.entries()) {
    const player = both[turn % 2];
    if ((await player.state()) !== "playing") break;
    await player.press(letter);
    const other = both[(turn + 1) % 2];
    await eventually(`${letter} is played`, async () => {
      const states = await Promise.all([player, other].map((one) => one.state()));
      if (states.every((state) => state !== "playing")) return true;
      const seen = await other.hook(`letter-${letter}`).getAttribute("data-state");
      return seen === "hit" || seen === "miss" || undefined;
    });
  }
}
