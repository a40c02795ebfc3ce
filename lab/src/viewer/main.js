// Where the page starts: reads the timeline, puts the parts together, and tells each part of
// what has changed.

import { readPlace, writePlace } from "./address.js";
import { byId, el, say } from "./dom.js";
import { Feed } from "./feed.js";
import { listen } from "./hands.js";
import { copy, showHeader, showTitle } from "./header.js";
import { KEYS, listenToKeys } from "./keys.js";
import { Lab } from "./lab.js";
import { Light } from "./light.js";
import { Nodes } from "./nodes.js";
import { Overview } from "./overview.js";
import { Pointing, placeLine } from "./pointing.js";
import { gapAt } from "./model/gap.js";
import { leftOut } from "./model/judged.js";
import { Outage } from "./model/outage.js";
import { FORMAT, Model } from "./model/read.js";
import { Ring } from "./ring/ring.js";
import { Scale } from "./scale.js";
import { Split } from "./split.js";
import { Stage } from "./stage.js";
import { Story } from "./model/story.js";
import { leads } from "./model/table.js";
import { Tabs } from "./tabs.js";
import { Time } from "./time.js";
import { termColours } from "./colours.js";
import { unpack } from "./model/unpack.js";
import { clock, counted, span } from "./model/words.js";

/** What is shown around a moment that one jumps to from afar (microseconds). */
const CLOSE_UP = 2_000_000;
/** What is in sight of a page that goes on, at first (microseconds). */
const AT_FIRST = 2_400_000;
/** The strip of a page that goes on shows as long a time at least (microseconds). */
const STRIP_LEAST = 60_000_000;
/** Where the moment is while it runs, as a part of what is in sight: at the right, where it follows. */
const [FOLLOWS, PLAYS] = [0.97, 0.75];
/** How long (milliseconds) the page's address waits for the hand to rest. */
const RESTS = 250;
/** How often (milliseconds) words and the strip are drawn while lines come. */
const OFTEN = 200;
/** The lanes rest so many times as long as they took to be drawn: others draw as well. */
const SHARE = 3;

/** @type {import("./model/types.js").Settings | null} */
const settings = JSON.parse(byId("settings").textContent ?? "null");

/** What the parts of the page share. */
export const lab = new Lab(new Model(), settings ?? undefined);
const { model } = lab;
for (const line of unpack(JSON.parse(byId("timeline").textContent ?? ""))) model.add(line);

/** Which part of the time the lanes show, and the lanes. */
export const scale = new Scale(model.end, 1000);
export const stage = new Stage(model, scale, (lane) => lab.select(lane === lab.selected ? "" : lane));
const overview = new Overview(model, scale, { go: (time) => lab.go(time), changed: () => changed() });
const feed = new Feed(new Story(model), (entry) => go(entry.at, entry), settings?.live === true);
const pointing = new Pointing(stage, scale);
const outage = new Outage();

/** How time goes on here. */
export const time = new Time(lab);
/** What stands beside the picture. */
export const tabs = new Tabs(() => {
  feed.appear();
  changed();
});
/** Where the address says that one is, and what others have written in it. */
let place = readPlace(location.hash);
/** Whether a moment was chosen: until then the address has none. */
let chosen = false;
/** A moment of the address that is not there yet. @type {number | undefined} */
let awaited;
/** Whether the lanes are to be drawn, and not before when. */
let [dirty, notBefore] = [true, 0];
let writing = 0;
let worded = 0;

document.body.toggleAttribute("data-served", settings !== null);
document.body.toggleAttribute("data-live", time.live);
const light = settings ? new Light(lab, toFinding) : undefined;
const nodes = new Nodes(lab);
/** The picture of the cluster. */
export const ring = new Ring(byId("ring"), lab);
const split = new Split(() => measure());
start();

function start() {
  if (time.live) [scale.wished, overview.least] = [AT_FIRST, STRIP_LEAST];
  if (model.head.format !== FORMAT) say(byId("facts"), `This timeline has format ${model.head.format}; this page reads ${FORMAT}.`);
  else if (settings) showTitle(model);
  else showHeader(model, toFinding);
  byId("keys").append(...KEYS.filter(([key]) => key !== "L" || time.live).flatMap(([key, does]) => [el("dt", {}, key), el("dd", {}, does)]));
  lab.on("lines", took);
  lab.on("moment", moved);
  lab.on("selected", selected);
  lab.on("frame", frame);
  lab.on("large", enlarged);
  time.slow.push(lanes, words, (now) => nodes.draw(now), (now) => light?.draw(now) ?? false);
  listenToParts();
  took();
  measure();
  restore();
}

function listenToParts() {
  listen(byId("picture"), [byId("ruler"), byId("strip")], byId("scroller"), {
    pan: (pixels) => move(() => scale.pan(pixels), true),
    zoom: (x, factor) => move(() => scale.zoom(x, factor)),
    press: (x, y) => {
      pointing.press(x, y);
      go(scale.time(x));
      pointing.hide();
    },
    point: (x, y, event) => event.pointerType !== "touch" && pointing.point(x, y),
    leave: () => pointing.leave(),
  });
  const dialog = /** @type {HTMLDialogElement} */ (byId("help"));
  const help = () => (dialog.open ? dialog.close() : dialog.showModal());
  const zoom = (/** @type {number} */ factor) => move(() => scale.zoom(inSight(scale.x(lab.moment)), factor));
  listenToKeys({
    step, zoom, help,
    lane: nextLane,
    pan: (part) => move(() => scale.pan(part * scale.pixels), true),
    begin: () => go(model.begin),
    end: () => go(lab.end),
    all: () => move(() => scale.all()),
    close: () => (dialog.open ? dialog.close() : pointing.close() || light?.close() || lab.select("")),
    finding: () => model.findings[0] && toFinding(model.findings[0]),
    play: () => time.toggle(),
    speed: (way) => time.change(way),
    live: () => time.follow(),
  });
  /** @type {[string, () => void][]} */
  const buttons = [
    ["zoom-in", () => zoom(2)], ["zoom-out", () => zoom(0.5)], ["zoom-all", () => move(() => scale.all())],
    ["earlier", () => step(-1)], ["later", () => step(1)], ["help-button", help], ["help-close", () => dialog.close()],
    ["link-button", () => copy(withPlace(true), byId("link-button"))],
  ];
  for (const [id, deed] of buttons) byId(id).addEventListener("click", deed);
  for (const scrolled of [window, byId("scroller")]) scrolled.addEventListener("scroll", () => redraw(), { passive: true });
  addEventListener("resize", measure);
  addEventListener("hashchange", restore);
  for (const query of ["(prefers-color-scheme: dark)", `(resolution: ${devicePixelRatio}dppx)`]) matchMedia(query).addEventListener("change", measure);
}

/** In the picture, or its middle. @param {number} x */
function inSight(x) {
  return x >= 0 && x <= scale.pixels ? x : scale.pixels / 2;
}

function measure() {
  stage.measure();
  overview.draw(stage.colours);
  redraw();
}

/** Draws the lanes soon. */
function redraw() {
  dirty = true;
  time.wake();
}

/** The window is another. @param {() => void} how @param {boolean} [away] from the moment that runs */
function move(how, away = false) {
  if (away && time.runs) time.toggle();
  how();
  pointing.hide();
  changed();
}

/** What is looked at is another: draws soon, and says so in the address. */
function changed() {
  redraw();
  clearTimeout(writing);
  writing = setTimeout(() => !time.plays && history.replaceState(null, "", withPlace(chosen)), RESTS);
}

/** Lines have come. */
function took() {
  const reached = scale.end;
  scale.bound(model.begin, lab.end);
  if (scale.to >= reached - CLOSE_UP) dirty = true;
  if (stage.arrange()) arranged();
  if (awaited !== undefined && model.end >= awaited) go(awaited);
}

/** Other lanes are there. */
function arranged() {
  const abouts = [...new Set(stage.places.map(({ lane }) => lane.about))];
  byId("legend").replaceChildren(...abouts.map((about) => el("li", {}, about)));
  stage.measure();
  dirty = true;
}

/** The moment is another. */
function moved() {
  const { runs } = time;
  if (runs) scale.along(lab.moment, lab.follows ? FOLLOWS : PLAYS);
  else scale.reveal(lab.moment);
  dirty = true;
  const another = chosen === lab.follows;
  chosen = !lab.follows;
  if (another && lab.follows) feed.follow();
  if (another || !runs) changed();
  if (!runs) feed.show(lab.moment, undefined);
}

/** Large type is for those at the back: lanes are too fine for them, and leave their room to the ring. */
function enlarged() {
  document.documentElement.classList.toggle("projector", lab.large);
  split.fold(lab.large);
  // Whoever draws by the size of the page measures it again.
  dispatchEvent(new Event("resize"));
}

function selected() {
  stage.select(lab.selected);
  feed.select(lab.selected);
  changed();
}

function frame() {
  overview.place(lab.moment);
  placeLine(scale, byId("cursor"), lab.moment);
  say(byId("moment"), clock(lab.moment));
  say(byId("in-sight"), scale.width < 10_000_000 ? span(scale.width) : clock(scale.width, 1));
}

/** The lanes, as often as leaves room for others. @param {number} now @returns {boolean} whether something is left to draw */
function lanes(now) {
  if (!dirty || split.folded) return false;
  if (now < notBefore) return true;
  const began = performance.now();
  stage.draw();
  dirty = false;
  notBefore = now + (performance.now() - began) * SHARE;
  return false;
}

/** What need not be drawn in each frame. @param {number} now @returns {boolean} whether something is left to draw */
function words(now) {
  if (now - worded < OFTEN) return true;
  worded = now;
  const { moment } = lab;
  overview.draw(stage.colours);
  stage.tell(moment);
  feed.update(model.begin);
  if (time.live) goesOn();
  if (time.plays) feed.show(moment, undefined);
  const { words: said, term, led } = leads(model, moment);
  const chip = byId("leads");
  chip.hidden = model.nodes.size === 0;
  say(byId("leads-words"), said);
  [chip.style.background, chip.style.color] = led ? termColours(term) : ["", ""];
  say(byId("left-out"), omitted(moment).join("; "));
  return time.runs;
}

/** Whether somebody can move now, whatever moment is looked at. */
function goesOn() {
  const { words: told, aloud } = outage.look(gapAt(model, model.end, true));
  feed.goesOn(told);
  if (aloud) say(byId("said"), aloud);
}

/** What is not shown. @param {number} moment */
function omitted(moment) {
  const { step } = stage.messages;
  const said = leftOut(model, moment);
  if (step > 1) said.unshift(`1 of ${step} everyday messages is drawn`);
  if (stage.hidden) said.push(`${counted(stage.hidden, "more client")} without a lane`);
  return said;
}

/**
 * Shows a moment.
 * @param {number} moment
 * @param {import("./model/types.js").Entry} [entry] the sentence that it is about
 * @param {number} [width] no more than this is shown around it
 */
function go(moment, entry, width = scale.width) {
  awaited = undefined;
  if (width < scale.width) scale.show(moment - width / 2, width);
  lab.go(moment);
  scale.reveal(lab.moment);
  feed.update(model.begin);
  feed.show(lab.moment, entry);
}

/** Shows how a promise was broken: the moment, and what is told of it. @param {import("./model/types.js").FindingLine} finding */
function toFinding(finding) {
  feed.update(model.begin);
  go(finding.at, feed.telling(finding), CLOSE_UP);
}

/** @param {number} way */
function step(way) {
  const entry = feed.next(lab.moment, way);
  if (!entry) return;
  go(entry.at, entry);
  say(byId("said"), `${clock(entry.at)}: ${entry.text}`);
}

/** @param {number} way */
function nextLane(way) {
  const { names } = stage;
  const at = names.indexOf(lab.selected);
  lab.select(names[at < 0 ? (way > 0 ? 0 : names.length - 1) : Math.min(Math.max(at + way, 0), names.length - 1)] ?? "");
  const top = stage.topOf(lab.selected) ?? 0;
  const scroller = byId("scroller");
  if (top < scroller.scrollTop || top > scroller.scrollTop + scroller.clientHeight - 60) scroller.scrollTop = top - 60;
}

/** The page's address with what is looked at. @param {boolean} withMoment */
function withPlace(withMoment) {
  const whole = time.live ? !withMoment : scale.width >= scale.most;
  const here = { from: whole ? undefined : scale.from, width: whole ? undefined : scale.width };
  const moment = withMoment ? lab.moment : undefined;
  const tab = tabs.shown === "happens" ? "" : tabs.shown;
  return location.href.replace(/#.*/s, "") + writePlace({ moment, ...here, lane: lab.selected, speed: time.speed, tab, rest: place.rest });
}

/** Goes where the address says. */
function restore() {
  place = readPlace(location.hash);
  if (place.tab || settings) tabs.show(place.tab || tabs.shown);
  time.at(place.speed);
  if (place.width) scale.show(place.from ?? (place.moment ?? 0) - place.width / 2, place.width);
  if (place.lane && place.lane !== lab.selected) lab.select(place.lane);
  awaited = time.live && (place.moment ?? 0) > model.end ? place.moment : undefined;
  if (awaited !== undefined || (time.live && place.moment === undefined)) return time.follow();
  if (place.moment !== undefined) return go(place.moment);
  go(first());
  if (!place.width) scale.all();
  chosen = false;
}

/** Where one begins to look: when somebody leads. */
function first() {
  return model.terms.find(({ led }) => led !== undefined)?.led ?? model.begin;
}
