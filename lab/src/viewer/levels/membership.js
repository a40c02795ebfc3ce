// Levels about who belongs to a cluster: a wiped disk, a joint change of members, and gossip
// that calls everybody dead.

import { achievement, NOBODY_MOVED, ours, seen, step, swim, thesis } from "./level.js";
import { acknowledged, away, faultsOf, followersAt, lastGone, leaderAt, membersAt, votersAt } from "./evidence.js";
import { counted, grouped, listed, span } from "../model/words.js";

/** @typedef {import("./level.js").Level} Level */
/** @typedef {import("./level.js").Model} Model */
/** @typedef {import("../model/types.js").MembersLine} MembersLine */
/** @typedef {import("../model/types.js").GossipLine} GossipLine */

/** What is told of a node whose disk is another than the one that its id was given for. */
const SPENT = /another disk; its id is spent/;
const GOSSIP_CUT = /^cut (to|from) \S+, gossip only$/;

/** Spares follow the log and do not vote. @param {Model} model */
function spareIfNone(model) {
  return membersAt(model, model.end)?.learners?.length ? [] : [["spare"]];
}

/**
 * The lists of members behind a moment, each when it was first known.
 * @param {Model} model @param {number} since
 * @returns {MembersLine[]}
 */
function changes(model, since) {
  /** @type {Map<number, MembersLine>} */
  const found = new Map();
  for (const { members } of model.nodes.values()) {
    for (const line of members) {
      if (line.at >= since && line.at < (found.get(line.index)?.at ?? Infinity)) found.set(line.index, line);
    }
  }
  return [...found.values()].sort((one, other) => one.index - other.index);
}

/**
 * Spares that were there before a moment: they learned, and did not vote when the level began.
 * @param {Model} model @param {number} since @param {number} [until]
 */
function learning(model, since, until = Infinity) {
  const voters = votersAt(model, since);
  const found = changes(model, 0).map(({ at, learners = [] }) => ({ at, learners: learners.filter((id) => !voters.includes(id)) }));
  return found.filter(({ at, learners }) => learners.length > 0 && at < until).at(-1);
}

/** @param {Model} model @param {number[]} ids */
function named(model, ids) {
  return listed(ids.map((id) => model.nodeName(id)));
}

/** The name of a follower, or the word for one. @param {Model} model */
function follower(model) {
  return followersAt(model, model.end).at(-1)?.name ?? "follower";
}

/** @param {Model} model @param {number} since */
function wiping(model, since) {
  const told = [...model.nodes.values()].flatMap((node) => node.told.filter(({ at, about, text }) => at >= since && about === "refusal" && SPENT.test(text)));
  const spent = told.sort((one, other) => one.at - other.at)[0];
  const voters = votersAt(model, since);
  const lost = away(model, since, "gone").find(({ node, from }) => voters.includes(node.id) && (!spent || from <= spent.at));
  // Who is replaced learns for a moment, before it is out.
  const out = (/** @type {MembersLine} */ { voters, learners = [] }, /** @type {number} */ id) => voters.length === 1 && ![...voters, learners].flat().includes(id);
  const replaced = lost && changes(model, lost.from).find((line) => out(line, lost.node.id));
  const instead = replaced?.voters[0]?.find((id) => !voters.includes(id));
  return { spent, lost, replaced, instead };
}

/** @type {Level} */
export const wipedDisk = {
  id: "wiped-disk",
  title: "A wiped disk",
  goal: "See why a node that has lost its disk is not let in under its old name, and how the cluster becomes whole again.",
  before: "A spare is needed; the first button adds one. A spare is trusted when it has been there for some ten seconds.",
  question: {
    asks: "A follower's disk is emptied. It starts again, with nothing. What may it do?",
    choices: [
      { id: "vote", text: "Vote: it is the same node", reply: "It may have voted in this term, and does not know it. With a second vote in one term there could be two leaders." },
      { id: "later", text: "Vote when the leader has sent it the whole log", reply: "The entries can be sent again, but nobody knows for certain which votes it gave, and what it has acknowledged." },
      { id: "never", text: "Nothing, under its old id", reply: "Here it votes again. Was its disk really empty?" },
    ],
    right: "Each data folder has a random number, and the members are known by id and number. A node that comes back with another disk is refused; its id is spent, and a spare takes its place.",
    answer(model, since) {
      const { spent, lost, replaced } = wiping(model, since);
      if (!spent || !lost || !replaced) return undefined;
      const id = votersAt(model, model.end).includes(lost.node.id) ? "vote" : "never";
      return { id, measured: `Now ${named(model, votersAt(model, model.end))} vote.` };
    },
  },
  steps: [
    {
      says: "Add a spare, and let a silent voter be replaced after two seconds instead of ten minutes",
      commands: (model) => [...spareIfNone(model), ["cluster", "set", "--replace-after", "2s"]],
    },
    { says: "Wipe a follower's disk", after: "the spare has been there for ten seconds", commands: (model) => [["wipe", follower(model)]] },
    { says: "Start it again, with its empty disk", commands: (model) => [["restart", lastGone(model)]] },
    step("When the spare votes in its place: ten minutes again", "cluster set --replace-after 10m"),
  ],
  look: "The wiped node runs and stops at once, and the feed says why. Some seconds later the spare is a voter, and the wiped one is none.",
  why: [
    "Term, vote and log have to be kept, for others count on them. A server that has lost any of this cannot come back as who it was. It can be added as somebody new.",
    "A dead voter is not removed at once: it is replaced when gossip and Raft have both missed it for long enough. Before that the cluster goes on with two of three.",
    "The spare has followed the log as a learner all the time, so it can vote as soon as it is needed.",
  ],
  sources: [
    thesis("3.8 (a server that lost its state gets a new identity), 4.2.1 (catching up new servers), 4.3 (joint consensus)"),
    ours("scripts/faults/two-wiped; ARCHITECTURE.md, “Every data folder has a random disk number” and “A dead voter is replaced, never merely removed”"),
  ],
  achieved(model, since) {
    const { spent, lost, replaced, instead } = wiping(model, since);
    const ready = learning(model, since, lost?.from);
    return achievement(
      [
        seen(ready ? `${named(model, ready.learners)} is a spare: it learns, and does not vote` : "A spare learns", ready?.at),
        seen(lost ? `${lost.node.name} is gone` : "A follower loses its disk", lost?.from),
        seen(lost ? `${lost.node.name} comes back with another disk, and is refused` : "It comes back, and is refused", spent?.at),
        seen(instead !== undefined ? `${model.nodeName(instead)} votes in its place; ${lost?.node.name} belongs to the cluster no more` : "The spare votes in its place, and it belongs to the cluster no more", replaced?.at),
      ],
      replaced && !spent ? "Nobody has come back with an empty disk. Begin again, and start the wiped node before it is replaced." : undefined,
    );
  },
};

/** @param {Model} model @param {number} since */
function jointChange(model, since) {
  const lines = changes(model, since);
  const joint = lines.find(({ voters }) => voters.length === 2);
  const after = joint && lines.find(({ index, voters }) => index > joint.index && voters.length === 1);
  return { joint, after };
}

/** @type {Level} */
export const jointConsensus = {
  id: "joint",
  title: "A joint change of members",
  goal: "See the voters change while people play, without a moment in which two majorities could decide apart.",
  before: "A spare is needed; the first button adds one, if there is none. A voter that leaves waits for it.",
  question: {
    asks: "For a moment the old and the new voters are both in force. Who must have stored a move then, before it counts?",
    choices: [
      { id: "new", text: "A majority of the new voters", reply: "Some nodes do not know the new list yet. By the old one they could elect somebody with a majority that has no node in common with yours." },
      { id: "union", text: "A majority of all nodes that vote in either", reply: "That would do here, where one of three is replaced. But when nine others replace three, seven of these twelve need not hold one old voter. Those could decide apart." },
      { id: "both", text: "A majority of the old and a majority of the new", reply: "" },
    ],
    right: "Joint consensus needs both majorities, for moves and for elections. So neither the old nor the new voters can decide without the others.",
    answer: (model, since) => (jointChange(model, since).after ? { id: "both" } : undefined),
  },
  steps: [
    { says: "Add a spare", commands: spareIfNone },
    { says: "Let a follower leave for good", after: "the spare has been there for ten seconds", commands: (model) => [["leave", "--node", follower(model), "--yes"]] },
  ],
  look: "For some milliseconds four nodes vote, by two lists. Jump there and slow down: the entry with both lists travels first, and the one with the new list behind it.",
  why: [
    "A new list of members is an entry in the log like any other, and each node goes by the newest that it has. So nodes change over at different moments.",
    "First comes an entry with both lists. When both majorities have it, nobody can decide by the old list alone. Only then comes the entry with the new list.",
    "The spare followed the log before it voted. A voter without the log cannot help to commit anything. If it is needed for a majority, moves wait.",
    "Who leaves goes on until the new list is committed, and then it stops.",
    "The thesis recommends to add or remove one member at a time, which needs no second list. Here a spare takes a voter's place in one step, so that the number of voters stays odd.",
  ],
  sources: [
    thesis("4.3 (joint consensus), 4.1 (each server uses the newest list in its log; one member at a time), 4.2.1 (catching up new servers)"),
    ours("scripts/faults/voter-replaced and leader-leaves; ARCHITECTURE.md, “Every change of voters passes one gate”"),
  ],
  achieved(model, since) {
    const { joint, after } = jointChange(model, since);
    const [old = [], next = []] = joint?.voters ?? [];
    const moves = joint && after ? acknowledged(model, joint.at - 1_000_000, after.at + 1_000_000).length : 0;
    const left = after && away(model, since, "gone").find(({ node, from }) => from > after.at && !after.voters[0]?.includes(node.id));
    const learns = learning(model, since, joint?.at);
    return achievement(
      [
        seen(learns ? `${named(model, learns.learners)} learns, and does not vote` : "A spare learns", learns?.at),
        seen(joint ? `Entry ${grouped(joint.index)} asks for two majorities: of ${named(model, old)}, and of ${named(model, next)}` : "An entry names the old and the new voters", joint?.at),
        seen(joint && after ? `Entry ${grouped(after.index)}, ${span(after.at - joint.at)} later: ${named(model, next)} vote` : "An entry names the new voters alone", after?.at),
        seen(moves ? `${counted(moves, "move")} acknowledged in the second before and behind it` : "Moves are acknowledged all the while", moves ? after?.at : undefined),
        seen(left ? `${left.node.name} has left, and stops` : "Who leaves stops", left?.from),
      ],
      left && !moves && model.end > left.from + 1_000_000 ? NOBODY_MOVED : undefined,
    );
  },
};

/**
 * What nodes held of others by gossip behind a moment: the first line of a state.
 * @param {Model} model @param {number} since @param {string} state
 * @returns {GossipLine | undefined}
 */
function firstHeld(model, since, state) {
  /** @type {GossipLine | undefined} */
  let first;
  for (const { sees } of model.nodes.values()) {
    for (const lines of sees.values()) {
      const line = lines.find((one) => one.at >= since && one.state === state);
      if (line && line.at < (first?.at ?? Infinity)) first = line;
    }
  }
  return first;
}

/** The first that was called down and then alive again. @param {Model} model @param {number} since */
function revived(model, since) {
  /** @type {GossipLine | undefined} */
  let first;
  for (const { sees } of model.nodes.values()) {
    for (const lines of sees.values()) {
      const line = lines.find((one, place) => one.at >= since && one.state === "alive" && lines[place - 1]?.state === "down");
      if (line && line.at < (first?.at ?? Infinity)) first = line;
    }
  }
  return first;
}

/** @param {Model} model @param {number} since */
function gossipCut(model, since) {
  const fault = faultsOf(model, since, GOSSIP_CUT).at(0);
  const to = fault ? Math.min(fault.to, model.end) : 0;
  const suspect = fault && firstHeld(model, fault.from, "suspect");
  const down = fault && firstHeld(model, fault.from, "down");
  const [before, now] = fault ? [votersAt(model, fault.from), votersAt(model, to)] : [[], []];
  const same = before.length > 0 && before.every((id) => now.includes(id)) && now.length === before.length;
  return { fault, to, suspect, down, same, voters: now };
}

/** @type {Level} */
export const gossipLies = {
  id: "gossip",
  title: "Gossip lies",
  goal: "See every node take all others for dead, and nothing happen.",
  question: {
    asks: "Gossip between all nodes is cut, Raft is not. After some six seconds each node holds all others to be dead. How many are removed from the cluster?",
    choices: [
      { id: "all", text: "All but the leader", reply: "Then a leader that merely hears no gossip could make itself a majority of one." },
      { id: "majority", text: "Those whom most nodes call dead", reply: "Most nodes can be wrong together, as they are here. They do not vote on who is dead." },
      { id: "none", text: "None", reply: "The voters did change here. Raft must have missed somebody as well." },
    ],
    right: "Gossip suggests, Raft decides. Whoever answers the leader is neither removed nor replaced. Only silence in both, for ten minutes unless set otherwise, lets a spare take a voter's place.",
    answer(model, since) {
      const { fault, down, same, voters } = gossipCut(model, since);
      if (!fault || !down || fault.to > model.end) return undefined;
      return { id: same ? "none" : "all", measured: `${named(model, voters)} vote, as before.` };
    },
  },
  steps: [step("Cut gossip between all nodes for eight seconds", "fault gossip-cut all --for 8s")],
  look: "Turn the ring to Gossip: everybody suspects everybody, then calls them dead. Turn it back to Raft: entries and heartbeats travel as before, and the game goes on.",
  why: [
    "Each node probes one other each second. If that one does not answer, others are asked to probe it. If they do not hear it either, it is suspected.",
    "Three seconds later it is called dead, unless it has refuted the suspicion with a higher incarnation. Here nobody can refute, for nobody hears that they are suspected.",
    "The two detectors answer different questions: Raft asks who can commit something now, gossip asks who is there at all. A detector that could shrink the quorum by its errors would be a way to lose data.",
  ],
  sources: [
    swim("3.1 (probes, also through others), 4.1 (news travel with probes), 4.2 (suspicion, incarnations)"),
    thesis("4.1 and 4.3 (members change by the log only)"),
    ours("docs/lab.md, step 8; scripts/faults/gossip-cut; ARCHITECTURE.md, “A dead voter is replaced, never merely removed”"),
  ],
  achieved(model, since) {
    const { fault, to, suspect, down, same } = gossipCut(model, since);
    const after = fault && fault.to <= model.end ? revived(model, fault.to) : undefined;
    // Who is called dead stays so for a while when gossip is heard again.
    const moves = down ? acknowledged(model, down.at, after?.at ?? model.end).length : 0;
    return achievement(
      [
        seen("Gossip is cut", fault?.from),
        seen(fault && suspect ? `${model.nodeName(suspect.node)} suspects ${model.nodeName(suspect.about)}, after ${span(suspect.at - fault.from)}` : "Somebody is suspected", suspect?.at),
        seen(fault && down ? `${model.nodeName(down.node)} holds ${model.nodeName(down.about)} to be dead, after ${span(down.at - fault.from)}` : "Somebody is held to be dead", down?.at),
        seen(moves && down ? `${counted(moves, "move")} acknowledged by nodes that gossip calls dead; ${leaderAt(model, to)?.name ?? "nobody"} leads` : "Moves are acknowledged all the same", moves ? down?.at : undefined),
        seen(same ? "The same nodes vote as before" : "The same nodes vote as before, when it is over", same && fault && fault.to <= model.end ? fault.to : undefined),
        seen(after ? `${model.nodeName(after.node)} sees ${model.nodeName(after.about)} alive again, in incarnation ${after.incarnation}` : "They see each other alive again", after?.at),
      ],
      after && !moves ? NOBODY_MOVED : undefined,
    );
  },
};
