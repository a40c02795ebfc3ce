// Forks of the simulated day that is shown: one chooses what is done instead, the server lets
// the simulator live through that day, and both stand next to each other.

import { readPlace } from "../address.js";
import { byId, el, say } from "../dom.js";
import { lab, ring, scale, stage, tabs, time } from "../main.js";
import { readFork, samePast, writeFork } from "../model/forks.js";
import { unpack } from "../model/unpack.js";
import { ForkForm } from "./forkform.js";
import { Stepper } from "./stepper.js";
import { TwoDays } from "./twodays.js";

/** What the page's address says of a fork. */
const NAME = "fork";
/** The key that shows the next of original, fork and both. */
const TURN = "o";

if (lab.settings?.forks) start();

function start() {
  /** @type {import("../model/types.js").Line[]} */
  const original = [...unpack(JSON.parse(byId("timeline").textContent ?? ""))];
  const panel = el("section", { id: "fork", "aria-label": "Fork", hidden: true });
  const tab = el("button", { type: "button", role: "tab", id: "tab-fork", "aria-controls": "fork", "aria-selected": "false", tabindex: "-1", click: () => tabs.show("fork") }, "Do something else");
  byId("tabs").append(tab);
  byId("happens").after(panel);
  const days = new TwoDays(lab, original, scale, ring, () => {
    days.close();
    address(undefined);
  });
  const form = new ForkForm(lab, lab.model.head.command ?? "", (at, fault) => void ask(at, fault));
  panel.append(el("h2", {}, "Do something else here"), form.root, days.root);
  new Stepper(lab, () => days.shown());
  lab.on("moment", () => form.tell());
  lab.on("lines", () => form.tell());
  time.slow.push(() => {
    days.lanes.draw(stage.colours, lab.moment, days.forked?.at ?? -1);
    return false;
  });
  byId("keys").append(el("dt", {}, TURN.toUpperCase()), el("dd", {}, "with a fork: the original, the fork, both"));
  addEventListener("keydown", (event) => {
    const types = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (!types && !event.ctrlKey && !event.metaKey && !event.altKey && event.key.toLowerCase() === TURN) days.turn();
  });
  const place = readPlace(location.hash);
  tabs.offer();
  if (place.tab === "fork") tabs.show("fork");
  const asked = readFork(new URLSearchParams(location.hash.slice(1)).get(NAME));
  if (asked) void ask(asked.at, asked.fault, place.moment);

  /** @param {number} at @param {string} fault @param {number} [moment] that is shown then */
  async function ask(at, fault, moment = at) {
    form.busy(true);
    try {
      const lines = await live(at, fault);
      days.show({ at, fault, lines }, samePast(original, lines, at));
      lab.go(moment);
      address(writeFork(at, fault));
      say(byId("said"), `The fork is there: ${days.title.textContent}`);
    } catch (err) {
      form.refuse(err instanceof Error ? err.message : String(err));
      // The address tells of what is shown.
      address(days.forked && writeFork(days.forked.at, days.forked.fault));
    } finally {
      form.busy(false);
    }
  }
}

/**
 * Lets the server's simulator live through another day.
 * @param {number} at @param {string} fault
 * @returns {Promise<import("../model/types.js").Line[]>}
 */
async function live(at, fault) {
  const body = JSON.stringify({ at_us: at, fault });
  const answer = await fetch("/fork", { method: "POST", headers: { "content-type": "application/json" }, body }).catch(() => undefined);
  if (!answer) throw new Error("The lab does not answer.");
  const { packed, said } = await answer.json().catch(() => ({ packed: undefined, said: "" }));
  if (!packed) throw new Error(said || "The day could not be lived again.");
  return [...unpack(packed)];
}

/** Writes into the page's address which fork is shown, so that it can be shared. @param {string | undefined} fork */
function address(fork) {
  const named = new URLSearchParams(location.hash.slice(1));
  if (fork) named.set(NAME, fork);
  else named.delete(NAME);
  location.hash = named.toString();
}
