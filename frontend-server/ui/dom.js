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
 * into the field when it was refused and nothing else was typed meanwhile; why is
 * said beside the field. What `look` finds unfit is not sent at all.
 * @param {string} name what its test hooks start with
 * @param {string} label @param {string} button @param {number} longest
 * @param {(text: string) => Promise<string>} submit why it was refused; empty when it was accepted
 * @param {(text: string) => {unfit: string, count: string}} [look] why it cannot be sent, and what to show of its length
 */
export function lineForm(name, label, button, longest, submit, look = () => ({ unfit: "", count: "" })) {
  const why = el("p", { class: "why", role: "alert", "data-testid": `${name}-why` });
  const count = el("span", { class: "count", "aria-hidden": "true", "data-testid": `${name}-count` });
  const press = el("button", { "data-testid": `${name}-button` }, button);
  const input = el("input", {
    "aria-label": label, placeholder: label, maxlength: longest, required: true, autocomplete: "off",
    autocapitalize: "none", spellcheck: "false", enterkeyhint: "send", "data-testid": `${name}-input`,
  });
  const typed = () => {
    const text = input.value.trim();
    const { unfit, count: size } = look(text);
    say(why, "");
    say(count, text ? size : "");
    set(press, { "aria-disabled": String(text !== "" && unfit !== "") });
  };
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const text = input.value.trim();
    const { unfit } = look(text);
    if (!text || unfit) return say(why, text ? unfit : "");
    input.value = "";
    typed();
    const refused = await submit(text);
    if (refused && !input.value) {
      input.value = text;
      typed();
    }
    say(why, refused);
  };
  set(input, { input: typed });
  return el("form", { class: "line", submit: send }, why, el("div", { class: "entry" }, input, count), press);
}

/**
 * Makes one element the only one on the page that can be reached, or no longer:
 * everything beside it and beside what it is in. What is only read aloud goes on, and so does
 * what is on top of everything.
 * @param {Element} element @param {boolean} alone
 */
export function setAlone(element, alone) {
  for (let at = element; at !== document.body && at.parentElement; at = at.parentElement) {
    for (const other of at.parentElement.children) {
      if (other !== at && !other.hasAttribute("aria-live") && !other.hasAttribute("data-always")) set(other, { inert: alone });
    }
  }
}
