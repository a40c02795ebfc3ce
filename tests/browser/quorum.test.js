// Two of three machines are gone for seconds: the page says what becomes of the
// letter that was pressed meanwhile, and it is so.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Demo } from "./demo.js";
import { openBrowser, Person, PHONE } from "./people.js";

test("without a majority the letter is said to be safe, and it is played once", { timeout: 120_000 }, async (t) => {
  const demo = await Demo.start((stop) => t.after(stop));
  const [first, second] = await demo.frontends();
  const browser = await openBrowser((close) => t.after(close));
  const ann = await Person.arrive(browser, "Ann", first, { viewport: PHONE });
  const bo = await Person.arrive(browser, "Bo", second);
  await bo.join(await ann.open("together", "animals"));
  await ann.page.locator('[data-testid="players"] li').nth(1).waitFor();

  const leader = await demo.leader();
  const other = ["n1", "n2", "n3"].find((name) => name !== leader);
  await Promise.all([leader, other].map((name) => demo.fault("kill", name)));
  await ann.press("z");
  await ann.hook("state").getByText(/^Your letter is safe; it will be played when/).waitFor();
  await ann.sees("letter-z", "data-state", "sending");
  await bo.hook("state").getByText(/^Your game is safe; it goes on when/).waitFor();
  await ann.screenshot("silent-phone");

  await Promise.all([leader, other].map((name) => demo.fault("restart", name)));
  for (const person of [ann, bo]) {
    await person.seesLetter("z");
    await person.connected();
    assert.equal((await person.tried()).length, 1, "played, and once");
    await person.page.locator('[data-testid="state"]:not([data-trouble])').waitFor();
    person.unharmed();
  }
});
