// What stands beside the picture, one of several at a time: tabs as the ARIA practices have
// them, with one stop of the Tab key for all and arrows between them.

import { byId, set } from "./dom.js";

/** @typedef {{tab: HTMLElement, panel: HTMLElement}} Pair */

export class Tabs {
  /** @param {(panel: string) => void} changed another one is shown */
  constructor(changed) {
    this.changed = changed;
    /** What is shown, by its panel's id. */
    this.shown = "happens";
    this.list = byId("tabs");
    this.list.addEventListener("keydown", (event) => this.#key(event));
    for (const { tab, panel } of this.#pairs()) tab.addEventListener("click", () => this.show(panel.id));
  }

  /** @returns {Pair[]} */
  #pairs() {
    const tabs = [...this.list.querySelectorAll("[role=tab]")];
    return tabs.map((tab) => ({ tab: /** @type {HTMLElement} */ (tab), panel: byId(tab.getAttribute("aria-controls") ?? "") }));
  }

  /** Those that there are here. */
  #there() {
    return this.#pairs().filter(({ tab }) => !tab.hidden);
  }

  /** Offers those that have something in them: all of this is only in a served page. */
  offer() {
    for (const { tab, panel } of this.#pairs()) {
      set(panel, { role: "tabpanel", "aria-labelledby": tab.id, "aria-label": null });
      tab.hidden = panel.childElementCount === 0;
    }
    this.list.hidden = this.#there().length < 2;
    this.show(this.shown);
  }

  /** @param {string} id of a panel */
  show(id) {
    const there = this.#there();
    const known = there.some(({ panel }) => panel.id === id) ? id : "happens";
    for (const { tab, panel } of there) {
      const chosen = panel.id === known;
      panel.hidden = !chosen;
      set(tab, { "aria-selected": String(chosen), tabindex: chosen ? "0" : "-1" });
    }
    if (known === this.shown) return;
    this.shown = known;
    this.changed(known);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const there = this.#there();
    const place = there.findIndex(({ panel }) => panel.id === this.shown);
    const next = { ArrowRight: place + 1, ArrowLeft: place - 1 + there.length, Home: 0, End: there.length - 1 }[event.key];
    const pair = next === undefined ? undefined : there[next % there.length];
    if (!pair) return;
    event.preventDefault();
    this.show(pair.panel.id);
    pair.tab.focus();
  }
}
