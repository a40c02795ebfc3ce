// What the signs of the ring mean, each drawn as it is in the ring.

import { el } from "../dom.js";
import { raft } from "./rafts.js";
import { burst, opinion, sign } from "./signs.js";
import { players, star } from "./dots.js";
import { layout } from "./layout.js";
import { wires } from "./wires.js";

/** @typedef {import("./signs.js").Brush} Brush */
/** @typedef {import("../model/types.js").MessageLine} MessageLine */
/** @typedef {import("../model/moment.js").NodeMoment} NodeMoment */

const WIDTH = 44;
const HEIGHT = 34;
/** Drawn so many times as large, for large type. */
const SHARP = 1.5;

/** @param {Partial<MessageLine>} parts @returns {(brush: Brush) => void} */
function message(parts) {
  return (brush) => sign(brush, { kind: "message", at: 0, what: "append", from: 1, to: 2, term: 1, bytes: 0, ...parts }, WIDTH / 2, HEIGHT / 2);
}

/** @param {Partial<NodeMoment>} parts @returns {(brush: Brush) => void} */
function node(parts) {
  /** @type {NodeMoment} */
  const plain = { id: 1, name: "", process: "runs", since: 0, awaited: false, role: "follower", term: 1, leader: 1, voted: 1, stale: false, asked: undefined, ledFrom: undefined, member: "voter", heard: 0, timer: undefined, raft: undefined, log: undefined, faults: [], ...parts };
  return (brush) => raft(brush, { x: WIDTH / 2, y: HEIGHT / 2 + (plain.role === "leader" ? 5 : 0), r: plain.timer === undefined ? 10 : 7, angle: 0 }, plain, false, { lease: 3, least: 2, most: 3 });
}

/** A way between two nodes that is hurt. @param {import("./links.js").Trouble} trouble @param {boolean} both @returns {(brush: Brush) => void} */
function way(trouble, both) {
  const fault = { trouble, way: /** @type {const} */ ("to"), peer: "", traffic: /** @type {const} */ ("all"), words: "", flaps: false };
  const [y, r, angle] = [HEIGHT / 2, 1, 0];
  const places = { ...layout(WIDTH, HEIGHT, [], [], []), nodes: new Map([[1, { x: 2, y, r, angle }], [2, { x: WIDTH - 2, y, r, angle }]]) };
  return (brush) => wires(brush, places, [{ one: 1, other: 2, there: [fault], back: both ? [fault] : [] }], false);
}

/** A player who waits long. @param {Brush} brush */
function waits(brush) {
  const places = { ...layout(WIDTH, HEIGHT, [], [], []), clients: new Map([[1, { x: WIDTH / 2, y: HEIGHT / 2, r: 4.5, angle: 0 }]]) };
  players(brush, places, new Map([[1, 0]]), 1e6);
}

/** @type {[(brush: Brush) => void, string][]} */
const SIGNS = [
  [node({ role: "leader" }), "leader: crowned; the colour is its term, with the number"],
  [node({ timer: 0.7 }), "follower; the arc is what is left of its election timer. At the first mark it may vote for others again, at the second it may stand for election"],
  [node({ role: "candidate" }), "candidate: asks for votes"],
  [node({ role: "learner", member: "learner" }), "learner: gets the log, has no vote"],
  [node({ member: "newcomer" }), "only in the new list of voters; with a minus, only in the old one"],
  [node({ role: undefined, member: "stranger" }), "not a member"],
  [node({ process: "gone" }), "its process is gone"],
  [node({ process: "paused" }), "its process stands still"],
  [message({ entries: 1 }), "entries of the log; small without entries: how far it is committed"],
  [message({ answer: true, yes: true }), "an answer: the same sign, hollow"],
  [message({ what: "heartbeat" }), "heartbeat of a leader"],
  [message({ what: "vote" }), "asks for a vote; broken: for a pre-vote"],
  [message({ what: "vote", answer: true, yes: true }), "vote granted"],
  [message({ what: "vote", answer: true, yes: false }), "refused"],
  [message({ what: "snapshot" }), "snapshot"],
  [message({ what: "transfer" }), "leadership is handed over"],
  [message({ what: "read-index" }), "a follower asks the leader how far a read must wait (ReadIndex)"],
  [(brush) => burst(brush, WIDTH / 2, HEIGHT / 2, 0.2), "a message that never came"],
  [way("cut", true), "cut: nothing comes through"],
  [way("cut", false), "cut one way: the arrow does not come through"],
  [way("slow", true), "slow"],
  [way("loses", true), "loses packets, doubles them, or changes their order"],
  [waits, "a player who has waited for 0.25 s or longer"],
  [(brush) => star(brush.ctx, WIDTH / 2, HEIGHT / 2, 7, brush.colours.named.focus), "a player's move; how long it takes to reach a node is not known, and drawn in equal steps"],
  [(brush) => opinion(brush, "suspect", WIDTH / 2, HEIGHT / 2), "gossip: suspected by the node on whose half it stands"],
  [(brush) => opinion(brush, "down", WIDTH / 2, HEIGHT / 2), "gossip: held to be down"],
];

/** Logs have signs of their own, told in words. */
const LOGS = "Logs: a full cell is committed as that node knows, an outlined one is not, a struck one will be overwritten. It is struck where the leader of a newer term had no such entry when it was elected, and this node has not heard of that term. A triangle is how far it is applied, a diamond its snapshot. Colours are terms, as elections tell. The small picture is the state's hash: = is equal to another node's at the same entry, ≠ is not.";

/**
 * @param {import("../colours.js").Colours} colours
 * @returns {Node[]}
 */
export function legend(colours) {
  const ratio = (globalThis.devicePixelRatio || 1) * SHARP;
  const rows = SIGNS.map(([draw, words]) => {
    const canvas = el("canvas", { width: WIDTH * ratio, height: HEIGHT * ratio, "aria-hidden": "true" });
    const ctx = canvas.getContext("2d");
    ctx?.scale(ratio, ratio);
    if (ctx) draw({ ctx, colours });
    return el("li", {}, canvas, el("span", {}, words));
  });
  return [el("ul", {}, ...rows), el("p", {}, LOGS)];
}
