// Going through a long list by keys: the list is one stop for the tab key, arrows go from one
// item to the next, and the focus stays where it was when items are made anew.

/**
 * What has the focus in a list: which of its things, and whether it is its reason.
 * @template T
 * @typedef {{thing: T, why: boolean}} Held
 */

export class Walk {
  /**
   * @param {HTMLElement} list of items with a button each, and perhaps another for the reason
   * @param {(way: number) => void} reach shows the last item, or the first where `way` is -1
   */
  constructor(list, reach) {
    this.list = list;
    this.reach = reach;
    list.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Whether one of the items has the focus: then what is read is not moved away. */
  get held() {
    const { activeElement: active } = document;
    return active !== this.list && this.list.contains(active);
  }

  /**
   * What has the focus, among the things that the items are made of.
   * @template T
   * @param {(place: number) => T | undefined} thingAt
   * @returns {Held<T> | undefined}
   */
  keep(thingAt) {
    const item = this.held ? this.#item(document.activeElement) : undefined;
    const thing = item && thingAt([...this.list.children].indexOf(item));
    return thing && { thing, why: document.activeElement?.matches(".why") === true };
  }

  /**
   * Gives the focus back, if it was lost: to the same, or to the list where that is gone.
   * @template T
   * @param {Held<T> | undefined} held
   * @param {(thing: T) => number} placeOf
   */
  restore(held, placeOf) {
    if (!held || this.list.contains(document.activeElement)) return;
    const item = this.list.children[placeOf(held.thing)];
    const button = item?.querySelector(held.why ? ".why" : ".told") ?? this.list;
    /** @type {HTMLElement} */ (button).focus({ preventScroll: true });
  }

  /** The item that has the focus comes into sight. */
  reveal() {
    if (this.held) this.#item(document.activeElement)?.scrollIntoView({ block: "nearest" });
  }

  /** @param {Element | null} inside */
  #item(inside) {
    return [...this.list.children].find((item) => item.contains(inside));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.target instanceof Element)) return;
    const item = this.#item(event.target);
    const next = this.#next(event.key, item);
    if (next === undefined) return;
    event.preventDefault();
    this.#focus(next, event.key === "ArrowRight" ? ".why" : ".told");
  }

  /** Which item a key leads to; nothing where it leads nowhere. @param {string} key @param {Element | undefined} item */
  #next(key, item) {
    const { list } = this;
    switch (key) {
      case "ArrowDown": return item ? item.nextElementSibling ?? item : this.#start();
      case "ArrowUp": return item ? item.previousElementSibling ?? item : this.#start();
      case "ArrowLeft":
      case "ArrowRight": return item;
      case "Home":
        this.reach(-1);
        return list.firstElementChild ?? undefined;
      case "End":
        this.reach(1);
        return list.lastElementChild ?? undefined;
      default: return undefined;
    }
  }

  /** Where one goes in: at the moment that is shown, or at the last item that is in sight. */
  #start() {
    const { list } = this;
    const bottom = list.getBoundingClientRect().bottom;
    const seen = [...list.children].filter((item) => item.getBoundingClientRect().bottom <= bottom + 1);
    return list.querySelector("[aria-current]") ?? seen.at(-1) ?? list.firstElementChild ?? undefined;
  }

  /** @param {Element} item @param {string} part */
  #focus(item, part) {
    const button = item.querySelector(part) ?? item.querySelector(".told");
    /** @type {HTMLElement | null} */ (button)?.focus({ preventScroll: true });
    item.scrollIntoView({ block: "nearest" });
  }
}
