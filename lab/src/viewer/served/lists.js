// Lists of the panel: what is broken now, what was done, the scenarios, the score.

import { el } from "../dom.js";
import { copy } from "../header.js";
import { headOf } from "../break/standing.js";
import { scenarioOffers } from "../break/patterns.js";
import { clock } from "../model/words.js";

/** @typedef {import("../break/active.js").Wrong} Wrong */
/** @typedef {import("../break/offers.js").Offer} Offer */
/** @typedef {import("../break/score.js").Scores} Scores */
/** @typedef {import("./deeds.js").Deed} Deed */

/**
 * What is broken, each with what ends it.
 * @param {Wrong[]} wrongs
 * @param {(words: string[]) => string} line
 * @param {((words: string[]) => void) | undefined} perform nothing where nothing may be done
 */
export function wrongList(wrongs, line, perform) {
  return wrongs.map(({ text, until, heal, more }) => {
    const verb = heal[0] === "fault" ? "Heal" : heal[0] === "resume" ? "Resume" : "Restart";
    const about = more ? `${line(heal)}, which ends all other faults of ${heal.slice(2).join(" and ")} too` : line(heal);
    const button = el("button", { type: "button", class: "quiet", "data-key": heal.join(" "), title: about, disabled: !perform, "aria-label": `${verb}: ${text}`, click: () => perform?.(heal) }, more ? `${verb} ${heal.slice(2).join(", ")}` : verb);
    return el("li", {}, el("span", {}, text), el("small", { "data-until": until === undefined ? undefined : String(until) }), button);
  });
}

/**
 * How long something still lasts.
 * @param {number} until
 * @param {number} now
 */
export function left(until, now) {
  return until > now ? `${Math.ceil((until - now) / 1e6)} s left` : "ends";
}

/**
 * A command line, broken between words only.
 * @param {string} line
 */
export function code(line) {
  return el("code", {}, ...words(line));
}

/**
 * Each word of a command line, and the spaces between them.
 * @param {string} line
 * @returns {(Node | string)[]}
 */
export function words(line) {
  return line.split(" ").flatMap((word, place) => (place ? [" ", el("span", {}, word)] : [el("span", {}, word)]));
}

/**
 * What was done, the newest first.
 * @param {readonly Deed[]} list
 * @param {(time: number) => void} go
 */
export function doneList(list, go) {
  return list.toReversed().map((deed) => {
    const { at, line, done, said, came } = deed;
    const button = el("button", { type: "button", class: "quiet", "data-key": `copy ${at}`, "aria-label": `Copy ${line}`, click: () => copy(line, button) }, "Copy");
    const moment = el("button", { type: "button", class: "jump", "data-key": `go ${at}`, title: "Show this moment", click: () => go(at) }, clock(at, 1));
    const what = said === "" ? (done === undefined ? "…" : "done") : said;
    return el("li", { "data-done": String(done) }, el("div", { class: "line" }, moment, code(line), button), el("p", { class: "said" }, what), ...(came ? [el("p", { class: "came" }, `→ ${came}`)] : []));
  });
}

/**
 * Scripts of faults; those that do not fit are grey and say why.
 * @param {import("../model/types.js").Scenario[]} scenarios
 * @param {{voters: number, spares: number}} here
 * @param {(offer: Offer) => void} choose
 */
export function scenarioList(scenarios, here, choose) {
  const abouts = new Map(scenarios.map(({ name, about }) => [name, headOf(about).what]));
  return scenarioOffers(scenarios, here).map((offer) => {
    const { label, unfit } = offer;
    const button = el("button", { type: "button", "data-key": `scenario ${label}`, class: unfit ? "unfit" : undefined, click: () => choose(offer) }, el("b", {}, label), el("span", {}, abouts.get(label) ?? ""), ...(unfit ? [el("em", {}, unfit)] : []));
    return el("li", {}, button);
  });
}

/** @param {Scores} scores */
export function scoreTable(scores) {
  const rows = scores.table().map(({ team, right, asked, streak, best }) => el("tr", {}, el("th", { scope: "row" }, team || "You"), el("td", {}, `${right} of ${asked}`), el("td", {}, String(streak)), el("td", {}, String(best))));
  if (!rows.length) return el("p", {}, "Nobody has guessed yet.");
  const head = ["Team", "Right", "In a row", "Best row"].map((text) => el("th", { scope: "col" }, text));
  return el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows));
}
