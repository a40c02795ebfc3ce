// A few lines instead of a framework. Text always arrives as text, never as
// markup, so no name or chat line can become part of the page.

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} Attributes */

/**
 * Sets attributes; a function listens to the event of that name, and what is
 * null, undefined or false is taken off.
 * @param {Element} element @param {Attributes} attributes
 */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? "" : String(value));
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Attributes} [attributes] @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  set(element, attributes);
  element.append(...children);
  return element;
}

/** @param {string} tag @param {Attributes} [attributes] @param {Node[]} children */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  set(element, attributes);
  element.append(...children);
  return element;
}

/**
 * Changes text only when it is different, so that screen readers and selections are left alone.
 * @param {Element} element @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Makes the children of `parent` match `items`, keeping the elements of items
 * that stay: focus and animations survive.
 * @template T
 * @param {Element} parent @param {T[]} items
 * @param {(item: T) => string} key
 * @param {(item: T) => HTMLElement} make
 * @param {(element: HTMLElement, item: T) => void} [update]
 */
export function list(parent, items, key, make, update) {
  const children = /** @type {HTMLElement[]} */ ([...parent.children]);
  const before = new Map(children.map((child) => [child.dataset.key, child]));
  items.forEach((item, at) => {
    const element = before.get(key(item)) ?? make(item);
    element.dataset.key = key(item);
    before.delete(key(item));
    update?.(element, item);
    if (parent.children[at] !== element) parent.insertBefore(element, parent.children[at] ?? null);
  });
  for (const gone of before.values()) gone.remove();
}

/**
 * A form of one field and one button. The text goes out at once, and comes back
 * into the field when it was refused and nothing else was typed meanwhile.
 * @param {string} name what its test hooks start with
 * @param {string} label @param {string} button @param {number} longest
 * @param {(text: string) => Promise<boolean>} submit whether it was accepted
 */
export function lineForm(name, label, button, longest, submit) {
  const input = el("input", {
    "aria-label": label, placeholder: label, maxlength: longest, required: true, autocomplete: "off",
    autocapitalize: "none", spellcheck: "false", enterkeyhint: "send", "data-testid": `${name}-input`,
  });
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const text = input.value.trim();
    input.value = "";
    if (text && !(await submit(text)) && !input.value) input.value = text;
  };
  return el("form", { class: "line", submit: send }, input, el("button", { "data-testid": `${name}-button` }, button));
}
