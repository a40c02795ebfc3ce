// Command lines: the words that are sent to the server, and the same as one types them.

/** @typedef {{dir?: string | undefined, members?: number}} Where the demo's folder, and how many first members it has */

/** What a shell takes as it is. */
const PLAIN = /^[\w%+,./:=@-]+$/;

/** For how long a fault may last, from short to long; empty is until it is healed. */
export const LASTING = ["1s", "2s", "5s", "10s", "20s", "30s", "1m", "5m", ""];

/** Microseconds in what a time's unit says. @type {Record<string, number>} */
const UNITS = { ms: 1e3, s: 1e6, m: 60e6, h: 3600e6 };

/**
 * A word as a shell of Unix takes it for one word.
 * @param {string} word
 */
export function quoted(word) {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * What one types in a terminal to have these words done.
 * @param {readonly string[]} words `hangraft` left out
 * @param {Where} where
 */
export function commandLine(words, { dir, members }) {
  const [first = "", name = ""] = words;
  if (first === "scenario") {
    const set = [members === undefined ? "" : `HANGRAFT_NODES=${members} `, dir === undefined ? "" : `HANGRAFT_DIR=${quoted(dir)} `];
    return `${set.join("")}scripts/faults/${quoted(name)}`;
  }
  const folder = dir === undefined ? [] : ["--dir", dir];
  return ["hangraft", ...words, ...folder].map(quoted).join(" ");
}

/**
 * How long a fault lasts by its words, in microseconds; nothing when it lasts until it is healed.
 * @param {readonly string[]} words
 * @returns {number | undefined}
 */
export function lastingUs(words) {
  const place = words.indexOf("--for");
  const [, number, unit] = /^(\d+)([a-z]+)$/.exec(place < 0 ? "" : words[place + 1] ?? "") ?? [];
  const one = UNITS[unit ?? ""];
  return number === undefined || one === undefined ? undefined : Number(number) * one;
}

/**
 * A time of a command line, as people say it.
 * @param {string} lasting
 */
export function lastingText(lasting) {
  return lasting === "" ? "until healed" : lasting.replace(/(\d)m$/, "$1 min").replace(/(\d)s$/, "$1 s");
}
