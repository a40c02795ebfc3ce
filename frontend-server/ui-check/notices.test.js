// What a player is told wherever they are: each once, in order, and from where it was left.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation } from "../ui/conversation.js";

const NOW = 1_000_000;
const server = (epoch) => ({ version: "1", frontends: [], cluster: "connected", ...(epoch !== undefined && { epoch }) });
const asks = (effects) => effects.filter(({ to, frame }) => to === "send" && frame.action === "notices").map(({ frame }) => frame);
const turn = (number, more = {}) => ({ push: "notice", number, kind: "turn", room: "r", game: "g", ...more });
const shown = (effects) => effects.filter(({ to }) => to === "notice").map(({ notice }) => notice.number);

/** Connects; the question for notices that follows. */
function connect(conversation, epoch) {
  const [hello] = conversation.opened();
  const [asked] = asks(conversation.received({ id: hello.frame.id, ok: { player: "p1", name: "Ann", token: "t", server: server(epoch) } }, NOW));
  return asked;
}

/** Connected, and told that the newest is `number`. */
function listening(number, memory = {}) {
  const conversation = new Conversation(memory);
  const asked = connect(conversation, 3);
  conversation.received({ id: asked.id, ok: { number } }, NOW);
  return conversation;
}

test("a new tab hears of what happens from now on, and not of the past", () => {
  const conversation = new Conversation();
  const asked = connect(conversation, 3);
  assert.deepEqual(asked.data, {});
  assert.deepEqual(conversation.received({ id: asked.id, ok: { number: 7 } }, NOW), [{ to: "noticed", number: 7 }]);
  assert.deepEqual(shown([6, 7, 8].flatMap((number) => conversation.received(turn(number), NOW))), [8]);
});

test("after a loss or a reload the tab says what it has seen, and shows nothing twice", () => {
  const conversation = listening(7);
  conversation.received(turn(8), NOW);
  conversation.lost();
  const again = connect(conversation, 3);
  assert.deepEqual(again.data, { since: 8, epoch: 3 });
  conversation.received({ id: again.id, ok: { number: 9 } }, NOW);
  assert.deepEqual(shown([8, 9, 9].flatMap((number) => conversation.received(turn(number), NOW))), [9]);
  assert.deepEqual(connect(new Conversation({ noticed: 9, epoch: 3 }), 3).data, { since: 9, epoch: 3 });
});

test("a hole that is not explained is asked about once; one that is explained is none", () => {
  const conversation = listening(7);
  const [asked] = asks(conversation.received(turn(9), NOW));
  assert.deepEqual(asked.data, { since: 7, epoch: 3 });
  conversation.received({ id: asked.id, ok: { number: 9 } }, NOW);
  assert.deepEqual(shown([8, 9].flatMap((number) => conversation.received(turn(number), NOW))), [8, 9]);
  assert.deepEqual(shown(conversation.received(turn(20, { resync: true }), NOW)), [20]);
  // What it gives after it was asked is all it has.
  const [second] = asks(conversation.received(turn(30), NOW));
  assert.equal(second.data.since, 20);
  assert.deepEqual(shown(conversation.received(turn(30), NOW)), [30]);
});

test("who was never told anything takes whatever number comes first", () => {
  const conversation = listening(0);
  assert.deepEqual(shown(conversation.received(turn(21), NOW)), [21]);
  assert.equal(asks(conversation.received(turn(23), NOW)).length, 1);
});

test("in a restored cluster numbers begin anew", () => {
  const conversation = listening(7);
  conversation.lost();
  assert.deepEqual(connect(conversation, 4).data, {});
  const stays = listening(7);
  const [asked] = asks(stays.received({ push: "cluster", state: "connected", epoch: 4 }, NOW));
  assert.deepEqual(asked.data, {});
});

test("who cannot tell now is asked again, and a frontend of before is not", () => {
  for (const [code, expected] of [["no-quorum", [{ to: "listen", after: 2000 }]], ["bad-request", []]]) {
    const conversation = new Conversation();
    const asked = connect(conversation, 3);
    assert.deepEqual(conversation.received({ id: asked.id, refused: { code, message: "x" } }, NOW), expected);
    assert.equal(asks(conversation.listen()).length, 1);
    conversation.lost();
    assert.deepEqual(conversation.listen(), []);
  }
});

test("what is no notice, or of a kind nobody knows yet, harms nothing", () => {
  const conversation = listening(7);
  for (const number of [undefined, "8", null, 8.5]) assert.deepEqual(conversation.received({ push: "notice", number }, NOW), []);
  assert.deepEqual(shown(conversation.received({ push: "notice", number: 8, kind: "weather" }, NOW)), [8]);
});
