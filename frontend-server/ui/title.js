// The title of the page, with a mark in front while the page is hidden and something waits
// for the player there.

/** What marks a title; a tab shows little more than this. */
const MARK = "● ";

/** What waits until the page is looked at. */
const UNSEEN = "unseen";

let title = "";
/** What waits for the player. @type {Set<string>} */
const waiting = new Set();

/** @param {string} text empty for the page itself */
export function setTitle(text) {
  title = text ? `${text} · Hangraft` : "Hangraft";
  show();
}

/** @param {string} what @param {boolean} waits whether it waits for the player */
export function setWaiting(what, waits) {
  if (waits) waiting.add(what);
  else waiting.delete(what);
  show();
}

/** Something has happened that the player sees when they look. */
export function markUnseen() {
  setWaiting(UNSEEN, document.visibilityState === "hidden");
}

function show() {
  const marked = (waiting.size && document.visibilityState === "hidden" ? MARK : "") + title;
  if (document.title !== marked) document.title = marked;
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") waiting.delete(UNSEEN);
  show();
});
