// What can be broken in many places at once. Plain code.

import { headOf, unfit } from "./standing.js";

/** @typedef {import("./offers.js").Offer} Offer */

/** How many nodes a ring takes, in which each has others that are no neighbours. */
const RING = 4;
/** How few voters have a minority that can be cut off. */
const HALVES = 3;

/**
 * The patterns of `hangraft fault`, with the reason where one cannot be made here.
 * @param {{nodes: number, voters: number}} here
 * @returns {Offer[]}
 */
export function patternOffers({ nodes, voters }) {
  const made = (/** @type {string} */ label, /** @type {string} */ about, /** @type {string} */ words, unfit = "", fields = /** @type {Offer["fields"]} */ ([])) => ({
    key: words, group: "Patterns", label, about, lasts: "10s", asks: true, fields, unfit,
    words: (/** @type {Record<string, string>} */ values) => ["fault", ...words.split(" "), ...fields.flatMap(({ name }) => [`--${name}`, values[name] ?? ""])],
  });
  const two = nodes < 2 ? "There is one node, and no link." : "";
  const halves = voters < HALVES ? `It takes ${HALVES} voters; here ${voters === 1 ? "is one" : `are ${voters}`}.` : "";
  const ring = nodes < RING ? `It takes 5 nodes; in a ring of ${nodes} all are neighbours.` : "";
  return [
    made("Isolate the leader", "The leader and all other nodes do not hear each other.", "cut isolate leader", two),
    made("Isolate a follower", "A follower and all other nodes do not hear each other.", "cut isolate follower", two),
    made("Halves", "A minority of the voters, with the leader in it, and the rest do not hear each other.", "cut halves", halves),
    made("Bridge", "Like halves, but one voter of the rest hears both sides.", "cut bridge", halves),
    made("Ring", "Every node hears only its two neighbours.", "cut ring", ring),
    made("One way", "What the leader sends to a follower is lost; what the follower sends arrives.", "cut one-way leader follower", two),
    made("Flapping", "The link between the leader and a follower comes and goes, a second each.", "cut flap leader follower", two),
    made("All apart", "No two nodes hear each other.", "cut all", two),
    made("No gossip", "Gossip is cut between all nodes; Raft is not.", "gossip-cut all", two),
    made("Only gossip", "Raft's streams to and from the leader are cut; gossip is not.", "cut isolate leader --only streams", two),
    made("All slow", "Everything between nodes takes longer.", "delay all", two, [{ name: "ms", label: "Longer by (ms)", value: "100", least: 1, most: 60_000 }]),
    made("All lossy", "Some packets between nodes are lost.", "drop all", two, [{ name: "percent", label: "Lost (%)", value: "20", least: 1, most: 100 }]),
  ];
}

/**
 * Scripts of faults, as what can be done here.
 * @param {import("../model/types.js").Scenario[]} scenarios
 * @param {{voters: number, spares: number}} here
 * @returns {Offer[]}
 */
export function scenarioOffers(scenarios, here) {
  return scenarios.map((scenario) => {
    const { what, expect } = headOf(scenario.about);
    return scenarioOffer(scenario.name, expect ? `${what} It runs by itself.` : what, unfit(scenario, here));
  });
}

/**
 * A script of faults, as something that can be done.
 * @param {string} name
 * @param {string} about
 * @param {string} unfit
 * @returns {Offer}
 */
export function scenarioOffer(name, about, unfit) {
  return { key: "scenario", group: "Scenarios", label: name, about, asks: true, fields: [], unfit, words: () => ["scenario", name] };
}

/**
 * What changes who belongs to the cluster, whoever is chosen.
 * @param {boolean} demo whether nodes can be started
 * @returns {Offer[]}
 */
export function memberOffers(demo) {
  const group = "Members";
  const spare = { key: "spare", group, label: "Add a spare", about: "Another node starts with an empty disk, joins, and learns. It votes when a voter is lost.", asks: false, fields: [], words: () => ["spare"] };
  /** @type {Offer} */
  const replace = {
    key: "replace-after", group, label: "Replace silent voters", about: "A voter that gossip and Raft have missed for this long is replaced by a spare. At first it takes ten minutes.", asks: false,
    fields: [{ name: "after", label: "After", value: "2s", choices: [["2s", "2 s"], ["10s", "10 s"], ["1m", "1 min"], ["10m", "10 min"]] }],
    words: ({ after = "" }) => ["cluster", "set", "--replace-after", after],
  };
  return demo ? [spare, replace] : [replace];
}
