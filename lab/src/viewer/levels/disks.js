// Levels about disks: a letter's way to them, what a slow one costs and whose, and what a
// power cut takes away.

import { achievement, NOBODY_MOVED, ours, seen, step, thesis } from "./level.js";
import { accepted, asked, faultsOf, leaderAt, logAt, middleWait, sent, TOGETHER, votersAt } from "./evidence.js";
import { at, before, item } from "../model/search.js";
import { failover, startAgain } from "./elections.js";
import { counted, grouped, span } from "../model/words.js";

/** @typedef {import("./level.js").Level} Level */
/** @typedef {import("./level.js").Model} Model */
/** @typedef {import("../model/types.js").CallLine} CallLine */
/** @typedef {import("../model/types.js").MessageLine} MessageLine */
/** @typedef {import("../model/types.js").Fault} Fault */

/** How long before a fault moves are measured, to compare (microseconds). */
const BEFORE = 5_000_000;
/** By so much longer a move takes for one to notice, and for a second sync to be in it (microseconds). */
const NOTICED = 100_000;
const TWO_SYNCS = 450_000;
/** What a move waited for on a slow disk took at least so long (microseconds). */
const SYNC = 100_000;

const SLOW = /^slow disk/;
const UNSYNCED = /^what is not synced is lost/;

/**
 * A move's way: the entries that went out with it, whose disk had them, who was told last.
 * @typedef {{call: CallLine, leader: string, append: MessageLine, stored: MessageLine, shown: number | undefined}} Way
 */

/**
 * The way of the first move in a while that can be followed to its end.
 * @param {Model} model @param {number} from @param {number} to
 * @returns {Way | undefined}
 */
function wayOf(model, from, to) {
  for (const call of asked(model, from, to, accepted)) {
    const { returned = call.at } = call;
    const leader = leaderAt(model, call.at);
    if (!leader || returned - call.at < SYNC) continue;
    const stored = sent(model, call.at, returned, ({ what, answer, yes, to: by, received }) =>
      what === "append" && answer === true && yes === true && by === leader.id && (received ?? Infinity) <= returned,
    ).reduce(newer, undefined);
    const append = stored && sent(model, call.at, stored.at, ({ what, answer, to: by, entries, index }) =>
      what === "append" && !answer && by === stored.from && (entries ?? 0) > 0 && (index ?? 0) <= (stored.index ?? 0),
    ).reduce(newer, undefined);
    if (append && stored && stored.at - append.at >= SYNC) return { call, leader: leader.name, append, stored, shown: shownAt(model, call, append.at) };
  }
  return undefined;
}

/** The one that speaks of the newer entry. @param {MessageLine | undefined} one @param {MessageLine} other */
function newer(one, other) {
  return one === undefined || (other.index ?? 0) > (one.index ?? 0) ? other : one;
}

/** When what a call made was first pushed to somebody. @param {Model} model @param {CallLine} call @param {number} since */
function shownAt(model, call, since) {
  let first = Infinity;
  for (const { pushes } of model.clients.values()) {
    for (let place = before(pushes, since, at); place < pushes.length; place += 1) {
      const push = item(pushes, place);
      if (push.at >= first) break;
      if (push.room === call.room && push.version >= (call.version ?? Infinity)) first = push.at;
    }
  }
  return first < Infinity ? first : undefined;
}

/** When a follower had an entry that it did not know to be committed. @param {Model} model @param {MessageLine} append */
function outlined(model, append) {
  const logs = model.nodes.get(append.to)?.logs ?? [];
  const index = append.index ?? 0;
  for (let place = before(logs, append.at, at); place < logs.length; place += 1) {
    const { at: when, last = 0, committed = 0 } = item(logs, place);
    if (committed >= index) return undefined;
    if (last >= index) return when;
  }
  return undefined;
}

/** @type {Level} */
export const lettersWay = {
  id: "letter",
  title: "A letter's way to the disk",
  goal: "Follow one move from a player to the disks of a majority, and back to everybody who watches.",
  question: {
    asks: "A player presses a letter. When may the player be told that it counts?",
    choices: [
      { id: "leader", text: "When the leader has it in memory", reply: "If the leader lost its power then, the letter would be gone, and the player had been told otherwise." },
      { id: "disk", text: "When it is on the leader's disk", reply: "The next leader may be one that never heard of it." },
      { id: "majority", text: "When it is on the disks of a majority", reply: "" },
      { id: "all", text: "When it is on all disks", reply: "Then one dead node would stop the game." },
    ],
    right: "A move counts when a majority has synced it. Whoever leads next needs the votes of a majority, and any two majorities share a node. That node has the move, and votes for nobody whose log is older than its own.",
    answer: (model, since) => (slowed(model, since) ? { id: "majority" } : undefined),
  },
  steps: [step("Make every sync of a disk 200 ms slower for a while, so that the way can be seen", "fault slow-disk all --ms 200 --for 15s")],
  look: "In the log strips a new entry is outlined at first. When a majority has answered that its disk has it, it is filled. Play a letter yourself, or follow a bot's.",
  why: [
    "The leader puts the move into its log and sends it to the followers at once. It writes its own disk meanwhile.",
    "On each node one sync (fdatasync) serves all moves that wait for it. A follower answers when the sync has ended, not before.",
    "When a majority has stored the entry, it is committed. The leader learns it first, the followers from its next message. Each node applies the entry, and shows the room to all who watch it there.",
    "Without the slow disks this takes some milliseconds.",
  ],
  sources: [
    thesis("3.5 (log replication), 3.8 (stored before it counts), 10.2.1 (the leader writes its disk meanwhile), 3.6.1 (who may be elected)"),
    ours("ARCHITECTURE.md, “A move, in time”"),
  ],
  achieved(model, since) {
    const fault = faultsOf(model, since, SLOW).at(-1);
    const way = slowed(model, since);
    if (!way) {
      const texts = ["A move is asked for, and sent to the followers", "A follower's disk has it", "The player is told", "The others see it"];
      return achievement([seen("The disks are slow", fault?.from), ...texts.map((text) => seen(text, undefined))], fault && fault.to <= model.end ? NOBODY_MOVED : undefined);
    }
    const { call, append, stored, leader, shown } = way;
    const follower = model.nodeName(append.to);
    const strip = outlined(model, append);
    const entry = `entry ${grouped(append.index ?? 0)}`;
    return achievement([
      seen("The disks are slow", fault?.from),
      seen(`${model.client(call.client).name} asks to ${call.action === "again" ? "play again" : call.action ?? "move"}${call.detail ? ` ‘${call.detail}’` : ""}, at ${call.by}`, call.at),
      seen(`${leader} sends its log up to ${entry} to ${follower}${strip === undefined ? "" : ", where it is outlined"}`, append.at),
      seen(`${follower} has ${entry} on its disk, after ${span(stored.at - append.at)}`, stored.at),
      seen(`The player is told that it counts, after ${span((call.returned ?? call.at) - call.at)}`, call.returned),
      seen("Those who watch the room see it", shown),
    ]);
  },
};

/** @param {Model} model @param {number} since */
function slowed(model, since) {
  const fault = faultsOf(model, since, SLOW).at(-1);
  return fault && wayOf(model, fault.from, Math.min(fault.to, model.end));
}

/**
 * A time with slow disks: `usual` is how long half of all moves took before, and `slow` how
 * long during it, each where enough were made.
 * @typedef {{from: number, to: number, usual: number | undefined, slow: number | undefined}} SlowTime
 */

/**
 * Of some times, the first in which moves were made; the last, if there were none in any.
 * @param {Model} model @param {Fault[]} faults all slow disks @param {{from: number, to: number}[]} times
 * @returns {SlowTime | undefined}
 */
function measured(model, faults, times) {
  const found = times.map(({ from, to }) => {
    // What another slow disk cost before is not what is usual.
    const calm = Math.max(from - BEFORE, ...faults.map((other) => (other.to <= from ? other.to : 0)));
    return { from, to, usual: middleWait(model, calm, from), slow: middleWait(model, from, Math.min(to, model.end)) };
  });
  return found.find(({ slow }) => slow !== undefined) ?? found.at(-1);
}

/**
 * When the leader's disk was slow and no other. What begins together with it is the same
 * command; what begins later ends this time.
 * @param {Model} model @param {number} since
 */
function slowLeader(model, since) {
  const faults = faultsOf(model, since, SLOW);
  const alone = faults.flatMap(({ node, from, to }) => {
    const others = faults.filter((other) => other.node !== node && other.to > from && other.from < to);
    const until = Math.min(to, ...others.map((other) => other.from));
    return node === leaderAt(model, from)?.id && until - from >= Math.min(TOGETHER, to - from) ? [{ from, to: until }] : [];
  });
  return measured(model, faults, alone);
}

/** When the disks of a majority were slow. @param {Model} model @param {number} since */
function slowMajority(model, since) {
  const faults = faultsOf(model, since, SLOW);
  const most = faults.flatMap(({ from }) => {
    const slow = faults.filter((other) => other.from <= from && other.to > from);
    const voters = votersAt(model, from);
    const count = voters.filter((id) => slow.some(({ node }) => node === id)).length;
    return count > voters.length / 2 ? [{ from, to: Math.min(...slow.map(({ to }) => to)) }] : [];
  });
  return measured(model, faults, most);
}

/**
 * What to try when it went another way.
 * @param {Model} model @param {number} since @param {SlowTime | undefined} one @param {SlowTime | undefined} all
 */
function otherwise(model, since, one, all) {
  const still = [one, all].find((time) => time && time.slow === undefined && time.to <= model.end);
  if (still) return "Hardly anybody moved meanwhile. Do the bots play? Do it once more.";
  const first = faultsOf(model, since, SLOW)[0];
  if (one || !first) return undefined;
  const name = model.nodeName(first.node ?? -1);
  return `${first.node === leaderAt(model, first.from)?.id ? "Other disks were slow as well" : `${name} did not lead, or not any more`}. When that is over, slow the leader's disk alone.`;
}

/** @type {Level} */
export const slowDisk = {
  id: "slow-disk",
  title: "The slow disk",
  goal: "Find out whose disk decides how long a move takes.",
  question: {
    asks: "Each sync of the leader's disk takes 300 ms longer. How much longer does a move take?",
    choices: [
      { id: "hardly", text: "Hardly", reply: "Moves did take longer here. Is another disk slow as well, or the machine busy?" },
      { id: "once", text: "About 300 ms, one sync", reply: "It would, if the leader had to wait for its own disk. But it needs a majority, and two followers are one." },
      { id: "twice", text: "600 ms or so, two syncs one after the other", reply: "So it would be if the leader wrote its own disk first, and only then sent the move on. It does both at once." },
    ],
    right: "The leader sends a move to its followers while it writes it. Two followers of three nodes are a majority, and the leader may commit what is not on its own disk yet.",
    answer(model, since) {
      const { usual, slow, to = 0 } = slowLeader(model, since) ?? {};
      if (slow === undefined || (to > model.end && to !== Infinity)) return undefined;
      const longer = slow - (usual ?? 0);
      const id = longer < NOTICED ? "hardly" : longer < TWO_SYNCS ? "once" : "twice";
      const known = usual === undefined ? "" : `, and ${span(usual)} before`;
      return { id, measured: `Half of all moves took less than ${span(slow)} with the leader's disk slow${known}.` };
    },
  },
  steps: [
    step("Slow the leader's disk", "fault slow-disk leader --ms 300 --for 8s"),
    step("Slow all disks", "fault slow-disk all --ms 300 --for 8s", "the first fault is over"),
  ],
  look: "Watch the strips: the leader's own log is as long as ever, and entries are filled as soon as both followers answer. With all disks slow, outlined entries pile up.",
  why: [
    "A move waits for the disk that completes a majority, be it the leader's or not. So one slow disk of three is hardly noticed, whosever it is, and two are.",
    "When all are slow a move mostly takes longer than one sync: it comes while a sync is running, and waits for the next. All that wait share that next one (group commit).",
  ],
  sources: [
    thesis("10.2.1 (writing to the leader's disk in parallel), 3.5 (slow followers), 2.1 (a minority of slow servers)"),
    ours("scripts/faults/slow-disk-leader and slow-disk-follower; ARCHITECTURE.md, “Group commit is ours, in the log device”"),
  ],
  achieved(model, since) {
    const one = slowLeader(model, since);
    const all = slowMajority(model, since);
    const leader = one && leaderAt(model, one.from)?.name;
    return achievement(
      [
        seen(leader ? `The disk of ${leader}, the leader, is slow` : "The leader's disk is slow", one?.from),
        seen(one?.slow === undefined ? "Moves are made with one slow disk" : `Half of all moves take less than ${span(one.slow)}${one.usual === undefined ? "" : `; it was ${span(one.usual)} before`}`, one?.slow === undefined ? undefined : one.from),
        seen("A majority of the disks is slow", all?.from),
        seen(all?.slow === undefined ? "Moves are made with slow disks" : `Half of all moves take less than ${span(all.slow)}`, all?.slow === undefined ? undefined : all.from),
      ],
      otherwise(model, since, one, all),
    );
  },
};

/**
 * What a power cut at the leader did: the leader's end, what it knew then, and what its disk had.
 * @param {Model} model @param {number} since
 */
function powerCut(model, since) {
  const failed = failover(model, since, "gone");
  if (!failed) return undefined;
  const { old, next } = failed;
  const lost = model.faults.find((fault) => fault.node === old.node.id && UNSYNCED.test(fault.what) && fault.from >= since && fault.from < old.from && fault.to > old.from - TOGETHER);
  const knew = logAt(old.node, old.from)?.committed;
  const back = old.to === Infinity ? undefined : item(old.node.logs, before(old.node.logs, old.to, at));
  return { old, next, lost, knew, back };
}

/**
 * Rooms in which a move had been acknowledged before a moment: how many were read linearizably
 * behind another, and in how many a move was missing then.
 * @param {Model} model @param {number} until @param {number} behind
 */
function readAgain(model, until, behind) {
  /** @type {Map<string, number>} */
  const told = new Map();
  for (const call of asked(model, until - 60_000_000, until, accepted)) {
    if (call.room && (call.returned ?? Infinity) <= until) told.set(call.room, Math.max(told.get(call.room) ?? 0, call.version ?? 0));
  }
  /** @type {Map<string, CallLine>} */
  const reads = new Map();
  for (const call of asked(model, behind, Infinity, ({ level, outcome }) => level === "linearizable" && outcome === "ok")) {
    if (call.room && told.has(call.room)) reads.set(call.room, reads.get(call.room) ?? call);
  }
  const missing = [...reads].filter(([room, read]) => (read.version ?? 0) < (told.get(room) ?? 0));
  return { rooms: reads.size, missing: missing.length, at: Math.max(...[...reads.values()].map((read) => read.returned ?? read.at)) };
}

/** @type {Level} */
export const lostSync = {
  id: "lost-fsync",
  title: "Lost fsync",
  goal: "Cut the leader's power while players play, and see what is missing afterwards.",
  question: {
    asks: "The leader's disk is slow, so moves are acknowledged that it has not synced yet. Then its power fails, and what was not synced is gone. How many acknowledged moves are missing afterwards?",
    choices: [
      { id: "some", text: "Those that were not synced on the leader", reply: "They are missing on that disk only. The followers had synced them: otherwise nobody had been told that they count." },
      { id: "last", text: "The last one, perhaps", reply: "An acknowledgement is no guess. The last one was on the disks of a majority as well." },
      { id: "none", text: "None", reply: "A move is missing here. Look at the verdict: this would be a bug." },
    ],
    right: "A move is acknowledged when a majority has synced it. So at least one of the two others has it. It refuses a candidate whose log is older than its own: whoever is elected has it too.",
    answer(model, since) {
      const cut = powerCut(model, since);
      const read = cut?.lost && cut.next && readAgain(model, cut.old.from, cut.next.at);
      if (!read || read.rooms === 0) return undefined;
      return { id: read.missing === 0 ? "none" : "some", measured: `Rooms with acknowledged moves that were read again: ${read.rooms}. Moves missing in ${read.missing === 0 ? "none" : read.missing} of them.` };
    },
  },
  steps: [
    step("Slow the leader's disk, and let a crash take what is not synced", "fault slow-disk leader --ms 300; fault lose-unsynced leader"),
    step("Cut its power", "kill leader", "some moves have been made"),
    startAgain,
  ],
  look: "When the old leader is back its strip is shorter than it was, for a moment. Then the new leader sends what it lacks.",
  why: [
    "After SIGKILL (kill -9) the operating system still has what was written. A power cut takes what was not synced. Here the node holds such writes back, so that killing it loses them.",
    "The leader may commit what only its followers have synced. So it came back without entries that it had itself acknowledged, and no harm is done.",
    "Its term and its vote were synced before it answered anybody. If a vote could be lost it could vote twice in a term, and a term could have two leaders.",
  ],
  sources: [
    thesis("3.6.1 (election restriction), 3.8 (persisted state), 10.2.1 (the leader's own disk may come last)"),
    ours("docs/lab.md, step 9; scripts/faults/unsynced-lost"),
  ],
  achieved(model, since) {
    const ready = faultsOf(model, since, UNSYNCED)[0];
    const cut = powerCut(model, since);
    const [old, next, back] = [cut?.old, cut?.next, cut?.back];
    const read = next && cut ? readAgain(model, cut.old.from, next.at) : undefined;
    const fewer = back && cut?.knew !== undefined ? cut.knew - (back.last ?? 0) : 0;
    const short = fewer > 0 ? `without ${counted(fewer, "entry", "entries")} that it had known to be committed` : "";
    return achievement(
      [
        seen("A crash of the leader will lose what is not synced", ready?.from),
        seen(old ? `${old.node.name}, the leader, loses its power` : "The leader loses its power", cut?.lost && old?.from),
        seen(next ? `${next.node.name} leads term ${next.term}` : "Another node leads", next?.at),
        seen(back ? `${old?.node.name} is back with its log up to entry ${grouped(back.last ?? 0)}${short ? `, ${short}` : ""}` : "The old leader is back, with what its disk has", back?.at),
        seen(read?.rooms ? `${read.missing === 0 ? "Nothing is missing" : "Something is missing"}: ${counted(read.rooms, "room")} read again` : "What had been acknowledged is read again", read?.rooms && read.missing === 0 ? read.at : undefined),
      ],
      old && !cut?.lost ? "The leader that died was not the one whose disk forgets. Begin again: first the fault, then the power." : undefined,
    );
  },
};
