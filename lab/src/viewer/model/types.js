// What a timeline's lines look like, and what the model makes of them: for the types only.
// docs/timeline.md says what each line means. Times are microseconds since it began.

/** @typedef {{id: number, name: string}} Named */
/** @typedef {{kind: "head", format: number, title: string, began_unix_ms?: number, from?: number, command?: string, about?: string, nodes: Named[], clients?: Named[]}} HeadLine */
/** @typedef {{kind: "process", at: number, name: string, event: "started" | "ended" | "paused" | "resumed"}} ProcessLine */
/** @typedef {{kind: "role", at: number, node: number, term: number, role: string, leader?: number, voted?: number}} RoleLine */
/** @typedef {{kind: "log", at: number, node: number, last?: number, committed?: number, applied?: number, snapshot?: number, purged?: number, hash?: string}} LogLine */
/** @typedef {{kind: "members", at: number, node: number, index: number, voters: number[][], learners?: number[]}} MembersLine */
/** @typedef {{kind: "gossip", at: number, node: number, about: number, state: string, incarnation: number}} GossipLine */
/** @typedef {{kind: "fault", at: number, id: number, node?: number, what: string, healed?: boolean}} FaultLine */
/** @typedef {{kind: "message", at: number, received?: number, what: string, answer?: boolean, from: number, to: number, term: number, index?: number, entries?: number, bytes: number, yes?: boolean}} MessageLine */
/**
 * `lines` are the last that a read showed, `earlier` how many came before them.
 * @typedef {{kind: "call", at: number, returned?: number, client: number, by: string, room?: string, asked: "write" | "read", action?: string, line?: string, detail?: string, may_change_nothing?: boolean, level?: string, least?: number, outcome: "ok" | "refused" | "unknown", version?: number, lines?: string[], earlier?: number, code?: string}} CallLine
 */
/** @typedef {{kind: "push", at: number, client: number, room: string, version: number, resync?: boolean, closed?: boolean}} PushLine */
/** @typedef {{kind: "told", at: number, node?: number, about: string, text: string}} ToldLine */
/**
 * From here on only each `one_in`-th of a node's everyday messages is told; with 1 all are.
 * @typedef {{kind: "sampled", at: number, node: number, one_in: number}} SampledLine
 */
/** @typedef {{kind: "finding", at: number, promise: string, text: string}} FindingLine */
/** @typedef {{promise: string, says: string, checked: number, kept: boolean}} Judged */
/** @typedef {{kind: "verdict", at: number, good: boolean, promises: Judged[], operations?: number, left_out?: number}} VerdictLine */
/** @typedef {HeadLine | ProcessLine | RoleLine | LogLine | MembersLine | GossipLine | FaultLine | MessageLine | CallLine | PushLine | ToldLine | SampledLine | FindingLine | VerdictLine} Line */

/**
 * A while in which something held.
 * @typedef {{from: number, to: number, what: string}} Span
 */
/** @typedef {{id: number, node: number | undefined, what: string, from: number, to: number}} Fault */
/**
 * A term, from when the first node is in it: who led it, and since when.
 * @typedef {{from: number, to: number, term: number, leader: number | undefined, led: number | undefined}} TermBand
 */
/**
 * What happened, and what held before: enough to say it in words.
 * @typedef {{at: number, line: Line, before: Line | undefined}} Fact
 */
/**
 * A sentence of the story. `tone` is what it is about; `minor` ones are left out at first.
 * @typedef {import("./story.js").Entry} Entry
 */
/**
 * What is under the pointer, to be told: a title and lines of a name and a value.
 * @typedef {{at: number, title: string, rows: [string, string][], why?: import("./sources.js").Why | undefined}} Hit
 */

/**
 * What a server says of itself to the page; `viewer/settings.rs` writes it.
 * @typedef {{live: boolean, breaks: boolean, watch_only: boolean, dir?: string, frontends: string[], scenarios: Scenario[], forks: boolean, kept_us: number}} Settings
 */
/**
 * A script of scripts/faults.
 * @typedef {{name: string, about: string, nodes: number[], spares: number}} Scenario
 */
/**
 * What came of a command line: whether it was done, and what it said.
 * @typedef {{done: boolean, said: string}} Done
 */

export {};
