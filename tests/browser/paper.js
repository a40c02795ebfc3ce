// A frontend of paper: the page's real files in a real browser, and a test that
// speaks for the server. For what a cluster shows too rarely, or too slowly.

import { readdir, readFile } from "node:fs/promises";
import { extname } from "node:path";
import { DESKTOP, Person } from "./people.js";

const UI = new URL("../../frontend-server/ui/", import.meta.url);

/** What the real frontend says with every response, as far as it changes what a page can do. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
  "worker-src 'self'; connect-src 'self' ws: wss:; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const KINDS = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".ico": "image/x-icon" };

/** Who the page's player is, in every paper room. */
export const ME = "p1";

/** A room's public name. */
export const ROOM = "k7qmw2vxp4t5hj3d";

/** A player at the table. */
export const player = (seat, name, more = {}) =>
  ({ seat, name, player: `p${seat + 1}`, online: true, points: 0, role: "guesser", ...more });

/** A view of a game that goes on, with Ann (the page's player) and Bo. */
export const game = (more = {}) => ({
  game: "hangman", state: "playing", mode: "together", round: 1, pattern: [null, "e", null, null, "e", null], wrong: ["q"],
  tried: [{ seat: 0, name: "Ann", player: ME, letter: "e", hits: 2 }, { seat: 1, name: "Bo", player: "p2", letter: "q", hits: 0 }],
  lives: 5, lives_max: 6, category: "animals", players: [player(0, "Ann"), player(1, "Bo")], setter: null, winner: null,
  seats: 8, chat: [], host: ME, public: false, locked: false, seat_kept_ms: 60_000, ...more,
});

/** The same, won. */
export const won = (more = {}) =>
  game({ state: "won", pattern: [..."weevil"], answer: "weevil", winner: "p2", ...more });

/** Someone at a page whose frontend is this test. */
export class Reader extends Person {
  /** What the page sent, oldest first. */
  sent = [];
  /** How requests are answered, by action; without one, with an empty ok. */
  answers = {};
  #socket = null;
  #version = 0;

  static async arrive(browser, { origin = "http://game.test:8080", hash = "", viewport = DESKTOP, colorScheme = "light", server = {}, view = game(), answers = {} } = {}) {
    const touch = viewport.width < 600;
    const context = await browser.newContext({ viewport, colorScheme, hasTouch: touch, isMobile: touch, serviceWorkers: "block" });
    const reader = new Reader("Ann", await context.newPage());
    reader.answers = {
      hello: () => ({ ok: { player: ME, name: "Ann", token: "t", server: { cluster: "connected", ...server } } }),
      rooms: () => ({ ok: { rooms: [], next: null } }),
      watch: ({ room }) => (view ? { ok: { room, version: reader.#version + 1 }, view } : { refused: { code: "no-such-room", message: "there is no such room" } }),
      ...answers,
    };
    await reader.page.route(`${origin}/**`, (route) => serve(route));
    await reader.page.routeWebSocket(/\/ws$/, (socket) => reader.#talk(socket));
    await reader.page.goto(`${origin}/${hash}`);
    await reader.connected();
    return reader;
  }

  /** Shows the page a newer view of its room. */
  shows(view, more = {}) {
    this.#version += 1;
    this.says({ push: "view", room: this.room, version: this.#version, view, events: [], ...more });
  }

  /** Tells the page what has changed in its room. */
  steps(set, more = {}) {
    this.#version += 1;
    this.says({ push: "step", room: this.room, version: this.#version, set, events: [], ...more });
  }

  says(frame) {
    this.#socket?.send(JSON.stringify(frame));
  }

  /** The requests of this kind, so far. */
  asked(action) {
    return this.sent.filter((frame) => frame.action === action);
  }

  #talk(socket) {
    this.#socket = socket;
    socket.onMessage((text) => {
      const frame = JSON.parse(String(text));
      this.sent.push(frame);
      const answer = this.answers[frame.action]?.(frame.data);
      // A test may leave a request without an answer.
      if (answer === null) return;
      const { view, ...said } = answer ?? { ok: {} };
      this.says({ id: frame.id, ...said });
      if (frame.action === "watch") this.room = frame.data.room;
      if (view) this.shows(view, { resync: true });
    });
  }
}

async function serve(route) {
  const { pathname } = new URL(route.request().url());
  const path = pathname === "/" ? "index.html" : pathname.slice(1);
  const file = await readFile(new URL(path, UI)).catch(() => null);
  const body = file && path === "index.html" ? await told(file.toString()) : file;
  if (!body) return route.fulfill({ status: 404, body: "there is no such page\n" });
  return route.fulfill({ body, contentType: KINDS[extname(path)], headers: { "content-security-policy": POLICY } });
}

/** The page as the frontend serves it: told which games there are. */
async function told(page) {
  const games = await readdir(new URL("games/", UI));
  const links = games.map((game) => `<link rel="stylesheet" href="/games/${game}/style.css">`);
  return page.replace("<!-- found -->", `${links.join("")}<meta name="games" content="${games.join(" ")}">`);
}
