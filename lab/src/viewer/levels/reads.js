// Levels about who may answer: the minority that must stay silent, and reads that are as new
// as they say.

import { achievement, NOBODY_MOVED, ours, seen, step, terry, thesis } from "./level.js";
import { accepted, acknowledged, asked, followersAt, leaderAt, logAt, minorities, roleAt, SETTLED, wins } from "./evidence.js";
import { item } from "../model/search.js";
import { counted, grouped, span } from "../model/words.js";

/** @typedef {import("./level.js").Level} Level */
/** @typedef {import("./level.js").Model} Model */
/** @typedef {import("../model/types.js").CallLine} CallLine */
/** @typedef {import("./evidence.js").While} While */

/** So long before a read moves are looked at, to see whether it shows them (microseconds). */
const LOOKED_BACK = 60_000_000;

/**
 * A leader in a minority, who led the others, and what both committed.
 * @param {Model} model @param {number} since
 */
function apart(model, since) {
  const cut = minorities(model, since).filter(({ node, from }) => leaderAt(model, from - 1) === node).at(-1);
  if (!cut) return undefined;
  const term = roleAt(model, cut.node, cut.from)?.term ?? 0;
  const next = wins(model, cut.from).find((win) => win.term > term && win.node !== cut.node);
  // Who hears the new leader is in no minority any more, though its own end of the cut may last.
  const heard = next && cut.node.roles.find(({ at, term: in_, role }) => at > next.at && in_ >= next.term && role !== "leader")?.at;
  const to = Math.min(cut.to, model.end, (heard ?? Infinity) - 1);
  const [first, last] = [logAt(cut.node, cut.from + SETTLED), logAt(cut.node, to)];
  const grew = (last?.committed ?? 0) > (first?.committed ?? 0);
  const inVain = Math.max(0, (last?.last ?? 0) - (last?.committed ?? 0));
  const moves = next && next.at < to ? acknowledged(model, next.at, to).length : 0;
  return { cut, term, next, to, last, grew, inVain, moves, follows: cut.to < Infinity ? heard : undefined };
}

/** @type {Level} */
export const silentMinority = {
  id: "minority",
  title: "The minority must stay silent",
  goal: "See two leaders at once, and why only one of them can say yes.",
  question: {
    asks: "The cluster is cut in two: the leader alone on one side, two followers on the other. Players are on both sides. Which side acknowledges moves?",
    choices: [
      { id: "both", text: "Both, and they are brought together afterwards", reply: "Two players could then have been told different things about one game. That would be a split brain." },
      { id: "old", text: "The side of the old leader", reply: "It has one node of three. Whatever it said yes to could be unknown to the two others for ever." },
      { id: "majority", text: "The side of the two followers", reply: "Nobody could move on that side here. Did the cut last long enough for an election?" },
      { id: "none", text: "Neither, as long as it is cut", reply: "A majority of three is two, and two nodes hear each other." },
    ],
    right: "To acknowledge anything a leader needs a majority of all three, and two majorities of three share a node. The old leader still takes requests, but can acknowledge none.",
    answer(model, since) {
      const found = apart(model, since);
      if (!found?.next || found.cut.to > model.end) return undefined;
      const { grew, moves, cut, next } = found;
      const id = moves > 0 ? (grew ? "both" : "majority") : grew ? "old" : "none";
      return { id, measured: `${next.node.name}'s side acknowledged ${counted(moves, "move")}. ${cut.node.name} committed ${grew ? "something" : "nothing"}.` };
    },
  },
  steps: [step("Cut the cluster in two for eight seconds", "fault cut halves --for 8s")],
  look: "Two colours in the ring are two terms. The old leader's strip gets outlined entries that are never filled. When the other side has a leader they are struck; when the cut heals they are gone.",
  why: [
    "Two leaders at one time, in two terms, are no split brain. It would be one if both could commit.",
    "Who asked the old leader hears nothing, and asks the other side. The serial number is the same, so a move that did get through counts once.",
    "Who gave up before that does not know whether the move counts. It may count or not, and the verdict allows for both.",
    "When the cut heals, the old leader hears the higher term and follows. The entries that only it had are removed from its log.",
  ],
  sources: [
    thesis("3.4 and 3.6.3 (one leader a term, and it has all that was committed), 3.5 (a leader's log wins), 6.3 (serial numbers)"),
    ours("docs/lab.md, step 10; scripts/faults/halves"),
  ],
  achieved(model, since) {
    const found = apart(model, since);
    const { cut, next, last, term } = found ?? {};
    const over = cut && cut.to <= model.end ? cut.to : undefined;
    const vain = found?.inVain ? `, and ${counted(found.inVain, "entry", "entries")} in vain` : "";
    return achievement(
      [
        seen(cut ? `${cut.node.name}, the leader of term ${term}, has no majority` : "The leader is cut off from the majority", cut?.from),
        seen(next ? `${next.node.name} leads term ${next.term}: now two nodes lead, in two terms` : "The majority elects another", next?.at),
        seen(found?.moves ? `Its side acknowledges ${counted(found.moves, "move")}` : "Its side acknowledges moves", found?.moves ? next?.at : undefined),
        seen(over && cut ? `${cut.node.name} has committed nothing: it stays at entry ${grouped(last?.committed ?? 0)}${vain}` : "The minority commits nothing", found && !found.grew ? over : undefined),
        seen(cut && found?.follows ? `${cut.node.name} hears of term ${next?.term}, and follows` : "The old leader hears of it, and follows", found?.follows),
      ],
      missed(model, since, over === undefined ? undefined : found),
    );
  },
};

/**
 * What to try when it went another way.
 * @param {Model} model @param {number} since @param {ReturnType<typeof apart>} over what came of a cut of the leader that has healed
 */
function missed(model, since, over) {
  if (over) return over.next ? (over.moves ? undefined : NOBODY_MOVED) : "Nobody was elected on the other side. Begin again.";
  const other = minorities(model, since).find(({ node, from }) => node !== leaderAt(model, from - 1));
  return other ? `${other.node.name} was cut off, which did not lead any more: the leader had just changed. Begin again.` : undefined;
}

/**
 * A follower at which somebody has read lately, by name; the word for one where there is none.
 * @param {Model} model
 */
function readerOf(model) {
  const read = new Set(asked(model, model.end - LOOKED_BACK / 2, model.end, (call) => call.asked === "read" && call.outcome === "ok").map(({ by }) => by));
  return followersAt(model, model.end).findLast(({ name }) => read.has(name))?.name ?? "follower";
}

/**
 * What was read while a follower was cut off: at that node locally and linearizably, and at
 * others linearizably.
 * @param {Model} model @param {number} since
 */
function readings(model, since) {
  const cut = minorities(model, since).at(-1);
  if (!cut) return undefined;
  const to = Math.min(cut.to, model.end);
  const reads = asked(model, cut.from + SETTLED, to, (call) => call.asked === "read");
  const here = reads.filter(({ by }) => by === cut.node.name);
  const local = here.filter(({ level, outcome }) => level === "local" && outcome === "ok");
  const strict = here.filter(({ level }) => level === "linearizable");
  const answered = strict.filter(({ outcome, returned }) => outcome === "ok" && (returned ?? Infinity) < cut.to - SETTLED);
  const elsewhere = reads.filter(({ by, level, outcome }) => by !== cut.node.name && level === "linearizable" && outcome === "ok");
  return { cut, local, strict, answered, elsewhere, stale: stalest(model, local) };
}

/**
 * The read that shows least of what had been acknowledged when it began: since when.
 * @param {Model} model @param {CallLine[]} reads
 * @returns {{read: CallLine, newest: number, since: number} | undefined}
 */
function stalest(model, reads) {
  const [first, last] = [reads[0], reads.at(-1)];
  if (!first || !last) return undefined;
  /** @type {Map<string, CallLine[]>} */
  const told = new Map();
  for (const call of asked(model, first.at - LOOKED_BACK, last.at, accepted)) {
    if (call.room) told.set(call.room, [...(told.get(call.room) ?? []), call]);
  }
  /** @type {{read: CallLine, newest: number, since: number} | undefined} */
  let found;
  for (const read of reads) {
    const unseen = (told.get(read.room ?? "") ?? []).filter(({ version, returned }) => (version ?? 0) > (read.version ?? 0) && (returned ?? Infinity) <= read.at);
    if (!unseen.length) continue;
    const from = Math.min(...unseen.map(({ returned }) => returned ?? Infinity));
    const newest = Math.max(...unseen.map(({ version }) => version ?? 0));
    if (!found || read.at - from > found.read.at - found.since) found = { read, newest, since: from };
  }
  return found;
}

/** @type {Level} */
export const reading = {
  id: "reads",
  title: "Linearizable against local reads",
  goal: "Compare what two readers get at a node that is cut off.",
  before: "The bots read at all nodes, at three levels: linearizable, at least a version, and local.",
  question: {
    asks: "A follower is cut off from the other nodes, and readers still reach it. One reads linearizably, one locally. What do they get?",
    choices: [
      { id: "new", text: "Both the newest state", reply: "The node hears nothing of what happens elsewhere. It has no way to know the newest state." },
      { id: "apart", text: "The local one an old state; the linearizable one is refused", reply: "A linearizable read was answered here. Look whether the cut was over by then." },
      { id: "old", text: "Both an old state", reply: "The node knows that it does not know. A linearizable read waits for a leader that a majority confirms, and is refused when there is none." },
      { id: "none", text: "Both are refused", reply: "A local read asks nobody. It is answered from what the node has applied, however old that is." },
    ],
    right: "A local read is always answered, and may be old. A linearizable one shows all that was acknowledged before it began, or is refused.",
    answer(model, since) {
      const found = readings(model, since);
      if (!found?.stale || !found.strict.length || found.cut.to > model.end) return undefined;
      const { read, newest } = found.stale;
      return { id: found.answered.length ? "old" : "apart", measured: `A local read showed version ${grouped(read.version ?? 0)} when version ${grouped(newest)} had been acknowledged. Of ${counted(found.strict.length, "linearizable read")} there, ${found.answered.length === 0 ? "none" : found.answered.length} was answered during the cut.` };
    },
  },
  steps: [{ says: "Cut a follower off for fifteen seconds", commands: (model) => [["fault", "cut", "isolate", readerOf(model), "--for", "15s"]] }],
  look: "Jump to the stale read: in the log strips the node's log ends long before those of the others.",
  why: [
    "For a linearizable read a node asks the leader how far the log is committed. The leader answers when a majority confirms that it leads. Then the node waits until it has applied so much. Nothing of this is written to a disk.",
    "A read at least as new as a version waits until the node has that version. So whoever names the newest version that it knows never sees an older one, whichever node it asks (monotonic reads).",
    "A local read is the cheapest, and right where old is good enough. On one connection to one node it never shows an older state than before.",
  ],
  sources: [
    thesis("6.4 (read-only queries, also at followers), 6.4.1 (clients that track the newest index they have seen)"),
    terry("Session Guarantees for Weakly Consistent Replicated Data, 1994 (monotonic reads, read your writes)"),
    ours("docs/correctness.md, “What is promised”; scripts/faults/follower-cut"),
  ],
  achieved(model, since) {
    const found = readings(model, since);
    const { cut, stale, strict = [], answered = [], elsewhere = [], local = [] } = found ?? {};
    const unanswered = strict.find((read) => !answered.includes(read));
    const over = cut !== undefined && cut.to <= model.end;
    return achievement(
      [
        seen(cut ? `${cut.node.name} is cut off` : "A follower is cut off", cut?.from),
        seen(stale && cut ? `A local read at ${cut.node.name} shows version ${grouped(stale.read.version ?? 0)}; version ${grouped(stale.newest)} had been acknowledged, and ${cut.node.name} had missed it for ${span(stale.read.at - stale.since)}` : "A local read there shows an old state", stale?.read.at),
        seen(unanswered && cut ? `${counted(strict.length - answered.length, "linearizable read")} at ${cut.node.name} not answered while it is cut off` : "A linearizable read there is not answered", unanswered?.at),
        seen(elsewhere.length ? `${counted(elsewhere.length, "linearizable read")} at the other nodes answered meanwhile` : "Linearizable reads elsewhere are answered", elsewhere.length ? item(elsewhere, 0).returned : undefined),
        seen("The cut heals", over ? cut.to : undefined),
      ],
      over && !stale ? (local.length ? "No local read was old: nobody moved in the rooms that were read. Begin again." : "Nobody read locally there. Are the bots playing? Begin again.") : undefined,
    );
  },
};
