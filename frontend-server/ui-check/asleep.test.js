// A page that nobody looks at: its timers run late or not at all, and that must
// not cost it its place.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { anew, atTheTable, greet, PaperSocket } from "./paper.js";

beforeEach(anew);

/** Between two heartbeats, and what an answer may take (ms). */
const HEARTBEAT = 15_000;
const DEADLINE = 2000;

/** Time passes, and no timer runs meanwhile: the browser holds them back. */
const heldBack = (ms) => mock.timers.setTime(Date.now() + ms);

test("a heartbeat whose timer was held back ends nothing; the answer was waiting", () => {
  const { client, socket } = atTheTable([]);
  for (let minute = 0; minute < 5; minute += 1) {
    mock.timers.tick(HEARTBEAT);
    assert.equal(socket.actions().at(-1), "ping");
    heldBack(60_000);
    // Late, the timer is heard before the answer is.
    mock.timers.tick(DEADLINE);
    assert.equal(socket.closed, false);
    socket.ok("ping", {});
  }
  assert.deepEqual([client.standing, PaperSocket.all.length], ["connected", 1]);
});

test("awake, a connection that does not answer is given up", () => {
  const { client, socket } = atTheTable([]);
  mock.timers.tick(HEARTBEAT);
  heldBack(60_000);
  mock.timers.tick(DEADLINE);
  assert.equal(socket.closed, false, "asleep, nobody can tell");
  mock.timers.tick(DEADLINE);
  assert.deepEqual([socket.closed, client.standing], [true, "reconnecting"]);
});

test("a call that was answered while the page slept is not given up", () => {
  const { client, socket } = atTheTable([]);
  socket.ends();
  mock.timers.tick(100);
  const again = PaperSocket.all[1];
  heldBack(30_000);
  mock.timers.tick(DEADLINE);
  assert.equal(again.closed, false);
  again.open();
  greet(again, []);
  assert.equal(client.standing, "connected");
});
