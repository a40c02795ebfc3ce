// Strangers who meet: at phone size, at two frontends, whatever dies between two taps. Also
// alone, by keyboard, by a link, and what is there to see of it afterwards.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { Demo, eventually } from "./demo.js";
import { openBrowser, Person, PHONE } from "./people.js";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** Cells that X wins with, O's in between. */
const WON_BY_X = [4, 0, 2, 1, 6];

/** @type {Demo} */
let demo;
let browser;
let axe = "";
const stops = [];

before(async () => {
  demo = await Demo.start((stop) => stops.push(stop));
  browser = await openBrowser((close) => stops.push(close));
  axe = await readFile(AXE, "utf8");
});
after(async () => {
  for (const stop of stops.reverse()) await stop();
});

/** Two with phones, each at a frontend of their own. */
async function strangers(options = {}) {
  const [first, second] = await demo.frontends();
  const at = (name, url) => Person.arrive(browser, name, url, { viewport: PHONE, ...options });
  return [await at("Ann", first), await at("Bo", second)];
}

/** Presses "Play now" for tic-tac-toe, under one's name. */
async function playNow(person) {
  await person.page.locator(".game", { hasText: "Tic-tac-toe" }).click();
  await person.hook("name-input").fill(person.name);
  await person.hook("play-tic-tac-toe").click();
}

/** Waits until somebody is shown the board of a match; the room. */
async function board(person) {
  await person.page.waitForURL(/#\/room\/[a-z2-7]{16}$/);
  await person.hook("cell-0").waitFor();
  return new URL(person.page.url()).hash;
}

const role = (person) => person.page.locator('[data-testid="players"] li[data-me]').getAttribute("data-role");

/** Whose X is, first. */
async function byTurns(people) {
  return (await role(people[0])) === "x" ? people : [...people].reverse();
}

/** The two mark these cells in turns, X first; both see each mark. */
async function mark(people, cells) {
  for (const [nth, cell] of cells.entries()) {
    await people[nth % 2].hook(`cell-${cell}`).click();
    for (const person of people) await person.sees(`cell-${cell}`, "data-mark", nth % 2 ? "O" : "X");
  }
}

/** What axe has to say of what somebody sees. */
function complaints(person) {
  return person.page.evaluate(`${axe}; axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + " " + nodes[0].html))`);
}

test("two strangers at two frontends press Play now, and play", { timeout: 120_000 }, async () => {
  const people = await strangers();
  const [ann, bo] = people;
  await ann.screenshot("match-lobby-phone");
  await playNow(ann);
  await ann.sees("offer-tic-tac-toe", "data-state", "open");
  await ann.screenshot("match-looking-phone");
  assert.deepEqual(await complaints(ann), []);
  await playNow(bo);
  const rooms = await Promise.all(people.map(board));
  assert.equal(rooms[0], rooms[1], "they play with each other");
  for (const person of people) await person.fits();
  await ann.screenshot("match-begins-phone");
  assert.deepEqual(await complaints(ann), []);
  const [x, o] = await byTurns(people);
  await mark([x, o], WON_BY_X);
  for (const person of people) await person.sees("state", "data-state", "won");
  // What the round did, beside the result.
  for (const person of people) await person.hook("statistics").waitFor();
  assert.match(await x.page.locator("main").textContent(), /1520/);
  assert.match(await o.page.locator("main").textContent(), /1480/);
  await x.screenshot("match-won-phone");
  await o.screenshot("match-lost-phone");
  assert.deepEqual(await complaints(x), []);
  // Both want another one: sides are swapped.
  for (const person of people) await person.page.waitForFunction(() => document.querySelector('[data-testid="again-button"]')?.getAttribute("aria-disabled") === "false");
  await x.hook("again-button").click();
  await o.page.getByText(/rematch/i).first().waitFor();
  await o.screenshot("match-rematch-phone");
  await o.hook("again-button").click();
  for (const person of people) await person.sees("state", "data-state", "playing");
  assert.equal(await role(x), "o");
  for (const person of people) person.unharmed();
});

test("the leader is killed between the two taps", { timeout: 120_000 }, async () => {
  const people = await strangers({ colorScheme: "dark" });
  const [ann, bo] = people;
  const leader = await demo.leader();
  await playNow(ann);
  await demo.fault("kill", leader);
  await playNow(bo);
  const rooms = await Promise.all(people.map(board));
  assert.equal(rooms[0], rooms[1], "they play with each other");
  const [x, o] = await byTurns(people);
  await mark([x, o], [4]);
  await x.screenshot("match-leader-killed-phone");
  await demo.fault("restart", leader);
  // Giving up takes two presses.
  await o.hook("resign-button").click();
  await o.sees("resign-button", "data-doubted", "");
  await o.hook("resign-button").click();
  for (const person of people) await person.sees("state", "data-state", "won");
  for (const person of people) person.unharmed();
});

test("who is alone plays a bot, by keyboard", { timeout: 120_000 }, async () => {
  const [, second] = await demo.frontends();
  const ann = await Person.arrive(browser, "Ann", second, { viewport: PHONE });
  const { keyboard } = ann.page;
  await ann.page.locator(".game", { hasText: "Tic-tac-toe" }).click();
  await ann.hook("play-tic-tac-toe").focus();
  await keyboard.press("Enter");
  await board(ann);
  await ann.page.locator('[data-testid="players"] [aria-label^="a bot"]').waitFor();
  await ann.screenshot("match-bot-phone");
  const me = (await role(ann)) === "x" ? "X" : "O";
  const over = () => ann.state().then((state) => (state === "playing" ? undefined : state));
  for (let cell = 0; cell < 9 && !(await over()); cell += 1) {
    // The bot has moved, or the round is over.
    await eventually("my turn", async () => {
      const marks = await ann.page.locator("[data-testid^=cell-]").evaluateAll((cells) => cells.map((one) => one.getAttribute("data-mark")));
      const count = (mark) => marks.filter((one) => one === mark).length;
      const mine = me === "X" ? count("X") === count("O") : count("X") > count("O");
      return mine || (await over()) ? true : undefined;
    });
    if (await over()) break;
    if (await ann.hook(`cell-${cell}`).getAttribute("data-mark")) continue;
    await keyboard.press(String(cell + 1));
    await ann.sees(`cell-${cell}`, "data-mark", me);
  }
  await ann.sees("state", "data-state", ["won", "draw"]);
  ann.unharmed();
});

test("who is gone may come back for 45 s, and then the win may be claimed", { timeout: 150_000 }, async () => {
  const people = await strangers();
  const [ann, bo] = people;
  for (const person of people) {
    // Without a clock, so that nobody loses on time meanwhile.
    await person.hook("seek-settings").click();
    await person.hook("seek-clock").selectOption("0");
    await playNow(person);
  }
  await Promise.all(people.map(board));
  await bo.page.close();
  await ann.hook("contest-said").getByText("may come back within").waitFor();
  await ann.screenshot("match-gone-phone");
  await ann.hook("claim-win-button").waitFor({ timeout: 70_000 });
  await ann.hook("claim-win-button").click();
  await ann.sees("state", "data-state", "won");
  await ann.screenshot("match-claimed-phone");
  ann.unharmed();
});

test("a challenge goes by a link, and a refusal takes the step back", { timeout: 90_000 }, async () => {
  const people = await strangers();
  const [ann, bo] = people;
  await ann.hook("name-input").fill("Ann");
  await ann.hook("challenge-link").click();
  const link = await eventually("a link", async () => (await ann.hook("share-link").inputValue()) || undefined);
  const hash = new URL(link).hash;
  await ann.screenshot("match-challenge-link-phone");
  await bo.page.evaluate((to) => (location.hash = to), hash);
  await bo.hook("challenge-who").getByText("Ann").waitFor();
  assert.deepEqual(await complaints(bo), []);
  await bo.screenshot("match-challenged-phone");
  await bo.hook("challenge-accept").click();
  await bo.page.waitForURL(/#\/room\//);
  // The offer is gone now, and says so.
  const cy = await Person.arrive(browser, "Cy", (await demo.frontends())[0], { viewport: PHONE });
  await cy.page.evaluate((to) => (location.hash = to), hash);
  await cy.page.getByText(/not stand|is gone|not there|over/i).first().waitFor();
  for (const person of [...people, cy]) person.unharmed();
});

test("who is somewhere else is told that it is their turn", { timeout: 90_000 }, async () => {
  const people = await strangers();
  for (const person of people) await playNow(person);
  await Promise.all(people.map(board));
  const [mover, other] = await byTurns(people);
  await other.page.evaluate(() => (location.hash = "#/"));
  await mover.hook("contest-said").getByText(/is gone, and may come back within \d+ s/).waitFor();
  await mover.hook("cell-4").click();
  await other.hook("banners").getByText(`Your turn against ${mover.name}`).waitFor();
  await other.screenshot("match-your-turn-phone");
  await other.page.locator(".banner[data-ready]").waitFor();
  await other.hook("banner-open").click();
  await other.sees("cell-4", "data-mark", "X");
  for (const person of people) person.unharmed();
});

test("numbers move, leaderboards and cards are there, on a phone and for axe", { timeout: 90_000 }, async () => {
  const [first] = await demo.frontends();
  const ann = await Person.arrive(browser, "Ann", `${first}/live`, { viewport: PHONE });
  await ann.hook("live-numbers").waitFor();
  const moves = async () => Number((await ann.hook("live-moves").textContent()).replaceAll(/\D/g, ""));
  await eventually("moves were counted", async () => ((await moves()) > 0 ? true : undefined));
  await ann.fits();
  await ann.screenshot("live-phone");
  assert.deepEqual(await complaints(ann), []);
  await ann.page.goto(`${first}/#/ladder`);
  await ann.hook("ladder-about").waitFor();
  await ann.screenshot("ladder-phone");
  assert.deepEqual(await complaints(ann), []);
  ann.unharmed();
});
