// Two days next to each other: the one that was, and its fork. Two rings on one moment, the
// lanes of one or of both, and the first sentences that only one of them has.

import { byId, el, say, set } from "../dom.js";
import { showTitle } from "../header.js";
import { Lab } from "../lab.js";
import { differences, forkedAt } from "../model/forks.js";
import { Model } from "../model/read.js";
import { story } from "../model/story.js";
import { clock, counted } from "../model/words.js";
import { Ring } from "../ring/ring.js";
import { TwinLanes } from "./twin.js";

/** @typedef {import("../model/types.js").Line} Line */
/** @typedef {import("../model/forks.js").Difference} Difference */
/** @typedef {"original" | "fork" | "both"} View */
/** @typedef {{at: number, fault: string, lines: Line[]}} Forked */

/** So many differences are listed; how many more there are is said. */
const LISTED = 40;
/** What each view is called. @type {[View, string][]} */
const VIEWS = [["original", "original"], ["fork", "fork"], ["both", "both"]];

export class TwoDays {
  /**
   * @param {Lab} lab that the page shows
   * @param {Line[]} original
   * @param {import("../scale.js").Scale} scale of the lanes
   * @param {Ring} ring of the page
   * @param {() => void} closed the fork is forgotten
   */
  constructor(lab, original, scale, ring, closed) {
    this.lab = lab;
    this.original = original;
    this.first = ring;
    /** The lines that the page's model has. */
    this.held = original;
    /** When each of the days is over. */
    this.ends = { original: lab.model.end, fork: 0 };
    this.other = new Lab(new Model(), lab.settings);
    /** @type {Forked | undefined} */
    this.forked = undefined;
    /** @type {View} */
    this.view = "original";
    /** @type {Difference[]} */
    this.differ = [];
    this.title = el("h3");
    this.warning = el("p", { class: "fork-said", role: "alert" });
    this.verdicts = el("p", { class: "fork-verdicts" });
    this.switch = el("div", { class: "fork-views", role: "group", "aria-label": "Which day is shown (O)" }, ...VIEWS.map(([view, name]) => el("button", { type: "button", "data-view": view, click: () => this.look(view) }, name)));
    this.count = el("p", { class: "fork-count" });
    this.list = el("ol", { class: "fork-differences", "aria-label": "What only one of the two days has" });
    const back = el("button", { type: "button", class: "quiet", click: () => this.forked && lab.go(this.forked.at) }, "To the fork");
    const close = el("button", { type: "button", class: "quiet", click: closed }, "Forget the fork");
    this.root = el("section", { class: "fork-days", hidden: true, "aria-label": "Two days" }, this.title, this.warning, this.verdicts, this.switch, el("p", { class: "fork-buttons" }, back, close), this.count, this.list);
    this.pair();
    this.lanes = new TwinLanes(this.other.model, scale, (time) => lab.go(time));
    this.mark = el("div", { class: "fork-mark", hidden: true, title: "Here the day was forked" });
    byId("strip").append(this.mark);
    this.across = el("div", { class: "fork-line-at", hidden: true });
    byId("picture").append(this.across);
    this.scale = scale;
    this.follow();
  }

  /** The other day's ring beside the first one's. */
  pair() {
    const ring = byId("ring");
    this.second = el("section", { id: "second-ring", hidden: true, "aria-label": "The cluster, on the other day" });
    this.captions = [el("p", { class: "fork-caption", hidden: true }, "original"), el("p", { class: "fork-caption", hidden: true }, "fork")];
    const pair = el("div", { id: "pair" });
    ring.replaceWith(pair);
    pair.append(ring, this.second, ...this.captions);
    this.ring = new Ring(this.second, this.other);
  }

  /** The second day is always at the moment of the first. */
  follow() {
    const { lab, other } = this;
    for (const news of /** @type {const} */ (["moment", "frame"])) {
      lab.on(news, () => {
        if (this.view !== "both") return;
        other.moment = lab.moment;
        this.caption();
        other.tell(news);
      });
    }
    lab.on("selected", () => other.select(lab.selected));
    lab.on("frame", () => this.place());
  }

  /** Says which day each ring is of, and whether it is over. */
  caption() {
    for (const [place, day] of /** @type {const} */ (["original", "fork"]).entries()) {
      const caption = this.captions?.[place];
      if (caption) say(caption, this.lab.moment > this.ends[day] ? `${day}, over at ${clock(this.ends[day])}` : day);
    }
  }

  /** Shows a fork. @param {Forked} forked @param {boolean} same whether the past of both is one */
  show(forked, same) {
    this.forked = forked;
    const [first, second] = [model(this.original), model(forked.lines)];
    this.ends = { original: first.end, fork: second.end };
    // Who is on one of the days only has the same place on both.
    for (const ring of [this.first, this.ring]) if (ring) ring.absent = [...first.nodes.keys(), ...second.nodes.keys()];
    this.differ = differences(story(first), story(second), forked.at);
    this.root.hidden = false;
    say(this.title, second.head.title);
    say(this.warning, same ? "" : "These are two days from the beginning: the simulator is another build than the one that wrote this timeline.");
    say(this.verdicts, `Original: ${judged(first)}. Fork: ${judged(second)}.`);
    this.fill();
    this.look("both");
  }

  /** Forgets the fork. */
  close() {
    if (!this.forked) return;
    this.look("original");
    this.first.absent = [];
    this.forked = undefined;
    this.root.hidden = true;
  }

  /** Shows one day, or both. @param {View} view */
  look(view) {
    const { forked, lab, other } = this;
    if (!forked) return;
    const both = view === "both";
    this.view = view;
    document.body.toggleAttribute("data-both", both);
    for (const button of this.switch.children) set(button, { "aria-pressed": String(button.getAttribute("data-view") === view) });
    for (const part of [this.second, ...(this.captions ?? [])]) if (part) part.hidden = !both;
    const whole = this.scale.width >= this.scale.most;
    lab.beyond = both ? Math.max(this.ends.original, this.ends.fork) : 0;
    this.hold(view === "fork" ? forked.lines : this.original);
    if (both) {
      refill(other, forked.lines);
      this.lanes.show(`The fork: ${other.model.head.title}`);
    } else this.lanes.hide();
    if (whole) this.scale.all();
    // Sizes have changed with what is shown.
    dispatchEvent(new Event("resize"));
    lab.tell("moment");
  }

  /** Puts a day into the page's model, unless it is there. @param {Line[]} lines */
  hold(lines) {
    const { lab } = this;
    if (lines !== this.held) refill(lab, lines);
    this.held = lines;
    showTitle(lab.model);
    lab.moment = Math.min(lab.moment, lab.end);
    lab.tell("lines");
  }

  /** The days that are shown, by their names. @returns {[string, Model][]} */
  shown() {
    const { lab, other, view } = this;
    return view === "both" ? [["original", lab.model], ["fork", other.model]] : [[view, lab.model]];
  }

  /** The next view. */
  turn() {
    const place = VIEWS.findIndex(([view]) => view === this.view);
    this.look(VIEWS[(place + 1) % VIEWS.length]?.[0] ?? "original");
  }

  /** Puts the marks where the day was forked. */
  place() {
    const { model: shown } = this.lab;
    const at = this.forked?.at ?? forkedAt(shown)[0];
    for (const part of [this.mark, this.across]) part.hidden = at === undefined;
    if (at === undefined) return;
    const span = Math.max(1, this.lab.end - shown.begin);
    this.mark.style.left = `${((at - shown.begin) / span) * 100}%`;
    const x = this.scale.x(at);
    this.across.hidden = x < 0 || x > this.scale.pixels;
    this.across.style.transform = `translateX(${x}px)`;
  }

  fill() {
    const { differ } = this;
    const more = differ.length > LISTED ? `; here are the first ${LISTED}` : "";
    say(this.count, `${counted(differ.length, "sentence")} that only one of them has${more}`);
    this.list.replaceChildren(...differ.slice(0, LISTED).map((one) => this.difference(one)));
  }

  /** @param {Difference} difference */
  difference({ at, which, entry }) {
    const words = el("span", { class: "words" }, entry.text);
    const button = el("button", { type: "button", click: () => this.lab.go(at) }, el("time", {}, clock(at)), el("span", { class: "fork-which" }, which), words);
    return el("li", { "data-which": which }, button);
  }
}

/** @param {readonly Line[]} lines */
function model(lines) {
  const made = new Model();
  for (const line of lines) made.add(line);
  return made;
}

/** Another day in the same model. @param {Lab} lab @param {readonly Line[]} lines */
function refill(lab, lines) {
  lab.model.clear();
  for (const line of lines) lab.model.add(line);
}

/** @param {Model} day */
function judged({ verdict, findings }) {
  if (!verdict) return "not judged";
  return verdict.good ? "all promises kept" : `broken: ${[...new Set(findings.map(({ promise }) => promise))].join(", ")}`;
}
