// The way below deck: a small button in the bar. What it opens is loaded when it is first
// wanted, and costs nothing before, nor while it is closed.

import { note } from "./announce.js";
import { el, set, svg } from "./dom.js";
import { dress } from "./later.js";

/** @typedef {import("./client.js").Client} Client */
/** @typedef {import("./deck/panel.js").Panel} Panel */

/** A raft with its mast and sail, and the water below it. */
const RAFT = ["M3 15h18", "M12 15V3l6 8h-6", "M2 20q2.5-2 5 0t5 0 5 0 5 0"];

const UNREACHABLE = "What is below deck cannot be loaded now. Try again in a moment.";

export class Below {
  #client;
  #game;
  /** @type {Panel | null} */
  #panel = null;
  #loading = false;

  /** @param {Client} client @param {() => import("./types.js").Game | null} game what is played on the screen */
  constructor(client, game) {
    this.#client = client;
    this.#game = game;
    const icon = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, ...RAFT.map((d) => svg("path", { d })));
    this.element = el(
      "button",
      { type: "button", class: "below", title: "Below deck", "aria-expanded": "false", "data-testid": "deck-button", click: () => this.#toggle() },
      icon, el("span", { class: "below-name" }, "Below deck"),
    );
  }

  async #toggle() {
    if (this.#loading) return;
    this.#panel ??= await this.#load();
    if (!this.#panel) return note(UNREACHABLE);
    if (this.element.getAttribute("aria-expanded") === "true") return this.#close();
    set(this.element, { "aria-expanded": "true" });
    this.#panel.open();
  }

  /** On a page that shows the nodes itself. */
  shut() {
    if (this.element.getAttribute("aria-expanded") === "true") this.#close();
  }

  #close() {
    set(this.element, { "aria-expanded": "false" });
    this.#panel?.close();
    this.element.focus();
  }

  /** Nothing when nobody has it: the frontend may be dead that this page came from. */
  async #load() {
    this.#loading = true;
    try {
      const [{ Panel }] = await Promise.all([import("./deck/panel.js"), dress("/deck/style.css")]);
      const panel = new Panel(this.#client, this.#game, () => this.#close());
      document.body.append(panel.element);
      set(this.element, { "aria-controls": panel.element.id });
      return panel;
    } catch {
      return null;
    } finally {
      this.#loading = false;
    }
  }
}
