// What a lab tells, as it tells it: the stream that its page reads as well. Whoever asked for
// all of the timeline again and again would keep the lab busy.

import { unpack } from "../../lab/src/viewer/model/unpack.js";

export class Told {
  /** All lines so far, in the order in which they came. */
  lines = [];
  #seq = 0;
  #ends = new AbortController();

  /** Listens to a lab. `after` is how the test lets us stop. */
  static listen(after, url) {
    const told = new Told();
    const listens = told.#listen(url).catch((error) => {
      if (!told.#ends.signal.aborted) throw error;
    });
    after(async () => {
      told.#ends.abort();
      await listens;
    });
    return told;
  }

  /** Goes on where it was when the stream ends: a lab cuts off who reads too slowly. */
  async #listen(url) {
    const { signal } = this.#ends;
    while (!signal.aborted) {
      const { body } = await fetch(`${url}lines?after=${this.#seq}`, { signal });
      let rest = "";
      for await (const part of body.pipeThrough(new TextDecoderStream())) {
        const events = (rest + part).split("\n\n");
        rest = events.pop();
        events.forEach((event) => this.#take(event));
      }
    }
  }

  #take(event) {
    if (!event.startsWith("event: lines\n")) return;
    const { seq, anew = false, packed } = JSON.parse(/^data: (.*)$/m.exec(event)[1]);
    if (seq <= this.#seq && !anew) return;
    this.#seq = seq;
    if (anew) this.lines = [];
    for (const line of unpack(packed)) this.lines.push(line);
  }
}
