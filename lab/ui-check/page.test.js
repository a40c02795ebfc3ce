// What the page promises about itself: no markup out of data, nothing from elsewhere, words
// that can be read by day and by night, and modules that mod.rs can put together.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const VIEWER = new URL("../src/viewer/", import.meta.url);
const files = readdirSync(VIEWER, { recursive: true }).map(String).filter((file) => file.endsWith(".js"));
const text = (file) => readFileSync(new URL(file, VIEWER), "utf8");

/** Where a page may lead somebody who presses a link: nothing of it is fetched. */
const LINKS = ["https://github.com/ongardie/dissertation#readme", "https://www.cs.cornell.edu/projects/Quicksilver/public_pdfs/SWIM.pdf"];

test("nothing is taken for markup or for code, and nothing is fetched", () => {
  assert.ok(files.length > 20);
  for (const file of [...files, "page.html", "style.css"]) {
    assert.doesNotMatch(text(file), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|url\(|import\(["'h]?http/, file);
    // Only what is in served/ asks its server, and is in no page that stands alone.
    if (file.startsWith("served/")) continue;
    assert.doesNotMatch(text(file), /fetch\(|EventSource|XMLHttpRequest|WebSocket|sendBeacon/, file);
    const links = [...text(file).matchAll(/https?:[^"\s]*/g)].map(([link]) => link);
    assert.deepEqual(links, file === "model/sources.js" ? LINKS : [], file);
  }
});

test("a link leads to a paper in another tab, and does not say where one comes from", () => {
  for (const file of files) {
    for (const [link] of text(file).matchAll(/el\("a", \{[^}]*\}/g)) {
      assert.match(link, /target: "_blank", rel: "noreferrer"/, `${file}: ${link}`);
    }
  }
});

test("a file is one thing: no longer than 400 lines, and it says what it is", () => {
  for (const file of files) {
    assert.ok(text(file).split("\n").length <= 400, file);
    assert.match(text(file), /^\/\/ [A-Z]/, file);
  }
});

test("an import is one line and takes names as they are; an export is declared at once", () => {
  for (const file of files) {
    for (const line of text(file).split("\n")) {
      if (line.startsWith("import ")) assert.match(line, /^import \{ [\w, ]+ \} from "\.[\w./-]+\.js";$/, file);
      if (line.startsWith("import ")) assert.doesNotMatch(line, / as /, file);
      if (line.startsWith("export ")) assert.match(line, /^export (\{\};|(function\*?|class|const) \w+)/, file);
    }
  }
});

test("a module is put in behind all that it imports", () => {
  const order = [...text("mod.rs").matchAll(/include_str!\("([a-z/]+\.js)"\)/g)].map(([, file]) => file);
  const folder = (file) => new URL(file, VIEWER);
  assert.deepEqual([...order, "model/types.js"].sort(), [...files].sort());
  for (const file of order) {
    for (const [, from] of text(file).matchAll(/^import .* from "(.*)";$/gm)) {
      const place = order.findIndex((other) => folder(other).href === new URL(from, folder(file)).href);
      assert.ok(place >= 0 && place < order.indexOf(file), `${file} imports ${from}`);
    }
  }
});

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

test("text has a contrast of 4.5 by day and by night, also on each term's colour", () => {
  const [day, night] = [...text("style.css").matchAll(/:root \{([^}]*)\}/g)].map(([, block]) =>
    Object.fromEntries([...block.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name, colour]) => [name, colour])),
  );
  for (const [time, colours] of [["day", day], ["night", night]]) {
    for (const behind of ["card", "ground"]) {
      for (const name of ["ink", "faint", "bad", "good", "warn", "focus"]) {
        const ratio = contrast(colours[name], colours[behind]);
        assert.ok(ratio >= 4.5, `${time}: ${name} on ${behind} has ${ratio.toFixed(2)}`);
      }
    }
  }
  for (const [, colour, on] of text("colours.js").matchAll(/\["(#[0-9a-f]{6})", "(#[0-9a-f]{6})"\]/g)) {
    assert.ok(contrast(colour, on) >= 4.5, `${on} on ${colour}`);
  }
});
