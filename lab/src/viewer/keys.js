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
 */

/** Keys, and what each is for. @type {[string, string][]} */
export const KEYS = [
  ["← →", "the sentence before, the next: of the selected lane, or of all"],
  ["↑ ↓", "select the lane above, the lane below"],
  ["+ −", "zoom in, zoom out"],
  ["A D", "move to the left, to the right"],
  ["Home End", "the beginning, the end"],
  ["0", "all of it"],
  ["F", "the first broken promise"],
  ["Esc", "let go of the lane"],
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
    default: return undefined;
  }
}

/**
 * Listens to keys, wherever the focus is, except where somebody types.
 * @param {Deeds} deeds
 */
export function listenToKeys(deeds) {
  addEventListener("keydown", (event) => {
    const { target } = event;
    const types = target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && target.type !== "checkbox");
    if (types || event.ctrlKey || event.metaKey || event.altKey) return;
    const deed = deedOf(event.key, deeds);
    if (!deed) return;
    event.preventDefault();
    deed();
  });
}
