// Elements with text in them: what a timeline says arrives as text, never as markup.

/** @typedef {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} Attributes */

/**
 * Sets attributes; a function listens to the event of that name, and what is null,
 * undefined or false is taken off.
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

/**
 * Changes text only when it is different.
 * @param {Element} element @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Makes what is inside anew. Where one of its buttons had the focus, the one that is now in its
 * place has it, or `otherwise`.
 * @param {Element} place @param {(Node | string)[]} inside @param {HTMLElement} [otherwise]
 */
export function renew(place, inside, otherwise) {
  const buttons = () => /** @type {HTMLElement[]} */ ([...place.querySelectorAll("button, a, input, select, summary")]);
  const active = /** @type {HTMLElement} */ (document.activeElement);
  const at = buttons().indexOf(active);
  place.replaceChildren(...inside);
  if (at < 0) return;
  const key = active.dataset["key"];
  const same = key === undefined ? undefined : buttons().find(({ dataset }) => dataset["key"] === key);
  (same ?? buttons()[at] ?? buttons().at(-1) ?? otherwise)?.focus({ preventScroll: true });
}

/**
 * Makes a button do nothing, or something again. It keeps the focus: whoever pressed it is
 * still there when it can be pressed again.
 * @param {Element} button @param {boolean} is
 */
export function idle(button, is) {
  set(button, { "aria-disabled": is ? "true" : false });
}

/** Whether a button does nothing now. @param {Element} button */
export function isIdle(button) {
  return button.getAttribute("aria-disabled") === "true";
}

/**
 * How many of the window's pixels one of an element's own takes: more than 1 in large type.
 * @param {Element} element
 */
export function zoomOf(element) {
  return element.currentCSSZoom ?? 1;
}

/**
 * Where a pointer is, in an element's own pixels from its left and top.
 * @param {Element} element @param {{clientX: number, clientY: number}} pointer
 * @returns {[number, number]}
 */
export function spotIn(element, { clientX, clientY }) {
  const { left, top } = element.getBoundingClientRect();
  const zoom = zoomOf(element);
  return [(clientX - left) / zoom, (clientY - top) / zoom];
}

/**
 * Puts a box at a place of the window, as far as there is room.
 * @param {HTMLElement} box @param {number} x @param {number} y pixels of the window
 */
export function putAt(box, x, y) {
  const zoom = zoomOf(box);
  const least = (/** @type {number} */ wished, /** @type {number} */ room) => `${Math.max(4, Math.min(wished, room)) / zoom}px`;
  box.style.left = least(x, innerWidth - box.offsetWidth * zoom - 8);
  box.style.top = least(y, innerHeight - box.offsetHeight * zoom - 8);
}

/**
 * The element of the page's frame that has this id.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}
