// The story as text beside the picture. Only a stretch of it is in the page at a time: more
// comes as one scrolls. While time goes on, it grows at its end.

import { byId, el, say, set } from "./dom.js";
import { termColours } from "./colours.js";
import { at, before } from "./model/search.js";
import { whyOf } from "./model/sources.js";
import { clock, counted } from "./model/words.js";
import { Walk } from "./walk.js";

/** @typedef {import("./model/story.js").Entry} Entry */
/** @typedef {import("./model/story.js").Story} Story */
/** @typedef {import("./model/sources.js").Why} Why */

/** Sentences in the page at once, and how many are added at an end. */
const SHOWN = 160;
const MORE = 60;
/** How near (pixels) to an end more is added. */
const NEAR_END = 400;
/** So near (pixels) to its end, the list is taken to be read at its end. */
const AT_END = 24;

/** A sign for each tone, beside its colour. @type {Record<string, string>} */
const SIGNS = {
  leader: "♛", candidate: "?", role: "·", process: "■", fault: "▲", gossip: "≈", members: "m", log: "◆", message: "→",
  told: "i", finding: "✗", verdict: "●", gap: "↔", call: "…", unknown: "?", refused: "/",
};

export class Feed {
  /**
   * @param {Story} story
   * @param {(entry: Entry) => void} go a sentence was pressed
   * @param {boolean} live whether it goes on
   */
  constructor(story, go, live) {
    this.story = story;
    this.go = go;
    this.live = live;
    this.list = byId("feed");
    this.all = /** @type {HTMLInputElement} */ (byId("all-calls"));
    /** Those that are wanted. @type {Entry[]} */
    this.entries = [];
    /** Which stretch of them is in the page. */
    this.first = 0;
    this.behind = 0;
    this.lane = "";
    /** @type {Entry | undefined} */
    this.current = undefined;
    /** Whether its end is what is read. */
    this.atEnd = live;
    /** Whose reason is open. @type {Entry | undefined} */
    this.open = undefined;
    this.walk = new Walk(this.list, (way) => this.#around(way < 0 ? 0 : this.entries.length - 1));
    this.all.addEventListener("change", () => this.#choose());
    this.list.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.#resized()).observe(this.list);
  }

  /** Whether its end stays in sight: not while somebody goes through it by keys, or reads a reason. */
  get #goesOn() {
    return this.live && this.atEnd && !this.walk.held;
  }

  #resized() {
    if (this.#goesOn) this.list.scrollTop = this.list.scrollHeight;
    else this.walk.reveal();
  }

  /** Makes sentences anew, and leaves the focus where it was. @param {() => void} make */
  #anew(make) {
    const held = this.walk.keep((place) => this.entries[this.first + place]);
    make();
    this.walk.restore(held, (entry) => this.entries.indexOf(entry) - this.first);
  }

  /** Takes the sentences that are wanted, and shows those around the current one. */
  #choose() {
    this.story.news();
    this.entries = this.#wanted(0);
    this.#around(this.live && this.atEnd ? this.entries.length - 1 : this.#place(this.current?.at ?? 0));
    if (this.live && this.atEnd) this.list.scrollTop = this.list.scrollHeight;
    this.#count();
  }

  /** @param {number} from a moment */
  #wanted(from) {
    const { entries, tail } = this.story;
    const wanted = entries.slice(before(entries, from, at)).filter(({ minor }) => this.all.checked || !minor);
    if (this.live || !tail) return wanted;
    wanted.splice(before(wanted, tail.at + 1, at), 0, tail);
    return wanted;
  }

  #count() {
    say(byId("told-count"), counted(this.entries.length, "sentence"));
  }

  /** What is new is told, and what is forgotten goes. @param {number} begin of what is kept */
  update(begin) {
    const changed = this.story.news();
    const old = before(this.entries, begin, at);
    if (old > 0 || changed < Infinity) this.#anew(() => this.#renew(old, changed));
  }

  /** @param {number} old how many are forgotten @param {number} changed from which moment on there is news */
  #renew(old, changed) {
    if (old > 0) this.#forget(old);
    if (changed === Infinity) return;
    const place = before(this.entries, changed, at);
    this.entries.length = place;
    for (const entry of this.#wanted(changed)) this.entries.push(entry);
    this.#count();
    if (this.#goesOn) return this.#grow(place);
    if (place < this.behind || this.behind - this.first < SHOWN) this.#retell(place);
  }

  /** Its end is in the page: what has changed there is told anew, and what is far above goes. @param {number} place */
  #grow(place) {
    if (place < this.first || this.entries.length - place > SHOWN) this.#around(this.entries.length - 1);
    else this.#retell(place);
    while (this.behind - this.first > SHOWN + MORE) this.#drop(this.list.firstElementChild, () => (this.first += 1));
    this.list.scrollTop = this.list.scrollHeight;
  }

  /** From a place on. @param {number} place */
  #retell(place) {
    const from = Math.max(place, this.first);
    while (this.list.children.length > from - this.first) this.list.lastElementChild?.remove();
    this.behind = Math.min(this.entries.length, Math.max(from, this.first + SHOWN, this.atEnd ? this.entries.length : 0));
    this.list.append(...this.#made(from, this.behind));
  }

  /** @param {number} count the first so many */
  #forget(count) {
    this.entries.splice(0, count);
    for (let gone = Math.min(count - this.first, this.list.children.length); gone > 0; gone -= 1) this.list.firstElementChild?.remove();
    this.first = Math.max(0, this.first - count);
    this.behind = Math.max(0, this.behind - count);
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

  /** The sentence that tells of a broken promise. @param {import("./model/types.js").FindingLine} finding */
  telling(finding) {
    return this.entries.find(({ fact }) => fact?.line === finding);
  }

  /** Shows the story around a moment. @param {number} time @param {Entry} [entry] which of those at this moment */
  show(time, entry) {
    const place = Math.max(0, entry ? this.entries.indexOf(entry) : this.#place(time));
    const next = this.entries[place];
    if (next === this.current && !entry) return;
    this.current = next;
    if (place < this.first || place >= this.behind) this.#anew(() => this.#around(place));
    for (const marked of this.list.querySelectorAll("[aria-current]")) marked.removeAttribute("aria-current");
    const element = /** @type {HTMLElement | undefined} */ (this.list.children[place - this.first]);
    if (!element) return;
    set(element, { "aria-current": "true" });
    const { list } = this;
    const [top, bottom] = [element.offsetTop, element.offsetTop + element.offsetHeight];
    const inside = top >= list.scrollTop + 8 && bottom <= list.scrollTop + list.clientHeight - 8;
    if (!inside) list.scrollTop = top - list.clientHeight / 2 + element.offsetHeight / 2;
    if (list.clientHeight) this.atEnd = this.#readAtEnd();
  }

  /** What goes on is told under the story: it ends with a sentence. @param {string} words */
  goesOn(words) {
    const line = byId("outage");
    line.hidden = words === "";
    say(/** @type {Element} */ (line.lastElementChild), words);
  }

  /** The newest is shown, and is from now on. */
  follow() {
    if (this.walk.held) this.list.focus({ preventScroll: true });
    this.atEnd = true;
    this.current = undefined;
    for (const marked of this.list.querySelectorAll("[aria-current]")) marked.removeAttribute("aria-current");
    if (this.behind < this.entries.length) this.#around(this.entries.length - 1);
    this.list.scrollTop = this.list.scrollHeight;
  }

  /** It was behind another tab, and is there again. */
  appear() {
    if (this.#goesOn) this.list.scrollTop = this.list.scrollHeight;
    else this.list.querySelector("[aria-current]")?.scrollIntoView({ block: "center" });
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

  #readAtEnd() {
    const { list } = this;
    return this.behind === this.entries.length && list.scrollHeight - list.scrollTop - list.clientHeight < AT_END;
  }

  #scrolled() {
    if (!this.list.clientHeight) return;
    this.#extend();
    this.atEnd = this.#readAtEnd();
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
    const button = el("button", { type: "button", class: "told", tabindex: -1, click: () => this.go(entry) }, el("time", {}, clock(entry.at)), sign, el("span", { class: "words" }, entry.text));
    const element = el("li", { "data-tone": entry.tone, "data-lane": entry.lane, "aria-setsize": this.entries.length, "aria-posinset": place + 1 }, button);
    const why = whyOf(entry);
    if (why) element.append(...this.#why(entry, why));
    if (entry === this.current) set(element, { "aria-current": "true" });
    this.#dim(element);
    return element;
  }

  /** A word to press, and the reason that it opens. @param {Entry} entry @param {Why} why */
  #why(entry, why) {
    const reason = el("p", { class: "reason", hidden: this.open !== entry }, ...reasoned(why));
    const press = () => {
      reason.hidden = !reason.hidden;
      this.open = reason.hidden ? undefined : entry;
      set(button, { "aria-expanded": String(!reason.hidden) });
    };
    const named = why.sources.map(({ words }) => words).join("; ");
    const button = el("button", { type: "button", class: "why", tabindex: -1, title: named, "aria-expanded": String(this.open === entry), click: press }, "why");
    return [button, reason];
  }

  /** @param {HTMLElement} element */
  #dim(element) {
    const other = this.lane !== "" && element.dataset.lane !== this.lane && element.dataset.tone !== "finding";
    set(element, { "data-other": other });
  }
}

/**
 * A reason, and links to where it is written.
 * @param {Why} why
 * @returns {(Node | string)[]}
 */
export function reasoned({ text, sources }) {
  const named = sources.map(({ words, href }) => (href ? el("a", { href, target: "_blank", rel: "noreferrer" }, words) : el("span", {}, words)));
  return [text, ...named.flatMap((one) => [" ", one])];
}
