// A player's card, wherever their name is tapped. It is loaded when somebody first wants one.

import { note } from "./announce.js";
import { dress } from "./later.js";

/** @typedef {import("./client.js").Client} Client */
/** @typedef {import("./match/desk.js").Desk} Desk */

const UNREACHABLE = "The card cannot be loaded now. Try again in a moment.";

export class Cards {
  #client;
  #desk;
  /** @type {import("./card/dialog.js").CardDialog | null} */
  #dialog = null;

  /** @param {Client} client @param {Desk} desk */
  constructor(client, desk) {
    this.#client = client;
    this.#desk = desk;
  }

  /** @param {string} player @param {string} name @param {string} [game] what they are seen at */
  async open(player, name, game = "") {
    try {
      const [{ CardDialog }] = await Promise.all([import("./card/dialog.js"), dress("/card/style.css")]);
      this.#dialog ??= this.#hang(new CardDialog(this.#client, this.#desk));
      this.#dialog.open(player, name, game);
    } catch {
      note(UNREACHABLE);
    }
  }

  close() {
    this.#dialog?.element.close();
  }

  /** @param {import("./card/dialog.js").CardDialog} dialog */
  #hang(dialog) {
    document.body.append(dialog.element);
    return dialog;
  }
}
