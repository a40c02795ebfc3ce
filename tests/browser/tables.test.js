// Who may come to a table, who is there, and how a table goes on: with a real
// cluster and several people.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { Demo, eventually } from "./demo.js";
import { openBrowser, Person, PHONE } from "./people.js";

const CLEANUP = [];
let demo, browser, first, second, ann, bo;

before(async () => {
  demo = await Demo.start((stop) => CLEANUP.unshift(stop));
  browser = await openBrowser((close) => CLEANUP.unshift(close));
  [first, second] = await demo.frontends();
});

/** Everybody is a new guest in every test, at two frontends. */
beforeEach(async () => {
  ann = await Person.arrive(browser, "Ann", first);
  bo = await Person.arrive(browser, "Bo", second, { viewport: PHONE });
});

after(async () => {
  for (const clean of CLEANUP) await clean();
});

const chips = (person) => person.hook("players").locator("li");
const nameOf = (link) => link.replace("#/room/", "");
/** Leaves for the lobby, and the seat stays. */
const goToLobby = (person) => person.page.locator(".logo").click();

test("a room is private unless it is opened to strangers, and a list holds only tables one can join", { timeout: 60_000 }, async () => {
  const hidden = nameOf(await ann.open("together"));
  await goToLobby(ann);
  await ann.hook("public-check").check();
  const open = nameOf(await ann.open("together"));
  await bo.hook(`room-${open}`).waitFor();
  assert.equal(await bo.hook(`room-${hidden}`).count(), 0, "who has no link does not find it");
  assert.match(open, /^[a-z2-7]{16}$/);
  await bo.hook(`room-${open}`).click();
  await bo.hook("sit-button").click();
  await chips(ann).nth(1).waitFor();

  // Everybody goes: then there is nobody to meet, and only "all rooms" has it.
  await Promise.all([goToLobby(ann), goToLobby(bo)]);
  await eventually("the table leaves the list", async () => (await bo.hook(`room-${open}`).count()) === 0 || undefined);
  await bo.hook("all-rooms").click();
  await bo.hook(`room-${open}`).waitFor();
  assert.equal(await bo.hook(`room-${hidden}`).count(), 0);
  [ann, bo].forEach((person) => person.unharmed());
});

test("who looks elsewhere is gone from here, their seat is counted down, and they come back to it", { timeout: 60_000 }, async () => {
  const link = await ann.open("together");
  await bo.join(link);
  await goToLobby(bo);
  const seat = chips(ann).nth(1);
  await seat.getByText(/^gone, seat free in \d+ s$/).waitFor();
  await bo.page.goBack();
  await ann.page.locator('[data-testid="players"] li[data-seat="1"][data-online="true"]').waitFor();
  await chips(bo).nth(1).waitFor();
  assert.equal(await bo.hook("sit-button").isVisible(), false, "the seat was kept");
  [ann, bo].forEach((person) => person.unharmed());
});

test("a setter who goes to the lobby does not hold the table", { timeout: 60_000 }, async () => {
  const link = await ann.open("setter");
  await bo.join(link);
  await bo.hook("state").getByText("Ann is choosing a word…").waitFor();
  await goToLobby(ann);
  await bo.hook("state").getByText("Ann was to set a word, but is away.").waitFor();
  await bo.hook("again-button").click();
  await bo.hook("secret-input").waitFor();
  assert.equal(await bo.state(), "waiting");
  [ann, bo].forEach((person) => person.unharmed());
});

test("a host locks the table, shows it to strangers, and removes somebody, who may watch and not sit", { timeout: 60_000 }, async () => {
  const link = await ann.open("together");
  await bo.join(link);
  await chips(ann).nth(1).waitFor();
  assert.equal(await bo.hook("host-button").isVisible(), false);
  await ann.hook("host-button").click();
  await ann.hook("lock-button").click();
  await ann.sees("lock-button", "aria-pressed", "true");
  const cy = await Person.arrive(browser, "Cy", `${second}/${link}`);
  await cy.page.getByText("The table is locked; you are watching.").waitFor();
  assert.equal(await cy.hook("sit-button").isVisible(), false);
  await ann.hook("lock-button").click();
  await cy.hook("sit-button").waitFor();

  await ann.hook("publish-button").click();
  await ann.sees("publish-button", "aria-pressed", "true");
  await ann.hook("host-about").getByText("This room is open to strangers.").waitFor();
  await goToLobby(cy);
  await cy.hook(`room-${nameOf(link)}`).waitFor();
  await ann.hook("publish-button").click();
  await eventually("the list lets go of the table", async () => (await cy.hook(`room-${nameOf(link)}`).count()) === 0 || undefined);

  await ann.hook("remove-button").click();
  await ann.hook("remove-sure").click();
  await bo.hook("notes").getByText("The host has taken you off the table.").waitFor();
  await bo.hook("sit-button").click();
  await bo.hook("notes").locator(".note").nth(1).waitFor();
  assert.equal(await chips(bo).count(), 1, "they are not seated again");
  [ann, bo, cy].forEach((person) => person.unharmed());
});

test("two of one name are told apart", { timeout: 60_000 }, async () => {
  const link = await ann.open("together");
  bo.name = "Ann";
  await bo.join(link);
  await chips(ann).nth(1).waitFor();
  const names = await chips(ann).locator(".name").allTextContents();
  assert.equal(names[0], "Ann", "who was first keeps the name");
  assert.notEqual(names[1], "Ann");
  [ann, bo].forEach((person) => person.unharmed());
});

test("a new round begins when everybody here agrees, or some seconds after the first", { timeout: 90_000 }, async () => {
  const link = await ann.open("setter");
  await bo.join(link);
  const cy = await Person.arrive(browser, "Cy", first);
  await cy.join(link);
  await ann.hook("secret-input").fill("ox");
  await ann.hook("secret-button").click();
  await bo.sees("state", "data-state", "playing");
  await bo.press("o");
  await bo.seesLetter("o");
  await bo.press("x");
  for (const person of [ann, bo, cy]) await person.sees("state", "data-state", "won");

  await bo.hook("again-button").click();
  await ann.page.locator('[data-testid="players"] li[data-seat="1"][data-agreed]').waitFor();
  await cy.hook("agreement").getByText(/^Next round in \d+ s\. Bo agreed\.$/).waitFor();
  await ann.screenshot("agreeing-desktop");
  await ann.hook("again-button").click();
  assert.equal(await cy.state(), "won", "one is still reading the answer");
  await cy.hook("again-button").click();
  for (const person of [ann, bo, cy]) await person.sees("state", "data-state", "waiting");

  // The next setter sets, and this time one agrees alone.
  await bo.hook("secret-input").fill("ox");
  await bo.hook("secret-button").click();
  await cy.sees("state", "data-state", "playing");
  await cy.press("o");
  await cy.seesLetter("o");
  await cy.press("x");
  await cy.sees("state", "data-state", "won");
  const asked = Date.now();
  await cy.hook("again-button").click();
  for (const person of [ann, bo, cy]) await person.sees("state", "data-state", "waiting");
  const waited = Date.now() - asked;
  assert.ok(waited > 8000, `the others had time to read: ${waited} ms`);
  [ann, bo, cy].forEach((person) => person.unharmed());
});
