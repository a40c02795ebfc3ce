// Small timelines, made by hand: three nodes, n1 leads term 1, and somebody plays. Times are
// milliseconds here.

import { Model } from "../src/viewer/model/read.js";

const us = (ms) => Math.round(ms * 1000);
let faults = 0;

/** A model of the calm beginning and of these lines; `spare` adds a learner. */
export function told(lines = [], { spare = false, plays = true, until = 20_000 } = {}) {
  const model = new Model();
  const ids = spare ? [1, 2, 3, 4] : [1, 2, 3];
  model.add({ kind: "head", format: 1, title: "tale", nodes: ids.map((id) => ({ id, name: `n${id}` })), clients: [{ id: 0, name: "player 0" }, { id: 1, name: "reader 1" }] });
  const calm = [
    ...ids.map((id) => ({ kind: "process", at: us(1), name: `n${id}`, event: "started" })),
    ...[1, 2, 3].map((id) => role(2, id, 1, id === 1 ? "leader" : "follower", 1)),
    ...ids.map((id) => members(3, id, 1, [[1, 2, 3]], spare ? [4] : [])),
    ...(spare ? [role(3, 4, 1, "learner", 1)] : []),
    ...(plays ? moves(100, 3000, 100) : []),
  ];
  const all = [...calm, ...lines.flat(Infinity), { kind: "push", at: us(until), client: 0, room: "end", version: 1 }];
  const when = (line) => line.at ?? 0;
  for (const line of all.sort((one, other) => when(one) - when(other))) model.add(line);
  return model;
}

export const role = (at, node, term, what, leader, voted = leader) => ({ kind: "role", at: us(at), node, term, role: what, ...(leader ? { leader } : {}), ...(voted ? { voted } : {}) });
export const members = (at, node, index, voters, learners = []) => ({ kind: "members", at: us(at), node, index, voters, learners });
export const process = (at, name, event) => ({ kind: "process", at: us(at), name, event });
export const log = (at, node, last, committed) => ({ kind: "log", at: us(at), node, last, committed, applied: committed });
export const gossip = (at, node, about, state, incarnation = 0) => ({ kind: "gossip", at: us(at), node, about, state, incarnation });
export const refusal = (at, node, text) => ({ kind: "told", at: us(at), node, about: "refusal", text });
export const message = (at, what, from, to, rest = {}) => ({ kind: "message", at: us(at), received: us(at + 0.3), what, from, to, term: 1, bytes: 100, ...rest });
export const read = (at, by, level, rest = {}) => ({ kind: "call", at: us(at), returned: us(at + 5), client: 1, by, room: "room", asked: "read", level, outcome: "ok", ...rest });

/** A move that is acknowledged after `took`. */
export const move = (at, took, version, rest = {}) => ({ kind: "call", at: us(at), returned: us(at + took), client: 0, by: "f1", room: "room", asked: "write", action: "play", detail: "e", outcome: "ok", version, ...rest });

/** Moves from one moment to another, each answered after `took`; versions count from the time. */
export function moves(from, to, every, took = 8) {
  const list = [];
  for (let at = from; at < to; at += every) list.push(move(at, took, Math.round(at / 10)));
  return list;
}

/** Faults at nodes, which begin and end together. */
export function fault(from, to, ...places) {
  return places.flatMap(([node, what]) => {
    faults += 1;
    const line = { kind: "fault", id: faults, node, what };
    return [{ ...line, at: us(from) }, ...(to === undefined ? [] : [{ ...line, at: us(to), healed: true }])];
  });
}

/** A node is cut off from the two others, both ways, as all of them tell. */
export function isolated(from, to, id) {
  const others = [1, 2, 3].filter((other) => other !== id);
  const own = others.flatMap((other) => [[id, `cut to n${other}`], [id, `cut from n${other}`]]);
  const theirs = others.flatMap((other) => [[other, `cut to n${id}`], [other, `cut from n${id}`]]);
  return fault(from, to, ...own, ...theirs);
}

/** `next` is elected in a term with the vote of `voter`. */
export const elected = (at, next, voter, term) => [role(at - 5, next, term, "candidate", 0, next), role(at - 2, voter, term, "follower", 0, next), role(at, next, term, "leader", next), role(at + 5, voter, term, "follower", next)];
