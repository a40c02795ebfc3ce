// The moment, the speed, the zoom and the tab in the page's address, so that they can be
// shared.

import { readSpeed, speedWords } from "./model/tempo.js";

/**
 * What is looked at. Times in microseconds; `moment` is what is selected, `from` and
 * `width` are the window; `speed` is how fast it is played, `tab` what is beside it, and
 * `rest` what others have written there.
 * @typedef {{moment: number | undefined, from: number | undefined, width: number | undefined, lane: string, speed: number, tab: string, rest: string}} Place
 */

/** What is written here. */
const OWN = ["t", "from", "w", "lane", "speed", "tab"];

/**
 * Reads "#t=12.345s&w=2s&lane=n2". What is not understood is as if it was not there.
 * @param {string} fragment
 * @returns {Place}
 */
export function readPlace(fragment) {
  const named = new URLSearchParams(fragment.replace(/^#/, ""));
  const tab = named.get("tab") ?? "";
  const rest = [...named].filter(([name, value]) => !OWN.includes(name) && value !== "");
  return {
    moment: time(named.get("t")),
    from: time(named.get("from")),
    width: time(named.get("w")) || undefined,
    lane: named.get("lane") ?? "",
    speed: readSpeed(named.get("speed")) ?? 1,
    tab: /^[a-z]+$/.test(tab) ? tab : "",
    rest: new URLSearchParams(rest).toString(),
  };
}

/**
 * @param {Place} place
 * @returns {string} the fragment, "#" in front; empty when there is nothing to say
 */
export function writePlace({ moment, from, width, lane, speed, tab, rest }) {
  const parts = [];
  if (moment !== undefined) parts.push(`t=${seconds(moment)}`);
  if (from !== undefined) parts.push(`from=${seconds(from)}`);
  if (width !== undefined) parts.push(`w=${seconds(width)}`);
  if (lane) parts.push(`lane=${encodeURIComponent(lane)}`);
  if (speed !== 1) parts.push(`speed=${speed === 0.5 ? "1/2" : speedWords(speed)}`);
  if (tab) parts.push(`tab=${tab}`);
  if (rest) parts.push(rest);
  return parts.length ? `#${parts.join("&")}` : "";
}

/** @param {string | null} text */
function time(text) {
  const found = /^(-?\d+(?:\.\d+)?)(s|ms)$/.exec(text ?? "");
  if (!found) return undefined;
  return Math.round(Number(found[1]) * (found[2] === "s" ? 1e6 : 1000));
}

/** @param {number} us */
function seconds(us) {
  return `${Number((us / 1e6).toFixed(6))}s`;
}
