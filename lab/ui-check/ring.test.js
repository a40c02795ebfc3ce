// What the ring decides before it draws: which ways are hurt, which messages fly and where,
// what of a log will be overwritten, what is said.

import assert from "node:assert/strict";
import { test } from "node:test";
import { momentOf } from "../src/viewer/model/moment.js";
import { chosen, flightOf, rare, skyOf } from "../src/viewer/ring/flights.js";
import { contradiction, gossipHeadline } from "../src/viewer/ring/gossipwords.js";
import { besideRole, faultWords, gapWords, headline, roleWord, spoken, votesOf } from "../src/viewer/ring/headline.js";
import { along, layout } from "../src/viewer/ring/layout.js";
import { linkFaults, pairsOf, waysOf, wordsOf } from "../src/viewer/ring/links.js";
import { noteOf } from "../src/viewer/ring/notes.js";
import { paceOf, Tempo } from "../src/viewer/ring/pace.js";
import { majorityFor, shownTo, sparkOf, sparksOf } from "../src/viewer/ring/sparks.js";
import { doomedFrom, picture, startsAt, stripsOf } from "../src/viewer/ring/strips.js";
import { rows } from "../src/viewer/model/table.js";
import { modelOf } from "./paper.js";

const HEAD = { kind: "head", format: 1, title: "", began_unix_ms: 1, nodes: [1, 2, 3].map((id) => ({ id, name: `n${id}` })) };
const NODES = HEAD.nodes;
const role = (at, node, what, term, more = {}) => ({ kind: "role", at, node, term, role: what, ...more });
const log = (at, node, last, more = {}) => ({ kind: "log", at, node, last, committed: last, applied: last, ...more });
const message = (at, received, from, to, what, more = {}) => ({ kind: "message", at, received, what, from, to, term: 1, bytes: 1, ...more });
const fault = (node, what, id = 1) => ({ id, node, what, from: 0, to: Infinity });

// Links

test("the words of a fault tell which way it hurts, how, and what traffic", () => {
  const [cut] = linkFaults("cut to n2");
  assert.deepEqual(cut, { trouble: "cut", way: "to", peer: "n2", traffic: "all", words: "cut", flaps: false });
  const told = (what) => linkFaults(what).map(({ trouble, way, peer, traffic, flaps }) => [trouble, way, peer, traffic, flaps]);
  assert.deepEqual(told("cut from n2, gossip only, on and off every 500 ms"), [["cut", "from", "n2", "gossip", true]]);
  assert.deepEqual(told("50 to 70 ms slower to n2, streams only"), [["slow", "to", "n2", "streams", false]]);
  assert.deepEqual(told("20.5 % lost to n12"), [["loses", "to", "n12", "all", false]]);
  assert.deepEqual(told("9000 bytes a second from n2"), [["narrow", "from", "n2", "all", false]]);
  assert.deepEqual(told("3 % out of order from n1"), [["reorders", "from", "n1", "all", false]]);
  assert.deepEqual(told("cut from the frontends"), [["cut", "from", "the frontends", "all", false]]);
});

test("faults of disks and clocks, and words that nobody knows, are no faults of a way", () => {
  for (const what of ["slow disk: syncs take 5 ms longer", "the clock is 3600000 ms behind", "the disk is full", "what is not synced is lost by a crash", "rain from n2", ""]) {
    assert.deepEqual(linkFaults(what), [], what);
  }
});

test("a simulated day's words are understood where they say enough", () => {
  assert.deepEqual(linkFaults("Isolate(Leader, Datagrams)").map(({ way, traffic }) => [way, traffic]), [["to", "gossip"], ["from", "gossip"]]);
  assert.deepEqual(waysOf([fault(2, "Isolate(Node(1), All)")], NODES).map(({ from, to }) => `${from}${to}`).sort(), ["12", "21", "23", "32"]);
  assert.deepEqual(linkFaults("Halves(Node(5))"), []);
});

test("a cut that both ends tell is one, and what is only gossip's hurts no stream", () => {
  const faults = [fault(1, "cut to n2"), fault(2, "cut from n1"), fault(2, "cut to n1"), fault(3, "cut to n1, gossip only")];
  const ways = waysOf(faults, NODES);
  assert.deepEqual(ways.map(({ from, to, troubles }) => [from, to, troubles.length]), [[1, 2, 1], [2, 1, 1], [3, 1, 1]]);
  assert.deepEqual(pairsOf(ways, "streams").map(({ one, other }) => [one, other]), [[1, 2]]);
  assert.deepEqual(pairsOf(ways, "gossip").map((pair) => wordsOf(pair)), ["cut", "cut one way"]);
  assert.deepEqual(waysOf([fault(3, "cut from the frontends")], NODES), [], "no way between nodes");
});

// Flights

const PACE = paceOf(1);

test("at normal speed a message is stretched to a flight that can be seen, its answer behind it", () => {
  const vote = message(0, 200, 2, 3, "vote");
  const answer = message(300, 500, 3, 2, "vote", { answer: true, yes: true });
  assert.equal(flightOf(vote, 150_000, PACE).part, 0.5);
  assert.equal(flightOf(answer, 150_000, PACE), undefined, "its question is still on its way");
  assert.equal(flightOf(answer, 450_300, PACE).part, 0.5);
  assert.ok(flightOf(vote, 310_000, PACE).gone > 0);
  assert.equal(flightOf(vote, 600_000, PACE), undefined);
});

test("slowed down to a hundredth, a message is where it really is", () => {
  const slow = paceOf(1 / 100);
  assert.equal(slow.real, true);
  assert.equal(flightOf(message(1000, 1400, 1, 2, "append"), 1100, slow).part, 0.25);
  assert.equal(flightOf(message(1000, 1400, 1, 2, "append"), 999, slow), undefined);
});

test("what never came ends half way; what is not taken yet waits at the door", () => {
  const lost = flightOf(message(0, undefined, 1, 2, "heartbeat"), 200_000, PACE);
  assert.deepEqual([lost.lost, lost.part], [true, 0.5]);
  assert.ok(lost.gone > 0);
  const paused = flightOf(message(0, 3_000_000, 1, 2, "heartbeat"), 2_000_000, PACE);
  assert.deepEqual([paused.waits, paused.lost], [true, false]);
});

test("of many messages a sample is drawn, whole groups of it, and all votes", () => {
  const lines = [HEAD];
  for (let index = 0; index < 3000; index += 1) {
    for (const to of [2, 3]) {
      lines.push(message(index * 200 + to, index * 200 + 50, 1, to, "append", { index, entries: 1 }));
      lines.push(message(index * 200 + 60 + to, index * 200 + 100, to, 1, "append", { index, answer: true, yes: true }));
    }
    if (index % 500 === 0) lines.push(message(index * 200 + 190, index * 200 + 195, 3, 1, "pre-vote"));
  }
  const model = modelOf(lines);
  const sky = skyOf(model, 550_000, PACE, 150);
  assert.ok(sky.oneIn > 1 && Number.isInteger(Math.log2(sky.oneIn)));
  const everyday = sky.flights.filter(({ message: one }) => !rare(one));
  assert.ok(everyday.length > 30 && everyday.length <= 300, `${everyday.length} are drawn`);
  assert.equal(sky.flights.length - everyday.length, lines.filter(({ what, at }) => what === "pre-vote" && flightOf({ at, received: at + 5, what }, 550_000, PACE)).length);
  for (const { message: one } of everyday) assert.ok(chosen(one, Math.log2(sky.oneIn)));
});

test("what is drawn of a smaller sample is drawn of a larger one as well, and few are all drawn", () => {
  for (let index = 0; index < 500; index += 1) {
    const one = message(0, 1, 1, 2, "append", { index });
    for (let halvings = 1; halvings < 6; halvings += 1) assert.ok(!chosen(one, halvings) || chosen(one, halvings - 1));
  }
  assert.equal(skyOf(modelOf([HEAD, message(0, 100, 1, 2, "append"), message(5, 100, 1, 3, "append")]), 150_000, PACE, 150).oneIn, 1);
});

test("the speed is found out from what is shown, and stays where time stands still", () => {
  const tempo = new Tempo();
  for (let frame = 0; frame < 30; frame += 1) tempo.look(frame * 16, frame * 160);
  assert.equal(tempo.speed, 1 / 100);
  assert.equal(tempo.look(600, 29 * 160), 1 / 100);
  for (let frame = 0; frame < 30; frame += 1) tempo.look(1000 + frame * 16, 5_000_000 + frame * 16_000);
  assert.equal(tempo.speed, 1);
});

// Sparks

test("a move goes in, on to the leader, waits for its answer, and comes back to all screens", () => {
  const call = { kind: "call", at: 0, returned: 20_000, client: 1, by: "f1", asked: "write", outcome: "ok", version: 3 };
  const step = (time) => sparkOf(call, time, PACE, undefined)?.step;
  assert.deepEqual([step(-1), step(60_000), step(180_000), step(500_000), step(900_000), step(1_000_000), step(1_400_000)], [undefined, "in", "on", "waits", "back", "out", undefined]);
  const unanswered = { ...call, returned: undefined, outcome: "unknown" };
  assert.equal(sparkOf(unanswered, 3_000_000, PACE, 4_000_000).step, "waits");
  assert.equal(sparkOf(unanswered, 5_000_000, PACE, 4_000_000), undefined);
});

test("of a client that asks all the time a call is followed to its end, and it is said that others are not", () => {
  const calls = Array.from({ length: 4000 }, (_, place) => ({ kind: "call", at: place * 1000, returned: place * 1000 + 500, client: place % 4, by: "n1", asked: "write", outcome: "ok", version: 1 }));
  const model = modelOf([HEAD, ...calls]);
  const steps = new Set();
  for (let time = 2_000_000; time < 3_500_000; time += 20_000) {
    const { sparks, oneIn } = sparksOf(model, time, PACE, 40);
    assert.ok(oneIn > 10);
    for (const { step } of sparks) steps.add(step);
  }
  assert.deepEqual([...steps].sort(), ["back", "in", "on", "out", "waits"]);
});

test("a majority are the first that answered while the move waited; the screens are those that were shown its version", () => {
  const call = { kind: "call", at: 100, returned: 900, client: 1, by: "n1", room: "r", asked: "write", outcome: "ok", version: 3 };
  const push = (client, version, room = "r") => ({ kind: "push", at: 950, client, room, version });
  const answer = (from, received) => message(received - 50, received, from, 1, "append", { answer: true, yes: true });
  const model = modelOf([HEAD, call, answer(3, 400), answer(2, 600), push(1, 3), push(2, 3), push(3, 4), push(4, 3, "other")]);
  assert.deepEqual(majorityFor(model, model.client(1).calls[0], 1, [1, 2, 3]), [3]);
  assert.deepEqual(shownTo(model, call), [2]);
});

// Logs

const SPLIT = [
  HEAD,
  role(0, 1, "leader", 1, { leader: 1 }),
  role(0, 2, "follower", 1, { leader: 1 }),
  role(0, 3, "follower", 1, { leader: 1 }),
  log(10, 1, 63, { committed: 61 }),
  log(10, 2, 62, { committed: 61 }),
  log(10, 3, 62, { committed: 61 }),
  role(1000, 3, "candidate", 2, { voted: 3 }),
  message(1001, 1100, 3, 2, "vote", { term: 2, index: 62 }),
  role(1200, 2, "follower", 2, { voted: 3 }),
  role(1300, 3, "leader", 2, { leader: 3 }),
  log(1400, 3, 63, { committed: 61 }),
];

test("what another leader will overwrite is struck out: behind the last entry that it said it had", () => {
  const model = modelOf(SPLIT);
  assert.deepEqual(startsAt(model, 2000), [{ term: 2, from: 63, sure: true }]);
  const cells = (id, time) => stripsOf(model, momentOf(model, time)).strips.find(({ node }) => node.id === id).cells.slice(-3).map(({ index, state, term }) => [index, state, term]);
  assert.deepEqual(cells(1, 2000), [[61, "committed", 1], [62, "known", 1], [63, "doomed", 1]]);
  assert.deepEqual(cells(3, 2000), [[61, "committed", 1], [62, "known", 1], [63, "known", 2]]);
  assert.deepEqual(cells(1, 900), [[61, "committed", 1], [62, "known", 1], [63, "known", 1]], "nobody leads another term yet");
});

test("nothing is struck out that is committed, nor where the newest term is known", () => {
  assert.equal(doomedFrom({ term: 2 }, [{ term: 2, from: 63, sure: true }]), Infinity);
  assert.equal(doomedFrom({ term: 1 }, []), Infinity);
  assert.equal(doomedFrom({ term: 1 }, [{ term: 3, from: 64, sure: true }, { term: 2, from: 63, sure: true }]), 64, "what the leader of term 2 had counts no more");
});

test("a log that ends before the others says by how much, and purged entries are in the snapshot only", () => {
  const model = modelOf([HEAD, log(1, 1, 100, { snapshot: 90, purged: 85 }), log(1, 2, 50), log(1, 3, 100)]);
  const { first, strips } = stripsOf(model, momentOf(model, 5));
  assert.equal(first, 77);
  assert.deepEqual([strips[0].cells[0].state, strips[0].cells[9].state, strips[1].behind], ["purged", "committed", 26]);
});

test("states are compared at an equal entry only", () => {
  const same = (...lines) => stripsOf(modelOf([HEAD, ...lines]), momentOf(modelOf([HEAD, ...lines]), 50)).strips.map((strip) => strip.same);
  assert.deepEqual(same(log(1, 1, 7, { hash: "aa" }), log(1, 2, 7, { hash: "aa" }), log(1, 3, 6, { hash: "bb" })), ["equal", "equal", "alone"]);
  assert.deepEqual(same(log(1, 1, 7, { hash: "aa" }), log(2, 2, 7, { hash: "ab" }), log(3, 2, 8, { hash: "cc" })), ["different", "alone", "alone"]);
});

test("equal hashes have equal pictures, and others others", () => {
  assert.deepEqual(picture("da646276e8db4393"), picture("da646276e8db4393"));
  const pictures = new Set(Array.from({ length: 64 }, (_, number) => JSON.stringify(picture((number * 0x9e3779b1).toString(16).padStart(16, "5")))));
  assert.ok(pictures.size > 60);
});

// Places

test("nothing stands outside of the picture, nor nodes on each other, from a phone to a wall", () => {
  for (const [width, height] of [[366, 400], [390, 310], [580, 340], [900, 700], [1200, 400]]) {
    for (const count of [3, 5, 7, 9]) {
      const nodes = Array.from({ length: count }, (_, place) => place + 1);
      const { nodes: places, frontends, clients } = layout(width, height, nodes, ["f1", "f2", "f3"], Array.from({ length: 40 }, (_, place) => place));
      const all = [...places.values()];
      for (const { x, y, r } of [...all, ...frontends.values(), ...clients.values()]) {
        assert.ok(x >= r - 1 && x <= width - r + 1 && y >= r - 1 && y <= height - r + 1, `${width} ${height} ${count}: ${x} ${y}`);
      }
      for (const one of all) for (const other of all) assert.ok(one === other || Math.hypot(one.x - other.x, one.y - other.y) > one.r + other.r, `${width} ${height} ${count}`);
    }
  }
});

test("in a low picture, as in large type, words have room beside nodes, and the middle is between nodes", () => {
  for (const [width, height] of [[628, 238], [478, 232]]) {
    for (const count of [3, 5]) {
      const nodes = Array.from({ length: count }, (_, place) => place + 1);
      const { nodes: places, frontends, sides, tight, centre } = layout(width, height, nodes, ["f1", "f2"], [1, 2, 3, 4, 5, 6]);
      assert.equal(tight, false);
      const right = [...places].filter(([id]) => sides.get(id) === "right").map(([, place]) => place.x + place.r + 14 + 56);
      assert.ok(Math.max(...right) < frontends.get("f2").x - 13, `${width} ${count}`);
      for (const { x, y, r } of places.values()) assert.ok(Math.abs(y - centre.y) > r || Math.abs(x - centre.x) > r + 40, `${width} ${count}: something is told on a node`);
    }
  }
});

test("where there is little room beside the ring, no words lie on a frontend", () => {
  for (const count of [3, 4, 5, 6, 7]) {
    const nodes = Array.from({ length: count }, (_, place) => place + 1);
    const { nodes: places, frontends, sides, tight } = layout(400, 320, nodes, ["f1", "f2"], [1, 2, 3, 4, 5, 6, 7, 8]);
    assert.equal(tight, true);
    for (const [id, { x, y, r }] of places) {
      const side = sides.get(id);
      if (side !== "left" && side !== "right") continue;
      const from = side === "left" ? x - r - 84 : x + r + 14;
      for (const frontend of frontends.values()) {
        const meets = frontend.x + 13 > from && frontend.x - 13 < from + 70 && Math.abs(frontend.y - y) < 22;
        assert.ok(!meets, `n${id} of ${count}`);
      }
    }
  }
});

test("a way goes from edge to edge", () => {
  const [from, to] = [{ x: 0, y: 0, r: 10, angle: 0 }, { x: 100, y: 0, r: 20, angle: 0 }];
  assert.deepEqual([along(from, to, 0), along(from, to, 1), along(from, to, 0.5, 5)], [{ x: 10, y: 0 }, { x: 80, y: 0 }, { x: 45, y: 5 }]);
});

// Words

const said = (lines, time) => headline(momentOf(modelOf(lines), time));

test("the headline says who leads, who asks for votes, and who only thinks that it leads", () => {
  assert.equal(said(SPLIT, 500).title, "n1 leads term 1");
  assert.deepEqual(said(SPLIT.slice(0, 8), 1000), { title: "n3 asks for votes in term 2", rest: "It has 1 of 2 votes that it needs.", tone: "election" });
  const split = said(SPLIT, 1500);
  assert.equal(split.title, "n3 leads term 2");
  assert.match(split.rest, /^n1 still takes itself for the leader of term 1/);
  assert.equal(said([...SPLIT, { kind: "process", at: 1600, name: "n3", event: "ended" }], 1700).title, "Nobody leads term 2");
  assert.equal(said([HEAD], 5).rest, "This timeline tells nothing of nodes.");
});

test("a leader that no majority answers can commit nothing, and the page says so", () => {
  const lines = [HEAD, role(0, 1, "leader", 1), role(0, 2, "follower", 1, { leader: 1 }), role(0, 3, "follower", 1, { leader: 1 }), message(10, undefined, 1, 2, "heartbeat")];
  assert.match(said(lines, 2_000_000).rest, /No majority answers it/);
  assert.equal(said(lines, 500).tone, "calm", "it has just begun");
});

test("joint consensus names both majorities", () => {
  const lines = [...SPLIT, { kind: "members", at: 1500, node: 3, index: 70, voters: [[1, 2, 3], [2, 3, 4]] }, role(1500, 1, "follower", 2, { leader: 3 })];
  assert.match(said(lines, 1600).rest, /a majority of n1, n2, n3, and one of n2, n3, n4, must agree/);
});

test("while voters change, a candidate needs both majorities, and is told which lacks more", () => {
  const [one, two, three] = [1, 2, 3].map((id) => ({ id, voted: id < 3 ? 1 : undefined, term: 5 }));
  const asks = (...voters) => votesOf({ nodes: [one, two, three], members: { voters } }, one);
  assert.deepEqual(asks([1, 2, 3]), { votes: 2, needed: 2 });
  assert.deepEqual(asks([1, 3, 4], [1, 2, 3]), { votes: 1, needed: 2 }, "the old list has no majority yet");
  assert.deepEqual(asks([1, 2, 3], [1, 3, 4]), { votes: 1, needed: 2 });
});

test("a node's words and what a screen reader is told say its part, its term, its process and its faults", () => {
  const model = modelOf([...SPLIT, { kind: "process", at: 1600, name: "n2", event: "paused" }, { kind: "fault", at: 1600, id: 1, node: 3, what: "slow disk: syncs take 300 ms longer" }]);
  const moment = momentOf(model, 1700);
  const [one, two, three] = moment.nodes;
  assert.deepEqual([one, two, three].map((node) => roleWord(moment, node)), ["old leader", "stands still", "leader"]);
  assert.equal(besideRole(moment, two), "vote for n3");
  assert.equal(faultWords(three), "slow disk");
  assert.equal(spoken(moment, three), "n3 term 2, leader, its process runs, slow disk: syncs take 300 ms longer");
});

test("the gap is told in whole milliseconds", () => {
  assert.deepEqual(gapWords({ from: 0, us: 412_900, ended: false, guessed: false }), ["no move for", "412 ms"]);
  assert.deepEqual(gapWords({ from: 0, us: 1_204_100, ended: true, guessed: false }), ["nobody could move for", "1,204 ms"]);
  assert.deepEqual(gapWords(undefined), ["", ""]);
});

test("the gossip layer says who holds whom for what, and where Raft knows better", () => {
  const gossip = (node, about, state) => ({ kind: "gossip", at: 5, node, about, state, incarnation: 0 });
  const moment = (lines) => momentOf(modelOf([...SPLIT.slice(0, 4), message(20, 30, 1, 2, "heartbeat"), message(40, 50, 2, 1, "heartbeat", { answer: true, yes: true }), ...lines]), 100);
  assert.equal(gossipHeadline(moment([gossip(1, 2, "alive"), gossip(2, 1, "alive")])).title, "Everybody holds everybody to be alive");
  const doubted = moment([gossip(1, 2, "alive"), gossip(3, 1, "suspect")]);
  assert.equal(gossipHeadline(doubted).title, "n3 suspects n1");
  assert.equal(gossipHeadline(moment([gossip(1, 2, "alive"), gossip(2, 1, "down"), gossip(2, 3, "down")])).title, "n2 holds n1 and n3 to be down");
  const down = moment([gossip(3, 2, "down")]);
  assert.match(contradiction(down), /gossip holds n2 to be down, but Raft hears it/);
  assert.equal(gossipHeadline(moment([])).rest, "This timeline tells nothing of gossip.");
});

test("what is left out is said", () => {
  const plain = { pace: PACE, still: false, layer: "raft", pairs: [], elsewhere: [], messages: 1, moves: 1, players: [12, 12] };
  assert.doesNotMatch(noteOf(plain), /is drawn;|moves|players/);
  assert.match(noteOf({ ...plain, messages: 8, moves: 3, players: [80, 95] }), /1 of 8 everyday messages is drawn; all votes are. 1 of 3 moves is drawn. 80 of 95 players are drawn/);
  assert.match(noteOf({ ...plain, pace: paceOf(1 / 100) }), /where they really are/);
  assert.match(noteOf({ ...plain, still: true }), /Nothing moves/);
  assert.match(noteOf({ ...plain, elsewhere: [fault(undefined, "Halves(Node(5))")] }), /Not drawn: Halves/);
});

test("who has never started is not there yet, and not gone", () => {
  const late = { kind: "process", at: 500, name: "n2", event: "started" };
  const model = modelOf([HEAD, { kind: "process", at: 0, name: "n1", event: "started" }, late, role(10, 1, "leader", 1), role(600, 2, "learner", 1), { kind: "process", at: 900, name: "n2", event: "ended" }]);
  const second = (time) => {
    const moment = momentOf(model, time);
    const node = moment.nodes.find(({ id }) => id === 2);
    return [roleWord(moment, node), rows(model, time)[1][1], spoken(moment, node)];
  };
  assert.deepEqual(second(400), ["not there yet", "not there yet", "n2, not there yet"]);
  assert.deepEqual(second(600).slice(0, 2), ["learner", "runs"]);
  assert.deepEqual(second(950), ["gone", "gone", "n2 term 1, gone, its process is gone"]);
});
