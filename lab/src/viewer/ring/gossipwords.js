// What gossip says, in a few words, and where it contradicts Raft.

import { disagreements } from "../model/moment.js";
import { listed } from "../model/words.js";

/** @typedef {import("../model/moment.js").Moment} Moment */
/** @typedef {import("./headline.js").Headline} Headline */

/**
 * @param {Moment} moment
 * @returns {Headline}
 */
export function gossipHeadline(moment) {
  const name = (/** @type {number} */ id) => moment.nodes.find((node) => node.id === id)?.name ?? `n${id}`;
  const running = new Set(moment.nodes.filter(({ process }) => process !== "gone").map(({ id }) => id));
  const held = moment.gossip.filter(({ node }) => running.has(node));
  if (!held.length) return { title: "", rest: "This timeline tells nothing of gossip.", tone: "calm" };
  const doubted = held.filter(({ state }) => state !== "alive");
  const rest = contradiction(moment);
  if (!doubted.length) return { title: "Everybody holds everybody to be alive", rest, tone: rest ? "bad" : "calm" };
  const down = doubted.filter(({ state }) => state === "down");
  const worst = down.length ? down : doubted;
  const word = down.length ? "down" : "suspect";
  if (worst.length === held.length) return { title: `Everybody holds everybody to be ${word}`, rest, tone: "bad" };
  const about = [...new Set(worst.map((holds) => holds.about))];
  if (about.length > 2) return { title: `${about.length} nodes are held to be ${word} by some`, rest, tone: down.length ? "bad" : "election" };
  /** @type {Map<string, string[]>} */
  const by = new Map();
  for (const id of about) {
    const holders = worst.filter((holds) => holds.about === id).map(({ node }) => name(node));
    const who = `${listed(holders)} ${verb(down.length > 0, holders.length)}`;
    by.set(who, [...(by.get(who) ?? []), name(id)]);
  }
  const title = [...by].map(([who, whom]) => `${who} ${listed(whom)}${down.length ? " to be down" : ""}`).join("; ");
  return { title, rest, tone: down.length ? "bad" : "election" };
}

/** @param {boolean} down @param {number} holders */
function verb(down, holders) {
  return `${down ? "hold" : "suspect"}${holders === 1 ? "s" : ""}`;
}

/** Where SWIM and Raft say different things, in a sentence; empty where nowhere. @param {Moment} moment */
export function contradiction(moment) {
  const found = disagreements(moment);
  const names = (/** @type {"down" | "alive"} */ gossip) => found.filter((one) => one.gossip === gossip).map(({ node }) => moment.nodes.find(({ id }) => id === node)?.name ?? `n${node}`);
  const [heard, silent] = [names("down"), names("alive")];
  const parts = [];
  if (heard.length) parts.push(`gossip holds ${listed(heard)} to be down, but Raft hears ${heard.length > 1 ? "them" : "it"}`);
  if (silent.length) parts.push(`gossip holds ${listed(silent)} to be alive, but Raft hears nothing`);
  return parts.length ? `SWIM and Raft disagree: ${parts.join("; ")}.` : "";
}

/** Beside a node of which gossip and Raft say different things: what each says. @param {Moment} moment @returns {Map<number, string>} */
export function contradicted(moment) {
  return new Map(disagreements(moment).map(({ node, gossip }) => [node, gossip === "down" ? "≠ gossip: down, Raft: answers" : "≠ gossip: alive, Raft: silent"]));
}
