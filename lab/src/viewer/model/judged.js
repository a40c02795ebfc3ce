// What the verdict light says: which promises are judged, whether they are kept, and what is
// left out of the page.

import { at, before } from "./search.js";
import { clock, counted, listed } from "./words.js";

/** @typedef {import("./read.js").Model} Model */

/**
 * How it stands: "good", "bad", or "none" while nothing is judged; in words; and where a
 * broken promise shows first.
 * @typedef {{how: "good" | "bad" | "none", words: string, counts: string, at: number | undefined}} Light
 */

/**
 * @param {Model} model
 * @param {boolean} live whether a judge still listens
 * @returns {Light}
 */
export function lightOf({ head, verdict, findings, called }, live) {
  const broken = [...new Set([...findings.map(({ promise }) => promise), ...(verdict?.promises ?? []).filter(({ kept }) => !kept).map(({ promise }) => promise)])];
  // Where the beginning is missing, what is left says nothing of how many there were.
  const judged = verdict?.operations ?? (head.from ? undefined : called);
  const promises = counted(verdict?.promises.length ?? 0, "promise");
  const counts = !verdict ? "" : judged === undefined ? promises : `${counted(judged, "operation")}, ${promises}`;
  const first = findings[0]?.at;
  if (broken.length) return { how: "bad", words: `broken: ${broken.join(", ")}`, counts, at: first };
  if (verdict && !verdict.good) return { how: "bad", words: "not good: a bound was passed", counts, at: first };
  if (!verdict) return { how: "none", words: live ? "nothing judged yet" : unjudged(head), counts, at: undefined };
  return { how: "good", words: "all kept", counts, at: undefined };
}

/** Why a timeline that is over has no verdict. @param {import("./types.js").HeadLine} head */
export function unjudged({ from }) {
  return from ? "not judged: the beginning is missing" : "not judged";
}

/**
 * What is not shown, in sentences: what nodes do not tell, and what the page does not keep.
 * @param {Model} model
 * @param {number} time
 * @returns {string[]}
 */
export function leftOut({ head, begin, nodes, since }, time) {
  /** @type {Map<number, string[]>} */
  const sampled = new Map();
  for (const { name, sampled: told } of nodes.values()) {
    const last = told[before(told, time + 1, at) - 1];
    if (last && last.one_in > 1) sampled.set(last.one_in, [...(sampled.get(last.one_in) ?? []), name]);
  }
  const said = [...sampled].map(([each, names]) => `1 of ${each} everyday messages of ${listed(names)} is shown`);
  if (head.from && begin <= head.from) said.unshift(`what was before ${clock(head.from, 1)} is not kept`);
  if (since.messages !== undefined) said.push(`everyday messages before ${clock(since.messages, 1)} are not kept`);
  if (since.calls !== undefined) said.push(`calls before ${clock(since.calls, 1)} are counted, and not kept`);
  return said;
}
