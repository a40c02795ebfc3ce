// What can be broken: of a node, of the link between two, of all at once. Each says what it
// does, what may be chosen, and which words do it. Plain code.

/** @typedef {import("./standing.js").Standing} Standing */
/**
 * Something to choose: a number, or one of a few values, each with a text.
 * @typedef {{name: string, label: string, value: string, least?: number, most?: number, choices?: [string, string][]}} Field
 */
/**
 * What can be done. `lasts` is for how long at first, as --for says it; nothing where that
 * makes no sense. `asks` says that one may guess what will happen. `final` says what cannot
 * be undone; `unfit` why it cannot be done here.
 * @typedef {object} Offer
 * @property {string} key
 * @property {string} group
 * @property {string} label
 * @property {string} about
 * @property {Field[]} fields
 * @property {string} [lasts]
 * @property {boolean} asks
 * @property {string} [final]
 * @property {string} [unfit]
 * @property {(values: Record<string, string>) => string[]} words without --for
 */

/** What stands for all frontends in a command line. */
export const FRONTENDS = "frontends";

/** Of what is sent, which part. @type {Field} */
const ONLY = { name: "only", label: "Of what is sent", value: "", choices: [["", "everything"], ["streams", "only Raft and commands"], ["gossip", "only gossip"]] };

/** How wrong a clock is. @type {Field} */
const AHEAD = { name: "by", label: "The clock is", value: "1h", choices: [["1h", "1 h ahead"], ["-1h", "1 h behind"], ["5s", "5 s ahead"], ["-5s", "5 s behind"]] };

/**
 * @param {string} name @param {string} label @param {number} value @param {number} least @param {number} most
 * @returns {Field}
 */
const number = (name, label, value, least, most) => ({ name, label, value: String(value), least, most });

/** The words of an option that is given only when it has a value. @param {string} option @param {string | undefined} value */
const given = (option, value) => (value ? [option, value] : []);

/**
 * All the words of a choice, with the time that it lasts.
 * @param {Offer} offer
 * @param {Record<string, string>} values what was chosen, by the fields' names, and `for`
 * @returns {string[]}
 */
export function wordsOf(offer, values) {
  const kept = Object.fromEntries(offer.fields.map((field) => [field.name, allowed(field, values[field.name])]));
  const lasts = offer.lasts === undefined ? "" : values["for"] ?? offer.lasts;
  return [...offer.words(kept), ...given("--for", lasts)];
}

/**
 * The nearest value that a field allows.
 * @param {Field} field
 * @param {string | undefined} value
 */
export function allowed({ value: first, choices, least = 0, most = Infinity }, value = first) {
  if (choices) return choices.some(([one]) => one === value) ? value : first;
  const wanted = Math.round(Number(value));
  return value.trim() === "" || !Number.isFinite(wanted) ? first : String(Math.min(Math.max(wanted, least), most));
}

/**
 * What can be done to a process as it stands.
 * @param {Standing} one
 * @param {Standing[]} all
 * @param {boolean} demo whether its process can be reached: it is one of a demo
 * @returns {Offer[]}
 */
export function nodeOffers(one, all, demo) {
  const own = demo ? ofProcess(one) : [];
  if (one.id === undefined || one.process !== "runs") return own;
  return [...own, ...ofDisk(one.name), ...ofNetwork(one.name, all), ...ofMembers(one, all, demo)];
}

/** @param {Standing} one @returns {Offer[]} */
function ofProcess({ name, id, process }) {
  const deed = (/** @type {string} */ verb, /** @type {string} */ label, /** @type {string} */ about, asks = true) => ({ key: verb, group: "Process", label, about, asks, fields: [], words: () => [verb, name] });
  const kill = deed("kill", "Kill", `${name}'s process ends at once (SIGKILL). What it has written stays on its disk.`);
  const restart = deed("restart", "Restart", process === "gone" ? `${name} starts again with what its disk holds.` : `${name} is stopped in good order and starts again.`, process !== "gone");
  const final = `${name} loses its term, its vote and its log for good. Nobody believes this node again; a spare takes its place, if there is one.`;
  const wipe = { ...deed("wipe", "Wipe", `${name}'s process is killed, and its disk is emptied.`), final };
  const wiped = id === undefined ? [] : [wipe];
  if (process === "gone") return [restart, ...wiped];
  if (process === "paused") return [deed("resume", "Resume", `${name} goes on, and does not know that time has passed (SIGCONT).`, false), kill, ...wiped];
  return [kill, deed("pause", "Pause", `${name} lives, but says and hears nothing until it is resumed (SIGSTOP).`), restart, ...wiped];
}

/** @param {string} name @returns {Offer[]} */
function ofDisk(name) {
  const fault = (/** @type {string} */ verb, /** @type {string} */ label, /** @type {string} */ about, lasts = "10s") => ({ key: verb, group: "Disk", label, about, lasts, asks: true, fields: /** @type {Field[]} */ ([]), words: () => ["fault", verb, name] });
  return [
    {
      ...fault("slow-disk", "Slow", `Each sync of ${name}'s log takes longer.`),
      fields: [number("ms", "Longer by (ms)", 300, 1, 60_000)],
      words: ({ ms = "" }) => ["fault", "slow-disk", name, "--ms", ms],
    },
    fault("fail-fsync", "Fail fsync", `Syncs of ${name}'s log fail. ${name} stops, for nobody knows what is on the disk then.`),
    fault("full-disk", "Full", `${name} can write nothing more. It stops when it wants to.`),
    fault("lose-unsynced", "Lose unsynced", `What ${name} has written and not synced is lost when it is killed. Kill it to see it.`, "1m"),
    {
      ...fault("skew", "Ahead or behind", `${name}'s wall clock is wrong.`),
      group: "Clock",
      fields: [AHEAD],
      words: ({ by = "" }) => ["fault", "skew", name, ...(by.startsWith("-") ? [`--by=${by}`] : ["--by", by])],
    },
  ];
}

/** @param {string} name @param {Standing[]} all @returns {Offer[]} */
function ofNetwork(name, all) {
  const others = all.filter((other) => other.id !== undefined && other.name !== name && other.process === "runs").map((other) => other.name);
  const [first] = others;
  if (first === undefined) return [];
  /** @type {[string, string][]} */
  const ways = others.flatMap((other) => /** @type {[string, string][]} */ ([[`${name} ${other}`, `from ${name} to ${other}`], [`${other} ${name}`, `from ${other} to ${name}`]]));
  return [
    {
      key: "isolate", group: "Network", label: "Isolate", about: `${name} and all other nodes do not hear each other.`, lasts: "10s", asks: true, fields: [ONLY],
      words: ({ only }) => ["fault", "cut", "isolate", name, ...given("--only", only)],
    },
    {
      key: "one-way", group: "Network", label: "One way", about: "What one sends to the other is lost; what the other sends arrives.", lasts: "10s", asks: true,
      fields: [{ name: "way", label: "Lost is what goes", value: `${name} ${first}`, choices: ways }],
      words: ({ way = "" }) => ["fault", "cut", "one-way", ...way.split(" ")],
    },
  ];
}

/** @param {Standing} one @param {Standing[]} all @param {boolean} demo @returns {Offer[]} */
function ofMembers({ name, leads, votes, role }, all, demo) {
  /** @type {Offer[]} */
  const offers = [];
  const heirs = all.filter((other) => other.votes && !other.leads && other.process === "runs").map((other) => other.name);
  if (leads && heirs.length) {
    offers.push({
      key: "transfer-leader", group: "Members", label: "Hand over", about: `${name} brings its successor up to date and asks it to stand for election at once.`, asks: true,
      fields: [{ name: "to", label: "To", value: "", choices: [["", "who is closest"], ...heirs.map((heir) => /** @type {[string, string]} */ ([heir, heir]))] }],
      words: ({ to }) => ["transfer-leader", ...given("--to", to)],
    });
  } else if (votes && heirs.includes(name)) {
    offers.push({ key: "transfer-leader", group: "Members", label: "Let it lead", about: `The leader hands over to ${name}.`, asks: true, fields: [], words: () => ["transfer-leader", "--to", name] });
  }
  if (demo && (votes || role === "learner")) {
    offers.push({
      key: "leave", group: "Members", label: "Let it leave", about: `${name} leaves the cluster for good: a spare takes its place, or fewer vote. Then it stops.`, asks: true, fields: [],
      final: `${name} does not come back. Without a spare fewer machines may fail afterwards.`,
      words: () => ["leave", "--node", name, "--yes"],
    });
  }
  return offers;
}

/**
 * What can be done to the link between two ends: nodes, or one node and all frontends.
 * @param {string} one
 * @param {string} other
 * @returns {Offer[]}
 */
export function linkOffers(one, other) {
  const nodes = one !== FRONTENDS && other !== FRONTENDS;
  /** @type {Field} */
  const way = { name: "way", label: "Which way", value: "", choices: [["", "both ways"], [`${one} ${other}`, `from ${one} to ${other}`], [`${other} ${one}`, `from ${other} to ${one}`], ["flap", "both, on and off"]] };
  const ends = (/** @type {Record<string, string>} */ { way: chosen = "" }) => (chosen === "flap" ? ["flap", one, other] : chosen ? ["one-way", ...chosen.split(" ")] : [one, other]);
  const only = nodes ? [ONLY] : [];
  const link = (/** @type {string} */ verb, /** @type {string} */ label, /** @type {string} */ about, /** @type {Field[]} */ sizes = [], parts = only) => ({
    key: verb, group: "Link", label, about, lasts: "10s", asks: true, fields: [...sizes, way, ...parts],
    words: (/** @type {Record<string, string>} */ values) => ["fault", verb, ...ends(values), ...sizes.flatMap(({ name }) => [`--${name}`, values[name] ?? ""]), ...given("--only", values["only"])],
  });
  const cut = link("cut", "Cut", "Nothing gets through. Streams stand still and go on afterwards.");
  const first = (/** @type {string} */ value) => [{ ...way, value }, ...only];
  const offers = [
    cut,
    { ...cut, key: "one-way", label: "One way", about: "What one sends is lost; what the other sends arrives.", fields: first(`${one} ${other}`) },
    { ...cut, key: "flap", label: "Flapping", about: "The link comes and goes, a second each.", fields: first("flap") },
    link("delay", "Delay", "Everything takes longer.", [number("ms", "Longer by (ms)", 100, 1, 60_000), number("jitter-ms", "and up to (ms)", 20, 0, 60_000)]),
    link("drop", "Loss", "Some packets are lost. Streams stand still until a packet has been sent again.", [number("percent", "Lost (%)", 20, 1, 100)]),
    link("bandwidth", "Bandwidth", "Only so many bytes get through each second.", [number("bytes-per-s", "Bytes a second", 20_000, 1, 1e9)]),
  ];
  if (!nodes) return offers;
  const share = (/** @type {string} */ label) => [number("percent", label, 20, 1, 100)];
  return [
    ...offers,
    link("duplicate", "Duplicate", "Some of gossip's datagrams come twice.", share("Twice (%)"), []),
    link("reorder", "Reorder", "Some of gossip's datagrams come later than what was sent behind them.", share("Late (%)"), []),
    link("gossip-cut", "No gossip", "Gossip does not get through; Raft and commands do.", [], []),
  ];
}
