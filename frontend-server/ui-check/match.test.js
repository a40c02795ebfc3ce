// Offers: shown from the tap on, over once, and taken back visibly when they are refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Offers, SHOWN_AFTER } from "../ui/match/offers.js";
import { arrange, sieve } from "../ui/match/open.js";
import { readSettings, toChallenge, toSeek } from "../ui/match/settings.js";
import { ago, asksFor, happening, ratingText, terms, waiting } from "../ui/match/words.js";
import { banner, ends } from "../ui/notices/words.js";
import { BANNERS_MAX, Shelf } from "../ui/notices/shelf.js";
import { offerName, placeOf } from "../ui/places.js";

const NOW = 1_000_000;
const OFFER = "offeroffer234567";
const ROOM = "k7qmw2vxp4t5hj3d";
const seek = (serial, more = {}) => ({ serial, action: "seek", data: { game: "chess", clock: 30, rated: true, bot_after_ms: 10_000, ...more }, round: null, since: NOW });
const challenge = (serial, player) => ({ serial, action: "challenge", data: { game: "chess", rated: true, ...(player && { player }) }, round: null, since: NOW });
const withdraw = (serial, offer) => ({ serial, action: "withdraw", data: { offer }, round: null, since: NOW });
const accept = (serial, offer) => ({ serial, action: "accept", data: { offer }, round: null, since: NOW });
const matched = (offer, room = ROOM) => ({ number: 1, kind: "matched", offer, room });
const unmatched = (offer, why) => ({ number: 1, kind: "unmatched", offer, why });
const states = (offers, now = NOW) => offers.list(now).map(({ state }) => state);

/** An open seek. */
function sought() {
  const offers = new Offers();
  offers.asked(seek(1));
  offers.answered(seek(1), { ok: { offer: OFFER } }, "", NOW);
  return offers;
}

test("a seek is shown before anybody has answered, and is over when it is matched", () => {
  const offers = new Offers();
  offers.asked(seek(1));
  assert.deepEqual(states(offers), ["asking"]);
  assert.deepEqual(offers.answered(seek(1), { ok: { offer: OFFER } }, "", NOW), []);
  assert.deepEqual(states(offers), ["open"]);
  assert.equal(offers.seeks("chess", 30, true)?.offer, OFFER);
  assert.equal(offers.seeks("chess", 0, true), undefined);
  assert.deepEqual(offers.told(matched(OFFER), NOW), [{ to: "go", room: ROOM }]);
  assert.deepEqual(states(offers), []);
  assert.deepEqual(offers.told(matched(OFFER), NOW), [], "a room is gone to once");
});

test("who is matched by the answer goes at once, and not again when it is told", () => {
  const offers = new Offers();
  offers.asked(seek(1));
  assert.deepEqual(offers.answered(seek(1), { ok: { offer: OFFER, room: ROOM } }, "", NOW), [{ to: "go", room: ROOM }]);
  assert.deepEqual(offers.told(matched(OFFER), NOW), []);
});

test("what is told before the answer comes is not lost", () => {
  const offers = new Offers();
  offers.asked(seek(1));
  assert.deepEqual(offers.told(matched(OFFER), NOW), []);
  assert.deepEqual(offers.answered(seek(1), { ok: { offer: OFFER } }, "", NOW), [{ to: "go", room: ROOM }]);
});

test("a refusal takes the step back: the card says why, and goes", () => {
  const offers = new Offers();
  offers.asked(seek(1));
  offers.answered(seek(1), { refused: { code: "too-fast", message: "x" } }, "That was a little too fast.", NOW);
  const [own] = offers.list(NOW);
  assert.equal(happening(own, NOW, "connected"), "That was a little too fast.");
  assert.equal(offers.waiting, 0);
  assert.deepEqual(states(offers, NOW + SHOWN_AFTER), []);
});

test("a seek that ends says why, one that was taken back does not", () => {
  const words = { expired: /Nobody came/, gone: /You were away/, elsewhere: /in a game now/, full: /too many/, rain: /^rain$/ };
  for (const [why, sentence] of Object.entries(words)) {
    const offers = sought();
    offers.told(unmatched(OFFER, why), NOW);
    assert.match(happening(offers.list(NOW)[0], NOW, "connected"), sentence);
  }
  const offers = sought();
  offers.told(unmatched(OFFER, "withdrawn"), NOW);
  assert.deepEqual(states(offers), []);
});

test("a cancelled seek is withdrawn once, as soon as it has a name", () => {
  const early = new Offers();
  early.asked(seek(1));
  assert.deepEqual(early.cancel(1), []);
  assert.deepEqual(early.answered(seek(1), { ok: { offer: OFFER } }, "", NOW), [{ to: "withdraw", offer: OFFER }]);
  assert.deepEqual(early.cancel(1), [], "not twice");
  early.answered(withdraw(2, OFFER), { ok: {} }, "", NOW);
  assert.deepEqual(states(early), []);

  const offers = sought();
  assert.deepEqual(offers.cancel(1), [{ to: "withdraw", offer: OFFER }]);
  assert.equal(offers.seeks("chess", 30, true), undefined, "it may be sought again");
  offers.answered(withdraw(2, OFFER), { refused: { code: "no-such-offer", message: "x" } }, "It is gone.", NOW);
  assert.deepEqual(states(offers), []);
});

test("who was found while they cancelled is in a game all the same", () => {
  const offers = sought();
  offers.cancel(1);
  assert.deepEqual(offers.told(matched(OFFER), NOW), [{ to: "go", room: ROOM }]);
});

test("a withdrawal that is refused leaves the seek open, and says so", () => {
  const offers = sought();
  offers.cancel(1);
  offers.answered(withdraw(2, OFFER), { refused: { code: "no-quorum", message: "x" } }, "The machines do not answer.", NOW);
  const [own] = offers.list(NOW);
  assert.equal(own.state, "open");
  assert.match(happening(own, NOW, "connected"), /^The machines do not answer\. · 0 s$/);
});

test("challenges: a player, a bot, and whoever has the link", () => {
  const offers = new Offers();
  offers.called("p2", "Bo");
  offers.called("b1", "Plank", true);
  for (const [serial, player] of [[1, "p2"], [2, "b1"], [3, undefined]]) offers.asked(challenge(serial, player));
  assert.deepEqual(offers.list(NOW).map(({ kind }) => kind), ["challenge", "bot", "link"]);
  assert.deepEqual(offers.list(NOW).map((own) => happening(own, NOW + 3000, "connected")), ["Waiting for Bo’s answer · 3 s", "Setting up the board against Plank…", "Making your link…"]);
  assert.equal(offers.waiting, 2, "a bot does not let one wait");
  assert.deepEqual(offers.answered(challenge(2, "b1"), { ok: { offer: "b", room: ROOM } }, "", NOW), [{ to: "go", room: ROOM }]);
  assert.deepEqual(offers.answered(challenge(3), { ok: { offer: OFFER } }, "", NOW), [{ to: "share", offer: OFFER }]);
  assert.match(happening(offers.find(OFFER), NOW, "connected"), /^Whoever opens your link/);
});

test("somebody else's offer is taken at once, or was somebody else's", () => {
  const offers = new Offers();
  offers.asked(accept(1, OFFER));
  assert.equal(happening(offers.find(OFFER), NOW, "connected"), "Taking your seat…");
  assert.equal(offers.waiting, 0);
  offers.answered(accept(1, OFFER), { refused: { code: "no-such-offer", message: "x" } }, "Somebody was faster.", NOW);
  assert.deepEqual(offers.list(NOW).map(({ state, why }) => [state, why]), [["ended", "Somebody was faster."]]);
  const lucky = new Offers();
  lucky.asked(accept(1, OFFER));
  assert.deepEqual(lucky.told(matched(OFFER), NOW), [{ to: "go", room: ROOM }]);
  assert.deepEqual(lucky.answered(accept(1, OFFER), { ok: { offer: OFFER, room: ROOM } }, "", NOW), []);
});

test("offers outlive a reload, but not a day, a restore, or a wish that nobody keeps", () => {
  const saved = JSON.parse(JSON.stringify(sought().saved()));
  assert.deepEqual(states(Offers.restore(saved, () => false, NOW)), ["open"]);
  assert.deepEqual(states(Offers.restore(saved, () => false, NOW + 700_000)), []);
  assert.deepEqual(states(Offers.restore([null, 7, {}, { serial: 1 }], () => true, NOW)), []);
  const asking = new Offers();
  asking.asked(seek(1));
  assert.deepEqual(states(Offers.restore(asking.saved(), (serial) => serial === 1, NOW)), ["asking"]);
  assert.deepEqual(states(Offers.restore(asking.saved(), () => false, NOW)), []);
  const offers = sought();
  offers.forget();
  assert.deepEqual(states(offers), []);
});

test("what is happening is said the same before the answer and after it; only a silence is said", () => {
  const offers = new Offers();
  offers.asked(seek(1));
  const [own] = offers.list(NOW);
  const after = (ms, standing = "connected") => happening(own, NOW + ms, standing);
  assert.equal(after(1200), "Looking for somebody around your strength · 1 s · a bot plays if nobody comes");
  assert.equal(after(5000), "Looking for somebody not far from your strength · 5 s · a bot plays if nobody comes");
  assert.equal(after(12_000), "Looking for anybody · 12 s · a bot plays if nobody comes");
  assert.match(after(1200, "reconnecting"), /goes out when the connection is back/);
  assert.match(after(1200, "electing"), /asked again until they do/);
  own.offer = OFFER;
  assert.match(after(61_000, "electing"), /^Looking for anybody · 1 min/);
  assert.match(happening({ ...own, bot: false }, NOW, "connected"), /waits up to 10 min$/);
  assert.equal(waiting([own], NOW + 3000), "Looking · 3 s");
  assert.equal(waiting([own, { ...own, kind: "challenge" }], NOW + 3000), "2 offers · 3 s");
  assert.equal(waiting([{ ...own, state: "ended" }, { ...own, kind: "taken" }], NOW), "");
});

test("how one wants to play is remembered, whatever the memory says", () => {
  const usual = { clock: 30, rated: true, bot: true };
  for (const text of ["", "x", "null", "7", '{"clock":7,"rated":"yes"}']) assert.deepEqual(readSettings(text), usual, text);
  const quiet = { clock: 0, rated: false, bot: false };
  assert.deepEqual(readSettings(JSON.stringify(quiet)), quiet);
  assert.deepEqual(toSeek("chess", usual), { game: "chess", clock: 30, rated: true, bot_after_ms: 10_000 });
  assert.deepEqual(toSeek("chess", quiet), { game: "chess", rated: false });
  assert.deepEqual(toChallenge("chess", usual, "p2"), { player: "p2", game: "chess", clock: 30, rated: true });
  assert.deepEqual(toChallenge("chess", quiet), { game: "chess", rated: false });
});

const open = (offer, more = {}) => ({ offer, player: "p", name: "Bo", game: "chess", clock: 0, rated: true, rating: 1500, provisional: false, age_ms: 0, ...more });
const rows = (list) => list.map(({ seek: { offer }, gone }) => offer + (gone ? "!" : ""));

test("under a finger no row moves: what is gone keeps its place, what comes stands at the end", () => {
  const shown = arrange([], [open("b"), open("a")], false);
  assert.deepEqual(rows(shown), ["b", "a"]);
  const held = arrange(shown, [open("c"), open("b")], true);
  assert.deepEqual(rows(held), ["b", "a!", "c"]);
  assert.deepEqual(rows(arrange(held, [open("c"), open("b")], false)), ["c", "b"]);
});

test("open seeks are sieved by game and by rating", () => {
  const seeks = [open("a"), open("b", { rated: false }), open("c", { game: "go" })];
  const left = (filter) => sieve(seeks, filter).map(({ offer }) => offer).join("");
  assert.equal(left({ game: "", rated: "" }), "abc");
  assert.equal(left({ game: "chess", rated: "casual" }), "b");
  assert.equal(left({ game: "", rated: "rated" }), "ac");
});

test("a notice is a banner with what can be done about it; what is not known is none", () => {
  const called = (game) => game.toUpperCase();
  const of = (kind, more = {}) => banner({ number: 1, kind, room: ROOM, offer: OFFER, game: "go", name: "Bo", ...more }, called);
  assert.deepEqual([of("turn").text, of("turn").kind, of("turn").room, of("turn").turn], ["Your turn against Bo · GO", "go", ROOM, true]);
  assert.equal(of("rematch").text, "Bo wants a rematch · GO");
  assert.deepEqual(["won", "lost", "draw", "void"].map((result) => of("over", { result }).text), ["You won against Bo · GO", "You lost against Bo · GO", "A draw against Bo · GO", "Over: your game with Bo · GO"]);
  assert.equal(of("matched").text, "Bo is ready to play GO with you.");
  const asked = of("challenged", { rating: 1612, provisional: false, clock: 30, rated: true });
  assert.deepEqual([asked.text, asked.kind], ["Challenge: Bo (1612) · GO · 30 s a move · rated", "answer"]);
  assert.match(of("unmatched", { why: "expired" }).text, /Nobody came/);
  for (const nothing of [of("unmatched", { why: "withdrawn" }), of("unmatched", { why: "elsewhere" }), of("unchallenged"), of("weather"), of("turn", { room: undefined })]) assert.equal(nothing, null);
  for (const kind of ["unchallenged", "matched"]) assert.equal(ends({ number: 1, kind, offer: OFFER }), asked.key, "also in another tab");
});

test("one banner for each thing, few at once, and what only tells goes", () => {
  const shelf = new Shelf();
  const put = (key, more = {}) => shelf.put({ key, text: key, kind: "tell", ...more }, 0);
  put("a", { turn: true });
  put("a", { text: "newer", turn: true });
  assert.deepEqual(shelf.list(0, false).map(({ text }) => text), ["newer"]);
  assert.equal(shelf.urgent, true);
  for (const key of ["b", "c"]) put(key, { stays: 1000 });
  assert.equal(shelf.list(0, false).length, BANNERS_MAX);
  assert.equal(shelf.list(1000, true).length, BANNERS_MAX, "not under a finger");
  shelf.refresh(1000);
  assert.equal(shelf.list(1000, false).length, BANNERS_MAX, "who comes back has a moment");
  assert.deepEqual(shelf.list(9000, false), []);
});

test("an address leads somewhere, and what is not known to the lobby", () => {
  assert.deepEqual(placeOf("/", `#/room/${ROOM}`), { screen: "room", room: ROOM });
  assert.deepEqual(placeOf("/", "#/room/x"), { screen: "room", room: null });
  assert.deepEqual(placeOf("/", `#/challenge/${OFFER}`), { screen: "challenge", offer: OFFER });
  assert.deepEqual(placeOf("/", "#/ladder"), { screen: "ladder", game: "", week: false });
  assert.deepEqual(placeOf("/", "#/ladder/tic-tac-toe/week"), { screen: "ladder", game: "tic-tac-toe", week: true });
  assert.deepEqual([placeOf("/live", ""), placeOf("/live", "#"), placeOf("/", "#/live")].map(({ screen }) => screen), ["live", "live", "live"]);
  assert.deepEqual([placeOf("/live", "#/"), placeOf("/", ""), placeOf("/", "#/weather"), placeOf("/index.html", "")].map(({ screen }) => screen), ["lobby", "lobby", "lobby", "lobby"]);
  assert.equal(placeOf("/live", `#/room/${ROOM}`).screen, "room");
  assert.equal(offerName(` http://x/#/challenge/${OFFER.toUpperCase()}`), OFFER);
});

test("small words: how strong, how long, for what", () => {
  assert.deepEqual([ratingText(1500, true), ratingText(1612), ratingText(undefined)], ["1500?", "1612", ""]);
  assert.deepEqual([0, 59_900, 60_000, 200_000].map(ago), ["0 s", "59 s", "1 min", "3 min"]);
  assert.deepEqual([terms({}), terms({ clock: 10, rated: false })], ["no clock · rated", "10 s a move · casual"]);
  assert.equal(asksFor({ name: "Ann", game: "go", clock: 0, rated: false }, "Go"), "Ann · Go · no clock · casual");
});
