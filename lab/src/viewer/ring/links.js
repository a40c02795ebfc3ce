// The ways between nodes, and what is wrong with them as far as the words of faults tell.
// node/src/faults/what.rs writes these words; simulated days have words of their own.

/** @typedef {import("../model/types.js").Fault} Fault */
/** @typedef {"cut" | "slow" | "loses" | "doubles" | "reorders" | "narrow"} Trouble */
/** @typedef {"all" | "streams" | "gossip"} Traffic */
/**
 * A fault of a way, as a node sees it: `to` a peer or `from` it. `words` are what it does:
 * "50 to 70 ms slower". No `peer` means all other nodes.
 * @typedef {{trouble: Trouble, way: "to" | "from", peer: string | undefined, traffic: Traffic, words: string, flaps: boolean}} LinkFault
 */
/**
 * What is wrong on the way from one node to another.
 * @typedef {{from: number, to: number, troubles: LinkFault[]}} Way
 */

/** How the nodes' words begin, for each trouble. @type {[RegExp, Trouble][]} */
const BEGINS = [
  [/^cut$/, "cut"],
  [/^\d+( to \d+)? ms slower$/, "slow"],
  [/^[\d.]+ % lost$/, "loses"],
  [/^[\d.]+ % doubled$/, "doubles"],
  [/^[\d.]+ % out of order$/, "reorders"],
  [/^\d+ bytes a second$/, "narrow"],
];

/** What frontends are called in the words of a fault. */
const FRONTENDS = "the frontends";

/**
 * What a fault's words say of a way; nothing where they are about something else.
 * @param {string} what
 * @returns {LinkFault[]}
 */
export function linkFaults(what) {
  const found = /^(.+?) (to|from) (n\d+|the frontends|\S+?)(, streams only|, gossip only)?(, on and off every \d+ ms)?$/.exec(what);
  if (!found) return simulated(what);
  const [, words = "", way, peer, only, flaps] = found;
  const [, trouble] = BEGINS.find(([begins]) => begins.test(words)) ?? [];
  if (!trouble) return [];
  const traffic = only === undefined ? "all" : only === ", gossip only" ? "gossip" : "streams";
  return [{ trouble, way: way === "to" ? "to" : "from", peer, traffic, words, flaps: flaps !== undefined }];
}

/** Traffic, as simulated days call it. @type {Record<string, Traffic>} */
const TRAFFIC = { All: "all", Streams: "streams", Datagrams: "gossip" };

/**
 * The words of simulated days, where they say enough: "Isolate(Leader, All)".
 * @param {string} what
 * @returns {LinkFault[]}
 */
function simulated(what) {
  const [, traffic] = /^Isolate\(.+, (All|Streams|Datagrams)\)$/.exec(what) ?? [];
  const fault = { peer: undefined, words: "cut", trouble: /** @type {const} */ ("cut"), flaps: false };
  const ways = /** @type {const} */ (["to", "from"]);
  if (traffic) return ways.map((way) => ({ ...fault, way, traffic: TRAFFIC[traffic] ?? "all" }));
  const [, most] = /^Delay\(.+, (\d+)\)$/.exec(what) ?? [];
  if (most) return ways.map((way) => ({ ...fault, trouble: "slow", words: `up to ${most} ms slower`, way, traffic: "all" }));
  if (/^CutFrontends\(/.test(what)) return ways.map((way) => ({ ...fault, peer: FRONTENDS, way, traffic: "all" }));
  return [];
}

/**
 * All ways that are hurt at a moment, each with what hurts it.
 * @param {readonly Fault[]} faults that there are then
 * @param {readonly {id: number, name: string}[]} nodes
 * @returns {Way[]}
 */
export function waysOf(faults, nodes) {
  /** @type {Map<string, Way>} */
  const ways = new Map();
  for (const { node, what } of faults) {
    if (node === undefined) continue;
    for (const fault of linkFaults(what)) {
      if (fault.peer === FRONTENDS) continue;
      for (const { id, name } of nodes) {
        if (id === node || (fault.peer !== undefined && fault.peer !== name)) continue;
        const [from, to] = fault.way === "to" ? [node, id] : [id, node];
        const way = ways.get(`${from} ${to}`) ?? { from, to, troubles: [] };
        ways.set(`${from} ${to}`, way);
        // Both ends tell of the same cut.
        const same = way.troubles.some(({ words, traffic }) => words === fault.words && traffic === fault.traffic);
        if (!same) way.troubles.push(fault);
      }
    }
  }
  return [...ways.values()];
}

/**
 * A pair of nodes, of which the first has the lower number: what is wrong there and back.
 * @typedef {{one: number, other: number, there: LinkFault[], back: LinkFault[]}} Pair
 */

/**
 * Ways in pairs, only with what concerns some traffic.
 * @param {readonly Way[]} ways
 * @param {"streams" | "gossip"} traffic
 * @returns {Pair[]}
 */
export function pairsOf(ways, traffic) {
  /** @type {Map<string, Pair>} */
  const pairs = new Map();
  for (const { from, to, troubles } of ways) {
    const concerned = troubles.filter((fault) => fault.traffic === "all" || fault.traffic === traffic);
    if (!concerned.length) continue;
    const [one, other] = from < to ? [from, to] : [to, from];
    const pair = pairs.get(`${one} ${other}`) ?? { one, other, there: [], back: [] };
    pairs.set(`${one} ${other}`, pair);
    if (from === one) pair.there = concerned;
    else pair.back = concerned;
  }
  return [...pairs.values()];
}

/**
 * What a pair's troubles are called in a few words: "cut", "cut one way", "20 % lost".
 * @param {Pair} pair
 */
export function wordsOf({ there, back }) {
  const words = (/** @type {LinkFault[]} */ faults) => [...new Set(faults.map((fault) => (fault.trouble === "cut" ? "cut" : fault.words)))];
  const both = words(there).filter((word) => words(back).includes(word));
  const single = [...words(there), ...words(back)].filter((word) => !both.includes(word));
  const flaps = [...there, ...back].some((fault) => fault.flaps) ? ["on and off"] : [];
  return [...both, ...single.map((word) => `${word} one way`), ...flaps].join(", ");
}
