// Strangers meet: two press "Play now" at two frontends and are in a game with each other,
// also with the leader killed between the two taps; who is alone gets a bot. At phone size,
// against a real cluster.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Demo } from "./demo.js";
import { openBrowser, Person, PHONE } from "./people.js";

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

/** Somebody in the lobby who has chosen tic-tac-toe. */
async function arrive(name, frontend, more = {}) {
  const person = await Person.arrive(browser, name, frontend, { viewport: PHONE, ...more });
  await person.hook("name-input").fill(name);
  await person.page.locator(".game", { hasText: "Tic-tac-toe" }).click();
  return person;
}

/** Two strangers at two frontends. */
async function strangers() {
  const [first, second] = await demo.frontends();
  return [await arrive("Ann", first), await arrive("Bo", second, { colorScheme: "dark" })];
}

const inRoom = (person) => person.page.waitForURL(/#\/room\/[a-z2-7]{16}$/, { timeout: 20_000 });
const told = (person) => person.hook("state").textContent();

/** Both are in one room, and one of them is to move. */
async function together(people) {
  for (const person of people) await inRoom(person);
  for (const person of people) await person.hook("state").getByText(/turn/).waitFor();
  const [one, other] = people.map((person) => new URL(person.page.url()).hash);
  assert.equal(one, other);
  return (await told(people[0])).startsWith("Your turn") ? people : people.toReversed();
}

test("two strangers at two frontends press 'Play now', play, and are rated", { timeout: 90_000 }, async () => {
  const people = await strangers();
  const [ann, bo] = people;
  await ann.hook("play-tic-tac-toe").click();
  await ann.hook("offer-now").getByText(/^Looking for somebody around your strength · \d s · a bot plays if nobody comes$/).waitFor();
  await bo.hook("seeks").getByText("Ann").waitFor();
  await ann.screenshot("match-looking-phone");
  await bo.hook("play-tic-tac-toe").click();
  const [first, second] = await together(people);
  await first.screenshot("match-turn-phone");
  for (const [nth, cell] of [0, 3, 1, 4, 2].entries()) {
    await [first, second][nth % 2].hook(`cell-${cell}`).click();
    for (const person of people) await person.sees(`cell-${cell}`, "data-mark", nth % 2 ? "O" : "X");
  }
  for (const person of people) await person.hook("statistics").getByText(/\(\+20\)/).waitFor();
  await second.screenshot("match-over-phone");
  // One wants a rematch, and the other reads who does.
  await first.sees("again-button", "aria-disabled", "false");
  await first.hook("again-button").click();
  await second.hook("agreement").getByText(`${first.name} wants a rematch.`).waitFor();
  await second.hook("again-button").click();
  for (const person of people) await person.page.locator(".about").getByText("Round 2").waitFor();
  for (const person of people) person.unharmed();
});

test("the leader is killed between the two taps, and they meet all the same", { timeout: 90_000 }, async () => {
  const people = await strangers();
  const [ann, bo] = people;
  await ann.hook("play-tic-tac-toe").click();
  const leader = await demo.leader();
  await demo.fault("kill", leader);
  await bo.hook("play-tic-tac-toe").click();
  await together(people);
  await demo.fault("restart", leader);
  for (const person of people) person.unharmed();
});

test("who is alone gets a bot, is told so, and plays it", { timeout: 90_000 }, async () => {
  const [frontend] = await demo.frontends();
  const ann = await arrive("Ann", frontend);
  await ann.hook("seek-settings").click();
  await ann.hook("seek-clock").selectOption("0");
  await ann.hook("play-tic-tac-toe").click();
  await inRoom(ann);
  await ann.hook("players").getByText("bot").waitFor();
  await ann.screenshot("match-bot-phone");
  await ann.hook("resign-button").click();
  await ann.hook("resign-button").getByText("again").waitFor();
  await ann.hook("resign-button").click();
  await ann.hook("state").getByText("You have resigned.").waitFor();
  assert.doesNotMatch(await ann.hook("statistics").textContent(), /Rating/, "never for ratings");
  ann.unharmed();
});

test("a friend is asked by link, and who is somewhere else is told that it is their turn", { timeout: 90_000 }, async () => {
  const [first, second] = await demo.frontends();
  const ann = await arrive("Ann", first);
  const bo = await Person.arrive(browser, "Bo", second, { viewport: PHONE });
  await ann.hook("challenge-link").click();
  await ann.hook("share-dialog").waitFor();
  const link = new URL(await ann.hook("share-link").inputValue());
  await ann.hook("share-close").click();
  await bo.page.evaluate((hash) => (location.hash = hash), link.hash);
  await bo.hook("challenge-what").getByText("Tic-tac-toe · 30 s a move · rated").waitFor();
  await bo.hook("name-input").fill("Bo");
  await bo.screenshot("match-challenge-phone");
  await bo.hook("challenge-accept").click();
  const [mover, other] = await together([ann, bo]);
  await other.page.evaluate(() => (location.hash = "#/"));
  await mover.hook("contest-said").getByText(/is gone, and may come back within \d+ s/).waitFor();
  await mover.hook("cell-4").click();
  await other.hook("banners").getByText(`Your turn against ${mover.name}`).waitFor();
  await other.screenshot("match-your-turn-phone");
  await other.page.locator(".banner[data-ready]").waitFor();
  await other.hook("banner-open").click();
  await other.sees("cell-4", "data-mark", "X");
  for (const person of [ann, bo]) person.unharmed();
});
