// The moment and the zoom in the page's address, so that they can be shared.

/**
 * What is looked at. Times in microseconds; `moment` is what is selected, `from` and
 * `width` are the window.
 * @typedef {{moment: number | undefined, from: number | undefined, width: number | undefined, lane: string}} Place
 */

/**
 * Reads "#t=12.345s&w=2s&lane=n2". What is not understood is as if it was not there.
 * @param {string} fragment
 * @returns {Place}
 */
export function readPlace(fragment) {
  const named = new URLSearchParams(fragment.replace(/^#/, ""));
  return {
    moment: time(named.get("t")),
    from: time(named.get("from")),
    width: time(named.get("w")) || undefined,
    lane: named.get("lane") ?? "",
  };
}

/**
 * @param {Place} place
 * @returns {string} the fragment, "#" in front; empty when there is nothing to say
 */
export function writePlace({ moment, from, width, lane }) {
  const parts = [];
  if (moment !== undefined) parts.push(`t=${seconds(moment)}`);
  if (from !== undefined) parts.push(`from=${seconds(from)}`);
  if (width !== undefined) parts.push(`w=${seconds(width)}`);
  if (lane) parts.push(`lane=${encodeURIComponent(lane)}`);
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
