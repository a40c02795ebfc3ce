// A browser of paper: sockets, timers and storage that a test holds in its hands.

import assert from "node:assert/strict";
import { mock } from "node:test";

/** A socket of paper; the test is the frontend at its other end. */
export class PaperSocket {
  static OPEN = 1;
  /** @type {PaperSocket[]} */
  static all = [];
  readyState = 0;
  closed = false;
  /** All but the question for notices, which has tests of its own. */
  sent = [];

  constructor(url) {
    this.url = url;
    PaperSocket.all.push(this);
  }

  send(text) {
    assert.equal(this.readyState, PaperSocket.OPEN);
    const frame = JSON.parse(text);
    if (frame.action !== "notices") this.sent.push(frame);
  }

  close() {
    this.closed = true;
    this.readyState = 3;
  }

  open() {
    this.readyState = PaperSocket.OPEN;
    this.onopen();
  }

  says(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }

  ok(action, ok) {
    const { id } = this.sent.findLast((frame) => frame.action === action);
    this.says({ id, ok });
  }

  ends() {
    this.readyState = 3;
    this.onclose();
  }

  actions() {
    return this.sent.map(({ action }) => action);
  }
}

export const OWN = "http://game.example:8080";
export const ROOM = "k7qmw2vxp4t5hj3d";
export const OTHER = "http://game.example:8081";
export const view = (version) => ({ push: "view", room: ROOM, version, view: { round: 1, chat: [] }, events: [] });

Object.assign(globalThis, {
  WebSocket: PaperSocket,
  location: { origin: OWN },
  document: { addEventListener() {} },
  addEventListener() {},
});
const { Client } = await import("../ui/client.js");
const { browser, tab } = await import("../ui/store.js");

/** An empty browser; before each test. */
export function anew() {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 });
  PaperSocket.all = [];
  for (const key of ["token", "name", "frontends"]) browser.set(key, "");
  for (const key of ["pending", "epoch"]) tab.set(key, "");
}

/** A page that looks at a room in version 5, the socket it does that through, and what it lives through from then on. */
export function atTheTable(frontends) {
  const client = new Client();
  client.start();
  mock.timers.tick(0);
  const [socket] = PaperSocket.all;
  socket.open();
  greet(socket, frontends);
  client.watch(ROOM);
  socket.ok("watch", { room: ROOM, version: 5 });
  socket.says(view(5));
  const standings = [];
  const versions = [];
  client.on("standing", () => standings.push(client.standing));
  client.on("seen", (seen) => versions.push(seen.version));
  return { client, socket, standings, versions };
}

export function greet(socket, frontends) {
  socket.ok("hello", { player: "p1", name: "Ann", token: "t1", server: { frontends } });
}

