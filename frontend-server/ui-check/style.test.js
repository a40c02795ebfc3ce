// What the style sheet promises: edges that can be seen, and nothing that stays
// coloured under a finger.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const UI = new URL("../ui/", import.meta.url);
const style = readFileSync(new URL("style.css", UI), "utf8");
/** The page's style, and each game's. */
const styles = readdirSync(UI, { recursive: true }).map(String).filter((file) => file.endsWith(".css"));

/** The colours by day and by night, by name. */
const [day, night] = [...style.matchAll(/:root \{([^}]*)\}/g)].map(([, block]) =>
  Object.fromEntries([...(block ?? "").matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name, colour]) => [name, colour])),
);

/** Relative luminance, as WCAG 2.2 defines it. */
function luminance(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [bright, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (bright + 0.05) / (dark + 0.05);
}

test("text has a contrast of 4.5 and edges of 3, by day and by night", () => {
  for (const [time, colours] of [["day", day], ["night", night]]) {
    for (const behind of ["card", "ground"]) {
      for (const text of ["ink", "faint", "yes", "no"]) {
        const ratio = contrast(colours[text], colours[behind]);
        assert.ok(ratio >= 4.5, `${time}: ${text} on ${behind} has ${ratio.toFixed(2)}`);
      }
      for (const edge of ["line", "focus"]) {
        const ratio = contrast(colours[edge], colours[behind]);
        assert.ok(ratio >= 3, `${time}: ${edge} on ${behind} has ${ratio.toFixed(2)}`);
      }
    }
  }
});

test("what lights up under a mouse does so only where there is one", () => {
  assert.match(style, /:hover/);
  for (const file of styles) {
    const text = readFileSync(new URL(file, UI), "utf8");
    const touched = text.replace(/@media \(hover: hover\) \{\n((?: {2}.*\n)*)\}/, "");
    assert.doesNotMatch(touched, /:hover/, file);
  }
});
