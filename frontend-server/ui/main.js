// Where the page starts: the bar on top, which screen is below it, and what comes to the
// player wherever they are.

import { announce, announcer, note } from "./announce.js";
import { Below } from "./below.js";
import { Cards } from "./cards.js";
import { ChallengeScreen } from "./challenge.js";
import { Client } from "./client.js";
import { el, say, set } from "./dom.js";
import { GAMES, loadGames } from "./games.js";
import { dress, LaterScreen } from "./later.js";
import { LobbyScreen } from "./lobby.js";
import { LostScreen } from "./lost.js";
import { Desk } from "./match/desk.js";
import { waiting } from "./match/words.js";
import { Banners } from "./notices/banners.js";
import { banner, ends } from "./notices/words.js";
import { LIVE, placeOf } from "./places.js";
import { RoomScreen } from "./room.js";
import { ShareDialog } from "./share.js";
import { notARoom, sentence } from "./text.js";
import { markUnseen, setTitle } from "./title.js";

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
/** Between two looks at how long one has waited (ms). */
const TICK = 1000;
/** How long (ms) a banner stays that only tells something. */
const TELLS = 8000;

const NOT_AN_OFFER = "That is not a link to a challenge, or not the whole of one.";

const client = new Client();
const connection = el("p", { class: "connection", "data-testid": "connection", "data-state": client.standing });
const sign = el("img", { src: "/favicon.svg", alt: "", width: 28, height: 28 });
const logo = el("a", { class: "logo", href: "/#/" }, sign, "Hangraft");
const below = new Below(client, () => (screen instanceof RoomScreen ? screen.game : null));
const looking = el("a", { class: "looking-for", href: "/#/", hidden: true, "data-testid": "looking-for" });
const place = el("div", { class: "place" });
const share = new ShareDialog();
const desk = new Desk(client, { go: goTo, share: showLink, ended: onEnded });
const cards = new Cards(client, desk);
const banners = new Banners((offer, yes) => (yes ? desk.accept(offer) : desk.decline(offer)));

/** @type {LobbyScreen | RoomScreen | ChallengeScreen | LaterScreen | LostScreen | null} */
let screen = null;
/** The address that is on the screen. */
let routed = "";
let showing = 0;
let saying = 0;
let said = "connected";

const bar = el("header", { class: "bar" }, logo, looking, connection, below.element);
document.body.append(bar, banners.element, place, share.element, announcer);
client.on("standing", () => {
  clearTimeout(showing);
  if (client.standing === "electing") showing = setTimeout(showStanding, WORTH_SHOWING);
  else showStanding();
});
client.on("tell", (message) => note(sentence(message)));
client.on("notice", onNotice);
desk.on(showLooking);
setInterval(showLooking, TICK);
showStanding();
await loadGames();
for (const event of ["hashchange", "popstate"]) addEventListener(event, route);
document.addEventListener("click", stay);
route();
client.start();
// Without it, as in a page that is not served securely, only the reload of a dead frontend's page is lost.
navigator.serviceWorker?.register("/worker.js").catch(() => {});

function route() {
  if (routed === location.href) return;
  const there = placeOf(location.pathname, location.hash);
  // From the numbers one goes on at the page itself.
  if (there.screen !== "live" && location.pathname === LIVE) history.replaceState(null, "", `/${location.hash}`);
  routed = location.href;
  screen?.leave();
  cards.close();
  share.element.close();
  const moved = screen !== null;
  screen = screenOf(there);
  setTitle(screen.title);
  if (there.screen === "live") below.shut();
  if (there.screen === "room") banners.remove(`room ${there.room}`);
  set(document.body, { "data-screen": there.screen });
  place.replaceChildren(screen.element);
  scrollTo(0, 0);
  screen.enter();
  showLooking();
  // Somebody without a mouse goes on from the new screen's top.
  if (moved) screen.element.querySelector("h1")?.focus();
}

/** @param {import("./places.js").Place} there */
function screenOf(there) {
  switch (there.screen) {
    case "room":
      return there.room ? new RoomScreen(client, there.room, cards, share) : new LostScreen(notARoom(location.hash));
    case "challenge":
      return there.offer ? new ChallengeScreen(client, desk, cards, there.offer) : new LostScreen(NOT_AN_OFFER);
    case "ladder":
      return new LaterScreen("Leaderboards", "ladder-screen", async () => {
        const [{ Ladder }] = await Promise.all([import("./ladder/screen.js"), dress("/ladder/style.css")]);
        return new Ladder(client, cards, there);
      });
    case "live":
      return new LaterScreen("Live", "live-screen", async () => {
        const [{ LiveScreen }] = await Promise.all([import("./live/screen.js"), dress("/live/style.css"), dress("/deck/style.css")]);
        return new LiveScreen(client);
      });
    default:
      return new LobbyScreen(client, desk);
  }
}

/** Links within the page load nothing anew: what is under way goes on. @param {MouseEvent} event */
function stay(event) {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  const plain = event.button === 0 && !event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (!link || !plain || link.target || link.origin !== location.origin) return;
  if (link.pathname === location.pathname && link.hash) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  route();
}

/** A match is ready. Who is in the middle of another game is told, and goes when they like. @param {string} room */
function goTo(room) {
  if (screen instanceof RoomScreen && screen.room === room) return;
  markUnseen();
  const busy = screen instanceof RoomScreen && screen.busy;
  if (busy) banners.put({ key: `room ${room}`, text: "Your match is ready.", kind: "go", room, turn: true });
  else location.hash = `#/room/${room}`;
}

/** @param {string} offer */
function showLink(offer) {
  share.open("A challenge", client.origin, `#/challenge/${offer}`, client.server.addresses, "Send your challenge");
}

/** An offer of one's own came to nothing; the lobby shows that itself. @param {import("./match/offers.js").Own} own @param {string} why */
function onEnded(own, why) {
  const seen = (screen instanceof LobbyScreen && own.kind !== "taken") || screen instanceof ChallengeScreen;
  if (!seen) banners.put({ key: `offer ${own.offer || own.serial}`, text: why, kind: "tell", stays: TELLS }, false);
}

/** @param {import("./types.js").Notice} notice */
function onNotice(notice) {
  const here = screen instanceof RoomScreen && screen.room === notice.room;
  const mine = desk.told(notice);
  banners.remove(ends(notice));
  const shown = banner(notice, (game) => GAMES.get(game)?.name ?? game);
  // What is on the screen says so itself, and so does one's own offer in the lobby.
  if (!shown || here || (screen instanceof RoomScreen && screen.room === notice.room)) return;
  if (mine && notice.kind === "matched") return void (screen instanceof RoomScreen && screen.busy && banners.put(shown, false));
  if (mine && screen instanceof LobbyScreen) return;
  banners.put(shown);
}

/** What one waits for, where the lobby does not show it. */
function showLooking() {
  const text = screen instanceof LobbyScreen ? "" : waiting(desk.offers, Date.now());
  say(looking, text);
  set(looking, { hidden: text === "" });
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
