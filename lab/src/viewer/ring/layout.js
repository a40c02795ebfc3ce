// Where everything stands: nodes in a ring, frontends around it, players at the edge. Where
// there is more width than height, players and frontends stand left and right of the ring,
// and words beside their nodes; otherwise all around, and words above and below.

/** @typedef {{x: number, y: number, r: number, angle: number}} Place */
/**
 * All places, in CSS pixels from the picture's left and top. `centre` is halfway
 * between the highest node and the lowest; `sides` is on which side of a node its words stand.
 * @typedef {{width: number, height: number, centre: {x: number, y: number}, tight: boolean, nodes: Map<number, Place>, sides: Map<number, "above" | "below" | "left" | "right">, frontends: Map<string, Place>, clients: Map<number, Place>}} Layout
 */

/** Between the picture's edge and the players. */
const EDGE = 12;
/** How much room players and frontends take, each on its side. */
const APART = 28;
/** The same on a narrow picture. */
const CLOSE = 22;
const NARROW = 480;
/** How much room a node's words take beside it, and above or below it. */
const BESIDE = 84;
/** Where that is too much, only of few nodes something is said, and below those that stand as high as a frontend at the side. */
const TIGHT = 30;
const LEVEL = 0.35;
const ABOVE = 34;
/** Around a node's disc: its timer, and a crown above it. */
const ROUND = 12;
const CROWN = 10;
/** Players and frontends left and right stand within this angle of the horizontal. */
const ARC = 0.95;
/** Players stand no farther from the middle than so many times the height. */
const BROAD = 1.3;
/** A disc is no smaller; with room beside it, few nodes have discs on which a term of two digits has room. */
const SMALLEST = 19;
const ROOMY = 21;
const FEW = 5;
/** The ring is no more than so many times as high as wide, or as wide as high. */
const LONGEST = 1.3;

/**
 * @param {number} width
 * @param {number} height
 * @param {readonly number[]} nodes
 * @param {readonly string[]} frontends
 * @param {readonly number[]} clients
 * @returns {Layout}
 */
export function layout(width, height, nodes, frontends, clients) {
  const wide = width > height * 1.15;
  const middle = { x: width / 2, y: height / 2 };
  const outer = { a: Math.max(60, Math.min(width / 2, height * BROAD) - EDGE), b: Math.max(60, height / 2 - EDGE) };
  const apart = width < NARROW ? CLOSE : APART;
  const edge = (clients.length ? apart : 0) + (frontends.length ? apart : 0);
  const r = radius(nodes.length, Math.min(width * 0.75, height), wide);
  const tight = wide && outer.a - r - ROUND - edge - BESIDE < 2.6 * r;
  const besideNodes = r + ROUND + edge + (tight ? TIGHT : wide ? BESIDE : 4);
  const aboveNodes = r + CROWN + (wide ? 4 : edge + ABOVE);
  // Of an odd number of nodes none stands at the bottom: the ring may be higher, and lower.
  const low = nodes.length % 2 && nodes.length > 1 ? Math.cos(Math.PI / nodes.length) : 1;
  const [a, b] = [Math.max(46, outer.a - besideNodes), Math.max(46, (2 * (outer.b - aboveNodes)) / (1 + low))];
  const inner = { a: Math.min(a, b * LONGEST), b: Math.min(b, a * LONGEST) };
  const centre = { x: middle.x, y: middle.y + (inner.b * (1 - low)) / 2 + CROWN / 2 };
  /** @type {Layout} */
  const made = { width, height, centre: { x: middle.x, y: middle.y + CROWN / 2 }, tight, nodes: new Map(), sides: new Map(), frontends: new Map(), clients: new Map() };
  nodes.forEach((id, place) => {
    const angle = turn(place, nodes.length);
    made.nodes.set(id, on(centre, inner, angle, r));
    made.sides.set(id, tight && Math.abs(Math.sin(angle)) < LEVEL ? "below" : sideOf(angle, wide));
  });
  const table = { a: outer.a - (clients.length ? apart : 0), b: outer.b - (clients.length ? apart : 0) };
  frontends.forEach((name, place) => made.frontends.set(name, edgeOf(middle, table, wide, wide ? beside(place, frontends.length) : between(place, frontends.length, nodes.length), 10)));
  clients.forEach((id, place) => made.clients.set(id, edgeOf(middle, outer, wide, wide ? beside(place, clients.length) : turn(place + 0.5, clients.length), clients.length > 24 ? 3.5 : 4.5)));
  return made;
}

/** @param {number} count @param {number} room @param {boolean} wide */
function radius(count, room, wide) {
  const least = wide && count <= FEW ? ROOMY : SMALLEST;
  const most = count <= 3 ? 38 : count <= 5 ? 34 : count <= 7 ? 30 : 26;
  return Math.max(least, Math.min(most, room * (count <= 5 ? 0.086 : 0.07)));
}

/** The angle of a place in a ring, clockwise from the top. @param {number} place @param {number} count */
function turn(place, count) {
  return -Math.PI / 2 + (place / Math.max(1, count)) * 2 * Math.PI;
}

/** The angle of one of those that stand left and right, half of them on each side. @param {number} place @param {number} count */
function beside(place, count) {
  const left = Math.ceil(count / 2);
  const onLeft = place < left;
  const [among, at] = onLeft ? [left, place] : [count - left, place - left];
  const part = among === 1 ? 0 : at / (among - 1) - 0.5;
  return onLeft ? Math.PI - part * 2 * ARC * spread(among) : part * 2 * ARC * spread(among);
}

/** Few stand close together. @param {number} count */
function spread(count) {
  return Math.min(1, count / 8);
}

/** The angle of a gap between nodes. @param {number} place @param {number} count @param {number} nodes */
function between(place, count, nodes) {
  const gaps = Math.max(nodes, 1);
  return turn(Math.round((place * gaps) / count) + 0.5, gaps);
}

/** At the edge: left and right it is steeper than an ellipse, which leaves room for words. @param {{x: number, y: number}} centre @param {{a: number, b: number}} ellipse @param {boolean} wide @param {number} angle @param {number} r */
function edgeOf(centre, ellipse, wide, angle, r) {
  const place = on(centre, ellipse, angle, r);
  const steep = Math.sign(Math.cos(angle)) * Math.sqrt(Math.abs(Math.cos(angle)));
  return wide ? { ...place, x: centre.x + ellipse.a * steep } : place;
}

/** @param {number} angle @param {boolean} wide @returns {"above" | "below" | "left" | "right"} */
function sideOf(angle, wide) {
  if (wide) return Math.cos(angle) < -0.15 ? "left" : "right";
  return Math.sin(angle) < -0.3 ? "above" : "below";
}

/** @param {{x: number, y: number}} centre @param {{a: number, b: number}} ellipse @param {number} angle @param {number} r @returns {Place} */
function on(centre, { a, b }, angle, r) {
  return { x: centre.x + a * Math.cos(angle), y: centre.y + b * Math.sin(angle), r, angle };
}

/**
 * A place on the way from one to another, from edge to edge.
 * @param {Place} from
 * @param {Place} to
 * @param {number} part 0 to 1
 * @param {number} [aside] pixels to the right of the way, seen along it
 * @returns {{x: number, y: number}}
 */
export function along(from, to, part, aside = 0) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const far = Math.hypot(dx, dy) || 1;
  const way = from.r + part * Math.max(0, far - from.r - to.r);
  return { x: from.x + (dx * way - dy * aside) / far, y: from.y + (dy * way + dx * aside) / far };
}
