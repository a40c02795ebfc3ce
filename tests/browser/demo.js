// A real demo for browsers: `hangraft demo` in a folder of its own, on ports that
// are free, with the commands that break it. Whatever was started here is stopped
// when the test is over, also when it failed.

import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The workspace's root. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** How long a demo may take to start (ms). */
const START = 60_000;

/** Where free ports are looked for: above those of the Rust tests, below those that systems hand out. */
const FIRST_PORT = 30_000;
const LAST_PORT = 32_600;

/** The binary that is tested: HANGRAFT_BIN, or what cargo built last for tests. */
export function binary() {
  const built = ["debug", "release"].map((profile) => join(ROOT, "target", profile, "hangraft"));
  const found = process.env.HANGRAFT_BIN ?? built.find(existsSync);
  if (!found) throw new Error("there is no binary to test; run `cargo build` first");
  return found;
}

/** The build that can carry planted bugs, where it is looked for: HANGRAFT_PLANTED_BIN, or beside the one that is tested. */
export function plantedBinary() {
  return process.env.HANGRAFT_PLANTED_BIN ?? join(ROOT, "target", "debug", "hangraft-planted");
}

export class Demo {
  #child;
  #printed = "";

  /** Starts three nodes and two frontends. `after` is how the test lets us clean up. */
  static async start(after) {
    const dir = await mkdtemp(join(tmpdir(), "hangraft-browser-"));
    const port = await freePorts(10);
    const demo = new Demo(dir, port);
    after(() => demo.stop());
    await demo.#ready();
    return demo;
  }

  constructor(dir, port) {
    this.dir = dir;
    const ports = ["--port", String(port), "--node-port", String(port + 5)];
    this.#child = spawn(binary(), ["demo", "--dir", dir, ...ports], { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (this.#printed += text));
    }
    this.ended = new Promise((resolve) => this.#child.once("exit", resolve));
  }

  /** The frontends' URLs. */
  async frontends() {
    return (await this.#record()).frontends.map(({ http }) => http);
  }

  /** kill, pause, resume or restart a process by its name. */
  async fault(what, name) {
    await run(binary(), [what, name, "--dir", this.dir]);
  }

  /** The name of the node that leads. */
  async leader() {
    return eventually("a leader", async () => {
      for (const { address } of (await this.#record()).nodes) {
        const asked = run(binary(), ["status", "--node", address, "--output", "json"]);
        const { leader, members } = JSON.parse((await asked.catch(() => ({ stdout: "{}" }))).stdout);
        if (leader) return members.find(({ id }) => id === leader).name;
      }
      return undefined;
    });
  }

  async stop() {
    this.#child.kill("SIGTERM");
    const killer = setTimeout(() => this.#child.kill("SIGKILL"), 10_000);
    await this.ended;
    clearTimeout(killer);
    await rm(this.dir, { recursive: true, force: true });
  }

  async #ready() {
    await eventually("a demo that is ready", async () => {
      if (this.#child.exitCode !== null) throw new Error(`the demo ended:\n${this.#printed}`);
      return this.#printed.includes("Ctrl-C") || undefined;
    }, START);
  }

  async #record() {
    return JSON.parse(await readFile(join(this.dir, "demo.json"), "utf8"));
  }
}

/** Looks until there is something to see, and returns it. */
export async function eventually(what, look, within = 20_000) {
  const deadline = Date.now() + within;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (Date.now() > deadline) throw new Error(`not within ${within} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The first of so many free ports in a row. */
export async function freePorts(count) {
  const blocks = Math.floor((LAST_PORT - FIRST_PORT) / count);
  for (let tries = 0; tries < blocks; tries += 1) {
    const first = FIRST_PORT + count * Math.floor(Math.random() * blocks);
    const free = await Promise.all(Array.from({ length: count }, (_, at) => isFree(first + at)));
    if (free.every(Boolean)) return first;
  }
  throw new Error("no free ports");
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** The simulator, where it is looked for: HANGRAFT_SIM_BIN, or what cargo built last for simulated days. */
export function simulator() {
  return process.env.HANGRAFT_SIM_BIN ?? join(ROOT, "target", "sim", "hangraft-sim");
}
