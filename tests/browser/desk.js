// Somebody at a desk with the lab's page.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { eventually } from "./demo.js";
import { screenshot } from "./people.js";

/** A window in which everything is in sight. */
const DESK = { width: 1440, height: 900 };

/** How long the page may take for what is done at once on a machine that has time (ms). */
const PATIENCE = 60_000;

export class Desk {
  /** What went wrong on the page. */
  errors = [];

  static async sit(browser, url, { viewport = DESK, colorScheme = "light", hash = "" } = {}) {
    const touch = viewport.width < 600;
    // For looking at the page with axe, which is put into it.
    const context = await browser.newContext({ viewport, colorScheme, hasTouch: touch, isMobile: touch, bypassCSP: true });
    const desk = new Desk(await context.newPage());
    await desk.page.goto(url + hash);
    return desk;
  }

  constructor(page) {
    this.page = page;
    page.setDefaultTimeout(PATIENCE);
    page.on("pageerror", (error) => this.errors.push(String(error.stack ?? error)));
    page.on("console", (message) => message.type() === "error" && this.errors.push(message.text()));
  }

  /** Opens what stands beside the picture. */
  async tab(name) {
    await this.page.locator(`#tab-${name}`).click();
    await this.page.locator(`#${name}`).waitFor();
  }

  /** Waits until the verdict's light says so: "good", "bad" or "none". */
  async light(how) {
    const shown = this.page.locator(`#verdict[data-how="${how}"]`).waitFor();
    await shown.catch(async () => assert.fail(`the verdict is not ${how}: ${await this.page.locator("#verdict").innerText()}`));
  }

  /** Who leads at the moment that is shown. */
  async leader() {
    return eventually("somebody who leads", async () => /^(n\d+) leads/.exec(await this.page.locator("#leads-words").innerText())?.[1], 30_000);
  }

  /** The moment that is shown, in seconds. */
  async moment() {
    return Number.parseFloat(await this.page.locator("#moment").innerText());
  }

  /** Waits until a place says something, and returns all it says. */
  async says(place, what, within = 30_000) {
    const inside = this.page.locator(place);
    return eventually(`${place} says ${what}`, async () => {
      const said = await inside.innerText().catch(() => "");
      return (typeof what === "string" ? said.includes(what) : what.test(said)) ? said : undefined;
    }, within);
  }

  /** Does what a command line says, as the page does. */
  async perform(words) {
    return this.page.evaluate(async (words) => {
      const answer = await fetch("/do", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ words }) });
      return answer.json();
    }, words);
  }

  /** What keeps people out, in a line each. */
  async axe(path) {
    await this.page.evaluate(await readFile(path, "utf8"));
    return this.page.evaluate(async () => {
      const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
      return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ target }) => target.join(" ")).join(", ")}`);
    });
  }

  async screenshot(name) {
    await screenshot(this.page, name);
  }

  unharmed() {
    assert.deepEqual(this.errors, []);
  }
}
