// The way in: who you are, the rooms that are open, and how to open one.

import { note, notes } from "./announce.js";
import { el, list, say, set } from "./dom.js";
import { BOARDS, CATEGORIES } from "./games.js";
import { plainly } from "./plain.js";
import { expect, nameField } from "./room.js";
import { notARoom, roomName } from "./text.js";

/** @typedef {import("./client.js").Client} Client */
/** @typedef {import("./types.js").RoomSummary} RoomSummary */

/** Between two looks at the list of rooms (ms), while somebody can see it. */
const LOOK_EVERY = 2000;

const LEAD =
  "Guess the word with your friends before the raft is one short. " +
  "If a machine fails meanwhile, your game goes on.";

const NOBODY = "Nobody waits for strangers right now. Open a room, and invite somebody or leave it open.";

/** Rooms shown. */
const ROOMS_SHOWN = 30;

export class LobbyScreen {
  title = "";
  #client;
  #name;
  #category;
  #together;
  #setter;
  #strangers = el("input", { type: "checkbox", "data-testid": "public-check" });
  /** Whether all public rooms are shown, or those one can join. */
  #all = false;
  #heading = el("h2", {}, "Open to strangers");
  #more;
  #rooms = el("ul", { class: "rooms", "data-testid": "room-list" });
  #empty = el("p", { class: "quiet" }, "Looking for rooms…");
  /** @type {(() => void)[]} */
  #leaving = [];

  /** @param {Client} client */
  constructor(client) {
    this.#client = client;
    this.#name = nameField(client);
    this.#category = el("select", { "aria-label": "Category", "data-testid": "category-select" });
    this.#category.append(el("option", { value: "" }, "Surprise me"));
    this.#category.append(...CATEGORIES.map((name) => el("option", { value: name }, name.replace(/[-_]/g, " "))));
    this.#more = el("button", { type: "button", class: "small plain", "data-testid": "all-rooms", click: () => this.#showAll(!this.#all) }, "All rooms");
    this.#together = this.#opener("together", "Play together", "main");
    this.#setter = this.#opener("setter", "I set the word", "");
    this.element = el("main", { class: "lobby" }, ...this.#welcome(), this.#newRoom(), this.#openRooms());
  }

  enter() {
    const timer = setInterval(() => this.#look(), LOOK_EVERY);
    this.#leaving = [
      () => clearInterval(timer),
      this.#client.on("identity", () => this.#onIdentity()),
    ];
    this.element.append(notes);
    this.#look();
  }

  leave() {
    for (const stop of this.#leaving) stop();
  }

  #welcome() {
    return [
      el("h1", { tabindex: -1 }, "Hangman, on a raft"),
      el("p", { class: "lead" }, LEAD),
      BOARDS.hangman.picture(),
    ];
  }

  #newRoom() {
    return el(
      "section",
      { class: "card", "aria-label": "New game" },
      el("h2", {}, "New game"),
      el("label", { class: "field" }, el("span", {}, "Your name"), this.#name),
      el("label", { class: "field" }, el("span", {}, "Words about"), this.#category),
      el("label", { class: "check" }, this.#strangers, el("span", {}, "Open to strangers"), el("span", { class: "quiet" }, "Otherwise only those with the link can come.")),
      el("div", { class: "choices" }, this.#together, this.#setter),
      this.#joinForm(),
    );
  }

  /** @param {"together" | "setter"} mode @param {string} text @param {string} look */
  #opener(mode, text, look) {
    const open = () => this.#open(mode);
    return el("button", { type: "button", class: look, "data-testid": `open-${mode}`, click: open }, text);
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

  /** Opens a room and takes the first seat; opening alone does not seat anybody. @param {"together" | "setter"} mode */
  async #open(mode) {
    const category = mode === "together" ? this.#category.value : "";
    this.#client.rename(this.#name.value.trim());
    const options = { mode, ...(category && { category }) };
    this.#together.disabled = this.#setter.disabled = true;
    const { ok, refused } = await this.#client.wish("open", { game: "hangman", options, public: this.#strangers.checked });
    this.#together.disabled = this.#setter.disabled = false;
    if (refused) return note(plainly(refused));
    expect(ok.room);
    location.hash = `#/room/${ok.room}`;
    const sat = await this.#client.wish("sit", { room: ok.room });
    if (sat.refused) note(plainly(sat.refused));
  }

  #onIdentity() {
    if (!this.#name.value && document.activeElement !== this.#name) this.#name.value = this.#client.name;
    this.#look();
  }

  async #look() {
    if (document.visibilityState !== "visible" || this.#client.standing === "reconnecting") return;
    const all = this.#all;
    const { ok } = await this.#client.ask("rooms", { game: "hangman", limit: ROOMS_SHOWN, ...(all && { all }) });
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

/** @param {RoomSummary} summary */
function makeRoom({ room }) {
  const parts = ["names", "what"].map((name) => el("span", { class: name }));
  return el("li", {}, el("a", { class: "open", href: `#/room/${room}`, "data-testid": `room-${room}` }, ...parts));
}

/** @param {HTMLElement} element @param {RoomSummary} summary */
function showRoom(element, { state, players, here, seats, names, locked, about }) {
  const [who, what] = element.querySelectorAll("span");
  if (!who || !what) return;
  say(who, names?.length ? names.join(", ") : "Nobody is seated");
  set(who, { translate: "no" });
  const way = about?.mode === "setter" ? "one sets the word" : (about?.category ?? "together");
  const seated = `${players}${seats ? ` of ${seats}` : ""} seated${here === undefined ? "" : `, ${here} here`}`;
  say(what, [way, state, seated, ...(locked ? ["locked"] : [])].join(" · "));
}
