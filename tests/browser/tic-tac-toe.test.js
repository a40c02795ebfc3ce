// Tic-tac-toe in two real browsers, at two frontends: a win with the leader killed in the
// middle of it, a draw, a clock that runs out, and sides that are swapped every round.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Demo } from "./demo.js";
import { DESKTOP, openBrowser, Person, PHONE } from "./people.js";

/** @type {Demo} */
let demo;
let browser;
const stops = [];

before(async () => {
  demo = await Demo.start((stop) => stops.push(stop));
  browser = await openBrowser((close) => stops.push(close));
});
after(async () => {
  for (const stop of stops.reverse()) await stop();
});

/** Opens a room of tic-tac-toe; its link's end. */
async function open(person, clock) {
  await person.page.locator(".game", { hasText: "Tic-tac-toe" }).click();
  await person.hook("name-input").fill(person.name);
  await person.hook("clock-select").selectOption(clock);
  await person.hook("open-tic-tac-toe").click();
  await person.page.waitForURL(/#\/room\/[a-z2-7]{16}$/);
  await person.page.locator('[data-testid="players"] li[data-me]').waitFor();
  return new URL(person.page.url()).hash;
}

/** Two at one table, Ann's. */
async function pair(clock, more = {}) {
  const [first, second] = await demo.frontends();
  const ann = await Person.arrive(browser, "Ann", first, { viewport: DESKTOP });
  const bo = await Person.arrive(browser, "Bo", second, { viewport: PHONE, ...more });
  await bo.join(await open(ann, clock));
  for (const person of [ann, bo]) await person.sees("state", "data-state", "playing");
  return [ann, bo];
}

/** The two mark these cells in turns, X first; both see each mark. */
async function mark(people, cells) {
  for (const [nth, cell] of cells.entries()) {
    await people[nth % 2].hook(`cell-${cell}`).click();
    for (const person of people) await person.sees(`cell-${cell}`, "data-mark", nth % 2 ? "O" : "X");
  }
}

async function again(people) {
  for (const person of people) await person.page.waitForFunction(() => document.querySelector('[data-testid="again-button"]')?.getAttribute("aria-disabled") === "false");
  for (const person of people) await person.hook("again-button").click();
  for (const person of people) await person.sees("state", "data-state", "playing");
}

/** What somebody's own chip says of their mark. */
const role = (person) => person.page.locator('[data-testid="players"] li[data-me]').getAttribute("data-role");
const told = (person) => person.hook("state").textContent();

test("a round is won though the leader is killed in the middle of it, and sides are swapped", { timeout: 90_000 }, async () => {
  const people = await pair("", { colorScheme: "dark" });
  const [ann, bo] = people;
  assert.deepEqual([await role(ann), await role(bo)], ["x", "o"]);
  await mark(people, [4, 0]);
  const leader = await demo.leader();
  await demo.fault("kill", leader);
  await ann.hook("cell-2").click();
  await bo.sees("cell-2", "data-mark", "X");
  await demo.fault("restart", leader);
  await bo.hook("cell-1").click();
  await ann.sees("cell-1", "data-mark", "O");
  await ann.hook("cell-6").click();
  for (const person of people) await person.sees("state", "data-state", "won");
  assert.equal(await told(ann), "Three in a row. You win!");
  assert.equal(await told(bo), "Ann has three in a row and wins.");
  for (const cell of [2, 4, 6]) await bo.sees(`cell-${cell}`, "data-line", "");
  await ann.screenshot("tic-tac-toe-desktop");
  await bo.screenshot("tic-tac-toe-phone");
  for (const person of people) await person.fits();

  // The other begins, and nobody can move out of turn.
  await again(people);
  assert.deepEqual([await role(ann), await role(bo)], ["o", "x"]);
  assert.equal(await told(bo), "Your turn: you have X.");
  await ann.hook("cell-4").click({ force: true });
  await mark([bo, ann], [4, 0]);
  for (const person of people) person.unharmed();
});

test("a full board is a draw, by mouse and by keyboard", { timeout: 60_000 }, async () => {
  const people = await pair("");
  const [ann, bo] = people;
  for (const [nth, cell] of [0, 4, 8, 1, 7, 6, 2, 5, 3].entries()) {
    const mover = people[nth % 2];
    if (mover === ann) await ann.page.keyboard.press(String(cell + 1));
    else await bo.hook(`cell-${cell}`).click();
    for (const person of people) await person.sees(`cell-${cell}`, "data-mark", nth % 2 ? "O" : "X");
  }
  for (const person of people) {
    await person.sees("state", "data-state", "draw");
    assert.match(await told(person), /^A draw/);
    person.unharmed();
  }
});

test("a clock that runs out loses the round, a reload does not wind it up", { timeout: 90_000 }, async () => {
  const people = await pair("10");
  const [ann, bo] = people;
  await mark(people, [4]);
  await bo.page.waitForFunction(() => Number(document.querySelector('[data-testid="clock"]')?.getAttribute("data-left")) <= 6);
  await bo.page.reload();
  const left = await bo.page.waitForFunction(() => document.querySelector('[data-testid="clock"]')?.getAttribute("data-left"));
  assert.ok(Number(await left.jsonValue()) <= 6, `the clock shows ${await left.jsonValue()} s after a reload`);
  await bo.sees("state", "data-state", "won");
  assert.equal(await told(bo), "Your time ran out. Ann wins.");
  await ann.sees("state", "data-state", "won");
  assert.equal(await told(ann), "Bo’s time ran out. You win.");
  await again(people);
  assert.deepEqual([await role(ann), await role(bo)], ["o", "x"]);
  for (const person of people) person.unharmed();
});
