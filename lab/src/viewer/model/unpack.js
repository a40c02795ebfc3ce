// The lines of a timeline, from the tables that pack.rs made of them.

/** @typedef {import("./types.js").Line} Line */
/** @typedef {{kind: string, columns: [string, string][], rows: any[][]}} Table */
/** @typedef {{order: string, texts: string[], tables: Table[]}} Packed */

/**
 * All lines in their order.
 * @param {Packed} packed
 * @returns {Generator<Line>}
 */
export function* unpack(packed) {
  const readers = packed.tables.map((table) => rows(table, packed.texts));
  for (const letter of packed.order) {
    const next = readers[letter.charCodeAt(0) - 97]?.next();
    if (next && !next.done) yield /** @type {Line} */ (next.value);
  }
}

/**
 * @param {Table} table
 * @param {string[]} texts
 */
function* rows(table, texts) {
  let time = 0;
  for (const cells of table.rows) {
    /** @type {Record<string, unknown>} */
    const line = { kind: table.kind };
    table.columns.forEach(([name, holds], place) => {
      const cell = cells[place] ?? 0;
      if (holds === "time") line[name] = time += cell;
      else if (cell !== 0) line[name] = value(holds, cell, time, texts);
    });
    yield line;
  }
}

/**
 * @param {string} holds
 * @param {any} cell
 * @param {number} time
 * @param {string[]} texts
 */
function value(holds, cell, time, texts) {
  switch (holds) {
    case "after":
      return time + cell - 1;
    case "number":
      return cell - 1;
    case "flag":
      return cell === 2;
    case "text":
      return texts[cell - 1];
    case "texts":
      return cell.map((/** @type {number} */ place) => texts[place - 1]);
    default:
      return cell;
  }
}
