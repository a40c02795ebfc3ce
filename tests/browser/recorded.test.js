// What is over, in a real browser: a run of real nodes, a report of a check, and what a lab
// has kept of its last minutes, each in the viewer that shows a lab live.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { binary, eventually } from "./demo.js";
import { Desk } from "./desk.js";
import { LabRun } from "./lab.js";
import { openBrowser, PHONE } from "./people.js";

const run = promisify(execFile);

/** How long an election, and what the judge says of it, may take to be seen (ms). */
const SEEN = 60_000;

/** Kinds that say how something stands, and what each is about. */
const STANDS = { process: ["name"], role: ["node"], log: ["node"], members: ["node"], gossip: ["node", "about"] };

/** For so long a lab has run whose last seconds are shown (microseconds). */
const LONG_AGO = 1_800_000_000;

let browser;
let folder;
/** A run in which the leader is killed: the file, and its lines. */
const kept = { file: "", lines: [] };
const report = { file: "", lines: [] };
const CLEANUP = [];

before(async () => {
  browser = await openBrowser((close) => CLEANUP.unshift(close));
  folder = await mkdtemp(join(tmpdir(), "hangraft-recorded-"));
  CLEANUP.push(() => rm(folder, { recursive: true, force: true }));
  const lab = await LabRun.start((stop) => CLEANUP.unshift(stop), "--bots", "6");
  await leaderIsKilled(lab);
  [kept.file, report.file] = [join(folder, "kept.jsonl"), join(folder, "check.html")];
  await writeFile(kept.file, await download(lab));
  kept.lines = read(await readFile(kept.file, "utf8"));
  const timeline = join(folder, "check.jsonl");
  await run(binary(), ["check", "--dir", lab.dir, "--time", "4s", "--report", report.file, "--timeline", timeline]);
  report.lines = read(await readFile(timeline, "utf8"));
  await lab.stop();
}, { timeout: 180_000 });

after(async () => {
  for (const clean of CLEANUP) await clean();
});

test("a run of real nodes is shown as it was: the verdict, the ring, the story", { timeout: 60_000 }, async () => {
  const { desk, opened } = await open(kept.file);
  await shows(desk, kept.lines);
  const { operations } = kept.lines.at(-1);
  await desk.says("#verdict", `${operations.toLocaleString("en")} operations`);
  await stepsByKey(desk);
  const ended = kept.lines.find(({ kind, event }) => kind === "process" && event === "ended");
  await desk.page.locator("#feed li", { hasText: `${ended.name} has ended` }).locator("button").first().click();
  assert.equal(await desk.moment(), Number((ended.at / 1e6).toFixed(3)));
  assert.match(await desk.page.locator(`.ring-nodes button[aria-label^="${ended.name} "]`).getAttribute("aria-label"), /its process is gone/);
  for (const tab of ["break", "learn", "fork"]) assert.equal(await desk.page.locator(`#tab-${tab}`).filter({ visible: true }).count(), 0, `what is over has no ${tab}`);
  assert.deepEqual(read(await download(opened)), kept.lines, "it can be downloaded again, as it is");
  await desk.screenshot("recorded-run");
  desk.unharmed();
});

test("a report of a check is shown in the same viewer, with what it has judged", { timeout: 60_000 }, async () => {
  const { desk } = await open(report.file, { colorScheme: "dark" });
  await shows(desk, report.lines);
  await stepsByKey(desk);
  const gone = kept.lines.find(({ kind, event }) => kind === "process" && event === "ended").name;
  await desk.page.locator("body").press("End");
  await desk.page.locator(`.ring-nodes button[aria-label^="${gone}"][aria-label$="its process is gone"]`).waitFor();
  await desk.page.locator("#verdict button").click();
  for (const { promise } of report.lines.at(-1).promises) assert.equal(await desk.page.locator("#promises .chip", { hasText: promise }).count(), 1, promise);
  const first = await desk.page.locator("#feed li", { hasText: /leads term \d+/ }).first().innerText();
  assert.doesNotMatch(first, /voted/, "whoever led before anybody looked was elected before that");
  await desk.screenshot("recorded-check");
  desk.unharmed();
});

test("what a lab has kept of its last minutes begins where it begins, and is not judged anew", { timeout: 60_000 }, async () => {
  const from = kept.lines.find(({ kind, event }) => kind === "process" && event === "ended").at + 1;
  const window = join(folder, "window.jsonl");
  const lines = lastOf(kept.lines, from);
  await writeFile(window, text(lines));
  const { desk } = await open(window);
  await shows(desk, lines);
  const { operations } = kept.lines.at(-1);
  await desk.says("#verdict", `${operations.toLocaleString("en")} operations`);
  const begins = ((from + LONG_AGO) / 1e6).toFixed(3);
  await desk.page.locator("body").press("Home");
  assert.equal(await desk.page.locator("#moment").innerText(), `${begins} s`);
  await desk.says("#left-out", "is not kept");
  assert.doesNotMatch(await desk.page.locator("#labels").innerText(), /not there yet/, "who was there is there from the beginning");
  const [first] = await desk.page.locator("#feed time").allInnerTexts();
  assert.ok(Number.parseFloat(first) > Number.parseFloat(begins), `${first}: how it stood is no news`);
  const onLines = await desk.page.locator("#feed time").first().evaluate((time) => {
    const range = document.createRange();
    range.selectNodeContents(time);
    return range.getClientRects().length;
  });
  assert.equal(onLines, 1, "a time stands on one line, however late it is");
  await desk.screenshot("recorded-window");

  await writeFile(window, text(lines.filter(({ kind }) => kind !== "verdict")));
  const { desk: other } = await open(window, { viewport: PHONE });
  await other.light("none");
  await other.says("#verdict", "not judged: the beginning is missing");
  await other.screenshot("recorded-window-phone");
  for (const one of [desk, other]) one.unharmed();
});

/** The leader of a lab is killed, another one leads, and the judge has heard of it. */
async function leaderIsKilled(lab) {
  const tells = (what, look) => eventually(what, async () => look(read(await download(lab))) || undefined, SEEN);
  await tells("a verdict", (lines) => lines.at(-1).kind === "verdict" && lines.at(-1).good && lines.some(({ outcome }) => outcome === "ok"));
  const body = JSON.stringify({ words: ["kill", "leader"] });
  const answer = await fetch(`${lab.url}do`, { method: "POST", headers: { "content-type": "application/json" }, body });
  assert.equal((await answer.json()).done, true);
  const next = (lines) => {
    const ended = lines.find(({ kind, event }) => kind === "process" && event === "ended")?.at ?? Infinity;
    const led = lines.find(({ kind, role, at }) => kind === "role" && role === "leader" && at > ended)?.at ?? Infinity;
    return lines.some(({ kind, outcome, at }) => kind === "call" && outcome === "ok" && at > led) && lines.at(-1).at > led + 1_000_000;
  };
  await tells("another leader, and moves", next);
}

async function open(file, options) {
  const opened = await LabRun.open((stop) => CLEANUP.unshift(stop), file);
  return { opened, desk: await Desk.sit(browser, opened.url, options) };
}

async function download({ url }) {
  return (await fetch(`${url}timeline.jsonl`)).text();
}

function read(lines) {
  return lines.trimEnd().split("\n").map((line) => JSON.parse(line));
}

function text(lines) {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** The verdict that was kept, each node in the ring, and the story. */
async function shows(desk, lines) {
  const verdict = lines.findLast(({ kind }) => kind === "verdict");
  await desk.light(verdict.good ? "good" : "bad");
  await desk.says("#verdict", `${verdict.promises.length} promises`);
  for (const { name } of lines[0].nodes) await desk.page.locator(`.ring-nodes button[aria-label^="${name}"]`).waitFor();
  assert.equal(await desk.page.locator("#title").innerText(), lines[0].title);
  await desk.page.locator("#feed li").first().waitFor();
}

/** The arrow keys lead from sentence to sentence, forth and back. */
async function stepsByKey(desk) {
  const body = desk.page.locator("body");
  await body.press("Home");
  const [moments, told] = [[], []];
  for (const key of ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft"]) {
    await body.press(key);
    moments.push(await desk.moment());
    told.push(await desk.page.locator("#feed [aria-current]").innerText());
    assert.equal(await desk.page.locator("#feed [aria-current] time").innerText(), await desk.page.locator("#moment").innerText());
  }
  assert.ok(moments[0] <= moments[1] && moments[1] <= moments[2] && moments[3] <= moments[2], moments.join(" "));
  assert.equal(new Set(told.slice(0, 3)).size, 3, `each key leads to another sentence:\n${told.join("\n")}`);
  assert.notEqual(told[3], told[2]);
}

/** What a lab keeps that forgets what was before a moment, long after it began. */
function lastOf([head, ...lines], from) {
  const stands = new Map();
  for (const line of lines.filter(({ at }) => at < from)) {
    const about = STANDS[line.kind]?.map((name) => line[name]);
    if (about) stands.set([line.kind, ...about].join(" "), { ...line, at: from });
  }
  const later = (line) => ({ ...line, at: line.at + LONG_AGO, ...(line.received && { received: line.received + LONG_AGO }), ...(line.returned && { returned: line.returned + LONG_AGO }) });
  const rest = [...stands.values(), ...lines.filter(({ at }) => at >= from)];
  return [{ ...head, from: from + LONG_AGO }, ...rest.map(later)];
}
