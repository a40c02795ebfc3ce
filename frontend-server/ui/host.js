// What the host of a room may do: close the table to newcomers, let strangers find the
// room, and remove somebody. All is asked for in a dialog, so that nothing happens by a slip.

import { el, list, say, set } from "./dom.js";

/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").Player} Player */

export class HostDialog {
  #wish;
  #open = el("p", { class: "quiet", "data-testid": "host-about" });
  #lock;
  #publish;
  #players = el("ul", { class: "guests", "data-testid": "host-players" });
  #alone = el("p", { class: "quiet" });
  /** Whose removal waits for a second word. */
  #doubted = "";
  /** @type {{view: View, me: string} | null} */
  #shown = null;

  /** @param {(action: string, data: Record<string, any>) => void} wish */
  constructor(wish) {
    this.#wish = wish;
    const close = el("button", { type: "button", "data-testid": "host-close", click: () => this.element.close() }, "Close");
    const lock = () => this.#wish("lock", { locked: this.#lock.getAttribute("aria-pressed") !== "true" });
    this.#lock = el("button", { type: "button", "data-testid": "lock-button", click: lock }, "Lock the table");
    const publish = () => this.#wish("publish", { public: this.#publish.getAttribute("aria-pressed") !== "true" });
    this.#publish = el("button", { type: "button", "data-testid": "publish-button", click: publish }, "Open to strangers");
    const heading = el("h2", { id: "host-title" }, "Your table");
    this.element = el(
      "dialog",
      { class: "card host", "aria-labelledby": "host-title", "data-testid": "host-dialog", close: () => this.#doubt("") },
      heading, this.#open, this.#lock, this.#publish, this.#players, this.#alone, el("div", { class: "buttons" }, close),
    );
  }

  /** @param {View} view @param {string} me */
  open(view, me) {
    this.update(view, me);
    this.element.showModal();
  }

  /** @param {View} view @param {string} me */
  update(view, me) {
    this.#shown = { view, me };
    if (view.host !== me) return this.element.close();
    const others = view.players.filter(({ player }) => player !== me);
    const who = view.public ? "Anybody" : "Whoever has the link";
    const door = view.locked ? "Nobody new can sit down." : `${who} can sit down.`;
    say(this.#open, `${view.public ? "This room is open to strangers." : "This room is private."} ${door}`);
    set(this.#lock, { "aria-pressed": String(view.locked === true) });
    say(this.#lock, view.locked ? "Unlock the table" : "Lock the table");
    set(this.#publish, { "aria-pressed": String(view.public === true) });
    say(this.#publish, view.public ? "Close to strangers" : "Open to strangers");
    say(this.#alone, others.length ? "" : "Nobody else is at the table.");
    const make = (/** @type {Player} */ player) => this.#makeGuest(player);
    list(this.#players, others, ({ player }) => player, make, (element, player) => this.#showGuest(element, player));
  }

  /** @param {Player} player */
  #makeGuest({ player }) {
    const hooks = { "data-player": player };
    const remove = el("button", { type: "button", class: "small", "data-testid": "remove-button", click: () => this.#doubt(player) }, "Remove");
    const sure = el("button", { type: "button", class: "small main", "data-testid": "remove-sure", click: () => this.#remove(player) }, "Remove");
    const keep = el("button", { type: "button", class: "small", "data-testid": "remove-keep", click: () => this.#doubt("") }, "Keep");
    return el("li", hooks, el("span", { class: "name" }), remove, sure, keep);
  }

  /** @param {HTMLElement} element @param {Player} player */
  #showGuest(element, { player, name }) {
    const [label, remove, sure, keep] = element.children;
    if (!label || !remove || !sure || !keep) return;
    const doubted = this.#doubted === player;
    set(element, { "data-doubted": doubted });
    say(label, doubted ? `Remove ${name}? They cannot sit down here again.` : name);
    set(remove, { hidden: doubted, "aria-label": `Remove ${name}` });
    set(sure, { hidden: !doubted });
    set(keep, { hidden: !doubted });
  }

  /** Asks about one of them, or about nobody any more. @param {string} player */
  #doubt(player) {
    this.#doubted = player;
    if (!this.#shown || !this.element.open) return;
    this.update(this.#shown.view, this.#shown.me);
    const keep = [...this.#players.children].find((guest) => guest.getAttribute("data-player") === player)?.lastElementChild;
    if (keep instanceof HTMLElement) keep.focus();
    else this.#lock.focus();
  }

  /** @param {string} player */
  #remove(player) {
    this.#wish("remove", { player });
    this.#doubt("");
  }
}
