// What a round of a match came to, as a small table: pure.

/** @typedef {import("../types.js").View} View */

/** What stands where there is nothing to say. */
const NONE = "–";

/** @param {number} change */
export function signed(change) {
  return change === 0 ? "±0" : change > 0 ? `+${change}` : `−${-change}`;
}

/** "1:05", "12.4 s" @param {number} ms */
export function duration(ms) {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/**
 * Rows of the table, each a heading and what stands under each seat; empty without a result.
 * @param {View} view @param {string} me @param {import("../types.js").Good} [good] what good moves are called
 * @returns {{heads: string[], rows: {name: string, why?: string, cells: string[]}[]} | null}
 */
export function resultTable(view, me, good = { called: "Good moves" }) {
  const result = view.match?.result;
  if (!result) return null;
  const players = [...view.players].sort((a, b) => Number(b.player === me) - Number(a.player === me) || a.seat - b.seat);
  const of = (/** @type {{seat: number}[] | undefined} */ list) => players.map(({ seat }) => list?.find((one) => one.seat === seat));
  const changes = /** @type {({before: number, after: number} | undefined)[]} */ (of(result.changes));
  const statistics = /** @type {(NonNullable<typeof result.statistics>[number] | undefined)[]} */ (of(result.statistics));
  /** @type {{name: string, why?: string, cells: string[]}[]} */
  const rows = [];
  /** A row that says nothing of anybody is left out. @param {string} name @param {string[]} cells @param {string} [why] */
  const row = (name, cells, why) => void (cells.some((cell) => cell !== NONE) && rows.push({ name, cells, ...(why && { why }) }));
  row("Rating", changes.map((one) => (one ? `${one.after} (${signed(one.after - one.before)})` : NONE)));
  row("Moves", statistics.map((one) => (one ? String(one.moves) : NONE)));
  const judged = statistics.map((one, nth) => (good.role && players[nth]?.role !== good.role ? undefined : one));
  row(good.called, judged.map((one) => (one?.moves ? `${one.good} of ${one.moves}` : NONE)));
  row("Time", statistics.map((one) => (one?.moves ? duration(one.ms) : NONE)));
  row("Slowest move", statistics.map((one) => (one?.moves ? duration(one.slowest_ms) : NONE)));
  if (judged.some((one) => one?.luck)) row("Luck", judged.map((one) => (one ? luck(one.luck) : NONE)), "More or fewer hits than were to be expected");
  return { heads: players.map(({ name, player }) => (player === me ? "You" : name)), rows };
}

/** @param {number} permille */
function luck(permille) {
  const hits = Math.round(permille / 100) / 10;
  return hits === 0 ? "0" : `${hits > 0 ? "+" : "−"}${Math.abs(hits).toFixed(1)}`;
}

/** What the table is about. @param {View} view */
export function headline(view) {
  const took = view.match?.result?.ms;
  return took === undefined ? "This game in numbers" : `This game took ${duration(took)}`;
}
