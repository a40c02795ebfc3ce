// The nodes' names as buttons on the picture, for hands, keys and screen readers, and the
// words beside them.

import { termColours } from "../colours.js";
import { el, say, set } from "../dom.js";
import { besideRole, faultWords, roleWord, spoken } from "./headline.js";
import { filled } from "./rafts.js";

/** @typedef {import("../model/moment.js").Moment} Moment */
/** @typedef {{button: HTMLButtonElement, term: HTMLElement, words: HTMLElement, role: HTMLElement, beside: HTMLElement, fault: HTMLElement}} Label */

/** Where words stand that are on a side of a node. @type {Record<"above" | "below" | "left" | "right", (place: import("./layout.js").Place) => {x?: number, y?: number}>} */
const AWAY = {
  above: ({ y, r }) => ({ y: y - r - 20 }),
  below: ({ y, r }) => ({ y: y + r + 12 }),
  left: ({ x, r }) => ({ x: x - r - 14 }),
  right: ({ x, r }) => ({ x: x + r + 14 }),
};

export class Labels {
  /**
   * @param {HTMLElement} root
   * @param {(name: string) => void} choose
   * @param {(id: number | undefined) => void} tell which node has the focus of the keyboard
   */
  constructor(root, choose, tell) {
    this.root = root;
    this.choose = choose;
    this.tell = tell;
    /** @type {Map<number, Label>} */
    this.labels = new Map();
  }

  /**
   * Gives each node's label its place, and takes those away that have none.
   * @param {import("./layout.js").Layout} layout
   * @param {(id: number) => string} nameOf
   */
  arrange({ nodes: places, sides }, nameOf) {
    for (const [id, { button, words }] of this.labels) {
      if (places.has(id)) continue;
      button.remove();
      words.remove();
      this.labels.delete(id);
    }
    for (const [id, place] of places) {
      const { button, words } = this.labels.get(id) ?? this.#make(id, nameOf(id));
      const side = sides.get(id) ?? "below";
      const across = `${2 * place.r}px`;
      const { x, y } = { x: place.x, y: place.y, ...AWAY[side](place) };
      Object.assign(button.style, { left: `${place.x - place.r}px`, top: `${place.y - place.r}px`, width: across, height: across });
      Object.assign(words.style, { left: `${x}px`, top: `${y}px` });
      words.dataset.side = side;
    }
  }

  /** @param {number} id @param {string} name @returns {Label} */
  #make(id, name) {
    const [term, role, beside, fault] = [el("span"), el("b"), el("span"), el("em")];
    /** @type {HTMLButtonElement} */
    const button = el("button", { type: "button", click: () => this.choose(name), focus: () => this.tell(button.matches(":focus-visible") ? id : undefined), blur: () => this.tell(undefined) }, el("b", {}, name), " ", term);
    const label = { button, term, words: el("p", { "aria-hidden": "true" }, role, beside, fault), role, beside, fault };
    this.labels.set(id, label);
    this.root.append(button, label.words);
    return label;
  }

  /** @param {Moment} moment @param {string} selected @param {ReadonlyMap<number, string> | undefined} contradicted what gossip and Raft say of whom, where gossip is shown */
  show(moment, selected, contradicted) {
    for (const node of moment.nodes) {
      const label = this.labels.get(node.id);
      if (!label) continue;
      const { button, words } = label;
      say(label.term, node.term ? `term ${node.term}` : "");
      say(label.role, roleWord(moment, node));
      say(label.beside, contradicted ? "" : besideRole(moment, node));
      say(label.fault, contradicted ? contradicted.get(node.id) ?? "" : faultWords(node));
      const colour = filled(node) && node.process === "runs" ? termColours(node.term)[1] : "";
      if (button.dataset.colour !== colour) button.style.color = button.dataset.colour = colour;
      const tone = node.process === "runs" ? node.role ?? "" : node.awaited ? "awaited" : node.process;
      set(button, { "aria-label": spoken(moment, node), "aria-pressed": String(selected === node.name), "data-tone": tone });
      set(words, { "data-tone": node.stale && node.process === "runs" ? "stale" : tone });
    }
  }
}
