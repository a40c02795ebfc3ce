// What is said aside from the board: to screen readers through a live region,
// and to everybody through a short note at the edge.

import { el } from "./dom.js";

/** How long a note stays (ms). */
const NOTE_STAYS = 4500;

/** Notes shown at once; an older one makes room. */
const NOTES_MAX = 3;

const live = el("div", { class: "unseen", "aria-live": "polite", "data-testid": "announcements" });
/** Brief messages. Each screen has a place for them where they cover nothing that is read or pressed. */
export const notes = el("div", { class: "notes", role: "status", "data-testid": "notes" });

/** What is only read aloud; to put on the page, once. */
export const announcer = live;

/** Says something to screen readers. @param {string} sentence */
export function announce(sentence) {
  const line = el("p", {}, sentence);
  live.append(line);
  setTimeout(() => line.remove(), NOTE_STAYS);
}

/** Shows something briefly, such as why a wish was refused; the same thing again adds nothing. @param {string} message */
export function note(message) {
  if (notes.lastElementChild?.textContent === message) return;
  const line = el("p", { class: "note" }, message);
  notes.append(line);
  while (notes.children.length > NOTES_MAX) notes.firstElementChild?.remove();
  setTimeout(() => line.remove(), NOTE_STAYS);
}
