// What the keys do, for whoever presses them and for whoever asks.

/**
 * @typedef {object} Deeds
 * @property {(way: number) => void} step to the next sentence of the story, or the one before
 * @property {(way: number) => void} lane to the next lane, or the one above
 * @property {(factor: number) => void} zoom
 * @property {(part: number) => void} pan by a part of what is in sight
 * @property {() => void} begin
 * @property {() => void} end
 * @property {() => void} all
 * @property {() => void} close what is open, or lets go of the lane
 * @property {() => void} help
 * @property {() => void} finding
 * @property {() => void} play or stand still
 * @property {(way: number) => void} speed faster or slower
 * @property {() => void} live
 */

/** Keys, and what each is for. @type {[string, string][]} */
export const KEYS = [
  ["Space", "play from this moment, or stand still"],
  ["< >", "slower, faster: down to a hundredth"],
  ["L", "live: the newest, as it comes"],
  ["G", "what Raft knows in the ring, or what gossip does"],
  ["← →", "the sentence before, the next: of the selected lane, or of all"],
  ["↑ ↓", "select the lane above, the lane below; in the story: the next sentence, with → its reason"],
  ["+ −", "zoom in, zoom out"],
  ["A D", "move to the left, to the right"],
  ["Home End", "the beginning, the end"],
  ["0", "all of it"],
  ["F", "the first broken promise"],
  ["Esc", "close what is open, let go of the lane"],
  ["?", "these keys"],
  ["wheel", "on the ruler and with Ctrl: zoom; with Shift: move"],
];

/**
 * The deed of a key, if it has one.
 * @param {string} key
 * @param {Deeds} deeds
 * @returns {(() => void) | undefined}
 */
export function deedOf(key, deeds) {
  switch (key) {
    case "ArrowLeft": return () => deeds.step(-1);
    case "ArrowRight": return () => deeds.step(1);
    case "ArrowUp": return () => deeds.lane(-1);
    case "ArrowDown": return () => deeds.lane(1);
    case "+":
    case "=": return () => deeds.zoom(2);
    case "-": return () => deeds.zoom(0.5);
    case "a": return () => deeds.pan(-0.2);
    case "d": return () => deeds.pan(0.2);
    case "Home": return deeds.begin;
    case "End": return deeds.end;
    case "0": return deeds.all;
    case "f": return deeds.finding;
    case "Escape": return deeds.close;
    case "?": return deeds.help;
    case " ": return deeds.play;
    case "<":
    case ",": return () => deeds.speed(-1);
    case ">":
    case ".": return () => deeds.speed(1);
    case "l": return deeds.live;
    default: return undefined;
  }
}

/** Where arrows and letters have a meaning of their own. */
const OWN = "input:not([type=checkbox]), textarea, select, [contenteditable], [role=tablist], [role=separator], [role=slider], [role=radiogroup], [data-keys]";
/** What the space bar presses or scrolls by itself. */
const PRESSED = "button, a, summary, input, label";

/**
 * Listens to keys, wherever the focus is, except where somebody types or a part of the page
 * has keys of its own. `Escape` and `?` are heard everywhere but where somebody types.
 * @param {Deeds} deeds
 */
export function listenToKeys(deeds) {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest(OWN) && event.key !== "Escape") return;
    if (event.key === " " && target.closest(PRESSED)) return;
    const deed = deedOf(event.key.length === 1 ? event.key.toLowerCase() : event.key, deeds);
    if (!deed) return;
    event.preventDefault();
    deed();
  });
}
