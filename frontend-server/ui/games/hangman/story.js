// Hangman in words: pure. What a screen reader hears is told from two views, so
// it is the same whether the changes between came one by one or all at once.

import { conceded } from "../../contest/words.js";
import { many } from "../../text.js";

/** @typedef {import("./types.js").HangmanView} View */
/** @typedef {import("./types.js").Tried} Tried */

export const LETTERS = [..."abcdefghijklmnopqrstuvwxyz"];

/** The base letter of what was typed, such as "e" for "É"; empty when it is none. @param {string} key */
export function baseLetter(key) {
  const letter = key.normalize("NFD").charAt(0).toLowerCase();
  return [...key].length === 1 && LETTERS.includes(letter) ? letter : "";
}

/** How each tried letter went, by letter. @param {View} view @returns {Map<string, Tried>} */
export function triedLetters(view) {
  return new Map(view.tried.flatMap((tried) => (tried.letter ? [[tried.letter, tried]] : [])));
}

/** "k__n_ k_": what tests and tooltips call the word. @param {View} view */
export function plainPattern(view) {
  return view.pattern.map((letter) => letter ?? "_").join("");
}

/** The word as it is read out. @param {View} view */
export function spokenPattern(view) {
  if (view.pattern.length === 0) return "No word yet";
  /** @type {Record<string, string>} */
  const names = { " ": "space", "-": "hyphen", "'": "apostrophe" };
  const letters = view.pattern.map((letter) => (letter === null ? "blank" : (names[letter] ?? letter.toUpperCase())));
  return `The word: ${letters.join(", ")}`;
}

/** @param {Tried} tried @param {string} me */
export function spokenGuess({ name, player, letter, word, hits }, me) {
  const who = player === me ? "You" : name;
  if (letter) return `${who} guessed ${letter.toUpperCase()}: ${hits ? many(hits, "hit") : "no hit"}.`;
  return `${who} tried “${word ?? ""}”: ${hits ? "right" : "wrong"}.`;
}

/** @param {View} view */
export function spokenLives(view) {
  return view.lives === 1 ? "One life left." : `${many(view.lives, "life").replace("lifes", "lives")} left.`;
}

/** How the round ended, in one sentence; empty while it goes on. @param {View} view @param {string} me */
export function ending(view, me) {
  const winner = view.players.find(({ player }) => player === view.winner);
  const who = view.winner === me ? "You" : (winner?.name ?? "Somebody");
  if (view.state === "draw") return "A draw was agreed.";
  if (view.how && (view.state === "won" || view.state === "lost")) return conceded(view, me, view.winner, view.how);
  if (view.match && (view.state === "won" || view.state === "lost")) return duelEnding(view, me);
  if (view.state === "won") return `${who} found it. Everybody is safe.`;
  if (view.state !== "lost") return "";
  return view.mode === "setter" ? `Nobody found it. ${who} had the better word.` : "Nobody found it, and the raft is one short.";
}

/** How it ended between two: one of them has won. @param {View} view @param {string} me */
function duelEnding({ state, players, setter }, me) {
  const guesser = players.find(({ seat }) => seat !== setter);
  const other = players.find(({ seat }) => seat === setter);
  const mine = guesser?.player === me;
  if (state === "won") return mine ? "You found it. You win!" : `${guesser?.name ?? "The other"} found it and wins.`;
  const missed = mine ? "You did not find it." : `${guesser?.name ?? "The other"} did not find it.`;
  return `${missed} ${other?.player === me ? "You win!" : `${other?.name ?? "The other"} wins.`}`;
}

/** What everybody waits for, in one line. @param {View} view @param {string} me */
export function situation(view, me) {
  const over = ending(view, me);
  if (over) return over;
  const setter = view.players.find(({ seat }) => seat === view.setter);
  const mine = setter?.player === me;
  if (view.state === "waiting") {
    if (!setter) return "Waiting for somebody to set a word.";
    if (mine) return "You set the word. Make it a good one.";
    return setter.online ? `${setter.name} is choosing a word…` : `${setter.name} was to set a word, but is away.`;
  }
  if (mine && view.players.length < 2) return "Your word is set. Share the link, so that somebody can guess it.";
  if (mine && view.tried.length === 0) return "Your word. Watch them guess.";
  const last = view.tried.at(-1);
  return last ? spokenGuess(last, me) : "Pick a letter.";
}

/**
 * Whether everybody waits for this player: for a word, or for a letter when there is nobody
 * else who guesses.
 * @param {View} view @param {string} me
 */
export function awaits(view, me) {
  const mine = view.players.find(({ player }) => player === me);
  if (!mine) return false;
  const sets = mine.seat === view.setter;
  if (view.state === "waiting") return sets;
  return view.state === "playing" && !sets && view.mode === "setter" && view.players.length === 2;
}

/**
 * What happened on the board between two views, as sentences.
 * @param {View | null} before null when there was none
 * @param {View} after @param {string} me
 * @returns {string[]}
 */
export function story(before, after, me) {
  const lines = [];
  const anew = !before || before.round !== after.round || before.pattern.length !== after.pattern.length;
  if (anew) lines.push(`Round ${after.round}.`, ...(after.pattern.length ? [opening(after)] : [situation(after, me)]));
  const guesses = after.tried.slice(anew ? after.tried.length : before.tried.length);
  lines.push(...guesses.map((tried) => spokenGuess(tried, me)));
  if (guesses.length && after.state === "playing") lines.push(spokenPattern(after), spokenLives(after));
  if (after.state !== before?.state && ending(after, me)) lines.push(ending(after, me), `It was: ${after.answer ?? ""}.`);
  return lines;
}

/** @param {View} view */
function opening(view) {
  const size = many(places(view), "letter");
  return `${size}${view.category ? `, ${view.category}` : ""}. ${spokenPattern(view)}. ${spokenLives(view)}`;
}

/** Any letter, also one that is no letter a to z with an accent, such as "ł". */
const LETTER = /\p{L}/u;

/** How many places of the word are letters. @param {View} view */
export function places(view) {
  return view.pattern.filter((letter) => letter === null || LETTER.test(letter)).length;
}

/** Letters that are two when spelled out, as the rules have them. */
const LIGATURES = /[ßæœþĳ]/g;

/** Letters of what was typed, spelled out. @param {string} typed */
export function letterCount(typed) {
  return [...typed.toLowerCase().replace(LIGATURES, "xx")].filter((one) => LETTER.test(one)).length;
}

/**
 * Why a guess of the whole word cannot be right, as far as counting tells; empty
 * when it may be. A hidden ligature takes one place and is typed as two letters,
 * so a word may be longer than its places, but never shorter.
 * @param {View} view @param {string} typed
 */
export function misfit(view, typed) {
  const letters = letterCount(typed);
  const needed = places(view);
  if (letters >= needed && letters <= 2 * needed) return "";
  return `The word has ${many(needed, "letter")}; this has ${letters}.`;
}
