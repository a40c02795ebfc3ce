// A rating over the last games as a line: pure.

/** Ratings this near to each other are drawn as if they were this far apart, so that a draw makes no mountain. */
const SPAN_MIN = 40;

/** @param {number[]} curve oldest first @param {number} width @param {number} height the path of the line, empty for fewer than two */
export function curvePath(curve, width, height) {
  if (curve.length < 2) return "";
  const [low, high] = [Math.min(...curve), Math.max(...curve)];
  const span = Math.max(high - low, SPAN_MIN);
  const bottom = (low + high - span) / 2;
  const points = curve.map((rating, at) => {
    const x = (at / (curve.length - 1)) * width;
    const y = height - ((rating - bottom) / span) * height;
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  return `M${points.join("L")}`;
}

/** The same for who does not see it. @param {number[]} curve */
export function spokenCurve(curve) {
  const [first, last] = [curve[0], curve.at(-1)];
  if (first === undefined || last === undefined || curve.length < 2) return "";
  const moved = last > first ? `up from ${first} to ${last}` : last < first ? `down from ${first} to ${last}` : `from ${first} back to ${last}`;
  return `The last ${curve.length - 1} rated games: ${moved}; lowest ${Math.min(...curve)}, highest ${Math.max(...curve)}.`;
}
