// Levels about who leads: the first election, the leader that slept, the node that was cut
// off, and the election that nobody wins.

import { achievement, ours, seen, step, thesis } from "./level.js";
import { acknowledged, away, candidacies, faultsOf, followersAt, lastGone, leaderAt, minorities, oneWays, roleAt, sent, SETTLED, votersAt, wins } from "./evidence.js";
import { counted, listed, span } from "../model/words.js";

/** @typedef {import("./level.js").Level} Level */
/** @typedef {import("./level.js").Model} Model */
/** @typedef {import("./evidence.js").InTerm} InTerm */
/** @typedef {import("./evidence.js").While} While */

/** Whoever plays is answered within this time (microseconds) when somebody leads. */
const BEHIND = 4_000_000;

/** A vote may be told a little later than what came of it (microseconds). */
const LATE = 20_000;

/** What parts the choices of the first level (microseconds). */
const SHORT = 300_000;
const ONE_TIMEOUT = 600_000;

/**
 * A leader that ended or stood still, and who led next.
 * @typedef {{old: While, term: number, next: InTerm | undefined}} Failover
 */

/**
 * The last failover behind a moment that got furthest: one with a new leader, if there is one.
 * @param {Model} model @param {number} since @param {"gone" | "paused"} what
 * @returns {Failover | undefined}
 */
export function failover(model, since, what) {
  /** @type {Failover | undefined} */
  let found;
  for (const old of away(model, since, what)) {
    if (leaderAt(model, old.from - 1) !== old.node) continue;
    const term = roleAt(model, old.node, old.from - 1)?.term ?? 0;
    const next = wins(model, old.from).find((win) => win.term > term);
    if (next || !found?.next) found = { old, term, next };
  }
  return found;
}

/**
 * When a node was first seen in a term, or a later one, in some other role than leader.
 * @param {import("./evidence.js").NodeTrack} node @param {number} since @param {number} term
 */
function follows(node, since, term) {
  return node.roles.find((line) => line.at >= since && line.term >= term && line.role !== "leader" && line.leader !== undefined)?.at;
}

/**
 * When a leader that was gone, or stood still, took part again in the new term. It may be in
 * it before somebody looks at processes and sees that it runs.
 * @param {Failover} failed
 */
function returned({ old, next }) {
  if (!next || old.to === Infinity) return undefined;
  return next.node === old.node ? next.at : follows(old.node, next.at, next.term);
}

/**
 * What to try when a node ended, or stood still, and it was no leader.
 * @param {Model} model @param {number} since @param {"gone" | "paused"} what @param {Failover | undefined} failed
 */
function missed(model, since, what, failed) {
  const other = failed ? undefined : away(model, since, what)[0];
  return other && `${other.node.name} did not lead any more: the leader had just changed. Let it run again, and begin again.`;
}

/** Who had voted for a leader when it began to lead. @param {Model} model @param {InTerm} win */
function votes(model, { node, term, at }) {
  const voted = (/** @type {number} */ id) => model.nodes.get(id)?.roles.some((line) => line.term === term && line.voted === node.id && line.at <= at + LATE);
  return listed(votersAt(model, at).filter((id) => id === node.id || voted(id)).map((id) => model.nodeName(id)));
}

/**
 * When somebody could move again after a failover: the first move that a new leader
 * acknowledged, or its election where nobody plays. Nothing as long as a move may still come.
 * @param {Model} model @param {Failover} failed
 */
function movedAgain(model, { next }) {
  if (!next) return undefined;
  const [first] = acknowledged(model, next.at, next.at + BEHIND);
  return first ?? (model.end < next.at + BEHIND ? undefined : next.at);
}

/**
 * For whoever killed a leader. Other processes may have ended before: this is about the last.
 * @type {import("./level.js").Step}
 */
export const startAgain = { says: "Start it again", after: "another node leads", commands: (model) => [["restart", lastGone(model)]] };

/** @type {Level} */
export const firstElection = {
  id: "election",
  title: "The first election",
  goal: "Watch the nodes find a leader by themselves, from the silence to the first move.",
  before: "When this cluster began it held its first election; now it holds another one. Somebody has to play meanwhile: the bots do.",
  question: {
    asks: "A leader sends a heartbeat every 100 ms. A follower's election timeout is drawn at random, from 300 to 450 ms. When the leader dies, for how long can nobody move?",
    choices: [
      { id: "short", text: "Less than 0.3 s", reply: "The dead leader cannot say that it is dead. Its followers have to notice, by hearing nothing." },
      { id: "one", text: "0.3 to 0.6 s: one election timeout", reply: "So it is in plain Raft. Here nobody votes for anybody else until 450 ms after the last heartbeat, and only then the timeout begins." },
      { id: "two", text: "More than 0.6 s", reply: "Mostly it takes longer. Was another election under way already?" },
    ],
    right: "Two times add up. Whoever heard its leader within the last 450 ms, the longest timeout, votes for nobody else. So a node that merely lost its own connection deposes nobody. Only then does its own random timeout begin. So an election begins 750 to 900 ms after the last heartbeat.",
    answer(model, since) {
      const failed = failover(model, since, "gone");
      const again = failed && movedAgain(model, failed);
      if (!failed || again === undefined) return undefined;
      const took = again - failed.old.from;
      const id = took < SHORT ? "short" : took < ONE_TIMEOUT ? "one" : "two";
      return { id, measured: `The next move was acknowledged ${span(took)} after the leader had died.` };
    },
  },
  steps: [
    step("Kill the leader's process (SIGKILL)", "kill leader"),
    startAgain,
  ],
  look: "In the ring the followers' timers run down. Then one asks for votes, and the colour changes with the term.",
  why: [
    "Time is cut into terms, and each begins with an election. A term has one leader or none, for a node votes once in a term, and a leader needs a majority.",
    "Whichever follower waits the shorter time asks first. Each draws its time at random, so that they seldom ask at once. It asks for pre-votes first, and then for votes in a term one higher.",
    "In the thesis the time in which nobody else is voted for is the shortest timeout, so that it delays no election. In openraft, which Hangraft uses, it is the longest.",
    "The new leader begins with an empty entry of its own term (a no-op). Entries of earlier terms count as committed only when a later one of its own is.",
    "The old leader comes back with its term and its vote on its disk, but it does not lead: leadership ends with the process. It follows when it hears the higher term.",
    "In the very first election only the first member of the new cluster stood: it alone writes the entry that says who the members are.",
  ],
  sources: [
    thesis("3.3 (terms), 3.4 (leader election), 3.6.2 and 6.4 (the empty entry), 3.8 (what is kept on disk)"),
    thesis("4.2.3 (who hears a leader refuses its vote), 9.6 (pre-vote)"),
    ours("docs/lab.md, steps 1 to 4; ARCHITECTURE.md, “A cluster begins when all its first members are there”"),
  ],
  achieved(model, since) {
    const failed = failover(model, since, "gone");
    const [old, next, term = 0] = [failed?.old, failed?.next, failed?.term];
    const asks = old && candidacies(model, old.from).find((one) => one.term > term);
    const again = failed && movedAgain(model, failed);
    return achievement(
      [
        seen(old ? `${old.node.name}, the leader of term ${term}, dies` : "The leader dies", old?.from),
        seen(asks && old ? `${asks.node.name} asks for votes in term ${asks.term}, ${span(asks.at - old.from)} later` : "A follower asks for votes", asks?.at),
        seen(next ? `${next.node.name} leads term ${next.term}, with the votes of ${votes(model, next)}` : "Another node leads, in a higher term", next?.at),
        seen(old && again !== undefined ? `Somebody can move again, ${span(again - old.from)} after it died` : "Somebody can move again", again),
        seen(old && next ? `${old.node.name} is back in term ${next.term}` : "The old leader is back, and follows", failed && returned(failed)),
      ],
      missed(model, since, "gone", failed),
    );
  },
};

/** @type {Level} */
export const staleLeader = {
  id: "stale",
  title: "The stale leader",
  goal: "See a leader that does not know that it has been replaced, and why it can do no harm.",
  question: {
    asks: "The leader's process stands still, as a virtual machine does that is moved. When it goes on it does not know that time has passed. How many leaders are there then?",
    choices: [
      { id: "one", text: "One. The sleeper is no leader any more", reply: "Nobody can tell anything to a process that stands still. It wakes with what it knew, and believes that it leads, until it hears otherwise." },
      { id: "terms", text: "Two for a moment, in two terms", reply: "Here the sleeper woke before anybody had taken its place." },
      { id: "same", text: "Two for a moment, in the same term", reply: "A new leader needs votes in a higher term. Nobody votes twice in one term, so one term never has two." },
    ],
    right: "Two nodes may believe at one time that they lead, but never in one term. The old one can commit nothing new: a majority answers with the higher term, and it steps down.",
    answer(model, since) {
      const failed = failover(model, since, "paused");
      if (!failed || failed.old.to === Infinity) return undefined;
      const { old, next, term } = failed;
      if (!next || next.at > old.to) return { id: "one" };
      const until = returned(failed);
      if (until === undefined) return undefined;
      const lasted = until > old.to ? `For ${span(until - old.to)} after it woke` : "For an instant when it woke";
      return { id: "terms", measured: `${lasted}, ${old.node.name} took itself for the leader of term ${term}, while ${next.node.name} led term ${next.term}.` };
    },
  },
  steps: [
    step("Let the leader's process stand still", "pause leader"),
    step("Let it go on", "resume paused", "another node leads"),
  ],
  look: "When it wakes two nodes are shown as leaders, in the colours of two terms. Jump to that moment and play it at a hundredth of the speed: the first answer brings the higher term.",
  why: [
    "For the others a leader that sleeps is as silent as a dead one. So they elect another.",
    "In the moment after waking the old leader could tell somebody an old value. Therefore a leader here does not answer a linearizable read from what it has.",
    "It notes how far its log is committed, asks a majority whether it still leads, and answers only when they say yes. This is called ReadIndex.",
    "The cheaper way is a lease by clocks. It fails when a process sleeps between looking at its clock and answering. Hangraft does not use it.",
  ],
  sources: [
    thesis("3.3 (terms show which leader is stale), 6.4 (read-only queries), 6.4.1 (leases, and what they risk)"),
    ours("docs/lab.md, step 5; scripts/faults/leader-paused"),
  ],
  achieved(model, since) {
    const failed = failover(model, since, "paused");
    const [old, next] = [failed?.old, failed?.next];
    const woke = old && next && old.to < Infinity && old.to > next.at ? old.to : undefined;
    const until = failed && woke !== undefined ? returned(failed) : undefined;
    const early = old !== undefined && old.to < Infinity && woke === undefined;
    const hint = early ? "It woke before another one led. Begin again: let it stand still, and wait a second." : missed(model, since, "paused", failed);
    return achievement(
      [
        seen(old ? `${old.node.name}, the leader of term ${failed?.term}, stands still` : "The leader stands still", old?.from),
        seen(next ? `${next.node.name} leads term ${next.term}` : "Another node leads, in a higher term", next?.at),
        seen(woke !== undefined ? `${old?.node.name} wakes, and there are two that believe they lead` : "The old leader wakes", woke),
        seen(until !== undefined && woke !== undefined ? `It hears of term ${next?.term} ${until > woke ? `after ${span(until - woke)}` : "at once"}, and follows` : "It hears of the higher term, and follows", until),
      ],
      hint,
    );
  },
};

/** @type {Level} */
export const preVote = {
  id: "pre-vote",
  title: "Pre-vote",
  goal: "See a node that was cut off come back without disturbing anybody.",
  question: {
    asks: "A follower is cut off from all others for six seconds. It hears no leader and wants an election, again and again. By how much is its term higher when it comes back?",
    choices: [
      { id: "each", text: "By one for each time it wanted one", reply: "So it is in Raft without pre-vote. The leader would then step down for a node that had merely been away." },
      { id: "one", text: "By one", reply: "To enter a new term it would need to believe that it can win it. Nobody has told it so." },
      { id: "none", text: "Not at all", reply: "Its term did rise here. Nobody answered it during the cut, so there was another election: just before, or among the others." },
    ],
    right: "With pre-vote a node first asks whether it would be elected. It enters a new term only when a majority says yes. Who is cut off gets no answer, and stays in its term.",
    answer(model, since) {
      const cut = minorities(model, since)[0];
      if (!cut || cut.to === Infinity || model.end < cut.to) return undefined;
      const [before, after] = [roleAt(model, cut.node, cut.from), roleAt(model, cut.node, cut.to - SETTLED)];
      if (!before || !after) return undefined;
      const rose = after.term - before.term;
      return { id: rose === 0 ? "none" : rose === 1 ? "one" : "each", measured: `${cut.node.name} went in term ${before.term}, and came back in term ${after.term}.` };
    },
  },
  steps: [
    step("Cut a follower off for six seconds", "fault cut isolate follower --for 6s"),
    step("Then cut a link in one direction only", "fault cut one-way leader follower --for 6s", "the first cut has healed"),
  ],
  look: "Its timer runs out again and again. Its questions end at the cut. In the second run they do get through, and come back refused.",
  why: [
    "In plain Raft each failed election raises the lonely node's term. When it comes back, the leader hears the higher term and steps down, and all wait for an election that nobody needed.",
    "A link that is dead in one direction is worse, for there the questions arrive. The third node refuses: whoever heard a leader within 450 ms grants no pre-vote.",
  ],
  sources: [
    thesis("9.6 (pre-vote), 4.2.3 (disruptive servers)"),
    ours("docs/lab.md, step 6; scripts/faults/follower-cut and one-way"),
  ],
  achieved(model, since) {
    const cuts = minorities(model, since);
    const cut = cuts.find(({ node, from }) => node !== leaderAt(model, from - 1));
    const term = cut && roleAt(model, cut.node, cut.from)?.term;
    const asks = cut ? questions(model, cut) : [];
    const healed = cut && cut.to < Infinity && model.end >= cut.to && asks.length > 0 ? cut.to : undefined;
    const back = cut && healed !== undefined ? roleAt(model, cut.node, healed - SETTLED)?.term : undefined;
    const calm = healed !== undefined && cut && wins(model, cut.from).every(({ at }) => at > healed);
    const oneWay = oneWays(model, cut && cut.to < Infinity ? cut.to : since)[0];
    const refused = oneWay ? refusals(model, oneWay) : [];
    const rose = back !== undefined && back !== term ? "Its term rose: there was another election. Begin again." : undefined;
    const led = cuts[0] && !cut ? `${cuts[0].node.name} led by then: the leader had just changed. Begin again.` : undefined;
    const unasked = oneWay && oneWay.to <= model.end && !refused[0] ? "Nobody was refused. Begin again." : undefined;
    const hint = rose ?? led ?? unasked;
    return achievement(
      [
        seen(cut ? `${cut.node.name} is cut off, in term ${term}` : "A follower is cut off", cut?.from),
        seen(cut && asks.length ? `It asks ${counted(asks.length, "time")} whether it would be elected. Nobody answers` : "It asks whether it would be elected", asks[0]?.at),
        seen(back !== undefined ? `The cut heals, and it is still in term ${back}${calm ? "; the leader stays" : ""}` : "The cut heals, and it is still in its term", back !== undefined && back === term ? healed : undefined),
        seen(oneWay ? `${oneWay.node.name} hears nothing from ${oneWay.by}, which hears it` : "A link is cut in one direction", oneWay?.from),
        seen(refused[0] ? `${model.nodeName(refused[0].from)} refuses a pre-vote ${counted(refused.length, "time")}: it hears the leader` : "The third node refuses a pre-vote", refused[0]?.at),
      ],
      hint,
    );
  },
};

/** What a node asked before it would have asked for votes: one question of each round. @param {Model} model @param {While} cut */
function questions(model, { node, from, to }) {
  const all = sent(model, from, to, ({ what, answer, from: by }) => what === "pre-vote" && !answer && by === node.id);
  return all.filter(({ to: asked }) => asked === all[0]?.to);
}

/** @param {Model} model @param {While} cut */
function refusals(model, { node, from, to }) {
  return sent(model, from, to, ({ what, answer, to: by, yes, received }) => what === "pre-vote" && answer === true && by === node.id && !yes && received !== undefined && received < to);
}

/**
 * The first term for which two asked when the leader had died, and that nobody led; and who
 * led next.
 * @param {Model} model @param {Failover | undefined} failed
 */
function split(model, failed) {
  const since = failed?.old.from ?? Infinity;
  const [asked, won] = [candidacies(model, since), wins(model, since)];
  for (const first of asked) {
    const rivals = asked.filter(({ term, at }) => term === first.term && at >= first.at);
    const second = rivals.find(({ node }) => node !== first.node);
    if (second && !won.some(({ term }) => term === first.term)) {
      return { first, second, next: won.find(({ term }) => term > first.term) };
    }
  }
  return undefined;
}

/** @type {Level} */
export const splitVote = {
  id: "split",
  title: "Split vote",
  goal: "See an election that nobody wins, and how chance ends it.",
  before: "This is luck. Messages between the followers are made slow, so that both ask before they hear of each other. It may take two or three tries.",
  question: {
    asks: "Two of three nodes are left. Both ask for votes in the same term, and each has already voted for itself. What becomes of this term?",
    choices: [
      { id: "again", text: "It is voted on again, in the same term", reply: "Nobody may vote twice in a term. A vote that could be changed would allow two leaders." },
      { id: "rank", text: "The one with the smaller number leads it", reply: "Raft has no ranks. Its authors planned them first, and gave them up: a lower rank that stood too soon delayed the higher one's election." },
      { id: "none", text: "It has no leader", reply: "Here somebody was elected all the same." },
    ],
    right: "A term may have no leader. Each candidate waits for another random time, and whoever waits the shorter one asks again, in the next term.",
    answer(model, since) {
      const vote = split(model, failover(model, since, "gone"));
      if (!vote?.next) return undefined;
      return { id: "none", measured: `Term ${vote.first.term} has no leader; ${vote.next.node.name} leads term ${vote.next.term}.` };
    },
  },
  steps: [
    {
      says: "Slow the link between the followers, and kill the leader",
      commands: (model) => [["fault", "delay", ...pair(model), "--ms", "100", "--for", "8s"], ["kill", "leader"]],
    },
    startAgain,
  ],
  look: "On the tape of terms a thin band stands without a leader. In the space-time diagram two questions for votes cross.",
  why: [
    "The first to ask gets the votes of all that do not ask themselves before its question arrives. The slower the messages are, against the spread of the timeouts, the more often votes are split.",
    "Here timeouts are drawn from a spread of 150 ms, and messages usually take about one. So it happens now and then even without our help. A wider spread makes it rarer, and elections slower on average.",
  ],
  sources: [
    thesis("3.4 (split votes, and why there are no ranks), 9.2 (how common split votes are)"),
    ours("docs/lab.md, step 4"),
  ],
  achieved(model, since) {
    const failed = failover(model, since, "gone");
    const vote = split(model, failed);
    const dead = failed?.old;
    const slow = faultsOf(model, since, /^\d+ ms slower/).filter(({ from }) => from < (dead?.from ?? Infinity)).at(-1);
    const next = vote ? vote.next : failed?.next;
    const back = dead && returned({ old: dead, term: 0, next });
    const luck = next !== undefined && !vote;
    return achievement(
      [
        seen("Messages between the followers are slow", slow?.from),
        seen(dead ? `${dead.node.name}, the leader, dies` : "The leader dies", dead?.from),
        seen(vote ? `${vote.first.node.name} and ${vote.second.node.name} ask for votes in term ${vote.first.term}, ${span(vote.second.at - vote.first.at)} apart` : "Two nodes ask for votes in one term", vote?.second.at),
        seen(vote?.next ? `Nobody leads term ${vote.first.term}; ${vote.next.node.name} leads term ${vote.next.term}` : "Nobody leads it; a later term has a leader", vote?.next?.at),
        seen(dead ? `${dead.node.name} is back` : "The old leader is back", back),
      ],
      luck ? `No split this time: ${next?.node.name} was quick enough. Start the dead node again, and begin again.` : missed(model, since, "gone", failed),
    );
  },
};

/** Two followers, by name; the words for them as long as nobody is known. @param {Model} model */
function pair(model) {
  const names = followersAt(model, model.end).map(({ name }) => name);
  return names.length >= 2 ? names.slice(0, 2) : ["all"];
}
