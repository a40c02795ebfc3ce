// Questions that outlive a connection: asked as soon as somebody can answer, and again when
// the answer was lost.

/** @typedef {import("./client.js").Client} Client */
/** @typedef {import("./types.js").Answer} Answer */

/** Refusals that mean: ask again. */
const NOT_NOW = new Set(["lost", "busy", "no-quorum", "unknown-outcome", "too-fast"]);

/** Before it is asked again (ms). */
const AGAIN = 1500;

/** One question, until it has its answer. */
export class Question {
  #client;
  #action;
  #data;
  #answered;
  #open = true;
  #asking = false;
  #timer = 0;
  #stop;

  /** @param {Client} client @param {string} action @param {Record<string, any>} data @param {(answer: Answer) => void} answered */
  constructor(client, action, data, answered) {
    this.#client = client;
    this.#action = action;
    this.#data = data;
    this.#answered = answered;
    this.#stop = client.on("standing", () => this.#ask());
    this.#ask();
  }

  /** Nobody wants to know any more. */
  end() {
    this.#open = false;
    clearTimeout(this.#timer);
    this.#stop();
  }

  async #ask() {
    if (!this.#open || this.#asking || this.#client.standing === "reconnecting") return;
    this.#asking = true;
    const answer = await this.#client.ask(this.#action, this.#data);
    this.#asking = false;
    if (!this.#open) return;
    if (answer.refused && NOT_NOW.has(answer.refused.code)) {
      this.#timer = setTimeout(() => this.#ask(), AGAIN);
      return;
    }
    this.end();
    this.#answered(answer);
  }
}

/**
 * What is pushed to who looks: each frontend is told anew that one does, and told when one
 * does not any more, be it that the page is hidden.
 */
export class Looking {
  #client;
  #action;
  /** @type {Question | null} */
  #question = null;
  /** The frontend knows that one looks. */
  #told = false;
  #stop;
  #refused;
  #onSight = () => this.#follow();

  /** @param {Client} client @param {string} action @param {(refused: import("./types.js").Refusal) => void} [refused] a frontend of before does not know what is asked for */
  constructor(client, action, refused = () => {}) {
    this.#client = client;
    this.#action = action;
    this.#refused = refused;
    this.#stop = client.on("standing", () => this.#follow());
    document.addEventListener("visibilitychange", this.#onSight);
    this.#follow();
  }

  end() {
    this.#stop();
    document.removeEventListener("visibilitychange", this.#onSight);
    this.#close();
  }

  #follow() {
    if (this.#client.standing === "reconnecting") {
      this.#question?.end();
      this.#told = false;
    } else if (document.visibilityState === "hidden") {
      this.#close();
    } else if (!this.#told) {
      this.#told = true;
      this.#question?.end();
      this.#question = new Question(this.#client, this.#action, { open: true }, ({ refused }) => refused && this.#refused(refused));
    }
  }

  #close() {
    this.#question?.end();
    if (this.#told && this.#client.standing !== "reconnecting") this.#client.ask(this.#action, { open: false });
    this.#told = false;
  }
}
