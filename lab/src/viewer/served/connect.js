// The stream of lines from the server: reads it, takes it into the model, and says when it is
// gone. It comes back by itself, and goes on behind what was heard.

import { unpack } from "../model/unpack.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {{now: number, seq: number, anew?: boolean, waits?: number, packed: import("../model/unpack.js").Packed}} Batch */

/** Without a word for so long (milliseconds) the server is taken to be gone: it sends something twenty times a second. */
const SILENT = 4000;
/** So long (milliseconds) after the stream was given up it is asked for again. */
const AGAIN = 1000;
/** What is older is forgotten so often (microseconds), not with each batch. */
const TRIMS = 5_000_000;

export class Connection {
  /**
   * @param {Lab} lab
   * @param {{heard: (now: number, newest: number | undefined, anew: boolean) => void, there: (is: boolean) => void, shown?: (said: any) => void}} deeds
   *   a batch was taken in; the server is there, or not; what a presenter shows
   */
  constructor(lab, deeds) {
    this.lab = lab;
    this.deeds = deeds;
    /** The last batch that was taken. */
    this.seq = 0;
    this.silence = 0;
    /** @type {EventSource | undefined} */
    this.source = undefined;
    this.#open();
  }

  #open() {
    this.source?.close();
    const after = this.seq ? `?after=${this.seq}` : "";
    this.source = new EventSource(`/lines${after}`);
    this.source.addEventListener("lines", (event) => this.#take(JSON.parse(event.data)));
    this.source.addEventListener("shown", (event) => this.deeds.shown?.(JSON.parse(event.data)));
    this.source.addEventListener("error", () => this.#lost());
    this.#awaits();
  }

  /** @param {Batch} batch */
  #take({ now, seq, anew = false, waits, packed }) {
    const { model, settings } = this.lab;
    // Whoever came back may be told again what it has heard.
    if (seq <= this.seq && !anew) return this.#awaits();
    const first = this.seq === 0;
    this.seq = seq;
    if (anew && !first) model.clear();
    /** @type {number | undefined} */
    let newest;
    for (const line of unpack(packed)) {
      model.add(line);
      if ("at" in line && line.kind !== "call") newest = Math.max(newest ?? 0, line.at);
    }
    model.waits = waits;
    const kept = settings?.kept_us ?? 0;
    if (kept && now - kept > model.begin + TRIMS) model.trim(now - kept);
    this.deeds.there(true);
    this.deeds.heard(now, newest, anew);
    this.#awaits();
  }

  #lost() {
    this.deeds.there(false);
    // The browser comes back by itself, unless it was told off.
    if (this.source?.readyState === EventSource.CLOSED) setTimeout(() => this.#open(), AGAIN);
  }

  /** A connection may be dead without saying so. */
  #awaits() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      this.deeds.there(false);
      this.#open();
    }, SILENT);
  }
}
