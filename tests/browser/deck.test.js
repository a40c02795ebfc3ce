// Below deck: players see the nodes that carry their game, and what becomes of a move when
// the leader dies. In a real cluster, and against a frontend of paper for what that shows
// too rarely.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";
import { Demo, eventually } from "./demo.js";
import { Reader, ROOM } from "./paper.js";
import { DESKTOP, openBrowser, Person, PHONE } from "./people.js";

const HASH = `#/room/${ROOM}`;
const aboard = (node, heard = true) => ({ node, votes: true, heard });
const LED = { push: "deck", term: 4, leader: 2, through: 3, for_ms: 0, nodes: [1, 2, 3].map((node) => aboard(node)) };
const LOST = { push: "deck", term: 4, lost: 2, through: 3, for_ms: 0, nodes: [aboard(1), aboard(2, false), aboard(3)] };

/** Opens the panel, and waits until three nodes are there. */
async function look(person) {
  await person.hook("deck-button").click();
  await person.hook("deck-nodes").locator("li").nth(2).waitFor();
}

/** From here on the page remembers all that it has said of the nodes and of moves. */
async function listen(person) {
  await person.page.evaluate(() => {
    globalThis.said = new Set();
    const note = () => {
      for (const hook of ["deck-heading", "deck-move", "deck-awaited"]) globalThis.said.add(document.querySelector(`[data-testid="${hook}"]`).textContent);
    };
    new MutationObserver(note).observe(document.querySelector('[data-testid="deck"]'), { subtree: true, childList: true, characterData: true });
  });
}

const said = (person) => person.page.evaluate(() => [...globalThis.said]);

/** Presses a key at the moment in which the page says that the leader is lost: an election is over soon. */
async function pressWhenLost(person, letter) {
  await person.page.evaluate((hook) => {
    const look = new MutationObserver(() => {
      if (!document.querySelector('[data-testid="deck-heading"]').textContent.startsWith("The leader")) return;
      look.disconnect();
      document.querySelector(`[data-testid="${hook}"]`).click();
    });
    look.observe(document.querySelector('[data-testid="deck-heading"]'), { subtree: true, childList: true, characterData: true });
  }, `letter-${letter}`);
}

test("the leader dies, and below deck one sees that one's letter is kept and saved", { timeout: 120_000 }, async (t) => {
  const demo = await Demo.start((stop) => t.after(stop));
  const [first] = await demo.frontends();
  const browser = await openBrowser((close) => t.after(close));
  const ann = await Person.arrive(browser, "Ann", first);
  await ann.open("together", "mythology");
  await look(ann);
  const leader = await demo.leader();
  await ann.hook("deck-heading").getByText(new RegExp(`^${leader} leads in term \\d+\\. All 3 nodes are heard\\.`)).waitFor();
  assert.deepEqual((await ann.hook("deck-nodes").locator(".raft-role").allTextContents()).sort(), ["leads", "votes", "votes"]);
  await ann.press("e");
  await ann.hook("deck-move").getByText(/^Your E: saved by a majority after .* on your screen after /).waitFor();
  assert.equal(await ann.hook("deck-safe").isVisible(), false, "all is well");

  await listen(ann);
  await pressWhenLost(ann, "z");
  await demo.fault("kill", leader);
  await ann.hook("deck-move").getByText(/^Your Z: saved by a majority after .* The leader was lost meanwhile\./).waitFor();
  const heard = await said(ann);
  for (const sentence of [new RegExp(`^The leader, ${leader}, was lost \\d+`), /^Your Z is kept here and is sent (again )?to the next (one|leader)\.$/, /^an election, usually under a second\.$/]) {
    assert.ok(heard.some((one) => sentence.test(one)), `${sentence} in ${heard.join(" | ")}`);
  }
  const next = await demo.leader();
  await ann.hook("deck-heading").getByText(new RegExp(`^${next} leads in term \\d+\\. ${leader} is not heard from here; 2 of 3 are enough\\.`)).waitFor();
  await ann.hook("announcements").getByText(`${next} leads now.`).waitFor();
  assert.doesNotMatch(await ann.hook("announcements").textContent(), /saved by a majority|kept here/, "not of every letter");

  // The next one dies as well, and there is no majority any more.
  await demo.fault("kill", next);
  await ann.hook("deck-awaited").getByText("a majority: 2 of 3 nodes; 1 is heard.").waitFor();
  await ann.press("q");
  await ann.hook("deck-move").getByText(/^Your Q is kept here and is sent (again )?to the next (one|leader)\.$/).waitFor();
  await ann.hook("deck-safe").getByText("all that was played; a majority has saved it.").waitFor();
  await demo.fault("restart", leader);
  await ann.hook("deck-move").getByText(/^Your Q: saved by a majority after /).waitFor();
  assert.equal((await ann.tried()).length, 3, "no letter is lost, none is doubled");

  // Where a node is, and by what frontends are known to it, is said to nobody.
  const told = ann.heard.filter((text) => text.includes('"push":"deck"'));
  assert.ok(told.length > 3);
  for (const text of told) assert.doesNotMatch(text, /127\.0\.0\.1|localhost|token|:\d{5}\b/);
  ann.unharmed();
});

test("below deck can be looked at also when the frontend has died that the page came from", { timeout: 60_000 }, async (t) => {
  const demo = await Demo.start((stop) => t.after(stop));
  const [first] = await demo.frontends();
  const browser = await openBrowser((close) => t.after(close));
  const ann = await Person.arrive(browser, "Ann", first);
  await ann.open("together", "mythology");
  assert.equal(await ann.page.evaluate(() => performance.getEntriesByType("resource").filter(({ name, initiatorType }) => name.includes("/deck/") && initiatorType !== "fetch").length), 0, "the page has not loaded it");
  // The worker has a copy, which it has made beside the page.
  await ann.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await ann.page.reload();
  await ann.hook("word").waitFor();
  await demo.fault("kill", "f1");
  await look(ann);
  await ann.hook("deck-heading").getByText(/ leads in term /).waitFor();
  await ann.press("z");
  await ann.hook("deck-move").getByText(/^Your Z: saved by a majority after /).waitFor();
  ann.unharmed();
});

test("what is below deck costs nothing while it is closed, and is asked for once while it is open", { timeout: 60_000 }, async (t) => {
  const browser = await openBrowser((close) => t.after(close));
  const ann = await Reader.arrive(browser, { hash: HASH, answers: { deck: ({ open }) => ({ ok: open ? { age: 840 } : {} }) } });
  await ann.hook("word").waitFor();
  const loaded = () => ann.page.evaluate(() => performance.getEntriesByType("resource").filter(({ name }) => name.includes("/deck/")).length);
  assert.deepEqual([ann.asked("deck").length, await loaded()], [0, 0]);
  await ann.hook("deck-button").focus();
  await ann.page.keyboard.press("Enter");
  await ann.sees("deck-button", "aria-expanded", "true");
  await eventually("the nodes are asked for", () => ann.asked("deck")[0]);
  ann.says(LOST);
  await ann.hook("deck-heading").getByText(/^The leader, n2, was lost (0\.[89]|[1-9])/).waitFor();
  ann.says(LED);
  await ann.hook("deck-heading").getByText("n2 leads in term 4.").waitFor();
  // By keyboard to the end of it, and out again.
  await ann.hook("deck-close").focus();
  await ann.page.keyboard.press("Escape");
  await ann.sees("deck-button", "aria-expanded", "false");
  assert.equal(await ann.page.evaluate(() => document.activeElement.dataset.testid), "deck-button");
  await eventually("it is said that nobody looks any more", () => ann.asked("deck")[1]);
  assert.deepEqual(ann.asked("deck").map(({ data }) => data), [{ open: true }, { open: false }]);
  // What still comes is nobody's.
  ann.says(LOST);
  await ann.press("z");
  await eventually("the letter is sent", () => ann.asked("play")[0]);
  assert.equal(await ann.hook("deck").isVisible(), false);
  ann.unharmed();
});

test("a frontend of before is not asked twice, and the page says what it is", { timeout: 30_000 }, async (t) => {
  const browser = await openBrowser((close) => t.after(close));
  const answers = { deck: () => ({ refused: { code: "bad-request", message: "there is no such action" } }) };
  const ann = await Reader.arrive(browser, { hash: HASH, answers });
  await ann.hook("deck-button").click();
  await ann.hook("deck-heading").getByText("This frontend is an older one, and does not tell who leads.").waitFor();
  await ann.press("z");
  await eventually("the letter is sent", () => ann.asked("play")[0]);
  assert.equal(ann.asked("deck").length, 1);
  ann.unharmed();
});

test("below deck lies over nothing, by day and by night, and axe finds nothing", { timeout: 300_000 }, async (t) => {
  const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  const browser = await openBrowser((close) => t.after(close));
  for (const [viewport, colorScheme] of [[PHONE, "light"], [PHONE, "dark"], [DESKTOP, "light"], [DESKTOP, "dark"], [{ width: 320, height: 568 }, "light"]]) {
    const ann = await Reader.arrive(browser, { hash: HASH, viewport, colorScheme, answers: { play: () => null } });
    await ann.hook("word").waitFor();
    await ann.hook("deck-button").click();
    await eventually("the nodes are asked for", () => ann.asked("deck")[0]);
    for (const [name, deck] of [["calm", LED], ["outage", { ...LOST, nodes: [aboard(1, false), aboard(2, false), { node: 14, votes: false, heard: true }] }]]) {
      ann.says(deck);
      await ann.hook("deck-heading").getByText(name === "calm" ? "n2 leads" : "The leader, n2").waitFor();
      if (name === "outage") {
        await ann.press("z");
        await ann.hook("deck-move").getByText(/^Your Z is kept here/).waitFor();
      }
      // What is still fading in has no contrast yet; a key on its way breathes for ever.
      await ann.page.evaluate(() => document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < Infinity).forEach((one) => one.finish()));
      const found = await ann.page.evaluate(`${axe}; axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + " " + nodes[0].html))`);
      assert.deepEqual(found, [], `${name}, ${viewport.width}, ${colorScheme}`);
      await ann.screenshot(`deck-${name}-${viewport.width}-${colorScheme}`);
    }
    await ann.fits();
    const panel = await ann.hook("deck").boundingBox();
    for (const hook of ["letter-a", "letter-z", "word", "word-input", "state"]) {
      const box = await ann.hook(hook).boundingBox();
      assert.ok(box.y + box.height <= panel.y + 1 || box.y >= panel.y + panel.height - 1, `${hook} at ${viewport.width}: ${JSON.stringify([box, panel])}`);
    }
    ann.unharmed();
  }
});
