// A lab for browsers: `hangraft lab` on ports that are free, and a page on it. Whatever was
// started here is stopped when the test is over, also when it failed.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary, eventually, freePorts, plantedBinary, ROOT } from "./demo.js";

/** How long a lab may take to start (ms). */
const START = 60_000;

export class LabRun {
  #child;
  #printed = "";

  /** Starts a cluster with bots and its page. `after` is how the test lets us clean up. */
  static async start(after, ...options) {
    return LabRun.#begin(after, options, binary(), {});
  }

  /** The same with a bug in all of its processes; with none if it has no name. */
  static async planted(after, bug, ...options) {
    return LabRun.#begin(after, options, plantedBinary(), { HANGRAFT_PLANT: bug });
  }

  static async #begin(after, options, program, env) {
    const dir = await mkdtemp(join(tmpdir(), "hangraft-lab-"));
    const port = await freePorts(24);
    const ports = ["--port", String(port), "--lab-port", String(port + 3), "--node-port", String(port + 4)];
    const run = new LabRun(program, ["lab", "--dir", dir, ...ports, ...options], { port: port + 3, dir, env });
    after(() => run.stop());
    await run.#ready();
    return run;
  }

  /** Shows what was recorded. */
  static async open(after, ...options) {
    const port = await freePorts(1);
    const run = new LabRun(binary(), ["lab", "open", ...options, "--lab-port", String(port)], { port });
    after(() => run.stop());
    await run.#ready();
    return run;
  }

  constructor(program, words, { port, dir, env = {} }) {
    this.dir = dir;
    this.url = `http://127.0.0.1:${port}/`;
    this.#child = spawn(program, words, { cwd: ROOT, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (this.#printed += text));
    }
    this.ended = new Promise((resolve) => this.#child.once("exit", resolve));
  }

  /** The timeline, as far as it is kept. */
  async timeline() {
    const text = await (await fetch(`${this.url}timeline.jsonl`)).text();
    return text.trimEnd().split("\n").map((line) => JSON.parse(line));
  }

  async stop() {
    this.#child.kill("SIGTERM");
    const killer = setTimeout(() => this.#child.kill("SIGKILL"), 15_000);
    await this.ended;
    clearTimeout(killer);
    if (this.dir) await rm(this.dir, { recursive: true, force: true });
  }

  async #ready() {
    await eventually("a lab that is ready", async () => {
      if (this.#child.exitCode !== null) throw new Error(`the lab ended:\n${this.#printed}`);
      return this.#printed.includes("Ctrl-C") || undefined;
    }, START);
  }
}
