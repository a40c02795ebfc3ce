// Why it came as it did: a sentence and where that is written, as in docs/lab.md. Plain code.

/** @typedef {import("./forecast.js").Outcome} Outcome */
/** @typedef {{text: string, source: string}} Reason */

/** @type {Record<string, Reason>} */
const REASONS = {
  elected: { text: "The others heard no heartbeat. After 450 ms, the longest timeout, and a random one of 300 to 450 ms, a follower asked for votes. A majority gave theirs.", source: "thesis, sections 3.4 and 4.2.3; docs/lab.md, steps 2 and 4" },
  split: { text: "Two asked for votes at once, each voted for itself, and nobody had a majority. After another random time one of them asks again, in the next term.", source: "thesis, sections 3.4 (split votes) and 9.2; docs/lab.md, step 4" },
  silent: { text: "No side had a majority, and without one nobody is elected and nothing is acknowledged.", source: "thesis, sections 3.4 and 3.5; docs/lab.md, step 10" },
  majority: { text: "The leader and the followers that it reaches are a majority, and no more is needed.", source: "thesis, sections 2.1 and 3.5; docs/lab.md, step 10" },
  paused: { text: "For the others the sleeper's silence is the same as its death. When it goes on, it hears of the higher term and steps down.", source: "thesis, sections 3.3 and 6.4; docs/lab.md, step 5" },
  "cut off": { text: "The other side has a majority and elected a leader. The old one leads on in its term, but can commit nothing new, and follows when the cut heals.", source: "thesis, sections 3.4 and 3.6.3; docs/lab.md, step 10" },
  prevote: { text: "Who hears no leader asks first whether it would be elected (pre-vote). Who hears the leader refuses, so no term is wasted and nobody is deposed.", source: "thesis, sections 4.2.3 and 9.6; docs/lab.md, step 6" },
  transfer: { text: "The leader brought its successor up to date and told it to stand for election at once. Nobody waited for a timeout, but it is an election in a new term.", source: "thesis, section 3.10; docs/lab.md, step 7" },
  gossip: { text: "Gossip suggests, Raft decides: whoever answers the leader is neither removed nor replaced, even if gossip calls it dead.", source: "SWIM, section 4.2; thesis, section 4.1; docs/lab.md, step 8" },
  streams: { text: "Gossip calls everybody alive, but an election goes by heartbeats: the others heard none.", source: "thesis, section 3.4" },
  slowLeader: { text: "The leader sends entries to its followers while it writes them itself, and they are a majority without its own disk.", source: "thesis, section 10.2.1; docs/lab.md, step 9" },
  slowFollower: { text: "The leader waits for a majority, not for the slowest: a minority of slow disks does not slow the rest.", source: "thesis, sections 2.1 and 3.5" },
  stopped: { text: "A node that cannot store must not say that it has: it stopped. The rest is a majority.", source: "thesis, section 3.8" },
  unsynced: { text: "Nothing is lost until the process is killed. What is acknowledged has been synced by a majority.", source: "thesis, sections 3.6.1 and 3.8; docs/lab.md, step 9" },
  clock: { text: "Elections and leases go by clocks that nobody sets. Timing may cost availability, never safety.", source: "thesis, section 3.9" },
  lossy: { text: "Heartbeats came late, but in time: one within the election timeout keeps the leader. Streams lose nothing: a lost packet is sent again.", source: "thesis, sections 3.4 and 3.9" },
  datagrams: { text: "Only gossip's datagrams are touched. Raft travels by streams, and an election goes by heartbeats.", source: "thesis, section 3.4; SWIM, section 3.1" },
  clients: { text: "Nodes hear each other as before. Frontends ask another node, and serial numbers keep a move from counting twice.", source: "thesis, section 6.3" },
  lossyElected: { text: "Heartbeats came too late for a follower, and it asked for votes in a higher term.", source: "thesis, sections 3.4 and 3.9" },
  left: { text: "The members change in steps that the log holds, and a leader that leaves hands over first.", source: "thesis, sections 3.10, 4.2.2 and 4.3" },
  wiped: { text: "A node that comes back with an empty disk may have promised something it does not know of. Its id is spent, and the others are a majority.", source: "thesis, section 3.8" },
};

/** Reasons that do not fit what was done alone. @type {Record<string, Reason>} */
const OTHERS = {
  busy: { text: "Heartbeats came too late for a follower, and it asked for votes in a higher term. What was done does not cause that by itself: a machine with too much to do does.", source: "thesis, sections 3.4 and 3.9" },
  short: { text: "It was over, or got through, before a follower had waited 450 ms and its election timeout.", source: "thesis, section 3.4; docs/lab.md, step 4" },
};

/** What makes links worse without cutting them. */
const WORSE = new Set(["delay", "drop", "duplicate", "reorder", "bandwidth"]);

/** What does not keep heartbeats from coming, whomever it is done to. */
const HARMLESS = new Set(["gossip-cut", "duplicate", "reorder", "lose-unsynced", "skew"]);

/**
 * The reason for what came of it.
 * @param {readonly string[]} words what was done
 * @param {Outcome} came
 * @param {{leader?: string, why?: string}} [known] who led before, and what a scenario's head says
 * @returns {Reason}
 */
export function reasonFor(words, came, { leader = "", why = "" } = {}) {
  if (came.split.length) return told("split");
  if (why) return { text: "", source: why };
  if (came.open) return told("silent");
  const struck = strikes(words, leader);
  if (came.next) return told(struck ? changed(words) : "busy");
  return told(struck && cutsOff(words) && !came.healed ? "short" : unchanged(words, came, leader));
}

/**
 * Whether something can take its followers from a leader.
 * @param {readonly string[]} words
 * @param {string} leader
 */
function strikes([verb = "", what = "", ...rest], leader) {
  if (verb === "transfer-leader") return true;
  const names = verb === "fault" ? rest : [what, ...rest];
  const meant = ["leader", "all", "halves", "bridge", "ring", leader].some((name) => name !== "" && names.includes(name));
  return meant && !HARMLESS.has(what) && !names.includes("gossip") && !names.includes("frontends");
}

/** Whether a leader is cut off from a majority. @param {readonly string[]} words */
function cutsOff([verb, what, pattern = ""]) {
  return verb === "fault" && what === "cut" && ["isolate", "halves", "all"].includes(pattern);
}

/** @param {readonly string[]} words */
function changed([verb = "", what = "", ...rest]) {
  if (verb === "transfer-leader" || verb === "restart") return "transfer";
  if (verb === "leave") return "left";
  if (verb === "pause") return "paused";
  if (verb !== "fault") return "elected";
  if (WORSE.has(what)) return "lossyElected";
  if (what !== "cut") return "elected";
  return rest.includes("streams") ? "streams" : "cut off";
}

/** @param {readonly string[]} words @param {Outcome} came @param {string} leader */
function unchanged([verb = "", what = "", where = "", ...rest], { healed }, leader) {
  if (verb === "wipe") return "wiped";
  if (verb === "leave") return "left";
  if (verb !== "fault") return "majority";
  if ([where, ...rest].includes("frontends")) return "clients";
  if (rest.includes("gossip")) return what === "cut" ? "gossip" : "datagrams";
  if (healed) return "silent";
  switch (what) {
    case "cut": return "prevote";
    case "gossip-cut": return "gossip";
    case "duplicate":
    case "reorder": return "datagrams";
    case "slow-disk": return where === leader || where === "leader" ? "slowLeader" : "slowFollower";
    case "fail-fsync":
    case "full-disk": return "stopped";
    case "lose-unsynced": return "unsynced";
    case "skew": return "clock";
    default: return WORSE.has(what) ? "lossy" : "majority";
  }
}

/** @param {string} key @returns {Reason} */
function told(key) {
  return REASONS[key] ?? OTHERS[key] ?? { text: "", source: "" };
}
