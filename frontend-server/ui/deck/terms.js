// The colour of a term, from Okabe and Ito's palette, which people who do not tell red from
// green tell apart: the same as in the lab. The number always stands beside it.

/** Each with what is readable on it. */
const COLOURS = [
  ["#0072b2", "#ffffff"],
  ["#e69f00", "#1a1a1a"],
  ["#009e73", "#0c0c0c"],
  ["#cc79a7", "#1a1a1a"],
  ["#56b4e9", "#1a1a1a"],
  ["#f0e442", "#1a1a1a"],
];

/**
 * The colour of a term, and that of text on it.
 * @param {number} term
 * @returns {[string, string]}
 */
export function termColours(term) {
  const [colour, text] = COLOURS[(term - 1) % COLOURS.length] ?? [];
  return [colour ?? "#646b75", text ?? "#ffffff"];
}
