// A link as a QR code: pure. Bytes only, versions 1 to 10, error correction M
// (ISO/IEC 18004), which is as much as a link needs: up to 213 bytes.

/** For each version: the total of codewords, blocks, and error correction codewords per block at level M. */
const VERSIONS = [
  [26, 1, 10], [44, 1, 16], [70, 1, 26], [100, 2, 18], [134, 2, 24],
  [172, 4, 16], [196, 4, 18], [242, 4, 22], [292, 5, 22], [346, 5, 26],
].map(([total = 0, blocks = 0, check = 0], at) => ({ version: at + 1, total, blocks, check, data: total - blocks * check }));

/** Where the small squares stand, from version 2 on; six is where the first row of them always is. */
const ALIGNED = [[], [18], [22], [26], [30], [34], [22, 38], [24, 42], [26, 46], [28, 50]];

/** What fills up the data, in turn. */
const FILL = [0xec, 0x11];

/** The eight patterns that may be laid over the data; the one that reads best is. */
const MASKS = [
  (/** @type {number} */ y, /** @type {number} */ x) => (y + x) % 2,
  (/** @type {number} */ y) => y % 2,
  (/** @type {number} */ _, /** @type {number} */ x) => x % 3,
  (/** @type {number} */ y, /** @type {number} */ x) => (y + x) % 3,
  (/** @type {number} */ y, /** @type {number} */ x) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2,
  (/** @type {number} */ y, /** @type {number} */ x) => ((y * x) % 2) + ((y * x) % 3),
  (/** @type {number} */ y, /** @type {number} */ x) => (((y * x) % 2) + ((y * x) % 3)) % 2,
  (/** @type {number} */ y, /** @type {number} */ x) => (((y + x) % 2) + ((y * x) % 3)) % 2,
];

/**
 * The code as rows of dark (true) and light, without the light frame around it;
 * null when the text is too long.
 * @param {string} text @returns {boolean[][] | null}
 */
export function qr(text) {
  const bytes = [...new TextEncoder().encode(text)];
  const kind = VERSIONS.find(({ version, data }) => bytes.length + (version < 10 ? 2 : 3) <= data);
  if (!kind) return null;
  const bits = interleaved(filled(bytes, kind), kind).flatMap((byte) => bitsOf(byte, 8));
  const tried = MASKS.map((mask, at) => painted(kind.version, bits, mask, at));
  return tried.reduce((best, next) => (penalty(next) < penalty(best) ? next : best));
}

/** The data codewords: kind, length, bytes, an end, and filling. @param {number[]} bytes @param {typeof VERSIONS[number]} kind */
function filled(bytes, { version, data }) {
  const bits = [0, 1, 0, 0, ...bitsOf(bytes.length, version < 10 ? 8 : 16), ...bytes.flatMap((byte) => bitsOf(byte, 8))];
  bits.push(0, 0, 0, 0);
  // Four bits of kind and four of the end make whole bytes of all the rest.
  const words = Array.from({ length: bits.length / 8 }, (_, at) => bits.slice(at * 8, at * 8 + 8).reduce((sum, bit) => sum * 2 + bit, 0));
  while (words.length < data) words.push(FILL[(words.length - bits.length / 8) % 2] ?? 0);
  return words;
}

/** Data in blocks, each with its own error correction, dealt out like cards. @param {number[]} words @param {typeof VERSIONS[number]} kind */
function interleaved(words, { blocks, check, data }) {
  const short = Math.floor(data / blocks);
  const longer = data % blocks;
  const begins = (/** @type {number} */ at) => at * short + Math.max(0, at - (blocks - longer));
  const parts = Array.from({ length: blocks }, (_, at) => words.slice(begins(at), begins(at + 1)));
  const checks = parts.map((part) => remainder(part, generator(check)));
  return [...dealt(parts, short + 1), ...dealt(checks, check)];
}

/** @param {number[][]} parts @param {number} longest */
function dealt(parts, longest) {
  return Array.from({ length: longest }, (_, at) => parts.flatMap((part) => (at < part.length ? [part[at] ?? 0] : []))).flat();
}

/** Multiplies in the field of 256 elements that the standard uses. @param {number} a @param {number} b */
function times(a, b) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ ((product >> 7) * 0x11d);
    product ^= ((b >> bit) & 1) * a;
  }
  return product;
}

/** The polynomial error correction divides by, highest power left out. @param {number} degree */
function generator(degree) {
  let factors = [1];
  let root = 1;
  for (let power = 0; power < degree; power += 1) {
    const shifted = [...factors, 0];
    const scaled = [0, ...factors.map((factor) => times(factor, root))];
    factors = shifted.map((factor, at) => factor ^ (scaled[at] ?? 0));
    root = times(root, 2);
  }
  return factors.slice(1);
}

/** @param {number[]} words @param {number[]} divisor */
function remainder(words, divisor) {
  let rest = divisor.map(() => 0);
  for (const word of words) {
    const factor = word ^ (rest[0] ?? 0);
    const shifted = [...rest.slice(1), 0];
    rest = divisor.map((part, at) => times(part, factor) ^ (shifted[at] ?? 0));
  }
  return rest;
}

/**
 * Everything on its place, under one mask.
 * @param {number} version @param {number[]} bits @param {(y: number, x: number) => number} mask @param {number} maskAt
 */
function painted(version, bits, mask, maskAt) {
  const size = 17 + 4 * version;
  const fixed = furniture(version, size);
  formatBits(maskAt).forEach((bit, at) => {
    for (const [y, x] of formatPlaces(at, size)) setAt(fixed, y, x, bit === 1);
  });
  let next = 0;
  return path(size).reduce((grid, [y, x]) => {
    if (fixed[y]?.[x] !== undefined) return grid;
    setAt(grid, y, x, (bits[next] === 1) !== (mask(y, x) === 0));
    next += 1;
    return grid;
  }, fixed.map((row) => row.map((cell) => cell === true)));
}

/** What stands in every code of this size; undefined is free for data. @param {number} version @param {number} size */
function furniture(version, size) {
  /** @type {(boolean | undefined)[][]} */
  const grid = Array.from({ length: size }, () => Array.from({ length: size }));
  for (let at = 0; at < size; at += 1) {
    setAt(grid, 6, at, at % 2 === 0);
    setAt(grid, at, 6, at % 2 === 0);
  }
  for (const [y, x] of [[3, 3], [3, size - 4], [size - 4, 3]]) square(grid, y ?? 0, x ?? 0, 4, 2);
  const lines = version > 1 ? [6, ...(ALIGNED[version - 1] ?? [])] : [];
  for (const y of lines) {
    for (const x of lines) {
      const corner = (y === 6 && x === 6) || (y === 6 && x === size - 7) || (y === size - 7 && x === 6);
      if (!corner) square(grid, y, x, 2, 1);
    }
  }
  if (version >= 7) {
    versionBits(version).forEach((bit, at) => {
      const [far, near] = [size - 11 + (at % 3), Math.floor(at / 3)];
      setAt(grid, far, near, bit === 1);
      setAt(grid, near, far, bit === 1);
    });
  }
  // A place for the format, also while it is not known.
  for (let at = 0; at < 15; at += 1) for (const [y, x] of formatPlaces(at, size)) setAt(grid, y, x, false);
  setAt(grid, size - 8, 8, true);
  return grid;
}

/**
 * Rings around a middle: dark, but for the light one and what is outside.
 * @param {(boolean | undefined)[][]} grid @param {number} y @param {number} x @param {number} reach @param {number} light
 */
function square(grid, y, x, reach, light) {
  for (let down = -reach; down <= reach; down += 1) {
    for (let right = -reach; right <= reach; right += 1) {
      const ring = Math.max(Math.abs(down), Math.abs(right));
      setAt(grid, y + down, x + right, ring !== light && ring !== 4);
    }
  }
}

/** @param {(boolean | undefined)[][]} grid @param {number} y @param {number} x @param {boolean} dark */
function setAt(grid, y, x, dark) {
  const row = grid[y];
  if (row && x >= 0 && x < row.length) row[x] = dark;
}

/** The order in which data is laid: columns in pairs from the right, up and down in turn. @param {number} size */
function path(size) {
  /** @type {[number, number][]} */
  const places = [];
  let upwards = true;
  for (let right = size - 1; right > 0; right -= right === 8 ? 3 : 2, upwards = !upwards) {
    // The column of the timing pattern is left out.
    const column = right === 6 ? 5 : right;
    for (let step = 0; step < size; step += 1) {
      const y = upwards ? size - 1 - step : step;
      places.push([y, column], [y, column - 1]);
    }
  }
  return places;
}

/** Level M and the mask, guarded against errors. @param {number} mask */
function formatBits(mask) {
  const guarded = withCheck(mask, 10, 0x537);
  return bitsOf(guarded ^ 0x5412, 15).reverse();
}

/** Both places of a format bit, the lowest being bit 0. @param {number} bit @param {number} size @returns {[number, number][]} */
function formatPlaces(bit, size) {
  const around = bit < 6 ? bit : bit < 8 ? bit + 1 : 8;
  const along = bit < 8 ? 8 : bit === 8 ? 7 : 14 - bit;
  return [[around, along], bit < 8 ? [8, size - 1 - bit] : [size - 15 + bit, 8]];
}

/** @param {number} version */
function versionBits(version) {
  return bitsOf(withCheck(version, 12, 0x1f25), 18).reverse();
}

/** A value followed by the rest of its division. @param {number} value @param {number} length @param {number} divisor */
function withCheck(value, length, divisor) {
  let rest = value << length;
  for (let bit = 31; bit >= length; bit -= 1) if ((rest >>> bit) & 1) rest ^= divisor << (bit - length);
  return (value << length) | rest;
}

/** Highest first. @param {number} value @param {number} count */
function bitsOf(value, count) {
  return Array.from({ length: count }, (_, at) => (value >> (count - 1 - at)) & 1);
}

/** How hard a code is to read, as the standard counts it. @param {boolean[][]} grid */
function penalty(grid) {
  const size = grid.length;
  const columns = grid.map((_, x) => grid.map((row) => row[x] === true));
  const lines = [...grid, ...columns].map((row) => row.map((dark) => (dark ? "1" : "0")).join(""));
  const runs = lines.flatMap((line) => line.match(/0{5,}|1{5,}/g) ?? []).reduce((sum, run) => sum + run.length - 2, 0);
  const likeCorners = lines.reduce((sum, line) => sum + (line.match(/(?=00001011101|10111010000)/g)?.length ?? 0), 0);
  let blocks = 0;
  for (let y = 1; y < size; y += 1) {
    for (let x = 1; x < size; x += 1) {
      const dark = grid[y]?.[x];
      if (dark === grid[y - 1]?.[x] && dark === grid[y]?.[x - 1] && dark === grid[y - 1]?.[x - 1]) blocks += 1;
    }
  }
  const dark = grid.flat().filter(Boolean).length;
  const uneven = Math.floor(Math.abs((dark * 20) / (size * size) - 10));
  return runs + blocks * 3 + likeCorners * 40 + uneven * 10;
}
