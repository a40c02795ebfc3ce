// Skipping out loud: a test that cannot run here says so where it is read.

import { appendFileSync } from "node:fs";

/** Says that something was not tested, and why. `scripts/test` names a file that it prints at its end. */
export function skip(what, why) {
  console.error(`SKIPPED: ${what}: ${why}`);
  const file = process.env.HANGRAFT_SKIPPED_FILE;
  if (file) appendFileSync(file, `${what}: ${why}\n`);
}
