// X and O as one draws them with a pencil. Which of the two is seen, the style sheet
// decides by the cell's `data-mark`.

import { svg } from "../../dom.js";

const CROSS = ["M24 22 Q50 52 78 79", "M77 23 Q49 48 22 78"];
const NOUGHT = "M52 19 Q22 20 20 50 Q21 80 51 81 Q81 79 80 49 Q78 20 46 20";

export class MarkPicture {
  constructor() {
    const cross = svg("g", { class: "x" }, ...CROSS.map(stroke));
    const nought = svg("g", { class: "o" }, stroke(NOUGHT));
    this.element = svg("svg", { class: "mark", viewBox: "0 0 100 100", "aria-hidden": "true" }, cross, nought);
  }
}

/** @param {string} d */
function stroke(d) {
  return svg("path", { d, pathLength: 1 });
}
