// Which node, or which link: chosen by buttons, and what can be done to it.

import { el } from "../dom.js";
import { termColours } from "../colours.js";
import { FRONTENDS, linkOffers, nodeOffers } from "../break/offers.js";
import { standingText } from "../break/standing.js";

/** @typedef {import("../break/offers.js").Offer} Offer */
/** @typedef {import("../break/standing.js").Standing} Standing */

/**
 * One end or two.
 * @typedef {{one: string, other: string}} Chosen
 */

/**
 * What can be done to what is chosen, and how it is called; nothing when nothing is.
 * @param {Chosen} chosen
 * @param {Standing[]} all
 * @param {boolean} demo whether processes can be reached
 * @returns {{subject: string, says: string, offers: Offer[]} | undefined}
 */
export function chosenOffers({ one, other }, all, demo) {
  const first = all.find(({ name }) => name === one);
  if (!first) return undefined;
  if (other === "") return { subject: one, says: `${one} ${standingText(first)}`, offers: nodeOffers(first, all, demo) };
  const subject = `${one} – ${other}`;
  const silent = [one, other].filter((name) => all.some((end) => end.name === name && end.process !== "runs"));
  if (silent.length) return { subject, says: `${silent.join(" and ")} must run: a command does all it says or nothing.`, offers: [] };
  return { subject, says: `What goes between ${one} and ${other}`, offers: linkOffers(one, other) };
}

/**
 * Whom a node has a link to.
 * @param {string} one
 * @param {Standing[]} all
 * @returns {string[]}
 */
export function others(one, all) {
  if (!all.some(({ name, id }) => name === one && id !== undefined)) return [];
  const nodes = all.filter(({ id, name, process, votes }) => id !== undefined && name !== one && (votes || process !== "gone")).map(({ name }) => name);
  return [...nodes, FRONTENDS];
}

/**
 * The buttons to choose by.
 * @param {Chosen} chosen
 * @param {Standing[]} all
 * @param {(chosen: Chosen) => void} choose
 */
export function picker(chosen, all, choose) {
  const ends = all.map((standing) => {
    const pressed = standing.name === chosen.one;
    const press = () => choose({ one: pressed ? "" : standing.name, other: "" });
    return el("button", { type: "button", class: "end", "data-key": `one ${standing.name}`, "data-process": standing.process, "aria-pressed": String(pressed), title: standingText(standing), click: press }, ...sign(standing));
  });
  const parts = [el("div", { class: "ends", role: "group", "aria-label": "Node or frontend" }, ...ends)];
  const links = others(chosen.one, all).map((name) => {
    const pressed = name === chosen.other;
    const press = () => choose({ one: chosen.one, other: pressed ? "" : name });
    return el("button", { type: "button", class: "end", "data-key": `other ${name}`, "aria-pressed": String(pressed), click: press }, name);
  });
  if (links.length) parts.push(el("div", { class: "ends", role: "group", "aria-label": `The link from ${chosen.one} to` }, el("span", { class: "to" }, "link to"), ...links));
  return parts;
}

/** @param {Standing} standing */
function sign({ name, id, process, role, leads, term, votes }) {
  if (id === undefined) return [el("span", {}, name), ...(process === "runs" ? [] : [el("small", {}, process)])];
  const number = el("span", { class: "term", "aria-hidden": "true" }, term ? String(term) : "–");
  [number.style.background, number.style.color] = termColours(process === "runs" ? term : 0);
  const is = process !== "runs" ? process : leads ? "leads" : role === "leader" ? "led" : votes ? "" : "spare";
  return [number, el("span", {}, name), ...(is ? [el("small", {}, is)] : [])];
}

/**
 * Offers as buttons, group by group.
 * @param {Offer[]} offers
 * @param {(offer: Offer) => void} choose
 */
export function menu(offers, choose) {
  const groups = [...new Set(offers.map(({ group }) => group))];
  return groups.map((group) => {
    const buttons = offers.filter((offer) => offer.group === group).map((offer) => offerButton(offer, choose));
    return el("div", { class: "row", role: "group", "aria-label": group }, el("span", { class: "group", "aria-hidden": "true" }, group), el("div", {}, ...buttons));
  });
}

/** @param {Offer} offer @param {(offer: Offer) => void} choose */
export function offerButton(offer, choose) {
  const { group, key, unfit, about, label } = offer;
  return el("button", { type: "button", class: unfit ? "deed unfit" : "deed", "data-key": `${group} ${key}`, title: unfit || about, click: () => choose(offer) }, label);
}
