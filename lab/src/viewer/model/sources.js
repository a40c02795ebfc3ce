// Why things happen, in a sentence each, and where that is written: Diego Ongaro's thesis on
// Raft (2014), the paper on SWIM (2002), the steps of docs/lab.md. The sections are those
// that docs/lab.md and the heads of scripts/faults name.

/** @typedef {import("./types.js").Line} Line */
/** @typedef {{words: string, href: string}} Source */
/** @typedef {{text: string, sources: Source[]}} Why */

const THESIS = "https://github.com/ongardie/dissertation#readme";
const SWIM = "https://www.cs.cornell.edu/projects/Quicksilver/public_pdfs/SWIM.pdf";

/** @param {string} sections */
const thesis = (sections) => ({ words: `thesis, ${sections}`, href: THESIS });
/** @param {string} sections */
const swim = (sections) => ({ words: `SWIM, ${sections}`, href: SWIM });
/** A page of this project, which a page that stands alone cannot point to. @param {string} place */
const docs = (place) => ({ words: place, href: "" });

/** Why, for what happens. @type {Record<string, Why>} */
const WHYS = {
  candidate: { text: "Whoever hears no leader for a random time, and would be elected (pre-vote), asks for votes in a term one higher. So does whom the leader asks to stand.", sources: [thesis("section 3.4"), thesis("sections 3.10 and 9.6"), docs("docs/lab.md, steps 2 and 7")] },
  split: { text: "It asked, and as far as it knows nobody had a majority: several asked at once (a split vote), or votes were lost. It asks again after another random time.", sources: [thesis("section 3.4"), docs("docs/lab.md, step 4")] },
  leader: { text: "A majority voted for it. Each node has one vote in a term, and two majorities share a node: so no term has two leaders.", sources: [thesis("section 3.4"), docs("docs/lab.md, step 10")] },
  vote: { text: "A node votes once in a term, for a candidate whose log is at least as up to date as its own. It syncs its vote to its disk before it answers.", sources: [thesis("sections 3.4, 3.6.1 and 3.8"), docs("docs/lab.md, step 9")] },
  deposed: { text: "Terms are a logical clock: whoever hears of a later one takes it over and leads no more.", sources: [thesis("section 3.3"), docs("docs/lab.md, step 5")] },
  restarted: { text: "Whoever starts begins as a follower, with the term, the vote and the log from its disk. It leads again only when it is elected, in a later term. In the thesis a leader that hears no majority for an election timeout steps down too; here it keeps its term, and takes no moves.", sources: [thesis("sections 3.4 and 3.8"), thesis("section 6.2")] },
  removed: { text: "The entry that takes it out of the voters is committed. Until then it had to lead, and now it steps down.", sources: [thesis("section 4.2.2")] },
  follower: { text: "A leader shows itself by messages that carry its term. Who hears them follows, and asks for no votes.", sources: [thesis("section 3.4")] },
  learner: { text: "Who joins gets the log before it votes. A voter without the log could keep the others from committing.", sources: [thesis("section 4.2.1")] },
  members: { text: "Who belongs to the cluster is an entry of the log like any other, and holds for a node as soon as it is in its log, committed or not.", sources: [thesis("section 4.1")] },
  joint: { text: "While voters change, a majority of the old ones and one of the new ones are needed. So the two cannot decide apart.", sources: [thesis("section 4.3")] },
  snapshot: { text: "A snapshot stands for all entries up to it, so the log need not be kept for ever.", sources: [thesis("chapter 5")] },
  install: { text: "The entries that it lacks are gone from the leader's log: a snapshot stands for them.", sources: [thesis("chapter 5"), docs("scripts/faults/follower-far-behind")] },
  transfer: { text: "The leader sees to it that its successor has the whole log, and tells it to stand for election at once. Nobody waits for a timeout.", sources: [thesis("section 3.10"), docs("docs/lab.md, step 7")] },
  suspect: { text: "It did not answer, and others that were asked to probe it did not hear it either; or another node says so. It is given time to refute that.", sources: [swim("sections 3.1 and 4.2"), docs("docs/lab.md, step 8")] },
  down: { text: "It was suspected, and nothing refuted that in time. Raft removes nobody for that alone.", sources: [swim("section 4.2"), docs("docs/lab.md, step 8")] },
  refuted: { text: "Only the member itself raises its incarnation. A higher one says that it is alive, whatever was said of a lower one.", sources: [swim("section 4.2"), docs("docs/lab.md, step 8")] },
  met: { text: "News of members travel with the probes.", sources: [swim("section 4.1")] },
  ended: { text: "What was synced to its disk stays: term, vote and log. The others go on if they are a majority of all voters.", sources: [thesis("section 3.8"), docs("docs/lab.md, steps 2 and 9")] },
  started: { text: "It knows its term, its vote and its log from its disk, and begins as a follower.", sources: [thesis("section 3.8"), docs("docs/lab.md, step 3")] },
  paused: { text: "For the others this is the same silence as if it had died. It does not know that time passes.", sources: [thesis("sections 3.3 and 6.4.1"), docs("docs/lab.md, step 5")] },
  unknown: { text: "Whoever gets no answer cannot know whether it counts: its entry may be committed yet. With the same serial number it can be asked for again, and counts once.", sources: [thesis("section 6.3"), docs("docs/lab.md, step 10")] },
  away: { text: "Nobody is there who could answer. Every replica serves reads, so any other one can be asked. A read changes nothing, and asking again does no harm.", sources: [thesis("section 6.4"), docs("docs/lab.md, step 2")] },
  read: { text: "A linearizable read waits until a majority confirms that the leader still leads (ReadIndex). Without a majority it is refused. A local read asks nobody.", sources: [thesis("section 6.4"), docs("docs/lab.md, step 5")] },
  waited: { text: "A move is answered when a majority has it on disk. Without a leader it waits for one, and with slow disks for them.", sources: [thesis("section 3.9"), thesis("section 3.5"), docs("docs/lab.md, step 4")] },
  refused: { text: "A refusal is an answer, and it had no effect. What the rules of a game refuse, all replicas refuse alike.", sources: [thesis("section 2.1")] },
};

/** Where a promise comes from. @type {Record<string, Source[]>} */
const PROMISES = {
  linearizable: [thesis("sections 6.3 and 6.4"), docs("docs/correctness.md")],
  read_your_writes: [docs("docs/correctness.md")],
  in_order: [thesis("section 3.5"), docs("docs/correctness.md")],
  nothing_lost: [thesis("sections 3.6.3 and 3.8"), docs("docs/lab.md, step 9")],
  none_twice: [thesis("section 6.3"), docs("docs/lab.md, step 10")],
  one_leader: [thesis("section 3.4"), docs("docs/lab.md, step 10")],
  same_hash: [thesis("section 3.6.3"), docs("docs/correctness.md")],
  membership: [thesis("sections 4.1 and 4.3"), docs("docs/correctness.md")],
};

/**
 * Why something happened; nothing where there is nothing to say.
 * @param {import("./types.js").Entry} entry
 * @returns {Why | undefined}
 */
export function whyOf({ tone, fact, reads, away }) {
  if (fact) return WHYS[ofFact(fact.line, fact.before)] ?? ofFinding(fact.line);
  if (away) return WHYS.away;
  if (reads) return WHYS.read;
  if (tone === "gap" || tone === "call") return WHYS.waited;
  return WHYS[tone];
}

/**
 * The name of the reason.
 * @param {Line} line
 * @param {Line | undefined} last what held before
 */
function ofFact(line, last) {
  switch (line.kind) {
    case "role": return ofRole(line, last?.kind === "role" ? last : undefined);
    case "members": return line.voters.length > 1 ? "joint" : "members";
    case "log": return "snapshot";
    case "message": return line.what === "transfer" ? "transfer" : "install";
    case "gossip": return ofGossip(line, last?.kind === "gossip" ? last : undefined);
    case "process": return line.event === "resumed" ? "paused" : line.event;
    default: return "";
  }
}

/**
 * @param {import("./types.js").RoleLine} line
 * @param {import("./types.js").RoleLine | undefined} last
 */
function ofRole(line, last) {
  if (line.role === "candidate") return last?.role === "candidate" ? "split" : "candidate";
  if (line.role === "leader") return "leader";
  // Nobody told it of a later term.
  if (last?.role === "leader" && line.term === last.term && line.role !== "shutdown") return line.role === "learner" ? "removed" : "restarted";
  if (line.role === "learner") return "learner";
  if (line.role === "shutdown") return "";
  const votes = line.voted !== undefined && line.voted !== line.node && (line.term !== last?.term || line.voted !== last?.voted);
  if (votes && line.leader === undefined) return "vote";
  return last?.role === "leader" ? "deposed" : "follower";
}

/**
 * @param {import("./types.js").GossipLine} line
 * @param {import("./types.js").GossipLine | undefined} last
 */
function ofGossip(line, last) {
  if (line.state !== "alive") return line.state;
  return last === undefined ? "met" : "refuted";
}

/** @param {Line} line @returns {Why | undefined} */
function ofFinding(line) {
  const sources = line.kind === "finding" ? PROMISES[line.promise] : undefined;
  return sources && { text: "A promise that was broken is a bug, or a planted one.", sources };
}

/** What a refusal of a message rests on. @type {Record<string, Source[]>} */
const REFUSALS = {
  voted: [thesis("sections 3.4 and 3.8")],
  older: [thesis("section 3.6.1")],
  term: [thesis("section 3.3")],
  hears: [thesis("sections 4.2.3 and 9.6"), docs("docs/lab.md, steps 4 and 6")],
  gap: [thesis("section 3.5")],
  leads: [thesis("section 6.4")],
};

/**
 * A reason for a refusal, with its source.
 * @param {string} name
 * @param {string} text
 * @returns {Why}
 */
export function refusal(name, text) {
  return { text, sources: REFUSALS[name] ?? [] };
}
