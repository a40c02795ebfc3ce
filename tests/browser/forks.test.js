// A simulated day in a real browser, with the real simulator: one steps through it, does
// something else at a moment, and sees the other day beside it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { unpack } from "../../lab/src/viewer/model/unpack.js";
import { eventually, simulator } from "./demo.js";
import { Desk } from "./desk.js";
import { LabRun } from "./lab.js";
import { openBrowser, PHONE } from "./people.js";
import { skip } from "./skip.js";

const run = promisify(execFile);

/** The day that is forked. */
const SEED = "42";

/** When somebody leads for long enough to be killed, in microseconds. */
const [FROM, TO, LEADS] = [3_000_000, 20_000_000, 1_000_000];

const missing = existsSync(simulator()) ? false : `${simulator()} is missing; make it as scripts/test does`;

let browser;
let opened;
/** The day as the simulator wrote it, and a moment of it at which somebody leads. */
const day = { text: "", lines: [], at: 0, leader: "" };
const CLEANUP = [];

before(async () => {
  if (missing) return skip("forks of simulated days in a browser", missing);
  browser = await openBrowser((close) => CLEANUP.unshift(close));
  const folder = await mkdtemp(join(tmpdir(), "hangraft-forks-"));
  CLEANUP.push(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "day.jsonl");
  await run(simulator(), ["--seed", SEED, "--timeline", file]);
  day.text = await readFile(file, "utf8");
  day.lines = day.text.trimEnd().split("\n").map((line) => JSON.parse(line));
  Object.assign(day, ledMoment(day.lines));
  opened = await LabRun.open((stop) => CLEANUP.unshift(stop), file, "--simulator", simulator());
}, { timeout: 120_000 });

after(async () => {
  for (const clean of CLEANUP) await clean();
});

test("one steps through a simulated day by key, happening by happening", { skip: missing, timeout: 60_000 }, async () => {
  const desk = await sit();
  await desk.light("good");
  await desk.says("#verdict", `${day.lines.at(-1).promises.length} promises`);
  await desk.says("#leads-words", `${day.leader} leads`);
  const happens = new Set(day.lines.flatMap(({ at, received, returned }) => [at, received, returned]));
  const told = [];
  for (const key of [".", ".", ".", ".", ",", ","]) {
    await desk.page.locator("body").press(key);
    told.push(await desk.page.locator("#happening").innerText());
  }
  const moments = told.map((words) => Math.round(Number.parseFloat(words) * 1e6));
  assert.ok(moments[0] < moments[1] && moments[1] < moments[2] && moments[2] < moments[3], told.join("\n"));
  assert.deepEqual(moments.slice(4), [moments[2], moments[1]], "the same way back");
  for (const moment of moments) assert.ok(happens.has(moment), `${moment} is a moment of the timeline`);
  for (const words of told) assert.match(words, /^\d+\.\d{6} s: \S/);
  desk.unharmed();
});

test("a node is killed in the middle of the day: both days are one until then, and differ after it", { skip: missing, timeout: 90_000 }, async () => {
  const desk = await sit();
  const fork = await goOn(desk, "kill", day.leader);
  assert.equal(fork[0].command, `scripts/simulate --seed ${SEED} --fork "${day.at}us kill ${day.leader}"`);
  const [was, is] = [past(day.lines), past(fork)];
  assert.deepEqual(is.filter((line, place) => line !== was[place]).slice(0, 3), []);
  assert.ok(was.length > 100 && is.length === was.length, `${is.length} of ${was.length} lines`);
  const strikes = fork.filter(({ kind, at }) => kind === "told" && at === day.at).find(({ about }) => about === "fork");
  assert.match(strikes?.text ?? "", new RegExp(`${day.leader} .*is killed`));
  const ends = (lines) => lines.find(({ kind, event, name, at }) => kind === "process" && event === "ended" && name === day.leader && at >= day.at)?.at;
  assert.equal(ends(fork), day.at);
  assert.notEqual(ends(day.lines), day.at);

  // Side by side: what is told of both, and a node that leads on the one and is gone on the other.
  assert.match(await desk.page.locator(".fork-days h3").innerText(), new RegExp(`^seed ${SEED}, forked at .* s: kill ${day.leader}$`));
  assert.equal(await desk.page.locator(".fork-days .fork-said").innerText(), "");
  assert.match(await desk.page.locator(".fork-verdicts").innerText(), /^Original: all promises kept\. Fork: (all promises kept|broken: .*)\.$/);
  const [first, second] = [node(desk, "#ring", day.leader), node(desk, "#second-ring", day.leader)];
  assert.match(await first.getAttribute("aria-label"), /leader.*its process runs/);
  assert.match(await second.getAttribute("aria-label"), /its process is gone/);
  const [here, there] = [await first.boundingBox(), await second.boundingBox()];
  const middle = (await desk.page.locator("#second-ring").boundingBox()).x;
  assert.ok(Math.abs(here.x - (there.x - middle)) < 3 && Math.abs(here.y - there.y) < 3, "it has the same place on both");
  const differences = desk.page.locator(".fork-differences li");
  assert.match(await differences.first().innerText(), /another day/);
  for (const which of ["original", "fork"]) assert.ok(await desk.page.locator(`.fork-differences li[data-which="${which}"]`).count() > 0, which);
  for (const options of ["desk", "phone"]) await desk.screenshot(`forks-${options}`).then(() => desk.page.setViewportSize(PHONE));

  assert.equal(await (await fetch(`${opened.url}timeline.jsonl`)).text(), day.text, "the original is what it was");
  desk.unharmed();
});

test("one looks at either day or at both, to the end of both, and forks again", { skip: missing, timeout: 90_000 }, async () => {
  const desk = await sit({ colorScheme: "dark" });
  const { page } = desk;
  const [once] = await goOn(desk, "kill", day.leader);
  const title = day.lines[0].title;
  await desk.screenshot("forks-dark");
  for (const [shown, both] of [[title, false], [once.title, false], [title, true]]) {
    await page.locator("body").press("o");
    await desk.says("#title", shown);
    assert.equal(await page.locator("#second-ring").isVisible(), both);
  }
  // From the fork's own view: what stands beside the new fork is the original.
  await page.locator('[data-view="fork"]').click();
  const [again] = await goOn(desk, "pause", day.leader);
  await desk.says("#title", title);
  assert.match(again.title, new RegExp(`pause ${day.leader}$`));
  assert.match(await node(desk, "#ring", day.leader).getAttribute("aria-label"), /its process runs/);
  assert.match(await node(desk, "#second-ring", day.leader).getAttribute("aria-label"), /its process is paused/);

  // A link shows the same fork; and nothing of it is left when it is forgotten.
  await page.reload();
  await desk.says(".fork-days h3", again.title);
  assert.equal(await desk.moment(), Number((day.at / 1e6).toFixed(3)));
  await page.getByRole("button", { name: "Forget the fork" }).click();
  assert.equal(await page.locator("#second-ring").isVisible(), false);
  assert.doesNotMatch(await page.evaluate(() => location.hash), /fork=/);
  desk.unharmed();
});

test("the longer of two days is seen to its end", { skip: missing, timeout: 90_000 }, async () => {
  const desk = await sit();
  const fork = await goOn(desk, "kill", day.leader);
  const [original, other] = [day.lines, fork].map((lines) => Math.max(...lines.map(({ at = 0, returned = at }) => returned)));
  const words = () => desk.page.locator(other > original ? "#ring .ring-words" : "#second-ring .ring-words").innerText();
  await desk.page.evaluate((moment) => (location.hash = location.hash.replace(/t=[^&]*/, `t=${moment}`)), `${Math.min(original, other) / 1e6}s`);
  await desk.says("#moment", `${(Math.min(original, other) / 1e6).toFixed(3)} s`);
  const last = await words();
  await desk.page.locator("body").press("End");
  await desk.says("#moment", `${(Math.max(original, other) / 1e6).toFixed(3)} s`);
  assert.equal(await words(), last, "what is over stays as it was");
  const [captions, over] = [await desk.page.locator(".fork-caption").allInnerTexts(), other > original ? 0 : 1];
  assert.match(captions[over], new RegExp(`^${["original", "fork"][over]}, over at ${(Math.min(original, other) / 1e6).toFixed(3)} s$`));
  assert.equal(captions[1 - over], ["fork", "original"][over]);

  // A link leads there as well.
  await eventually("the moment in the address", async () => ((await desk.page.evaluate(() => location.hash)).includes(`t=${Math.max(original, other) / 1e6}s`) ? true : undefined));
  await desk.page.reload();
  await desk.says("#moment", `${(Math.max(original, other) / 1e6).toFixed(3)} s`);
  desk.unharmed();
});

test("a fork that cannot be done says why, and changes nothing", { skip: missing, timeout: 90_000 }, async () => {
  const desk = await sit({}, `&fork=${day.at}us+burn+n1`);
  const { page } = desk;
  await desk.says(".fork-form .fork-said", '"burn n1" is no fault');
  assert.doesNotMatch(await page.evaluate(() => location.hash), /fork=/, "nor is it in the address");
  assert.equal(await page.locator("#second-ring").isVisible(), false);

  const [kept] = await goOn(desk, "kill", day.leader);
  assert.equal(await page.locator(".fork-form .fork-said").innerText(), "", "the next try is another");
  await page.locator("body").press("End");
  await page.locator(".fork-go").click();
  await desk.says(".fork-form .fork-said", /is too late: the faults of this day end at \d+ s/);
  assert.equal(await page.locator(".fork-days h3").innerText(), kept.title, "what was there is still there");
  assert.equal(await page.locator("#second-ring").isVisible(), true);
  assert.match(await page.evaluate(() => location.hash), new RegExp(`fork=${day.at}us\\+kill`));
  await desk.screenshot("forks-refused");

  for (const [at_us, fault, why] of [
    [day.at, "kill n9", /n9/], [day.at, "kill n1; ls", /as in: kill n1/], [day.at, "--bugs", /as in: kill n1/], [day.at, "", /as in: kill n1/], [10 ** 15, "kill n1", /is too late/],
  ]) {
    const answer = await fetch(`${opened.url}fork`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ at_us, fault }) });
    const { said, packed } = await answer.json();
    assert.deepEqual([answer.status, packed], [400, undefined], `${fault}: ${said}`);
    assert.match(said, why);
  }
  assert.equal(await (await fetch(`${opened.url}timeline.jsonl`)).text(), day.text);
  assert.deepEqual(desk.errors.filter((error) => !error.includes("status of 400")), []);
});

/** Somebody at a desk with the day, at the moment at which it is forked. */
async function sit(options = {}, more = "") {
  return Desk.sit(browser, opened.url, { ...options, hash: `#t=${day.at / 1e6}s&tab=fork${more}` });
}

/** Chooses what is done in the page, and goes on from there: the lines of the other day, as the page is given them. */
async function goOn(desk, verb, name) {
  const { page } = desk;
  await page.getByRole("combobox", { name: "What", exact: true }).selectOption(verb);
  await page.getByRole("combobox", { name: "Which node" }).selectOption(name);
  const line = await page.locator(".fork-line code").innerText();
  assert.equal(line, `scripts/simulate --seed ${SEED} --fork "${Number((day.at / 1e6).toFixed(6))}s ${verb} ${name}"`);
  const answered = page.waitForResponse((response) => response.url().endsWith("/fork"));
  await page.locator(".fork-go").click();
  const { packed, said } = await (await answered).json();
  assert.ok(packed, said);
  const lines = [...unpack(packed)];
  await desk.says(".fork-days h3", lines[0].title);
  return lines;
}

/** A node in one of the rings. */
function node(desk, ring, name) {
  return desk.page.locator(`${ring} .ring-nodes button[aria-label^="${name} "]`);
}

/** A moment at which a node leads, and goes on to lead. */
function ledMoment(lines) {
  const stays = (one) => !lines.some((line) => line.at > one.at && line.at < one.at + LEADS && ((line.kind === "role" && line.node === one.node) || (line.kind === "process" && line.name === `n${one.node}`)));
  const led = lines.find((line) => line.kind === "role" && line.role === "leader" && line.at > FROM && line.at < TO && stays(line));
  assert.ok(led, "somebody leads on this day");
  return { at: led.at + LEADS / 2, leader: `n${led.node}` };
}

/**
 * All that happened before the moment of the fork, as it was known then. What a read showed is
 * told in part only, and a read that was never answered not at all.
 */
function past(lines) {
  const pending = ({ asked, returned }) => asked === "read" && returned > day.at;
  const known = lines.filter((line) => line.at < day.at && !pending(line));
  return known.map(({ lines: _, earlier: __, ...line }) => {
    if (line.kind === "message" && line.received > day.at) return { ...line, received: undefined };
    if (line.kind === "call" && !(line.returned <= day.at)) return { kind: "call", at: line.at, client: line.client, asked: line.asked, action: line.action };
    return line;
  }).map((line) => JSON.stringify(Object.entries(line).filter(([, value]) => value !== undefined).sort()));
}
