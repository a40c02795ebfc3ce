// The small deciding parts: whom to call, how to number, what to say.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { Dial } from "../ui/dial.js";
import { agreement } from "../ui/again.js";
import { game as hangman } from "../ui/games/hangman/game.js";
import { CATEGORIES } from "../ui/games/hangman/opener.js";
import { baseLetter, misfit, plainPattern, situation, spokenPattern } from "../ui/games/hangman/story.js";
import { invitation } from "../ui/links.js";
import { plainly } from "../ui/plain.js";
import { awayText, isFree } from "../ui/seats.js";
import { Serials } from "../ui/serials.js";
import { notARoom, roomName, sentence, together } from "../ui/text.js";
import { told } from "../ui/told.js";
import { trouble } from "../ui/trouble.js";

const half = () => 0.5;
const stopped = () => 0;
const UI = new URL("../ui/", import.meta.url);
const OWN = "http://game.example:8080";

test("a lost frontend is followed by the next, soon, and later slower", () => {
  const dial = new Dial(OWN, ["http://game.example:8081"], half, stopped);
  assert.deepEqual(dial.next(), { url: "ws://game.example:8080/ws", wait: 0, patience: 2000 });
  dial.reached();
  const calls = Array.from({ length: 9 }, () => dial.next());
  assert.deepEqual(calls.map(({ wait }) => wait), [50, 100, 250, 500, 1000, 2000, 5000, 5000, 5000]);
  assert.deepEqual(calls.slice(0, 3).map(({ url }) => url), ["ws://game.example:8081/ws", "ws://game.example:8080/ws", "ws://game.example:8081/ws"]);
  assert.equal(calls.at(-1).patience, 10_000);
  dial.hurry();
  assert.equal(dial.next().wait, 50);
});

test("who sent us away is not called for a while, and a crowd that is sent away spreads", () => {
  const urls = [8080, 8081, 8082].map((port) => `ws://game.example:${port}/ws`);
  const others = ["http://game.example:8081", "http://game.example:8082"];
  for (const [chance, first, second] of [[0, 1, 2], [0.99, 2, 1]]) {
    let now = 0;
    const dial = new Dial(OWN, others, () => chance, () => now);
    dial.next();
    dial.reached();
    assert.equal(dial.leave(), true);
    const calls = Array.from({ length: 4 }, () => dial.next().url);
    assert.deepEqual(calls, [first, second, first, second].map((at) => urls[at]));
    now += 10_000;
    const later = Array.from({ length: 3 }, () => dial.next().url);
    assert.deepEqual(later.sort(), urls);
  }
});

test("with nowhere else to go, who sent us away is called again", () => {
  const dial = new Dial(OWN, [], half, stopped);
  const { url } = dial.next();
  dial.reached();
  assert.equal(dial.leave(), false);
  assert.deepEqual([dial.next().url, dial.next().url], [url, url]);
});

test("a phone understands that 127.0.0.1 is not itself; nonsense is not called", () => {
  const dial = new Dial("https://192.168.1.5:8080", [], half, stopped);
  dial.learn(["https://127.0.0.1:8080", "https://localhost:8081", "ftp://x", "nonsense", 7, null]);
  assert.deepEqual(dial.origins, ["https://192.168.1.5:8080", "https://192.168.1.5:8081"]);
  assert.equal(dial.next().url, "wss://192.168.1.5:8080/ws");
});

test("serials grow, whatever the clock does, and stay whole numbers", () => {
  let now = Date.UTC(2254, 0);
  const serials = new Serials(() => now, Math.random);
  let highest = 0;
  for (let i = 0; i < 1000; i += 1) {
    if (i === 500) now = Date.UTC(2001, 0);
    const serial = serials.next(highest);
    assert.ok(serial > highest && Number.isSafeInteger(serial));
    highest = serial;
  }
});

const PLAYERS = [
  { seat: 0, name: "Ann", player: "p1", online: true, points: 0, role: "guesser" },
  { seat: 1, name: "Bo", player: "p2", online: true, points: 0, role: "guesser" },
];
const view = (changes) => ({
  game: "hangman", state: "playing", mode: "together", round: 1, pattern: [null, null, " ", null, "-"], wrong: [], tried: [],
  lives: 6, lives_max: 6, category: "food", players: PLAYERS, setter: null, winner: null, seats: 8, chat: [], ...changes,
});
const story = (before, after, me) => told(hangman, before, after, me);
const tried = (letter, hits) => ({ seat: 0, name: "Ann", letter, hits });

test("a guess is told with its hits, the word and the lives", () => {
  const after = view({ pattern: ["e", null, " ", "e", "-"], tried: [tried("e", 2)], lives: 5 });
  assert.deepEqual(story(view({}), after, "p2"), ["Ann guessed E: 2 hits.", "The word: E, blank, space, E, hyphen", "5 lives left."]);
});

test("several changes at once are told like one after the other, and nothing twice", () => {
  const before = view({ tried: [tried("e", 2)] });
  const after = view({ tried: [tried("e", 2), tried("x", 0), { seat: 1, name: "Bo", word: "tea", hits: 0 }], lives: 1, players: PLAYERS.slice(0, 1) });
  const lines = story(before, after, "p1");
  assert.deepEqual(lines.slice(0, 3), ["Bo left the table.", "Ann guessed X: no hit.", "Bo tried “tea”: wrong."]);
  assert.equal(lines.at(-1), "One life left.");
  assert.deepEqual(story(after, after, "p1"), []);
});

test("a round's end and the next one's beginning are told", () => {
  const won = view({ state: "won", winner: "p2", answer: "te a-", tried: [tried("e", 1)] });
  assert.deepEqual(story(view({}), won, "p1").slice(-2), ["Bo found it. Everybody is safe.", "It was: te a-."]);
  assert.equal(story(won, view({ round: 2 }), "p1")[0], "Round 2.");
});

test("everybody is told whom they wait for", () => {
  const players = [{ ...PLAYERS[0], role: "setter" }, PLAYERS[1]];
  const waiting = view({ state: "waiting", mode: "setter", setter: 0, pattern: [], players });
  assert.equal(situation(waiting, "p2"), "Ann is choosing a word…");
  assert.equal(situation(waiting, "p1"), "You set the word. Make it a good one.");
  const away = view({ ...waiting, players: [{ ...players[0], online: false }, players[1]] });
  assert.equal(situation(away, "p2"), "Ann was to set a word, but is away.");
  assert.equal(spokenPattern(waiting), "No word yet");
});

test("one is told what one did oneself, and not one's own name", () => {
  const mine = { ...tried("q", 0), player: "p1" };
  assert.equal(situation(view({ tried: [mine] }), "p1"), "You guessed Q: no hit.");
  assert.equal(situation(view({ tried: [mine] }), "p2"), "Ann guessed Q: no hit.");
  const word = { seat: 0, name: "Ann", player: "p1", word: "tea", hits: 0 };
  assert.equal(situation(view({ tried: [word] }), "p1"), "You tried “tea”: wrong.");
  const [came, guessed] = story(view({ players: PLAYERS.slice(1) }), view({ tried: [mine] }), "p1");
  assert.deepEqual([came, guessed], ["You took a seat.", "You guessed Q: no hit."]);
  assert.equal(story(view({}), view({ players: PLAYERS.slice(1) }), "p1")[0], "You left the table.");
});

test("another round: who wants it, whom one waits for, and when it begins", () => {
  const over = (again) => view({ state: "won", ...(again && { again }) });
  const three = [...PLAYERS, { ...PLAYERS[0], seat: 2, name: "Cy", player: "p3" }];
  const [none, one, two] = [undefined, { agreed: [1], begins_in_ms: 10_000 }, { agreed: [0, 1], begins_in_ms: 10_000 }];
  assert.equal(agreement(over(none), "p1", 0), "A new round begins when everybody here agrees.");
  assert.equal(agreement({ ...over(none), players: PLAYERS.slice(0, 1) }, "p1", 0), "");
  assert.equal(agreement(over(one), "p1", 2100), "Next round in 8 s. Bo agreed.");
  assert.equal(agreement(over(one), "p2", 0), "Next round in 10 s, or when Ann agrees.");
  assert.equal(agreement({ ...over(two), players: three }, "p3", 0), "Next round in 10 s. Ann and Bo agreed.");
  // Read aloud once, and not to who has just pressed the button.
  assert.deepEqual(story(over(none), over(one), "p1"), ["Bo wants another round."]);
  assert.deepEqual([story(over(one), over(one), "p1"), story(over(none), over(one), "p2")], [[], []]);
  // Nobody waits for who is not here, and no second is below zero.
  const away = { ...over(one), players: [{ ...PLAYERS[0], online: false }, PLAYERS[1]] };
  assert.equal(agreement(away, "p2", 20_000), "Next round in 0 s.");
});

test("a word that is too short or far too long to be right is known before it is sent", () => {
  const five = view({ pattern: [null, "a", " ", null, "-", null, null] });
  for (const word of ["maori", "MA ORI", "ma-ori", "mäöri", "łaøri", "straße"]) assert.equal(misfit(five, word), "", word);
  for (const word of ["e", "", "maor", "a-b-c-d"]) assert.match(misfit(five, word), /has 5 letters; this has \d/, word);
  assert.match(misfit(five, "abcdefghijk"), /this has 11/);
});

test("a silence of seconds is explained: the letter is kept", () => {
  const now = 100_000;
  const letter = { serial: 1, action: "play", data: { move: { letter: "e" } }, round: 1, since: now - 3000 };
  const young = { ...letter, since: now - 1000 };
  assert.equal(trouble("connected", 0, [], now), "");
  assert.equal(trouble("electing", 800, [young], now), "", "a blink");
  assert.equal(trouble("electing", 3000, [young], now, hangman.called), "Your letter is safe; it will be played when the machines answer.");
  assert.equal(trouble("connected", 0, [letter], now, hangman.called), "Your letter is safe; it will be played when the machines answer.");
  assert.equal(trouble("reconnecting", 5000, [letter], now, hangman.called), "Your letter is safe; it will be played when the connection is back.");
  assert.equal(trouble("electing", 5000, [], now), "Your game is safe; it goes on when the machines answer.");
  const word = { ...letter, data: { move: { word: "tea" } } };
  assert.match(trouble("electing", 5000, [word], now, hangman.called), /^Your word is safe/);
  assert.match(trouble("electing", 5000, [word], now), /^Your move is safe/);
});

test("refusals are sentences for players", () => {
  assert.equal(hangman.plainly({ code: "illegal-move", message: "'e' was guessed before" }), "E was guessed a moment before.");
  assert.equal(hangman.plainly({ code: "room-full", message: "x" }), "");
  assert.equal(plainly({ code: "illegal-move", message: "that word was tried before" }), "That word was tried before.");
  assert.equal(plainly({ code: "room-full", message: "x" }), "The table is full.");
  assert.deepEqual(["", "a", "Done.", "why?"].map(sentence), ["", "A.", "Done.", "Why?"]);
  assert.equal(together(["Ann"]), "Ann");
  assert.equal(together(["Ann", "Bo", "Cy", "Di"]), "Ann, Bo and 2 more");
});

test("who is gone is said, and when their seat is free", () => {
  const gone = { ...PLAYERS[0], online: false };
  assert.equal(awayText(PLAYERS[0], 60_000, 0), "");
  assert.equal(awayText(gone, 60_000, 0), "gone");
  assert.equal(awayText({ ...gone, away_ms: 0 }, 60_000, 0), "gone, seat free in 60 s");
  assert.equal(awayText({ ...gone, away_ms: 15_000 }, 60_000, 2500), "gone, seat free in 43 s");
  assert.equal(awayText({ ...gone, away_ms: 60_000 }, 60_000, 9999), "gone, seat free");
  assert.deepEqual([59_999, 60_000].map((away_ms) => isFree({ ...gone, away_ms }, 60_000, 0)), [false, true]);
  assert.ok(isFree({ ...gone, away_ms: 50_000 }, 60_000, 10_000));
  assert.ok(!isFree({ ...PLAYERS[0], away_ms: 60_000 }, 60_000, 0));
});

test("a link that only this machine can open is not given to others", () => {
  const urls = (...about) => invitation(...about).links.map(({ url }) => url);
  const lan = ["http://192.168.1.5:8080", "http://127.0.0.1:8080", "nonsense", 7, "ftp://x", "http://192.168.1.5:8080/"];
  assert.deepEqual(urls("https://play.example.org", "#/room/12", lan), ["https://play.example.org/#/room/12"]);
  for (const own of ["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080", "http://a.localhost:8080"]) {
    assert.deepEqual(urls(own, "#/room/12", lan), ["http://192.168.1.5:8080/#/room/12"]);
    assert.equal(invitation(own, "#/room/12", lan).lonely, false);
    for (const none of [undefined, null, [], "x", ["http://localhost:1"]]) {
      assert.equal(invitation(own, "#/room/12", none).lonely, true);
      assert.deepEqual(urls(own, "#/room/12", none), [`${own}/#/room/12`]);
    }
  }
});

test("letters are understood as the rules fold them, other keys are not letters", () => {
  assert.deepEqual(["e", "E", "é", "Ü"].map(baseLetter), ["e", "e", "e", "u"]);
  assert.deepEqual(["Enter", "F1", "1", " ", "ж", "", "’"].map(baseLetter), ["", "", "", "", "", "", ""]);
  assert.equal(plainPattern(view({})), "__ _-");
});

test("a room is found by its name or a link, and old links are explained", () => {
  const name = "k7qmw2vxp4t5hj3d";
  for (const text of [name, `#${name}`, ` ${name.toUpperCase()} `, `http://game.example:8080/#/room/${name}`, `#/room/${name}`]) assert.equal(roomName(text), name);
  for (const text of ["", "12", "#/room/12", `${name}x`, name.slice(1), `#/room/${name}/x`, "k7qmw2vxp4t9hj3d", "<b>"]) assert.equal(roomName(text), null, text);
  for (const text of ["12", "#12", "http://game.example:8080/#/room/12"]) assert.match(notARoom(text), /old link/);
  for (const text of ["twelve", "http://game.example/12x", `${name}x`]) assert.match(notARoom(text), /not a link/);
});

test("the page offers the categories the rules have", () => {
  const words = readdirSync(new URL("../../game/src/rules/hangman/words/", import.meta.url));
  assert.deepEqual([...CATEGORIES].sort(), words.map((file) => file.replace(/\.txt$/, "")).sort());
});

const sources = readdirSync(UI, { recursive: true }).map(String).filter((file) => file.endsWith(".js"));
const source = sources.map((file) => readFileSync(new URL(file, UI), "utf8")).join("\n");

test("text never becomes markup, and nothing is fetched from elsewhere", () => {
  assert.doesNotMatch(source, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b/);
  const styles = readdirSync(UI, { recursive: true }).map(String).filter((file) => file.endsWith(".css"));
  const page = ["index.html", ...styles].map((file) => readFileSync(new URL(file, UI), "utf8")).join("\n");
  assert.doesNotMatch(page, /https?:|url\(|@import|style="|<script>|onclick/);
});

test("a game's folder brings all that the page asks a game for", async () => {
  for (const name of readdirSync(new URL("games/", UI))) {
    const { game } = await import(`../ui/games/${name}/game.js`);
    for (const part of ["name", "headline", "lead"]) assert.equal(typeof game[part], "string", `${name}: ${part}`);
    for (const part of ["picture", "opener", "summary", "about", "story", "makeBoard"]) assert.equal(typeof game[part], "function", `${name}: ${part}`);
    assert.ok(readFileSync(new URL(`games/${name}/style.css`, UI), "utf8"), `${name} has a style of its own`);
  }
});

test("what is every game's knows no game", () => {
  const shared = sources.filter((file) => !file.startsWith("games/"));
  for (const file of shared) {
    assert.doesNotMatch(readFileSync(new URL(file, UI), "utf8"), /hangman|\bletters?\b|\bguess|\bsetter\b|games\/[a-z]/i, file);
  }
});

test("every hook the README promises is in the page", () => {
  const promised = [...readFileSync(new URL("README.md", import.meta.url), "utf8").matchAll(/^\| (`.*?) \|/gm)].flatMap(([, names]) => [...(names ?? "").matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  /** How a hook that is put together from parts looks in the source. */
  const made = (hook) =>
    hook
      .replace(/^letter-.$/, "`letter-$")
      .replace(/^cell-.$/, "`cell-$")
      .replace(/^(game|stone|play|bot|seek|offer|live)-$/, "`$1-$")
      .replace(/^ladder-(game|time)-.*$/, "`${group}-$")
      .replace(/^banner-(go|look|answer|tell)$/, "`banner-$")
      .replace(/^(word|secret|chat)-(input|button|why|count)$/, 'lineForm("$1"')
      .replace(/^(stand|share|host|resign|draw|draw-accept|draw-decline|claim-win|claim-draw)-button$/, 'button("$1"');
  for (const hook of promised.filter((name) => name !== "data-testid")) assert.ok(source.includes(made(hook)), hook);
});
