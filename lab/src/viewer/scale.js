// Between times and pixels: which part of the timeline is shown, and where each moment is.

/** The least that is shown (microseconds). */
const LEAST = 1000;
/** Room before the beginning and behind the end, as a part of what is shown. */
const EDGE = 0.02;
/** Steps of the ruler, in parts of a power of ten. */
const STEPS = [1, 2, 5, 10];

export class Scale {
  /**
   * @param {number} end when the timeline ends, in microseconds
   * @param {number} pixels how wide it is drawn
   */
  constructor(end, pixels) {
    this.begin = 0;
    this.end = Math.max(end, LEAST);
    this.pixels = pixels;
    this.from = 0;
    this.width = 0;
    /** How much was asked for, where there is not so much yet. */
    this.wished = 0;
    this.all();
  }

  /** The moment behind the last that is shown. */
  get to() {
    return this.from + this.width;
  }

  /** How long it is, with room before and behind. */
  get most() {
    return (this.end - this.begin) * (1 + 2 * EDGE);
  }

  /**
   * The timeline has become longer, or its beginning is forgotten.
   * @param {number} begin
   * @param {number} end
   */
  bound(begin, end) {
    this.begin = begin;
    this.end = Math.max(end, begin + LEAST);
  }

  /** Shows everything. */
  all() {
    this.show(this.begin - (this.end - this.begin) * EDGE, this.most);
  }

  /** @param {number} time */
  x(time) {
    return ((time - this.from) / this.width) * this.pixels;
  }

  /** @param {number} x */
  time(x) {
    return this.from + (x / this.pixels) * this.width;
  }

  /**
   * Shows a window, as far as there is something in it.
   * @param {number} from
   * @param {number} width
   */
  show(from, width) {
    this.wished = width;
    this.width = Math.min(Math.max(width, LEAST), this.most);
    const edge = this.width * EDGE;
    this.from = Math.min(Math.max(from, this.begin - edge), Math.max(this.end + edge - this.width, this.begin - edge));
  }

  /**
   * Shows less (a factor above 1) or more; what is at `x` stays there.
   * @param {number} x
   * @param {number} factor
   */
  zoom(x, factor) {
    const time = this.time(x);
    const part = x / this.pixels;
    const width = Math.min(Math.max(this.width / factor, LEAST), this.most);
    this.show(time - part * width, width);
  }

  /** @param {number} pixels to the right */
  pan(pixels) {
    this.show(this.from + (pixels / this.pixels) * this.width, this.width);
  }

  /**
   * Brings a moment into sight: in the middle, unless it is well in sight already.
   * @param {number} time
   */
  reveal(time) {
    const inside = time >= this.from + this.width * 0.05 && time <= this.to - this.width * 0.05;
    if (!inside) this.show(time - this.width / 2, this.width);
  }

  /**
   * Lets a moment that runs run on in sight: when it comes near the right, the window goes
   * along.
   * @param {number} time
   * @param {number} part of the window that is to its left at most
   */
  along(time, part) {
    const inside = time >= this.from && time <= this.from + this.width * part;
    if (!inside || this.width !== this.wished) this.show(time - Math.min(this.wished, this.most) * part, this.wished);
  }

  /**
   * A round length (microseconds) that is at least so many pixels wide.
   * @param {number} pixels
   */
  step(pixels) {
    const least = Math.max(1, (pixels / this.pixels) * this.width);
    const power = 10 ** Math.floor(Math.log10(least));
    return (STEPS.find((step) => step * power >= least) ?? 10) * power;
  }

  /**
   * The ruler's moments and how each is written.
   * @param {number} [pixels] how far they stand apart at least
   * @returns {{time: number, text: string}[]}
   */
  ticks(pixels = 90) {
    const step = this.step(pixels);
    const digits = Math.max(0, 6 - Math.floor(Math.log10(step) + 1e-9));
    const ticks = [];
    for (let time = Math.ceil(Math.max(this.begin, this.from) / step) * step; time <= Math.min(this.to, this.end); time += step) {
      ticks.push({ time, text: `${(time / 1e6).toFixed(digits)} s` });
    }
    return ticks;
  }
}
