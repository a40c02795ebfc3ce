// What the parts of the page share: the timeline, the moment that is shown, what is selected.
// Whoever changes one of these says so here, and whoever draws it hears of it.

/** @typedef {import("./model/read.js").Model} Model */
/** @typedef {import("./model/types.js").Settings} Settings */
/** @typedef {import("./model/types.js").Done} Done */

/**
 * What is heard: "lines" have come, the "moment" is another, another lane is "selected", or
 * a "frame" is to be drawn; type is "large", or as it was.
 * @typedef {"lines" | "moment" | "selected" | "frame" | "large"} News
 */

export class Lab {
  /**
   * @param {Model} model
   * @param {Settings | undefined} settings of a server; none for a page that stands alone
   */
  constructor(model, settings) {
    this.model = model;
    this.settings = settings;
    /** The moment that is shown, in microseconds. */
    this.moment = 0;
    /** One can look so far, though the timeline is over: another beside it goes on. */
    this.beyond = 0;
    /** Whether that is always the newest. */
    this.follows = false;
    /** The lane that is selected, by its name; a node's is the node's name. */
    this.selected = "";
    /** Whether type is large, for a projector. */
    this.large = false;
    /**
     * Does what a command line says, `hangraft` left out: ["kill", "n1"]. Not there where
     * nothing may be broken.
     * @type {((words: string[]) => Promise<Done>) | undefined}
     */
    this.perform = undefined;
    /** @type {Map<News, (() => void)[]>} */
    this.listeners = new Map();
  }

  /**
   * @param {News} what
   * @param {() => void} listener
   */
  on(what, listener) {
    this.listeners.set(what, [...(this.listeners.get(what) ?? []), listener]);
  }

  /** @param {News} what */
  tell(what) {
    for (const listener of this.listeners.get(what) ?? []) listener();
  }

  /** The last moment that can be shown. */
  get end() {
    return Math.max(this.model.end, this.beyond);
  }

  /**
   * Shows a moment and stays there.
   * @param {number} time
   */
  go(time) {
    this.follows = false;
    this.moment = Math.min(Math.max(time, this.model.begin), this.end);
    this.tell("moment");
  }

  /** Shows the newest moment, from now on. */
  follow() {
    this.follows = true;
    this.moment = this.model.end;
    this.tell("moment");
  }

  /** @param {boolean} large */
  enlarge(large) {
    this.large = large;
    this.tell("large");
  }

  /** @param {string} name of a lane; empty for none */
  select(name) {
    this.selected = name;
    this.tell("selected");
  }
}
