// Which rooms a player finds, and by what name: against a frontend of paper.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ME, Reader, ROOM } from "./paper.js";
import { openBrowser, PHONE } from "./people.js";

const HASH = `#/room/${ROOM}`;

let browser;
const CLEANUP = [];

before(async () => {
  browser = await openBrowser((close) => CLEANUP.unshift(close));
});

after(async () => {
  for (const clean of CLEANUP) await clean();
});

test("a room is private unless the player opens it to strangers", { timeout: 30_000 }, async () => {
  const ann = await Reader.arrive(browser, { answers: { open: () => ({ ok: { room: ROOM } }) } });
  await ann.hook("open-together").click();
  await ann.hook("word").waitFor();
  assert.equal(ann.asked("open")[0].data.public, false);
  await ann.page.evaluate(() => (location.hash = "#/"));
  await ann.hook("public-check").check();
  await ann.hook("open-setter").click();
  await ann.hook("word").waitFor();
  assert.equal(ann.asked("open")[1].data.public, true);
  ann.unharmed();
});

test("the list asks for rooms one can join, and for all only when one wants that", { timeout: 30_000 }, async () => {
  const line = (names, more) => ({ room: ROOM, game: "hangman", state: "playing", players: 2, here: 1, watchers: 0, version: 3, seats: 8, names, locked: false, about: { mode: "together", category: "food" }, ...more });
  const rooms = ({ all }) => ({ ok: { rooms: all ? [line(["Cy"], { locked: true, state: "won" })] : [line(["Bo", "<b>Di"])], next: null } });
  const ann = await Reader.arrive(browser, { answers: { rooms } });
  const list = ann.hook("room-list");
  await list.getByText("Bo, <b>Di").waitFor();
  await list.getByText("Hangman · food · playing · 2 of 8 seated, 1 here", { exact: true }).waitFor();
  assert.equal(ann.asked("rooms").some(({ data }) => data.all), false);
  await ann.hook("all-rooms").click();
  await list.getByText("Hangman · food · won · 2 of 8 seated, 1 here · locked").waitFor();
  await ann.hook("all-rooms").click();
  await list.getByText("Bo, <b>Di").waitFor();
  ann.unharmed();
});

test("one chooses among the games that the cluster can open, and the choice is kept", { timeout: 30_000 }, async () => {
  const rooms = (games) => () => ({ ok: { rooms: [], next: null, games } });
  const ann = await Reader.arrive(browser, { answers: { rooms: rooms(["hangman", "tic-tac-toe", "chess"]) } });
  await ann.hook("open-together").waitFor();
  const choices = ann.hook("games").locator("label");
  await choices.nth(1).waitFor();
  assert.deepEqual(await choices.allTextContents(), ["Hangman", "Tic-tac-toe"]);
  await choices.nth(1).click();
  await ann.hook("clock-select").selectOption("30");
  await ann.page.reload();
  await ann.hook("clock-select").selectOption("30");
  await ann.hook("open-tic-tac-toe").click();
  assert.deepEqual(ann.asked("open")[0].data, { ...ann.asked("open")[0].data, game: "tic-tac-toe", options: { clock: 30 }, public: false });
  ann.unharmed();

  // A cluster whose members do not all know a game does not offer it.
  const bo = await Reader.arrive(browser, { answers: { rooms: rooms(["hangman"]) } });
  await bo.hook("open-together").waitFor();
  assert.equal(await bo.hook("games").isVisible(), false);
  bo.unharmed();
});

test("a game of the next version is played with what its folder brings", { timeout: 30_000 }, async () => {
  const seated = (seat, name) => ({ seat, name, player: `p${seat + 1}`, online: true, points: 0, role: "player" });
  const nim = { game: "nim", state: "playing", round: 1, heaps: [1, 2], turn: 0, winner: null, players: [seated(0, "Ann"), seated(1, "Bo")], seats: 2, chat: [], host: ME, public: false, locked: false };
  const ann = await Reader.arrive(browser, { hash: HASH, view: nim, viewport: PHONE });
  await ann.hook("stone-1-0").click();
  assert.deepEqual(ann.asked("play")[0].data.move, { heap: 1, take: 2 });
  ann.shows({ ...nim, heaps: [1, 0], turn: 1 });
  await ann.hook("stone-1-0").waitFor({ state: "detached" });
  assert.equal(await ann.hook("state").textContent(), "Bo’s turn.");
  ann.shows({ ...nim, state: "won", heaps: [0, 0], turn: null, winner: "p2" });
  await ann.hook("again-button").waitFor();
  await ann.fits();
  ann.unharmed();
});

test("an old link is explained, and so is half a link", { timeout: 30_000 }, async () => {
  const ann = await Reader.arrive(browser, { hash: "#/room/12" });
  await ann.hook("gone").getByText(/old link: rooms have names now/).waitFor();
  await ann.hook("gone").getByText("Back to the lobby").click();
  await ann.hook("join-input").fill("#/room/k7qm");
  await ann.hook("join-button").click();
  await ann.hook("join-why").getByText(/not the whole of one/).waitFor();
  await ann.hook("join-input").fill(`http://elsewhere.test/${HASH}`);
  await ann.hook("join-button").click();
  await ann.hook("word").waitFor();
  ann.unharmed();
});
