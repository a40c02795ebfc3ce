// The page's whole side of the socket, in a browser of paper: what it does when
// its frontend is about to stop.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { anew, atTheTable, greet, OTHER, OWN, PaperSocket, ROOM, view } from "./paper.js";

const BYE = { push: "bye", code: "moving", message: "this frontend is about to stop" };
const urls = () => PaperSocket.all.map(({ url }) => url);
/** Lets promises that are settled be heard. */
const settled = () => new Promise(setImmediate);

beforeEach(anew);

test("who is sent away calls another frontend first, and then leaves; nothing is lost or done twice", async () => {
  const { client, socket: here, standings, versions } = atTheTable([OWN, OTHER]);
  const answers = [];
  const first = client.wish("play", { room: ROOM, move: { letter: "e" } }, 1);
  const second = client.wish("say", { room: ROOM, text: "hi" });
  for (const wish of [first, second]) void wish.then((answer) => answers.push(answer.ok.version));
  here.says(BYE);
  mock.timers.tick(100);
  const [, there] = PaperSocket.all;
  assert.deepEqual(urls(), ["ws://game.example:8080/ws", "ws://game.example:8081/ws"]);

  // The first is still good for answers and views, and for new wishes.
  assert.equal(here.closed, false);
  here.ok("play", { version: 6 });
  here.says(view(6));
  const third = client.wish("play", { room: ROOM, move: { letter: "a" } }, 1);
  void third.then((answer) => answers.push(answer.ok.version));
  await settled();
  assert.deepEqual([answers, versions, standings], [[6], [6], []]);
  const [play, say, late] = here.sent.slice(-3);
  assert.deepEqual([play, say, late].map(({ action }) => action), ["play", "say", "play"]);

  there.open();
  assert.equal(here.closed, true);
  assert.deepEqual(there.sent[0].data, { name: "Ann", token: "t1", steps: true });
  greet(there, [OWN, OTHER]);
  assert.deepEqual(there.actions(), ["hello", "watch", "say"]);
  assert.deepEqual(there.sent[1].data, { room: ROOM, since: 6 });
  assert.deepEqual(there.sent[2].data, say.data);
  there.ok("watch", { room: ROOM, version: 7 });
  there.says(view(7));
  assert.deepEqual(there.sent[3].data, late.data);
  there.ok("say", { version: 7 });
  there.ok("play", { version: 8 });
  there.says(view(8));
  await settled();
  assert.deepEqual([answers, versions], [[6, 7, 8], [6, 7, 8]]);
  assert.deepEqual(standings, ["reconnecting", "connected"]);
  assert.deepEqual(client.pending, []);
  mock.timers.tick(10_000);
  assert.equal(PaperSocket.all.length, 2, "that was all");
  there.ends();
  mock.timers.tick(100);
  assert.equal(PaperSocket.all.length, 3, "a loss later on is a loss like any other");
});

test("when the other frontend does not answer at once, the first serves on and is not called again", () => {
  const { client, socket: here, standings, versions } = atTheTable([OWN, OTHER]);
  here.says(BYE);
  here.says(BYE);
  // A new name is greeted by the first; that does not end the wait for the other.
  client.rename("Anna");
  greet(here, [OWN, OTHER]);
  mock.timers.tick(100);
  PaperSocket.all[1].ends();
  mock.timers.tick(500);
  here.says(view(6));
  assert.deepEqual([here.closed, versions, standings], [false, [6], []]);

  // Time is up. Going on with the call that is under way, not with another.
  here.ends();
  mock.timers.tick(100);
  assert.deepEqual([PaperSocket.all.length, client.standing], [3, "reconnecting"]);
  const there = PaperSocket.all[2];
  there.open();
  greet(there, [OWN, OTHER]);
  assert.deepEqual(there.sent[1].data, { room: ROOM, since: 6 });
  assert.equal(client.standing, "connected");
  assert.deepEqual(urls().slice(1), [OTHER, OTHER].map((origin) => `${origin.replace("http", "ws")}/ws`));
});

test("a call that hangs is given up for another, and the first still serves", () => {
  const { socket: here, standings } = atTheTable([OWN, OTHER]);
  here.says(BYE);
  mock.timers.tick(100);
  const [, silent] = PaperSocket.all;
  // Patience ends, and then the wait before the next call.
  mock.timers.tick(2100);
  mock.timers.tick(400);
  assert.deepEqual([silent.closed, here.closed, PaperSocket.all.length], [true, false, 3]);
  assert.deepEqual(standings, []);
});

test("who knows no other frontend hangs up and comes back", () => {
  const { client, socket: here } = atTheTable([]);
  void client.wish("play", { room: ROOM, move: { letter: "e" } }, 1);
  const play = here.sent.at(-1);
  here.says(BYE);
  assert.deepEqual([here.closed, client.standing], [true, "reconnecting"]);
  mock.timers.tick(100);
  PaperSocket.all[1].ends();
  mock.timers.tick(500);
  const again = PaperSocket.all[2];
  assert.equal(again.url, here.url);
  again.open();
  greet(again, []);
  again.ok("watch", { room: ROOM, version: 5 });
  assert.deepEqual(again.sent.at(-1).data, play.data);
});
