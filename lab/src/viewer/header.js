// What stands on top: the verdict in words, each promise, and how to have it again.

import { byId, el, renew } from "./dom.js";
import { unjudged } from "./model/judged.js";
import { operations } from "./model/told.js";
import { clock, counted, grouped } from "./model/words.js";

/** @typedef {import("./model/read.js").Model} Model */
/** @typedef {import("./model/types.js").FindingLine} FindingLine */

/**
 * The head of a page that stands alone.
 * @param {Model} model
 * @param {(finding: FindingLine) => void} go to what shows a broken promise
 */
export function showHeader(model, go) {
  const { head, verdict } = model;
  showTitle(model);
  byId("facts").textContent = facts(model);
  const about = byId("about");
  about.textContent = head.about ?? "";
  about.addEventListener("click", () => about.toggleAttribute("data-whole"));
  byId("verdict").replaceChildren(...ofVerdict(model, go));
  byId("verdict").dataset.good = verdict ? String(verdict.good) : "none";
  showPromises(model, go);
  if (head.command) byId("command").append(...command(head.command));
}

/** @param {Model} model */
export function showTitle({ head }) {
  document.title = `${head.title || "Timeline"} · Hangraft`;
  byId("title").textContent = head.title || "Timeline";
}

/** @param {Model} model @param {(finding: FindingLine) => void} go */
export function showPromises(model, go) {
  renew(byId("promises"), (model.verdict?.promises ?? []).map((promise) => chip(model, promise, go)));
}

/** @param {Model} model */
function facts({ head, nodes, clients, messages, begin, end }) {
  const parts = [head.from ? `${clock(begin, 1)} to ${clock(end, 1)}` : clock(end, 1), counted(nodes.size, "node"), counted(clients.size, "client"), counted(messages.length, "message")];
  if (head.began_unix_ms) parts.unshift(new Date(head.began_unix_ms).toISOString().slice(0, 19).replace("T", " ") + " UTC");
  return parts.join(" · ");
}

/** @param {Model} model @param {(finding: FindingLine) => void} go */
function ofVerdict({ head, verdict, findings, clients }, go) {
  if (!verdict) return [el("h2", {}, unjudged(head).replace("n", "N"))];
  const [finding] = findings;
  const calls = verdict.operations ?? [...clients.values()].reduce((sum, client) => sum + client.calls.length, 0);
  if (verdict.good) return [el("h2", {}, "All promises kept"), el("p", {}, `${operations(calls)} of ${counted(clients.size, "client")} were judged.`)];
  const broken = verdict.promises.filter(({ kept }) => !kept).map(({ promise }) => promise);
  const names = broken.length ? broken.join(", ") : findings.map(({ promise }) => promise).join(", ");
  const judged = el("p", {}, `${operations(calls)} were judged. `);
  const parts = [el("h2", {}, names ? `Broken: ${names}` : "Not good: a bound was passed"), judged];
  const first = firstOfEach(findings);
  for (const { promise, text } of first) {
    parts.push(el("p", { class: "tale" }, first.length > 1 ? `${promise}: ${text}` : text));
  }
  const rest = findings.length - first.length;
  if (rest > 0) parts.push(el("p", {}, `It is shown ${counted(rest, "more time")} below, in red.`));
  if (finding) judged.append(el("button", { type: "button", class: "jump", click: () => go(finding) }, `Go to the first moment that shows it, ${clock(finding.at)}`));
  return parts;
}

/**
 * The first story that shows it, for each promise that was broken.
 * @template {{promise: string}} Told
 * @param {Told[]} findings
 * @returns {Told[]}
 */
export function firstOfEach(findings) {
  return findings.filter(({ promise }, place) => findings.findIndex((one) => one.promise === promise) === place);
}

/** @param {Model} model @param {import("./model/types.js").Judged} judged @param {(finding: FindingLine) => void} go */
function chip({ findings }, { promise, says, checked, kept }, go) {
  const finding = findings.find((one) => one.promise === promise);
  const mark = el("span", { class: "mark", "aria-hidden": "true" }, kept ? "✓" : "✗");
  const inside = [mark, el("span", {}, promise), el("span", { class: "count" }, grouped(checked)), el("span", { class: "unseen" }, kept ? " kept" : " broken")];
  const press = () => finding && go(finding);
  const said = el("span", { class: "says", role: "tooltip" }, `${says} Looked at ${counted(checked, "time")}, ${kept ? "kept" : "broken"}.`);
  return el("li", {}, el("button", { type: "button", class: "chip", "data-kept": String(kept), click: press }, ...inside), said);
}

/** @param {string} text */
function command(text) {
  const button = el("button", { type: "button", class: "quiet", click: () => copy(text, button) }, "Copy");
  return [el("code", {}, text), button];
}

/**
 * Copies text, also where a page from a file may not use the clipboard itself.
 * @param {string} text
 * @param {HTMLElement} button says what came of it
 */
export function copy(text, button) {
  const named = button.textContent ?? "";
  const tell = (/** @type {boolean} */ done) => {
    button.textContent = done ? "Copied" : "Not copied";
    setTimeout(() => (button.textContent = named), 1500);
  };
  const byHand = () => tell(copiedByHand(text));
  if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => tell(true), byHand);
  else byHand();
}

/** @param {string} text */
function copiedByHand(text) {
  const field = el("textarea", { class: "unseen" });
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
