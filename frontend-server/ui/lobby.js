// The way in: who you are, what you want to play, and with whom: whoever suits, a bot, who
// looks for somebody, or friends. What there is to say of a game, the game says itself.

import { note, notes } from "./announce.js";
import { el, list, say, set } from "./dom.js";
import { GAMES } from "./games.js";
import { Play } from "./match/play.js";
import { Seekers } from "./match/seekers.js";
import { plainly } from "./plain.js";
import { LIVE } from "./places.js";
import { expect, nameField } from "./room.js";
import { browser } from "./store.js";
import { notARoom, roomName } from "./text.js";

/** @typedef {import("./client.js").Client} Client */
/** @typedef {import("./match/desk.js").Desk} Desk */
/** @typedef {import("./types.js").Game} Game */
/** @typedef {import("./types.js").RoomSummary} RoomSummary */

/** Between two looks at the list of rooms (ms), while somebody can see it. */
const LOOK_EVERY = 2000;

const LEAD = "If a machine fails meanwhile, your game goes on.";

const NOBODY = "Nobody waits for strangers right now. Open a room, and invite somebody or leave it open.";

/** Rooms shown. */
const ROOMS_SHOWN = 30;

export class LobbyScreen {
  title = "";
  #client;
  #desk;
  #name;
  /** The name of the game one wants to play. */
  #game = "";
  #headline = el("h1", { tabindex: -1 });
  #lead = el("p", { class: "lead" });
  #picture = el("div", { class: "picture" });
  #games = el("div", { class: "games", role: "radiogroup", "aria-label": "Game", "data-testid": "games" });
  #play;
  #seekers;
  /** Pressed while a room is being opened, nothing happens. */
  #opener = el("fieldset", { class: "plain-fields" });
  #strangers = el("input", { type: "checkbox", "data-testid": "public-check" });
  /** Whether all public rooms are shown, or those one can join. */
  #all = false;
  #heading = el("h2", {}, "Open to strangers");
  #more;
  #rooms = el("ul", { class: "rooms", "data-testid": "room-list" });
  #empty = el("p", { class: "quiet" }, "Looking for rooms…");
  /** @type {(() => void)[]} */
  #leaving = [];

  /** @param {Client} client @param {Desk} desk */
  constructor(client, desk) {
    this.#client = client;
    this.#desk = desk;
    this.#name = nameField(client);
    this.#play = new Play(desk, () => client.server.bots ?? []);
    this.#seekers = new Seekers(client, desk);
    this.#more = el("button", { type: "button", class: "small plain", "data-testid": "all-rooms", click: () => this.#showAll(!this.#all) }, "All rooms");
    const ways = el("div", { class: "lobby-ways" }, this.#playNow(), this.#newRoom());
    const others = el("div", { class: "lobby-others" }, this.#seekers.element, this.#openRooms(), makeLinks());
    this.element = el("main", { class: "lobby" }, this.#headline, this.#lead, this.#picture, ways, others);
    this.#offer();
  }

  enter() {
    const timer = setInterval(() => this.#look(), LOOK_EVERY);
    this.#play.enter();
    this.#seekers.enter();
    this.#leaving = [
      () => clearInterval(timer),
      () => this.#play.leave(),
      () => this.#seekers.leave(),
      this.#client.on("identity", () => this.#onIdentity()),
    ];
    this.element.append(notes);
    this.#look();
  }

  leave() {
    for (const stop of this.#leaving) stop();
  }

  /**
   * Offers the games that this page has and the cluster can open. Before it has said which
   * these are: those of the last visit, or one.
   * @param {string[]} [games]
   */
  #offer(games = browser.list("games")) {
    const has = [...GAMES.keys()];
    const common = has.filter((name) => games.includes(name));
    const names = common.length ? common : has.slice(0, 1);
    const kept = [this.#game, browser.get("game")].find((name) => names.includes(name));
    list(this.#games, names, (name) => name, (name) => this.#makeChoice(name));
    set(this.#games, { hidden: names.length < 2 });
    this.#choose(kept ?? names[0] ?? "");
    this.#play.offer(this.#game, names);
    this.#seekers.offer(names);
  }

  /** @param {string} name */
  #makeChoice(name) {
    const choose = () => {
      browser.set("game", name);
      this.#choose(name);
      this.#offer();
    };
    const input = el("input", { type: "radio", name: "game", value: name, class: "unseen", "data-testid": `game-${name}`, change: choose });
    return el("label", { class: "game" }, input, el("span", {}, GAMES.get(name)?.name ?? name));
  }

  /** @param {string} name */
  #choose(name) {
    const game = GAMES.get(name);
    for (const input of this.#games.querySelectorAll("input")) input.checked = input.value === name;
    if (!game || this.#game === name) return;
    this.#game = name;
    say(this.#headline, game.headline);
    say(this.#lead, `${game.lead} ${LEAD}`);
    this.#picture.replaceChildren(game.picture());
    this.#opener.replaceChildren(game.opener((options) => this.#open(name, options)));
  }

  #playNow() {
    const name = el("label", { class: "field" }, el("span", {}, "Your name"), this.#name);
    return el("section", { class: "card", "aria-label": "Play now" }, name, this.#games, this.#play.element);
  }

  #newRoom() {
    const challenge = el("button", { type: "button", class: "small", "data-testid": "challenge-link", click: () => this.#challenge() }, "Challenge by link");
    return el(
      "section",
      { class: "card", "aria-label": "New game" },
      el("h2", {}, "With friends"),
      el("label", { class: "check" }, this.#strangers, el("span", {}, "Open to strangers"), el("span", { class: "quiet" }, "Otherwise only those with the link can come.")),
      this.#opener,
      el("p", { class: "by-link" }, challenge, el("span", { class: "quiet" }, "One against one, with the clock and ratings chosen above.")),
      this.#joinForm(),
    );
  }

  #joinForm() {
    const label = "Link to a room";
    const input = el("input", {
      "aria-label": label, placeholder: label, required: true, autocomplete: "off", "data-testid": "join-input",
    });
    const why = el("p", { class: "why", role: "alert", "data-testid": "join-why" });
    const join = (/** @type {Event} */ event) => {
      event.preventDefault();
      const room = roomName(input.value);
      if (room) location.hash = `#/room/${room}`;
      else say(why, notARoom(input.value));
    };
    set(input, { input: () => say(why, "") });
    return el("form", { class: "line", submit: join }, why, input, el("button", { "data-testid": "join-button" }, "Join"));
  }

  #openRooms() {
    const head = el("div", { class: "listing" }, this.#heading, this.#more);
    return el("section", { class: "card", "aria-label": "Open rooms" }, head, this.#empty, this.#rooms);
  }

  #challenge() {
    this.#client.rename(this.#name.value.trim());
    this.#desk.challengeByLink(this.#game);
  }

  /**
   * Opens a room and takes the first seat; opening alone does not seat anybody.
   * @param {string} game @param {Record<string, any>} options
   */
  async #open(game, options) {
    this.#client.rename(this.#name.value.trim());
    this.#opener.disabled = true;
    const { ok, refused } = await this.#client.wish("open", { game, options, public: this.#strangers.checked });
    this.#opener.disabled = false;
    if (refused) return note(plainly(refused));
    expect(ok.room);
    location.hash = `#/room/${ok.room}`;
    const sat = await this.#client.wish("sit", { room: ok.room });
    if (sat.refused) note(plainly(sat.refused));
  }

  #onIdentity() {
    if (!this.#name.value && document.activeElement !== this.#name) this.#name.value = this.#client.name;
    this.#play.show();
    this.#look();
  }

  async #look() {
    if (document.visibilityState !== "visible" || this.#client.standing === "reconnecting") return;
    const all = this.#all;
    const { ok } = await this.#client.ask("rooms", { limit: ROOMS_SHOWN, ...(all && { all }) });
    if (ok?.games) {
      browser.set("games", JSON.stringify(ok.games));
      this.#offer(ok.games);
    }
    if (ok && all === this.#all) this.#showRooms(ok.rooms);
  }

  /** @param {boolean} all */
  #showAll(all) {
    this.#all = all;
    say(this.#heading, all ? "All public rooms" : "Open to strangers");
    say(this.#more, all ? "Only those I can join" : "All rooms");
    this.#look();
  }

  /** @param {RoomSummary[]} rooms */
  #showRooms(rooms) {
    say(this.#empty, rooms.length ? "" : NOBODY);
    set(this.#empty, { hidden: rooms.length > 0 });
    list(this.#rooms, rooms, ({ room }) => room, makeRoom, showRoom);
  }
}

/** Where else there is something to see. */
function makeLinks() {
  const ladder = el("a", { class: "button small", href: "#/ladder", "data-testid": "ladder-link" }, "Leaderboards");
  const live = el("a", { class: "button small", href: LIVE, "data-testid": "live-link" }, "Live numbers");
  return el("nav", { class: "lobby-links", "aria-label": "More" }, ladder, live);
}

/** @param {RoomSummary} summary */
function makeRoom({ room }) {
  const parts = ["names", "what"].map((name) => el("span", { class: name }));
  return el("li", {}, el("a", { class: "open", href: `#/room/${room}`, "data-testid": `room-${room}` }, ...parts));
}

/** @param {HTMLElement} element @param {RoomSummary} summary */
function showRoom(element, { game, state, players, here, seats, names, locked, about }) {
  const [who, what] = element.querySelectorAll("span");
  if (!who || !what) return;
  const played = GAMES.get(game);
  say(who, names?.length ? names.join(", ") : "Nobody is seated");
  set(who, { translate: "no" });
  const seated = `${players}${seats ? ` of ${seats}` : ""} seated${here === undefined ? "" : `, ${here} here`}`;
  const which = GAMES.size > 1 || !played ? (played?.name ?? game) : "";
  say(what, [which, played?.summary(about ?? {}), state, seated, locked ? "locked" : ""].filter(Boolean).join(" · "));
}
