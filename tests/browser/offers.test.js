// Looking for somebody, as a player sees it: what is happening is shown before anybody has
// answered, and is taken back visibly when it is refused. Against a frontend of paper.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { game, ME, player, Reader, ROOM } from "./paper.js";
import { eventually } from "./demo.js";
import { DESKTOP, openBrowser, PHONE } from "./people.js";

const OFFER = "offeroffer234567";
const OTHER_ROOM = "a7qmw2vxp4t5hj3d";
const GAMES = ["hangman", "tic-tac-toe"];
const BOTS = [["easy", "Driftwood"], ["medium", "Lookout"], ["hard", "Kraken"]].map(([strength, name]) => ({ player: `b-${strength}`, name, game: "hangman", strength }));
const seek = (offer, name, more = {}) => ({ offer, player: `p-${name}`, name, game: "hangman", options: {}, clock: 30, rated: true, rating: 1523, provisional: false, age_ms: 0, ...more });
const match = (more = {}) => ({ rated: true, by: "seek", clock: { seconds: 30, seat: 1, left_ms: 20_000 }, ratings: [{ seat: 0, rating: 1500, provisional: true }, { seat: 1, rating: 1523, provisional: false }], ...more });
/** A match between Ann, who guesses, and Bo. */
const contest = (more = {}, view = {}) => game({ mode: "setter", setter: 1, seats: 2, host: null, locked: true, players: [player(0, "Ann"), player(1, "Bo", { role: "setter" })], match: match(more), ...view });
const RESULT = {
  how: "found", winner: 0, ms: 77_000, changes: [{ seat: 0, before: 1500, after: 1516 }, { seat: 1, before: 1523, after: 1507 }],
  statistics: [{ seat: 0, moves: 5, ms: 12_000, slowest_ms: 4000, good: 4, luck: -1200 }, { seat: 1, moves: 1, ms: 65_000, slowest_ms: 65_000, good: 0, luck: 0 }],
};
const answers = {
  rooms: () => ({ ok: { rooms: [], next: null, games: GAMES } }),
  notices: () => ({ ok: { number: 0 } }),
  seek: () => ({ ok: { offer: OFFER } }),
};

let browser;
const stops = [];
before(async () => (browser = await openBrowser((close) => stops.push(close))));
after(async () => {
  for (const stop of stops.reverse()) await stop();
});

/** Somebody on a phone whose frontend knows matches. */
async function arrive(more = {}) {
  const { answers: own = {}, ...rest } = more;
  return Reader.arrive(browser, { viewport: PHONE, server: { bots: BOTS }, answers: { ...answers, ...own }, ...rest });
}

let number = 0;
const notice = (kind, more = {}) => ({ push: "notice", number: (number += 1), kind, game: "hangman", player: "p2", name: "Bo", ...more });
/** Notices are numbered for each page anew. */
const anew = () => (number = 0);

test("what is happening is shown before anybody has answered, and cancelled as easily", { timeout: 30_000 }, async () => {
  let says;
  const ann = await arrive({ answers: { seek: () => null, withdraw: ({ offer }) => ((says = offer), { ok: {} }) } });
  await ann.hook("play-hangman").click();
  await ann.hook("offer-now").getByText(/^Looking for somebody around your strength · \d s · a bot plays if nobody comes$/).waitFor();
  await ann.sees("play-hangman", "aria-disabled", "true");
  await ann.hook("play-hangman").click({ force: true });
  const [asked] = ann.asked("seek");
  assert.equal(ann.asked("seek").length, 1, "one tap is one seek");
  assert.deepEqual({ ...asked.data, serial: 0 }, { game: "hangman", clock: 30, rated: true, bot_after_ms: 10_000, serial: 0 });
  await ann.hook("offer-cancel").click();
  await ann.sees("play-hangman", "aria-disabled", "false");
  assert.equal(says, undefined, "what has no name yet cannot be withdrawn");
  ann.says({ id: asked.id, ok: { offer: OFFER } });
  await eventually("it is withdrawn", () => says === OFFER);
  await ann.hook("offer-now").waitFor({ state: "detached" });
  ann.unharmed();
});

test("a refusal takes the step back, and says why", { timeout: 30_000 }, async () => {
  const ann = await arrive({ answers: { seek: () => ({ refused: { code: "too-fast", message: "slow down" } }) } });
  await ann.hook("play-hangman").click();
  await ann.hook("offer-now").getByText("That was a little too fast. Try again in a moment.").waitFor();
  await ann.sees("play-hangman", "aria-disabled", "false");
  await ann.hook("announcements").getByText("That was a little too fast.").waitFor();
  await ann.hook("offer-now").waitFor({ state: "detached" });
  ann.unharmed();
});

test("how one plays is chosen once, and kept over a reload with what one waits for", { timeout: 30_000 }, async () => {
  const ann = await arrive();
  await ann.hook("seek-settings").click();
  await ann.hook("seek-clock").selectOption("10");
  await ann.hook("seek-rated").selectOption("no");
  await ann.hook("seek-bot").selectOption("no");
  await ann.hook("play-hangman").click();
  await eventually("it is sought", () => ann.asked("seek")[0]);
  assert.deepEqual({ ...ann.asked("seek")[0].data, serial: 0 }, { game: "hangman", clock: 10, rated: false, serial: 0 });
  await ann.page.waitForFunction(() => sessionStorage.getItem("hangraft.offers")?.includes('"open"'));
  await ann.page.reload();
  await ann.hook("offer-now").getByText(/waits up to 10 min$/).waitFor();
  assert.equal(ann.asked("seek").length, 1, "nothing is sought twice");
  ann.unharmed();
});

test("who is found goes there; who is in the middle of a game is asked", { timeout: 30_000 }, async () => {
  anew();
  const ann = await arrive();
  await ann.hook("play-hangman").click();
  await eventually("it is sought", () => ann.asked("seek")[0]);
  ann.says(notice("matched", { offer: OFFER, room: ROOM, seat: 0 }));
  await ann.page.waitForURL(`**/#/room/${ROOM}`);
  await ann.hook("word").waitFor();
  // The view of paper goes on, and so does the game.
  ann.says(notice("matched", { offer: "another234567abc", room: OTHER_ROOM, seat: 0 }));
  await ann.hook("banners").getByText("Bo is ready to play Hangman with you.").waitFor();
  assert.ok(ann.page.url().endsWith(ROOM));
  await ann.page.locator(".banner[data-ready]").waitFor();
  await ann.hook("banner-open").click();
  await ann.page.waitForURL(`**/#/room/${OTHER_ROOM}`);
  ann.unharmed();
});

test("a challenge is answered by keyboard, wherever one is; one that is taken back goes", { timeout: 30_000 }, async () => {
  anew();
  const ann = await arrive({ hash: `#/room/${ROOM}`, answers: { accept: () => null } });
  await ann.hook("word").waitFor();
  const challenged = (offer) => notice("challenged", { offer, clock: 30, rated: true, rating: 1612, provisional: false });
  ann.says(challenged(OFFER));
  await ann.hook("announcements").getByText("Challenge: Bo (1612) · Hangman · 30 s a move · rated").waitFor();
  ann.says(notice("unchallenged", { offer: OFFER }));
  await ann.hook("banner-accept").waitFor({ state: "detached" });
  ann.says(challenged("another234567abc"));
  await ann.page.locator(".banner[data-ready]").waitFor();
  await ann.hook("banner-decline").focus();
  await ann.page.keyboard.press("Shift+Tab");
  await ann.page.keyboard.press("Enter");
  await eventually("it is accepted", () => ann.asked("accept")[0]);
  assert.equal(ann.asked("accept")[0].data.offer, "another234567abc");
  assert.equal(ann.asked("play").length, 0, "no key went to the board");
  ann.says({ id: ann.asked("accept")[0].id, refused: { code: "no-such-offer", message: "x" } });
  await ann.hook("banners").getByText("somebody was faster").waitFor();
  ann.unharmed();
});

test("a hidden page says in its title that it is one's turn", { timeout: 30_000 }, async () => {
  anew();
  const ann = await arrive();
  await ann.page.evaluate(() => {
    Object.defineProperty(document, "visibilityState", { get: () => globalThis.seen ?? "hidden", configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  ann.says(notice("turn", { room: ROOM }));
  await ann.page.waitForFunction(() => document.title.startsWith("● "));
  await ann.page.evaluate(() => {
    globalThis.seen = "visible";
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await ann.page.waitForFunction(() => !document.title.startsWith("●"));
  ann.unharmed();
});

test("open seeks are taken with one tap, and no row moves under the focus", { timeout: 30_000 }, async () => {
  const ann = await arrive({ answers: { accept: () => null } });
  await eventually("the list is asked for", () => ann.asked("lobby")[0]);
  const names = () => ann.hook("seeks").locator("b").allTextContents();
  ann.says({ push: "lobby", seeks: [seek("bo2345bo2345bo23", "Bo"), seek("cy2345cy2345cy23", "Cy")], total: 2 });
  await ann.hook("seek-cy2345cy2345cy23").focus();
  ann.says({ push: "lobby", seeks: [seek("di2345di2345di23", "Di"), seek("cy2345cy2345cy23", "Cy")], total: 2 });
  await ann.hook("seek-di2345di2345di23").waitFor();
  assert.deepEqual(await names(), ["Bo", "Cy", "Di"]);
  await ann.sees("seek-bo2345bo2345bo23", "aria-disabled", "true");
  await ann.page.keyboard.press("Enter");
  await ann.hook("seek-cy2345cy2345cy23").getByText("Going…").waitFor();
  assert.equal(ann.asked("accept")[0].data.offer, "cy2345cy2345cy23");
  ann.says({ id: ann.asked("accept")[0].id, refused: { code: "no-such-offer", message: "x" } });
  await ann.hook("seeks").getByText("somebody was faster").waitFor();
  ann.unharmed();
});

test("a match has clocks that nobody reads aloud each second, a draw, a claim, and a result", { timeout: 40_000 }, async () => {
  const ann = await arrive({ hash: `#/room/${ROOM}`, view: contest() });
  const said = (what) => ann.hook("contest-said").getByText(what).waitFor();
  await ann.page.locator('[data-testid="match-clock"][data-runs]').waitFor();
  await ann.page.getByRole("heading", { name: "Against Bo" }).waitFor();
  await ann.page.waitForFunction(() => document.querySelector('[data-testid="match-clock"][data-runs]').textContent === "0:18");
  assert.doesNotMatch(await ann.hook("announcements").textContent(), /0:1|\d s\b/);
  ann.shows(contest({ draw_offered: 1 }));
  await said("Bo offers a draw.");
  await ann.hook("draw-decline-button").click();
  await eventually("the draw is declined", () => ann.asked("draw")[0]);
  assert.equal(ann.asked("draw")[0].data.agreed, false);
  ann.shows(contest({ gone: { seat: 1, claim_in_ms: 2000 } }));
  await said("Bo is gone, and may come back within 2 s.");
  await ann.hook("claim-win-button").click();
  await eventually("the win is claimed", () => ann.asked("claim")[0]);
  ann.shows(contest({ clock: { seconds: 30 }, result: RESULT }, { state: "won", pattern: [..."weevil"], answer: "weevil", winner: ME }));
  await ann.hook("statistics").getByText("1516 (+16)").waitFor();
  await ann.hook("announcements").getByText("Your rating: 1516, plus 16.").waitFor();
  ann.shows(contest({ clock: { seconds: 30 }, result: RESULT }, { state: "won", pattern: [..."weevil"], answer: "weevil", winner: ME, again: { agreed: [1] } }));
  await ann.hook("agreement").getByText("Bo wants a rematch.").waitFor();
  await ann.sees("again-button", "aria-disabled", "false");
  await ann.hook("again-button").click();
  await eventually("a rematch is asked for", () => ann.asked("rematch")[0]);
  ann.unharmed();
});

test("nobody resigns by one tap", { timeout: 30_000 }, async () => {
  const ann = await arrive({ hash: `#/room/${ROOM}`, view: contest() });
  await ann.hook("resign-button").click();
  await ann.hook("resign-button").getByText("Tap again to resign").waitFor();
  await ann.hook("resign-button").getByText(/^Resign$/).waitFor();
  assert.equal(ann.asked("resign").length, 0);
  await ann.hook("resign-button").click();
  await ann.hook("resign-button").click();
  await eventually("that was meant", () => ann.asked("resign")[0]);
  ann.unharmed();
});

const CARD = {
  name: "Bo",
  games: { hangman: { rating: 1523, provisional: false, curve: [1500, 1541, 1523], games: 31, won: 14, lost: 12, drawn: 5, streak: 3, best_streak: 6, last: [{ player: "p9", name: "Cy", score: "won", change: 8 }] } },
};
const LADDER = { names: [{ place: 1, player: "p2", name: "Bo", rating: 1812, games: 40, points: 9 }, { place: 2, player: ME, name: "Ann", rating: 1790, games: 22, points: 7 }] };
const LIVE = {
  push: "live", minutes: Array.from({ length: 60 }, (_, at) => [at, at % 5]),
  numbers: { online: 12, playing: 3, moves_today: 1234, moves: 45_678, matches_today: 98, matches: 1888, per_minute: 3, sides: { hangman: { guesser: 4, setter: 3 } }, streak: { length: 7, name: "Ann", game: "hangman" } },
};

/** What there is to look at, and how one comes there. */
const SIGHTS = {
  lobby: async (ann) => {
    ann.says({ push: "lobby", seeks: [seek("bo2345bo2345bo23", "Bo"), seek(OFFER, "Ann", { player: ME })], total: 2 });
    await ann.hook("play-hangman").click();
    await ann.hook("seek-settings").click();
    await ann.hook("offer-now").waitFor();
  },
  challenge: async (ann) => {
    await ann.page.evaluate((hash) => (location.hash = hash), `#/challenge/${OFFER}`);
    await ann.hook("challenge-accept").waitFor();
  },
  ladder: async (ann) => {
    await ann.page.evaluate(() => (location.hash = "#/ladder/hangman/week"));
    await ann.hook("ladder").getByText("Ann (you)").waitFor();
  },
  live: async (ann) => {
    await ann.page.evaluate(() => (location.hash = "#/live"));
    await eventually("the numbers are asked for", () => ann.asked("live")[0]);
    ann.says(LIVE);
    ann.says({ push: "deck", term: 4, leader: 2, through: 3, for_ms: 0, nodes: [1, 2, 3].map((node) => ({ node, votes: true, heard: true })) });
    await ann.hook("live-moves").getByText("45,678").waitFor();
    await ann.hook("deck-nodes").locator("li").nth(2).waitFor();
  },
  match: async (ann) => {
    await ann.page.evaluate((hash) => (location.hash = hash), `#/room/${ROOM}`);
    await ann.page.locator('[data-testid="match-clock"][data-runs]').waitFor();
    ann.says(notice("challenged", { offer: OFFER, clock: 30, rated: true, rating: 1612, provisional: false }));
    await ann.page.locator(".banner[data-ready]").waitFor();
  },
  gone: async (ann) => {
    await ann.hook("banner-close").click();
    ann.shows(contest({ gone: { seat: 1, claim_in_ms: 0 } }));
    await ann.hook("claim-draw-button").waitFor();
  },
  over: async (ann) => {
    ann.shows(contest({ clock: { seconds: 30 }, result: RESULT }, { state: "won", pattern: [..."weevil"], answer: "weevil", winner: ME }));
    await ann.hook("statistics").waitFor();
  },
  card: async (ann) => {
    await ann.hook("player-name").nth(1).click();
    await ann.hook("card-curve").waitFor();
  },
};

test("nothing of it stands in anybody's way: axe finds nothing, by day and by night", { timeout: 300_000 }, async () => {
  const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  for (const [viewport, colorScheme] of [[PHONE, "light"], [PHONE, "dark"], [DESKTOP, "light"], [DESKTOP, "dark"], [{ width: 320, height: 568 }, "light"]]) {
    anew();
    const ann = await arrive({ viewport, colorScheme, view: contest(), answers: { offer: () => ({ ok: { ...seek(OFFER, "Bo"), kind: "challenge" } }), ladder: () => ({ ok: LADDER }), card: () => ({ ok: CARD }) } });
    for (const [name, go] of Object.entries(SIGHTS)) {
      await go(ann);
      // What is still fading in has no contrast yet.
      await ann.page.evaluate(() => document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < Infinity).forEach((one) => one.finish()));
      const found = await ann.page.evaluate(`${axe}; axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + " " + nodes[0].html))`);
      assert.deepEqual(found, [], `${name}, ${viewport.width}, ${colorScheme}`);
      await ann.fits();
      await ann.screenshot(`match-${name}-${viewport.width}-${colorScheme}`);
    }
    ann.unharmed();
  }
});
