// The room that a page looks at, as far as it is known: pure. It is put together from what is
// pushed: whole views, and steps, which say what has changed since the version before.
//
// What holds:
// - Views of a room are shown in the order of their versions, each at most once. The exception
//   is a resync: the server says that the count itself has changed.
// - A step is built upon the version before it, and upon nothing else. After a gap nothing is
//   shown before the whole view, which is asked for once.
// - What is shown is a whole view with its chat, whatever it was made from. It never changes:
//   the next one is another object.

import { Chat } from "./chat.js";

/** @typedef {import("./types.js").Line} Line */
/** @typedef {import("./types.js").Push} Push */
/** @typedef {import("./types.js").Seen} Seen */

export class Watched {
  /** The newest version that is here; 0 before any is. */
  version = 0;
  /** The watch that has no answer yet. */
  asking = 0;
  /** Whether nothing is missing, as far as we know. */
  current = false;
  chat = new Chat();
  /** The version the server had when it answered the watch, and how long ago (ms) that was made. */
  #target = 0;
  #age = 0;
  /** Without its chat. @type {Record<string, any>} */
  #view = {};
  /** What is to be asked for, after a gap. @type {"nothing" | "missed" | "whole"} */
  #need = "nothing";
  /** Whether the whole view was asked for through this socket, and is not here. */
  #awaited = false;

  /** @param {string} [id] empty while no room is looked at */
  constructor(id = "") {
    this.id = id;
  }

  get round() {
    return this.#view.round ?? 0;
  }

  /** Whether it is time to ask for what a gap has left out. */
  get due() {
    return this.#need !== "nothing" && this.asking === 0;
  }

  /** What to watch with. @param {string | number | undefined} epoch */
  question(epoch) {
    this.#awaited = this.version === 0 || this.#need === "whole";
    this.#need = "nothing";
    this.#target = 0;
    const since = { since: this.version, ...(epoch !== undefined && { epoch }) };
    return { room: this.id, ...(!this.#awaited && since) };
  }

  /**
   * The watch was answered.
   * @param {{version: number, age?: number}} ok
   * @returns {number | null} how old (ms) the view is that is here, if it is the one that was spoken of
   */
  answered({ version, age = 0 }) {
    this.asking = 0;
    this.#target = version;
    this.#age = age;
    return this.version === version ? age : null;
  }

  /** The socket is gone. Through the next one the server goes on from what is here. */
  lost() {
    this.asking = 0;
    this.current = false;
    this.#need = "nothing";
    this.#awaited = false;
    this.chat.lost();
  }

  /** The cluster was restored: nothing that was seen counts. */
  forget() {
    this.version = 0;
    this.current = false;
    this.chat = new Chat();
  }

  /** Whether the room is up to date now, and was not before. */
  catchUp() {
    if (this.current || this.#need !== "nothing" || this.#target === 0 || this.version < this.#target) return false;
    this.current = true;
    return true;
  }

  /** @param {Push} push @returns {Seen | null} nothing when there is nothing new to show */
  take(push) {
    return push.push === "step" ? this.#step(push) : this.#whole(push);
  }

  /** @param {Push} push */
  #whole({ version, view = {}, events = [], resync = false, closed = false }) {
    const next = version === this.version + 1 && !resync;
    // News of before, such as a replay that overlaps what is here.
    const old = version < this.version || (version === this.version && !this.#awaited);
    if (old && !resync && !closed) return null;
    if (this.version > 0 && version > this.version + 1 && !resync && !this.#awaited) return this.#miss("missed");
    this.version = version;
    this.#need = "nothing";
    // What was asked for follows the answer; this may be another.
    if (this.asking === 0) this.#awaited = false;
    const { chat, ...rest } = view;
    this.#view = rest;
    // Of a room that is over there is no history any more.
    const follows = next || (closed && !resync);
    const fresh = !chat && follows ? this.chat.next(version, next ? said(events) : []) : this.chat.whole(version, chat);
    return this.#seen(events, closed, fresh);
  }

  /** @param {Push} push */
  #step({ version, set = {}, unset = [], events = [], closed = false }) {
    if (this.version === 0 || version > this.version + 1) return this.#miss("whole");
    // It may be told late that this was the last.
    if (version <= this.version) return closed ? this.#seen([], true, []) : null;
    this.version = version;
    this.#view = stepped(this.#view, set, unset);
    return this.#seen(events, closed, this.chat.next(version, said(events)));
  }

  /** Something is missing: it is asked for, unless that was done. @param {"missed" | "whole"} need */
  #miss(need) {
    this.current = false;
    const asked = need === "whole" ? this.#awaited : this.asking !== 0;
    if (!asked) this.#need = need;
    return null;
  }

  /** @param {import("./types.js").RoomEvent[]} events @param {boolean} closed @param {Line[]} fresh @returns {Seen} */
  #seen(events, closed, fresh) {
    const { id, version } = this;
    // Of the version that the watch began with it was said how old it is; all later ones are new.
    const age = version === this.#target ? this.#age : 0;
    const view = /** @type {import("./types.js").View} */ ({ ...this.#view, chat: this.chat.lines });
    return { room: id, version, age, view, closed, events, fresh };
  }
}

/**
 * A view, and what has changed of it since: the fields of `set` instead of those of the same
 * name, and without those of `unset`.
 * @param {Record<string, any>} view @param {Record<string, any>} set @param {string[]} unset
 */
export function stepped(view, set, unset) {
  const next = { ...view, ...set };
  for (const name of unset) delete next[name];
  return next;
}

/** The lines among what has happened. @param {import("./types.js").RoomEvent[]} events */
function said(events) {
  return events.flatMap(({ kind, player = "", name = "", text = "" }) => (kind === "said" ? [{ player, name, text }] : []));
}
