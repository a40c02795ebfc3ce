// The nodes: a disc in its term's colour, crowned where it leads, hatched where it asks for
// votes, hollow where it only learns, empty and crossed where its process is gone; around a
// follower runs its election timer down.

import { termColours } from "../colours.js";
import { timerOf } from "../model/election.js";
import { ECHO } from "../model/moment.js";
import { crownPath, tick } from "./signs.js";

/** @typedef {import("./layout.js").Place} Place */
/** @typedef {import("./signs.js").Brush} Brush */
/** @typedef {import("../model/moment.js").NodeMoment} NodeMoment */
/** @typedef {import("../model/election.js").Election} Election */

const TOP = -Math.PI / 2;
const TURN = Math.PI * 2;
/** Whether a node's disc is filled, so that words on it are in the term's own colour. @param {NodeMoment} node */
export function filled({ process, role, member }) {
  return process !== "gone" && (role === "leader" || role === "follower") && member !== "stranger";
}

/**
 * @param {Brush} brush
 * @param {Place} place
 * @param {NodeMoment} node
 * @param {boolean} selected
 * @param {Election} election
 */
export function raft(brush, place, node, selected, election) {
  const { ctx, colours } = brush;
  const { x, y, r } = place;
  if (selected) halo(brush, place);
  ctx.beginPath();
  ctx.arc(x, y, r, 0, TURN);
  ctx.fillStyle = colours.named.card;
  ctx.fill();
  if (node.process === "gone") return gone(brush, place, node.awaited);
  disc(brush, place, node);
  if (node.process === "paused") paused(brush, place);
  else if (node.timer !== undefined) timer(brush, place, node.timer, election);
  if (node.role === "leader") crown(brush, place, node);
}

/** @param {Brush} brush @param {Place} place */
function halo({ ctx, colours }, { x, y, r }) {
  ctx.beginPath();
  ctx.arc(x, y, r + 13, 0, TURN);
  ctx.fillStyle = colours.named.focus;
  ctx.globalAlpha = 0.2;
  ctx.fill();
  ctx.globalAlpha = 1;
  ctx.lineWidth = 2;
  ctx.strokeStyle = colours.named.focus;
  ctx.stroke();
  ctx.lineWidth = 1;
}

/** @param {Brush} brush @param {Place} place @param {boolean} awaited */
function gone({ ctx, colours }, { x, y, r }, awaited) {
  const { named } = colours;
  ctx.setLineDash([4, 4]);
  ctx.strokeStyle = named.faint;
  ctx.lineWidth = 2;
  ctx.stroke();
  ctx.setLineDash([]);
  if (awaited) return;
  ctx.globalAlpha = 0.55;
  tick(ctx, x, y, r * 0.62, false, named.bad);
  ctx.globalAlpha = 1;
}

/** @param {Brush} brush @param {Place} place @param {NodeMoment} node */
function disc({ ctx, colours }, { x, y, r }, node) {
  const { named } = colours;
  const [colour] = termColours(node.role === undefined ? 0 : node.term);
  const { role, member } = node;
  const hollow = !filled(node);
  if (role === "candidate") {
    ctx.fillStyle = colours.hatch(colour, 5);
    ctx.fill();
  } else if (!hollow) {
    ctx.fillStyle = colour;
    ctx.fill();
  }
  ctx.lineWidth = hollow ? 5 : role === "leader" ? 3 : 1.5;
  ctx.strokeStyle = hollow ? colour : named.ink;
  if (role === undefined || member === "stranger") [ctx.lineWidth, ctx.strokeStyle] = [2, named.faint];
  ctx.setLineDash(member === "stranger" ? [2, 4] : role === "learner" || member === "learner" ? [9, 5] : []);
  ctx.stroke();
  ctx.setLineDash([]);
  if (member === "leaving" || member === "newcomer") changing({ ctx, colours }, { x, y, r, angle: 0 }, member === "newcomer");
  ctx.lineWidth = 1;
}

/** One that is in only one of two lists of voters: a second ring, and which way it goes. @param {Brush} brush @param {Place} place @param {boolean} comes */
function changing({ ctx, colours }, { x, y, r }, comes) {
  const { named } = colours;
  ctx.beginPath();
  ctx.arc(x, y, r + 5, 0, TURN);
  ctx.setLineDash([3, 3]);
  ctx.lineWidth = 2;
  ctx.strokeStyle = named.ink;
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.beginPath();
  ctx.arc(x - r * 0.74, y - r * 0.74, 8, 0, TURN);
  ctx.fillStyle = named.ink;
  ctx.fill();
  ctx.fillStyle = named.card;
  ctx.fillRect(x - r * 0.74 - 4.5, y - r * 0.74 - 1, 9, 2);
  if (comes) ctx.fillRect(x - r * 0.74 - 1, y - r * 0.74 - 4.5, 2, 9);
}

/** @param {Brush} brush @param {Place} place */
function paused({ ctx, colours }, { x, y, r }) {
  const { named } = colours;
  ctx.beginPath();
  ctx.arc(x, y, r, 0, TURN);
  ctx.globalAlpha = 0.72;
  ctx.fillStyle = named.card;
  ctx.fill();
  ctx.globalAlpha = 1;
  ctx.fillStyle = colours.hatch(named.ink, 7);
  ctx.fill();
  const [left, top] = [x + r * 0.62, y - r - 6];
  ctx.fillStyle = named.ink;
  ctx.beginPath();
  ctx.roundRect(left - 3, top, 20, 20, 4);
  ctx.fill();
  ctx.fillStyle = named.card;
  for (const bar of [2.5, 8.5]) ctx.fillRect(left + bar - 0.5, top + 5, 3.6, 10);
}

/** How long it still waits for a leader: what is left, and marks for what comes then. @param {Brush} brush @param {Place} place @param {number} left @param {Election} election */
function timer({ ctx, colours }, { x, y, r }, left, election) {
  const { named } = colours;
  // When nobody is kept from voting any more, and when an election may begin.
  const [leaseOver, mayStand] = [timerOf(election, election.lease), timerOf(election, election.lease + election.least)];
  const round = r + 7;
  ctx.lineWidth = 4.5;
  ctx.strokeStyle = named.soft;
  ctx.beginPath();
  ctx.arc(x, y, round, 0, TURN);
  ctx.stroke();
  if (left > 0) {
    ctx.strokeStyle = left > leaseOver ? named.faint : named.warn;
    ctx.beginPath();
    ctx.arc(x, y, round, TOP, TOP + left * TURN);
    ctx.stroke();
  }
  for (const mark of [leaseOver, mayStand]) {
    const [dx, dy] = [Math.cos(TOP + mark * TURN), Math.sin(TOP + mark * TURN)];
    ctx.lineWidth = 1.5;
    ctx.strokeStyle = named.ink;
    ctx.beginPath();
    ctx.moveTo(x + dx * (round - 3), y + dy * (round - 3));
    ctx.lineTo(x + dx * (round + 4), y + dy * (round + 4));
    ctx.stroke();
  }
  ctx.lineWidth = 1;
}

/** @param {Brush} brush @param {Place} place @param {NodeMoment} node */
function crown({ ctx, colours }, { x, y, r }, { term, stale }) {
  ctx.beginPath();
  crownPath(ctx, x, y - r - 1, 24);
  ctx.fillStyle = stale ? colours.named.card : termColours(term)[0];
  ctx.fill();
  ctx.strokeStyle = colours.named.ink;
  ctx.lineWidth = 1.6;
  ctx.lineJoin = "round";
  ctx.setLineDash(stale ? [2.5, 2] : []);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.lineWidth = 1;
}

/**
 * That it asked for votes not long ago: a ring that widens.
 * @param {Brush} brush
 * @param {Place} place
 * @param {NodeMoment} node
 * @param {number} time
 */
export function asking({ ctx }, { x, y, r }, { asked, term }, time) {
  if (asked === undefined) return;
  const gone = Math.min(1, (time - asked) / ECHO);
  ctx.globalAlpha = 1 - gone;
  ctx.strokeStyle = termColours(term)[0];
  ctx.lineWidth = 4;
  ctx.setLineDash([7, 5]);
  ctx.beginPath();
  ctx.arc(x, y, r + 14 + gone * 26, 0, TURN);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
  ctx.lineWidth = 1;
}

/** That it refuted a suspicion, and by which incarnation. @param {Brush} brush @param {Place} place @param {number} incarnation @param {number} gone 0 to 1 */
export function refuting({ ctx, colours }, { x, y, r, angle }, incarnation, gone) {
  ctx.globalAlpha = 1 - gone;
  ctx.strokeStyle = colours.named.focus;
  ctx.lineWidth = 5;
  ctx.beginPath();
  ctx.arc(x, y, r + 12 + gone * 20, 0, TURN);
  ctx.stroke();
  ctx.globalAlpha = 1 - gone ** 4;
  ctx.font = "600 11px system-ui, sans-serif";
  ctx.textAlign = "center";
  ctx.lineWidth = 4;
  ctx.strokeStyle = colours.named.card;
  const words = `refutes: incarnation ${incarnation}`;
  // Towards the middle, where there is room.
  const line = Math.sin(angle) > 0 ? y - r - 18 : y + r + 24;
  ctx.strokeText(words, x, line);
  ctx.fillStyle = colours.named.focus;
  ctx.fillText(words, x, line);
  ctx.textAlign = "left";
  ctx.globalAlpha = 1;
  ctx.lineWidth = 1;
}
