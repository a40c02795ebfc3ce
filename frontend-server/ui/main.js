// Where the page starts: the bar on top, and which screen is below it.

import { announce, announcer, note } from "./announce.js";
import { Below } from "./below.js";
import { Client } from "./client.js";
import { el, say, set } from "./dom.js";
import { loadGames } from "./games.js";
import { LobbyScreen } from "./lobby.js";
import { LostScreen } from "./lost.js";
import { RoomScreen } from "./room.js";
import { notARoom, roomName, sentence } from "./text.js";

/** How a standing is called on the page. */
const STANDINGS = {
  connected: "connected",
  reconnecting: "reconnecting…",
  electing: "cluster is electing a leader…",
};

/** A loss shorter than this (ms) is shown, but not read aloud. */
const WORTH_SAYING = 1500;
/** A cluster that has no leader for shorter than this (ms) is handing over; nobody needs to know. */
const WORTH_SHOWING = 400;

const client = new Client();
const connection = el("p", { class: "connection", "data-testid": "connection", "data-state": client.standing });
const sign = el("img", { src: "/favicon.svg", alt: "", width: 28, height: 28 });
const logo = el("a", { class: "logo", href: "#/" }, sign, "Hangraft");
const below = new Below(client, () => (screen instanceof RoomScreen ? screen.game : null));
const place = el("div", { class: "place" });

/** @type {LobbyScreen | RoomScreen | LostScreen | null} */
let screen = null;
let showing = 0;
let saying = 0;
let said = "connected";

document.body.append(el("header", { class: "bar" }, logo, connection, below.element), place, announcer);
client.on("standing", () => {
  clearTimeout(showing);
  if (client.standing === "electing") showing = setTimeout(showStanding, WORTH_SHOWING);
  else showStanding();
});
client.on("tell", (message) => note(sentence(message)));
showStanding();
await loadGames();
addEventListener("hashchange", route);
route();
client.start();
// Without it, as in a page that is not served securely, only the reload of a dead frontend's page is lost.
navigator.serviceWorker?.register("/worker.js").catch(() => {});

/** "#/room/k7qmw2vxp4t5hj3d" is a room; everything else is the lobby. */
function route() {
  screen?.leave();
  const { hash } = location;
  const moved = screen !== null;
  screen = hash.startsWith("#/room/") ? roomScreen(hash) : new LobbyScreen(client);
  document.title = screen.title ? `${screen.title} · Hangraft` : "Hangraft";
  set(document.body, { "data-screen": hash.startsWith("#/room/") ? "room" : "lobby" });
  place.replaceChildren(screen.element);
  scrollTo(0, 0);
  screen.enter();
  // Somebody without a mouse goes on from the new screen's top.
  if (moved) screen.element.querySelector("h1")?.focus();
}

/** @param {string} hash */
function roomScreen(hash) {
  const room = roomName(hash);
  return room ? new RoomScreen(client, room) : new LostScreen(notARoom(hash));
}

function showStanding() {
  const { standing } = client;
  say(connection, STANDINGS[standing]);
  set(connection, { "data-state": standing, title: `${STANDINGS[standing]} (${client.origin})` });
  clearTimeout(saying);
  saying = setTimeout(() => {
    if (said !== standing) announce(STANDINGS[standing]);
    said = standing;
  }, WORTH_SAYING);
}
