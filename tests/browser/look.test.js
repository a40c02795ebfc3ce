// What players see and touch, in a real browser against a frontend of paper: the
// states that a real cluster shows too rarely or too slowly to wait for.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { eventually } from "./demo.js";
import { game, player, Reader, ROOM, won } from "./paper.js";
import { DESKTOP, openBrowser, PHONE } from "./people.js";

const HASH = `#/room/${ROOM}`;
const EIGHT = ["Maximilian von Habsburg", "Bo", "Christina-Alexandra Long", "Dee", "Eve", "Fred the second of Prus", "Gus", "Hal"];

let browser;
const CLEANUP = [];

before(async () => {
  browser = await openBrowser((close) => CLEANUP.unshift(close));
});

after(async () => {
  for (const clean of CLEANUP) await clean();
});

/** Someone in the room, up to date. */
async function inTheRoom(options = {}) {
  const ann = await Reader.arrive(browser, { hash: HASH, ...options });
  await ann.hook("word").waitFor();
  return ann;
}

const box = (ann, selector) => ann.page.locator(selector).boundingBox();
const overlap = (one, other) =>
  one.x < other.x + other.width && other.x < one.x + one.width && one.y < other.y + other.height && other.y < one.y + one.height;

test("a room that is not there is never shown as an empty one", { timeout: 30_000 }, async () => {
  const ann = await Reader.arrive(browser, { view: null });
  await ann.page.evaluate((hash) => {
    globalThis.offered = false;
    const look = () => {
      const seat = document.querySelector('[data-testid="sit-button"]');
      globalThis.offered ||= seat !== null && seat.checkVisibility({ visibilityProperty: true });
      requestAnimationFrame(look);
    };
    look();
    location.hash = hash;
  }, HASH);
  await ann.hook("gone").waitFor({ timeout: 2000 });
  assert.equal(ann.asked("watch").length, 1, "the frontend has looked more than once; the page need not");
  assert.equal(await ann.page.evaluate(() => globalThis.offered), false, "no seat was offered in a room that is not there");
  assert.match(await ann.hook("gone").textContent(), /no such room/);
  ann.unharmed();
});

test("with the phone's chat open nothing behind it can be reached", { timeout: 30_000 }, async () => {
  const ann = await inTheRoom({ viewport: PHONE });
  await ann.hook("drawer-button").click();
  const seen = new Set();
  for (let presses = 0; presses < 12; presses += 1) {
    await ann.page.keyboard.press("Tab");
    seen.add(await ann.page.evaluate(() => document.activeElement?.closest(".side") !== null || document.activeElement === document.body));
  }
  assert.deepEqual([...seen], [true], "Tab stays in the drawer");
  assert.equal(await ann.page.locator(".side").getAttribute("role"), "dialog");
  // A screen reader goes on hearing what happens.
  assert.equal(await ann.hook("announcements").evaluate((live) => live.closest("[inert]")), null);
  await ann.page.keyboard.press("Escape");
  await ann.press("z");
  assert.equal(ann.asked("play").length, 1, "and behind it all is as before");
  // Who goes back with the drawer open finds a lobby that works.
  await ann.hook("drawer-button").click();
  await ann.page.evaluate(() => (location.hash = "#/"));
  await ann.hook("join-input").click();
  assert.equal(await ann.page.locator("[inert]").count(), 0);
  ann.unharmed();
});

test("the drawing keeps its height when a round ends, and when the next begins", { timeout: 30_000 }, async () => {
  for (const viewport of [PHONE, DESKTOP]) {
    const ann = await inTheRoom({ viewport });
    const heights = [];
    const after = async (view) => {
      ann.shows(view);
      await ann.sees("state", "data-state", view.state);
      heights.push((await box(ann, ".scene")).height);
    };
    await after(game());
    await after(won());
    await after(won({ winner: null, state: "lost", mode: "setter" }));
    await after(won({ again: { agreed: [1], begins_in_ms: 10_000 } }));
    await after(game({ round: 2, tried: [], wrong: [] }));
    assert.deepEqual(new Set(heights).size, 1, `${viewport.width}: ${heights}`);
    ann.unharmed();
  }
});

test("of eight players all are in sight on a phone, oneself first", { timeout: 30_000 }, async () => {
  const names = ["Gus", "Hal", ...EIGHT.slice(0, 6)];
  const players = names.map((name, seat) => player(seat, name, { player: name === "Bo" ? "p1" : `q${seat}`, points: seat * 7 }));
  const ann = await inTheRoom({ viewport: PHONE, view: game({ players }) });
  const chips = ann.hook("players").locator("li");
  assert.equal(await chips.count(), 8);
  assert.equal(await chips.first().locator(".name").textContent(), "Bo");
  for (const chip of await chips.all()) {
    const { x, y, width, height } = await chip.boundingBox();
    assert.ok(x >= 0 && x + width <= PHONE.width && y >= 0 && y + height <= PHONE.height, "in sight");
    const [name, points] = [await chip.locator(".name").boundingBox(), await chip.locator(".points").boundingBox()];
    assert.ok(name.width >= 20 && points.x + points.width <= x + width, "name and points can be read");
  }
  // The keys still have their place.
  const key = await ann.hook("letter-z").boundingBox();
  assert.ok(key.y + key.height <= PHONE.height);
  await ann.fits();
  ann.unharmed();
});

test("a brief message covers no heading, name, life or key; a field's refusal stands beside it", { timeout: 30_000 }, async () => {
  const refuse = { play: ({ move }) => ({ refused: { code: "illegal-move", message: move.letter ? `'${move.letter}' was guessed before` : "that word was tried before" } }) };
  for (const viewport of [PHONE, DESKTOP]) {
    const ann = await inTheRoom({ viewport, answers: refuse });
    await ann.press("z");
    await ann.hook("notes").getByText("Z was guessed a moment before.").waitFor();
    const note = await box(ann, ".note");
    for (const selector of ["h1", ".about", ".players li >> nth=0", ".lives", ".misses", ".keys", '[data-testid="share-button"]']) {
      assert.ok(!overlap(note, await box(ann, selector)), `${viewport.width}: ${selector}`);
    }
    await ann.hook("word-input").fill("beetle");
    await ann.hook("word-button").click();
    await ann.hook("word-why").getByText("That word was tried before.").waitFor();
    assert.equal(await ann.hook("word-input").inputValue(), "beetle", "it can be mended");
    const [why, input] = [await ann.hook("word-why").boundingBox(), await ann.hook("word-input").boundingBox()];
    assert.ok(Math.abs(why.y + why.height - input.y) < 20, "right above the field");
    ann.unharmed();
  }
});

test("a word that cannot be right is not sent, and why is said before it costs anything", { timeout: 30_000 }, async () => {
  const ann = await inTheRoom();
  await ann.hook("word-input").fill("e");
  assert.equal(await ann.hook("word-count").textContent(), "1/6");
  await ann.sees("word-button", "aria-disabled", "true");
  await ann.page.keyboard.press("Enter");
  await ann.hook("word-why").getByText("The word has 6 letters; this has 1.").waitFor();
  assert.equal(ann.asked("play").length, 0);
  await ann.hook("word-input").fill("beetle");
  await ann.page.keyboard.press("Enter");
  await eventually("the guess is sent", () => ann.asked("play")[0]);
  // Out of the field without a mouse, letters go to the board again.
  await ann.page.keyboard.press("Escape");
  await ann.page.keyboard.press("z");
  await eventually("the letter is sent", () => ann.asked("play")[1]);
  ann.unharmed();
});

test("while the machines are silent the page says that the letter is safe", { timeout: 30_000 }, async () => {
  const ann = await inTheRoom({ answers: { play: () => null } });
  await ann.press("z");
  ann.says({ push: "cluster", state: "electing" });
  const said = "Your letter is safe; it will be played when the machines answer.";
  await ann.hook("state").getByText(said).waitFor({ timeout: 6000 });
  await ann.hook("announcements").getByText(said).waitFor();
  ann.says({ push: "cluster", state: "connected" });
  ann.says({ id: ann.asked("play")[0].id, ok: { version: 2 } });
  await ann.hook("state").getByText("Bo guessed Q: no hit.").waitFor();
  ann.unharmed();
});

test("no translator touches the letters, and oneself is called you", { timeout: 30_000 }, async () => {
  const ann = await inTheRoom();
  for (const hook of ["word", "letter-a", "wrong", "tried", "players"]) {
    assert.equal(await ann.hook(hook).evaluate((one) => one.translate), false, hook);
  }
  assert.equal(await ann.hook("state").evaluate((one) => one.translate), true, "sentences may be translated");
  assert.deepEqual(await ann.tried(), ["You E ×2", "Bo Q no"]);
  ann.unharmed();
});

test("'Play again' takes no tap that was meant for a key, and waits for the table", { timeout: 30_000 }, async () => {
  const ann = await inTheRoom({ viewport: PHONE });
  const keys = await Promise.all(["w", "x", "y", "z"].map((letter) => ann.hook(`letter-${letter}`).boundingBox()));
  ann.shows(won());
  await ann.hook("again-button").waitFor();
  const button = await ann.hook("again-button").boundingBox();
  for (const key of keys) assert.ok(!overlap(button, key), "not where keys were");
  // A finger that was on its way: everywhere, at once, for most of a second.
  const end = Date.now() + 700;
  while (Date.now() < end) {
    for (const { x, y, width, height } of [button, ...keys]) await ann.page.touchscreen.tap(x + width / 2, y + height / 2);
  }
  assert.deepEqual(ann.asked("again"), []);
  // A click waits until the button is ready.
  await ann.hook("again-button").click();
  await eventually("the wish is sent", () => ann.asked("again")[0]);
  ann.shows(won({ again: { agreed: [0], begins_in_ms: 10_000 } }));
  await ann.hook("agreement").getByText(/^Next round in \d+ s, or when Bo agrees\.$/).waitFor();
  await ann.hook("agreement").getByText("Next round in 8 s, or when Bo agrees.").waitFor();
  await ann.hook("players").locator('li[data-seat="0"][data-agreed]').waitFor();
  await ann.sees("again-button", "aria-disabled", "true");
  ann.unharmed();
});

test("a link that can be marked, copied and photographed, also where there is no clipboard", { timeout: 30_000 }, async () => {
  const ann = await inTheRoom({ viewport: PHONE });
  assert.equal(await ann.page.evaluate(() => isSecureContext), false, "as at an address in one's network");
  await ann.hook("share-button").click();
  const link = await ann.hook("share-link").inputValue();
  assert.equal(link, `http://game.test:8080/${HASH}`);
  assert.equal(await ann.page.evaluate(() => String(getSelection())), link, "marked, to be copied by hand");
  await ann.hook("share-copy").click();
  await ann.hook("share-told").getByText(/copied|Copy the marked link/).waitFor();
  assert.ok((await ann.hook("share-qr").boundingBox()).width >= 150);
  await ann.fits();
  await ann.page.keyboard.press("Escape");
  await ann.press("z");
  assert.equal(ann.asked("play").length, 1);
  ann.unharmed();
});

test("at this computer's own address others are offered the ones they can reach", { timeout: 30_000 }, async () => {
  const origin = "http://127.0.0.1:8080";
  const told = ["http://192.168.1.5:8080", "http://[fd00::5]:8080"];
  const ann = await inTheRoom({ origin, server: { addresses: told } });
  await ann.hook("share-button").click();
  assert.equal(await ann.hook("share-link").inputValue(), `${told[0]}/${HASH}`);
  await ann.hook("share-address").selectOption({ label: "[fd00::5]:8080" });
  assert.equal(await ann.hook("share-link").inputValue(), `${told[1]}/${HASH}`);
  ann.unharmed();

  const lonely = await inTheRoom({ origin });
  await lonely.hook("share-button").click();
  await lonely.hook("share-hint").getByText(/others cannot open this link/).waitFor();
  lonely.unharmed();
});

test("after a restore the older game is shown, and that it is", { timeout: 30_000 }, async () => {
  const ann = await inTheRoom();
  for (let round = 2; round < 6; round += 1) ann.shows(game({ round }));
  await ann.page.locator(".about", { hasText: "Round 5" }).waitFor();
  ann.says({ push: "view", room: ann.room, version: 2, view: game({ round: 2 }), events: [], resync: true });
  await ann.page.locator(".about", { hasText: "Round 2" }).waitFor();
  ann.unharmed();
});

test("a room that is told in steps looks like one that is told whole, and old lines are not unread", { timeout: 30_000 }, async () => {
  const { chat: none, ...view } = game();
  assert.deepEqual(none, []);
  const line = (text) => ({ player: "p2", name: "Bo", text });
  const said = (text) => ({ events: [{ kind: "said", ...line(text) }] });
  let lines = [line("before you came")];
  let version = 1;
  const ann = await inTheRoom({ viewport: PHONE, view, answers: { history: () => ({ ok: { version, lines } }) } });
  assert.equal(ann.asked("hello")[0].data.steps, true);
  const chatButton = ann.hook("drawer-button");
  const log = ann.hook("chat-log").locator("p");
  await eventually("the line of before is there", async () => (await log.allTextContents()).join() === "Bo before you came");
  assert.equal(await chatButton.textContent(), "Chat");

  ann.steps({}, said("hello"));
  await chatButton.getByText("Chat (1)").waitFor();
  ann.steps({ pattern: ["w", "e", null, null, "e", null], lives: 4 });
  await ann.sees("lives", "data-lives", "4");
  assert.equal(await ann.pattern(), "we__e_");
  assert.deepEqual(await log.allTextContents(), ["Bo before you came", "Bo hello"]);

  // A gap: nothing is shown before the whole, which is asked for once; in between a line was said.
  lines = [...lines, line("hello"), line("missed")];
  ann.answers.watch = ({ room }) => ({ ok: { room, version: 4 }, view: { ...view, lives: 3 } });
  version = 4;
  ann.says({ push: "step", room: ann.room, version: 9, set: { lives: 1 }, events: [] });
  await eventually("the whole is asked for", () => ann.asked("watch")[1]);
  assert.deepEqual(ann.asked("watch")[1].data, { room: ROOM });
  await ann.sees("lives", "data-lives", "3");
  await chatButton.getByText("Chat (2)").waitFor();
  assert.equal(ann.asked("history").length, 2);
  assert.equal(ann.asked("watch").length, 2);
  ann.unharmed();
});

test("who is gone is counted down, and their seat can be taken", { timeout: 30_000 }, async () => {
  const bo = player(1, "Bo", { online: false, away_ms: 58_000, player: "p2" });
  const ann = await inTheRoom({ view: game({ players: [bo], seats: 1 }) });
  await ann.hook("players").getByText("gone, seat free in 2 s").waitFor();
  assert.equal(await ann.hook("sit-button").isVisible(), false, "the table is full");
  await ann.hook("players").getByText("gone, seat free", { exact: true }).waitFor();
  await ann.hook("sit-button").click();
  await eventually("the wish is sent", () => ann.asked("sit")[0]);
  ann.unharmed();
});

test("a table whose setter has left can go on without them", { timeout: 30_000 }, async () => {
  const setter = player(1, "Bo", { role: "setter" });
  const waiting = { state: "waiting", mode: "setter", setter: 1, pattern: [], tried: [], wrong: [], category: null };
  const ann = await inTheRoom({ view: game({ ...waiting, players: [player(0, "Ann"), setter] }) });
  await ann.hook("state").getByText("Bo is choosing a word…").waitFor();
  assert.equal(await ann.hook("again-button").isVisible(), false);
  ann.shows(game({ ...waiting, players: [player(0, "Ann"), { ...setter, online: false, away_ms: 0 }] }));
  await ann.hook("again-button").getByText("Go on without them").click();
  await eventually("the wish is sent", () => ann.asked("again")[0]);
  ann.unharmed();
});

test("a host locks the table, and removes somebody only after a second word", { timeout: 30_000 }, async () => {
  const ann = await inTheRoom({ viewport: PHONE });
  assert.equal(await ann.page.locator("h1").textContent(), "Your room");
  await ann.hook("host-button").click();
  await ann.hook("host-about").getByText("This room is private.").waitFor();
  await ann.hook("lock-button").click();
  await eventually("the lock is asked for", () => ann.asked("lock")[0]);
  assert.deepEqual({ ...ann.asked("lock")[0].data, serial: 0 }, { room: ROOM, locked: true, serial: 0 });
  ann.shows(game({ locked: true }));
  await ann.sees("lock-button", "aria-pressed", "true");

  await ann.hook("remove-button").click();
  await ann.hook("host-players").getByText("Remove Bo? They cannot sit down here again.").waitFor();
  await ann.hook("remove-keep").click();
  assert.deepEqual(ann.asked("remove"), []);
  await ann.hook("remove-button").click();
  await ann.hook("remove-sure").click();
  await eventually("the removal is asked for", () => ann.asked("remove")[0]);
  assert.equal(ann.asked("remove")[0].data.player, "p2");
  await ann.fits();
  ann.unharmed();
});

test("who is not the host has no such buttons, and learns when they were removed or the table is locked", { timeout: 30_000 }, async () => {
  const ann = await inTheRoom({ view: game({ host: "p2" }) });
  assert.equal(await ann.page.locator("h1").textContent(), "Bo’s room");
  assert.equal(await ann.hook("host-button").isVisible(), false);
  ann.shows(game({ host: "p2", players: [player(1, "Bo")] }), { events: [{ kind: "removed", seat: 0, name: "Ann", player: "p1" }] });
  await ann.hook("notes").getByText("The host has taken you off the table.").waitFor();
  ann.shows(game({ host: "p2", players: [player(1, "Bo")], locked: true }));
  await ann.page.getByText("The table is locked; you are watching.").waitFor();
  assert.equal(await ann.hook("sit-button").isVisible(), false);
  ann.unharmed();
});

test("nothing on the page stands in anybody's way: axe finds nothing, by day and by night", { timeout: 120_000 }, async () => {
  const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  const eight = EIGHT.map((name, seat) => player(seat, name, seat === 3 ? { online: false, away_ms: 1000 } : {}));
  for (const [viewport, colorScheme] of [[PHONE, "light"], [PHONE, "dark"], [DESKTOP, "light"], [DESKTOP, "dark"]]) {
    const ann = await Reader.arrive(browser, { viewport, colorScheme, answers: { play: () => ({ refused: { code: "game-over", message: "over" } }) } });
    const look = async (state) => {
      // What is still fading in has no contrast yet.
      await ann.page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finish())));
      const found = await ann.page.evaluate(`${axe}; axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + " " + nodes[0].html))`);
      assert.deepEqual(found, [], `${state}, ${viewport.width}, ${colorScheme}`);
    };
    await look("lobby");
    await ann.page.evaluate((hash) => (location.hash = hash), HASH);
    await ann.hook("word").waitFor();
    ann.shows(game({ players: eight }));
    await ann.hook("word-input").fill("e");
    await ann.page.keyboard.press("Enter");
    await ann.hook("word-why").getByText(/letters/).waitFor();
    await look("a refusal and eight players");
    ann.shows(won({ players: eight, again: { agreed: [1], begins_in_ms: 10_000 } }));
    await ann.hook("again-button").waitFor();
    await look("the end");
    await ann.hook("share-button").click();
    await look("inviting");
    await ann.page.keyboard.press("Escape");
    await ann.hook("host-button").click();
    await ann.hook("remove-button").first().click();
    await look("the host's dialog");
    await ann.page.keyboard.press("Escape");
    if (viewport === PHONE) {
      await ann.hook("drawer-button").click();
      await look("the drawer");
    }
    await ann.page.evaluate(() => (location.hash = "#/room/nowhere"));
    await ann.hook("gone").waitFor();
    await look("half a link");
    ann.unharmed();
  }
});
