// Below deck: what is said, in each way that things can stand, and what becomes of a move.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { beforeEach, mock, test } from "node:test";
import { anew, atTheTable, greet, OTHER, PaperSocket, ROOM } from "./paper.js";
import { Journeys, nextStep, placeOf } from "../ui/deck/journeys.js";
import { termColours } from "../ui/deck/terms.js";
import { awaited, heading, isLed, progress, quorum, safe, span, station, told } from "../ui/deck/words.js";

beforeEach(anew);

const voter = (node, heard = true) => ({ node, votes: true, heard });
const LED = { term: 4, leader: 2, through: 3, for_ms: 0, nodes: [voter(1), voter(2), voter(3)] };
const LOST = { term: 4, lost: 2, for_ms: 840, nodes: [voter(1), voter(2, false), voter(3)] };
const standing = (more) => ({ standing: "connected", deck: LED, forMs: 0, mute: false, met: true, waits: 0, ...more });
const electing = (more) => standing({ standing: "electing", deck: LOST, forMs: 840, ...more });

/** A move without an answer, as it stands after these steps. */
function move(...steps) {
  const journeys = new Journeys();
  journeys.asked({ serial: 7, room: ROOM, sign: "E", name: "E" }, 1000);
  for (const step of steps) step(journeys);
  return journeys.foremost;
}
const sent = (journeys) => journeys.sent(7);
const answered = (answer, now = 2020, reason = "") => (journeys) => journeys.answered(7, answer, reason, now);

test("while all is well it is said who leads in which term, and nothing is waited for", () => {
  const all = standing();
  assert.equal(heading(all), "n2 leads in term 4. All 3 nodes are heard. The game is seen through n3.");
  assert.deepEqual([safe(all), awaited(all), isLed(all)], ["", "", true]);
  const two = { ...LED, through: undefined, nodes: [voter(1), voter(2)] };
  assert.equal(heading(standing({ deck: two })), "n2 leads in term 4. Both nodes are heard.");
  const one = { ...LED, through: undefined, nodes: [voter(2)], term: undefined };
  assert.equal(heading(standing({ deck: one })), "n2 leads. It is the only node.");
});

test("who is not heard is named, and that the others are enough is said only where it is known", () => {
  const without = (...missed) => ({ ...LED, through: undefined, nodes: [1, 2, 3, 4, 5].map((node) => voter(node, !missed.includes(node))) });
  assert.equal(heading(standing({ deck: without(1) })), "n2 leads in term 4. n1 is not heard from here; 3 of 5 are enough.");
  assert.equal(heading(standing({ deck: without(1, 3) })), "n2 leads in term 4. n1 and n3 are not heard from here; 3 of 5 are enough.");
  assert.equal(heading(standing({ deck: without(1, 3, 4) })), "n2 leads in term 4. 3 nodes are not heard from here; 3 of 5 are enough.");
  // It leads, and it is only this frontend that is cut off from it.
  assert.equal(heading(standing({ deck: without(2) })), "n2 leads in term 4, but is not heard from here. Other nodes hear it, and pass moves on.");
  // Nodes of before do not say who votes.
  const silent = { ...without(1), nodes: without(1).nodes.map(({ node, heard }) => ({ node, heard })) };
  assert.equal(heading(standing({ deck: silent })), "n2 leads in term 4. n1 is not heard from here.");
  assert.equal(quorum(silent), null);
  // A learner is no vote.
  assert.deepEqual(quorum({ ...LED, nodes: [...LED.nodes, { node: 9, votes: false, heard: true }] }), { voters: 3, needed: 2, heard: 3 });
});

test("the leader is lost: since when, what is safe, and that an election is waited for", () => {
  const lost = electing();
  assert.equal(heading(lost), "The leader, n2, was lost 0.84 s ago.");
  assert.equal(safe(lost), "all that was played; a majority has saved it.");
  assert.equal(awaited(lost), "an election, usually under a second.");
  assert.equal(isLed(lost), false);
  assert.equal(awaited(electing({ forMs: 6000 })), "an election. It takes long; perhaps the nodes do not hear each other.");
  // All pages hear at once that nobody leads; the nodes may be shown anew a moment later.
  const early = electing({ deck: LED });
  assert.deepEqual([heading(early), awaited(early), isLed(early)], ["The leader, n2, was lost a moment ago.", "a leader.", false]);
  // And the other way round: the nodes were shown, and the page has not heard yet.
  assert.equal(heading(standing({ deck: LOST, forMs: 12 })), "The leader, n2, was lost 12 ms ago.");
  assert.equal(awaited(standing({ deck: LOST })), "an election, usually under a second.");
});

test("without a majority that is what is waited for, and not an election", () => {
  const nodes = (...heard) => ({ ...LOST, nodes: [1, 2, 3].map((node) => voter(node, heard.includes(node))) });
  assert.equal(awaited(electing({ deck: nodes(3) })), "a majority: 2 of 3 nodes; 1 is heard.");
  assert.equal(awaited(electing({ deck: nodes() })), "a majority: 2 of 3 nodes; none is heard.");
  assert.equal(heading(electing({ deck: nodes(), forMs: 12_340 })), "The leader, n2, was lost 12.3 s ago. This frontend hears no node.");
  const silent = { ...LOST, nodes: [{ node: 1, heard: true }] };
  assert.equal(awaited(electing({ deck: silent })), "a leader; the nodes elect one when enough of them are there.");
});

test("a frontend that has never found a leader does not say that one was lost", () => {
  const deck = { for_ms: 0, nodes: [] };
  assert.equal(heading(electing({ deck, forMs: 130_000 })), "No leader has been found for 2 min. This frontend hears no node.");
  assert.equal(progress(move(sent), electing({ deck, waits: 50 }), 0), "Your E is kept here and is sent to the next leader.");
});

test("while the page has no frontend nothing is said of nodes", () => {
  const cut = standing({ standing: "reconnecting", deck: null });
  assert.equal(heading(cut), "This page has lost its frontend, and looks for one.");
  assert.equal(heading({ ...cut, met: false }), "This page looks for a frontend.");
  assert.deepEqual([safe(cut), awaited(cut)], ["all that was played; a majority has saved it.", "a frontend that answers."]);
  const lost = (journeys) => journeys.disconnected();
  assert.equal(progress(move(sent, lost), cut, 0), "Your E is kept on this page, and is sent again to the next frontend that answers.");
  assert.equal(progress(move(), cut, 2), "Your E is kept on this page, and is sent to the next frontend that answers. 2 more wait behind it.");
});

test("before the nodes are shown, and where they never are, that is said", () => {
  assert.equal(heading(standing({ deck: null })), "Looking below deck…");
  assert.equal(awaited(standing({ deck: null })), "");
  assert.equal(awaited(electing({ deck: null })), "a leader.");
  assert.equal(heading(standing({ deck: null, mute: true })), "This frontend is an older one, and does not tell who leads.");
  assert.equal(progress(move(sent), standing({ deck: null, mute: true, waits: 9 }), 0), "Your E is on its way.");
});

test("a move on its way: to the leader, kept, put off, or waiting for the game", () => {
  assert.equal(progress(move(sent), standing({ waits: 30 }), 0), "Your E is on its way to the leader, n2.");
  assert.equal(progress(move(sent), standing({ waits: 1200 }), 1), "Your E has waited for 1.20 s. It is kept here until a majority has saved it. One more waits behind it.");
  assert.equal(awaited(standing({ waits: 1200 })), "", "moves can be saved, as far as is known");
  assert.equal(progress(move(), standing({ waits: 30 }), 0), "Your E is kept on this page until the game is up to date.");
  // Made before the leader was lost, or after.
  assert.equal(progress(move(sent), electing({ waits: 900 }), 0), "Your E is kept here and is sent again to the next one.");
  assert.equal(progress(move(sent), electing({ waits: 700 }), 0), "Your E is kept here and is sent to the next one.");
  const putOff = (code) => (journeys) => journeys.putOff(7, code);
  assert.equal(progress(move(sent, putOff("no-quorum")), electing(), 0), "Your E was not taken yet. It is kept on this page, and is sent again.");
  assert.equal(progress(move(sent, putOff("unknown-outcome")), electing(), 0), "Nobody could say yet whether your E was saved. It is asked again, and counts once.");
  assert.equal(progress(move(sent, putOff("busy"), sent), standing({ waits: 30 }), 0), "Your E is on its way to the leader, n2.");
});

test("how a move ended is told with its times, and only what is known", () => {
  const end = (...steps) => progress(move(...steps), standing(), 0);
  const saved = answered({ ok: { version: 9 } });
  assert.equal(end(sent, saved), "Your E: saved by a majority after 1.02 s.");
  const seen = (version, now) => (journeys) => journeys.seen(ROOM, version, now);
  assert.equal(end(sent, saved, seen(8, 2030), seen(9, 2050), seen(10, 3000)), "Your E: saved by a majority after 1.02 s, on your screen after 1.05 s.");
  // The view may come before the answer.
  assert.equal(end(sent, seen(9, 1004), answered({ ok: { version: 9 } }, 1006)), "Your E: saved by a majority after 6 ms, on your screen after 4 ms.");
  const leaderless = (journeys) => journeys.leaderless();
  assert.equal(end(sent, leaderless, sent, saved), "Your E: saved by a majority after 1.02 s. The leader was lost meanwhile. It was sent 2 times, and counts once.");
  assert.equal(end(sent, saved, leaderless), "Your E: saved by a majority after 1.02 s.", "that was after it");
  const refused = (code) => answered({ refused: { code, message: "m" } }, 1010, "E was guessed a moment before.");
  assert.equal(end(sent, refused("illegal-move")), "Your E was refused. E was guessed a moment before.");
  assert.equal(end(sent, refused("unknown-outcome")), "Nobody can say any more whether your E was saved. Look at the board.");
  assert.equal(end(sent, refused("no-quorum")), "Your E was given up: it was not taken in time.");
  assert.equal(end(sent, answered({ ok: {} })), "Your E belongs to a game that is not on this page any more. It is not sent again.");
});

test("the oldest move that waits is spoken of, then the last that ended; few are remembered", () => {
  const journeys = new Journeys();
  for (let serial = 1; serial <= 20; serial += 1) journeys.asked({ serial, room: ROOM, sign: "", name: "word" }, serial);
  journeys.asked({ serial: 20, room: ROOM, sign: "", name: "twice" }, 99);
  assert.equal(journeys.list().length, 8);
  assert.equal(journeys.foremost.serial, 13);
  journeys.answered(14, { ok: { version: 2 } }, "", 50);
  assert.equal(journeys.foremost.serial, 13, "it still waits");
  for (const { serial } of journeys.waiting()) journeys.answered(serial, { ok: { version: serial } }, "", 100 - serial);
  assert.equal(journeys.foremost.serial, 13, "the last to be answered");
  assert.equal(new Journeys().foremost, undefined);
});

test("a sign goes from place to place, waits with the frontend while nobody leads, and comes back", () => {
  const way = (journey, led, sign = { at: 0, arrived: false }) => {
    const places = [sign.at];
    for (let steps = 0; steps < 5; steps += 1) {
      sign = nextStep(sign, journey, led);
      if (sign.at !== places.at(-1)) places.push(sign.at);
    }
    return places;
  };
  assert.deepEqual(way(move(sent), true), [0, 1, 2]);
  assert.deepEqual(way(move(sent), false), [0, 1]);
  assert.deepEqual(way(move(sent), false, { at: 2, arrived: true }), [2, 1], "the leader is lost");
  assert.deepEqual(way(move(), true), [0]);
  assert.deepEqual(way(move(sent, answered({ ok: { version: 9 } })), true, { at: 1, arrived: false }), [1, 2, 1, 0], "quicker than can be seen");
  assert.deepEqual(way(move(sent, answered({ ok: {} })), true, { at: 1, arrived: false }), [1, 0]);
  assert.equal(placeOf(move(sent, (journeys) => journeys.disconnected()), true), 0);
});

test("times are short; stations and news of a leader too", () => {
  assert.deepEqual([3.6, 99.4, 840, 9_994, 12_340, 130_000, -5].map(span), ["4 ms", "99 ms", "0.84 s", "9.99 s", "12.3 s", "2 min", "0 ms"]);
  const learner = { node: 9, votes: false, heard: true };
  assert.deepEqual([...LED.nodes, learner, voter(2, false), voter(1, false), { node: 3, heard: true }].map((one) => station(LED, one)), ["votes", "leads", "votes", "learns", "leads, not heard", "not heard", ""]);
  const next = { ...LED, leader: 3 };
  assert.equal(told(LOST, next), "n3 leads now.");
  assert.deepEqual([told(null, LED), told(LED, LOST), told(LOST, LED), told(LED, LED)], ["", "", "", ""], "nothing but another leader is news");
});

test("a term has the colour that it has in the lab", () => {
  const lab = readFileSync(new URL("../../lab/src/viewer/colours.js", import.meta.url), "utf8");
  const palette = [...lab.matchAll(/^ {2}\["(#[0-9a-f]{6})", "(#[0-9a-f]{6})"\],$/gm)].map(([, colour, text]) => [colour, text]);
  assert.equal(palette.length, 6);
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map(termColours), [...palette, palette[0]]);
});

test("of each move the page tells every step, also across frontends, and of the nodes what it hears", async () => {
  const { client, socket } = atTheTable([OTHER]);
  const steps = [];
  const decks = [];
  client.on("step", ({ step }) => steps.push(step));
  client.on("deck", ({ leader }) => decks.push(leader));
  client.wish("play", { room: ROOM, move: { letter: "e" } }, 1);
  const [{ serial }] = client.pending;
  assert.equal(client.isSent(serial), true);
  const played = () => socket.sent.findLast(({ action }) => action === "play");
  socket.says({ id: played().id, refused: { code: "no-quorum", message: "m" } });
  assert.equal(client.isSent(serial), false);
  mock.timers.tick(400);
  socket.says({ push: "deck", leader: 2, for_ms: 0, nodes: [] });
  socket.ends();
  assert.equal(client.isSent(serial), false);
  mock.timers.tick(100);
  const other = PaperSocket.all.at(-1);
  other.open();
  greet(other, [OTHER]);
  other.ok("watch", { room: ROOM, version: 5 });
  other.ok("play", { version: 6 });
  assert.deepEqual(steps, ["asked", "sent", "put-off", "sent", "sent", "answered"]);
  assert.deepEqual(decks, [2]);
  assert.deepEqual(socket.actions().filter((action) => action === "deck"), [], "nobody has asked for it");
});
