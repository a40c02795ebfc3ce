// A small timeline for the tests, as pack.rs packs it and as lines.

import { readFileSync } from "node:fs";
import { Model } from "../src/viewer/model/read.js";

const read = (name) => readFileSync(new URL(name, import.meta.url), "utf8");

/** The lines of timeline.jsonl. */
export const lines = read("timeline.jsonl").trimEnd().split("\n").map((line) => JSON.parse(line));

/** The same as a page holds them. A Rust test keeps packed.json as it is. */
export const packed = () => JSON.parse(read("packed.json"));

/** A model of these lines. */
export function modelOf(taken = lines) {
  const model = new Model();
  for (const line of taken) model.add(line);
  return model;
}
