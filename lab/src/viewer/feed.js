// The story as text beside the picture. Only a stretch of it is in the page at a time: more
// comes as one scrolls.

import { byId, el, set } from "./dom.js";
import { termColours } from "./colours.js";
import { at, before, item } from "./model/search.js";
import { clock } from "./model/words.js";

/** @typedef {import("./model/types.js").Entry} Entry */

/** Sentences in the page at once, and how many are added at an end. */
const SHOWN = 160;
const MORE = 60;
/** How near (pixels) to an end more is added. */
const NEAR_END = 400;

/** A sign for each tone, beside its colour. @type {Record<string, string>} */
const SIGNS = {
  leader: "♛", candidate: "?", role: "·", process: "■", fault: "▲", gossip: "≈", members: "m", log: "◆", message: "→",
  told: "i", finding: "✗", verdict: "●", gap: "↔", call: "…", unknown: "?", refused: "/",
};

export class Feed {
  /**
   * @param {Entry[]} story
   * @param {(entry: Entry) => void} go a sentence was pressed
   */
  constructor(story, go) {
    this.story = story;
    this.go = go;
    this.list = byId("feed");
    this.all = /** @type {HTMLInputElement} */ (byId("all-calls"));
    /** @type {Entry[]} */
    this.entries = [];
    this.first = 0;
    this.behind = 0;
    this.lane = "";
    /** @type {Entry | undefined} */
    this.current = undefined;
    this.all.addEventListener("change", () => this.choose());
    this.list.addEventListener("scroll", () => this.#extend(), { passive: true });
    this.choose();
  }

  /** Takes the sentences that are wanted, and shows those around the current one. */
  choose() {
    this.entries = this.story.filter(({ minor }) => this.all.checked || !minor);
    byId("told-count").textContent = `${this.entries.length} sentences`;
    this.#around(this.#place(this.current?.at ?? 0));
  }

  /**
   * The sentence before or behind a moment: of the lane that is selected, or any.
   * @param {number} time
   * @param {number} way 1 is later, -1 is earlier
   * @returns {Entry | undefined}
   */
  next(time, way) {
    const own = this.lane ? this.entries.filter(({ lane }) => lane === this.lane) : this.entries;
    const here = this.current?.at === time ? own.indexOf(this.current) : -1;
    if (here >= 0) return own[here + way];
    return own[way < 0 ? before(own, time, at) - 1 : before(own, time + 1, at)];
  }

  /** Shows the story around a moment. @param {number} time @param {Entry} [entry] which of those at this moment */
  show(time, entry) {
    const place = entry ? this.entries.indexOf(entry) : this.#place(time);
    this.current = this.entries[place];
    if (place < this.first || place >= this.behind) this.#around(place);
    for (const marked of this.list.querySelectorAll("[aria-current]")) marked.removeAttribute("aria-current");
    const element = /** @type {HTMLElement | undefined} */ (this.list.children[place - this.first]);
    if (!element) return;
    set(element, { "aria-current": "true" });
    const { list } = this;
    const [top, bottom] = [element.offsetTop, element.offsetTop + element.offsetHeight];
    const inside = top >= list.scrollTop + 8 && bottom <= list.scrollTop + list.clientHeight - 8;
    if (!inside) list.scrollTop = top - list.clientHeight / 2 + element.offsetHeight / 2;
  }

  /** Those that are about another lane step back. @param {string} lane */
  select(lane) {
    this.lane = lane;
    for (const element of this.list.children) this.#dim(/** @type {HTMLElement} */ (element));
  }

  /** The last sentence until a moment. @param {number} time */
  #place(time) {
    return Math.max(0, before(this.entries, time + 1, at) - 1);
  }

  /** @param {number} place */
  #around(place) {
    this.first = Math.max(0, Math.min(place - SHOWN / 2, this.entries.length - SHOWN));
    this.behind = Math.min(this.entries.length, this.first + SHOWN);
    this.list.replaceChildren(...this.#made(this.first, this.behind));
  }

  #extend() {
    const { list } = this;
    if (list.scrollTop < NEAR_END && this.first > 0) {
      const from = Math.max(0, this.first - MORE);
      const high = list.scrollHeight;
      list.prepend(...this.#made(from, this.first));
      this.first = from;
      list.scrollTop += list.scrollHeight - high;
      while (this.behind - this.first > SHOWN + MORE) this.#drop(list.lastElementChild, () => (this.behind -= 1));
    }
    if (list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END && this.behind < this.entries.length) {
      const to = Math.min(this.entries.length, this.behind + MORE);
      list.append(...this.#made(this.behind, to));
      this.behind = to;
      const high = list.scrollHeight;
      while (this.behind - this.first > SHOWN + MORE) this.#drop(list.firstElementChild, () => (this.first += 1));
      list.scrollTop -= high - list.scrollHeight;
    }
  }

  /** @param {Element | null} element @param {() => void} counted */
  #drop(element, counted) {
    element?.remove();
    counted();
  }

  /** @param {number} from @param {number} to */
  #made(from, to) {
    return this.entries.slice(from, to).map((entry, place) => this.#sentence(entry, from + place));
  }

  /** @param {Entry} entry @param {number} place */
  #sentence(entry, place) {
    const sign = el("span", { class: "sign", "aria-hidden": "true" }, SIGNS[entry.tone] ?? "·");
    if (entry.term !== undefined && (entry.tone === "leader" || entry.tone === "candidate")) {
      [sign.style.background, sign.style.color] = termColours(entry.term);
    }
    const button = el("button", { type: "button", click: () => this.go(item(this.entries, this.entries.indexOf(entry))) }, el("time", {}, clock(entry.at)), sign, el("span", { class: "words" }, entry.text));
    const element = el("li", { "data-tone": entry.tone, "data-lane": entry.lane, "aria-setsize": this.entries.length, "aria-posinset": place + 1 }, button);
    if (entry === this.current) set(element, { "aria-current": "true" });
    this.#dim(element);
    return element;
  }

  /** @param {HTMLElement} element */
  #dim(element) {
    const other = this.lane !== "" && element.dataset.lane !== this.lane && element.dataset.tone !== "finding";
    set(element, { "data-other": other });
  }
}
