// Who is strongest, game by game: of all time, and this week.

import { el, list, say, set } from "../dom.js";
import { GAMES } from "../games.js";
import { ratingText } from "../match/words.js";
import { plainly } from "../plain.js";
import { Question } from "../question.js";
import { browser } from "../store.js";

/** @typedef {import("../client.js").Client} Client */
/** @typedef {import("../cards.js").Cards} Cards */
/** @typedef {{place: number, player: string, name: string, rating: number, provisional?: boolean, games: number, points?: number}} Rung */

export class Ladder {
  #client;
  #cards;
  #game;
  #week;
  #games = el("div", { class: "games", role: "radiogroup", "aria-label": "Game" });
  #times = el("div", { class: "games", role: "radiogroup", "aria-label": "Time" });
  #about = el("p", { class: "quiet", role: "status", "data-testid": "ladder-about" }, "Looking…");
  #points = el("th", { scope: "col" }, "Points");
  #caption = el("caption", { class: "unseen" });
  #body = el("tbody", { translate: "no", "data-testid": "ladder" });
  #table;
  /** @type {Question | null} */
  #question = null;

  /** @param {Client} client @param {Cards} cards @param {{game: string, week: boolean}} place */
  constructor(client, cards, { game, week }) {
    this.#client = client;
    this.#cards = cards;
    const known = browser.list("games").filter((one) => GAMES.has(one));
    const games = known.length ? known : [...GAMES.keys()];
    this.#game = [game, browser.get("game"), games[0]].find((one) => one && games.includes(one)) ?? "";
    this.#week = week;
    this.#games.append(...games.map((one) => choice("ladder-game", one, GAMES.get(one)?.name ?? one, one === this.#game, () => this.#go(one, this.#week))));
    this.#times.append(choice("ladder-time", "all", "All time", !week, () => this.#go(this.#game, false)), choice("ladder-time", "week", "This week", week, () => this.#go(this.#game, true)));
    const heads = ["#", "Name", "Rating", "Games"].map((name) => el("th", { scope: "col" }, name));
    this.#table = el("table", { class: "ladder" }, this.#caption, el("thead", {}, el("tr", {}, ...heads, this.#points)), this.#body);
    this.element = el("div", { class: "ladder-part" }, this.#games, this.#times, this.#about, this.#table);
  }

  enter() {
    this.#ask();
  }

  leave() {
    this.#question?.end();
  }

  /** The address says what is shown, so that it can be sent to others. @param {string} game @param {boolean} week */
  #go(game, week) {
    this.#game = game;
    this.#week = week;
    history.replaceState(null, "", `#/ladder/${game}${week ? "/week" : ""}`);
    this.#ask();
  }

  #ask() {
    this.#question?.end();
    say(this.#about, "Looking…");
    const [game, week] = [this.#game, this.#week];
    this.#question = new Question(this.#client, "ladder", { game, ...(week && { week }) }, ({ ok, refused }) => {
      if (refused) this.#refuse(refused);
      else this.#show(ok?.names ?? []);
    });
  }

  /** @param {import("../types.js").Refusal} refused */
  #refuse(refused) {
    say(this.#about, refused.code === "bad-request" ? "This frontend is an older one, and keeps no leaderboard." : plainly(refused));
    set(this.#table, { hidden: true });
  }

  /** @param {Rung[]} names */
  #show(names) {
    const game = GAMES.get(this.#game)?.name ?? this.#game;
    say(this.#caption, `${game}, ${this.#week ? "this week" : "all time"}`);
    const about = this.#week ? "Points won from others this week." : "";
    const empty = this.#week ? "Nobody has won points this week yet. Be the first." : "Nobody has played enough rated matches yet: until then a rating is provisional.";
    say(this.#about, names.length ? about : empty);
    set(this.#about, { hidden: this.#about.textContent === "" });
    set(this.#table, { hidden: names.length === 0 });
    set(this.#points, { hidden: !this.#week });
    list(this.#body, names, ({ player }) => `${this.#game} ${player}`, (rung) => this.#make(rung), (row, rung) => this.#showRung(row, rung));
  }

  /** @param {Rung} rung */
  #make({ player, name }) {
    const open = el("button", { type: "button", class: "plain name", click: () => this.#cards.open(player, name, this.#game) });
    return el("tr", {}, el("td", { class: "number" }), el("th", { scope: "row" }, open), ...[1, 2, 3].map(() => el("td", { class: "number" })));
  }

  /** @param {HTMLElement} row @param {Rung} rung */
  #showRung(row, { place, player, name, rating, provisional, games, points }) {
    const [at, who, strength, played, won] = row.children;
    if (!at || !who?.firstElementChild || !strength || !played || !won) return;
    const mine = player === this.#client.player;
    set(row, { "data-me": mine });
    say(at, String(place));
    say(who.firstElementChild, mine ? `${name} (you)` : name);
    say(strength, ratingText(rating, provisional));
    say(played, String(games));
    say(won, String(points ?? ""));
    set(won, { hidden: !this.#week });
  }
}

/** @param {string} group @param {string} value @param {string} text @param {boolean} checked @param {() => void} chosen */
function choice(group, value, text, checked, chosen) {
  const input = el("input", { type: "radio", name: group, value, class: "unseen", checked, "data-testid": `${group}-${value}`, change: chosen });
  return el("label", { class: "game" }, input, el("span", {}, text));
}
