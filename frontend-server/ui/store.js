// What this browser remembers. Storage may be missing or forbidden (private
// windows do that); then everything is remembered until the page closes.

class Shelf {
  /** @type {Storage | null} */
  #storage = null;
  /** @type {Map<string, string>} */
  #memory = new Map();

  /** @param {() => Storage} open merely touching a forbidden storage throws, hence a function */
  constructor(open) {
    try {
      this.#storage = open();
    } catch {
      // Forbidden: memory it is.
    }
  }

  /** @param {string} key @returns {string} empty when there is none */
  get(key) {
    try {
      return this.#storage?.getItem(`hangraft.${key}`) ?? this.#memory.get(key) ?? "";
    } catch {
      return this.#memory.get(key) ?? "";
    }
  }

  /** @param {string} key @param {string} value */
  set(key, value) {
    this.#memory.set(key, value);
    try {
      this.#storage?.setItem(`hangraft.${key}`, value);
    } catch {
      // Full or forbidden: the memory above has it.
    }
  }

  /** @param {string} key @returns {any[]} empty when there is none, or what is there is not a list */
  list(key) {
    try {
      const value = JSON.parse(this.get(key) || "[]");
      return Array.isArray(value) ? value : [];
    } catch {
      return [];
    }
  }
}

/** For every tab of this browser: token, name, frontends, the highest serial. */
export const browser = new Shelf(() => localStorage);

/** For this tab, over a reload: wishes still without an answer. */
export const tab = new Shelf(() => sessionStorage);
