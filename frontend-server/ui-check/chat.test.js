// The lines of a chat, put together from the history and from what is said meanwhile.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Chat } from "../ui/chat.js";

const lines = (text) => [...text].map((one) => ({ player: "p1", name: "Ann", text: one }));
const texts = (list) => list.map(({ text }) => text).join("");

test("of a chat of which only the end is kept, the new lines are known", () => {
  for (const [before, after, fresh] of [["", "", ""], ["", "ab", "ab"], ["ab", "abc", "c"], ["abc", "bcd", "d"], ["aaa", "aaaa", "a"], ["abc", "def", "def"], ["abab", "babx", "x"], ["abc", "abc", ""]]) {
    const chat = new Chat();
    assert.deepEqual(chat.whole(1, lines(before)), [], "what was said before is not fresh");
    assert.equal(texts(chat.whole(2, lines(after))), fresh, `${before} ${after}`);
    assert.equal(texts(chat.lines), after);
  }
});

test("a line that is known keeps its number, and a new one between two known ones has its own", () => {
  const chat = new Chat();
  chat.whole(1, lines("ab"));
  const [a, b] = chat.lines.map(({ number }) => number);
  chat.whole(9);
  chat.next(10, lines("x"));
  const x = chat.lines.at(-1).number;
  assert.equal(texts(chat.answered({ version: 9, lines: lines("abc") })), "c");
  assert.equal(texts(chat.lines), "abcx");
  const numbers = chat.lines.map(({ number }) => number);
  assert.deepEqual([numbers[0], numbers[1], numbers[3]], [a, b, x]);
  assert.equal(new Set(numbers).size, 4);
});

test("what is said while the history is missing is shown at once, and not twice", () => {
  const chat = new Chat();
  chat.whole(5);
  assert.equal(chat.due, true);
  chat.asking = 1;
  assert.equal(texts(chat.next(6, lines("x"))), "x");
  assert.equal(texts(chat.lines), "x");
  assert.deepEqual(chat.answered({ version: 6, lines: lines("abx") }), [], "nobody was here when the others were said");
  assert.equal(texts(chat.lines), "abx");
  assert.equal(chat.due, false);
});

test("a history that is ahead waits for its version", () => {
  const chat = new Chat();
  chat.whole(5);
  assert.deepEqual(chat.answered({ version: 7, lines: lines("abxy") }), []);
  assert.deepEqual([texts(chat.lines), chat.due], ["", false]);
  assert.equal(texts(chat.next(6, lines("x"))), "x");
  assert.equal(texts(chat.next(7, lines("y"))), "y");
  assert.equal(texts(chat.next(8, lines("z"))), "z");
  assert.equal(texts(chat.lines), "abxyz");
});

test("a history that is older than the whole view is of no use, and is asked for again later", () => {
  const chat = new Chat();
  chat.whole(5);
  assert.equal(chat.answered({ version: 4, lines: lines("a") }), null);
  assert.deepEqual([texts(chat.lines), chat.waiting, chat.due], ["", true, false]);
  chat.waiting = false;
  assert.equal(chat.due, true);
});

test("when versions are counted anew, what was asked before is not waited for", () => {
  const chat = new Chat();
  chat.whole(9);
  chat.asking = 7;
  chat.whole(10);
  assert.equal(chat.due, false, "the answer may well be newer than that");
  chat.whole(3);
  assert.equal(chat.due, true);
});

test("a history that nobody needs any more changes nothing", () => {
  const chat = new Chat();
  chat.whole(5);
  chat.asking = 7;
  chat.whole(6, lines("abc"));
  assert.deepEqual(chat.answered({ version: 5, lines: lines("ab") }), []);
  assert.equal(texts(chat.lines), "abc");
});

test("while there is no history, what is known is shown, and it is asked for again through another socket", () => {
  const chat = new Chat();
  chat.whole(1, lines("ab"));
  chat.whole(9);
  chat.next(10, lines("x"));
  chat.refused();
  assert.deepEqual([texts(chat.lines), chat.due], ["abx", false]);
  assert.equal(texts(chat.next(11, lines("y"))), "y");
  chat.lost();
  assert.deepEqual([texts(chat.lines), chat.due], ["abxy", true]);
});

test("as many lines are kept as a room keeps", () => {
  const chat = new Chat();
  chat.whole(1, lines("abcdefghijklmnopqrst"));
  chat.next(2, lines("u"));
  assert.equal(texts(chat.lines), "bcdefghijklmnopqrstu");
  chat.whole(9);
  chat.next(10, lines("v"));
  assert.equal(texts(chat.lines), "cdefghijklmnopqrstuv", "also while some are missing");
});
