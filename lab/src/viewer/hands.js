// Mouse and fingers on the picture: drawing along pans, the wheel and two fingers zoom, a
// press selects.

/**
 * What hands can do. Places are pixels from the picture's left and top.
 * @typedef {object} Wishes
 * @property {(pixels: number) => void} pan
 * @property {(x: number, factor: number) => void} zoom
 * @property {(x: number, y: number) => void} press
 * @property {(x: number, y: number, event: PointerEvent) => void} point
 * @property {() => void} leave
 */

/** So many pixels of a wheel double what is shown, or halve it. */
const WHEEL = 360;
/** A pointer that has moved less (pixels) has pressed. */
const STILL = 4;

/**
 * @param {HTMLElement} picture
 * @param {HTMLElement[]} rulers where every wheel zooms
 * @param {HTMLElement} scroller what scrolls when a wheel does not zoom
 * @param {Wishes} wishes
 */
export function listen(picture, rulers, scroller, wishes) {
  const left = () => picture.getBoundingClientRect().left;
  const wheel = (/** @type {WheelEvent} */ event, /** @type {boolean} */ always) => {
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 24 : 1;
    const [dx, dy] = event.shiftKey ? [event.deltaY + event.deltaX, 0] : [event.deltaX, event.deltaY];
    const still = scroller.scrollHeight <= scroller.clientHeight + 1 && document.documentElement.scrollHeight <= innerHeight + 1;
    const zooms = event.ctrlKey || event.metaKey || event.altKey || always || still;
    if (!zooms && Math.abs(dx) <= Math.abs(dy)) return;
    event.preventDefault();
    if (Math.abs(dx) > Math.abs(dy)) wishes.pan(dx * lines);
    // Two fingers on a pad come as a wheel with ctrl, and in smaller steps.
    else wishes.zoom(event.clientX - left(), 2 ** ((-dy * lines * (event.ctrlKey && Math.abs(dy) < 50 ? 4 : 1)) / WHEEL));
  };
  picture.addEventListener("wheel", (event) => wheel(event, false), { passive: false });
  for (const ruler of rulers) ruler.addEventListener("wheel", (event) => wheel(event, true), { passive: false });
  fingers(picture, wishes);
}

/**
 * @param {HTMLElement} picture
 * @param {Wishes} wishes
 */
function fingers(picture, wishes) {
  /** Where each finger is. @type {Map<number, PointerEvent>} */
  const down = new Map();
  let moved = 0;
  picture.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (down.size === 0) moved = 0;
    down.set(event.pointerId, event);
  });
  picture.addEventListener("pointermove", (event) => {
    const last = down.get(event.pointerId);
    const { left, top } = picture.getBoundingClientRect();
    if (!last) return wishes.point(event.clientX - left, event.clientY - top, event);
    moved += Math.abs(event.clientX - last.clientX) + Math.abs(event.clientY - last.clientY);
    if (moved > STILL && !picture.hasPointerCapture(event.pointerId)) picture.setPointerCapture(event.pointerId);
    const [, other] = [...down.values()].sort((one) => (one.pointerId === event.pointerId ? -1 : 1));
    down.set(event.pointerId, event);
    if (!other) {
      if (moved > STILL) wishes.pan(last.clientX - event.clientX);
      return;
    }
    const apart = (/** @type {PointerEvent} */ one) => Math.max(20, Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY));
    wishes.zoom((event.clientX + other.clientX) / 2 - left, apart(event) / apart(last));
    wishes.pan((last.clientX - event.clientX) / 2);
  });
  picture.addEventListener("pointerup", (event) => {
    const { left, top } = picture.getBoundingClientRect();
    if (down.delete(event.pointerId) && moved <= STILL) wishes.press(event.clientX - left, event.clientY - top);
  });
  picture.addEventListener("pointercancel", (event) => down.delete(event.pointerId));
  // A finger that is lifted has not gone elsewhere: what it pressed stays told.
  picture.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && wishes.leave());
}
