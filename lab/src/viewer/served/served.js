// What a served page has beyond one that stands alone: lines that come, and what stands behind
// the other tabs.

import { byId, el, say } from "../dom.js";
import { lab, ring, tabs, time } from "../main.js";
import { showTitle } from "../header.js";
import { Connection } from "./connect.js";
import { Learn } from "./learn.js";
import { Breaking } from "./palette.js";

const { settings } = lab;

games(settings?.frontends ?? []);
if (settings?.live) goOn();
tabs.offer();

/** Links to where the game is played. @param {string[]} urls */
function games(urls) {
  const links = urls.map((href, place) => el("a", { href, target: "_blank", rel: "noreferrer" }, place ? `${place + 1}` : "Play"));
  byId("games").hidden = urls.length === 0;
  byId("games").replaceChildren(...links);
}

/** Lines are still coming: something can be done about them. */
function goOn() {
  byId("download").hidden = false;
  new Breaking(byId("break"), lab, ring);
  const learn = new Learn(byId("learn"), lab);
  new Connection(lab, { heard, there, shown: (said) => learn.shown(said) });
}

/** @param {number} now @param {number | undefined} newest @param {boolean} anew */
function heard(now, newest, anew) {
  if (anew) time.clock.reset();
  time.clock.heard(now, performance.now() * 1000, newest);
  if (document.title === "" || byId("title").textContent !== lab.model.head.title) showTitle(lab.model);
  lab.tell("lines");
}

/** @param {boolean} is */
function there(is) {
  document.body.toggleAttribute("data-gone", !is);
  say(byId("gone"), is ? "" : "The lab does not answer. What is shown is what was heard until then.");
}
