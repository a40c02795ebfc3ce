// What the game lists, and the chat: a column beside the board, or on a phone a drawer over it.

import { el, lineForm, list, say, set, setAlone } from "./dom.js";

/** @typedef {import("./types.js").Line} Line */
/** @typedef {import("./types.js").View} View */

/** The longest chat line, as the rules have it. */
const TEXT_MAX = 500;

/** Where there is room for a column; as the style sheet has it. */
const WIDE = "(min-width: 900px) and (min-height: 560px)";

export class Talk {
  /** What the game lists above the chat, if it lists anything. @type {import("./types.js").Side | undefined} */
  #side;
  #list = el("div", { class: "listed" });
  #chat = el("div", { class: "chat", role: "log", "aria-label": "Chat", tabindex: 0, "data-testid": "chat-log" });
  #wide = matchMedia(WIDE);
  #onWide = () => this.#wide.matches && this.close();
  #unread = 0;

  /** @param {(text: string) => Promise<string>} submit says a line; why it was refused */
  constructor(submit) {
    const toggle = () => (this.isOpen ? this.close() : this.#open());
    this.drawer = el("button", { type: "button", class: "small drawer", "aria-expanded": "false", "data-testid": "drawer-button", click: toggle }, "Chat");
    const close = el("button", { type: "button", class: "small close", click: () => this.close() }, "Back to the game");
    const form = lineForm("chat", "Say something", "Say", TEXT_MAX, submit);
    this.element = el("div", { class: "side", role: "complementary", "aria-label": "Chat" }, close, this.#list, el("h2", {}, "Chat"), this.#chat, form);
  }

  enter() {
    this.#wide.addEventListener("change", this.#onWide);
  }

  leave() {
    this.#wide.removeEventListener("change", this.#onWide);
    this.close();
  }

  /** Whether the drawer is. */
  get isOpen() {
    return this.drawer.getAttribute("aria-expanded") === "true";
  }

  /** What the game lists stands above the chat from now on. @param {import("./types.js").Side} side */
  lists(side) {
    this.#side = side;
    this.#list.replaceChildren(el("h2", {}, side.heading), side.element);
    set(this.element, { "aria-label": `${side.heading} and chat` });
  }

  /** @param {View} view @param {string} me @param {Line[]} fresh lines of it that were in none before */
  update(view, me, fresh) {
    if (!this.isOpen) this.#unread += fresh.filter(({ player }) => player !== me).length;
    this.#side?.update(view, me);
    const atEnd = this.#chat.scrollTop + this.#chat.clientHeight >= this.#chat.scrollHeight - 8;
    list(this.#chat, view.chat, ({ number }) => String(number), ({ name, text }) => el("p", {}, el("b", { translate: "no" }, name), " ", text));
    if (atEnd) this.#chat.scrollTop = this.#chat.scrollHeight;
    say(this.drawer, this.#unread ? `Chat (${this.#unread})` : "Chat");
  }

  /** Over the game; then it is all there is, also for Tab and for a screen reader. */
  #open() {
    this.#unread = 0;
    say(this.drawer, "Chat");
    set(this.drawer, { "aria-expanded": "true" });
    set(this.element, { "data-open": true, role: "dialog", "aria-modal": "true" });
    setAlone(this.element, true);
    this.#chat.scrollTop = this.#chat.scrollHeight;
    this.element.querySelector("input")?.focus();
  }

  close() {
    if (!this.isOpen) return;
    set(this.drawer, { "aria-expanded": "false" });
    set(this.element, { "data-open": false, role: "complementary", "aria-modal": null });
    setAlone(this.element, false);
    this.drawer.focus();
  }
}
