// Where the page starts: reads the timeline, puts the parts together, keeps the moment and
// the window, and draws when something has changed.

import { readPlace, writePlace } from "./address.js";
import { byId, el, say } from "./dom.js";
import { Feed } from "./feed.js";
import { listen } from "./hands.js";
import { copy, showHeader } from "./header.js";
import { KEYS, listenToKeys } from "./keys.js";
import { Overview } from "./overview.js";
import { FORMAT, Model } from "./model/read.js";
import { Scale } from "./scale.js";
import { Stage } from "./stage.js";
import { story } from "./model/story.js";
import { unpack } from "./model/unpack.js";
import { clock, span } from "./model/words.js";

/** What is shown around a moment that one jumps to from afar (microseconds). */
const CLOSE_UP = 2_000_000;
/** How long (milliseconds) the page's address waits for the hand to rest. */
const RESTS = 250;

const model = new Model();
for (const line of unpack(JSON.parse(byId("timeline").textContent ?? ""))) model.add(line);

const scale = new Scale(model.end, 1000);
const stage = new Stage(model, scale, (lane) => select(lane === stage.selected ? "" : lane));
const overview = new Overview(model, scale, changed);
const feed = new Feed(story(model), (entry) => go(entry.at, entry));
const cursor = byId("cursor");
const tip = byId("tip");
/** @type {number | undefined} */
let moment;
let drawing = 0;
let writing = 0;

if (model.head.format !== FORMAT) say(byId("facts"), `This timeline has format ${model.head.format}; this page reads ${FORMAT}.`);
else showHeader(model, (time) => go(time, undefined, CLOSE_UP));
byId("keys").append(...KEYS.flatMap(([key, does]) => [el("dt", {}, key), el("dd", {}, does)]));
byId("legend").append(...[...new Set(stage.places.map(({ lane }) => lane.about))].map((about) => el("li", {}, about)));
listenToParts();
measure();
restore();

function listenToParts() {
  listen(byId("picture"), [byId("ruler"), byId("strip")], byId("scroller"), {
    pan: (pixels) => move(() => scale.pan(pixels)),
    zoom: (x, factor) => move(() => scale.zoom(x, factor)),
    press,
    point: (x, y, event) => event.pointerType !== "touch" && point(x, y),
    leave: () => {
      tip.hidden = true;
      byId("pointed").hidden = true;
      tell(moment);
    },
  });
  const dialog = /** @type {HTMLDialogElement} */ (byId("help"));
  const help = () => (dialog.open ? dialog.close() : dialog.showModal());
  const zoom = (/** @type {number} */ factor) => move(() => scale.zoom(moment === undefined ? scale.pixels / 2 : inSight(scale.x(moment)), factor));
  const first = model.findings[0];
  listenToKeys({
    step, zoom, help,
    lane: nextLane,
    pan: (part) => move(() => scale.pan(part * scale.pixels)),
    begin: () => go(0),
    end: () => go(model.end),
    all: () => move(() => scale.all()),
    close: () => (dialog.open ? dialog.close() : letGo()),
    finding: () => first && go(first.at, undefined, CLOSE_UP),
  });
  /** @type {[string, () => void][]} */
  const buttons = [
    ["zoom-in", () => zoom(2)], ["zoom-out", () => zoom(0.5)], ["zoom-all", () => move(() => scale.all())],
    ["earlier", () => step(-1)], ["later", () => step(1)], ["help-button", help], ["help-close", () => dialog.close()],
    ["link-button", () => copy(withPlace(), byId("link-button"))],
  ];
  for (const [id, deed] of buttons) byId(id).addEventListener("click", deed);
  for (const scrolled of [window, byId("scroller")]) scrolled.addEventListener("scroll", () => (tip.hidden = true), { passive: true });
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
  changed();
}

/** @param {() => void} how */
function move(how) {
  how();
  tip.hidden = true;
  changed();
}

/** The window or what is selected has changed: draws soon, and says so in the address. */
function changed() {
  if (!drawing) drawing = requestAnimationFrame(draw);
  clearTimeout(writing);
  writing = setTimeout(() => history.replaceState(null, "", withPlace()), RESTS);
}

function draw() {
  drawing = 0;
  stage.draw();
  overview.place();
  placeLine(cursor, moment);
  say(byId("in-sight"), scale.width < 10_000_000 ? span(scale.width) : clock(scale.width, 1));
}

/** @param {HTMLElement} line @param {number | undefined} time */
function placeLine(line, time) {
  const x = time === undefined ? -1 : scale.x(time);
  line.hidden = x < 0 || x > scale.pixels;
  line.style.transform = `translateX(${x}px)`;
}

/** @param {number | undefined} time */
function tell(time) {
  stage.tell(time);
  say(byId("moment"), time === undefined ? "–" : clock(time));
}

/**
 * Selects a moment and brings it into sight.
 * @param {number} time
 * @param {import("./model/types.js").Entry} [entry] the sentence that it is about
 * @param {number} [width] no more than this is shown around it
 */
function go(time, entry, width = scale.width) {
  moment = Math.min(Math.max(time, 0), model.end);
  if (width < scale.width) scale.show(moment - width / 2, width);
  scale.reveal(moment);
  tell(moment);
  feed.show(moment, entry);
  changed();
}

/** @param {number} way */
function step(way) {
  const entry = feed.next(moment ?? scale.from, way);
  if (entry) go(entry.at, entry);
}

/** @param {number} way */
function nextLane(way) {
  const { names } = stage;
  const place = names.indexOf(stage.selected);
  select(names[place < 0 ? (way > 0 ? 0 : names.length - 1) : Math.min(Math.max(place + way, 0), names.length - 1)] ?? "");
  const top = stage.topOf(stage.selected) ?? 0;
  const scroller = byId("scroller");
  if (top < scroller.scrollTop || top > scroller.scrollTop + scroller.clientHeight - 60) scroller.scrollTop = top - 60;
}

function letGo() {
  byId("detail").replaceChildren();
  tip.hidden = true;
  select("");
}

/** @param {string} lane */
function select(lane) {
  stage.select(lane);
  feed.select(lane);
  changed();
}

/** @param {number} x @param {number} y */
function press(x, y) {
  const { hit } = stage.at(x, y);
  byId("detail").replaceChildren(...(hit ? described(hit) : []));
  go(scale.time(x));
  point(x, y);
}

/** @param {number} x @param {number} y */
function point(x, y) {
  const time = scale.time(x);
  stage.tell(time);
  placeLine(byId("pointed"), time);
  say(byId("pointed-time"), clock(time, scale.width < 200_000 ? 4 : 3));
  const { hit } = stage.at(x, y);
  tip.hidden = !hit;
  if (!hit) return;
  tip.replaceChildren(...described(hit));
  const box = byId("picture").getBoundingClientRect();
  const right = box.left + x + 16 + tip.offsetWidth < innerWidth;
  const below = box.top + y + 20 + tip.offsetHeight < innerHeight;
  tip.style.left = `${Math.max(4, right ? box.left + x + 14 : box.left + x - tip.offsetWidth - 10)}px`;
  tip.style.top = `${Math.max(4, below ? box.top + y + 18 : box.top + y - tip.offsetHeight - 10)}px`;
}

/** @param {import("./model/types.js").Hit} hit */
function described({ title, rows }) {
  const list = el("dl", {}, ...rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
  return rows.length ? [el("strong", {}, title), list] : [el("strong", {}, title)];
}

/** The page's address with what is looked at. */
function withPlace() {
  const whole = scale.width >= model.end;
  const place = { moment, from: whole ? undefined : scale.from, width: whole ? undefined : scale.width, lane: stage.selected };
  return location.href.replace(/#.*/s, "") + writePlace(place);
}

/** Goes where the address says. */
function restore() {
  const place = readPlace(location.hash);
  if (place.width) scale.show(place.from ?? (place.moment ?? 0) - place.width / 2, place.width);
  if (stage.names.includes(place.lane)) select(place.lane);
  if (place.moment !== undefined) go(place.moment);
  else tell(undefined);
  changed();
}
