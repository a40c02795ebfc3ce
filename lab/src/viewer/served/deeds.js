// Has the server do what a command line says, and keeps what was done and what it said.

import { commandLine } from "../break/commands.js";
import { plainly } from "../break/trouble.js";
import { counts, standings } from "../break/standing.js";

/** @typedef {import("../lab.js").Lab} Lab */
/** @typedef {import("../model/types.js").Done} Done */
/**
 * Something that was asked for: `at` and `answered` are moments of the timeline, `line` is
 * its command line, `done` nothing while nobody knows, `came` what came of it.
 * @typedef {{at: number, answered: number, words: string[], line: string, done: boolean | undefined, said: string, came: string}} Deed
 */

/** How many deeds are kept; older ones are forgotten. */
const KEPT = 100;

export class Deeds {
  /**
   * Makes `lab.perform`, where something may be broken.
   * @param {Lab} lab
   * @param {(deed: Deed) => void} changed something was asked for, answered, or seen to its end
   */
  constructor(lab, changed) {
    this.lab = lab;
    this.changed = changed;
    /** The newest last. @type {Deed[]} */
    this.list = [];
    /** The newest moment of the timeline, and when (milliseconds of the page) it came. */
    this.newest = { end: lab.model.end, came: performance.now() };
    lab.on("lines", () => {
      if (lab.model.end !== this.newest.end) this.newest = { end: lab.model.end, came: performance.now() };
    });
    if (this.forbidden === "") lab.perform = (words) => this.perform(words);
  }

  /** The moment that is now: it goes on also when nobody tells anything. */
  get now() {
    const { end, came } = this.newest;
    return this.lab.settings?.live ? end + (performance.now() - came) * 1000 : end;
  }

  /** Why nothing may be broken here; empty where it may. */
  get forbidden() {
    const { settings } = this.lab;
    if (settings?.watch_only) return "This page may only watch. Who may break has another link; the command lines can be copied all the same.";
    if (!settings?.live) return "This has been recorded, and cannot be broken any more. The command lines can be copied, for a cluster that runs.";
    if (!settings.breaks) return "This cluster does not let itself be broken: its nodes do not say `faults = true`. The command lines can be copied, for one that does.";
    return "";
  }

  /**
   * The command line that does the same.
   * @param {readonly string[]} words
   */
  line(words) {
    const { settings, model } = this.lab;
    return commandLine(words, { dir: settings?.dir, members: counts(standings(model, model.end)).voters });
  }

  /**
   * @param {string[]} words
   * @returns {Promise<Done>}
   */
  async perform(words) {
    /** @type {Deed} */
    const deed = { at: this.now, answered: Infinity, words, line: this.line(words), done: undefined, said: "", came: "" };
    this.list = [...this.list.slice(1 - KEPT), deed];
    this.changed(deed);
    const { done, said, line } = await ask(words);
    // Without a demo's folder only the server knows how its nodes are reached.
    const known = this.lab.settings?.dir !== undefined;
    Object.assign(deed, { done, said, line: known || !line ? deed.line : line, answered: this.now });
    this.changed(deed);
    return { done, said };
  }
}

/**
 * @param {string[]} words
 * @returns {Promise<Done & {line?: string}>}
 */
async function ask(words) {
  try {
    const answer = await fetch("/do", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ words }) });
    const text = await answer.text();
    const told = parsed(text);
    if (answer.ok && told?.done === true) return { done: true, said: String(told.said ?? "").trim(), ...given(told.line) };
    return { done: false, said: plainly(answer.status, String(told?.said ?? (answer.ok ? "" : text))), ...given(told?.line) };
  } catch {
    return { done: false, said: plainly(0, "") };
  }
}

/** @param {unknown} line @returns {{line?: string}} */
function given(line) {
  return typeof line === "string" && line !== "" ? { line } : {};
}

/** @param {string} text @returns {{done?: unknown, said?: unknown, line?: unknown} | undefined} */
function parsed(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
