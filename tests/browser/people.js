// People in front of browsers. Each has a browser context of their own: other
// storage, other window. They find things by the hooks that the page documents.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { ROOT } from "./demo.js";

/** Where screenshots are kept. */
const SCREENSHOTS = join(ROOT, "target", "screenshots");

/** Sizes of windows. */
export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

/** What a browser says of itself when a frontend is dead; that is what we want to see. */
const EXPECTED = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_INTERNET_DISCONNECTED|ERR_SOCKET_NOT_CONNECTED|ERR_EMPTY_RESPONSE|WebSocket connection to/;

const ARGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** A browser for this test, with a profile that is thrown away. */
export async function openBrowser(after) {
  const executablePath = process.env.CHROMIUM ?? BROWSERS.find(existsSync);
  if (!executablePath) throw new Error("there is no Chromium; install it, or name it in CHROMIUM");
  const browser = await chromium.launch({ executablePath, args: ARGS });
  after(() => browser.close());
  return browser;
}

/** Someone in front of a window, at a frontend. */
export class Person {
  /** Everything their sockets received, frame by frame. */
  heard = [];
  /** What went wrong on their page. */
  errors = [];

  static async arrive(browser, name, url, { viewport = DESKTOP, colorScheme = "light" } = {}) {
    const touch = viewport.width < 600;
    const context = await browser.newContext({ viewport, colorScheme, hasTouch: touch, isMobile: touch });
    const person = new Person(name, await context.newPage());
    await person.page.goto(url);
    await person.connected();
    return person;
  }

  constructor(name, page) {
    this.name = name;
    this.page = page;
    page.setDefaultTimeout(20_000);
    page.on("pageerror", (error) => this.errors.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" && !EXPECTED.test(message.text())) this.errors.push(message.text());
    });
    page.on("websocket", (socket) => {
      socket.on("framereceived", ({ payload }) => this.heard.push(String(payload)));
    });
  }

  hook(id) {
    return this.page.getByTestId(id);
  }

  /** Waits until an element has this attribute. */
  async sees(id, attribute, value) {
    const values = [value].flat().map((one) => `[data-testid="${id}"][${attribute}="${one}"]`);
    await this.page.locator(values.join(", ")).waitFor({ state: "attached" });
  }

  async connected() {
    await this.sees("connection", "data-state", "connected");
  }

  /** Opens a room from the lobby; its link's end. */
  async open(mode, category = "") {
    await this.hook("name-input").fill(this.name);
    if (category) await this.hook("category-select").selectOption(category);
    await this.hook(`open-${mode}`).click();
    await this.page.waitForURL(/#\/room\/[a-z2-7]{16}$/);
    await this.page.locator('[data-testid="players"] li[data-me]').waitFor();
    return new URL(this.page.url()).hash;
  }

  /** Follows a link to a room, and takes a seat there. */
  async join(link) {
    await this.page.evaluate((hash) => (location.hash = hash), link);
    await this.hook("name-input").fill(this.name);
    await this.hook("sit-button").click();
    await this.page.locator('[data-testid="players"] li[data-me]').waitFor();
  }

  /** Presses a letter on the screen. */
  async press(letter) {
    await this.hook(`letter-${letter}`).click();
  }

  /** Waits until the letter is seen as played, by whomever. */
  async seesLetter(letter) {
    await this.sees(`letter-${letter}`, "data-state", ["hit", "miss"]);
  }

  async pattern() {
    return this.hook("word").getAttribute("data-pattern");
  }

  async state() {
    return this.hook("state").getAttribute("data-state");
  }

  /** Who guessed what, line by line. */
  async tried() {
    return this.hook("tried").locator("li").allTextContents();
  }

  /** The page must never be wider than its window: nobody scrolls sideways. */
  async fits() {
    const widths = await this.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(widths[0] <= widths[1], `${this.name}'s page is ${widths[0]} wide in a window of ${widths[1]}`);
  }

  async screenshot(name) {
    await screenshot(this.page, name);
  }

  unharmed() {
    assert.deepEqual(this.errors, [], `${this.name}'s page`);
  }
}

/** Keeps what a page looks like. */
export async function screenshot(page, name) {
  await mkdir(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), animations: "disabled" });
}
