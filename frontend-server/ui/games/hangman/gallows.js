// The drawing: a raft at sea whose mast is the gallows. Every lost life adds a
// stroke; a won round sets the figure on deck and hoists the flag.

import { set, svg } from "../../dom.js";

/** The raft, drawn once when the page opens, in this order. */
const RAFT = [
  "M62 203 Q150 199 246 202 Q255 206 246 211 Q150 208 62 212 Q53 207 62 203Z",
  "M54 213 Q150 209 254 212 Q263 217 254 222 Q150 219 54 223 Q45 218 54 213Z",
  "M86 200 Q89 211 85 224 M90 200 Q93 211 89 224 M216 200 Q213 211 217 224 M220 200 Q217 211 221 224",
  "M100 202 Q97 130 101 34",
  "M88 40 Q150 35 216 39",
  "M101 74 Q116 58 131 40",
  "M196 38 Q194 52 196 68",
];

/** The figure in six strokes, in the order in which lives are lost. */
const FIGURE = [
  "M196 68 Q213 69 212 84 Q210 100 195 99 Q180 97 181 83 Q183 69 196 68Z",
  "M196 99 Q193 122 196 148",
  "M195 112 Q181 120 172 137",
  "M196 112 Q210 119 220 136",
  "M196 148 Q186 163 180 183",
  "M196 148 Q205 164 213 182",
];

/** Eyes and mouth when all is lost. */
const LOST = "M186 79 L192 86 M192 79 L186 86 M200 79 L206 86 M206 79 L200 86 M189 93 Q196 89 204 93";

/** The figure on deck, arms up, when the word was found. */
const SAVED = [
  "M160 128 Q176 129 175 143 Q173 157 159 156 Q145 154 146 141 Q148 129 160 128Z",
  "M160 156 Q158 168 160 180",
  "M159 164 Q146 156 138 140",
  "M160 164 Q174 156 182 140",
  "M160 180 Q153 190 150 201",
  "M160 180 Q167 190 171 201",
  "M154 139 L154 141 M166 139 L166 141 M152 146 Q160 154 168 146",
];
const FLAG = "M101 30 Q118 20 134 28 Q122 33 136 42 Q118 36 101 44Z";
const SEA = [
  "M4 226 Q20 216 36 226 T68 226 T100 226 T132 226 T164 226 T196 226 T228 226 T260 226 T296 226",
  "M22 238 Q36 230 50 238 T78 238 M176 238 Q190 230 204 238 T232 238 T260 238",
  "M84 249 Q98 242 112 249 T140 249 T168 249",
];

export class Gallows {
  #figure = FIGURE.map((d) => stroke(d, "part"));
  #face = stroke(LOST, "part face");
  #saved = svg("g", { class: "saved" }, ...SAVED.map((d) => stroke(d, "part drawn")), stroke(FLAG, "flag"));
  #raft = svg("g", { class: "raft" }, ...RAFT.map((d) => stroke(d, "wood")));
  #caption = svg("title");

  constructor() {
    const hanging = svg("g", { class: "hanging" }, ...this.#figure, this.#face);
    this.#raft.append(hanging, this.#saved);
    const sea = svg("g", { class: "sea" }, ...SEA.map((d) => stroke(d, "wave")));
    const scene = svg("g", { filter: "url(#pencil)" }, this.#raft, sea);
    this.element = svg("svg", { class: "gallows", viewBox: "0 0 300 256", role: "img" }, this.#caption, pencil(), scene);
  }

  /** @param {import("./types.js").HangmanView} view */
  update(view) {
    const lost = view.lives_max - view.lives;
    // Fewer or more lives than strokes share the strokes out evenly.
    const shown = Math.round((lost / Math.max(view.lives_max, 1)) * FIGURE.length);
    this.#figure.forEach((part, at) => set(part, { "data-drawn": at < shown }));
    set(this.#face, { "data-drawn": view.state === "lost" });
    set(this.element, { "data-end": view.state === "won" || view.state === "lost" ? view.state : null });
    this.#caption.textContent = `The gallows on the raft: ${lost} of ${view.lives_max} strokes drawn`;
  }
}

/** @param {string} d @param {string} name */
function stroke(d, name) {
  return svg("path", { d, class: name, pathLength: 1 });
}

/** Makes clean curves look drawn by hand. */
function pencil() {
  const noise = svg("feTurbulence", { type: "fractalNoise", baseFrequency: "0.035", numOctaves: 3, seed: 4, result: "noise" });
  const bend = svg("feDisplacementMap", { in: "SourceGraphic", in2: "noise", scale: 4 });
  return svg("filter", { id: "pencil", x: "-5%", y: "-5%", width: "110%", height: "110%" }, noise, bend);
}
